/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/work/sweep.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "daemon/store/schema.h"
#include "daemon/work/log.h"

#include "tests/support/rig.h"

#define SLICE PACE_ROWS_BEGIN /* somebody has just asked, and nothing has been measured */

static struct rig rig;
static uint32_t n_errors_logged;

static void count_errors(enum log_level level, unused const char *text,
			 unused const struct log_field *fields, unused size_t n_fields)
{
	n_errors_logged += level <= LOG_LEVEL_ERROR;
}

static void set_up(void)
{
	rig_open(&rig, CLOCK_MODE_SIMULATED);
	rig_set_org(&rig, "fabrikam");
	rig_unguard(&rig, "fabrikam");
	log_set_sink(count_errors);
}

static void tear_down(void)
{
	rig_close(&rig);
}

TestSuite(sweep, .init = set_up, .fini = tear_down);

/* @n guests; deleted in the directory at an instant if it is not INSTANT_NONE. */
static void import_many(const char *prefix, uint32_t n, instant_t deleted_at)
{
	char deleted[64] = "";

	if (deleted_at != INSTANT_NONE) {
		(void)snprintf(deleted, sizeof(deleted), ",'deleted_at_us':%lld",
			       (long long)deleted_at);
	}
	for (uint32_t done = 0; done < n;) {
		cleanup(freep) char *items = malloc(1000 * 160);
		size_t len = 0;

		cr_assert(items);
		for (uint32_t i = 0; i < 1000 && done < n; ++i, ++done) {
			len += (size_t)sprintf(items + len,
					       "%s{'org':'fabrikam','id':'%s-%u','kind':"
					       "'b2b-collaboration','upn':'%s-%u@x.example'%s}",
					       i ? "," : "", prefix, done, prefix, done, deleted);
		}
		rig_call(&rig, "account.import", "{'accounts': [%s]}", items);
		cr_assert_not(rig.failed);
	}
}

static void change(const char *method, uint64_t uid)
{
	rig_call(&rig, method, "{'accounts': [{'uid': %llu}]}", (unsigned long long)uid);
	cr_assert(rig_is(&rig, "items.0.outcome", "ok"));
}

static struct account row(uint64_t uid)
{
	struct account account;

	cr_assert_eq(store_get_account(rig.engine->store, uid, &account), 0);
	return account;
}

static bool is_started(uint64_t uid)
{
	return row(uid).facts.removal_started_at != INSTANT_NONE;
}

static bool is_removed(uint64_t uid)
{
	return row(uid).facts.removed_at != INSTANT_NONE;
}

static uint64_t n_removed(void)
{
	return store_counts(rig.engine->store)->n_removed;
}

/* The instants */

Test(sweep, a_removal_starts_at_the_end_of_the_window_and_not_a_microsecond_before)
{
	instant_t end;

	(void)rig_import(&rig, "fabrikam", "g-1");
	change("account.leave", 1);
	end = rig_now(&rig) + 30 * SPAN_DAY;
	rig_advance(&rig, 30 * SPAN_DAY - 1);
	rig_idle(&rig);
	cr_assert_not(is_started(1));
	rig_advance(&rig, 1);
	rig_turn(&rig);
	cr_assert(is_started(1));
	cr_assert_eq(row(1).facts.removal_started_at, end);
}

Test(sweep, a_removal_that_is_recorded_late_started_when_the_window_ended)
{
	instant_t end;

	(void)rig_import(&rig, "fabrikam", "g-1");
	change("account.leave", 1);
	end = rig_now(&rig) + 30 * SPAN_DAY;
	rig_advance(&rig, 45 * SPAN_DAY);
	rig_idle(&rig);
	cr_assert_eq(row(1).facts.removal_started_at, end);
	cr_assert_eq(row(1).facts.removed_at, rig_now(&rig));
}

Test(sweep, a_removal_that_nobody_owes_anything_for_is_complete_with_its_start)
{
	uint64_t head;

	(void)rig_import(&rig, "fabrikam", "g-1");
	change("account.leave", 1);
	head = rig_head(&rig);
	rig_advance(&rig, 30 * SPAN_DAY);
	rig_turn(&rig);
	cr_assert(is_removed(1));
	cr_assert_eq(rig_head(&rig), head + 2);
	cr_assert_eq(store_counts(rig.engine->store)->n_removing, 0);
	cr_assert_eq(store_counts(rig.engine->store)->n_soft_deleted, 0);
}

Test(sweep, a_removal_that_a_keeper_owes_only_starts)
{
	rig_set_keeper(&rig, "crm");
	(void)rig_import(&rig, "fabrikam", "g-1");
	change("account.leave", 1);
	rig_advance(&rig, 30 * SPAN_DAY);
	rig_idle(&rig);
	cr_assert(is_started(1));
	cr_assert_not(is_removed(1));
}

Test(sweep, a_purge_is_completed_in_a_later_commit_so_that_who_did_it_is_never_lost)
{
	(void)rig_import(&rig, "fabrikam", "g-1");
	change("account.leave", 1);
	change("account.purge", 1);
	cr_assert(is_started(1));
	cr_assert_not(is_removed(1));
	cr_assert_eq(engine_sleep(rig.engine), 0);
	rig_turn(&rig);
	cr_assert(is_removed(1));
}

static void note_often(uint64_t uid)
{
	rig_begin(&rig);
	for (uint32_t i = 0; i < 3 * STORE_ERASE_MAX; i++) {
		rig_send(&rig, i % 2 ? "account.enable" : "account.disable",
			 "{'accounts': [{'uid': %llu}], 'reason': 'because'}",
			 (unsigned long long)uid);
	}
	rig_end(&rig);
}

Test(sweep, very_many_notes_of_one_account_take_several_turns_to_go)
{
	uint64_t purged = rig_import(&rig, "fabrikam", "purged");
	uint64_t left = rig_import(&rig, "fabrikam", "left");

	note_often(purged);
	note_often(left);
	rig_change(&rig, "account.remove", purged);
	rig_change(&rig, "account.remove", left);
	rig_change(&rig, "account.purge", purged);
	rig_turn(&rig);
	cr_assert_not(rig_is_removed(&rig, purged));
	rig_idle(&rig);
	cr_assert(rig_is_removed(&rig, purged));

	rig_advance(&rig, 30 * SPAN_DAY);
	rig_turn(&rig);
	cr_assert_eq(row(left).facts.removal_started_at, rig_now(&rig));
	cr_assert_not(rig_is_removed(&rig, left));
	rig_idle(&rig);
	cr_assert(rig_is_removed(&rig, left));
}

Test(sweep, the_clock_did_it)
{
	struct entry entry;

	(void)rig_import(&rig, "fabrikam", "g-1");
	change("account.leave", 1);
	rig_advance(&rig, 30 * SPAN_DAY);
	rig_idle(&rig);
	cr_assert_eq(store_get_entry(rig.engine->store, row(1).last_seq, &entry, NULL), 0);
	cr_assert_eq(entry.event, EVENT_REMOVAL_COMPLETED);
	cr_assert_eq(entry.actor_role, ROLE_DAEMON);
	cr_assert_eq(entry.actor_uid, 0);
	cr_assert_eq(entry.at, rig_now(&rig));
	cr_assert_eq(store_get_entry(rig.engine->store, entry.prev_seq, &entry, NULL), 0);
	cr_assert_eq(entry.event, EVENT_REMOVAL_STARTED);
	cr_assert_eq(entry.actor_role, ROLE_DAEMON);
}

Test(sweep, an_account_that_came_back_is_left_alone)
{
	(void)rig_import(&rig, "fabrikam", "g-1");
	change("account.leave", 1);
	change("account.restore", 1);
	rig_advance(&rig, 365 * SPAN_DAY);
	rig_idle(&rig);
	cr_assert_not(is_started(1));
}

Test(sweep, what_fell_due_while_the_daemon_was_down_is_done_at_the_start)
{
	(void)rig_import(&rig, "fabrikam", "g-1");
	change("account.leave", 1);
	rig_kill(&rig);
	rig.options.simulated_at += 31 * SPAN_DAY;
	rig_start(&rig);
	rig_idle(&rig);
	cr_assert(is_removed(1));
}

Test(sweep, a_completion_that_a_kill_cut_off_is_done_after_the_restart)
{
	(void)rig_import(&rig, "fabrikam", "g-1");
	change("account.leave", 1);
	change("account.purge", 1);
	rig_restart(&rig);
	cr_assert_not(is_removed(1));
	rig_idle(&rig);
	cr_assert(is_removed(1));
}

/* Slices */

Test(sweep, no_turn_does_more_than_a_slice)
{
	import_many("g", 2 * SLICE + 10, rig_now(&rig) - 30 * SPAN_DAY + 1);
	rig_idle(&rig);
	cr_assert_eq(n_removed(), 0);
	rig_advance(&rig, 1);
	rig_turn(&rig);
	cr_assert_eq(n_removed(), SLICE);
	rig_turn(&rig);
	cr_assert_eq(n_removed(), 2 * SLICE);
	rig_idle(&rig);
	cr_assert_eq(n_removed(), 2 * SLICE + 10);
}

Test(sweep, while_a_pass_runs_its_status_tells_what_is_still_due)
{
	instant_t due = rig_now(&rig) - SPAN_DAY;

	rig_call(&rig, "sweep.pause", "{}");
	import_many("older", SLICE, due - 30 * SPAN_DAY);
	import_many("newer", 3, due + SPAN_HOUR - 30 * SPAN_DAY);
	rig_call(&rig, "sweep.status", "{}");
	cr_assert_eq(rig_number(&rig, "next_due_us"), due);
	rig_begin(&rig);
	rig_send(&rig, "sweep.resume", "{}");
	rig_send(&rig, "sweep.run", "{}");
	rig_send(&rig, "stats.get", "{}");
	cr_assert_eq(rig_number(&rig, "due_now"), 3);
	rig_send(&rig, "sweep.status", "{}");
	cr_assert_eq(rig_number(&rig, "next_due_us"), due + SPAN_HOUR);
	rig_send(&rig, "sweep.pause", "{}");
	rig_end(&rig);
}

Test(sweep, the_oldest_goes_first)
{
	rig_call(&rig, "sweep.pause", "{}");
	import_many("newer", SLICE, rig_now(&rig) - 31 * SPAN_DAY);
	import_many("older", 1, rig_now(&rig) - 40 * SPAN_DAY);
	rig_call(&rig, "sweep.resume", "{}");
	rig_idle(&rig);
	cr_assert_eq(n_removed(), SLICE + 1);
	cr_assert_gt(row(1).last_seq, row(SLICE + 1).last_seq);
}

/* Found behind the place where a pass stands, and nothing changes after it. */
Test(sweep, what_falls_due_behind_a_pass_that_is_under_way_is_not_forgotten)
{
	rig_call(&rig, "sweep.pause", "{}");
	import_many("g", 2 * SLICE, rig_now(&rig) - 40 * SPAN_DAY);
	rig_call(&rig, "sweep.resume", "{}");
	while (store_counts(rig.engine->store)->n_removed == 0) {
		rig_turn(&rig);
	}
	import_many("late", 1, rig_now(&rig) - 50 * SPAN_DAY);
	rig_idle(&rig);
	cr_assert_eq(n_removed(), 2 * SLICE + 1);
}

Test(sweep, running_it_by_hand_tells_what_it_did_and_whether_there_is_more)
{
	import_many("g", 3, rig_now(&rig) - 30 * SPAN_DAY + 1);
	rig_advance(&rig, 1);
	rig_begin(&rig);
	rig_send(&rig, "sweep.run", "{}");
	cr_assert_eq(rig_number(&rig, "started"), 3);
	cr_assert_eq(rig_number(&rig, "completed"), 3);
	cr_assert_not(rig_true(&rig, "more"));
	rig_end(&rig);
	rig_idle(&rig);
	rig_call(&rig, "sweep.run", "{}");
	cr_assert_eq(rig_number(&rig, "completed"), 0);
	cr_assert_not(rig_true(&rig, "more"));
	rig_call(&rig, "sweep.status", "{}");
	cr_assert_eq(rig_number(&rig, "started"), 3);
	cr_assert_eq(rig_number(&rig, "completed"), 3);
	cr_assert_eq(rig_number(&rig, "failed"), 0);
	cr_assert_eq(rig_number(&rig, "last_run_us"), rig_now(&rig));
}

Test(sweep, its_status_tells_what_is_due_next)
{
	(void)rig_import(&rig, "fabrikam", "g-1");
	rig_call(&rig, "sweep.status", "{}");
	cr_assert_not(rig_has(&rig, "next_due_us"));
	change("account.leave", 1);
	rig_call(&rig, "sweep.status", "{}");
	cr_assert_eq(rig_number(&rig, "next_due_us"), rig_now(&rig) + 30 * SPAN_DAY);
}

/* Late */

static void expect_late(int64_t n, span_t lateness)
{
	rig_call(&rig, "sweep.status", "{}");
	cr_assert_eq(rig_number(&rig, "started_late"), n);
	cr_assert_eq(rig_number(&rig, "lateness_us"), lateness);
}

Test(sweep, a_removal_that_starts_a_minute_after_its_window_is_in_time)
{
	(void)rig_import(&rig, "fabrikam", "g-1");
	change("account.leave", 1);
	rig_kill(&rig);
	rig.options.simulated_at += 30 * SPAN_DAY + SPAN_MINUTE;
	rig_start(&rig);
	rig_idle(&rig);
	cr_assert(is_started(1));
	expect_late(0, 0);
}

Test(sweep, what_fell_due_while_the_daemon_was_down_is_told_as_late_from_the_end_of_its_window)
{
	(void)rig_import(&rig, "fabrikam", "g-1");
	change("account.leave", 1);
	rig_advance(&rig, SPAN_HOUR);
	rig_idle(&rig);
	(void)rig_import(&rig, "fabrikam", "g-2");
	change("account.leave", 2);
	rig_kill(&rig);
	rig.options.simulated_at += 32 * SPAN_DAY;
	rig_start(&rig);
	rig_idle(&rig);
	expect_late(2, 2 * SPAN_DAY + SPAN_HOUR);
	rig_advance(&rig, SPAN_DAY);
	rig_idle(&rig);
	expect_late(2, 2 * SPAN_DAY + SPAN_HOUR); /* of the last sweep that started any */
}

Test(sweep, what_fell_due_during_a_pause_is_late)
{
	(void)rig_import(&rig, "fabrikam", "g-1");
	change("account.leave", 1);
	rig_idle(&rig);
	rig_call(&rig, "sweep.pause", "{}");
	rig_advance(&rig, 33 * SPAN_DAY);
	rig_call(&rig, "sweep.resume", "{}");
	rig_idle(&rig);
	expect_late(1, 3 * SPAN_DAY);
}

Test(sweep, an_import_of_a_window_that_ended_long_ago_is_not_late)
{
	rig_idle(&rig);
	import_many("g", 3, rig_now(&rig) - 90 * SPAN_DAY);
	rig_idle(&rig);
	cr_assert(is_started(3));
	expect_late(0, 0);
}

/* Pause */

Test(sweep, a_paused_one_does_nothing_also_after_a_restart)
{
	(void)rig_import(&rig, "fabrikam", "g-1");
	change("account.leave", 1);
	rig_call(&rig, "sweep.pause", "{}");
	rig_advance(&rig, 60 * SPAN_DAY);
	rig_idle(&rig);
	cr_assert_not(is_started(1));
	rig_restart(&rig);
	rig_idle(&rig);
	cr_assert_not(is_started(1));
	rig_call(&rig, "sweep.run", "{}");
	cr_assert(rig_refused(&rig, "busy", "paused"));
	cr_assert_not(is_started(1));
}

Test(sweep, deadlines_run_on_while_it_is_paused)
{
	(void)rig_import(&rig, "fabrikam", "g-1");
	change("account.leave", 1);
	rig_call(&rig, "sweep.pause", "{}");
	rig_advance(&rig, 60 * SPAN_DAY);
	rig_call(&rig, "account.get", "{'uid': 1}");
	cr_assert(rig_is(&rig, "account.state", "removing"));
	cr_assert(rig_is(&rig, "account.sla", "overdue"));
	rig_call(&rig, "account.restore", "{'accounts': [{'uid': 1}]}");
	cr_assert(rig_is(&rig, "items.0.outcome", "irrevocable"));
}

Test(sweep, a_resumed_one_does_what_waited)
{
	(void)rig_import(&rig, "fabrikam", "g-1");
	change("account.leave", 1);
	rig_call(&rig, "sweep.pause", "{}");
	rig_advance(&rig, 60 * SPAN_DAY);
	rig_idle(&rig);
	rig_call(&rig, "sweep.resume", "{}");
	rig_idle(&rig);
	cr_assert(is_removed(1));
}

Test(sweep, pausing_twice_is_one_entry)
{
	uint64_t head;

	rig_call(&rig, "sweep.pause", "{}");
	head = rig_head(&rig);
	rig_call(&rig, "sweep.pause", "{}");
	cr_assert(rig_true(&rig, "paused"));
	cr_assert_eq(rig_head(&rig), head);
}

/* Damage */

#define NEWEST_ROWS 1000 /* a start looks at so many, and refuses a store that has one damaged */

/* The row of an account, closed and settled, becomes bytes that are none. */
static void damage_row(uint64_t uid)
{
	rig_reopen(&rig);
	rig_tamper(&rig, KV_ACCOUNTS, key_u64(uid), SLICE_LITERAL("rubbish"));
}

Test(sweep, a_damaged_row_is_passed_over_and_reported_once_and_the_others_are_done)
{
	import_many("old", 3, rig_now(&rig) - 29 * SPAN_DAY);
	import_many("new", NEWEST_ROWS, INSTANT_NONE);
	damage_row(2);
	rig_advance(&rig, SPAN_DAY);
	rig_idle(&rig);
	cr_assert(is_removed(1));
	cr_assert(is_removed(3));
	cr_assert_eq(n_errors_logged, 1);
	rig_call(&rig, "sweep.status", "{}");
	cr_assert_eq(rig_number(&rig, "failed"), 1);
	for (int i = 0; i < 5; ++i) {
		rig_advance(&rig, SPAN_HOUR);
		rig_idle(&rig);
	}
	cr_assert_eq(n_errors_logged, 1);
	cr_assert_gt(engine_sleep(rig.engine), 0);
}

Test(sweep, a_damaged_row_is_told_as_damaged_to_whoever_asks_for_it)
{
	import_many("old", 3, INSTANT_NONE);
	import_many("new", NEWEST_ROWS, INSTANT_NONE);
	damage_row(2);
	rig_call(&rig, "account.remove",
		 "{'accounts': [{'uid': 2}, {'org': 'fabrikam', 'id': 'old-1'},"
		 " {'org': 'fabrikam', 'person': 'old-1@x.example'}, {'uid': 3}]}");
	cr_assert(rig_is(&rig, "items.0.outcome", "damaged"));
	cr_assert(rig_is(&rig, "items.1.outcome", "damaged"));
	cr_assert(rig_is(&rig, "items.2.outcome", "damaged"));
	cr_assert(rig_is(&rig, "items.3.outcome", "ok"));
}

/* Deadlines */

static uint32_t n_overdue_entries(void)
{
	struct entry entry;
	uint32_t n = 0;

	for (uint64_t seq = 1; seq <= rig_head(&rig); ++seq) {
		cr_assert_eq(store_get_entry(rig.engine->store, seq, &entry, NULL), 0);
		n += entry.event == EVENT_OVERDUE;
	}
	return n;
}

static uint64_t n_overdue(void)
{
	return store_counts(rig.engine->store)->n_overdue;
}

Test(sweep, a_removal_is_marked_overdue_at_its_very_deadline_and_once)
{
	rig_set_keeper(&rig, "crm");
	(void)rig_purge(&rig, "fabrikam", "g-1");
	rig_advance(&rig, 30 * SPAN_DAY - 1);
	rig_idle(&rig);
	cr_assert_not(row(1).facts.late);
	cr_assert_eq(n_overdue(), 0);
	rig_advance(&rig, 1);
	rig_idle(&rig);
	cr_assert(row(1).facts.late);
	cr_assert_eq(n_overdue(), 1);
	for (int i = 0; i < 3; ++i) {
		rig_advance(&rig, SPAN_DAY);
		rig_idle(&rig);
		rig_reopen(&rig);
	}
	cr_assert_eq(n_overdue_entries(), 1);
	cr_assert_eq(n_errors_logged, 1);
	rig_call(&rig, "sweep.status", "{}");
	cr_assert_eq(rig_number(&rig, "failed"), 0);
}

Test(sweep, a_removal_that_was_late_stays_so_on_the_record_when_it_is_complete)
{
	rig_set_keeper(&rig, "crm");
	(void)rig_purge(&rig, "fabrikam", "g-1");
	rig_advance(&rig, 31 * SPAN_DAY);
	rig_idle(&rig);
	rig_call(&rig, "keeper.waive",
		 "{'keeper': 'crm', 'accounts': [{'uid': 1}], 'reason': 'gone'}");
	rig_idle(&rig);
	cr_assert(is_removed(1));
	cr_assert(row(1).facts.late);
	cr_assert_eq(n_overdue(), 0);
	cr_assert_eq(n_overdue_entries(), 1);
}

Test(sweep, the_last_confirmation_at_the_last_instant_is_in_time)
{
	rig_set_keeper(&rig, "crm");
	(void)rig_purge(&rig, "fabrikam", "g-1");
	rig_advance(&rig, 30 * SPAN_DAY - 1);
	rig_call(&rig, "keeper.waive",
		 "{'keeper': 'crm', 'accounts': [{'uid': 1}], 'reason': 'gone'}");
	rig_idle(&rig);
	cr_assert(is_removed(1));
	cr_assert_not(row(1).facts.late);
	cr_assert_eq(n_overdue_entries(), 0);
}

Test(sweep, a_window_and_its_deadline_that_passed_together_are_both_recorded)
{
	instant_t end;

	rig_set_keeper(&rig, "crm");
	(void)rig_import(&rig, "fabrikam", "g-1");
	change("account.leave", 1);
	end = rig_now(&rig) + 30 * SPAN_DAY;
	rig_advance(&rig, 90 * SPAN_DAY);
	rig_idle(&rig);
	cr_assert_eq(row(1).facts.removal_started_at, end);
	cr_assert_eq(row(1).facts.owed, 1);
	cr_assert(row(1).facts.late);
	cr_assert_eq(n_overdue_entries(), 1);
}

Test(sweep, a_removal_without_keepers_is_late_only_when_the_sweep_was)
{
	(void)rig_import(&rig, "fabrikam", "g-1");
	(void)rig_import(&rig, "fabrikam", "g-2");
	change("account.leave", 1);
	rig_advance(&rig, 60 * SPAN_DAY - 1);
	rig_idle(&rig);
	cr_assert(is_removed(1));
	cr_assert_not(row(1).facts.late);
	change("account.leave", 2);
	rig_advance(&rig, 60 * SPAN_DAY);
	rig_idle(&rig);
	cr_assert(is_removed(2));
	cr_assert(row(2).facts.late);
	cr_assert_eq(n_overdue_entries(), 0);
}

Test(sweep, many_that_pass_their_deadline_are_one_line_in_the_journal)
{
	rig_set_keeper(&rig, "crm");
	import_many("m", 100, RIG_BEGIN - 31 * SPAN_DAY);
	rig_idle(&rig);
	cr_assert_eq(store_counts(rig.engine->store)->n_owed[0], 100);
	rig_advance(&rig, 30 * SPAN_DAY);
	rig_idle(&rig);
	cr_assert_eq(n_overdue(), 100);
	cr_assert_eq(n_errors_logged, 1);
}
