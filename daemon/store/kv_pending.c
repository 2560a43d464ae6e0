/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/statvfs.h>

#include "daemon/store/kv_inside.h"

/*
 * The way to the disk. A commit goes to the journal, and LMDB's own transaction stays open: it
 * holds what the journal has. What is too much for a record, and what would make that transaction
 * large, is committed to the data file, and then the journal begins anew.
 */

/* 1.5 MiB: written and synced in a few milliseconds. */
#define PAGES_MAX 384

/*
 * The row of the meta table that says which records of the journal follow: form 01 | base. Without
 * it none do, as in a copy.
 */
#define BASE_FORM 1

/*
 * In a record each change is: what is done, 1 | table, 1 | length of the key, 1 | length of the
 * value, 4, big-endian | key | value
 */
#define CHANGE_HEADER_LEN 7

/*
 * Disk space that is allocated behind the last page before a write transaction begins. It serves
 * two ends:
 *
 *   - A full disk is noticed while nothing has been written. LMDB would meet it in the middle of a
 *     commit and report a short write as EIO, which cannot be told from a dying disk.
 *   - The file is never shorter than its header claims. LMDB counts but does not write a page that
 *     was taken from behind the end and given back in the same transaction (one of about 3000 small
 *     random transactions ends so). Only thus may datafile_check() call a short file truncated.
 *
 * ROOM_LOW is what a turn's memory budget of 32 MiB, and before it the changes that the journal
 * has, can fill: with less the file grows, to ROOM_HIGH. On a disk that is nearly full it grows by
 * as much as there is, halved and halved again, and transactions go on until ROOM_MIN: by then the
 * store lets only removals through, which take a few pages each and reuse free ones first.
 */
#define ROOM_MIN  (UINT64_C(3) << 20)
#define ROOM_LOW  (UINT64_C(48) << 20)
#define ROOM_HIGH (UINT64_C(96) << 20)

/* Left to others by all but ROOM_MIN: the vault and the register grow on that disk too. */
#define DISK_LEFT (UINT64_C(4) << 20)

int kv_last_page_end(struct kv *kv, uint64_t *ret_bytes)
{
	MDB_envinfo info;
	int r = mdb_env_info(kv->env, &info);

	if (r != 0) {
		return kv_machine_error(r);
	}
	*ret_bytes = (info.me_last_pgno + 1) * kv->page_bytes;
	return 0;
}

/* An allocation that fails for lack of space may keep all that was left: it is not tried then. */
static int allocate(int fd, uint64_t from, uint64_t to, uint64_t left)
{
	struct statvfs fs;
	int r;

	if (fstatvfs(fd, &fs) < 0) {
		return -errno;
	}
	if ((uint64_t)fs.f_bavail * fs.f_frsize < to - from + left) {
		return KV_E_FULL;
	}
	do {
		r = fallocate(fd, 0, (off_t)from, (off_t)(to - from));
	} while (r < 0 && errno == EINTR);
	if (r < 0 && (errno == EOPNOTSUPP || errno == ENOSYS)) {
		r = ftruncate(fd, (off_t)to); /* long enough at least */
	}
	return r < 0 ? kv_answer_of(errno) : 0;
}

static int grow_file(struct kv *kv, uint64_t bytes, uint64_t left)
{
	int fd;
	int r = mdb_env_get_fd(kv->env, &fd);

	if (r != 0) {
		return kv_machine_error(r);
	}
	r = allocate(fd, kv->file_bytes, bytes, left);
	if (r == 0) {
		kv->file_bytes = bytes;
	}
	return r;
}

/* As much as the disk still gives: what the file has nobody else can take. */
static int ensure_room(struct kv *kv)
{
	uint64_t used_bytes = 0, wanted_bytes;
	int r = kv_last_page_end(kv, &used_bytes);

	if (r != 0 || kv->file_bytes >= MIN(used_bytes + ROOM_LOW, kv->map_bytes)) {
		return r;
	}
	for (uint64_t room = ROOM_HIGH; room >= ROOM_MIN; room /= 2) {
		wanted_bytes = MIN(used_bytes + room, kv->map_bytes);
		r = kv->file_bytes >= wanted_bytes
			    ? 0
			    : grow_file(kv, wanted_bytes, room > ROOM_MIN ? DISK_LEFT : 0);
		if (r != KV_E_FULL) {
			return r;
		}
	}
	return KV_E_FULL;
}

/* Pending changes: in LMDB's open transaction, and in the journal once they are committed */

static int pending_begin(struct kv *kv)
{
	int r = mdb_txn_begin(kv->env, NULL, 0, &kv->pending);

	if (r != 0) {
		kv->pending = NULL;
		return kv_machine_error(r);
	}
	kv->has_room = false;
	return 0;
}

void kv_pending_abort(struct kv *kv)
{
	kv_change_forget(kv);
	if (kv->pending) {
		mdb_txn_abort(kv->pending);
		kv->pending = NULL;
	}
}

/* One change of a record; *@body is moved behind it. */
static int redo_change(struct kv *kv, struct slice *body)
{
	const uint8_t *at = (const uint8_t *)body->data;
	size_t key_len, value_len;

	if (body->len < CHANGE_HEADER_LEN) {
		return KV_E_CORRUPT;
	}
	key_len = at[2];
	value_len = load_be32(at + 3);
	if (at[0] < KV_CHANGE_PUT || at[0] > KV_CHANGE_DELETE || at[1] >= _KV_TABLE_MAX ||
	    key_len == 0 || key_len > KV_KEY_LEN_MAX || value_len > body->len ||
	    key_len + value_len > body->len - CHANGE_HEADER_LEN) {
		return KV_E_CORRUPT;
	}
	body->data += CHANGE_HEADER_LEN + key_len + value_len;
	body->len -= CHANGE_HEADER_LEN + key_len + value_len;
	at += CHANGE_HEADER_LEN;
	return kv_change_apply(kv, at[-CHANGE_HEADER_LEN], (enum kv_table)at[1 - CHANGE_HEADER_LEN],
			       kv_val((struct slice){(const char *)at, key_len}),
			       kv_val((struct slice){(const char *)at + key_len, value_len}));
}

/* What the journal has, done again in a transaction of LMDB that has nothing yet. */
static int redo(struct kv *kv)
{
	struct slice body;
	size_t at = 0;
	int r = 0, found;

	while ((found = journal_next(kv->journal, &at, &body)) == 0) {
		if (!kv->pending) {
			r = pending_begin(kv);
		}
		while (r == 0 && body.len > 0) {
			r = redo_change(kv, &body);
		}
		if (r != 0) {
			return r;
		}
	}
	return found == JOURNAL_E_CORRUPT ? KV_E_JOURNAL : 0;
}

/* Back to what is committed. */
void kv_pending_roll_back(struct kv *kv)
{
	int r = 0;

	kv_pending_abort(kv);
	if (kv->journal) {
		journal_drop(kv->journal);
	}
	if (kv->has_base) {
		r = redo(kv);
	}
	if (r != 0) {
		kv_pending_abort(kv); /* half of what the journal has must reach no data file */
	}
	kv->broken = r > 0 ? -EIO : r;
}

/* LMDB begins no more transactions once it could not write the page that makes a commit valid. */
static bool is_broken(struct kv *kv)
{
	MDB_txn *probe;

	if (mdb_txn_begin(kv->env, NULL, 0, &probe) != 0) {
		return true;
	}
	mdb_txn_abort(probe);
	return false;
}

/* Everything goes to the data file, and the journal begins anew. */
static int settle(struct kv *kv)
{
	uint8_t row[1 + JOURNAL_BASE_LEN] = {BASE_FORM};
	MDB_val value = {sizeof(row), row};
	int r;

	randombytes_buf(row + 1, JOURNAL_BASE_LEN);
	r = kv_change_apply(kv, KV_CHANGE_PUT, KV_META, kv_base_key(), value);
	if (r == 0) {
		kv_change_forget(kv);
		r = kv_answer_of(mdb_txn_commit(kv->pending));
		kv->pending = NULL;
	}
	if (r == KV_E_FULL && !kv->pending && is_broken(kv)) {
		return -EIO; /* "full" says that nothing of it is there */
	}
	if (r != 0) {
		return r;
	}
	journal_restart(kv->journal, row + 1);
	kv->has_base = true;
	return 0;
}

int kv_pending_ensure(struct kv *kv)
{
	int r = kv->pending ? 0 : pending_begin(kv);

	if (r < 0 || kv->has_room) {
		return r;
	}
	r = ensure_room(kv);
	kv->has_room = r == 0;
	if (r < 0) {
		kv_pending_roll_back(kv);
	}
	return r;
}

int kv_pending_change(struct kv *kv, uint8_t what, enum kv_table table, MDB_val key, MDB_val value)
{
	uint8_t header[CHANGE_HEADER_LEN] = {what, (uint8_t)table, (uint8_t)key.mv_size};

	store_be32(header + 3, (uint32_t)value.mv_size);
	journal_add(kv->journal, header, sizeof(header));
	journal_add(kv->journal, key.mv_data, key.mv_size);
	journal_add(kv->journal, value.mv_data, value.mv_size);
	return kv_change_apply(kv, what, table, key, value);
}

int kv_pending_commit(struct kv *kv)
{
	int r = JOURNAL_E_FULL;

	if (kv->has_base && kv_change_pages(kv) <= PAGES_MAX) {
		r = journal_commit(kv->journal);
	} else {
		journal_drop(kv->journal);
	}
	return r == JOURNAL_E_FULL ? settle(kv) : r;
}

int kv_checkpoint(struct kv *kv)
{
	int r;

	assert(kv->n_txns == 0);
	if (!kv->pending) {
		return 0;
	}
	r = settle(kv);
	if (r != 0) {
		kv_pending_roll_back(kv);
	}
	return r;
}

/* A journal is made anew only where the data file says that nothing follows it. */
static int open_journal(struct kv *kv, int directory_fd)
{
	int r = journal_open(directory_fd, &kv->journal);

	if (r == JOURNAL_E_CORRUPT && !kv->has_base) {
		r = journal_create(directory_fd);
		if (r == 0 && fsync(directory_fd) < 0) {
			r = -errno;
		}
		if (r == 0) {
			r = journal_open(directory_fd, &kv->journal);
		}
	}
	return r > 0 ? KV_E_JOURNAL : r;
}

static int read_base(struct kv *kv, uint8_t ret_base[static JOURNAL_BASE_LEN])
{
	MDB_val key = kv_base_key(), row;
	MDB_txn *txn;
	int r = mdb_txn_begin(kv->env, NULL, MDB_RDONLY, &txn);

	if (r != 0) {
		return kv_machine_error(r);
	}
	r = kv_answer_of(mdb_get(txn, kv->tables[KV_META], &key, &row));
	if (r == 0 &&
	    (row.mv_size != 1 + JOURNAL_BASE_LEN || *(uint8_t *)row.mv_data != BASE_FORM)) {
		r = KV_E_CORRUPT;
	}
	if (r == 0) {
		memcpy(ret_base, (uint8_t *)row.mv_data + 1, JOURNAL_BASE_LEN);
		kv->has_base = true;
	}
	mdb_txn_abort(txn);
	return r == KV_E_NONE ? 0 : r;
}

int kv_pending_open(struct kv *kv, int directory_fd)
{
	uint8_t base[JOURNAL_BASE_LEN] = {0};
	int r = read_base(kv, base);

	if (r == 0) {
		r = open_journal(kv, directory_fd);
	}
	if (r != 0) {
		return r;
	}
	journal_restart(kv->journal, base);
	r = kv->has_base ? redo(kv) : 0;
	return r == 0 ? journal_renew(kv->journal) : r;
}
