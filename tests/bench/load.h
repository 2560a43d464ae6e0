/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_BENCH_LOAD_H
#define RETENTIOND_TESTS_BENCH_LOAD_H

#include "common/base.h"

#include "tests/bench/spread.h"
#include "tests/bench/target.h"

/*
 * Load, closed: each link has so many calls out, and sends the next one when an answer has come.
 * A latency is from the moment a call is handed to its link until its answer has been read and
 * looked at.
 */

#define DEPTH_MAX 128

/**
 * struct stream - calls of one kind, over links of their own
 * @n_links, @depth, @batch: links; calls out on each; accounts in a call
 * @range:    the accounts it works on
 * @from, @to: which places of the range's order. It ends at @to
 * @around:   it does not end there, but begins again; for works that change nothing
 * @seconds:  it sends no more after that; 0 for no such end
 * @warm_seconds: what is answered before that counts as done, but is not measured; no more than a
 *            twentieth of what there is to do
 * @ends_with: it ends when that stream has ended; NULL for no such end
 * @n_done:   set: accounts, beginning at @from, that were worked on
 * @n_calls, @n_items, @ran_seconds, @latencies: set: what was measured
 */
struct stream {
	enum work work;
	uint32_t n_links;
	uint32_t depth;
	uint32_t batch;
	struct range range;
	uint64_t from;
	uint64_t to;
	bool around;
	double seconds;
	double warm_seconds;
	const struct stream *ends_with;

	uint64_t n_done;
	uint64_t n_calls;
	uint64_t n_items;
	double ran_seconds;
	struct spread latencies;

	uint64_t next;
	uint64_t measured_from_ns;
	uint32_t n_out;
	bool ended;
};

/* Runs streams side by side until each has ended and every call is answered. */
void load_run(struct target *target, struct stream *streams, uint32_t n_streams);

#endif
