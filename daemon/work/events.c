/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/work/events.h"

#include "common/commands.h"
#include "common/rpc.h"

#include "daemon/core/access.h"
#include "daemon/core/lifecycle.h"
#include "daemon/work/answer.h"

/*
 * Whether a removal started with this entry. A purge and the clock start nothing else; what else
 * can start one tells it by the instant. A release records nothing about a removal that runs
 * already.
 */
static bool entry_starts_removal(const struct entry *entry)
{
	instant_t started_at = entry->facts.removal_started_at;

	switch ((int)entry->event) {
	case EVENT_PURGED:
	case EVENT_REMOVAL_STARTED:
		return true;
	case EVENT_IMPORTED:
	case EVENT_LEFT:
	case EVENT_DELETED:
		return started_at != INSTANT_NONE;
	case EVENT_HOLD_REMOVED:
		return started_at == entry->at;
	}
	return false;
}

static void put_account(struct pack_writer *out, const struct entry *entry)
{
	pack_put_cstr(out, "state", account_state_name(lifecycle_state(&entry->facts, entry->at)));
	if (entry_starts_removal(entry)) {
		pack_put_bool(out, "starts_removal", true);
	}
	if (entry->facts.late) {
		pack_put_bool(out, "late", true);
	}
}

void events_put_particulars(struct pack_writer *out, const struct store *store,
			    const struct entry *entry)
{
	const struct keeper *keeper = store_keeper(store, entry->keeper);

	if (keeper) {
		pack_put_cstr(out, "keeper", keeper->name);
	}
	if (entry->result != 0) {
		pack_put_cstr(out, "result", task_result_name(entry->result));
	}
	if (entry->ground[0] != '\0') {
		pack_put_cstr(out, "ground", entry->ground);
	}
	if (entry->count != 0) {
		pack_put_uint(out, "count", entry->count);
	}
	if (entry->request != 0) {
		pack_put_uint(out, "request", entry->request);
	}
	if (entry->decision != 0) {
		pack_put_uint(out, "decision", entry->decision);
	}
}

void events_put_entry(struct pack_writer *out, const struct store *store, const struct entry *entry,
		      const uint8_t hash[static ROWS_DIGEST_LEN])
{
	const struct org *org = store_org(store, entry->org);

	pack_put_uint(out, "seq", entry->seq);
	pack_put_int(out, "at_us", entry->at);
	pack_put_cstr(out, "event", event_name(entry->event));
	if (entry->uid != 0) {
		pack_put_uint(out, "uid", entry->uid);
	}
	if (org) {
		pack_put_cstr(out, "org", org->id);
	}
	pack_put_cstr(out, "role", role_name(entry->actor_role));
	pack_put_uint(out, "actor_uid", entry->actor_uid);
	if (entry->uid != 0) {
		put_account(out, entry);
	}
	events_put_particulars(out, store, entry);
	answer_put_hex(out, "hash", hash, ROWS_DIGEST_LEN);
}

static void write_event(struct pack_writer *out, const struct store *store,
			const struct entry *entry, const uint8_t hash[static ROWS_DIGEST_LEN])
{
	size_t start = out->len;

	pack_write_array(out);
	pack_write_int(out, RPC_NOTIFICATION);
	pack_write_cstr(out, "event");
	pack_write_array(out);
	pack_write_map(out);
	events_put_entry(out, store, entry, hash);
	pack_write_end(out);
	pack_write_end(out);
	pack_write_end(out);
	assert(out->len - start <= EVENTS_BYTES_MAX);
}

/* Whether a keeper came to owe something with this entry. */
static bool is_for_keeper(const struct entry *entry, uint8_t keeper)
{
	return (entry->facts.owed >> (keeper - 1) & 1) &&
	       (entry_starts_removal(entry) ||
		(entry->event == EVENT_TASK_OWED && entry->keeper == keeper));
}

static int write_events(struct engine *engine, struct session *session, struct pack_writer *out)
{
	struct store *store = engine->store;
	uint64_t head = store_head(store)->seq;
	uint8_t hash[ROWS_DIGEST_LEN];
	struct entry entry;

	for (unsigned i = 0; i < EVENTS_PER_TURN && session->next_seq <= head; ++i) {
		int r = store_get_entry(store, session->next_seq, &entry, hash);

		if (r != 0) {
			return r < 0 ? r : SESSION_E_DAMAGED;
		}
		if (session->keeper == 0 || is_for_keeper(&entry, session->keeper)) {
			write_event(out, store, &entry, hash);
			++engine->meters.n_events;
		}
		++session->next_seq;
	}
	return 0;
}

/* Asked each time: the configuration may have been loaded anew since the peer subscribed. */
static bool may_be_told(const struct engine *engine, const struct session *session)
{
	const struct keeper *keeper = store_keeper(engine->store, session->keeper);

	if (keeper) {
		return access_is_keeper(engine->rules, &session->peer, slice_of(keeper->name));
	}
	return access_may_call(engine->rules, &session->peer,
			       &command_table[COMMAND_events_subscribe]);
}

int events_write(struct engine *engine, struct session *session, struct pack_writer *out,
		 bool *ret_more)
{
	struct store *store = engine->store;
	int r, ended;

	assert(session->next_seq > 0);
	assert(!store_dirty(store));
	if (session->next_seq > store_head(store)->seq) {
		*ret_more = false;
		return 0;
	}
	if (!may_be_told(engine, session)) {
		return SESSION_E_FORBIDDEN;
	}
	r = write_events(engine, session, out);
	ended = store_commit(store); /* nothing was changed: it ends the reading */
	if (r != 0 || ended < 0) {
		return r != 0 ? r : ended;
	}
	*ret_more = session->next_seq <= store_head(store)->seq;
	return 0;
}
