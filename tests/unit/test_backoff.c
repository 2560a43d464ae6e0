/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/backoff.h"

#include <criterion/criterion.h>

Test(backoff, each_attempt_waits_twice_as_long_to_six_hours)
{
	static const span_t minutes[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360, 360};

	for (uint32_t i = 0; i < ARRAY_LEN(minutes); ++i) {
		cr_assert_eq(backoff_after(i + 1), minutes[i] * SPAN_MINUTE, "attempt %u", i + 1);
	}
}

Test(backoff, no_number_of_attempts_waits_longer_or_not_at_all)
{
	static const uint32_t attempts[] = {17, 18, 31, 32, 33, 63, 64, 65, 1000, UINT32_MAX};

	for (size_t i = 0; i < ARRAY_LEN(attempts); ++i) {
		cr_assert_eq(backoff_after(attempts[i]), BACKOFF_MAX);
	}
	cr_assert_eq(backoff_after(0), BACKOFF_FIRST);
}
