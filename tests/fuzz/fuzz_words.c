/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "ctl/complete_line.h"
#include "ctl/plan.h"
#include "ctl/value.h"
#include "daemon/config.h"

#include "tests/fuzz/fuzz.h"
#include "tests/support/params.h"

/*
 * What administrators write. The first byte says which:
 *
 *     0  a configuration file: taken, or refused with its faults, each one line
 *     1  a plan for a verb: taken, and then it names accounts, or refused with what to do
 *     2  a command line, its words ended by line breaks
 *     3  a value of an argument: what the client takes the daemon takes
 *     4  instants and spans: written out, what was read reads the same again
 */

#define WORDS_MAX 32
#define LINE_MAX  16384                               /* bytes of a sentence */
#define NOW       (INT64_C(1772366400) * SPAN_SECOND) /* 2026-03-01T12:00:00Z */

/* Sentences */

/* For people: one line, whatever it was made of. */
static void prove_line(const char *text)
{
	assert(text[0] != '\0' && strlen(text) < LINE_MAX);
	for (; *text; text++) {
		assert(((uint8_t)*text >= 0x20 && *text != 0x7f));
	}
}

static void prove_fault(const struct ctl_fault *fault, int r)
{
	cleanup(freep) char *text = NULL;
	size_t len;
	FILE *out;

	assert(r == (int)fault->exit && fault->code[0] && fault->text[0]);
	for (int json = 0; json <= 1; json++) {
		out = open_memstream(&text, &len);
		assert(out);
		ctl_fault_print(fault, json, out);
		(void)fclose(out); /* in memory */
		assert(len > 0 && text[len - 1] == '\n');
		text[len - 1] = '\0';
		prove_line(text);
		free(TAKE_PTR(text));
	}
}

/* A configuration */

static void take_fault(unused void *userdata, const char *text)
{
	assert(text[0] != '\0' && !strchr(text, '\n'));
}

static void try_config(struct feed *feed)
{
	static const char *path;
	const char *names[CONFIG_RESTART_MAX];
	struct settings_report report = {.tell = take_fault};
	struct config *config;
	int r;

	path = path ? path : fuzz_file("retentiond.conf");
	fuzz_file_write(path, feed_rest(feed));
	r = config_load(path, &report, &config);
	assert((r == 0 && report.n_faults == 0) || (r == CONFIG_E_INVALID && report.n_faults > 0));
	if (r == 0) {
		assert(config->state_directory[0] == '/' && config->socket[0] == '/');
		assert(config_restart_wanted(config, config, names) == 0);
		(void)config_free(config); /* NULL */
	}
}

/* A plan */

static const enum command_symbol planned[] = {
	COMMAND_account_remove, COMMAND_account_restore, COMMAND_account_purge,
	COMMAND_hold_add,       COMMAND_keeper_waive,    COMMAND_account_leave,
};

static void prove_plan(const struct ctl *ctl)
{
	const struct ctl_accounts *accounts = &ctl->operands.accounts;

	assert(accounts->n > 0);
	for (size_t i = 0; i < accounts->n; i++) {
		assert(accounts->items[i].uid > 0 && accounts->items[i].seq > 0);
		assert(accounts->items[i].written);
	}
}

/* There is no daemon to ask whether the plan was made for its store: so far a good one comes. */
static void try_plan(struct feed *feed)
{
	static const char *path, *nowhere;
	struct ctl ctl = {.args.quiet = true};
	int r;

	path = path ? path : fuzz_file("plan");
	nowhere = nowhere ? nowhere : fuzz_file("socket");
	ctl.args.command = &command_table[planned[feed_u8(feed) % ARRAY_LEN(planned)]];
	ctl.args.plan = path;
	fuzz_file_write(path, feed_rest(feed));
	r = ctl_client_new(nowhere, SPAN_SECOND, &ctl.client);
	assert(r == 0);
	r = ctl_plan_take(&ctl);
	prove_fault(&ctl.fault, r);
	assert(r == CTL_EXIT_USAGE || r == CTL_EXIT_UNREACHABLE);
	if (r == CTL_EXIT_UNREACHABLE) {
		prove_plan(&ctl);
	}
	ctl_operands_done(&ctl.operands);
	json_decref(ctl.plan);
	(void)ctl_client_free(ctl.client); /* NULL */
}

/* A command line */

/* Those that name files of accounts, or standard input, are read only by who means it. */
static bool reads_files(const struct ctl_args *args)
{
	for (size_t i = 0; i < args->n_operands; i++) {
		if (args->operands[i][0] == '@' || args->operands[i][0] == '-') {
			return true;
		}
	}
	return false;
}

static void try_operands(struct ctl_args *args)
{
	struct ctl_fault fault = {0};
	struct ctl_operands operands;
	int r;

	if (!args->command || reads_files(args)) {
		return;
	}
	r = ctl_operands_take(args, &operands, &fault);
	if (r != 0) {
		prove_fault(&fault, r);
	}
	ctl_operands_done(&operands);
}

static void try_completion(char *const *words, size_t n)
{
	struct ctl_complete_line line;
	struct ctl_operand_word word;

	ctl_complete_line_read(words, n, &line);
	assert(line.n == n && line.value_at <= strlen(ctl_complete_line_last(&line)));
	(void)!ctl_complete_line_has(&line, "json"); /* either is right, here and below */
	(void)!ctl_complete_line_operand(&line, &word);
	(void)ctl_complete_line_value(&line);
}

static void try_line(struct feed *feed)
{
	cleanup(freep) char *text = fuzz_string(feed_rest(feed));
	char program[] = "retentionctl", *words[WORDS_MAX + 2] = {program}, *rest = text;
	struct ctl_fault fault = {0};
	struct ctl_args args;
	int n = 1, r;

	while (n <= WORDS_MAX && (words[n] = strsep(&rest, "\n"))) {
		n++;
	}
	words[n] = NULL;
	if (n > 1) {
		try_completion(words + 1, (size_t)n - 1);
	}
	r = ctl_args_parse(n, words, &args, &fault);
	assert(r == 0 || r == CTL_EXIT_USAGE);
	if (r != 0) {
		prove_fault(&fault, r);
	} else {
		(void)ctl_args_verb_name(&args);
		try_operands(&args);
	}
}

/* A value */

static const struct command *command_with(enum argument_symbol symbol)
{
	for (size_t i = 0; i < _COMMAND_MAX; i++) {
		if (command_takes(&command_table[i], symbol)) {
			return &command_table[i];
		}
	}
	return NULL;
}

/* Another argument may be missing: what is said must not be of this one. */
static void prove_taken(enum argument_symbol symbol, const struct ctl_value *value)
{
	const char *name = argument_table[symbol].name;
	const struct command *command = command_with(symbol);

	if (!params_request) {
		params_init();
	}
	assert(command);
	params_begin();
	ctl_value_write(&params_writer, name, value);
	if (params_decode(command->method) != 0 && strncmp(params_fault, name, strlen(name)) == 0 &&
	    params_fault[strlen(name)] == ':') {
		(void)fprintf(stderr, "the daemon refuses it: %s\n", params_fault);
		abort();
	}
}

/* A limit of the client is of all rows together, and may be of more than one page has. */
static bool is_asked_in_pages(enum argument_type type, const struct ctl_value *value)
{
	return type == ARGUMENT_TYPE_LIMIT && value->integer > MODEL_ACCOUNTS_MAX;
}

static void try_value(struct feed *feed)
{
	enum argument_symbol symbol = (enum argument_symbol)(feed_u8(feed) % _ARGUMENT_MAX);
	enum argument_type type = argument_table[symbol].type;
	cleanup(freep) char *text = fuzz_string(feed_rest(feed));
	struct ctl_account account;
	struct ctl_value value;
	const char *wrong = ctl_value_parse(type, text, NOW, &value);

	if (wrong) {
		prove_line(wrong);
	} else if (!argument_is_list(type) && !is_asked_in_pages(type, &value)) {
		prove_taken(symbol, &value);
	}
	wrong = ctl_account_parse(text, &account);
	if (wrong) {
		prove_line(wrong);
	}
}

/* Instants and spans */

static void prove_instant(instant_t at)
{
	char text[INSTANT_TEXT_MAX];
	instant_t again;
	int r;

	assert(at >= 0 && at <= INSTANT_MAX);
	for (int utc = 0; utc <= 1; utc++) {
		instant_format(at, utc, text);
		r = instant_parse(slice_of(text), 0, &again);
		assert(r == 0 && again == at);
	}
}

static void prove_span(span_t span)
{
	char text[SPAN_TEXT_MAX];
	span_t again;
	int r;

	assert(span >= 0 && span <= SPAN_MAX);
	span_format(span, text);
	span_format(-span, text);
	span_format_exact(span, text);
	r = span_parse(slice_of(text), &again);
	assert(r == 0 && again == span);
}

static void try_times(struct feed *feed)
{
	instant_t now = (instant_t)feed_u16(feed) * 4 * SPAN_DAY;
	struct slice text = feed_rest(feed);
	uint64_t bytes;
	instant_t at;
	span_t span;
	int r = instant_parse(text, now, &at);

	if (r == 0) {
		prove_instant(at);
	} else {
		prove_line(instant_fault(r));
	}
	r = span_parse(text, &span);
	if (r == 0) {
		prove_span(span);
	} else {
		prove_line(span_fault(r));
	}
	if (text.len < LINE_MAX) {
		cleanup(freep) char *string = fuzz_string(text);

		(void)!config_parse_bytes(string, &bytes); /* either is right */
	}
}

static void (*const kinds[])(struct feed *feed) = {
	try_config, try_plan, try_line, try_value, try_times,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct feed feed = {data, len};

	kinds[feed_u8(&feed) % ARRAY_LEN(kinds)](&feed);
	return 0;
}
