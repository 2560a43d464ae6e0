/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_STORE_ROUND_H
#define RETENTIOND_STORE_ROUND_H

#include "common/base.h"

#include "daemon/store/index.h"
#include "daemon/store/overlay.h"

/*
 * What brings the rows of a round into their tables, one table after another, each in the order of
 * its keys. Names are hashed, so that neighbours in one index are strangers in every other: in this
 * order a page is written once for all rows of the round that are on it, and not once for each.
 *
 * The account rows come last. Until then the row in its table says which keys stood before the
 * round, and once it is replaced all keys of the new one stand. So a round that a crash cut short
 * is simply begun again: keys are put that are there already, and deleted that are gone.
 */

struct change;

/**
 * struct round
 * @n_tables:  begun of it; 0 before and after a round
 * @index:     the table whose changes these are
 * @key_len:   of each key there
 * @changes:   a heap, the first key on top
 * @n_applied: changes of this round that were taken
 */
struct round {
	unsigned n_tables;
	enum index index;
	uint8_t key_len;
	uint32_t n;
	uint32_t n_room;
	struct change *changes;
	uint64_t n_applied;
};

void round_done(struct round *round); /* frees what it holds */

/**
 * round_next_table() - go on to the next table
 * @ret_n_rows: of the round: each was looked at
 *
 * All changes of the one before have been taken.
 *
 * Return: 0, or -ENOMEM.
 */
must_check int round_next_table(struct round *round, const struct overlay *overlay,
				uint32_t *ret_n_rows);
bool round_is_over(const struct round *round); /* the last table has no more changes */

/**
 * round_take() - the next change of the table
 * @ret_stands: the key is to stand there from now on; else it is to be deleted
 *
 * Return: false if there is none.
 */
bool round_take(struct round *round, struct key *ret_key, bool *ret_stands);

#endif
