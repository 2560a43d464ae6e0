/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "daemon/store/inside.h"

#include "tests/support/storeroom.h"
#include "tests/support/temp.h"

/* Opening: what is made, what is refused, and what the refusal tells the administrator to do. */

static struct storeroom room;
static uint32_t org;

static void set_up(void)
{
	storeroom_open(&room, STOREROOM_MAP_BYTES);
	org = storeroom_put_org(&room, "fabrikam");
	(void)storeroom_import(&room, org, "g-1", "g-1@home.example", "g-1@home.example");
	storeroom_settle(&room);
}

static void tear_down(void)
{
	storeroom_close(&room);
}

TestSuite(store_open, .init = set_up, .fini = tear_down);

static bool fault_says(const char *part)
{
	return strstr(store_fault(), part) && strstr(store_fault(), room.directory);
}

static bool exists(const char *name)
{
	cleanup(freep) char *path = temp_path_new(room.directory, name);

	return access(path, F_OK) == 0;
}

static mode_t mode_of(const char *path)
{
	struct stat info;

	cr_assert_eq(stat(path, &info), 0);
	return info.st_mode & 0777;
}

/* One change to the tables of the closed store, as no command makes it. */
static struct kv_txn *tamper_begin(struct kv **ret_kv)
{
	cleanup(freep) char *place = temp_path_new(room.directory, "store");
	struct kv_txn *txn;

	room.store = store_close(room.store);
	cr_assert_eq(kv_open(place, room.map_bytes, false, ret_kv), 0);
	cr_assert_eq(kv_begin(*ret_kv, true, &txn), 0);
	return txn;
}

static void tamper_end(struct kv *kv, struct kv_txn *txn)
{
	cr_assert_eq(kv_commit(txn), 0);
	(void)kv_close(kv);
}

static void tamper(enum kv_table table, struct slice key, struct slice value)
{
	struct kv *kv;
	struct kv_txn *txn = tamper_begin(&kv);

	kv_put(txn, table, key, value);
	tamper_end(kv, txn);
}

Test(store_open, files_are_the_daemons_alone)
{
	cleanup(freep) char *store = temp_path_new(room.directory, "store");
	cleanup(freep) char *data = storeroom_path(&room, "data.mdb");
	cleanup(freep) char *vault = storeroom_path(&room, "vault");

	cr_assert_eq(mode_of(store), 0700);
	cr_assert_eq(mode_of(data), 0600);
	cr_assert_eq(mode_of(vault), 0600);
}

Test(store_open, a_directory_that_is_not_there_is_the_machines_failure)
{
	struct store_options options = {.directory = "/nonexistent/retentiond"};
	struct store *store;

	cr_assert_eq(store_open(&options, room.now, &store), -ENOENT);
}

Test(store_open, an_instance_keeps_its_id)
{
	char instance[2 * VAULT_INSTANCE_LEN + 1];

	(void)strcpy(instance, store_instance(room.store));
	storeroom_reopen(&room);
	cr_assert_str_eq(store_instance(room.store), instance);
}

Test(store_open, two_stores_have_different_ids)
{
	struct storeroom other;

	storeroom_open(&other, STOREROOM_MAP_BYTES);
	cr_assert_str_neq(store_instance(other.store), store_instance(room.store));
	storeroom_close(&other);
}

Test(store_open, a_second_open_is_refused_while_the_first_is_open)
{
	struct store_options options = {.directory = room.directory, .map_bytes = room.map_bytes};
	struct store *second;

	cr_assert_eq(store_open(&options, room.now, &second), STORE_E_LOCKED);
	cr_assert(fault_says("another retentiond has the store"));
	storeroom_reopen(&room);
}

Test(store_open, a_leftover_of_a_crash_while_creating_is_thrown_away)
{
	cleanup(freep) char *store = temp_path_new(room.directory, "store");
	cleanup(freep) char *leftover = temp_path_new(room.directory, "store.new");
	cleanup(freep) char *data = temp_path_new(leftover, "data.mdb");
	cleanup(freep) char *vault = temp_path_new(leftover, "vault");
	cleanup(freep) char *aside = temp_path_new(room.directory, "aside");
	cleanup(freep) char *removals = temp_path_new(room.directory, "register");

	room.store = store_close(room.store);
	cr_assert_eq(rename(store, aside), 0);
	cr_assert_eq(unlink(removals), 0); /* it is begun once the store is in its place */
	cr_assert_eq(mkdir(leftover, 0700), 0);
	temp_file_write(data, SLICE_LITERAL("half"));
	temp_file_write(vault, SLICE_LITERAL("half"));
	storeroom_reopen(&room);
	cr_assert_eq(store_head(room.store)->seq, 1);
	cr_assert_not(exists("store.new"));
}

Test(store_open, a_leftover_beside_a_whole_store_does_not_replace_it)
{
	cleanup(freep) char *leftover = temp_path_new(room.directory, "store.new");

	cr_assert_eq(mkdir(leftover, 0700), 0);
	storeroom_reopen(&room);
	cr_assert_eq(storeroom_get(&room, 1).org, org);
}

Test(store_open, a_data_file_of_zeros_is_refused)
{
	cleanup(freep) char *data = storeroom_path(&room, "data.mdb");
	struct slice bytes;

	room.store = store_close(room.store);
	bytes = temp_file_read(data);
	memset((void *)bytes.data, 0, bytes.len);
	temp_file_write(data, bytes);
	free((void *)bytes.data);
	cr_assert_eq(storeroom_try_reopen(&room), STORE_E_CORRUPT);
	cr_assert(fault_says("restore a backup"));
}

Test(store_open, an_empty_data_file_is_refused_and_not_made_anew)
{
	cleanup(freep) char *data = storeroom_path(&room, "data.mdb");
	struct stat info;

	room.store = store_close(room.store);
	temp_file_write(data, SLICE_LITERAL(""));
	cr_assert_eq(storeroom_try_reopen(&room), STORE_E_CORRUPT);
	cr_assert(fault_says("restore a backup"));
	cr_assert_eq(stat(data, &info), 0);
	cr_assert_eq(info.st_size, 0);
}

Test(store_open, a_missing_data_file_is_refused)
{
	cleanup(freep) char *data = storeroom_path(&room, "data.mdb");

	room.store = store_close(room.store);
	cr_assert_eq(unlink(data), 0);
	cr_assert_eq(storeroom_try_reopen(&room), STORE_E_CORRUPT);
	cr_assert(fault_says("restore a backup"));
}

Test(store_open, a_data_file_cut_short_is_refused_wherever_it_is_cut)
{
	cleanup(freep) char *data = storeroom_path(&room, "data.mdb");
	struct slice bytes;

	room.store = store_close(room.store);
	bytes = temp_file_read(data);
	for (size_t len = 4096; len < 10 * 4096; len += 4096) {
		temp_file_write(data, (struct slice){bytes.data, len});
		cr_assert_eq(storeroom_try_reopen(&room), STORE_E_CORRUPT);
		cr_assert(fault_says("restore a backup"));
	}
	temp_file_write(data, bytes);
	free((void *)bytes.data);
	storeroom_reopen(&room);
}

/* Damage of any page is an answer, not the end of the daemon. */
Test(store_open, a_page_of_rubbish_ends_no_process_but_the_check)
{
	cleanup(freep) char *data = storeroom_path(&room, "data.mdb");
	struct slice bytes;
	int n_refused = 0;

	room.store = store_close(room.store);
	bytes = temp_file_read(data);
	for (size_t page = 2; page < 24 && (page + 1) * 4096 <= bytes.len; ++page) {
		char kept[4096];
		int r;

		memcpy(kept, bytes.data + page * 4096, sizeof(kept));
		memset((char *)bytes.data + page * 4096, 0xa5, sizeof(kept));
		temp_file_write(data, bytes);
		r = storeroom_try_reopen(&room);
		cr_assert(r == 0 || r == STORE_E_CORRUPT); /* 0: the page was free */
		n_refused += r != 0;
		room.store = store_close(room.store);
		memcpy((char *)bytes.data + page * 4096, kept, sizeof(kept));
	}
	free((void *)bytes.data);
	cr_assert_gt(n_refused, 4);
}

Test(store_open, a_store_of_something_else_is_refused)
{
	tamper(KV_META, SLICE_LITERAL("identity"), SLICE_LITERAL("another program's"));
	cr_assert_eq(storeroom_try_reopen(&room), STORE_E_CORRUPT);
	cr_assert(fault_says("is not a store of retentiond"));
	cr_assert(fault_says("move it away to begin anew"));
}

Test(store_open, a_store_without_an_identity_is_refused)
{
	struct kv *kv;
	struct kv_txn *txn = tamper_begin(&kv);

	kv_delete(txn, KV_META, SLICE_LITERAL("identity"));
	tamper_end(kv, txn);
	cr_assert_eq(storeroom_try_reopen(&room), STORE_E_CORRUPT);
}

Test(store_open, a_store_of_a_newer_version_is_refused_by_its_name)
{
	uint8_t identity[4 + VAULT_INSTANCE_LEN] = {0, 0, 0, STORE_FORMAT + 1};

	tamper(KV_META, SLICE_LITERAL("identity"),
	       (struct slice){(const char *)identity, sizeof(identity)});
	cr_assert_eq(storeroom_try_reopen(&room), STORE_E_NEWER);
	cr_assert(fault_says("newer retentiond; install that version"));
}

Test(store_open, a_state_that_cannot_be_read_is_refused)
{
	tamper(KV_META, SLICE_LITERAL("state"), SLICE_LITERAL("\1"));
	cr_assert_eq(storeroom_try_reopen(&room), STORE_E_CORRUPT);
	cr_assert(fault_says("restore a backup"));
}

static void expect_state_refused(const struct state *state)
{
	struct kv *kv;
	struct kv_txn *txn = tamper_begin(&kv);

	store_put_state(txn, state, 0);
	tamper_end(kv, txn);
	cr_assert_eq(storeroom_try_reopen(&room), STORE_E_CORRUPT);
	cr_assert(fault_says("restore a backup"));
}

Test(store_open, a_state_ahead_of_its_ledger_is_refused)
{
	struct state state = room.store->state;
	uint64_t seq = room.store->head.seq;

	state.settled_seq = seq + 1;
	expect_state_refused(&state);
	state.settled_seq = seq;
	state.next_request = seq + 1;
	expect_state_refused(&state);
}

/* The vault has no slot for them, nor the register a record. */
Test(store_open, a_state_of_more_accounts_than_can_be_is_refused)
{
	struct state state = room.store->state;

	state.next_uid = VAULT_UID_MAX + 2;
	expect_state_refused(&state);
	state.next_uid = 0;
	expect_state_refused(&state);
}

Test(store_open, a_chain_that_is_broken_near_its_end_is_refused)
{
	struct key key = key_u64(2);
	uint8_t bytes[ROWS_ENTRY_LEN_MAX];
	struct entry entry;

	cr_assert_eq(store_get_entry(room.store, 2, &entry, NULL), 0);
	entry.at += 1;
	tamper(KV_LEDGER, key_slice(&key),
	       (struct slice){(const char *)bytes, rows_encode_entry(&entry, bytes)});
	cr_assert_eq(storeroom_try_reopen(&room), STORE_E_CORRUPT);
	cr_assert(fault_says(
		"is damaged: ledger entry 2 cannot be read, or is not what was written"));
	cr_assert(fault_says("restore a backup"));
}

/* However many entries a start replays, it has proven them. */
Test(store_open, an_entry_that_is_replayed_is_proven_however_far_from_the_end_it_is)
{
	uint64_t seq = room.store->head.seq + 1;
	struct account account = storeroom_get(&room, 1);
	struct key key = key_u64(seq);
	uint8_t bytes[ROWS_ENTRY_LEN_MAX];
	struct entry entry;

	for (int i = 0; i < 600; i++) {
		storeroom_step(&room, &account, LIFECYCLE_DISABLE);
		storeroom_step(&room, &account, LIFECYCLE_ENABLE);
	}
	storeroom_commit(&room);
	cr_assert_lt(room.store->state.settled_seq, seq);
	cr_assert_eq(store_get_entry(room.store, seq, &entry, NULL), 0);
	entry.actor_uid += 1;
	tamper(KV_LEDGER, key_slice(&key),
	       (struct slice){(const char *)bytes, rows_encode_entry(&entry, bytes)});
	cr_assert_eq(storeroom_try_reopen(&room), STORE_E_CORRUPT);
	cr_assert(fault_says("is damaged: ledger entry"));
}

/* No other entry carries its hash, and who did it is nowhere but in it. */
static void tamper_last_entry(void)
{
	uint64_t seq = room.store->head.seq;
	struct key key = key_u64(seq);
	uint8_t bytes[ROWS_ENTRY_LEN_MAX];
	struct entry entry;

	cr_assert_eq(store_get_entry(room.store, seq, &entry, NULL), 0);
	entry.actor_uid += 1;
	tamper(KV_LEDGER, key_slice(&key),
	       (struct slice){(const char *)bytes, rows_encode_entry(&entry, bytes)});
}

Test(store_open, a_last_entry_that_was_changed_is_refused)
{
	tamper_last_entry();
	cr_assert_eq(storeroom_try_reopen(&room), STORE_E_CORRUPT);
	cr_assert(fault_says("is damaged: the last entry of the ledger cannot be read, or is not "
			     "what was written"));
}

Test(store_open, a_last_entry_that_is_missing_is_refused)
{
	struct key key = key_u64(room.store->head.seq);
	struct kv *kv;
	struct kv_txn *txn = tamper_begin(&kv);
	struct state state;

	cr_assert_eq(store_load_state(txn, &state), 0);
	state.settled_seq = 1; /* so that nothing else knows of it */
	store_put_state(txn, &state, 0);
	kv_delete(txn, KV_LEDGER, key_slice(&key));
	tamper_end(kv, txn);
	cr_assert_eq(storeroom_try_reopen(&room), STORE_E_CORRUPT);
	cr_assert(fault_says("the last entry of the ledger"));
}

Test(store_open, a_store_of_before_is_taken_and_tells_its_last_entry_from_then_on)
{
	struct kv *kv;
	struct kv_txn *txn = tamper_begin(&kv);
	struct account account;

	kv_delete(txn, KV_META, SLICE_LITERAL("head"));
	tamper_end(kv, txn);
	cr_assert_eq(storeroom_try_reopen(&room), 0);
	account = storeroom_get(&room, 1);
	storeroom_step(&room, &account, LIFECYCLE_DISABLE);
	storeroom_commit(&room);
	tamper_last_entry();
	cr_assert_eq(storeroom_try_reopen(&room), STORE_E_CORRUPT);
}

Test(store_open, a_row_near_the_newest_that_cannot_be_read_is_named)
{
	struct key key = key_u64(1);

	tamper(KV_ACCOUNTS, key_slice(&key), SLICE_LITERAL("rubbish"));
	cr_assert_eq(storeroom_try_reopen(&room), STORE_E_CORRUPT);
	cr_assert(fault_says("is damaged: the row of account uid 1 cannot be read"));
	cr_assert(fault_says("restore a backup, and what was removed since is removed again"));
}

/* No import could be put behind it. */
Test(store_open, a_profile_of_an_account_to_come_is_refused)
{
	struct key key = key_u64(UINT64_MAX);

	tamper(KV_PROFILES, key_slice(&key), SLICE_LITERAL("rubbish"));
	cr_assert_eq(storeroom_try_reopen(&room), STORE_E_CORRUPT);
	cr_assert(fault_says("is damaged: the newest profile cannot be read"));
}

Test(store_open, a_gap_near_the_ledgers_end_is_refused)
{
	struct key key = key_u64(2);
	struct kv *kv;
	struct kv_txn *txn = tamper_begin(&kv);

	kv_delete(txn, KV_LEDGER, key_slice(&key));
	tamper_end(kv, txn);
	cr_assert_eq(storeroom_try_reopen(&room), STORE_E_CORRUPT);
}

Test(store_open, a_tail_that_leads_nowhere_is_refused)
{
	struct key key = key_u64(1);
	struct account account = storeroom_get(&room, 1);
	struct kv *kv;
	struct kv_txn *txn;

	storeroom_step(&room, &account, LIFECYCLE_DISABLE);
	storeroom_commit(&room);
	txn = tamper_begin(&kv);
	kv_delete(txn, KV_ACCOUNTS, key_slice(&key));
	tamper_end(kv, txn);
	cr_assert_eq(storeroom_try_reopen(&room), STORE_E_CORRUPT);
	cr_assert(fault_says("the ledger in"));
	cr_assert(fault_says("cannot be replayed; restore a backup"));
}

Test(store_open, a_missing_vault_is_refused)
{
	cleanup(freep) char *vault = storeroom_path(&room, "vault");

	room.store = store_close(room.store);
	cr_assert_eq(unlink(vault), 0);
	cr_assert_eq(storeroom_try_reopen(&room), STORE_E_CORRUPT);
	cr_assert(fault_says("is missing or damaged"));
	cr_assert(fault_says("restore a backup"));
}

Test(store_open, a_vault_with_a_damaged_header_is_refused)
{
	cleanup(freep) char *vault = storeroom_path(&room, "vault");

	room.store = store_close(room.store);
	temp_file_flip(vault, 40, 1);
	cr_assert_eq(storeroom_try_reopen(&room), STORE_E_CORRUPT);
	cr_assert(fault_says("is missing or damaged"));
}

Test(store_open, the_vault_of_another_store_is_refused)
{
	cleanup(freep) char *vault = storeroom_path(&room, "vault");
	cleanup(freep) char *foreign = NULL;
	struct storeroom other;
	struct slice bytes;

	storeroom_open(&other, STOREROOM_MAP_BYTES);
	foreign = storeroom_path(&other, "vault");
	bytes = temp_file_read(foreign);
	room.store = store_close(room.store);
	temp_file_write(vault, bytes);
	free((void *)bytes.data);
	storeroom_close(&other);
	cr_assert_eq(storeroom_try_reopen(&room), STORE_E_CORRUPT);
	cr_assert(fault_says("belongs to another store"));
	cr_assert(fault_says("put the one of this store in its place"));
}

Test(store_open, a_refused_store_can_be_opened_once_it_is_mended)
{
	cleanup(freep) char *vault = storeroom_path(&room, "vault");

	room.store = store_close(room.store);
	temp_file_flip(vault, 40, 1);
	cr_assert_eq(storeroom_try_reopen(&room), STORE_E_CORRUPT);
	temp_file_flip(vault, 40, 1);
	storeroom_reopen(&room);
	cr_assert_str_eq(store_fault(), "");
}

/* As after a kill, when the newest accounts stand in the journal alone. */
Test(store_open, a_map_that_is_too_small_for_the_journal_is_no_damage)
{
	cleanup(freep) char *data_path = storeroom_path(&room, "data.mdb");
	cleanup(freep) char *journal_path = storeroom_path(&room, "journal");
	static char answer[10000];
	struct slice data, journal;

	for (uint8_t key[ROWS_HASH_LEN] = {1}; key[0] < 40; key[0]++) {
		cr_assert_eq(store_put_answer(room.store, 1000, key, room.now,
					      (struct slice){answer, sizeof(answer)}),
			     0);
		storeroom_commit(&room);
	}
	data = temp_file_read(data_path);
	journal = temp_file_read(journal_path);
	room.store = store_close(room.store);
	temp_file_write(data_path, data);
	temp_file_write(journal_path, journal);
	room.map_bytes = 64 * 4096;
	cr_assert_eq(storeroom_try_reopen(&room), -ENOSPC);
	cr_assert(fault_says("map_size is too small"));
	room.map_bytes = STOREROOM_MAP_BYTES;
	storeroom_reopen(&room);
	free((void *)(uintptr_t)data.data);
	free((void *)(uintptr_t)journal.data);
}

Test(store_open, a_larger_map_takes_effect_at_the_next_start)
{
	struct kv_usage usage;
	uint64_t reserve;

	room.map_bytes = 2 * STOREROOM_MAP_BYTES;
	storeroom_reopen(&room);
	cr_assert_eq(store_usage(room.store, &usage, &reserve), 0);
	cr_assert_eq(usage.map_bytes, 2 * STOREROOM_MAP_BYTES);
}
