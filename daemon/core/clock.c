/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/clock.h"

void clock_start(struct clock *clock, enum clock_mode mode, instant_t at,
		 const struct clock_reading *reading, instant_t mark)
{
	instant_t begin = mode == CLOCK_MODE_REAL ? reading->wall : at;

	/* INSTANT_NONE is less than every instant, so no mark holds nothing back. */
	*clock = (struct clock){
		.mode = mode,
		.base = MAX(begin, mark),
		.boot_base = reading->boot,
	};
}

instant_t clock_now(const struct clock *clock, const struct clock_reading *reading)
{
	switch (clock->mode) {
	case CLOCK_MODE_REAL:
		assert(reading->boot >= clock->boot_base);
		return clock->base + (reading->boot - clock->boot_base);
	case CLOCK_MODE_SIMULATED:
		return clock->base;
	}
	abort();
}

bool clock_advance(struct clock *clock, instant_t to)
{
	if (clock->mode != CLOCK_MODE_SIMULATED || to < clock->base || to >= INSTANT_MAX) {
		return false;
	}
	clock->base = to;
	return true;
}

const char *clock_mode_name(enum clock_mode mode)
{
	switch (mode) {
	case CLOCK_MODE_REAL:
		return "real";
	case CLOCK_MODE_SIMULATED:
		return "simulated";
	}
	abort();
}
