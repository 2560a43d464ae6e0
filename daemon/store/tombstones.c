/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/inside.h"

/* What is left of a removed account: told apart from a damaged one, and dropped in the end. */

int store_has_key(struct store *store, uint64_t uid, bool *ret_has)
{
	if (uid == 0 || uid >= store->state.next_uid) {
		*ret_has = false;
		return 0;
	}
	return vault_has_key(store->vault, uid, ret_has);
}

/*
 * Straight from the tables, without an entry: the ledger says already that the account is gone. An
 * entry that a start would replay needs its row, so that a tombstone waits until its last one is
 * settled. Then no row of it is in the overlay.
 */
int store_drop_tombstone(struct store *store, const struct account *account)
{
	struct kv_txn *txn;
	int r;

	assert(account->facts.removed_at != INSTANT_NONE);
	if (account->last_seq > store->state.settled_seq) {
		return STORE_E_NONE;
	}
	assert(!overlay_get(store->overlay, account->uid));
	store->last_read.uid = 0;
	r = store_writing(store, &txn);
	if (r < 0) {
		return r;
	}
	for (enum index index = 0; index < _INDEX_MAX; ++index) {
		struct key key;

		if (index_key(index, account, &key)) {
			kv_delete(txn, index_table(index), key_slice(&key));
		}
	}
	store->state.counts.n_removed -= MIN(store->state.counts.n_removed, UINT64_C(1));
	return 0;
}
