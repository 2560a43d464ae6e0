/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_IO_LOOP_H
#define RETENTIOND_IO_LOOP_H

#include "common/base.h"

#include "daemon/core/clock.h"
#include "daemon/io/listener.h"
#include "daemon/work/engine.h"

/*
 * The loop: sockets, signals and time, one turn after another. SIGTERM and SIGINT end it, SIGHUP
 * asks for a reload.
 */

/**
 * struct loop_hooks - what is done between turns; either may be NULL
 * @reload: SIGHUP came
 * @turned: a turn is over; it comes at least every ENGINE_SLEEP_MAX. @now is limits_now() and
 *          @n_connections are open
 */
struct loop_hooks {
	void (*reload)(void *userdata);
	void (*turned)(void *userdata, span_t now, size_t n_connections);
	void *userdata;
};

struct loop;

/*
 * Reads both clocks: the one place of the daemon that does. Once for engine_open(), then once a
 * turn.
 */
void loop_read_clocks(struct clock_reading *ret_reading);

/**
 * loop_new() - signals are taken over from here on
 * @engine: borrowed, outlives it
 *
 * Return: 0 or a negative errno.
 */
must_check int loop_new(struct engine *engine, const struct loop_hooks *hooks,
			struct loop **ret_loop);
struct loop *loop_free(struct loop *loop);

/**
 * loop_listen() - take connections from a listening socket
 * @fd:   taken on 0
 * @path: to be taken away at the end, or NULL; see listener_new()
 *
 * Return: 0; -E2BIG beyond LIMITS_LISTENERS_MAX; or a negative errno.
 */
must_check int loop_listen(struct loop *loop, int fd, const char *path);

/**
 * loop_run() - turn until a signal ends it
 *
 * Return: 0 when it was asked to end; or a negative errno when the machine failed. Then nothing
 * was sent that is not on disk, and the process must end.
 */
must_check int loop_run(struct loop *loop);

/*
 * After loop_run(): takes no more connections, and sends what is left for LIMITS_STOP_SPAN at
 * most.
 */
void loop_drain(struct loop *loop);

#endif
