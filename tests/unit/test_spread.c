/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "tests/bench/spread.h"
#include "tests/support/random.h"

static struct spread spread;

static void fill(uint64_t from, uint64_t to, uint64_t step)
{
	spread_reset(&spread);
	for (uint64_t ns = from; ns <= to; ns += step) {
		spread_add(&spread, ns);
	}
}

Test(spread, an_empty_one_tells_zero)
{
	spread_reset(&spread);
	cr_expect_eq(spread_quantile(&spread, 0.5), 0);
}

Test(spread, small_values_are_told_exactly)
{
	fill(1, 100, 1);
	cr_expect_eq(spread_quantile(&spread, 0), 1);
	cr_expect_eq(spread_quantile(&spread, 0.5), 51);
	cr_expect_eq(spread_quantile(&spread, 0.99), 100);
	cr_expect_eq(spread_quantile(&spread, 1), 100);
}

Test(spread, every_value_is_told_to_one_in_sixty_four_and_never_too_low)
{
	uint64_t state = 1;

	for (uint32_t i = 0; i < 100000; i++) {
		uint64_t ns = random_next(&state) >> (24 + random_below(&state, 40));
		uint64_t told;

		spread_reset(&spread);
		spread_add(&spread, ns);
		spread_add(&spread, UINT64_MAX); /* so that the largest one does not cap it */
		told = spread_quantile(&spread, 0);
		cr_assert(told >= ns && told - ns <= ns / 64, "%llu is told as %llu",
			  (unsigned long long)ns, (unsigned long long)told);
	}
}

Test(spread, quantiles_of_a_wide_range_are_near_the_true_ones)
{
	const double shares[] = {0.1, 0.5, 0.9, 0.99, 0.999};

	fill(1000, 10000000, 1000);
	for (size_t i = 0; i < ARRAY_LEN(shares); i++) {
		double told = (double)spread_quantile(&spread, shares[i]);

		cr_expect(told >= shares[i] * 1e7 && told <= shares[i] * 1e7 * 1.02 + 1000);
	}
}

Test(spread, the_largest_value_is_told_as_it_is)
{
	fill(123456789, 123456789, 1);
	cr_expect_eq(spread.max_ns, 123456789);
	cr_expect_eq(spread_quantile(&spread, 0.999), 123456789);
}

Test(spread, what_is_longer_than_its_range_counts_as_the_longest)
{
	fill(5, 5, 1);
	spread_add(&spread, UINT64_C(1) << 50);
	cr_expect_eq(spread.max_ns, UINT64_C(1) << 50);
	cr_expect_geq(spread_quantile(&spread, 1), (UINT64_C(1) << SPREAD_VALUE_BITS) - 1);
}
