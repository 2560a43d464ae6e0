/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/inside.h"

/* What goes of an account when its removal is complete: everything but its row and its entries. */

/* The first key of a table that begins with the uid; one that no key is as long as is damage. */
static int first_key_of(struct kv_txn *txn, enum kv_table table, uint64_t uid, struct key *ret_key)
{
	cleanup(kv_cursor_closep) struct kv_cursor *cursor = NULL;
	struct key first = key_u64(uid);
	struct slice found;
	int r = kv_cursor_open(txn, table, &cursor);

	if (r == 0) {
		r = kv_cursor_seek(cursor, key_slice(&first), &found, NULL);
	}
	if (r == 0 &&
	    (found.len < 8 || found.len > KV_KEY_LEN_MAX || load_be64(found.data) != uid)) {
		return KV_E_NONE;
	}
	if (r == 0) {
		*ret_key = (struct key){0};
		key_add_bytes(ret_key, found.data, found.len);
	}
	return r;
}

/* Return: 0, STORE_E_MORE when there are more than @n_max, or a negative errno. */
static int erase_all_of(struct kv_txn *txn, enum kv_table table, uint64_t uid, uint32_t n_max)
{
	struct key key;
	int r;

	for (uint32_t n = 0; (r = first_key_of(txn, table, uid, &key)) == 0; n++) {
		if (n == n_max || kv_txn_error(txn) != 0) {
			break;
		}
		kv_delete(txn, table, key_slice(&key));
	}
	if (r != 0) {
		return MIN(r, 0); /* no more of them, or none that can be read */
	}
	return kv_txn_error(txn) == 0 ? STORE_E_MORE : 0; /* the commit says what is wrong */
}

int store_erase_notes(struct store *store, uint64_t uid)
{
	struct kv_txn *txn;
	int r = store_writing(store, &txn);

	return r < 0 ? r : erase_all_of(txn, KV_NOTES, uid, STORE_ERASE_MAX);
}

static void erase_tasks(struct store *store, struct kv_txn *txn, uint64_t uid)
{
	for (uint8_t keeper = 1; keeper <= store->keepers.n; keeper++) {
		struct key key = key_task(keeper, uid);

		kv_delete(txn, KV_TASKS, key_slice(&key));
	}
}

int store_erase(struct store *store, uint64_t uid, bool may_have_tasks)
{
	struct key key = key_u64(uid);
	struct kv_txn *txn;
	int r = vault_destroy_key(store->vault, uid);

	if (r == 0) {
		r = store_writing(store, &txn);
	}
	if (r < 0) {
		return r;
	}
	kv_delete(txn, KV_PROFILES, key_slice(&key));
	if (may_have_tasks) {
		erase_tasks(store, txn, uid);
	}
	return MIN(erase_all_of(txn, KV_HOLDS, uid, UINT32_MAX), 0);
}
