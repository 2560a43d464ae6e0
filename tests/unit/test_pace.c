/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/pace.h"

#include <criterion/criterion.h>

#define NOW (100 * SPAN_SECOND)

/* A row takes 5 us, a commit on a quiet disk 400 us. */
#define ROW_US    5
#define COMMIT_US 400

static struct pace pace;

static void set_up(void)
{
	pace_init(&pace, PACE_SHORT);
	pace_note_slice(&pace, 100, 100 * ROW_US, COMMIT_US, NOW);
}

TestSuite(pace, .init = set_up);

static span_t span_of(span_t now)
{
	return pace_rows(&pace, now) * ROW_US;
}

Test(pace, before_anything_is_known_a_slice_is_small_and_may_begin)
{
	pace_init(&pace, PACE_SHORT);
	cr_assert_eq(pace_wait(&pace, 0), 0);
	cr_assert_eq(pace_rows(&pace, 0), PACE_LONG / PACE_SHORT * PACE_ROWS_BEGIN);
	pace_note_request(&pace, 0);
	cr_assert_eq(pace_rows(&pace, 0), PACE_ROWS_BEGIN);
}

Test(pace, while_nobody_asks_a_slice_is_long_and_the_next_follows_at_once)
{
	cr_assert_eq(pace_wait(&pace, NOW), 0);
	cr_assert_eq(span_of(NOW), PACE_LONG);
}

Test(pace, somebody_who_asks_is_waited_for)
{
	pace_note_request(&pace, NOW);
	cr_assert_eq(pace_wait(&pace, NOW), PACE_QUIET);
	cr_assert_eq(pace_wait(&pace, NOW + PACE_QUIET - 1), 1);
	cr_assert_eq(pace_wait(&pace, NOW + PACE_QUIET), 0);
}

Test(pace, what_falls_due_when_all_is_done_waits_for_nobody)
{
	pace_note_end(&pace);
	pace_note_request(&pace, NOW);
	cr_assert_eq(pace_wait(&pace, NOW), 0);
	cr_assert_eq(span_of(NOW), PACE_SHORT);
}

Test(pace, a_slice_takes_a_part_of_the_time_for_which_nobody_has_asked)
{
	pace_note_request(&pace, NOW);
	cr_assert_eq(span_of(NOW), PACE_SHORT);
	cr_assert_eq(span_of(NOW + PACE_PART * PACE_SHORT), PACE_SHORT);
	cr_assert_eq(span_of(NOW + PACE_PART * 2 * PACE_SHORT), 2 * PACE_SHORT);
	cr_assert_eq(span_of(NOW + PACE_PART * PACE_LONG), PACE_LONG);
	cr_assert_eq(span_of(NOW + SPAN_DAY), PACE_LONG);
}

/* Its work and its commit, and PACE_REST times as long after them. */
Test(pace, whoever_asks_all_the_time_leaves_it_a_share)
{
	const span_t took = PACE_SHORT + COMMIT_US;
	span_t now = NOW, swept = 0;

	while (now < NOW + SPAN_MINUTE) {
		pace_note_request(&pace, now);
		if (pace_wait(&pace, now) == 0) {
			swept += pace_rows(&pace, now);
			now += took;
			pace_note_slice(&pace, PACE_SHORT / ROW_US, PACE_SHORT, COMMIT_US, now);
		}
		now += 150;
	}
	cr_assert_gt(swept, 500000);
	cr_assert_lt(swept * ROW_US, SPAN_MINUTE / 10);
}

Test(pace, where_a_commit_takes_long_a_slice_does_as_much)
{
	pace_note_request(&pace, NOW);
	pace_note_slice(&pace, 100, 100 * ROW_US, 3000, NOW);
	cr_assert_eq(span_of(NOW), 3000);
	pace_note_slice(&pace, 100, 100 * ROW_US, SPAN_SECOND, NOW);
	cr_assert_eq(span_of(NOW), PACE_LONG);
}

Test(pace, where_the_commit_is_part_of_a_row_the_shortest_slice_is_longer)
{
	pace_init(&pace, PACE_SYNCS);
	pace_note_slice(&pace, 100, 100 * ROW_US, 0, NOW);
	pace_note_request(&pace, NOW);
	cr_assert_eq(span_of(NOW), PACE_SYNCS);
}

Test(pace, how_long_a_row_takes_is_learned)
{
	pace_note_request(&pace, NOW);
	pace_note_slice(&pace, 100, 2000, COMMIT_US, NOW);
	cr_assert_eq(pace_rows(&pace, NOW), PACE_SHORT / 20);
}

Test(pace, there_is_always_progress_and_never_without_end)
{
	pace_note_slice(&pace, 1, SPAN_MINUTE, COMMIT_US, NOW);
	cr_assert_eq(pace_rows(&pace, NOW), PACE_ROWS_MIN);
	pace_note_slice(&pace, UINT32_MAX, 1, COMMIT_US, NOW);
	cr_assert_eq(pace_rows(&pace, NOW), PACE_ROWS_MAX);
}

Test(pace, a_clock_that_stands_still_teaches_nothing)
{
	uint32_t rows = pace_rows(&pace, NOW);

	pace_note_slice(&pace, 1000, 0, 0, NOW);
	cr_assert_eq(pace_rows(&pace, NOW), rows);
	pace_note_request(&pace, NOW);
	cr_assert_eq(pace_wait(&pace, NOW), 0, "nothing to rest from");
}
