/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>

#include "daemon/store/files.h"
#include "daemon/store/inside.h"

/*
 * A store is made beside its place and renamed into it, since LMDB does not create its files
 * atomically: a crash leaves nothing, or a directory "store.new" that the next start throws away,
 * or a whole store.
 */

static const char *const store_files[] = {"data.mdb", "lock.mdb", "journal", "vault"};

static int create_remove_leftover(const char *temporary)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < ARRAY_LEN(store_files); ++i) {
		int r = store_path(temporary, store_files[i], path);

		if (r < 0) {
			return r;
		}
		if (unlink(path) < 0 && errno != ENOENT && errno != ENOTDIR) {
			return -errno;
		}
	}
	return rmdir(temporary) < 0 && errno != ENOENT ? -errno : 0;
}

static int create_write_first(struct kv *kv, const uint8_t *instance, instant_t now)
{
	struct state state = {.settled_seq = 1, .next_uid = 1, .next_request = 1};
	struct entry entry = {.event = EVENT_STORE_CREATED, .actor_role = ROLE_DAEMON, .at = now};
	struct ledger_head head = {.at = INSTANT_NONE};
	struct kv_txn *txn;
	int r = kv_begin(kv, true, &txn);

	if (r < 0) {
		return r;
	}
	store_put_identity(txn, instance);
	store_put_state(txn, &state, 0);
	ledger_append(txn, &head, &entry);
	store_put_head(txn, &head);
	return store_commit_answer(kv_commit(txn));
}

static int create_fill(const char *temporary, uint64_t map_bytes, const uint8_t *master,
		       instant_t now)
{
	uint8_t instance[VAULT_INSTANCE_LEN];
	char vault[PATH_MAX];
	struct kv *kv;
	int r = store_path(temporary, "vault", vault);

	randombytes_buf(instance, sizeof(instance));
	if (r == 0) {
		r = vault_create(vault, instance, master);
	}
	if (r == 0) {
		r = kv_create(temporary, map_bytes);
	}
	if (r == 0) {
		r = kv_open(temporary, map_bytes, false, &kv);
	}
	if (r != 0) {
		return r < 0 ? r : -EIO;
	}
	r = create_write_first(kv, instance, now);
	(void)kv_close(kv);
	return r;
}

int store_create(const char *directory, uint64_t map_bytes, const uint8_t *master, instant_t now)
{
	char temporary[PATH_MAX], place[PATH_MAX];
	int r = store_path(directory, "store.new", temporary);

	if (r == 0) {
		r = store_path(directory, "store", place);
	}
	if (r == 0) {
		r = create_remove_leftover(temporary);
	}
	if (r < 0) {
		return r;
	}
	if (mkdir(temporary, 0700) < 0) {
		return -errno;
	}
	r = create_fill(temporary, map_bytes, master, now);
	if (r == 0) {
		r = files_sync_directory(temporary);
	}
	if (r == 0 && rename(temporary, place) < 0) {
		r = -errno;
	}
	return r == 0 ? files_sync_directory(directory) : r;
}
