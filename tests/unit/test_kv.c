/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/kv.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include "daemon/store/journal.h"
#include "daemon/store/schema.h"

#include "tests/support/temp.h"

#define MAP_BYTES ((size_t)1 << 30)
#define PAGE      4096

static char *directory;
static char *data_path;
static struct kv *kv;

static void reopen(size_t map_bytes)
{
	kv = kv_close(kv);
	cr_assert_eq(kv_open(directory, map_bytes, false, &kv), 0);
}

static void set_up(void)
{
	directory = temp_directory_new();
	data_path = temp_path_new(directory, "data.mdb");
	cr_assert_eq(kv_create(directory, MAP_BYTES), 0);
	reopen(MAP_BYTES);
}

static void tear_down(void)
{
	kv = kv_close(kv);
	free(data_path);
	directory = temp_directory_free(directory);
}

TestSuite(kv, .init = set_up, .fini = tear_down);

static struct kv_txn *begin(bool write)
{
	struct kv_txn *txn;

	cr_assert_eq(kv_begin(kv, write, &txn), 0);
	return txn;
}

static void put_number(struct kv_txn *txn, enum kv_table table, uint64_t n, const char *value)
{
	struct key key = key_u64(n);

	kv_put(txn, table, key_slice(&key), slice_of(value));
}

static void commit_number(uint64_t n, const char *value)
{
	struct kv_txn *txn = begin(true);

	put_number(txn, KV_ACCOUNTS, n, value);
	cr_assert_eq(kv_commit(txn), 0);
}

static int get_number(struct kv_txn *txn, uint64_t n, struct slice *ret_value)
{
	struct key key = key_u64(n);

	return kv_get(txn, KV_ACCOUNTS, key_slice(&key), ret_value);
}

static bool has_number(uint64_t n, const char *value)
{
	struct kv_txn *txn = begin(false);
	struct slice got;
	int r = get_number(txn, n, &got);
	bool has = r == 0 && slice_is(got, value);

	cr_assert(r == 0 || r == KV_E_NONE);
	(void)kv_abort(txn);
	return has;
}

static int open_answer(void)
{
	kv = kv_close(kv);
	return kv_open(directory, MAP_BYTES, false, &kv);
}

static uint64_t file_bytes(void)
{
	struct stat st;

	cr_assert_eq(stat(data_path, &st), 0);
	return (uint64_t)st.st_size;
}

static struct kv_usage usage(void)
{
	struct kv_txn *txn = begin(false);
	struct kv_usage found;

	cr_assert_eq(kv_usage(txn, &found), 0);
	(void)kv_abort(txn);
	return found;
}

Test(kv, what_was_committed_is_there_after_reopening)
{
	commit_number(7, "seven");
	reopen(MAP_BYTES);
	cr_assert(has_number(7, "seven"));
}

Test(kv, what_was_aborted_is_not_there)
{
	struct kv_txn *txn = begin(true);

	put_number(txn, KV_ACCOUNTS, 7, "seven");
	cr_assert_null(kv_abort(txn));
	cr_assert_not(has_number(7, "seven"));
	reopen(MAP_BYTES);
	cr_assert_not(has_number(7, "seven"));
}

Test(kv, a_write_is_seen_in_its_own_transaction_at_once)
{
	struct kv_txn *txn = begin(true);
	struct slice value;

	put_number(txn, KV_ACCOUNTS, 7, "seven");
	cr_assert_eq(get_number(txn, 7, &value), 0);
	cr_assert(slice_is(value, "seven"));
	cr_assert_eq(kv_commit(txn), 0);
	cr_assert(has_number(7, "seven"));
}

Test(kv, nothing_else_is_open_while_a_transaction_writes, .signal = SIGABRT)
{
	(void)begin(true);
	(void)begin(false);
}

Test(kv, no_transaction_writes_while_another_is_open, .signal = SIGABRT)
{
	(void)begin(false);
	(void)begin(true);
}

Test(kv, several_read_transactions_can_be_open)
{
	struct kv_txn *txns[4];

	for (size_t round = 0; round < 3; round++) {
		for (size_t i = 0; i < ARRAY_LEN(txns); i++) {
			txns[i] = begin(false);
		}
		for (size_t i = 0; i < ARRAY_LEN(txns); i++) {
			(void)kv_abort(txns[i]);
		}
	}
}

Test(kv, a_transaction_without_writes_commits)
{
	cr_assert_eq(kv_commit(begin(true)), 0);
	cr_assert_null(kv_abort(NULL));
}

Test(kv, a_put_replaces)
{
	commit_number(7, "seven");
	commit_number(7, "another");
	cr_assert(has_number(7, "another"));
}

Test(kv, values_may_be_empty_and_large)
{
	struct key empty = key_u64(1);
	struct key large = key_u64(2);
	struct slice megabyte = {calloc(1, 1 << 20), 1 << 20};
	struct kv_txn *txn = begin(true);
	struct slice value;

	kv_put(txn, KV_PROFILES, key_slice(&empty), (struct slice){0});
	kv_put(txn, KV_PROFILES, key_slice(&large), megabyte);
	cr_assert_eq(kv_commit(txn), 0);
	txn = begin(false);
	cr_assert_eq(kv_get(txn, KV_PROFILES, key_slice(&empty), &value), 0);
	cr_assert_eq(value.len, 0);
	cr_assert_eq(kv_get(txn, KV_PROFILES, key_slice(&large), &value), 0);
	cr_assert(slice_equal(value, megabyte));
	(void)kv_abort(txn);
	free((void *)megabyte.data);
}

Test(kv, tables_are_apart)
{
	struct kv_txn *txn = begin(true);
	struct key key = key_u64(1);
	struct slice value;
	char name[16];

	for (enum kv_table table = 0; table < _KV_TABLE_MAX; table++) {
		snprintf(name, sizeof(name), "table %d", table);
		put_number(txn, table, 1, name);
	}
	for (enum kv_table table = 0; table < _KV_TABLE_MAX; table++) {
		snprintf(name, sizeof(name), "table %d", table);
		cr_assert_eq(kv_get(txn, table, key_slice(&key), &value), 0);
		cr_assert(slice_is(value, name));
	}
	cr_assert_eq(kv_commit(txn), 0);
}

Test(kv, a_deleted_key_is_gone_and_a_missing_one_is_no_error)
{
	struct key seven = key_u64(7), eight = key_u64(8);
	struct kv_txn *txn;

	commit_number(7, "seven");
	txn = begin(true);
	kv_delete(txn, KV_ACCOUNTS, key_slice(&seven));
	kv_delete(txn, KV_ACCOUNTS, key_slice(&eight));
	cr_assert_eq(kv_txn_error(txn), 0);
	cr_assert_eq(kv_commit(txn), 0);
	cr_assert_not(has_number(7, "seven"));
}

static void append_number(struct kv_txn *txn, uint64_t n)
{
	struct key key = key_u64(n);

	kv_append(txn, KV_LEDGER, key_slice(&key), SLICE_LITERAL("entry"));
}

Test(kv, an_append_takes_keys_behind_all_others)
{
	struct kv_txn *txn = begin(true);

	for (uint64_t n = 1; n <= 300; n++) {
		append_number(txn, n);
	}
	cr_assert_eq(kv_commit(txn), 0);
	cr_assert_eq(usage().used_bytes % PAGE, 0);
}

Test(kv, an_append_before_the_last_key_fails_the_whole_transaction)
{
	struct kv_txn *txn = begin(true);

	put_number(txn, KV_ACCOUNTS, 1, "one");
	append_number(txn, 2);
	append_number(txn, 2);
	cr_assert_eq(kv_txn_error(txn), KV_E_CORRUPT);
	append_number(txn, 3);
	cr_assert_eq(kv_commit(txn), KV_E_CORRUPT);
	cr_assert_not(has_number(1, "one"));
	commit_number(1, "one");
}

static struct kv_cursor *cursor_at(struct kv_txn *txn)
{
	struct kv_cursor *cursor;

	cr_assert_eq(kv_cursor_open(txn, KV_ACCOUNTS, &cursor), 0);
	return cursor;
}

static void put_tens(void)
{
	struct kv_txn *txn = begin(true);

	for (uint64_t n = 10; n <= 50; n += 10) {
		put_number(txn, KV_ACCOUNTS, n, "row");
	}
	cr_assert_eq(kv_commit(txn), 0);
}

Test(kv, a_cursor_seeks_the_first_key_not_before_another)
{
	static const struct {
		uint64_t sought, found;
	} rows[] = {{0, 10}, {10, 10}, {11, 20}, {49, 50}, {50, 50}};
	cleanup(kv_cursor_closep) struct kv_cursor *cursor = NULL;
	struct kv_txn *txn;
	struct slice found, value;

	put_tens();
	txn = begin(false);
	cursor = cursor_at(txn);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct key key = key_u64(rows[i].sought);

		cr_assert_eq(kv_cursor_seek(cursor, key_slice(&key), &found, &value), 0);
		cr_assert_eq(key_uid(found), rows[i].found);
		cr_assert(slice_is(value, "row"));
	}
	cursor = kv_cursor_close(cursor);
	(void)kv_abort(txn);
}

Test(kv, a_cursor_seeks_the_very_first_key_with_an_empty_one)
{
	cleanup(kv_cursor_closep) struct kv_cursor *cursor = NULL;
	struct kv_txn *txn;
	struct slice found;

	put_tens();
	txn = begin(false);
	cursor = cursor_at(txn);
	cr_assert_eq(kv_cursor_last(cursor, NULL, NULL), 0);
	cr_assert_eq(kv_cursor_seek(cursor, (struct slice){0}, &found, NULL), 0);
	cr_assert_eq(key_uid(found), 10);
	cursor = kv_cursor_close(cursor);
	(void)kv_abort(txn);
}

Test(kv, a_cursor_walks_in_key_order_and_stays_at_the_end)
{
	cleanup(kv_cursor_closep) struct kv_cursor *cursor = NULL;
	struct kv_txn *txn;
	struct slice found;

	put_tens();
	txn = begin(false);
	cursor = cursor_at(txn);
	for (uint64_t n = 10; n <= 50; n += 10) {
		cr_assert_eq(kv_cursor_next(cursor, &found, NULL), 0);
		cr_assert_eq(key_uid(found), n);
	}
	cr_assert_eq(kv_cursor_next(cursor, &found, NULL), KV_E_NONE);
	cr_assert_eq(kv_cursor_next(cursor, NULL, NULL), KV_E_NONE);
	cursor = kv_cursor_close(cursor);
	(void)kv_abort(txn);
}

Test(kv, a_cursor_that_sought_past_the_last_key_has_no_next)
{
	cleanup(kv_cursor_closep) struct kv_cursor *cursor = NULL;
	struct key key = key_u64(51);
	struct kv_txn *txn;

	put_tens();
	txn = begin(false);
	cursor = cursor_at(txn);
	cr_assert_eq(kv_cursor_seek(cursor, key_slice(&key), NULL, NULL), KV_E_NONE);
	cr_assert_eq(kv_cursor_next(cursor, NULL, NULL), KV_E_NONE);
	key = key_u64(20);
	cr_assert_eq(kv_cursor_seek(cursor, key_slice(&key), NULL, NULL), 0);
	cr_assert_eq(kv_cursor_next(cursor, NULL, NULL), 0);
	cursor = kv_cursor_close(cursor);
	(void)kv_abort(txn);
}

Test(kv, a_cursor_finds_the_last_key)
{
	cleanup(kv_cursor_closep) struct kv_cursor *cursor = NULL;
	struct kv_txn *txn;
	struct slice found;

	put_tens();
	txn = begin(false);
	cursor = cursor_at(txn);
	cr_assert_eq(kv_cursor_last(cursor, &found, NULL), 0);
	cr_assert_eq(key_uid(found), 50);
	cursor = kv_cursor_close(cursor);
	(void)kv_abort(txn);
}

Test(kv, a_cursor_in_an_empty_table_finds_nothing)
{
	struct kv_txn *txn = begin(false);
	struct key key = key_u64(0);
	struct kv_cursor *cursor = cursor_at(txn);

	cr_assert_eq(kv_cursor_last(cursor, NULL, NULL), KV_E_NONE);
	cr_assert_eq(kv_cursor_seek(cursor, key_slice(&key), NULL, NULL), KV_E_NONE);
	cr_assert_eq(kv_cursor_next(cursor, NULL, NULL), KV_E_NONE);
	cr_assert_null(kv_cursor_close(cursor));
	cr_assert_null(kv_cursor_close(NULL));
	(void)kv_abort(txn);
}

Test(kv, a_cursor_of_a_write_transaction_sees_its_writes)
{
	struct kv_txn *txn = begin(true);
	struct kv_cursor *cursor;
	struct slice found;

	put_number(txn, KV_ACCOUNTS, 3, "three");
	cursor = cursor_at(txn);
	cr_assert_eq(kv_cursor_last(cursor, &found, NULL), 0);
	cr_assert_eq(key_uid(found), 3);
	(void)kv_cursor_close(cursor);
	cr_assert_eq(kv_commit(txn), 0);
}

/* A store in a map that holds its tables and little else. */
/* Opens a cursor, moves it to a number or to the next one, and closes it. Return: where it was. */
static uint64_t visit(struct kv_txn *txn, uint64_t n, bool next)
{
	struct kv_cursor *cursor = cursor_at(txn);
	struct key key = key_u64(n);
	struct slice found = {0};
	int r = kv_cursor_seek(cursor, key_slice(&key), &found, NULL);

	if (r == 0 && next) {
		r = kv_cursor_next(cursor, &found, NULL);
	}
	(void)kv_cursor_close(cursor);
	cr_assert(r == 0 || r == KV_E_NONE);
	return r == 0 ? load_be64(found.data) : 0;
}

Test(kv, a_cursor_that_is_opened_again_begins_at_the_first_key)
{
	struct kv_cursor *cursor;
	struct kv_txn *txn;
	struct slice found;

	put_tens();
	for (int write = 0; write < 2; write++) {
		txn = begin(write);
		for (int i = 0; i < 3; i++) {
			cr_assert_eq(visit(txn, 20, true), 30);
			cursor = cursor_at(txn);
			cr_assert_eq(kv_cursor_next(cursor, &found, NULL), 0);
			cr_assert_eq(load_be64(found.data), 10);
			(void)kv_cursor_close(cursor);
		}
		(void)kv_abort(txn);
	}
}

Test(kv, a_cursor_that_is_opened_again_sees_what_was_written_since)
{
	struct kv_txn *txn;

	put_tens();
	txn = begin(false);
	cr_assert_eq(visit(txn, 20, true), 30);
	(void)kv_abort(txn);
	txn = begin(true);
	cr_assert_eq(visit(txn, 20, true), 30);
	put_number(txn, KV_ACCOUNTS, 25, "");
	cr_assert_eq(visit(txn, 20, true), 25);
	kv_delete(txn, KV_ACCOUNTS, key_slice(&(struct key){8, {[7] = 25}}));
	cr_assert_eq(visit(txn, 20, true), 30);
	put_number(txn, KV_ACCOUNTS, 22, "");
	cr_assert_eq(kv_commit(txn), 0);
	txn = begin(false);
	cr_assert_eq(visit(txn, 20, true), 22);
	(void)kv_abort(txn);
	cr_assert_eq(kv_checkpoint(kv), 0);
	txn = begin(false);
	cr_assert_eq(visit(txn, 20, true), 22);
	(void)kv_abort(txn);
}

Test(kv, cursors_of_two_snapshots_do_not_meet)
{
	struct kv_txn *older, *newer;

	put_tens();
	cr_assert_eq(kv_checkpoint(kv), 0);
	older = begin(false);
	newer = begin(false);
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(visit(newer, 20, true), 30);
		cr_assert_eq(visit(older, 10, true), 20);
	}
	(void)kv_abort(newer);
	cr_assert_eq(visit(older, 20, true), 30);
	(void)kv_abort(older);
}

Test(kv, keys_of_every_length_stand_in_the_order_of_their_bytes)
{
	static const char bytes[] =
		"\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11";
	struct kv_txn *txn = begin(true);
	struct kv_cursor *cursor;
	struct slice found;

	for (size_t len = sizeof(bytes) - 1; len > 0; len--) {
		char high[sizeof(bytes)];

		memcpy(high, bytes, len);
		high[len - 1] = (char)0xf0;
		kv_put(txn, KV_ANSWERS, (struct slice){high, len}, (struct slice){0});
		kv_put(txn, KV_ANSWERS, (struct slice){bytes, len}, (struct slice){0});
	}
	cr_assert_eq(kv_commit(txn), 0);
	txn = begin(false);
	cr_assert_eq(kv_cursor_open(txn, KV_ANSWERS, &cursor), 0);
	for (size_t len = 1; len < sizeof(bytes); len++) {
		cr_assert_eq(kv_cursor_next(cursor, &found, NULL), 0);
		cr_assert(slice_equal(found, (struct slice){bytes, len}), "%zu", len);
	}
	for (size_t len = sizeof(bytes) - 1; len > 0; len--) {
		cr_assert_eq(kv_cursor_next(cursor, &found, NULL), 0);
		cr_assert_eq(found.len, len);
		cr_assert_eq((uint8_t)found.data[len - 1], 0xf0);
	}
	(void)kv_cursor_close(cursor);
	(void)kv_abort(txn);
}

static void make_small(void)
{
	kv = kv_close(kv);
	directory = temp_directory_free(directory);
	free(data_path);
	directory = temp_directory_new();
	data_path = temp_path_new(directory, "data.mdb");
	cr_assert_eq(kv_create(directory, 64 * PAGE), 0);
	reopen(64 * PAGE);
}

static struct kv_txn *fill(void)
{
	static char value[PAGE / 2];
	struct kv_txn *txn = begin(true);

	memset(value, 'x', sizeof(value) - 1);
	for (uint64_t n = 1; n <= 200; n++) {
		put_number(txn, KV_PROFILES, n, value);
	}
	return txn;
}

Test(kv, a_full_map_sticks_to_the_transaction_and_nothing_of_it_stays)
{
	struct kv_txn *txn;

	make_small();
	commit_number(7, "seven");
	txn = fill();
	cr_assert_eq(kv_txn_error(txn), KV_E_FULL);
	put_number(txn, KV_ACCOUNTS, 8, "eight");
	cr_assert_eq(kv_commit(txn), KV_E_FULL);
	cr_assert(has_number(7, "seven"));
	cr_assert_not(has_number(8, "eight"));
	commit_number(8, "eight");
}

Test(kv, reads_after_a_full_map_are_errors_and_never_a_missing_key)
{
	struct kv_cursor *cursor = NULL;
	struct kv_usage found;
	struct kv_txn *txn;
	struct slice value;

	make_small();
	commit_number(7, "seven");
	txn = fill();
	cr_assert_eq(get_number(txn, 7, &value), -ENOSPC);
	cr_assert_eq(kv_cursor_open(txn, KV_ACCOUNTS, &cursor), -ENOSPC);
	cr_assert_null(cursor);
	cr_assert_lt(kv_usage(txn, &found), 0);
	(void)kv_abort(txn);
}

Test(kv, a_map_smaller_than_what_is_used_is_raised)
{
	cr_assert_eq(kv_commit(fill()), 0);
	commit_number(7, "seven");
	reopen(64 * PAGE);
	cr_assert_geq(usage().map_bytes, usage().file_bytes);
	cr_assert(has_number(7, "seven"));
}

Test(kv, a_larger_map_makes_room)
{
	make_small();
	(void)kv_abort(fill());
	reopen(MAP_BYTES);
	cr_assert_eq(usage().map_bytes, MAP_BYTES);
	cr_assert_eq(kv_commit(fill()), 0);
}

Test(kv, usage_grows_with_rows_and_shrinks_with_deletions)
{
	struct kv_usage before = usage(), full, after;
	struct kv_txn *txn;

	cr_assert_eq(kv_commit(fill()), 0);
	full = usage();
	txn = begin(true);
	for (uint64_t n = 1; n <= 200; n++) {
		struct key key = key_u64(n);

		kv_delete(txn, KV_PROFILES, key_slice(&key));
	}
	cr_assert_eq(kv_commit(txn), 0);
	after = usage();
	cr_assert_eq(before.map_bytes, MAP_BYTES);
	cr_assert_geq(full.used_bytes, before.used_bytes + 200 * PAGE / 2);
	cr_assert_geq(full.file_bytes, full.used_bytes);
	cr_assert_lt(after.used_bytes, full.used_bytes);
	cr_assert_geq(after.file_bytes, full.file_bytes);
	cr_assert_geq(file_bytes(), after.file_bytes);
}

/* One of some 3000 such transactions takes a page from behind the end and gives it back. */
Test(kv, the_file_is_never_shorter_than_its_header_claims)
{
	static char value[900];
	unsigned seed = 1;

	make_small();
	reopen(MAP_BYTES);
	memset(value, 'x', sizeof(value));
	for (int round = 0; round < 100; round++) {
		struct kv_txn *txn = begin(true);

		for (int i = 0; i < 60; i++) {
			struct key key = key_u64((uint64_t)rand_r(&seed) % 5000);
			struct slice row = {value, 1 + (size_t)rand_r(&seed) % sizeof(value)};

			kv_put(txn, KV_PROFILES, key_slice(&key), row);
			if (i % 3 != 0) {
				kv_delete(txn, KV_PROFILES, key_slice(&key));
			}
		}
		cr_assert_eq(kv_commit(txn), 0);
		cr_assert_geq(file_bytes(), usage().file_bytes + 30 * 1024 * 1024);
	}
}

Test(kv, a_missing_directory_is_an_error)
{
	struct kv *none = NULL;

	cr_assert_eq(kv_open("/nonexistent/state", MAP_BYTES, false, &none), -ENOENT);
	cr_assert_eq(kv_create("/nonexistent/state", MAP_BYTES), -ENOENT);
	cr_assert_null(none);
}

Test(kv, a_store_is_never_created_over_another)
{
	commit_number(7, "seven");
	cr_assert_eq(kv_create(directory, MAP_BYTES), -EEXIST);
	cr_assert(has_number(7, "seven"));
}

Test(kv, a_missing_file_is_refused_and_not_created)
{
	kv = kv_close(kv);
	cr_assert_eq(unlink(data_path), 0);
	cr_assert_eq(open_answer(), KV_E_CORRUPT);
	cr_assert_eq(access(data_path, F_OK), -1);
}

Test(kv, an_empty_file_is_refused_and_stays_empty)
{
	kv = kv_close(kv);
	cr_assert_eq(truncate(data_path, 0), 0);
	cr_assert_eq(open_answer(), KV_E_CORRUPT);
	cr_assert_eq(file_bytes(), 0);
}

Test(kv, every_truncation_into_used_pages_is_refused)
{
	uint64_t used;

	cr_assert_eq(kv_commit(fill()), 0);
	used = usage().file_bytes;
	kv = kv_close(kv);
	for (off_t size = (off_t)used - 1; size > 0; size -= 1499) {
		cr_assert_eq(truncate(data_path, size), 0);
		cr_assert_eq(open_answer(), KV_E_CORRUPT);
	}
}

Test(kv, a_file_that_ends_with_its_last_page_is_enough)
{
	uint64_t used;

	cr_assert_eq(kv_commit(fill()), 0);
	commit_number(7, "seven");
	reopen(MAP_BYTES);
	used = usage().file_bytes;
	kv = kv_close(kv);
	cr_assert_eq(truncate(data_path, (off_t)used), 0);
	cr_assert_eq(open_answer(), 0);
	cr_assert(has_number(7, "seven"));
	commit_number(8, "eight");
	cr_assert_gt(file_bytes(), used);
}

Test(kv, a_ragged_end_behind_the_last_page_is_no_damage)
{
	commit_number(7, "seven");
	kv = kv_close(kv);
	cr_assert_eq(truncate(data_path, (off_t)file_bytes() - 1000), 0);
	cr_assert_eq(open_answer(), 0);
	cr_assert(has_number(7, "seven"));
}

Test(kv, a_foreign_file_is_refused)
{
	static char text[3 * PAGE];

	kv = kv_close(kv);
	memset(text, 'x', sizeof(text));
	temp_file_write(data_path, (struct slice){text, sizeof(text)});
	cr_assert_eq(open_answer(), KV_E_CORRUPT);
	memset(text, 0, sizeof(text));
	temp_file_write(data_path, (struct slice){text, sizeof(text)});
	cr_assert_eq(open_answer(), KV_E_CORRUPT);
}

/* Of the first 24 bytes of a header: flags, magic and version; then the size of a page. */
Test(kv, a_header_that_is_not_lmdbs_is_refused)
{
	static const off_t places[] = {10, 16, 17, 18, 19, 20, 23, 40, 41, 43};

	kv = kv_close(kv);
	for (size_t i = 0; i < 2 * ARRAY_LEN(places); i++) {
		off_t at = places[i / 2] + (i % 2) * PAGE;

		temp_file_flip(data_path, at, 0x48);
		cr_assert_eq(open_answer(), KV_E_CORRUPT, "byte %ld", (long)at);
		temp_file_flip(data_path, at, 0x48);
	}
	cr_assert_eq(open_answer(), 0);
}

Test(kv, a_zeroed_header_is_refused)
{
	static const char zeros[PAGE];
	cleanup(closep) int fd = open(data_path, O_WRONLY | O_CLOEXEC);

	kv = kv_close(kv);
	cr_assert_eq(pwrite(fd, zeros, PAGE, PAGE), PAGE);
	cr_assert_eq(open_answer(), KV_E_CORRUPT);
	cr_assert_eq(pwrite(fd, zeros, PAGE, 0), PAGE);
	cr_assert_eq(open_answer(), KV_E_CORRUPT);
}

Test(kv, a_store_open_for_reading_cannot_be_written)
{
	struct kv_txn *txn = NULL;

	commit_number(7, "seven");
	kv = kv_close(kv);
	cr_assert_eq(kv_open(directory, MAP_BYTES, true, &kv), 0);
	cr_assert(has_number(7, "seven"));
	cr_assert_lt(kv_begin(kv, true, &txn), 0);
	cr_assert_null(txn);
	cr_assert(has_number(7, "seven"));
}

static mode_t mode_of(const char *name)
{
	cleanup(freep) char *path = temp_path_new(directory, name);
	struct stat st;

	cr_assert_eq(stat(path, &st), 0);
	return st.st_mode & 07777;
}

Test(kv, files_are_private_whatever_the_umask_and_whatever_they_were)
{
	umask(0077);
	make_small();
	umask(0);
	cr_assert_eq(mode_of("data.mdb"), 0600);
	cr_assert_eq(mode_of("lock.mdb"), 0600);
	kv = kv_close(kv);
	cr_assert_eq(chmod(data_path, 0666), 0);
	cr_assert_eq(open_answer(), 0);
	cr_assert_eq(mode_of("data.mdb"), 0600);
	cr_assert_eq(mode_of("lock.mdb"), 0600);
}

Test(kv, no_descriptor_is_left_to_other_programs)
{
	DIR *open_files = opendir("/proc/self/fd");
	struct dirent *entry;
	char target[PATH_MAX];
	unsigned n = 0;

	cr_assert_not_null(open_files);
	while ((entry = readdir(open_files))) {
		ssize_t len = readlinkat(dirfd(open_files), entry->d_name, target, sizeof(target));

		if (len < 0 || (size_t)len < strlen(directory) ||
		    memcmp(target, directory, strlen(directory)) != 0) {
			continue;
		}
		n++;
		cr_assert(fcntl(atoi(entry->d_name), F_GETFD) & FD_CLOEXEC, "%.*s", (int)len,
			  target);
	}
	closedir(open_files);
	cr_assert_eq(n, 4); /* data file, header, lock, journal */
}

/* The journal: what is committed and not yet in the data file. */

static struct slice read_file(const char *name)
{
	cleanup(freep) char *path = temp_path_new(directory, name);

	return temp_file_read(path);
}

static void write_file(const char *name, struct slice bytes)
{
	cleanup(freep) char *path = temp_path_new(directory, name);

	temp_file_write(path, bytes);
}

/* As if the power had gone: both files as they are now, and nothing that closing would write. */
static void crash(void)
{
	struct slice data = read_file("data.mdb"), journal = read_file("journal");

	kv = kv_close(kv);
	write_file("data.mdb", data);
	write_file("journal", journal);
	free((void *)(uintptr_t)data.data);
	free((void *)(uintptr_t)journal.data);
}

static void delete_number(uint64_t n)
{
	struct key key = key_u64(n);
	struct kv_txn *txn = begin(true);

	kv_delete(txn, KV_ACCOUNTS, key_slice(&key));
	cr_assert_eq(kv_commit(txn), 0);
}

Test(kv, what_was_committed_is_there_after_a_crash_and_nothing_else)
{
	struct kv_txn *txn;

	commit_number(1, "one");
	commit_number(2, "two");
	commit_number(3, "three");
	commit_number(2, "another two");
	delete_number(3);
	txn = begin(true);
	put_number(txn, KV_ACCOUNTS, 4, "four");
	(void)kv_abort(txn);
	crash();
	reopen(MAP_BYTES);
	cr_assert(has_number(1, "one"));
	cr_assert(has_number(2, "another two"));
	cr_assert_not(has_number(3, "three"));
	cr_assert_not(has_number(4, "four"));
}

Test(kv, a_crash_after_a_crash_loses_nothing)
{
	for (uint64_t n = 1; n < 20; n++) {
		commit_number(n, "number");
		crash();
		reopen(MAP_BYTES);
		for (uint64_t k = 1; k <= n; k++) {
			cr_assert(has_number(k, "number"));
		}
	}
}

static int try_number(uint64_t n, const char *value)
{
	struct kv_txn *txn = begin(true);

	put_number(txn, KV_ACCOUNTS, n, value);
	return kv_commit(txn);
}

Test(kv, a_store_that_is_full_after_a_crash_is_read_and_goes_on)
{
	const char *value = "a row of about a hundred bytes, so that some hundreds of them are in "
			    "the journal when no other fits";
	uint64_t n = 1;

	make_small();
	while (try_number(n, value) == 0) {
		cr_assert_lt(++n, 10000);
	}
	crash();
	reopen(64 * PAGE);
	delete_number(1);
	cr_assert(has_number(n - 1, value));
	crash();
	reopen(64 * PAGE);
	cr_assert_not(has_number(1, "gone"));
}

/* Else whoever lowered the map is told of damage. */
Test(kv, a_map_that_is_too_small_for_the_journal_is_no_damage)
{
	static char value[PAGE / 2];

	memset(value, 'x', sizeof(value) - 1);
	commit_number(1, "the first one after a start begins the journal");
	for (uint64_t n = 2; n < 400; n++) {
		commit_number(n, value);
	}
	crash();
	cr_assert_eq(kv_open(directory, 64 * PAGE, false, &kv), KV_E_FULL);
	kv = NULL;
	cr_assert_eq(kv_open(directory, MAP_BYTES, false, &kv), 0);
	cr_assert(has_number(399, value));
}

Test(kv, an_abort_keeps_what_the_commits_before_it_wrote)
{
	struct kv_txn *txn;

	commit_number(1, "one");
	commit_number(2, "two");
	txn = begin(true);
	put_number(txn, KV_ACCOUNTS, 2, "another two");
	put_number(txn, KV_ACCOUNTS, 3, "three");
	(void)kv_abort(txn);
	cr_assert(has_number(1, "one"));
	cr_assert(has_number(2, "two"));
	cr_assert_not(has_number(3, "three"));
	commit_number(4, "four");
	crash();
	reopen(MAP_BYTES);
	cr_assert(has_number(2, "two"));
	cr_assert(has_number(4, "four"));
	cr_assert_not(has_number(3, "three"));
}

Test(kv, small_commits_do_not_touch_the_data_file)
{
	struct slice before, after;

	commit_number(1, "the first one after a start begins the journal");
	before = read_file("data.mdb");
	for (uint64_t n = 2; n < 100; n++) {
		commit_number(n, "number");
	}
	after = read_file("data.mdb");
	cr_assert(slice_equal(before, after));
	cr_assert_eq(kv_checkpoint(kv), 0);
	cr_assert_eq(kv_checkpoint(kv), 0, "nothing to do");
	free((void *)(uintptr_t)after.data);
	after = read_file("data.mdb");
	cr_assert_not(slice_equal(before, after));
	cr_assert(has_number(99, "number"));
	free((void *)(uintptr_t)before.data);
	free((void *)(uintptr_t)after.data);
}

Test(kv, many_commits_and_large_ones_go_on_in_the_data_file)
{
	struct slice large = {calloc(1, 300000), 300000};

	for (uint64_t n = 1; n < 5000; n++) {
		commit_number(n, "number");
		if (n % 1000 == 0) {
			struct kv_txn *txn = begin(true);
			struct key key = key_u64(n);

			kv_put(txn, KV_PROFILES, key_slice(&key), large);
			cr_assert_eq(kv_commit(txn), 0);
		}
	}
	crash();
	reopen(MAP_BYTES);
	for (uint64_t n = 1; n < 5000; n++) {
		cr_assert(has_number(n, "number"));
	}
	free((void *)(uintptr_t)large.data);
}

Test(kv, a_journal_that_is_missing_or_damaged_is_refused)
{
	cleanup(freep) char *path = temp_path_new(directory, "journal");
	struct slice data;
	struct slice journal;

	for (uint64_t n = 1; n < 5; n++) {
		commit_number(n, "number");
	}
	data = read_file("data.mdb");
	journal = read_file("journal");
	kv = kv_close(kv);
	write_file("data.mdb", data);
	((char *)(uintptr_t)journal.data)[512 + 60] ^= 1; /* in the first record */
	write_file("journal", journal);
	cr_assert_eq(open_answer(), KV_E_JOURNAL);
	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(open_answer(), KV_E_JOURNAL);
	cr_assert_lt(access(path, F_OK), 0, "none is made in its place");
	free((void *)(uintptr_t)data.data);
	free((void *)(uintptr_t)journal.data);
}

/* A record of a journal whose sum is right and whose changes are none: what its maker must not be
 * able to do with it is to end us. */
Test(kv, a_record_that_says_nothing_sensible_is_refused)
{
	static const struct {
		const char *bytes;
		size_t len;
	} bodies[] = {
		{"\x01", 1},
		{"\x01\x03\x08\0\0\0\x05", 7},
		{"\x00\x03\x01\0\0\0\x01kv", 9},
		{"\x04\x03\x01\0\0\0\x01kv", 9},
		{"\x01\xff\x01\0\0\0\x01kv", 9},
		{"\x01\x03\x00\0\0\0\x01v", 8},
		{"\x01\x03\xff\0\0\0\x01v", 8},
		{"\x01\x03\x01\xff\xff\xff\xffkv", 9},
		{"\x01\x03\x01\0\0\0\x01kvx", 10},
	};
	cleanup(closep) int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint8_t base[JOURNAL_BASE_LEN];
	struct slice data, value;
	struct kv_txn *txn;

	commit_number(1, "one");
	txn = begin(false);
	cr_assert_eq(kv_get(txn, KV_META, SLICE_LITERAL("journal"), &value), 0);
	memcpy(base, value.data + 1, sizeof(base));
	(void)kv_abort(txn);
	data = read_file("data.mdb");
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		struct journal *journal;

		kv = kv_close(kv);
		write_file("data.mdb", data);
		cr_assert_eq(journal_open(fd, &journal), 0);
		journal_restart(journal, base);
		journal_add(journal, bodies[i].bytes, bodies[i].len);
		cr_assert_eq(journal_commit(journal), 0);
		(void)journal_close(journal);
		cr_assert_eq(open_answer(), KV_E_CORRUPT, "body %zu", i);
	}
	free((void *)(uintptr_t)data.data);
}

/* Pages that have changed */

static uint32_t n_changed(void)
{
	struct kv_txn *txn = begin(false);
	uint32_t n = kv_changed_pages(txn);

	(void)kv_abort(txn);
	return n;
}

/* Two on a page, in the data file. */
static void fill_pages(uint64_t n)
{
	char value[1900];
	struct kv_txn *txn = begin(true);

	memset(value, 'x', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	for (uint64_t i = 1; i <= n; i++) {
		struct key key = key_u64(i);

		kv_append(txn, KV_ACCOUNTS, key_slice(&key), slice_of(value));
	}
	cr_assert_eq(kv_commit(txn), 0);
	cr_assert_eq(kv_checkpoint(kv), 0);
	cr_assert_eq(n_changed(), 0);
}

Test(kv, a_page_that_has_changed_is_counted_once)
{
	fill_pages(20);
	commit_number(1, "one");
	cr_assert_eq(n_changed(), 1);
	commit_number(1, "still one");
	cr_assert_eq(n_changed(), 1);
	commit_number(20, "another page");
	commit_number(21, "behind it");
	cr_assert_eq(n_changed(), 2);
	cr_assert_eq(kv_checkpoint(kv), 0);
	cr_assert_eq(n_changed(), 0);
}

Test(kv, to_delete_what_is_not_there_changes_no_page)
{
	struct key there = key_u64(3), missing = key_u64(99);
	struct kv_txn *txn;

	fill_pages(20);
	txn = begin(true);
	kv_delete(txn, KV_ACCOUNTS, key_slice(&missing));
	cr_assert_eq(kv_changed_pages(txn), 0);
	kv_delete(txn, KV_ACCOUNTS, key_slice(&there));
	cr_assert_eq(kv_changed_pages(txn), 1);
	cr_assert_eq(kv_commit(txn), 0);
	cr_assert_not(has_number(3, ""));
}

Test(kv, what_goes_behind_all_others_is_counted_by_its_bytes)
{
	fill_pages(20);
	for (uint64_t i = 100; i < 300; i++) {
		struct kv_txn *txn = begin(true);
		struct key key = key_u64(i);

		kv_append(txn, KV_LEDGER, key_slice(&key), SLICE_LITERAL("an entry of some bytes"));
		cr_assert_eq(kv_commit(txn), 0);
	}
	cr_assert_eq(n_changed(), 200 * (10 + 8 + 22) / PAGE);
}

/* What the journal has waits no longer: the next commit of the data file would take too long. */
Test(kv, when_many_pages_have_changed_they_go_to_the_data_file)
{
	uint32_t most = 0;

	fill_pages(3000);
	for (uint64_t i = 1; i <= 3000; i += 3) {
		commit_number(i, "changed");
		most = MAX(most, n_changed());
	}
	cr_assert_eq(most, 384);
	reopen(MAP_BYTES);
	for (uint64_t i = 1; i <= 3000; i += 3) {
		cr_assert(has_number(i, "changed"));
	}
}
