/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/work/request.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/support/params.h"

TestSuite(request, .init = params_init, .fini = params_done);

static void expect_fault(const char *method, const char *fault)
{
	cr_assert(params_refused(method, fault));
}

/* A value is right if nothing is wrong with a request that has no other. */
static bool takes_number(const char *method, const char *name, int64_t number)
{
	params_begin();
	pack_put_int(&params_writer, name, number);
	return params_decode(method) == 0;
}

Test(request, a_limit_is_1_to_1000)
{
	cr_assert_not(takes_number("account.list", "limit", 0));
	cr_assert(takes_number("account.list", "limit", 1));
	cr_assert(takes_number("account.list", "limit", 1000));
	cr_assert_eq(params_request->limit, 1000);
	cr_assert_not(takes_number("account.list", "limit", 1001));
	cr_assert_not(takes_number("account.list", "limit", INT64_C(1) << 32 | 1));
}

Test(request, a_span_is_0_to_10000_days)
{
	cr_assert_not(takes_number("due.forecast", "within_us", -1));
	cr_assert(takes_number("due.forecast", "within_us", 0));
	cr_assert(takes_number("due.forecast", "within_us", SPAN_MAX));
	cr_assert_not(takes_number("due.forecast", "within_us", SPAN_MAX + 1));
}

Test(request, an_instant_is_1970_to_9999)
{
	cr_assert_not(takes_number("account.list", "due_before_us", -1));
	cr_assert(takes_number("account.list", "due_before_us", 0));
	cr_assert(takes_number("account.list", "due_before_us", INSTANT_MAX));
	cr_assert_not(takes_number("account.list", "due_before_us", INSTANT_MAX + 1));
}

Test(request, a_ledger_number_is_1_or_more)
{
	cr_assert_not(takes_number("ledger.read", "from", 0));
	cr_assert(takes_number("ledger.read", "from", 1));
	cr_assert(takes_number("ledger.read", "from", INT64_MAX));
}

static int decode_span_of_org(const char *name, int64_t span)
{
	params_begin();
	pack_put_cstr(&params_writer, "org", "fabrikam");
	pack_put_int(&params_writer, name, span);
	return params_decode("org.set");
}

Test(request, a_window_is_1_to_180_days)
{
	cr_assert_neq(decode_span_of_org("window_us", SPAN_DAY - 1), 0);
	cr_assert_eq(decode_span_of_org("window_us", SPAN_DAY), 0);
	cr_assert_eq(decode_span_of_org("window_us", 180 * SPAN_DAY), 0);
	cr_assert_neq(decode_span_of_org("window_us", 180 * SPAN_DAY + 1), 0);
}

Test(request, a_removal_is_1_to_30_days)
{
	cr_assert_neq(decode_span_of_org("removal_us", SPAN_DAY - 1), 0);
	cr_assert_eq(decode_span_of_org("removal_us", SPAN_DAY), 0);
	cr_assert_eq(decode_span_of_org("removal_us", 30 * SPAN_DAY), 0);
	cr_assert_neq(decode_span_of_org("removal_us", 30 * SPAN_DAY + 1), 0);
}

static bool takes_cursor_of(size_t len)
{
	char cursor[ARGUMENT_CURSOR_LEN_MAX + 1];

	memset(cursor, 'a', sizeof(cursor));
	params_begin();
	pack_put_text(&params_writer, "cursor", (struct slice){cursor, len});
	return params_decode("account.list") == 0;
}

Test(request, a_cursor_has_1_to_128_bytes)
{
	cr_assert_not(takes_cursor_of(0));
	cr_assert(takes_cursor_of(1));
	cr_assert(takes_cursor_of(128));
	cr_assert_not(takes_cursor_of(129));
}

static bool takes_bucket(const char *bucket, span_t width)
{
	params_begin();
	pack_put_cstr(&params_writer, "by", bucket);
	return params_decode("due.forecast") == 0 && params_request->by == width;
}

Test(request, a_bucket_is_an_hour_a_day_or_a_week)
{
	cr_assert(takes_bucket("hour", SPAN_HOUR));
	cr_assert(takes_bucket("day", SPAN_DAY));
	cr_assert(takes_bucket("week", 7 * SPAN_DAY));
	cr_assert_not(takes_bucket("month", 0));
}

/* Whole requests */

Test(request, no_element_at_all_is_no_arguments)
{
	pack_writer_reset(&params_writer);
	pack_write_array(&params_writer);
	pack_write_end(&params_writer);
	cr_assert_eq(params_decode_written("account.list"), 0);
	cr_assert_eq(params_request->given, 0);
	cr_assert_eq(params_request->limit, 100);
}

Test(request, two_elements_are_refused)
{
	params_begin();
	pack_write_end(&params_writer);
	pack_write_map(&params_writer);
	expect_fault("account.list", "the arguments must be one map of names and values");
}

Test(request, an_element_that_is_no_map_is_refused)
{
	pack_writer_reset(&params_writer);
	pack_write_array(&params_writer);
	pack_write_cstr(&params_writer, "org");
	pack_write_end(&params_writer);
	cr_assert_eq(params_decode_written("account.list"), REQUEST_E_WRONG);
}

Test(request, what_was_given_can_be_told_from_what_was_not)
{
	params_begin();
	pack_put_cstr(&params_writer, "org", "fabrikam");
	pack_put_bool(&params_writer, "allow_leave", false);
	cr_assert_eq(params_decode("org.set"), 0);
	cr_assert(REQUEST_HAS(params_request, org));
	cr_assert(REQUEST_HAS(params_request, allow_leave));
	cr_assert_not(REQUEST_HAS(params_request, window_us));
	cr_assert_not(params_request->allow_leave);
}

Test(request, nothing_of_the_request_before_is_left)
{
	params_begin();
	pack_put_cstr(&params_writer, "org", "fabrikam");
	pack_put_bool(&params_writer, "dry_run", true);
	pack_put_cstr(&params_writer, "reason", "because");
	cr_assert_eq(params_decode("org.set"), 0);
	params_begin();
	pack_put_cstr(&params_writer, "org", "contoso");
	cr_assert_eq(params_decode("org.set"), 0);
	cr_assert_not(params_request->dry_run);
	cr_assert_eq(params_request->reason.len, 0);
	cr_assert_not(REQUEST_HAS(params_request, reason));
}

Test(request, an_argument_of_another_command_is_refused_by_name)
{
	params_begin();
	pack_put_bool(&params_writer, "overdue", true);
	expect_fault("org.list",
		     "overdue: is not an argument of org.list; retention.api lists them");
}

Test(request, a_name_that_no_terminal_should_see_is_shown_harmless_and_cut)
{
	params_begin();
	pack_put_bool(&params_writer, "\x1b[31m-and-so-on-and-so-on-and-so-on", true);
	expect_fault("org.list", "?[31m-and-so-on-and-so-on-and-so: is not an argument of org.list;"
				 " retention.api lists them");
}

Test(request, a_key_that_is_no_text_is_refused)
{
	params_begin();
	pack_write_int(&params_writer, 7);
	pack_write_bool(&params_writer, true);
	expect_fault("org.list", "a key: is not an argument of org.list; retention.api lists them");
}

Test(request, a_doubled_argument_is_refused)
{
	params_begin();
	pack_put_cstr(&params_writer, "org", "fabrikam");
	pack_put_cstr(&params_writer, "org", "fabrikam");
	expect_fault("org.set", "org: is there twice");
}

Test(request, each_required_argument_is_missed_by_name)
{
	for (size_t i = 0; i < _COMMAND_MAX; ++i) {
		const struct command *command = &command_table[i];
		char expected[64];

		params_begin();
		for (uint16_t a = 0; a < command->n_arguments; ++a) {
			if (command->arguments[a].required) {
				(void)snprintf(expected, sizeof(expected), "%s: is missing",
					       argument_table[command->arguments[a].symbol].name);
				expect_fault(command->method, expected);
				break;
			}
		}
	}
}
