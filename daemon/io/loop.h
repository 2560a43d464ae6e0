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
 * @turned: a turn is over. @now is limits_now()
 * @turn_every: us within which a turn is over even if there is nothing to do; 0 for
 *          ENGINE_SLEEP_MAX
 */
struct loop_hooks {
	void (*reload)(void *userdata);
	void (*turned)(void *userdata, span_t now);
	span_t turn_every;
	void *userdata;
};

struct loop;

/* Which boot this is, as the kernel tells it; left alone where it does not. */
void loop_read_boot_id(struct clock_boot_id *id);

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

/**
 * loop_drain() - after loop_run(): answer what has been asked, for LIMITS_STOP_SPAN at most
 *
 * No more connections are taken: they wait for the next daemon where a socket was passed. Of those
 * there are, peers can send nothing more, and every request that they had sent whole is carried
 * out and answered. So whoever was not answered, and could not send, knows that nothing was done.
 *
 * Return: as loop_run().
 */
must_check int loop_drain(struct loop *loop);

#endif
