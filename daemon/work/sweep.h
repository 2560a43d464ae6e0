/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_WORK_SWEEP_H
#define RETENTIOND_WORK_SWEEP_H

#include "common/base.h"
#include "common/instant.h"

#include "daemon/store/store.h"

/*
 * Timed work. A sweep walks the due index in time order, oldest first, in slices with a budget: a
 * window that has ended becomes a started removal; a removal that nobody else owes anything for is
 * completed, in one commit with its start if that is the clock's too, else in a later one. A row
 * that fails is counted, reported and passed over.
 */

/* Rows that fail and have been reported, so that each is in the journal once. */
#define SWEEP_REPORTED_MAX 64

/*
 * What a slice did, or a pass. @n_rows: looked at. @n_held: removals left to the mass guards. @n_late:
 * of the removals it started, those that had been due for more than SWEEP_LOOK_EVERY; @late: the longest
 * of these. @owing: the keepers that let deadlines pass.
 * @more: do more now.
 */
struct sweep_result {
	uint32_t n_rows;
	uint32_t n_started;
	uint32_t n_completed;
	uint32_t n_overdue;
	uint32_t n_failed;
	uint32_t n_held;
	uint32_t n_late;
	span_t late;
	uint64_t owing;
	bool more;
};

/**
 * struct sweep - where a sweep stands
 * @paused:      by an administrator; stored; survives a restart
 * @doubted:     stopped by the clock guard; timekeeper.c keeps it
 * @changed:     something changed since the last pass began, so that something may be due
 * @busy:        a pass is under way
 * @again:       this pass has left something for another
 * @position:    how far this pass has come
 * @front:       up to here the mass guards hold everything back: passes begin behind it
 * @clean:       this pass has found nothing else yet
 * @next_at:     when the first thing falls due that was not at the end of the last pass;
 *             INSTANT_NONE if there is none
 * @looked_at:   the end of the last pass
 * @last_run_at: when a slice last did something; INSTANT_NONE before
 * @n_started, @n_completed: since the daemon's start
 * @pass:        what this pass has done
 * @n_failed:    rows that failed in the last whole pass
 * @n_late, @late: of the last pass that started removals
 * @reported, @n_reported: uids of failing rows that were logged
 */
struct sweep {
	bool paused;
	bool doubted;
	bool changed;
	bool busy;
	bool again;
	struct due_position position;
	struct due_position front;
	bool clean;
	instant_t next_at;
	instant_t looked_at;
	instant_t last_run_at;
	uint64_t n_started;
	uint64_t n_completed;
	uint32_t n_failed;
	uint32_t n_late;
	span_t late;
	struct sweep_result pass;
	uint64_t reported[SWEEP_REPORTED_MAX];
	uint32_t n_reported;
};

struct engine;

void sweep_init(struct sweep *sweep, bool paused);

/* Whether it does nothing, until somebody resumes it or releases the clock guard. */
bool sweep_is_stopped(const struct sweep *sweep);

/* The mass guards may hold less back: the next pass begins at the beginning. */
void sweep_look_again(struct engine *engine);

/* Whether a slice is wanted now. */
bool sweep_is_wanted(const struct sweep *sweep, instant_t now);

/*
 * Where what is still due begins: behind what the pass that runs has done. Before it stand the keys
 * of rows that wait to be settled, and to pass over many of them takes its time.
 */
struct due_position sweep_front(const struct sweep *sweep);

/* When a slice is wanted next; at most SWEEP_LOOK_EVERY after the last pass. */
instant_t sweep_wanted_at(const struct sweep *sweep);
#define SWEEP_LOOK_EVERY SPAN_MINUTE

/**
 * sweep_slice() - do a slice of what is due, as many rows as the pace allows
 *
 * Does nothing while it is stopped. The caller commits. Return: 0 or a negative errno.
 */
must_check int sweep_slice(struct engine *engine, struct sweep_result *ret_result);

#endif
