/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/lifecycle.h"
#include "daemon/work/answer.h"
#include "daemon/work/cmd.h"

/*
 * ledger.read goes forwards through everything, or backwards through one account, from entry to
 * entry as they are linked. ledger.verify proves a stretch of the chain; whoever follows its next
 * proves all of it.
 */

static void put_entry(struct call *call, const struct entry *entry, const uint8_t *hash)
{
	const struct org *org = store_org(call->engine->store, entry->org);

	pack_write_map(call->out);
	pack_put_uint(call->out, "seq", entry->seq);
	pack_put_int(call->out, "at_us", entry->at);
	pack_put_cstr(call->out, "event", event_name(entry->event));
	if (entry->uid != 0) {
		pack_put_uint(call->out, "uid", entry->uid);
	}
	if (org) {
		pack_put_cstr(call->out, "org", org->id);
	}
	pack_put_cstr(call->out, "role", role_name(entry->actor_role));
	pack_put_uint(call->out, "actor_uid", entry->actor_uid);
	if (entry->uid != 0) {
		pack_put_cstr(call->out, "state",
			      account_state_name(lifecycle_state(&entry->facts, entry->at)));
	}
	answer_put_hex(call->out, "hash", hash, ROWS_DIGEST_LEN);
	pack_write_end(call->out);
}

/* Entries from @seq on, and the number of the next one in @ret_next: 0 when there is none. */
static int put_entries(struct call *call, uint64_t seq, bool of_account, uint64_t *ret_next)
{
	uint8_t hash[ROWS_DIGEST_LEN];
	struct entry entry;
	int r = 0;

	for (uint32_t i = 0; i < call->request->limit && seq != 0 && r == 0; ++i) {
		r = store_get_entry(call->engine->store, seq, &entry, hash);
		if (r != 0) {
			break;
		}
		put_entry(call, &entry, hash);
		if (of_account) {
			seq = entry.prev_seq < seq ? entry.prev_seq : 0;
		} else {
			seq = seq < store_head(call->engine->store)->seq ? seq + 1 : 0;
		}
	}
	*ret_next = seq;
	return r == STORE_E_NONE ? 0 : r;
}

static int read_entries(struct call *call, uint64_t from, bool of_account)
{
	uint64_t next;
	int r;

	pack_write_map(call->out);
	pack_put_cstr(call->out, "outcome", outcome_code(OUTCOME_OK));
	pack_put_array(call->out, "entries");
	r = put_entries(call, from, of_account, &next);
	pack_write_end(call->out);
	if (next != 0) {
		pack_put_uint(call->out, "next", next);
	}
	pack_write_end(call->out);
	return r > 0 ? call_refuse_damaged(call, "an entry of the ledger") : r;
}

static int check_is_own(struct call *call, const struct account *account, uint64_t seq)
{
	struct entry entry;
	int r = store_get_entry(call->engine->store, seq, &entry, NULL);

	if (r == STORE_E_NONE || (r == 0 && entry.uid != account->uid)) {
		return call_refuse_argument(call, "from", "is not an entry of this account");
	}
	return r > 0 ? call_refuse_damaged(call, "an entry of the ledger") : r;
}

static int read_account(struct call *call, const struct item *item)
{
	struct account account;
	enum outcome outcome;
	uint64_t from;
	int r = call_find_account(call, item, &account, &outcome);

	if (r < 0) {
		return r;
	}
	if (outcome != OUTCOME_OK) {
		pack_write_map(call->out);
		answer_put_outcome(call->out, outcome, OUTCOME_BIT(outcome));
		pack_put_array(call->out, "entries");
		pack_write_end(call->out);
		pack_write_end(call->out);
		return 0;
	}
	from = REQUEST_HAS(call->request, from) ? call->request->from : account.last_seq;
	r = check_is_own(call, &account, from);
	return r == 0 ? read_entries(call, from, true) : r;
}

int cmd_ledger_read(struct call *call)
{
	const struct request *request = call->request;
	struct item item = request_account(request);
	const char *fault;

	if (item.given == 0) {
		uint64_t from = REQUEST_HAS(request, from) ? request->from : 1;

		return read_entries(call, from <= store_head(call->engine->store)->seq ? from : 0,
				    false);
	}
	fault = request_account_fault(&item);
	return fault ? call_refuse_argument(call, "account", fault) : read_account(call, &item);
}

int cmd_ledger_head(struct call *call)
{
	const struct ledger_head *head = store_head(call->engine->store);

	pack_write_map(call->out);
	pack_put_uint(call->out, "seq", head->seq);
	answer_put_instant(call->out, "at_us", head->at);
	answer_put_hex(call->out, "hash", head->hash, sizeof(head->hash));
	pack_write_end(call->out);
	return 0;
}

/* What a stretch of the chain comes to. @fault is NULL while it is whole. */
struct verification {
	uint64_t seq; /* the last entry proven, or the one at fault */
	uint32_t n;
	const char *fault;
	uint8_t hash[ROWS_DIGEST_LEN];
};

static int verify_entry(struct store *store, uint64_t seq, struct verification *verification)
{
	uint8_t hash[ROWS_DIGEST_LEN];
	struct entry entry;
	int r = store_get_entry(store, seq, &entry, hash);

	verification->seq = seq;
	if (r == STORE_E_NONE) {
		verification->fault = "the entry is missing";
	} else if (r == STORE_E_CORRUPT) {
		verification->fault = "the entry cannot be read";
	} else if (r == 0 && memcmp(entry.prev_hash, verification->hash, sizeof(hash)) != 0) {
		verification->fault = "the entry, or the one before it, is not what was written";
	} else if (r == 0 && entry.prev_seq >= seq) {
		verification->fault =
			"the entry's link to the account's entry before leads forwards";
	} else if (r == 0) {
		++verification->n;
		memcpy(verification->hash, hash, sizeof(hash));
	}
	return r < 0 ? r : 0;
}

/* The hash that the first entry of the stretch must carry: of the entry before, or zeros. */
static int verify_begin(struct store *store, uint64_t from, struct verification *verification)
{
	struct entry entry;
	int r = from > 1 ? store_get_entry(store, from - 1, &entry, verification->hash) : 0;

	if (r > 0) {
		verification->seq = from - 1;
		verification->fault =
			r == STORE_E_NONE ? "the entry is missing" : "the entry cannot be read";
	}
	return r < 0 ? r : 0;
}

static int verify_stretch(struct call *call, uint64_t from, struct verification *verification)
{
	struct store *store = call->engine->store;
	const struct ledger_head *head = store_head(store);
	int r = verify_begin(store, from, verification);

	for (uint64_t seq = from; seq <= head->seq && seq - from < call->request->limit && r == 0;
	     ++seq) {
		if (verification->fault) {
			break;
		}
		r = verify_entry(store, seq, verification);
	}
	if (r == 0 && !verification->fault && verification->seq == head->seq &&
	    memcmp(verification->hash, head->hash, sizeof(head->hash)) != 0) {
		verification->fault = "the last entry is not the one that was written";
	}
	return r;
}

int cmd_ledger_verify(struct call *call)
{
	uint64_t from = REQUEST_HAS(call->request, from) ? call->request->from : 1;
	uint64_t head = store_head(call->engine->store)->seq;
	struct verification verification = {0};
	int r;

	if (from > head) {
		return call_refuse_argument(call, "from", "is behind the end of the ledger");
	}
	r = verify_stretch(call, from, &verification);
	if (r < 0) {
		return r;
	}
	pack_write_map(call->out);
	pack_put_uint(call->out, "from", from);
	pack_put_uint(call->out, "to", verification.seq);
	pack_put_uint(call->out, "entries", verification.n);
	pack_put_bool(call->out, "ok", !verification.fault);
	if (verification.fault) {
		pack_put_map(call->out, "fault");
		pack_put_uint(call->out, "seq", verification.seq);
		pack_put_cstr(call->out, "what", verification.fault);
		pack_write_end(call->out);
	} else if (verification.seq < head) {
		pack_put_uint(call->out, "next", verification.seq + 1);
	}
	answer_put_hex(call->out, "hash", verification.hash, sizeof(verification.hash));
	pack_write_end(call->out);
	return 0;
}
