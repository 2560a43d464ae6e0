/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "daemon/store/inside.h"
#include "daemon/work/verify.h"

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/house.h"

/*
 * The ledger and the tables beside it, damaged under the daemon's hands: rows are changed, cut off,
 * replaced, deleted and added in a transaction that is never committed.
 *
 *   - A ledger that is not, entry by entry, what was written does not verify; nor does it when an
 *     account's row is not what its entries lead to.
 *   - Whatever is asked, and whatever is done then, has an answer: rows are refused, never asserted,
 *     and no command ends the daemon.
 *
 * The first byte says whether the daemon is only asked or told to do something, too. Then each edit
 * is the number of a table, of a row in it, what is done, and what with.
 */

#define EDITS_MAX    16
#define ENTRIES_MAX  64   /* of the house's ledger */
#define ROW_MAX      4096 /* bytes; all rows of the house are shorter */
#define SLICES       4    /* of timed work */
#define AND_COMMANDS 1    /* of the first byte */

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
 * struct request_row - what is asked
 * @uid: of the peer
 * @arguments: NULL for one request for each account, by its uid
 */
struct request_row {
	uid_t uid;
	const char *method;
	const char *arguments;
};

/* clang-format off */
static const struct request_row questions[] = {
	{0, "account.get", NULL},
	{0, "account.explain", NULL},
	{0, "receipt.get", NULL},
	{0, "hold.list", NULL},
	{0, "ledger.read", NULL},
	{0, "account.list", "{}"},
	{0, "account.list", "{'org': 'contoso', 'state': 'soft-deleted'}"},
	{0, "account.list", "{'overdue': true}"},
	{0, "account.get", "{'org': 'contoso', 'id': 'g-4'}"},
	{0, "account.get", "{'org': 'contoso', 'person': 'p1@home.example'}"},
	{0, "person.organizations", "{'person': 'p2@home.example'}"},
	{0, "due.forecast", "{'by': 'week'}"},
	{0, "org.list", "{}"},
	{0, "keeper.list", "{}"},
	{0, "request.list", "{}"},
	{0, "ledger.read", "{}"},
	{0, "ledger.head", "{}"},
	{0, "stats.get", "{}"},
	{0, "sweep.status", "{}"},
};

static const struct request_row commands[] = {
	{0, "account.restore", "{'accounts': [{'uid': 4}, {'uid': 5}], 'reason': 'r'}"},
	{0, "account.remove", "{'accounts': [{'uid': 1}, {'uid': 2}, {'uid': 4}, {'uid': 9}]}"},
	{0, "account.purge", "{'accounts': [{'uid': 1}, {'uid': 2}, {'uid': 4}, {'uid': 5}]}"},
	{0, "hold.remove", "{'accounts': [{'uid': 5}], 'hold': 'case-1'}"},
	{0, "hold.add", "{'accounts': [{'uid': 3}, {'uid': 5}], 'hold': 'case-2'}"},
	{0, "request.deny", "{'requests': [{'request': 1}], 'reason': 'r'}"},
	{0, "request.approve", "{'requests': [{'request': 1}]}"},
	{1005, "keeper.claim", "{'keeper': 'crm'}"},
	{1006, "keeper.claim", "{'keeper': 'mail'}"},
	{0, "keeper.waive",
	 "{'keeper': 'mail', 'accounts': [{'uid': 6}, {'uid': 7}], 'reason': 'r'}"},
	{0, "keeper.owe", "{'keeper': 'mail', 'accounts': [{'uid': 7}]}"},
	{0, "account.import",
	 "{'accounts': [{'org': 'contoso', 'id': 'g-1', 'kind': 'member', 'upn': 'n@x.example'}]}"},
	{0, "org.set", "{'org': 'contoso', 'name': 'N'}"},
	{0, "clock.advance", "{'by_us': 6000000000000}"},
	{0, "sweep.run", "{}"},
};
/* clang-format on */

/* Damage */

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

static void do_damage(struct kv_txn *txn, struct feed *feed)
{
	struct damage damage = {.txn = txn};

	for (size_t i = 0; i < EDITS_MAX && feed->left > 0; i++) {
		unsigned number;
		enum edit edit;

		damage.table = (enum kv_table)(feed_u8(feed) % _KV_TABLE_MAX);
		number = feed_u8(feed);
		edit = (enum edit)(feed_u8(feed) % _EDIT_MAX);
		if (take_row(&damage, number) || edit == EDIT_ADD) {
			do_edit(&damage, edit, number, feed);
		}
	}
}

/* Proof */

/* Rows as they were written. */
struct memory {
	uint8_t row[ROW_MAX];
	size_t len;
};

static struct memory entries[ENTRIES_MAX];
static struct memory accounts[HOUSE_ACCOUNTS];

static void get_row(struct kv_txn *txn, enum kv_table table, uint64_t number,
		    struct memory *ret_memory)
{
	struct key key = key_u64(number);
	struct slice row;
	int r = kv_get(txn, table, key_slice(&key), &row);

	assert(r == 0 || r == KV_E_NONE);
	ret_memory->len = r == 0 ? MIN(row.len, sizeof(ret_memory->row)) : 0;
	if (ret_memory->len > 0) {
		memcpy(ret_memory->row, row.data, ret_memory->len);
	}
}

static void remember(struct kv_txn *txn, uint64_t n_entries)
{
	assert(n_entries <= ENTRIES_MAX);
	for (uint64_t i = 0; i < n_entries && entries[0].len == 0; i++) {
		get_row(txn, KV_LEDGER, n_entries - i, &entries[n_entries - i - 1]);
	}
	for (uint64_t i = 0; i < HOUSE_ACCOUNTS && accounts[0].len == 0; i++) {
		get_row(txn, KV_ACCOUNTS, HOUSE_ACCOUNTS - i, &accounts[HOUSE_ACCOUNTS - i - 1]);
	}
}

static bool is_changed(struct kv_txn *txn, enum kv_table table, const struct memory *before,
		       uint64_t n)
{
	struct memory now;

	for (uint64_t i = 0; i < n; i++) {
		get_row(txn, table, i + 1, &now);
		if (now.len != before[i].len || memcmp(now.row, before[i].row, now.len) != 0) {
			return true;
		}
	}
	return false;
}

static bool verifies(struct house *house)
{
	struct store *store = house->rig.engine->store;
	struct verification verification = {0};

	while (verification.seq < store_head(store)->seq && !verification.fault) {
		int r = verify_stretch(store, verification.seq + 1, UINT32_MAX,
				       house->rig.engine->now, &verification);

		assert(r == 0);
	}
	return !verification.fault;
}

static void prove_damage(struct house *house, struct kv_txn *txn)
{
	uint64_t n = store_head(house->rig.engine->store)->seq;
	bool changed = is_changed(txn, KV_LEDGER, entries, n) ||
		       is_changed(txn, KV_ACCOUNTS, accounts, HOUSE_ACCOUNTS);

	assert(verifies(house) == !changed);
}

/* Questions and commands */

static void ask(struct house *house, const struct request_row *row, unsigned uid)
{
	struct rig *rig = &house->rig;

	pack_writer_reset(&rig->answer);
	rig->session.peer = (struct access_peer){.uid = row->uid, .gid = row->uid};
	if (!row->arguments) {
		rig_send(rig, row->method, "{'uid': %u}", uid);
	} else {
		rig_send(rig, row->method, "%s", row->arguments);
	}
}

static void ask_all(struct house *house)
{
	for (size_t i = 0; i < ARRAY_LEN(questions); i++) {
		for (unsigned uid = 1; uid <= (questions[i].arguments ? 1 : HOUSE_ACCOUNTS);
		     uid++) {
			ask(house, &questions[i], uid);
		}
	}
}

/* The house is put back afterwards. */
static void command_all(struct house *house)
{
	house->dirty = true;
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		engine_begin_turn(house->rig.engine, &house->rig.reading);
		ask(house, &commands[i], 0);
	}
	engine_begin_turn(house->rig.engine, &house->rig.reading);
	for (unsigned i = 0; i < SLICES; i++) {
		int r = engine_work(house->rig.engine);

		assert(r == 0);
	}
	ask_all(house);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct feed feed = {data, len};
	uint8_t how = feed_u8(&feed);
	struct house *house = house_enter();
	struct store *store = house->rig.engine->store;
	struct kv_txn *txn;
	int r;

	rig_begin(&house->rig);
	r = store_writing(store, &txn);
	assert(r == 0);
	remember(txn, store_head(store)->seq);
	do_damage(txn, &feed);
	if (kv_txn_error(txn) == 0) {
		prove_damage(house, txn);
		ask_all(house);
		if (how & AND_COMMANDS) {
			command_all(house);
		}
	}
	store_end_turn(store);
	return 0;
}
