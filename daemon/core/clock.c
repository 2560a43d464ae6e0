/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/clock.h"

bool clock_boot_id_is_known(const struct clock_boot_id *id)
{
	static const struct clock_boot_id unknown;

	return memcmp(id, &unknown, sizeof(unknown)) != 0;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool clock_parse_boot_id(struct slice text, struct clock_boot_id *ret_id)
{
	struct clock_boot_id id = {0};
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++) {
		int value = hex_value(text.data[i]);

		if (text.data[i] == '-') {
			continue;
		}
		if (value < 0 || n == sizeof(id.bytes) * 2) {
			return false;
		}
		id.bytes[n / 2] |= (uint8_t)(value << (n % 2 == 0 ? 4 : 0));
		n++;
	}
	if (n < sizeof(id.bytes) * 2 || !clock_boot_id_is_known(&id)) {
		return false;
	}
	*ret_id = id;
	return true;
}

/* A boot clock that went back is another's: of a container that was moved, or of another namespace. */
static bool is_same_boot(const struct clock_reading *reading, const struct clock_boot_id *boot_id,
			 const struct clock_mark *mark)
{
	return mark->at != INSTANT_NONE && clock_boot_id_is_known(boot_id) &&
	       memcmp(boot_id, &mark->boot_id, sizeof(*boot_id)) == 0 &&
	       reading->boot >= mark->reading.boot;
}

/* What the wall clock is thought of at a time, with the lag that was accepted. */
static enum clock_doubt doubt_of(instant_t wall, instant_t now, span_t lag_accepted)
{
	if (wall - now > CLOCK_AHEAD_MAX || wall >= INSTANT_MAX) {
		return CLOCK_DOUBT_AHEAD;
	}
	return now - wall > lag_accepted + CLOCK_BEHIND_MAX ? CLOCK_DOUBT_BEHIND : CLOCK_DOUBT_NONE;
}

/* Time goes on from @to, and the guard is not engaged any more. */
static void clock_settle(struct clock *clock, const struct clock_reading *reading, instant_t to,
			 struct clock_move *ret_move)
{
	*ret_move = (struct clock_move){
		.from = clock_now(clock, reading),
		.to = to,
		.stamped_since = clock->doubted_since,
	};
	clock->base = to;
	clock->boot_base = reading->boot;
	clock->doubt = CLOCK_DOUBT_NONE;
	clock->doubted_since = INSTANT_NONE;
}

/* The lag ends with a wall clock that has caught up: a later one is another fault. */
static void clock_believe(struct clock *clock, const struct clock_reading *reading,
			  struct clock_move *ret_move)
{
	instant_t now = clock_now(clock, reading);

	if (reading->wall >= now) {
		clock->lag_accepted = 0;
	}
	clock_settle(clock, reading, MAX(now, reading->wall), ret_move);
}

static void clock_decide(struct clock *clock, const struct clock_reading *reading,
			 struct clock_move *ret_move)
{
	instant_t now = clock_now(clock, reading);

	clock->doubt = doubt_of(reading->wall, now, clock->lag_accepted);
	if (clock->doubt == CLOCK_DOUBT_NONE) {
		clock_believe(clock, reading, ret_move);
		return;
	}
	if (clock->doubted_since == INSTANT_NONE) {
		clock->doubted_since = now;
	}
	*ret_move = (struct clock_move){now, now, INSTANT_NONE};
}

/* A store that knows no time yet has nothing to compare the wall clock with. */
static void clock_begin(struct clock *clock, instant_t now, struct clock_move *ret_move)
{
	clock->base = now;
	*ret_move = (struct clock_move){now, now, INSTANT_NONE};
}

void clock_start(struct clock *clock, const struct clock_reading *reading,
		 const struct clock_boot_id *boot_id, const struct clock_mark *mark,
		 instant_t recorded, struct clock_move *ret_move)
{
	bool same = is_same_boot(reading, boot_id, mark);
	instant_t last = same ? mark->at + (reading->boot - mark->reading.boot) : mark->at;

	/* INSTANT_NONE is less than every instant, so what is not there holds nothing back. */
	*clock = (struct clock){
		.mode = CLOCK_MODE_REAL,
		.base = MAX(last, recorded),
		.boot_base = reading->boot,
		.boot_id = *boot_id,
		.doubted_since = mark->doubted_since,
		.lag_accepted = mark->lag_accepted,
	};
	if (clock->base == INSTANT_NONE) {
		clock_begin(clock, reading->wall, ret_move);
	} else if (same && mark->doubted_since == INSTANT_NONE) {
		*ret_move = (struct clock_move){clock->base, clock->base, INSTANT_NONE};
	} else {
		clock_decide(clock, reading, ret_move);
	}
}

void clock_simulate(struct clock *clock, instant_t at, instant_t recorded)
{
	*clock = (struct clock){
		.mode = CLOCK_MODE_SIMULATED,
		.base = MAX(at, recorded),
		.doubted_since = INSTANT_NONE,
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

bool clock_is_doubted(const struct clock *clock)
{
	return clock->doubt != CLOCK_DOUBT_NONE;
}

bool clock_ask(struct clock *clock, const struct clock_reading *reading,
	       struct clock_move *ret_move)
{
	struct clock_move move;

	if (!clock_is_doubted(clock)) {
		return false;
	}
	clock_decide(clock, reading, &move);
	if (clock_is_doubted(clock)) {
		return false;
	}
	*ret_move = move;
	return true;
}

bool clock_accept(struct clock *clock, const struct clock_reading *reading,
		  struct clock_move *ret_move)
{
	instant_t now = clock_now(clock, reading);

	if (!clock_is_doubted(clock) || reading->wall >= INSTANT_MAX) {
		return false;
	}
	clock->lag_accepted = MAX(now - reading->wall, 0);
	clock_settle(clock, reading, MAX(now, reading->wall), ret_move);
	return true;
}

void clock_make_mark(const struct clock *clock, const struct clock_reading *reading,
		     struct clock_mark *ret_mark)
{
	*ret_mark = (struct clock_mark){
		.at = clock_now(clock, reading),
		.reading = *reading,
		.boot_id = clock->boot_id,
		.doubted_since = clock->doubted_since,
		.lag_accepted = clock->lag_accepted,
	};
}

span_t clock_step(const struct clock_reading *before, const struct clock_reading *after)
{
	span_t step = (after->wall - before->wall) - (after->boot - before->boot);

	return step >= CLOCK_STEP_MIN || step <= -CLOCK_STEP_MIN ? step : 0;
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

const char *clock_doubt_name(enum clock_doubt doubt)
{
	switch (doubt) {
	case CLOCK_DOUBT_NONE:
		return "none";
	case CLOCK_DOUBT_AHEAD:
		return "ahead";
	case CLOCK_DOUBT_BEHIND:
		return "behind";
	}
	abort();
}
