/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/journal.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "tests/support/temp.h"

#define SECTOR 512
#define HEADER 48

static const uint8_t base[JOURNAL_BASE_LEN] = {1, 2, 3};
static const uint8_t other_base[JOURNAL_BASE_LEN] = {4, 5, 6};

static char *directory;
static int directory_fd;
static struct journal *journal;

static void reopen(void)
{
	journal = journal_close(journal);
	cr_assert_eq(journal_open(directory_fd, &journal), 0);
	journal_restart(journal, base);
}

static void set_up(void)
{
	directory = temp_directory_new();
	directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(directory_fd, 0);
	cr_assert_eq(journal_create(directory_fd), 0);
	reopen();
}

static void tear_down(void)
{
	journal = journal_close(journal);
	close(directory_fd);
	directory = temp_directory_free(directory);
}

TestSuite(journal, .init = set_up, .fini = tear_down);

static int append(const char *text)
{
	journal_add(journal, text, strlen(text));
	return journal_commit(journal);
}

/* "a b c": the bodies that are read, and what ended the reading. */
static int read_all(char *text, size_t size)
{
	struct slice body;
	size_t at = 0;
	int r;

	text[0] = '\0';
	while ((r = journal_next(journal, &at, &body)) == 0) {
		(void)strncat(text, " ", size - strlen(text) - 1);
		(void)strncat(text, body.data, MIN(body.len, size - strlen(text) - 1));
	}
	return r;
}

static void expect(const char *bodies)
{
	char text[256];

	cr_assert_eq(read_all(text, sizeof(text)), JOURNAL_E_NONE);
	cr_assert_str_eq(text, bodies);
}

static void change_byte(off_t at)
{
	int fd = openat(directory_fd, JOURNAL_NAME, O_RDWR | O_CLOEXEC);
	uint8_t byte;

	cr_assert_eq(pread(fd, &byte, 1, at), 1);
	byte ^= 0x10;
	cr_assert_eq(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

static off_t begin_of(unsigned record)
{
	return (off_t)SECTOR * (record + 1); /* of small ones */
}

Test(journal, what_was_committed_is_read_again_in_its_order)
{
	cr_assert_eq(append("one"), 0);
	cr_assert_eq(append("two"), 0);
	reopen();
	expect(" one two");
}

Test(journal, the_next_record_comes_behind_those_that_were_read)
{
	cr_assert_eq(append("one"), 0);
	reopen();
	expect(" one");
	cr_assert_eq(append("two"), 0);
	reopen();
	expect(" one two");
}

Test(journal, records_of_another_base_count_no_more)
{
	cr_assert_eq(append("one"), 0);
	cr_assert_eq(append("two"), 0);
	journal_restart(journal, other_base);
	expect("");
	cr_assert_eq(append("three"), 0);
	reopen();
	journal_restart(journal, other_base);
	expect(" three");
}

Test(journal, what_was_dropped_is_not_there)
{
	journal_add(journal, "one", 3);
	journal_drop(journal);
	cr_assert_not(journal_has_body(journal));
	cr_assert_eq(append("two"), 0);
	reopen();
	expect(" two");
}

/* As the disk is after a sync that failed, though the file could be read. */
Test(journal, what_was_read_can_be_written_once_more)
{
	cr_assert_eq(append("one"), 0);
	cr_assert_eq(append("two"), 0);
	reopen();
	expect(" one two");
	change_byte(begin_of(1));
	cr_assert_eq(journal_renew(journal), 0);
	reopen();
	expect(" one two");
	cr_assert_eq(append("three"), 0);
	reopen();
	expect(" one two three");
}

Test(journal, a_last_record_that_was_cut_short_is_passed_over)
{
	cr_assert_eq(append("one"), 0);
	cr_assert_eq(append("two"), 0);
	for (off_t at = 0; at < HEADER + 3; at++) {
		change_byte(begin_of(1) + at);
		reopen();
		expect(" one");
		change_byte(begin_of(1) + at);
	}
	reopen();
	expect(" one two");
}

Test(journal, a_damaged_record_that_others_follow_is_no_crash)
{
	char text[64];

	cr_assert_eq(append("one"), 0);
	cr_assert_eq(append("two"), 0);
	cr_assert_eq(append("three"), 0);
	for (off_t at = 0; at < HEADER + 3; at++) {
		change_byte(begin_of(1) + at);
		reopen();
		cr_assert_eq(read_all(text, sizeof(text)), JOURNAL_E_CORRUPT);
		cr_assert_str_eq(text, " one");
		change_byte(begin_of(1) + at);
	}
}

Test(journal, a_record_larger_than_its_limit_is_not_taken)
{
	cleanup(freep) char *large = calloc(1, JOURNAL_BODY_MAX + 1);

	journal_add(journal, large, JOURNAL_BODY_MAX);
	cr_assert_eq(journal_commit(journal), 0);
	journal_add(journal, large, JOURNAL_BODY_MAX);
	journal_add(journal, large, 1);
	cr_assert_eq(journal_commit(journal), JOURNAL_E_FULL);
	cr_assert_eq(append("small"), 0);
}

Test(journal, a_full_one_says_so_and_keeps_what_it_has)
{
	cleanup(freep) char *large = calloc(1, JOURNAL_BODY_MAX);
	unsigned n = 0, n_read = 0;
	struct slice body;
	size_t at = 0;
	int r;

	do {
		journal_add(journal, large, JOURNAL_BODY_MAX / 8);
		r = journal_commit(journal);
		n += r == 0;
	} while (r == 0);
	cr_assert_eq(r, JOURNAL_E_FULL);
	cr_assert_gt(n, 20);
	while (append("small") == 0) {
		n++;
	}
	reopen();
	while (journal_next(journal, &at, &body) == 0) {
		n_read++;
	}
	cr_assert_eq(n_read, n);
}

Test(journal, the_file_never_grows)
{
	struct stat st;

	cr_assert_eq(append("one"), 0);
	cr_assert_eq(fstatat(directory_fd, JOURNAL_NAME, &st, 0), 0);
	cr_assert_eq(st.st_size, JOURNAL_BYTES);
	cr_assert_eq(st.st_mode & 07777, 0600);
}

Test(journal, what_is_no_journal_is_refused)
{
	cleanup(freep) char *path = temp_path_new(directory, JOURNAL_NAME);

	journal = journal_close(journal);
	change_byte(3);
	cr_assert_eq(journal_open(directory_fd, &journal), JOURNAL_E_CORRUPT);
	change_byte(3);
	cr_assert_eq(truncate(path, JOURNAL_BYTES - 1), 0);
	cr_assert_eq(journal_open(directory_fd, &journal), JOURNAL_E_CORRUPT);
	temp_file_write(path, (struct slice){0});
	cr_assert_eq(journal_open(directory_fd, &journal), JOURNAL_E_CORRUPT);
	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(journal_open(directory_fd, &journal), JOURNAL_E_CORRUPT);
	cr_assert_eq(symlink("/dev/zero", path), 0);
	cr_assert_eq(journal_open(directory_fd, &journal), JOURNAL_E_CORRUPT);
}
