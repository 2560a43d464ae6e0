/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/work/tombstones.h"

#include "daemon/work/engine.h"

static bool tombstone_is_old(const struct engine *engine, const struct account *account)
{
	return account->facts.removed_at != INSTANT_NONE &&
	       account->facts.removed_at + engine->tombstones.span <= engine->now;
}

/*
 * Return: 0 to go on, STORE_E_NONE behind the last account, or a negative errno. A row that cannot
 * be read is left to verify; the walk passes over it.
 */
static int look_at_next(struct engine *engine)
{
	uint64_t before = engine->tombstones.uid;
	struct account account;
	int r = store_next_account(engine->store, &engine->tombstones.uid, &account);

	if (r == STORE_E_CORRUPT) {
		return engine->tombstones.uid > before ? 0 : STORE_E_NONE;
	}
	if (r != 0 || !tombstone_is_old(engine, &account)) {
		return r;
	}
	r = store_drop_tombstone(engine->store, &account);
	return r < 0 ? r : 0; /* not settled yet: the next walk comes by */
}

int tombstones_work(struct engine *engine)
{
	struct tombstones *tombstones = &engine->tombstones;
	int r = 0;

	if (engine->now < tombstones->looked_at + TOMBSTONES_EVERY ||
	    store_counts(engine->store)->n_removed == 0) {
		return 0;
	}
	tombstones->looked_at = engine->now;
	for (uint32_t i = 0; i < TOMBSTONES_SLICE_MAX && r == 0; i++) {
		r = look_at_next(engine);
	}
	if (r == STORE_E_NONE) {
		tombstones->uid = 0;
	}
	return r < 0 ? r : 0;
}
