/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_IO_LIMITS_H
#define RETENTIOND_IO_LIMITS_H

#include <sys/time.h>
#include <sys/types.h>

#include "common/base.h"
#include "common/instant.h"

/*
 * What peers may take of the daemon: every number with its reason. The limits of frames and
 * answers are the wire's own, see common/rpc.h.
 */

/* Half of the 1024 descriptors that a process is given everywhere; the store needs about ten. */
#define LIMITS_CONNECTIONS_MAX 512
/*
 * The last of them are kept for root, so that an administrator gets in when services have taken
 * the rest.
 */
#define LIMITS_CONNECTIONS_KEPT_FOR_ROOT 16
/*
 * A service with a pool of 32 connections can be restarted beside itself; eight users fill the
 * daemon.
 */
#define LIMITS_CONNECTIONS_OF_UID 64
/* Half, since many services of a host run as root and are one user here. */
#define LIMITS_CONNECTIONS_OF_ROOT 256

/* Sockets that systemd passes; there is one. */
#define LIMITS_LISTENERS_MAX 8
/*
 * Connections taken in one turn from one listener: the backlog can be 4096, and others wait
 * behind it.
 */
#define LIMITS_ACCEPTS_PER_TURN 64
/* How long a listener rests when there are no descriptors: it would be ready without end else. */
#define LIMITS_ACCEPT_PAUSE (SPAN_SECOND / 10)

/*
 * Read from one connection in one turn: about 500 requests on one account, or 1/16 of the largest
 * frame.
 */
#define LIMITS_READ_BYTES_PER_TURN (64 * 1024)
/*
 * What stands in the rooms that connections share for a turn, each way: a request of usual length on
 * every connection, and its answer.
 */
#define LIMITS_ROOM_BYTES (512 * 1024)
/* Messages of one connection in one turn. Enough that commits are shared well (see design: 85 k changes a second
 * at 32 for each commit), few enough that a peer which pipelines thousands does not keep others
 * waiting. */
#define LIMITS_MESSAGES_PER_TURN 128
/*
 * Time for messages of all connections in one turn, so that no turn lasts over 10 ms for work
 * that can be cut.
 */
#define LIMITS_WORK_PER_TURN (8 * SPAN_SECOND / 1000)

/* Time for telling subscribers of events in one turn: with the work, 10 ms. */
#define LIMITS_PUSH_PER_TURN (2 * SPAN_SECOND / 1000)

/*
 * Answers that a peer has not read yet: one of the largest. Beyond it, nothing more is read from
 * the peer.
 */
#define LIMITS_UNREAD_BYTES_MAX (1024 * 1024)
/*
 * Beyond it, no more events are told: the other half is for answers, so that a subscriber can
 * still ask.
 */
#define LIMITS_UNREAD_BYTES_OF_EVENTS (LIMITS_UNREAD_BYTES_MAX / 2)
/*
 * For a frame from its first byte on. Local peers send whole frames; 10 s lets one be paged in or
 * stopped a moment.
 */
#define LIMITS_FRAME_SPAN (10 * SPAN_SECOND)
/* For a peer to take any byte of its answers. */
#define LIMITS_WRITE_SPAN (10 * SPAN_SECOND)

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

struct timeval limits_timeval(span_t span);

#endif
