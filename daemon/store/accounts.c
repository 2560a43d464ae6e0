/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/inside.h"

#include "daemon/core/lifecycle.h"

/*
 * Reads of accounts. Every order is read in the same way: the next key of the overlay or of the
 * table, whichever is smaller. A row in the overlay hides the one in the table: a key of the table
 * leads to it, or to nothing when the key has changed.
 */

static int store_answer(int kv_error)
{
	if (kv_error == KV_E_NONE) {
		return STORE_E_NONE;
	}
	return kv_error > 0 ? STORE_E_CORRUPT : kv_error;
}

/*
 * A row of an organization that is not there is damage as well, and so is one that stems from an
 * entry that is not there: callers need not look.
 */
static int store_read_row(struct store *store, uint64_t uid, struct account *ret_account)
{
	struct key key = key_u64(uid);
	struct account account;
	struct slice bytes;
	struct kv_txn *txn;
	int r = store_reading(store, &txn);

	if (r < 0) {
		return r;
	}
	if (store->last_read.uid == uid) {
		*ret_account = store->last_read;
		return 0;
	}
	r = kv_get(txn, KV_ACCOUNTS, key_slice(&key), &bytes);
	if (r != 0) {
		return store_answer(r);
	}
	if (rows_decode_account(uid, bytes, &account) != 0 || !store_org(store, account.org) ||
	    account.last_seq > store->head.seq) {
		return STORE_E_CORRUPT;
	}
	store->last_read = account; /* whoever found it changes it next, and reads it again */
	*ret_account = account;
	return 0;
}

int store_get_account(struct store *store, uint64_t uid, struct account *ret_account)
{
	const struct account *newer = overlay_get(store->overlay, uid);

	if (newer) {
		*ret_account = *newer;
		return 0;
	}
	return store_read_row(store, uid, ret_account);
}

/* What the overlay has of a row that a key of a table leads to. */
enum newer {
	NEWER_NONE,   /* nothing: the row is in its table */
	NEWER_SAME,   /* the row, under the same key */
	NEWER_HIDDEN, /* the row, under another key or none */
};

static enum newer newer_under(const struct store *store, enum index index, struct slice key,
			      struct account *ret_account)
{
	const struct account *newer = overlay_get(store->overlay, key_uid(key));
	struct key own;

	if (!newer) {
		return NEWER_NONE;
	}
	if (!index_key(index, newer, &own) || !slice_equal(key_slice(&own), key)) {
		return NEWER_HIDDEN;
	}
	*ret_account = *newer;
	return NEWER_SAME;
}

/* The row of a table. It must stand under the very key that led to it: else one is damaged. */
static int read_row_under(struct store *store, enum index index, struct slice key,
			  struct account *ret_account)
{
	struct account account;
	struct key own;
	int r = store_read_row(store, key_uid(key), &account);

	if (r != 0) {
		return r == STORE_E_NONE ? STORE_E_CORRUPT : r;
	}
	if (!index_key(index, &account, &own) || !slice_equal(key_slice(&own), key)) {
		return STORE_E_CORRUPT;
	}
	*ret_account = account;
	return 0;
}

/**
 * struct walk - through one order
 * @same:   only through the keys that begin as @key does, up to the uid at their end
 * @key:    the last one; moved on, to that of a damaged row as well, so that a caller can pass over it
 * @cursor: in the index's table; opened with the first step
 * @at_key: that is where the cursor stands
 */
struct walk {
	struct store *store;
	enum index index;
	bool same;
	struct key key;
	struct kv_cursor *cursor;
	bool at_key;
};

static void walk_done(struct walk *walk)
{
	walk->cursor = kv_cursor_close(walk->cursor);
}

static bool walk_is_before_front(const struct walk *walk)
{
	return walk->index == INDEX_DUE && due_front_is_behind(&walk->store->due_front, &walk->key);
}

/* Whether all keys of the table up to the walk's own are hidden. */
static bool walk_is_at_front(const struct walk *walk)
{
	const struct key *front = &walk->store->due_front.key;
	struct account account;

	if (walk->index != INDEX_DUE) {
		return false;
	}
	return walk_is_before_front(walk) ||
	       (slice_equal(key_slice(front), key_slice(&walk->key)) &&
		newer_under(walk->store, INDEX_DUE, key_slice(front), &account) == NEWER_HIDDEN);
}

/* The first key of the table behind that of the walk; hidden ones before the front are left out. */
static int walk_seek(struct walk *walk, struct slice *ret_key)
{
	const struct key *from =
		walk_is_before_front(walk) ? &walk->store->due_front.key : &walk->key;
	struct kv_txn *txn;
	int r;

	if (walk->at_key) {
		return kv_cursor_next(walk->cursor, ret_key, NULL);
	}
	r = store_reading(walk->store, &txn);
	if (r == 0 && !walk->cursor) {
		r = kv_cursor_open(txn, index_table(walk->index), &walk->cursor);
	}
	if (r == 0) {
		r = kv_cursor_seek(walk->cursor, key_slice(from), ret_key, NULL);
	}
	if (r == 0 && slice_equal(*ret_key, key_slice(&walk->key))) {
		r = kv_cursor_next(walk->cursor, ret_key, NULL);
	}
	return r;
}

/* Whether the walk goes no further than before a key of its own length. */
static bool walk_ends_before(const struct walk *walk, struct slice key)
{
	return walk->same && memcmp(key.data, walk->key.bytes, key.len - 8) != 0;
}

static int key_compare(struct slice a, struct slice b)
{
	int r = memcmp(a.data, b.data, MIN(a.len, b.len));

	return r != 0 ? r : (a.len > b.len) - (a.len < b.len);
}

/*
 * The next key of the table that the overlay does not hide, if it stands before @bound (when there
 * is one). Without the bound, a walk through rows that are all hidden would look at all of them in
 * every step. A key of another length is damage that leads to no row.
 */
static int walk_keys(struct walk *walk, const struct key *bound, enum newer *ret_newer,
		     struct account *ret_account)
{
	struct slice key;
	int r = walk_seek(walk, &key);

	for (; r == 0; r = kv_cursor_next(walk->cursor, &key, NULL)) {
		if (bound && key_compare(key, key_slice(bound)) >= 0) {
			return KV_E_NONE;
		}
		if (key.len != walk->key.len) {
			continue;
		}
		if (walk_ends_before(walk, key)) {
			return KV_E_NONE;
		}
		*ret_newer = newer_under(walk->store, walk->index, key, ret_account);
		if (*ret_newer != NEWER_HIDDEN) {
			memcpy(walk->key.bytes, key.data, key.len);
			walk->at_key = true;
			return 0;
		}
	}
	return r;
}

/* The row under that key. */
static int walk_table(struct walk *walk, const struct key *bound, struct account *ret_account)
{
	bool at_front = walk_is_at_front(walk);
	enum newer newer = NEWER_NONE;
	int r = walk_keys(walk, bound, &newer, ret_account);

	if (at_front && (r == 0 || r == KV_E_NONE)) {
		due_front_raise(&walk->store->due_front, walk->store->overlay,
				r == 0 ? &walk->key : bound);
	}
	if (r != 0 || newer == NEWER_SAME) {
		return store_answer(r);
	}
	return read_row_under(walk->store, walk->index, key_slice(&walk->key), ret_account);
}

/* The next row: of the overlay or of the table, whichever key is smaller. */
static int walk_next(struct walk *walk, struct account *ret_account)
{
	struct key newer_key;
	const struct account *newer =
		overlay_next(walk->store->overlay, walk->index, &walk->key, &newer_key);
	int r;

	if (newer && walk_ends_before(walk, key_slice(&newer_key))) {
		newer = NULL;
	}
	r = walk_table(walk, newer ? &newer_key : NULL, ret_account);
	if (r == STORE_E_NONE && newer) {
		walk->key = newer_key;
		walk->at_key = false;
		*ret_account = *newer;
		return 0;
	}
	return r;
}

/* One step behind @key, which moves on. */
static int step(struct store *store, enum index index, bool same, struct key *key,
		struct account *ret_account)
{
	cleanup(walk_done) struct walk walk = {
		.store = store, .index = index, .same = same, .key = *key};
	int r = walk_next(&walk, ret_account);

	*key = walk.key;
	return r;
}

int store_find_by_id(struct store *store, uint32_t org, struct slice id,
		     struct account *ret_account)
{
	cleanup(walk_done) struct walk walk = {.store = store, .index = INDEX_ID, .same = true};
	uint8_t hash[ROWS_HASH_LEN];
	struct account account;
	bool found = false;
	int r;

	store_hash_id(store, org, id, hash);
	walk.key = key_by_org_hash(org, hash, 0);
	while ((r = walk_next(&walk, &account)) == 0) {
		*ret_account = account; /* uids grow: the last is the newest */
		found = true;
	}
	return r == STORE_E_NONE && found ? 0 : r;
}

struct person_position store_begin_person(const struct store *store, struct slice person)
{
	struct person_position position = {.uid = 0};

	store_hash_person(store, person, position.hash);
	return position;
}

int store_next_of_person(struct store *store, struct person_position *position,
			 struct account *ret_account)
{
	struct key key = key_by_person(position->hash, position->uid);
	int r = step(store, INDEX_PERSON, true, &key, ret_account);

	if (r == 0) {
		position->uid = ret_account->uid;
	}
	return r;
}

int store_find_by_person(struct store *store, uint32_t org, struct slice person,
			 struct account *ret_account)
{
	struct person_position position = store_begin_person(store, person);
	struct account account;
	bool found = false;
	int r;

	while ((r = store_next_of_person(store, &position, &account)) == 0) {
		if (account.org != org) {
			continue;
		}
		*ret_account = account;
		found = true;
		if (account.facts.deleted_at == INSTANT_NONE) {
			return 0;
		}
	}
	return r == STORE_E_NONE && found ? 0 : r;
}

/* Whether an account other than @account is active among those with the same name. */
static int name_is_taken(struct store *store, enum index index, struct key key,
			 const struct account *account, bool *ret_taken)
{
	cleanup(walk_done) struct walk walk = {
		.store = store, .index = index, .same = true, .key = key};
	struct account other;
	int r;

	while ((r = walk_next(&walk, &other)) == 0) {
		if (other.uid != account->uid && other.facts.deleted_at == INSTANT_NONE) {
			*ret_taken = true;
			return 0;
		}
	}
	return r == STORE_E_NONE ? 0 : r;
}

int store_name_taken(struct store *store, const struct account *account, struct slice new_upn,
		     bool *ret_taken)
{
	uint8_t hash_upn[ROWS_HASH_LEN];
	bool taken = false;
	int r;

	memcpy(hash_upn, account->hash_upn, sizeof(hash_upn));
	if (new_upn.len > 0) {
		store_hash_upn(store, account->org, new_upn, hash_upn);
	}
	r = name_is_taken(store, INDEX_UPN, key_by_org_hash(account->org, hash_upn, 0), account,
			  &taken);
	if (r == 0) {
		r = name_is_taken(store, INDEX_ID,
				  key_by_org_hash(account->org, account->hash_id, 0), account,
				  &taken);
	}
	if (r == 0) {
		*ret_taken = taken;
	}
	return r;
}

int store_next_account(struct store *store, uint64_t *uid, struct account *ret_account)
{
	struct key key = key_u64(*uid);
	int r = step(store, INDEX_UID, false, &key, ret_account);

	if (r == 0 || r == STORE_E_CORRUPT) {
		*uid = key_uid(key_slice(&key));
	}
	return r;
}

int store_next_of_org(struct store *store, uint32_t org, struct org_position *position,
		      struct account *ret_account)
{
	struct key key = key_by_org_hash(org, position->hash, position->uid);
	int r = step(store, INDEX_ID, false, &key, ret_account);

	if (r != 0 && r != STORE_E_CORRUPT) {
		return r;
	}
	if (load_be32(key.bytes) != org) {
		return STORE_E_NONE;
	}
	memcpy(position->hash, key.bytes + 4, ROWS_HASH_LEN);
	position->uid = key_uid(key_slice(&key));
	return r;
}

/* A key that is no instant is damaged, and all behind it are: they count as one, at the end. */
static int next_by_time(struct store *store, enum index index, struct due_position *position,
			struct account *ret_account)
{
	struct key key = key_due(position->at, position->uid);
	uint64_t at;
	int r;

	if (position->at == INT64_MAX && position->uid == UINT64_MAX) {
		return STORE_E_NONE;
	}
	r = step(store, index, false, &key, ret_account);
	if (r != 0 && r != STORE_E_CORRUPT) {
		return r;
	}
	at = load_be64(key.bytes);
	if (at > INT64_MAX) {
		*position = (struct due_position){INT64_MAX, UINT64_MAX};
		return STORE_E_CORRUPT;
	}
	*position = (struct due_position){(instant_t)at, key_uid(key_slice(&key))};
	return r;
}

int store_next_due(struct store *store, struct due_position *position, struct account *ret_account)
{
	return next_by_time(store, INDEX_DUE, position, ret_account);
}

int store_next_owed(struct store *store, struct due_position *position, struct account *ret_account)
{
	return next_by_time(store, INDEX_OWED, position, ret_account);
}

/* What is sealed under a key, into the caller's @buffer of @plain_max bytes. */
static int store_unseal(struct store *store, enum kv_table table, const struct key *key,
			enum vault_purpose purpose, size_t plain_max, void *buffer,
			struct slice *ret_plain)
{
	struct slice sealed;
	struct kv_txn *txn;
	int r = store_reading(store, &txn);

	if (r < 0) {
		return r;
	}
	r = kv_get(txn, table, key_slice(key), &sealed);
	if (r != 0) {
		return store_answer(r);
	}
	if (sealed.len < VAULT_SEAL_OVERHEAD || sealed.len > plain_max + VAULT_SEAL_OVERHEAD) {
		return STORE_E_CORRUPT;
	}
	r = vault_unseal(store->vault, load_be64(key->bytes), purpose, sealed, buffer);
	if (r != 0) {
		return r == VAULT_E_NONE ? STORE_E_NONE : r > 0 ? STORE_E_CORRUPT : r;
	}
	*ret_plain = (struct slice){buffer, sealed.len - VAULT_SEAL_OVERHEAD};
	return 0;
}

int store_get_profile(struct store *store, uint64_t uid, void *buffer, struct profile *ret_profile)
{
	struct key key = key_u64(uid);
	struct slice plain;
	int r = store_unseal(store, KV_PROFILES, &key, VAULT_PURPOSE_PROFILE,
			     MODEL_PROFILE_BYTES_MAX, buffer, &plain);

	if (r != 0) {
		return r;
	}
	return rows_decode_profile(plain, ret_profile) == 0 ? 0 : STORE_E_CORRUPT;
}

int store_profile_equals(struct store *store, uint64_t uid, const struct profile *profile,
			 bool *ret_equal)
{
	struct key key = key_u64(uid);
	size_t len = rows_profile_len(profile);
	struct slice plain;
	int r = store_unseal(store, KV_PROFILES, &key, VAULT_PURPOSE_PROFILE, sizeof(store->plain),
			     store->plain, &plain);

	if (r != 0) {
		return r == STORE_E_NONE ? STORE_E_CORRUPT : r;
	}
	assert(len <= sizeof(store->sealed));
	rows_encode_profile(profile, store->sealed);
	*ret_equal = slice_equal(plain, (struct slice){(const char *)store->sealed, len});
	explicit_bzero(store->sealed, len);
	explicit_bzero(store->plain, plain.len);
	return 0;
}

int store_get_note(struct store *store, uint64_t uid, uint64_t seq, void *buffer,
		   struct note *ret_note)
{
	struct key key = key_note(uid, seq);
	struct slice plain;
	int r = store_unseal(store, KV_NOTES, &key, VAULT_PURPOSE_NOTE, ROWS_NOTE_LEN_MAX, buffer,
			     &plain);

	if (r != 0) {
		return r;
	}
	return rows_decode_note(plain, ret_note) == 0 ? 0 : STORE_E_CORRUPT;
}

int store_get_entry(struct store *store, uint64_t seq, struct entry *ret_entry,
		    uint8_t ret_hash[ROWS_DIGEST_LEN])
{
	uint8_t hash[ROWS_DIGEST_LEN];
	struct kv_txn *txn;
	int r = store_reading(store, &txn);

	if (r < 0) {
		return r;
	}
	r = ledger_get(txn, seq, ret_entry, hash);
	if (r == 0 && ret_hash) {
		memcpy(ret_hash, hash, sizeof(hash));
	}
	return r == LEDGER_E_NONE ? STORE_E_NONE : r > 0 ? STORE_E_CORRUPT : r;
}
