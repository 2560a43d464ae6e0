/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_STORE_ROWS_H
#define RETENTIOND_STORE_ROWS_H

#include "common/base.h"
#include "common/instant.h"
#include "common/model.h"

#include "daemon/core/guard.h"
#include "daemon/core/lifecycle.h"
#include "daemon/core/policy.h"

/*
 * What is stored, as structs and as bytes. The bytes are a disk format: rows*.c tell each byte,
 * tests/golden holds examples, and a changed form gets a new number in its first byte. Numbers
 * are big-endian. No row here holds personal data but the profile, the note and the hold, which are
 * sealed before they are stored.
 */

#define ROWS_HASH_LEN   16 /* keyed hash of a name, see vault_hash() */
#define ROWS_DIGEST_LEN 32 /* BLAKE2b-256 */

enum {
	ROWS_E_CORRUPT = 1, /* truncated, of an unknown form, or a value out of its range */
};

/**
 * struct account - one incarnation: facts and what it is found by. A tombstone once
 * facts.removed_at is set
 * @uid:      the key
 * @org:      organization number
 * @hash_id, @hash_person, @hash_upn: keyed hashes; @hash_upn is zeros in a tombstone
 * @created_at: when the daemon took it over
 * @last_seq: the ledger entry that this row stems from
 * @open_request: number of the removal request that waits for a decision; 0 if there is none
 */
struct account {
	uint64_t uid;
	uint32_t org;
	struct facts facts;
	uint8_t hash_id[ROWS_HASH_LEN];
	uint8_t hash_person[ROWS_HASH_LEN];
	uint8_t hash_upn[ROWS_HASH_LEN];
	instant_t created_at;
	uint64_t last_seq;
	uint64_t open_request;
};

#define ROWS_ACCOUNT_LEN 136 /* bytes of an account row: see rows.c */

/**
 * struct profile - an account's personal data; all slices borrowed
 */
struct profile {
	struct slice id;
	struct slice person;
	struct slice upn;
	struct slice mail;
	struct slice name;
	uint16_t n_groups;
	uint16_t n_permissions;
	struct slice groups[MODEL_GROUPS_MAX];
	struct slice permissions[MODEL_GROUPS_MAX];
};

/*
 * An organization's settings. Texts may be empty. Not personal data: contacts are published by
 * the organization.
 */
struct org {
	uint32_t number; /* the key; 1 on */
	char id[MODEL_ORG_LEN_MAX + 1];
	char name[MODEL_NAME_LEN_MAX + 1];
	char admin_contact[MODEL_URL_LEN_MAX + 1];
	char privacy_contact[MODEL_URL_LEN_MAX + 1];
	char privacy_url[MODEL_URL_LEN_MAX + 1];
	struct policy policy; /* has_privacy_info is computed, not stored */
	uint64_t last_seq;
};

#define ROWS_ORG_LEN_MAX 2048

/* What happened. Numbers are on disk: never reused. */
enum event {
	EVENT_STORE_CREATED = 1,
	EVENT_ORG_SET,
	EVENT_IMPORTED,
	EVENT_UPDATED, /* an import brought new fields */
	EVENT_LEFT,    /* the person did it */
	EVENT_DELETED, /* an administrator, or the directory an import came from, did it */
	EVENT_RESTORED,
	EVENT_PURGED,
	EVENT_DISABLED,
	EVENT_ENABLED,
	EVENT_REMOVAL_STARTED,   /* the window ended */
	EVENT_REMOVAL_COMPLETED, /* all data is gone */
	EVENT_SWEEP_PAUSED,
	EVENT_SWEEP_RESUMED,
	EVENT_CLOCK_ADVANCED, /* simulated clock only */
	EVENT_KEEPER_SET,
	EVENT_TASK_OWED, /* a keeper registered later is to erase it as well */
	EVENT_TASK_CONFIRMED,
	EVENT_TASK_WAIVED,
	EVENT_OVERDUE, /* the deadline passed while keepers owed something */
	EVENT_HOLD_ADDED,
	EVENT_HOLD_REMOVED,
	EVENT_BLOCKED, /* a removal that a hold prevented */
	EVENT_REQUEST_FILED,
	EVENT_REQUEST_APPROVED,
	EVENT_REQUEST_DENIED,
	EVENT_BACKUP_CREATED,
	EVENT_RESTORED_FROM_BACKUP, /* the removal register was replayed over an older store */
	EVENT_GUARD_ENGAGED,        /* the mass guard; without an organization: the clock guard */
	EVENT_GUARD_RELEASED,       /* the same; the clock had this entry's instant then, */
	EVENT_CLOCK_SET,            /* and this one's when it was moved on */
	EVENT_REDATED,         /* deleted while the clock guard was engaged: its time was too old */
	EVENT_GUARD_DISCARDED, /* the commands that the mass guard held back will not be carried out */
	EVENT_STAGED,          /* the mass guard holds a command back */
	EVENT_DISCARDED,       /* a command that was held back will not be carried out */
	EVENT_REQUEST_REOPENED, /* one that was approved, and whose removal was discarded */
	_EVENT_MAX
};

const char *event_name(enum event event); /* "removal-started"; static */

/* Whether it can be what a decision on the mass guard led to. */
bool event_has_decision(enum event event);

/**
 * struct entry - one entry of the ledger
 * @seq:   its number, 1 on, without gaps; the key
 * @at:    trusted time
 * @actor_role, @actor_uid: who; ROLE_DAEMON with uid 0 when the clock did it
 * @org:   organization number, 0 if it concerns none
 * @uid:   account, 0 if it concerns none
 * @prev_seq: the entry before of the same account, 0 if this is the first
 * @facts: the account's facts after it (zeroed without an account): replaying is copying
 * @hash_id, @hash_person, @hash_upn: with IMPORTED and UPDATED, else zeros
 * @digest: with IMPORTED and UPDATED of the sealed profile, with ORG_SET of the organization's
 *          row, else zeros
 * @keeper: with TASK_OWED, TASK_CONFIRMED, TASK_WAIVED and KEEPER_SET: 1 to 64; else 0
 * @result: with TASK_CONFIRMED and TASK_WAIVED; else 0
 * @generation: with TASK_CONFIRMED: which claim of the task it was
 * @ground: with TASK_CONFIRMED and TASK_RESULT_RETAINED: the legal ground; else empty
 * @request: with REQUEST_…: its number; else 0
 * @count: with GUARD_…: of what was held back; else 0
 * @decision: with what the mass guard held back, and what became of it: the entry GUARD_… that decided
 *          so; else 0. See event_has_decision()
 * @prev_hash: BLAKE2b-256 of the entry before as it is stored; zeros in the first
 */
struct entry {
	uint64_t seq;
	enum event event;
	enum role actor_role;
	uint32_t actor_uid;
	instant_t at;
	uint32_t org;
	uint64_t uid;
	uint64_t prev_seq;
	struct facts facts;
	uint8_t hash_id[ROWS_HASH_LEN];
	uint8_t hash_person[ROWS_HASH_LEN];
	uint8_t hash_upn[ROWS_HASH_LEN];
	uint8_t digest[ROWS_DIGEST_LEN];
	uint8_t keeper;
	enum task_result result;
	uint32_t generation;
	char ground[MODEL_GROUND_LEN_MAX + 1];
	uint64_t request;
	uint64_t count;
	uint64_t decision;
	uint8_t prev_hash[ROWS_DIGEST_LEN];
};

#define ROWS_ENTRY_LEN_MAX 384

/* A reason and a ticket, as they are sealed; at least one is not empty. Slices borrowed. */
struct note {
	struct slice reason;
	struct slice ref;
};

#define ROWS_NOTE_LEN_MAX (8 + MODEL_REASON_LEN_MAX + MODEL_REF_LEN_MAX)

/**
 * struct keeper - a service that must confirm erasure
 * @number:  1 to 64; bit number - 1 of facts.owed; never reused
 * @enabled: owes the removals that start from now on
 * @orgs:    numbers of the organizations it is limited to; with @n_orgs 0 it keeps data of all
 */
struct keeper {
	uint8_t number;
	bool enabled;
	char name[MODEL_KEEPER_LEN_MAX + 1];
	uint16_t n_orgs;
	uint32_t orgs[MODEL_KEEPER_ORGS_MAX];
	uint64_t last_seq;
};

#define ROWS_KEEPER_LEN_MAX 384

/**
 * struct task - where a keeper stands with one account. A task never claimed has no row
 * @generation:  how often it was claimed: the fence
 * @lease_until: end of the last claim's lease; INSTANT_NONE when it was given back or failed
 * @next_at:     from when on it may be claimed again
 * @error:       what the keeper said when it failed last; sealed; borrowed
 */
struct task {
	uint32_t generation;
	instant_t lease_until;
	instant_t next_at;
	struct slice error;
};

#define ROWS_TASK_LEN_MAX (32 + MODEL_NOTE_LEN_MAX + 64)

/*
 * A legal hold, as it is sealed with the account; slices borrowed. @until: INSTANT_MAX without an
 * end.
 */
struct hold {
	struct slice name;
	struct slice reason;
	instant_t added_at;
	instant_t until;
};

#define ROWS_HOLD_LEN_MAX (32 + MODEL_HOLD_LEN_MAX + MODEL_REASON_LEN_MAX)

/**
 * struct removal_request - a person asks to be removed and cannot leave. Its reason is the note
 * of the entry that filed it
 * @number:   the key; 1 on
 * @uid:      the account it is about
 * @filed_at, @due_at: when, and by when it is to be decided
 * @decided_at: INSTANT_NONE while open
 * @filed_seq, @decided_seq: ledger entries; @decided_seq is 0 while open
 */
struct removal_request {
	uint64_t number;
	enum request_state state;
	uint32_t org;
	uint64_t uid;
	instant_t filed_at;
	instant_t due_at;
	instant_t decided_at;
	uint64_t filed_seq;
	uint64_t decided_seq;
};

#define ROWS_REQUEST_LEN 56

/**
 * struct guard_row - the mass guard of an organization, as of a ledger entry
 * @org:         the key
 * @seq:         the last entry it reckons with
 * @decided_seq: what was staged up to this entry is released, or discarded; 0 if nothing ever was
 * @discards:    it is discarded, all but what persons asked for
 * @discards_owed: that as well
 * @released_at: that decision released removals which were due up to then; else INSTANT_NONE
 */
struct guard_row {
	uint32_t org;
	struct mass_guard guard;
	uint64_t seq;
	uint64_t decided_seq;
	bool discards;
	bool discards_owed;
	instant_t released_at;
};

#define ROWS_GUARD_LEN_MAX 1024

/**
 * struct staged - a command on an account that the mass guard holds back. Reason and ref are the
 * note of the entry that staged it
 * @org, @uid: the key
 * @kind:  what it is counted as
 * @event: what is appended when it is carried out: LEFT, DELETED or PURGED
 * @seq:   the entry that staged it
 * @at:    when
 * @actor_role, @actor_uid: who asked
 * @request: the person's request that was approved with it; 0 if there is none
 */
struct staged {
	uint32_t org;
	uint64_t uid;
	enum guard_kind kind;
	enum event event;
	uint64_t seq;
	instant_t at;
	enum role actor_role;
	uint32_t actor_uid;
	uint64_t request;
};

#define ROWS_STAGED_LEN_MAX 32

/* Whether a person asked for it: they left, or their request was approved. */
static inline bool staged_is_owed(const struct staged *staged)
{
	return staged->event == EVENT_LEFT || staged->request != 0;
}

/*
 * Encoders assert what they are given (it is our own), write into the caller's buffer and return
 * the length. Decoders refuse what they are not sure of. Slices in what was decoded point into
 * @bytes.
 */
size_t rows_encode_account(const struct account *account, uint8_t bytes[static ROWS_ACCOUNT_LEN]);
must_check int rows_decode_account(uint64_t uid, struct slice bytes, struct account *ret_account);

size_t rows_profile_len(const struct profile *profile);
void rows_encode_profile(const struct profile *profile, void *bytes); /* rows_profile_len() bytes */
must_check int rows_decode_profile(struct slice bytes, struct profile *ret_profile);

size_t rows_encode_org(const struct org *org, uint8_t bytes[static ROWS_ORG_LEN_MAX]);
must_check int rows_decode_org(uint32_t number, struct slice bytes, struct org *ret_org);

size_t rows_encode_entry(const struct entry *entry, uint8_t bytes[static ROWS_ENTRY_LEN_MAX]);
must_check int rows_decode_entry(uint64_t seq, struct slice bytes, struct entry *ret_entry);

size_t rows_encode_keeper(const struct keeper *keeper, uint8_t bytes[static ROWS_KEEPER_LEN_MAX]);
must_check int rows_decode_keeper(uint8_t number, struct slice bytes, struct keeper *ret_keeper);

size_t rows_encode_task(const struct task *task, uint8_t bytes[static ROWS_TASK_LEN_MAX]);
must_check int rows_decode_task(struct slice bytes, struct task *ret_task);

size_t rows_encode_hold(const struct hold *hold, uint8_t bytes[static ROWS_HOLD_LEN_MAX]);
must_check int rows_decode_hold(struct slice bytes, struct hold *ret_hold);

size_t rows_encode_request(const struct removal_request *request,
			   uint8_t bytes[static ROWS_REQUEST_LEN]);
must_check int rows_decode_request(uint64_t number, struct slice bytes,
				   struct removal_request *ret_request);

size_t rows_encode_guard(const struct guard_row *row, uint8_t bytes[static ROWS_GUARD_LEN_MAX]);
must_check int rows_decode_guard(uint32_t org, struct slice bytes, struct guard_row *ret_row);

size_t rows_encode_staged(const struct staged *staged, uint8_t bytes[static ROWS_STAGED_LEN_MAX]);
must_check int rows_decode_staged(uint32_t org, uint64_t uid, struct slice bytes,
				  struct staged *ret_staged);

size_t rows_encode_note(const struct note *note, uint8_t bytes[static ROWS_NOTE_LEN_MAX]);
must_check int rows_decode_note(struct slice bytes, struct note *ret_note);

#endif
