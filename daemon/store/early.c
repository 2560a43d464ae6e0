/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/early.h"

#include "daemon/core/lifecycle.h"
#include "daemon/store/inside.h"

void store_watch_early(struct store *store, struct due_position before)
{
	store->early.before = before;
}

void store_forget_early(struct store *store)
{
	store->early.before = (struct due_position){0};
	store->early.lost = false;
	store->early.n = 0;
}

/* Behind the place, of the same instant too, it is found where it stands. */
static bool is_early(const struct early *early, const struct account *account)
{
	instant_t at;

	if (early->before.uid == 0 ||
	    lifecycle_next(&account->facts, &at) == LIFECYCLE_ACTION_NONE) {
		return false;
	}
	return at < early->before.at ||
	       (at == early->before.at && account->uid <= early->before.uid);
}

void store_note_early(struct store *store, const struct account *account)
{
	struct early *early = &store->early;

	if (!is_early(early, account)) {
		return;
	}
	if (early->n == STORE_EARLY_MAX) {
		early->lost = true;
		return;
	}
	early->uids[early->n++] = account->uid;
}

bool store_take_early(struct store *store, uint64_t uids[static STORE_EARLY_MAX], uint32_t n_max,
		      uint32_t *ret_n)
{
	struct early *early = &store->early;
	uint32_t n = MIN(early->n, n_max);

	if (early->lost) {
		early->n = 0;
		early->lost = false;
		return false;
	}
	early->n -= n;
	memcpy(uids, early->uids + early->n, n * sizeof(*uids));
	*ret_n = n;
	return true;
}

bool store_has_early(const struct store *store)
{
	return store->early.n > 0;
}
