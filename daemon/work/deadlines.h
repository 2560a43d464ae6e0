/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_WORK_DEADLINES_H
#define RETENTIOND_WORK_DEADLINES_H

#include "common/base.h"
#include "common/instant.h"

/*
 * Deadlines that are near or past and that no row's state tells: removals with a week left or
 * less, and removal requests that nobody has decided. What is overdue is loud; here it is
 * counted, and requests are told to the journal.
 */

#define DEADLINES_EXAMINED_MAX 4096 /* rows looked at for each count: under 10 ms */

struct engine;

/**
 * struct deadlines - what is kept between looks
 * @first_open: no removal request before this number is open
 * @looked_at:  when overdue requests were last looked for; INSTANT_NONE before
 * @n_told:     overdue requests that the journal has been told of
 */
struct deadlines {
	uint64_t first_open;
	instant_t looked_at;
	uint32_t n_told;
};

/**
 * struct deadline_counts - each count is at most DEADLINES_EXAMINED_MAX
 * @oldest_removal_due_at, @oldest_request_due_at: the deadline that has been past for longest;
 *             INSTANT_NONE if none is. Told even while nobody marks what is overdue, as when timed
 *             work is paused
 */
struct deadline_counts {
	uint32_t n_removals_due_soon;
	uint32_t n_requests_due_soon;
	uint32_t n_requests_overdue;
	instant_t oldest_removal_due_at;
	instant_t oldest_request_due_at;
};

/* Return: 0 or a negative errno. */
must_check int deadlines_count(struct engine *engine, struct deadline_counts *ret_counts);

/*
 * Once a minute: tells the journal of requests that have become overdue. Return: 0 or a negative
 * errno.
 */
must_check int deadlines_tell(struct engine *engine);

/* A removal request that was decided is open again. */
void deadlines_look_from(struct deadlines *deadlines, uint64_t number);

#endif
