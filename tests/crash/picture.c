/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/crash/picture.h"

#include <sodium.h>

#include "daemon/store/inside.h"
#include "daemon/store/staged.h"

/* Tables whose rows are there as soon as they are committed; of accounts the overlay has a part. */
static const enum kv_table tables[] = {
	KV_ORGS,  KV_LEDGER, KV_PROFILES, KV_NOTES,   KV_KEEPERS,     KV_TASKS,
	KV_HOLDS, KV_STAGED, KV_REQUESTS, KV_ANSWERS, KV_ANSWERS_DUE,
};

static void add(crypto_generichash_state *state, const void *bytes, size_t len)
{
	uint8_t prefix[8];

	store_be64(prefix, len);
	(void)crypto_generichash_update(state, prefix, sizeof(prefix));
	(void)crypto_generichash_update(state, bytes, len);
}

static void add_table(crypto_generichash_state *state, struct kv_txn *txn, enum kv_table table)
{
	cleanup(kv_cursor_closep) struct kv_cursor *cursor = NULL;
	struct slice key, value;
	uint64_t n = 0;
	int r = kv_cursor_open(txn, table, &cursor);

	if (r == 0) {
		r = kv_cursor_seek(cursor, (struct slice){0}, &key, &value);
	}
	for (; r == 0; n++) {
		add(state, key.data, key.len);
		add(state, value.data, value.len);
		r = kv_cursor_next(cursor, &key, &value);
	}
	assert(r == KV_E_NONE);
	add(state, &n, sizeof(n));
}

static void add_accounts(crypto_generichash_state *state, struct store *store,
			 struct picture *picture)
{
	uint8_t bytes[ROWS_ACCOUNT_LEN];
	struct account account;
	uint64_t uid = 0;
	int r;

	while ((r = store_next_account(store, &uid, &account)) == 0) {
		size_t len = rows_encode_account(&account, bytes);

		assert(uid <= PICTURE_UIDS_MAX);
		add(state, &uid, sizeof(uid));
		add(state, bytes, len);
		(void)crypto_generichash(picture->rows[uid], PICTURE_HASH_LEN, bytes, len, NULL, 0);
		picture->removing[uid] = account.facts.removal_started_at != INSTANT_NONE;
		picture->removed[uid] = account.facts.removed_at != INSTANT_NONE;
	}
	assert(r == STORE_E_NONE);
}

/* As they are in memory: a row on the disk may be older, and the ledger tells the rest. */
static void add_guards(crypto_generichash_state *state, const struct store *store)
{
	uint8_t bytes[ROWS_GUARD_LEN_MAX];

	for (uint32_t org = 1; org <= store->guards.n; org++) {
		struct guard_row row = *store_guard(store, org);

		row.seq = UINT64_MAX; /* when it was written last says nothing */
		add(state, bytes, rows_encode_guard(&row, bytes));
	}
}

void picture_take(struct engine *engine, struct picture *ret_picture)
{
	struct store *store = engine->store;
	crypto_generichash_state state;
	struct kv_txn *txn;
	int r = store_reading(store, &txn);

	assert(r == 0);
	memset(ret_picture, 0, sizeof(*ret_picture));
	ret_picture->now = engine->now;
	ret_picture->head = *store_head(store);
	ret_picture->n_uids = store_n_uids(store);
	(void)crypto_generichash_init(&state, NULL, 0, PICTURE_HASH_LEN);
	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		add_table(&state, txn, tables[i]);
	}
	add_accounts(&state, store, ret_picture);
	add_guards(&state, store);
	add(&state, store_counts(store), sizeof(struct store_counts));
	add(&state, &ret_picture->n_uids, sizeof(ret_picture->n_uids));
	add(&state, signer_public_key(engine->signer), SIGNER_PUBLIC_LEN);
	(void)crypto_generichash_final(&state, ret_picture->whole, PICTURE_HASH_LEN);
	store_end_turn(store);
}
