/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_BENCH_SPREAD_H
#define RETENTIOND_TESTS_BENCH_SPREAD_H

#include "common/base.h"

/*
 * Latencies in fixed buckets: 64 for each power of two, so that every value is told to 1.6 % and
 * adding one costs a few instructions, whatever its size.
 */

#define SPREAD_SUB_BITS   6
#define SPREAD_VALUE_BITS 40 /* ns: 18 minutes; what is longer counts as that */
#define SPREAD_BUCKETS    ((SPREAD_VALUE_BITS - SPREAD_SUB_BITS + 1) << SPREAD_SUB_BITS)

struct spread {
	uint64_t n;
	uint64_t max_ns;
	uint64_t counts[SPREAD_BUCKETS];
};

void spread_reset(struct spread *spread);
void spread_add(struct spread *spread, uint64_t ns);

/**
 * spread_quantile() - the value that a share of all values do not exceed
 * @share: 0.5 for the median, 0.99, …
 *
 * Return: ns, the upper end of the value's bucket; 0 if the spread is empty.
 */
uint64_t spread_quantile(const struct spread *spread, double share);

#endif
