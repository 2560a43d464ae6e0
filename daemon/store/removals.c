/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <sys/stat.h>

#include "daemon/store/bytes.h"
#include "daemon/store/inside.h"

/*
 * The store and its removal register. What starts or ends a removal is in the register before it
 * is in the store; so a store that knows less than the register was restored from a backup, or was
 * killed between the two. Both are mended in the same way, before anything is served: the removals
 * of the register are carried out again, by the functions that carry out every other.
 *
 *     meta row "register"   form 01 | serial 16 | records 8 | check of the last 8
 */

#define MARK_FORM 1
#define MARK_LEN  (1 + REGISTER_SERIAL_LEN + 8 + REGISTER_CHECK_LEN)

/* Changes in one commit: a transaction stays small, and a start that is killed loses little. */
#define REPLAY_SLICE 1000

static void put_mark(struct kv_txn *txn, const struct register_mark *mark)
{
	uint8_t bytes[MARK_LEN];
	uint8_t *at = put_bytes(put_u8(bytes, MARK_FORM), mark->serial, REGISTER_SERIAL_LEN);

	at = put_bytes(put_u64(at, mark->n), mark->check, REGISTER_CHECK_LEN);
	assert(at == bytes + MARK_LEN);
	kv_put(txn, KV_META, SLICE_LITERAL("register"),
	       (struct slice){(const char *)bytes, sizeof(bytes)});
}

static int load_mark(struct store *store, struct register_mark *ret_mark)
{
	struct register_mark mark = {0};
	struct reader reader;
	struct kv_txn *txn;
	struct slice row;
	int r = store_reading(store, &txn);

	if (r == 0) {
		r = kv_get(txn, KV_META, SLICE_LITERAL("register"), &row);
	}
	if (r != 0) {
		return store_answer(r);
	}
	reader = reader_of(row);
	reader_require(&reader, get_u8(&reader) == MARK_FORM);
	get_bytes(&reader, mark.serial, REGISTER_SERIAL_LEN);
	mark.n = get_u64(&reader);
	get_bytes(&reader, mark.check, REGISTER_CHECK_LEN);
	if (!reader_is_done(&reader)) {
		return STORE_E_CORRUPT;
	}
	*ret_mark = mark;
	return 0;
}

/* Recording */

static int record(struct store *store, enum register_kind kind, const struct account *account,
		  instant_t at)
{
	const struct register_record entry = {
		.kind = kind,
		.uid = account->uid,
		.at = at,
		.removal = account->facts.removal,
	};

	return register_add(store->removals, &entry);
}

int store_record_removal(struct store *store, const struct account *account)
{
	const struct facts *facts = &account->facts;
	struct account before;
	bool started = false, removed = false;
	int r;

	if (facts->removal_started_at == INSTANT_NONE || store->replaying) {
		return 0;
	}
	r = store_get_account(store, account->uid, &before);
	if (r == 0) {
		started = before.facts.removal_started_at != INSTANT_NONE;
		removed = before.facts.removed_at != INSTANT_NONE;
	}
	if (r != 0 && r != STORE_E_NONE) {
		return r;
	}
	r = started ? 0 : record(store, REGISTER_STARTED, account, facts->removal_started_at);
	if (r == 0 && !removed && facts->removed_at != INSTANT_NONE) {
		r = record(store, REGISTER_COMPLETED, account, facts->removed_at);
	}
	return r;
}

void store_put_register_mark(struct store *store)
{
	struct register_mark mark;

	if (store->removals && register_dirty(store->removals)) {
		register_get_mark(store->removals, &mark);
		put_mark(store->txn, &mark);
	}
}

/*
 * Before the vault and the data: whatever of the three a crash keeps from the disk, the register
 * says what is left to do. The vault overwrites keys only after this.
 */
int store_sync_removals(struct store *store)
{
	return store->removals ? register_sync(store->removals) : 0;
}

/* Carrying out again */

struct replay {
	struct store *store;
	struct actor actor;
	uint32_t n_changed;   /* since the last commit */
	uint32_t n_destroyed; /* keys, since the last sync for their sake */
};

static int replay_begin_change(struct replay *replay)
{
	struct store *store = replay->store;
	int r = 0;

	if (++replay->n_changed >= REPLAY_SLICE) {
		r = store_commit(store);
		replay->n_changed = 0;
	}
	if (r == 0 && !store->restored.any) {
		store->restored.any = true;
		r = store_note_event(store, EVENT_RESTORED_FROM_BACKUP, &replay->actor);
	}
	return r;
}

/*
 * What happened between the deletion and the start is lost with the ledger of that time; where the
 * account is active here, the window counts as none. A hold that stands here was released there.
 */
static void start_again(struct facts *facts, const struct register_record *record, uint64_t keepers)
{
	if (facts->deleted_at == INSTANT_NONE) {
		facts->deleted_at = record->at;
		facts->window = 0;
	}
	if (facts->held_until > record->at) {
		facts->held_until = INSTANT_NONE;
	}
	facts->removal = record->removal;
	facts->removal_started_at = record->at;
	facts->owed = keepers;
}

static int replay_start(struct replay *replay, struct account *account,
			const struct register_record *record)
{
	struct store *store = replay->store;
	int r;

	if (account->facts.removal_started_at != INSTANT_NONE) {
		return 0;
	}
	r = replay_begin_change(replay);
	if (r < 0) {
		return r;
	}
	start_again(&account->facts, record, store_keepers_of(store, account->org));
	store->restored.n_started++;
	return store_change(store, account, EVENT_REMOVAL_STARTED, &replay->actor);
}

/* A key that no change destroys. The register has the removal, and that is on disk. */
static int replay_destruction(struct replay *replay, uint64_t uid)
{
	int r = vault_destroy_key(replay->store->vault, uid);

	if (r == 0 && ++replay->n_destroyed >= REPLAY_SLICE) {
		r = vault_sync(replay->store->vault);
		replay->n_destroyed = 0;
	}
	return r;
}

static int replay_completion(struct replay *replay, struct account *account,
			     const struct register_record *record)
{
	struct facts *facts = &account->facts;
	int r;

	if (facts->removed_at != INSTANT_NONE) {
		return replay_destruction(replay, account->uid); /* of an older vault */
	}
	r = replay_begin_change(replay);
	if (r < 0) {
		return r;
	}
	if (facts->removal_started_at == INSTANT_NONE) {
		start_again(facts, record, 0);
	}
	facts->owed = 0;
	facts->removed_at = record->at;
	facts->late = lifecycle_is_late(facts, record->at);
	replay->store->restored.n_completed++;
	do {
		r = store_change(replay->store, account, EVENT_REMOVAL_COMPLETED, &replay->actor);
	} while (r == STORE_E_MORE);
	return r;
}

/* The number stays taken, and no key of a newer vault stays behind. */
static int replay_unknown(struct replay *replay, const struct register_record *record)
{
	struct store *store = replay->store;
	int r;

	if (record->uid >= store->state.next_uid) {
		r = replay_begin_change(replay);
		if (r < 0) {
			return r;
		}
		store->state.next_uid = record->uid + 1;
	}
	store->restored.n_unknown += record->kind == REGISTER_STARTED;
	return replay_destruction(replay, record->uid);
}

static int replay_record(struct replay *replay, const struct register_record *record)
{
	struct account account;
	int r = store_get_account(replay->store, record->uid, &account);

	if (r == STORE_E_NONE) {
		return replay_unknown(replay, record);
	}
	if (r != 0) {
		return r;
	}
	return record->kind == REGISTER_STARTED ? replay_start(replay, &account, record)
						: replay_completion(replay, &account, record);
}

/* Each kind in a pass of its own: first all that is to start. */
static int replay_kind(struct replay *replay, enum register_kind kind)
{
	const char *what =
		kind == REGISTER_STARTED ? "starting removals again" : "completing removals again";
	struct store *store = replay->store;
	struct register_record record;
	uint64_t first, n;
	int r = 0;

	register_bounds(store->removals, &first, &n);
	for (uint64_t i = first; i < n && r == 0; i++) {
		progress_step(&store->progress, what, "records of the register", i - first,
			      n - first);
		r = register_get(store->removals, i, &record);
		if (r == 0 && record.kind == kind) {
			r = replay_record(replay, &record);
		}
	}
	return r == 0 ? store_commit(store) : r;
}

/*
 * Time does not go behind what was promised to be over; nor is the wall clock believed before it is
 * compared with that.
 */
static int replay_instant(struct store *store, instant_t *ret_at)
{
	struct register_record record;
	instant_t at = MAX(store->clock_mark.at, store->head.at);
	uint64_t i, n;
	int r = 0;

	for (register_bounds(store->removals, &i, &n); i < n && r == 0; i++) {
		r = register_get(store->removals, i, &record);
		if (r == 0) {
			at = MAX(at, record.at);
		}
	}
	*ret_at = at;
	return r;
}

/* Ends with the store's mark at the register's end: until then a start does it all again. */
static int follow(struct store *store)
{
	struct register_mark mark;
	struct kv_txn *txn;
	int r = store_writing(store, &txn);

	if (r < 0) {
		return r;
	}
	register_get_mark(store->removals, &mark);
	put_mark(txn, &mark);
	return store_commit(store);
}

static int replay_all(struct store *store)
{
	struct replay replay = {.store = store, .actor = {.role = ROLE_DAEMON}};
	int r = replay_instant(store, &replay.actor.at);

	store->replaying = true;
	if (r == 0) {
		r = replay_kind(&replay, REGISTER_STARTED);
	}
	if (r == 0) {
		r = replay_kind(&replay, REGISTER_COMPLETED);
	}
	store->replaying = false;
	return r == 0 ? follow(store) : r;
}

/* Opening */

/* What the store knows of removals: backups older than a new register are covered by it as well. */
static int begin_with_what_is_known(struct store *store)
{
	struct account account;
	uint64_t uid = 0;
	int r;

	while ((r = store_next_account(store, &uid, &account)) == 0) {
		const struct facts *facts = &account.facts;

		progress_step(&store->progress, "beginning a register", "accounts", uid,
			      store->state.next_uid - 1);
		if (facts->removal_started_at != INSTANT_NONE) {
			r = record(store, REGISTER_STARTED, &account, facts->removal_started_at);
		}
		if (r == 0 && facts->removed_at != INSTANT_NONE) {
			r = record(store, REGISTER_COMPLETED, &account, facts->removed_at);
		}
		if (r < 0) {
			return r;
		}
	}
	return r == STORE_E_NONE ? 0 : r;
}

static int begin_register(struct store *store)
{
	int r = register_create(store->register_path, vault_instance(store->vault),
				&store->removals);

	if (r == 0) {
		r = begin_with_what_is_known(store);
	}
	if (r == 0) {
		r = register_sync(store->removals);
	}
	return r == 0 ? follow(store) : r;
}

static int say_register_fault(const struct store *store, int answer)
{
	const char *path = store->register_path;

	switch (answer) {
	case REGISTER_E_MISSING:
		return store_say_fault(
			STORE_E_REGISTER,
			"the removal register %s is missing: a restored backup could bring removed "
			"people back. Restore the register; if it is lost, start once with "
			"--new-register",
			path);
	case REGISTER_E_FOREIGN:
		return store_say_fault(STORE_E_REGISTER,
				       "the removal register %s belongs to another store; put the "
				       "one of this store in its place",
				       path);
	case REGISTER_E_SHORT:
		return store_say_fault(STORE_E_REGISTER,
				       "the removal register %s is older than the store: records "
				       "are missing; restore the newest one",
				       path);
	default:
		return store_say_fault(
			STORE_E_REGISTER,
			"the removal register %s is damaged or was changed; restore it. If it is "
			"lost, move it away and start once with --new-register",
			path);
	}
}

static int open_register(struct store *store, bool renew, bool *ret_followed)
{
	struct register_mark mark = {0};
	uint64_t unknown, n;
	int known = load_mark(store, &mark);
	int r;

	if (known != 0 && known != STORE_E_NONE) {
		return known;
	}
	r = register_open(store->register_path, vault_instance(store->vault), &mark,
			  &store->removals);
	if (r == REGISTER_E_MISSING && (renew || known == STORE_E_NONE)) {
		*ret_followed = true;
		return begin_register(store);
	}
	if (r != 0) {
		return r < 0 ? r : say_register_fault(store, r);
	}
	register_bounds(store->removals, &unknown, &n);
	*ret_followed = known == 0 && unknown == n && n == mark.n;
	return 0;
}

int store_open_removals(struct store *store, bool renew)
{
	bool followed = false;
	int r = open_register(store, renew, &followed);

	if (r == 0 && !followed) {
		r = replay_all(store);
	}
	if (r == STORE_E_CORRUPT) {
		return store_say_fault(STORE_E_CORRUPT,
				       "the store in %s/store is damaged; restore a backup",
				       store->directory);
	}
	return r;
}

int store_refuse_to_begin_anew(const struct store *store)
{
	struct stat info;

	if (lstat(store->register_path, &info) < 0) {
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	}
	return store_say_fault(STORE_E_REGISTER,
			       "there is no store in %s, but there is the removal register %s of "
			       "one; restore the store, or move the register away to begin anew",
			       store->directory, store->register_path);
}

const struct store_restored *store_restored(const struct store *store)
{
	return &store->restored;
}
