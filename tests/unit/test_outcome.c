/* SPDX-License-Identifier: Apache-2.0 */
#include "common/outcome.h"

#include <criterion/criterion.h>

Test(outcome, every_code_leads_back_to_its_outcome)
{
	for (int i = 0; i < _OUTCOME_MAX; i++) {
		enum outcome outcome = _OUTCOME_MAX;

		cr_assert(outcome_from_code(slice_of(outcome_code((enum outcome)i)), &outcome));
		cr_assert_eq((int)outcome, i, "%s", outcome_code((enum outcome)i));
	}
}

Test(outcome, every_outcome_has_a_sentence)
{
	for (int i = 0; i < _OUTCOME_MAX; i++) {
		cr_assert_gt(strlen(outcome_text((enum outcome)i)), 0);
	}
}

Test(outcome, codes_on_the_wire_stay_as_they_are)
{
	cr_assert_str_eq(outcome_code(OUTCOME_OK), "ok");
	cr_assert_str_eq(outcome_code(OUTCOME_NOT_FOUND), "not-found");
	cr_assert_str_eq(outcome_code(OUTCOME_ALREADY_LEFT), "already-left");
	cr_assert_str_eq(outcome_code(OUTCOME_ALREADY_REMOVING), "already-removing");
	cr_assert_str_eq(outcome_code(OUTCOME_NOT_SOFT_DELETED), "not-soft-deleted");
	cr_assert_str_eq(outcome_code(OUTCOME_IRREVOCABLE), "irrevocable");
	cr_assert_str_eq(outcome_code(OUTCOME_NAME_CONFLICT), "name-conflict");
	cr_assert_str_eq(outcome_code(OUTCOME_LEAVE_NOT_ALLOWED), "leave-not-allowed");
	cr_assert_str_eq(outcome_code(OUTCOME_ACCOUNT_DISABLED), "account-disabled");
	cr_assert_str_eq(outcome_code(OUTCOME_HOME_ORGANIZATION), "home-organization");
	cr_assert_str_eq(outcome_code(OUTCOME_SOFT_DELETED_EXISTS), "soft-deleted-exists");
	cr_assert_str_eq(outcome_code(OUTCOME_PERMISSION_DENIED), "permission-denied");
	cr_assert_str_eq(outcome_code(OUTCOME_ORG_NOT_FOUND), "org-not-found");
	cr_assert_str_eq(outcome_code(OUTCOME_PRIVACY_INFO_MISSING), "privacy-info-missing");
	cr_assert_str_eq(outcome_code(OUTCOME_DAMAGED), "damaged");
}

Test(outcome, an_unknown_code_is_refused_and_sets_nothing)
{
	static const struct slice unknown[] = {
		{NULL, 0},
		SLICE_LITERAL(""),
		SLICE_LITERAL("o"),
		SLICE_LITERAL("okay"),
		SLICE_LITERAL("OK"),
		SLICE_LITERAL("ok\0"),
		SLICE_LITERAL("not-foun"),
	};

	for (size_t i = 0; i < ARRAY_LEN(unknown); i++) {
		enum outcome outcome = OUTCOME_IRREVOCABLE;

		cr_assert_not(outcome_from_code(unknown[i], &outcome), "%zu", i);
		cr_assert_eq(outcome, OUTCOME_IRREVOCABLE);
	}
}

Test(outcome, every_outcome_has_a_bit_of_its_own)
{
	outcome_set_t set = 0;

	for (int i = 0; i < _OUTCOME_MAX; i++) {
		cr_assert_eq(set & OUTCOME_BIT(i), 0);
		set |= OUTCOME_BIT(i);
	}
}
