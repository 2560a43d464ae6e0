/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_SERVICE_H
#define RETENTIOND_SERVICE_H

#include "common/base.h"
#include "common/instant.h"

#include "daemon/work/log.h"

/*
 * What the service manager gives and is told. Everything here does nothing, and fails at nothing,
 * where there is none.
 */

/* The journal if stderr leads there anyway, else lines on stderr. */
log_sink_fn *service_log_sink(void);

/*
 * A line for stderr, with its level as who reads it there expects it: for where nothing but write(2)
 * can be called. What does not fit is cut.
 */
void service_format_line(enum log_level level, const char *text, char *line, size_t size);

/**
 * service_take_sockets() - the listening sockets that were passed to us
 * @fds:   set on 0; the caller's
 * @n_max: room in @fds
 * @ret_n: 0 when none was passed
 *
 * Return: 0; -EPROTOTYPE if one is not a listening AF_UNIX stream socket; -E2BIG if there are
 * more; or a negative errno.
 */
must_check int service_take_sockets(int *fds, size_t n_max, size_t *ret_n);

/* @now: CLOCK_MONOTONIC in us; what the manager orders reloads by. */
void service_tell_reloading(span_t now);
void service_tell_ready(const char *status);
void service_tell_status(const char *status);
void service_tell_stopping(void);

/*
 * How often service_tell_alive() is to be called at least, or the daemon is ended and started anew;
 * 0 if nobody watches.
 */
span_t service_watchdog(void);
void service_tell_alive(void);

/* A start or a stop comes on: it may take @span more, and @status says how far it has come. */
void service_tell_progress(const char *status, span_t span);

#endif
