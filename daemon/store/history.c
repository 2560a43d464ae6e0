/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "daemon/store/inside.h"

/*
 * The other way round from a command: from the ledger's entries of one account to its row. Entries
 * are linked backwards and told forwards, so their numbers are gathered first.
 */

/* Numbers of entries, growing. */
struct numbers {
	uint64_t *items;
	uint32_t n;
	uint32_t size;
};

static int numbers_add(struct numbers *numbers, uint64_t seq)
{
	if (numbers->n == numbers->size) {
		uint32_t size = MAX(2 * numbers->size, 16u);
		uint64_t *items = reallocarray(numbers->items, size, sizeof(*items));

		if (!items) {
			return -ENOMEM;
		}
		numbers->items = items;
		numbers->size = size;
	}
	numbers->items[numbers->n++] = seq;
	return 0;
}

/* Numbers fall from link to link, so that the walk ends even where the ledger is damaged. */
static int gather(struct store *store, uint64_t uid, uint64_t last_seq, struct numbers *numbers)
{
	struct entry entry = {.event = EVENT_IMPORTED};

	for (uint64_t seq = last_seq; seq != 0; seq = entry.prev_seq) {
		int r = numbers->n < STORE_HISTORY_MAX ? store_get_entry(store, seq, &entry, NULL)
						       : STORE_E_TOO_LONG;

		if (r == 0 && (entry.uid != uid || entry.prev_seq >= seq)) {
			r = STORE_E_CORRUPT;
		}
		if (r == 0) {
			r = numbers_add(numbers, seq);
		}
		if (r != 0) {
			return r == STORE_E_NONE ? STORE_E_CORRUPT : r;
		}
	}
	return numbers->n > 0 && entry.event == EVENT_IMPORTED ? 0 : STORE_E_CORRUPT;
}

int store_walk_history(struct store *store, uint64_t uid, uint64_t last_seq, store_history_fn *take,
		       void *userdata)
{
	struct numbers numbers = {0};
	uint8_t hash[ROWS_DIGEST_LEN];
	struct entry entry;
	int r = gather(store, uid, last_seq, &numbers);

	for (uint32_t i = numbers.n; i > 0 && r == 0; i--) {
		r = store_get_entry(store, numbers.items[i - 1], &entry, hash);
		if (r == 0) {
			take(userdata, &entry, hash);
		}
	}
	free(numbers.items);
	return r;
}

struct retelling {
	struct account account;
	uint32_t n;
};

static void retell(void *userdata, const struct entry *entry,
		   unused const uint8_t hash[static ROWS_DIGEST_LEN])
{
	struct retelling *retelling = userdata;

	if (retelling->n++ == 0) {
		retelling->account = (struct account){
			.uid = entry->uid, .org = entry->org, .created_at = entry->at};
	}
	store_take_entry(&retelling->account, entry);
}

int store_retell_account(struct store *store, uint64_t uid, uint64_t last_seq,
			 struct account *ret_account, uint32_t *ret_n)
{
	struct retelling retelling = {.n = 0};
	int r = store_walk_history(store, uid, last_seq, retell, &retelling);

	if (r == 0) {
		*ret_account = retelling.account;
		*ret_n = retelling.n;
	}
	return r;
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
