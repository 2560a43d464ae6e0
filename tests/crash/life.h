/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_CRASH_LIFE_H
#define RETENTIOND_TESTS_CRASH_LIFE_H

#include "common/base.h"

#include "tests/crash/workload.h"
#include "tests/support/rig.h"

/**
 * struct life - a process of a store, while its life is recorded
 * @chance: what happens next is made of it
 * @text, @len: arguments of a request that are being written
 */
struct life {
	struct rig rig;
	struct workload *workload;
	struct picture picture;
	uint64_t chance;
	char text[1 << 17];
	size_t len;
};

/* Turns that end as the daemon's do: with a commit, then the answers, then rows that are settled. */
void life_end_turn(struct life *life);
void life_turn(struct life *life); /* without a request */
void life_idle(struct life *life); /* until there is nothing to do now */

/* A request in the turn that is open, and one in a turn of its own. */
#define SEND(life, ...)                                                                            \
	do {                                                                                       \
		(life)->workload->n_requests++;                                                    \
		rig_send(&(life)->rig, __VA_ARGS__);                                               \
		assert(!(life)->rig.failed); /* every request is one that can be processed */      \
	} while (0)

#define CALL(life, ...)                                                                            \
	do {                                                                                       \
		rig_begin(&(life)->rig);                                                           \
		SEND(life, __VA_ARGS__);                                                           \
		life_end_turn(life);                                                               \
	} while (0)

#endif
