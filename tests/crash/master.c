/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/crash/master.h"

#include <sys/stat.h>

#include "daemon/store/keyfile.h"

#include "tests/support/temp.h"

static const char key[KEYFILE_KEY_LEN] = "thirty-two bytes for one master"; /* and a zero */
static char *directory;

void master_make(void)
{
	cleanup(freep) char *path = NULL;

	directory = temp_directory_new();
	path = temp_path_new(directory, KEYFILE_MASTER);
	temp_file_write(path, (struct slice){key, sizeof(key)});
	assert(chmod(path, 0400) == 0);
}

void master_done(void)
{
	directory = temp_directory_free(directory);
}

const uint8_t *master_key(void)
{
	return (const uint8_t *)key;
}

void master_give(bool given)
{
	int r = given ? setenv("CREDENTIALS_DIRECTORY", directory, 1)
		      : unsetenv("CREDENTIALS_DIRECTORY");

	assert(r == 0);
}
