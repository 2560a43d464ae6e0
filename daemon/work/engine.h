/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_WORK_ENGINE_H
#define RETENTIOND_WORK_ENGINE_H

#include "common/base.h"
#include "common/instant.h"
#include "common/pack.h"

#include "daemon/core/access.h"
#include "daemon/core/clock.h"
#include "daemon/core/pace.h"
#include "daemon/store/signer.h"
#include "daemon/store/store.h"
#include "daemon/work/backups.h"
#include "daemon/work/deadlines.h"
#include "daemon/work/guarding.h"
#include "daemon/work/meters.h"
#include "daemon/work/sweep.h"
#include "daemon/work/timekeeper.h"
#include "daemon/work/tombstones.h"

/*
 * The daemon without its sockets: store, clock and rules, worked in turns. A turn is
 *
 *     engine_begin_turn()        the one reading of the clocks
 *     dispatch_message() …       any number; answers are written, and held back by the caller
 *     engine_work()              a slice of timed work
 *     engine_commit()            one commit for all of it, and for rows that must be settled
 *     (the caller sends the answers)
 *     engine_settle()            a slice of moving rows to their tables, when it is quiet or they
 *                                must be
 *     engine_end_turn()          how long that took
 *     engine_sleep()             how long the caller may wait for the next turn
 *
 * Every int here is 0 or a negative errno, which means the machine failed: the caller ends the
 * process without sending anything, and the next start verifies the store first.
 */

/**
 * struct engine_options - how to open it
 * @store:        where and how large; see there. Its progress is told at engine_close() as well
 * @backup:       where backups go; see there
 * @clock_mode, @simulated_at: which clock, and where a simulated one begins
 * @boot_id:      of this boot, for a real clock
 * @rules:        who may do what; borrowed, may be changed with engine_set_rules()
 * @tombstones:   how long what is left of a removed account is kept; 0 for the default
 */
struct engine_options {
	struct store_options store;
	struct backup_options backup;
	enum clock_mode clock_mode;
	instant_t simulated_at;
	struct clock_boot_id boot_id;
	const struct access_rules *rules;
	span_t tombstones;
};

struct call;
struct request;

/**
 * struct claim_round - once around the line of removals that wait for keepers, for one of them
 * @at:    where the last claim stopped
 * @began: where the round began
 * @from_front: the end has been passed since
 * @open:  the last claim found nothing and has not seen all of it: the next one goes on
 */
struct claim_round {
	struct due_position at;
	struct due_position began;
	bool from_front;
	bool open;
};

/**
 * struct engine - shared by the commands and the sweep; only engine.c makes one
 * @now:     trusted time of this turn
 * @progress: told while it is closed
 * @claims:  where each keeper's claims are; keeper n at [n - 1]
 * @keeper_failing: tasks that each keeper has failed since it confirmed one last, or since the start
 * @keeper_seen_at: when each keeper was heard of last since the start; INSTANT_NONE before
 * @reading: of both clocks, of this turn
 * @busy_boot: the boot clock of the last turn that had something to do
 * @started_at: trusted time of the start
 * @ended_boot: boot clock when this turn ended; while it goes on, when it began
 * @pace:    of the sweep
 * @settling: the pace of settling; a row of it is a step
 * @n_requests_before: requests dispatched when this turn began
 * @n_entries_before: the ledger's head when this turn began
 * @asked_lightly: engine_note_light() in this turn
 * @n_swept: rows that the sweep looked at in this turn
 * @n_settled: steps of the slice that engine_settle() made in this turn; 0 if there is nothing to learn
 * @call, @request, @scratch, @buffer, @profile: room that one call or one row uses at a time, so
 *             that no request allocates
 */
struct engine {
	struct store *store;
	struct progress progress;
	struct signer *signer;
	struct clock clock;
	instant_t now;
	const struct access_rules *rules;
	struct sweep sweep;
	struct deadlines deadlines;
	struct guarding guarding;
	struct backups backups;
	struct tombstones tombstones;
	struct meters meters;
	struct claim_round claims[MODEL_KEEPERS_MAX];
	uint32_t keeper_failing[MODEL_KEEPERS_MAX];
	instant_t keeper_seen_at[MODEL_KEEPERS_MAX];
	struct clock_reading reading;
	span_t busy_boot;
	instant_t started_at;
	span_t ended_boot;
	struct pace pace;
	struct pace settling;
	uint64_t n_requests_before;
	uint64_t n_entries_before;
	bool asked_lightly;
	uint32_t n_swept;
	uint32_t n_settled;
	struct call *call;
	struct request *request;
	struct pack_writer scratch;
	uint8_t buffer[MODEL_PROFILE_BYTES_MAX];
	struct profile profile;
};

/**
 * engine_open() - open the store, replay its tail, start the clock
 *
 * Return: 0; STORE_E_ answers of store_open(); or a negative errno.
 */
must_check int engine_open(const struct engine_options *options,
			   const struct clock_reading *reading, struct engine **ret_engine);

/*
 * Settles every row, so that the next start has nothing to replay. Return: 0 or a negative errno;
 * freed in any case.
 */
int engine_close(struct engine *engine);

void engine_set_rules(struct engine *engine, const struct access_rules *rules);

void engine_begin_turn(struct engine *engine, const struct clock_reading *reading);
must_check int engine_work(struct engine *engine);
must_check int engine_commit(struct engine *engine);
must_check int engine_settle(struct engine *engine);

/*
 * So many more rows wait to be settled than should that whoever brings many at a time, as the sweep does,
 * is to wait. No turn leaves more than twice as many.
 */
bool engine_is_behind(const struct engine *engine);

/* Somebody has asked who takes little at a time: slices of settling make room. Before engine_work(). */
void engine_note_light(struct engine *engine);

/* us that engine_work(), engine_commit(), engine_settle() and the whole turn took. */
struct engine_spans {
	span_t worked;
	span_t committed;
	span_t settled;
	span_t turn;
};

void engine_end_turn(struct engine *engine, const struct engine_spans *spans);

/* us until the next turn is wanted: 0 if there is work now, at most ENGINE_SLEEP_MAX. */
span_t engine_sleep(const struct engine *engine);
#define ENGINE_SLEEP_MAX SPAN_MINUTE

#endif
