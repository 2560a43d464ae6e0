/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/temp.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

char *temp_directory_new(void)
{
	const char *parent = getenv("TMPDIR");
	char *directory = temp_path_new(parent && *parent ? parent : "/tmp", "retentiond-XXXXXX");

	assert(mkdtemp(directory));
	return directory;
}

static int remove_entry(const char *path, unused const struct stat *st, unused int type,
			unused struct FTW *where)
{
	return remove(path);
}

char *temp_directory_free(char *directory)
{
	if (directory) {
		(void)nftw(directory, remove_entry, 8,
			   FTW_DEPTH | FTW_PHYS); /* what stays, stays */
		free(directory);
	}
	return NULL;
}

void temp_directory_freep(char **directory)
{
	*directory = temp_directory_free(*directory);
}

char *temp_path_new(const char *directory, const char *name)
{
	char *path;

	assert(asprintf(&path, "%s/%s", directory, name) > 0);
	return path;
}

struct slice temp_file_read(const char *path)
{
	cleanup(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *bytes;

	assert(fd >= 0);
	assert(fstat(fd, &st) == 0);
	bytes = malloc((size_t)st.st_size + 1);
	assert(bytes);
	assert(read(fd, bytes, (size_t)st.st_size) == st.st_size);
	return (struct slice){bytes, (size_t)st.st_size};
}

void temp_file_write(const char *path, struct slice bytes)
{
	cleanup(closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert(fd >= 0);
	assert(write(fd, bytes.data, bytes.len) == (ssize_t)bytes.len);
}

void temp_file_flip(const char *path, off_t at, uint8_t bits)
{
	cleanup(closep) int fd = open(path, O_RDWR | O_CLOEXEC);
	uint8_t byte;

	assert(fd >= 0);
	assert(pread(fd, &byte, 1, at) == 1);
	byte ^= bits;
	assert(pwrite(fd, &byte, 1, at) == 1);
}
