/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/args.h"

#include <criterion/criterion.h>

#include "ctl/nearest.h"
#include "ctl/operand.h"
#include "ctl/option.h"
#include "ctl/value.h"

#define WORDS_MAX 12

/* A command line that has been read; getopt reorders argv, so that each has one of its own. */
struct line {
	char *argv[WORDS_MAX];
	struct ctl_args args;
	struct ctl_operands operands;
	struct ctl_fault fault;
};

static int parse(struct line *line, const char *const *words)
{
	int argc = 0;
	int r;

	memset(line, 0, sizeof(*line));
	line->argv[argc++] = (char *)"retentionctl";
	for (; words[argc - 1]; argc++) {
		line->argv[argc] = (char *)words[argc - 1];
	}
	r = ctl_args_parse(argc, line->argv, &line->args, &line->fault);
	if (r == 0 && line->args.command) {
		r = ctl_operands_take(&line->args, &line->operands, &line->fault);
	}
	return r;
}

#define PARSE(line, ...) parse((line), (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static void assert_fault(const struct line *line, const char *text)
{
	cr_assert_eq(line->fault.exit, CTL_EXIT_USAGE);
	cr_assert(strstr(line->fault.text, text), "\"%s\" is not in \"%s\"", text,
		  line->fault.text);
}

Test(ctl_args, no_verb_is_status)
{
	struct line line;

	cr_assert_eq(parse(&line, (const char *const[]){NULL}), 0);
	cr_assert_eq(line.args.verb, CTL_VERB_STATUS);
	cr_assert_eq(line.args.timeout, 30 * SPAN_SECOND);
}

Test(ctl_args, wait_has_a_timeout_of_its_own_and_each_answer_at_most_as_long)
{
	struct line line;

	cr_assert_eq(PARSE(&line, "wait", "--for=removed", "uid:1"), 0);
	cr_assert_eq(line.args.whole, 0);
	cr_assert_eq(line.args.timeout, CTL_TIMEOUT_DEFAULT);
	cr_assert_eq(PARSE(&line, "wait", "--for=removed", "--timeout=5s", "uid:1"), 0);
	cr_assert_eq(line.args.whole, 5 * SPAN_SECOND);
	cr_assert_eq(line.args.timeout, 5 * SPAN_SECOND);
	cr_assert_eq(PARSE(&line, "wait", "--for=removed", "--timeout=2h", "uid:1"), 0);
	cr_assert_eq(line.args.whole, 2 * SPAN_HOUR);
	cr_assert_eq(line.args.timeout, CTL_TIMEOUT_DEFAULT);
	cr_assert_eq(PARSE(&line, "list", "--timeout=2h"), 0);
	cr_assert_eq(line.args.whole, 0);
	cr_assert_eq(line.args.timeout, 2 * SPAN_HOUR);
}

Test(ctl_args, a_plan_is_for_the_verbs_that_take_accounts)
{
	struct line line;

	cr_assert(ctl_option_belongs(CTL_OPTION_PLAN, "purge"));
	cr_assert(ctl_option_belongs(CTL_OPTION_PLAN, "waive"));
	cr_assert_not(ctl_option_belongs(CTL_OPTION_PLAN, "import"));
	cr_assert_not(ctl_option_belongs(CTL_OPTION_PLAN, NULL));
	cr_assert_neq(PARSE(&line, "list", "--plan=x"), 0);
	assert_fault(&line, "list takes no --plan");
}

Test(ctl_args, options_stand_before_and_after_the_verb)
{
	struct line line;

	cr_assert_eq(PARSE(&line, "-j", "list", "--limit=5", "--socket=/run/x", "--utc"), 0);
	cr_assert_eq(line.args.command, &command_table[COMMAND_account_list]);
	cr_assert(line.args.json && line.args.utc);
	cr_assert_str_eq(line.args.argument[ARGUMENT_limit], "5");
	cr_assert_str_eq(line.args.socket, "/run/x");
}

Test(ctl_args, every_argument_of_every_command_is_an_option_of_its_verb)
{
	for (size_t i = 0; i < _COMMAND_MAX; i++) {
		const struct command *command = &command_table[i];

		for (size_t k = 0; k < command->n_arguments; k++) {
			enum argument_symbol symbol = command->arguments[k].symbol;
			char name[CTL_OPTION_NAME_MAX];

			if (argument_is_list(argument_table[symbol].type)) {
				continue;
			}
			ctl_option_name(symbol, name);
			cr_assert_eq(ctl_option_argument(command, name), symbol, "--%s of %s", name,
				     command->verb);
		}
	}
}

Test(ctl_args, an_option_is_named_without_unit_and_with_dashes)
{
	char name[CTL_OPTION_NAME_MAX];

	ctl_option_name(ARGUMENT_window_us, name);
	cr_assert_str_eq(name, "window");
	ctl_option_name(ARGUMENT_due_before_us, name);
	cr_assert_str_eq(name, "due-before");
	ctl_option_name(ARGUMENT_allow_leave, name);
	cr_assert_str_eq(name, "allow-leave");
}

Test(ctl_args, by_is_a_bucket_of_due_and_a_span_of_advance)
{
	struct line line;

	cr_assert_eq(PARSE(&line, "due", "--by=week"), 0);
	cr_assert_str_eq(line.args.argument[ARGUMENT_by], "week");
	cr_assert_eq(PARSE(&line, "advance", "--by=2d"), 0);
	cr_assert_str_eq(line.args.argument[ARGUMENT_by_us], "2d");
	cr_assert_eq(PARSE(&line, "due", "--by=2d"), CTL_EXIT_USAGE);
	assert_fault(&line, "--by=2d must be hour, day or week");
}

Test(ctl_args, a_bare_boolean_means_yes)
{
	struct line line;

	cr_assert_eq(PARSE(&line, "leave", "--dry-run", "acme/1"), 0);
	cr_assert_str_eq(line.args.argument[ARGUMENT_dry_run], "yes");
	cr_assert_eq(line.operands.accounts.n, 1);
	ctl_operands_done(&line.operands);
	cr_assert_eq(PARSE(&line, "set-org", "acme", "--allow-leave=perhaps"), CTL_EXIT_USAGE);
	assert_fault(&line, "--allow-leave=perhaps must be yes or no");
}

Test(ctl_args, an_unknown_verb_is_refused_with_the_nearest_one)
{
	struct line line;

	cr_assert_eq(PARSE(&line, "explian", "acme/1"), CTL_EXIT_USAGE);
	assert_fault(&line, "did you mean explain?");
	cr_assert_eq(PARSE(&line, "xyzzy"), CTL_EXIT_USAGE);
	assert_fault(&line, "see retentionctl --help");
}

Test(ctl_args, an_unknown_option_is_refused_with_the_nearest_one)
{
	struct line line;

	cr_assert_eq(PARSE(&line, "list", "--stat0=active"), CTL_EXIT_USAGE);
	assert_fault(&line, "did you mean --state?");
	cr_assert_eq(PARSE(&line, "--stat0=active", "list"), CTL_EXIT_USAGE);
	assert_fault(&line, "did you mean --state?");
	cr_assert_eq(PARSE(&line, "wait", "--forr=removed", "acme/1"), CTL_EXIT_USAGE);
	assert_fault(&line, "did you mean --for?");
	cr_assert_eq(PARSE(&line, "list", "-x"), CTL_EXIT_USAGE);
	assert_fault(&line, "there is no option -x");
}

Test(ctl_args, an_unknown_option_is_not_taken_for_one_of_another_verb)
{
	struct line line;

	cr_assert_eq(PARSE(&line, "list", "--windwo=3d"), CTL_EXIT_USAGE);
	assert_fault(&line, "there is no option --windwo; see retentionctl list --help");
	cr_assert_eq(PARSE(&line, "set-org", "acme", "--windwo=3d"), CTL_EXIT_USAGE);
	assert_fault(&line, "did you mean --window?");
	/* The verb is not known there: 3d is none. */
	cr_assert_eq(PARSE(&line, "--windwo", "3d", "set-org"), CTL_EXIT_USAGE);
	assert_fault(&line, "did you mean --window?");
}

Test(ctl_args, an_option_of_another_verb_is_refused)
{
	struct line line;

	cr_assert_eq(PARSE(&line, "list", "--window=3d"), CTL_EXIT_USAGE);
	assert_fault(&line, "list takes no --window");
	cr_assert_eq(PARSE(&line, "list", "--format=csv"), CTL_EXIT_USAGE);
	assert_fault(&line, "list takes no --format");
	cr_assert_eq(PARSE(&line, "status", "--limit=3"), CTL_EXIT_USAGE);
	assert_fault(&line, "status takes no --limit");
}

Test(ctl_args, json_is_known_even_when_the_command_line_is_wrong)
{
	struct line line;

	cr_assert_eq(PARSE(&line, "-j", "nosuch"), CTL_EXIT_USAGE);
	cr_assert(line.args.json);
}

Test(ctl_args, months_are_refused_in_spans)
{
	struct line line;

	cr_assert_eq(PARSE(&line, "set-org", "acme", "--window=1month"), CTL_EXIT_USAGE);
	cr_assert_eq(PARSE(&line, "advance", "1month"), CTL_EXIT_USAGE);
	cr_assert_eq(PARSE(&line, "--timeout=0s", "list"), CTL_EXIT_USAGE);
	assert_fault(&line, "--timeout must be longer");
}

Test(ctl_args, advance_takes_a_span_or_an_instant)
{
	struct line line;

	cr_assert_eq(PARSE(&line, "advance", "30d"), 0);
	cr_assert_str_eq(line.args.argument[ARGUMENT_by_us], "30d");
	cr_assert_eq(PARSE(&line, "advance", "+30d"), 0);
	cr_assert_str_eq(line.args.argument[ARGUMENT_by_us], "30d");
	cr_assert_eq(PARSE(&line, "advance", "2026-03-01"), 0);
	cr_assert_null(line.args.argument[ARGUMENT_by_us]);
	cr_assert_str_eq(line.args.argument[ARGUMENT_to_us], "2026-03-01");
	cr_assert_eq(PARSE(&line, "advance"), CTL_EXIT_USAGE);
}

Test(ctl_args, operands_that_are_missing_or_too_many_are_refused)
{
	struct line line;

	cr_assert_eq(PARSE(&line, "show"), CTL_EXIT_USAGE);
	assert_fault(&line, "show needs ACCOUNT");
	cr_assert_eq(PARSE(&line, "show", "a/1", "a/2"), CTL_EXIT_USAGE);
	assert_fault(&line, "does not take the operand a/2");
	ctl_operands_done(&line.operands);
	cr_assert_eq(PARSE(&line, "show", "@file"), CTL_EXIT_USAGE);
	assert_fault(&line, "takes one account");
	cr_assert_eq(PARSE(&line, "set-org"), CTL_EXIT_USAGE);
	cr_assert_eq(PARSE(&line, "set-org", "--org=acme"), 0);
	cr_assert_eq(PARSE(&line, "show", "--uid=7"), 0);
	cr_assert_eq(PARSE(&line, "log"), 0);
	cr_assert_eq(PARSE(&line, "import"), CTL_EXIT_USAGE);
}

Test(ctl_args, an_account_is_named_one_way_only)
{
	struct line line;

	cr_assert_eq(PARSE(&line, "show", "a/1", "--uid=7"), CTL_EXIT_USAGE);
	assert_fault(&line, "not both ways");
	ctl_operands_done(&line.operands);
}

Test(ctl_args, a_new_upn_is_for_one_account)
{
	struct line line;

	cr_assert_eq(PARSE(&line, "restore", "a/1", "--new-upn=x@a.example"), 0);
	ctl_operands_done(&line.operands);
	cr_assert_eq(PARSE(&line, "restore", "a/1", "a/2", "--new-upn=x@a.example"),
		     CTL_EXIT_USAGE);
	ctl_operands_done(&line.operands);
	cr_assert_eq(PARSE(&line, "restore", "a/1", "--new-upn=nothing"), CTL_EXIT_USAGE);
	ctl_operands_done(&line.operands);
	cr_assert_eq(PARSE(&line, "leave", "a/1", "--new-upn=x@a.example"), CTL_EXIT_USAGE);
}

Test(ctl_account, three_ways_to_name_one)
{
	struct ctl_account account;

	cr_assert_null(ctl_account_parse("acme/8f14", &account));
	cr_assert(slice_is(account.org, "acme") && slice_is(account.id, "8f14") &&
		  account.person.len == 0);
	cr_assert_null(ctl_account_parse("acme/jane@home.example", &account));
	cr_assert(slice_is(account.person, "jane@home.example") && account.id.len == 0);
	cr_assert_null(ctl_account_parse("uid:42", &account));
	cr_assert_eq(account.uid, 42);
	cr_assert_eq(account.org.len, 0);
}

Test(ctl_account, what_is_none_is_refused)
{
	static const char *const wrong[] = {"acme",
					    "acme/",
					    "/x",
					    "ac me/x",
					    "uid:",
					    "uid:0",
					    "uid:-1",
					    "uid:x",
					    "acme/a b",
					    "acme/@",
					    "uid:9223372036854775808"};
	struct ctl_account account;

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		cr_assert_not_null(ctl_account_parse(wrong[i], &account), "%s", wrong[i]);
	}
}

static int take_file(const char *text, struct ctl_accounts *accounts, struct ctl_fault *fault)
{
	char operand[] = "@/tmp/test_ctl_args_XXXXXX";
	int fd = mkstemp(operand + 1);
	int r;

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	(void)close(fd);
	r = ctl_accounts_take(accounts, operand, fault);
	(void)unlink(operand + 1);
	return r;
}

Test(ctl_account, a_file_has_one_a_line_with_comments_and_empty_lines)
{
	struct ctl_accounts accounts = {0};
	struct ctl_fault fault;

	cr_assert_eq(
		take_file("# leavers\r\nacme/1\r\n\n  acme/a_b#EXT#@c.example \t# a guest\nuid:3",
			  &accounts, &fault),
		0);
	cr_assert_eq(accounts.n, 3);
	cr_assert(slice_is(accounts.items[0].id, "1"));
	cr_assert(slice_is(accounts.items[1].person, "a_b#EXT#@c.example"));
	cr_assert_eq(accounts.items[2].uid, 3);
	cr_assert(!accounts.from_stdin);
	ctl_accounts_done(&accounts);
}

Test(ctl_account, a_file_is_refused_with_the_line_and_the_number_of_faults)
{
	struct ctl_accounts accounts = {0};
	struct ctl_fault fault;

	cr_assert_eq(take_file("acme/1\nacme\nuid:x\n", &accounts, &fault), CTL_EXIT_USAGE);
	cr_assert(strstr(fault.text, ":2: acme is no account"));
	cr_assert(strstr(fault.text, "1 more lines"));
	ctl_accounts_done(&accounts);
	cr_assert_eq(ctl_accounts_take(&accounts, "@/nonexistent/file", &fault), CTL_EXIT_FAILURE);
}

Test(ctl_value, instants_and_spans_are_read_as_microseconds)
{
	struct ctl_value value;

	cr_assert_null(ctl_value_parse(ARGUMENT_TYPE_WINDOW, "30d", 0, &value));
	cr_assert_eq(value.integer, 30 * SPAN_DAY);
	cr_assert_str_eq(ctl_value_parse(ARGUMENT_TYPE_WINDOW, "181d", 0, &value),
			 "must be 1d to 180d");
	cr_assert_str_eq(ctl_value_parse(ARGUMENT_TYPE_REMOVAL, "31d", 0, &value),
			 "must be 1d to 30d");
	cr_assert_null(ctl_value_parse(ARGUMENT_TYPE_INSTANT, "+7d", 100, &value));
	cr_assert_eq(value.integer, 100 + 7 * SPAN_DAY);
}

Test(ctl_value, numbers_begin_at_one_and_fit)
{
	struct ctl_value value;

	cr_assert_null(ctl_value_parse(ARGUMENT_TYPE_SEQ, "9223372036854775807", 0, &value));
	cr_assert_eq(value.integer, INT64_MAX);
	cr_assert_not_null(ctl_value_parse(ARGUMENT_TYPE_SEQ, "9223372036854775808", 0, &value));
	cr_assert_not_null(ctl_value_parse(ARGUMENT_TYPE_LIMIT, "0", 0, &value));
	cr_assert_not_null(ctl_value_parse(ARGUMENT_TYPE_LIMIT, "", 0, &value));
	cr_assert_not_null(ctl_value_parse(ARGUMENT_TYPE_LIMIT, "1x", 0, &value));
	cr_assert_null(ctl_value_parse(ARGUMENT_TYPE_GUARD_PERCENT, "100", 0, &value));
	cr_assert_str_eq(ctl_value_parse(ARGUMENT_TYPE_GUARD_PERCENT, "101", 0, &value),
			 model_guard_percent_fault(101));
	cr_assert_null(ctl_value_parse(ARGUMENT_TYPE_GUARD_MIN, "1000000000", 0, &value));
	cr_assert_str_eq(ctl_value_parse(ARGUMENT_TYPE_GUARD_MIN, "1000000001", 0, &value),
			 model_guard_min_fault(INT64_MAX));
}

Test(ctl_value, a_cursor_of_bytes_is_written_in_hex)
{
	struct ctl_value value;

	cr_assert_null(ctl_value_parse(ARGUMENT_TYPE_CURSOR, "hex:00ff10", 0, &value));
	cr_assert(slice_equal(value.text, SLICE_LITERAL("\x00\xff\x10")));
	cr_assert_null(ctl_value_parse(ARGUMENT_TYPE_CURSOR, "abc", 0, &value));
	cr_assert(slice_is(value.text, "abc"));
	cr_assert_not_null(ctl_value_parse(ARGUMENT_TYPE_CURSOR, "hex:0", 0, &value));
	cr_assert_not_null(ctl_value_parse(ARGUMENT_TYPE_CURSOR, "hex:zz", 0, &value));
	cr_assert_not_null(ctl_value_parse(ARGUMENT_TYPE_CURSOR, "", 0, &value));
}

Test(ctl_value, an_empty_text_clears_a_name_but_is_no_organization)
{
	struct ctl_value value;

	cr_assert_null(ctl_value_parse(ARGUMENT_TYPE_NAME, "", 0, &value));
	cr_assert_null(ctl_value_parse(ARGUMENT_TYPE_URL, "", 0, &value));
	cr_assert_not_null(ctl_value_parse(ARGUMENT_TYPE_ORG, "", 0, &value));
}

Test(ctl_nearest, takes_the_name_with_the_fewest_edits)
{
	struct ctl_nearest nearest = {0};

	ctl_nearest_offer(&nearest, "lst", "leave");
	cr_assert_null(nearest.best);
	ctl_nearest_offer(&nearest, "lst", "list");
	ctl_nearest_offer(&nearest, "lst", "log");
	cr_assert_str_eq(nearest.best, "list");
}
