/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/clock.h"

#include <criterion/criterion.h>

#define NOW   INT64_C(1772366400000000) /* 2026-03-01T12:00:00Z */
#define BOOT  (5 * SPAN_HOUR)           /* how long the machine is up when a mark is made */
#define LATER (10 * SPAN_MINUTE)        /* what goes by between the mark and the start */

static const struct clock_boot_id this_boot = {{1, 2, 3}}, other_boot = {{1, 2, 4}}, no_boot;

/* One start, told in its parts; a test changes what it is about. */
static struct clock_mark mark;
static struct clock_reading reading;
static const struct clock_boot_id *boot_id;
static instant_t recorded;
static struct clock clock;
static struct clock_move move;

/* The same boot, ten minutes after a mark under a wall clock that was right. */
static void set_up(void)
{
	mark = (struct clock_mark){
		.at = NOW,
		.reading = {.wall = NOW, .boot = BOOT},
		.boot_id = this_boot,
		.doubted_since = INSTANT_NONE,
	};
	reading = (struct clock_reading){.wall = NOW + LATER, .boot = BOOT + LATER};
	boot_id = &this_boot;
	recorded = NOW;
}

TestSuite(clock, .init = set_up);

static void start(void)
{
	clock_start(&clock, &reading, boot_id, &mark, recorded, &move);
}

/* Another boot, a minute old. */
static void reboot(void)
{
	boot_id = &other_boot;
	reading.boot = SPAN_MINUTE;
}

static instant_t now(void)
{
	return clock_now(&clock, &reading);
}

static void pass(span_t span)
{
	reading.wall += span;
	reading.boot += span;
}

static void expect(enum clock_doubt doubt, instant_t at)
{
	cr_expect_str_eq(clock_doubt_name(clock.doubt), clock_doubt_name(doubt));
	cr_expect_eq(clock_is_doubted(&clock), doubt != CLOCK_DOUBT_NONE);
	cr_expect_eq(now(), at, "%lld us off", (long long)(now() - at));
}

/* Within a boot */

/* clang-format off */
static const span_t jumps[] = {
	-NOW, -400 * SPAN_DAY, -SPAN_HOUR - 1, -1,
	1, 7 * SPAN_DAY, 7 * SPAN_DAY + 1, 55 * SPAN_DAY, 4000 * SPAN_DAY,
};
/* clang-format on */

Test(clock, within_a_boot_time_goes_on_with_the_boot_clock)
{
	start();
	expect(CLOCK_DOUBT_NONE, NOW + LATER);
	pass(90 * SPAN_DAY + 1);
	expect(CLOCK_DOUBT_NONE, NOW + LATER + 90 * SPAN_DAY + 1);
}

Test(clock, within_a_boot_a_wall_that_jumps_changes_nothing)
{
	for (size_t i = 0; i < ARRAY_LEN(jumps); i++) {
		set_up();
		start();
		reading.wall += jumps[i];
		expect(CLOCK_DOUBT_NONE, NOW + LATER);
		cr_expect_not(clock_ask(&clock, &reading, &move));
		expect(CLOCK_DOUBT_NONE, NOW + LATER);
	}
}

Test(clock, within_a_boot_a_wall_that_jumps_changes_nothing_over_a_restart_either)
{
	for (size_t i = 0; i < ARRAY_LEN(jumps); i++) {
		set_up();
		reading.wall += jumps[i];
		start();
		expect(CLOCK_DOUBT_NONE, NOW + LATER);
		cr_expect_eq(move.from, move.to);
		cr_expect_eq(move.stamped_since, INSTANT_NONE);
	}
}

Test(clock, within_a_boot_a_record_that_is_later_than_the_mark_leads_to_holds)
{
	recorded = NOW + LATER + 1;
	start();
	expect(CLOCK_DOUBT_NONE, NOW + LATER + 1);
}

Test(clock, a_mark_of_the_very_same_instant_is_of_the_same_boot)
{
	reading = mark.reading;
	reading.wall -= 30 * SPAN_DAY;
	start();
	expect(CLOCK_DOUBT_NONE, NOW);
}

/* Which boot it is */

Test(clock, a_boot_clock_that_is_behind_the_marks_is_of_another_boot)
{
	reading = (struct clock_reading){.wall = NOW + SPAN_DAY, .boot = BOOT - 1};
	start();
	expect(CLOCK_DOUBT_NONE, NOW + SPAN_DAY);
}

Test(clock, a_boot_without_an_id_is_never_the_same)
{
	mark.boot_id = no_boot;
	boot_id = &no_boot;
	reading.wall = NOW + SPAN_DAY;
	start();
	expect(CLOCK_DOUBT_NONE, NOW + SPAN_DAY);
}

Test(clock, a_known_boot_is_another_than_one_without_an_id)
{
	mark.boot_id = no_boot;
	reading.wall = NOW + SPAN_DAY;
	start();
	expect(CLOCK_DOUBT_NONE, NOW + SPAN_DAY);
}

/* Another boot: the wall clock against the last time on record */

Test(clock, another_boot_takes_a_wall_that_is_on_the_record_or_up_to_seven_days_ahead_of_it)
{
	static const span_t ahead[] = {0, 1, LATER, SPAN_DAY, 7 * SPAN_DAY - 1, 7 * SPAN_DAY};

	for (size_t i = 0; i < ARRAY_LEN(ahead); i++) {
		set_up();
		reboot();
		reading.wall = NOW + ahead[i];
		start();
		expect(CLOCK_DOUBT_NONE, NOW + ahead[i]);
		cr_expect_eq(move.from, NOW);
		cr_expect_eq(move.to, NOW + ahead[i]);
		cr_expect_eq(move.stamped_since, INSTANT_NONE);
	}
}

Test(clock, another_boot_doubts_a_wall_that_is_more_than_seven_days_ahead_and_keeps_the_older)
{
	static const span_t ahead[] = {7 * SPAN_DAY + 1, 55 * SPAN_DAY, 4000 * SPAN_DAY,
				       INSTANT_MAX - NOW, INSTANT_MAX};

	for (size_t i = 0; i < ARRAY_LEN(ahead); i++) {
		set_up();
		reboot();
		reading.wall = NOW + ahead[i];
		start();
		expect(CLOCK_DOUBT_AHEAD, NOW);
		cr_expect_eq(clock.doubted_since, NOW);
		cr_expect_eq(move.from, move.to);
		pass(SPAN_DAY);
		expect(CLOCK_DOUBT_AHEAD, NOW + SPAN_DAY);
	}
}

Test(clock, another_boot_is_not_alarmed_by_a_wall_that_is_an_hour_behind_and_does_not_go_back)
{
	static const span_t behind[] = {1, SPAN_MINUTE, SPAN_HOUR};

	for (size_t i = 0; i < ARRAY_LEN(behind); i++) {
		set_up();
		reboot();
		reading.wall = NOW - behind[i];
		start();
		expect(CLOCK_DOUBT_NONE, NOW);
		pass(LATER);
		expect(CLOCK_DOUBT_NONE, NOW + LATER);
	}
}

Test(clock, another_boot_doubts_a_wall_that_is_further_behind_and_goes_on_from_the_record)
{
	static const span_t behind[] = {SPAN_HOUR + 1, SPAN_DAY, 400 * SPAN_DAY, NOW};

	for (size_t i = 0; i < ARRAY_LEN(behind); i++) {
		set_up();
		reboot();
		reading.wall = NOW - behind[i];
		start();
		expect(CLOCK_DOUBT_BEHIND, NOW);
		pass(LATER);
		expect(CLOCK_DOUBT_BEHIND, NOW + LATER);
	}
}

Test(clock, what_counts_is_the_later_of_mark_and_record)
{
	reboot();
	recorded = NOW + SPAN_DAY;
	reading.wall = NOW + 8 * SPAN_DAY;
	start();
	expect(CLOCK_DOUBT_NONE, NOW + 8 * SPAN_DAY);
	recorded = NOW - 30 * SPAN_DAY;
	start();
	expect(CLOCK_DOUBT_AHEAD, NOW);
}

Test(clock, a_record_without_a_mark_counts_alike)
{
	mark = CLOCK_MARK_NONE;
	reading.wall = NOW + 7 * SPAN_DAY;
	start();
	expect(CLOCK_DOUBT_NONE, NOW + 7 * SPAN_DAY);
	reading.wall = NOW + 7 * SPAN_DAY + 1;
	start();
	expect(CLOCK_DOUBT_AHEAD, NOW);
}

Test(clock, without_a_mark_and_a_record_there_is_nothing_to_compare_with)
{
	mark = CLOCK_MARK_NONE;
	recorded = INSTANT_NONE;
	start();
	expect(CLOCK_DOUBT_NONE, NOW + LATER);
	cr_expect_eq(move.from, move.to);
}

/* The question stays open */

static void start_ahead(void)
{
	reboot();
	reading.wall = NOW + 55 * SPAN_DAY;
	start();
	cr_assert_eq(clock.doubt, CLOCK_DOUBT_AHEAD);
}

static void start_behind(void)
{
	reboot();
	reading.wall = NOW - 55 * SPAN_DAY;
	start();
	cr_assert_eq(clock.doubt, CLOCK_DOUBT_BEHIND);
}

Test(clock, a_doubted_wall_is_asked_in_vain_while_it_stays_where_it_is)
{
	start_ahead();
	for (int hour = 1; hour <= 24; hour++) {
		pass(SPAN_HOUR);
		cr_assert_not(clock_ask(&clock, &reading, &move));
		expect(CLOCK_DOUBT_AHEAD, NOW + hour * SPAN_HOUR);
	}
	cr_expect_eq(clock.doubted_since, NOW);
}

Test(clock, a_wall_that_is_set_right_ends_the_doubt_and_gives_the_time)
{
	start_ahead();
	pass(SPAN_HOUR);
	reading.wall -= 54 * SPAN_DAY;
	cr_expect(clock_ask(&clock, &reading, &move));
	expect(CLOCK_DOUBT_NONE, NOW + SPAN_DAY + SPAN_HOUR);
	cr_expect_eq(move.from, NOW + SPAN_HOUR);
	cr_expect_eq(move.to, NOW + SPAN_DAY + SPAN_HOUR);
	cr_expect_eq(move.stamped_since, NOW);
}

Test(clock, a_wall_that_was_behind_and_is_set_right_ends_the_doubt_as_well)
{
	start_behind();
	pass(SPAN_SECOND);
	reading.wall += 57 * SPAN_DAY;
	cr_expect(clock_ask(&clock, &reading, &move));
	expect(CLOCK_DOUBT_NONE, NOW + 2 * SPAN_DAY + SPAN_SECOND);
}

Test(clock, a_wall_that_is_set_from_one_fault_to_the_other_is_doubted_for_that)
{
	start_ahead();
	reading.wall -= 60 * SPAN_DAY;
	cr_expect_not(clock_ask(&clock, &reading, &move));
	expect(CLOCK_DOUBT_BEHIND, NOW);
}

Test(clock, nobody_is_asked_when_nothing_is_doubted)
{
	start();
	reading.wall += 5 * SPAN_DAY;
	cr_expect_not(clock_ask(&clock, &reading, &move));
	cr_expect_not(clock_accept(&clock, &reading, &move));
	expect(CLOCK_DOUBT_NONE, NOW + LATER);
}

Test(clock, a_doubt_outlasts_a_restart_within_the_boot)
{
	start_ahead();
	pass(SPAN_HOUR);
	clock_make_mark(&clock, &reading, &mark);
	pass(SPAN_HOUR);
	start();
	expect(CLOCK_DOUBT_AHEAD, NOW + 2 * SPAN_HOUR);
	cr_expect_eq(clock.doubted_since, NOW);
}

Test(clock, a_doubt_ends_with_a_restart_within_the_boot_under_a_wall_that_was_set_right)
{
	start_ahead();
	pass(SPAN_HOUR);
	clock_make_mark(&clock, &reading, &mark);
	reading.wall -= 55 * SPAN_DAY;
	pass(SPAN_HOUR);
	start();
	expect(CLOCK_DOUBT_NONE, NOW + 2 * SPAN_HOUR);
	cr_expect_eq(move.stamped_since, NOW);
}

Test(clock, a_doubt_ends_with_the_next_boot_under_a_right_wall)
{
	start_ahead();
	clock_make_mark(&clock, &reading, &mark);
	reading = (struct clock_reading){.wall = NOW + SPAN_HOUR, .boot = 0};
	boot_id = &this_boot;
	start();
	expect(CLOCK_DOUBT_NONE, NOW + SPAN_HOUR);
	cr_expect_eq(move.stamped_since, NOW);
}

Test(clock, a_doubt_goes_on_in_the_next_boot_from_where_it_began)
{
	start_ahead();
	pass(3 * SPAN_HOUR);
	clock_make_mark(&clock, &reading, &mark);
	boot_id = &this_boot;
	reading.boot = 0;
	start();
	expect(CLOCK_DOUBT_AHEAD, NOW + 3 * SPAN_HOUR);
	cr_expect_eq(clock.doubted_since, NOW);
}

/* Somebody accepts */

Test(clock, who_accepts_a_wall_that_is_ahead_moves_time_on_to_it)
{
	start_ahead();
	pass(SPAN_HOUR);
	cr_expect(clock_accept(&clock, &reading, &move));
	expect(CLOCK_DOUBT_NONE, NOW + 55 * SPAN_DAY + SPAN_HOUR);
	cr_expect_eq(move.from, NOW + SPAN_HOUR);
	cr_expect_eq(move.to, NOW + 55 * SPAN_DAY + SPAN_HOUR);
	cr_expect_eq(move.stamped_since, NOW);
	cr_expect_eq(clock.doubted_since, INSTANT_NONE);
}

Test(clock, who_accepts_a_wall_that_is_behind_lets_time_go_on_from_where_it_is)
{
	start_behind();
	pass(SPAN_HOUR);
	cr_expect(clock_accept(&clock, &reading, &move));
	expect(CLOCK_DOUBT_NONE, NOW + SPAN_HOUR);
	cr_expect_eq(move.from, move.to);
}

Test(clock, a_lag_that_was_accepted_is_not_asked_about_by_the_next_boots)
{
	start_behind();
	cr_expect(clock_accept(&clock, &reading, &move));
	for (int boot = 0; boot < 3; boot++) {
		pass(SPAN_DAY);
		clock_make_mark(&clock, &reading, &mark);
		boot_id = boot % 2 ? &other_boot : &this_boot;
		reading.boot = 0;
		start();
		expect(CLOCK_DOUBT_NONE, NOW + (boot + 1) * SPAN_DAY);
	}
	clock_make_mark(&clock, &reading, &mark);
	boot_id = &other_boot;
	reading = (struct clock_reading){.wall = reading.wall - SPAN_HOUR - 1, .boot = 0};
	start();
	cr_expect_eq(clock.doubt, CLOCK_DOUBT_BEHIND);
}

Test(clock, a_lag_that_was_accepted_ends_with_a_wall_that_has_caught_up)
{
	start_behind();
	cr_expect(clock_accept(&clock, &reading, &move));
	clock_make_mark(&clock, &reading, &mark);
	boot_id = &this_boot;
	reading = (struct clock_reading){.wall = NOW + SPAN_DAY, .boot = 0};
	start();
	expect(CLOCK_DOUBT_NONE, NOW + SPAN_DAY);
	clock_make_mark(&clock, &reading, &mark);
	boot_id = &other_boot;
	reading.wall -= 55 * SPAN_DAY;
	start();
	expect(CLOCK_DOUBT_BEHIND, NOW + SPAN_DAY);
}

Test(clock, a_wall_beyond_all_instants_is_accepted_from_nobody)
{
	start_ahead();
	reading.wall = INSTANT_MAX;
	cr_expect_not(clock_accept(&clock, &reading, &move));
	expect(CLOCK_DOUBT_AHEAD, NOW);
}

Test(clock, what_was_accepted_holds_over_a_restart)
{
	start_ahead();
	cr_expect(clock_accept(&clock, &reading, &move));
	clock_make_mark(&clock, &reading, &mark);
	pass(SPAN_HOUR);
	start();
	expect(CLOCK_DOUBT_NONE, NOW + 55 * SPAN_DAY + SPAN_HOUR);
}

/* Steps */

Test(clock, a_step_of_the_wall_is_noticed_from_a_second_on)
{
	const struct clock_reading before = {.wall = NOW, .boot = BOOT};
	struct clock_reading after = {.wall = NOW + SPAN_MINUTE, .boot = BOOT + SPAN_MINUTE};

	cr_expect_eq(clock_step(&before, &after), 0);
	after.wall += SPAN_SECOND - 1;
	cr_expect_eq(clock_step(&before, &after), 0);
	after.wall += 1;
	cr_expect_eq(clock_step(&before, &after), SPAN_SECOND);
	after.wall -= 2 * SPAN_SECOND;
	cr_expect_eq(clock_step(&before, &after), -SPAN_SECOND);
	after.wall -= 3 * SPAN_DAY;
	cr_expect_eq(clock_step(&before, &after), -3 * SPAN_DAY - SPAN_SECOND);
}

/* Boot ids */

Test(clock, an_id_is_read_as_the_kernel_and_as_systemd_write_it)
{
	static const struct clock_boot_id expected = {{0x0b, 0x5e, 0x87, 0x10, 0xfa, 0x3c, 0x4d,
						       0x21, 0x9e, 0x00, 0x5a, 0x6b, 0x7c, 0x8d,
						       0x9e, 0xaf}};
	struct clock_boot_id id;

	cr_expect(clock_parse_boot_id(SLICE_LITERAL("0b5e8710-fa3c-4d21-9e00-5a6b7c8d9eaf"), &id));
	cr_expect_arr_eq(id.bytes, expected.bytes, CLOCK_BOOT_ID_LEN);
	cr_expect(clock_parse_boot_id(SLICE_LITERAL("0b5e8710fa3c4d219e005a6b7c8d9eaf"), &id));
	cr_expect_arr_eq(id.bytes, expected.bytes, CLOCK_BOOT_ID_LEN);
}

Test(clock, what_is_no_id_is_refused)
{
	static const char *const wrong[] = {
		"",
		"-",
		"0b5e8710fa3c4d219e005a6b7c8d9ea",
		"0b5e8710fa3c4d219e005a6b7c8d9eaf0",
		"0b5e8710fa3c4d219e005a6b7c8d9eag",
		"0B5E8710FA3C4D219E005A6B7C8D9EAF",
		"0b5e8710 fa3c4d219e005a6b7c8d9eaf",
		"00000000-0000-0000-0000-000000000000",
	};
	struct clock_boot_id id;

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		cr_expect_not(clock_parse_boot_id(slice_of(wrong[i]), &id), "%s", wrong[i]);
	}
}

/* Of a real and of a simulated one */

Test(clock, a_real_clock_cannot_be_advanced)
{
	start();
	cr_expect(!clock_advance(&clock, NOW + SPAN_DAY));
	expect(CLOCK_DOUBT_NONE, NOW + LATER);
}

static void simulate(instant_t at, instant_t last)
{
	clock_simulate(&clock, at, last);
}

Test(clock, a_simulated_clock_stands_still)
{
	simulate(NOW, INSTANT_NONE);
	expect(CLOCK_DOUBT_NONE, NOW);
	pass(SPAN_DAY);
	expect(CLOCK_DOUBT_NONE, NOW);
	reading.wall += 1000 * SPAN_DAY;
	cr_expect_not(clock_ask(&clock, &reading, &move));
	expect(CLOCK_DOUBT_NONE, NOW);
}

Test(clock, a_simulated_clock_shows_where_it_was_moved_to)
{
	simulate(NOW, INSTANT_NONE);
	cr_expect(clock_advance(&clock, NOW + 1));
	expect(CLOCK_DOUBT_NONE, NOW + 1);
	cr_expect(clock_advance(&clock, NOW + 30 * SPAN_DAY));
	expect(CLOCK_DOUBT_NONE, NOW + 30 * SPAN_DAY);
}

Test(clock, a_simulated_clock_never_moves_back)
{
	simulate(NOW, INSTANT_NONE);
	cr_expect(!clock_advance(&clock, NOW - 1));
	cr_expect(!clock_advance(&clock, INSTANT_NONE));
	expect(CLOCK_DOUBT_NONE, NOW);
}

Test(clock, moving_a_simulated_clock_to_where_it_stands_is_fine)
{
	simulate(NOW, INSTANT_NONE);
	cr_expect(clock_advance(&clock, NOW));
	expect(CLOCK_DOUBT_NONE, NOW);
}

Test(clock, a_simulated_clock_ends_with_the_year_9999)
{
	simulate(NOW, INSTANT_NONE);
	cr_expect(!clock_advance(&clock, INSTANT_MAX));
	expect(CLOCK_DOUBT_NONE, NOW);
	cr_expect(clock_advance(&clock, INSTANT_MAX - 1));
	expect(CLOCK_DOUBT_NONE, INSTANT_MAX - 1);
}

Test(clock, a_simulated_clock_that_starts_behind_the_record_begins_there)
{
	simulate(NOW - SPAN_DAY, NOW);
	expect(CLOCK_DOUBT_NONE, NOW);
	cr_expect(!clock_advance(&clock, NOW - 1));
}

Test(clock, each_mode_has_its_name)
{
	cr_expect_str_eq(clock_mode_name(CLOCK_MODE_REAL), "real");
	cr_expect_str_eq(clock_mode_name(CLOCK_MODE_SIMULATED), "simulated");
}
