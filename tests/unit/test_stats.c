/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "common/version.h"

#include "tests/support/rig.h"

/* stats.get: what monitoring is made of. */

static struct rig rig;

static void set_up(void)
{
	rig_open(&rig, CLOCK_MODE_SIMULATED);
	rig_set_org(&rig, "contoso");
}

static void tear_down(void)
{
	rig_close(&rig);
}

TestSuite(stats, .init = set_up, .fini = tear_down);

static int64_t figure(const char *path)
{
	rig_call(&rig, "stats.get", "{}");
	cr_assert_not(rig.failed);
	return rig_number(&rig, path);
}

Test(stats, it_says_which_daemon_it_is_and_since_when)
{
	rig_advance(&rig, SPAN_DAY);
	rig_call(&rig, "stats.get", "{}");
	cr_assert(rig_is(&rig, "version", RETENTIOND_VERSION));
	cr_assert(rig_is(&rig, "instance", store_instance(rig.engine->store)));
	cr_assert_eq(rig_number(&rig, "started_us"), RIG_BEGIN);
	cr_assert_eq(rig_number(&rig, "now_us"), RIG_BEGIN + SPAN_DAY);
}

Test(stats, the_next_thing_due_is_told_and_nothing_if_nothing_is)
{
	uint64_t uid = rig_import(&rig, "contoso", "g-1");

	rig_call(&rig, "stats.get", "{}");
	cr_assert_not(rig_has(&rig, "next_due_us"));
	rig_change(&rig, "account.remove", uid);
	cr_assert_eq(figure("next_due_us"), RIG_BEGIN + 30 * SPAN_DAY);
	cr_assert_eq(figure("due_now"), 0);
}

Test(stats, what_is_due_and_not_done_is_told_while_timed_work_is_paused)
{
	rig_change(&rig, "account.remove", rig_import(&rig, "contoso", "g-1"));
	rig_call(&rig, "sweep.pause", "{}");
	rig_advance(&rig, 31 * SPAN_DAY);
	cr_assert_eq(figure("due_now"), 1);
	cr_assert_eq(rig_number(&rig, "next_due_us"), RIG_BEGIN + 30 * SPAN_DAY);
	cr_assert(rig_true(&rig, "guards.paused"));
	cr_assert(rig_true(&rig, "guards.clock_trusted"));
}

Test(stats, a_hold_without_an_end_is_nothing_that_falls_due)
{
	uint64_t uid = rig_import(&rig, "contoso", "g-1");

	rig_call(&rig, "hold.add", "{'accounts': [{'uid': %llu}], 'hold': 'case'}",
		 (unsigned long long)uid);
	rig_change(&rig, "account.remove", uid);
	rig_call(&rig, "stats.get", "{}");
	cr_assert_not(rig_has(&rig, "next_due_us"));
}

Test(stats, the_deadline_that_is_past_for_longest_is_told)
{
	rig_set_keeper(&rig, "crm");
	(void)rig_purge(&rig, "contoso", "g-1");
	rig_advance(&rig, SPAN_DAY);
	rig_call(&rig, "org.set", "{'org': 'contoso', 'removal_us': %lld}",
		 (long long)(5 * SPAN_DAY));
	(void)rig_purge(&rig, "contoso", "g-2");

	rig_advance(&rig, 5 * SPAN_DAY - 1);
	rig_call(&rig, "stats.get", "{}");
	cr_assert_not(rig_has(&rig, "oldest_overdue_us"));
	rig_advance(&rig, 1);
	cr_assert_eq(figure("oldest_overdue_us"), RIG_BEGIN + 6 * SPAN_DAY);

	/* The one that started first is due later. */
	rig_advance(&rig, 30 * SPAN_DAY);
	cr_assert_eq(figure("oldest_overdue_us"), RIG_BEGIN + 6 * SPAN_DAY);
}

Test(stats, a_deadline_that_is_past_is_told_before_the_sweep_has_marked_it)
{
	rig_set_keeper(&rig, "crm");
	(void)rig_purge(&rig, "contoso", "g-1");
	rig_call(&rig, "sweep.pause", "{}");
	rig_advance(&rig, 31 * SPAN_DAY);
	cr_assert_eq(figure("oldest_overdue_us"), RIG_BEGIN + 30 * SPAN_DAY);
	cr_assert_eq(rig_number(&rig, "accounts.overdue"), 0);
}

Test(stats, the_oldest_overdue_request_is_told_until_it_is_decided)
{
	uint64_t uid = rig_import(&rig, "contoso", "g-1");

	rig_call(&rig, "request.file", "{'accounts': [{'uid': %llu}]}", (unsigned long long)uid);
	cr_assert_not(rig.failed);
	rig_advance(&rig, 30 * SPAN_DAY - 1);
	rig_call(&rig, "stats.get", "{}");
	cr_assert_not(rig_has(&rig, "oldest_request_overdue_us"));
	rig_advance(&rig, 2);
	cr_assert_eq(figure("oldest_request_overdue_us"), RIG_BEGIN + 30 * SPAN_DAY);
	rig_call(&rig, "request.deny", "{'requests': [{'request': 1}], 'reason': 'why'}");
	rig_call(&rig, "stats.get", "{}");
	cr_assert_not(rig_has(&rig, "oldest_request_overdue_us"));
}

Test(stats, errors_are_counted_by_whose_fault_they_are)
{
	rig_call(&rig, "no.such", "{}");
	rig_call(&rig, "clock.advance", "{'by_us': -1}");
	rig.session.peer = (struct access_peer){.uid = 5, .gid = 5};
	rig_call(&rig, "stats.get", "{}");
	cr_assert(rig_refused(&rig, "permission-denied", ""));
	rig.session.peer = (struct access_peer){0};
	cr_assert_eq(figure("errors"), 3);
	cr_assert_eq(rig_number(&rig, "errors_failed"), 1);
}

Test(stats, a_histogram_tells_every_bucket_and_no_bound_for_the_last)
{
	struct meters *meters = &rig.engine->meters;
	char path[48];

	histogram_add(&meters->answers, 2500, 3);
	histogram_add(&meters->answers, SPAN_MINUTE, 1);
	rig_call(&rig, "stats.get", "{}");
	cr_assert_eq(rig_count(&rig, "answer_times.buckets"), HISTOGRAM_BUCKETS);
	cr_assert_eq(rig_number(&rig, "answer_times.buckets.4.to_us"), 2500);
	cr_assert_eq(rig_number(&rig, "answer_times.buckets.4.n"), 3);
	(void)snprintf(path, sizeof(path), "answer_times.buckets.%d.n", HISTOGRAM_BOUNDS);
	cr_assert_eq(rig_number(&rig, path), 1);
	(void)snprintf(path, sizeof(path), "answer_times.buckets.%d.to_us", HISTOGRAM_BOUNDS);
	cr_assert_not(rig_has(&rig, path));
	cr_assert_eq(rig_number(&rig, "answer_times.count"), 4);
	cr_assert_eq(rig_number(&rig, "answer_times.sum_us"), 3 * 2500 + SPAN_MINUTE);
	cr_assert_eq(rig_number(&rig, "answer_times.longest_us"), SPAN_MINUTE);
	cr_assert_eq(rig_number(&rig, "commit_times.count"), 0);
}

Test(stats, the_vault_has_a_slot_for_each_account_that_ever_was)
{
	(void)rig_purge(&rig, "contoso", "g-1");
	rig_idle(&rig);
	(void)rig_import(&rig, "contoso", "g-2");
	cr_assert_eq(figure("store.vault_slots"), 2);
	cr_assert_eq(rig_number(&rig, "accounts.removed"), 1);
}

Test(stats, how_far_the_wall_clock_is_off_is_told_of_a_real_clock)
{
	rig_call(&rig, "stats.get", "{}");
	cr_assert_not(rig_has(&rig, "wall_ahead_us"));
	rig_close(&rig);
	rig_open(&rig, CLOCK_MODE_REAL);
	cr_assert_eq(figure("wall_ahead_us"), 0);
	rig.reading.wall += SPAN_HOUR;
	cr_assert_eq(figure("wall_ahead_us"), SPAN_HOUR);
	cr_assert_eq(rig_number(&rig, "now_us"), RIG_BEGIN);
}

static bool clock_is_trusted(void)
{
	bool trusted;

	rig_call(&rig, "retention.info", "{}");
	trusted = rig_true(&rig, "clock.trusted");
	rig_call(&rig, "stats.get", "{}");
	cr_assert_eq(rig_true(&rig, "guards.clock_trusted"), trusted);
	return trusted;
}

Test(stats, a_clock_that_the_start_doubts_is_told_until_somebody_accepts_it)
{
	rig_close(&rig);
	rig_open(&rig, CLOCK_MODE_REAL);
	cr_assert(clock_is_trusted());
	rig.reading.wall += 40 * SPAN_DAY;
	rig_reboot(&rig);
	cr_assert_not(clock_is_trusted());
	cr_assert(rig_true(&rig, "guards.paused"));
	rig_call(&rig, "guard.release", "{'guard': 'clock', 'dry_run': true}");
	cr_assert_not(clock_is_trusted());
	rig_call(&rig, "guard.release", "{'guard': 'clock'}");
	cr_assert(clock_is_trusted());
	cr_assert_not(rig_true(&rig, "guards.paused"));
}
