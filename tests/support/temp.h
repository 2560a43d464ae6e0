/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_SUPPORT_TEMP_H
#define RETENTIOND_TESTS_SUPPORT_TEMP_H

#include "common/base.h"

/* Directories for a test's files, under $TMPDIR or /tmp. What fails here ends the test program. */

char *temp_directory_new(void);             /* an empty one, mode 0700; its path is the caller's */
char *temp_directory_free(char *directory); /* removes it with all it holds; NULL is fine */
void temp_directory_freep(char **directory);

/* The path of a file in a directory; the caller's. */
char *temp_path_new(const char *directory, const char *name);

/* A whole file in memory, and back. */
struct slice temp_file_read(const char *path); /* @data is the caller's to free */
void temp_file_write(const char *path, struct slice bytes);

/* Changes one byte of a file. */
void temp_file_flip(const char *path, off_t at, uint8_t bits);

#endif
