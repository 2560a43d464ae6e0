/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CORE_DEADLINE_H
#define RETENTIOND_CORE_DEADLINE_H

#include "common/base.h"
#include "common/instant.h"
#include "common/model.h"

#define DEADLINE_SOON       (7 * SPAN_DAY)  /* a working week is left to hurry a keeper */
#define DEADLINE_OF_REQUEST (30 * SPAN_DAY) /* GDPR, article 12 (3): one month */

/* On track, due soon when DEADLINE_SOON or less is left, overdue from the very instant on. */
enum account_sla deadline_sla(instant_t due_at, instant_t now);

#endif
