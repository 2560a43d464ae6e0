/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/policy.h"

#include <criterion/criterion.h>

#include "common/outcome.h"

static enum outcome check(bool allow_leave, bool has_privacy_info)
{
	struct policy policy = policy_default();

	policy.allow_leave = allow_leave;
	policy.has_privacy_info = has_privacy_info;
	return policy_check(&policy);
}

Test(policy, by_default_guests_may_leave_and_each_promise_takes_thirty_days)
{
	struct policy policy = policy_default();

	cr_expect(policy.allow_leave);
	cr_expect(!policy.has_privacy_info);
	cr_expect_eq(policy.window, 30 * SPAN_DAY);
	cr_expect_eq(policy.removal, 30 * SPAN_DAY);
	cr_expect_eq(policy_check(&policy), OUTCOME_OK);
}

Test(policy, leaving_may_be_allowed_with_or_without_privacy_information)
{
	cr_expect_eq(check(true, false), OUTCOME_OK);
	cr_expect_eq(check(true, true), OUTCOME_OK);
}

Test(policy, leaving_may_be_forbidden_once_privacy_information_is_published)
{
	cr_expect_eq(check(false, true), OUTCOME_OK);
}

Test(policy, leaving_may_not_be_forbidden_while_no_privacy_information_is_published)
{
	cr_expect_eq(check(false, false), OUTCOME_PRIVACY_INFO_MISSING);
}
