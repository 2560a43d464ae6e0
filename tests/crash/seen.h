/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_CRASH_SEEN_H
#define RETENTIOND_TESTS_CRASH_SEEN_H

#include "common/base.h"

/* A set of hashes; zeroed to begin. Hashes are even enough to be places themselves. */
struct seen {
	uint64_t *hashes;
	size_t n;
	size_t size; /* a power of two */
};

static inline bool seen_put(struct seen *seen, uint64_t hash);

static inline void seen_done(struct seen *seen)
{
	free(seen->hashes);
	*seen = (struct seen){0};
}

static inline void seen_grow(struct seen *seen)
{
	struct seen larger = {.size = MAX(2 * seen->size, (size_t)1024)};

	larger.hashes = calloc(larger.size, sizeof(*larger.hashes));
	assert(larger.hashes);
	for (size_t i = 0; i < seen->size; i++) {
		if (seen->hashes[i] != 0) {
			(void)seen_put(&larger, seen->hashes[i]); /* it is new there */
		}
	}
	free(seen->hashes);
	*seen = larger;
}

/* Whether it is new. */
static inline bool seen_put(struct seen *seen, uint64_t hash)
{
	size_t at;

	if (2 * seen->n >= seen->size) {
		seen_grow(seen);
	}
	hash += hash == 0;
	for (at = hash & (seen->size - 1); seen->hashes[at] != 0;
	     at = (at + 1) & (seen->size - 1)) {
		if (seen->hashes[at] == hash) {
			return false;
		}
	}
	seen->hashes[at] = hash;
	seen->n++;
	return true;
}

#endif
