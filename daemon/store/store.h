/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_STORE_STORE_H
#define RETENTIOND_STORE_STORE_H

#include "common/base.h"
#include "common/instant.h"
#include "common/limits.h"

#include "daemon/core/clock.h"
#include "daemon/store/kv.h"
#include "daemon/store/ledger.h"
#include "daemon/store/progress.h"
#include "daemon/store/rows.h"
#include "daemon/store/vault.h"

/*
 * The store: organizations, accounts, their history. The ledger is the truth and the account rows
 * are its projection: a change is appended to the ledger (sequential keys: few pages), and its
 * row goes to an overlay in memory; rows are settled into their tables later, in slices. On start
 * the tail of the ledger that is not settled yet is replayed into the overlay. Reads look at the
 * overlay first.
 *
 * Changes of one turn share one transaction and become durable together in store_commit(): the
 * removal register, then the vault, then the data. Reads in the same turn see them already; so no
 * answer may leave before store_commit() has returned 0. There is no way back for a single change:
 * what must be checked is checked before it is made.
 *
 * Nothing returned points into the map: rows are copied out.
 */

enum {
	STORE_E_NONE = 1,   /* no such thing, or no more of them */
	STORE_E_LOCKED,     /* another process has the store open */
	STORE_E_CORRUPT,    /* damaged, or not a store; store_fault() says what and what to do */
	STORE_E_NEWER,      /* written by a newer version */
	STORE_E_REGISTER,   /* the removal register is missing or wrong; store_fault() says how */
	STORE_E_TOO_LONG,   /* an account has more than STORE_HISTORY_MAX entries */
	STORE_E_CREDENTIAL, /* a key that the service manager gives, or gives not, is wrong;
			       store_fault() says how */
	STORE_E_MORE,       /* a part of it is done; the rest is for another turn */
};

#define STORE_FORMAT 1 /* of the whole store; raised when an older program could not read it */

/* Bytes of address space, not of disk: enough for about 25 M accounts and their removal. */
#define STORE_MAP_DEFAULT (UINT64_C(64) << 30)
#define STORE_MAP_MIN     (UINT64_C(8) << 20)

/*
 * Growth is refused below this much room, so that deletions always find some. For each account that
 * is not removed yet it is what its removal writes before it frees anything: a request, its
 * approval, the deletion and the purge, each with STORE_TEXT_KEPT bytes of reason and reference
 * (1376 bytes were measured, 520 without any), and for each keeper a task and a confirmation (180,
 * and a ground). To that comes some for each row that waits to be settled, and 1/8 of the map, at
 * most 256 MiB, for everything else. Longer texts ask for room.
 */
#define STORE_RESERVE_EACH 1536
#define STORE_RESERVE_TASK 256
#define STORE_RESERVE_ROW  512
#define STORE_RESERVE_MAX  (UINT64_C(256) << 20)
#define STORE_TEXT_KEPT    64

/*
 * Overlay rows after which a round is begun even under load: the more, the more of them share a
 * page. About 600 bytes each; while the round is under way as many may come.
 */
#define STORE_OVERLAY_MAX 65536
#define STORE_TAIL_MAX    262144 /* so many entries to replay begin a round: a second at a start */

/*
 * Settling goes in steps: one for each key that is put or deleted, and four more for each page that is
 * changed by it first, since a commit writes it. That is what both take: with a million accounts
 * most keys are on pages of their own, and with 100 000 some twenty share one.
 *
 * Steps, those for pages aside, that are due for each entry that comes while a round is under way: a
 * row has at most eleven keys to change, and hardly ever more than five. Thus a round ends before as
 * many rows wait for the next.
 */
#define STORE_STEPS_AN_ENTRY 6
#define STORE_SETTLE_ENTRY   30   /* steps with those for pages: what is due for an entry fits */
#define STORE_SETTLE_SLICE   2048 /* steps of a slice when nobody waits: 5 ms */

/* If so many are due, the rows of 16 384 entries more than planned wait, 10 MiB. */
#define STORE_STEPS_LATE (16384 * STORE_STEPS_AN_ENTRY)

/**
 * struct store_options
 * @directory: the state directory; must exist. The store is in DIRECTORY/store, made if missing
 * @map_bytes: 0 for STORE_MAP_DEFAULT
 * @register_path: the removal register; NULL for DIRECTORY/register. It must not be in any backup
 *             of the store
 * @new_register: begin a register where it is missing, though the store has had one
 * @progress:  told while the store is opened
 */
struct store_options {
	const char *directory;
	uint64_t map_bytes;
	const char *register_path;
	bool new_register;
	struct progress progress;
};

struct store;

/**
 * store_open() - open, check and replay
 * @ret_store: set on 0
 *
 * A store that is not there is made in a temporary directory beside its place, synced and
 * renamed, so that a crash leaves either none or a whole one. A store that is there is checked
 * first in a child process, since a damaged map ends whoever reads it. Removals that the register
 * knows and the store does not are carried out before this returns: see store_restored().
 *
 * The vault is wrapped if the service manager gives a master key; one that is there must be as
 * well.
 *
 * Return: 0, STORE_E_LOCKED, STORE_E_CORRUPT, STORE_E_NEWER, STORE_E_REGISTER, STORE_E_CREDENTIAL,
 * or a negative errno. After each answer store_fault() says what is wrong.
 */
must_check int store_open(const struct store_options *options, instant_t now,
			  struct store **ret_store);
struct store *store_close(struct store *store); /* drops what is not committed */

/**
 * store_rewrap() - wrap the vault of a store that nobody has open with the master key that the
 * service manager gives, or unwrap it
 * @wrap: wrap it, else unwrap it
 *
 * Return: as store_open().
 */
must_check int store_rewrap(const struct store_options *options, bool wrap);

/* What was wrong at the last store_open() or store_rewrap(), and what to do; static, never NULL. */
const char *store_fault(void);

/**
 * struct store_restored - what the removal register did to an older store at its opening
 * @any:         it knew something that the store did not
 * @n_started:   removals that have started again, at their first instant
 * @n_completed: removals that were completed
 * @n_unknown:   removals of accounts that the store has never had: nothing but their numbers is
 *               known, and their keepers are not asked again
 */
struct store_restored {
	bool any;
	uint64_t n_started;
	uint64_t n_completed;
	uint64_t n_unknown;
};

const struct store_restored *store_restored(const struct store *store);

/* Whether the keys in memory cannot be swapped out. */
bool store_keys_locked(const struct store *store);

/* The instance's id: 32 hex digits. Static for the store's life. */
const char *store_instance(const struct store *store);

/* Turns. Return: 0, or a negative errno after which the process must end. */
must_check int store_commit(struct store *store); /* also ends the turn's reading */
bool store_dirty(const struct store *store);      /* something waits for a commit */

/**
 * store_settle() - a slice of bringing rows into their tables; part of the turn
 * @n_steps_max: it ends with the step that reaches or passes this
 *
 * Rows are settled in rounds of all that wait, and wait until the last slice of theirs. Return: 0
 * or a negative errno after which the process must end.
 */
must_check int store_settle(struct store *store, uint32_t n_steps_max);

/*
 * Steps, those for pages aside, that are due even under load: else too much waits. Where no round is
 * under way and one must begin, 1.
 */
uint64_t store_steps_due(const struct store *store);
bool store_is_settling(const struct store *store); /* a round is under way */

/* Rows that wait to be settled, and ledger entries a start would replay. */
uint32_t store_unsettled_rows(const struct store *store);
uint64_t store_unsettled_entries(const struct store *store);

/**
 * store_measure_room() - how many bytes of room are left, beside what is kept for deletions
 * @ret_room_bytes: of the map or the disk, whichever ends first; on a disk it is others' room too
 *
 * Return: 0 or a negative errno.
 */
must_check int store_measure_room(struct store *store, uint64_t *ret_room_bytes);

/* What is kept for the deletion of one account more, in bytes: with a keeper more it is more. */
uint64_t store_reserve_each(const struct store *store);

/*
 * Whether there is room to grow by about @bytes, which are taken from it until the next commit.
 * Deletions do not ask. Return: 0 or a negative errno.
 */
must_check int store_has_room(struct store *store, uint64_t bytes, bool *ret_room);

/*
 * How many accounts there are by what is recorded: the clock's work not yet done counts as
 * before.
 */
struct store_counts {
	uint64_t n_active;
	uint64_t n_soft_deleted;
	uint64_t n_removing;
	uint64_t n_removed;
	uint64_t n_overdue; /* of n_removing */
	uint64_t n_held;    /* soft-deleted or active, with a hold that has not been released */
	uint64_t n_requests_open;
	uint64_t n_owed[MODEL_KEEPERS_MAX]; /* tasks not settled, of keeper n at [n - 1] */
};

const struct store_counts *store_counts(const struct store *store);
must_check int store_usage(struct store *store, struct kv_usage *ret_usage,
			   uint64_t *ret_reserve_bytes);

/* Organizations: all in memory. Pointers are valid until the next store_put_org(). */
const struct org *store_org(const struct store *store, uint32_t number); /* NULL if there is none */
const struct org *store_org_by_id(const struct store *store,
				  struct slice id); /* @id in lower case */
uint32_t store_n_orgs(const struct store *store);   /* numbers are 1 to this */

/* Uids that were ever given: as many slots of the vault are in use or were destroyed. */
uint64_t store_n_uids(const struct store *store);

/**
 * struct actor - who changes something, for the ledger and the note kept with it
 * @role, @uid: of the peer; ROLE_DAEMON and 0 for the clock
 * @at:         trusted time
 * @note:       reason and ref, both may be empty
 * @decision:   ledger number of the decision on a mass guard that lets it happen; 0 without one
 */
struct actor {
	enum role role;
	uint32_t uid;
	instant_t at;
	struct note note;
	uint64_t decision;
};

/**
 * store_put_org() - create an organization (number 0) or change it
 *
 * Return: 0 and the number in @org, STORE_E_NONE when there are STORE_ORGS_MAX already, or a
 * negative errno.
 */
must_check int store_put_org(struct store *store, struct org *org, const struct actor *actor);

/* Reads of accounts. Return: 0, STORE_E_NONE, STORE_E_CORRUPT, or a negative errno. */
must_check int store_get_account(struct store *store, uint64_t uid, struct account *ret_account);

/*
 * A keyed hash of a name. Names are compared in lower case but for ids.
 */
void store_hash_id(const struct store *store, uint32_t org, struct slice id,
		   uint8_t ret_hash[static ROWS_HASH_LEN]);
void store_hash_person(const struct store *store, struct slice person,
		       uint8_t ret_hash[static ROWS_HASH_LEN]);

/* Hashes of the names that an account is found by, for whoever needs them more than once. */
struct names {
	uint8_t id[ROWS_HASH_LEN];
	uint8_t person[ROWS_HASH_LEN];
};

/**
 * store_find_by_id() - the account that (org, id) names: its newest incarnation, a tombstone
 * included
 * store_find_by_hash() - the same by the hash of the id
 * store_find_by_person() - the account of a person in an organization: an active one, else the
 * newest one
 */
must_check int store_find_by_id(struct store *store, uint32_t org, struct slice id,
				struct account *ret_account);
must_check int store_find_by_hash(struct store *store, uint32_t org,
				  const uint8_t hash_id[static ROWS_HASH_LEN],
				  struct account *ret_account);
must_check int store_find_by_person(struct store *store, uint32_t org, struct slice person,
				    struct account *ret_account);

/**
 * store_name_taken() - whether another account of the organization is active under this account's
 * id or UPN
 * @new_upn: instead of the account's own UPN; empty for its own
 */
must_check int store_name_taken(struct store *store, const struct account *account,
				struct slice new_upn, bool *ret_taken);

/* Every account of a person, by the hash, tombstones left out, oldest first: those after @uid. */
struct person_position {
	uint8_t hash[ROWS_HASH_LEN];
	uint64_t uid;
};

struct person_position store_begin_person(const struct store *store, struct slice person);
must_check int store_next_of_person(struct store *store, struct person_position *position,
				    struct account *ret_account);

/* Accounts in the order of their uids, tombstones included, after *@uid. */
must_check int store_next_account(struct store *store, uint64_t *uid, struct account *ret_account);

/*
 * Accounts of one organization, after (*@hash, *@uid), in the order of their hashed ids. Zeros to
 * begin.
 */
struct org_position {
	uint8_t hash[ROWS_HASH_LEN];
	uint64_t uid;
};

must_check int store_next_of_org(struct store *store, uint32_t org, struct org_position *position,
				 struct account *ret_account);

/**
 * struct due_position - a place in the due index
 *
 * The index holds what the clock does next to each account (lifecycle_next()): the end of each
 * window, the start of each removal. Zeros are before everything.
 */
struct due_position {
	instant_t at;
	uint64_t uid;
};

/* The first account after a position. @position moves to it. */
must_check int store_next_due(struct store *store, struct due_position *position,
			      struct account *ret_account);

/**
 * store_get_profile() - an account's personal data, unsealed
 * @buffer: the caller's MODEL_PROFILE_BYTES_MAX bytes; the profile's slices point into it
 *
 * Return: 0, STORE_E_NONE if it is gone, STORE_E_CORRUPT if it cannot be unsealed, or a negative
 * errno.
 */
must_check int store_get_profile(struct store *store, uint64_t uid, void *buffer,
				 struct profile *ret_profile);

/*
 * Whether a profile is, to the byte, the one that is stored. Return: 0, STORE_E_CORRUPT, or a
 * negative errno.
 */
must_check int store_profile_equals(struct store *store, uint64_t uid,
				    const struct profile *profile, bool *ret_equal);

/**
 * store_import() - a new account, or new fields of an account
 * @account: uid 0 for a new one (set on 0); org and facts set by the caller, hashes and last_seq
 *           are set here
 * @names:   of the profile
 * @profile: sealed and stored
 * @event:   EVENT_IMPORTED or EVENT_UPDATED
 *
 * Return: 0 or a negative errno.
 */
must_check int store_import(struct store *store, struct account *account, const struct names *names,
			    const struct profile *profile, enum event event,
			    const struct actor *actor);

/* Notes of one account that are deleted in one turn: a millisecond. A person may have any number. */
#define STORE_ERASE_MAX 256

/**
 * store_change() - append what happened to an account
 * @account: with the facts after it; last_seq is set on 0
 *
 * With EVENT_REMOVAL_COMPLETED (without a note: there is no key to seal it) the key is destroyed,
 * profile and notes are deleted and the row becomes a tombstone. What came before must be durable.
 * Of more than STORE_ERASE_MAX notes only so many are deleted, and nothing else is done: once more in
 * a later turn.
 *
 * Return: 0, STORE_E_MORE of a completion for which there were too many notes, or a negative errno.
 */
must_check int store_change(struct store *store, struct account *account, enum event event,
			    const struct actor *actor);

/*
 * A removal that the clock starts and nobody owes anything for, whole: @account as it has started,
 * @removed as it ends. The register redoes it after a crash; since it does not know who purged or
 * confirmed, store_change() completes those in a later commit. Return: 0; STORE_E_MORE when there are
 * so many notes that it has only started, and store_change() completes it; or a negative errno.
 */
must_check int store_remove(struct store *store, struct account *account,
			    const struct facts *removed, const struct actor *actor);

/**
 * struct particulars - what some events tell beyond the account's facts; see struct entry
 */
struct particulars {
	uint8_t keeper;
	enum task_result result;
	uint32_t generation;
	struct slice ground;
	uint64_t request;
};

/* store_change() with particulars. */
must_check int store_change_with(struct store *store, struct account *account, enum event event,
				 const struct particulars *particulars, const struct actor *actor);

/**
 * store_drop_tombstone() - forget a removed account; its entries stay in the ledger
 * @account: removed
 *
 * Return: 0; STORE_E_NONE while a start could still have to replay an entry of it: later then; or a
 * negative errno.
 */
must_check int store_drop_tombstone(struct store *store, const struct account *account);

/* Whether the account's key is still there: it is destroyed when the removal is complete. */
must_check int store_has_key(struct store *store, uint64_t uid, bool *ret_has);

/* A backup is complete: recorded, and remembered as the last one. Return: 0 or a negative errno. */
must_check int store_note_backup(struct store *store, const struct actor *actor);
instant_t store_last_backup_at(const struct store *store); /* INSTANT_NONE before the first */

/*
 * What is kept of the clock, CLOCK_MARK_NONE before the first; the ledger's last entry may be later.
 * Return of the second: 0 or a negative errno.
 */
const struct clock_mark *store_clock(const struct store *store);
must_check int store_put_clock(struct store *store, const struct clock_mark *mark);

/* Something that concerns no account: EVENT_SWEEP_PAUSED and the like. */
must_check int store_note_event(struct store *store, enum event event, const struct actor *actor);

/* Whether the entry that this row stems from is on disk (and not only in this turn). */
bool store_is_durable(const struct store *store, const struct account *account);

/* The ledger. The head is the last entry appended in this turn, durable or not. */
const struct ledger_head *store_head(const struct store *store);

/*
 * @ret_hash: of the entry as it is stored; may be NULL. Return: 0, STORE_E_NONE, STORE_E_CORRUPT
 * or a negative errno.
 */
must_check int store_get_entry(struct store *store, uint64_t seq, struct entry *ret_entry,
			       uint8_t ret_hash[ROWS_DIGEST_LEN]);

typedef void store_history_fn(void *userdata, const struct entry *entry,
			      const uint8_t hash[static ROWS_DIGEST_LEN]);

/**
 * store_walk_history() - every entry of an account, oldest first
 * @last_seq: the newest: the row's last_seq
 * @take:     called with each
 *
 * Return: 0; STORE_E_CORRUPT when the links lead astray; STORE_E_TOO_LONG; or a negative errno.
 */
must_check int store_walk_history(struct store *store, uint64_t uid, uint64_t last_seq,
				  store_history_fn *take, void *userdata);

/**
 * store_retell_account() - the row that the ledger leads to, by the rules that every start replays
 * @ret_n: entries it was told from
 *
 * Return: as store_walk_history().
 */
must_check int store_retell_account(struct store *store, uint64_t uid, uint64_t last_seq,
				    struct account *ret_account, uint32_t *ret_n);

/**
 * store_get_note() - the reason and ref given with an entry
 * @buffer: the caller's ROWS_NOTE_LEN_MAX bytes
 *
 * Return: 0, STORE_E_NONE if there is none, or no more; STORE_E_CORRUPT; or a negative errno.
 */
must_check int store_get_note(struct store *store, uint64_t uid, uint64_t seq, void *buffer,
			      struct note *ret_note);

/**
 * store_put_answer() - keep an answer for a repeated request
 * store_may_keep_answer() - whether a user's answers take less than its share of the store, see
 *          STORE_ANSWERS_SHARE_OF_UID
 * store_get_answer() - the answer kept
 * store_drop_answers() - forget the answers kept until an instant, at most @n_max of them
 * @key:    keyed hash of who asked and its request id, see store_answer_key()
 * @answer: opaque bytes, no personal data; at most STORE_ANSWER_MAX. In store_get_answer() it
 *          points into the map and is valid until the next change or the end of the turn: the one
 *          exception to copying out, since it can be large
 */
#define STORE_ANSWER_MAX (1024 * 1024)

void store_answer_key(const struct store *store, uint32_t actor_uid, struct slice request_id,
		      uint8_t ret_key[ROWS_HASH_LEN]);
must_check int store_may_keep_answer(struct store *store, uint32_t actor_uid, bool *ret_may);
must_check int store_put_answer(struct store *store, uint32_t actor_uid,
				const uint8_t key[ROWS_HASH_LEN], instant_t until,
				struct slice answer);
must_check int store_get_answer(struct store *store, const uint8_t key[ROWS_HASH_LEN],
				struct slice *ret_answer);
must_check int store_drop_answers(struct store *store, instant_t until, uint32_t n_max);

/*
 * Whether the sweep is paused: stored, so that it survives a restart. Changed by
 * store_note_event().
 */
bool store_sweep_paused(const struct store *store);

/* A keyed hash of any bytes, for telling two requests apart without keeping them. */
void store_fingerprint(const struct store *store, struct slice bytes,
		       uint8_t ret_hash[ROWS_HASH_LEN]);

/*
 * Keepers: all in memory. Pointers are valid until the next store_put_keeper().
 */
const struct keeper *store_keeper(const struct store *store, uint8_t number); /* NULL: none */
const struct keeper *store_keeper_by_name(const struct store *store, struct slice name);
uint8_t store_n_keepers(const struct store *store); /* numbers are 1 to this */

/* Who owes the erasure of a removal that starts now in an organization: bit n - 1 for keeper n. */
uint64_t store_keepers_of(const struct store *store, uint32_t org);

/**
 * store_put_keeper() - create a keeper (number 0) or change it
 *
 * Return: 0 and the number in @keeper, STORE_E_NONE when there are MODEL_KEEPERS_MAX already, or a
 * negative errno.
 */
must_check int store_put_keeper(struct store *store, struct keeper *keeper,
				const struct actor *actor);

/*
 * The next account whose removal waits for keepers, in the order of the starts; as
 * store_next_due().
 */
must_check int store_next_owed(struct store *store, struct due_position *position,
			       struct account *ret_account);

/**
 * store_get_task() - where a keeper stands with an account
 * @buffer: the caller's MODEL_NOTE_LEN_MAX bytes; @ret_task->error points into it, in clear
 *
 * Return: 0 (a task never claimed is all zeros), STORE_E_CORRUPT, or a negative errno.
 */
must_check int store_get_task(struct store *store, uint8_t keeper, uint64_t uid, void *buffer,
			      struct task *ret_task);

/*
 * Keeps it; @task->error is in clear and is sealed with the account. Return: 0 or a negative
 * errno.
 */
must_check int store_put_task(struct store *store, uint8_t keeper, uint64_t uid,
			      const struct task *task);
must_check int store_drop_task(struct store *store, uint8_t keeper, uint64_t uid);

/**
 * Holds of an account, each under its name. store_next_hold() walks them in no order that means
 * anything: zeros to begin.
 * @buffer: the caller's ROWS_HOLD_LEN_MAX bytes; the hold's slices point into it
 *
 * Return: 0, STORE_E_NONE (no such hold; no more), STORE_E_CORRUPT, or a negative errno.
 */
must_check int store_get_hold(struct store *store, uint64_t uid, struct slice name, void *buffer,
			      struct hold *ret_hold);
must_check int store_next_hold(struct store *store, uint64_t uid, uint8_t position[ROWS_HASH_LEN],
			       void *buffer, struct hold *ret_hold);
must_check int store_put_hold(struct store *store, uint64_t uid, const struct hold *hold);
must_check int store_drop_hold(struct store *store, uint64_t uid, struct slice name);

/**
 * Removal requests. store_next_request() walks those behind *@number in the order in which they
 * were filed. store_new_request_number() gives a number, used once it is put.
 *
 * Return: 0, STORE_E_NONE, STORE_E_CORRUPT, or a negative errno.
 */
uint64_t store_new_request_number(struct store *store);
must_check int store_get_request(struct store *store, uint64_t number,
				 struct removal_request *ret_request);
must_check int store_next_request(struct store *store, uint64_t *number,
				  struct removal_request *ret_request);
must_check int store_put_request(struct store *store, const struct removal_request *request);

#endif
