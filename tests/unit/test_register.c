/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/register.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/temp.h"

#define HEADER_LEN 64
#define RECORD_LEN 32

static const uint8_t instance[VAULT_INSTANCE_LEN] = "instance-of-ours";
static const uint8_t other_instance[VAULT_INSTANCE_LEN] = "another-instance";
static const struct register_mark no_mark;

static char *directory;
static char *path;

static void set_up(void)
{
	directory = temp_directory_new();
	path = temp_path_new(directory, "register");
}

static void tear_down(void)
{
	free(path);
	directory = temp_directory_free(directory);
}

TestSuite(register, .init = set_up, .fini = tear_down);

static struct register_record record_of(uint64_t i)
{
	return (struct register_record){
		.kind = i % 2 ? REGISTER_COMPLETED : REGISTER_STARTED,
		.uid = 1 + i,
		.at = SPAN_DAY * (int64_t)i,
		.removal = 30 * SPAN_DAY - (int64_t)i,
	};
}

static void add(struct removal_register *removals, uint64_t first, uint64_t n)
{
	for (uint64_t i = first; i < first + n; i++) {
		struct register_record record = record_of(i);

		cr_assert_eq(register_add(removals, &record), 0);
	}
}

static struct removal_register *open_behind(const struct register_mark *mark)
{
	struct removal_register *removals;

	cr_assert_eq(register_open(path, instance, mark, &removals), 0);
	return removals;
}

static int answer_behind(const struct register_mark *mark)
{
	struct removal_register *removals = NULL;
	int r = register_open(path, instance, mark, &removals);

	(void)register_close(removals);
	return r;
}

/* More records behind a mark, which the store does not learn of. */
static void add_behind(const struct register_mark *mark, uint64_t first, uint64_t n)
{
	struct removal_register *removals = open_behind(mark);

	add(removals, first, n);
	cr_assert_eq(register_sync(removals), 0);
	(void)register_close(removals);
}

/* How many records are behind a mark, and the mark behind those. */
static uint64_t count_behind(const struct register_mark *mark, struct register_mark *ret_mark)
{
	struct removal_register *removals = open_behind(mark);
	uint64_t unknown, n;

	register_bounds(removals, &unknown, &n);
	register_get_mark(removals, ret_mark);
	(void)register_close(removals);
	return n;
}

/* A register of so many records; the mark behind them. */
static struct register_mark make(uint64_t n)
{
	struct removal_register *removals;
	struct register_mark mark;

	cr_assert_eq(register_create(path, instance, &removals), 0);
	add(removals, 0, n);
	cr_assert_eq(register_sync(removals), 0);
	register_get_mark(removals, &mark);
	cr_assert_null(register_close(removals));
	return mark;
}

static void expect_bounds(const struct removal_register *removals, uint64_t unknown, uint64_t n)
{
	uint64_t has_unknown, has_n;

	register_bounds(removals, &has_unknown, &has_n);
	cr_assert_eq(has_unknown, unknown);
	cr_assert_eq(has_n, n);
}

static void expect_records(const struct removal_register *removals, uint64_t first, uint64_t n)
{
	for (uint64_t i = first; i < first + n; i++) {
		struct register_record expected = record_of(i), record;

		cr_assert_eq(register_get(removals, i, &record), 0);
		cr_assert_eq(record.kind, expected.kind);
		cr_assert_eq(record.uid, expected.uid);
		cr_assert_eq(record.at, expected.at);
		cr_assert_eq(record.removal, expected.removal);
	}
}

static uint64_t file_len(void)
{
	struct stat info;

	cr_assert_eq(stat(path, &info), 0);
	return (uint64_t)info.st_size;
}

static void append_bytes(const void *bytes, size_t len)
{
	FILE *file = fopen(path, "a");

	cr_assert_not_null(file);
	cr_assert_eq(fwrite(bytes, 1, len, file), len);
	cr_assert_eq(fclose(file), 0);
}

Test(register, holds_what_was_added_in_order)
{
	struct removal_register *removals;

	(void)make(3000); /* more than one reading */
	removals = open_behind(&no_mark);
	expect_bounds(removals, 0, 3000);
	expect_records(removals, 0, 3000);
	(void)register_close(removals);
}

Test(register, is_for_nobody_else_to_read)
{
	struct stat info;

	(void)make(1);
	cr_assert_eq(stat(path, &info), 0);
	cr_assert_eq(info.st_mode & 0777, 0600);
}

Test(register, is_not_there_before_its_first_sync)
{
	struct removal_register *removals;

	cr_assert_eq(register_create(path, instance, &removals), 0);
	add(removals, 0, 2);
	cr_assert(register_dirty(removals));
	(void)register_close(removals);
	cr_assert_eq(answer_behind(&no_mark), REGISTER_E_MISSING);
}

/* It begins with all removals that a store knows: millions. */
Test(register, a_new_one_does_not_wait_in_memory)
{
	cleanup(freep) char *new = temp_path_new(directory, "register.new");
	struct removal_register *removals;
	struct register_mark mark;
	struct stat info;

	cr_assert_eq(register_create(path, instance, &removals), 0);
	add(removals, 0, 10000);
	cr_assert_lt(access(path, F_OK), 0);
	cr_assert_eq(stat(new, &info), 0);
	cr_assert_geq(info.st_size, 8000 * RECORD_LEN);
	cr_assert_eq(register_sync(removals), 0);
	register_get_mark(removals, &mark);
	(void)register_close(removals);

	removals = open_behind(&mark);
	expect_bounds(removals, 10000, 10000);
	expect_records(removals, 0, 10000);
	(void)register_close(removals);
}

Test(register, what_is_not_synced_is_not_there_after_a_crash)
{
	struct register_mark mark = make(2);
	struct removal_register *removals = open_behind(&mark);

	add(removals, 2, 5);
	(void)register_close(removals);
	removals = open_behind(&mark);
	expect_bounds(removals, 2, 2);
	(void)register_close(removals);
}

Test(register, grows_where_it_ended)
{
	struct register_mark mark = make(2), later;
	struct removal_register *removals = open_behind(&mark);

	cr_assert_not(register_dirty(removals));
	add(removals, 2, 100);
	cr_assert_eq(register_sync(removals), 0);
	add(removals, 102, 1);
	cr_assert_eq(register_sync(removals), 0);
	register_get_mark(removals, &later);
	(void)register_close(removals);

	cr_assert_eq(later.n, 103);
	cr_assert_eq(file_len(), HEADER_LEN + 103 * RECORD_LEN);
	removals = open_behind(&mark);
	expect_bounds(removals, 2, 103);
	expect_records(removals, 2, 101);
	(void)register_close(removals);
	removals = open_behind(&later);
	expect_bounds(removals, 103, 103);
	(void)register_close(removals);
}

Test(register, a_torn_end_is_cut_off_at_every_byte)
{
	struct register_mark mark = make(3);
	struct slice whole = temp_file_read(path);

	for (size_t len = HEADER_LEN + 2 * RECORD_LEN + 1; len < whole.len; len++) {
		struct removal_register *removals;

		temp_file_write(path, (struct slice){whole.data, len});
		removals = open_behind(&no_mark);
		expect_bounds(removals, 0, 2);
		cr_assert_eq(file_len(), HEADER_LEN + 2 * RECORD_LEN);
		add(removals, 2, 1);
		cr_assert_eq(register_sync(removals), 0);
		(void)register_close(removals);
		cr_assert_eq(answer_behind(&mark), 0); /* as if it had never been torn */
	}
	free((void *)(uintptr_t)whole.data);
}

Test(register, zeros_that_a_crash_left_at_the_end_are_cut_off)
{
	static const char zeros[5 * RECORD_LEN + 7];
	struct register_mark mark = make(3);

	append_bytes(zeros, sizeof(zeros));
	cr_assert_eq(answer_behind(&mark), 0);
	cr_assert_eq(file_len(), HEADER_LEN + 3 * RECORD_LEN);
}

Test(register, a_changed_byte_is_refused_wherever_it_is)
{
	struct register_mark mark = make(3);

	for (off_t at = 0; at < HEADER_LEN + 3 * RECORD_LEN; at++) {
		int r;

		temp_file_flip(path, at, 0x10);
		r = answer_behind(&no_mark);
		cr_assert_eq(r, REGISTER_E_CORRUPT, "byte %ld: %d", (long)at, r);
		temp_file_flip(path, at, 0x10);
	}
	cr_assert_eq(answer_behind(&mark), 0);
}

/* A disk writes the sectors of a page in any order, and the power may go in between. */
Test(register, a_sector_that_a_power_cut_kept_from_the_disk_ends_the_register)
{
	static const char zeros[512];
	struct register_mark mark = make(4), after;
	int fd;

	add_behind(&mark, 4, 60);
	fd = open(path, O_WRONLY);
	cr_assert_geq(fd, 0);
	cr_assert_eq(pwrite(fd, zeros, 512, 512), 512);
	cr_assert_eq(close(fd), 0);
	cr_assert_eq(count_behind(&mark, &after), 14);
	cr_assert_eq(answer_behind(&after), 0);
}

Test(register, a_sector_that_a_power_cut_kept_from_the_disk_is_missed_by_the_store_that_knows_it)
{
	static const char zeros[512];
	struct register_mark mark = make(60);
	int fd = open(path, O_WRONLY);

	cr_assert_geq(fd, 0);
	cr_assert_eq(pwrite(fd, zeros, 512, 512), 512);
	cr_assert_eq(close(fd), 0);
	cr_assert_eq(answer_behind(&mark), REGISTER_E_SHORT);
}

Test(register, records_on_the_page_behind_a_gap_are_refused)
{
	static const char zeros[512];
	struct register_mark mark = make(4);
	int fd;

	add_behind(&mark, 4, 200);
	fd = open(path, O_WRONLY);
	cr_assert_geq(fd, 0);
	cr_assert_eq(pwrite(fd, zeros, 512, 512), 512);
	cr_assert_eq(close(fd), 0);
	cr_assert_eq(answer_behind(&mark), REGISTER_E_CORRUPT);
}

Test(register, records_behind_a_gap_of_zeros_are_refused)
{
	static const char zeros[RECORD_LEN];
	char record[RECORD_LEN] = {1};

	(void)make(1);
	append_bytes(zeros, sizeof(zeros));
	append_bytes(record, sizeof(record));
	cr_assert_eq(answer_behind(&no_mark), REGISTER_E_CORRUPT);
}

Test(register, a_record_that_was_taken_out_is_missed)
{
	struct register_mark mark = make(3);
	struct slice whole = temp_file_read(path);
	char *bytes = (char *)(uintptr_t)whole.data;

	memmove(bytes + HEADER_LEN, bytes + HEADER_LEN + RECORD_LEN, 2 * RECORD_LEN);
	temp_file_write(path, (struct slice){bytes, whole.len - RECORD_LEN});
	cr_assert_eq(answer_behind(&no_mark), REGISTER_E_CORRUPT);
	cr_assert_eq(answer_behind(&mark), REGISTER_E_CORRUPT);
	free(bytes);
}

Test(register, one_that_is_older_than_the_store_is_refused)
{
	struct register_mark mark = make(3);
	struct slice whole = temp_file_read(path);

	temp_file_write(path, (struct slice){whole.data, whole.len - 1});
	cr_assert_eq(answer_behind(&mark), REGISTER_E_SHORT);
	cr_assert_eq(file_len(), whole.len - 1, "what is refused is left alone");
	free((void *)(uintptr_t)whole.data);
}

Test(register, one_of_another_instance_is_refused)
{
	struct removal_register *removals;

	(void)make(3);
	cr_assert_eq(register_open(path, other_instance, &no_mark, &removals), REGISTER_E_FOREIGN);
}

Test(register, of_one_that_was_begun_anew_all_is_unknown)
{
	struct register_mark mark = make(3);
	struct removal_register *removals;

	(void)make(2);
	removals = open_behind(&mark);
	expect_bounds(removals, 0, 2);
	(void)register_close(removals);
}

Test(register, a_file_of_something_else_is_refused)
{
	temp_file_write(path, SLICE_LITERAL(""));
	cr_assert_eq(answer_behind(&no_mark), REGISTER_E_CORRUPT);
	temp_file_write(path, SLICE_LITERAL("RTDREMOV"));
	cr_assert_eq(answer_behind(&no_mark), REGISTER_E_CORRUPT);
}

Test(register, a_changed_record_is_refused_also_before_the_mark)
{
	struct register_mark mark = make(3);

	temp_file_flip(path, HEADER_LEN + 8 + 7, 1);
	cr_assert_eq(answer_behind(&mark), REGISTER_E_CORRUPT);
}

Test(register, a_mark_that_is_not_of_its_records_is_refused)
{
	struct register_mark mark = make(3);

	mark.check[0] ^= 1;
	cr_assert_eq(answer_behind(&mark), REGISTER_E_CORRUPT);
}

/* From here: more records than fit into two pages. They are written ahead, into a file beside it. */

#define MANY 1000
#define PAGE 4096

static char *ahead_path(void)
{
	return temp_path_new(directory, "register.ahead");
}

/* A few records, then many in one sync; the mark behind the few. */
static struct register_mark make_many(void)
{
	struct register_mark mark = make(3);
	struct removal_register *removals = open_behind(&mark);

	add(removals, 3, MANY);
	cr_assert_eq(register_sync(removals), 0);
	(void)register_close(removals);
	return mark;
}

static void expect_all(const struct register_mark *mark)
{
	struct removal_register *removals = open_behind(mark);

	expect_bounds(removals, 3, 3 + MANY);
	expect_records(removals, 3, MANY);
	cr_assert_eq(file_len(), HEADER_LEN + (3 + MANY) * RECORD_LEN);
	(void)register_close(removals);
}

Test(register, many_records_are_all_there)
{
	struct register_mark mark = make_many();

	expect_all(&mark);
}

/* Each page in turn, as if all others had reached the disk before it; and all of them. */
Test(register, what_a_crash_tore_of_many_records_is_made_whole)
{
	static const char zeros[PAGE];
	struct register_mark mark = make_many();
	struct slice whole = temp_file_read(path);
	const size_t begin = HEADER_LEN + 3 * RECORD_LEN;

	for (size_t at = begin; at < whole.len; at += PAGE - at % PAGE) {
		char *torn = malloc(whole.len);

		cr_assert(torn);
		memcpy(torn, whole.data, whole.len);
		memcpy(torn + at, zeros, MIN(PAGE - at % PAGE, whole.len - at));
		temp_file_write(path, (struct slice){torn, whole.len});
		free(torn);
		expect_all(&mark);
	}
	temp_file_write(path, (struct slice){whole.data, begin});
	expect_all(&mark);
	free((void *)(uintptr_t)whole.data);
}

/* The crash was before: not one of them is in the register. */
Test(register, many_records_that_were_not_whole_ahead_are_not_there)
{
	cleanup(freep) char *ahead = ahead_path();
	struct register_mark mark = make_many();
	struct slice bytes = temp_file_read(ahead), whole = temp_file_read(path);

	for (size_t at = 0; at < bytes.len; at += at < 64 ? 1 : 997) {
		struct removal_register *removals;

		temp_file_write(ahead, bytes);
		temp_file_flip(ahead, (off_t)at, 0x20);
		temp_file_write(path, (struct slice){whole.data, HEADER_LEN + 3 * RECORD_LEN});
		removals = open_behind(&mark);
		expect_bounds(removals, 3, 3);
		(void)register_close(removals);
	}
	temp_file_write(ahead, (struct slice){bytes.data, bytes.len - 1});
	cr_assert_eq(answer_behind(&mark), 0);
	cr_assert_eq(file_len(), HEADER_LEN + 3 * RECORD_LEN);
	free((void *)(uintptr_t)bytes.data);
	free((void *)(uintptr_t)whole.data);
}

Test(register, what_was_written_ahead_once_does_not_come_back)
{
	struct register_mark mark = make_many(), last;
	struct removal_register *removals = open_behind(&mark);

	add(removals, 3 + MANY, 1);
	cr_assert_eq(register_sync(removals), 0);
	register_get_mark(removals, &last);
	(void)register_close(removals);
	temp_file_flip(path, PAGE, 0x10);
	cr_assert_eq(answer_behind(&last), REGISTER_E_CORRUPT, "it was whole: somebody changed it");
}

/* An older register was put back, and went on: what was written ahead of the newer one is not its. */
Test(register, what_was_written_ahead_does_not_come_back_to_one_that_went_another_way)
{
	struct register_mark mark = make_many();
	struct slice whole = temp_file_read(path);
	struct removal_register *removals;

	temp_file_write(path, (struct slice){whole.data, HEADER_LEN + 2 * RECORD_LEN});
	removals = open_behind(&no_mark);
	expect_bounds(removals, 0, 2);
	add(removals, 7, 2);
	cr_assert_eq(register_sync(removals), 0);
	register_get_mark(removals, &mark);
	(void)register_close(removals);
	cr_assert_eq(answer_behind(&mark), 0);
	cr_assert_eq(file_len(), HEADER_LEN + 4 * RECORD_LEN);
	free((void *)(uintptr_t)whole.data);
}

Test(register, what_was_written_ahead_of_another_register_is_passed_over)
{
	struct removal_register *removals;

	(void)make_many();
	cr_assert_eq(unlink(path), 0);
	(void)make(3);
	removals = open_behind(&no_mark);
	expect_bounds(removals, 0, 3);
	(void)register_close(removals);
}

Test(register, where_nothing_can_be_written_ahead_many_records_go_in_order)
{
	cleanup(freep) char *ahead = ahead_path();
	struct register_mark mark = make(3);
	struct removal_register *removals = open_behind(&mark);

	add(removals, 3, MANY);
	cr_assert_eq(mkdir(ahead, 0700), 0);
	cr_assert_eq(register_sync(removals), 0);
	cr_assert_eq(rmdir(ahead), 0);
	(void)register_close(removals);
	expect_all(&mark);
}
