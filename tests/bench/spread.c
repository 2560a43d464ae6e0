/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/spread.h"

#define SUB_BUCKETS (UINT64_C(1) << SPREAD_SUB_BITS)

/*
 * Values below 64 have a bucket each. Above, the highest seven bits choose: the first says which
 * power of two, the other six which of its buckets.
 */
static uint32_t bucket_of(uint64_t ns)
{
	uint32_t shift;

	ns = MIN(ns, (UINT64_C(1) << SPREAD_VALUE_BITS) - 1);
	if (ns < SUB_BUCKETS) {
		return (uint32_t)ns;
	}
	shift = 63 - SPREAD_SUB_BITS - (uint32_t)__builtin_clzll(ns);
	return (uint32_t)((shift << SPREAD_SUB_BITS) + (ns >> shift));
}

/* The largest value of a bucket. */
static uint64_t top_of(uint32_t bucket)
{
	uint32_t shift;

	if (bucket < 2 * SUB_BUCKETS) {
		return bucket;
	}
	shift = (bucket >> SPREAD_SUB_BITS) - 1;
	return ((bucket - ((uint64_t)shift << SPREAD_SUB_BITS) + 1) << shift) - 1;
}

void spread_reset(struct spread *spread)
{
	*spread = (struct spread){0};
}

void spread_add(struct spread *spread, uint64_t ns)
{
	spread->n++;
	spread->max_ns = MAX(spread->max_ns, ns);
	spread->counts[bucket_of(ns)]++;
}

uint64_t spread_quantile(const struct spread *spread, double share)
{
	uint64_t wanted = (uint64_t)(share * (double)spread->n);
	uint64_t seen = 0;

	if (spread->n == 0) {
		return 0;
	}
	wanted = MIN(wanted, spread->n - 1);
	for (uint32_t i = 0; i < SPREAD_BUCKETS; i++) {
		seen += spread->counts[i];
		if (seen > wanted) {
			return MIN(top_of(i), spread->max_ns);
		}
	}
	return spread->max_ns;
}
