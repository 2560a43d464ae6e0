/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/guard.h"

#include <criterion/criterion.h>

#include "common/model.h"

#define NOW (INT64_C(1772366400) * SPAN_SECOND) /* the beginning of an hour */

static struct policy policy;

static struct mass_guard guard_of(uint64_t n_accounts)
{
	struct mass_guard guard;

	policy = policy_default();
	guard_init(&guard);
	guard.n_accounts = n_accounts;
	return guard;
}

static void count_many(struct mass_guard *guard, enum guard_kind kind, uint64_t n, instant_t now)
{
	for (uint64_t i = 0; i < n; i++) {
		guard_count(guard, kind, now);
	}
}

static uint64_t left(const struct mass_guard *guard, enum guard_kind kind, instant_t now)
{
	return guard_left(guard, &policy, kind, now);
}

Test(guard, five_hundred_pass_however_few_accounts_there_are)
{
	struct mass_guard guard = guard_of(10);

	cr_expect_eq(left(&guard, GUARD_KIND_DELETION, NOW), 500);
	guard = guard_of(2000);
	cr_expect_eq(left(&guard, GUARD_KIND_DELETION, NOW), 500);
}

Test(guard, a_quarter_passes_where_that_is_more)
{
	struct mass_guard guard = guard_of(2004);

	cr_expect_eq(left(&guard, GUARD_KIND_PURGE, NOW), 501);
	guard = guard_of(30000);
	cr_expect_eq(left(&guard, GUARD_KIND_SWEEP, NOW), 7500);
}

Test(guard, exactly_the_limit_passes)
{
	struct mass_guard guard = guard_of(0);

	count_many(&guard, GUARD_KIND_DELETION, 499, NOW);
	cr_expect_eq(left(&guard, GUARD_KIND_DELETION, NOW), 1);
	guard_count(&guard, GUARD_KIND_DELETION, NOW);
	cr_expect_eq(left(&guard, GUARD_KIND_DELETION, NOW), 0);
}

Test(guard, each_kind_is_counted_for_itself)
{
	struct mass_guard guard = guard_of(0);

	count_many(&guard, GUARD_KIND_DELETION, 500, NOW);
	guard_engage(&guard, GUARD_KIND_DELETION, NOW);
	cr_expect_eq(left(&guard, GUARD_KIND_PURGE, NOW), 500);
	cr_expect_eq(left(&guard, GUARD_KIND_SWEEP, NOW), 500);
}

Test(guard, an_organization_decides_on_its_own_limit)
{
	struct mass_guard guard = guard_of(1000);

	policy.guard_min = 3;
	policy.guard_percent = 1;
	cr_expect_eq(left(&guard, GUARD_KIND_DELETION, NOW), 10);
	policy.guard_min = 11;
	cr_expect_eq(left(&guard, GUARD_KIND_DELETION, NOW), 11);
}

Test(guard, a_hundred_percent_switches_it_off_even_while_it_is_engaged)
{
	struct mass_guard guard = guard_of(0);

	count_many(&guard, GUARD_KIND_DELETION, 600, NOW);
	guard_engage(&guard, GUARD_KIND_DELETION, NOW);
	policy.guard_percent = MODEL_GUARD_PERCENT_OFF;
	cr_expect(guard_is_off(&policy));
	cr_expect_eq(left(&guard, GUARD_KIND_DELETION, NOW), UINT64_MAX);
}

Test(guard, nothing_is_forgotten_within_24_hours)
{
	instant_t last = NOW + SPAN_HOUR - 1; /* of its hour */
	struct mass_guard guard = guard_of(0);

	count_many(&guard, GUARD_KIND_DELETION, 500, last);
	cr_expect_eq(left(&guard, GUARD_KIND_DELETION, last + SPAN_DAY), 0);
	cr_expect_eq(guard_done(&guard, GUARD_KIND_DELETION, last + SPAN_DAY), 500);
}

Test(guard, everything_is_forgotten_after_25_hours)
{
	struct mass_guard guard = guard_of(0);

	count_many(&guard, GUARD_KIND_DELETION, 500, NOW);
	cr_expect_eq(left(&guard, GUARD_KIND_DELETION, NOW + 25 * SPAN_HOUR - 1), 0);
	cr_expect_eq(left(&guard, GUARD_KIND_DELETION, NOW + 25 * SPAN_HOUR), 500);
}

Test(guard, hours_are_forgotten_one_by_one)
{
	struct mass_guard guard = guard_of(0);

	for (int hour = 0; hour < 50; hour++) {
		guard_count(&guard, GUARD_KIND_PURGE, NOW + hour * SPAN_HOUR);
		cr_expect_eq(guard_done(&guard, GUARD_KIND_PURGE, NOW + hour * SPAN_HOUR),
			     (uint64_t)MIN(hour + 1, GUARD_HOURS));
		cr_expect(guard_is_sound(&guard));
	}
}

Test(guard, a_jump_over_many_hours_forgets_them_all)
{
	struct mass_guard guard = guard_of(0);

	for (int hour = 0; hour < GUARD_HOURS; hour++) {
		guard_count(&guard, GUARD_KIND_PURGE, NOW + hour * SPAN_HOUR);
	}
	guard_count(&guard, GUARD_KIND_PURGE, NOW + 400 * SPAN_DAY);
	cr_expect_eq(guard_done(&guard, GUARD_KIND_PURGE, NOW + 400 * SPAN_DAY), 1);
	cr_expect(guard_is_sound(&guard));
}

Test(guard, a_clock_that_stands_or_seems_to_go_back_forgets_nothing)
{
	struct mass_guard guard = guard_of(0);

	count_many(&guard, GUARD_KIND_DELETION, 400, NOW);
	count_many(&guard, GUARD_KIND_DELETION, 100, NOW - 30 * SPAN_DAY);
	cr_expect_eq(left(&guard, GUARD_KIND_DELETION, NOW), 0);
	cr_expect_eq(left(&guard, GUARD_KIND_DELETION, NOW - 30 * SPAN_DAY), 0);
}

Test(guard, engaged_it_lets_nothing_pass_however_much_time_goes_by)
{
	struct mass_guard guard = guard_of(0);

	guard_engage(&guard, GUARD_KIND_DELETION, NOW);
	guard_engage(&guard, GUARD_KIND_DELETION, NOW + SPAN_DAY);
	cr_expect_eq(guard.engaged_at[GUARD_KIND_DELETION], NOW);
	cr_expect_eq(left(&guard, GUARD_KIND_DELETION, NOW + 30 * SPAN_DAY), 0);
	guard_disengage(&guard, GUARD_KIND_DELETION);
	cr_expect_eq(left(&guard, GUARD_KIND_DELETION, NOW + 30 * SPAN_DAY), 500);
}

Test(guard, a_removal_that_is_complete_does_not_lower_the_limit)
{
	struct mass_guard guard = guard_of(4000);

	for (int i = 0; i < 400; i++) {
		guard_count_completed(&guard, NOW);
	}
	cr_expect_eq(guard.n_accounts, 3600);
	cr_expect_eq(left(&guard, GUARD_KIND_SWEEP, NOW), 1000);
	cr_expect_eq(left(&guard, GUARD_KIND_SWEEP, NOW + 25 * SPAN_HOUR), 900);
}

Test(guard, a_release_lets_pass_exactly_what_was_held_back)
{
	struct mass_guard guard = guard_of(0);

	count_many(&guard, GUARD_KIND_DELETION, 500, NOW);
	guard_engage(&guard, GUARD_KIND_DELETION, NOW);
	guard.n_staged[GUARD_KIND_DELETION] = 12;
	guard_release(&guard, &policy, 0, NOW);
	cr_expect_eq(guard_n_staged(&guard), 0);
	cr_expect_eq(guard_n_decided(&guard), 12);
	cr_expect(!guard_is_engaged(&guard, GUARD_KIND_DELETION));
	cr_expect_eq(left(&guard, GUARD_KIND_DELETION, NOW), 0, "others do not take its place");
	for (int i = 0; i < 12; i++) {
		guard.n_decided[GUARD_KIND_DELETION]--;
		guard_count(&guard, GUARD_KIND_DELETION, NOW);
	}
	cr_expect_eq(left(&guard, GUARD_KIND_DELETION, NOW), 0);
	cr_expect_eq(guard_limit(&guard, &policy, GUARD_KIND_DELETION, NOW), 512);
}

Test(guard, a_release_lets_removals_that_are_due_start)
{
	struct mass_guard guard = guard_of(0);

	count_many(&guard, GUARD_KIND_SWEEP, 500, NOW);
	guard_engage(&guard, GUARD_KIND_SWEEP, NOW);
	guard_release(&guard, &policy, 7, NOW);
	cr_expect_eq(left(&guard, GUARD_KIND_SWEEP, NOW), 7);
	cr_expect_eq(left(&guard, GUARD_KIND_DELETION, NOW), 500);
}

Test(guard, a_release_counts_from_what_has_happened_where_that_is_beyond_the_limit)
{
	struct mass_guard guard = guard_of(0);

	count_many(&guard, GUARD_KIND_SWEEP, 2000, NOW); /* the guard was off */
	guard_engage(&guard, GUARD_KIND_SWEEP, NOW + 20 * SPAN_HOUR);
	guard_release(&guard, &policy, 7, NOW + 20 * SPAN_HOUR);
	cr_expect_eq(left(&guard, GUARD_KIND_SWEEP, NOW + 20 * SPAN_HOUR), 7);
	cr_expect_eq(left(&guard, GUARD_KIND_SWEEP, NOW + 25 * SPAN_HOUR), 507,
		     "it is forgotten with what happened");
	cr_expect(guard_is_sound(&guard));
}

Test(guard, what_is_discarded_raises_no_limit)
{
	struct mass_guard guard = guard_of(0);

	count_many(&guard, GUARD_KIND_PURGE, 500, NOW);
	guard_engage(&guard, GUARD_KIND_PURGE, NOW);
	guard_engage(&guard, GUARD_KIND_SWEEP, NOW);
	guard.n_staged[GUARD_KIND_PURGE] = 12;
	guard_discard(&guard, false);
	cr_expect_eq(guard_n_decided(&guard), 12);
	cr_expect_eq(guard_limit(&guard, &policy, GUARD_KIND_PURGE, NOW), 500);
	cr_expect(guard_is_engaged(&guard, GUARD_KIND_SWEEP), "time is not discarded");
}

Test(guard, what_persons_asked_for_is_discarded_only_by_name)
{
	struct mass_guard guard = guard_of(0);

	guard_engage(&guard, GUARD_KIND_DELETION, NOW);
	guard_engage(&guard, GUARD_KIND_PURGE, NOW);
	guard.n_staged[GUARD_KIND_DELETION] = 12;
	guard.n_owed[GUARD_KIND_DELETION] = 2;
	guard.n_staged[GUARD_KIND_PURGE] = 5;
	guard_discard(&guard, false);
	cr_expect_eq(guard_n_decided(&guard), 15);
	cr_expect_eq(guard_n_staged(&guard), 2);
	cr_expect_eq(guard_n_owed(&guard), 2);
	cr_expect(guard_is_engaged(&guard, GUARD_KIND_DELETION));
	cr_expect_not(guard_is_engaged(&guard, GUARD_KIND_PURGE));
	cr_expect(guard_is_sound(&guard));
	guard_discard(&guard, true);
	cr_expect_eq(guard_n_decided(&guard), 17);
	cr_expect_eq(guard_n_staged(&guard) + guard_n_owed(&guard), 0);
	cr_expect_not(guard_is_engaged(&guard, GUARD_KIND_DELETION));
}

Test(guard, what_is_released_is_owed_to_nobody_any_more)
{
	struct mass_guard guard = guard_of(0);

	guard_engage(&guard, GUARD_KIND_DELETION, NOW);
	guard.n_staged[GUARD_KIND_DELETION] = 12;
	guard.n_owed[GUARD_KIND_DELETION] = 12;
	guard_release(&guard, &policy, 0, NOW);
	cr_expect_eq(guard_n_decided(&guard), 12);
	cr_expect_eq(guard_n_owed(&guard), 0);
	cr_expect(guard_is_sound(&guard));
}

Test(guard, counts_stay_at_the_most_that_fits)
{
	struct mass_guard guard = guard_of(0);

	guard_release(&guard, &policy, UINT64_MAX, NOW);
	cr_expect_eq(guard_limit(&guard, &policy, GUARD_KIND_SWEEP, NOW),
		     500 + (uint64_t)UINT32_MAX);
	cr_expect(guard_is_sound(&guard));
	guard_count_completed(&guard, NOW);
	cr_expect_eq(guard.n_accounts, 0);
}

Test(guard, what_was_read_must_hang_together)
{
	struct mass_guard guard = guard_of(1);

	cr_expect(guard_is_sound(&guard));
	guard.done[GUARD_KIND_PURGE].sum = 1;
	cr_expect(!guard_is_sound(&guard));
	guard = guard_of(1);
	guard.n_staged[GUARD_KIND_SWEEP] = 1;
	cr_expect(!guard_is_sound(&guard));
	guard = guard_of(1);
	guard.n_staged[GUARD_KIND_PURGE] = 1;
	cr_expect(!guard_is_sound(&guard), "staged and not engaged");
	guard = guard_of(1);
	guard.n_owed[GUARD_KIND_PURGE] = 1;
	cr_expect(!guard_is_sound(&guard), "more owed than staged");
	guard = guard_of(1);
	guard.hour = -1;
	cr_expect(!guard_is_sound(&guard));
	guard = guard_of(1);
	guard.engaged_at[GUARD_KIND_SWEEP] = -1;
	cr_expect(!guard_is_sound(&guard));
}
