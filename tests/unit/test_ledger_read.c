/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "daemon/store/schema.h"

#include "tests/support/rig.h"
#include "tests/support/temp.h"

/* ledger.read, ledger.head and ledger.verify. Entries: 1 created, 2 org, then the two accounts. */

static struct rig rig;

static void change(const char *method, uint64_t uid)
{
	rig_call(&rig, method, "{'accounts': [{'uid': %llu}], 'reason': 'a certain reason'}",
		 (unsigned long long)uid);
	cr_assert(rig_is(&rig, "items.0.outcome", "ok"));
}

static void set_up(void)
{
	rig_open(&rig, CLOCK_MODE_SIMULATED);
	rig_set_org(&rig, "fabrikam");
	(void)rig_import(&rig, "fabrikam", "g-1"); /* 3 */
	(void)rig_import(&rig, "fabrikam", "g-2"); /* 4 */
	change("account.disable", 1);              /* 5 */
	change("account.disable", 2);              /* 6 */
	change("account.enable", 1);               /* 7 */
	change("account.remove", 1);               /* 8 */
}

static void tear_down(void)
{
	rig_close(&rig);
}

TestSuite(ledger_read, .init = set_up, .fini = tear_down);

static int64_t seq_at(uint32_t i)
{
	char path[32];

	(void)snprintf(path, sizeof(path), "entries.%u.seq", i);
	return rig_number(&rig, path);
}

static void expect_seqs(const int64_t *seqs, uint32_t n)
{
	cr_assert_eq(rig_count(&rig, "entries"), n);
	for (uint32_t i = 0; i < n; ++i) {
		cr_assert_eq(seq_at(i), seqs[i]);
	}
}

Test(ledger_read, everything_comes_in_its_order)
{
	static const int64_t seqs[] = {1, 2, 3, 4, 5, 6, 7, 8};

	rig_call(&rig, "ledger.read", "{}");
	expect_seqs(seqs, 8);
	cr_assert_not(rig_has(&rig, "next"));
	cr_assert(rig_is(&rig, "entries.0.event", "store-created"));
	cr_assert(rig_is(&rig, "entries.2.org", "fabrikam"));
	cr_assert(rig_is(&rig, "entries.7.state", "soft-deleted"));
	cr_assert(rig_is(&rig, "entries.7.role", "admin"));
}

Test(ledger_read, why_is_told_of_what_concerns_no_account)
{
	rig_call(&rig, "sweep.pause", "{'reason': 'a move', 'ref': 'OPS-7'}"); /* 9 */
	rig_call(&rig, "org.set", "{'org': 'fabrikam', 'name': 'F', 'reason': 'a merger'}");
	rig_call(&rig, "sweep.resume", "{}");
	rig_call(&rig, "ledger.read", "{'from': 9}");
	cr_assert(rig_is(&rig, "entries.0.reason", "a move"));
	cr_assert(rig_is(&rig, "entries.0.ref", "OPS-7"));
	cr_assert(rig_is(&rig, "entries.1.reason", "a merger"));
	cr_assert_not(rig_has(&rig, "entries.1.ref"));
	cr_assert_not(rig_has(&rig, "entries.2.reason"));
}

Test(ledger_read, why_is_not_told_of_an_account)
{
	rig_call(&rig, "ledger.read", "{'from': 5}");
	cr_assert_eq(rig_count(&rig, "entries"), 4);
	for (uint32_t i = 0; i < 4; i++) {
		char path[32];

		(void)snprintf(path, sizeof(path), "entries.%u.reason", i);
		cr_assert_not(rig_has(&rig, path));
	}
}

Test(ledger_read, a_page_of_long_reasons_is_shorter_and_goes_on)
{
	char why[MODEL_REASON_LEN_MAX + 1] = {0};
	uint32_t n, told = 0;

	memset(why, 'x', MODEL_REASON_LEN_MAX);
	for (uint32_t i = 0; i < 500; i++) { /* 9 to 1008 */
		rig_call(&rig, "sweep.pause", "{'reason': '%s'}", why);
		rig_call(&rig, "sweep.resume", "{'reason': '%s'}", why);
	}
	for (int64_t from = 9; from != 0; told += n) {
		rig_call(&rig, "ledger.read", "{'limit': 1000, 'from': %lld}", (long long)from);
		n = rig_count(&rig, "entries");
		cr_assert(n > 0 && n < 1000);
		from = rig_has(&rig, "next") ? rig_number(&rig, "next") : 0;
	}
	cr_assert_eq(told, 1000);
}

Test(ledger_read, pages_go_on_with_next)
{
	static const int64_t first[] = {1, 2, 3, 4, 5}, second[] = {6, 7, 8};

	rig_call(&rig, "ledger.read", "{'limit': 5}");
	expect_seqs(first, 5);
	cr_assert_eq(rig_number(&rig, "next"), 6);
	rig_call(&rig, "ledger.read", "{'limit': 5, 'from': 6}");
	expect_seqs(second, 3);
	cr_assert_not(rig_has(&rig, "next"));
}

Test(ledger_read, behind_the_end_there_is_nothing_and_nothing_next)
{
	rig_call(&rig, "ledger.read", "{'from': 9}");
	cr_assert_eq(rig_count(&rig, "entries"), 0);
	cr_assert_not(rig_has(&rig, "next"));
}

Test(ledger_read, an_accounts_entries_come_newest_first)
{
	static const int64_t first[] = {8, 7}, second[] = {5, 3};

	rig_call(&rig, "ledger.read", "{'uid': 1, 'limit': 2}");
	expect_seqs(first, 2);
	cr_assert_eq(rig_number(&rig, "next"), 5);
	rig_call(&rig, "ledger.read", "{'org': 'fabrikam', 'id': 'g-1', 'from': 5}");
	expect_seqs(second, 2);
	cr_assert_not(rig_has(&rig, "next"));
}

Test(ledger_read, an_account_is_not_read_from_an_entry_that_is_not_its_own)
{
	rig_call(&rig, "ledger.read", "{'uid': 1, 'from': 6}");
	cr_assert(rig_refused(&rig, "invalid-argument", "from: is not an entry of this account"));
	rig_call(&rig, "ledger.read", "{'uid': 1, 'from': 99}");
	cr_assert(rig_refused(&rig, "invalid-argument", "from: is not an entry of this account"));
}

Test(ledger_read, a_removed_account_can_still_be_read)
{
	change("account.purge", 1);
	rig_idle(&rig);
	rig_call(&rig, "ledger.read", "{'org': 'fabrikam', 'id': 'g-1'}");
	cr_assert(rig_is(&rig, "entries.0.event", "removal-completed"));
	cr_assert(rig_is(&rig, "entries.0.role", "daemon"));
	cr_assert(rig_is(&rig, "entries.5.event", "imported"));
}

Test(ledger_read, it_names_nobody_and_tells_no_reason)
{
	rig_call(&rig, "ledger.read", "{}");
	cr_assert_null(memmem(rig.answer.data, rig.answer.len, "g-1", 3));
	cr_assert_null(memmem(rig.answer.data, rig.answer.len, "home.example", 12));
	cr_assert_null(memmem(rig.answer.data, rig.answer.len, "a certain reason", 16));
}

Test(ledger_read, the_head_is_the_last_entry)
{
	cleanup(freep) char *hash = NULL;

	rig_call(&rig, "ledger.head", "{}");
	cr_assert_eq(rig_number(&rig, "seq"), 8);
	hash = rig_text(&rig, "hash");
	rig_call(&rig, "ledger.read", "{'from': 8}");
	cr_assert(rig_is(&rig, "entries.0.hash", hash));
}

Test(ledger_read, the_whole_chain_is_proven_a_stretch_at_a_time)
{
	int64_t from = 1, n = 0;

	while (from > 0) {
		rig_call(&rig, "ledger.verify", "{'from': %lld, 'limit': 3}", (long long)from);
		cr_assert(rig_true(&rig, "ok"));
		n += rig_number(&rig, "entries");
		from = rig_number(&rig, "next");
	}
	cr_assert_eq(n, 8);
	rig_call(&rig, "ledger.verify", "{'from': 9}");
	cr_assert(rig_refused(&rig, "invalid-argument", "from"));
}

/* An entry of the closed store becomes other bytes, or goes. */
static void overwrite(uint64_t seq, struct slice bytes)
{
	struct kv_txn *txn;
	struct kv *kv;
	struct key key = key_u64(seq);
	cleanup(freep) char *place = temp_path_new(rig.directory, "store");

	rig_kill(&rig);
	cr_assert_eq(kv_open(place, RIG_MAP_BYTES, false, &kv), 0);
	cr_assert_eq(kv_begin(kv, true, &txn), 0);
	if (bytes.len > 0) {
		kv_put(txn, KV_LEDGER, key_slice(&key), bytes);
	} else {
		kv_delete(txn, KV_LEDGER, key_slice(&key));
	}
	cr_assert_eq(kv_commit(txn), 0);
	(void)kv_close(kv);
	rig_start(&rig);
}

/* More entries than a start looks at, so that it does not find the fault first. */
static void bury(void)
{
	for (int i = 0; i < 600; ++i) {
		rig_begin(&rig);
		rig_send(&rig, "sweep.pause", "{}");
		rig_send(&rig, "sweep.resume", "{}");
		rig_end(&rig);
	}
	rig_reopen(&rig);
}

static void expect_fault(int64_t seq, const char *what)
{
	rig_call(&rig, "ledger.verify", "{}");
	cr_assert_not(rig_true(&rig, "ok"));
	cr_assert_eq(rig_number(&rig, "fault.seq"), seq);
	cr_assert(rig_is(&rig, "fault.what", what));
	cr_assert_not(rig_has(&rig, "next"));
}

Test(ledger_read, a_changed_entry_breaks_the_proof_behind_it)
{
	uint8_t bytes[ROWS_ENTRY_LEN_MAX];
	struct entry entry;

	bury();
	cr_assert_eq(store_get_entry(rig.engine->store, 4, &entry, NULL), 0);
	entry.actor_uid = 77;
	overwrite(4, (struct slice){(const char *)bytes, rows_encode_entry(&entry, bytes)});
	expect_fault(5, "the entry, or the one before it, is not what was written");
}

Test(ledger_read, a_missing_entry_breaks_the_proof)
{
	bury();
	overwrite(4, (struct slice){0});
	expect_fault(4, "the entry is missing");
}

Test(ledger_read, an_entry_that_cannot_be_read_breaks_the_proof)
{
	bury();
	overwrite(4, SLICE_LITERAL("rubbish"));
	expect_fault(4, "the entry cannot be read");
}

static void read_last(void)
{
	rig_call(&rig, "ledger.read", "{'from': %llu}", (unsigned long long)rig_head(&rig));
	cr_assert_eq(rig_count(&rig, "entries"), 1);
}

Test(ledger_read, an_entry_of_a_task_names_the_keeper_and_what_came_of_it)
{
	static const struct access_grant grant = {
		.role = ROLE_KEEPER, .subject = 0, .keeper = "crm"};
	cleanup(freep) char *token = NULL;

	rig.rules = (struct access_rules){&grant, 1};
	rig_set_keeper(&rig, "crm");
	read_last();
	cr_assert(rig_is(&rig, "entries.0.event", "keeper-set"));
	cr_assert(rig_is(&rig, "entries.0.keeper", "crm"));
	cr_assert_not(rig_has(&rig, "entries.0.uid"));
	change("account.purge", 1);
	read_last();
	cr_assert(rig_true(&rig, "entries.0.starts_removal"));
	rig_set_keeper(&rig, "files"); /* later: owes nothing of it */
	rig_call(&rig, "keeper.owe", "{'keeper': 'files', 'accounts': [{'uid': 1}]}");
	read_last();
	cr_assert(rig_is(&rig, "entries.0.event", "task-owed"));
	cr_assert(rig_is(&rig, "entries.0.keeper", "files"));
	cr_assert_not(rig_has(&rig, "entries.0.result"));
	cr_assert_not(rig_has(&rig, "entries.0.starts_removal"));
	rig_call(&rig, "keeper.claim", "{'keeper': 'crm'}");
	token = rig_text(&rig, "tasks.0.token");
	rig_call(&rig, "keeper.confirm",
		 "{'keeper': 'crm', 'tasks': [{'token': '%s', 'result': 'retained',"
		 " 'ground': 'hgb-257', 'note': 'a certain note'}]}",
		 token);
	read_last();
	cr_assert(rig_is(&rig, "entries.0.event", "task-confirmed"));
	cr_assert(rig_is(&rig, "entries.0.role", "keeper"));
	cr_assert(rig_is(&rig, "entries.0.keeper", "crm"));
	cr_assert(rig_is(&rig, "entries.0.result", "retained"));
	cr_assert(rig_is(&rig, "entries.0.ground", "hgb-257"));
	cr_assert_not(rig_has(&rig, "entries.0.note"));
}

Test(ledger_read, an_entry_of_a_removal_request_has_its_number)
{
	rig_call(&rig, "request.file", "{'accounts': [{'uid': 2}]}");
	read_last();
	cr_assert(rig_is(&rig, "entries.0.event", "request-filed"));
	cr_assert_eq(rig_number(&rig, "entries.0.request"), 1);
	rig_call(&rig, "request.deny", "{'requests': [{'request': 1}], 'reason': 'no'}");
	read_last();
	cr_assert(rig_is(&rig, "entries.0.event", "request-denied"));
	cr_assert_eq(rig_number(&rig, "entries.0.request"), 1);
}

Test(ledger_read, an_entry_behind_a_missed_deadline_says_late)
{
	rig_set_keeper(&rig, "crm");
	change("account.purge", 1);
	rig_advance(&rig, 30 * SPAN_DAY);
	rig_idle(&rig);
	read_last();
	cr_assert(rig_is(&rig, "entries.0.event", "overdue"));
	cr_assert(rig_true(&rig, "entries.0.late"));
	cr_assert(rig_is(&rig, "entries.0.role", "daemon"));
}

Test(ledger_read, duties_are_part_of_what_verify_proves)
{
	rig_set_keeper(&rig, "crm");
	rig_call(&rig, "hold.add", "{'accounts': [{'uid': 2}], 'hold': 'x'}");
	rig_call(&rig, "request.file", "{'accounts': [{'uid': 2}]}");
	change("account.purge", 1);
	rig_advance(&rig, 30 * SPAN_DAY);
	rig_idle(&rig);
	rig_call(&rig, "keeper.waive",
		 "{'keeper': 'crm', 'accounts': [{'uid': 1}], 'reason': 'gone'}");
	rig_idle(&rig);
	rig_reopen(&rig);
	rig_call(&rig, "ledger.verify", "{}");
	cr_assert(rig_true(&rig, "ok"));
}
