/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_STORE_VAULT_MAP_H
#define RETENTIOND_STORE_VAULT_MAP_H

#include <sys/types.h>

#include "common/base.h"

/*
 * A vault's file as memory, to read slots without a system call for each. What is written to the
 * file is seen here at once. Nobody but the daemon makes the file shorter: reading what was cut off
 * would end the process, as it does with the data file.
 */

/**
 * struct vault_map - zeroed to begin
 * @bytes: the file from its first byte on
 * @len:   mapped, most of it behind the file's end: room for the file to grow
 * @end:   of the file
 */
struct vault_map {
	const uint8_t *bytes;
	size_t len;
	off_t end;
};

/**
 * vault_map_extend() - take note that the file is longer, or map it
 * @end: of the file; what lies before the end that was known is fine
 *
 * Return: 0 or a negative errno.
 */
must_check int vault_map_extend(struct vault_map *map, int fd, off_t end);
void vault_map_done(struct vault_map *map);

/* VAULT_KEY_LEN bytes, good until the next call here; NULL behind the file's end. */
const uint8_t *vault_map_slot(const struct vault_map *map, off_t at);

#endif
