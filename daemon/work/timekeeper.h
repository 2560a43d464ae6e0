/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_WORK_TIMEKEEPER_H
#define RETENTIOND_WORK_TIMEKEEPER_H

#include "common/base.h"
#include "common/instant.h"

#include "daemon/core/clock.h"

/*
 * The engine's trusted time: keeps the mark, says what the wall clock does, and stops timed work
 * while the clock guard is engaged. What the clock decides, core/clock.c says.
 *
 * Each change of the guard is in the ledger, and in the same commit as the mark: guard-engaged;
 * guard-released with the time before, and clock-set with the time after it, when it was moved.
 */

struct engine;
struct engine_options;
struct actor;

/* Starts the clock of an open store. Return: 0 or a negative errno. */
must_check int timekeeper_start(struct engine *engine, const struct engine_options *options,
				const struct clock_reading *reading);

/* A turn begins: engine->now and engine->reading are set. */
void timekeeper_turn(struct engine *engine, const struct clock_reading *reading);

/*
 * Asks a doubted wall clock again, and keeps the mark young. May move engine->now on. Return: 0 or a
 * negative errno.
 */
must_check int timekeeper_work(struct engine *engine);

/**
 * timekeeper_accept() - somebody says that the wall clock is right
 * @actor:    who; has the time after it on 0
 * @ret_move: set on 0; nowhere when the guard was not engaged
 *
 * Return: 0 or a negative errno.
 */
must_check int timekeeper_accept(struct engine *engine, struct actor *actor,
				 struct clock_move *ret_move);

/* The last mark of a stop. Return: 0 or a negative errno. */
must_check int timekeeper_stop(struct engine *engine);

#endif
