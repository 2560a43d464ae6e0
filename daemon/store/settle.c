/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/inside.h"

/*
 * Settling: rows of the overlay are brought into their tables, a round at a time and a round in
 * slices. What a start replays ends with the last whole round; of one that is under way the store
 * knows up to which entry it reaches, so that a start begins it again with the same rows.
 */

#define ROWS_A_STEP 32 /* rows that are looked at in the time that a change takes */

/* A page is copied, written and synced: as long as so many changes on one that was changed before. */
#define STEPS_A_PAGE 4

static_assert(STORE_SETTLE_ENTRY == STORE_STEPS_AN_ENTRY * (1 + STEPS_A_PAGE),
	      "each change on a page of its own");

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

/* One change, or as long on the way to the next. */
static int step(struct store *store)
{
	struct round *round = &store->round;
	struct key key;
	bool stands;

	if (round_is_filling(round)) {
		return round_fill(round, store->overlay, ROWS_A_STEP);
	}
	if (round_take(round, &key, &stands)) {
		settle_key(store, &key, stands);
	} else if (round_is_over(round)) {
		end_round(store);
	} else {
		round_next_table(round);
	}
	return 0;
}

/* The page that a change was the first on is known when it has been made. */
static int take_steps(struct store *store, uint32_t n_steps_max)
{
	uint32_t n_pages = kv_changed_pages(store->txn), n = 0;
	int r = 0;

	while (r == 0 && store_is_settling(store) &&
	       n + STEPS_A_PAGE * (kv_changed_pages(store->txn) - n_pages) < n_steps_max) {
		r = step(store);
		n++;
	}
	store->round.n_steps += n;
	return r;
}

int store_settle(struct store *store, uint32_t n_steps_max)
{
	uint64_t round_seq = overlay_round_seq(store->overlay);
	struct kv_txn *txn;
	int r;

	if (store_unsettled_entries(store) == 0) {
		return 0;
	}
	r = store_writing(store, &txn);
	store->last_read.uid = 0;
	if (r == 0 && round_seq == 0) {
		overlay_begin_round(store->overlay, store->head.seq);
		store->round.n_steps = 0;
	}
	if (r == 0) {
		r = take_steps(store, n_steps_max);
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
	store->round.n_steps = STORE_STEPS_AN_ENTRY * (store->head.seq - round_seq);
}

uint64_t store_steps_due(const struct store *store)
{
	uint64_t round_seq = overlay_round_seq(store->overlay);
	uint64_t n_due = STORE_STEPS_AN_ENTRY * (store->head.seq - round_seq);

	if (round_seq != 0) {
		return n_due - MIN(n_due, store->round.n_steps);
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
