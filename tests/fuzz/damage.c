/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/damage.h"

#include "daemon/store/schema.h"

#define EDITS_MAX 16
#define ROW_MAX   4096 /* bytes; all rows of the house are shorter */

enum edit {
	EDIT_FLIP,
	EDIT_CUT,
	EDIT_REPLACE,
	EDIT_DELETE,
	EDIT_ADD,
	EDIT_COPY, /* over the row before */
	_EDIT_MAX
};

/**
 * struct damage - what is done to one row
 * @key, @row, @len: of the row, copied out
 */
struct damage {
	struct kv_txn *txn;
	enum kv_table table;
	struct key key;
	uint8_t row[ROW_MAX];
	size_t len;
};

/* A row by its number in its table. Return: false behind the last. */
static bool find_row(struct kv_txn *txn, enum kv_table table, unsigned number,
		     struct slice *ret_key, struct slice *ret_row)
{
	cleanup(kv_cursor_closep) struct kv_cursor *cursor = NULL;
	int r = kv_cursor_open(txn, table, &cursor);

	if (r == 0) {
		r = kv_cursor_seek(cursor, (struct slice){0}, ret_key, ret_row);
	}
	for (unsigned i = 0; r == 0 && i < number; i++) {
		r = kv_cursor_next(cursor, ret_key, ret_row);
	}
	assert(r == 0 || r == KV_E_NONE);
	return r == 0;
}

static bool take_row(struct damage *damage, unsigned number)
{
	struct slice key, row;

	if (!find_row(damage->txn, damage->table, number, &key, &row)) {
		return false;
	}
	damage->key = (struct key){0};
	key_add_bytes(&damage->key, key.data, key.len);
	damage->len = MIN(row.len, sizeof(damage->row));
	memcpy(damage->row, row.data, damage->len);
	return true;
}

static void put_row(struct damage *damage)
{
	kv_put(damage->txn, damage->table, key_slice(&damage->key),
	       (struct slice){(const char *)damage->row, damage->len});
}

static void fill_row(struct damage *damage, struct slice bytes)
{
	damage->len = MIN(bytes.len, sizeof(damage->row));
	if (damage->len > 0) {
		memcpy(damage->row, bytes.data, damage->len);
	}
}

static void add_row(struct damage *damage, struct feed *feed)
{
	struct slice key = feed_bytes(feed, feed_u8(feed) % KV_KEY_LEN_MAX + 1);

	if (key.len > 0) {
		damage->key = (struct key){0};
		key_add_bytes(&damage->key, key.data, key.len);
		fill_row(damage, feed_text(feed));
		put_row(damage);
	}
}

/* In the place of the row that follows. */
static void copy_row(struct damage *damage, unsigned number)
{
	struct slice key, ignored;

	if (find_row(damage->txn, damage->table, number + 1, &key, &ignored)) {
		damage->key = (struct key){0};
		key_add_bytes(&damage->key, key.data, key.len);
		put_row(damage);
	}
}

static void flip_byte(struct damage *damage, uint16_t at, uint8_t bits)
{
	if (damage->len > 0) {
		damage->row[at % damage->len] ^= bits;
	}
	put_row(damage);
}

static void do_edit(struct damage *damage, enum edit edit, unsigned number, struct feed *feed)
{
	uint16_t at;

	switch (edit) {
	case EDIT_FLIP:
		at = feed_u16(feed);
		flip_byte(damage, at, feed_u8(feed));
		break;
	case EDIT_CUT:
		damage->len = MIN(damage->len, (size_t)feed_u8(feed));
		put_row(damage);
		break;
	case EDIT_REPLACE:
		fill_row(damage, feed_text(feed));
		put_row(damage);
		break;
	case EDIT_DELETE:
		kv_delete(damage->txn, damage->table, key_slice(&damage->key));
		break;
	case EDIT_ADD:
		add_row(damage, feed);
		break;
	case EDIT_COPY:
		copy_row(damage, number);
		break;
	case _EDIT_MAX:
		break;
	}
}

bool damage_rows(struct kv_txn *txn, struct feed *feed)
{
	struct damage damage = {.txn = txn};
	bool in_meta = false;

	for (size_t i = 0; i < EDITS_MAX && feed->left > 0; i++) {
		unsigned number;
		enum edit edit;

		damage.table = (enum kv_table)(feed_u8(feed) % _KV_TABLE_MAX);
		in_meta |= damage.table == KV_META;
		number = feed_u8(feed);
		edit = (enum edit)(feed_u8(feed) % _EDIT_MAX);
		if (take_row(&damage, number) || edit == EDIT_ADD) {
			do_edit(&damage, edit, number, feed);
		}
	}
	return in_meta;
}
