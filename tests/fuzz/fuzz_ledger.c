/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "daemon/store/inside.h"
#include "daemon/work/verify.h"

#include "tests/fuzz/damage.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/house.h"
#include "tests/support/temp.h"

/*
 * The ledger and the tables beside it, damaged: rows are changed, cut off, replaced, deleted and
 * added, under the daemon's hands in a transaction that is never committed, or on the disk before
 * it starts.
 *
 *   - A ledger that is not, entry by entry, what was written does not verify; nor does it when an
 *     account's row is not what its entries lead to.
 *   - Whatever is asked, and whatever is done then, has an answer: rows are refused, never asserted,
 *     and no command ends the daemon.
 *   - A start goes well or is refused. Nothing ends a daemon that has started.
 *
 * The first byte says how: the daemon is only asked; it is told to do something, too; or it is
 * killed, finds what was changed as it starts again, and goes on for longer than any deadline. Then
 * each edit is the number of a table, of a row in it, what is done, and what with.
 */

#define ENTRIES_MAX 64   /* of the house's ledger */
#define ROW_MAX     4096 /* bytes; all rows of the house are shorter */
#define SLICES      4    /* of timed work */

/* The first byte. */
#define AND_COMMANDS 1
#define AND_START    2

/* Uids of the house's keepers. */
#define KEEPER_CRM  1005
#define KEEPER_MAIL 1006

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
	{0, "account.list", "{'staged': true}"},
	{0, "account.get", "{'org': 'contoso', 'id': 'g-4'}"},
	{0, "account.get", "{'org': 'contoso', 'person': 'p1@home.example'}"},
	{0, "person.organizations", "{'person': 'p2@home.example'}"},
	{0, "due.forecast", "{'by': 'week'}"},
	{0, "org.list", "{}"},
	{0, "keeper.list", "{}"},
	{0, "request.list", "{}"},
	{0, "ledger.read", "{}"},
	{0, "ledger.head", "{}"},
	{0, "store.verify", "{'limit': 1000}"},
	{0, "guard.list", "{}"},
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
	{KEEPER_CRM, "keeper.claim", "{'keeper': 'crm'}"},
	{KEEPER_MAIL, "keeper.claim", "{'keeper': 'mail'}"},
	{0, "keeper.waive",
	 "{'keeper': 'mail', 'accounts': [{'uid': 6}, {'uid': 7}], 'reason': 'r'}"},
	{0, "keeper.owe", "{'keeper': 'mail', 'accounts': [{'uid': 6}, {'uid': 7}]}"},
	{0, "account.import",
	 "{'accounts': [{'org': 'contoso', 'id': 'g-1', 'kind': 'member', 'upn': 'n@x.example'}]}"},
	{0, "org.set", "{'org': 'contoso', 'name': 'N'}"},
	{0, "account.remove", "{'accounts': [{'uid': 11}, {'uid': 12}], 'request_id': 'r-1'}"},
	{0, "account.disable", "{'accounts': [{'uid': 1}], 'request_id': 'r-2'}"},
	{0, "guard.release", "{'guard': 'mass', 'org': 'fabrikam', 'expect': 1}"},
	{0, "clock.advance", "{'by_us': 6000000000000}"},
	{0, "sweep.run", "{}"},
};
/* clang-format on */

/* Proof */

/* Rows as they were written. */
struct memory {
	uint8_t row[ROW_MAX];
	size_t len;
};

static struct memory entries[ENTRIES_MAX];
static uint64_t n_entries;
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

/* Once; the house is as it was at first. */
static void remember(struct store *store)
{
	struct kv_txn *txn;
	int r = store_reading(store, &txn);

	assert(r == 0 && store_head(store)->seq <= ENTRIES_MAX);
	n_entries = store_head(store)->seq;
	for (uint64_t i = 0; i < n_entries; i++) {
		get_row(txn, KV_LEDGER, i + 1, &entries[i]);
	}
	for (uint64_t i = 0; i < HOUSE_ACCOUNTS; i++) {
		get_row(txn, KV_ACCOUNTS, i + 1, &accounts[i]);
	}
	store_end_turn(store);
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

static bool is_damaged(struct kv_txn *txn)
{
	return is_changed(txn, KV_LEDGER, entries, n_entries) ||
	       is_changed(txn, KV_ACCOUNTS, accounts, HOUSE_ACCOUNTS);
}

/* Questions and commands */

static void come_as(struct rig *rig, uid_t uid)
{
	pack_writer_reset(&rig->answer);
	rig->session.peer = (struct access_peer){.uid = uid, .gid = uid};
}

static void ask(struct house *house, const struct request_row *row, unsigned uid)
{
	struct rig *rig = &house->rig;

	come_as(rig, row->uid);
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

/* crm gives up what it has claimed; mail claims a task, and what it is given it confirms. */
static void work_as_keepers(struct house *house)
{
	cleanup(freep) char *token = NULL;
	struct rig *rig = &house->rig;

	come_as(rig, KEEPER_CRM);
	rig_send(rig, "keeper.fail", "{'keeper': 'crm', 'tasks': [{'token': '%s', 'error': 'e'}]}",
		 house->token);
	come_as(rig, KEEPER_MAIL);
	rig_send(rig, "keeper.claim", "{'keeper': 'mail', 'max': 1}");
	token = rig_text(rig, "tasks.0.token");
	come_as(rig, KEEPER_MAIL);
	rig_send(rig, "keeper.confirm",
		 "{'keeper': 'mail', 'tasks': [{'token': '%s', 'result': 'erased'}]}", token);
}

static void command_all(struct house *house)
{
	engine_begin_turn(house->rig.engine, &house->rig.reading);
	work_as_keepers(house);
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

/* Under the daemon's hands */

static void try_turn(struct house *house, struct feed *feed, bool and_commands)
{
	struct store *store = house->rig.engine->store;
	struct kv_txn *txn;
	int r;

	rig_begin(&house->rig);
	r = store_writing(store, &txn);
	assert(r == 0);
	(void)damage_rows(txn, feed); /* the meta table was read long ago */
	if (kv_txn_error(txn) == 0) {
		assert(verifies(house) == !is_damaged(txn));
		ask_all(house);
		if (and_commands) {
			house->dirty = true; /* in memory */
			command_all(house);
		}
	}
	store_end_turn(store);
}

/* On the disk */

/* Return: whether the ledger and the accounts must not verify. */
static bool damage_store(const char *directory, struct feed *feed)
{
	cleanup(freep) char *place = temp_path_new(directory, "store");
	bool damaged, in_meta;
	struct kv_txn *txn;
	struct kv *kv;
	int r = kv_open(place, HOUSE_MAP_BYTES, false, &kv);

	assert(r == 0);
	r = kv_begin(kv, true, &txn);
	assert(r == 0);
	in_meta = damage_rows(txn, feed);
	damaged = is_damaged(txn);
	r = kv_commit(txn);
	if (r == 0) {
		damaged = damaged && !in_meta;
		r = kv_checkpoint(kv); /* a start checks the data file */
		assert(r == 0);
	} else {
		damaged = false; /* nothing was */
	}
	(void)kv_close(kv); /* NULL */
	return damaged;
}

/* Longer than the windows and the removals of the house take. */
static void live_on(struct house *house)
{
	static const struct request_row advance = {0, "clock.advance", "{'by_us': 5184000000000}"};
	struct rig *rig = &house->rig;

	rig_idle(rig);
	rig_begin(rig);
	ask(house, &advance, 0);
	rig_end(rig);
	rig_idle(rig);
	(void)verifies(house); /* as it may: rows that were damaged may be gone */
}

/* A damaged meta table may say that the newest entries are to be replayed: accounts are mended so. */
static void try_start(struct house *house, struct feed *feed, bool and_commands)
{
	struct rig *rig = &house->rig;
	bool damaged;
	int r;

	house->dirty = true;
	house->damaged = true;
	rig_kill(rig);
	damaged = damage_store(rig->directory, feed);
	r = engine_open(&rig->options, &rig->reading, &rig->engine);
	assert(r >= 0);
	if (r > 0) {
		return;
	}
	assert(!damaged || !verifies(house));
	rig_begin(rig);
	ask_all(house);
	if (and_commands) {
		command_all(house);
	}
	rig_end(rig);
	live_on(house);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct feed feed = {data, len};
	uint8_t how = feed_u8(&feed);
	struct house *house = house_enter();

	if (n_entries == 0) {
		remember(house->rig.engine->store);
	}
	if (how & AND_START) {
		try_start(house, &feed, how & AND_COMMANDS);
	} else {
		try_turn(house, &feed, how & AND_COMMANDS);
	}
	return 0;
}
