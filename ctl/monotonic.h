/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_MONOTONIC_H
#define RETENTIOND_CTL_MONOTONIC_H

#include <time.h>

#include "common/instant.h"

/* Microseconds of a clock that nobody sets: timeouts and rates do not depend on what time it is. */
static inline int64_t monotonic_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail for this clock */
	return (int64_t)now.tv_sec * SPAN_SECOND + now.tv_nsec / 1000;
}

#endif
