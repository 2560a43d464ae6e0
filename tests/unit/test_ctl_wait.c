/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/wait_target.h"

#include <criterion/criterion.h>

#define R WAIT_REACHED
#define P WAIT_PENDING
#define N WAIT_NEVER

Test(ctl_wait, what_has_begun_to_be_removed_never_comes_back)
{
	/* A row for each state that is wanted, a column for each that the account is in. */
	static const enum wait_standing guest[_ACCOUNT_STATE_MAX][_ACCOUNT_STATE_MAX] = {
		[ACCOUNT_STATE_ACTIVE] = {R, P, N, N},
		[ACCOUNT_STATE_SOFT_DELETED] = {P, R, N, N},
		[ACCOUNT_STATE_REMOVING] = {P, P, R, R},
		[ACCOUNT_STATE_REMOVED] = {P, P, P, R},
	};

	for (int wanted = 0; wanted < _ACCOUNT_STATE_MAX; wanted++) {
		for (int state = 0; state < _ACCOUNT_STATE_MAX; state++) {
			cr_assert_eq(wait_judge((enum account_state)wanted,
						(enum account_state)state, false),
				     guest[wanted][state], "%d in %d", wanted, state);
		}
	}
}

Test(ctl_wait, a_direct_connect_user_is_never_soft_deleted)
{
	cr_assert_eq(wait_judge(ACCOUNT_STATE_SOFT_DELETED, ACCOUNT_STATE_ACTIVE, true), N);
	cr_assert_eq(wait_judge(ACCOUNT_STATE_REMOVED, ACCOUNT_STATE_ACTIVE, true), P);
	cr_assert_eq(wait_judge(ACCOUNT_STATE_ACTIVE, ACCOUNT_STATE_ACTIVE, true), R);
}
