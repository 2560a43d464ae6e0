/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CORE_HISTOGRAM_H
#define RETENTIOND_CORE_HISTOGRAM_H

#include "common/base.h"
#include "common/instant.h"

/*
 * How long things took, counted in buckets that are the same everywhere and for good: monitoring
 * compares them over years and adds up those of several daemons.
 *
 * From 100 us, less than a commit takes on any disk, to 10 s, after which both sides of a
 * connection have given up (LIMITS_FRAME_SPAN, LIMITS_WRITE_SPAN). 10 ms is a bound because it is
 * the promise for a turn of the loop. Steps of 2 to 2.5 keep an interpolated percentile within
 * that factor of the truth, at 16 numbers a histogram.
 */

#define HISTOGRAM_BOUNDS  15
#define HISTOGRAM_BUCKETS (HISTOGRAM_BOUNDS + 1) /* the last one takes what is longer */

/* What a bucket holds at most: a span equal to its bound is in it. */
extern const span_t histogram_bounds[HISTOGRAM_BOUNDS];

/**
 * struct histogram - zeroed to begin; nothing is ever taken out
 * @n:       spans in each bucket alone
 * @count:   of all buckets
 * @sum:     of all spans, us
 * @longest: us
 */
struct histogram {
	uint64_t n[HISTOGRAM_BUCKETS];
	uint64_t count;
	uint64_t sum;
	span_t longest;
};

/* Counts @n things that took @span each; a span below 0 counts as 0. */
void histogram_add(struct histogram *histogram, span_t span, uint64_t n);

#endif
