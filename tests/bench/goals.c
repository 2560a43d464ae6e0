/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/goals.h"

#include "tests/bench/works.h"

/* clang-format off */
const struct goal goals[] = {
	{"leave-1",      GOAL_TIMES_PEER,  "PostgreSQL", 1.3},
	{"leave-1",      GOAL_TIMES_PEER,  "Redis",      1.0},
	{"leave-32",     GOAL_TIMES_PEER,  "PostgreSQL", 5},
	{"leave-32",     GOAL_TIMES_PEER,  "Redis",      3},
	{"leave-bulk",   GOAL_TIMES_PEER,  "PostgreSQL", 4},
	{"leave-bulk",   GOAL_TIMES_PEER,  "Redis",      2},
	{"sweep-start",  GOAL_TIMES_PEER,  "PostgreSQL", 3},
	{"sweep-remove", GOAL_TIMES_PEER,  "PostgreSQL", 1.5},
	{"get-32",       GOAL_TIMES_PEER,  "PostgreSQL", 2},
	{"get-32",       GOAL_TIMES_PEER,  "Redis",      1.0},
	{"import",       GOAL_TIMES_PEER,  "PostgreSQL", 1.0},
	{"empty-32",     GOAL_TIMES_PEER,  "Redis",      1.0},
	{"leave-sweep",  GOAL_TIMES_P99,   "leave-1",    5},
	{"leave-1",      GOAL_TIMES_SMALL, "small",      1.3},
	{"leave-32",     GOAL_TIMES_SMALL, "small",      1.3},
	{"leave-bulk",   GOAL_TIMES_SMALL, "small",      1.3},
	{"start-clean",  GOAL_VALUE,       NULL,         0.3},
	{"start-killed", GOAL_VALUE,       NULL,         2},
	{"start-tail",   GOAL_VALUE,       NULL,         2},
	{"memory",       GOAL_VALUE_LARGE, NULL,         128},
};
/* clang-format on */

const uint32_t n_goals = ARRAY_LEN(goals);

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The lower one of two in the middle. */
static double median(double *values, uint32_t n)
{
	assert(n > 0 && n <= BENCH_ROUNDS_MAX);
	qsort(values, n, sizeof(*values), compare_doubles);
	return values[(n - 1) / 2];
}

const struct figure *bench_median(const struct entrant *entrant, uint32_t index, uint32_t n_rounds)
{
	double values[BENCH_ROUNDS_MAX];
	double middle;

	for (uint32_t i = 0; i < n_rounds; i++) {
		values[i] = entrant->figures[index][i].value;
	}
	middle = median(values, n_rounds);
	for (uint32_t i = 0; i < n_rounds; i++) {
		if (entrant->figures[index][i].value == middle) {
			return &entrant->figures[index][i];
		}
	}
	abort();
}

static const struct entrant *find_peer(const struct bench *bench, const char *name)
{
	for (uint32_t i = 1; i < bench->n_entrants; i++) {
		if (strcmp(bench->entrants[i].target.class->name, name) == 0) {
			return &bench->entrants[i];
		}
	}
	return NULL;
}

static double cost_ratio_of_round(const struct bench *bench, uint32_t index, uint32_t round)
{
	double small = bench->entrants[0].figures[index][round].value;
	double large = bench->entrants[1].figures[index][round].value;

	return unit_is_rate(measures[index].unit) ? small / large : large / small;
}

/* By round, since what disturbs a machine disturbs the systems of a round alike. */
static double goal_of_round(const struct goal *goal, const struct bench *bench,
			    const struct entrant *peer, uint32_t round)
{
	const struct entrant *ours = &bench->entrants[0];
	uint32_t index = measure_index(goal->key);
	const struct figure *figure = &ours->figures[index][round];

	switch (goal->kind) {
	case GOAL_TIMES_PEER:
		return figure->value / peer->figures[index][round].value;
	case GOAL_TIMES_P99:
		return (double)figure->p99_ns /
		       (double)ours->figures[measure_index(goal->against)][round].p99_ns;
	case GOAL_TIMES_SMALL:
		return cost_ratio_of_round(bench, index, round);
	case GOAL_VALUE:
		return figure->value;
	case GOAL_VALUE_LARGE:
		return bench->entrants[1].figures[index][round].value;
	}
	abort();
}

static bool goal_is_measured(const struct goal *goal, const struct bench *bench,
			     const struct entrant *peer)
{
	switch (goal->kind) {
	case GOAL_TIMES_PEER:
		return peer;
	case GOAL_TIMES_P99:
		return bench->entrants[0].measured[measure_index(goal->against)];
	case GOAL_TIMES_SMALL:
	case GOAL_VALUE_LARGE:
		return bench->kind == KIND_SCALE;
	case GOAL_VALUE:
		return true;
	}
	abort();
}

const char *goal_command(const struct goal *goal)
{
	switch (goal->kind) {
	case GOAL_TIMES_PEER:
		return "make bench-peers";
	case GOAL_TIMES_SMALL:
	case GOAL_VALUE_LARGE:
		return "make bench-scale";
	case GOAL_TIMES_P99:
	case GOAL_VALUE:
		return "make bench";
	}
	abort();
}

bool goal_measure(const struct goal *goal, const struct bench *bench, double *ret_value)
{
	const struct entrant *peer = NULL;
	double values[BENCH_ROUNDS_MAX];

	if (goal->kind == GOAL_TIMES_PEER) {
		peer = find_peer(bench, goal->against);
	}
	if (!bench->entrants[0].measured[measure_index(goal->key)] ||
	    !goal_is_measured(goal, bench, peer)) {
		return false;
	}
	for (uint32_t i = 0; i < bench->n_rounds; i++) {
		values[i] = goal_of_round(goal, bench, peer, i);
	}
	*ret_value = median(values, bench->n_rounds);
	return true;
}

bool goal_is_met(const struct goal *goal, double value)
{
	return goal->kind == GOAL_TIMES_PEER ? value >= goal->bound : value <= goal->bound;
}

bool bench_cost_ratio(const struct bench *bench, uint32_t index, double *ret_ratio)
{
	double values[BENCH_ROUNDS_MAX];

	if (bench->kind != KIND_SCALE || !bench->entrants[1].measured[index]) {
		return false;
	}
	for (uint32_t i = 0; i < bench->n_rounds; i++) {
		values[i] = cost_ratio_of_round(bench, index, i);
	}
	*ret_ratio = median(values, bench->n_rounds);
	return true;
}
