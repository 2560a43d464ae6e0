/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/work/engine.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "daemon/store/inside.h"
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

Test(engine, closing_settles_everything)
{
	change("account.disable");
	cr_assert_gt(store_unsettled_entries(rig.engine->store), 0);
	rig_reopen(&rig);
	cr_assert_eq(store_unsettled_entries(rig.engine->store), 0);
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

/* Many rows wait */

/* As many entries as make it fall behind, without their rows. A round is under way. */
#define ENTRIES_BEHIND (STORE_STEPS_LATE / STORE_STEPS_AN_ENTRY + 100)

static void begin_round(void)
{
	cr_assert_eq(store_settle(rig.engine->store, 1), 0);
	cr_assert_eq(store_commit(rig.engine->store), 0);
	cr_assert(store_is_settling(rig.engine->store));
}

Test(engine, while_too_many_rows_wait_the_sweep_brings_no_more)
{
	struct store *store = rig.engine->store;

	change("account.leave");
	begin_round();
	rig_advance(&rig, 31 * SPAN_DAY);
	rig_begin(&rig);
	store->head.seq += ENTRIES_BEHIND;
	cr_assert(engine_is_behind(rig.engine));
	cr_assert_eq(engine_work(rig.engine), 0);
	cr_assert_eq(rig.engine->n_swept, 0);
	cr_assert_eq(engine_sleep(rig.engine), 0, "they are settled at once");
	store->head.seq -= ENTRIES_BEHIND;
	cr_assert_not(engine_is_behind(rig.engine));
	rig_end(&rig);
	cr_assert_eq(store_counts(store)->n_removed, 1);
}

Test(engine, what_must_be_settled_makes_room_for_those_who_ask_for_little)
{
	struct store *store = rig.engine->store;
	uint64_t n_steps;

	begin_round();
	rig_begin(&rig);
	store->head.seq += ENTRIES_BEHIND;
	n_steps = store->round.n_steps;
	pace_note_slice(&rig.engine->settling, 100, 500, 0, rig.engine->reading.boot);
	engine_note_light(rig.engine);
	cr_assert_eq(engine_settle(rig.engine), 0);
	cr_assert_eq(store->round.n_steps, n_steps, "not in the same moment");
	cr_assert_gt(engine_sleep(rig.engine), 0);
	cr_assert_leq(engine_sleep(rig.engine), PACE_QUIET);
	store->head.seq -= ENTRIES_BEHIND;
	rig_end(&rig);
}

Test(engine, a_turn_that_brings_little_settles_little)
{
	struct store *store = rig.engine->store;

	for (int i = 2; i < 100; i++) {
		char id[16];

		(void)snprintf(id, sizeof(id), "g-%d", i);
		(void)rig_import(&rig, "fabrikam", id);
	}
	begin_round();
	rig_begin(&rig);
	rig_send(&rig, "account.leave", "{'accounts': [{'uid': 1}]}");
	store->round.n_steps = 0;
	cr_assert_eq(engine_commit(rig.engine), 0);
	cr_assert_gt(store->round.n_steps, 0);
	cr_assert_leq(store->round.n_steps, STORE_SETTLE_ENTRY);
}
