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
must_check int vault_file_overwrite(int fd); /* the first half of it */

#endif
