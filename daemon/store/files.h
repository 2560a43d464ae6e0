/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_STORE_FILES_H
#define RETENTIOND_STORE_FILES_H

#include <limits.h>
#include <sys/types.h>

#include "common/base.h"

/*
 * What several do with files and directories. Return, where nothing is said: 0 or a negative
 * errno.
 */

/* Whole or not at all; -ENODATA past the end of the file. */
must_check int files_read_at(int fd, off_t at, void *bytes, size_t len);
must_check int files_write_at(int fd, off_t at, const void *bytes, size_t len);

/* PATH with SUFFIX behind it. Return: 0 or -ENAMETOOLONG. */
must_check int files_add_suffix(const char *path, const char *suffix,
				char ret_path[static PATH_MAX]);

/* A directory with mode 0700; one that is there is fine. Its parent is not made. */
must_check int files_make_directory(const char *path);
must_check int files_make_parent(const char *path); /* the directory that @path is in */

must_check int files_sync_directory(const char *path);
must_check int files_sync_parent(const char *path);

#endif
