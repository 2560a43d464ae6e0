/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_BENCH_RETENTIOND_LINK_H
#define RETENTIOND_TESTS_BENCH_RETENTIOND_LINK_H

#include "common/rpc.h"

#include "tests/bench/target.h"

/* A connection to the daemon, and how each work is asked for. */

/**
 * struct sweep_goal - when a sweep is over; shared by a target's links
 * @by_us:  what the clock is moved on by when it begins; 0 once that has been asked for
 * @key:    of sweep.status: "started" or "completed"
 * @begin:  what was counted before it
 * @n_due:  and how many are to be counted
 * @seq:    the ledger's number when all can be done, if nothing but the sweep were entered;
 *          what others enter meanwhile is added
 * @first_seq, @began_ns: the ledger's number and the stopwatch when it began
 *
 * The ledger's number is asked for until it is high enough, and only then how many there are: each
 * time when half of what is left should be done, so that nobody disturbs the sweep by asking.
 */
struct sweep_goal {
	int64_t by_us;
	const char *key;
	uint64_t begin;
	uint64_t n_due;
	uint64_t seq;
	uint64_t first_seq;
	uint64_t began_ns;
	bool near;
};

/* @goal: shared by the target's links. Return: NULL while nobody listens there. */
struct link *retentiond_connect(const char *path, struct sweep_goal *goal);
void retentiond_close_link(struct link *link);
int retentiond_link_fd(const struct link *link);

void retentiond_send(struct link *link, const struct call *call);
bool retentiond_flush(struct link *link);
void retentiond_fill(struct link *link);
bool retentiond_receive(struct link *link, struct answer *ret_answer);

/*
 * One request and its answer, apart from any load: begin, write the arguments into the map that is
 * open, end. @ret_message is valid until the link is used again.
 */
struct pack_writer *retentiond_ask(struct link *link, const char *method);
void retentiond_hear(struct link *link, struct rpc_message *ret_message);

/* A number in the answer; path "ledger.unsettled". */
uint64_t retentiond_number(const struct rpc_message *message, const char *path);

#endif
