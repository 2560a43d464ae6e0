/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/inside.h"

/* Reads of what is sealed under an account's key: its profile and its notes. */

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
