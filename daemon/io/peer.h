/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_IO_PEER_H
#define RETENTIOND_IO_PEER_H

#include "common/base.h"

#include "daemon/core/access.h"

/**
 * peer_init() - who is at the other end of a socket, as the kernel knows it
 * @fd:       a connected AF_UNIX socket
 * @ret_peer: set on 0; its groups are the caller's until peer_done()
 *
 * Asked once, when the peer connects (SO_PEERCRED, SO_PEERGROUPS): what a process becomes later,
 * or whom it hands the socket to, changes nothing.
 *
 * Return: 0 or a negative errno.
 */
must_check int peer_init(int fd, struct access_peer *ret_peer);
void peer_done(struct access_peer *peer);

/*
 * Whether every peer's uid and gids can be told: false in a user namespace that has not all of
 * them, since it shows the others as ACCESS_UID_NOBODY; and where it cannot be known.
 */
bool peer_all_visible(void);

#endif
