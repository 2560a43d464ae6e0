/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/inside.h"

/*
 * Settling: rows of the overlay are brought into their tables, a round at a time and a round in
 * slices. What a start replays ends with the last whole round; of one that is under way the store
 * knows up to which entry it reaches, so that a start begins it again with the same rows.
 */

#define ROWS_A_STEP 32 /* rows that are looked at in the time that a change takes */

/*
 * Changes that are made for each entry that comes while a round is under way. A row has at most
 * eleven, and hardly ever more than five: thus a round ends before as many rows wait for the next.
 */
#define STEPS_AN_ENTRY 6

static void settle_row(struct store *store, uint64_t uid)
{
	uint8_t row[ROWS_ACCOUNT_LEN];
	struct key key = key_u64(uid);
	struct account account;
	struct slice bytes;
	bool is_new;

	overlay_take(store->overlay, uid, &account, &is_new);
	bytes = (struct slice){(const char *)row, rows_encode_account(&account, row)};
	if (is_new) {
		kv_append(store->txn, KV_ACCOUNTS, key_slice(&key), bytes); /* uids grow */
	} else {
		kv_put(store->txn, KV_ACCOUNTS, key_slice(&key), bytes);
	}
}

static void settle_key(struct store *store, const struct key *key, bool stands)
{
	enum kv_table table = index_table(store->round.index);

	if (store->round.index == INDEX_UID) {
		settle_row(store, key_uid(key_slice(key)));
	} else if (stands) {
		kv_put(store->txn, table, key_slice(key), (struct slice){0});
	} else {
		kv_delete(store->txn, table, key_slice(key));
	}
}

static void end_round(struct store *store)
{
	store->state.settled_seq = overlay_round_seq(store->overlay);
	store->guards.urgent = true; /* what is older is not replayed any more */
	store->round.n_tables = 0;
	overlay_end_round(store->overlay);
}

/* One change, or the way to the next. @n_steps grows by what it cost. */
static int step(struct store *store, uint32_t *n_steps)
{
	struct key key;
	uint32_t n_rows;
	bool stands;
	int r;

	if (round_take(&store->round, &key, &stands)) {
		settle_key(store, &key, stands);
		++*n_steps;
		return 0;
	}
	if (round_is_over(&store->round)) {
		end_round(store);
		return 0;
	}
	r = round_next_table(&store->round, store->overlay, &n_rows);
	if (r == 0) {
		*n_steps += n_rows / ROWS_A_STEP;
	}
	return r;
}

int store_settle(struct store *store, uint32_t n_steps_max)
{
	uint64_t round_seq = overlay_round_seq(store->overlay);
	uint32_t n_steps = 0;
	struct kv_txn *txn;
	int r;

	if (store_unsettled_entries(store) == 0) {
		return 0;
	}
	r = store_writing(store, &txn);
	store->last_read.uid = 0;
	if (r == 0 && round_seq == 0) {
		overlay_begin_round(store->overlay, store->head.seq);
		store->round.n_applied = 0;
	}
	while (r == 0 && n_steps < n_steps_max && overlay_round_seq(store->overlay) != 0) {
		r = step(store, &n_steps);
	}
	if (r == 0 && overlay_round_seq(store->overlay) != round_seq) {
		store_put_round(txn, overlay_round_seq(store->overlay));
	}
	return r;
}

/* A round that a crash cut short. It is paced by what comes from now on. */
void store_resume_round(struct store *store, uint64_t round_seq)
{
	overlay_begin_round(store->overlay, round_seq);
	store->round.n_applied = STEPS_AN_ENTRY * (store->head.seq - round_seq);
}

bool store_must_settle(const struct store *store)
{
	uint64_t round_seq = overlay_round_seq(store->overlay);

	if (round_seq != 0) {
		return store->round.n_applied < STEPS_AN_ENTRY * (store->head.seq - round_seq);
	}
	return overlay_n_rows(store->overlay) > STORE_OVERLAY_MAX ||
	       store_unsettled_entries(store) > STORE_TAIL_MAX;
}

bool store_is_settling(const struct store *store)
{
	return overlay_round_seq(store->overlay) != 0;
}

uint32_t store_unsettled_rows(const struct store *store)
{
	return overlay_n_rows(store->overlay);
}

uint64_t store_unsettled_entries(const struct store *store)
{
	return store->head.seq - store->state.settled_seq;
}
