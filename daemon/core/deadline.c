/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/deadline.h"

enum account_sla deadline_sla(instant_t due_at, instant_t now)
{
	if (now >= due_at) {
		return ACCOUNT_SLA_OVERDUE;
	}
	return now >= due_at - DEADLINE_SOON ? ACCOUNT_SLA_DUE_SOON : ACCOUNT_SLA_ON_TRACK;
}
