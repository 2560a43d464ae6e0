/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/rows.h"

#include "daemon/store/bytes.h"
#include "daemon/store/rows_inside.h"

static bool account_is_sound(const struct account *account)
{
	return account->uid != 0 && account->org != 0 && account->last_seq != 0 &&
	       is_instant(account->created_at) && facts_are_sound(&account->facts) &&
	       (account->facts.removed_at == INSTANT_NONE ||
		is_zero(account->hash_upn, ROWS_HASH_LEN));
}

/*
 * An account, 136 bytes; a guest of organization 7 who left on 2026-03-01 at 12:00 UTC:
 *
 *     01                         form
 *     02                         kind
 *     01                         flags: 1 enabled, 2 late
 *     00                         nothing
 *     00 00 00 07                organization
 *     00 06 4b f5 35 af 10 00    deleted at
 *     00 00 02 5b 7f 3d 40 00    window: 30 d
 *     00 00 02 5b 7f 3d 40 00    removal: 30 d
 *     80 00 00 00 00 00 00 00    removal started at: not yet
 *     80 00 00 00 00 00 00 00    removed at: not yet
 *     80 00 00 00 00 00 00 00    held until: no hold
 *     00 00 00 00 00 00 00 00    owed: bit n - 1 by keeper n
 *     00 06 47 48 46 20 40 00    created at
 *     00 00 00 00 00 00 00 2a    ledger entry
 *     00 00 00 00 00 00 00 00    open removal request: none
 *     16 bytes each              hash of id, of person, of UPN
 */
#define ACCOUNT_ENABLED 0x01
#define ACCOUNT_LATE    0x02

static uint8_t account_flags(const struct facts *facts)
{
	return (facts->enabled ? ACCOUNT_ENABLED : 0) | (facts->late ? ACCOUNT_LATE : 0);
}

size_t rows_encode_account(const struct account *account, uint8_t bytes[static ROWS_ACCOUNT_LEN])
{
	const struct facts *facts = &account->facts;
	uint8_t *at = bytes;

	assert(account_is_sound(account));
	at = put_u8(at, FORM);
	at = put_u8(at, (uint8_t)facts->kind);
	at = put_u8(at, account_flags(facts));
	at = put_u8(at, 0);
	at = put_u32(at, account->org);
	at = put_i64(at, facts->deleted_at);
	at = put_i64(at, facts->window);
	at = put_i64(at, facts->removal);
	at = put_i64(at, facts->removal_started_at);
	at = put_i64(at, facts->removed_at);
	at = put_i64(at, facts->held_until);
	at = put_u64(at, facts->owed);
	at = put_i64(at, account->created_at);
	at = put_u64(at, account->last_seq);
	at = put_u64(at, account->open_request);
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
	reader_require(&reader, (flags & ~(ACCOUNT_ENABLED | ACCOUNT_LATE)) == 0);
	facts->enabled = flags & ACCOUNT_ENABLED;
	facts->late = flags & ACCOUNT_LATE;
	reader_require(&reader, get_u8(&reader) == 0);
	account.org = get_u32(&reader);
	facts->deleted_at = get_i64(&reader);
	facts->window = get_i64(&reader);
	facts->removal = get_i64(&reader);
	facts->removal_started_at = get_i64(&reader);
	facts->removed_at = get_i64(&reader);
	facts->held_until = get_i64(&reader);
	facts->owed = get_u64(&reader);
	account.created_at = get_i64(&reader);
	account.last_seq = get_u64(&reader);
	account.open_request = get_u64(&reader);
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

/* Most have a few texts in lists with room for many: only those are copied. */
static void take_texts(struct slice *to, const struct slice *from, size_t n)
{
	memcpy(to, from, n * sizeof(*from));
}

int rows_decode_profile(struct slice bytes, struct profile *ret_profile)
{
	struct slice id, person, upn, mail, name;
	struct slice groups[MODEL_GROUPS_MAX], permissions[MODEL_GROUPS_MAX];
	struct reader reader = reader_of(bytes);
	uint16_t n_groups, n_permissions;

	reader_require(&reader, bytes.len <= MODEL_PROFILE_BYTES_MAX);
	get_form(&reader);
	id = get_text(&reader, MODEL_ID_LEN_MAX);
	person = get_text(&reader, MODEL_ADDRESS_LEN_MAX);
	upn = get_text(&reader, MODEL_ADDRESS_LEN_MAX);
	mail = get_text(&reader, MODEL_ADDRESS_LEN_MAX);
	name = get_text(&reader, MODEL_NAME_LEN_MAX);
	n_groups = get_texts(&reader, groups);
	n_permissions = get_texts(&reader, permissions);
	if (!reader_is_done(&reader)) {
		return ROWS_E_CORRUPT;
	}
	ret_profile->id = id;
	ret_profile->person = person;
	ret_profile->upn = upn;
	ret_profile->mail = mail;
	ret_profile->name = name;
	ret_profile->n_groups = n_groups;
	ret_profile->n_permissions = n_permissions;
	take_texts(ret_profile->groups, groups, n_groups);
	take_texts(ret_profile->permissions, permissions, n_permissions);
	return 0;
}

static bool org_is_sound(const struct org *org)
{
	const struct policy *policy = &org->policy;

	return org->number != 0 && org->id[0] != '\0' && org->last_seq != 0 &&
	       policy->window >= MODEL_WINDOW_MIN && policy->window <= MODEL_WINDOW_MAX &&
	       policy->removal >= MODEL_REMOVAL_MIN && policy->removal <= MODEL_REMOVAL_MAX &&
	       policy->guard_min <= MODEL_GUARD_MIN_MAX &&
	       policy->guard_percent <= MODEL_GUARD_PERCENT_OFF;
}

/*
 * An organization:
 *
 *     02                         form
 *     01                         flags: 1 guests may leave by themselves
 *     00 00 02 5b 7f 3d 40 00    window: 30 d
 *     00 00 02 5b 7f 3d 40 00    removal: 30 d
 *     00 00 01 f4                the mass guard lets pass: 500,
 *     19                         or 25 percent of the accounts
 *     00 00 00 00 00 00 00 02    ledger entry
 *     00 07 63 6f 6e 74 6f 73 6f id: 7 bytes, "contoso"
 *     00 00                      name: none; admin contact, privacy contact, privacy URL in the
 *                                same way
 *
 * Form 1 has nothing of the guard, which then is at its defaults.
 */
#define ORG_FORM        2
#define ORG_ALLOW_LEAVE 0x01

#define ORG_LEN_MAX                                                                                \
	(1 + 1 + 3 * 8 + 4 + 1 + 5 * 2 + MODEL_ORG_LEN_MAX + MODEL_NAME_LEN_MAX +                  \
	 3 * MODEL_URL_LEN_MAX)

static_assert(ORG_LEN_MAX <= ROWS_ORG_LEN_MAX, "every organization fits");

size_t rows_encode_org(const struct org *org, uint8_t bytes[static ROWS_ORG_LEN_MAX])
{
	uint8_t *at = bytes;

	assert(org_is_sound(org));
	at = put_u8(at, ORG_FORM);
	at = put_u8(at, org->policy.allow_leave ? ORG_ALLOW_LEAVE : 0);
	at = put_i64(at, org->policy.window);
	at = put_i64(at, org->policy.removal);
	at = put_u32(at, org->policy.guard_min);
	at = put_u8(at, org->policy.guard_percent);
	at = put_u64(at, org->last_seq);
	at = put_text(at, slice_of(org->id), MODEL_ORG_LEN_MAX);
	at = put_text(at, slice_of(org->name), MODEL_NAME_LEN_MAX);
	at = put_text(at, slice_of(org->admin_contact), MODEL_URL_LEN_MAX);
	at = put_text(at, slice_of(org->privacy_contact), MODEL_URL_LEN_MAX);
	at = put_text(at, slice_of(org->privacy_url), MODEL_URL_LEN_MAX);
	return (size_t)(at - bytes);
}

static void get_guard_settings(struct reader *reader, uint8_t form, struct policy *policy)
{
	if (form < ORG_FORM) {
		policy->guard_min = MODEL_GUARD_MIN_DEFAULT;
		policy->guard_percent = MODEL_GUARD_PERCENT_DEFAULT;
		return;
	}
	policy->guard_min = get_u32(reader);
	policy->guard_percent = get_u8(reader);
}

int rows_decode_org(uint32_t number, struct slice bytes, struct org *ret_org)
{
	struct reader reader = reader_of(bytes);
	struct org org = {.number = number};
	uint8_t form = get_u8(&reader), flags = get_u8(&reader);

	reader_require(&reader, form == 1 || form == ORG_FORM);
	reader_require(&reader, (flags & ~ORG_ALLOW_LEAVE) == 0);
	org.policy.allow_leave = flags & ORG_ALLOW_LEAVE;
	org.policy.window = get_i64(&reader);
	org.policy.removal = get_i64(&reader);
	get_guard_settings(&reader, form, &org.policy);
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
