/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "daemon/store/inside.h"

/*
 * What is known of accounts beside their rows: tasks, holds, removal requests. What they mean for
 * an account is in its facts and in the ledger; here is what only their own commands read.
 */

const struct keeper *store_keeper(const struct store *store, uint8_t number)
{
	return keepers_get(&store->keepers, number);
}

const struct keeper *store_keeper_by_name(const struct store *store, struct slice name)
{
	return keepers_find(&store->keepers, name);
}

uint8_t store_n_keepers(const struct store *store)
{
	return store->keepers.n;
}

uint64_t store_keepers_of(const struct store *store, uint32_t org)
{
	return keepers_of(&store->keepers, org);
}

static int duty_get(struct store *store, enum kv_table table, const struct key *key,
		    struct slice *ret_row)
{
	struct kv_txn *txn;
	int r = store_reading(store, &txn);

	return r < 0 ? r : store_answer(kv_get(txn, table, key_slice(key), ret_row));
}

static int duty_put(struct store *store, enum kv_table table, const struct key *key,
		    struct slice row)
{
	struct kv_txn *txn;
	int r = store_writing(store, &txn);

	if (r == 0) {
		kv_put(txn, table, key_slice(key), row);
	}
	return r;
}

static int duty_drop(struct store *store, enum kv_table table, const struct key *key)
{
	struct kv_txn *txn;
	int r = store_writing(store, &txn);

	if (r == 0) {
		kv_delete(txn, table, key_slice(key));
	}
	return r;
}

/* Tasks */

static int task_unseal(struct store *store, uint64_t uid, void *buffer, struct task *task)
{
	struct slice sealed = task->error;
	int r;

	if (sealed.len == 0) {
		return 0;
	}
	if (sealed.len < VAULT_SEAL_OVERHEAD ||
	    sealed.len > MODEL_NOTE_LEN_MAX + VAULT_SEAL_OVERHEAD) {
		return STORE_E_CORRUPT;
	}
	r = vault_unseal(store->vault, uid, VAULT_PURPOSE_TASK, sealed, buffer);
	task->error = (struct slice){buffer, sealed.len - VAULT_SEAL_OVERHEAD};
	return r > 0 ? STORE_E_CORRUPT : r;
}

int store_get_task(struct store *store, uint8_t keeper, uint64_t uid, void *buffer,
		   struct task *ret_task)
{
	struct key key = key_task(keeper, uid);
	struct task task;
	struct slice row;
	int r = duty_get(store, KV_TASKS, &key, &row);

	if (r == STORE_E_NONE) {
		*ret_task = (struct task){.lease_until = INSTANT_NONE};
		return 0;
	}
	if (r != 0) {
		return r;
	}
	if (rows_decode_task(row, &task) != 0) {
		return STORE_E_CORRUPT;
	}
	r = task_unseal(store, uid, buffer, &task);
	if (r == 0) {
		*ret_task = task;
	}
	return r;
}

int store_put_task(struct store *store, uint8_t keeper, uint64_t uid, const struct task *task)
{
	uint8_t bytes[ROWS_TASK_LEN_MAX];
	uint8_t sealed[MODEL_NOTE_LEN_MAX + VAULT_SEAL_OVERHEAD];
	struct key key = key_task(keeper, uid);
	struct task row = *task;

	assert(task->error.len <= MODEL_NOTE_LEN_MAX);
	if (task->error.len > 0) {
		int r = vault_seal(store->vault, uid, VAULT_PURPOSE_TASK, task->error, sealed);

		if (r < 0) {
			return r;
		}
		row.error =
			(struct slice){(const char *)sealed, task->error.len + VAULT_SEAL_OVERHEAD};
		if (r != 0) {
			row.error = (struct slice){0}; /* the vault is damaged there */
		}
	}
	return duty_put(store, KV_TASKS, &key,
			(struct slice){(const char *)bytes, rows_encode_task(&row, bytes)});
}

int store_drop_task(struct store *store, uint8_t keeper, uint64_t uid)
{
	struct key key = key_task(keeper, uid);

	return duty_drop(store, KV_TASKS, &key);
}

/* Holds */

static struct key hold_key(const struct store *store, uint64_t uid, struct slice name)
{
	uint8_t hash[ROWS_HASH_LEN], bytes[8];
	struct slice parts[] = {{(const char *)bytes, sizeof(bytes)}, name};

	store_be64(bytes, uid);
	vault_hash(store->vault, 'h', parts, ARRAY_LEN(parts), hash);
	return key_hold(uid, hash);
}

static int hold_unseal(struct store *store, uint64_t uid, struct slice sealed, void *buffer,
		       struct hold *ret_hold)
{
	struct slice plain = {buffer, sealed.len - VAULT_SEAL_OVERHEAD};
	int r;

	if (sealed.len < VAULT_SEAL_OVERHEAD || plain.len > ROWS_HOLD_LEN_MAX) {
		return STORE_E_CORRUPT;
	}
	r = vault_unseal(store->vault, uid, VAULT_PURPOSE_HOLD, sealed, buffer);
	if (r != 0) {
		return r > 0 ? STORE_E_CORRUPT : r;
	}
	return rows_decode_hold(plain, ret_hold) == 0 ? 0 : STORE_E_CORRUPT;
}

int store_get_hold(struct store *store, uint64_t uid, struct slice name, void *buffer,
		   struct hold *ret_hold)
{
	struct key key = hold_key(store, uid, name);
	struct slice row;
	int r = duty_get(store, KV_HOLDS, &key, &row);

	return r != 0 ? r : hold_unseal(store, uid, row, buffer, ret_hold);
}

int store_next_hold(struct store *store, uint64_t uid, uint8_t position[ROWS_HASH_LEN],
		    void *buffer, struct hold *ret_hold)
{
	cleanup(kv_cursor_closep) struct kv_cursor *cursor = NULL;
	struct key after = key_hold(uid, position);
	struct slice key, row;
	struct kv_txn *txn;
	int r = store_reading(store, &txn);

	if (r == 0) {
		r = kv_cursor_open(txn, KV_HOLDS, &cursor);
	}
	if (r == 0) {
		r = kv_cursor_seek(cursor, key_slice(&after), &key, &row);
	}
	if (r == 0 && slice_equal(key, key_slice(&after))) {
		r = kv_cursor_next(cursor, &key, &row);
	}
	if (r != 0) {
		return store_answer(r);
	}
	if (key.len != 8 + ROWS_HASH_LEN) {
		return STORE_E_CORRUPT;
	}
	if (load_be64(key.data) != uid) {
		return STORE_E_NONE;
	}
	memcpy(position, key.data + 8, ROWS_HASH_LEN);
	return hold_unseal(store, uid, row, buffer, ret_hold);
}

int store_put_hold(struct store *store, uint64_t uid, const struct hold *hold)
{
	uint8_t plain[ROWS_HOLD_LEN_MAX], sealed[ROWS_HOLD_LEN_MAX + VAULT_SEAL_OVERHEAD];
	struct key key = hold_key(store, uid, hold->name);
	struct slice bytes = {(const char *)plain, rows_encode_hold(hold, plain)};
	int r = vault_seal(store->vault, uid, VAULT_PURPOSE_HOLD, bytes, sealed);

	if (r != 0) {
		return r < 0 ? r : -EIO; /* a living account has its key */
	}
	return duty_put(store, KV_HOLDS, &key,
			(struct slice){(const char *)sealed, bytes.len + VAULT_SEAL_OVERHEAD});
}

int store_drop_hold(struct store *store, uint64_t uid, struct slice name)
{
	struct key key = hold_key(store, uid, name);

	return duty_drop(store, KV_HOLDS, &key);
}

/* Removal requests */

uint64_t store_new_request_number(struct store *store)
{
	return store->state.next_request++;
}

/* One that an entry filed or decided that is not there is damaged. */
int store_get_request(struct store *store, uint64_t number, struct removal_request *ret_request)
{
	struct key key = key_u64(number);
	struct removal_request request;
	struct slice row;
	int r = duty_get(store, KV_REQUESTS, &key, &row);

	if (r != 0) {
		return r;
	}
	if (rows_decode_request(number, row, &request) != 0 ||
	    request.filed_seq > store->head.seq || request.decided_seq > store->head.seq) {
		return STORE_E_CORRUPT;
	}
	*ret_request = request;
	return 0;
}

/* Return: as store_next_request(). @ret_number: set where there is a row, even a damaged one */
static int find_request(struct store *store, uint64_t from, uint64_t *ret_number)
{
	cleanup(kv_cursor_closep) struct kv_cursor *cursor = NULL;
	uint8_t number[sizeof(*ret_number)] = {0};
	struct key first = key_u64(from);
	struct kv_txn *txn;
	struct slice key;
	int r = store_reading(store, &txn);

	if (r == 0) {
		r = kv_cursor_open(txn, KV_REQUESTS, &cursor);
	}
	if (r == 0) {
		r = kv_cursor_seek(cursor, key_slice(&first), &key, NULL);
	}
	if (r != 0) {
		return store_answer(r);
	}
	memcpy(number, key.data, MIN(key.len, sizeof(number)));
	*ret_number = load_be64(number);
	return key.len == sizeof(number) ? 0 : STORE_E_CORRUPT;
}

int store_next_request(struct store *store, uint64_t *number, struct removal_request *ret_request)
{
	uint64_t next = store->state.next_request, found = next;
	int r = *number < next ? find_request(store, *number + 1, &found) : STORE_E_NONE;

	if (r == 0 && found >= next) {
		r = STORE_E_NONE;
	}
	if (r < 0 || r == STORE_E_NONE) {
		return r;
	}
	*number = found;
	return r == 0 ? store_get_request(store, found, ret_request) : r;
}

int store_put_request(struct store *store, const struct removal_request *request)
{
	uint8_t bytes[ROWS_REQUEST_LEN];
	struct key key = key_u64(request->number);

	return duty_put(store, KV_REQUESTS, &key,
			(struct slice){(const char *)bytes, rows_encode_request(request, bytes)});
}
