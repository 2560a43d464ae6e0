/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <sys/stat.h>

#include "daemon/store/kv_inside.h"

static int begin_txn(struct kv *kv, MDB_txn *lmdb, struct kv_txn **ret_txn)
{
	struct kv_txn *txn = calloc(1, sizeof(*txn));

	if (!txn) {
		return -ENOMEM;
	}
	txn->kv = kv;
	txn->txn = lmdb;
	kv->n_txns++;
	kv->moment++;
	*ret_txn = txn;
	return 0;
}

/* A transaction that could end in a short write begins with its error: it can only be read. */
static int begin_write(struct kv *kv, struct kv_txn **ret_txn)
{
	int room = kv_pending_ensure(kv);
	int r = room < 0 ? room : begin_txn(kv, kv->pending, ret_txn);

	if (r < 0) {
		return r;
	}
	kv->writing = true;
	(*ret_txn)->write = true;
	(*ret_txn)->error = room;
	return 0;
}

static int begin_snapshot(struct kv *kv, struct kv_txn **ret_txn)
{
	MDB_txn *lmdb;
	int r = mdb_txn_begin(kv->env, NULL, MDB_RDONLY, &lmdb);

	if (r != 0) {
		return kv_machine_error(r);
	}
	r = begin_txn(kv, lmdb, ret_txn);
	if (r < 0) {
		mdb_txn_abort(lmdb);
	}
	return r;
}

/* What is pending is committed: it is read where it is. */
static int begin_read(struct kv *kv, struct kv_txn **ret_txn)
{
	int r;

	if (kv->pending) {
		return begin_txn(kv, kv->pending, ret_txn);
	}
	if (!kv->idle) {
		return begin_snapshot(kv, ret_txn);
	}
	r = mdb_txn_renew(kv->idle->txn);
	if (r != 0) {
		return kv_machine_error(r);
	}
	kv->n_txns++;
	kv->moment++;
	*ret_txn = TAKE_PTR(kv->idle);
	return 0;
}

int kv_begin(struct kv *kv, bool write, struct kv_txn **ret_txn)
{
	assert(!kv->writing);
	assert(!write || kv->n_txns == 0);
	if (kv->broken) {
		return kv->broken;
	}
	return write ? begin_write(kv, ret_txn) : begin_read(kv, ret_txn);
}

static void forget(struct kv_txn *txn)
{
	if (txn->write) {
		txn->kv->writing = false;
	}
	txn->kv->n_txns--;
	free(txn);
}

struct kv_txn *kv_abort(struct kv_txn *txn)
{
	struct kv *kv = txn ? txn->kv : NULL;

	if (!txn) {
		return NULL;
	}
	if (txn->write) {
		forget(txn);
		kv_pending_roll_back(kv);
	} else if (txn->txn == kv->pending) {
		forget(txn);
	} else if (!kv->idle) {
		kv->n_txns--;
		mdb_txn_reset(txn->txn);
		kv->idle = txn;
	} else {
		mdb_txn_abort(txn->txn);
		forget(txn);
	}
	return NULL;
}

int kv_commit(struct kv_txn *txn)
{
	struct kv *kv = txn->kv;
	int r = txn->error;

	assert(txn->write);
	if (r == 0 && journal_has_body(kv->journal)) {
		r = kv_pending_commit(kv);
		if (r == 0) {
			forget(txn);
			return 0;
		}
	}
	(void)kv_abort(txn); /* NULL */
	return r;
}

int kv_txn_error(const struct kv_txn *txn)
{
	return txn->error;
}

int kv_read_answer_of(const struct kv_txn *txn, int rc)
{
	if (rc == MDB_BAD_TXN && txn->error) {
		return txn->error == KV_E_FULL ? -ENOSPC : txn->error;
	}
	return kv_answer_of(rc);
}

int kv_get(struct kv_txn *txn, enum kv_table table, struct slice key, struct slice *ret_value)
{
	MDB_val k = kv_key(key);
	MDB_val value;
	int r;

	if (txn->txn == txn->kv->pending) {
		r = kv_change_get(txn->kv, table, k, &value);
	} else {
		r = mdb_get(txn->txn, txn->kv->tables[table], &k, &value);
	}
	r = kv_read_answer_of(txn, r);
	if (r == 0) {
		*ret_value = kv_slice(value);
	}
	return r;
}

static void change(struct kv_txn *txn, uint8_t what, enum kv_table table, struct slice key,
		   struct slice value)
{
	assert(txn->write);
	if (!txn->error) {
		txn->error = kv_pending_change(txn->kv, what, table, kv_key(key), kv_val(value));
	}
}

void kv_put(struct kv_txn *txn, enum kv_table table, struct slice key, struct slice value)
{
	change(txn, KV_CHANGE_PUT, table, key, value);
}

void kv_append(struct kv_txn *txn, enum kv_table table, struct slice key, struct slice value)
{
	change(txn, KV_CHANGE_APPEND, table, key, value);
}

void kv_delete(struct kv_txn *txn, enum kv_table table, struct slice key)
{
	change(txn, KV_CHANGE_DELETE, table, key, (struct slice){0});
}

uint32_t kv_changed_pages(const struct kv_txn *txn)
{
	return kv_change_pages(txn->kv);
}

static int count_pages(struct kv_txn *txn, MDB_dbi table, uint64_t *pages)
{
	MDB_stat stat;
	int r = mdb_stat(txn->txn, table, &stat);

	if (r == 0) {
		*pages += stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages;
	}
	return kv_read_answer_of(txn, r);
}

/* A file system that cannot allocate ahead has a hole there. */
static int own_bytes(const struct kv *kv, uint64_t used_bytes, uint64_t *ret_bytes)
{
	struct stat st;
	int fd;
	int r = mdb_env_get_fd(kv->env, &fd);

	if (r != 0) {
		return kv_machine_error(r);
	}
	if (fstat(fd, &st) < 0) {
		return -errno;
	}
	*ret_bytes = MAX(used_bytes, MIN((uint64_t)st.st_size, (uint64_t)st.st_blocks * 512));
	return 0;
}

int kv_usage(struct kv_txn *txn, struct kv_usage *ret_usage)
{
	struct kv *kv = txn->kv;
	struct kv_usage usage = {.map_bytes = kv->map_bytes};
	uint64_t pages = 0;
	int r = count_pages(txn, kv->names, &pages);

	for (size_t i = 0; r == 0 && i < _KV_TABLE_MAX; i++) {
		r = count_pages(txn, kv->tables[i], &pages);
	}
	if (r == 0) {
		r = kv_last_page_end(kv, &usage.file_bytes);
	}
	if (r == 0) {
		r = own_bytes(kv, usage.file_bytes, &usage.own_bytes);
	}
	if (r != 0) {
		return r;
	}
	usage.used_bytes = pages * kv->page_bytes;
	*ret_usage = usage;
	return 0;
}
