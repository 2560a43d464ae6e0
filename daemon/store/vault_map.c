/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/vault_map.h"

#include <errno.h>
#include <sys/mman.h>

/* Addresses cost nothing: room for two million accounts at least, and then for twice as many. */
#define ROOM_MIN ((size_t)64 << 20)

static int map_anew(struct vault_map *map, int fd, size_t len)
{
	void *bytes = mmap(NULL, len, PROT_READ, MAP_SHARED | MAP_NORESERVE, fd, 0);

	if (bytes == MAP_FAILED) {
		return -errno;
	}
	(void)madvise(bytes, len, MADV_DONTDUMP); /* nor are files dumped if nobody asks for it */
	vault_map_done(map);
	map->bytes = bytes;
	map->len = len;
	return 0;
}

int vault_map_extend(struct vault_map *map, int fd, off_t end)
{
	int r = 0;

	if (end <= map->end) {
		return 0;
	}
	if ((size_t)end > map->len) {
		r = map_anew(map, fd, MAX((size_t)end * 2, ROOM_MIN));
	}
	if (r == 0) {
		map->end = end;
	}
	return r;
}

void vault_map_done(struct vault_map *map)
{
	if (map->bytes) {
		(void)munmap((void *)(uintptr_t)map->bytes, map->len); /* it was mapped so */
		map->bytes = NULL;
	}
}

/* A slot that is cut in half ends within a page; what is behind the end there reads as zeros. */
const uint8_t *vault_map_slot(const struct vault_map *map, off_t at)
{
	return at < map->end ? map->bytes + at : NULL;
}
