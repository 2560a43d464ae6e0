/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/histogram.h"

/* clang-format off */
const span_t histogram_bounds[HISTOGRAM_BOUNDS] = {
	      100,       250,       500,
	     1000,      2500,      5000,
	    10000,     25000,     50000,
	   100000,    250000,    500000,
	  1000000,   2500000,  10000000,
};
/* clang-format on */

/* Most spans are short, so that looking from the front ends soon. */
static size_t bucket_of(span_t span)
{
	size_t i = 0;

	while (i < HISTOGRAM_BOUNDS && span > histogram_bounds[i]) {
		i++;
	}
	return i;
}

void histogram_add(struct histogram *histogram, span_t span, uint64_t n)
{
	span = MAX(span, 0);
	histogram->n[bucket_of(span)] += n;
	histogram->count += n;
	histogram->sum += (uint64_t)span * n;
	histogram->longest = n > 0 ? MAX(histogram->longest, span) : histogram->longest;
}
