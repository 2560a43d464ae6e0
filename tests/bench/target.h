/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_BENCH_TARGET_H
#define RETENTIOND_TESTS_BENCH_TARGET_H

#include "common/base.h"

#include "tests/bench/sample.h"

/*
 * A system that is measured: how to start it, and how to ask it for work. Its links are
 * connections that never block, so that one thread drives them all. Whatever a system answers is
 * looked at: what was not done ends the program.
 */

#define CALL_ACCOUNTS_MAX 1000
#define LINKS_MAX         64

enum work {
	WORK_EMPTY, /* a request that does nothing */
	WORK_IMPORT,
	WORK_GET,
	WORK_ORGANIZATIONS, /* of a person */
	WORK_LIST,          /* a page of 100, each going on where the one before ended */
	WORK_LEAVE,
	WORK_RESTORE,
	WORK_SWEEP_START,  /* removals of what is due start, one keeper owes each of them */
	WORK_SWEEP_REMOVE, /* nobody owes anything: what is due is removed for good */
	WORK_ERASE,        /* a keeper claims tasks and confirms them */
	WORK_BACKUP,       /* one backup, asked for until it is there */
	_WORK_MAX
};

/**
 * struct call - one request
 * @keeper: WORK_ERASE: its number from 1 on
 * @n, @accounts: the accounts it is about; none for EMPTY, LIST, SWEEP, ERASE and BACKUP
 */
struct call {
	enum work work;
	uint32_t keeper;
	uint32_t n;
	uint32_t accounts[CALL_ACCOUNTS_MAX];
};

/**
 * struct answer - what a call came to
 * @n_done: accounts that were changed or told
 * @last:   there is no more of this work (SWEEP, ERASE, BACKUP)
 * @wait_ms: the link sends its next call only then: whoever asks all the time how far a sweep is
 *          measures a sweep that somebody always disturbs
 */
struct answer {
	uint32_t n_done;
	bool last;
	uint32_t wait_ms;
};

struct target;
struct link;

/**
 * struct target_class - what a system must be able to do
 * @name: "retentiond"
 * @depth_max: calls that one link takes before the first is answered
 * @start:   from nothing or a copy of @store, with the organizations in it; ready for links when it
 *           returns
 * @stop:    for good; what it stored is removed by the caller
 * @quiesce: does now what it would do later (checkpoint, settling), so that the system measured
 *           next does not pay for it
 * @prepare_sweep: says how many accounts the next WORK_SWEEP finds due; NULL if it need not know
 * @import:  loads accounts in the system's own way; NULL when it is WORK_IMPORT over a link
 * @open_link, @close_link: a connection
 * @link_fd:  for poll()
 * @send:     takes a call; may keep some of its bytes back
 * @flush:    sends what was kept back. Return: whether all is sent
 * @fill:     reads what has come
 * @receive:  takes the next whole answer off what was read. Return: whether there was one
 */
struct target_class {
	const char *name;
	uint32_t depth_max;
	void (*start)(struct target *target);
	void (*stop)(struct target *target);
	void (*quiesce)(struct target *target);
	void (*prepare_sweep)(struct target *target, enum work work, uint32_t n_due);
	void (*import)(struct target *target, const struct range *range);
	struct link *(*open_link)(struct target *target);
	void (*close_link)(struct link *link);
	int (*link_fd)(const struct link *link);
	void (*send)(struct link *link, const struct call *call);
	bool (*flush)(struct link *link);
	void (*fill)(struct link *link);
	bool (*receive)(struct link *link, struct answer *ret_answer);
};

/**
 * struct target
 * @directory: where it stores, on the file system that is measured; absolute, made by start()
 * @sockets:   for its socket, so its name is short; made by start() as well
 * @store:     the @directory of a stopped one, to begin with a copy of what it stored; empty to
 *             begin with nothing
 * @version:   set by start()
 * @state:     the class's own
 */
struct target {
	const struct target_class *class;
	char directory[256];
	char sockets[64];
	char store[256];
	char version[64];
	void *state;
};

#endif
