/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/work/log.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

static struct {
	unsigned n;
	enum log_level level;
	char text[2048];
	size_t n_fields;
	char field[64];
} said;

static void note(enum log_level level, const char *text, const struct log_field *fields,
		 size_t n_fields)
{
	said.n++;
	said.level = level;
	cr_assert(strlen(text) < sizeof(said.text));
	strcpy(said.text, text);
	said.n_fields = n_fields;
	if (n_fields > 0) {
		(void)snprintf(said.field, sizeof(said.field), "%s=%s", fields[0].name,
			       fields[0].value);
	}
	errno = EBADF;
}

static void listen_in(void)
{
	log_set_sink(note);
}

TestSuite(log, .init = listen_in);

Test(log, a_line_is_formatted_and_keeps_its_level)
{
	log_say(LOG_LEVEL_WARNING, "uid %d has %s", 17, "left");
	cr_assert_eq(said.n, 1);
	cr_assert_eq(said.level, LOG_LEVEL_WARNING);
	cr_assert_str_eq(said.text, "uid 17 has left");
	cr_assert_eq(said.n_fields, 0);
}

Test(log, fields_reach_the_sink)
{
	const struct log_field fields[] = {{"RETENTIOND_UID", "17"}};

	log_say_fields(LOG_LEVEL_NOTICE, fields, ARRAY_LEN(fields), "done");
	cr_assert_eq(said.n_fields, 1);
	cr_assert_str_eq(said.field, "RETENTIOND_UID=17");
}

Test(log, a_field_is_formatted_whole)
{
	char value[LOG_VALUE_MAX + 1], text[LOG_FIELD_SIZE];
	const struct log_field number = {"RETENTIOND_UID", "17"};
	const struct log_field longest = {"RETENTIOND_A_NAME_OF_31_CHARACT", value};

	cr_assert_eq(log_format_field(&number, text), strlen("RETENTIOND_UID=17"));
	cr_assert_str_eq(text, "RETENTIOND_UID=17");
	memset(value, 'x', LOG_VALUE_MAX);
	value[LOG_VALUE_MAX] = '\0';
	cr_assert_eq(strlen(longest.name), LOG_NAME_MAX);
	cr_assert_eq(log_format_field(&longest, text), LOG_NAME_MAX + 1 + LOG_VALUE_MAX);
	cr_assert_str_eq(text + LOG_NAME_MAX + 1, value);
}

Test(log, a_field_that_is_too_long_is_cut)
{
	char value[LOG_VALUE_MAX + 2], text[LOG_FIELD_SIZE];
	const struct log_field field = {"RETENTIOND_A_NAME_OF_31_CHARACT", value};

	memset(value, 'x', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	cr_assert_eq(log_format_field(&field, text), LOG_FIELD_SIZE - 1);
	cr_assert_eq(strlen(text), LOG_FIELD_SIZE - 1);
}

Test(log, without_a_sink_nothing_happens)
{
	log_set_sink(NULL);
	log_say(LOG_LEVEL_CRITICAL, "nobody hears this");
	cr_assert_eq(said.n, 0);
}

Test(log, debug_lines_are_dropped_until_they_are_asked_for)
{
	log_say(LOG_LEVEL_DEBUG, "detail");
	cr_assert_eq(said.n, 0);
	log_set_level(LOG_LEVEL_DEBUG);
	log_say(LOG_LEVEL_DEBUG, "detail");
	cr_assert_eq(said.n, 1);
}

Test(log, a_line_at_the_level_itself_is_said)
{
	log_set_level(LOG_LEVEL_ERROR);
	log_say(LOG_LEVEL_ERROR, "said");
	log_say(LOG_LEVEL_WARNING, "not said");
	cr_assert_str_eq(said.text, "said");
	cr_assert_eq(said.n, 1);
}

Test(log, control_bytes_cannot_begin_a_line_or_steer_a_terminal)
{
	log_say(LOG_LEVEL_INFO, "a%sb", "\nretentiond: forged\x1b[2J\x7f\t");
	cr_assert_str_eq(said.text, "a\\x0aretentiond: forged\\x1b[2J\\x7f\\x09b");
}

Test(log, letters_beyond_ascii_stay)
{
	log_say(LOG_LEVEL_INFO, "Zoë");
	cr_assert_str_eq(said.text, "Zoë");
}

static void say_long(const char *unit, char *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		memcpy(text + i * strlen(unit), unit, strlen(unit) + 1);
	}
	log_say(LOG_LEVEL_INFO, "%s", text);
}

Test(log, a_line_of_1024_bytes_is_whole)
{
	char text[4096];

	say_long("x", text, 1024);
	cr_assert_str_eq(said.text, text);
}

Test(log, what_is_longer_than_1024_bytes_is_cut)
{
	char text[4096];

	say_long("x", text, 1025);
	cr_assert_eq(strlen(said.text), 1024);
}

Test(log, a_cut_never_splits_a_character)
{
	char text[4096];

	say_long("€", text, 1000);
	cr_assert_eq(strlen(said.text), 1023);
	cr_assert_eq(memcmp(said.text, text, 1023), 0);
}

Test(log, a_cut_never_splits_an_escape)
{
	char text[4096];

	say_long("\n", text, 1000);
	cr_assert_eq(strlen(said.text), 1024);
	cr_assert_str_eq(said.text + 1020, "\\x0a");
}

Test(log, errno_is_left_as_it_was)
{
	errno = ENOSPC;
	log_say(LOG_LEVEL_INFO, "done");
	cr_assert_eq(errno, ENOSPC);
}
