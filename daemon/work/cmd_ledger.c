/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/work/answer.h"
#include "daemon/work/cmd.h"
#include "daemon/work/events.h"
#include "daemon/work/verify.h"

/*
 * ledger.read goes forwards through everything, or backwards through one account, from entry to
 * entry as they are linked. ledger.verify proves a stretch of it, and the rows that it leads to;
 * whoever follows its next proves all of it.
 */

#define PAGE_BYTES_MAX (512 * 1024) /* reasons are long; one more entry stays within an answer */

/* Why is told of what concerns no account: of one, explain tells it to whoever may see the account. */
static int put_entry(struct call *call, const struct entry *entry,
		     const uint8_t hash[static ROWS_DIGEST_LEN])
{
	int r = 0;

	pack_write_map(call->out);
	events_put_entry(call->out, call->engine->store, entry, hash);
	if (entry->uid == 0) {
		r = answer_put_note(call->out, call->engine, entry);
	}
	pack_write_end(call->out);
	return r;
}

static bool has_room(const struct call *call, uint32_t n)
{
	return n < call->request->limit && call->out->len < PAGE_BYTES_MAX;
}

/* Entries from @seq on, and the number of the next one in @ret_next: 0 when there is none. */
static int put_entries(struct call *call, uint64_t seq, bool of_account, uint64_t *ret_next)
{
	uint8_t hash[ROWS_DIGEST_LEN];
	struct entry entry;
	int r = 0;

	for (uint32_t n = 0; has_room(call, n) && seq != 0; ++n) {
		r = store_get_entry(call->engine->store, seq, &entry, hash);
		r = r != 0 ? r : put_entry(call, &entry, hash);
		if (r != 0) {
			break;
		}
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

int cmd_ledger_verify(struct call *call)
{
	uint64_t from = REQUEST_HAS(call->request, from) ? call->request->from : 1;
	uint64_t head = store_head(call->engine->store)->seq;
	struct verification verification;
	int r;

	if (from > head) {
		return call_refuse_argument(call, "from", "is behind the end of the ledger");
	}
	r = verify_stretch(call->engine->store, from, call->request->limit, call->engine->now,
			   &verification);
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
