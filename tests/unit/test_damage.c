/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <lmdb.h>
#include <stdio.h>

#include "daemon/store/index.h"
#include "daemon/store/prove.h"
#include "daemon/store/store.h"

#include "tests/support/storeroom.h"
#include "tests/support/temp.h"

/*
 * Rows and index entries that are not what was written. A start looks at the newest rows only, so
 * the accounts here are older than those.
 */

#define NEWEST_ROWS 1000
#define N_ACCOUNTS  20

static struct storeroom room;
static uint32_t org;

static void set_up(void)
{
	storeroom_open(&room, STOREROOM_MAP_BYTES);
	org = storeroom_put_org(&room, "fabrikam");
	for (int i = 1; i <= N_ACCOUNTS + NEWEST_ROWS; ++i) {
		char id[32], person[64];

		(void)snprintf(id, sizeof(id), "g-%d", i);
		(void)snprintf(person, sizeof(person), "g-%d@home.example", i);
		(void)storeroom_import(&room, org, id, person, person);
	}
	for (uint64_t uid = 1; uid <= N_ACCOUNTS; ++uid) {
		struct account account = storeroom_get(&room, uid);

		storeroom_step(&room, &account, LIFECYCLE_REMOVE);
		room.now += 1;
	}
	storeroom_settle(&room);
}

static void tear_down(void)
{
	storeroom_close(&room);
}

TestSuite(damage, .init = set_up, .fini = tear_down);

static void tamper(enum kv_table table, struct slice key, struct slice value)
{
	cleanup(freep) char *place = temp_path_new(room.directory, "store");
	struct kv_txn *txn;
	struct kv *kv;

	room.store = store_close(room.store);
	cr_assert_eq(kv_open(place, room.map_bytes, false, &kv), 0);
	cr_assert_eq(kv_begin(kv, true, &txn), 0);
	kv_put(txn, table, key, value);
	cr_assert_eq(kv_commit(txn), 0);
	(void)kv_close(kv);
	storeroom_reopen(&room);
}

static void tamper_row(uint64_t uid, struct slice row)
{
	struct key key = key_u64(uid);

	tamper(KV_ACCOUNTS, key_slice(&key), row);
}

static void tamper_account(const struct account *account)
{
	uint8_t row[ROWS_ACCOUNT_LEN];

	tamper_row(account->uid,
		   (struct slice){(const char *)row, rows_encode_account(account, row)});
}

static int find(uint64_t i, struct account *ret_account)
{
	char id[32];

	(void)snprintf(id, sizeof(id), "g-%llu", (unsigned long long)i);
	return store_find_by_id(room.store, org, slice_of(id), ret_account);
}

/* What a walk through the due index finds: how many rows, and how many damaged ones. */
static uint32_t walk_due(uint32_t *ret_n_damaged)
{
	struct due_position position = {0};
	struct account account;
	uint32_t n = 0, n_damaged = 0;
	int r;

	while ((r = store_next_due(room.store, &position, &account)) != STORE_E_NONE) {
		cr_assert(r == 0 || r == STORE_E_CORRUPT);
		n += r == 0;
		n_damaged += r == STORE_E_CORRUPT;
		cr_assert_leq(n + n_damaged, 2 * N_ACCOUNTS);
	}
	*ret_n_damaged = n_damaged;
	return n;
}

Test(damage, a_row_that_cannot_be_read_is_told_and_passed_over)
{
	struct account account;
	uint32_t n_damaged;

	tamper_row(7, SLICE_LITERAL("rubbish"));
	cr_assert_eq(store_get_account(room.store, 7, &account), STORE_E_CORRUPT);
	cr_assert_eq(find(7, &account), STORE_E_CORRUPT);
	cr_assert_eq(walk_due(&n_damaged), N_ACCOUNTS - 1);
	cr_assert_eq(n_damaged, 1);
}

Test(damage, every_other_account_is_found_beside_a_damaged_one)
{
	struct account account;

	tamper_row(7, SLICE_LITERAL("rubbish"));
	for (uint64_t uid = 1; uid <= N_ACCOUNTS + NEWEST_ROWS; ++uid) {
		cr_assert_eq(find(uid, &account), uid == 7 ? STORE_E_CORRUPT : 0);
	}
	for (uint64_t uid = 2000; uid < 2000 + NEWEST_ROWS; ++uid) {
		cr_assert_eq(find(uid, &account), STORE_E_NONE);
	}
}

Test(damage, the_walks_by_uid_and_by_organization_go_on_behind_a_damaged_row)
{
	struct org_position position = {0};
	struct account account;
	uint64_t uid = 0;
	uint32_t n = 0;

	tamper_row(7, SLICE_LITERAL("rubbish"));
	while (store_next_account(room.store, &uid, &account) != STORE_E_NONE) {
		++n;
	}
	cr_assert_eq(n, N_ACCOUNTS + NEWEST_ROWS);
	for (n = 0; store_next_of_org(room.store, org, &position, &account) != STORE_E_NONE;) {
		++n;
	}
	cr_assert_eq(n, N_ACCOUNTS + NEWEST_ROWS);
}

Test(damage, a_row_of_an_organization_that_is_not_there_is_refused)
{
	struct account account = storeroom_get(&room, 7);

	account.org = org + 1;
	tamper_account(&account);
	cr_assert_eq(store_get_account(room.store, 7, &account), STORE_E_CORRUPT);
}

/* The next change would be linked to it, which ended the daemon. */
Test(damage, a_row_that_stems_from_an_entry_that_is_not_there_is_refused)
{
	struct account account = storeroom_get(&room, 7);

	account.last_seq = store_head(room.store)->seq;
	tamper_account(&account);
	cr_assert_eq(store_get_account(room.store, 7, &account), 0);
	account.last_seq++;
	tamper_account(&account);
	cr_assert_eq(store_get_account(room.store, 7, &account), STORE_E_CORRUPT);
}

/* To decide it would be to write a row that no decoder takes, which ended the daemon. */
Test(damage, a_request_that_an_entry_filed_that_is_not_there_is_refused)
{
	uint8_t row[ROWS_REQUEST_LEN];
	struct key key = key_u64(1);
	struct removal_request request = {
		.number = 1,
		.state = REQUEST_STATE_OPEN,
		.org = org,
		.uid = 7,
		.decided_at = INSTANT_NONE,
		.filed_seq = store_head(room.store)->seq,
	};

	for (int behind = 0; behind <= 1; behind++, request.filed_seq++) {
		tamper(KV_REQUESTS, key_slice(&key),
		       (struct slice){(const char *)row, rows_encode_request(&request, row)});
		cr_assert_eq(store_get_request(room.store, 1, &request),
			     behind ? STORE_E_CORRUPT : 0);
	}
}

Test(damage, an_index_entry_that_leads_to_another_account_is_refused)
{
	struct account mine = storeroom_get(&room, 7), other = storeroom_get(&room, 8), found;

	/* The row of uid 7 becomes that of somebody else: it is not found under the old name. */
	memcpy(mine.hash_id, other.hash_id, ROWS_HASH_LEN);
	tamper_account(&mine);
	cr_assert_eq(find(7, &found), STORE_E_CORRUPT);
	cr_assert_eq(find(8, &found), 0);
	cr_assert_eq(found.uid, 8);
}

Test(damage, an_index_entry_of_an_account_that_is_not_due_is_refused)
{
	struct key key = key_due(room.now, N_ACCOUNTS + 1);
	uint32_t n_damaged;

	tamper(KV_DUE, key_slice(&key), (struct slice){0});
	cr_assert_eq(walk_due(&n_damaged), N_ACCOUNTS);
	cr_assert_eq(n_damaged, 1);
}

Test(damage, an_index_entry_without_its_row_is_refused)
{
	struct key key = key_due(room.now, 999999);
	uint32_t n_damaged;

	tamper(KV_DUE, key_slice(&key), (struct slice){0});
	cr_assert_eq(walk_due(&n_damaged), N_ACCOUNTS);
	cr_assert_eq(n_damaged, 1);
}

Test(damage, an_index_key_of_another_length_hides_nothing_behind_it)
{
	static const struct slice keys[] = {
		SLICE_LITERAL("\0"), SLICE_LITERAL("\0\0\0\0\0\0\0\0\0\0\0\1"),
		SLICE_LITERAL("\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\1\0\0\0\1")};
	uint32_t n_damaged;

	for (size_t i = 0; i < ARRAY_LEN(keys); ++i) {
		tamper(KV_DUE, keys[i], (struct slice){0});
		cr_assert_eq(walk_due(&n_damaged), N_ACCOUNTS);
		cr_assert_eq(n_damaged, 0);
	}
}

/* LMDB takes keys of up to 511 bytes; no table of ours has one. */
static void tamper_long_key(const char *table, uint64_t uid, size_t len)
{
	cleanup(freep) char *place = temp_path_new(room.directory, "store");
	uint8_t bytes[511];
	MDB_val key = {len, bytes}, value = {4, bytes};
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;

	memset(bytes, 0xff, sizeof(bytes));
	store_be64(bytes, uid);
	room.store = store_close(room.store);
	cr_assert_eq(mdb_env_create(&env), 0);
	cr_assert_eq(mdb_env_set_mapsize(env, room.map_bytes), 0);
	cr_assert_eq(mdb_env_set_maxdbs(env, _KV_TABLE_MAX), 0);
	cr_assert_eq(mdb_env_open(env, place, 0, 0600), 0);
	cr_assert_eq(mdb_txn_begin(env, NULL, 0, &txn), 0);
	cr_assert_eq(mdb_dbi_open(txn, table, 0, &dbi), 0);
	cr_assert_eq(mdb_put(txn, dbi, &key, &value, 0), 0);
	cr_assert_eq(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
	storeroom_reopen(&room);
}

Test(damage, a_key_longer_than_any_of_ours_stops_no_removal)
{
	struct account account = storeroom_get(&room, 7);

	tamper_long_key("notes", 7, 511);
	tamper_long_key("holds", 7, 65);
	storeroom_step(&room, &account, LIFECYCLE_PURGE);
	storeroom_commit(&room);
	storeroom_step(&room, &account, LIFECYCLE_COMPLETE_REMOVAL);
	storeroom_commit(&room);
	cr_assert_eq(storeroom_get(&room, 7).facts.removed_at, room.now);
}

/* The fault that a proof of all parts ends at, or NULL. */
static const char *prove(void)
{
	struct store_place place = {0};
	struct store_proof proof;

	do {
		cr_assert_eq(store_prove(room.store, &place, 1000, &proof), 0);
		cr_assert_leq(place.key.len, INDEX_KEY_LEN_MAX);
	} while (proof.more && !proof.fault);
	return proof.fault;
}

Test(damage, an_index_key_longer_than_any_of_ours_is_found)
{
	cr_assert_null(prove());
	tamper_long_key("by-person", 7, INDEX_KEY_LEN_MAX + 1);
	cr_assert_str_eq(prove(), "an index has a key that cannot be");
	tamper_long_key("by-id", 7, 511);
	cr_assert_str_eq(prove(), "an index has a key that cannot be");
}

Test(damage, index_keys_that_are_no_instants_are_told_once_at_the_end)
{
	uint32_t n_damaged;

	for (uint64_t uid = 1; uid <= 3; ++uid) {
		struct key key = {0};

		key_add_u64(&key, UINT64_MAX - 3 + uid);
		key_add_u64(&key, uid == 3 ? UINT64_MAX : uid);
		tamper(KV_DUE, key_slice(&key), (struct slice){0});
	}
	cr_assert_eq(walk_due(&n_damaged), N_ACCOUNTS);
	cr_assert_eq(n_damaged, 1);
}

Test(damage, a_profile_that_is_not_what_was_sealed_is_refused)
{
	static uint8_t buffer[MODEL_PROFILE_BYTES_MAX];
	struct key key = key_u64(7);
	struct profile profile;
	char rubbish[80];

	memset(rubbish, 'x', sizeof(rubbish));
	for (size_t len = 0; len <= sizeof(rubbish); len += 20) {
		tamper(KV_PROFILES, key_slice(&key), (struct slice){rubbish, len});
		cr_assert_eq(store_get_profile(room.store, 7, buffer, &profile), STORE_E_CORRUPT);
	}
	cr_assert_eq(store_get_profile(room.store, 8, buffer, &profile), 0);
}

Test(damage, the_profile_of_another_account_is_refused)
{
	cleanup(freep) char *place = temp_path_new(room.directory, "store");
	static uint8_t buffer[MODEL_PROFILE_BYTES_MAX];
	struct key mine = key_u64(7), other = key_u64(8);
	struct profile profile;
	struct slice sealed;
	struct kv_txn *txn;
	struct kv *kv;
	char kept[1024];

	room.store = store_close(room.store);
	cr_assert_eq(kv_open(place, room.map_bytes, true, &kv), 0);
	cr_assert_eq(kv_begin(kv, false, &txn), 0);
	cr_assert_eq(kv_get(txn, KV_PROFILES, key_slice(&other), &sealed), 0);
	cr_assert_leq(sealed.len, sizeof(kept));
	memcpy(kept, sealed.data, sealed.len);
	sealed.data = kept;
	(void)kv_abort(txn);
	(void)kv_close(kv);
	tamper(KV_PROFILES, key_slice(&mine), sealed);
	cr_assert_eq(store_get_profile(room.store, 7, buffer, &profile), STORE_E_CORRUPT);
}
