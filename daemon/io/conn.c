/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/conn.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/socket.h>

#include "common/error.h"

#include "daemon/io/limits.h"
#include "daemon/io/peer.h"
#include "daemon/work/log.h"

/*
 * Events are added and taken away only when that changes something: libevent counts and searches
 * either way. It fails only without memory; such a connection cannot be waited for.
 */
static void conn_add_event(struct conn *conn, struct event *event, span_t timeout)
{
	struct timeval value = limits_timeval(timeout);

	if (event_add(event, timeout > 0 ? &value : NULL) < 0) {
		conn->dead = true;
	}
}

void conn_touch(struct conn *conn)
{
	if (!conn->busy) {
		conn->busy = true;
		TAILQ_INSERT_TAIL(&conn->user->busy, conn, in_busy);
		conn->shared->n_busy++;
	}
}

static void conn_leave_busy(struct conn *conn)
{
	if (conn->busy) {
		conn->busy = false;
		TAILQ_REMOVE(&conn->user->busy, conn, in_busy);
		conn->shared->n_busy--;
	}
}

void conn_stop(struct conn *conn)
{
	(void)shutdown(conn->stream.fd,
		       SHUT_RD); /* fails where the peer is gone: it sends nothing then */
}

void conn_touch_last(struct conn *conn)
{
	conn_leave_busy(conn);
	conn_touch(conn);
}

static void conn_unsubscribe(struct conn *conn)
{
	if (conn->subscribed) {
		conn->subscribed = false;
		TAILQ_REMOVE(&conn->shared->subscribers, conn, in_subscribers);
		conn->shared->n_subscribers--;
	}
}

void conn_subscribe_last(struct conn *conn)
{
	conn_unsubscribe(conn);
	conn->subscribed = true;
	TAILQ_INSERT_TAIL(&conn->shared->subscribers, conn, in_subscribers);
	conn->shared->n_subscribers++;
}

void conn_notice(struct limits_notice *notice, enum log_level level, const struct access_peer *peer,
		 const char *what)
{
	char uid[16], pid[16], untold[48] = "";
	const struct log_field fields[] = {{"RETENTIOND_PEER_UID", uid},
					   {"RETENTIOND_PEER_PID", pid}};
	uint64_t n_untold;

	if (!limits_notice_due(notice, limits_now(), &n_untold)) {
		return;
	}
	(void)snprintf(uid, sizeof(uid), "%" PRIu32, peer->uid);
	(void)snprintf(pid, sizeof(pid), "%d", peer->pid);
	if (n_untold > 0) {
		(void)snprintf(untold, sizeof(untold), " (and %" PRIu64 " more like it)", n_untold);
	}
	log_say_fields(level, fields, ARRAY_LEN(fields),
		       "connection of uid %s, pid %s, closed: %s%s", uid, pid, what, untold);
}

static void conn_tell(struct conn *conn, enum log_level level, const char *why)
{
	conn->shared->handler.meters->n_dropped++;
	conn_notice(&conn->shared->refused, level, &conn->session.peer, why);
}

/* Ends a connection that is of no more use; its answers are dropped. */
static void conn_drop(struct conn *conn, const char *why)
{
	conn_tell(conn, LOG_LEVEL_INFO, why);
	conn->dead = true;
}

/*
 * Bytes come in
 */

static span_t conn_read_at(struct conn_shared *shared)
{
	if (shared->read_at == 0) {
		shared->read_at = limits_now();
	}
	return shared->read_at;
}

static void conn_read(struct conn *conn)
{
	bool end;
	int error;

	error = stream_read(&conn->stream, &end);
	if (error == -ENOMEM) {
		conn_drop(conn, "no memory for its request");
	} else if (!error && end) {
		conn->at_end = true;
	} else if (!error) {
		conn->more = true;
		conn->read_at = conn_read_at(conn->shared);
	}
}

static void on_readable(evutil_socket_t unused fd, short unused what, void *userdata)
{
	struct conn *conn = userdata;
	bool is_shared = conn->shared->is_shared;
	span_t began = is_shared ? limits_now() : 0;

	if (is_shared && user_has_read(conn->user, conn->shared->turn)) {
		return; /* what is left makes the next turn come at once */
	}
	conn_read(conn);
	conn->user->read_for += is_shared ? limits_now() - began : 0;
	conn_touch(conn);
}

static void on_writable(evutil_socket_t unused fd, short what, void *userdata)
{
	struct conn *conn = userdata;

	conn->write_late = what & EV_TIMEOUT;
	conn_touch(conn);
}

static void on_frame_timer(evutil_socket_t unused fd, short unused what, void *userdata)
{
	struct conn *conn = userdata;

	conn->frame_timed = false;
	conn->frame_late = true;
	conn->more = true; /* the parser knows whether the frame is whole by now */
	conn_touch(conn);
}

/*
 * A connection begins and ends
 */

struct conn *conn_free(struct conn *conn)
{
	if (!conn) {
		return NULL;
	}
	conn_leave_busy(conn);
	conn_unsubscribe(conn);

	/* Events before the descriptor: epoll must not be asked about one that is closed. */
	if (conn->readable) {
		event_free(conn->readable);
	}
	if (conn->writable) {
		event_free(conn->writable);
	}
	if (conn->frame_timer) {
		event_free(conn->frame_timer);
	}
	rpc_parser_free(conn->parser);
	if (conn->user) {
		conn->user = user_drop(&conn->shared->users, conn->user);
	}
	peer_done(&conn->session.peer);
	stream_done(&conn->stream);
	free(conn);
	return NULL;
}

static int conn_init_events(struct conn *conn)
{
	struct event_base *base = conn->shared->base;
	int fd = conn->stream.fd;

	conn->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, conn);
	conn->writable = event_new(base, fd, EV_WRITE | EV_PERSIST, on_writable, conn);
	conn->frame_timer = evtimer_new(base, on_frame_timer, conn);
	if (!conn->readable || !conn->writable || !conn->frame_timer) {
		return -ENOMEM;
	}
	conn->reads = true;
	return event_add(conn->readable, NULL) < 0 ? -ENOMEM : 0;
}

int conn_new(struct conn_shared *shared, int fd, const struct access_peer *peer,
	     struct conn **ret_conn)
{
	struct conn *conn;
	int error;

	conn = calloc(1, sizeof(*conn));
	if (!conn) {
		return -ENOMEM;
	}
	conn->shared = shared;
	conn->session.peer = *peer;
	error = stream_init(&conn->stream, &shared->rooms, fd);
	if (!error) {
		error = rpc_parser_new(&conn->parser);
	}
	if (!error) {
		error = conn_init_events(conn);
	}
	if (!error) {
		conn->user = user_take(&shared->users, peer->uid);
		error = conn->user ? 0 : -ENOMEM;
	}
	if (error) {
		conn->stream.fd = -1; /* nothing was taken */
		conn->session.peer.groups = NULL;
		conn_free(conn);
		return error;
	}
	*ret_conn = conn;
	return 0;
}

/*
 * Work: messages are dispatched
 */

/* What was written to shared->answer, if anything was, goes behind the answers before it. */
static void conn_answer(struct conn *conn)
{
	const struct pack_writer *answer = &conn->shared->answer;

	if (answer->len == 0 && !answer->error) {
		return;
	}
	if (answer->error || stream_write(&conn->stream, answer->data, answer->len) < 0) {
		conn_drop(conn, "no memory for its answer");
	}
}

/* Where a frame ends is known no more, so nothing behind it can be understood. */
static void conn_refuse(struct conn *conn, int error, struct slice bytes)
{
	struct pack_writer *answer = &conn->shared->answer;
	const char *why = "it does not speak MessagePack-RPC";
	uint32_t msgid;

	static_assert(RPC_FRAME_LARGE_MAX == 1 << 20 && RPC_DEPTH_MAX == 8, "the sentence says so");
	static_assert(RPC_OBJECTS_MAX == 163840, "the sentence says so");
	if (error == RPC_E_TOO_LARGE) {
		why = "a message has at most 1 MiB, 8 levels and 163840 values";
		if (rpc_peek_msgid(bytes.data, bytes.len, &msgid)) {
			pack_writer_reset(answer);
			rpc_write_error(answer, msgid, error_kind(ERROR_TOO_LARGE),
					error_code(ERROR_TOO_LARGE), why);
			conn_answer(conn);
		}
	}
	conn_tell(conn, LOG_LEVEL_INFO, why);
	conn->closing = true;
}

static void conn_stop_frame_timer(struct conn *conn)
{
	conn->frame_late = false;
	if (conn->frame_timed) {
		conn->frame_timed = false;
		(void)evtimer_del(
			conn->frame_timer); /* fails only for an event that was never made */
	}
}

/* What has come is not a whole message. */
static void conn_await_frame(struct conn *conn)
{
	conn->more = false;
	if (conn->frame_late) {
		conn_drop(conn, "it began a message and did not complete it in time");
	}
}

static int conn_dispatch(struct conn *conn, const struct rpc_message *message)
{
	struct conn_shared *shared = conn->shared;
	int error;

	pack_writer_reset(&shared->answer);
	error = shared->handler.dispatch(shared->handler.userdata, &conn->session, message,
					 &shared->answer);
	if (error) {
		assert(error < 0);
		return error;
	}
	conn->n_answered += message->type == RPC_REQUEST;
	conn_answer(conn);
	if (conn->session.next_seq > 0 && !conn->subscribed) {
		conn_subscribe_last(conn);
	}
	conn_stop_frame_timer(conn);
	stream_take(&conn->stream, message->bytes);
	rpc_forget(conn->parser); /* megabytes, of a peer that may stay for months */
	return 0;
}

/* The first message that has come. @conn->more tells whether it is worth to look for another one. */
static int conn_work_once(struct conn *conn)
{
	struct rpc_message message;
	struct slice bytes;
	int error;

	bytes = stream_bytes(&conn->stream);
	if (bytes.len == 0) {
		conn->more = false;
		return 0;
	}
	error = bytes.data ? rpc_parse(conn->parser, bytes.data, bytes.len, &message) : -ENOMEM;
	switch (error) {
	case 0:
		return conn_dispatch(conn, &message);
	case RPC_E_MORE:
		conn_await_frame(conn);
		return 0;
	case RPC_E_MALFORMED:
	case RPC_E_TOO_LARGE:
		conn_refuse(conn, error, bytes);
		return 0;
	}
	conn_drop(conn, "no memory for its request"); /* the peer's loss: the store is sound */
	return 0;
}

static bool conn_may_work(const struct conn *conn)
{
	return conn->more && !conn->closing && !conn->dead &&
	       stream_n_unsent(&conn->stream) < LIMITS_UNREAD_BYTES_MAX;
}

int conn_work(struct conn *conn, span_t until, span_t *now)
{
	for (unsigned i = 0; i < LIMITS_MESSAGES_PER_TURN && conn_may_work(conn); i++) {
		span_t began = *now;
		int error;

		if (i > 0 && began >= until) {
			break;
		}
		error = conn_work_once(conn);
		if (error) {
			return error;
		}
		*now = limits_now();
		user_took(conn->user, *now - began);
	}
	return 0;
}

/*
 * Push: subscribers are told of events
 */

/* Whoever has stopped sending gets the answers it asked for, and no more. */
static bool conn_may_push(const struct conn *conn)
{
	return conn->subscribed && !conn->at_end && !conn->closing && !conn->dead &&
	       stream_n_unsent(&conn->stream) < LIMITS_UNREAD_BYTES_OF_EVENTS;
}

static const char *push_refusal(int error)
{
	return error == SESSION_E_FORBIDDEN ? "it may not be told of events any more"
					    : "the event that comes next cannot be read";
}

int conn_push(struct conn *conn)
{
	const struct conns_handler *handler = &conn->shared->handler;
	struct pack_writer *events = &conn->shared->answer;
	bool more = false;
	int error;

	if (!conn_may_push(conn)) {
		conn->behind = true; /* for all we know */
		return 0;
	}
	pack_writer_reset(events);
	error = handler->push(handler->userdata, &conn->session, events, &more);
	if (error < 0) {
		return error;
	}
	conn->behind = more;
	conn_answer(conn);
	if (error > 0) {
		conn_tell(conn, LOG_LEVEL_WARNING, push_refusal(error));
		conn->closing = true;
	}
	if (events->len > 0 || error > 0) {
		conn_touch(conn);
	}
	return 0;
}

void conn_push_later(struct conn *conn)
{
	conn->behind = true;
	conn_touch(conn);
}

/*
 * Finish: answers and events are sent
 */

static void conn_await_readers(struct conn *conn, bool progress)
{
	if (stream_n_unsent(&conn->stream) == 0) {
		if (conn->writes) {
			conn->writes = false;
			(void)event_del(conn->writable); /* fails only for one never made */
		}
	} else if (conn->write_late && !progress) {
		conn_drop(conn, "it does not read its answers");
	} else if (progress || !conn->writes) {
		conn->writes = true;
		conn_add_event(conn, conn->writable, LIMITS_WRITE_SPAN); /* its time begins anew */
	}
	conn->write_late = false;
}

static void conn_flush(struct conn *conn)
{
	bool progress;

	if (stream_send(&conn->stream, &progress) < 0) {
		conn->dead = true;
		return;
	}
	conn_await_readers(conn, progress);
}

static bool conn_has_ended(const struct conn *conn)
{
	return stream_n_unsent(&conn->stream) == 0 &&
	       (conn->closing || (conn->at_end && !conn->more));
}

/* Read on only when all that was read is dispatched, and the answers to it are read in turn. */
static bool conn_wants_bytes(const struct conn *conn)
{
	return !conn->more && !conn->at_end && !conn->closing &&
	       stream_n_unsent(&conn->stream) < LIMITS_UNREAD_BYTES_MAX;
}

static void conn_await_bytes(struct conn *conn)
{
	if (!conn_wants_bytes(conn)) {
		/* Time in which we do not read is not held against the peer. */
		if (conn->reads) {
			conn->reads = false;
			(void)event_del(conn->readable); /* fails only for one never made */
		}
		conn_stop_frame_timer(conn);
		return;
	}
	if (!conn->reads) {
		conn->reads = true;
		conn_add_event(conn, conn->readable, 0);
	}
	if (stream_n_bytes(&conn->stream) > 0 && !conn->frame_timed) {
		conn->frame_timed = true;
		conn_add_event(conn, conn->frame_timer, LIMITS_FRAME_SPAN);
	}
}

static void conn_count_answers(struct conn *conn, span_t now)
{
	if (conn->n_answered > 0) {
		histogram_add(&conn->shared->handler.meters->answers, now - conn->read_at,
			      conn->n_answered);
		conn->n_answered = 0;
	}
}

bool conn_finish(struct conn *conn, span_t now)
{
	conn_count_answers(conn, now);
	if (!conn->dead) {
		conn_flush(conn);
	}
	if (!conn->dead && stream_keep(&conn->stream) < 0) {
		conn_drop(conn, "no memory for its request");
	}
	if (!conn->dead && !conn_has_ended(conn)) {
		conn_await_bytes(conn);
	}
	if (!conn_may_work(conn) && !(conn->behind && conn_may_push(conn))) {
		conn_leave_busy(conn);
	}
	return !conn->dead && !conn_has_ended(conn);
}
