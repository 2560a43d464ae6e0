/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_CLIENT_H
#define RETENTIOND_CTL_CLIENT_H

#include <jansson.h>

#include "common/commands.h"
#include "common/pack.h"
#include "ctl/fault.h"

/*
 * One connection to the daemon, opened by the first call. One call at a time.
 *
 * A daemon that is started anew ends its connections. Whoever met it before connects again and asks
 * again until the call's time is over, where that cannot do anything twice: when the request was
 * not sent whole (then the daemon has not even looked at it), when it only asks, or when it carries
 * a request_id.
 */
struct ctl_client;

/**
 * ctl_client_new() - a client that has not connected yet
 * @path:    of the socket; borrowed
 * @timeout: for each call, connecting included
 *
 * Return: 0 or -ENOMEM.
 */
must_check int ctl_client_new(const char *path, span_t timeout, struct ctl_client **ret_client);
struct ctl_client *ctl_client_free(struct ctl_client *client);

/**
 * ctl_client_begin() - begin a request
 * @method:    "account.leave"
 * @bytes_max: of the whole frame: command_frame_max()
 *
 * Return: the writer, which the caller puts one map of arguments into before ctl_client_call().
 */
struct pack_writer *ctl_client_begin(struct ctl_client *client, const char *method,
				     size_t bytes_max);

/**
 * ctl_client_put_request_id() - make a changing request one that may be asked again
 * @writer: in the map of arguments
 * @id:     NULL for a random one of 128 bits, new with each call
 *
 * Return: 0 or a negative errno.
 */
must_check int ctl_client_put_request_id(struct ctl_client *client, struct pack_writer *writer,
					 const char *id);

/* The request that was begun is a dry run. */
void ctl_client_only_ask(struct ctl_client *client);

/* The request that was begun carries a request_id already. */
void ctl_client_repeatable(struct ctl_client *client);

/* The request that was begun is asked once: the caller tries again in its own time. */
void ctl_client_ask_once(struct ctl_client *client);

/**
 * ctl_client_call() - send the request and wait for its answer
 * @ret_result: set on 0; the caller's reference
 * @fault:      set on failure: the daemon's error, or why there is no answer
 *
 * Return: 0 or the fault's exit code: PERMISSION, USAGE (invalid-argument), NOT_FOUND, GUARD,
 * UNREACHABLE, TIMEOUT or FAILURE.
 */
must_check int ctl_client_call(struct ctl_client *client, json_t **ret_result,
			       struct ctl_fault *fault);

/* The next event of a subscription, however long it takes. Return: as ctl_client_call(). */
must_check int ctl_client_next_event(struct ctl_client *client, json_t **ret_event,
				     struct ctl_fault *fault);

/* The same, but no longer than until an instant of the monotonic clock: TIMEOUT if none came. */
must_check int ctl_client_await_event(struct ctl_client *client, int64_t until_us,
				      json_t **ret_event, struct ctl_fault *fault);

/* A call with no arguments. */
must_check int ctl_client_ask(struct ctl_client *client, enum command_symbol command,
			      json_t **ret_result, struct ctl_fault *fault);

#endif
