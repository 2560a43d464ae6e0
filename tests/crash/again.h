/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_CRASH_AGAIN_H
#define RETENTIOND_TESTS_CRASH_AGAIN_H

#include "tests/crash/moments.h"
#include "tests/crash/workload.h"

/**
 * again_walk() - every image of a power cut within the first start on an image
 * @image: its disk is as it was left
 * @seed:  of what the start leaves to chance, and of what the cut does
 *
 * What a start that is cut had to mend, the next one has to mend as well, and whatever was mended by
 * half. A start that fails leaves no images: it is a fault of @image itself.
 */
void again_walk(const struct image *image, const struct workload *workload, uint64_t seed,
		moments_fn *take, void *userdata);

#endif
