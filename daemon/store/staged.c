/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/staged.h"

#include "daemon/store/inside.h"

/*
 * What the mass guard holds back. A command on an account is a row of its own and an entry of the
 * ledger; the account's facts stay as they are. The row goes when the command is carried out or
 * discarded, and when something else happens to the account that the command no longer fits.
 */

static void touch(struct store *store, struct guard_slot *slot)
{
	slot->changed = true;
	store->guards.urgent = true;
}

const struct guard_row *store_guard(const struct store *store, uint32_t org)
{
	return &guards_slot(&store->guards, org)->row;
}

/* Rows */

static int read_staged(struct slice key, struct slice row, struct staged *ret_staged)
{
	return rows_decode_staged(load_be32(key.data), key_uid(key), row, ret_staged) == 0
		       ? 0
		       : STORE_E_CORRUPT;
}

static bool holds_commands(const struct mass_guard *guard)
{
	return guard_n_staged(guard) + guard_n_decided(guard) > 0;
}

int store_get_staged(struct store *store, const struct account *account, struct staged *ret_staged)
{
	struct key key = key_staged(account->org, account->uid);
	struct slice row;
	struct kv_txn *txn;
	int r;

	if (!holds_commands(&store_guard(store, account->org)->guard)) {
		return STORE_E_NONE;
	}
	r = store_reading(store, &txn);
	if (r == 0) {
		r = kv_get(txn, KV_STAGED, key_slice(&key), &row);
	}
	if (r != 0) {
		return store_answer(r);
	}
	return read_staged(key_slice(&key), row, ret_staged);
}

/* Keys of another length are damage that leads to no account. */
int store_next_staged(struct store *store, uint32_t org, uint64_t *uid, struct staged *ret_staged)
{
	cleanup(kv_cursor_closep) struct kv_cursor *cursor = NULL;
	struct key after = key_staged(org, *uid);
	struct slice key, row;
	struct kv_txn *txn;
	int r;

	if (!holds_commands(&store_guard(store, org)->guard)) {
		return STORE_E_NONE;
	}
	r = store_reading(store, &txn);
	if (r == 0) {
		r = kv_cursor_open(txn, KV_STAGED, &cursor);
	}
	if (r == 0) {
		r = kv_cursor_seek(cursor, key_slice(&after), &key, &row);
	}
	while (r == 0 && (key.len != after.len || slice_equal(key, key_slice(&after)))) {
		r = kv_cursor_next(cursor, &key, &row);
	}
	if (r != 0) {
		return store_answer(r);
	}
	if (load_be32(key.data) != org) {
		return STORE_E_NONE;
	}
	*uid = key_uid(key);
	return read_staged(key, row, ret_staged);
}

/* Changes */

static int note_guard(struct store *store, uint32_t org, enum event event, uint64_t count,
		      const struct actor *actor)
{
	struct entry entry = {.event = event, .org = org, .count = count};

	return store_append(store, &entry, actor);
}

int store_engage_guard(struct store *store, uint32_t org, enum guard_kind kind, instant_t now)
{
	const struct actor daemon = {.role = ROLE_DAEMON, .at = now};
	struct guard_slot *slot = guards_slot(&store->guards, org);

	if (guard_is_engaged(&slot->row.guard, kind)) {
		return 0;
	}
	guard_engage(&slot->row.guard, kind, now);
	touch(store, slot);
	return note_guard(store, org, EVENT_GUARD_ENGAGED, 0, &daemon);
}

int store_disengage_guard(struct store *store, uint32_t org, enum guard_kind kind)
{
	struct guard_slot *slot = guards_slot(&store->guards, org);
	struct kv_txn *txn;
	int r = store_writing(store, &txn);

	guard_disengage(&slot->row.guard, kind);
	touch(store, slot);
	return r;
}

bool store_staged_is_decided(const struct store *store, const struct staged *staged)
{
	const struct guard_row *row = store_guard(store, staged->org);
	bool kept = row->discards && !row->discards_owed && staged_is_owed(staged);

	return staged->seq <= row->decided_seq && !kept;
}

static void count_staged(struct guard_slot *slot, const struct staged *staged)
{
	struct mass_guard *guard = &slot->row.guard;

	guard->n_staged[staged->kind]++;
	guard->n_owed[staged->kind] += staged_is_owed(staged);
	guard_engage(guard, staged->kind, staged->at);
}

/*
 * Numbers are as they were read from the disk: none goes below zero. A kind of which nothing is left
 * is not engaged any more.
 */
static void uncount_staged(struct store *store, const struct staged *staged)
{
	struct mass_guard *guard = &guards_slot(&store->guards, staged->org)->row.guard;
	uint64_t *n_staged = &guard->n_staged[staged->kind];
	uint64_t *n_owed = &guard->n_owed[staged->kind];

	if (store_staged_is_decided(store, staged)) {
		guard->n_decided[staged->kind] -= guard->n_decided[staged->kind] > 0;
		return;
	}
	*n_staged -= *n_staged > 0;
	*n_owed -= *n_owed > 0 && staged_is_owed(staged);
	*n_owed = MIN(*n_owed, *n_staged);
	if (*n_staged == 0) {
		guard_disengage(guard, staged->kind);
	}
}

static int put_staged(struct store *store, const struct staged *staged)
{
	struct key key = key_staged(staged->org, staged->uid);
	uint8_t bytes[ROWS_STAGED_LEN_MAX];
	struct slice row = {(const char *)bytes, rows_encode_staged(staged, bytes)};
	struct kv_txn *txn;
	int r = store_writing(store, &txn);

	if (r == 0) {
		kv_put(txn, KV_STAGED, key_slice(&key), row);
		store_spend(store, row.len);
	}
	return r;
}

int store_stage(struct store *store, struct account *account, const struct staged *asked,
		const struct actor *actor)
{
	struct guard_slot *slot = guards_slot(&store->guards, account->org);
	struct staged before, staged = *asked;
	int found, r = store_engage_guard(store, account->org, asked->kind, actor->at);

	if (r == 0) {
		r = store_change(store, account, EVENT_STAGED, actor);
	}
	if (r < 0) {
		return r;
	}
	found = store_get_staged(store, account, &before);
	staged.org = account->org;
	staged.uid = account->uid;
	staged.seq = account->last_seq;
	staged.at = actor->at;
	staged.actor_role = actor->role;
	staged.actor_uid = actor->uid;
	count_staged(slot, &staged);
	if (found == 0) {
		uncount_staged(store, &before);
	}
	touch(store, slot);
	return found < 0 ? found : put_staged(store, &staged);
}

int store_drop_staged(struct store *store, const struct staged *staged)
{
	struct key key = key_staged(staged->org, staged->uid);
	struct kv_txn *txn;
	int r = store_writing(store, &txn);

	if (r < 0) {
		return r;
	}
	kv_delete(txn, KV_STAGED, key_slice(&key));
	uncount_staged(store, staged);
	touch(store, guards_slot(&store->guards, staged->org));
	return 0;
}

int store_end_staged(struct store *store, uint32_t org)
{
	struct guard_slot *slot = guards_slot(&store->guards, org);
	struct kv_txn *txn;
	int r = store_writing(store, &txn);

	memset(slot->row.guard.n_decided, 0, sizeof(slot->row.guard.n_decided));
	touch(store, slot);
	return r;
}

/* Whether what was asked can still be done to the account. */
static bool staged_fits(const struct staged *staged, const struct facts *facts)
{
	if (staged->event != EVENT_PURGED) {
		return facts->deleted_at == INSTANT_NONE;
	}
	return facts->deleted_at != INSTANT_NONE && facts->removal_started_at == INSTANT_NONE;
}

int store_outdate_staged(struct store *store, const struct account *account)
{
	struct staged staged;
	int r = store_get_staged(store, account, &staged);

	if (r == 0 && !staged_fits(&staged, &account->facts)) {
		return store_drop_staged(store, &staged);
	}
	return r < 0 ? r : 0;
}

/* The entry that is the last one now says so; what is decided is carried out by and by. */
static void note_decision(struct store *store, struct guard_slot *slot, bool discards, bool owed)
{
	slot->row.decided_seq = store->head.seq;
	slot->row.discards = discards;
	slot->row.discards_owed = owed;
	slot->row.released_at = INSTANT_NONE;
	touch(store, slot);
}

int store_release_guard(struct store *store, uint32_t org, uint64_t n_due,
			const struct actor *actor)
{
	struct guard_slot *slot = guards_slot(&store->guards, org);
	uint64_t count = guard_n_staged(&slot->row.guard) + n_due;
	int r = note_guard(store, org, EVENT_GUARD_RELEASED, count, actor);

	guard_release(&slot->row.guard, &store_org(store, org)->policy, n_due, actor->at);
	note_decision(store, slot, false, false);
	if (n_due > 0) {
		slot->row.released_at = actor->at;
	}
	return r;
}

int store_discard_guard(struct store *store, uint32_t org, bool owed, const struct actor *actor)
{
	struct guard_slot *slot = guards_slot(&store->guards, org);
	struct mass_guard *guard = &slot->row.guard;
	uint64_t count = guard_n_staged(guard) - (owed ? 0 : guard_n_owed(guard));
	int r = note_guard(store, org, EVENT_GUARD_DISCARDED, count, actor);

	guard_discard(guard, owed);
	note_decision(store, slot, true, owed);
	return r;
}
