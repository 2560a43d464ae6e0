/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_WORK_TOMBSTONES_H
#define RETENTIOND_WORK_TOMBSTONES_H

#include "common/base.h"
#include "common/instant.h"

/*
 * What is left of a removed account is kept for a while, so that its receipt is found by its old
 * name; then it is dropped. Nobody waits for that, so that no index leads there: a walk through
 * all accounts, a slice a minute, comes by.
 */

#define TOMBSTONES_SPAN_DEFAULT (400 * SPAN_DAY) /* a year's audit, and time to hold it */
#define TOMBSTONES_SPAN_MIN     (30 * SPAN_DAY)
#define TOMBSTONES_EVERY        SPAN_MINUTE
#define TOMBSTONES_SLICE_MAX    512 /* rows looked at: 1 ms; a million accounts in 33 h */

/**
 * struct tombstones - how far the walk has come; zeroed but for the span
 * @span: how long they are kept after the removal
 * @uid:  the account looked at last
 * @looked_at: when
 */
struct tombstones {
	span_t span;
	uint64_t uid;
	instant_t looked_at;
};

struct engine;

/* A slice, when it is time for one. Return: 0 or a negative errno. */
must_check int tombstones_work(struct engine *engine);

#endif
