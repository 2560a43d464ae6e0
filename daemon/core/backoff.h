/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CORE_BACKOFF_H
#define RETENTIOND_CORE_BACKOFF_H

#include "common/base.h"
#include "common/instant.h"

#define BACKOFF_FIRST SPAN_MINUTE
#define BACKOFF_MAX   (6 * SPAN_HOUR) /* four tries a day at least: 120 before a deadline of 30 d */

/**
 * backoff_after() - how long to wait after a failure
 * @attempts: made so far, 1 on
 *
 * Return: 1 min, doubled with each attempt, to 6 h.
 */
span_t backoff_after(uint32_t attempts);

#endif
