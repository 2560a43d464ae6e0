/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_STORE_KV_INSIDE_H
#define RETENTIOND_STORE_KV_INSIDE_H

#include <lmdb.h>
#include <stdatomic.h>

#include "daemon/store/journal.h"
#include "daemon/store/kv.h"

/*
 * What the files that together are the engine share: kv.c opens and copies, kv_pending.c has the
 * way to the disk, kv_change.c what is pending, kv_txn.c transactions, kv_cursor.c cursors. They alone see <lmdb.h>.
 */

/*
 * @journal:    NULL if only read from
 * @has_base:   the data file says which records follow it
 * @pending:    LMDB's transaction of what the journal has and the data file has not; or NULL
 * @n_pages:    that it has changed in the data file, but for those of @n_appended_bytes
 * @n_appended_bytes: that went behind all others of their tables
 * @map:        where the data file is mapped
 * @has_room:   the file has room for it
 * @broken:     why what the journal has could not be done again: nothing can be done any more
 * @file_bytes: of the data file; what lies behind the last page is unused, and allocated where the
 *              file system can do that
 * @copying:    descriptor that kv_copy() writes to, or -1
 * @stopped:    kv_stop_copy() was called
 * @idle:       a read transaction that was reset: to renew it costs no system call and no memory
 * @nearby:     cursors of @pending, one of each table at most: where it was read or changed last
 * @spares:     cursors that were closed, one of each table at most: to be opened again
 * @moment:     goes on whenever a transaction begins
 */
struct kv {
	MDB_env *env;
	MDB_dbi tables[_KV_TABLE_MAX];
	MDB_dbi names; /* LMDB's own table of the tables */
	struct journal *journal;
	bool has_base;
	MDB_txn *pending;
	uint32_t n_pages;
	uint64_t n_appended_bytes;
	const char *map;
	bool has_room;
	int broken;
	uint64_t page_bytes;
	uint64_t map_bytes;
	uint64_t file_bytes;
	atomic_int copying;
	atomic_bool stopped;
	struct kv_txn *idle;
	MDB_cursor *nearby[_KV_TABLE_MAX];
	struct kv_cursor *spares[_KV_TABLE_MAX];
	uint64_t moment;
	unsigned n_txns;
	bool writing;
};

struct kv_txn {
	struct kv *kv;
	MDB_txn *txn;
	bool write;
	int error;
};

static inline MDB_val kv_val(struct slice slice)
{
	return (MDB_val){slice.len, (void *)(uintptr_t)slice.data};
}

static inline MDB_val kv_key(struct slice key)
{
	assert(key.len > 0);
	assert(key.len <= KV_KEY_LEN_MAX);
	return kv_val(key);
}

static inline struct slice kv_slice(MDB_val value)
{
	return (struct slice){value.mv_data, value.mv_size};
}

/* What LMDB answered, as an answer of kv.h; and as a negative errno, where no answer is meant. */
int kv_machine_error(int rc);
int kv_answer_of(int rc);

/* The same of a read: after a failed write LMDB refuses reads, and they answer why it failed. */
int kv_read_answer_of(const struct kv_txn *txn, int rc);

/* Closes the spare cursors for good: those in @pending, before it ends, or all. */
void kv_drop_spares(struct kv *kv, bool all);

/* The key of the row of KV_META that says which records of the journal follow. */
MDB_val kv_base_key(void);

/* In a change: what is done. The numbers are on the disk. */
#define KV_CHANGE_PUT    1
#define KV_CHANGE_APPEND 2
#define KV_CHANGE_DELETE 3

/* Return: as kv_open(). */
must_check int kv_pending_open(struct kv *kv, int directory_fd);

/*
 * LMDB's transaction of what is pending, with room in the file; begun if there is none. Return: 0,
 * KV_E_FULL, and then it can only be read; or a negative errno, and then there is none.
 */
must_check int kv_pending_ensure(struct kv *kv);

/* One change, to LMDB and to the record that the next commit writes. Return: as kv_commit(). */
must_check int kv_pending_change(struct kv *kv, uint8_t what, enum kv_table table, MDB_val key,
				 MDB_val value);

/* The same to LMDB alone. Return: as kv_commit(). */
must_check int kv_change_apply(struct kv *kv, uint8_t what, enum kv_table table, MDB_val key,
			       MDB_val value);

/* A read of what is pending. Return: as mdb_get(). */
must_check int kv_change_get(struct kv *kv, enum kv_table table, MDB_val key, MDB_val *ret_value);

/* Pages that have changed since @pending began; those above them are not counted. */
uint32_t kv_change_pages(const struct kv *kv);
void kv_change_forget(struct kv *kv); /* before @pending ends */

/* Finds where the data file is mapped. Return: as kv_open(). */
must_check int kv_change_find_map(struct kv *kv);

/* Makes what has changed durable. Return: as kv_commit(); then kv_pending_roll_back() is due. */
must_check int kv_pending_commit(struct kv *kv);

void kv_pending_roll_back(struct kv *kv); /* to what is committed */
void kv_pending_abort(struct kv *kv);     /* for good: the journal has it */

/* Bytes to the end of the last page. Return: 0 or a negative errno. */
must_check int kv_last_page_end(struct kv *kv, uint64_t *ret_bytes);

#endif
