/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_WORK_METERS_H
#define RETENTIOND_WORK_METERS_H

#include "common/base.h"
#include "common/instant.h"

#include "daemon/core/histogram.h"

/* A turn that is longer keeps everybody waiting who comes meanwhile: see LIMITS_WORK_PER_TURN. */
#define METERS_TURN_LONG (10 * SPAN_SECOND / 1000)

/**
 * struct meters - what is counted from the start of the daemon on, for stats.get
 * @n_connections, @n_subscribers: open now
 * @n_accepted: connections that were taken
 * @n_refused:  connections that were closed at once: there were too many, or no memory, or no
 *              descriptors
 * @n_dropped:  connections that were ended for what the peer did or did not do
 * @n_requests: dispatched
 * @n_errors:   of them, answered with an error
 * @n_errors_failed: of them, right and could not be done (RPC_ERROR_FAILED)
 * @n_notifications: of peers; ignored
 * @n_events:   told to subscribers. None is ever left out: who does not read is told later
 * @n_commits:  of changes; moving rows to their tables is not counted
 * @n_turns:    of the loop
 * @n_turns_long: of them, longer than METERS_TURN_LONG, their commit included, waiting not
 * @longest_turn: us
 * @n_clock_steps: how often the wall clock was set
 * @answers:    for each request, the span from the read that made it whole to the moment at which
 *              its answer is durable and begins to leave. The kernel may have held its bytes for
 *              up to the turn before: that is not in it
 * @commits:    for each commit, how long it took, with its syncs
 *
 * daemon/io measures: below it no clock is read.
 */
struct meters {
	uint64_t n_connections;
	uint64_t n_subscribers;
	uint64_t n_accepted;
	uint64_t n_refused;
	uint64_t n_dropped;
	uint64_t n_requests;
	uint64_t n_errors;
	uint64_t n_errors_failed;
	uint64_t n_notifications;
	uint64_t n_events;
	uint64_t n_commits;
	uint64_t n_turns;
	uint64_t n_turns_long;
	span_t longest_turn;
	uint64_t n_clock_steps;
	struct histogram answers;
	struct histogram commits;
};

#endif
