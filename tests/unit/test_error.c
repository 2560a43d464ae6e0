/* SPDX-License-Identifier: Apache-2.0 */
#include "common/error.h"

#include <criterion/criterion.h>

Test(error, every_code_leads_back_to_its_error_and_has_a_sentence)
{
	for (int i = 0; i < _ERROR_MAX; i++) {
		enum error error = _ERROR_MAX;

		cr_assert(error_from_code(slice_of(error_code((enum error)i)), &error));
		cr_assert_eq((int)error, i, "%s", error_code((enum error)i));
		cr_assert_gt(strlen(error_text((enum error)i)), 0);
	}
}

Test(error, codes_on_the_wire_stay_as_they_are)
{
	cr_assert_str_eq(error_code(ERROR_UNKNOWN_METHOD), "unknown-method");
	cr_assert_str_eq(error_code(ERROR_INVALID_ARGUMENT), "invalid-argument");
	cr_assert_str_eq(error_code(ERROR_PERMISSION_DENIED), "permission-denied");
	cr_assert_str_eq(error_code(ERROR_TOO_LARGE), "too-large");
	cr_assert_str_eq(error_code(ERROR_BUSY), "busy");
	cr_assert_str_eq(error_code(ERROR_STORE_FULL), "store-full");
	cr_assert_str_eq(error_code(ERROR_DAMAGED), "damaged");
	cr_assert_str_eq(error_code(ERROR_REAL_CLOCK), "real-clock");
}

Test(error, an_unknown_code_is_refused_and_sets_nothing)
{
	enum error error = ERROR_BUSY;

	cr_assert_not(error_from_code(slice_of("bus"), &error));
	cr_assert_not(error_from_code(slice_of(""), &error));
	cr_assert_eq(error, ERROR_BUSY);
}
