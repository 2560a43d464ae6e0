/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/round.h"

#include <errno.h>

struct change {
	uint8_t key[INDEX_KEY_LEN_MAX]; /* shorter ones are followed by zeros */
	bool stands;
};

void round_done(struct round *round)
{
	free(round->changes);
	*round = (struct round){0};
}

/*
 * A heap and not a sorted array: to sort 65 536 keys at once takes some ten milliseconds; here each
 * slice sorts what it adds and takes.
 */
static bool is_before(const struct change *a, const struct change *b)
{
	return memcmp(a->key, b->key, INDEX_KEY_LEN_MAX) < 0;
}

/* From the place of the last one up to its own. */
static void rise(struct round *round)
{
	struct change *changes = round->changes, change = changes[round->n - 1];
	uint32_t at = round->n - 1;

	for (uint32_t parent; at > 0; at = parent) {
		parent = (at - 1) / 2;
		if (!is_before(&change, &changes[parent])) {
			break;
		}
		changes[at] = changes[parent];
	}
	changes[at] = change;
}

/* From the top down to its own place. */
static void sink(struct round *round)
{
	struct change *changes = round->changes, change = changes[0];
	uint32_t at = 0;

	for (uint32_t child; (child = 2 * at + 1) < round->n; at = child) {
		if (child + 1 < round->n && is_before(&changes[child + 1], &changes[child])) {
			child++;
		}
		if (!is_before(&changes[child], &change)) {
			break;
		}
		changes[at] = changes[child];
	}
	changes[at] = change;
}

static int ensure_room(struct round *round)
{
	uint32_t n_room = MAX(2 * round->n_room, UINT32_C(1024));
	struct change *changes;

	if (round->n < round->n_room) {
		return 0;
	}
	changes = reallocarray(round->changes, n_room, sizeof(*changes));
	if (!changes) {
		return -ENOMEM;
	}
	round->changes = changes;
	round->n_room = n_room;
	return 0;
}

static int add(struct round *round, const struct key *key, bool stands)
{
	struct change *change;

	if (ensure_room(round) < 0) {
		return -ENOMEM;
	}
	change = &round->changes[round->n++];
	*change = (struct change){.stands = stands};
	assert(key->len <= INDEX_KEY_LEN_MAX);
	memcpy(change->key, key->bytes, key->len);
	round->key_len = key->len;
	rise(round);
	return 0;
}

/* The account row itself changes always. */
static int add_row(struct round *round, const struct account *before, const struct account *after)
{
	struct key old_key, new_key;
	bool stood = before && index_key(round->index, before, &old_key);
	bool stands = index_key(round->index, after, &new_key);
	bool same = stood && stands && slice_equal(key_slice(&old_key), key_slice(&new_key));
	int r = 0;

	if (stood && !same) {
		r = add(round, &old_key, false);
	}
	if (r == 0 && stands && (!same || round->index == INDEX_UID)) {
		r = add(round, &new_key, true);
	}
	return r;
}

static const enum index tables[] = {INDEX_DUE,    INDEX_OWED, INDEX_ID,
				    INDEX_PERSON, INDEX_UPN,  INDEX_UID};
static_assert(ARRAY_LEN(tables) == _INDEX_MAX, "each index has its turn");

void round_next_table(struct round *round)
{
	assert(round->n == 0);
	assert(round->n_tables < ARRAY_LEN(tables));
	round->index = tables[round->n_tables++];
	round->filling = true;
	round->node = NULL;
}

int round_fill(struct round *round, const struct overlay *overlay, uint32_t n_rows_max)
{
	const struct account *before, *after;
	int r = 0;

	assert(round->filling);
	for (uint32_t i = 0; i < n_rows_max && r == 0 && round->filling; i++) {
		round->filling = overlay_next_of_round(overlay, &round->node, &before, &after);
		if (round->filling) {
			r = add_row(round, before, after);
		}
	}
	return r;
}

bool round_is_filling(const struct round *round)
{
	return round->filling;
}

bool round_is_over(const struct round *round)
{
	return round->n_tables == ARRAY_LEN(tables) && !round->filling && round->n == 0;
}

bool round_take(struct round *round, struct key *ret_key, bool *ret_stands)
{
	assert(!round->filling);
	if (round->n == 0) {
		return false;
	}
	*ret_key = (struct key){0};
	key_add_bytes(ret_key, round->changes[0].key, round->key_len);
	*ret_stands = round->changes[0].stands;
	round->changes[0] = round->changes[--round->n];
	if (round->n > 0) {
		sink(round);
	}
	return true;
}
