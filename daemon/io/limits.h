/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_IO_LIMITS_H
#define RETENTIOND_IO_LIMITS_H

#include <sys/time.h>
#include <sys/types.h>

#include "common/base.h"
#include "common/instant.h"
#include "common/limits.h"

/*
 * What peers may take of the daemon is in common/limits.h. Here are the numbers that no peer can
 * reach by itself, and what is computed with both.
 */

/* Sockets that systemd passes; there is one. */
#define LIMITS_LISTENERS_MAX 8
/* How long a listener rests when there are no descriptors: it would be ready without end else. */
#define LIMITS_ACCEPT_PAUSE (SPAN_SECOND / 10)

/*
 * What stands in the rooms that connections share for a turn, each way: a request of usual length on
 * every connection, and its answer.
 */
#define LIMITS_ROOM_BYTES (512 * 1024)

/* For sending what is left when the daemon stops; systemd kills after 90 s, people after less. */
#define LIMITS_STOP_SPAN (2 * SPAN_SECOND)

/* At most one line in this span for each thing that a peer can make happen again and again. */
#define LIMITS_NOTICE_SPAN SPAN_MINUTE

/**
 * struct limits_notice - a line of the log that a peer can cause; zeroed to begin
 * @quiet_until: limits_now() from which on it may be said again
 * @n_untold:    times it was not said since it was said last
 */
struct limits_notice {
	span_t quiet_until;
	uint64_t n_untold;
};

/**
 * limits_notice_due() - whether to say it this time
 * @now:          from limits_now()
 * @ret_n_untold: set on true: how often it happened unsaid since the last time
 */
must_check bool limits_notice_due(struct limits_notice *notice, span_t now, uint64_t *ret_n_untold);

/**
 * limits_admit() - whether one more connection may be opened
 * @uid:      who asks
 * @n_open:   connections that are open, of everybody
 * @n_of_uid: and of this user
 */
must_check bool limits_admit(uid_t uid, size_t n_open, size_t n_of_uid);

/*
 * us on a clock that never jumps (CLOCK_MONOTONIC). For limits only: no account's time comes from
 * here.
 */
span_t limits_now(void);

/**
 * struct limits_run - how this thread has run
 * @cpu:     us of CPU time it has had
 * @n_waits: times it gave the CPU up of itself, as who waits for a disk does
 */
struct limits_run {
	span_t cpu;
	long n_waits;
};

void limits_run_read(struct limits_run *run); /* three times as dear as limits_now() */

/**
 * limits_run_lost() - for how long the machine ran something else in this thread's place
 * @since: from limits_run_read()
 * @span:  us by limits_now() since then
 *
 * Return: us; 0 if the thread has waited of itself meanwhile, since its own waiting is not told apart then.
 */
span_t limits_run_lost(const struct limits_run *since, span_t span);

struct timeval limits_timeval(span_t span);

#endif
