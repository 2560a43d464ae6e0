/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_SUPPORT_GUEST_ROW_H
#define RETENTIOND_TESTS_SUPPORT_GUEST_ROW_H

#include "daemon/store/rows.h"

/* Rows of accounts as they are, without a store that they would have come from. */

#define GUEST_ROW_BEGIN (INT64_C(1772366400) * SPAN_SECOND) /* 2026-03-01T12:00:00Z */

/* An active guest. Names are one byte here, repeated: rows of the same byte have the same name. */
struct account guest_row(uint64_t uid, uint64_t seq, uint8_t name);

/* The same, soft-deleted at an instant with the windows that there are at first. */
struct account guest_row_deleted(struct account account, instant_t at);

#endif
