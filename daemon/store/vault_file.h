/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_STORE_VAULT_FILE_H
#define RETENTIOND_STORE_VAULT_FILE_H

#include <sys/types.h>

#include "common/base.h"

/* What is done with files that hold keys. Return, where nothing is said: 0 or a negative errno. */

/* What lies behind the end of the file reads as zeros, as it does in its holes. */
must_check int vault_file_read(int fd, off_t at, uint8_t *bytes, size_t len);

/*
 * Writes zeros over it, synced, and takes its name away; none there is fine. A file that has no
 * name any more still has its blocks on the medium.
 */
must_check int vault_file_destroy(const char *path);

/**
 * vault_file_replace() - put a synced file in the place of another, which is overwritten
 * @with: beside @path; gone afterwards
 * @old:  beside it too: a second name of what was at @path, until it is overwritten, so that it can
 *        still be found after a crash. A file system without second names does without
 *
 * Stopped at any point it leaves the one or the other at @path, whole. Return: 0 or a negative errno.
 */
must_check int vault_file_replace(const char *with, const char *path, const char *old);

/* What one that was stopped has left at @old: overwritten, unless it is what is at @path. */
must_check int vault_file_clear(const char *path, const char *old);

#endif
