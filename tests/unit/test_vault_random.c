/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/vault_random.h"

#include <criterion/criterion.h>
#include <signal.h>

#define N_TAKEN 200

static bool is_in_stock(const struct vault_random *random, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i + len <= sizeof(random->bytes); i++) {
		if (memcmp(random->bytes + i, bytes, len) == 0) {
			return true;
		}
	}
	return false;
}

Test(vault_random, nothing_is_given_out_twice_or_kept)
{
	static uint8_t taken[N_TAKEN][32];
	struct vault_random random = {.n = 0};

	for (size_t i = 0; i < N_TAKEN; i++) {
		size_t len = i % 2 ? 24 : 32;

		vault_random_take(&random, taken[i], len);
		cr_assert_not(is_in_stock(&random, taken[i], 24));
		for (size_t j = 0; j < i; j++) {
			cr_assert_neq(memcmp(taken[i], taken[j], 24), 0);
		}
	}
}

/* Of 20 000 random bytes some 80 are zeros; of bytes that were wiped before all are. */
Test(vault_random, nothing_is_given_out_that_was_wiped_before)
{
	struct vault_random random = {.n = 0};
	size_t n_zeros = 0;

	for (size_t i = 0; i < 1000; i++) {
		uint8_t bytes[20];

		vault_random_take(&random, bytes, sizeof(bytes));
		for (size_t j = 0; j < sizeof(bytes); j++) {
			n_zeros += bytes[j] == 0;
		}
	}
	cr_assert_lt(n_zeros, 400);
}

Test(vault_random, all_that_is_asked_for_is_filled)
{
	struct vault_random random = {.n = 0};

	for (size_t len = 16; len <= VAULT_RANDOM_STOCK; len++) {
		uint8_t bytes[VAULT_RANDOM_STOCK + 1] = {0};
		uint8_t zeros[8] = {0};

		vault_random_take(&random, bytes, len);
		cr_assert_neq(memcmp(bytes, zeros, sizeof(zeros)), 0);
		cr_assert_neq(memcmp(bytes + len - 8, zeros, sizeof(zeros)), 0);
		cr_assert_eq(bytes[len], 0);
	}
}

Test(vault_random, more_than_the_stock_is_our_own_mistake, .signal = SIGABRT)
{
	uint8_t bytes[VAULT_RANDOM_STOCK + 1];
	struct vault_random random = {.n = 0};

	vault_random_take(&random, bytes, sizeof(bytes));
}
