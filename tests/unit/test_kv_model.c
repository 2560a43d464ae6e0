/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "daemon/store/kv.h"
#include "daemon/store/schema.h"

#include "tests/support/temp.h"

/*
 * Tables that are read, changed and walked at random, against an array of what they must have. Each
 * is read and changed with one cursor that stays: pages that split, merge and vanish under it must
 * never lead it astray.
 */

#define MAP_BYTES    ((size_t)1 << 30)
#define KEYS         1200 /* three levels of pages, with values as long as these */
#define LONGEST      700
#define STEPS        400 /* of one transaction */
#define TRANSACTIONS 60

static const enum kv_table tables[] = {KV_PROFILES, KV_NOTES};

/* The length of each key's value and 1, or 0 where there is no such key. */
struct model {
	uint32_t lens[ARRAY_LEN(tables)][KEYS];
};

static struct kv *kv;
static struct model model;
static char value[LONGEST];

static uint32_t random_below(uint32_t n)
{
	static uint64_t state = UINT64_C(0x9e3779b97f4a7c15);

	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(state >> 33) % n;
}

/* Near the last one, as whoever goes through a table in its order, or anywhere. */
static uint32_t random_key(void)
{
	static uint32_t last;

	last = random_below(4) > 0 ? (last + random_below(3)) % KEYS : random_below(KEYS);
	return last;
}

static void put(struct kv_txn *txn, size_t table, uint32_t n)
{
	uint32_t len = random_below(LONGEST);
	struct key key = key_u64(n);

	kv_put(txn, tables[table], key_slice(&key), (struct slice){value, len});
	model.lens[table][n] = len + 1;
}

static void append(struct kv_txn *txn, size_t table)
{
	uint32_t n = KEYS, len = random_below(LONGEST);
	struct key key;

	while (n > 0 && model.lens[table][n - 1] == 0) {
		n--;
	}
	if (n < KEYS) {
		key = key_u64(n);
		kv_append(txn, tables[table], key_slice(&key), (struct slice){value, len});
		model.lens[table][n] = len + 1;
	}
}

static void delete (struct kv_txn *txn, size_t table, uint32_t n)
{
	struct key key = key_u64(n);

	kv_delete(txn, tables[table], key_slice(&key));
	model.lens[table][n] = 0;
}

static void expect(struct kv_txn *txn, size_t table, uint32_t n)
{
	struct key key = key_u64(n);
	struct slice found;
	int r = kv_get(txn, tables[table], key_slice(&key), &found);

	cr_assert_eq(r, model.lens[table][n] > 0 ? 0 : KV_E_NONE);
	cr_assert(r != 0 || found.len + 1 == model.lens[table][n]);
}

/* The first key from there on. */
static void expect_next(struct kv_txn *txn, size_t table, uint32_t n)
{
	cleanup(kv_cursor_closep) struct kv_cursor *cursor = NULL;
	struct key from = key_u64(n);
	struct slice key;
	int r;

	cr_assert_eq(kv_cursor_open(txn, tables[table], &cursor), 0);
	r = kv_cursor_seek(cursor, key_slice(&from), &key, NULL);
	while (n < KEYS && model.lens[table][n] == 0) {
		n++;
	}
	cr_assert_eq(r, n < KEYS ? 0 : KV_E_NONE);
	cr_assert(r != 0 || load_be64(key.data) == n);
}

static void expect_all(struct kv_txn *txn)
{
	for (size_t table = 0; table < ARRAY_LEN(tables); table++) {
		cleanup(kv_cursor_closep) struct kv_cursor *cursor = NULL;
		struct slice key, found;

		cr_assert_eq(kv_cursor_open(txn, tables[table], &cursor), 0);
		for (uint32_t n = 0; n < KEYS; n++) {
			if (model.lens[table][n] > 0) {
				cr_assert_eq(kv_cursor_next(cursor, &key, &found), 0);
				cr_assert_eq(load_be64(key.data), n);
				cr_assert_eq(found.len + 1, model.lens[table][n]);
			}
		}
		cr_assert_eq(kv_cursor_next(cursor, &key, &found), KV_E_NONE);
	}
}

/* @deletions: how many in ten */
static void step(struct kv_txn *txn, uint32_t deletions)
{
	size_t table = random_below(ARRAY_LEN(tables));
	uint32_t n = random_key();

	switch (random_below(5)) {
	case 0:
		expect(txn, table, n);
		break;
	case 1:
		expect_next(txn, table, n);
		break;
	case 2:
		append(txn, table);
		break;
	default:
		if (random_below(10) < deletions) {
			delete (txn, table, n);
		} else {
			put(txn, table, n);
		}
	}
}

/* The tables fill, and empty again, and so on. */
static void run(uint32_t transaction)
{
	struct model before = model;
	struct kv_txn *txn;

	cr_assert_eq(kv_begin(kv, true, &txn), 0);
	for (uint32_t i = random_below(STEPS); i > 0; i--) {
		step(txn, transaction % 20 < 10 ? 1 : 9);
	}
	expect_all(txn);
	if (random_below(5) == 0) {
		(void)kv_abort(txn); /* NULL */
		model = before;
	} else {
		cr_assert_eq(kv_commit(txn), 0);
	}
	cr_assert_eq(kv_begin(kv, false, &txn), 0);
	expect_all(txn);
	for (size_t table = 0; table < ARRAY_LEN(tables); table++) {
		expect(txn, table, random_key());
	}
	(void)kv_abort(txn); /* NULL */
	if (random_below(5) == 0) {
		cr_assert_eq(kv_checkpoint(kv), 0);
	}
}

Test(kv_model, what_is_read_is_what_was_written_however_a_table_is_gone_through)
{
	char *directory = temp_directory_new();

	cr_assert_eq(kv_create(directory, MAP_BYTES), 0);
	cr_assert_eq(kv_open(directory, MAP_BYTES, false, &kv), 0);
	for (uint32_t i = 0; i < TRANSACTIONS; i++) {
		run(i);
	}
	kv = kv_close(kv);
	cr_assert_eq(kv_open(directory, MAP_BYTES, false, &kv), 0);
	run(0);
	kv = kv_close(kv);
	(void)temp_directory_free(directory); /* NULL */
}
