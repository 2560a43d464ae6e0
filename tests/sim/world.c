/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/world.h"

struct clock_reading world_read(const struct world *world)
{
	return (struct clock_reading){
		.wall = world->now + world->wall_off,
		.boot = world->now - world->booted_at,
	};
}

const char *world_take(struct world *world, instant_t trusted, bool accepted)
{
	span_t went = world->now - world->seen_at, counted = trusted - world->trusted;
	bool first = world->trusted == INSTANT_NONE;
	bool asked = first || world->asked || accepted;

	world->asked = false;
	world->trusted = trusted;
	world->seen_at = world->now;
	if (first) {
		return NULL;
	}
	if (counted < 0) {
		return "trusted time went back";
	}
	if (!asked && counted != went) {
		return "trusted time did not go as the boot clock does";
	}
	if (counted - went > WORLD_DOUBT && !accepted) {
		return "trusted time took a wall clock that is more than 7 d ahead";
	}
	if (world->honest && trusted > world->now) {
		return "trusted time is ahead of true time, and no wall clock ever was at a boot";
	}
	world->gained += MAX(counted - went, 0);
	return NULL;
}
