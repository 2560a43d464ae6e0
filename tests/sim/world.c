/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/world.h"

span_t world_limit(enum world_walls walls, span_t off)
{
	switch (walls) {
	case WORLD_WALLS_RIGHT:
		return 0;
	case WORLD_WALLS_BEHIND:
		return MIN(off, 0);
	case WORLD_WALLS_ANY:
		return off;
	case _WORLD_WALLS_MAX:
		break;
	}
	abort();
}

struct clock_reading world_read(const struct world *world)
{
	return (struct clock_reading){
		.wall = world->now + world->wall_off,
		.boot = world->now - world->booted_at,
	};
}

/* How far the wall clock is ahead of the daemon's time as that would have gone on by itself. */
static span_t wall_ahead(const struct world *world)
{
	span_t went = world->booting ? 0 : world->now - world->seen_at;

	return world->now + world->wall_off - (world->trusted + went);
}

static const char *doubt_fault(const struct world *world, bool doubted)
{
	bool asked = world->booting || (world->doubted && world->asked);

	if (!asked && doubted != world->doubted) {
		return "the clock guard is engaged, or released, in the middle of a boot";
	}
	if (asked && !doubted && wall_ahead(world) > WORLD_DOUBT) {
		return "a wall clock that is more than 7 d ahead is believed";
	}
	if (asked && doubted && wall_ahead(world) >= 0 &&
	    wall_ahead(world) <= WORLD_DOUBT - WORLD_MARK_AGE) {
		return "a wall clock that is less than 7 d ahead is doubted";
	}
	return NULL;
}

static const char *time_fault(const struct world *world, instant_t trusted, bool doubted)
{
	span_t went = world->now - world->seen_at, counted = trusted - world->trusted;
	bool asked = world->booting || (world->doubted && world->asked);

	if (counted < (world->booting ? -WORLD_MARK_AGE : 0)) {
		return "trusted time went back";
	}
	if (!asked && counted != went) {
		return "trusted time did not go as the boot clock does";
	}
	if (counted - went > WORLD_DOUBT) {
		return "trusted time gained more than 7 d on true time";
	}
	if (world->walls != WORLD_WALLS_ANY && trusted > world->now) {
		return "trusted time is ahead of true time, and no wall clock was where it was asked";
	}
	if (world->walls == WORLD_WALLS_RIGHT && trusted != world->now && !doubted) {
		return "trusted time is not true time, and the wall clock is right where it is asked";
	}
	return NULL;
}

const char *world_take(struct world *world, instant_t trusted, bool doubted, bool accepted)
{
	span_t gained = (trusted - world->trusted) - (world->now - world->seen_at);
	const char *fault = NULL;

	if (world->trusted != INSTANT_NONE && !accepted) {
		fault = doubt_fault(world, doubted);
		fault = fault ? fault : time_fault(world, trusted, doubted);
	}
	if (world->trusted != INSTANT_NONE) {
		world->gained += MAX(gained, 0);
	}
	world->trusted = trusted;
	world->seen_at = world->now;
	world->booting = world->asked = false;
	world->doubted = doubted;
	return fault;
}

void world_forget(struct world *world, const struct world *acked)
{
	world->trusted = acked->trusted;
	world->seen_at = acked->seen_at;
	world->doubted = acked->doubted;
	world->gained = acked->gained;
}
