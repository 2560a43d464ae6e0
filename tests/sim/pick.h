/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_SIM_PICK_H
#define RETENTIOND_TESTS_SIM_PICK_H

#include "tests/sim/sim.h"

/* What a step is about: made of its numbers and of what there is. */

/* The name of an account, now and then of none. @by: modulo the ways to name one. */
static inline struct truth_name pick_name(const struct sim *sim, uint32_t which, uint32_t by)
{
	const struct truth *truth = &sim->truth;
	uint32_t i = which % (truth->n_accounts + 1);
	struct truth_name name = {
		.by = (enum truth_naming)(by % _TRUTH_NAMING_MAX),
		.uid = UINT64_C(1) << 40,
		.org = (uint8_t)(which % TRUTH_ORGS),
		.id = (uint8_t)(which / 2 % TRUTH_IDS),
		.person = (uint8_t)(which / 2 % TRUTH_PERSONS),
	};

	if (i < truth->n_accounts) {
		name.uid = truth->accounts[i].uid;
		name.org = truth->accounts[i].org;
		name.id = truth->accounts[i].id;
		name.person = truth->accounts[i].person;
	}
	return name;
}

#endif
