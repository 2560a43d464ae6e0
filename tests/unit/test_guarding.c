/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/work/guarding.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "daemon/store/staged.h"
#include "daemon/work/log.h"

#include "tests/support/rig.h"
#include "tests/support/temp.h"

/*
 * The mass guard of fabrikam, which lets 3 accounts pass; uids 1 to 10 are its guests. Of contoso the
 * guard is as it is at first.
 */

#define GUESTS 10

static struct rig rig;
static uint32_t n_critical;

static void count_critical(enum log_level level, unused const char *text,
			   unused const struct log_field *fields, unused size_t n_fields)
{
	n_critical += level == LOG_LEVEL_CRITICAL;
}

static void set_up(void)
{
	rig_open(&rig, CLOCK_MODE_SIMULATED);
	rig_set_org(&rig, "fabrikam");
	rig_set_org(&rig, "contoso");
	rig_call(&rig, "org.set",
		 "{'org': 'fabrikam', 'guard_min': 3, 'guard_percent': 1, 'window_us': %lld}",
		 (long long)(2 * SPAN_DAY));
	for (int i = 1; i <= GUESTS; i++) {
		char id[16];

		(void)snprintf(id, sizeof(id), "g-%d", i);
		cr_assert_eq(rig_import(&rig, "fabrikam", id), (uint64_t)i);
	}
	log_set_sink(count_critical);
	n_critical = 0;
}

static void tear_down(void)
{
	rig_close(&rig);
}

TestSuite(guarding, .init = set_up, .fini = tear_down);

/* One command on guests @from to @to. */
static void ask(const char *method, int from, int to, const char *more)
{
	char items[512] = "";
	size_t len = 0;

	for (int uid = from; uid <= to; uid++) {
		len += (size_t)snprintf(items + len, sizeof(items) - len, "%s{'uid': %d}",
					uid > from ? ", " : "", uid);
	}
	rig_call(&rig, method, "{'accounts': [%s]%s}", items, more);
	cr_assert_not(rig.failed);
}

static bool told(int item, const char *outcome)
{
	char path[32];

	(void)snprintf(path, sizeof(path), "items.%d.outcome", item);
	return rig_is(&rig, path, outcome);
}

static enum account_state state(uint64_t uid)
{
	struct account account = rig_row(&rig, uid);

	return lifecycle_state(&account.facts, rig_now(&rig));
}

static bool is_gone(uint64_t uid)
{
	return rig_row(&rig, uid).facts.deleted_at != INSTANT_NONE;
}

static int64_t guard_of(const char *path)
{
	char whole[64];

	rig_call(&rig, "guard.list", "{'org': 'fabrikam'}");
	(void)snprintf(whole, sizeof(whole), "guards.0.%s", path);
	return rig_number(&rig, whole);
}

static void release(int expect, const char *more)
{
	rig_call(&rig, "guard.release", "{'guard': 'mass', 'org': 'fabrikam', 'expect': %d%s}",
		 expect, more);
}

static bool is_staged(uint64_t uid)
{
	struct account account = rig_row(&rig, uid);
	struct staged staged;

	return store_get_staged(rig.engine->store, &account, &staged) == 0;
}

/* Commands */

Test(guarding, what_goes_beyond_the_limit_is_staged_and_each_item_says_so)
{
	ask("account.remove", 1, 5, "");
	cr_expect(told(2, "ok"));
	cr_expect(rig_is(&rig, "items.2.state", "soft-deleted"));
	cr_expect(told(3, "staged"));
	cr_expect(rig_is(&rig, "items.3.reasons.0", "staged"));
	cr_expect(rig_is(&rig, "items.3.state", "active"));
	cr_expect(rig_has(&rig, "items.3.contact.privacy_contact"));
	cr_expect(told(4, "staged"));
	cr_expect_not(is_gone(4));
	cr_expect_eq(n_critical, 1, "said once");
}

Test(guarding, other_organizations_are_not_concerned)
{
	uint64_t uid = rig_import(&rig, "contoso", "c-1");

	ask("account.remove", 1, 4, "");
	ask("account.remove", (int)uid, (int)uid, "");
	cr_expect(told(0, "ok"));
}

Test(guarding, a_person_who_leaves_an_engaged_organization_waits_too)
{
	ask("account.remove", 1, 4, "");
	rig_advance(&rig, 40 * SPAN_DAY);
	ask("account.leave", 5, 5, ", 'reason': 'I quit'");
	cr_expect(told(0, "staged"));
	release(2, "");
	cr_assert_not(rig.failed);
	rig_idle(&rig);
	cr_expect_eq(rig_row(&rig, 5).facts.deleted_at, rig_now(&rig), "at the time of that");
	rig_call(&rig, "account.explain", "{'uid': 5}");
	cr_expect(rig_is(&rig, "history.1.event", "staged"));
	cr_expect(rig_is(&rig, "history.1.reason", "I quit"));
	cr_expect(rig_is(&rig, "history.2.event", "guard-released"));
	cr_expect(rig_is(&rig, "history.3.event", "left"));
	cr_expect(rig_is(&rig, "history.3.reason", "I quit"));
}

Test(guarding, the_same_account_is_staged_once)
{
	ask("account.remove", 1, 4, "");
	ask("account.remove", 4, 4, "");
	cr_expect(told(0, "staged"));
	ask("account.leave", 4, 4, "");
	cr_expect(told(0, "staged"));
	cr_expect_eq(guard_of("staged"), 1);
}

Test(guarding, purges_are_counted_for_themselves)
{
	rig_call(&rig, "org.set", "{'org': 'fabrikam', 'guard_min': 6}");
	ask("account.remove", 1, 6, "");
	rig_call(&rig, "org.set", "{'org': 'fabrikam', 'guard_min': 3}");
	ask("account.purge", 1, 6, "");
	cr_expect(told(2, "ok"));
	cr_expect(told(3, "staged"));
	cr_expect(rig_is(&rig, "items.3.state", "soft-deleted"));
	cr_expect_eq(guard_of("purges_staged"), 3);
	cr_expect_eq(guard_of("soft_deletions_staged"), 0);
}

Test(guarding, a_direct_connect_user_who_leaves_is_counted_as_purged)
{
	rig_call(
		&rig, "account.import",
		"{'accounts': [{'org': 'fabrikam', 'id': 'd', 'kind': 'b2b-direct-connect', 'upn': "
		"'d@x.example'}]}");
	ask("account.leave", GUESTS + 1, GUESTS + 1, "");
	cr_expect(told(0, "ok"));
	cr_expect_eq(guard_of("purges"), 1);
	cr_expect_eq(guard_of("soft_deletions"), 0);
}

Test(guarding, accounts_imported_as_deleted_do_not_count)
{
	for (int i = 0; i < 5; i++) {
		rig_call(&rig, "account.import",
			 "{'accounts': [{'org': 'fabrikam', 'id': 'x-%d', 'kind': 'member', 'upn': "
			 "'x-%d@x.example', 'deleted_at_us': %lld}]}",
			 i, i, (long long)rig_now(&rig));
		cr_expect(told(0, "ok"));
	}
	cr_expect_eq(guard_of("soft_deletions"), 0);
}

Test(guarding, a_directory_that_deletes_many_is_stopped)
{
	ask("account.remove", 1, 3, "");
	rig_call(
		&rig, "account.import",
		"{'accounts': [{'org': 'fabrikam', 'id': 'g-4', 'kind': 'b2b-collaboration', 'upn': "
		"'g-4@home.example', 'deleted_at_us': %lld}]}",
		(long long)rig_now(&rig));
	cr_expect(told(0, "staged"));
	cr_expect_not(rig_has(&rig, "items.0.change"));
	cr_expect_not(is_gone(4));
	cr_expect(is_staged(4));
}

Test(guarding, a_profile_is_brought_up_to_date_and_told_so_though_the_deletion_waits)
{
	ask("account.remove", 1, 3, "");
	for (int dry = 1; dry >= 0; dry--) {
		rig_call(&rig, "account.import",
			 "{'accounts': [{'org': 'fabrikam', 'id': 'g-4', 'kind': "
			 "'b2b-collaboration', 'upn': 'other@home.example', 'deleted_at_us': "
			 "%lld}], 'dry_run': %s}",
			 (long long)rig_now(&rig), dry ? "true" : "false");
		cr_expect(told(0, "staged"));
		cr_expect(rig_is(&rig, "items.0.change", "updated"));
		cr_expect(rig_is(&rig, "items.0.state", "active"));
	}
	cr_expect(is_staged(4));
	rig_call(&rig, "account.get", "{'uid': 4}");
	cr_expect(rig_is(&rig, "account.upn", "other@home.example"));
}

Test(guarding, an_approved_request_stays_approved_while_its_removal_waits)
{
	rig_call(&rig, "request.file", "{'accounts': [{'uid': 4}]}");
	ask("account.remove", 1, 3, "");
	rig_call(&rig, "request.approve", "{'requests': [{'request': 1}]}");
	cr_expect(told(0, "staged"));
	cr_expect_not(is_gone(4));
	rig_call(&rig, "request.approve", "{'requests': [{'request': 1}]}");
	cr_expect(told(0, "already-decided"));
	release(1, "");
	rig_idle(&rig);
	cr_expect(is_gone(4));
}

Test(guarding, a_dry_run_says_what_would_be_staged_and_stages_nothing)
{
	ask("account.remove", 1, 5, ", 'dry_run': true");
	cr_expect(told(2, "ok"));
	cr_expect(told(3, "staged"));
	cr_expect_eq(guard_of("staged"), 0);
	cr_expect_eq(guard_of("soft_deletions_left"), 3);
	ask("account.remove", 1, 3, ", 'dry_run': true");
	cr_expect(told(2, "ok"), "each counts for itself");
}

Test(guarding, the_limit_can_be_switched_off)
{
	rig_unguard(&rig, "fabrikam");
	ask("account.remove", 1, 10, "");
	cr_expect(told(9, "ok"));
	cr_expect_not(rig_has(&rig, "guards.0.soft_deletions_limit"));
}

Test(guarding, a_day_later_as_many_pass_again)
{
	ask("account.remove", 1, 3, "");
	rig_advance(&rig, 25 * SPAN_HOUR);
	ask("account.remove", 4, 6, "");
	cr_expect(told(2, "ok"));
}

/* What else happens to an account */

Test(guarding, a_staged_purge_is_forgotten_when_the_account_is_restored)
{
	ask("account.remove", 1, 3, "");
	rig_call(&rig, "org.set", "{'org': 'fabrikam', 'guard_min': 1}");
	ask("account.purge", 1, 2, "");
	cr_expect(told(1, "staged"));
	ask("account.restore", 2, 2, "");
	cr_expect(told(0, "ok"));
	cr_expect_not(is_staged(2));
	rig_call(&rig, "guard.list", "{'org': 'fabrikam', 'engaged': true}");
	cr_expect_eq(rig_count(&rig, "guards"), 0, "nothing is held back any more");
}

Test(guarding, a_staged_removal_survives_what_does_not_concern_it)
{
	ask("account.remove", 1, 4, "");
	ask("account.disable", 4, 4, "");
	ask("hold.add", 4, 4, ", 'hold': 'case-7'");
	ask("account.restore", 4, 4, "");
	cr_expect(told(0, "not-soft-deleted"));
	cr_expect(is_staged(4));
}

Test(guarding, who_asks_for_an_account_is_told_what_is_held_back)
{
	ask("account.leave", 1, 4, "");
	rig_call(&rig, "account.get", "{'uid': 4}");
	cr_expect(rig_is(&rig, "account.staged", "leave"));
	cr_expect_eq(rig_number(&rig, "account.staged_us"), rig_now(&rig));
	rig_call(&rig, "account.list", "{'staged': true}");
	cr_expect_eq(rig_count(&rig, "accounts"), 1);
	cr_expect_eq(rig_number(&rig, "accounts.0.uid"), 4);
	rig_call(&rig, "account.list", "{'staged': true, 'org': 'contoso'}");
	cr_expect_eq(rig_count(&rig, "accounts"), 0);
	rig_call(&rig, "stats.get", "{}");
	cr_expect_eq(rig_number(&rig, "guards.mass_engaged"), 1);
	cr_expect_eq(rig_number(&rig, "guards.mass_staged"), 1);
	cr_expect_eq(rig_number(&rig, "guards.mass_since_us"), rig_now(&rig));
}

Test(guarding, a_list_of_what_is_held_back_has_pages)
{
	ask("account.remove", 1, 6, "");
	rig_call(&rig, "account.list", "{'staged': true, 'limit': 2}");
	cr_expect_eq(rig_number(&rig, "accounts.1.uid"), 5);
	{
		cleanup(freep) char *cursor = rig_text(&rig, "cursor");

		rig_call(&rig, "account.list", "{'staged': true, 'limit': 2, 'cursor': '%s'}",
			 cursor);
	}
	cr_expect_eq(rig_count(&rig, "accounts"), 1);
	cr_expect_eq(rig_number(&rig, "accounts.0.uid"), 6);
}

/* Decisions */

Test(guarding, a_release_carries_out_all_that_was_staged)
{
	ask("account.remove", 1, 6, "");
	rig_advance(&rig, SPAN_HOUR);
	release(3, "");
	cr_expect_eq(rig_number(&rig, "count"), 3);
	rig_idle(&rig);
	for (uint64_t uid = 4; uid <= 6; uid++) {
		cr_expect_eq(rig_row(&rig, uid).facts.deleted_at, rig_now(&rig));
	}
	cr_expect_eq(guard_of("staged"), 0);
	cr_expect_eq(guard_of("deciding"), 0);
	cr_expect_eq(guard_of("soft_deletions"), 6);
	ask("account.remove", 7, 7, "");
	cr_expect(told(0, "staged"), "and no more than that");
}

Test(guarding, a_release_of_another_count_is_refused_with_the_true_one)
{
	ask("account.remove", 1, 6, "");
	release(2, "");
	cr_expect(rig_refused(&rig, "guard-count", "holds 3 accounts back now, not 2"));
	release(4, "");
	cr_expect(rig_refused(&rig, "guard-count", "holds 3 accounts back now, not 4"));
	rig_idle(&rig);
	cr_expect_not(is_gone(4));
}

Test(guarding, a_release_names_organization_and_count)
{
	rig_call(&rig, "guard.release", "{'guard': 'mass', 'expect': 1}");
	cr_expect(rig_refused(&rig, "invalid-argument", "org"));
	rig_call(&rig, "guard.release", "{'guard': 'mass', 'org': 'fabrikam'}");
	cr_expect(rig_refused(&rig, "invalid-argument", "expect"));
	rig_call(&rig, "guard.release", "{'guard': 'mass', 'org': 'adatum', 'expect': 1}");
	cr_expect(rig_refused(&rig, "org-not-found", "adatum"));
	release(1, "");
	cr_expect(rig_refused(&rig, "guard-count", "not engaged"));
}

Test(guarding, a_release_can_be_tried)
{
	ask("account.remove", 1, 6, "");
	release(3, ", 'dry_run': true");
	cr_expect_eq(rig_number(&rig, "count"), 3);
	cr_expect(rig_true(&rig, "released"));
	rig_idle(&rig);
	cr_expect_not(is_gone(4));
	release(3, "");
	cr_expect_not(rig.failed);
}

Test(guarding, what_is_discarded_is_never_carried_out)
{
	ask("account.remove", 1, 6, "");
	release(3, ", 'discard': true");
	cr_expect(rig_true(&rig, "discarded"));
	cr_expect_not(rig_true(&rig, "released"));
	rig_idle(&rig);
	cr_expect_not(is_gone(4));
	cr_expect_not(is_staged(4));
	cr_expect_eq(guard_of("deciding"), 0);
	rig_call(&rig, "account.explain", "{'uid': 4}");
	cr_expect(rig_is(&rig, "history.3.event", "discarded"));
	cr_expect(rig_is(&rig, "history.3.role", "admin"));
}

Test(guarding, a_purge_that_is_held_when_it_is_released_is_blocked)
{
	ask("account.remove", 1, 3, "");
	rig_call(&rig, "org.set", "{'org': 'fabrikam', 'guard_min': 1}");
	ask("account.purge", 1, 2, "");
	ask("hold.add", 2, 2, ", 'hold': 'case-7'");
	release(1, "");
	rig_idle(&rig);
	cr_expect_eq(state(2), ACCOUNT_STATE_SOFT_DELETED);
	cr_expect_not(is_staged(2));
	cr_expect_eq(guard_of("deciding"), 0);
}

Test(guarding, the_ledger_says_who_released_how_many)
{
	uint64_t head;

	ask("account.remove", 1, 6, "");
	head = rig_head(&rig);
	release(3, "");
	rig_call(&rig, "ledger.read", "{'from': %llu}", (unsigned long long)head + 1);
	cr_expect(rig_is(&rig, "entries.0.event", "guard-released"));
	cr_expect(rig_is(&rig, "entries.0.org", "fabrikam"));
	cr_expect_eq(rig_number(&rig, "entries.0.count"), 3);
	rig_call(&rig, "ledger.verify", "{}");
	cr_expect(rig_true(&rig, "ok"));
}

/* The sweep */

/* The windows of guests @from to @to have ended. */
static void let_windows_end(int from, int to)
{
	rig_unguard(&rig, "fabrikam");
	ask("account.remove", from, to, "");
	rig_call(&rig, "org.set", "{'org': 'fabrikam', 'guard_percent': 1}");
	rig_advance(&rig, 2 * SPAN_DAY);
	rig_idle(&rig);
}

static bool is_started(uint64_t uid)
{
	return rig_row(&rig, uid).facts.removal_started_at != INSTANT_NONE;
}

Test(guarding, removals_beyond_the_limit_wait_and_nobody_is_restored)
{
	let_windows_end(1, 6);
	cr_expect(is_started(3));
	cr_expect_not(is_started(4));
	cr_expect_eq(guard_of("removals_staged"), 3);
	cr_expect_eq(n_critical, 1);
	ask("account.restore", 4, 4, "");
	cr_expect(told(0, "irrevocable"));
	rig_call(&rig, "account.explain", "{'uid': 4}");
	cr_expect(rig_is(&rig, "next.action", "await-guard"));
	cr_expect(rig_is(&rig, "account.staged", "removal"));
}

Test(guarding, removals_that_wait_go_on_waiting_however_much_time_goes_by)
{
	let_windows_end(1, 6);
	rig_advance(&rig, 30 * SPAN_DAY);
	rig_idle(&rig);
	cr_expect_not(is_started(4));
	cr_expect_eq(guard_of("removals_staged"), 3);
}

Test(guarding, a_sweep_does_not_walk_what_waits_again)
{
	struct due_position front;

	let_windows_end(1, 6);
	front = sweep_front(&rig.engine->sweep);
	cr_expect_eq(front.uid, 6);
	rig_call(&rig, "stats.get", "{}");
	cr_expect_eq(rig_number(&rig, "due_now"), 0);
}

Test(guarding, a_release_lets_exactly_the_waiting_removals_start)
{
	let_windows_end(1, 6);
	release(3, "");
	cr_assert_not(rig.failed);
	rig_idle(&rig);
	cr_expect(is_started(6));
	cr_expect(rig_is_removed(&rig, 6));
	cr_expect_eq(guard_of("removals_staged"), 0);
	ask("account.remove", 7, 7, "");
	rig_advance(&rig, 23 * SPAN_HOUR);
	cr_expect_eq(guard_of("removals_left"), 0);
}

Test(guarding, removals_by_time_cannot_be_discarded)
{
	let_windows_end(1, 6);
	release(3, ", 'discard': true");
	cr_expect(rig_refused(&rig, "guard-count", "3 removals whose time has come"));
}

Test(guarding, what_falls_due_before_what_waits_is_done_all_the_same)
{
	let_windows_end(1, 6);
	for (int i = 0; i < 3; i++) {
		rig_call(
			&rig, "account.import",
			"{'accounts': [{'org': 'contoso', 'id': 'old-%d', 'kind': 'member', 'upn': "
			"'o-%d@x.example', 'deleted_at_us': %lld}]}",
			i, i, (long long)(rig_now(&rig) - 40 * SPAN_DAY));
		cr_assert(told(0, "ok"));
	}
	rig_idle(&rig);
	cr_expect(rig_is_removed(&rig, GUESTS + 1));
	cr_expect(rig_is_removed(&rig, GUESTS + 3));
	cr_expect_eq(guard_of("removals_staged"), 3);
}

Test(guarding, more_than_can_be_named_before_what_waits_is_found_by_a_walk)
{
	let_windows_end(1, 6);
	rig_unguard(&rig, "contoso");
	for (int i = 0; i < 1100; i++) {
		rig_begin(&rig);
		for (int j = 0; j < 100 && i < 1100; j++, i++) {
			rig_send(
				&rig, "account.import",
				"{'accounts': [{'org': 'contoso', 'id': 'old-%d', 'kind': 'member', "
				"'upn': 'o-%d@x.example', 'deleted_at_us': %lld}]}",
				i, i, (long long)(rig_now(&rig) - 40 * SPAN_DAY));
		}
		i--;
		rig.engine->sweep.paused = true; /* nothing is taken meanwhile */
		rig_end(&rig);
	}
	rig.engine->sweep.paused = false;
	rig_idle(&rig);
	cr_expect(rig_is_removed(&rig, GUESTS + 1100));
	cr_expect_eq(guard_of("removals_staged"), 3);
}

Test(guarding, a_guard_that_is_switched_off_lets_removals_start)
{
	let_windows_end(1, 6);
	rig_unguard(&rig, "fabrikam");
	rig_idle(&rig);
	cr_expect(is_started(6));
	rig_call(&rig, "guard.list", "{'org': 'fabrikam', 'engaged': true}");
	cr_expect_eq(rig_count(&rig, "guards"), 0);
}

/* Restarts */

Test(guarding, a_kill_resets_nothing)
{
	ask("account.remove", 1, 2, "");
	rig_restart(&rig);
	ask("account.remove", 3, 4, "");
	cr_expect(told(0, "ok"));
	cr_expect(told(1, "staged"));
	rig_restart(&rig);
	cr_expect_eq(guard_of("staged"), 1);
	cr_expect_eq(guard_of("soft_deletions"), 3);
	ask("account.remove", 5, 5, "");
	cr_expect(told(0, "staged"));
}

Test(guarding, what_is_settled_stays_counted_and_is_not_counted_twice)
{
	ask("account.remove", 1, 2, "");
	rig_reopen(&rig);
	cr_expect_eq(guard_of("soft_deletions"), 2);
	ask("account.remove", 3, 3, "");
	rig_restart(&rig);
	rig_reopen(&rig);
	cr_expect_eq(guard_of("soft_deletions"), 3);
	cr_expect_eq(guard_of("accounts"), GUESTS);
	ask("account.remove", 4, 4, "");
	cr_expect(told(0, "staged"));
}

Test(guarding, a_stop_resets_nothing)
{
	ask("account.remove", 1, 4, "");
	rig_reopen(&rig);
	cr_expect_eq(guard_of("staged"), 1);
	cr_expect_eq(guard_of("soft_deletions"), 3);
	cr_expect_eq(guard_of("accounts"), GUESTS);
}

Test(guarding, a_kill_in_the_middle_of_a_release_finishes_it)
{
	ask("account.remove", 1, 6, "");
	rig_begin(&rig);
	rig_send(&rig, "guard.release", "{'guard': 'mass', 'org': 'fabrikam', 'expect': 3}");
	rig.engine->guarding.busy = false; /* this turn carries nothing out */
	rig_end(&rig);
	cr_assert_not(is_gone(4));
	rig_restart(&rig);
	rig_idle(&rig);
	cr_expect(is_gone(6));
	cr_expect_eq(guard_of("soft_deletions"), 6);
	cr_expect_eq(guard_of("soft_deletions_limit"), 6);
}

Test(guarding, while_a_release_is_carried_out_another_is_refused)
{
	ask("account.remove", 1, 6, "");
	rig_begin(&rig);
	rig_send(&rig, "guard.release", "{'guard': 'mass', 'org': 'fabrikam', 'expect': 3}");
	rig_send(&rig, "account.remove", "{'accounts': [{'uid': 7}]}");
	cr_expect(told(0, "staged"));
	rig_send(&rig, "guard.release", "{'guard': 'mass', 'org': 'fabrikam', 'expect': 1}");
	cr_expect(rig_refused(&rig, "busy", "carried out"));
	rig_end(&rig);
	rig_idle(&rig);
	cr_expect(is_gone(6));
	cr_expect_not(is_gone(7), "it was not there to be seen");
	cr_expect_eq(guard_of("staged"), 1);
}

Test(guarding, a_kill_keeps_removals_waiting)
{
	let_windows_end(1, 6);
	rig_restart(&rig);
	rig_idle(&rig);
	cr_expect_not(is_started(4));
	cr_expect_eq(guard_of("removals_staged"), 3);
}
