/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/ledger.h"

#include <sodium.h>

#include "daemon/store/schema.h"

static_assert(ROWS_DIGEST_LEN == crypto_generichash_BYTES, "the chain is BLAKE2b-256");

void ledger_digest(struct slice bytes, uint8_t ret_digest[ROWS_DIGEST_LEN])
{
	(void)crypto_generichash(ret_digest, ROWS_DIGEST_LEN, (const unsigned char *)bytes.data,
				 bytes.len, NULL, 0); /* fails on wrong lengths only */
}

static int ledger_decode(uint64_t seq, struct slice bytes, struct entry *ret_entry,
			 uint8_t *ret_hash)
{
	struct entry entry;

	if (rows_decode_entry(seq, bytes, &entry) != 0) {
		return LEDGER_E_CORRUPT;
	}
	ledger_digest(bytes, ret_hash);
	*ret_entry = entry;
	return 0;
}

int ledger_get(struct kv_txn *txn, uint64_t seq, struct entry *ret_entry,
	       uint8_t ret_hash[ROWS_DIGEST_LEN])
{
	struct key key = key_u64(seq);
	struct slice bytes;
	int r = kv_get(txn, KV_LEDGER, key_slice(&key), &bytes);

	if (r == KV_E_NONE) {
		return LEDGER_E_NONE;
	}
	if (r != 0) {
		return r < 0 ? r : LEDGER_E_CORRUPT;
	}
	return ledger_decode(seq, bytes, ret_entry, ret_hash);
}

static int ledger_read_last(struct kv_cursor *cursor, struct ledger_head *ret_head)
{
	struct slice key, bytes;
	struct entry entry;
	int r = kv_cursor_last(cursor, &key, &bytes);

	if (r == KV_E_NONE) {
		*ret_head = (struct ledger_head){.at = INSTANT_NONE};
		return 0;
	}
	if (r < 0) {
		return r;
	}
	if (r != 0 || key.len != 8 ||
	    ledger_decode(load_be64(key.data), bytes, &entry, ret_head->hash) != 0) {
		return LEDGER_E_CORRUPT;
	}
	ret_head->seq = entry.seq;
	ret_head->at = entry.at;
	return 0;
}

int ledger_load_head(struct kv_txn *txn, struct ledger_head *ret_head)
{
	cleanup(kv_cursor_closep) struct kv_cursor *cursor = NULL;
	int r = kv_cursor_open(txn, KV_LEDGER, &cursor);

	if (r != 0) {
		return r < 0 ? r : LEDGER_E_CORRUPT;
	}
	return ledger_read_last(cursor, ret_head);
}

void ledger_append(struct kv_txn *txn, struct ledger_head *head, struct entry *entry)
{
	uint8_t bytes[ROWS_ENTRY_LEN_MAX];
	struct slice stored = {(const char *)bytes, 0};
	struct key key;

	entry->seq = head->seq + 1;
	memcpy(entry->prev_hash, head->hash, ROWS_DIGEST_LEN);
	stored.len = rows_encode_entry(entry, bytes);
	key = key_u64(entry->seq);
	kv_append(txn, KV_LEDGER, key_slice(&key), stored);
	head->seq = entry->seq;
	head->at = entry->at;
	ledger_digest(stored, head->hash);
}
