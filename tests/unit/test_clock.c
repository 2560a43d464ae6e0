/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/clock.h"

#include <criterion/criterion.h>

#define NOW  INT64_C(1772366400000000) /* 2026-03-01T12:00:00Z */
#define BOOT (5 * SPAN_HOUR)           /* how long the machine is up when the clock starts */

static struct clock real_clock(instant_t wall, instant_t mark)
{
	struct clock clock;

	/* A real clock has no use for where a simulated one begins: that is far ahead here. */
	clock_start(&clock, CLOCK_MODE_REAL, NOW + 1000 * SPAN_DAY,
		    &(struct clock_reading){.wall = wall, .boot = BOOT}, mark);
	return clock;
}

/* A simulated clock has no use for the wall: it is far ahead here. */
static struct clock simulated_clock(instant_t at, instant_t mark)
{
	struct clock clock;

	clock_start(&clock, CLOCK_MODE_SIMULATED, at,
		    &(struct clock_reading){.wall = NOW + 1000 * SPAN_DAY, .boot = BOOT}, mark);
	return clock;
}

static instant_t now(const struct clock *clock, instant_t wall, span_t boot)
{
	return clock_now(clock, &(struct clock_reading){.wall = wall, .boot = boot});
}

Test(clock, a_real_clock_begins_at_the_wall)
{
	struct clock clock = real_clock(NOW, INSTANT_NONE);

	cr_expect_eq(now(&clock, NOW, BOOT), NOW);
}

Test(clock, a_real_clock_goes_on_with_the_boot_clock_to_the_microsecond)
{
	struct clock clock = real_clock(NOW, INSTANT_NONE);

	cr_expect_eq(now(&clock, NOW + 1, BOOT + 1), NOW + 1);
	cr_expect_eq(now(&clock, NOW + 90 * SPAN_DAY, BOOT + 90 * SPAN_DAY), NOW + 90 * SPAN_DAY);
}

Test(clock, a_wall_that_jumps_ahead_changes_nothing)
{
	struct clock clock = real_clock(NOW, INSTANT_NONE);

	cr_expect_eq(now(&clock, NOW + 30 * SPAN_DAY, BOOT + SPAN_SECOND), NOW + SPAN_SECOND);
}

Test(clock, a_wall_that_jumps_back_changes_nothing)
{
	struct clock clock = real_clock(NOW, INSTANT_NONE);

	cr_expect_eq(now(&clock, 0, BOOT + SPAN_SECOND), NOW + SPAN_SECOND);
}

Test(clock, a_real_clock_that_starts_behind_the_mark_goes_on_from_the_mark)
{
	struct clock clock = real_clock(NOW - 400 * SPAN_DAY, NOW);

	cr_expect_eq(now(&clock, NOW - 400 * SPAN_DAY, BOOT), NOW);
	cr_expect_eq(now(&clock, NOW - 400 * SPAN_DAY, BOOT + SPAN_HOUR), NOW + SPAN_HOUR);
}

Test(clock, a_real_clock_that_starts_after_the_mark_begins_at_the_wall)
{
	struct clock by_one = real_clock(NOW, NOW - 1), even = real_clock(NOW, NOW);

	cr_expect_eq(now(&by_one, NOW, BOOT), NOW);
	cr_expect_eq(now(&even, NOW, BOOT), NOW);
}

Test(clock, a_real_clock_cannot_be_advanced)
{
	struct clock clock = real_clock(NOW, INSTANT_NONE);

	cr_expect(!clock_advance(&clock, NOW + SPAN_DAY));
	cr_expect_eq(now(&clock, NOW, BOOT), NOW);
}

Test(clock, a_simulated_clock_stands_still)
{
	struct clock clock = simulated_clock(NOW, INSTANT_NONE);

	cr_expect_eq(now(&clock, NOW, BOOT), NOW);
	cr_expect_eq(now(&clock, NOW + SPAN_DAY, BOOT + SPAN_DAY), NOW);
}

Test(clock, a_simulated_clock_shows_where_it_was_moved_to)
{
	struct clock clock = simulated_clock(NOW, INSTANT_NONE);

	cr_expect(clock_advance(&clock, NOW + 1));
	cr_expect_eq(now(&clock, NOW, BOOT + SPAN_DAY), NOW + 1);
	cr_expect(clock_advance(&clock, NOW + 30 * SPAN_DAY));
	cr_expect_eq(now(&clock, NOW, BOOT + SPAN_DAY), NOW + 30 * SPAN_DAY);
}

Test(clock, a_simulated_clock_never_moves_back)
{
	struct clock clock = simulated_clock(NOW, INSTANT_NONE);

	cr_expect(!clock_advance(&clock, NOW - 1));
	cr_expect(!clock_advance(&clock, INSTANT_NONE));
	cr_expect_eq(now(&clock, NOW, BOOT), NOW);
}

Test(clock, moving_a_simulated_clock_to_where_it_stands_is_fine)
{
	struct clock clock = simulated_clock(NOW, INSTANT_NONE);

	cr_expect(clock_advance(&clock, NOW));
	cr_expect_eq(now(&clock, NOW, BOOT), NOW);
}

Test(clock, a_simulated_clock_ends_with_the_year_9999)
{
	struct clock clock = simulated_clock(NOW, INSTANT_NONE);

	cr_expect(!clock_advance(&clock, INSTANT_MAX));
	cr_expect_eq(now(&clock, NOW, BOOT), NOW);
	cr_expect(clock_advance(&clock, INSTANT_MAX - 1));
	cr_expect_eq(now(&clock, NOW, BOOT), INSTANT_MAX - 1);
}

Test(clock, a_simulated_clock_that_starts_behind_the_mark_begins_at_the_mark)
{
	struct clock clock = simulated_clock(NOW - SPAN_DAY, NOW);

	cr_expect_eq(now(&clock, NOW, BOOT), NOW);
	cr_expect(!clock_advance(&clock, NOW - 1));
}

Test(clock, each_mode_has_its_name)
{
	cr_expect_str_eq(clock_mode_name(CLOCK_MODE_REAL), "real");
	cr_expect_str_eq(clock_mode_name(CLOCK_MODE_SIMULATED), "simulated");
}
