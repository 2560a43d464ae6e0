/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_BENCH_GOALS_H
#define RETENTIOND_TESTS_BENCH_GOALS_H

#include "tests/bench/bench.h"

/* What the figures ought to be, and whether they are. */

enum goal_kind {
	GOAL_TIMES_PEER, /* the rate, as a multiple of the peer's in the same round */
	GOAL_TIMES_P99,  /* the p99, as a multiple of another work's in the same round */
	GOAL_VALUE,      /* the figure itself */
};

/**
 * struct goal
 * @key:     of the work
 * @against: the peer's name, or the other work's key, or NULL
 * @bound:   at least, for a peer; else at most
 */
struct goal {
	const char *key;
	enum goal_kind kind;
	const char *against;
	double bound;
};

extern const struct goal goals[];
extern const uint32_t n_goals;

/* Whether the run has what a goal is about; @ret_value: the median over its rounds. */
bool goal_measure(const struct goal *goal, const struct bench *bench, double *ret_value);
bool goal_is_met(const struct goal *goal, double value);

/* The median of a work's values over the rounds, and the figure that has it (or the one below). */
const struct figure *bench_median(const struct entrant *entrant, uint32_t index, uint32_t n_rounds);

#endif
