/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_CRASH_WORKLOAD_H
#define RETENTIOND_TESTS_CRASH_WORKLOAD_H

#include "common/base.h"

#include "tests/crash/picture.h"

#define WORKLOAD_PICTURES_MAX 4096
#define WORKLOAD_MAP_BYTES    (UINT64_C(16) << 20)

/**
 * struct workload - one life of a store, recorded
 * @pictures: after each turn that changed something, shared with those who record
 * @n_requests: dispatched
 */
struct workload {
	struct picture *pictures;
	uint64_t n_pictures;
	uint64_t n_requests;
};

/**
 * workload_record() - live a life, from the first start on, and write down what reaches the disk
 * @seed:      what happens in it
 * @directory: empty; absolute
 * @log_fd:    of the recorder
 * @workload:  shared memory, zeroed but for @pictures
 *
 * Each part is a process of its own, and ends by a kill or by a stop.
 */
void workload_record(uint64_t seed, const char *directory, int log_fd, struct workload *workload);

/* What the engine is opened with, for the recording and for each image of it. */
struct engine_options workload_options(const char *directory, instant_t now);
void workload_be_random(uint64_t seed); /* libsodium's numbers are the same in every run */

#endif
