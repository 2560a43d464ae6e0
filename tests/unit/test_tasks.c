/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "daemon/core/backoff.h"

#include "tests/support/random.h"
#include "tests/support/rig.h"
#include "tests/support/temp.h"

/*
 * keeper.claim, confirm, fail, extend. One peer administers and speaks as each of the keepers.
 */

#define LEASE (5 * SPAN_MINUTE) /* of a claim that asks for none */
#define CRM   1                 /* the keepers' numbers */
#define FILES 2
#define MAIL  3

static const struct access_grant grants[] = {
	{.role = ROLE_KEEPER, .subject = 0, .keeper = "crm"},
	{.role = ROLE_KEEPER, .subject = 0, .keeper = "files"},
	{.role = ROLE_KEEPER, .subject = 0, .keeper = "mail"},
};

static struct rig rig;

static void set_up(void)
{
	rig_open(&rig, CLOCK_MODE_SIMULATED);
	rig.rules = (struct access_rules){grants, ARRAY_LEN(grants)};
	rig_set_org(&rig, "fabrikam");
	rig_unguard(&rig, "fabrikam");
	rig_set_keeper(&rig, "crm");
}

static void tear_down(void)
{
	rig_close(&rig);
}

TestSuite(tasks, .init = set_up, .fini = tear_down);

static void claim(const char *keeper)
{
	rig_call(&rig, "keeper.claim", "{'keeper': '%s'}", keeper);
	cr_assert_not(rig.failed);
}

/* The token of the only task there is to claim; the caller's. */
static char *claim_token(const char *keeper)
{
	claim(keeper);
	cr_assert_eq(rig_count(&rig, "tasks"), 1);
	return rig_text(&rig, "tasks.0.token");
}

static void confirm(const char *keeper, const char *token, const char *result)
{
	rig_call(&rig, "keeper.confirm",
		 "{'keeper': '%s', 'tasks': [{'token': '%s', 'result': '%s'}]}", keeper, token,
		 result);
	cr_assert_not(rig.failed);
}

static void fail_task(const char *keeper, const char *token)
{
	rig_call(&rig, "keeper.fail", "{'keeper': '%s', 'tasks': [{'token': '%s'}]}", keeper,
		 token);
	cr_assert_not(rig.failed);
}

static void extend(const char *token, span_t lease)
{
	rig_call(&rig, "keeper.extend",
		 "{'keeper': 'crm', 'tasks': [{'token': '%s'}], 'lease_us': %lld}", token,
		 (long long)lease);
	cr_assert_not(rig.failed);
}

static bool outcome_is(const char *code)
{
	return rig_is(&rig, "items.0.outcome", code);
}

static struct entry last_entry(void)
{
	struct entry entry;

	cr_assert_eq(store_get_entry(rig.engine->store, rig_head(&rig), &entry, NULL), 0);
	return entry;
}

static void waive_or_owe(const char *method, const char *keeper, uint64_t uid)
{
	rig_call(&rig, method,
		 "{'keeper': '%s', 'accounts': [{'uid': %llu}], 'reason': 'it is decided'}", keeper,
		 (unsigned long long)uid);
	cr_assert(outcome_is("ok"));
}

/* What is owed, counted row by row. */
static void expect_counts(void)
{
	struct store *store = rig.engine->store;
	uint64_t n[MODEL_KEEPERS_MAX] = {0}, uid = 0;
	struct account account;

	while (store_next_account(store, &uid, &account) == 0) {
		for (size_t i = 0; i < ARRAY_LEN(n); ++i) {
			n[i] += account.facts.owed >> i & 1;
		}
	}
	cr_assert_arr_eq(store_counts(store)->n_owed, n, sizeof(n));
}

/* Claim */

Test(tasks, a_claim_tells_what_finds_the_person_and_by_when)
{
	uint64_t uid = rig_purge(&rig, "fabrikam", "g-1");

	claim("crm");
	cr_assert_eq(rig_count(&rig, "tasks"), 1);
	cr_assert_eq(rig_number(&rig, "tasks.0.uid"), (int64_t)uid);
	cr_assert(rig_is(&rig, "tasks.0.org", "fabrikam"));
	cr_assert(rig_is(&rig, "tasks.0.id", "g-1"));
	cr_assert(rig_is(&rig, "tasks.0.person", "g-1@home.example"));
	cr_assert(rig_is(&rig, "tasks.0.upn", "g-1@home.example"));
	cr_assert_eq(rig_number(&rig, "tasks.0.due_us"), RIG_BEGIN + 30 * SPAN_DAY);
	cr_assert_eq(rig_number(&rig, "tasks.0.lease_until_us"), RIG_BEGIN + LEASE);
	cr_assert_eq(rig_number(&rig, "tasks.0.attempt"), 1);
	cr_assert_not(rig_has(&rig, "tasks.0.error"));
}

Test(tasks, a_claim_where_nothing_is_owed_is_empty)
{
	claim("crm");
	cr_assert_eq(rig_count(&rig, "tasks"), 0);
	cr_assert(rig_has(&rig, "more") && !rig_true(&rig, "more"));
}

Test(tasks, neither_active_nor_soft_deleted_accounts_are_tasks)
{
	(void)rig_import(&rig, "fabrikam", "g-1");
	rig_change(&rig, "account.remove", rig_import(&rig, "fabrikam", "g-2"));
	rig_idle(&rig);
	claim("crm");
	cr_assert_eq(rig_count(&rig, "tasks"), 0);
}

Test(tasks, a_window_that_ends_makes_a_task_by_itself)
{
	rig_change(&rig, "account.remove", rig_import(&rig, "fabrikam", "g-1"));
	rig_advance(&rig, 30 * SPAN_DAY);
	rig_idle(&rig);
	claim("crm");
	cr_assert_eq(rig_count(&rig, "tasks"), 1);
	cr_assert_eq(rig_number(&rig, "tasks.0.due_us"), RIG_BEGIN + 60 * SPAN_DAY);
}

Test(tasks, the_oldest_removal_is_given_first_whatever_its_number)
{
	uint64_t uid[3];

	for (int i = 0; i < 3; ++i) {
		char id[32];

		(void)snprintf(id, sizeof(id), "g-%d", i);
		uid[i] = rig_import(&rig, "fabrikam", id);
		rig_change(&rig, "account.remove", uid[i]);
	}
	for (int i = 2; i >= 0; --i) {
		rig_advance(&rig, SPAN_HOUR);
		rig_change(&rig, "account.purge", uid[i]);
	}
	claim("crm");
	cr_assert_eq(rig_count(&rig, "tasks"), 3);
	cr_assert_eq(rig_number(&rig, "tasks.0.uid"), (int64_t)uid[2]);
	cr_assert_eq(rig_number(&rig, "tasks.1.uid"), (int64_t)uid[1]);
	cr_assert_eq(rig_number(&rig, "tasks.2.uid"), (int64_t)uid[0]);
}

static void claim_page(uint32_t max, uint32_t n, bool more)
{
	rig_call(&rig, "keeper.claim", "{'keeper': 'crm', 'max': %u}", max);
	cr_assert_eq(rig_count(&rig, "tasks"), n);
	cr_assert_eq(rig_true(&rig, "more"), more);
}

Test(tasks, pages_go_on_where_the_last_one_stopped_until_there_is_no_more)
{
	for (int i = 0; i < 5; ++i) {
		char id[32];

		(void)snprintf(id, sizeof(id), "g-%d", i);
		(void)rig_purge(&rig, "fabrikam", id);
		rig_advance(&rig, SPAN_SECOND);
	}
	claim_page(2, 2, true);
	cr_assert_eq(rig_number(&rig, "tasks.0.uid"), 1);
	claim_page(2, 2, true);
	cr_assert_eq(rig_number(&rig, "tasks.0.uid"), 3);
	claim_page(2, 1, false);
	cr_assert_eq(rig_number(&rig, "tasks.0.uid"), 5);
	claim_page(2, 0, false);
}

Test(tasks, what_comes_back_in_front_of_a_page_is_given_in_the_same_round)
{
	for (int i = 0; i < 4; ++i) {
		char id[32];

		(void)snprintf(id, sizeof(id), "g-%d", i);
		(void)rig_purge(&rig, "fabrikam", id);
		rig_advance(&rig, SPAN_SECOND);
	}
	claim_page(2, 2, true);
	rig_advance(&rig, LEASE);
	claim_page(10, 4, false);
	cr_assert_eq(rig_number(&rig, "tasks.0.uid"), 3);
	cr_assert_eq(rig_number(&rig, "tasks.2.uid"), 1);
	cr_assert_eq(rig_number(&rig, "tasks.2.attempt"), 2);
}

Test(tasks, a_task_is_given_again_at_the_instant_its_lease_ends_and_not_before)
{
	(void)rig_purge(&rig, "fabrikam", "g-1");
	claim("crm");
	rig_advance(&rig, LEASE - 1);
	claim("crm");
	cr_assert_eq(rig_count(&rig, "tasks"), 0);
	rig_advance(&rig, 1);
	claim("crm");
	cr_assert_eq(rig_count(&rig, "tasks"), 1);
	cr_assert_eq(rig_number(&rig, "tasks.0.attempt"), 2);
}

Test(tasks, a_lease_is_as_long_as_it_is_asked_for_and_a_day_at_most)
{
	(void)rig_purge(&rig, "fabrikam", "g-1");
	rig_call(&rig, "keeper.claim", "{'keeper': 'crm', 'lease_us': 0}");
	cr_assert_eq(rig_number(&rig, "tasks.0.lease_until_us"), rig_now(&rig));
	rig_call(&rig, "keeper.claim", "{'keeper': 'crm', 'lease_us': 1000000}");
	cr_assert_eq(rig_number(&rig, "tasks.0.lease_until_us"), rig_now(&rig) + SPAN_SECOND);
	rig_advance(&rig, SPAN_SECOND);
	rig_call(&rig, "keeper.claim", "{'keeper': 'crm', 'lease_us': %lld}",
		 (long long)(2 * SPAN_DAY));
	cr_assert_eq(rig_number(&rig, "tasks.0.lease_until_us"), rig_now(&rig) + SPAN_DAY);
}

Test(tasks, every_keeper_has_its_own_task_of_a_removal)
{
	cleanup(freep) char *crm = NULL, *files = NULL;

	rig_set_keeper(&rig, "files");
	(void)rig_purge(&rig, "fabrikam", "g-1");
	crm = claim_token("crm");
	files = claim_token("files");
	cr_assert_str_neq(crm, files);
	confirm("crm", crm, "erased");
	cr_assert(rig_is(&rig, "items.0.state", "removing"));
	rig_idle(&rig);
	cr_assert_not(rig_is_removed(&rig, 1));
	confirm("files", files, "nothing-found");
	rig_idle(&rig);
	cr_assert(rig_is_removed(&rig, 1));
}

Test(tasks, the_clock_s_last_instant_is_no_trap_for_a_lease)
{
	cleanup(freep) char *token = NULL;

	(void)rig_purge(&rig, "fabrikam", "g-1");
	rig_call(&rig, "clock.advance", "{'to_us': %lld}", (long long)(INSTANT_MAX - 1));
	cr_assert_not(rig.failed);
	rig_idle(&rig);
	token = claim_token("crm");
	extend(token, SPAN_HOUR);
	cr_assert(outcome_is("ok"));
	fail_task("crm", token);
	cr_assert_eq(rig_number(&rig, "items.0.retry_at_us"), INSTANT_MAX);
}

#define N_OTHERS 5000 /* more than one claim looks at */

static void import_ended(uint32_t n)
{
	for (uint32_t done = 0; done < n;) {
		cleanup(freep) char *items = malloc(1000 * 160);
		size_t len = 0;

		cr_assert(items);
		for (uint32_t i = 0; i < 1000 && done < n; ++i, ++done) {
			len += (size_t)sprintf(items + len,
					       "%s{'org':'fabrikam','id':'e-%u','kind':"
					       "'b2b-collaboration','upn':'e-%u@x.example',"
					       "'deleted_at_us':%lld}",
					       i ? "," : "", done, done,
					       (long long)(RIG_BEGIN - 31 * SPAN_DAY));
		}
		rig_call(&rig, "account.import", "{'accounts': [%s]}", items);
		cr_assert_not(rig.failed);
	}
	rig_idle(&rig);
}

/* Claims until there is no more. Return: tasks given. */
static uint32_t claim_all(const char *keeper, uint32_t n_claims_max)
{
	uint32_t n = 0, n_claims = 0;

	do {
		claim(keeper);
		n += rig_count(&rig, "tasks");
		cr_assert_leq(++n_claims, n_claims_max, "there is more for ever");
	} while (rig_true(&rig, "more"));
	return n;
}

Test(tasks, a_claim_finds_its_own_behind_thousands_that_wait_for_another_and_comes_to_an_end)
{
	import_ended(N_OTHERS);
	cr_assert_eq(store_counts(rig.engine->store)->n_owed[CRM - 1], N_OTHERS);
	rig_set_keeper(&rig, "files");
	(void)rig_purge(&rig, "fabrikam", "g-1");
	cr_assert_eq(claim_all("files", 5), 1);
	/* Everything it owes is leased: there is no more, however long the others' line is. */
	cr_assert_eq(claim_all("files", 5), 0);
	cr_assert_eq(claim_all("files", 5), 0);
	rig_advance(&rig, LEASE);
	cr_assert_eq(claim_all("files", 5), 1);
}

/* The fence */

Test(tasks, a_token_with_any_character_changed_is_unknown)
{
	cleanup(freep) char *token = NULL;
	size_t len;

	(void)rig_purge(&rig, "fabrikam", "g-1");
	token = claim_token("crm");
	len = strlen(token);
	for (size_t i = 0; i < len; ++i) {
		char kept = token[i];

		token[i] = kept == '0' ? '1' : '0';
		confirm("crm", token, "erased");
		cr_assert(outcome_is("token-unknown"), "%s", token);
		token[i] = 'A';
		confirm("crm", token, "erased");
		cr_assert(outcome_is("token-unknown"), "%s", token);
		token[i] = kept;
	}
	confirm("crm", "0", "erased");
	cr_assert(outcome_is("token-unknown"));
	token[len - 1] = '\0';
	confirm("crm", token, "erased");
	cr_assert(outcome_is("token-unknown"));
	cr_assert_eq(rig_row(&rig, 1).facts.owed, 1);
}

Test(tasks, a_token_of_another_keeper_is_unknown)
{
	cleanup(freep) char *token = NULL;

	rig_set_keeper(&rig, "files");
	(void)rig_purge(&rig, "fabrikam", "g-1");
	token = claim_token("crm");
	confirm("files", token, "erased");
	cr_assert(outcome_is("token-unknown"));
	fail_task("files", token);
	cr_assert(outcome_is("token-unknown"));
}

Test(tasks, a_confirmation_stands_until_the_instant_its_lease_ends)
{
	cleanup(freep) char *first = NULL, *second = NULL;

	(void)rig_purge(&rig, "fabrikam", "g-1");
	first = claim_token("crm");
	rig_advance(&rig, LEASE);
	confirm("crm", first, "erased");
	cr_assert(outcome_is("lease-expired"));
	cr_assert_not(rig_has(&rig, "items.0.uid"));
	second = claim_token("crm");
	rig_advance(&rig, LEASE - 1);
	confirm("crm", second, "erased");
	cr_assert(outcome_is("ok"));
	cr_assert_eq(rig_number(&rig, "items.0.uid"), 1);
}

Test(tasks, a_token_is_worth_nothing_once_the_task_was_claimed_again)
{
	cleanup(freep) char *first = NULL, *second = NULL;

	(void)rig_purge(&rig, "fabrikam", "g-1");
	first = claim_token("crm");
	rig_advance(&rig, LEASE);
	second = claim_token("crm");
	confirm("crm", first, "erased");
	cr_assert(outcome_is("lease-expired"));
	fail_task("crm", first);
	cr_assert(outcome_is("lease-expired"));
	extend(first, LEASE);
	cr_assert(outcome_is("lease-expired"));
	confirm("crm", second, "erased");
	cr_assert(outcome_is("ok"));
}

Test(tasks, leases_and_tokens_outlive_a_restart)
{
	cleanup(freep) char *token = NULL;

	(void)rig_purge(&rig, "fabrikam", "g-1");
	token = claim_token("crm");
	rig_restart(&rig);
	claim("crm");
	cr_assert_eq(rig_count(&rig, "tasks"), 0);
	rig_reopen(&rig);
	confirm("crm", token, "erased");
	cr_assert(outcome_is("ok"));
}

/* Confirm */

static void expect_confirmed(enum task_result result, const char *ground)
{
	struct entry entry = last_entry();

	cr_assert_eq(entry.event, EVENT_TASK_CONFIRMED);
	cr_assert_eq(entry.actor_role, ROLE_KEEPER);
	cr_assert_eq(entry.keeper, CRM);
	cr_assert_eq(entry.result, result);
	cr_assert_eq(entry.generation, 1);
	cr_assert_str_eq(entry.ground, ground);
	cr_assert_eq(entry.facts.owed, 0);
}

Test(tasks, a_confirmation_is_in_the_ledger_with_its_result)
{
	static const char *const names[] = {"erased", "nothing-found"};

	for (int i = 0; i < 2; ++i) {
		cleanup(freep) char *token = NULL;
		char id[32];

		(void)snprintf(id, sizeof(id), "g-%d", i);
		(void)rig_purge(&rig, "fabrikam", id);
		token = claim_token("crm");
		rig_begin(&rig);
		rig_send(&rig, "keeper.confirm",
			 "{'keeper': 'crm', 'tasks': [{'token': '%s', 'result': '%s',"
			 " 'ground': 'hgb-257'}]}",
			 token, names[i]);
		expect_confirmed(i == 0 ? TASK_RESULT_ERASED : TASK_RESULT_NOTHING_FOUND, "");
		rig_end(&rig);
		rig_idle(&rig);
		cr_assert(rig_is_removed(&rig, (uint64_t)i + 1));
	}
}

Test(tasks, what_is_retained_needs_its_legal_ground)
{
	cleanup(freep) char *token = NULL;

	(void)rig_purge(&rig, "fabrikam", "g-1");
	token = claim_token("crm");
	confirm("crm", token, "retained");
	cr_assert(outcome_is("ground-missing"));
	cr_assert_eq(rig_row(&rig, 1).facts.owed, 1);
	rig_begin(&rig);
	rig_send(&rig, "keeper.confirm",
		 "{'keeper': 'crm', 'tasks': [{'token': '%s', 'result': 'retained',"
		 " 'ground': 'hgb-257'}]}",
		 token);
	cr_assert(outcome_is("ok"));
	expect_confirmed(TASK_RESULT_RETAINED, "hgb-257");
	rig_end(&rig);
}

static void expect_repeated(const char *token)
{
	uint64_t head = rig_head(&rig);

	confirm("crm", token, "erased");
	cr_assert(outcome_is("ok"));
	cr_assert_eq(rig_number(&rig, "items.0.uid"), 1);
	confirm("crm", token, "nothing-found");
	cr_assert(outcome_is("already-settled"));
	fail_task("crm", token);
	cr_assert(outcome_is("already-settled"));
	extend(token, LEASE);
	cr_assert(outcome_is("already-settled"));
	cr_assert_eq(rig_head(&rig), head);
}

Test(tasks, the_same_confirmation_again_is_fine_and_another_is_refused)
{
	cleanup(freep) char *token = NULL;

	rig_set_keeper(&rig, "files"); /* the removal stays open */
	(void)rig_purge(&rig, "fabrikam", "g-1");
	token = claim_token("crm");
	confirm("crm", token, "erased");
	expect_repeated(token);
	rig_advance(&rig, SPAN_DAY); /* the lease is long over */
	expect_repeated(token);
	rig_restart(&rig);
	expect_repeated(token);
	rig_reopen(&rig);
	expect_repeated(token);
}

Test(tasks, the_same_confirmation_again_is_fine_when_the_removal_is_complete)
{
	cleanup(freep) char *token = NULL;

	(void)rig_purge(&rig, "fabrikam", "g-1");
	token = claim_token("crm");
	confirm("crm", token, "erased");
	rig_idle(&rig);
	cr_assert(rig_is_removed(&rig, 1));
	confirm("crm", token, "erased");
	cr_assert(rig_is(&rig, "items.0.state", "removed"));
	expect_repeated(token);
	rig_reopen(&rig);
	expect_repeated(token);
}

Test(tasks, a_stale_token_cannot_borrow_a_later_confirmation)
{
	cleanup(freep) char *first = NULL, *second = NULL;

	rig_set_keeper(&rig, "files");
	(void)rig_purge(&rig, "fabrikam", "g-1");
	first = claim_token("crm");
	rig_advance(&rig, LEASE);
	second = claim_token("crm");
	confirm("crm", second, "erased");
	confirm("crm", first, "erased");
	cr_assert(outcome_is("lease-expired"));
}

Test(tasks, a_task_that_is_owed_again_goes_on_with_its_attempts_and_fences_older_tokens)
{
	cleanup(freep) char *first = NULL, *second = NULL;

	rig_set_keeper(&rig, "files");
	(void)rig_purge(&rig, "fabrikam", "g-1");
	first = claim_token("crm");
	confirm("crm", first, "erased");
	waive_or_owe("keeper.owe", "crm", 1);
	confirm("crm", first, "erased");
	cr_assert(outcome_is("lease-expired"));
	second = claim_token("crm");
	cr_assert_eq(rig_number(&rig, "tasks.0.attempt"), 2);
	confirm("crm", first, "erased");
	cr_assert(outcome_is("lease-expired"));
	confirm("crm", second, "nothing-found");
	cr_assert(outcome_is("ok"));
	confirm("crm", second, "nothing-found");
	cr_assert(outcome_is("ok"));
	confirm("crm", first, "erased");
	cr_assert(outcome_is("lease-expired"));
}

Test(tasks, a_task_that_was_waived_is_settled_with_another_result)
{
	cleanup(freep) char *token = NULL;

	rig_set_keeper(&rig, "files");
	(void)rig_purge(&rig, "fabrikam", "g-1");
	token = claim_token("crm");
	waive_or_owe("keeper.waive", "crm", 1);
	confirm("crm", token, "erased");
	cr_assert(outcome_is("already-settled"));
	fail_task("crm", token);
	cr_assert(outcome_is("already-settled"));
}

Test(tasks, each_item_has_its_own_fate)
{
	cleanup(freep) char *first = NULL, *second = NULL;

	(void)rig_purge(&rig, "fabrikam", "g-1");
	rig_advance(&rig, SPAN_SECOND);
	(void)rig_purge(&rig, "fabrikam", "g-2");
	claim("crm");
	first = rig_text(&rig, "tasks.0.token");
	second = rig_text(&rig, "tasks.1.token");
	rig_call(&rig, "keeper.confirm",
		 "{'keeper': 'crm', 'tasks': [{'token': '%s', 'result': 'retained'},"
		 " {'token': 'nonsense', 'result': 'erased'}, {'token': '%s', 'result': 'erased'},"
		 " {'token': '%s', 'result': 'erased'}]}",
		 first, second, second);
	cr_assert_eq(rig_count(&rig, "items"), 4);
	cr_assert(rig_is(&rig, "items.0.outcome", "ground-missing"));
	cr_assert(rig_is(&rig, "items.1.outcome", "token-unknown"));
	cr_assert(rig_is(&rig, "items.1.token", "nonsense"));
	cr_assert(rig_is(&rig, "items.2.outcome", "ok"));
	cr_assert(rig_is(&rig, "items.3.outcome", "ok"));
}

Test(tasks, a_removal_confirmed_in_the_turn_it_began_is_complete_in_a_later_one)
{
	uint64_t uid = rig_import(&rig, "fabrikam", "g-1");

	rig_change(&rig, "account.remove", uid);
	rig_begin(&rig);
	rig_send(&rig, "account.purge", "{'accounts': [{'uid': 1}]}");
	rig_send(&rig, "keeper.claim", "{'keeper': 'crm'}");
	{
		cleanup(freep) char *token = rig_text(&rig, "tasks.0.token");

		rig_send(&rig, "keeper.confirm",
			 "{'keeper': 'crm', 'tasks': [{'token': '%s', 'result': 'erased'}]}",
			 token);
	}
	cr_assert(outcome_is("ok"));
	rig_end(&rig);
	cr_assert_not(rig_is_removed(&rig, uid));
	rig_idle(&rig);
	cr_assert(rig_is_removed(&rig, uid));
}

Test(tasks, a_confirmation_repeated_with_its_request_id_gets_the_first_answer)
{
	cleanup(freep) char *token = NULL, *bytes = NULL;
	struct slice body = {0};
	uint64_t head = 0;

	(void)rig_purge(&rig, "fabrikam", "g-1");
	token = claim_token("crm");
	for (int i = 0; i < 3; ++i) {
		rig_call(&rig, "keeper.confirm",
			 "{'keeper': 'crm', 'request_id': 'r-1',"
			 " 'tasks': [{'token': '%s', 'result': 'erased'}]}",
			 token);
		cr_assert(outcome_is("ok"));
		cr_assert(rig_is(&rig, "items.0.state", "removing"));
		if (i == 0) {
			body = rig_answer_body(&rig);
			bytes = malloc(body.len);
			cr_assert(bytes);
			memcpy(bytes, body.data, body.len);
			body.data = bytes;
		}
		cr_assert(slice_equal(rig_answer_body(&rig), body));
		rig_idle(&rig);
		head = i == 0 ? rig_head(&rig) : head;
		cr_assert_eq(rig_head(&rig), head);
		rig_restart(&rig);
	}
	rig_call(&rig, "keeper.confirm",
		 "{'keeper': 'crm', 'request_id': 'r-1',"
		 " 'tasks': [{'token': '%s', 'result': 'nothing-found'}]}",
		 token);
	cr_assert(rig_refused(&rig, "invalid-argument", "request_id"));
}

Test(tasks, a_note_is_told_while_the_account_is_there)
{
	cleanup(freep) char *token = NULL;

	rig_set_keeper(&rig, "files");
	(void)rig_purge(&rig, "fabrikam", "g-1");
	token = claim_token("crm");
	rig_call(&rig, "keeper.confirm",
		 "{'keeper': 'crm', 'tasks': [{'token': '%s', 'result': 'erased',"
		 " 'note': '3 rows of g-1'}]}",
		 token);
	rig_call(&rig, "account.explain", "{'uid': 1}");
	cr_assert(rig_is(&rig, "history.3.event", "task-confirmed"));
	cr_assert(rig_is(&rig, "history.3.reason", "3 rows of g-1"));
}

/* Fail */

Test(tasks, a_failure_is_retried_after_the_backoff_of_its_attempts)
{
	(void)rig_purge(&rig, "fabrikam", "g-1");
	for (uint32_t attempt = 1; attempt <= 12; ++attempt) {
		cleanup(freep) char *token = claim_token("crm");
		instant_t retry_at = rig_now(&rig) + backoff_after(attempt);

		cr_assert_eq(rig_number(&rig, "tasks.0.attempt"), attempt);
		fail_task("crm", token);
		cr_assert(outcome_is("ok"));
		cr_assert_eq(rig_number(&rig, "items.0.retry_at_us"), retry_at);
		rig_advance(&rig, backoff_after(attempt) - 1);
		claim("crm");
		cr_assert_eq(rig_count(&rig, "tasks"), 0);
		rig_advance(&rig, 1);
	}
}

Test(tasks, a_keeper_may_say_itself_when_it_wants_a_task_again)
{
	cleanup(freep) char *token = NULL, *again = NULL;

	(void)rig_purge(&rig, "fabrikam", "g-1");
	token = claim_token("crm");
	rig_call(&rig, "keeper.fail",
		 "{'keeper': 'crm', 'tasks': [{'token': '%s', 'retry_after_us': 0}]}", token);
	cr_assert_eq(rig_number(&rig, "items.0.retry_at_us"), rig_now(&rig));
	again = claim_token("crm");
	rig_call(&rig, "keeper.fail",
		 "{'keeper': 'crm', 'tasks': [{'token': '%s', 'retry_after_us': %lld}]}", again,
		 (long long)SPAN_DAY);
	rig_advance(&rig, SPAN_DAY - 1);
	claim("crm");
	cr_assert_eq(rig_count(&rig, "tasks"), 0);
	rig_advance(&rig, 1);
	claim("crm");
	cr_assert_eq(rig_count(&rig, "tasks"), 1);
}

Test(tasks, a_token_is_worth_nothing_once_its_task_has_failed)
{
	cleanup(freep) char *token = NULL;

	(void)rig_purge(&rig, "fabrikam", "g-1");
	token = claim_token("crm");
	fail_task("crm", token);
	confirm("crm", token, "erased");
	cr_assert(outcome_is("lease-expired"));
	fail_task("crm", token);
	cr_assert(outcome_is("lease-expired"));
}

/* Whether a text stands in the store's file. */
static bool is_on_disk(const char *text)
{
	cleanup(freep) char *place = temp_path_new(rig.directory, "store/data.mdb");
	struct slice bytes = temp_file_read(place);
	bool found = memmem(bytes.data, bytes.len, text, strlen(text));

	free((void *)bytes.data);
	return found;
}

Test(tasks, what_went_wrong_is_told_in_the_next_claim_and_sealed_on_disk)
{
	(void)rig_purge(&rig, "fabrikam", "g-1");
	for (int i = 0; i < 2; ++i) {
		cleanup(freep) char *token = claim_token("crm");

		rig_call(&rig, "keeper.fail", "{'keeper': 'crm', 'tasks': [{'token': '%s'%s}]}",
			 token, i == 0 ? ", 'error': 'no route to g-1-canary'" : "");
		cr_assert(outcome_is("ok"));
		rig_restart(&rig);
		rig_advance(&rig, SPAN_HOUR);
		/* One that says nothing new does not take back what was said. */
		claim("crm");
		cr_assert(rig_is(&rig, "tasks.0.error", "no route to g-1-canary"));
		rig_advance(&rig, LEASE);
	}
	cr_assert_not(is_on_disk("canary"));
	cr_assert(is_on_disk("fabrikam")); /* such a search does find what is there */
}

/* Extend */

Test(tasks, a_lease_can_be_made_longer_while_it_runs)
{
	cleanup(freep) char *token = NULL;

	(void)rig_purge(&rig, "fabrikam", "g-1");
	token = claim_token("crm");
	rig_advance(&rig, LEASE - 1);
	extend(token, SPAN_HOUR);
	cr_assert(outcome_is("ok"));
	cr_assert_eq(rig_number(&rig, "items.0.lease_until_us"), rig_now(&rig) + SPAN_HOUR);
	rig_advance(&rig, SPAN_HOUR - 1);
	extend(token, 2 * SPAN_DAY);
	cr_assert_eq(rig_number(&rig, "items.0.lease_until_us"), rig_now(&rig) + SPAN_DAY);
	rig_advance(&rig, SPAN_DAY);
	extend(token, SPAN_HOUR);
	cr_assert(outcome_is("lease-expired"));
}

Test(tasks, a_task_that_is_given_back_is_anybodys_at_once)
{
	cleanup(freep) char *token = NULL, *again = NULL;

	(void)rig_purge(&rig, "fabrikam", "g-1");
	token = claim_token("crm");
	extend(token, 0);
	cr_assert(outcome_is("ok"));
	cr_assert_not(rig_has(&rig, "items.0.lease_until_us"));
	confirm("crm", token, "erased");
	cr_assert(outcome_is("lease-expired"));
	again = claim_token("crm");
	confirm("crm", again, "erased");
	cr_assert(outcome_is("ok"));
}

/* What is owed, always told as it is */

static void step(uint64_t *state, uint32_t i)
{
	static const char *const keepers[] = {"crm", "files", "mail"};
	const char *keeper = keepers[random_below(state, ARRAY_LEN(keepers))];
	uint64_t uid = 1 + random_below(state, 20);
	cleanup(freep) char *token = NULL;
	char id[32];

	switch (random_below(state, 8)) {
	case 0:
		(void)snprintf(id, sizeof(id), "n-%u", i);
		(void)rig_purge(&rig, "fabrikam", id);
		return;
	case 1:
		rig_call(&rig, "keeper.waive",
			 "{'keeper': '%s', 'accounts': [{'uid': %llu}], 'reason': 'gone'}", keeper,
			 (unsigned long long)uid);
		return;
	case 2:
		rig_call(&rig, "keeper.owe", "{'keeper': '%s', 'accounts': [{'uid': %llu}]}",
			 keeper, (unsigned long long)uid);
		return;
	case 3:
		rig_restart(&rig);
		return;
	case 4:
		rig_advance(&rig, SPAN_HOUR);
		rig_idle(&rig);
		return;
	default:
		rig_call(&rig, "keeper.claim", "{'keeper': '%s', 'max': 1}", keeper);
		token = rig_text(&rig, "tasks.0.token");
		if (token[0] != '\0') {
			confirm(keeper, token, "erased");
			cr_assert(outcome_is("ok"));
		}
	}
}

Test(tasks, what_each_keeper_owes_is_counted_right_whatever_happens)
{
	uint64_t state = 20260301;

	rig_set_keeper(&rig, "files");
	rig_set_keeper(&rig, "mail");
	for (uint32_t i = 0; i < 200; ++i) {
		step(&state, i);
		expect_counts();
	}
	rig_reopen(&rig);
	expect_counts();
	cr_assert_gt(store_counts(rig.engine->store)->n_removed, 0);
	cr_assert_gt(store_counts(rig.engine->store)->n_owed[MAIL - 1], 0);
}

/* Damage */

static void damage_task(uint8_t keeper, uint64_t uid)
{
	rig_tamper(&rig, KV_TASKS, key_task(keeper, uid), SLICE_LITERAL("rubbish"));
}

Test(tasks, a_damaged_task_is_passed_over_and_its_confirmation_refused)
{
	cleanup(freep) char *token = NULL;

	(void)rig_purge(&rig, "fabrikam", "g-1");
	token = claim_token("crm");
	damage_task(CRM, 1);
	confirm("crm", token, "erased");
	cr_assert(outcome_is("damaged"));
	fail_task("crm", token);
	cr_assert(outcome_is("damaged"));
	extend(token, LEASE);
	cr_assert(outcome_is("damaged"));
	rig_advance(&rig, LEASE);
	(void)rig_purge(&rig, "fabrikam", "g-2");
	claim("crm");
	cr_assert_eq(rig_count(&rig, "tasks"), 1);
	cr_assert_eq(rig_number(&rig, "tasks.0.uid"), 2);
}

Test(tasks, an_error_that_cannot_be_unsealed_is_damage)
{
	static const uint8_t row[] = {1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0,   0,   0,
				      0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 'b', 'a', 'd'};
	cleanup(freep) char *token = NULL;

	(void)rig_purge(&rig, "fabrikam", "g-1");
	token = claim_token("crm");
	rig_tamper(&rig, KV_TASKS, key_task(CRM, 1),
		   (struct slice){(const char *)row, sizeof(row)});
	confirm("crm", token, "erased");
	cr_assert(outcome_is("damaged"));
	claim("crm");
	cr_assert_eq(rig_count(&rig, "tasks"), 0);
}

Test(tasks, a_damaged_task_begins_anew_when_it_is_waived_and_owed_again)
{
	cleanup(freep) char *token = NULL;

	rig_set_keeper(&rig, "files");
	(void)rig_purge(&rig, "fabrikam", "g-1");
	damage_task(CRM, 1);
	waive_or_owe("keeper.waive", "crm", 1);
	waive_or_owe("keeper.owe", "crm", 1);
	token = claim_token("crm");
	confirm("crm", token, "erased");
	cr_assert(outcome_is("ok"));
	cr_assert_eq(rig_row(&rig, 1).facts.owed, UINT64_C(1) << (FILES - 1));
}
