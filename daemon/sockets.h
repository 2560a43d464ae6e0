/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_SOCKETS_H
#define RETENTIOND_SOCKETS_H

#include "common/base.h"

#include "daemon/config.h"
#include "daemon/io/loop.h"

/**
 * sockets_open() - listen on the sockets that systemd passed, or else on one of our own
 *
 * With passed ones, peers that connect while the daemon restarts wait instead of being refused;
 * the configuration's path, mode and group are then the socket unit's business. Failures are
 * logged.
 *
 * Return: 0 or a negative errno.
 */
must_check int sockets_open(const struct config *config, struct loop *loop);

#endif
