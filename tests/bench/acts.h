/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_BENCH_ACTS_H
#define RETENTIOND_TESTS_BENCH_ACTS_H

#include "tests/bench/works.h"

/* What several works are made of. */

#define BULK       1000
#define WARM_SHARE 0.1

/* Below what is settled even under load: so many leaves wait, for a start or a quiet moment. */
#define TAIL_MAX 60000

bool act_is_ours(const struct entrant *entrant);

/* How many accounts are due at once in a sweep; as many in a large store as in a small one. */
uint32_t act_n_due(const struct bench *bench);

void act_take_latencies(const struct spread *latencies, struct figure *figure);

/* The rate and the latencies of what has run, which must be something. */
void act_take_stream(const struct measure *measure, const struct stream *stream,
		     struct figure *ret_figure);

/* What a measure asks for, on these accounts. A stream is large: it holds its spread. */
struct stream act_stream(const struct measure *measure, const struct range *range);
struct stream *act_new_stream(const struct measure *measure, const struct range *range);

/* The places @from to @to of the range, 1000 a call, unmeasured. */
void act_work_through(struct entrant *entrant, enum work work, const struct range *range,
		      uint64_t from, uint64_t to);

/* Those whom a leave left behind, when no restore was asked for. */
void act_bring_back(struct entrant *entrant);

void act_import_range(struct entrant *entrant, const struct range *range);

/* More accounts, all of which leave at once: their windows end together. */
struct range act_import_leavers(struct bench *bench, struct entrant *entrant);

/* @n: how many accounts will be due; one keeper owes each if their removals are to start only. */
void act_prepare_sweep(struct entrant *entrant, enum work work, uint32_t n);

#endif
