/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/work/verify.h"

#include <criterion/criterion.h>

#include "daemon/store/schema.h"
#include "daemon/work/tombstones.h"

#include "tests/support/rig.h"
#include "tests/support/temp.h"

/*
 * Forgeries are made behind the store's back: it is closed and settled, and its tables are written
 * to with the means that it has itself.
 */

#define GUEST   1 /* a guest that stays */
#define REMOVED 2 /* and one whose removal is complete */

/* The entries that took them over. */
#define GUEST_SEQ   4
#define REMOVED_SEQ 5

static struct rig rig;

static void set_up(void)
{
	rig_open(&rig, CLOCK_MODE_SIMULATED);
	rig_set_org(&rig, "contoso");
	rig_set_org(&rig, "fabrikam");
	cr_assert_eq(rig_import(&rig, "contoso", "stays"), GUEST);
	cr_assert_eq(rig_import(&rig, "contoso", "goes"), REMOVED);
	rig_call(&rig, "account.remove", "{'accounts': [{'uid': 2}]}");
	rig_call(&rig, "account.purge", "{'accounts': [{'uid': 2}]}");
	rig_idle(&rig);
	rig_call(&rig, "request.file", "{'accounts': [{'uid': 1}]}");
}

static void tear_down(void)
{
	rig_close(&rig);
}

TestSuite(verify, .init = set_up, .fini = tear_down);

/* Opens the tables; close_tables() starts the daemon on what was made of them. */
static struct kv_txn *open_tables(struct kv **ret_kv)
{
	cleanup(freep) char *place = temp_path_new(rig.directory, "store");
	struct kv_txn *txn;

	rig_reopen(&rig);
	rig_kill(&rig);
	cr_assert_eq(kv_open(place, RIG_MAP_BYTES, false, ret_kv), 0);
	cr_assert_eq(kv_begin(*ret_kv, true, &txn), 0);
	return txn;
}

static void close_tables(struct kv *kv, struct kv_txn *txn)
{
	cr_assert_eq(kv_commit(txn), 0);
	(void)kv_close(kv);
	rig_start(&rig);
}

static void verify(void)
{
	rig_call(&rig, "ledger.verify", "{'limit': 1000}");
	cr_assert_not(rig.failed);
}

static void is_whole(void)
{
	verify();
	cr_assert(rig_true(&rig, "ok"));
	cr_assert_eq(rig_number(&rig, "to"), (int64_t)rig_head(&rig));
}

static void is_fault(uint64_t seq, const char *what)
{
	cleanup(freep) char *found = NULL;

	verify();
	cr_assert_not(rig_true(&rig, "ok"));
	found = rig_text(&rig, "fault.what");
	cr_assert_str_eq(found, what);
	cr_assert_eq(rig_number(&rig, "fault.seq"), (int64_t)seq);
}

/* An account's row, changed as a forger would. Return: its last entry before. */
static uint64_t forge_row(uint64_t uid, void (*change)(struct account *account))
{
	uint8_t bytes[ROWS_ACCOUNT_LEN];
	struct key key = key_u64(uid);
	struct account account;
	struct slice row;
	struct kv *kv;
	struct kv_txn *txn = open_tables(&kv);
	uint64_t last_seq;

	cr_assert_eq(kv_get(txn, KV_ACCOUNTS, key_slice(&key), &row), 0);
	cr_assert_eq(rows_decode_account(uid, row, &account), 0);
	last_seq = account.last_seq;
	change(&account);
	row = (struct slice){(const char *)bytes, rows_encode_account(&account, bytes)};
	kv_put(txn, KV_ACCOUNTS, key_slice(&key), row);
	close_tables(kv, txn);
	return last_seq;
}

static void drop_row(uint64_t uid)
{
	struct key key = key_u64(uid);
	struct kv *kv;
	struct kv_txn *txn = open_tables(&kv);

	kv_delete(txn, KV_ACCOUNTS, key_slice(&key));
	close_tables(kv, txn);
}

Test(verify, a_store_of_which_nobody_touched_anything_is_whole)
{
	is_whole();
	rig_reopen(&rig);
	is_whole();
	rig_call(&rig, "hold.add", "{'accounts': [{'uid': 1}], 'hold': 'h'}");
	rig_call(&rig, "account.disable", "{'accounts': [{'uid': 1}]}");
	rig_call(&rig, "account.remove", "{'accounts': [{'uid': 1}]}");
	is_whole();
	rig_restart(&rig);
	is_whole();
}

static void delete_it(struct account *account)
{
	account->facts.deleted_at = RIG_BEGIN;
	account->facts.window = account->facts.removal = SPAN_DAY;
}

static void enable_not(struct account *account)
{
	account->facts.enabled = false;
}

static void rename_id(struct account *account)
{
	account->hash_id[3] ^= 1;
}

static void rename_upn(struct account *account)
{
	account->hash_upn[0] ^= 1;
}

static void age(struct account *account)
{
	account->created_at -= SPAN_DAY;
}

static void move(struct account *account)
{
	account->org++;
}

static void withdraw(struct account *account)
{
	account->open_request = 0;
}

static void remove_later(struct account *account)
{
	account->facts.removed_at += 1;
}

static void beautify(struct account *account)
{
	account->facts.late = !account->facts.late;
}

Test(verify, a_forged_row_is_found_whatever_was_forged)
{
	static void (*const of_guest[])(struct account *) = {
		delete_it, enable_not, rename_id, rename_upn, age, move, withdraw,
	};
	static void (*const of_removed[])(struct account *) = {remove_later, beautify, rename_id};

	for (size_t i = 0; i < ARRAY_LEN(of_guest); i++) {
		is_fault(forge_row(GUEST, of_guest[i]),
			 "the account's row is not what the ledger says");
		tear_down();
		set_up();
	}
	for (size_t i = 0; i < ARRAY_LEN(of_removed); i++) {
		is_fault(forge_row(REMOVED, of_removed[i]),
			 "the account's row is not what the ledger says");
		tear_down();
		set_up();
	}
}

static void go_back(struct account *account)
{
	account->last_seq = GUEST_SEQ;
	account->open_request = 0;
}

static void go_astray(struct account *account)
{
	account->last_seq = REMOVED_SEQ;
}

Test(verify, a_row_that_is_older_than_its_entries_is_found)
{
	is_fault(forge_row(GUEST, go_back), "the account's row is older than the entry");
}

Test(verify, a_row_that_stems_from_another_account_s_entry_is_found)
{
	(void)forge_row(GUEST, go_astray);
	is_fault(GUEST_SEQ, "the account's row stems from an entry that is not its own");
}

Test(verify, a_row_that_is_gone_is_found)
{
	drop_row(GUEST);
	is_fault(GUEST_SEQ, "the account's row is missing, and it was not removed long ago");
}

Test(verify, a_tombstone_that_is_gone_too_early_is_found)
{
	drop_row(REMOVED);
	is_fault(REMOVED_SEQ, "the account's row is missing, and it was not removed long ago");
}

Test(verify, a_tombstone_that_was_dropped_in_its_time_is_no_fault)
{
	rig_reopen(&rig); /* its entries are settled */
	rig_advance(&rig, TOMBSTONES_SPAN_DEFAULT);
	rig_turn(&rig);
	rig_call(&rig, "account.explain", "{'uid': 2}");
	cr_assert(rig_is(&rig, "outcome", "not-found"));
	is_whole();
	rig_restart(&rig);
	is_whole();
}

/* Each byte of an entry in the middle; the newest ones are looked at by every start already. */
Test(verify, a_tampered_entry_is_found_at_it_or_behind_it)
{
	enum { FILLERS = 1100, SEQ = REMOVED_SEQ };
	struct key key = key_u64(SEQ);
	uint8_t bytes[ROWS_ENTRY_LEN_MAX];
	struct slice row;
	struct kv *kv;
	struct kv_txn *txn;
	size_t len;

	rig_begin(&rig);
	for (int i = 0; i < FILLERS; i++) {
		struct actor actor = {.role = ROLE_ADMIN, .at = rig_now(&rig)};

		cr_assert_eq(store_note_event(rig.engine->store, EVENT_SWEEP_RESUMED, &actor), 0);
	}
	rig_end(&rig);
	txn = open_tables(&kv);
	cr_assert_eq(kv_get(txn, KV_LEDGER, key_slice(&key), &row), 0);
	len = row.len;
	memcpy(bytes, row.data, len);
	close_tables(kv, txn);
	for (size_t at = 0; at < len; at += 7) {
		txn = open_tables(&kv);
		bytes[at] ^= 0x01;
		kv_put(txn, KV_LEDGER, key_slice(&key), (struct slice){(const char *)bytes, len});
		close_tables(kv, txn);
		verify();
		cr_assert_not(rig_true(&rig, "ok"), "byte %zu", at);
		cr_assert_leq(rig_number(&rig, "fault.seq"), SEQ + 1);
		bytes[at] ^= 0x01;
	}
}

Test(verify, goes_on_where_it_stopped_until_the_head)
{
	int64_t next = 1;
	int64_t n = 0;

	while (next > 0) {
		rig_call(&rig, "ledger.verify", "{'from': %lld, 'limit': 2}", (long long)next);
		cr_assert(rig_true(&rig, "ok"));
		n += rig_number(&rig, "entries");
		next = rig_has(&rig, "next") ? rig_number(&rig, "next") : 0;
	}
	cr_assert_eq(n, (int64_t)rig_head(&rig));
}

Test(verify, a_stretch_of_long_histories_is_cut_and_goes_on)
{
	enum { TURNS = 600 };
	struct verification verification;

	for (int i = 0; i < TURNS; i++) {
		rig_begin(&rig);
		for (int k = 0; k < 5; k++) {
			rig_send(&rig, i % 2 ? "account.enable" : "account.disable",
				 "{'accounts': [{'uid': 1}]}");
		}
		rig_end(&rig);
	}
	cr_assert_eq(verify_stretch(rig.engine->store, 1, 1000, rig_now(&rig), &verification), 0);
	cr_assert_null(verification.fault);
	cr_assert_leq(verification.n_reads, 2 * VERIFY_READS_MAX);
	cr_assert_gt(verification.n, 0);
}
