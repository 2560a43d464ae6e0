/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "daemon/store/kv_inside.h"

/*
 * @writing: it is in the transaction that is pending, not in a snapshot
 * @moment:  of @kv, when it was opened
 * @fresh:   opened and not moved yet: the next key is the first one, wherever LMDB's cursor stands
 * @at_end:  LMDB would begin again at the first key
 */
struct kv_cursor {
	struct kv_txn *txn;
	struct kv *kv;
	enum kv_table table;
	MDB_cursor *cursor;
	bool writing;
	uint64_t moment;
	bool fresh;
	bool at_end;
};

/*
 * Closed cursors are kept. One that is opened again in the same transaction of LMDB stands where it
 * stood, and finds what is near without a search from the root: LMDB moves it along with whatever
 * is changed. One of a snapshot is renewed for another one, which takes no memory.
 */

static void drop_cursor(struct kv_cursor *cursor)
{
	mdb_cursor_close(cursor->cursor);
	free(cursor);
}

void kv_drop_spares(struct kv *kv, bool all)
{
	for (size_t i = 0; i < _KV_TABLE_MAX; i++) {
		struct kv_cursor *spare = kv->spares[i];

		if (spare && (spare->writing || all)) {
			drop_cursor(spare);
			kv->spares[i] = NULL;
		}
	}
}

/* Return: as kv_cursor_open(). */
static int renew_cursor(struct kv_txn *txn, struct kv_cursor *cursor)
{
	if (cursor->writing || (cursor->txn == txn && cursor->moment == txn->kv->moment)) {
		return 0;
	}
	return kv_read_answer_of(txn, mdb_cursor_renew(txn->txn, cursor->cursor));
}

static int new_cursor(struct kv_txn *txn, enum kv_table table, struct kv_cursor **ret_cursor)
{
	struct kv_cursor *cursor = calloc(1, sizeof(*cursor));
	int r;

	if (!cursor) {
		return -ENOMEM;
	}
	r = mdb_cursor_open(txn->txn, txn->kv->tables[table], &cursor->cursor);
	if (r != 0) {
		free(cursor);
		return kv_read_answer_of(txn, r);
	}
	cursor->kv = txn->kv;
	cursor->table = table;
	cursor->writing = txn->txn == txn->kv->pending;
	*ret_cursor = cursor;
	return 0;
}

/* The spare cursor of a table, if it is one for the transaction. */
static struct kv_cursor *take_spare(struct kv_txn *txn, enum kv_table table)
{
	struct kv *kv = txn->kv;
	struct kv_cursor *spare = kv->spares[table];

	if (!spare || spare->writing != (txn->txn == kv->pending)) {
		return NULL;
	}
	kv->spares[table] = NULL;
	return spare;
}

int kv_cursor_open(struct kv_txn *txn, enum kv_table table, struct kv_cursor **ret_cursor)
{
	struct kv_cursor *cursor = take_spare(txn, table);
	int r;

	if (cursor) {
		r = renew_cursor(txn, cursor);
		if (r != 0) {
			drop_cursor(cursor);
		}
	} else {
		r = new_cursor(txn, table, &cursor);
	}
	if (r != 0) {
		return r;
	}
	cursor->txn = txn;
	cursor->moment = txn->kv->moment;
	cursor->fresh = true;
	cursor->at_end = false;
	*ret_cursor = cursor;
	return 0;
}

struct kv_cursor *kv_cursor_close(struct kv_cursor *cursor)
{
	struct kv *kv = cursor ? cursor->kv : NULL;

	if (!cursor) {
		return NULL;
	}
	if (kv->spares[cursor->table]) {
		drop_cursor(cursor);
	} else {
		kv->spares[cursor->table] = cursor;
	}
	return NULL;
}

void kv_cursor_closep(struct kv_cursor **cursor)
{
	*cursor = kv_cursor_close(*cursor);
}

static int move(struct kv_cursor *cursor, MDB_cursor_op op, MDB_val key, struct slice *ret_key,
		struct slice *ret_value)
{
	MDB_val value;
	int r = kv_read_answer_of(cursor->txn, mdb_cursor_get(cursor->cursor, &key, &value, op));

	cursor->fresh = false;
	cursor->at_end = r == KV_E_NONE;
	if (r != 0) {
		return r;
	}
	if (ret_key) {
		*ret_key = kv_slice(key);
	}
	if (ret_value) {
		*ret_value = kv_slice(value);
	}
	return 0;
}

/* LMDB searches for no empty key. */
int kv_cursor_seek(struct kv_cursor *cursor, struct slice key, struct slice *ret_key,
		   struct slice *ret_value)
{
	if (key.len == 0) {
		return move(cursor, MDB_FIRST, (MDB_val){0}, ret_key, ret_value);
	}
	return move(cursor, MDB_SET_RANGE, kv_key(key), ret_key, ret_value);
}

int kv_cursor_next(struct kv_cursor *cursor, struct slice *ret_key, struct slice *ret_value)
{
	if (cursor->at_end) {
		return KV_E_NONE;
	}
	return move(cursor, cursor->fresh ? MDB_FIRST : MDB_NEXT, (MDB_val){0}, ret_key, ret_value);
}

int kv_cursor_last(struct kv_cursor *cursor, struct slice *ret_key, struct slice *ret_value)
{
	return move(cursor, MDB_LAST, (MDB_val){0}, ret_key, ret_value);
}
