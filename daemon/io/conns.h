/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_IO_CONNS_H
#define RETENTIOND_IO_CONNS_H

#include "common/base.h"
#include "common/pack.h"
#include "common/rpc.h"

#include "daemon/work/meters.h"
#include "daemon/work/session.h"

/*
 * The connections. Events of the loop only bring bytes in; a turn then goes through three steps:
 *
 *     conns_work()     messages that are whole are dispatched, and their answers are held back
 *     (the caller commits)
 *     conns_push()     subscribers are told what happened, behind their answers
 *     conns_finish()   all that is sent; connections that came to their end are freed, here alone
 *
 * So no byte of an answer or an event can leave before the commit. Who a peer is was asked when it
 * connected and stands in its session. A peer that does not read its answers is not read from; one
 * that sends what is not MessagePack-RPC, or half a frame for too long, is closed, and no other
 * connection notices.
 */

struct conns;
struct event_base;

/**
 * struct conns_handler - who understands what the connections carry
 * @dispatch: do what a message asks, as dispatch_message() does
 * @push:     tell a session that has subscribed what is new, as events_write() does
 * @meters:   where connections, and how long answers take, are counted
 *
 * @out is empty. Return: 0; @push also SESSION_E_, after which the connection is closed; or a
 * negative errno when the machine failed.
 */
struct conns_handler {
	int (*dispatch)(void *userdata, struct session *session, const struct rpc_message *message,
			struct pack_writer *out);
	int (*push)(void *userdata, struct session *session, struct pack_writer *out,
		    bool *ret_more);
	struct meters *meters;
	void *userdata;
};

/**
 * conns_new() - no connections yet
 * @base: borrowed, outlives them
 *
 * Return: 0 or -ENOMEM.
 */
must_check int conns_new(struct event_base *base, const struct conns_handler *handler,
			 struct conns **ret_conns);
struct conns *conns_free(struct conns *conns); /* closes all, unsent answers or not */

/*
 * Takes a new connection; closes it when there are too many. @fd does not block and is taken in
 * any case.
 */
void conns_accept(struct conns *conns, int fd);

/**
 * conns_work() - dispatch messages, in turns among the connections and within the limits of one
 * turn
 * @light_only: users who took much when they were served last wait
 *
 * Return: 0, or what the dispatch function failed with: then nothing may be sent any more.
 */
must_check int conns_work(struct conns *conns, bool light_only);
bool conns_served_light(const struct conns *conns); /* the last conns_work() served a light user */

/**
 * conns_push() - tell subscribers what is new, in turns and within the limits of one turn
 *
 * Whoever has LIMITS_UNREAD_BYTES_OF_EVENTS unread is passed over until it reads. Only after a
 * commit.
 *
 * Return: 0, or the negative errno that the push function failed with.
 */
must_check int conns_push(struct conns *conns);

/* Sends what can be sent, and frees what has ended. Not to be called after a commit that failed. */
void conns_finish(struct conns *conns);

/*
 * us until the next turn is wanted for messages or events that are left over from this one: 0 for at once,
 * SPAN_MAX if there are none. @light_only: as the next conns_work() is called
 */
span_t conns_until_work(const struct conns *conns, bool light_only);
size_t conns_count(const struct conns *conns);

/*
 * Peers can send nothing more from here on. What they have sent is read to its end and answered;
 * then each connection ends in conns_finish().
 */
void conns_stop(struct conns *conns);

#endif
