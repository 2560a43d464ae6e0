/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <sysexits.h>

#include "ctl/args.h"
#include "ctl/check.h"
#include "ctl/operand.h"
#include "ctl/option.h"
#include "ctl/value.h"
#include "ctl/work_task.h"

static_assert(WORK_EXIT_LATER == EX_TEMPFAIL, "the number that mail systems made known");

/* As waitpid(2) has them. */
#define EXITED(code)     ((code) << 8)
#define SIGNALED(number) (number)

/* The last line of what was written, in pieces of a size. */
static struct work_line line_in_pieces(const char *written, size_t size)
{
	struct work_line line = {.len = 0};
	struct slice rest = slice_of(written);

	while (rest.len > 0) {
		size_t n = MIN(size, rest.len);

		work_line_add(&line, (struct slice){rest.data, n});
		rest = (struct slice){rest.data + n, rest.len - n};
	}
	return line;
}

static void assert_line(const char *written, const char *expected)
{
	for (size_t size = 1; size <= strlen(written) + 1; size++) {
		struct work_line line = line_in_pieces(written, size);
		struct slice text = work_line_text(&line);

		cr_assert(slice_is(text, expected), "\"%.*s\"", SLICE_ARG(text));
	}
}

Test(ctl_work, the_last_line_that_is_not_blank_counts)
{
	assert_line("", "");
	assert_line("\n\n", "");
	assert_line("one", "one");
	assert_line("one\ntwo\n", "two");
	assert_line("one\n  two  \r\n\n \t\n", "two");
	assert_line("one\ntwo", "two");
}

Test(ctl_work, a_line_holds_nothing_that_the_daemon_would_refuse)
{
	assert_line("a\tb\x1b[1m", "a?b?[1m");
	assert_line("\xc3\xa4 \xc3 \xff", "\xc3\xa4 ? ?");
	assert_line("\xc2\x85", "?");
}

Test(ctl_work, a_long_line_is_cut_and_not_refused)
{
	char written[3 * MODEL_NOTE_LEN_MAX];
	struct work_line line;
	struct slice text;

	memset(written, 'x', sizeof(written));
	memcpy(written + MODEL_NOTE_LEN_MAX - 1, "\xc3\xa4", 2); /* right where it is cut */
	written[sizeof(written) - 1] = '\0';
	line = line_in_pieces(written, 100);
	text = work_line_text(&line);
	cr_assert_eq(text.len, MODEL_NOTE_LEN_MAX);
	cr_assert_eq(text.data[text.len - 1], '?');
	cr_assert_null(model_note_fault(text));
}

static struct work_verdict verdict_of(int status, bool stopped, const char *out, const char *err)
{
	struct work_line out_line = line_in_pieces(out, 7);
	struct work_line err_line = line_in_pieces(err, 7);
	struct work_verdict verdict;

	work_verdict_of(status, stopped, &out_line, &err_line, &verdict);
	return verdict;
}

static void assert_confirmed(const char *out, enum task_result result, const char *ground)
{
	struct work_verdict verdict = verdict_of(EXITED(0), false, out, "noise\n");

	cr_assert_eq(verdict.end, WORK_END_CONFIRMED, "%s: %s", out, verdict.error);
	cr_assert_eq(verdict.result, result);
	cr_assert_str_eq(verdict.ground, ground);
}

Test(ctl_work, exit_0_confirms_what_the_last_line_says)
{
	assert_confirmed("", TASK_RESULT_ERASED, "");
	assert_confirmed("removed 3 rows\n", TASK_RESULT_ERASED, "");
	assert_confirmed("the result: none\n", TASK_RESULT_ERASED, "");
	assert_confirmed("result: retained x\ndone\n", TASK_RESULT_ERASED, "");
	assert_confirmed("result: erased\n", TASK_RESULT_ERASED, "");
	assert_confirmed("noise\nresult: nothing-found\n", TASK_RESULT_NOTHING_FOUND, "");
	assert_confirmed("result:retained  gdpr-17-3-b \n\n", TASK_RESULT_RETAINED, "gdpr-17-3-b");
}

Test(ctl_work, a_result_that_is_none_fails_the_task)
{
	static const char *const doubtful[] = {
		"result:",
		"result: gone",
		"result: retained",
		"result: erased twice",
		"result: nothing-found hgb-257",
		"result: waived",
		"result: Erased",
		"result: retained two words",
		"result: retained \xc3\xa4",
	};

	for (size_t i = 0; i < ARRAY_LEN(doubtful); i++) {
		struct work_verdict verdict = verdict_of(EXITED(0), false, doubtful[i], "");

		cr_assert_eq(verdict.end, WORK_END_FAILED, "%s", doubtful[i]);
		cr_assert_null(model_note_fault(slice_of(verdict.error)));
	}
}

Test(ctl_work, any_other_exit_puts_the_task_off_and_says_why)
{
	struct work_verdict verdict = verdict_of(EXITED(75), false, "result: erased", "locked\n");

	cr_assert_eq(verdict.end, WORK_END_LATER);
	cr_assert_str_eq(verdict.error, "locked");
	verdict = verdict_of(EXITED(1), false, "result: erased", "trace\nno route\n");
	cr_assert_eq(verdict.end, WORK_END_FAILED);
	cr_assert_str_eq(verdict.error, "no route");
	verdict = verdict_of(EXITED(3), false, "", "");
	cr_assert_str_eq(verdict.error, "exit status 3");
	verdict = verdict_of(SIGNALED(SIGKILL), false, "result: erased", "");
	cr_assert_eq(verdict.end, WORK_END_FAILED);
	cr_assert_str_eq(verdict.error, "ended by signal 9 (Killed)");
}

Test(ctl_work, what_we_ended_is_given_back_unless_it_was_done)
{
	cr_assert_eq(verdict_of(SIGNALED(SIGTERM), true, "", "").end, WORK_END_STOPPED);
	cr_assert_eq(verdict_of(EXITED(143), true, "", "ended").end, WORK_END_STOPPED);
	cr_assert_eq(verdict_of(EXITED(75), true, "", "").end, WORK_END_STOPPED);
	cr_assert_eq(verdict_of(EXITED(0), true, "", "").end, WORK_END_CONFIRMED);
	cr_assert_eq(verdict_of(EXITED(0), true, "result: x", "").end, WORK_END_FAILED);
}

static const char *variable(char *const *environment, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; environment[i]; i++) {
		if (strncmp(environment[i], name, len) == 0 && environment[i][len] == '=') {
			return environment[i] + len + 1;
		}
	}
	return NULL;
}

Test(ctl_work, the_environment_is_ours_and_the_task_and_nothing_of_another_task)
{
	json_t *task =
		json_pack("{s:s, s:I, s:s, s:I, s:n}", "token", "0a1b", "uid", (json_int_t)17, "id",
			  "a=b", "due_us", (json_int_t)1767225600000000, "upn");
	char **environment;

	cr_assert_eq(setenv("RETENTION_MAIL", "stale@x.example", 1), 0);
	cr_assert_eq(setenv("OURS", "kept", 1), 0);
	environment = work_task_environment(task, "crm");
	cr_assert_not_null(environment);
	cr_assert_str_eq(variable(environment, "OURS"), "kept");
	cr_assert_str_eq(variable(environment, "RETENTION_KEEPER"), "crm");
	cr_assert_str_eq(variable(environment, "RETENTION_TOKEN"), "0a1b");
	cr_assert_str_eq(variable(environment, "RETENTION_UID"), "17");
	cr_assert_str_eq(variable(environment, "RETENTION_ID"), "a=b");
	cr_assert_str_eq(variable(environment, "RETENTION_DUE"), "2026-01-01T00:00:00Z");
	cr_assert_null(variable(environment, "RETENTION_UPN"));
	cr_assert_null(variable(environment, "RETENTION_MAIL"));
	work_environment_free(environment);
	json_decref(task);
}

/* The command line */

#define WORDS_MAX 16

/* The last line that was read; arguments and operands point into it. */
static char *words[WORDS_MAX];

static int parse(struct ctl_args *args, struct ctl_operands *operands, struct ctl_fault *fault,
		 const char *const *argv)
{
	int argc = 0;
	int r;

	*fault = (struct ctl_fault){.exit = CTL_EXIT_OK};
	*operands = (struct ctl_operands){.n_files = 0};
	while (argv[argc]) {
		words[argc] = (char *)argv[argc]; /* getopt(3) moves them, and changes none */
		argc++;
	}
	words[argc] = NULL;
	r = ctl_args_parse(argc, words, args, fault);
	return r == 0 && args->command ? ctl_operands_take(args, operands, fault) : r;
}

#define PARSE(args, operands, fault, ...)                                                          \
	parse((args), (operands), (fault), (const char *const[]){"retentionctl", __VA_ARGS__, NULL})

Test(ctl_work, options_end_where_the_command_begins)
{
	struct ctl_operands operands;
	struct ctl_fault fault;
	struct ctl_args args;

	cr_assert_eq(PARSE(&args, &operands, &fault, "work", "crm", "--parallel=4", "--lease=10s",
			   "--once", "--", "erase", "--once", "-j", "--", "x"),
		     0, "%s", fault.text);
	cr_assert_eq(args.verb, CTL_VERB_WORK);
	cr_assert_eq(args.parallel, 4);
	cr_assert_eq(args.lease, 10 * SPAN_SECOND);
	cr_assert(args.once && !args.json);
	cr_assert_eq(args.n_operands, 6);
	cr_assert_str_eq(args.operands[0], "crm");
	cr_assert_str_eq(args.operands[2], "--once");
	cr_assert_str_eq(args.operands[4], "--");
	cr_assert_null(args.operands[6]);
}

Test(ctl_work, parallel_and_lease_have_their_bounds)
{
	static const char *const wrong[] = {"--parallel=0", "--parallel=65", "--parallel=x",
					    "--lease=2s",   "--lease=25h",   "--lease=1 month"};
	struct ctl_operands operands;
	struct ctl_fault fault;
	struct ctl_args args;

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		cr_assert_eq(PARSE(&args, &operands, &fault, "work", "crm", wrong[i]),
			     CTL_EXIT_USAGE, "%s", wrong[i]);
	}
	cr_assert_eq(PARSE(&args, &operands, &fault, "claim", "crm", "--lease=10s"), 0, "%s",
		     fault.text);
	cr_assert_str_eq(args.argument[ARGUMENT_lease_us], "10s");
	cr_assert_eq(PARSE(&args, &operands, &fault, "status", "--lease=10s"), CTL_EXIT_USAGE);
	cr_assert_eq(PARSE(&args, &operands, &fault, "list", "--once"), CTL_EXIT_USAGE);
}

Test(ctl_work, each_of_the_clients_own_options_belongs_to_a_verb_that_there_is)
{
	for (int id = 0; id < _CTL_OPTION_MAX; id++) {
		const char *only = ctl_option_table[id].only;
		const struct command *command;
		enum ctl_verb verb;

		if (only && strcmp(only, CTL_OPTION_BULK) != 0) {
			cr_assert(ctl_verb_find(only, &verb, &command), "%s", only);
		}
	}
}

Test(ctl_work, a_keeper_stands_before_its_accounts)
{
	struct ctl_operands operands;
	struct ctl_fault fault;
	struct ctl_args args;

	cr_assert_eq(PARSE(&args, &operands, &fault, "waive", "crm", "contoso/1", "uid:7",
			   "--reason=gone"),
		     0, "%s", fault.text);
	cr_assert_str_eq(args.argument[ARGUMENT_keeper], "crm");
	cr_assert_eq(operands.accounts.n, 2);
	ctl_operands_done(&operands);
	cr_assert_eq(PARSE(&args, &operands, &fault, "waive", "CRM!", "uid:7"), CTL_EXIT_USAGE);
	ctl_operands_done(&operands);
	cr_assert_eq(PARSE(&args, &operands, &fault, "waive", "crm", "uid:7"), CTL_EXIT_USAGE);
	cr_assert_str_eq(fault.text, "waive needs --reason");
	ctl_operands_done(&operands);
	cr_assert_eq(PARSE(&args, &operands, &fault, "waive", "crm", "--reason=x"), CTL_EXIT_USAGE);
}

Test(ctl_work, requests_are_named_by_numbers)
{
	struct ctl_operands operands;
	struct ctl_fault fault;
	struct ctl_args args;

	cr_assert_eq(PARSE(&args, &operands, &fault, "approve", "7", "9"), 0, "%s", fault.text);
	cr_assert_eq(operands.n_numbers, 2);
	cr_assert_str_eq(operands.numbers[1], "9");
	cr_assert_eq(PARSE(&args, &operands, &fault, "approve"), CTL_EXIT_USAGE);
	cr_assert_eq(PARSE(&args, &operands, &fault, "approve", "7", "x"), CTL_EXIT_USAGE);
	cr_assert_eq(PARSE(&args, &operands, &fault, "approve", "0"), CTL_EXIT_USAGE);
	cr_assert_eq(PARSE(&args, &operands, &fault, "deny", "7"), CTL_EXIT_USAGE);
	cr_assert_str_eq(fault.text, "deny needs --reason");
}

static size_t orgs_written(const char *text)
{
	struct pack_reader *reader;
	struct pack_scanner scanner = {.offset = 0};
	struct pack_limits limits = {1024, 100, 3};
	struct pack_value map, orgs;
	struct pack_writer writer;
	struct ctl_value value;
	size_t len;

	cr_assert_null(ctl_value_parse(ARGUMENT_TYPE_ORGS, text, 0, &value), "%s", text);
	pack_writer_init(&writer, 1024);
	pack_write_map(&writer);
	ctl_value_write(&writer, "orgs", &value);
	pack_write_end(&writer);
	cr_assert_eq(pack_reader_new(&reader), 0);
	cr_assert_eq(pack_scan(&scanner, &limits, writer.data, writer.len, &len), 0);
	cr_assert_eq(pack_read(reader, writer.data, len, &map), 0);
	cr_assert(pack_map_get(&map, "orgs", &orgs));
	cr_assert_eq(orgs.type, PACK_ARRAY);
	len = orgs.list.n;
	(void)pack_reader_free(reader);
	pack_writer_done(&writer);
	return len;
}

Test(ctl_work, organizations_are_written_with_commas_and_none_is_all)
{
	struct ctl_value value;

	cr_assert_eq(orgs_written(""), 0);
	cr_assert_eq(orgs_written("a"), 1);
	cr_assert_eq(orgs_written("a,b.c,d"), 3);
	cr_assert_not_null(ctl_value_parse(ARGUMENT_TYPE_ORGS, ",", 0, &value));
	cr_assert_not_null(ctl_value_parse(ARGUMENT_TYPE_ORGS, "a,", 0, &value));
	cr_assert_not_null(ctl_value_parse(ARGUMENT_TYPE_ORGS, "a,,b", 0, &value));
	cr_assert_not_null(ctl_value_parse(ARGUMENT_TYPE_ORGS, "a, b", 0, &value));
}

/* What check says */

#define NOW (INT64_C(1767225600) * SPAN_SECOND)

static void assert_faults(const char *answers_text, const char *codes)
{
	json_t *answers = json_loads(answers_text, 0, NULL);
	json_t *faults;
	char found[256] = "";
	size_t i;
	json_t *fault;

	cr_assert_not_null(answers, "%s", answers_text);
	faults = ctl_check_faults(answers, NOW);
	cr_assert_not_null(faults);
	json_array_foreach(faults, i, fault) {
		size_t len = strlen(found);

		(void)snprintf(found + len, sizeof(found) - len, "%s%s", len ? " " : "",
			       json_string_value(json_object_get(fault, "code")));
		cr_assert_gt(json_string_length(json_object_get(fault, "text")), 20);
	}
	cr_assert_str_eq(found, codes);
	json_decref(faults);
	json_decref(answers);
}

Test(ctl_work, check_is_content_when_nothing_needs_anybody)
{
	assert_faults("{}", "");
	assert_faults("{\"info\": {\"clock\": {\"trusted\": true}},"
		      " \"stats\": {\"accounts\": {\"overdue\": 0}, \"due_now\": 999},"
		      " \"sweep\": {\"paused\": false, \"failed\": 0},"
		      " \"requests\": {\"requests\": []},"
		      " \"keepers\": {\"keepers\": [{\"keeper\": \"a\", \"owed\": 5,"
		      " \"sla\": \"on-track\"}, {\"keeper\": \"b\", \"owed\": 0}]}}",
		      "");
}

Test(ctl_work, check_names_everything_that_needs_somebody)
{
	assert_faults("{\"info\": {\"clock\": {\"trusted\": false}},"
		      " \"stats\": {\"accounts\": {\"overdue\": 1}, \"due_now\": 1000},"
		      " \"sweep\": {\"paused\": true, \"failed\": 2},"
		      " \"requests\": {\"requests\": [{}]},"
		      " \"keepers\": {\"keepers\": [{\"keeper\": \"a\", \"owed\": 5,"
		      " \"sla\": \"overdue\"}]}}",
		      "clock-not-trusted sweep-paused sweep-failed removal-overdue sweep-behind "
		      "request-overdue keeper-silent");
}

Test(ctl_work, a_keeper_with_overdue_tasks_is_silent_from_fifteen_minutes_on)
{
	char text[256];

	(void)snprintf(text, sizeof(text),
		       "{\"keepers\": {\"keepers\": [{\"keeper\": \"a\", \"owed\": 1, \"sla\": "
		       "\"overdue\", \"last_seen_us\": %lld}]}}",
		       (long long)(NOW - CTL_CHECK_SILENCE_MAX));
	assert_faults(text, "keeper-overdue");
	(void)snprintf(text, sizeof(text),
		       "{\"keepers\": {\"keepers\": [{\"keeper\": \"a\", \"owed\": 1, \"sla\": "
		       "\"overdue\", \"last_seen_us\": %lld}]}}",
		       (long long)(NOW - CTL_CHECK_SILENCE_MAX - 1));
	assert_faults(text, "keeper-silent");
}
