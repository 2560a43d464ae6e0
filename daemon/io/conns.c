/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/conns.h"

#include <errno.h>

#include "daemon/io/conn.h"
#include "daemon/io/limits.h"
#include "daemon/io/peer.h"
#include "daemon/work/log.h"

struct conns {
	struct conn_shared shared;
	struct conn_list all;
	size_t n_all;
	struct limits_notice turned_away;
	bool served_light;
	struct user_rest rest;
};

static struct conn *conns_remove(struct conns *conns, struct conn *conn)
{
	TAILQ_REMOVE(&conns->all, conn, in_all);
	conns->n_all--;
	return conn_free(conn);
}

/* Takes @fd and @peer on 0. Return: 0 or a negative errno; it has been said. */
static int conns_add(struct conns *conns, int fd, const struct access_peer *peer)
{
	const struct user *user = user_find(&conns->shared.users, peer->uid);
	struct conn *conn;
	int error;

	if (!limits_admit(peer->uid, conns->n_all, user ? user->n_conns : 0)) {
		conn_notice(&conns->turned_away, LOG_LEVEL_WARNING, peer,
			    "too many connections are open");
		return -EUSERS;
	}
	error = conn_new(&conns->shared, fd, peer, &conn);
	if (error) {
		conn_notice(&conns->turned_away, LOG_LEVEL_WARNING, peer, strerror(-error));
		return error;
	}
	TAILQ_INSERT_TAIL(&conns->all, conn, in_all);
	conns->n_all++;
	return 0;
}

/* Return: whether @fd was taken. */
static bool conns_take(struct conns *conns, int fd)
{
	struct access_peer peer;

	if (peer_init(fd, &peer) < 0) {
		return false; /* the kernel does not know who it is, so neither do we */
	}
	if (conns_add(conns, fd, &peer) < 0) {
		peer_done(&peer);
		return false;
	}
	return true;
}

void conns_accept(struct conns *conns, int fd)
{
	struct meters *meters = conns->shared.handler.meters;

	if (conns_take(conns, fd)) {
		meters->n_accepted++;
	} else {
		meters->n_refused++;
		closep(&fd);
	}
}

int conns_new(struct event_base *base, const struct conns_handler *handler,
	      struct conns **ret_conns)
{
	struct conns *conns;

	conns = calloc(1, sizeof(*conns));
	if (!conns) {
		return -ENOMEM;
	}
	conns->shared.base = base;
	conns->shared.handler = *handler;
	TAILQ_INIT(&conns->all);
	TAILQ_INIT(&conns->shared.users);
	TAILQ_INIT(&conns->shared.subscribers);
	pack_writer_init(&conns->shared.answer, RPC_ANSWER_MAX);
	*ret_conns = conns;
	return 0;
}

struct conns *conns_free(struct conns *conns)
{
	if (conns) {
		while (!TAILQ_EMPTY(&conns->all)) {
			conns_remove(conns, TAILQ_FIRST(&conns->all));
		}
		pack_writer_done(&conns->shared.answer);
		free(conns);
	}
	return NULL;
}

/* Whom the time did not suffice for stands first in the next turn: who was served goes to the end. */
static int conns_work_busy(struct user *user, span_t until, span_t *now)
{
	int error = 0;
	size_t n = 0;
	struct conn *conn;

	TAILQ_FOREACH(conn, &user->busy, in_busy) {
		n++;
	}
	for (; n > 0 && !error && *now < until; n--) {
		conn = TAILQ_FIRST(&user->busy);
		conn_touch_last(conn);
		error = conn_work(conn, until, now);
	}
	return error;
}

static int conns_work_user(struct conns *conns, struct user *user, span_t until)
{
	span_t began = limits_now(), now = began;
	bool is_suspect = user_is_suspect(user, began);
	struct limits_run run;
	int error;

	if (is_suspect) {
		limits_run_read(&run);
	}
	error = conns_work_busy(user, until, &now);
	if (is_suspect) {
		user_forgive(user, limits_run_lost(&run, now - began));
	}
	user_served(&conns->shared.users, user, began, now);
	return error;
}

/* Whether a user has something to do, and is not slow and has to rest. */
static bool conns_may_serve(const struct conns *conns, const struct user *user, span_t now)
{
	return !TAILQ_EMPTY(&user->busy) &&
	       (!user_is_slow(user, now) || user_rest_left(&conns->rest, now) == 0);
}

/* Of those who are light, or of those who are heavy. @ret_n counts who was served. */
static int conns_work_users(struct conns *conns, bool heavy, span_t share, span_t until,
			    size_t *ret_n)
{
	struct user *user, *next, *last = TAILQ_LAST(&conns->shared.users, user_list);
	bool is_last = !last;
	int error = 0;

	for (user = TAILQ_FIRST(&conns->shared.users); !is_last && !error; user = next) {
		span_t now = limits_now();

		next = TAILQ_NEXT(user, in_users);
		is_last = user == last;
		if (user_is_light(user, now) == heavy || !conns_may_serve(conns, user, now)) {
			continue;
		}
		if (now >= until) {
			break;
		}
		(*ret_n)++;
		error = conns_work_user(conns, user, MIN(until, now + share));
		user_rest_note(&conns->rest, user);
	}
	return error;
}

/* Whether those who took more than their share may go on, though somebody else was served. */
static bool conns_let_heavy(struct conns *conns, bool light_served)
{
	span_t now = limits_now();
	struct user *user;
	bool let = !light_served;

	TAILQ_FOREACH(user, &conns->shared.users, in_users) {
		let |= user->waited;
		user->waited = !user_is_light(user, now) && conns_may_serve(conns, user, now);
	}
	return let;
}

int conns_work(struct conns *conns, bool light_only)
{
	span_t now = limits_now();
	bool shared = user_shares_turn(&conns->shared.users, now);
	span_t span = shared ? LIMITS_WORK_SHARED_PER_TURN : LIMITS_WORK_PER_TURN;
	span_t share = shared ? LIMITS_WORK_OF_UID_PER_TURN : span;
	size_t n_served = 0;
	int error;

	conns->shared.is_shared = shared;
	conns->shared.handler.meters->n_connections = conns->n_all;
	conns->shared.handler.meters->n_subscribers = conns->shared.n_subscribers;
	error = conns_work_users(conns, false, share, now + span, &n_served);
	conns->served_light = n_served > 0;
	if (!error && !light_only && conns_let_heavy(conns, n_served > 0)) {
		error = conns_work_users(conns, true, share, limits_now() + span, &n_served);
	}
	return error;
}

bool conns_served_light(const struct conns *conns)
{
	return conns->served_light;
}

/* The first @n subscribers have not had their turn. */
static void conns_push_later(struct conns *conns, size_t n)
{
	struct conn *conn = TAILQ_FIRST(&conns->shared.subscribers);

	for (; n > 0; n--) {
		conn_push_later(conn);
		conn = TAILQ_NEXT(conn, in_subscribers);
	}
}

/* In turns as in conns_work(). */
int conns_push(struct conns *conns)
{
	span_t span = conns->shared.is_shared ? LIMITS_PUSH_SHARED_PER_TURN : LIMITS_PUSH_PER_TURN;
	span_t until = limits_now() + span;

	for (size_t n = conns->shared.n_subscribers; n > 0; n--) {
		struct conn *conn = TAILQ_FIRST(&conns->shared.subscribers);
		int error;

		if (limits_now() >= until) {
			conns_push_later(conns, n);
			return 0;
		}
		conn_subscribe_last(conn);
		error = conn_push(conn);
		if (error) {
			return error;
		}
	}
	return 0;
}

/* The user is gone with the last of its connections. */
static void conns_finish_user(struct conns *conns, struct user *user, span_t now)
{
	struct conn *next;

	for (struct conn *conn = TAILQ_FIRST(&user->busy); conn; conn = next) {
		next = TAILQ_NEXT(conn, in_busy);
		if (!conn_finish(conn, now)) {
			conns_remove(conns, conn);
		}
	}
}

void conns_finish(struct conns *conns)
{
	span_t now = limits_now();
	struct user *user, *next;

	for (user = TAILQ_FIRST(&conns->shared.users); user; user = next) {
		next = TAILQ_NEXT(user, in_users);
		conns_finish_user(conns, user, now);
	}
	conns->shared.rooms.n_in = 0;
	conns->shared.rooms.n_out = 0;
	conns->shared.read_at = 0;
	conns->shared.turn++;
}

span_t conns_until_work(const struct conns *conns, bool light_only)
{
	span_t now = limits_now(), sleep = SPAN_MAX;
	const struct user *user;

	TAILQ_FOREACH(user, &conns->shared.users, in_users) {
		if (TAILQ_EMPTY(&user->busy) || (light_only && !user_is_light(user, now))) {
			continue;
		}
		sleep = MIN(sleep, user_is_slow(user, now) ? user_rest_left(&conns->rest, now) : 0);
	}
	return sleep;
}

size_t conns_count(const struct conns *conns)
{
	return conns->n_all;
}

void conns_stop(struct conns *conns)
{
	struct conn *conn;

	TAILQ_FOREACH(conn, &conns->all, in_all) {
		conn_stop(conn);
	}
}
