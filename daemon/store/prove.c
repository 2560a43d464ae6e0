/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/prove.h"

#include "daemon/store/index.h"
#include "daemon/store/inside.h"

struct slice_of_proof {
	struct store *store;
	struct kv_txn *txn;
	struct store_place *place;
	struct store_proof *proof;
	uint32_t n_max;
};

const char *store_part_name(enum store_part part)
{
	static const char *const names[] = {
		[STORE_PART_ACCOUNTS] = "accounts",
		[STORE_PART_INDEXES] = "indexes",
		[STORE_PART_REGISTER] = "register",
	};

	static_assert(ARRAY_LEN(names) == _STORE_PART_MAX, "every part has a name");
	return names[part];
}

static int find_fault(struct slice_of_proof *slice, uint64_t uid, const char *fault)
{
	slice->proof->fault = fault;
	slice->proof->uid = uid;
	return 0;
}

static bool is_enough(const struct slice_of_proof *slice)
{
	return slice->proof->fault || slice->proof->n >= slice->n_max;
}

/* Where the next slice of the same part goes on. */
static uint64_t number_of(const struct store_place *place)
{
	return place->key.len == 0 ? 0 : load_be64(place->key.bytes);
}

/* Accounts */

/* Rows that wait to be settled stand in no table yet, or in it as they were. */
static bool is_settled(const struct slice_of_proof *slice, uint64_t uid)
{
	return !overlay_get(slice->store->overlay, uid);
}

static int prove_keys_of(struct slice_of_proof *slice, const struct account *account)
{
	struct slice value;
	struct key key;

	for (enum index index = INDEX_UID; index < _INDEX_MAX; index++) {
		int r = index_key(index, account, &key)
				? kv_get(slice->txn, index_table(index), key_slice(&key), &value)
				: 0;

		if (r != 0) {
			return r < 0 ? r
				     : find_fault(slice, account->uid,
						  "an index does not have the account");
		}
	}
	return 0;
}

/* A key that is gone while the removal runs is one that is about to be complete. */
static int prove_person(struct slice_of_proof *slice, const struct account *account)
{
	static uint8_t buffer[MODEL_PROFILE_BYTES_MAX];
	struct profile profile;
	int r = store_get_profile(slice->store, account->uid, buffer, &profile);

	explicit_bzero(buffer, sizeof(buffer));
	if (r == STORE_E_CORRUPT) {
		return find_fault(slice, account->uid,
				  "the account's personal data is not what was sealed");
	}
	if (r == STORE_E_NONE && account->facts.removal_started_at == INSTANT_NONE) {
		return find_fault(slice, account->uid,
				  "the account's key or its personal data is missing");
	}
	return r < 0 ? r : 0;
}

static int prove_removed(struct slice_of_proof *slice, const struct account *account)
{
	struct key key = key_u64(account->uid);
	bool has_key = false;
	struct slice value;
	int r = store_has_key(slice->store, account->uid, &has_key);

	if (r == 0 && has_key) {
		return find_fault(slice, account->uid,
				  "the removed account's key is still in the vault");
	}
	if (r == 0) {
		r = kv_get(slice->txn, KV_PROFILES, key_slice(&key), &value);
	}
	if (r == 0) {
		return find_fault(slice, account->uid,
				  "the removed account's personal data is still there");
	}
	return r < 0 ? r : 0;
}

static int prove_account(struct slice_of_proof *slice, const struct account *account)
{
	bool removed = account->facts.removed_at != INSTANT_NONE;
	int r = removed ? prove_removed(slice, account) : prove_person(slice, account);

	slice->proof->n_started += account->facts.removal_started_at != INSTANT_NONE;
	slice->proof->n_completed += removed;
	if (r == 0 && !slice->proof->fault && is_settled(slice, account->uid)) {
		r = prove_keys_of(slice, account);
	}
	return r;
}

static int prove_accounts(struct slice_of_proof *slice)
{
	uint64_t uid = number_of(slice->place);
	struct account account;
	int r = 0;

	while (r == 0 && !is_enough(slice)) {
		r = store_next_account(slice->store, &uid, &account);
		if (r == 0) {
			slice->proof->n++;
			r = prove_account(slice, &account);
		} else if (r == STORE_E_CORRUPT) {
			r = find_fault(slice, uid, "the account's row cannot be read");
		}
	}
	slice->place->key = key_u64(uid);
	return r;
}

/* Indexes, from the key to the account */

static int prove_index_key(struct slice_of_proof *slice, enum index index, struct slice found)
{
	uint64_t uid = found.len < 8 ? 0 : load_be64(found.data + found.len - 8);
	struct key row_key = key_u64(uid), key;
	struct account account;
	struct slice row;
	int r;

	if (uid != 0 && !is_settled(slice, uid)) {
		return 0;
	}
	r = store_answer(kv_get(slice->txn, KV_ACCOUNTS, key_slice(&row_key), &row));
	if (r == STORE_E_NONE) {
		return find_fault(slice, uid, "an index has an account that is not there");
	}
	if (r == 0 && (rows_decode_account(uid, row, &account) != 0 ||
		       !index_key(index, &account, &key) || !slice_equal(key_slice(&key), found))) {
		return find_fault(slice, uid, "an index has the account where it does not belong");
	}
	return r;
}

/* Return: 0 at the end of the slice, STORE_E_NONE at that of the index, or as a read. */
static int walk_index(struct slice_of_proof *slice, enum index index)
{
	cleanup(kv_cursor_closep) struct kv_cursor *cursor = NULL;
	struct key *at = &slice->place->key;
	struct slice found;
	int r = kv_cursor_open(slice->txn, index_table(index), &cursor);

	if (r == 0) {
		r = kv_cursor_seek(cursor, key_slice(at), &found, NULL);
	}
	if (r == 0 && at->len > 0 && slice_equal(found, key_slice(at))) {
		r = kv_cursor_next(cursor, &found, NULL);
	}
	r = store_answer(r);
	while (r == 0 && !is_enough(slice)) {
		if (found.len > INDEX_KEY_LEN_MAX) {
			return find_fault(slice, 0, "an index has a key that cannot be");
		}
		*at = (struct key){0};
		key_add_bytes(at, found.data, found.len);
		slice->proof->n++;
		r = prove_index_key(slice, index, found);
		if (r == 0 && !is_enough(slice)) {
			r = store_answer(kv_cursor_next(cursor, &found, NULL));
		}
	}
	return r;
}

static int prove_indexes(struct slice_of_proof *slice)
{
	struct store_place *place = slice->place;
	int r = STORE_E_NONE;

	for (; place->index < _INDEX_MAX && r == STORE_E_NONE; place->index += r == STORE_E_NONE) {
		r = place->index == INDEX_UID ? STORE_E_NONE
					      : walk_index(slice, (enum index)place->index);
		if (r == STORE_E_NONE) {
			place->key = (struct key){0};
		}
	}
	return r == STORE_E_CORRUPT ? find_fault(slice, 0, "an index cannot be read") : r;
}

/* The register */

static int prove_record(struct slice_of_proof *slice, const struct register_record *record)
{
	struct account account;
	int r = store_get_account(slice->store, record->uid, &account);

	if (r == STORE_E_NONE) {
		return 0; /* forgotten long after its removal, or never restored from a backup */
	}
	if (r != 0) {
		return r < 0 ? r
			     : find_fault(slice, record->uid, "the account's row cannot be read");
	}
	if (account.facts.removal_started_at == INSTANT_NONE) {
		return find_fault(slice, record->uid,
				  "the register has a removal that the account has not");
	}
	slice->proof->n_started += record->kind == REGISTER_STARTED;
	slice->proof->n_completed += record->kind == REGISTER_COMPLETED;
	if (record->kind == REGISTER_COMPLETED && account.facts.removed_at == INSTANT_NONE) {
		return find_fault(slice, record->uid,
				  "the register has a removal complete that goes on");
	}
	return 0;
}

static int prove_register(struct slice_of_proof *slice)
{
	struct removal_register *removals = slice->store->removals;
	uint64_t i = number_of(slice->place);
	struct register_record record;
	int r = 0;

	while (r == 0 && !is_enough(slice) && i < register_n_synced(removals)) {
		r = register_get(removals, i++, &record);
		slice->proof->n++;
		if (r == 0) {
			r = prove_record(slice, &record);
		}
	}
	slice->place->key = key_u64(i);
	return r == 0 && !is_enough(slice) ? STORE_E_NONE : r;
}

int store_prove(struct store *store, struct store_place *place, uint32_t n_max,
		struct store_proof *ret_proof)
{
	static int (*const parts[])(struct slice_of_proof *) = {
		[STORE_PART_ACCOUNTS] = prove_accounts,
		[STORE_PART_INDEXES] = prove_indexes,
		[STORE_PART_REGISTER] = prove_register,
	};
	struct store_proof proof = {.more = true};
	struct slice_of_proof slice = {
		.store = store, .place = place, .proof = &proof, .n_max = n_max};
	int r = store_reading(store, &slice.txn);

	static_assert(ARRAY_LEN(parts) == _STORE_PART_MAX, "every part is proven");
	assert(place->part < _STORE_PART_MAX);
	if (r == 0) {
		r = parts[place->part](&slice);
	}
	if (r < 0) {
		return r;
	}
	if (r == STORE_E_NONE) {
		proof.more = place->part + 1 < _STORE_PART_MAX;
		*place = (struct store_place){.part = place->part + proof.more};
	}
	*ret_proof = proof;
	return 0;
}
