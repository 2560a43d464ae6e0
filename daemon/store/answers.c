/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "daemon/store/inside.h"

/*
 * Answers kept for repeated requests, under a keyed hash of who asked and its request id; and in
 * the order of the instant until which they are kept, so that forgetting is a walk from the
 * front. Beside each instant stands whose answer it is and what it counts for, 4 bytes each; what a
 * user's answers come to stands among them under the bare uid. Answers of the time before that
 * have nothing there, and count for nothing.
 */

#define ANSWER_OWNER_LEN 8

/* bytes; what an answer takes beside itself: two keys, their headers, and pages that are not full */
#define ANSWER_COST 128

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

static struct key answer_owner_key(uint32_t actor_uid)
{
	struct key key = {0};

	key_add_u32(&key, actor_uid);
	return key;
}

/* What a user's answers come to. Return: 0, STORE_E_CORRUPT, or a negative errno. */
static int answers_get_bytes(struct kv_txn *txn, uint32_t actor_uid, uint64_t *ret_bytes)
{
	struct key key = answer_owner_key(actor_uid);
	struct slice value;
	int r = kv_get(txn, KV_ANSWERS, key_slice(&key), &value);

	if (r == KV_E_NONE) {
		*ret_bytes = 0;
		return 0;
	}
	if (r != 0 || value.len != sizeof(uint64_t)) {
		return r < 0 ? r : STORE_E_CORRUPT;
	}
	*ret_bytes = load_be64(value.data);
	return 0;
}

static void answers_put_bytes(struct kv_txn *txn, uint32_t actor_uid, uint64_t bytes)
{
	struct key key = answer_owner_key(actor_uid);
	uint8_t value[sizeof(bytes)];

	if (bytes == 0) {
		kv_delete(txn, KV_ANSWERS, key_slice(&key));
		return;
	}
	store_be64(value, bytes);
	kv_put(txn, KV_ANSWERS, key_slice(&key),
	       (struct slice){(const char *)value, sizeof(value)});
}

int store_may_keep_answer(struct store *store, uint32_t actor_uid, bool *ret_may)
{
	struct kv_txn *txn;
	uint64_t bytes;
	int r = store_reading(store, &txn);

	if (r == 0) {
		r = answers_get_bytes(txn, actor_uid, &bytes);
	}
	if (r == 0) {
		*ret_may = bytes < store->map_bytes / STORE_ANSWERS_SHARE_OF_UID;
	}
	return r;
}

int store_put_answer(struct store *store, uint32_t actor_uid, const uint8_t key[ROWS_HASH_LEN],
		     instant_t until, struct slice answer)
{
	struct slice name = {(const char *)key, ROWS_HASH_LEN};
	struct key due = answer_due_key(until, key);
	uint8_t owner[ANSWER_OWNER_LEN];
	struct kv_txn *txn;
	uint64_t bytes;
	int r = store_writing(store, &txn);

	assert(until >= 0 && answer.len <= STORE_ANSWER_MAX);
	if (r == 0) {
		r = answers_get_bytes(txn, actor_uid, &bytes);
	}
	if (r != 0) {
		return r < 0 ? r : -EIO;
	}
	store_be32(owner, actor_uid);
	store_be32(owner + 4, (uint32_t)(answer.len + ANSWER_COST));
	kv_put(txn, KV_ANSWERS, name, answer);
	store_spend(store, answer.len);
	kv_put(txn, KV_ANSWERS_DUE, key_slice(&due),
	       (struct slice){(const char *)owner, sizeof(owner)});
	answers_put_bytes(txn, actor_uid, bytes + answer.len + ANSWER_COST);
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
	return store_answer(kv_get(txn, KV_ANSWERS,
				   (struct slice){(const char *)key, ROWS_HASH_LEN}, ret_answer));
}

/**
 * struct answer_due - the answer that is forgotten next
 * @bytes: what it counts for with its owner; 0 where nobody is known
 */
struct answer_due {
	struct key key;
	uint32_t actor_uid;
	uint32_t bytes;
};

/* Return: 0, STORE_E_NONE if none is kept, STORE_E_CORRUPT, or a negative errno. */
static int answers_first_due(struct store *store, struct answer_due *ret_due)
{
	cleanup(kv_cursor_closep) struct kv_cursor *cursor = NULL;
	struct kv_txn *txn;
	struct slice key, owner;
	int r = store_reading(store, &txn);

	if (r == 0) {
		r = kv_cursor_open(txn, KV_ANSWERS_DUE, &cursor);
	}
	if (r == 0) {
		r = kv_cursor_seek(cursor, (struct slice){0}, &key, &owner);
	}
	if (r != 0) {
		return store_answer(r);
	}
	if (key.len != 8 + ROWS_HASH_LEN) {
		return STORE_E_CORRUPT;
	}
	*ret_due = (struct answer_due){0};
	key_add_bytes(&ret_due->key, key.data, key.len);
	if (owner.len == ANSWER_OWNER_LEN) {
		ret_due->actor_uid = load_be32(owner.data);
		ret_due->bytes = load_be32(owner.data + 4);
	}
	return 0;
}

/*
 * A sum that is damaged is counted anew from nothing: what is to be forgotten does not wait for it.
 * Return: 0 or a negative errno.
 */
static int answers_drop(struct store *store, const struct answer_due *due)
{
	struct kv_txn *txn;
	uint64_t bytes = 0;
	int r = store_writing(store, &txn);

	if (r == 0) {
		r = answers_get_bytes(txn, due->actor_uid, &bytes);
	}
	if (r < 0) {
		return r;
	}
	if (due->bytes > 0) {
		answers_put_bytes(txn, due->actor_uid, bytes - MIN(bytes, due->bytes));
	}
	kv_delete(txn, KV_ANSWERS_DUE, key_slice(&due->key));
	kv_delete(txn, KV_ANSWERS, (struct slice){(const char *)due->key.bytes + 8, ROWS_HASH_LEN});
	return MIN(kv_txn_error(txn), 0);
}

/* Every turn asks, so the instant of the first one is remembered. */
int store_drop_answers(struct store *store, instant_t until, uint32_t n_max)
{
	struct answer_due due;
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
		store->answers_until = (instant_t)load_be64(due.key.bytes);
		if (store->answers_until <= until) {
			r = answers_drop(store, &due);
		}
	}
	return r;
}
