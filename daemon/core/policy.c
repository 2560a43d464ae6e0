/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/policy.h"

#include "common/model.h"

struct policy policy_default(void)
{
	return (struct policy){
		.allow_leave = true,
		.has_privacy_info = false,
		.window = MODEL_WINDOW_DEFAULT,
		.removal = MODEL_REMOVAL_DEFAULT,
		.guard_min = MODEL_GUARD_MIN_DEFAULT,
		.guard_percent = MODEL_GUARD_PERCENT_DEFAULT,
	};
}

/* Whoever may not leave by themselves must find out whom to ask. */
enum outcome policy_check(const struct policy *policy)
{
	if (!policy->allow_leave && !policy->has_privacy_info) {
		return OUTCOME_PRIVACY_INFO_MISSING;
	}
	return OUTCOME_OK;
}
