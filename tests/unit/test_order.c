/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/order.h"

#include <criterion/criterion.h>

#include "tests/support/random.h"

/* Each key is a number here, and leads to its place in this array: 0 is in no order. */
#define N 3000

static char places[N + 1];
static bool is_there[N + 1];
static struct order order;

static void set_up(void)
{
	order = (struct order){0};
}

static void tear_down(void)
{
	order_done(&order);
}

TestSuite(order, .init = set_up, .fini = tear_down);

/* All words count: two keys differ in the first, the last, or one between. */
static struct order_key key_of(uint32_t i)
{
	return (struct order_key){{i / 1000, i / 100, i / 10, i}};
}

static void insert(uint32_t i)
{
	struct order_key key = key_of(i);

	cr_assert_eq(order_reserve(&order), 0);
	order_insert(&order, &key, &places[i]);
	is_there[i] = true;
}

static void remove_key(uint32_t i)
{
	struct order_key key = key_of(i);

	order_remove(&order, &key);
	is_there[i] = false;
}

/* The first key behind a number; 0 after the last. */
static uint32_t next(uint32_t after)
{
	struct order_key key = key_of(after);
	char *place = order_next(&order, &key);

	return place ? (uint32_t)(place - places) : 0;
}

static void expect_all(void)
{
	uint32_t expected = 0;

	for (uint32_t after = N; after-- > 0;) {
		expected = is_there[after + 1] ? after + 1 : expected;
		cr_assert_eq(next(after), expected);
	}
}

Test(order, an_empty_one_has_no_keys)
{
	cr_assert_eq(next(0), 0);
	order_done(&order);
}

Test(order, keys_that_come_in_their_order_stand_in_it)
{
	for (uint32_t i = 1; i <= N; ++i) {
		insert(i);
	}
	expect_all();
}

Test(order, keys_that_come_the_other_way_round_stand_in_it)
{
	for (uint32_t i = N; i > 0; --i) {
		insert(i);
	}
	expect_all();
}

Test(order, keys_that_come_in_their_order_fill_their_blocks)
{
	for (uint32_t i = 1; i <= N; ++i) {
		insert(i);
	}
	cr_assert_leq(order.n_parts, N / 64 + 1);
}

Test(order, one_from_which_all_were_removed_is_empty_and_takes_others)
{
	for (uint32_t i = 1; i <= N; ++i) {
		insert(i);
	}
	for (uint32_t i = 1; i <= N; ++i) {
		remove_key(i);
	}
	expect_all();
	cr_assert_eq(order.n_parts, 0);
	insert(7);
	insert(5);
	expect_all();
}

Test(order, it_is_always_what_an_array_of_flags_would_be)
{
	uint64_t random = 20260301;

	for (uint32_t round = 0; round < 8; ++round) {
		for (uint32_t i = 0; i < 2 * N; ++i) {
			uint32_t key = 1 + random_below(&random, N);
			bool grows = random_below(&random, 10) < (round % 2 ? 2 : 8);

			if (grows && !is_there[key]) {
				insert(key);
			} else if (!grows && is_there[key]) {
				remove_key(key);
			}
		}
		expect_all();
	}
}
