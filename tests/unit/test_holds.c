/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/support/rig.h"
#include "tests/support/temp.h"

/* hold.add, hold.remove, hold.list: while a legal hold stands, removal does not start. */

#define PORTAL 990
#define NARROW 991 /* an admin of contoso */

static const char *const contoso[] = {"contoso"};
static const struct access_grant grants[] = {
	{.role = ROLE_SELF_SERVICE, .subject = PORTAL},
	{.role = ROLE_ADMIN, .subject = NARROW, .orgs = contoso, .n_orgs = 1},
};

static struct rig rig;

static void set_up(void)
{
	rig_open(&rig, CLOCK_MODE_SIMULATED);
	rig.rules = (struct access_rules){grants, ARRAY_LEN(grants)};
	rig_set_org(&rig, "fabrikam");
	cr_assert_eq(rig_import(&rig, "fabrikam", "g-1"), 1);
}

static void tear_down(void)
{
	rig_close(&rig);
}

TestSuite(holds, .init = set_up, .fini = tear_down);

static void hold(const char *method, const char *name)
{
	rig_call(&rig, method, "{'accounts': [{'uid': 1}], 'hold': '%s'}", name);
	cr_assert_not(rig.failed);
}

static void hold_until(const char *name, instant_t until)
{
	rig_call(&rig, "hold.add", "{'accounts': [{'uid': 1}], 'hold': '%s', 'until_us': %lld}",
		 name, (long long)until);
	cr_assert_not(rig.failed);
}

static bool outcome_is(const char *code)
{
	return rig_is(&rig, "items.0.outcome", code);
}

static uint32_t n_holds(void)
{
	rig_call(&rig, "hold.list", "{'uid': 1}");
	cr_assert(rig_is(&rig, "outcome", "ok"));
	return rig_count(&rig, "holds");
}

static enum account_state state(void)
{
	struct account account = rig_row(&rig, 1);

	return lifecycle_state(&account.facts, rig_now(&rig));
}

static void pass(span_t span)
{
	rig_advance(&rig, span);
	rig_idle(&rig);
}

/* Add, remove, list */

Test(holds, one_is_listed_with_its_reason_and_its_end)
{
	instant_t until = RIG_BEGIN + SPAN_DAY;

	rig_call(&rig, "hold.add",
		 "{'accounts': [{'uid': 1}], 'hold': 'case-7', 'reason': 'court order',"
		 " 'until_us': %lld}",
		 (long long)until);
	cr_assert(outcome_is("ok"));
	cr_assert_eq(n_holds(), 1);
	cr_assert(rig_is(&rig, "holds.0.hold", "case-7"));
	cr_assert(rig_is(&rig, "holds.0.reason", "court order"));
	cr_assert_eq(rig_number(&rig, "holds.0.added_at_us"), RIG_BEGIN);
	cr_assert_eq(rig_number(&rig, "holds.0.until_us"), until);
}

Test(holds, one_without_an_end_has_none)
{
	hold("hold.add", "case-7");
	cr_assert_eq(n_holds(), 1);
	cr_assert_not(rig_has(&rig, "holds.0.until_us"));
	cr_assert_not(rig_has(&rig, "holds.0.reason"));
	rig_call(&rig, "account.get", "{'uid': 1}");
	cr_assert(rig_true(&rig, "account.held"));
	cr_assert_not(rig_has(&rig, "account.held_until_us"));
}

Test(holds, each_stands_under_its_own_name_once)
{
	hold("hold.add", "case-7");
	hold("hold.add", "case-7");
	cr_assert(outcome_is("hold-exists"));
	hold("hold.add", "Case-7");
	cr_assert(outcome_is("ok"));
	cr_assert_eq(n_holds(), 2);
	hold("hold.remove", "case-8");
	cr_assert(outcome_is("hold-not-found"));
	hold("hold.remove", "case-7");
	cr_assert(outcome_is("ok"));
	hold("hold.remove", "case-7");
	cr_assert(outcome_is("hold-not-found"));
	cr_assert_eq(n_holds(), 1);
}

Test(holds, one_that_would_end_in_the_past_is_refused)
{
	rig_call(&rig, "hold.add", "{'accounts': [{'uid': 1}], 'hold': 'x', 'until_us': %lld}",
		 (long long)RIG_BEGIN);
	cr_assert(rig_refused(&rig, "invalid-argument", "until_us"));
}

Test(holds, an_account_has_as_many_as_are_kept)
{
	char name[32];

	for (int i = 0; i < MODEL_HOLDS_MAX; ++i) {
		(void)snprintf(name, sizeof(name), "case-%d", i);
		hold("hold.add", name);
		cr_assert(outcome_is("ok"));
	}
	hold("hold.add", "one-more");
	cr_assert(outcome_is("too-many-holds"));
	cr_assert_eq(n_holds(), MODEL_HOLDS_MAX);
	hold("hold.remove", "case-0");
	hold("hold.add", "one-more");
	cr_assert(outcome_is("ok"));
}

Test(holds, one_that_has_ended_stands_no_more_and_makes_room)
{
	char name[32];

	for (int i = 0; i < MODEL_HOLDS_MAX; ++i) {
		(void)snprintf(name, sizeof(name), "case-%d", i);
		hold_until(name, RIG_BEGIN + SPAN_DAY);
	}
	rig_advance(&rig, SPAN_DAY - 1);
	cr_assert_eq(n_holds(), MODEL_HOLDS_MAX);
	rig_advance(&rig, 1);
	cr_assert_eq(n_holds(), 0);
	hold("hold.remove", "case-0");
	cr_assert(outcome_is("hold-not-found"));
	hold("hold.add", "case-0");
	cr_assert(outcome_is("ok"));
	cr_assert_eq(n_holds(), 1);
	rig_call(&rig, "account.get", "{'uid': 1}");
	cr_assert_not(rig_has(&rig, "account.held_until_us"));
}

Test(holds, they_are_there_after_a_stop_and_after_a_kill)
{
	hold("hold.add", "case-7");
	rig_restart(&rig);
	cr_assert_eq(n_holds(), 1);
	rig_reopen(&rig);
	cr_assert_eq(n_holds(), 1);
	cr_assert_eq(store_counts(rig.engine->store)->n_held, 1);
}

Test(holds, they_are_kept_to_the_administrators_organizations)
{
	rig.session.peer = (struct access_peer){.uid = NARROW, .gid = NARROW};
	hold("hold.add", "case-7");
	cr_assert(outcome_is("permission-denied"));
	rig_call(&rig, "hold.list", "{'uid': 1}");
	cr_assert(rig_is(&rig, "outcome", "permission-denied"));
	rig.session.peer = (struct access_peer){.uid = PORTAL, .gid = PORTAL};
	rig_call(&rig, "hold.list", "{'uid': 1}");
	cr_assert(rig_refused(&rig, "permission-denied", "admin"));
}

Test(holds, what_they_are_called_and_why_is_sealed)
{
	cleanup(freep) char *place = temp_path_new(rig.directory, "store/data.mdb");
	struct slice bytes;

	rig_call(&rig, "hold.add",
		 "{'accounts': [{'uid': 1}], 'hold': 'canary-name', 'reason': 'canary-reason'}");
	cr_assert(outcome_is("ok"));
	rig_reopen(&rig);
	bytes = temp_file_read(place);
	cr_assert_null(memmem(bytes.data, bytes.len, "canary", strlen("canary")));
	free((void *)bytes.data);
}

/* What they hold back */

Test(holds, a_window_that_ends_under_a_hold_starts_nothing_and_restores_nobody)
{
	hold("hold.add", "case-7");
	rig_change(&rig, "account.remove", 1);
	pass(100 * SPAN_DAY);
	cr_assert_eq(state(), ACCOUNT_STATE_SOFT_DELETED);
	rig_call(&rig, "account.restore", "{'accounts': [{'uid': 1}]}");
	cr_assert(outcome_is("window-ended"));
	rig_call(&rig, "account.purge", "{'accounts': [{'uid': 1}]}");
	cr_assert(outcome_is("held"));
}

Test(holds, a_removal_that_waited_starts_at_the_release_of_the_last_with_its_whole_time)
{
	hold("hold.add", "a");
	hold("hold.add", "b");
	rig_change(&rig, "account.remove", 1);
	pass(100 * SPAN_DAY);
	hold("hold.remove", "a");
	cr_assert(rig_is(&rig, "items.0.state", "soft-deleted"));
	hold("hold.remove", "b");
	cr_assert(rig_is(&rig, "items.0.state", "removing"));
	cr_assert_eq(rig_number(&rig, "items.0.removal_started_us"), RIG_BEGIN + 100 * SPAN_DAY);
	cr_assert_eq(rig_number(&rig, "items.0.removal_due_us"), RIG_BEGIN + 130 * SPAN_DAY);
	rig_idle(&rig);
	cr_assert_eq(state(), ACCOUNT_STATE_REMOVED);
}

Test(holds, a_removal_starts_by_itself_at_the_instant_the_longest_ends)
{
	rig_set_keeper(&rig, "crm");
	hold_until("a", RIG_BEGIN + 40 * SPAN_DAY);
	hold_until("b", RIG_BEGIN + 50 * SPAN_DAY);
	rig_change(&rig, "account.remove", 1);
	pass(50 * SPAN_DAY - 1);
	cr_assert_eq(state(), ACCOUNT_STATE_SOFT_DELETED);
	cr_assert_eq(rig_row(&rig, 1).facts.removal_started_at, INSTANT_NONE);
	pass(1);
	cr_assert_eq(state(), ACCOUNT_STATE_REMOVING);
	cr_assert_eq(rig_row(&rig, 1).facts.removal_started_at, RIG_BEGIN + 50 * SPAN_DAY);
}

Test(holds, removing_the_longest_leaves_the_next)
{
	hold_until("a", RIG_BEGIN + 40 * SPAN_DAY);
	hold("hold.add", "b");
	hold("hold.remove", "b");
	rig_call(&rig, "account.get", "{'uid': 1}");
	cr_assert(rig_true(&rig, "account.held"));
	cr_assert_eq(rig_number(&rig, "account.held_until_us"), RIG_BEGIN + 40 * SPAN_DAY);
	hold("hold.remove", "a");
	rig_call(&rig, "account.get", "{'uid': 1}");
	cr_assert_not(rig_has(&rig, "account.held"));
}

Test(holds, one_that_ends_within_the_window_changes_nothing)
{
	hold_until("a", RIG_BEGIN + SPAN_DAY);
	rig_change(&rig, "account.remove", 1);
	pass(2 * SPAN_DAY);
	rig_change(&rig, "account.restore", 1);
	cr_assert_eq(state(), ACCOUNT_STATE_ACTIVE);
}

Test(holds, an_account_that_is_restored_keeps_its_hold)
{
	hold("hold.add", "case-7");
	rig_change(&rig, "account.remove", 1);
	rig_change(&rig, "account.restore", 1);
	cr_assert_eq(n_holds(), 1);
	rig_call(&rig, "account.get", "{'uid': 1}");
	cr_assert(rig_true(&rig, "account.held"));
}

Test(holds, a_direct_connect_user_under_a_hold_waits_as_well)
{
	rig_call(&rig, "account.import",
		 "{'accounts': [{'org': 'fabrikam', 'id': 'd-1', 'kind': 'b2b-direct-connect',"
		 " 'upn': 'd-1@home.example'}]}");
	rig_call(&rig, "hold.add", "{'accounts': [{'uid': 2}], 'hold': 'x'}");
	rig_change(&rig, "account.remove", 2);
	cr_assert(rig_is(&rig, "items.0.state", "soft-deleted"));
	pass(SPAN_DAY);
	rig_call(&rig, "hold.remove", "{'accounts': [{'uid': 2}], 'hold': 'x'}");
	cr_assert(rig_is(&rig, "items.0.state", "removing"));
}

Test(holds, no_hold_stops_a_removal_that_has_started)
{
	rig_set_keeper(&rig, "crm");
	rig_change(&rig, "account.remove", 1);
	pass(30 * SPAN_DAY);
	hold("hold.add", "case-7");
	cr_assert(outcome_is("irrevocable"));
	rig_call(&rig, "keeper.waive",
		 "{'keeper': 'crm', 'accounts': [{'uid': 1}], 'reason': 'gone'}");
	rig_idle(&rig);
	hold("hold.add", "case-7");
	cr_assert(outcome_is("not-found"));
	hold("hold.remove", "case-7");
	cr_assert(outcome_is("not-found"));
	cr_assert_eq(n_holds(), 0);
}

Test(holds, a_hold_comes_too_late_at_the_very_instant_the_window_ends)
{
	rig_call(&rig, "sweep.pause", "{}");
	rig_change(&rig, "account.remove", 1);
	rig_advance(&rig, 30 * SPAN_DAY - 1);
	hold("hold.add", "in-time");
	cr_assert(outcome_is("ok"));
	hold("hold.remove", "in-time");
	rig_advance(&rig, 1);
	hold("hold.add", "too-late");
	cr_assert(outcome_is("irrevocable"));
}

Test(holds, they_are_erased_with_the_account)
{
	hold_until("case-7", RIG_BEGIN + SPAN_DAY);
	rig_change(&rig, "account.remove", 1);
	pass(31 * SPAN_DAY);
	cr_assert_eq(state(), ACCOUNT_STATE_REMOVED);
	cr_assert_eq(n_holds(), 0);
}

Test(holds, the_ledger_says_that_they_came_and_went)
{
	hold("hold.add", "case-7");
	hold("hold.remove", "case-7");
	rig_call(&rig, "account.explain", "{'uid': 1}");
	cr_assert(rig_is(&rig, "history.1.event", "hold-added"));
	cr_assert(rig_is(&rig, "history.2.event", "hold-removed"));
}

Test(holds, they_are_counted_until_they_are_released)
{
	const struct store_counts *counts = store_counts(rig.engine->store);

	hold("hold.add", "a");
	hold("hold.add", "b");
	cr_assert_eq(counts->n_held, 1);
	hold("hold.remove", "a");
	cr_assert_eq(counts->n_held, 1);
	hold("hold.remove", "b");
	cr_assert_eq(counts->n_held, 0);
}

/* Damage */

Test(holds, a_damaged_hold_is_refused_and_never_taken_for_none)
{
	static const uint8_t hash[ROWS_HASH_LEN] = {1};
	static const struct slice rows[] = {
		SLICE_LITERAL(""), SLICE_LITERAL("rubbish"),
		SLICE_LITERAL(
			"rubbish that is as long as something that was sealed would be, or longer")};

	hold("hold.add", "case-7");
	rig_change(&rig, "account.remove", 1);
	for (size_t i = 0; i < ARRAY_LEN(rows); ++i) {
		rig_tamper(&rig, KV_HOLDS, key_hold(1, hash), rows[i]);
		hold("hold.remove", "case-7");
		cr_assert(outcome_is("damaged"));
		hold("hold.add", "case-8");
		cr_assert(outcome_is("damaged"));
		rig_call(&rig, "hold.list", "{'uid': 1}");
		cr_assert(rig_refused(&rig, "damaged", "hold"));
		pass(40 * SPAN_DAY);
		cr_assert_eq(state(), ACCOUNT_STATE_SOFT_DELETED);
	}
}

Test(holds, a_key_of_another_length_is_damage)
{
	struct key key = key_u64(1);

	key_add_bytes(&key, "short", 5);
	rig_tamper(&rig, KV_HOLDS, key, SLICE_LITERAL("x"));
	rig_call(&rig, "hold.list", "{'uid': 1}");
	cr_assert(rig_refused(&rig, "damaged", "hold"));
}
