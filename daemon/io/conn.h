/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_IO_CONN_H
#define RETENTIOND_IO_CONN_H

#include <sys/queue.h>

#include "common/base.h"
#include "common/pack.h"
#include "common/rpc.h"

#include "daemon/io/conns.h"
#include "daemon/io/limits.h"
#include "daemon/io/stream.h"
#include "daemon/io/user.h"
#include "daemon/work/log.h"
#include "daemon/work/session.h"

/*
 * One connection. Only conns.c uses this; what is promised to others is told there.
 */

struct event;

/**
 * struct conn_shared - what all connections have in common
 * @users:   who is connected, with the connections that this turn, or the next one, has to look at
 * @n_busy:  of all users
 * @subscribers: connections that are told of events
 * @answer:  one answer at a time
 * @refused: see conn_notice()
 * @is_shared: more than one user has asked for something lately
 * @turn:    counts them
 * @read_at: limits_now() when the first bytes of this turn came; 0 before
 * @rooms:   for the bytes of this turn
 */
struct conn_shared {
	struct event_base *base;
	struct conns_handler handler;
	struct user_list users;
	size_t n_busy;
	struct conn_list subscribers;
	size_t n_subscribers;
	struct pack_writer answer;
	struct limits_notice refused;
	bool is_shared;
	uint64_t turn;
	span_t read_at;
	struct stream_rooms rooms;
};

/**
 * struct conn - one connection
 * @in_all:  for the owner
 * @user:    who is at the other end, among its other connections
 * @session: who it is, and what it has been told
 * @stream:  what came and is not dispatched yet: at most a frame and one reading more; answers and
 *           events not sent yet: LIMITS_UNREAD_BYTES_MAX and one answer more
 * @reads, @writes: @readable, @writable is waited for
 * @frame_timer, @frame_timed: runs while a frame has begun and is not whole
 * @busy:    on the user's list of the busy ones
 * @more:    a whole message may have come
 * @subscribed: on the list of the subscribers
 * @behind:  there may be events that it has not been told of
 * @at_end:  the peer sends nothing any more; it may still read
 * @closing: nothing more is taken from the peer; it ends once all is sent
 * @dead:    it ends with the turn, all sent or not
 * @frame_late, @write_late: a limit of time has passed; the turn judges it, since bytes may have
 *             come meanwhile
 * @read_at: limits_now() when bytes came last. No more are read before every whole message
 *           is dispatched, so this made the one whole that is dispatched now
 * @n_answered: requests of this turn
 */
struct conn {
	TAILQ_ENTRY(conn) in_all;
	TAILQ_ENTRY(conn) in_busy;
	TAILQ_ENTRY(conn) in_subscribers;
	struct conn_shared *shared;
	struct user *user;
	struct stream stream;
	struct session session;
	struct rpc_parser *parser;
	struct event *readable;
	struct event *writable;
	struct event *frame_timer;
	bool reads;
	bool writes;
	bool frame_timed;
	bool busy;
	bool more;
	bool subscribed;
	bool behind;
	bool at_end;
	bool closing;
	bool dead;
	bool frame_late;
	bool write_late;
	span_t read_at;
	uint32_t n_answered;
};

/**
 * conn_new() - take a connection
 * @fd, @peer: the connection's on 0
 *
 * Return: 0 or a negative errno.
 */
must_check int conn_new(struct conn_shared *shared, int fd, const struct access_peer *peer,
			struct conn **ret_conn);
struct conn *conn_free(struct conn *conn);

/* Puts it at the end of the busy ones of its user, or back there. */
void conn_touch(struct conn *conn);
void conn_touch_last(struct conn *conn);

/* Puts it at the end of the subscribers. */
void conn_subscribe_last(struct conn *conn);

/**
 * conn_work() - dispatch messages, at most LIMITS_MESSAGES_PER_TURN
 * @until: limits_now() from which on no other one is begun
 * @now:   limits_now(); moved on to the end of the last message
 *
 * Return: 0, or what the dispatch function failed with.
 */
must_check int conn_work(struct conn *conn, span_t until, span_t *now);

/**
 * conn_push() - tell a subscriber what is new, if it has room
 *
 * Return: 0, or the negative errno that the push function failed with.
 */
must_check int conn_push(struct conn *conn);
void conn_push_later(struct conn *conn); /* in the next turn, which comes at once */

/**
 * conn_finish() - send what can be sent, and wait for what comes next
 * @now: limits_now() when all that the turn answered was durable
 *
 * Return: false when it has come to its end; the caller frees it.
 */
must_check bool conn_finish(struct conn *conn, span_t now);

/* The peer's end of the socket cannot be written to any more; what is in it already is read. */
void conn_stop(struct conn *conn);

/*
 * A line about what a peer did. Peers can do it without end, so it is said once in a while, with
 * a count.
 */
void conn_notice(struct limits_notice *notice, enum log_level level, const struct access_peer *peer,
		 const char *what);

#endif
