/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_WORK_DUE_FRONT_H
#define RETENTIOND_WORK_DUE_FRONT_H

#include "common/base.h"
#include "common/instant.h"

/* Due and not yet done: more than this means that the sweep is stopped or far behind. */
#define DUE_FRONT_MAX 1000

/**
 * struct due_front - what is due
 * @n:    accounts that are due, at most DUE_FRONT_MAX
 * @next: when the first of all falls due, or fell; INSTANT_NONE if none does
 */
struct due_front {
	uint32_t n;
	instant_t next;
};

struct engine;

/* What is due at an instant, and not done. Return: 0 or a negative errno. */
must_check int due_front_count(struct engine *engine, instant_t at, struct due_front *ret_due);

#endif
