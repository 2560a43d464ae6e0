/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_SIM_SHRINK_H
#define RETENTIOND_TESTS_SIM_SHRINK_H

#include "tests/sim/history.h"

/**
 * shrink_and_tell() - of a history that violates an invariant, the shortest part found that still
 * violates the same one, and what happens in it
 */
void shrink_and_tell(struct plan *plan, const struct report *report);

#endif
