/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_SIM_WORLD_H
#define RETENTIOND_TESTS_SIM_WORLD_H

#include "common/base.h"
#include "common/instant.h"

#include "daemon/core/clock.h"

/*
 * The world around the daemon: what time it really is, what the machine's clocks say of it, and
 * what may be believed of the daemon's own time.
 */

/* More than this ahead of what was seen last, a wall clock is not believed at a start. */
#define WORLD_DOUBT (7 * SPAN_DAY)

/* What is on record of the time is never older. */
#define WORLD_MARK_AGE SPAN_HOUR

/* What a wall clock shows where the daemon asks it: at a boot, and while it doubts it. */
enum world_walls {
	WORLD_WALLS_RIGHT,
	WORLD_WALLS_BEHIND, /* right, or behind */
	WORLD_WALLS_ANY,
	_WORLD_WALLS_MAX
};

/**
 * struct world
 * @now:     what the time really is
 * @wall_off: how far the wall clock is ahead of it; less than 0: behind
 * @booted_at: in true time
 * @n_boots: which boot this is
 * @walls:   what wall clocks there are here, where they are asked
 * @trusted: the daemon's time as it was seen last
 * @seen_at: the true time of that
 * @booting: a boot has begun since, so that the wall clock is asked
 * @asked:   the wall clock has been asked again since, as it is while the guard is engaged
 * @doubted: the clock guard was engaged then
 * @gained:  by how much trusted time has ever gained on true time, all gains together
 */
struct world {
	instant_t now;
	span_t wall_off;
	instant_t booted_at;
	uint32_t n_boots;
	enum world_walls walls;
	instant_t trusted;
	instant_t seen_at;
	bool booting;
	bool asked;
	bool doubted;
	span_t gained;
};

/* What @walls let a wall clock be off by that is to be off by @off. */
span_t world_limit(enum world_walls walls, span_t off);

struct clock_reading world_read(const struct world *world);

/**
 * world_take() - the daemon's time now, and whether the clock guard is engaged
 * @accepted: somebody has said since that the wall clock is right
 *
 * Return: NULL, or what is wrong with it.
 */
const char *world_take(struct world *world, instant_t trusted, bool doubted, bool accepted);

/* What was seen of the daemon's time in a turn that was lost has not been seen by anybody. */
void world_forget(struct world *world, const struct world *acked);

#endif
