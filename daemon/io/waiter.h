/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_IO_WAITER_H
#define RETENTIOND_IO_WAITER_H

#include "common/base.h"
#include "common/instant.h"

/*
 * Waits for whatever comes first: bytes, connections, a signal, or the end of a span.
 */

struct event_base;
struct waiter;

/*
 * Takes SIGTERM, SIGINT and SIGHUP over, also those that came while they were blocked. Return: 0 or
 * -ENOMEM.
 */
must_check int waiter_new(struct waiter **ret_waiter);
struct waiter *waiter_free(struct waiter *waiter);

/* Where others put their events; as long as the waiter lives. */
struct event_base *waiter_base(struct waiter *waiter);

/**
 * waiter_wait() - run the events that are there, after waiting for the first one
 * @span: us to wait at most; 0 to take only what is there
 *
 * Return: 0 or a negative errno.
 */
must_check int waiter_wait(struct waiter *waiter, span_t span);

/* SIGTERM or SIGINT came. */
bool waiter_stop_asked(const struct waiter *waiter);

/* SIGHUP came since the last time this was asked. */
bool waiter_take_reload(struct waiter *waiter);

#endif
