/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CORE_CLOCK_H
#define RETENTIOND_CORE_CLOCK_H

#include "common/base.h"
#include "common/instant.h"

/*
 * The daemon's time, from readings that others take. While the daemon runs, time is the boot
 * clock's: a wall clock that jumps changes nothing. When it starts, time never goes behind the
 * last instant in the ledger: never early beats on time.
 */

enum clock_mode {
	CLOCK_MODE_REAL,
	CLOCK_MODE_SIMULATED, /* stands still until it is moved on */
};

/* One reading of both clocks, taken together. */
struct clock_reading {
	instant_t wall; /* CLOCK_REALTIME, us since 1970 */
	span_t boot;    /* CLOCK_BOOTTIME, us since boot; runs on in suspend */
};

struct clock {
	enum clock_mode mode;
	instant_t base; /* the time at @boot_base */
	span_t boot_base;
};

/**
 * clock_start() - begin with a reading
 * @at:   where a simulated clock begins; not used by a real one
 * @mark: the last instant on record, or INSTANT_NONE; the clock never shows less
 */
void clock_start(struct clock *clock, enum clock_mode mode, instant_t at,
		 const struct clock_reading *reading, instant_t mark);

instant_t clock_now(const struct clock *clock, const struct clock_reading *reading);

/**
 * clock_advance() - move a simulated clock on
 *
 * Return: false if the clock is real, or @to is behind it or not before INSTANT_MAX, which
 * stands for "never".
 */
must_check bool clock_advance(struct clock *clock, instant_t to);

/* "real", "simulated". */
const char *clock_mode_name(enum clock_mode mode);

#endif
