/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_STATUS_H
#define RETENTIOND_STATUS_H

#include "common/base.h"
#include "common/instant.h"

#include "daemon/work/engine.h"

/*
 * What the service manager hears while the daemon lives: that it turns, and how it is. Everything
 * is told from the work itself, never by a timer, so that a daemon that hangs falls silent, and is
 * ended.
 */

/**
 * struct status - zeroed to begin, then status_init()
 * @told_at:     limits_now() of the last status
 * @alive_at:    and of the last sign of life
 * @alive_every: how often there is to be one; 0 if nobody watches
 * @stage, @stage_at: the long work that was told last, and when
 * @refused:     the last reload was; what was before stays in force
 * @absent:      grants in force name users or groups that are not there
 */
struct status {
	span_t told_at;
	span_t alive_at;
	span_t alive_every;
	const char *stage;
	span_t stage_at;
	bool refused;
	bool absent;
};

void status_init(struct status *status);

/* The daemon is ready, at first or after a reload. */
void status_tell_ready(struct status *status, const struct engine *engine);

/* A turn of the loop is over. @now is limits_now(). */
void status_tell_turn(struct status *status, const struct engine *engine, span_t now);

/* A progress.tell; @userdata is the struct status. */
void status_tell_progress(void *userdata, const char *what, const char *unit, uint64_t n_done,
			  uint64_t n_all);

/* The same for whoever waits at a terminal. */
void status_log_progress(void *userdata, const char *what, const char *unit, uint64_t n_done,
			 uint64_t n_all);

#endif
