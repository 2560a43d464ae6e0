/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/inside.h"

/*
 * Answers kept for repeated requests, under a keyed hash of who asked and its request id; and in
 * the order of the instant until which they are kept, so that forgetting is a walk from the
 * front.
 */

void store_answer_key(const struct store *store, uint32_t actor_uid, struct slice request_id,
		      uint8_t ret_key[ROWS_HASH_LEN])
{
	uint8_t bytes[4];
	struct slice parts[] = {{(const char *)bytes, sizeof(bytes)}, request_id};

	store_be32(bytes, actor_uid);
	vault_hash(store->vault, 'a', parts, ARRAY_LEN(parts), ret_key);
}

void store_fingerprint(const struct store *store, struct slice bytes,
		       uint8_t ret_hash[ROWS_HASH_LEN])
{
	vault_hash(store->vault, 'f', &bytes, 1, ret_hash);
}

static struct key answer_due_key(instant_t until, const uint8_t *key_bytes)
{
	struct key key = key_u64((uint64_t)until);

	key_add_bytes(&key, key_bytes, ROWS_HASH_LEN);
	return key;
}

int store_put_answer(struct store *store, const uint8_t key[ROWS_HASH_LEN], instant_t until,
		     struct slice answer)
{
	struct slice name = {(const char *)key, ROWS_HASH_LEN};
	struct key due = answer_due_key(until, key);
	struct kv_txn *txn;
	int r = store_writing(store, &txn);

	assert(until >= 0 && answer.len <= STORE_ANSWER_MAX);
	if (r < 0) {
		return r;
	}
	kv_put(txn, KV_ANSWERS, name, answer);
	store_spend(store, answer.len);
	kv_put(txn, KV_ANSWERS_DUE, key_slice(&due), (struct slice){0});
	store->answers_until = MIN(store->answers_until, until);
	return 0;
}

int store_get_answer(struct store *store, const uint8_t key[ROWS_HASH_LEN],
		     struct slice *ret_answer)
{
	struct kv_txn *txn;
	int r = store_reading(store, &txn);

	if (r < 0) {
		return r;
	}
	r = kv_get(txn, KV_ANSWERS, (struct slice){(const char *)key, ROWS_HASH_LEN}, ret_answer);
	return r == KV_E_NONE ? STORE_E_NONE : r > 0 ? STORE_E_CORRUPT : r;
}

/* Return: 0, STORE_E_NONE if none is kept, STORE_E_CORRUPT, or a negative errno. */
static int answers_first_due(struct store *store, struct key *ret_key)
{
	cleanup(kv_cursor_closep) struct kv_cursor *cursor = NULL;
	struct kv_txn *txn;
	struct slice key;
	int r = store_reading(store, &txn);

	if (r == 0) {
		r = kv_cursor_open(txn, KV_ANSWERS_DUE, &cursor);
	}
	if (r == 0) {
		r = kv_cursor_seek(cursor, (struct slice){0}, &key, NULL);
	}
	if (r != 0) {
		return r == KV_E_NONE ? STORE_E_NONE : r > 0 ? STORE_E_CORRUPT : r;
	}
	if (key.len != 8 + ROWS_HASH_LEN) {
		return STORE_E_CORRUPT;
	}
	*ret_key = (struct key){0};
	key_add_bytes(ret_key, key.data, key.len);
	return 0;
}

static int answers_drop(struct store *store, const struct key *due)
{
	struct kv_txn *txn;
	int r = store_writing(store, &txn);

	if (r < 0) {
		return r;
	}
	kv_delete(txn, KV_ANSWERS_DUE, key_slice(due));
	kv_delete(txn, KV_ANSWERS, (struct slice){(const char *)due->bytes + 8, ROWS_HASH_LEN});
	return MIN(kv_txn_error(txn), 0);
}

/* Every turn asks, so the instant of the first one is remembered. */
int store_drop_answers(struct store *store, instant_t until, uint32_t n_max)
{
	struct key due;
	int r = 0;

	for (uint32_t i = 0; i < n_max && r == 0 && store->answers_until <= until; ++i) {
		r = answers_first_due(store, &due);
		if (r == STORE_E_NONE) {
			store->answers_until = INSTANT_MAX;
			return 0;
		}
		if (r != 0) {
			return r;
		}
		store->answers_until = (instant_t)load_be64(due.bytes);
		if (store->answers_until <= until) {
			r = answers_drop(store, &due);
		}
	}
	return r;
}
