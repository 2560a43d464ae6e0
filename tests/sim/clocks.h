/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_SIM_CLOCKS_H
#define RETENTIOND_TESTS_SIM_CLOCKS_H

#include "common/base.h"

#include "tests/sim/sim.h"

/* @text: what is wrong; static. */
struct clocks_fault {
	enum invariant invariant;
	const char *text;
};

/**
 * clocks_play() - one history of the clock alone, against true time
 * @telling:   prints what happens
 * @ret_fault: set in any case; what was violated is INVARIANT_NONE when all was as it must be
 *
 * Boots, starts, kills, a wall clock that is set, suspends, hosts that are switched off, a store
 * that is restored, administrators who accept; and accounts that are deleted and wait meanwhile.
 *
 * Return: whether all was as it must be.
 */
bool clocks_play(uint64_t seed, bool telling, struct clocks_fault *ret_fault);

#endif
