/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_STORE_LEDGER_H
#define RETENTIOND_STORE_LEDGER_H

#include "common/base.h"

#include "daemon/store/kv.h"
#include "daemon/store/rows.h"

/*
 * The append-only record of everything that happened. Numbers run from 1 without a gap; each
 * entry carries the hash of the one before it, so that a changed, a missing or an added entry
 * breaks the chain from there on.
 */

enum {
	LEDGER_E_NONE = 1, /* no such entry */
	LEDGER_E_CORRUPT,  /* it cannot be read as an entry */
};

/**
 * struct ledger_head - the last entry
 * @seq:  0 if the ledger is empty
 * @at:   INSTANT_NONE if it is empty
 * @hash: BLAKE2b-256 of the entry as it is stored; zeros if it is empty
 */
struct ledger_head {
	uint64_t seq;
	instant_t at;
	uint8_t hash[ROWS_DIGEST_LEN];
};

/* Return: 0 (an empty ledger has a head of zeros), LEDGER_E_CORRUPT, or a negative errno. */
must_check int ledger_load_head(struct kv_txn *txn, struct ledger_head *ret_head);

/*
 * Appends @entry, setting its seq and prev_hash, and moves @head to it. Errors stick to the
 * transaction.
 */
void ledger_append(struct kv_txn *txn, struct ledger_head *head, struct entry *entry);

/*
 * @ret_hash: of the entry as it is stored. Return: 0, LEDGER_E_NONE, LEDGER_E_CORRUPT, or a
 * negative errno.
 */
must_check int ledger_get(struct kv_txn *txn, uint64_t seq, struct entry *ret_entry,
			  uint8_t ret_hash[ROWS_DIGEST_LEN]);

/* BLAKE2b-256. */
void ledger_digest(struct slice bytes, uint8_t ret_digest[ROWS_DIGEST_LEN]);

#endif
