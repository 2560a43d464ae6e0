/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/work/engine.h"

#include <errno.h>
#include <stdio.h>

#include "common/rpc.h"

#include "daemon/work/call.h"
#include "daemon/work/log.h"
#include "daemon/work/request.h"

/* A frame packed anew: the header of a short map or array has three bytes then, not one. */
#define SCRATCH_BYTES_MAX (3 * RPC_FRAME_LARGE_MAX)

#define ANSWERS_DROPPED_MAX 256                /* kept answers forgotten in one turn */
#define SETTLE_QUIET        SPAN_SECOND        /* without a change: rows may be settled now */
#define SETTLE_EVERY        (SPAN_SECOND / 40) /* a slice, while somebody asks: a tenth of the time */

/*
 * Steps that are settled with a turn, or at once when too many are due. Few while somebody asks for
 * little: some ms with their commit. Whoever is alone waits for nobody, and shares as few syncs as can be.
 */
#define SETTLE_AT_ONCE       16384
#define SETTLE_AT_ONCE_ASKED 1024

/* Nobody waits who takes little at a time, if none has asked for so long. */
#define ALONE_AFTER (SPAN_SECOND / 10)

static void engine_tell_restored(const struct store_restored *restored)
{
	if (!restored->any) {
		return;
	}
	log_say(LOG_LEVEL_WARNING,
		"the store is older than the removal register, as after a restore or a kill: %llu removals "
		"were started again and %llu completed; of %llu more the store knows no account",
		(unsigned long long)restored->n_started, (unsigned long long)restored->n_completed,
		(unsigned long long)restored->n_unknown);
}

/* Whoever checks receipts must hear of a new key; beside an old store it is a loss. */
static void engine_tell_key(const struct engine *engine)
{
	const uint8_t *key = signer_public_key(engine->signer);
	char text[2 * SIGNER_PUBLIC_LEN + 1];

	if (!signer_is_new(engine->signer)) {
		return;
	}
	for (size_t i = 0; i < SIGNER_PUBLIC_LEN; i++) {
		(void)snprintf(text + 2 * i, 3, "%02x", key[i]);
	}
	log_say(store_head(engine->store)->seq > 1 ? LOG_LEVEL_WARNING : LOG_LEVEL_NOTICE,
		"a new key to sign receipts was made, since there was none; its public key is %s",
		text);
}

static void engine_tell_memory(const struct engine *engine)
{
	if (!store_keys_locked(engine->store)) {
		log_say(LOG_LEVEL_NOTICE,
			"the keys cannot be locked into memory, and may be swapped out: allow it "
			"with LimitMEMLOCK=1M, or encrypt the swap");
	}
}

static int engine_open_all(struct engine *engine, const struct engine_options *options,
			   const struct clock_reading *reading)
{
	instant_t at =
		options->clock_mode == CLOCK_MODE_SIMULATED ? options->simulated_at : reading->wall;
	int r;

	engine->call = calloc(1, sizeof(*engine->call));
	engine->request = calloc(1, sizeof(*engine->request));
	if (!engine->call || !engine->request) {
		return -ENOMEM;
	}
	r = store_open(&options->store, at, &engine->store);
	if (r == 0) {
		r = signer_open(options->store.directory, &engine->signer);
	}
	if (r == 0) {
		r = backup_new(engine->store, &options->backup, &engine->backups.backup);
	}
	if (r != 0) {
		return r;
	}
	engine_tell_restored(store_restored(engine->store));
	engine_tell_key(engine);
	engine_tell_memory(engine);
	guarding_init(&engine->guarding);
	sweep_init(&engine->sweep, store_sweep_paused(engine->store));
	engine->rules = options->rules;
	engine->tombstones.span =
		options->tombstones > 0 ? options->tombstones : TOMBSTONES_SPAN_DEFAULT;
	for (size_t i = 0; i < MODEL_KEEPERS_MAX; i++) {
		engine->keeper_seen_at[i] = INSTANT_NONE;
	}
	engine->deadlines.looked_at = INSTANT_NONE;
	r = timekeeper_start(engine, options, reading);
	engine->started_at = engine->now;
	return r < 0 ? r : store_commit(engine->store);
}

static struct engine *engine_free(struct engine *engine)
{
	(void)signer_close(engine->signer);
	(void)backup_free(engine->backups.backup);
	(void)store_close(engine->store);
	guarding_done(&engine->guarding);
	pack_writer_done(&engine->scratch);
	free(engine->call);
	free(engine->request);
	free(engine);
	return NULL;
}

int engine_open(const struct engine_options *options, const struct clock_reading *reading,
		struct engine **ret_engine)
{
	struct engine *engine = calloc(1, sizeof(*engine));
	int r;

	if (!engine) {
		return -ENOMEM;
	}
	pack_writer_init(&engine->scratch, SCRATCH_BYTES_MAX);
	engine->progress = options->store.progress;
	pace_init(&engine->pace, PACE_SHORT);
	pace_init(&engine->settling, PACE_SYNCS);
	r = engine_open_all(engine, options, reading);
	if (r != 0) {
		(void)engine_free(engine);
		return r;
	}
	*ret_engine = engine;
	return 0;
}

static int settle_slice(struct store *store, uint32_t n_steps_max)
{
	int r = store_settle(store, n_steps_max);

	return r < 0 ? r : store_commit(store);
}

int engine_close(struct engine *engine)
{
	uint64_t n_all = store_unsettled_entries(engine->store), n_left = n_all;
	int r = timekeeper_stop(engine);

	if (r == 0) {
		r = store_commit(engine->store);
	}
	while (r == 0 && n_left > 0) {
		progress_tell(&engine->progress, "settling the store", "entries", n_all - n_left,
			      n_all);
		r = settle_slice(engine->store, STORE_SETTLE_SLICE);
		n_left = store_unsettled_entries(engine->store);
	}
	(void)engine_free(engine);
	return r;
}

void engine_set_rules(struct engine *engine, const struct access_rules *rules)
{
	engine->rules = rules;
}

void engine_begin_turn(struct engine *engine, const struct clock_reading *reading)
{
	timekeeper_turn(engine, reading);
	engine->ended_boot = reading->boot;
	engine->n_requests_before = engine->meters.n_requests;
	engine->n_entries_before = store_head(engine->store)->seq;
	engine->asked_lightly = false;
	engine->n_swept = 0;
	engine->n_settled = 0;
}

bool engine_is_behind(const struct engine *engine)
{
	return store_steps_due(engine->store) > STORE_STEPS_LATE;
}

void engine_note_light(struct engine *engine)
{
	engine->asked_lightly = true;
	pace_note_request(&engine->settling, engine->reading.boot);
}

static bool engine_was_asked(const struct engine *engine)
{
	return engine->meters.n_requests != engine->n_requests_before;
}

/* Whether the sweep has something to do, and may now: not while it would make more wait. */
static bool engine_may_sweep(struct engine *engine)
{
	if (engine_was_asked(engine)) {
		pace_note_request(&engine->pace, engine->reading.boot);
	}
	return sweep_is_wanted(&engine->sweep, engine->now) && !engine_is_behind(engine) &&
	       pace_wait(&engine->pace, engine->reading.boot) == 0;
}

/* Work for the clock: what is due, and answers kept long enough. A damaged row stops neither. */
int engine_work(struct engine *engine)
{
	struct sweep_result done;
	int r = timekeeper_work(engine);

	if (r == 0 && engine_may_sweep(engine)) {
		r = sweep_slice(engine, &done);
	}
	if (r == 0) {
		r = guarding_work(engine);
	}
	if (r == 0) {
		r = store_drop_answers(engine->store, engine->now, ANSWERS_DROPPED_MAX);
	}
	if (r >= 0) {
		r = deadlines_tell(engine);
	}
	if (r >= 0) {
		r = backups_work(engine);
	}
	if (r >= 0) {
		r = tombstones_work(engine);
	}
	return MIN(r, 0);
}

static bool engine_is_alone(const struct engine *engine)
{
	return engine->reading.boot - engine->settling.asked_at >= ALONE_AFTER;
}

/*
 * Under load rows are settled only when many wait, and then at the pace at which others come: memory
 * is bounded. It is part of the turn's commit: one of its own would cost syncs. A turn that brings more
 * than its commit can take leaves some for later ones, but never without end.
 */
static int settle_with_turn(struct engine *engine)
{
	struct store *store = engine->store;
	uint64_t n_brought = store_head(store)->seq - engine->n_entries_before;
	uint32_t n_max = engine_is_alone(engine) ? SETTLE_AT_ONCE : SETTLE_AT_ONCE_ASKED;
	uint64_t n_steps = MIN(n_brought * STORE_SETTLE_ENTRY, n_max);
	int r = 0;

	for (; r == 0 && n_steps > 0 && store_steps_due(store) > 0; n_steps -= n_max) {
		n_max = (uint32_t)MIN(n_steps, STORE_SETTLE_ENTRY);
		r = store_settle(store, n_max);
	}
	while (r == 0 && store_steps_due(store) > 2 * STORE_STEPS_LATE) {
		r = store_settle(store, STORE_SETTLE_SLICE);
	}
	return r;
}

int engine_commit(struct engine *engine)
{
	int r;

	if (store_dirty(engine->store)) {
		engine->busy_boot = engine->reading.boot;
		engine->sweep.changed = true;
		++engine->meters.n_commits;
	}
	r = settle_with_turn(engine);
	if (r == 0) {
		r = store_commit(engine->store);
	}
	return r < 0 ? r : backup_go(engine->backups.backup);
}

/*
 * How long nothing must have changed still, until a quiet moment has come; 0 when it has. A round
 * that is begun in every short pause of an import is one of few rows, and writes a page for each.
 */
static span_t engine_until_quiet(const struct engine *engine)
{
	span_t quiet = store_is_settling(engine->store) ? SETTLE_EVERY : SETTLE_QUIET;

	return MAX(engine->busy_boot + quiet - engine->reading.boot, 0);
}

/* us until a slice may be settled; 0 if it may now. What is due waits for those who ask for little. */
static span_t engine_until_settling(const struct engine *engine, span_t boot)
{
	return engine_is_behind(engine) ? pace_wait(&engine->settling, boot)
					: engine_until_quiet(engine);
}

static uint32_t slice_steps(const struct engine *engine)
{
	if (!engine_is_alone(engine)) {
		return pace_rows(&engine->settling, engine->reading.boot);
	}
	return engine_is_behind(engine) ? SETTLE_AT_ONCE : STORE_SETTLE_SLICE;
}

/*
 * In a quiet moment all rows, so that a start has little to replay; while somebody asks, a slice
 * now and then, so that nobody waits for the disk in every answer.
 */
int engine_settle(struct engine *engine)
{
	struct store *store = engine->store;
	uint32_t n_steps;
	int r;

	if (store_unsettled_entries(store) == 0 ||
	    engine_until_settling(engine, engine->reading.boot) > 0) {
		return 0;
	}
	n_steps = slice_steps(engine);
	r = settle_slice(store, n_steps);
	if (store_is_settling(store)) {
		engine->n_settled = n_steps; /* the last slice of a round may be of less */
	}
	if (engine_was_asked(engine)) {
		engine->busy_boot = engine->reading.boot;
	}
	return r;
}

void engine_end_turn(struct engine *engine, const struct engine_spans *spans)
{
	engine->ended_boot = engine->reading.boot + spans->turn;
	if (engine_was_asked(engine)) {
		pace_note_request(&engine->pace, engine->ended_boot);
	}
	if (engine->asked_lightly) {
		pace_note_request(&engine->settling, engine->ended_boot);
	}
	if (engine->n_swept > 0) {
		pace_note_slice(&engine->pace, engine->n_swept, spans->worked, spans->committed,
				engine->ended_boot);
	}
	if (engine->n_settled > 0) {
		pace_note_slice(&engine->settling, engine->n_settled, spans->settled, 0,
				engine->ended_boot);
	}
	if (!engine->sweep.busy) {
		pace_note_end(&engine->pace);
	}
}

span_t engine_sleep(const struct engine *engine)
{
	span_t sleep = ENGINE_SLEEP_MAX;

	if (guarding_is_busy(engine)) {
		return 0;
	}
	if (engine_is_behind(engine)) {
		return engine_until_settling(engine, engine->ended_boot);
	}
	if (sweep_is_wanted(&engine->sweep, engine->now)) {
		return pace_wait(&engine->pace, engine->ended_boot);
	}
	if (store_unsettled_entries(engine->store) > 0) {
		sleep = engine_until_settling(engine, engine->ended_boot);
	}
	if (backups_running(engine)) {
		sleep = MIN(sleep, BACKUPS_LOOK_EVERY);
	}
	if (!sweep_is_stopped(&engine->sweep) && engine->clock.mode == CLOCK_MODE_REAL) {
		sleep = MIN(sleep, MAX(sweep_wanted_at(&engine->sweep) - engine->now, 0));
	}
	return sleep;
}
