/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/work/timekeeper.h"

#include "daemon/core/lifecycle.h"
#include "daemon/work/engine.h"
#include "daemon/work/log.h"

/* What a start finds on record is never older, however the daemon ended. */
#define MARK_EVERY SPAN_HOUR

/* A clock that is set by less than this is one that is kept right. */
#define STEP_LOUD SPAN_MINUTE

/* How far, and "ahead of" or "behind". */
struct difference {
	char span[SPAN_TEXT_MAX];
	const char *way;
};

static struct difference difference_of(span_t by)
{
	struct difference difference = {.way = by < 0 ? "behind" : "ahead of"};

	span_format(by < 0 ? -by : by, difference.span);
	return difference;
}

/* To the second: who compares it with date(1) reads no more. */
static void put_time(instant_t at, char text[static INSTANT_TEXT_MAX])
{
	instant_format(at - at % SPAN_SECOND, true, text);
}

/* What the guard is engaged for, and what to do: at three in the morning nobody looks it up. */
static void tell_doubt(const struct engine *engine)
{
	struct difference off = difference_of(engine->reading.wall - engine->now);
	char wall[INSTANT_TEXT_MAX], now[INSTANT_TEXT_MAX];
	const struct log_field fields[] = {
		{"MESSAGE_ID", LOG_CLOCK_ID},
		{"RETENTIOND_GUARD", "clock"},
	};

	put_time(engine->reading.wall, wall);
	put_time(engine->now, now);
	log_say_fields(
		LOG_LEVEL_CRITICAL, fields, ARRAY_LEN(fields),
		"the clock guard is engaged: the wall clock shows %s, which is %s %s %s, the "
		"last time on record. Time goes on from there, and nothing is removed by time. Look "
		"at date(1): if it is right, retentionctl release-guard clock; if it is wrong, set "
		"it right, and the guard ends by itself",
		wall, off.span, off.way, now);
}

/* Deadlines go by trusted time, and whoever compares them with date(1) must know it. */
static void tell_wall_off(const struct engine *engine)
{
	span_t by = engine->reading.wall - engine->now;
	struct difference off = difference_of(by);

	if (by <= CLOCK_BEHIND_MAX && by >= -CLOCK_BEHIND_MAX) {
		return;
	}
	log_say(LOG_LEVEL_WARNING,
		"the wall clock is %s %s trusted time, by which deadlines go; the next boot "
		"compares them again",
		off.span, off.way);
}

static void tell_move(const struct clock_move *move, const char *why)
{
	char from[INSTANT_TEXT_MAX], to[INSTANT_TEXT_MAX], by[SPAN_TEXT_MAX];

	put_time(move->from, from);
	put_time(move->to, to);
	span_format(move->to - move->from, by);
	log_say(LOG_LEVEL_NOTICE,
		"the clock guard is released: %s. Trusted time was %s and is %s now, %s later", why,
		from, to, by);
}

static void tell_step(const struct engine *engine, span_t step)
{
	struct difference by = difference_of(step);
	char wall[INSTANT_TEXT_MAX], now[INSTANT_TEXT_MAX];

	put_time(engine->reading.wall, wall);
	put_time(engine->now, now);
	log_say(step >= STEP_LOUD || step <= -STEP_LOUD ? LOG_LEVEL_WARNING : LOG_LEVEL_NOTICE,
		"the wall clock was set %s by %s and shows %s; trusted time is %s and goes on as "
		"before%s",
		step < 0 ? "back" : "ahead", by.span, wall, now,
		clock_is_doubted(&engine->clock) ? "" : ": no deadline moves");
}

static int put_mark(struct engine *engine)
{
	struct clock_mark mark;

	clock_make_mark(&engine->clock, &engine->reading, &mark);
	return store_put_clock(engine->store, &mark);
}

/* Whether the guard had an account's deletion, which an entry tells, dated too early. */
static bool is_misdated(const struct account *account, const struct entry *entry,
			const struct clock_move *move)
{
	const struct facts *facts = &account->facts;

	return entry->facts.deleted_at == entry->at && facts->deleted_at == entry->at &&
	       facts->removal_started_at == INSTANT_NONE && facts->removed_at == INSTANT_NONE &&
	       lifecycle_window_ends_at(facts) > move->from;
}

static int redate(struct engine *engine, const struct entry *entry, const struct clock_move *move,
		  uint64_t *n_redated)
{
	const struct actor actor = {.role = ROLE_DAEMON, .at = move->to};
	struct account account;
	int r = store_get_account(engine->store, entry->uid, &account);

	if (r != 0) {
		return MIN(r, 0); /* forgotten, or damaged, which the sweep reports */
	}
	if (!is_misdated(&account, entry, move)) {
		return 0;
	}
	account.facts = lifecycle_redate(&account.facts, move->to - move->from);
	++*n_redated;
	return store_change(engine->store, &account, EVENT_REDATED, &actor);
}

/* The entry that engaged the guard, or one before it should that be damaged. */
static bool is_before_guard(const struct entry *entry, const struct clock_move *move)
{
	return (entry->event == EVENT_GUARD_ENGAGED && entry->org == 0) ||
	       entry->at < move->stamped_since;
}

/*
 * Who was deleted while the guard was engaged has the older time, and would lose of the window what
 * the clock is moved on by now. All in one turn, for in the next one they might be past its end:
 * the entries since the guard was engaged are read, back from the last.
 */
static int redate_all(struct engine *engine, const struct clock_move *move)
{
	uint64_t n_redated = 0;
	struct entry entry;
	int r = 0;

	for (uint64_t seq = store_head(engine->store)->seq; r >= 0 && seq > 0; seq--) {
		r = store_get_entry(engine->store, seq, &entry, NULL);
		if (r == 0 && is_before_guard(&entry, move)) {
			break;
		}
		if (r == 0 && entry.uid != 0 && entry.at <= move->from) {
			r = redate(engine, &entry, move, &n_redated);
		}
	}
	if (n_redated > 0) {
		log_say(LOG_LEVEL_NOTICE,
			"%llu accounts were deleted while the clock guard was engaged: their "
			"windows were moved on with the clock",
			(unsigned long long)n_redated);
	}
	return MIN(r, 0);
}

static int note(struct engine *engine, enum event event, const struct actor *actor, instant_t at)
{
	struct actor then = *actor;

	then.at = at;
	return store_note_event(engine->store, event, &then);
}

/*
 * Both times are in the ledger: each entry has its own. All of it is on disk before anything is done
 * by the new time: a removal reaches the register before its turn is committed, and a start that
 * found the time there, and not the release, would redate nobody.
 */
static int record_release(struct engine *engine, const struct actor *actor,
			  const struct clock_move *move)
{
	int r = note(engine, EVENT_GUARD_RELEASED, actor, move->from);

	if (r == 0 && move->to > move->from) {
		r = note(engine, EVENT_CLOCK_SET, actor, move->to);
	}
	if (r == 0 && move->to > move->from) {
		r = redate_all(engine, move);
	}
	if (r == 0) {
		r = put_mark(engine);
	}
	return r == 0 ? store_commit(engine->store) : r;
}

/* After each change of the clock: what hangs on it. */
static void take_clock(struct engine *engine)
{
	engine->now = clock_now(&engine->clock, &engine->reading);
	engine->sweep.doubted = clock_is_doubted(&engine->clock);
	engine->sweep.changed = true;
}

static const struct actor nobody = {.role = ROLE_DAEMON};

static int start_doubted(struct engine *engine, bool was_doubted)
{
	int r = was_doubted ? 0 : note(engine, EVENT_GUARD_ENGAGED, &nobody, engine->now);

	tell_doubt(engine);
	return r == 0 ? put_mark(engine) : r;
}

static int start_real(struct engine *engine, const struct engine_options *options)
{
	const struct clock_mark *mark = store_clock(engine->store);
	bool was_doubted = mark->doubted_since != INSTANT_NONE;
	struct clock_move move;

	clock_start(&engine->clock, &engine->reading, &options->boot_id, mark,
		    store_head(engine->store)->at, &move);
	take_clock(engine);
	if (clock_is_doubted(&engine->clock)) {
		return start_doubted(engine, was_doubted);
	}
	tell_wall_off(engine);
	if (was_doubted) {
		tell_move(&move, "the wall clock agrees again with the time on record");
		return record_release(engine, &nobody, &move);
	}
	return put_mark(engine);
}

int timekeeper_start(struct engine *engine, const struct engine_options *options,
		     const struct clock_reading *reading)
{
	struct store *store = engine->store;

	engine->reading = *reading;
	switch (options->clock_mode) {
	case CLOCK_MODE_REAL:
		return start_real(engine, options);
	case CLOCK_MODE_SIMULATED:
		clock_simulate(&engine->clock, options->simulated_at,
			       MAX(store_head(store)->at, store_clock(store)->at));
		take_clock(engine);
		return 0;
	}
	abort();
}

void timekeeper_turn(struct engine *engine, const struct clock_reading *reading)
{
	span_t step = clock_step(&engine->reading, reading);

	engine->reading = *reading;
	engine->now = clock_now(&engine->clock, reading);
	if (step != 0 && engine->clock.mode == CLOCK_MODE_REAL) {
		++engine->meters.n_clock_steps;
		tell_step(engine, step);
	}
}

/* In a quiet time nothing else tells the next start that the clock went on. */
static int keep_mark(struct engine *engine)
{
	instant_t kept = MAX(store_head(engine->store)->at, store_clock(engine->store)->at);

	return engine->clock.mode != CLOCK_MODE_REAL || engine->now - kept < MARK_EVERY
		       ? 0
		       : put_mark(engine);
}

int timekeeper_work(struct engine *engine)
{
	struct clock_move move;

	if (!clock_ask(&engine->clock, &engine->reading, &move)) {
		return keep_mark(engine);
	}
	take_clock(engine);
	tell_move(&move, "the wall clock agrees again with the time on record");
	return record_release(engine, &nobody, &move);
}

int timekeeper_accept(struct engine *engine, struct actor *actor, struct clock_move *ret_move)
{
	struct clock_move move = {engine->now, engine->now, INSTANT_NONE};
	int r = 0;

	if (clock_accept(&engine->clock, &engine->reading, &move)) {
		take_clock(engine);
		tell_move(&move, "an administrator accepted the wall clock");
		r = record_release(engine, actor, &move);
		actor->at = engine->now;
	}
	*ret_move = move;
	return r;
}

int timekeeper_stop(struct engine *engine)
{
	return engine->clock.mode == CLOCK_MODE_REAL ? put_mark(engine) : 0;
}
