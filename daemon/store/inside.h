/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_STORE_INSIDE_H
#define RETENTIOND_STORE_INSIDE_H

#include <limits.h>

#include "common/base.h"

#include "daemon/store/due_front.h"
#include "daemon/store/early.h"
#include "daemon/store/guards.h"
#include "daemon/store/keepers.h"
#include "daemon/store/kv.h"
#include "daemon/store/ledger.h"
#include "daemon/store/orgs.h"
#include "daemon/store/overlay.h"
#include "daemon/store/register.h"
#include "daemon/store/round.h"
#include "daemon/store/store.h"
#include "daemon/store/vault.h"

/* What the files that together are the store share. Nobody outside daemon/store includes this. */

/**
 * struct state - the store's own facts: one row, written with every commit
 * @settled_seq: every row is in its table as of this ledger number at least
 * @next_uid:    uids are never reused, so this outlives the rows
 * @next_request: nor are the numbers of removal requests
 * @counts:      of the accounts, as of the ledger's head
 * @paused:      the sweep is
 */
struct state {
	uint64_t settled_seq;
	uint64_t next_uid;
	uint64_t next_request;
	struct store_counts counts;
	bool paused;
};

struct store {
	int lock_fd;
	struct kv *kv;
	struct vault *vault;
	char instance[2 * VAULT_INSTANCE_LEN + 1];
	char *directory; /* the state directory, for its free space */
	uint64_t map_bytes;

	struct kv_txn *txn; /* of this turn, or NULL */
	bool writing;       /* @txn is a write transaction */

	struct state state;
	struct ledger_head head;
	uint64_t durable_seq;
	struct orgs orgs;
	struct keepers keepers;
	struct guards guards;
	struct early early;
	struct overlay *overlay;
	struct round round; /* the one under way */

	char *register_path;
	struct removal_register *removals;
	bool replaying; /* what the register knows already is carried out again */
	struct store_restored restored;
	instant_t last_backup_at;
	struct clock_mark clock_mark;
	struct progress progress;

	instant_t answers_until; /* before it no kept answer is to be forgotten */

	struct account last_read; /* a row as its table has it, or uid 0; of this turn */
	struct due_front due_front;

	uint64_t
		room_bytes; /* left for growth at the last commit; counted down by what a turn writes */
	bool room_known;

	uint8_t plain[MODEL_PROFILE_BYTES_MAX];
	uint8_t sealed[MODEL_PROFILE_BYTES_MAX + VAULT_SEAL_OVERHEAD];
};

/*
 * The turn's transaction; a read one becomes a write one, and what was read stays true. Return: 0
 * or a negative errno.
 */
must_check int store_reading(struct store *store, struct kv_txn **ret_txn);
must_check int store_writing(struct store *store, struct kv_txn **ret_txn);
void store_end_turn(struct store *store);

/* What a read of kv.h answered, as an answer of store.h. */
int store_answer(int kv_error);

/* What a commit of kv.h answered, or an error that stuck to its transaction: 0 or a negative errno. */
int store_commit_answer(int kv_error);

/*
 * The meta row. Decoding returns STORE_E_NONE, STORE_E_CORRUPT, STORE_E_NEWER or a negative
 * errno.
 */
void store_put_state(struct kv_txn *txn, const struct state *state, uint8_t n_keepers);
must_check int store_load_state(struct kv_txn *txn, struct state *ret_state);

/*
 * The ledger's last entry as it was written, beside the ledger: of all entries it alone is followed by
 * none that carries its hash. Return: 0, STORE_E_CORRUPT if @found is another, or a negative errno.
 */
void store_put_head(struct kv_txn *txn, const struct ledger_head *head);
must_check int store_match_head(struct kv_txn *txn, const struct ledger_head *found);

/* Up to which entry the round under way reaches; 0 if there is none. */
void store_put_round(struct kv_txn *txn, uint64_t round_seq);
must_check int store_load_round(struct kv_txn *txn, uint64_t *ret_round_seq);
void store_put_identity(struct kv_txn *txn, const uint8_t instance[static VAULT_INSTANCE_LEN]);
must_check int store_load_identity(struct kv_txn *txn,
				   uint8_t ret_instance[static VAULT_INSTANCE_LEN]);

/*
 * Appends an entry for an actor in the turn's transaction, with its note. Return: 0 or a negative
 * errno.
 */
must_check int store_append(struct store *store, struct entry *entry, const struct actor *actor);

/*
 * Erasing an account whose removal is complete. Its notes first: some of them, and STORE_E_MORE where
 * there are more. Then the rest, and the key as well: without it, whatever stays behind in pages,
 * backups and copies is noise. Return: 0 or a negative errno.
 */
must_check int store_erase_notes(struct store *store, uint64_t uid);
must_check int store_erase(struct store *store, uint64_t uid, bool may_have_tasks);

/* What an entry makes of its account's row. */
void store_take_entry(struct account *account, const struct entry *entry);

/*
 * Takes a changed row into the overlay and the counts; @is_new: there is none of it yet. Return: 0,
 * STORE_E_CORRUPT, or a negative errno.
 */
must_check int store_project(struct store *store, const struct account *account, bool is_new);

/*
 * The row that an entry leads to: replay. Return: 0 (nothing to do included), STORE_E_CORRUPT, or
 * a negative errno.
 */
must_check int store_replay_entry(struct store *store, const struct entry *entry);

/* Begins a round again that reaches up to this entry: before the replay. */
void store_resume_round(struct store *store, uint64_t round_seq);

/* Forgets a command that is held back, once the account's facts say that it cannot be done any more. */
must_check int store_outdate_staged(struct store *store, const struct account *account);

/*
 * The removal register: see removals.c. Opening makes a new one for a new store, and with @renew
 * where it is missing; then carries out what the store does not know of it. Return: 0,
 * STORE_E_REGISTER, STORE_E_CORRUPT, or a negative errno.
 */
must_check int store_open_removals(struct store *store, bool renew);

/*
 * A store that is gone is not quietly begun anew. Return: 0, STORE_E_REGISTER, or a negative
 * errno.
 */
must_check int store_refuse_to_begin_anew(const struct store *store);

/*
 * Records what an account's facts say of its removal and its row does not yet: before the row is
 * projected. Return: 0, STORE_E_CORRUPT, or a negative errno.
 */
must_check int store_record_removal(struct store *store, const struct account *account);

/*
 * The register's new records: the turn's transaction says that the store knows them, and then, before
 * it is committed, they are written on disk. Return: 0 or a negative errno.
 */
void store_put_register_mark(struct store *store);
must_check int store_sync_removals(struct store *store);

/* The rows of the last backup and of the clock. Return: 0, STORE_E_CORRUPT, or a negative errno. */
must_check int store_load_instants(struct store *store);

/* Takes about what @bytes cost in pages from the room that is left, until it is measured anew. */
void store_spend(struct store *store, size_t bytes);

/* DIRECTORY/NAME. Return: 0 or -ENAMETOOLONG. */
must_check int store_path(const char *directory, const char *name, char path[static PATH_MAX]);

/* What is wrong, for store_fault(). Returns @error, so that a refusal is one line. */
int store_say_fault(int error, const char *format, ...) printf_like(2, 3);

/* Making and checking a store's files: see create.c and check.c. Return: as store_open(). */
must_check int store_create(const char *directory, uint64_t map_bytes, const uint8_t *master,
			    instant_t now);
must_check int store_check(const char *directory, uint64_t map_bytes);

/* The same without a child, of a data file whose pages are known to be sound. */
must_check int store_check_rows(const char *directory, uint64_t map_bytes);

/* As store_hash_id(), for what only the store looks for. */
void store_hash_upn(const struct store *store, uint32_t org, struct slice upn,
		    uint8_t ret_hash[static ROWS_HASH_LEN]);

#endif
