/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_BENCH_STOPWATCH_H
#define RETENTIOND_TESTS_BENCH_STOPWATCH_H

#include <time.h>

#include "common/base.h"

#define NS_PER_SECOND 1000000000.0
#define NS_PER_MS     1000000.0
#define NS_PER_US     1000.0

/* ns on a clock that never jumps. */
static inline uint64_t stopwatch_ns(void)
{
	struct timespec now;
	int error = clock_gettime(CLOCK_MONOTONIC, &now);

	assert(error == 0);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static inline double stopwatch_seconds_since(uint64_t begin_ns)
{
	return (double)(stopwatch_ns() - begin_ns) / NS_PER_SECOND;
}

#endif
