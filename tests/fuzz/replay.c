/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>

#include "tests/fuzz/fuzz.h"
#include "tests/support/temp.h"

/*
 * libFuzzer's place, for every compiler: tries each file that is named, and each file of each
 * directory that is named, once and in the order of their names. An input that breaks something
 * ends the process; its name is the last line then.
 */

static size_t n_tried;

/* In memory of exactly its length, so that a sanitizer sees who reads past the end. */
static void try_file(const char *path)
{
	struct slice file = temp_file_read(path);
	uint8_t *input = malloc(file.len > 0 ? file.len : 1);
	int r;

	assert(input);
	memcpy(input, file.data, file.len);
	free((char *)file.data);
	(void)fprintf(stderr, "%s\n", path);
	r = LLVMFuzzerTestOneInput(input, file.len);
	assert(r == 0);
	free(input);
	n_tried++;
}

static int is_input(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void try_directory(const char *path)
{
	struct dirent **entries;
	int n = scandir(path, &entries, is_input, alphasort);

	assert(n >= 0);
	for (int i = 0; i < n; i++) {
		cleanup(freep) char *file = temp_path_new(path, entries[i]->d_name);

		try_file(file);
		free(entries[i]);
	}
	free(entries);
}

static bool is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Nobody searches here. */
size_t LLVMFuzzerMutate(unused uint8_t *data, size_t len, unused size_t len_max)
{
	return len;
}

int main(int argc, char **argv)
{
	int r = LLVMFuzzerInitialize(&argc, &argv);

	assert(r == 0);
	for (int i = 1; i < argc; i++) {
		if (is_directory(argv[i])) {
			try_directory(argv[i]);
		} else {
			try_file(argv[i]);
		}
	}
	(void)printf("%zu\n", n_tried); /* who asks sees when it is missing */
	return n_tried > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
