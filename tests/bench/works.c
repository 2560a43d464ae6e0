/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/works.h"

#include <signal.h>
#include <stdio.h>

#include "tests/bench/acts.h"
#include "tests/bench/directory.h"
#include "tests/bench/fail.h"
#include "tests/bench/floor.h"
#include "tests/bench/pauses.h"
#include "tests/bench/retentiond.h"
#include "tests/bench/stopwatch.h"

/* For the keepers to erase. */
#define ERASED_SHARE 10

/* A store that is there already tells how long its own import took. */
static void run_import(struct bench *bench, struct entrant *entrant, const struct measure *measure,
		       struct figure *ret_figure)
{
	uint64_t begin = stopwatch_ns();

	(void)bench;
	(void)measure;
	ret_figure->n = entrant->accounts.n;
	ret_figure->seconds = entrant->import_seconds;
	if (entrant->target.store[0] == '\0') {
		act_import_range(entrant, &entrant->accounts);
		ret_figure->seconds = stopwatch_seconds_since(begin);
	}
	ret_figure->value = (double)ret_figure->n / ret_figure->seconds;
}

/* Works that change nothing, and leaving and coming back */

static void run_reads(struct bench *bench, struct entrant *entrant, const struct measure *measure,
		      struct figure *ret_figure)
{
	struct stream *stream = act_new_stream(measure, &entrant->accounts);

	stream->around = true;
	stream->seconds = bench->seconds;
	stream->warm_seconds = WARM_SHARE * bench->seconds;
	load_run(&entrant->target, stream, 1);
	act_take_stream(measure, stream, ret_figure);
	free(stream);
}

static void run_leave(struct bench *bench, struct entrant *entrant, const struct measure *measure,
		      struct figure *ret_figure)
{
	struct stream *stream = act_new_stream(measure, &entrant->accounts);

	act_bring_back(entrant);
	if (entrant->place + act_n_due(bench) > entrant->accounts.n) {
		entrant->place = 0;
	}
	stream->from = entrant->place;
	stream->to = entrant->place + act_n_due(bench);
	stream->seconds = bench->seconds;
	stream->warm_seconds = WARM_SHARE * bench->seconds;
	load_run(&entrant->target, stream, 1);
	act_take_stream(measure, stream, ret_figure);
	entrant->left_from = stream->from;
	entrant->left_to = entrant->place = stream->from + stream->n_done;
	free(stream);
}

/* Whoever has left comes back. */
static void run_restore(struct bench *bench, struct entrant *entrant, const struct measure *measure,
			struct figure *ret_figure)
{
	struct stream *stream = act_new_stream(measure, &entrant->accounts);

	(void)bench;
	stream->from = entrant->left_from;
	stream->to = entrant->left_to;
	load_run(&entrant->target, stream, 1);
	act_take_stream(measure, stream, ret_figure);
	entrant->left_from = entrant->left_to;
	free(stream);
}

/* Sweeps */

static void run_sweep(struct bench *bench, struct entrant *entrant, const struct measure *measure,
		      struct figure *ret_figure)
{
	struct range leavers = act_import_leavers(bench, entrant);
	struct stream *stream = act_new_stream(measure, &leavers);

	act_prepare_sweep(entrant, measure->work, leavers.n);
	load_run(&entrant->target, stream, 1);
	if (stream->n_done != leavers.n) {
		fail("%s: %llu of %u accounts were swept", measure->key,
		     (unsigned long long)stream->n_done, leavers.n);
	}
	act_take_stream(measure, stream, ret_figure);
	free(stream);
}

/* Single leaves go on while a sweep removes others for good. */
static void run_leave_while_sweeping(struct bench *bench, struct entrant *entrant,
				     const struct measure *measure, struct figure *ret_figure)
{
	const struct measure sweep = {.work = WORK_SWEEP_REMOVE, .n_links = 1, .depth = 1};
	struct range leavers = act_import_leavers(bench, entrant);
	struct stream *streams = must_alloc(2 * sizeof(*streams));

	streams[0] = act_stream(&sweep, &leavers);
	streams[1] = act_stream(measure, &entrant->accounts);
	streams[1].from = entrant->accounts.n / ERASED_SHARE;
	streams[1].ends_with = &streams[0];
	act_prepare_sweep(entrant, WORK_SWEEP_REMOVE, leavers.n);
	load_run(&entrant->target, streams, 2);
	act_take_stream(measure, &streams[1], ret_figure);
	act_work_through(entrant, WORK_RESTORE, &entrant->accounts, streams[1].from,
			 streams[1].from + streams[1].n_done);
	free(streams);
}

/* Four keepers owe the same removals; each claims and confirms over a connection of its own. */
static void run_erase(struct bench *bench, struct entrant *entrant, const struct measure *measure,
		      struct figure *ret_figure)
{
	const struct measure sweep = {.work = WORK_SWEEP_START, .n_links = 1, .depth = 1};
	uint32_t n = bench->n_accounts / ERASED_SHARE;
	struct stream *stream = act_new_stream(&sweep, &entrant->accounts);

	act_bring_back(entrant);
	act_work_through(entrant, WORK_LEAVE, &entrant->accounts, 0, n);
	act_prepare_sweep(entrant, WORK_SWEEP_START, n);
	retentiond_set_keepers(&entrant->target, RETENTIOND_KEEPERS);
	load_run(&entrant->target, stream, 1);
	entrant->target.class->quiesce(&entrant->target);
	*stream = act_stream(measure, &entrant->accounts);
	load_run(&entrant->target, stream, 1);
	if (stream->n_done != (uint64_t)n * RETENTIOND_KEEPERS) {
		fail("%s: %llu tasks were confirmed", measure->key,
		     (unsigned long long)stream->n_done);
	}
	act_take_stream(measure, stream, ret_figure);
	free(stream);
}

/* Starts */

static void run_start_clean(struct bench *bench, struct entrant *entrant,
			    const struct measure *measure, struct figure *ret_figure)
{
	(void)bench;
	(void)measure;
	ret_figure->value = retentiond_restart(&entrant->target, SIGTERM);
}

static void run_start_killed(struct bench *bench, struct entrant *entrant,
			     const struct measure *measure, struct figure *ret_figure)
{
	(void)bench;
	(void)measure;
	ret_figure->value = retentiond_restart(&entrant->target, SIGKILL);
}

static void run_start_tail(struct bench *bench, struct entrant *entrant,
			   const struct measure *measure, struct figure *ret_figure)
{
	uint32_t n = MIN(TAIL_MAX, act_n_due(bench));

	(void)measure;
	act_bring_back(entrant);
	act_work_through(entrant, WORK_LEAVE, &entrant->accounts, 0, n);
	ret_figure->n = retentiond_unsettled(&entrant->target);
	ret_figure->value = retentiond_restart(&entrant->target, SIGKILL);
	act_work_through(entrant, WORK_RESTORE, &entrant->accounts, 0, n);
}

/* The floor, and what is taken */

static void run_floor(struct bench *bench, struct entrant *entrant, struct figure *ret_figure,
		      double (*measure_floor)(const char *, double, struct spread *))
{
	struct spread *latencies = must_alloc(sizeof(*latencies));
	char directory[320];

	(void)entrant;
	(void)snprintf(directory, sizeof(directory), "%s/floor", bench->directory);
	ret_figure->seconds = measure_floor(directory, bench->seconds, latencies);
	ret_figure->n = latencies->n;
	ret_figure->value = (double)latencies->n / ret_figure->seconds;
	act_take_latencies(latencies, ret_figure);
	free(latencies);
}

static void run_floor_sync(struct bench *bench, struct entrant *entrant,
			   const struct measure *measure, struct figure *ret_figure)
{
	(void)measure;
	run_floor(bench, entrant, ret_figure, floor_sync_block);
}

static void run_floor_commit(struct bench *bench, struct entrant *entrant,
			     const struct measure *measure, struct figure *ret_figure)
{
	(void)measure;
	run_floor(bench, entrant, ret_figure, floor_commit_entry);
}

static void run_disk(struct bench *bench, struct entrant *entrant, const struct measure *measure,
		     struct figure *ret_figure)
{
	(void)bench;
	(void)measure;
	ret_figure->n = entrant->accounts.n;
	ret_figure->value =
		(double)directory_bytes(entrant->target.directory) / entrant->accounts.n;
}

static void run_memory(struct bench *bench, struct entrant *entrant, const struct measure *measure,
		       struct figure *ret_figure)
{
	(void)bench;
	(void)measure;
	ret_figure->value = (double)entrant->private_bytes / (1 << 20);
}

/* clang-format off */
const struct measure measures[] = {
	{"floor-sync",    "floor: sync of a 4 KiB block",       UNIT_CALLS,     WHOSE_MACHINE, IN_BOTH,  run_floor_sync,           0, 0, 0, 0},
	{"floor-commit",  "floor: LMDB commit of an entry",     UNIT_CALLS,     WHOSE_MACHINE, IN_SPEED, run_floor_commit,         0, 0, 0, 0},
	{"import",        "import, 1000 a call",                UNIT_ACCOUNTS,  WHOSE_ALL,     IN_BOTH,  run_import,               WORK_IMPORT, 1, 2, BULK},
	{"disk",          "on disk after the import",           UNIT_BYTES,     WHOSE_ALL,     IN_BOTH,  run_disk,                 0, 0, 0, 0},
	{"empty-1",       "empty request, 1 connection",        UNIT_CALLS,     WHOSE_ALL,     IN_BOTH,  run_reads,                WORK_EMPTY, 1, 1, 1},
	{"empty-32",      "empty request, 32 connections",      UNIT_CALLS,     WHOSE_ALL,     IN_SPEED, run_reads,                WORK_EMPTY, 32, 1, 1},
	{"get-1",         "get by id, 1 connection",            UNIT_ACCOUNTS,  WHOSE_ALL,     IN_BOTH,  run_reads,                WORK_GET, 1, 1, 1},
	{"get-32",        "get by id, 32 connections",          UNIT_ACCOUNTS,  WHOSE_ALL,     IN_BOTH,  run_reads,                WORK_GET, 32, 1, 1},
	{"organizations", "organizations of a person",          UNIT_CALLS,     WHOSE_ALL,     IN_BOTH,  run_reads,                WORK_ORGANIZATIONS, 1, 1, 1},
	{"list",          "list a page of 100",                 UNIT_CALLS,     WHOSE_ALL,     IN_BOTH,  run_reads,                WORK_LIST, 1, 1, 1},
	{"leave-1",       "leave, 1 connection",                UNIT_ACCOUNTS,  WHOSE_ALL,     IN_BOTH,  run_leave,                WORK_LEAVE, 1, 1, 1},
	{"restore-1",     "restore, 1 connection",              UNIT_ACCOUNTS,  WHOSE_ALL,     IN_BOTH,  run_restore,              WORK_RESTORE, 1, 1, 1},
	{"leave-32",      "leave, 32 connections",              UNIT_ACCOUNTS,  WHOSE_ALL,     IN_BOTH,  run_leave,                WORK_LEAVE, 32, 1, 1},
	{"restore-32",    "restore, 32 connections",            UNIT_ACCOUNTS,  WHOSE_ALL,     IN_BOTH,  run_restore,              WORK_RESTORE, 32, 1, 1},
	{"leave-bulk",    "leave, 1000 a call",                 UNIT_ACCOUNTS,  WHOSE_ALL,     IN_BOTH,  run_leave,                WORK_LEAVE, 1, 1, BULK},
	{"restore-bulk",  "restore, 1000 a call",               UNIT_ACCOUNTS,  WHOSE_ALL,     IN_BOTH,  run_restore,              WORK_RESTORE, 1, 1, BULK},
	{"start-clean",   "start after a clean stop",           UNIT_SECONDS,   WHOSE_OURS,    IN_BOTH,  run_start_clean,          0, 0, 0, 0},
	{"start-killed",  "start after kill -9",                UNIT_SECONDS,   WHOSE_OURS,    IN_BOTH,  run_start_killed,         0, 0, 0, 0},
	{"start-tail",    "start with a tail to replay",        UNIT_SECONDS,   WHOSE_OURS,    IN_BOTH,  run_start_tail,           0, 0, 0, 0},
	{"erase",         "claim and confirm by 4 keepers",     UNIT_ACCOUNTS,  WHOSE_OURS,    IN_SPEED, run_erase,                WORK_ERASE, RETENTIOND_KEEPERS, 1, 1},
	{"sweep-remove",  "sweep, no keeper: removed for good", UNIT_ACCOUNTS,  WHOSE_ALL,     IN_SPEED, run_sweep,                WORK_SWEEP_REMOVE, 1, 1, 1},
	{"leave-sweep",   "leave during a sweep, 1 connection", UNIT_ACCOUNTS,  WHOSE_OURS,    IN_SPEED, run_leave_while_sweeping, WORK_LEAVE, 1, 1, 1},
	{"sweep-start",   "sweep, one keeper: removals start",  UNIT_ACCOUNTS,  WHOSE_ALL,     IN_SPEED, run_sweep,                WORK_SWEEP_START, 1, 1, 1},
	{"pause-idle",    "longest pause: nothing to do",       UNIT_MS,        WHOSE_OURS,    IN_SCALE, pause_idle,               WORK_EMPTY, 1, 1, 1},
	{"pause-settle",  "longest pause: settling",            UNIT_MS,        WHOSE_OURS,    IN_SCALE, pause_settle,             WORK_EMPTY, 1, 1, 1},
	{"pause-sweep",   "longest pause: a sweep",             UNIT_MS,        WHOSE_OURS,    IN_SCALE, pause_sweep,              WORK_EMPTY, 1, 1, 1},
	{"pause-backup",  "longest pause: a backup",            UNIT_MS,        WHOSE_OURS,    IN_SCALE, pause_backup,             WORK_EMPTY, 1, 1, 1},
	{"memory",        "private memory of the daemon",       UNIT_MEGABYTES, WHOSE_OURS,    IN_BOTH,  run_memory,               0, 0, 0, 0},
};
/* clang-format on */

const uint32_t n_measures = ARRAY_LEN(measures);

static_assert(ARRAY_LEN(measures) <= BENCH_WORKS_MAX, "figures have room for all");

const char *unit_name(enum unit unit)
{
	switch (unit) {
	case UNIT_ACCOUNTS:
		return "accounts/s";
	case UNIT_CALLS:
		return "calls/s";
	case UNIT_SECONDS:
		return "s";
	case UNIT_BYTES:
		return "B/account";
	case UNIT_MEGABYTES:
		return "MiB";
	case UNIT_MS:
		return "ms";
	}
	abort();
}

bool unit_is_rate(enum unit unit)
{
	return unit == UNIT_ACCOUNTS || unit == UNIT_CALLS;
}

const char *measure_system(const struct measure *measure, const struct entrant *entrant)
{
	return measure->whose == WHOSE_MACHINE ? "machine" : entrant->name;
}

static uint32_t find_measure(struct slice key)
{
	uint32_t i = 0;

	while (i < n_measures && !slice_is(key, measures[i].key)) {
		i++;
	}
	return i;
}

uint32_t measure_index(const char *key)
{
	uint32_t index = find_measure(slice_of(key));

	assert(index < n_measures);
	return index;
}

bool measure_exists(struct slice key, enum kind kind)
{
	uint32_t index = find_measure(key);

	return index < n_measures && (measures[index].kinds & kind);
}
