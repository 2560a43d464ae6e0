/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/rows.h"

#include "daemon/store/bytes.h"

/*
 * Every row begins with the number of its form. There is one form of each row so far; it has one
 * encoding for one content, so that what a decoder accepts encodes to the same bytes again.
 */
#define FORM 1

#define HASHES_LEN (3 * ROWS_HASH_LEN)

static const char *const event_names[] = {
	[EVENT_STORE_CREATED] = "store-created",
	[EVENT_ORG_SET] = "org-set",
	[EVENT_IMPORTED] = "imported",
	[EVENT_UPDATED] = "updated",
	[EVENT_LEFT] = "left",
	[EVENT_DELETED] = "deleted",
	[EVENT_RESTORED] = "restored",
	[EVENT_PURGED] = "purged",
	[EVENT_DISABLED] = "disabled",
	[EVENT_ENABLED] = "enabled",
	[EVENT_REMOVAL_STARTED] = "removal-started",
	[EVENT_REMOVAL_COMPLETED] = "removal-completed",
	[EVENT_SWEEP_PAUSED] = "sweep-paused",
	[EVENT_SWEEP_RESUMED] = "sweep-resumed",
	[EVENT_CLOCK_ADVANCED] = "clock-advanced",
};

static_assert(ARRAY_LEN(event_names) == _EVENT_MAX, "every event has a name");

const char *event_name(enum event event)
{
	assert(event >= EVENT_STORE_CREATED);
	assert(event < _EVENT_MAX);
	return event_names[event];
}

static void get_form(struct reader *reader)
{
	reader_require(reader, get_u8(reader) == FORM);
}

static bool is_zero(const uint8_t *bytes, size_t len)
{
	uint8_t any = 0;

	for (size_t i = 0; i < len; i++) {
		any |= bytes[i];
	}
	return any == 0;
}

static bool is_instant(instant_t at)
{
	return at >= 0 && at <= INSTANT_MAX;
}

static bool is_instant_or_none(instant_t at)
{
	return at == INSTANT_NONE || is_instant(at);
}

/* The x_is_sound(): what holds of every content. Asserted before a row is written, required after
 * it was read. */
static bool facts_are_sound(const struct facts *facts)
{
	bool deleted = facts->deleted_at != INSTANT_NONE;
	bool started = facts->removal_started_at != INSTANT_NONE;
	bool removed = facts->removed_at != INSTANT_NONE;

	return facts->kind >= ACCOUNT_KIND_MEMBER && facts->kind < _ACCOUNT_KIND_MAX &&
	       is_instant_or_none(facts->deleted_at) &&
	       is_instant_or_none(facts->removal_started_at) &&
	       is_instant_or_none(facts->removed_at) && facts->window >= 0 &&
	       facts->window <= MODEL_WINDOW_MAX && facts->removal >= 0 &&
	       facts->removal <= MODEL_REMOVAL_MAX && (deleted || !started) &&
	       (started || !removed);
}

static bool account_is_sound(const struct account *account)
{
	return account->uid != 0 && account->org != 0 && account->last_seq != 0 &&
	       is_instant(account->created_at) && facts_are_sound(&account->facts) &&
	       (account->facts.removed_at == INSTANT_NONE ||
		is_zero(account->hash_upn, ROWS_HASH_LEN));
}

/*
 * An account, 112 bytes; a guest of organization 7 who left on 2026-03-01 at 12:00 UTC:
 *
 *     01                         form
 *     02                         kind
 *     01                         flags: 1 enabled
 *     00                         nothing
 *     00 00 00 07                organization
 *     00 06 4b f5 35 af 10 00    deleted at
 *     00 00 02 5b 7f 3d 40 00    window: 30 d
 *     00 00 02 5b 7f 3d 40 00    removal: 30 d
 *     80 00 00 00 00 00 00 00    removal started at: not yet
 *     80 00 00 00 00 00 00 00    removed at: not yet
 *     00 06 47 48 46 20 40 00    created at
 *     00 00 00 00 00 00 00 2a    ledger entry
 *     16 bytes each              hash of id, of person, of UPN
 */
#define ACCOUNT_ENABLED 0x01

size_t rows_encode_account(const struct account *account, uint8_t bytes[static ROWS_ACCOUNT_LEN])
{
	const struct facts *facts = &account->facts;
	uint8_t *at = bytes;

	assert(account_is_sound(account));
	at = put_u8(at, FORM);
	at = put_u8(at, (uint8_t)facts->kind);
	at = put_u8(at, facts->enabled ? ACCOUNT_ENABLED : 0);
	at = put_u8(at, 0);
	at = put_u32(at, account->org);
	at = put_i64(at, facts->deleted_at);
	at = put_i64(at, facts->window);
	at = put_i64(at, facts->removal);
	at = put_i64(at, facts->removal_started_at);
	at = put_i64(at, facts->removed_at);
	at = put_i64(at, account->created_at);
	at = put_u64(at, account->last_seq);
	at = put_bytes(at, account->hash_id, ROWS_HASH_LEN);
	at = put_bytes(at, account->hash_person, ROWS_HASH_LEN);
	at = put_bytes(at, account->hash_upn, ROWS_HASH_LEN);
	assert(at == bytes + ROWS_ACCOUNT_LEN);
	return ROWS_ACCOUNT_LEN;
}

int rows_decode_account(uint64_t uid, struct slice bytes, struct account *ret_account)
{
	struct reader reader = reader_of(bytes);
	struct account account = {.uid = uid};
	struct facts *facts = &account.facts;
	uint8_t flags;

	get_form(&reader);
	facts->kind = (enum account_kind)get_u8(&reader);
	flags = get_u8(&reader);
	reader_require(&reader, (flags & ~ACCOUNT_ENABLED) == 0);
	facts->enabled = flags & ACCOUNT_ENABLED;
	reader_require(&reader, get_u8(&reader) == 0);
	account.org = get_u32(&reader);
	facts->deleted_at = get_i64(&reader);
	facts->window = get_i64(&reader);
	facts->removal = get_i64(&reader);
	facts->removal_started_at = get_i64(&reader);
	facts->removed_at = get_i64(&reader);
	account.created_at = get_i64(&reader);
	account.last_seq = get_u64(&reader);
	get_bytes(&reader, account.hash_id, ROWS_HASH_LEN);
	get_bytes(&reader, account.hash_person, ROWS_HASH_LEN);
	get_bytes(&reader, account.hash_upn, ROWS_HASH_LEN);
	if (!reader_is_done(&reader) || !account_is_sound(&account)) {
		return ROWS_E_CORRUPT;
	}
	*ret_account = account;
	return 0;
}

/*
 * A profile, before it is sealed:
 *
 *     01                         form
 *     00 03 67 2d 31             id: 3 bytes, "g-1"
 *     00 0c 61 64 61 ...         person, UPN, mail, name in the same way
 *     00 01                      groups: 1
 *     00 05 73 74 61 66 66       "staff"
 *     00 00                      permissions: none
 */
size_t rows_profile_len(const struct profile *profile)
{
	size_t n_texts = 5 + (size_t)profile->n_groups + profile->n_permissions;
	size_t len = 1 + 2 * (2 + n_texts); /* form; two counts and a length before each text */

	len += profile->id.len + profile->person.len + profile->upn.len + profile->mail.len +
	       profile->name.len;
	for (size_t i = 0; i < profile->n_groups; i++) {
		len += profile->groups[i].len;
	}
	for (size_t i = 0; i < profile->n_permissions; i++) {
		len += profile->permissions[i].len;
	}
	return len;
}

static uint8_t *put_texts(uint8_t *at, const struct slice *texts, uint16_t n_texts)
{
	assert(n_texts <= MODEL_GROUPS_MAX);
	at = put_u16(at, n_texts);
	for (size_t i = 0; i < n_texts; i++) {
		at = put_text(at, texts[i], MODEL_GROUP_LEN_MAX);
	}
	return at;
}

void rows_encode_profile(const struct profile *profile, void *bytes)
{
	size_t len = rows_profile_len(profile);
	uint8_t *at = bytes;

	assert(len <= MODEL_PROFILE_BYTES_MAX);
	at = put_u8(at, FORM);
	at = put_text(at, profile->id, MODEL_ID_LEN_MAX);
	at = put_text(at, profile->person, MODEL_ADDRESS_LEN_MAX);
	at = put_text(at, profile->upn, MODEL_ADDRESS_LEN_MAX);
	at = put_text(at, profile->mail, MODEL_ADDRESS_LEN_MAX);
	at = put_text(at, profile->name, MODEL_NAME_LEN_MAX);
	at = put_texts(at, profile->groups, profile->n_groups);
	at = put_texts(at, profile->permissions, profile->n_permissions);
	assert(at == (uint8_t *)bytes + len);
}

static uint16_t get_texts(struct reader *reader, struct slice texts[static MODEL_GROUPS_MAX])
{
	uint16_t n_texts = get_u16(reader);

	reader_require(reader, n_texts <= MODEL_GROUPS_MAX);
	for (size_t i = 0; i < n_texts && !reader->faulty; i++) {
		texts[i] = get_text(reader, MODEL_GROUP_LEN_MAX);
	}
	return n_texts;
}

int rows_decode_profile(struct slice bytes, struct profile *ret_profile)
{
	struct reader reader = reader_of(bytes);
	struct profile profile;

	reader_require(&reader, bytes.len <= MODEL_PROFILE_BYTES_MAX);
	get_form(&reader);
	profile.id = get_text(&reader, MODEL_ID_LEN_MAX);
	profile.person = get_text(&reader, MODEL_ADDRESS_LEN_MAX);
	profile.upn = get_text(&reader, MODEL_ADDRESS_LEN_MAX);
	profile.mail = get_text(&reader, MODEL_ADDRESS_LEN_MAX);
	profile.name = get_text(&reader, MODEL_NAME_LEN_MAX);
	profile.n_groups = get_texts(&reader, profile.groups);
	profile.n_permissions = get_texts(&reader, profile.permissions);
	if (!reader_is_done(&reader)) {
		return ROWS_E_CORRUPT;
	}
	*ret_profile = profile;
	return 0;
}

static bool org_is_sound(const struct org *org)
{
	const struct policy *policy = &org->policy;

	return org->number != 0 && org->id[0] != '\0' && org->last_seq != 0 &&
	       policy->window >= MODEL_WINDOW_MIN && policy->window <= MODEL_WINDOW_MAX &&
	       policy->removal >= MODEL_REMOVAL_MIN && policy->removal <= MODEL_REMOVAL_MAX;
}

/*
 * An organization:
 *
 *     01                         form
 *     01                         flags: 1 guests may leave by themselves
 *     00 00 02 5b 7f 3d 40 00    window: 30 d
 *     00 00 02 5b 7f 3d 40 00    removal: 30 d
 *     00 00 00 00 00 00 00 02    ledger entry
 *     00 07 63 6f 6e 74 6f 73 6f id: 7 bytes, "contoso"
 *     00 00                      name: none; admin contact, privacy contact, privacy URL in the
 *                                same way
 */
#define ORG_ALLOW_LEAVE 0x01

#define ORG_LEN_MAX                                                                                \
	(1 + 1 + 3 * 8 + 5 * 2 + MODEL_ORG_LEN_MAX + MODEL_NAME_LEN_MAX + 3 * MODEL_URL_LEN_MAX)

static_assert(ORG_LEN_MAX <= ROWS_ORG_LEN_MAX, "every organization fits");

size_t rows_encode_org(const struct org *org, uint8_t bytes[static ROWS_ORG_LEN_MAX])
{
	uint8_t *at = bytes;

	assert(org_is_sound(org));
	at = put_u8(at, FORM);
	at = put_u8(at, org->policy.allow_leave ? ORG_ALLOW_LEAVE : 0);
	at = put_i64(at, org->policy.window);
	at = put_i64(at, org->policy.removal);
	at = put_u64(at, org->last_seq);
	at = put_text(at, slice_of(org->id), MODEL_ORG_LEN_MAX);
	at = put_text(at, slice_of(org->name), MODEL_NAME_LEN_MAX);
	at = put_text(at, slice_of(org->admin_contact), MODEL_URL_LEN_MAX);
	at = put_text(at, slice_of(org->privacy_contact), MODEL_URL_LEN_MAX);
	at = put_text(at, slice_of(org->privacy_url), MODEL_URL_LEN_MAX);
	return (size_t)(at - bytes);
}

/* A text that becomes a C string. @to: @len_max + 1 bytes. */
static void get_string(struct reader *reader, char *to, size_t len_max)
{
	struct slice text = get_text(reader, len_max);

	reader_require(reader, text.len == 0 || !memchr(text.data, '\0', text.len));
	(void)put_bytes((uint8_t *)to, text.data, text.len); /* the end is marked next */
	to[text.len] = '\0';
}

int rows_decode_org(uint32_t number, struct slice bytes, struct org *ret_org)
{
	struct reader reader = reader_of(bytes);
	struct org org = {.number = number};
	uint8_t flags;

	get_form(&reader);
	flags = get_u8(&reader);
	reader_require(&reader, (flags & ~ORG_ALLOW_LEAVE) == 0);
	org.policy.allow_leave = flags & ORG_ALLOW_LEAVE;
	org.policy.window = get_i64(&reader);
	org.policy.removal = get_i64(&reader);
	org.last_seq = get_u64(&reader);
	get_string(&reader, org.id, MODEL_ORG_LEN_MAX);
	get_string(&reader, org.name, MODEL_NAME_LEN_MAX);
	get_string(&reader, org.admin_contact, MODEL_URL_LEN_MAX);
	get_string(&reader, org.privacy_contact, MODEL_URL_LEN_MAX);
	get_string(&reader, org.privacy_url, MODEL_URL_LEN_MAX);
	if (!reader_is_done(&reader) || !org_is_sound(&org)) {
		return ROWS_E_CORRUPT;
	}
	org.policy.has_privacy_info = org.privacy_contact[0] != '\0' || org.privacy_url[0] != '\0';
	*ret_org = org;
	return 0;
}

/*
 * A ledger entry. What most entries lack may be left out, and a bit tells that it is there; a value
 * that means "none" is always left out. A guest leaves:
 *
 *     01                         form
 *     32 bytes                   hash of the entry before
 *     05                         event
 *     03                         role of the actor
 *     04 3f                      what is there, see below
 *     00 00 03 e8                uid of the actor
 *     00 06 4b f5 35 af 10 00    at
 *     00 00 00 07                0001  organization
 *     00 00 00 00 00 00 00 09    0002  account; then
 *     02                               kind
 *     00 00 00 00 00 00 00 2a    0004  entry before of the same account
 *     00 06 4b f5 35 af 10 00    0008  deleted at
 *     00 00 02 5b 7f 3d 40 00    0010  window
 *     00 00 02 5b 7f 3d 40 00    0020  removal
 *     8 bytes                    0040  removal started at
 *     8 bytes                    0080  removed at
 *     48 bytes                   0100  hashes of id, person, UPN
 *     32 bytes                   0200  digest
 *                                0400  the account is enabled
 */
enum {
	ENTRY_ORG = 0x0001,
	ENTRY_UID = 0x0002,
	ENTRY_PREV_SEQ = 0x0004,
	ENTRY_DELETED_AT = 0x0008,
	ENTRY_WINDOW = 0x0010,
	ENTRY_REMOVAL = 0x0020,
	ENTRY_REMOVAL_STARTED_AT = 0x0040,
	ENTRY_REMOVED_AT = 0x0080,
	ENTRY_HASHES = 0x0100,
	ENTRY_DIGEST = 0x0200,
	ENTRY_ENABLED = 0x0400,
	ENTRY_ALL = 0x07ff,
};

#define ENTRY_PRESENT_AT (1 + ROWS_DIGEST_LEN + 1 + 1)
#define ENTRY_LEN_MAX                                                                              \
	(ENTRY_PRESENT_AT + 2 + 4 + 8 + 4 + 8 + 1 + 6 * 8 + HASHES_LEN + ROWS_DIGEST_LEN)

static_assert(ENTRY_LEN_MAX <= ROWS_ENTRY_LEN_MAX, "every entry fits");

static bool hashes_are_zero(const struct entry *entry)
{
	return is_zero(entry->hash_id, ROWS_HASH_LEN) &&
	       is_zero(entry->hash_person, ROWS_HASH_LEN) &&
	       is_zero(entry->hash_upn, ROWS_HASH_LEN);
}

static bool entry_is_sound(const struct entry *entry)
{
	if (entry->seq == 0 || entry->event < EVENT_STORE_CREATED || entry->event >= _EVENT_MAX ||
	    entry->actor_role >= _ROLE_MAX || !is_instant(entry->at)) {
		return false;
	}
	if (entry->uid == 0) {
		return entry->prev_seq == 0 && hashes_are_zero(entry);
	}
	return entry->org != 0 && entry->prev_seq < entry->seq && facts_are_sound(&entry->facts);
}

static uint8_t *put_unless(uint8_t *at, uint64_t none, uint64_t v, uint16_t bit, uint16_t *present)
{
	if (v == none) {
		return at;
	}
	*present |= bit;
	return put_u64(at, v);
}

static uint8_t *put_instant(uint8_t *at, instant_t v, uint16_t bit, uint16_t *present)
{
	return put_unless(at, (uint64_t)INSTANT_NONE, (uint64_t)v, bit, present);
}

static uint8_t *put_account(uint8_t *at, const struct entry *entry, uint16_t *present)
{
	const struct facts *facts = &entry->facts;

	if (entry->uid == 0) {
		return at;
	}
	*present |= ENTRY_UID;
	if (facts->enabled) {
		*present |= ENTRY_ENABLED;
	}
	at = put_u64(at, entry->uid);
	at = put_u8(at, (uint8_t)facts->kind);
	at = put_unless(at, 0, entry->prev_seq, ENTRY_PREV_SEQ, present);
	at = put_instant(at, facts->deleted_at, ENTRY_DELETED_AT, present);
	at = put_unless(at, 0, (uint64_t)facts->window, ENTRY_WINDOW, present);
	at = put_unless(at, 0, (uint64_t)facts->removal, ENTRY_REMOVAL, present);
	at = put_instant(at, facts->removal_started_at, ENTRY_REMOVAL_STARTED_AT, present);
	return put_instant(at, facts->removed_at, ENTRY_REMOVED_AT, present);
}

static uint8_t *put_proofs(uint8_t *at, const struct entry *entry, uint16_t *present)
{
	if (!hashes_are_zero(entry)) {
		*present |= ENTRY_HASHES;
		at = put_bytes(at, entry->hash_id, ROWS_HASH_LEN);
		at = put_bytes(at, entry->hash_person, ROWS_HASH_LEN);
		at = put_bytes(at, entry->hash_upn, ROWS_HASH_LEN);
	}
	if (!is_zero(entry->digest, ROWS_DIGEST_LEN)) {
		*present |= ENTRY_DIGEST;
		at = put_bytes(at, entry->digest, ROWS_DIGEST_LEN);
	}
	return at;
}

size_t rows_encode_entry(const struct entry *entry, uint8_t bytes[static ROWS_ENTRY_LEN_MAX])
{
	uint16_t present = 0;
	uint8_t *at = bytes;

	assert(entry_is_sound(entry));
	at = put_u8(at, FORM);
	at = put_bytes(at, entry->prev_hash, ROWS_DIGEST_LEN);
	at = put_u8(at, (uint8_t)entry->event);
	at = put_u8(at, (uint8_t)entry->actor_role);
	at = put_u16(at, 0); /* what is there: known at the end */
	at = put_u32(at, entry->actor_uid);
	at = put_i64(at, entry->at);
	if (entry->org != 0) {
		present |= ENTRY_ORG;
		at = put_u32(at, entry->org);
	}
	at = put_account(at, entry, &present);
	at = put_proofs(at, entry, &present);
	(void)put_u16(bytes + ENTRY_PRESENT_AT, present); /* what follows is written */
	return (size_t)(at - bytes);
}

static uint64_t get_unless(struct reader *reader, uint64_t none, uint16_t bit, uint16_t present)
{
	uint64_t v;

	if (!(present & bit)) {
		return none;
	}
	v = get_u64(reader);
	reader_require(reader, v != none);
	return v;
}

static instant_t get_instant(struct reader *reader, uint16_t bit, uint16_t present)
{
	return (instant_t)get_unless(reader, (uint64_t)INSTANT_NONE, bit, present);
}

static void get_account(struct reader *reader, uint16_t present, struct entry *entry)
{
	const uint16_t of_account = ENTRY_ALL & ~(ENTRY_ORG | ENTRY_DIGEST);
	struct facts *facts = &entry->facts;

	if (!(present & ENTRY_UID)) {
		reader_require(reader, (present & of_account) == 0);
		return;
	}
	entry->uid = get_u64(reader);
	reader_require(reader, entry->uid != 0);
	facts->kind = (enum account_kind)get_u8(reader);
	facts->enabled = present & ENTRY_ENABLED;
	entry->prev_seq = get_unless(reader, 0, ENTRY_PREV_SEQ, present);
	facts->deleted_at = get_instant(reader, ENTRY_DELETED_AT, present);
	facts->window = (span_t)get_unless(reader, 0, ENTRY_WINDOW, present);
	facts->removal = (span_t)get_unless(reader, 0, ENTRY_REMOVAL, present);
	facts->removal_started_at = get_instant(reader, ENTRY_REMOVAL_STARTED_AT, present);
	facts->removed_at = get_instant(reader, ENTRY_REMOVED_AT, present);
}

static void get_proofs(struct reader *reader, uint16_t present, struct entry *entry)
{
	if (present & ENTRY_HASHES) {
		get_bytes(reader, entry->hash_id, ROWS_HASH_LEN);
		get_bytes(reader, entry->hash_person, ROWS_HASH_LEN);
		get_bytes(reader, entry->hash_upn, ROWS_HASH_LEN);
		reader_require(reader, !hashes_are_zero(entry));
	}
	if (present & ENTRY_DIGEST) {
		get_bytes(reader, entry->digest, ROWS_DIGEST_LEN);
		reader_require(reader, !is_zero(entry->digest, ROWS_DIGEST_LEN));
	}
}

int rows_decode_entry(uint64_t seq, struct slice bytes, struct entry *ret_entry)
{
	struct reader reader = reader_of(bytes);
	struct entry entry = {.seq = seq};
	uint16_t present;

	get_form(&reader);
	get_bytes(&reader, entry.prev_hash, ROWS_DIGEST_LEN);
	entry.event = (enum event)get_u8(&reader);
	entry.actor_role = (enum role)get_u8(&reader);
	present = get_u16(&reader);
	reader_require(&reader, (present & ~ENTRY_ALL) == 0);
	entry.actor_uid = get_u32(&reader);
	entry.at = get_i64(&reader);
	if (present & ENTRY_ORG) {
		entry.org = get_u32(&reader);
		reader_require(&reader, entry.org != 0);
	}
	get_account(&reader, present, &entry);
	get_proofs(&reader, present, &entry);
	if (!reader_is_done(&reader) || !entry_is_sound(&entry)) {
		return ROWS_E_CORRUPT;
	}
	*ret_entry = entry;
	return 0;
}

/*
 * A note, before it is sealed:
 *
 *     01                         form
 *     00 04 6c 65 66 74          reason: 4 bytes, "left"
 *     00 00                      ref: none
 */
static_assert(1 + 2 + 2 + MODEL_REASON_LEN_MAX + MODEL_REF_LEN_MAX <= ROWS_NOTE_LEN_MAX,
	      "every note fits");

size_t rows_encode_note(const struct note *note, uint8_t bytes[static ROWS_NOTE_LEN_MAX])
{
	uint8_t *at = bytes;

	assert(note->reason.len > 0 || note->ref.len > 0);
	at = put_u8(at, FORM);
	at = put_text(at, note->reason, MODEL_REASON_LEN_MAX);
	at = put_text(at, note->ref, MODEL_REF_LEN_MAX);
	return (size_t)(at - bytes);
}

int rows_decode_note(struct slice bytes, struct note *ret_note)
{
	struct reader reader = reader_of(bytes);
	struct note note;

	get_form(&reader);
	note.reason = get_text(&reader, MODEL_REASON_LEN_MAX);
	note.ref = get_text(&reader, MODEL_REF_LEN_MAX);
	reader_require(&reader, note.reason.len > 0 || note.ref.len > 0);
	if (!reader_is_done(&reader)) {
		return ROWS_E_CORRUPT;
	}
	*ret_note = note;
	return 0;
}
