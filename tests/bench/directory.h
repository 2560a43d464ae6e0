/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_BENCH_DIRECTORY_H
#define RETENTIOND_TESTS_BENCH_DIRECTORY_H

#include "common/base.h"

/* The directories that systems store in. */

/* Makes a directory for a user (NULL: oneself), which must not be there. */
void directory_make(const char *path, const char *user);

/* With all that is in it; nothing happens if it is not there. */
void directory_remove(const char *path);

uint64_t directory_bytes(const char *path);      /* on disk */
uint64_t directory_free_bytes(const char *path); /* of its file system */

/* Reads all that is in it: it is in the page cache then, as far as that has room. */
void directory_read(const char *path);

/* What has been written to its file system is on disk. */
void directory_sync(const char *path);

/**
 * directory_copy() - with all that is in it; shares the blocks where the file system can
 * @to:  must not be there. It is on disk when this returns, and in the page cache as far as that
 *       has room; @from no longer is
 * @log: a file for what cp says
 */
void directory_copy(const char *from, const char *to, const char *log);

#endif
