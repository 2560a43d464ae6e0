/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/clocks.h"

#include <stdarg.h>
#include <stdio.h>

#include "daemon/core/clock.h"

#include "tests/sim/world.h"
#include "tests/support/random.h"

#define BEGIN      (INT64_C(1772366400) * SPAN_SECOND)
#define EVENTS     60
#define WAITING    6
#define WINDOW     (30 * SPAN_DAY)
#define MARK_EVERY SPAN_HOUR

/* An account that was deleted: @stamp is what its window is counted from. */
struct waiting {
	bool waits;
	instant_t stamp;
	instant_t left_at;
	span_t gained;
};

/* What is on the disk. */
struct kept {
	struct clock_mark mark;
	instant_t recorded;
};

/**
 * struct history
 * @now, @wall_off, @booted_at, @n_boots: the machine, in true time
 * @durable: what a start finds; @older: what it may find where a backup was restored
 * @trusted, @seen_at: as it was seen last, and when
 * @gained:  by how much trusted time has gained on true time, all gains together
 * @accepted: of that, what an administrator has let it
 */
struct history {
	uint64_t random;
	bool telling;
	struct clocks_fault fault;
	enum world_walls walls;
	instant_t now;
	span_t wall_off;
	instant_t booted_at;
	uint32_t n_boots;
	struct clock clock;
	struct kept durable;
	struct kept older;
	instant_t trusted;
	instant_t seen_at;
	span_t gained;
	struct waiting waiting[WAITING];
};

static uint32_t below(struct history *history, uint32_t n)
{
	return random_below(&history->random, n);
}

static void printf_like(2, 3) tell(struct history *history, const char *format, ...)
{
	char at[SPAN_TEXT_MAX], trusted[SPAN_TEXT_MAX];
	va_list arguments;

	if (!history->telling) {
		return;
	}
	span_format(history->now - BEGIN, at);
	span_format(history->trusted - BEGIN, trusted);
	(void)printf("%12s  trusted %12s  ", at, trusted);
	va_start(arguments, format);
	(void)vprintf(format, arguments);
	va_end(arguments);
	(void)putchar('\n');
}

static void fail(struct history *history, enum invariant invariant, const char *text)
{
	if (history->fault.invariant == INVARIANT_NONE) {
		history->fault = (struct clocks_fault){invariant, text};
	}
}

static struct clock_reading read_clocks(const struct history *history)
{
	return (struct clock_reading){
		.wall = history->now + history->wall_off,
		.boot = history->now - history->booted_at,
	};
}

static instant_t read_trusted(const struct history *history)
{
	struct clock_reading reading = read_clocks(history);

	return clock_now(&history->clock, &reading);
}

static void keep(struct history *history)
{
	struct clock_reading reading = read_clocks(history);

	clock_make_mark(&history->clock, &reading, &history->durable.mark);
}

/* Accounts that were deleted under a doubted clock have their windows moved on with it. */
static void take_move(struct history *history, const struct clock_move *move)
{
	for (uint32_t i = 0; i < WAITING; i++) {
		struct waiting *waiting = &history->waiting[i];

		if (move->stamped_since != INSTANT_NONE && waiting->waits &&
		    waiting->stamp >= move->stamped_since && waiting->stamp <= move->from) {
			waiting->stamp += move->to - move->from;
			waiting->gained += MAX(move->to - move->from, 0);
		}
	}
}

/* A removal by time: is it too early in true time? */
static void remove_due(struct history *history)
{
	for (uint32_t i = 0; i < WAITING && !clock_is_doubted(&history->clock); i++) {
		struct waiting *waiting = &history->waiting[i];
		span_t lasted = history->now - waiting->left_at;
		span_t gained =
			history->walls == WORLD_WALLS_RIGHT ? 0 : history->gained - waiting->gained;

		if (!waiting->waits || history->trusted < waiting->stamp + WINDOW) {
			continue;
		}
		waiting->waits = false;
		tell(history, "an account is removed");
		if (lasted < WINDOW - gained) {
			fail(history, INVARIANT_NEVER_EARLY,
			     "an account is removed before its window ended in true time");
		}
	}
}

/*
 * Trusted time now. @asked: the wall clock may have been asked since it was seen last. @accepted:
 * and somebody has said that it is right.
 */
static void look(struct history *history, bool asked, bool accepted)
{
	instant_t trusted = read_trusted(history);
	span_t went = history->now - history->seen_at, counted = trusted - history->trusted;

	if (counted < 0) {
		fail(history, INVARIANT_CLOCK, "trusted time went back");
	} else if (!asked && counted != went) {
		fail(history, INVARIANT_CLOCK, "trusted time did not go as the boot clock does");
	} else if (!accepted && counted - went > CLOCK_AHEAD_MAX) {
		fail(history, INVARIANT_CLOCK,
		     "trusted time gained more than 7 d on true time, and nobody said so");
	} else if (history->walls != WORLD_WALLS_ANY && trusted > history->now) {
		fail(history, INVARIANT_CLOCK,
		     "trusted time is ahead of true time, and no wall clock was");
	} else if (history->walls == WORLD_WALLS_RIGHT && trusted != history->now &&
		   !clock_is_doubted(&history->clock)) {
		fail(history, INVARIANT_CLOCK,
		     "trusted time is not true time, and the wall clock is right");
	}
	history->trusted = trusted;
	history->seen_at = history->now;
	history->gained += MAX(counted - went, 0);
}

/* A kill takes what was seen since the last entry or mark: nobody has been told of it. */
static void forget(struct history *history)
{
	const struct clock_mark *mark = &history->durable.mark;
	instant_t kept = MAX(mark->at, history->durable.recorded);

	if (kept != INSTANT_NONE && history->trusted > kept) {
		history->seen_at -= history->trusted - kept;
		history->trusted = kept;
	}
}

/* The boot id as it is read at a start; now and then it cannot be. */
static struct clock_boot_id read_boot_id(struct history *history)
{
	if (below(history, 16) == 0) {
		return (struct clock_boot_id){{0}};
	}
	return (struct clock_boot_id){
		{(uint8_t)history->n_boots, (uint8_t)(history->n_boots >> 8), 1}};
}

/* Whether a start has to ask the wall clock: a boot that is not known to be the same is another. */
static bool has_to_ask(const struct history *history, const struct clock_boot_id *id)
{
	const struct clock_mark *mark = &history->durable.mark;

	return memcmp(id, &mark->boot_id, sizeof(*id)) != 0 || id->bytes[2] == 0 ||
	       mark->doubted_since != INSTANT_NONE;
}

/* A start of the daemon, in whatever boot. */
static void start(struct history *history)
{
	struct clock_boot_id id = read_boot_id(history);
	bool asks = has_to_ask(history, &id);
	struct clock_reading reading;
	struct clock_move move;

	if (asks) {
		history->wall_off = world_limit(history->walls, history->wall_off);
		forget(history);
	}
	reading = read_clocks(history);
	clock_start(&history->clock, &reading, &id, &history->durable.mark,
		    history->durable.recorded, &move);
	look(history, asks, false);
	take_move(history, &move);
	keep(history);
	tell(history, "it starts%s%s, the wall clock is %lld s off", asks ? " and asks" : "",
	     clock_is_doubted(&history->clock) ? ", and the guard is engaged" : "",
	     (long long)(history->wall_off / SPAN_SECOND));
}

/* A turn of the loop: as daemon/work/timekeeper.c does it. */
static void turn(struct history *history)
{
	struct clock_reading reading = read_clocks(history);
	struct clock_move move;
	bool doubted = clock_is_doubted(&history->clock);

	if (clock_ask(&history->clock, &reading, &move)) {
		take_move(history, &move);
		keep(history);
		tell(history, "the wall clock is believed again");
	}
	look(history, doubted, false);
	if (history->trusted - MAX(history->durable.mark.at, history->durable.recorded) >=
	    MARK_EVERY) {
		keep(history);
	}
	remove_due(history);
}

/* Events */

static span_t pick_span(struct history *history)
{
	static const span_t spans[] = {SPAN_SECOND,   10 * SPAN_MINUTE, SPAN_HOUR,
				       SPAN_DAY,      3 * SPAN_DAY,     6 * SPAN_DAY,
				       7 * SPAN_DAY,  8 * SPAN_DAY,     29 * SPAN_DAY,
				       31 * SPAN_DAY, 55 * SPAN_DAY,    400 * SPAN_DAY};

	return spans[below(history, ARRAY_LEN(spans))] + (span_t)below(history, 1000000) - 500000;
}

/* What this world's wall clocks are off by where they are asked. */
static span_t pick_off(struct history *history)
{
	span_t span = below(history, 3) == 0 ? 0 : pick_span(history);

	return world_limit(history->walls, below(history, 2) == 0 ? span : -span);
}

static void set_wall(struct history *history)
{
	bool asked = clock_is_doubted(&history->clock);

	history->wall_off =
		asked ? pick_off(history) : (below(history, 2) == 0 ? 1 : -1) * pick_span(history);
	tell(history, "the wall clock is set: %lld s off",
	     (long long)(history->wall_off / SPAN_SECOND));
}

static void go_on(struct history *history)
{
	history->now += MAX(pick_span(history), 0);
	turn(history);
}

/* Killed, or stopped; some time later it starts in the same boot. */
static void restart(struct history *history)
{
	if (below(history, 2) == 0) {
		keep(history); /* a stop */
	}
	history->now += (span_t)below(history, 100) * SPAN_SECOND;
	start(history);
}

static void begin_boot(struct history *history)
{
	history->now += MAX(pick_span(history), 0);
	history->booted_at = history->now - (span_t)(20 + below(history, 60)) * SPAN_SECOND;
	history->n_boots++;
	history->wall_off = pick_off(history);
}

static void reboot(struct history *history)
{
	if (below(history, 2) == 0) {
		keep(history);
	}
	begin_boot(history);
	start(history);
}

/* What happened since the backup never did, as far as the store knows. */
static void restore(struct history *history)
{
	history->durable = history->older;
	for (uint32_t i = 0; i < WAITING; i++) {
		history->waiting[i].waits = false;
	}
	begin_boot(history);
	tell(history, "a backup is restored");
	start(history);
}

static void record(struct history *history)
{
	history->durable.recorded = MAX(history->durable.recorded, read_trusted(history));
	if (below(history, 8) == 0) {
		history->older = history->durable;
	}
}

static void delete_one(struct history *history)
{
	struct waiting *waiting = &history->waiting[below(history, WAITING)];

	record(history);
	*waiting = (struct waiting){true, history->durable.recorded, history->now, history->gained};
	tell(history, "an account is deleted");
}

static void accept(struct history *history)
{
	struct clock_reading reading = read_clocks(history);
	struct clock_move move;

	if (!clock_accept(&history->clock, &reading, &move)) {
		return;
	}
	look(history, true, true);
	take_move(history, &move);
	keep(history);
	record(history);
	tell(history, "somebody accepts the wall clock");
}

static void happen(struct history *history)
{
	static void (*const events[])(struct history *) = {
		go_on,  go_on,  go_on,      go_on,      record,     set_wall, restart, restart,
		reboot, reboot, delete_one, delete_one, delete_one, accept,   turn,    turn,
	};

	if (below(history, 64) == 0) {
		restore(history);
	} else {
		events[below(history, ARRAY_LEN(events))](history);
	}
}

bool clocks_play(uint64_t seed, bool telling, struct clocks_fault *ret_fault)
{
	struct history history = {
		.random = seed,
		.telling = telling,
		.walls = (enum world_walls)(seed % _WORLD_WALLS_MAX),
		.now = BEGIN,
		.booted_at = BEGIN - SPAN_HOUR,
		.n_boots = 1,
		.durable = {CLOCK_MARK_NONE, INSTANT_NONE},
		.trusted = BEGIN,
		.seen_at = BEGIN,
	};

	start(&history);
	record(&history);
	history.older = history.durable;
	for (uint32_t i = 0; i < EVENTS && history.fault.invariant == INVARIANT_NONE; i++) {
		happen(&history);
	}
	if (history.fault.invariant != INVARIANT_NONE) {
		tell(&history, "VIOLATED  %s: %s", invariant_name(history.fault.invariant),
		     history.fault.text);
	}
	*ret_fault = history.fault;
	return history.fault.invariant == INVARIANT_NONE;
}
