/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_BENCH_PAUSES_H
#define RETENTIOND_TESTS_BENCH_PAUSES_H

#include "tests/bench/works.h"

/*
 * How long the daemon's loop does not come round while it works for itself. A connection of its own
 * sends an empty request, and the next one as soon as it is answered; the longest round trip is the
 * figure, with nothing taken off.
 */

void pause_idle(struct bench *bench, struct entrant *entrant, const struct measure *measure,
		struct figure *ret_figure);

/* While what is due is removed for good. */
void pause_sweep(struct bench *bench, struct entrant *entrant, const struct measure *measure,
		 struct figure *ret_figure);

/* While rows move to their tables because nobody changes anything. */
void pause_settle(struct bench *bench, struct entrant *entrant, const struct measure *measure,
		  struct figure *ret_figure);

void pause_backup(struct bench *bench, struct entrant *entrant, const struct measure *measure,
		  struct figure *ret_figure);

#endif
