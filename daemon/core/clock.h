/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CORE_CLOCK_H
#define RETENTIOND_CORE_CLOCK_H

#include "common/base.h"
#include "common/instant.h"

/*
 * Trusted time, from readings that others take and from the mark that others keep.
 *
 * Within a boot it is the boot clock's, over every restart of the daemon: a wall clock that jumps
 * changes nothing. A boot begins with a question: is the wall clock to be believed? It is when it
 * is not behind the last time on record, nor more than CLOCK_AHEAD_MAX ahead of it. Else the guard
 * is engaged: time goes on from what is on record, which is the older, and the question stays open
 * until the wall clock is set right or somebody accepts it. Never early beats on time.
 */

/* Ahead of what is on record: a longer silence is rare. */
#define CLOCK_AHEAD_MAX (7 * SPAN_DAY)

/*
 * Behind it: a clock that was set back by minutes alarms nobody. Time on record goes on until then.
 */
#define CLOCK_BEHIND_MAX SPAN_HOUR

/* What a wall clock is off by after a turn, and was not set: slewing and a slow turn. */
#define CLOCK_STEP_MIN SPAN_SECOND

enum clock_mode {
	CLOCK_MODE_REAL,
	CLOCK_MODE_SIMULATED, /* stands still until it is moved */
};

/* Why the guard is engaged. */
enum clock_doubt {
	CLOCK_DOUBT_NONE,   /* it is not */
	CLOCK_DOUBT_AHEAD,  /* the wall clock is too far ahead of the last time on record */
	CLOCK_DOUBT_BEHIND, /* it is behind it */
};

#define CLOCK_BOOT_ID_LEN 16

/* Which boot of which machine. Zeros when that cannot be told: then it is never the same one. */
struct clock_boot_id {
	uint8_t bytes[CLOCK_BOOT_ID_LEN];
};

bool clock_boot_id_is_known(const struct clock_boot_id *id);

/*
 * Reads an id as the kernel and systemd write it: 32 hexadecimal digits, with or without dashes.
 * Return: false if it is none, or zeros.
 */
must_check bool clock_parse_boot_id(struct slice text, struct clock_boot_id *ret_id);

/* One reading of both clocks, taken together. */
struct clock_reading {
	instant_t wall; /* CLOCK_REALTIME, us since 1970 */
	span_t boot;    /* CLOCK_BOOTTIME, us since boot; runs on in suspend */
};

/**
 * struct clock_mark - what is kept of a real clock from one start to the next
 * @at:      trusted time when it was made; INSTANT_NONE: there is no mark
 * @reading: what the clocks showed then
 * @boot_id: in which boot
 * @doubted_since: trusted time at which the guard was engaged; INSTANT_NONE when it is not
 * @lag_accepted:  how far behind trusted time the wall clock was when somebody accepted that; 0 or
 *           more
 */
struct clock_mark {
	instant_t at;
	struct clock_reading reading;
	struct clock_boot_id boot_id;
	instant_t doubted_since;
	span_t lag_accepted;
};

#define CLOCK_MARK_NONE ((struct clock_mark){.at = INSTANT_NONE, .doubted_since = INSTANT_NONE})

/**
 * struct clock - trusted time; only clock.c looks inside
 * @base, @boot_base: the time, and the boot clock at that time
 * @doubt: why the guard is engaged
 * @doubted_since, @lag_accepted: as in the mark
 */
struct clock {
	enum clock_mode mode;
	instant_t base;
	span_t boot_base;
	struct clock_boot_id boot_id;
	enum clock_doubt doubt;
	instant_t doubted_since;
	span_t lag_accepted;
};

/**
 * struct clock_move - trusted time was moved on by what the boot clock does not account for
 * @from, @to: before and after; the same when it was not moved
 * @stamped_since: the guard was engaged from this instant to @from, and is not any more. What was
 *          stamped in between has a time that was too old by @to - @from: whoever counts a window
 *          from it adds that, or ends it early. INSTANT_NONE when the guard was not engaged
 */
struct clock_move {
	instant_t from;
	instant_t to;
	instant_t stamped_since;
};

/**
 * clock_start() - begin a real clock
 * @mark:     the last one that was kept, or CLOCK_MARK_NONE
 * @recorded: the last instant on record elsewhere, or INSTANT_NONE; time never goes behind it
 * @ret_move: from the last time on record to the time it is
 *
 * The same boot has the same id, known, and a boot clock that is not behind the mark's.
 */
void clock_start(struct clock *clock, const struct clock_reading *reading,
		 const struct clock_boot_id *boot_id, const struct clock_mark *mark,
		 instant_t recorded, struct clock_move *ret_move);

/* Begin a simulated clock at @at; never behind @recorded, which may be INSTANT_NONE. */
void clock_simulate(struct clock *clock, instant_t at, instant_t recorded);

/* Trusted time. It never goes back while the boot clock of the readings does not. */
instant_t clock_now(const struct clock *clock, const struct clock_reading *reading);

/* Whether the guard is engaged, so that nothing may be removed by time. */
bool clock_is_doubted(const struct clock *clock);

/**
 * clock_ask() - ask the wall clock again, while the guard is engaged
 * @ret_move: set when it is believed now
 *
 * Return: whether the guard was engaged and is not any more; what is kept has changed then.
 */
must_check bool clock_ask(struct clock *clock, const struct clock_reading *reading,
			  struct clock_move *ret_move);

/**
 * clock_accept() - somebody says that the wall clock is right
 *
 * When it is ahead, time is moved on to it. When it is behind, time goes on from where it is, and
 * the next boots do not ask about as much.
 *
 * Return: whether the guard was engaged; what is kept has changed then.
 */
must_check bool clock_accept(struct clock *clock, const struct clock_reading *reading,
			     struct clock_move *ret_move);

/* What is to be kept of it now: at least hourly, at a stop, and when the guard changes. */
void clock_make_mark(const struct clock *clock, const struct clock_reading *reading,
		     struct clock_mark *ret_mark);

/*
 * By how much the wall clock was set between two readings of one boot, the later one second; 0 for
 * less than CLOCK_STEP_MIN.
 */
span_t clock_step(const struct clock_reading *before, const struct clock_reading *after);

/**
 * clock_advance() - move a simulated clock on
 *
 * Return: false if the clock is real, or @to is behind it or not before INSTANT_MAX, which
 * stands for "never".
 */
must_check bool clock_advance(struct clock *clock, instant_t to);

const char *clock_mode_name(enum clock_mode mode);    /* "real", "simulated" */
const char *clock_doubt_name(enum clock_doubt doubt); /* "none", "ahead", "behind" */

#endif
