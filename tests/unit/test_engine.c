/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/work/engine.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "daemon/work/replay.h"

#include "tests/support/rig.h"

static struct rig rig;

static void open_real(void)
{
	rig_open(&rig, CLOCK_MODE_REAL);
	rig_set_org(&rig, "fabrikam");
	(void)rig_import(&rig, "fabrikam", "g-1");
}

static void tear_down(void)
{
	rig_close(&rig);
}

TestSuite(engine, .init = open_real, .fini = tear_down);

/* Quiet for long enough, and everything settled. */
static void rest(void)
{
	for (int i = 0; i < 5; ++i) {
		rig_advance(&rig, SPAN_SECOND);
		rig_idle(&rig);
	}
	cr_assert_eq(store_unsettled_entries(rig.engine->store), 0);
}

static span_t asleep(void)
{
	return engine_sleep(rig.engine);
}

static void change(const char *method)
{
	rig_call(&rig, method, "{'accounts': [{'uid': 1}]}");
	cr_assert(rig_is(&rig, "items.0.outcome", "ok"));
}

Test(engine, with_nothing_due_it_sleeps_until_it_looks_again)
{
	rest();
	rig_advance(&rig, SPAN_MINUTE);
	rig_idle(&rig);
	cr_assert_eq(asleep(), ENGINE_SLEEP_MAX);
}

Test(engine, it_wakes_when_the_next_window_ends)
{
	change("account.leave");
	rest();
	rig_advance(&rig, 30 * SPAN_DAY - 10 * SPAN_SECOND);
	rig_idle(&rig);
	cr_assert_eq(asleep(), 5 * SPAN_SECOND);
	rig_advance(&rig, 5 * SPAN_SECOND);
	rig_turn(&rig);
	cr_assert_eq(store_counts(rig.engine->store)->n_removed, 1);
}

Test(engine, it_does_not_sleep_while_there_is_work)
{
	change("account.leave");
	change("account.purge");
	cr_assert_eq(asleep(), 0);
}

Test(engine, a_simulated_clock_wakes_nobody)
{
	rig_close(&rig);
	rig_open(&rig, CLOCK_MODE_SIMULATED);
	rig_set_org(&rig, "fabrikam");
	(void)rig_import(&rig, "fabrikam", "g-1");
	change("account.leave");
	rig_advance(&rig, 30 * SPAN_DAY - 10 * SPAN_SECOND);
	rest();
	cr_assert_eq(asleep(), ENGINE_SLEEP_MAX);
}

Test(engine, a_pause_does_not_keep_it_awake)
{
	change("account.leave");
	rig_call(&rig, "sweep.pause", "{}");
	rig_advance(&rig, 31 * SPAN_DAY);
	rest();
	cr_assert_eq(asleep(), ENGINE_SLEEP_MAX);
}

Test(engine, rows_are_settled_in_a_quiet_moment_and_not_before)
{
	rest();
	change("account.disable");
	rig_turn(&rig);
	cr_assert_eq(store_unsettled_rows(rig.engine->store), 1);
	cr_assert_gt(asleep(), 0);
	cr_assert_leq(asleep(), SPAN_SECOND);
	rig_advance(&rig, asleep());
	rig_turn(&rig);
	cr_assert_eq(store_unsettled_rows(rig.engine->store), 0);
}

Test(engine, requests_that_change_nothing_do_not_keep_rows_from_being_settled)
{
	change("account.disable");
	for (int i = 0; i < 5; ++i) {
		rig_advance(&rig, SPAN_SECOND);
		rig_call(&rig, "retention.info", "{}");
	}
	cr_assert_eq(store_unsettled_rows(rig.engine->store), 0);
}

/* A clock that is wrong at the start */

static bool timed_work_is_paused(void)
{
	rig_call(&rig, "sweep.status", "{}");
	return rig_true(&rig, "paused");
}

Test(engine, a_wall_clock_far_ahead_at_the_start_removes_nobody_until_it_is_accepted)
{
	change("account.remove");
	rig_kill(&rig);
	rig.reading.wall += 40 * SPAN_DAY;
	rig_start(&rig);
	rig_idle(&rig);
	cr_assert(timed_work_is_paused());
	cr_assert(rig_is(&rig, "guard", "clock"));
	rig_call(&rig, "account.get", "{'uid': 1}");
	cr_assert(!rig_is(&rig, "account.state", "removed"));
	rig_call(&rig, "sweep.run", "{}");
	cr_assert(rig_refused(&rig, "clock-not-trusted", "retentionctl resume"));
	rig_call(&rig, "retention.info", "{}");
	cr_assert(!rig_true(&rig, "clock.trusted"));
	rig_call(&rig, "sweep.resume", "{}");
	rig_idle(&rig);
	rig_call(&rig, "retention.info", "{}");
	cr_assert(rig_true(&rig, "clock.trusted"));
	rig_call(&rig, "account.get", "{'uid': 1}");
	cr_assert(rig_is(&rig, "account.state", "removed"));
}

Test(engine, a_pause_for_a_doubtful_clock_ends_with_a_start_under_a_right_one)
{
	change("account.remove");
	rig_kill(&rig);
	rig.reading.wall += 40 * SPAN_DAY;
	rig_start(&rig);
	rig_idle(&rig);
	rig_kill(&rig);
	rig.reading.wall -= 40 * SPAN_DAY;
	rig_start(&rig);
	rig_idle(&rig);
	cr_assert(!timed_work_is_paused());
	rig_call(&rig, "account.restore", "{'accounts': [{'uid': 1}]}");
	cr_assert(rig_is(&rig, "items.0.outcome", "ok"));
}

Test(engine, a_pause_for_a_doubtful_clock_outlasts_what_was_entered_under_it)
{
	change("account.remove");
	rig_kill(&rig);
	rig.reading.wall += 40 * SPAN_DAY;
	rig_start(&rig);
	rig_call(&rig, "org.set", "{'org': 'another'}");
	rig_kill(&rig);
	rig_start(&rig);
	rig_idle(&rig);
	cr_assert(timed_work_is_paused());
	rig_call(&rig, "account.get", "{'uid': 1}");
	cr_assert(rig_is(&rig, "account.state", "removing"));
	rig_call(&rig, "sweep.resume", "{}");
	rig_kill(&rig);
	rig_start(&rig);
	cr_assert(!timed_work_is_paused());
}

Test(engine, a_week_without_an_entry_raises_no_doubt)
{
	rig_kill(&rig);
	rig.reading.wall += 7 * SPAN_DAY;
	rig_start(&rig);
	cr_assert(!timed_work_is_paused());
}

Test(engine, a_long_time_without_an_entry_raises_no_doubt_while_it_runs)
{
	for (int hour = 0; hour < 20 * 24; hour++) {
		rig_advance(&rig, SPAN_HOUR);
		rig_turn(&rig);
	}
	rig_kill(&rig);
	rig_start(&rig);
	cr_assert_not(timed_work_is_paused());
}

Test(engine, a_doubted_clock_leaves_no_mark)
{
	rig_kill(&rig);
	rig.reading.wall += 40 * SPAN_DAY;
	rig_start(&rig);
	for (int hour = 0; hour < 3; hour++) {
		rig_advance(&rig, SPAN_HOUR);
		rig_turn(&rig);
	}
	rig_kill(&rig);
	rig_start(&rig);
	cr_assert(timed_work_is_paused());
}

Test(engine, closing_settles_everything)
{
	change("account.disable");
	cr_assert_gt(store_unsettled_entries(rig.engine->store), 0);
	rig_reopen(&rig);
	cr_assert_eq(store_unsettled_entries(rig.engine->store), 0);
}

Test(engine, the_clock_does_not_go_back_behind_the_ledger)
{
	instant_t before;

	rig_advance(&rig, SPAN_DAY);
	change("account.disable");
	before = rig_now(&rig);
	rig.reading.wall -= 10 * SPAN_DAY;
	rig_restart(&rig);
	rig_turn(&rig);
	cr_assert_geq(rig_now(&rig), before);
}

Test(engine, a_wall_clock_that_jumps_changes_nothing_while_it_runs)
{
	instant_t before = rig_now(&rig);

	rig.reading.wall += 400 * SPAN_DAY;
	rig.reading.boot += SPAN_SECOND;
	rig_turn(&rig);
	cr_assert_eq(rig_now(&rig), before + SPAN_SECOND);
}

Test(engine, a_simulated_clock_that_was_moved_on_stays_there_after_a_restart)
{
	rig_close(&rig);
	rig_open(&rig, CLOCK_MODE_SIMULATED);
	rig_call(&rig, "clock.advance", "{'by_us': %lld}", (long long)(90 * SPAN_DAY));
	cr_assert_eq(rig_number(&rig, "now_us"), RIG_BEGIN + 90 * SPAN_DAY);
	rig_kill(&rig);
	rig.options.simulated_at = RIG_BEGIN;
	rig_start(&rig);
	rig_turn(&rig);
	cr_assert_eq(rig_now(&rig), RIG_BEGIN + 90 * SPAN_DAY);
}

Test(engine, a_real_clock_cannot_be_moved)
{
	rig_call(&rig, "clock.advance", "{'by_us': 1}");
	cr_assert(rig_refused(&rig, "real-clock", "--clock=simulated"));
}

#define MANY 700 /* more than are forgotten in one turn */

static bool is_kept(int i)
{
	uint8_t key[ROWS_HASH_LEN];
	struct slice kept;
	char id[32];
	int r;

	(void)snprintf(id, sizeof(id), "r-%d", i);
	store_answer_key(rig.engine->store, 0, slice_of(id), key);
	r = store_get_answer(rig.engine->store, key, &kept);
	cr_assert(r == 0 || r == STORE_E_NONE);
	return r == 0;
}

Test(engine, every_kept_answer_is_forgotten_soon_however_many_there_are)
{
	rig_begin(&rig);
	for (int i = 0; i < MANY; ++i) {
		rig_send(&rig, "account.disable",
			 "{'accounts': [{'uid': 1}], 'request_id': 'r-%d'}", i);
		pack_writer_reset(&rig.answer);
	}
	rig_end(&rig);
	cr_assert(is_kept(MANY - 1));
	rig_advance(&rig, REPLAY_KEPT_FOR);
	for (int i = 0; i < 4; ++i) {
		rig_turn(&rig);
	}
	for (int i = 0; i < MANY; ++i) {
		cr_assert_not(is_kept(i));
	}
}
