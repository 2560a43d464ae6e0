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
 * @filling:   not all rows have been looked at for it yet
 * @node:      the last one that was
 * @key_len:   of each key there
 * @changes:   a heap, the first key on top
 * @n_steps:   that store_settle() has taken in this round
 */
struct round {
	unsigned n_tables;
	enum index index;
	bool filling;
	const struct node *node;
	uint8_t key_len;
	uint32_t n;
	uint32_t n_room;
	struct change *changes;
	uint64_t n_steps;
};

void round_done(struct round *round); /* frees what it holds */

/* Goes on to the next table; all changes of the one before have been taken. */
void round_next_table(struct round *round);

/**
 * round_fill() - look for changes of the table, in as many slices as the caller likes
 * @n_rows_max: to be looked at now
 *
 * Until it is filled, no change is to be taken. Return: 0, or -ENOMEM.
 */
must_check int round_fill(struct round *round, const struct overlay *overlay, uint32_t n_rows_max);
bool round_is_filling(const struct round *round);
bool round_is_over(const struct round *round); /* the last table has no more changes */

/**
 * round_take() - the next change of the table
 * @ret_stands: the key is to stand there from now on; else it is to be deleted
 *
 * Return: false if there is none.
 */
bool round_take(struct round *round, struct key *ret_key, bool *ret_stands);

#endif
