/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_IO_LISTENER_H
#define RETENTIOND_IO_LISTENER_H

#include <sys/types.h>

#include "common/base.h"

/*
 * A socket that connections come from. systemd passes one, or the daemon makes one at a path.
 */

struct event_base;
struct listener;

/*
 * Takes a new connection. @fd does not block, is closed on exec, and is the callee's; or it is
 * LISTENER_TURNED_AWAY: a peer was told to go, for want of a descriptor.
 */
typedef void listener_accept_fn(void *userdata, int fd);

#define LISTENER_TURNED_AWAY (-1)

#define LISTENER_GID_KEEP ((gid_t)-1)

/**
 * struct listener_address - a socket to be made
 * @path: at most 107 bytes
 * @mode: who may connect; the daemon asks for roles besides
 * @gid:  the socket's group, or LISTENER_GID_KEEP
 */
struct listener_address {
	const char *path;
	mode_t mode;
	gid_t gid;
};

/**
 * listener_bind() - make a socket at a path and listen on it
 * @ret_fd: set on 0; the caller's
 *
 * A socket that is there already is taken away if nobody listens on it any more; anything else
 * stays where it is. Mode and group are right before the first connection is possible.
 *
 * Return: 0; -EADDRINUSE if somebody listens there; -EEXIST if something else than a socket is
 * there; or a negative errno.
 */
must_check int listener_bind(const struct listener_address *address, int *ret_fd);

/**
 * listener_new() - take connections from a listening socket
 * @base: borrowed, outlives it
 * @fd:   taken on 0
 * @path: the socket file to take away at the end if it is still ours, or NULL if somebody else
 *        made it
 *
 * Return: 0 or a negative errno.
 */
must_check int listener_new(struct event_base *base, int fd, const char *path,
			    listener_accept_fn *accept, void *userdata,
			    struct listener **ret_listener);
struct listener *listener_free(struct listener *listener);

#endif
