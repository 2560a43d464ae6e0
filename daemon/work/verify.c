/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/work/verify.h"

#include "daemon/work/tombstones.h"

/* What the steps below share: one entry being proven. */
struct proof {
	struct store *store;
	instant_t now;
	struct verification *verification;
	struct entry entry;
};

static const char *fault_of_entry(int r)
{
	return r == STORE_E_NONE ? "the entry is missing" : "the entry cannot be read";
}

/* Another entry of the account that is being proven, by a link to it. */
static int find_linked(struct proof *proof, uint64_t seq, bool *ret_found)
{
	struct entry entry;
	int r = store_get_entry(proof->store, seq, &entry, NULL);

	++proof->verification->n_reads;
	*ret_found = r == 0 && entry.uid == proof->entry.uid;
	return r < 0 ? r : 0;
}

static int prove_link(struct proof *proof)
{
	struct verification *verification = proof->verification;
	const struct entry *entry = &proof->entry;
	bool found = entry->uid == 0 || entry->event == EVENT_IMPORTED;
	int r = 0;

	if (entry->prev_seq >= entry->seq) {
		verification->fault =
			"the entry's link to the account's entry before leads forwards";
		return 0;
	}
	if (entry->prev_seq != 0) {
		r = find_linked(proof, entry->prev_seq, &found);
	}
	if (r == 0 && !found) {
		verification->fault =
			"the entry's link does not lead to the account's entry before";
	}
	return r;
}

/*
 * Tombstones are dropped in the end, and with them what the row could be compared to. What is
 * dropped was removed, so that its key is gone, and long ago.
 */
static int prove_forgotten(struct proof *proof)
{
	bool has_key;
	int r = store_has_key(proof->store, proof->entry.uid, &has_key);

	if (r == 0 && (has_key || proof->entry.at + TOMBSTONES_SPAN_MIN > proof->now)) {
		proof->verification->fault =
			"the account's row is missing, and it was not removed long ago";
	}
	return r;
}

/* Rows are encoded in one way only, so that equal bytes are equal rows. */
static bool rows_equal(const struct account *a, const struct account *b)
{
	uint8_t bytes[2][ROWS_ACCOUNT_LEN];
	size_t len = rows_encode_account(a, bytes[0]);

	return a->uid == b->uid && rows_encode_account(b, bytes[1]) == len &&
	       memcmp(bytes[0], bytes[1], len) == 0;
}

/* The entry is the last one of its account: the row must be what all of them lead to. */
static int prove_whole_row(struct proof *proof, const struct account *row)
{
	struct verification *verification = proof->verification;
	struct account retold;
	uint32_t n;
	int r = store_retell_account(proof->store, row->uid, row->last_seq, &retold, &n);

	if (r == STORE_E_TOO_LONG) {
		verification->n_reads += STORE_HISTORY_MAX;
		return 0; /* each entry is proven by itself; no command makes so many */
	}
	if (r == STORE_E_CORRUPT) {
		verification->fault = "the account's entries do not hang together";
	} else if (r == 0) {
		verification->n_reads += 2 * n;
		if (!rows_equal(row, &retold)) {
			verification->fault = "the account's row is not what the ledger says";
		}
	}
	return r < 0 ? r : 0;
}

/* A row that stems from a later entry is proven there, if that is one of its own. */
static int prove_later_row(struct proof *proof, const struct account *row)
{
	bool found;
	int r = find_linked(proof, row->last_seq, &found);

	if (r == 0 && !found) {
		proof->verification->fault =
			"the account's row stems from an entry that is not its own";
	}
	return r;
}

static int prove_row(struct proof *proof)
{
	struct account row;
	int r = store_get_account(proof->store, proof->entry.uid, &row);

	switch (r) {
	case 0:
		break;
	case STORE_E_NONE:
		return prove_forgotten(proof);
	case STORE_E_CORRUPT:
		proof->verification->fault = "the account's row cannot be read";
		return 0;
	default:
		return r;
	}
	if (row.last_seq < proof->entry.seq) {
		proof->verification->fault = "the account's row is older than the entry";
		return 0;
	}
	return row.last_seq > proof->entry.seq ? prove_later_row(proof, &row)
					       : prove_whole_row(proof, &row);
}

static int prove_entry(struct proof *proof, uint64_t seq)
{
	struct verification *verification = proof->verification;
	uint8_t hash[ROWS_DIGEST_LEN];
	int r = store_get_entry(proof->store, seq, &proof->entry, hash);

	++verification->n_reads;
	verification->seq = seq;
	if (r > 0) {
		verification->fault = fault_of_entry(r);
	} else if (r == 0 &&
		   memcmp(proof->entry.prev_hash, verification->hash, sizeof(hash)) != 0) {
		verification->fault = "the entry, or the one before it, is not what was written";
	} else if (r == 0) {
		r = prove_link(proof);
	}
	if (r == 0 && !verification->fault && proof->entry.uid != 0) {
		r = prove_row(proof);
	}
	if (r == 0 && !verification->fault) {
		++verification->n;
		memcpy(verification->hash, hash, sizeof(hash));
	}
	return r < 0 ? r : 0;
}

/* The hash that the first entry of the stretch must carry: of the entry before, or zeros. */
static int begin(struct store *store, uint64_t from, struct verification *verification)
{
	struct entry entry;
	int r = from > 1 ? store_get_entry(store, from - 1, &entry, verification->hash) : 0;

	if (r > 0) {
		verification->seq = from - 1;
		verification->fault = fault_of_entry(r);
	}
	return r < 0 ? r : 0;
}

static bool is_enough(const struct verification *verification, uint32_t n_max)
{
	return verification->fault || verification->n >= n_max ||
	       verification->n_reads >= VERIFY_READS_MAX;
}

int verify_stretch(struct store *store, uint64_t from, uint32_t n_max, instant_t now,
		   struct verification *ret_verification)
{
	struct verification verification = {0};
	struct proof proof = {.store = store, .now = now, .verification = &verification};
	const struct ledger_head *head = store_head(store);
	int r = begin(store, from, &verification);

	for (uint64_t seq = from; seq <= head->seq && r == 0 && !is_enough(&verification, n_max);
	     ++seq) {
		r = prove_entry(&proof, seq);
	}
	if (r == 0 && !verification.fault && verification.seq == head->seq &&
	    memcmp(verification.hash, head->hash, sizeof(head->hash)) != 0) {
		verification.fault = "the last entry is not the one that was written";
	}
	if (r == 0) {
		*ret_verification = verification;
	}
	return r;
}
