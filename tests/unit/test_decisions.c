/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/work/decisions.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "daemon/store/staged.h"
#include "daemon/work/log.h"

#include "tests/support/rig.h"

/*
 * What administrators decide on the mass guard of fabrikam, which lets 3 accounts pass; uids 1 to 10
 * are its guests. Guests 1 to 3 have been removed, so that everything else is staged.
 */

#define GUESTS 10

static struct rig rig;
static uint32_t n_taken_back, n_unreadable;

static void count_lines(enum log_level level, const char *text,
			unused const struct log_field *fields, unused size_t n_fields)
{
	n_taken_back += level == LOG_LEVEL_WARNING && strstr(text, "requests are open again");
	n_unreadable += level == LOG_LEVEL_ERROR && strstr(text, "held back cannot be read");
}

static void set_up(void)
{
	rig_open(&rig, CLOCK_MODE_SIMULATED);
	rig_set_org(&rig, "fabrikam");
	rig_call(&rig, "org.set",
		 "{'org': 'fabrikam', 'guard_min': 3, 'guard_percent': 1, 'window_us': %lld}",
		 (long long)(2 * SPAN_DAY));
	for (int i = 1; i <= GUESTS; i++) {
		char id[16];

		(void)snprintf(id, sizeof(id), "g-%d", i);
		cr_assert_eq(rig_import(&rig, "fabrikam", id), (uint64_t)i);
	}
	rig_call(&rig, "account.remove", "{'accounts': [{'uid': 1}, {'uid': 2}, {'uid': 3}]}");
	log_set_sink(count_lines);
	n_taken_back = n_unreadable = 0;
}

static void tear_down(void)
{
	rig_close(&rig);
}

TestSuite(decisions, .init = set_up, .fini = tear_down);

/* One command on one guest, which the guard holds back. */
static void stage(const char *method, int uid)
{
	rig_call(&rig, method, "{'accounts': [{'uid': %d}], 'reason': 'of %d'}", uid, uid);
	cr_assert(rig_is(&rig, "items.0.outcome", "staged"));
}

static void file(int uid)
{
	rig_call(&rig, "request.file", "{'accounts': [{'uid': %d}]}", uid);
	cr_assert(rig_is(&rig, "items.0.outcome", "ok"));
}

static void approve(int request)
{
	rig_call(&rig, "request.approve", "{'requests': [{'request': %d}]}", request);
	cr_assert(rig_is(&rig, "items.0.outcome", "staged"));
}

static void decide(int expect, const char *more)
{
	rig_call(&rig, "guard.release", "{'guard': 'mass', 'org': 'fabrikam', 'expect': %d%s}",
		 expect, more);
}

/* And carry it out. */
static void decide_all(int expect, const char *more)
{
	decide(expect, more);
	cr_assert_not(rig.failed);
	rig_idle(&rig);
}

#define DISCARD         ", 'discard': true"
#define DISCARD_PERSONS ", 'discard': true, 'include_persons': true"

static bool is_gone(uint64_t uid)
{
	return rig_row(&rig, uid).facts.deleted_at != INSTANT_NONE;
}

static bool is_staged(uint64_t uid)
{
	struct account account = rig_row(&rig, uid);
	struct staged staged;

	return store_get_staged(rig.engine->store, &account, &staged) == 0;
}

static int64_t guard_of(const char *path)
{
	char whole[64];

	rig_call(&rig, "guard.list", "{'org': 'fabrikam'}");
	(void)snprintf(whole, sizeof(whole), "guards.0.%s", path);
	return rig_number(&rig, whole);
}

static bool request_is(const char *state)
{
	rig_call(&rig, "request.list", "{}");
	return rig_is(&rig, "requests.0.state", state);
}

/* The newest entry but @back of an account's history. */
static bool told(uint64_t uid, uint32_t back, const char *key, const char *text)
{
	char path[64];

	rig_call(&rig, "account.explain", "{'uid': %llu}", (unsigned long long)uid);
	(void)snprintf(path, sizeof(path), "history.%u.%s", rig_count(&rig, "history") - 1 - back,
		       key);
	return rig_is(&rig, path, text);
}

static void verify(void)
{
	rig_call(&rig, "ledger.verify", "{'limit': 1000}");
	cr_expect(rig_true(&rig, "ok"));
}

/* What persons asked for */

Test(decisions, what_persons_asked_for_is_not_discarded_with_the_mistake)
{
	file(4);
	approve(1);
	cr_expect(request_is("approved"));
	cr_expect_eq(rig_number(&rig, "requests.0.staged_us"), rig_now(&rig));
	stage("account.leave", 5);
	stage("account.remove", 6);
	cr_expect_eq(guard_of("staged"), 3);
	cr_expect_eq(guard_of("persons"), 2);
	decide_all(1, DISCARD);
	cr_expect(is_staged(4));
	cr_expect(is_staged(5));
	cr_expect_not(is_staged(6));
	cr_expect(request_is("approved"));
	cr_expect_eq(guard_of("staged"), 2);
	cr_expect_eq(guard_of("deciding"), 0);
	cr_expect_eq(n_taken_back, 0);
	decide_all(2, "");
	cr_expect(is_gone(4));
	cr_expect(is_gone(5));
	cr_expect_not(is_gone(6));
	cr_expect_eq(guard_of("persons"), 0);
	cr_expect(request_is("approved"));
	cr_expect_not(rig_has(&rig, "requests.0.staged_us"));
	verify();
}

Test(decisions, a_discard_says_how_many_it_leaves)
{
	stage("account.leave", 5);
	stage("account.remove", 6);
	decide(1, DISCARD ", 'dry_run': true");
	cr_expect_eq(rig_number(&rig, "count"), 1);
	cr_expect_eq(rig_number(&rig, "kept"), 1);
	decide(2, DISCARD_PERSONS ", 'dry_run': true");
	cr_expect_eq(rig_number(&rig, "count"), 2);
	cr_expect_eq(rig_number(&rig, "kept"), 0);
	decide(2, ", 'dry_run': true");
	cr_expect_eq(rig_number(&rig, "kept"), 0);
}

Test(decisions, a_discard_that_counts_persons_is_refused_and_says_how)
{
	stage("account.leave", 5);
	stage("account.remove", 6);
	decide(2, DISCARD);
	cr_expect(rig_refused(&rig, "guard-count",
			      "holds 1 accounts back now that this would discard, not 2: 1 "
			      "soft-deletions and purges, 1 that persons asked for (discarded with "
			      "--include-persons only)"));
	decide(1, DISCARD_PERSONS);
	cr_expect(rig_refused(&rig, "guard-count",
			      "holds 2 accounts back now that this would discard, not 1"));
	decide(2, ", 'include_persons': true");
	cr_expect(rig_refused(&rig, "invalid-argument", "include_persons: goes with discard"));
	rig_call(&rig, "guard.release", "{'guard': 'clock', 'include_persons': true}");
	cr_expect(rig_refused(&rig, "invalid-argument", "include_persons"));
	rig_idle(&rig);
	cr_expect(is_staged(5));
	cr_expect(is_staged(6));
}

Test(decisions, a_request_that_is_discarded_by_name_is_open_again_with_its_deadline)
{
	int64_t due;

	file(4);
	rig_call(&rig, "request.list", "{}");
	due = rig_number(&rig, "requests.0.due_us");
	rig_advance(&rig, SPAN_HOUR);
	approve(1);
	cr_expect_eq(store_counts(rig.engine->store)->n_requests_open, 0);
	rig_advance(&rig, SPAN_HOUR);
	decide_all(1, DISCARD_PERSONS);
	cr_expect_eq(n_taken_back, 1);
	cr_expect(request_is("open"));
	cr_expect_eq(rig_number(&rig, "requests.0.due_us"), due);
	cr_expect_not(rig_has(&rig, "requests.0.decided_at_us"));
	cr_expect_eq(store_counts(rig.engine->store)->n_requests_open, 1);
	cr_expect_not(is_gone(4));
	cr_expect(told(4, 0, "event", "request-reopened"));
	verify();
	approve(1);
	cr_expect(is_staged(4), "the limit has not changed");
}

Test(decisions, a_request_that_is_open_again_becomes_overdue)
{
	file(4);
	approve(1);
	rig_advance(&rig, 31 * SPAN_DAY);
	rig_call(&rig, "stats.get", "{}");
	cr_expect_eq(rig_number(&rig, "requests_overdue"), 0);
	decide_all(1, DISCARD_PERSONS);
	rig_call(&rig, "stats.get", "{}");
	cr_expect_eq(rig_number(&rig, "requests_overdue"), 1);
}

Test(decisions, a_kill_leaves_a_request_open_again)
{
	file(4);
	approve(1);
	decide_all(1, DISCARD_PERSONS);
	rig_restart(&rig);
	cr_expect(request_is("open"));
	cr_expect_eq(rig_row(&rig, 4).open_request, 1);
	verify();
}

Test(decisions, a_kill_keeps_what_persons_asked_for)
{
	stage("account.leave", 5);
	stage("account.remove", 6);
	decide(1, DISCARD);
	rig_restart(&rig);
	rig_idle(&rig);
	cr_expect(is_staged(5));
	cr_expect_not(is_staged(6));
	cr_expect_eq(guard_of("persons"), 1);
	decide_all(1, "");
	cr_expect(is_gone(5));
}

Test(decisions, a_person_who_leaves_behind_an_administrator_is_owed_it)
{
	stage("account.remove", 4);
	stage("account.leave", 4);
	cr_expect_eq(guard_of("staged"), 1);
	cr_expect_eq(guard_of("persons"), 1);
	decide(1, DISCARD);
	cr_expect(rig_refused(&rig, "guard-count", "holds 0 accounts back now"));
	decide_all(1, "");
	cr_expect(told(4, 0, "event", "left"));
	cr_expect(told(4, 0, "reason", "of 4"));
	verify();
}

Test(decisions, an_administrator_does_not_take_a_persons_place)
{
	stage("account.leave", 4);
	stage("account.remove", 4);
	cr_expect_eq(guard_of("staged"), 1);
	cr_expect_eq(guard_of("persons"), 1);
	decide_all(1, "");
	cr_expect(told(4, 0, "event", "left"));
}

Test(decisions, a_request_that_is_approved_behind_an_administrator_is_owed)
{
	stage("account.remove", 4);
	file(4);
	approve(1);
	cr_expect_eq(guard_of("persons"), 1);
	decide_all(1, DISCARD_PERSONS);
	cr_expect(request_is("open"));
}

Test(decisions, a_request_that_is_approved_behind_a_persons_leave_is_open_again_too)
{
	stage("account.leave", 4);
	file(4);
	approve(1);
	cr_expect_eq(guard_of("staged"), 1);
	cr_expect_eq(guard_of("persons"), 1);
	decide_all(1, DISCARD_PERSONS);
	cr_expect(request_is("open"));
	cr_expect_eq(rig_row(&rig, 4).open_request, 1);
}

Test(decisions, a_request_whose_removal_waits_is_not_filed_again)
{
	file(4);
	approve(1);
	rig_call(&rig, "request.file", "{'accounts': [{'uid': 4}]}");
	cr_expect(rig_is(&rig, "items.0.outcome", "already-requested"));
	cr_expect_eq(rig_number(&rig, "items.0.request"), 1);
}

Test(decisions, what_is_asked_while_a_discard_is_carried_out_is_staged_anew)
{
	stage("account.remove", 4);
	rig_begin(&rig);
	rig_send(&rig, "guard.release",
		 "{'guard': 'mass', 'org': 'fabrikam', 'expect': 1" DISCARD "}");
	rig_send(&rig, "account.leave", "{'accounts': [{'uid': 4}]}");
	rig_end(&rig);
	rig_idle(&rig);
	cr_expect(is_staged(4));
	cr_expect_eq(guard_of("staged"), 1);
	cr_expect_eq(guard_of("deciding"), 0);
	decide_all(1, "");
	cr_expect(told(4, 0, "event", "left"));
}

Test(decisions, a_request_that_is_being_discarded_is_open_again_whatever_takes_its_place)
{
	file(4);
	approve(1);
	rig_begin(&rig);
	rig_send(&rig, "guard.release",
		 "{'guard': 'mass', 'org': 'fabrikam', 'expect': 1" DISCARD_PERSONS "}");
	rig_send(&rig, "account.remove", "{'accounts': [{'uid': 4}]}");
	rig_end(&rig);
	rig_idle(&rig);
	cr_expect(request_is("open"));
	cr_expect(is_staged(4));
	cr_expect_eq(guard_of("staged"), 1);
	cr_expect_eq(guard_of("persons"), 0);
	cr_expect_eq(guard_of("deciding"), 0);
	decide_all(1, DISCARD);
	cr_expect(request_is("open"));
	rig_restart(&rig);
	cr_expect(request_is("open"));
	rig_call(&rig, "request.deny", "{'requests': [{'request': 1}], 'reason': 'no'}");
	cr_expect(rig_is(&rig, "items.0.outcome", "ok"));
	verify();
}

/* What was released is not what would be done */

static void import_direct(int guest)
{
	rig_call(&rig, "account.import",
		 "{'accounts': [{'org': 'fabrikam', 'id': 'g-%d', 'kind': 'b2b-direct-connect', "
		 "'upn': 'g-%d@home.example'}]}",
		 guest, guest);
	cr_assert(rig_is(&rig, "items.0.change", "updated"));
}

static bool is_removing(uint64_t uid)
{
	return rig_row(&rig, uid).facts.removal_started_at != INSTANT_NONE;
}

Test(decisions, a_soft_deletion_that_has_become_a_removal_is_not_released_with_the_others)
{
	stage("account.remove", 4);
	stage("account.remove", 5);
	import_direct(4);
	decide_all(2, "");
	cr_expect(is_gone(5));
	cr_expect_not(is_gone(4));
	cr_expect(is_staged(4));
	cr_expect(told(4, 0, "event", "staged"));
	cr_expect(told(4, 0, "reason", "of 4"));
	cr_expect_eq(guard_of("soft_deletions_staged"), 0);
	cr_expect_eq(guard_of("purges_staged"), 1);
	cr_expect_eq(guard_of("deciding"), 0);
	decide_all(1, "");
	cr_expect(is_removing(4));
	cr_expect_not(is_staged(4));
	cr_expect_eq(guard_of("staged"), 0);
	verify();
}

Test(decisions, a_persons_request_that_has_become_a_removal_waits_on_as_theirs)
{
	file(4);
	approve(1);
	import_direct(4);
	decide_all(1, "");
	cr_expect_eq(guard_of("persons"), 1);
	cr_expect(request_is("approved"));
	rig_restart(&rig);
	decide_all(1, DISCARD_PERSONS);
	cr_expect(request_is("open"));
	verify();
}

Test(decisions, a_soft_deletion_whose_hold_is_gone_is_not_released_as_a_removal)
{
	import_direct(4);
	rig_call(&rig, "hold.add", "{'accounts': [{'uid': 4}], 'hold': 'case-1'}");
	stage("account.leave", 4);
	cr_expect_eq(guard_of("soft_deletions_staged"), 1);
	rig_call(&rig, "hold.remove", "{'accounts': [{'uid': 4}], 'hold': 'case-1'}");
	decide_all(1, "");
	cr_expect_not(is_removing(4));
	cr_expect_eq(guard_of("purges_staged"), 1);
	decide_all(1, "");
	cr_expect(told(4, 0, "event", "removal-completed") || is_removing(4));
	verify();
}

Test(decisions, what_cannot_be_read_is_told_and_keeps_nothing_else_waiting)
{
	stage("account.remove", 4);
	stage("account.remove", 5);
	rig_tamper(&rig, KV_STAGED, key_staged(1, 4), SLICE_LITERAL("rubbish"));
	decide_all(2, "");
	cr_expect(is_gone(5));
	cr_expect_not(is_gone(4));
	cr_expect_eq(n_unreadable, 1);
	cr_expect_eq(guard_of("deciding"), 0);
}

/* Who decided, and why */

Test(decisions, the_history_says_who_released_it_and_why)
{
	stage("account.remove", 4);
	stage("account.remove", 5);
	decide_all(2, ", 'reason': 'the school year ends'");
	for (uint64_t uid = 4; uid <= 5; uid++) {
		cr_expect(told(uid, 2, "event", "staged"));
		cr_expect(told(uid, 1, "event", "guard-released"));
		cr_expect(told(uid, 1, "reason", "the school year ends"));
		cr_expect(told(uid, 1, "role", "admin"));
		cr_expect(told(uid, 0, "event", "deleted"));
	}
	cr_expect(told(4, 0, "reason", "of 4"));
}

Test(decisions, the_history_says_who_discarded_it_and_why)
{
	stage("account.remove", 4);
	decide_all(1, DISCARD ", 'reason': 'a script gone wild'");
	cr_expect(told(4, 1, "event", "guard-discarded"));
	cr_expect(told(4, 1, "reason", "a script gone wild"));
	cr_expect(told(4, 0, "event", "discarded"));
}

Test(decisions, the_ledger_leads_from_what_was_done_to_the_decision)
{
	uint64_t decision;

	stage("account.remove", 4);
	decision = rig_head(&rig) + 1;
	decide_all(1, "");
	rig_call(&rig, "ledger.read", "{'uid': 4, 'limit': 1}");
	cr_expect(rig_is(&rig, "entries.0.event", "deleted"));
	cr_expect_eq(rig_number(&rig, "entries.0.decision"), (int64_t)decision);
	rig_call(&rig, "ledger.read", "{'uid': 1, 'limit': 1}");
	cr_expect_not(rig_has(&rig, "entries.0.decision"));
}

static void happen(struct account *account, enum event event, uint64_t decision)
{
	struct actor actor = {.role = ROLE_DAEMON, .at = rig_now(&rig), .decision = decision};

	rig_begin(&rig);
	cr_assert_eq(store_change(rig.engine->store, account, event, &actor), 0);
	rig_end(&rig);
}

/* What a decision led to may be more than one entry of an account, with others between. */
Test(decisions, the_history_tells_a_decision_once_and_before_all_that_it_led_to)
{
	struct account account;
	struct entry discarded;

	stage("account.remove", 4);
	decide_all(1, DISCARD);
	account = rig_row(&rig, 4);
	cr_assert_eq(store_get_entry(rig.engine->store, account.last_seq, &discarded, NULL), 0);
	happen(&account, EVENT_DISABLED, 0);
	happen(&account, EVENT_BLOCKED, discarded.decision);
	cr_expect(told(4, 0, "event", "blocked"));
	cr_expect(told(4, 1, "event", "disabled"));
	cr_expect(told(4, 2, "event", "discarded"));
	cr_expect(told(4, 3, "event", "guard-discarded"));
	cr_expect(told(4, 4, "event", "staged"));
}

Test(decisions, removals_by_time_say_who_released_them)
{
	rig_call(&rig, "org.set", "{'org': 'fabrikam', 'guard_min': 1}");
	rig_advance(&rig, 2 * SPAN_DAY);
	rig_idle(&rig);
	cr_assert_eq(guard_of("removals_staged"), 2);
	decide_all(2, ", 'reason': 'seen'");
	cr_expect(rig_is_removed(&rig, 3));
	cr_expect(told(3, 2, "event", "guard-released"));
	cr_expect(told(3, 2, "reason", "seen"));
	cr_expect(told(3, 1, "event", "removal-started"));
	cr_expect(told(1, 1, "event", "removal-started"));
	cr_expect(told(1, 2, "event", "deleted"), "nothing held it back");
	verify();
}

Test(decisions, a_removal_that_falls_due_later_is_nobodys_decision)
{
	rig_call(&rig, "org.set", "{'org': 'fabrikam', 'guard_min': 1}");
	rig_advance(&rig, 2 * SPAN_DAY);
	rig_idle(&rig);
	decide_all(2, "");
	rig_call(&rig, "org.set", "{'org': 'fabrikam', 'guard_min': 9}");
	rig_change(&rig, "account.remove", 7);
	rig_advance(&rig, 2 * SPAN_DAY);
	rig_idle(&rig);
	cr_assert(rig_is_removed(&rig, 7));
	cr_expect(told(7, 2, "event", "deleted"));
}

/* What would be held back */

Test(decisions, explain_says_what_would_be_staged)
{
	rig_call(&rig, "account.explain", "{'uid': 4}");
	cr_expect(rig_is(&rig, "may.1.command", "remove"));
	cr_expect(rig_is(&rig, "may.1.outcome", "staged"));
	cr_expect(rig_is(&rig, "may.1.reasons.0", "staged"));
	cr_expect(rig_is(&rig, "may.0.outcome", "staged"), "leaving too");
	cr_expect(rig_is(&rig, "may.4.outcome", "ok"), "disabling is not guarded");
	rig_call(&rig, "account.explain", "{'uid': 1}");
	cr_expect(rig_is(&rig, "may.3.command", "purge"));
	cr_expect(rig_is(&rig, "may.3.outcome", "ok"), "purges are counted for themselves");
	cr_expect(rig_is(&rig, "may.1.outcome", "already-left"));
	rig_unguard(&rig, "fabrikam");
	rig_call(&rig, "account.explain", "{'uid': 4}");
	cr_expect(rig_is(&rig, "may.1.outcome", "ok"));
}
