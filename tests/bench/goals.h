/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_BENCH_GOALS_H
#define RETENTIOND_TESTS_BENCH_GOALS_H

#include "tests/bench/bench.h"

/* What the figures ought to be, and whether they are. */

enum goal_kind {
	GOAL_TIMES_PEER,  /* the rate, as a multiple of the peer's in the same round */
	GOAL_TIMES_P99,   /* the p99, as a multiple of another work's in the same round */
	GOAL_TIMES_SMALL, /* the cost in a large store, as a multiple of that in a small one */
	GOAL_VALUE,       /* the figure itself; of the small store if there are two */
	GOAL_VALUE_LARGE, /* the figure of the large store */
};

/**
 * struct goal
 * @key:     of the work
 * @against: the peer's name, the other work's key, "small", or NULL
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

/* "make bench-peers": the command whose run has what the goal is about. */
const char *goal_command(const struct goal *goal);

/* Whether the run has what a goal is about; @ret_value: the median over its rounds. */
bool goal_measure(const struct goal *goal, const struct bench *bench, double *ret_value);
bool goal_is_met(const struct goal *goal, double value);

/*
 * What a work costs in the large store, as a multiple of what it costs in the small one: the median
 * of the rounds. Return: whether the run has two stores, and the work was measured on both.
 */
bool bench_cost_ratio(const struct bench *bench, uint32_t index, double *ret_ratio);

/* The median of a work's values over the rounds, and the figure that has it (or the one below). */
const struct figure *bench_median(const struct entrant *entrant, uint32_t index, uint32_t n_rounds);

#endif
