/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/histogram.h"

#include <criterion/criterion.h>

static struct histogram histogram;

static void add(span_t span)
{
	histogram_add(&histogram, span, 1);
}

Test(histogram, the_bounds_rise)
{
	for (size_t i = 1; i < HISTOGRAM_BOUNDS; i++) {
		cr_assert_lt(histogram_bounds[i - 1], histogram_bounds[i]);
	}
}

Test(histogram, a_span_equal_to_a_bound_is_in_its_bucket_and_a_longer_one_is_not)
{
	for (size_t i = 0; i < HISTOGRAM_BOUNDS; i++) {
		add(histogram_bounds[i]);
		cr_assert_eq(histogram.n[i], i == 0 ? 1 : 2, "%zu", i);
		add(histogram_bounds[i] + 1);
		cr_assert_eq(histogram.n[i + 1], 1, "%zu", i);
	}
}

Test(histogram, what_is_longer_than_every_bound_is_counted)
{
	add(INT64_MAX);
	cr_assert_eq(histogram.n[HISTOGRAM_BOUNDS], 1);
	cr_assert_eq(histogram.count, 1);
	cr_assert_eq(histogram.longest, INT64_MAX);
}

Test(histogram, several_of_one_span_count_each)
{
	histogram_add(&histogram, 3000, 7);
	add(200);
	cr_assert_eq(histogram.n[5], 7);
	cr_assert_eq(histogram.n[1], 1);
	cr_assert_eq(histogram.count, 8);
	cr_assert_eq(histogram.sum, 7 * 3000 + 200);
	cr_assert_eq(histogram.longest, 3000);
}

Test(histogram, none_of_a_span_changes_nothing)
{
	static const struct histogram empty;

	histogram_add(&histogram, SPAN_SECOND, 0);
	cr_assert_eq(memcmp(&histogram, &empty, sizeof(empty)), 0);
}

Test(histogram, a_span_below_zero_counts_as_zero)
{
	add(-5);
	cr_assert_eq(histogram.n[0], 1);
	cr_assert_eq(histogram.sum, 0);
	cr_assert_eq(histogram.longest, 0);
}
