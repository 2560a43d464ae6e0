/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/deadline.h"

#include <criterion/criterion.h>

#define DUE (INT64_C(1772366400) * SPAN_SECOND)

Test(deadline, it_is_overdue_from_its_very_instant_on)
{
	cr_assert_eq(deadline_sla(DUE, DUE - 1), ACCOUNT_SLA_DUE_SOON);
	cr_assert_eq(deadline_sla(DUE, DUE), ACCOUNT_SLA_OVERDUE);
	cr_assert_eq(deadline_sla(DUE, DUE + 1), ACCOUNT_SLA_OVERDUE);
	cr_assert_eq(deadline_sla(DUE, INSTANT_MAX), ACCOUNT_SLA_OVERDUE);
}

Test(deadline, it_is_due_soon_when_seven_days_or_less_are_left)
{
	cr_assert_eq(deadline_sla(DUE, DUE - 7 * SPAN_DAY - 1), ACCOUNT_SLA_ON_TRACK);
	cr_assert_eq(deadline_sla(DUE, DUE - 7 * SPAN_DAY), ACCOUNT_SLA_DUE_SOON);
	cr_assert_eq(deadline_sla(DUE, 0), ACCOUNT_SLA_ON_TRACK);
}

Test(deadline, one_that_is_shorter_than_that_is_due_soon_from_its_beginning)
{
	cr_assert_eq(deadline_sla(SPAN_DAY, 0), ACCOUNT_SLA_DUE_SOON);
	cr_assert_eq(deadline_sla(0, 0), ACCOUNT_SLA_OVERDUE);
}
