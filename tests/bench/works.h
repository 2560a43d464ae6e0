/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_BENCH_WORKS_H
#define RETENTIOND_TESTS_BENCH_WORKS_H

#include "tests/bench/bench.h"

/* What is measured, in its order: a table. */

enum unit {
	UNIT_ACCOUNTS, /* accounts a second */
	UNIT_CALLS,    /* calls a second */
	UNIT_SECONDS,
	UNIT_BYTES, /* for each account */
	UNIT_MEGABYTES,
	UNIT_MS,
};

enum whose {
	WHOSE_ALL,     /* every system does it */
	WHOSE_OURS,    /* only retentiond does */
	WHOSE_MACHINE, /* no system does: the floor under all of them */
};

/* Which kinds of runs a row belongs to. */
enum {
	IN_SPEED = KIND_SPEED,
	IN_SCALE = KIND_SCALE,
	IN_BOTH = KIND_SPEED | KIND_SCALE,
};

/**
 * struct measure - one row
 * @key:   its name in JSON and for --only
 * @title: for people
 * @kinds: IN_…
 * @run:   does it, and what has to be there before
 * @work, @n_links, @depth, @batch: what it asks for; see struct stream
 */
struct measure {
	const char *key;
	const char *title;
	enum unit unit;
	enum whose whose;
	unsigned int kinds;
	void (*run)(struct bench *bench, struct entrant *entrant, const struct measure *measure,
		    struct figure *ret_figure);
	enum work work;
	uint32_t n_links;
	uint32_t depth;
	uint32_t batch;
};

extern const struct measure measures[];
extern const uint32_t n_measures;

const char *unit_name(enum unit unit); /* "accounts/s" */
bool unit_is_rate(enum unit unit);     /* more is better */

/* Who is told to have done it: the system, or "machine". */
const char *measure_system(const struct measure *measure, const struct entrant *entrant);

uint32_t measure_index(const char *key); /* which must be there */
bool measure_exists(struct slice key, enum kind kind);

#endif
