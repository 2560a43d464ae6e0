/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/guards.h"

#include <errno.h>

#include "daemon/store/schema.h"

struct guard_slot *guards_slot(const struct guards *guards, uint32_t org)
{
	assert(org >= 1);
	assert(org <= guards->n);
	return &guards->slots[org - 1];
}

int guards_ensure(struct guards *guards, uint32_t n_orgs)
{
	struct guard_slot *slots;

	if (n_orgs <= guards->n) {
		return 0;
	}
	slots = reallocarray(guards->slots, n_orgs, sizeof(*slots));
	if (!slots) {
		return -ENOMEM;
	}
	guards->slots = slots;
	for (; guards->n < n_orgs; guards->n++) {
		struct guard_slot *slot = &slots[guards->n];

		*slot = (struct guard_slot){.row.org = guards->n + 1,
					    .row.released_at = INSTANT_NONE};
		guard_init(&slot->row.guard);
	}
	return 0;
}

/* A row that knows of more entries than there are would reckon with none of those to come. */
static int load_row(struct guards *guards, struct slice key, struct slice bytes, uint64_t head_seq)
{
	struct guard_row row;
	uint32_t org;

	if (key.len != 4) {
		return GUARDS_E_CORRUPT;
	}
	org = load_be32(key.data);
	if (org < 1 || org > guards->n || rows_decode_guard(org, bytes, &row) != 0 ||
	    row.seq > head_seq) {
		return GUARDS_E_CORRUPT;
	}
	guards_slot(guards, org)->row = row;
	return 0;
}

int guards_load(struct guards *guards, struct kv_txn *txn, uint32_t n_orgs, uint64_t head_seq)
{
	cleanup(kv_cursor_closep) struct kv_cursor *cursor = NULL;
	struct slice key, bytes;
	int r = guards_ensure(guards, n_orgs);

	if (r == 0) {
		r = kv_cursor_open(txn, KV_GUARDS, &cursor);
	}
	if (r == 0) {
		r = kv_cursor_seek(cursor, (struct slice){0}, &key, &bytes);
	}
	while (r == 0) {
		r = load_row(guards, key, bytes, head_seq);
		if (r != 0) {
			return r;
		}
		r = kv_cursor_next(cursor, &key, &bytes);
	}
	if (r == KV_E_NONE) {
		return 0;
	}
	return r < 0 ? r : GUARDS_E_CORRUPT;
}

void guards_done(struct guards *guards)
{
	free(guards->slots);
	*guards = (struct guards){0};
}

/*
 * A deletion that starts the removal at once is a direct connect user's. Whoever releases the last
 * hold of an account whose window has ended starts its removal in place of the clock.
 */
static bool counts_as(const struct entry *entry, enum guard_kind *ret_kind)
{
	instant_t started_at = entry->facts.removal_started_at;

	switch ((int)entry->event) {
	case EVENT_LEFT:
	case EVENT_DELETED:
		*ret_kind = started_at != INSTANT_NONE ? GUARD_KIND_PURGE : GUARD_KIND_DELETION;
		return true;
	case EVENT_PURGED:
		*ret_kind = GUARD_KIND_PURGE;
		return true;
	case EVENT_REMOVAL_STARTED:
		*ret_kind = GUARD_KIND_SWEEP;
		return true;
	case EVENT_HOLD_REMOVED:
		*ret_kind = GUARD_KIND_SWEEP;
		return started_at == entry->at;
	}
	return false;
}

void guards_take(struct guards *guards, const struct entry *entry)
{
	struct guard_slot *slot;
	enum guard_kind kind;

	if (entry->uid == 0) {
		return;
	}
	slot = guards_slot(guards, entry->org);
	if (entry->seq <= slot->row.seq) {
		return;
	}
	if (entry->event == EVENT_IMPORTED) {
		slot->row.guard.n_accounts++;
	} else if (entry->event == EVENT_REMOVAL_COMPLETED) {
		guard_count_completed(&slot->row.guard, entry->at);
	} else if (counts_as(entry, &kind)) {
		guard_count(&slot->row.guard, kind, entry->at);
	} else {
		return;
	}
	slot->changed = true;
}

void guards_put(struct guards *guards, struct kv_txn *txn, uint64_t seq)
{
	uint8_t bytes[ROWS_GUARD_LEN_MAX];

	for (uint32_t i = 0; i < guards->n; i++) {
		struct guard_slot *slot = &guards->slots[i];
		struct key key = key_org(i + 1);

		if (slot->changed) {
			slot->row.seq = seq;
			slot->changed = false;
			kv_put(txn, KV_GUARDS, key_slice(&key),
			       (struct slice){(const char *)bytes,
					      rows_encode_guard(&slot->row, bytes)});
		}
	}
	guards->urgent = false;
}
