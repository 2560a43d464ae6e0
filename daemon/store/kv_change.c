/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/kv_inside.h"

/*
 * Reads and changes of LMDB's open transaction. Each table has a cursor that stays where the last one
 * was: a sweep, a round of settling and an import go through their tables in the order of the keys,
 * the ledger grows at its end, and what is near is found without a search from the root.
 *
 * It also tells whether a change is the first one of its page. LMDB copies a page out of the map then,
 * so that one whose keys lie in the map is one that the next commit will have to write in addition.
 */

/* What LMDB adds to each key and its value on a page. */
#define NODE_BYTES 10

static bool is_in_map(const struct kv *kv, const void *at)
{
	return (uintptr_t)at - (uintptr_t)kv->map < kv->map_bytes;
}

/* Each page begins with its number, 8 bytes in the machine's order. */
static const char *map_of_page_at(const void *at, uint64_t page_bytes)
{
	const char *page = (const char *)at - (uintptr_t)at % page_bytes;
	uint64_t number;

	memcpy(&number, page, sizeof(number));
	return page - number * page_bytes;
}

/* LMDB tells no more than an address that was asked for. @names has a row for each table. */
static int find_map(MDB_txn *txn, MDB_dbi names, uint64_t page_bytes, const char **ret_map)
{
	MDB_cursor *cursor;
	MDB_val key, value;
	int r = mdb_cursor_open(txn, names, &cursor);

	if (r != 0) {
		return kv_answer_of(r);
	}
	r = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
	if (r == 0) {
		*ret_map = map_of_page_at(key.mv_data, page_bytes);
	}
	mdb_cursor_close(cursor);
	return kv_answer_of(r);
}

int kv_change_find_map(struct kv *kv)
{
	MDB_txn *txn;
	int r = mdb_txn_begin(kv->env, NULL, MDB_RDONLY, &txn);

	if (r != 0) {
		return kv_answer_of(r);
	}
	r = find_map(txn, kv->names, kv->page_bytes, &kv->map);
	mdb_txn_abort(txn);
	return r;
}

void kv_change_forget(struct kv *kv)
{
	kv_drop_spares(kv, false);
	for (size_t i = 0; i < _KV_TABLE_MAX; i++) {
		if (kv->nearby[i]) {
			mdb_cursor_close(kv->nearby[i]);
			kv->nearby[i] = NULL;
		}
	}
	kv->n_pages = 0;
	kv->n_appended_bytes = 0;
}

uint32_t kv_change_pages(const struct kv *kv)
{
	return kv->n_pages + (uint32_t)(kv->n_appended_bytes / kv->page_bytes);
}

static int nearby(struct kv *kv, enum kv_table table, MDB_cursor **ret_cursor)
{
	MDB_cursor **cursor = &kv->nearby[table];
	int r = *cursor ? 0 : mdb_cursor_open(kv->pending, kv->tables[table], cursor);

	*ret_cursor = *cursor;
	return r;
}

int kv_change_get(struct kv *kv, enum kv_table table, MDB_val key, MDB_val *ret_value)
{
	MDB_cursor *cursor;
	int r = nearby(kv, table, &cursor);

	return r == 0 ? mdb_cursor_get(cursor, &key, ret_value, MDB_SET) : r;
}

/*
 * @ret_stands:   the key is there
 * @ret_is_first: the page on which it is, or about where it would be, has not been changed yet: that of
 *                the next key, or behind the last key that of the last one
 *
 * Return: LMDB's.
 */
static int seek(const struct kv *kv, MDB_cursor *cursor, MDB_val key, bool *ret_stands,
		bool *ret_is_first)
{
	MDB_val found = key, value;
	int r = mdb_cursor_get(cursor, &found, &value, MDB_SET_RANGE);
	bool is_behind = r == MDB_NOTFOUND;

	if (is_behind) {
		r = mdb_cursor_get(cursor, &found, &value, MDB_LAST);
	}
	if (r != 0 && r != MDB_NOTFOUND) {
		return r;
	}
	*ret_stands = !is_behind && slice_equal(kv_slice(found), kv_slice(key));
	*ret_is_first = r == MDB_NOTFOUND || is_in_map(kv, found.mv_data);
	return 0;
}

static int put(struct kv *kv, MDB_cursor *cursor, MDB_val key, MDB_val value)
{
	bool stands, is_first;
	int r = seek(kv, cursor, key, &stands, &is_first);

	kv->n_pages += r == 0 && is_first;
	return r == 0 ? mdb_cursor_put(cursor, &key, &value, 0) : r;
}

/* A key that is missing changes no page. */
static int delete (struct kv *kv, MDB_cursor *cursor, MDB_val key)
{
	bool stands, is_first;
	int r = seek(kv, cursor, key, &stands, &is_first);

	if (r != 0 || !stands) {
		return r;
	}
	kv->n_pages += is_first;
	return mdb_cursor_del(cursor, 0);
}

/* Behind all others pages are filled one after another. */
static int append(struct kv *kv, MDB_cursor *cursor, MDB_val key, MDB_val value)
{
	kv->n_appended_bytes += NODE_BYTES + key.mv_size + value.mv_size;
	return mdb_cursor_put(cursor, &key, &value, MDB_APPEND);
}

int kv_change_apply(struct kv *kv, uint8_t what, enum kv_table table, MDB_val key, MDB_val value)
{
	MDB_cursor *cursor;
	int r = nearby(kv, table, &cursor);

	if (r == 0) {
		r = what == KV_CHANGE_PUT      ? put(kv, cursor, key, value)
		    : what == KV_CHANGE_DELETE ? delete (kv, cursor, key)
					       : append(kv, cursor, key, value);
	}
	return kv_answer_of(r);
}
