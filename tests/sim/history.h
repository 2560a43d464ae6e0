/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_SIM_HISTORY_H
#define RETENTIOND_TESTS_SIM_HISTORY_H

#include "tests/sim/sim.h"

/* The plan that a seed leads to; a longer one begins as a shorter one does. */
void plan_make(struct plan *plan, uint64_t seed, uint32_t n);

#endif
