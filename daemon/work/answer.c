/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/work/answer.h"

#include "common/model.h"

#include "daemon/store/staged.h"
#include "daemon/work/engine.h"

#define HEX_BYTES_MAX 64 /* a cursor is 2 characters a byte, at most ARGUMENT_CURSOR_LEN_MAX */

void answer_put_outcome(struct pack_writer *out, enum outcome outcome, outcome_set_t reasons)
{
	pack_put_cstr(out, "outcome", outcome_code(outcome));
	if (outcome == OUTCOME_OK) {
		return;
	}
	pack_put_array(out, "reasons");
	for (enum outcome reason = 0; reason < _OUTCOME_MAX; ++reason) {
		if (reasons & OUTCOME_BIT(reason)) {
			pack_write_cstr(out, outcome_code(reason));
		}
	}
	pack_write_end(out);
}

void answer_put_instant(struct pack_writer *out, const char *key, instant_t at)
{
	if (at != INSTANT_NONE) {
		pack_put_int(out, key, at);
	}
}

void answer_put_clock(struct pack_writer *out, const struct engine *engine)
{
	const struct clock *clock = &engine->clock;

	pack_put_map(out, "clock");
	pack_put_int(out, "now_us", engine->now);
	pack_put_cstr(out, "mode", clock_mode_name(clock->mode));
	pack_put_bool(out, "trusted", !clock_is_doubted(clock));
	if (clock->mode == CLOCK_MODE_REAL) {
		pack_put_int(out, "wall_us", engine->reading.wall);
	}
	if (clock_is_doubted(clock)) {
		pack_put_cstr(out, "doubt", clock_doubt_name(clock->doubt));
	}
	pack_write_end(out);
}

void answer_put_dates(struct pack_writer *out, const struct facts *facts, instant_t now)
{
	enum account_sla sla = lifecycle_sla(facts, now);

	pack_put_cstr(out, "state", account_state_name(lifecycle_state(facts, now)));
	answer_put_instant(out, "deleted_at_us", facts->deleted_at);
	answer_put_instant(out, "window_ends_us", lifecycle_window_ends_at(facts));
	answer_put_instant(out, "removal_started_us", lifecycle_removal_started_at(facts, now));
	answer_put_instant(out, "removal_due_us", lifecycle_removal_due_at(facts, now));
	answer_put_instant(out, "removed_at_us", facts->removed_at);
	if (sla != ACCOUNT_SLA_NONE) {
		pack_put_cstr(out, "sla", account_sla_name(sla));
	}
}

void answer_put_changed(struct pack_writer *out, const struct lifecycle_verdict *verdict,
			const struct account *account, bool named, instant_t now)
{
	answer_put_outcome(out, verdict->outcome, verdict->reasons);
	if (!named) {
		pack_put_uint(out, "uid", account->uid);
	}
	answer_put_dates(out, &account->facts, now);
}

static void put_text_if(struct pack_writer *out, const char *key, struct slice text)
{
	if (text.len > 0) {
		pack_put_text(out, key, text);
	}
}

void answer_put_contact(struct pack_writer *out, const struct org *org)
{
	pack_put_map(out, "contact");
	put_text_if(out, "admin_contact", slice_of(org->admin_contact));
	put_text_if(out, "privacy_contact", slice_of(org->privacy_contact));
	put_text_if(out, "privacy_url", slice_of(org->privacy_url));
	pack_write_end(out);
}

void answer_put_org(struct pack_writer *out, const char *key, const struct org *org)
{
	if (key) {
		pack_put_map(out, key);
	} else {
		pack_write_map(out);
	}
	pack_put_cstr(out, "org", org->id);
	put_text_if(out, "name", slice_of(org->name));
	put_text_if(out, "admin_contact", slice_of(org->admin_contact));
	put_text_if(out, "privacy_contact", slice_of(org->privacy_contact));
	put_text_if(out, "privacy_url", slice_of(org->privacy_url));
	pack_put_bool(out, "allow_leave", org->policy.allow_leave);
	pack_put_int(out, "window_us", org->policy.window);
	pack_put_int(out, "removal_us", org->policy.removal);
	pack_put_uint(out, "guard_min", org->policy.guard_min);
	pack_put_uint(out, "guard_percent", org->policy.guard_percent);
	pack_write_end(out);
}

static void put_texts(struct pack_writer *out, const char *key, const struct slice *texts,
		      uint16_t n)
{
	pack_put_array(out, key);
	for (uint16_t i = 0; i < n; ++i) {
		pack_write_text(out, texts[i]);
	}
	pack_write_end(out);
}

static void put_profile(struct pack_writer *out, const struct profile *profile, bool whole)
{
	put_text_if(out, "person", profile->person);
	put_text_if(out, "upn", profile->upn);
	put_text_if(out, "mail", profile->mail);
	put_text_if(out, "name", profile->name);
	if (whole) {
		put_texts(out, "groups", profile->groups, profile->n_groups);
		put_texts(out, "permissions", profile->permissions, profile->n_permissions);
	}
}

void answer_put_account(struct pack_writer *out, const struct org *org,
			const struct account *account, const struct profile *profile, bool whole,
			instant_t now)
{
	pack_put_cstr(out, "org", org ? org->id : "");
	if (profile) {
		pack_put_text(out, "id", profile->id);
	}
	pack_put_uint(out, "uid", account->uid);
	pack_put_cstr(out, "kind", account_kind_name(account->facts.kind));
	if (profile) {
		put_profile(out, profile, whole);
		pack_put_bool(out, "enabled", account->facts.enabled);
	}
	answer_put_instant(out, "created_at_us", account->created_at);
	answer_put_dates(out, &account->facts, now);
}

static void put_pending(struct pack_writer *out, const struct store *store, uint64_t owed)
{
	pack_put_array(out, "pending");
	for (; owed != 0; owed &= owed - 1) {
		const struct keeper *keeper =
			store_keeper(store, (uint8_t)(__builtin_ctzll(owed) + 1));

		pack_write_cstr(out, keeper ? keeper->name : "?");
	}
	pack_write_end(out);
}

void answer_put_waits(struct pack_writer *out, const struct store *store, const struct facts *facts,
		      instant_t now)
{
	enum account_state state = lifecycle_state(facts, now);

	if (state <= ACCOUNT_STATE_SOFT_DELETED && lifecycle_is_held(facts, now)) {
		pack_put_bool(out, "held", true);
		if (facts->held_until != INSTANT_MAX) {
			pack_put_int(out, "held_until_us", facts->held_until);
		}
	}
	if (facts->owed != 0 && out->len < ANSWER_PENDING_MAX) {
		put_pending(out, store, facts->owed);
	}
}

static const char *staged_name(const struct staged *staged)
{
	return staged->event == EVENT_PURGED ? "purge"
	       : staged->event == EVENT_LEFT ? "leave"
					     : "remove";
}

int answer_put_staged(struct pack_writer *out, struct engine *engine, const struct account *account)
{
	struct staged staged;
	int r = store_get_staged(engine->store, account, &staged);

	if (r == 0) {
		pack_put_cstr(out, "staged", staged_name(&staged));
		pack_put_int(out, "staged_us", staged.at);
	} else if (guarding_holds_removal(engine, account)) {
		pack_put_cstr(out, "staged", "removal");
	}
	return MIN(r, 0);
}

int answer_put_note(struct pack_writer *out, struct engine *engine, const struct entry *entry)
{
	struct note note;
	int r = store_get_note(engine->store, entry->uid, entry->seq, engine->buffer, &note);

	if (r == 0 && note.reason.len > 0) {
		pack_put_text(out, "reason", note.reason);
	}
	if (r == 0 && note.ref.len > 0) {
		pack_put_text(out, "ref", note.ref);
	}
	return r < 0 ? r : 0; /* one that is gone or damaged is left out */
}

void answer_put_hex(struct pack_writer *out, const char *key, const void *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	char text[2 * HEX_BYTES_MAX];

	assert(len <= HEX_BYTES_MAX);
	for (size_t i = 0; i < len; ++i) {
		uint8_t byte = ((const uint8_t *)bytes)[i];

		text[2 * i] = digits[byte >> 4];
		text[2 * i + 1] = digits[byte & 15];
	}
	pack_put_text(out, key, (struct slice){text, 2 * len});
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool answer_read_hex(struct slice text, void *bytes, size_t len)
{
	uint8_t decoded[HEX_BYTES_MAX];

	if (text.len != 2 * len || len > HEX_BYTES_MAX) {
		return false;
	}
	for (size_t i = 0; i < len; ++i) {
		int high = hex_value(text.data[2 * i]), low = hex_value(text.data[2 * i + 1]);

		if (high < 0 || low < 0) {
			return false;
		}
		decoded[i] = (uint8_t)(high << 4 | low);
	}
	memcpy(bytes, decoded, len);
	return true;
}
