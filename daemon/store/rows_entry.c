/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/bytes.h"
#include "daemon/store/rows.h"
#include "daemon/store/rows_inside.h"

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
	[EVENT_KEEPER_SET] = "keeper-set",
	[EVENT_TASK_OWED] = "task-owed",
	[EVENT_TASK_CONFIRMED] = "task-confirmed",
	[EVENT_TASK_WAIVED] = "task-waived",
	[EVENT_OVERDUE] = "overdue",
	[EVENT_HOLD_ADDED] = "hold-added",
	[EVENT_HOLD_REMOVED] = "hold-removed",
	[EVENT_BLOCKED] = "blocked",
	[EVENT_REQUEST_FILED] = "request-filed",
	[EVENT_REQUEST_APPROVED] = "request-approved",
	[EVENT_REQUEST_DENIED] = "request-denied",
	[EVENT_BACKUP_CREATED] = "backup-created",
	[EVENT_RESTORED_FROM_BACKUP] = "restored-from-backup",
	[EVENT_GUARD_ENGAGED] = "guard-engaged",
	[EVENT_GUARD_RELEASED] = "guard-released",
	[EVENT_CLOCK_SET] = "clock-set",
	[EVENT_REDATED] = "redated",
	[EVENT_GUARD_DISCARDED] = "guard-discarded",
	[EVENT_STAGED] = "staged",
	[EVENT_DISCARDED] = "discarded",
	[EVENT_REQUEST_REOPENED] = "request-reopened",
};

static_assert(ARRAY_LEN(event_names) == _EVENT_MAX, "every event has a name");

const char *event_name(enum event event)
{
	assert(event >= EVENT_STORE_CREATED);
	assert(event < _EVENT_MAX);
	return event_names[event];
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
 *     8 bytes                    0800  held until
 *     8 bytes                    1000  owed
 *                                2000  the account's removal is late
 *     01                         4000  keeper; then
 *     01                               result, 0 for none
 *     00 00 00 02                      generation
 *     00 09 68 67 62 2d ...            ground: 9 bytes, "hgb-257-1"
 *     00 00 00 00 00 00 00 03    8000  removal request; of the mass guard: how many it held back; of what
 *                                      it held back: the entry that decided on it
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
	ENTRY_HELD_UNTIL = 0x0800,
	ENTRY_OWED = 0x1000,
	ENTRY_LATE = 0x2000,
	ENTRY_TASK = 0x4000,
	ENTRY_NUMBER = 0x8000,
	ENTRY_ALL = 0xffff,
};

#define ENTRY_PRESENT_AT (1 + ROWS_DIGEST_LEN + 1 + 1)
#define ENTRY_TASK_LEN   (1 + 1 + 4 + 2 + MODEL_GROUND_LEN_MAX)
#define ENTRY_LEN_MAX                                                                              \
	(ENTRY_PRESENT_AT + 2 + 4 + 8 + 4 + 8 + 1 + 6 * 8 + 3 * ROWS_HASH_LEN + ROWS_DIGEST_LEN +  \
	 8 + 8 + ENTRY_TASK_LEN + 8)

static_assert(ENTRY_LEN_MAX <= ROWS_ENTRY_LEN_MAX, "every entry fits");

static bool hashes_are_zero(const struct entry *entry)
{
	return is_zero(entry->hash_id, ROWS_HASH_LEN) &&
	       is_zero(entry->hash_person, ROWS_HASH_LEN) &&
	       is_zero(entry->hash_upn, ROWS_HASH_LEN);
}

bool event_has_decision(enum event event)
{
	return event == EVENT_LEFT || event == EVENT_DELETED || event == EVENT_PURGED ||
	       event == EVENT_REMOVAL_STARTED || event == EVENT_BLOCKED || event == EVENT_DISCARDED;
}

static bool event_has_count(enum event event)
{
	return event == EVENT_GUARD_RELEASED || event == EVENT_GUARD_DISCARDED;
}

/* One place for three numbers: which it is, the event tells. The other two are zero. */
static uint64_t *entry_number(struct entry *entry)
{
	if (event_has_count(entry->event)) {
		return &entry->count;
	}
	return event_has_decision(entry->event) ? &entry->decision : &entry->request;
}

static bool number_is_sound(const struct entry *entry)
{
	bool counts = event_has_count(entry->event);
	bool decided = event_has_decision(entry->event);

	return (counts || entry->count == 0) && (decided || entry->decision == 0) &&
	       (!(counts || decided) || entry->request == 0) && entry->decision < entry->seq;
}

/* An entry without a keeper has none of a keeper's parts either: they are left out with it. */
static bool task_is_sound(const struct entry *entry)
{
	if (entry->event == EVENT_KEEPER_SET && (entry->keeper == 0 || entry->uid != 0)) {
		return false;
	}
	if (entry->keeper == 0) {
		return entry->result == 0 && entry->generation == 0 && entry->ground[0] == '\0';
	}
	return entry->keeper <= MODEL_KEEPERS_MAX && entry->result < _TASK_RESULT_MAX &&
	       (entry->ground[0] == '\0' || !model_ground_fault(slice_of(entry->ground)));
}

static bool entry_is_sound(const struct entry *entry)
{
	if (entry->seq == 0 || entry->event < EVENT_STORE_CREATED || entry->event >= _EVENT_MAX ||
	    entry->actor_role >= _ROLE_MAX || !is_instant(entry->at) || !task_is_sound(entry)) {
		return false;
	}
	if (!number_is_sound(entry)) {
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
	if (facts->late) {
		*present |= ENTRY_LATE;
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

static uint8_t *put_duties(uint8_t *at, const struct entry *entry, uint16_t *present)
{
	if (entry->uid != 0) {
		at = put_instant(at, entry->facts.held_until, ENTRY_HELD_UNTIL, present);
		at = put_unless(at, 0, entry->facts.owed, ENTRY_OWED, present);
	}
	if (entry->keeper != 0) {
		*present |= ENTRY_TASK;
		at = put_u8(at, entry->keeper);
		at = put_u8(at, (uint8_t)entry->result);
		at = put_u32(at, entry->generation);
		at = put_text(at, slice_of(entry->ground), MODEL_GROUND_LEN_MAX);
	}
	return put_unless(at, 0, entry->count | entry->decision | entry->request, ENTRY_NUMBER,
			  present);
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
	at = put_duties(at, entry, &present);
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
	const uint16_t of_account =
		ENTRY_ALL & ~(ENTRY_ORG | ENTRY_DIGEST | ENTRY_TASK | ENTRY_NUMBER);
	struct facts *facts = &entry->facts;

	if (!(present & ENTRY_UID)) {
		reader_require(reader, (present & of_account) == 0);
		return;
	}
	entry->uid = get_u64(reader);
	reader_require(reader, entry->uid != 0);
	facts->kind = (enum account_kind)get_u8(reader);
	facts->enabled = present & ENTRY_ENABLED;
	facts->late = present & ENTRY_LATE;
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

static void get_duties(struct reader *reader, uint16_t present, struct entry *entry)
{
	if (entry->uid != 0) {
		entry->facts.held_until = get_instant(reader, ENTRY_HELD_UNTIL, present);
		entry->facts.owed = get_unless(reader, 0, ENTRY_OWED, present);
	}
	if (present & ENTRY_TASK) {
		entry->keeper = get_u8(reader);
		reader_require(reader, entry->keeper != 0);
		entry->result = (enum task_result)get_u8(reader);
		entry->generation = get_u32(reader);
		get_string(reader, entry->ground, MODEL_GROUND_LEN_MAX);
	}
	*entry_number(entry) = get_unless(reader, 0, ENTRY_NUMBER, present);
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
	entry.actor_uid = get_u32(&reader);
	entry.at = get_i64(&reader);
	if (present & ENTRY_ORG) {
		entry.org = get_u32(&reader);
		reader_require(&reader, entry.org != 0);
	}
	get_account(&reader, present, &entry);
	get_proofs(&reader, present, &entry);
	get_duties(&reader, present, &entry);
	if (!reader_is_done(&reader) || !entry_is_sound(&entry)) {
		return ROWS_E_CORRUPT;
	}
	*ret_entry = entry;
	return 0;
}
