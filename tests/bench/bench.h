/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_BENCH_BENCH_H
#define RETENTIOND_TESTS_BENCH_BENCH_H

#include "tests/bench/load.h"
#include "tests/bench/machine.h"
#include "tests/bench/target.h"

/*
 * The whole run: rounds of works, each done by every system in turn. All of them stand ready with
 * the same accounts while one works, and who begins moves on with each round.
 */

#define BENCH_ROUNDS_MAX   9
#define BENCH_ENTRANTS_MAX 3
#define BENCH_WORKS_MAX    32

/* What a run is about; a bit each. */
enum kind {
	KIND_SPEED = 1, /* make bench and bench-peers: systems beside each other */
	KIND_SCALE = 2, /* make bench-scale: a large store beside a small one */
};

/**
 * struct figure - what one work of one system came to in one round
 * @value:  in the work's unit
 * @n:      accounts, calls or entries that it was measured over
 * @seconds: and how long that took
 * @p50_ns, @p99_ns, @p999_ns, @max_ns: of its calls; 0 if it has none
 */
struct figure {
	double value;
	uint64_t n;
	double seconds;
	uint64_t p50_ns;
	uint64_t p99_ns;
	uint64_t p999_ns;
	uint64_t max_ns;
};

/**
 * struct entrant - a system in the run, and what its store holds
 * @name:     the system's, or which of the stores
 * @accounts: those that each round begins with
 * @import_seconds: how long these took, if each round begins with a copy of them
 * @n_imported: with those that came later
 * @place:    where in @accounts the next leaves begin
 * @left_from, @left_to: places of those that have left and are to be restored
 * @private_bytes: the most memory of its own that was seen behind a work of this round
 * @figures:  by work and round; @measured tells which there are
 */
struct entrant {
	const char *name;
	struct target target;
	struct range accounts;
	double import_seconds;
	uint32_t n_imported;
	uint64_t place;
	uint64_t left_from;
	uint64_t left_to;
	uint64_t private_bytes;
	struct figure figures[BENCH_WORKS_MAX][BENCH_ROUNDS_MAX];
	bool measured[BENCH_WORKS_MAX];
};

/**
 * struct bench
 * @n_accounts, @n_rounds: how much; in the smaller store if there are two
 * @seconds:   how long a work goes on that has no end of its own
 * @home:      what is kept between runs, in here
 * @directory: in @home, where the systems store, in directories of their own; made and removed
 * @only:      keys of works, with commas between them; NULL for all
 * @entrants, @n_entrants: the first one is retentiond
 */
struct bench {
	enum kind kind;
	uint32_t n_accounts;
	uint32_t n_rounds;
	double seconds;
	const char *only;
	char home[192];
	char directory[192];
	char sockets[48];
	struct machine machine;
	struct entrant entrants[BENCH_ENTRANTS_MAX];
	uint32_t n_entrants;
};

/* In directories of its own, which are made and removed. */
void bench_start_entrant(const struct bench *bench, struct entrant *entrant);
void bench_stop_entrant(struct entrant *entrant);

/* Measures everything. */
void bench_run(struct bench *bench);

#endif
