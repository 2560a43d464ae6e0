/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "daemon/store/inside.h"
#include "daemon/store/keyfile.h"

/*
 * Opening a store: its lock, its files, what the ledger says since the last settling, and what the
 * removal register says beyond that. And what is done to one that nobody has open.
 */

static int open_lock(const char *directory, int *ret_fd)
{
	cleanup(closep) int fd = -1;
	char path[PATH_MAX];
	int r = store_path(directory, "lock", path);

	if (r < 0) {
		return r;
	}
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		return -errno;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		return errno != EWOULDBLOCK
			       ? -errno
			       : store_say_fault(STORE_E_LOCKED,
						 "another retentiond has the store in %s open",
						 directory);
	}
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* The master key, if the service manager gives one. */
struct master {
	bool given;
	uint8_t key[VAULT_MASTER_LEN];
};

static int open_master(struct master *ret_master)
{
	int r = keyfile_read_credential(KEYFILE_MASTER, ret_master->key);

	ret_master->given = r == 0;
	return r == STORE_E_NONE ? 0 : r;
}

static const uint8_t *master_key(const struct master *master)
{
	return master->given ? master->key : NULL;
}

static int open_ensure(struct store *store, const uint8_t *master, instant_t now)
{
	char place[PATH_MAX];
	struct stat info;
	int r = store_path(store->directory, "store", place);

	if (r < 0) {
		return r;
	}
	if (stat(place, &info) == 0) {
		progress_tell(&store->progress, "checking the store", NULL, 0, 0);
		return store_check(store->directory, store->map_bytes);
	}
	if (errno != ENOENT) {
		return -errno;
	}
	r = store_refuse_to_begin_anew(store);
	return r == 0 ? store_create(store->directory, store->map_bytes, master, now) : r;
}

static int say_vault_fault(int answer, const char *path)
{
	switch (answer) {
	case VAULT_E_WRAPPED:
		return store_say_fault(STORE_E_CREDENTIAL,
				       "the vault %s is wrapped, and there is no master key: give "
				       "the credential " KEYFILE_MASTER " that it was wrapped with",
				       path);
	case VAULT_E_NOT_WRAPPED:
		return store_say_fault(
			STORE_E_CREDENTIAL,
			"there is the credential " KEYFILE_MASTER ", but the vault %s is not "
			"wrapped: wrap it with retentiond --wrap-vault, or give no master key",
			path);
	case VAULT_E_OTHER_MASTER:
		return store_say_fault(STORE_E_CREDENTIAL,
				       "the vault %s is wrapped with another master key than the "
				       "credential " KEYFILE_MASTER ": give the one it was wrapped "
				       "with",
				       path);
	}
	return store_say_fault(
		STORE_E_CORRUPT,
		"the vault %s is missing or damaged; without it no account can be read: restore a "
		"backup, data and keys together",
		path);
}

static int open_vault(struct store *store, const uint8_t *master, const char *path)
{
	int r = vault_clear(path);

	if (r == 0) {
		r = vault_open(path, master, &store->vault);
	}
	return r > 0 || r == -ENOENT ? say_vault_fault(r, path) : r;
}

static int open_match(struct store *store, const char *path)
{
	uint8_t instance[VAULT_INSTANCE_LEN];
	struct kv_txn *txn;
	int r = store_reading(store, &txn);

	if (r == 0) {
		r = store_load_identity(txn, instance);
	}
	if (r == 0 && memcmp(instance, vault_instance(store->vault), sizeof(instance)) != 0) {
		r = store_say_fault(
			STORE_E_CORRUPT,
			"the vault %s belongs to another store; put the one of this store in its place",
			path);
	}
	for (size_t i = 0; r == 0 && i < sizeof(instance); ++i) {
		(void)snprintf(store->instance + 2 * i, 3, "%02x", instance[i]);
	}
	return r;
}

static int open_data(struct store *store, const char *place)
{
	int r = kv_open(place, store->map_bytes, false, &store->kv);

	if (r == KV_E_JOURNAL) {
		return store_say_fault(
			STORE_E_CORRUPT,
			"the journal %s/journal is missing or damaged, and it holds the newest changes: put it "
			"back, or restore a backup",
			place);
	}
	if (r == KV_E_FULL) {
		return store_say_fault(-ENOSPC,
				       "map_size is too small for the store in %s and its journal: "
				       "raise it to what it was",
				       place);
	}
	return r > 0 ? STORE_E_CORRUPT : r;
}

static int open_files(struct store *store, const uint8_t *master)
{
	char place[PATH_MAX], vault[PATH_MAX];
	int r = store_path(store->directory, "store", place);

	if (r == 0) {
		r = store_path(place, "vault", vault);
	}
	if (r == 0) {
		r = open_vault(store, master, vault);
	}
	if (r == 0) {
		r = open_data(store, place);
	}
	return r != 0 ? r : open_match(store, vault);
}

static int open_replay(struct store *store)
{
	uint64_t first = store->state.settled_seq + 1;
	struct entry entry;
	int r = 0;

	for (uint64_t seq = first; seq <= store->head.seq && r == 0; ++seq) {
		progress_step(&store->progress, "replaying the ledger", "entries", seq - first,
			      store->head.seq - first + 1);
		r = store_get_entry(store, seq, &entry, NULL);
		if (r == 0) {
			r = store_replay_entry(store, &entry);
		}
		if (r == 0) {
			guards_take(&store->guards, &entry);
		}
	}
	if (r > 0) {
		r = store_say_fault(STORE_E_CORRUPT,
				    "the ledger in %s/store cannot be replayed; restore a backup",
				    store->directory);
	}
	return r;
}

static int open_round(struct store *store)
{
	uint64_t round_seq;
	int r = store_load_round(store->txn, &round_seq);

	if (r != 0 || round_seq == 0) {
		return r;
	}
	if (round_seq <= store->state.settled_seq || round_seq > store->head.seq) {
		return STORE_E_CORRUPT;
	}
	store_resume_round(store, round_seq);
	return 0;
}

static int open_load(struct store *store)
{
	struct kv_txn *txn;
	int r = store_reading(store, &txn);

	if (r == 0) {
		r = store_load_state(txn, &store->state);
	}
	if (r == 0) {
		r = ledger_load_head(txn, &store->head);
	}
	if (r == 0 && (store->state.settled_seq > store->head.seq ||
		       store->state.next_request > store->head.seq)) {
		r = STORE_E_CORRUPT; /* each request was filed by an entry */
	}
	if (r == 0) {
		r = open_round(store);
	}
	if (r == 0) {
		r = orgs_load(&store->orgs, txn);
	}
	if (r == 0) {
		r = keepers_load(&store->keepers, txn);
	}
	if (r == 0) {
		r = guards_load(&store->guards, txn, store->orgs.n, store->head.seq);
	}
	if (r == 0) {
		r = store_load_instants(store);
	}
	if (r > 0) {
		return store_say_fault(STORE_E_CORRUPT,
				       "the store in %s/store is damaged; restore a backup",
				       store->directory);
	}
	store->durable_seq = store->head.seq;
	return r < 0 ? r : open_replay(store);
}

static int open_name_register(struct store *store, const char *given)
{
	char path[PATH_MAX];
	int r = store_path(store->directory, "register", path);

	if (r < 0) {
		return r;
	}
	store->register_path = strdup(given ? given : path);
	return store->register_path ? 0 : -ENOMEM;
}

static int open_all(struct store *store, const struct store_options *options, instant_t now)
{
	struct master master = {0};
	int r = open_lock(store->directory, &store->lock_fd);

	if (r == 0) {
		r = open_master(&master);
	}

	if (r == 0) {
		r = open_name_register(store, options->register_path);
	}
	if (r == 0) {
		r = open_ensure(store, master_key(&master), now);
	}
	if (r == 0) {
		r = open_files(store, master_key(&master));
	}
	explicit_bzero(&master, sizeof(master));
	due_front_init(&store->due_front);
	if (r == 0) {
		r = overlay_new(&store->overlay);
	}
	if (r == 0) {
		r = open_load(store);
	}
	if (r == 0) {
		r = store_open_removals(store, options->new_register);
	}
	store_end_turn(store);
	return r;
}

int store_open(const struct store_options *options, instant_t now, struct store **ret_store)
{
	struct store *store = calloc(1, sizeof(*store));
	int r;

	if (!store) {
		return -ENOMEM;
	}
	(void)store_say_fault(0, "%s", "");
	store->lock_fd = -1;
	store->map_bytes = options->map_bytes ? options->map_bytes : STORE_MAP_DEFAULT;
	store->progress = options->progress;
	store->directory = strdup(options->directory);
	r = store->directory ? open_all(store, options, now) : -ENOMEM;
	if (r > 0 && store_fault()[0] == '\0') {
		(void)store_say_fault(r, "the store in %s/store is damaged; restore a backup",
				      options->directory); /* @r is told below */
	}
	if (r != 0) {
		(void)store_close(store);
		return r;
	}
	*ret_store = store;
	return 0;
}

struct store *store_close(struct store *store)
{
	if (!store) {
		return NULL;
	}
	store_end_turn(store);
	(void)register_close(store->removals);
	(void)kv_close(store->kv);
	(void)vault_close(store->vault);
	(void)overlay_free(store->overlay);
	round_done(&store->round);
	orgs_done(&store->orgs);
	guards_done(&store->guards);
	closep(&store->lock_fd);
	free(store->register_path);
	free(store->directory);
	free(store);
	return NULL;
}

static int say_rewrap_fault(int answer, const char *path)
{
	switch (answer) {
	case VAULT_E_WRAPPED:
		return store_say_fault(STORE_E_CREDENTIAL, "the vault %s is wrapped already", path);
	case VAULT_E_NOT_WRAPPED:
		return store_say_fault(STORE_E_CREDENTIAL, "the vault %s is not wrapped", path);
	case -ENOENT:
		return store_say_fault(answer, "there is no vault %s", path);
	}
	return answer > 0 ? say_vault_fault(answer, path)
			  : store_say_fault(answer, "the vault %s cannot be written anew: %s", path,
					    strerror(-answer));
}

static int rewrap_vault(const struct store_options *options, const char *path, bool wrap)
{
	struct master master = {0};
	int r = open_master(&master);

	if (r == 0 && !master.given) {
		return store_say_fault(STORE_E_CREDENTIAL,
				       "there is no master key: give the credential " KEYFILE_MASTER
				       ", the file $CREDENTIALS_DIRECTORY/" KEYFILE_MASTER);
	}
	if (r == 0) {
		r = vault_rewrap(path, wrap ? NULL : master.key, wrap ? master.key : NULL,
				 &options->progress);
		r = r == 0 ? 0 : say_rewrap_fault(r, path);
	}
	explicit_bzero(&master, sizeof(master));
	return r;
}

int store_rewrap(const struct store_options *options, bool wrap)
{
	cleanup(closep) int lock_fd = -1;
	char path[PATH_MAX];
	int r = store_path(options->directory, "store/vault", path);

	(void)store_say_fault(0, "%s", "");
	if (r == 0 && access(path, F_OK) < 0) {
		return say_rewrap_fault(-errno, path); /* and no lock is left where nothing is */
	}
	if (r == 0) {
		r = open_lock(options->directory, &lock_fd);
	}
	return r == 0 ? rewrap_vault(options, path, wrap) : r;
}
