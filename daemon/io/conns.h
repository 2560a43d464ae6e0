/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_IO_CONNS_H
#define RETENTIOND_IO_CONNS_H

#include "common/base.h"
#include "common/pack.h"
#include "common/rpc.h"

#include "daemon/core/access.h"

/*
 * The connections. Events of the loop only bring bytes in; a turn then goes through two steps:
 *
 *     conns_work()     messages that are whole are dispatched, and their answers are held back
 *     (the caller commits)
 *     conns_finish()   answers are sent; connections that came to their end are freed, and
 * nowhere else
 *
 * So no byte of an answer can leave before the commit. Who a peer is was asked when it connected
 * and stands in every message that it sends. A peer that does not read its answers is not read
 * from; one that sends what is not MessagePack-RPC, or half a frame for too long, is closed, and
 * no other connection notices.
 */

struct conns;
struct event_base;

/**
 * conns_dispatch_fn - do what a message asks
 * @out: empty; the answer, if there is one
 *
 * Return: 0, or a negative errno when the machine failed.
 */
typedef int conns_dispatch_fn(void *userdata, const struct access_peer *peer,
			      const struct rpc_message *message, struct pack_writer *out);

/**
 * conns_new() - no connections yet
 * @base: borrowed, outlives them
 *
 * Return: 0 or -ENOMEM.
 */
must_check int conns_new(struct event_base *base, conns_dispatch_fn *dispatch, void *userdata,
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
 *
 * Return: 0, or what the dispatch function failed with: then nothing may be sent any more.
 */
must_check int conns_work(struct conns *conns);

/* Sends what can be sent, and frees what has ended. Not to be called after a commit that failed. */
void conns_finish(struct conns *conns);

/* Whether messages are left that did not fit into this turn: the next one should come at once. */
bool conns_have_work(const struct conns *conns);
size_t conns_count(const struct conns *conns);

/*
 * Nothing more is read or dispatched; each connection ends in conns_finish() once its answers are
 * sent.
 */
void conns_stop(struct conns *conns);

#endif
