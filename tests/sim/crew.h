/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_SIM_CREW_H
#define RETENTIOND_TESTS_SIM_CREW_H

#include "tests/sim/history.h"

/*
 * Many histories, in processes beside each other: a violation, or a daemon that falls over, ends
 * its process and no other.
 */

/**
 * struct crew_job - the histories to play
 * @first, @n_seeds: the seeds, one after the other
 * @n_steps: of each; 0: histories of the clock alone
 * @n_processes: at a time
 * @n_failures_max: after so many there is no point in going on
 */
struct crew_job {
	uint64_t first;
	uint64_t n_seeds;
	uint32_t n_steps;
	uint32_t n_processes;
	uint32_t n_failures_max;
};

/* A history that failed. */
struct crew_failure {
	uint64_t seed;
	struct report report;
};

#define CREW_FAILURES_MAX 16

/**
 * struct crew_result
 * @n_histories: played to their end, or to their violation
 * @total: the figures of all of them
 */
struct crew_result {
	uint64_t n_histories;
	uint32_t n_failures;
	struct crew_failure failures[CREW_FAILURES_MAX];
	struct report total;
};

void crew_play(const struct crew_job *job, struct crew_result *ret_result);

/**
 * crew_try() - one history in a process of its own
 * @kept:    steps to play; NULL for all
 *
 * Return: whether it was played to its end; @ret_report says what was violated else.
 */
bool crew_try(const struct plan *plan, const bool *kept, bool telling, struct report *ret_report);

#endif
