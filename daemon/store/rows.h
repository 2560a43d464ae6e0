/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_STORE_ROWS_H
#define RETENTIOND_STORE_ROWS_H

#include "common/base.h"
#include "common/instant.h"
#include "common/model.h"

#include "daemon/core/lifecycle.h"
#include "daemon/core/policy.h"

/*
 * What is stored, as structs and as bytes. The bytes are a disk format: rows.c tells each byte,
 * tests/golden holds examples, and a changed form gets a new number in its first byte. Numbers
 * are big-endian. No row here holds personal data but the profile and the note, which are sealed
 * before they are stored.
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
};

#define ROWS_ACCOUNT_LEN 112 /* bytes of an account row: see rows.c */

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
	_EVENT_MAX
};

const char *event_name(enum event event); /* "removal-started"; static */

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
	uint8_t prev_hash[ROWS_DIGEST_LEN];
};

#define ROWS_ENTRY_LEN_MAX 256

/* A reason and a ticket, as they are sealed; at least one is not empty. Slices borrowed. */
struct note {
	struct slice reason;
	struct slice ref;
};

#define ROWS_NOTE_LEN_MAX (8 + MODEL_REASON_LEN_MAX + MODEL_REF_LEN_MAX)

/*
 * Encoders assert what they are given (it is our own), write into the caller's buffer and return
 * the length. Decoders refuse what they are not sure of. Slices in a decoded profile or note
 * point into @bytes.
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

size_t rows_encode_note(const struct note *note, uint8_t bytes[static ROWS_NOTE_LEN_MAX]);
must_check int rows_decode_note(struct slice bytes, struct note *ret_note);

#endif
