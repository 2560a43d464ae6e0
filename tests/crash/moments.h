/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_CRASH_MOMENTS_H
#define RETENTIOND_TESTS_CRASH_MOMENTS_H

#include "common/base.h"

#include "tests/crash/disk.h"

/*
 * What a power cut can leave, for each moment of a log. What was synced is on the disk; of the rest
 * any part may be, sector by sector: all parts are tried where they are few, and where they are
 * many the telling ones and some by chance.
 *
 * Before each call that brings something to the disk for good as much as ever is open, so that only
 * those moments are looked at: what a cut leaves before is a part of it.
 */

/**
 * struct image - one thing that a power cut can leave
 * @op, @variant: its name: before which operation, and the how manieth of that moment
 * @acked:        the last picture whose answer had left; -1 for none
 * @disk:         as it is found
 * @of:           the image whose first start was cut to make this one; NULL: a life was
 */
struct image {
	uint64_t op;
	uint32_t variant;
	int64_t acked;
	struct disk *disk;
	const struct image *of;
};

typedef bool moments_fn(void *userdata, const struct image *image); /* false: no more */

/**
 * moments_walk() - every image of a log
 * @disk:        what was there for good when it began; taken
 * @of:          the image that a start was recorded on, or NULL; borrowed
 * @log, @len:   as the recorder wrote it
 * @seed:        of what is left to chance
 */
void moments_walk(struct disk *disk, const struct image *of, const uint8_t *log, size_t len,
		  uint64_t seed, moments_fn *take, void *userdata);

#endif
