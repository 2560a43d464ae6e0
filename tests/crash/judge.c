/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/crash/judge.h"

#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>

#include "daemon/store/inside.h"
#include "daemon/store/vault_header.h"
#include "daemon/work/verify.h"

#include "tests/crash/master.h"
#include "tests/support/temp.h"

#define TURNS_MAX 1000 /* until everything that is due is done */

/*
 * @before, @after: what was acknowledged last, and what was under way; the same at the end of a log
 * @found:  after the start
 */
struct judge {
	const struct image *image;
	const struct workload *workload;
	const char *directory;
	const struct picture *before;
	const struct picture *after;
	struct engine *engine;
	struct clock_reading reading;
	struct picture found;
	struct picture settled;
	char why[640];
};

static const char *const names[] = {
	[VERDICT_SOUND] = "sound", [VERDICT_UNOPENABLE] = "unopenable", [VERDICT_LOST] = "lost",
	[VERDICT_HALF] = "half",   [VERDICT_READABLE] = "readable",
};

static_assert(ARRAY_LEN(names) == _VERDICT_MAX, "every verdict has a name");

const char *verdict_name(enum verdict verdict)
{
	return names[verdict];
}

#define SAY(judge, verdict, ...)                                                                   \
	((void)snprintf((judge)->why, sizeof((judge)->why), __VA_ARGS__), (verdict))

/* Before anything is started */

static enum verdict check_keys_in(struct judge *judge, const char *path)
{
	static const uint8_t zeros[VAULT_KEY_LEN];
	const struct node *vault = disk_find(judge->image->disk, path);

	for (uint64_t uid = 1; judge->before && uid <= judge->before->n_uids; uid++) {
		uint64_t at = (VAULT_SLOTS_PER_BLOCK + uid - 1) * VAULT_KEY_LEN;

		if (judge->before->removed[uid] && vault && vault->end >= at + VAULT_KEY_LEN &&
		    memcmp(vault->bytes + at, zeros, VAULT_KEY_LEN) != 0) {
			return SAY(judge, VERDICT_READABLE, "the key of uid %llu is in %s",
				   (unsigned long long)uid, path);
		}
	}
	return VERDICT_SOUND;
}

/* Whose removal was told to be complete has no key on this disk: see vault_rewrap.c for the names. */
static enum verdict check_keys(struct judge *judge)
{
	static const char *const paths[] = {"store/vault", "store/vault.wrap-new",
					    "store/vault.wrap-old"};
	enum verdict verdict = VERDICT_SOUND;

	for (size_t i = 0; i < ARRAY_LEN(paths) && verdict == VERDICT_SOUND; i++) {
		verdict = check_keys_in(judge, paths[i]);
	}
	return verdict;
}

/* Whether the register has that record of an account: see daemon/store/register.h. */
static bool is_registered(const struct node *file, enum register_kind kind, uint64_t uid)
{
	for (uint64_t at = 64; at + 32 <= MIN(file->end, file->size); at += 32) {
		if (file->bytes[at] == kind && load_be64(file->bytes + at + 8) == uid) {
			return true;
		}
	}
	return false;
}

/* What was told to have started is known even to an older backup. */
static enum verdict check_register(struct judge *judge)
{
	const struct picture *before = judge->before;
	const struct node *file = disk_find(judge->image->disk, "register");

	for (uint64_t uid = 1; before && uid <= before->n_uids; uid++) {
		if ((before->removing[uid] &&
		     (!file || !is_registered(file, REGISTER_STARTED, uid))) ||
		    (before->removed[uid] &&
		     (!file || !is_registered(file, REGISTER_COMPLETED, uid)))) {
			return SAY(judge, VERDICT_LOST, "the register does not have uid %llu",
				   (unsigned long long)uid);
		}
	}
	return VERDICT_SOUND;
}

/* Starting */

static const struct picture *picture_before(const struct image *image,
					    const struct workload *workload)
{
	return image->acked >= 0 ? &workload->pictures[image->acked] : NULL;
}

/* An administrator gives the master key that the vault needs, or none: vault.h shows the format. */
static bool is_wrapped(const struct node *vault)
{
	return vault && MIN(vault->end, vault->size) >= 16 && load_be64(vault->bytes + 8) == 2;
}

int judge_start(const struct image *image, const struct workload *workload, const char *directory,
		struct clock_reading *ret_reading, struct engine **ret_engine)
{
	static const struct access_rules none;
	const struct picture *before = picture_before(image, workload);
	struct engine_options options =
		workload_options(directory, before ? before->now : INT64_C(1) << 50);

	options.rules = &none;
	master_give(is_wrapped(disk_find(image->disk, "store/vault")));
	*ret_reading = (struct clock_reading){.wall = options.simulated_at, .boot = SPAN_HOUR};
	return engine_open(&options, ret_reading, ret_engine);
}

/* A backup that has its name is whole: its data, and the vault that belongs to it. */
static enum verdict check_data_copy(struct judge *judge, const char *name)
{
	cleanup(freep) char *restored = temp_path_new(judge->directory, "restored");
	char place[PATH_MAX], store[PATH_MAX];
	int r;

	(void)snprintf(place, sizeof(place), "%s/backup/%s", judge->directory, name);
	(void)snprintf(store, sizeof(store), "%s/store", restored);
	assert(mkdir(restored, 0700) == 0);
	assert(symlink(place, store) == 0);
	r = store_check(restored, WORKLOAD_MAP_BYTES);
	assert(unlink(store) == 0);
	assert(rmdir(restored) == 0);
	return r == 0 ? VERDICT_SOUND
		      : SAY(judge, VERDICT_UNOPENABLE, "the backup %s: %d: %s", name, r,
			    store_fault());
}

static enum verdict check_vault_copy(struct judge *judge)
{
	const struct node *node = disk_find(judge->image->disk, "backup-vault/vault");
	cleanup(freep) char *path = temp_path_new(judge->directory, "backup-vault/vault");
	struct vault *vault = NULL;
	int r = vault_open(path, is_wrapped(node) ? master_key() : NULL, &vault);

	(void)vault_close(vault);
	return r == 0 ? VERDICT_SOUND
		      : SAY(judge, VERDICT_UNOPENABLE, "the vault of the backups: %d", r);
}

static enum verdict check_backups(struct judge *judge)
{
	const struct node *backups = disk_find(judge->image->disk, "backup");
	enum verdict verdict = VERDICT_SOUND;
	bool any = false;

	for (uint32_t i = 0; backups && i < backups->n_names && verdict == VERDICT_SOUND; i++) {
		if (strncmp(backups->names[i].text, "data-", 5) == 0) {
			any = true;
			verdict = check_data_copy(judge, backups->names[i].text);
		}
	}
	return any && verdict == VERDICT_SOUND ? check_vault_copy(judge) : verdict;
}

static enum verdict start(struct judge *judge)
{
	int r = judge_start(judge->image, judge->workload, judge->directory, &judge->reading,
			    &judge->engine);

	if (r != 0) {
		judge->engine = NULL;
		return SAY(judge, VERDICT_UNOPENABLE, "%d: %s", r, store_fault());
	}
	return VERDICT_SOUND;
}

static enum verdict stop(struct judge *judge)
{
	int r = engine_close(judge->engine);

	judge->engine = NULL;
	return r == 0 ? VERDICT_SOUND : SAY(judge, VERDICT_UNOPENABLE, "it does not stop: %d", r);
}

/* What is there */

static bool same(const struct picture *a, const struct picture *b)
{
	return memcmp(a->whole, b->whole, PICTURE_HASH_LEN) == 0;
}

/* Whether the ledger is, up to where that picture was taken, the one of that picture. */
static bool begins_with(struct judge *judge, const struct picture *picture)
{
	uint8_t hash[ROWS_DIGEST_LEN];
	struct entry entry;

	return store_get_entry(judge->engine->store, picture->head.seq, &entry, hash) == 0 &&
	       memcmp(hash, picture->head.hash, sizeof(hash)) == 0;
}

/* What the register makes a start carry out again. */
static bool is_of_register(const struct entry *entry)
{
	return entry->actor_role == ROLE_DAEMON &&
	       (entry->event == EVENT_RESTORED_FROM_BACKUP ||
		entry->event == EVENT_REMOVAL_STARTED || entry->event == EVENT_REMOVAL_COMPLETED);
}

/* Beside what the register knew, every account is as it was. */
static enum verdict check_carried_out(struct judge *judge, const struct picture *base)
{
	bool changed[PICTURE_UIDS_MAX + 1] = {false};
	struct entry entry;

	for (uint64_t seq = base->head.seq + 1; seq <= judge->found.head.seq; seq++) {
		if (store_get_entry(judge->engine->store, seq, &entry, NULL) != 0 ||
		    !is_of_register(&entry)) {
			return SAY(judge, VERDICT_HALF, "entry %llu is of no whole command",
				   (unsigned long long)seq);
		}
		changed[entry.uid] = true;
	}
	for (uint64_t uid = 1; uid <= PICTURE_UIDS_MAX; uid++) {
		if (!changed[uid] &&
		    memcmp(base->rows[uid], judge->found.rows[uid], PICTURE_HASH_LEN) != 0) {
			return SAY(judge, VERDICT_HALF, "uid %llu is not as it was",
				   (unsigned long long)uid);
		}
	}
	return VERDICT_SOUND;
}

static enum verdict check_rows(struct judge *judge)
{
	struct verification verification = {0};
	uint64_t from = 1;

	while (from <= judge->found.head.seq) {
		int r = verify_stretch(judge->engine->store, from, 1000, judge->engine->now,
				       &verification);

		if (r != 0 || verification.fault) {
			return SAY(judge, VERDICT_HALF, "entry %llu: %s",
				   (unsigned long long)verification.seq,
				   r ? strerror(-r) : verification.fault);
		}
		from = verification.seq + 1;
	}
	return VERDICT_SOUND;
}

/* Who was cut in the first start may find what that one has carried out of the register. */
static enum verdict check_state(struct judge *judge)
{
	const struct picture *base = judge->before;
	enum verdict verdict;

	picture_take(judge->engine, &judge->found);
	if (!base) {
		return check_rows(judge);
	}
	if (same(&judge->found, base) || same(&judge->found, judge->after)) {
		return VERDICT_SOUND;
	}
	if (!begins_with(judge, base)) {
		return SAY(judge, VERDICT_LOST, "entry %llu is not what was acknowledged",
			   (unsigned long long)base->head.seq);
	}
	if (!judge->image->of && !store_restored(judge->engine->store)->any) {
		return SAY(judge, VERDICT_HALF,
			   "the store is neither as before a command nor as after it, at entry "
			   "%llu; acknowledged was %llu",
			   (unsigned long long)judge->found.head.seq,
			   (unsigned long long)base->head.seq);
	}
	if (begins_with(judge, judge->after)) {
		base = judge->after;
	}
	verdict = check_carried_out(judge, base);
	return verdict == VERDICT_SOUND ? check_rows(judge) : verdict;
}

/* Who is not removed can be read: no key is destroyed before the register has its removal. */
static enum verdict check_person(struct judge *judge, const struct account *account)
{
	static uint8_t buffer[MODEL_PROFILE_BYTES_MAX];
	struct store *store = judge->engine->store;
	struct profile profile;
	bool has_key = false;
	int r = store_has_key(store, account->uid, &has_key);

	if (account->facts.removed_at != INSTANT_NONE) {
		return r == 0 && !has_key
			       ? VERDICT_SOUND
			       : SAY(judge, VERDICT_READABLE, "uid %llu is removed and has its key",
				     (unsigned long long)account->uid);
	}
	r = store_get_profile(store, account->uid, buffer, &profile);
	if (r != 0) {
		return SAY(judge, VERDICT_LOST, "uid %llu is not removed and cannot be read: %d",
			   (unsigned long long)account->uid, r);
	}
	return VERDICT_SOUND;
}

/*
 * What the register has is done, whoever did it: a start that believes that it was would leave it for
 * ever.
 */
static enum verdict check_followed(struct judge *judge)
{
	struct store *store = judge->engine->store;
	struct register_record record;
	uint64_t first, n;

	register_bounds(store->removals, &first, &n);
	for (uint64_t i = first; i < n; i++) {
		struct account account;

		if (register_get(store->removals, i, &record) != 0) {
			return SAY(judge, VERDICT_UNOPENABLE, "the register cannot be read");
		}
		if (store_get_account(store, record.uid, &account) != 0) {
			continue; /* it never came to be, or is forgotten */
		}
		if (account.facts.removal_started_at == INSTANT_NONE ||
		    (record.kind == REGISTER_COMPLETED &&
		     account.facts.removed_at == INSTANT_NONE)) {
			return SAY(judge, VERDICT_LOST,
				   "the register has a removal of uid %llu, the store has not",
				   (unsigned long long)record.uid);
		}
	}
	store_end_turn(store);
	return VERDICT_SOUND;
}

static enum verdict check_people(struct judge *judge)
{
	struct account account;
	enum verdict verdict = VERDICT_SOUND;
	uint64_t uid = 0;

	while (verdict == VERDICT_SOUND &&
	       store_next_account(judge->engine->store, &uid, &account) == 0) {
		verdict = check_person(judge, &account);
	}
	store_end_turn(judge->engine->store);
	return verdict;
}

/* Going on */

static enum verdict work(struct judge *judge)
{
	int r = 0;

	for (int n = 0; n < TURNS_MAX && r == 0; n++) {
		engine_begin_turn(judge->engine, &judge->reading);
		r = engine_work(judge->engine);
		if (r == 0) {
			r = engine_commit(judge->engine);
		}
		if (r == 0 && engine_sleep(judge->engine) > 0) {
			return VERDICT_SOUND;
		}
		judge->reading.boot += SPAN_SECOND;
		if (r == 0) {
			r = engine_settle(judge->engine);
		}
	}
	return SAY(judge, VERDICT_UNOPENABLE, "it does not come to rest: %d", r);
}

static enum verdict check_index(struct judge *judge, struct kv_txn *txn, enum index index)
{
	cleanup(kv_cursor_closep) struct kv_cursor *cursor = NULL;
	struct account account;
	struct key key;
	struct slice value;
	uint64_t uid = 0, n = 0, n_found = 0;
	int r;

	while (store_next_account(judge->engine->store, &uid, &account) == 0) {
		if (!index_key(index, &account, &key)) {
			continue;
		}
		if (kv_get(txn, index_table(index), key_slice(&key), &value) != 0) {
			return SAY(judge, VERDICT_HALF, "uid %llu is not in index %d",
				   (unsigned long long)uid, (int)index);
		}
		n++;
	}
	r = kv_cursor_open(txn, index_table(index), &cursor);
	if (r == 0) {
		r = kv_cursor_seek(cursor, (struct slice){0}, NULL, NULL);
	}
	for (; r == 0; n_found++) {
		r = kv_cursor_next(cursor, NULL, NULL);
	}
	return n == n_found ? VERDICT_SOUND
			    : SAY(judge, VERDICT_HALF, "index %d has %llu keys instead of %llu",
				  (int)index, (unsigned long long)n_found, (unsigned long long)n);
}

/* After a stop every row is in its tables. */
static enum verdict check_settled(struct judge *judge)
{
	enum verdict verdict = VERDICT_SOUND;
	struct kv_txn *txn;

	picture_take(judge->engine, &judge->found);
	if (!same(&judge->found, &judge->settled)) {
		return SAY(judge, VERDICT_LOST, "the second start finds something else");
	}
	if (store_reading(judge->engine->store, &txn) != 0) {
		return SAY(judge, VERDICT_UNOPENABLE, "it cannot be read");
	}
	for (enum index index = INDEX_UID; verdict == VERDICT_SOUND && index < _INDEX_MAX;
	     index++) {
		verdict = check_index(judge, txn, index);
	}
	store_end_turn(judge->engine->store);
	return verdict;
}

typedef enum verdict step_fn(struct judge *judge);

static enum verdict remember(struct judge *judge)
{
	picture_take(judge->engine, &judge->settled);
	return VERDICT_SOUND;
}

static enum verdict put_in_place(struct judge *judge)
{
	disk_write_out(judge->image->disk, judge->directory);
	return VERDICT_SOUND;
}

enum verdict judge_image(const struct image *image, const struct workload *workload,
			 const char *directory, const char **ret_why)
{
	static step_fn *const steps[] = {
		check_keys,     check_register, put_in_place, check_backups, start,    check_state,
		check_followed, check_people,   work,         check_people,  remember, stop,
		start,          check_settled,  check_people, stop,
	};
	static struct judge judge;
	enum verdict verdict = VERDICT_SOUND;
	uint64_t next = (uint64_t)(image->acked + 1);

	judge = (struct judge){
		.image = image,
		.workload = workload,
		.directory = directory,
		.before = picture_before(image, workload),
	};
	judge.after = next < workload->n_pictures ? &workload->pictures[next] : judge.before;
	for (size_t i = 0; i < ARRAY_LEN(steps) && verdict == VERDICT_SOUND; i++) {
		verdict = steps[i](&judge);
	}
	if (judge.engine) {
		(void)engine_close(judge.engine); /* found to be wrong already */
	}
	*ret_why = judge.why;
	return verdict;
}
