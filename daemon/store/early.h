/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_STORE_EARLY_H
#define RETENTIOND_STORE_EARLY_H

#include "daemon/store/store.h"

/*
 * The sweep walks the due index in time order and need not look again at what the mass guards hold
 * back: it begins behind that. Whatever comes to stand before its beginning is named here.
 */

#define STORE_EARLY_MAX 1024 /* named one by one; of more, only that there are more */

/**
 * struct early - accounts that something is due of up to a place in the due index
 * @before: the place; zeros: none is named
 * @lost:   there were more than there is room for
 */
struct early {
	struct due_position before;
	bool lost;
	uint32_t n;
	uint64_t uids[STORE_EARLY_MAX];
};

/* From now on accounts that come to stand up to @before in the due index, or to be due of more, are named. */
void store_watch_early(struct store *store, struct due_position before);

/* None is, nor is any told that was: whoever begins at the first finds them all. */
void store_forget_early(struct store *store);

/* Names an account again, if it still stands there. */
void store_note_early(struct store *store, const struct account *account);

/*
 * What was named, at most @n_max of it at a time. Return: false when more was than there is room for:
 * then nothing is told.
 */
must_check bool store_take_early(struct store *store, uint64_t uids[static STORE_EARLY_MAX],
				 uint32_t n_max, uint32_t *ret_n);

/* Whether there is more. */
bool store_has_early(const struct store *store);

#endif
