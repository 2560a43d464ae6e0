/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/complete_word.h"

#include <inttypes.h>

#include "ctl/complete_ask.h"
#include "ctl/json.h"

#define ABOUT_MAX 384 /* a display name and some words; what is longer is cut */

/* From the tables */

static void offer_states(struct ctl_completion *completion)
{
	for (int state = 0; state < _ACCOUNT_STATE_MAX; state++) {
		ctl_complete_put(&completion->list, account_state_name((enum account_state)state),
				 "", "");
	}
}

static void offer_kinds(struct ctl_completion *completion)
{
	for (int kind = 1; kind < _ACCOUNT_KIND_MAX; kind++) {
		ctl_complete_put(&completion->list, account_kind_name((enum account_kind)kind), "",
				 "");
	}
}

/* What a keeper may say; that it was waived is for an administrator. */
static void offer_results(struct ctl_completion *completion)
{
	for (int result = 1; result < _TASK_RESULT_MAX; result++) {
		if (result != TASK_RESULT_WAIVED) {
			ctl_complete_put(&completion->list,
					 task_result_name((enum task_result)result), "", "");
		}
	}
}

static void offer_guards(struct ctl_completion *completion)
{
	for (int guard = 0; guard < _GUARD_MAX; guard++) {
		ctl_complete_put(&completion->list, guard_name((enum guard)guard), "", "");
	}
}

static void offer_methods(struct ctl_completion *completion)
{
	for (size_t i = 0; i < _COMMAND_MAX; i++) {
		ctl_complete_put(&completion->list, command_table[i].method, "",
				 command_table[i].summary);
	}
}

/* As in help, what only programs ask for is left to retentionctl call. */
static void offer_verbs(struct ctl_completion *completion)
{
	for (size_t i = 0; i < _COMMAND_MAX; i++) {
		if (command_table[i].role != ROLE_KEEPER) {
			ctl_complete_put(&completion->list, command_table[i].verb, "",
					 command_table[i].summary);
		}
	}
	for (int verb = CTL_VERB_COMMAND + 1; verb < _CTL_VERB_MAX; verb++) {
		if (!ctl_verb_is_hidden((enum ctl_verb)verb)) {
			ctl_complete_put(&completion->list, ctl_verb_table[verb].name, "",
					 ctl_verb_table[verb].summary);
		}
	}
}

static void offer_files(struct ctl_completion *completion)
{
	completion->list.directive = CTL_COMPLETE_FILES;
}

/* A program, and then what it is given: most likely files. */
static void offer_commands(struct ctl_completion *completion)
{
	completion->list.directive =
		completion->line.n_operands > 1 ? CTL_COMPLETE_FILES : CTL_COMPLETE_COMMANDS;
}

/* From the daemon */

static void put_orgs(struct ctl_completion *completion, const char *tail)
{
	const struct ctl_complete_question question = {.command = COMMAND_org_list, .rows = "orgs"};
	json_t *orgs = ctl_complete_ask(completion->socket, &question);
	const json_t *row;
	size_t i;

	json_array_foreach(orgs, i, row) {
		const char *org = ctl_json_text(row, "org");
		const char *name = ctl_json_text(row, "name");

		if (org) {
			ctl_complete_put(&completion->list, org, tail, name ? name : "");
		}
	}
	json_decref(orgs);
}

static void offer_orgs(struct ctl_completion *completion)
{
	put_orgs(completion, "");
}

/* The one behind the last comma. */
static void offer_more_orgs(struct ctl_completion *completion)
{
	const char *comma = strrchr(ctl_complete_wanted(&completion->list), ',');

	if (comma) {
		completion->list.keep = (size_t)(comma + 1 - completion->list.word);
	}
	put_orgs(completion, "");
}

static void offer_keepers(struct ctl_completion *completion)
{
	const struct ctl_complete_question question = {.command = COMMAND_keeper_list,
						       .rows = "keepers"};
	json_t *keepers = ctl_complete_ask(completion->socket, &question);
	const json_t *row;
	size_t i;

	json_array_foreach(keepers, i, row) {
		const char *keeper = ctl_json_text(row, "keeper");
		char about[ABOUT_MAX];

		(void)snprintf(about, sizeof(about), "%sowes %" JSON_INTEGER_FORMAT,
			       json_is_true(json_object_get(row, "enabled")) ? "" : "disabled, ",
			       json_integer_value(json_object_get(row, "owed")));
		if (keeper) {
			ctl_complete_put(&completion->list, keeper, "", about);
		}
	}
	json_decref(keepers);
}

/* Only those that can still be decided; whom they are about is not shown. */
static void offer_requests(struct ctl_completion *completion)
{
	const struct ctl_complete_question question = {
		.command = COMMAND_request_list,
		.argument = {[ARGUMENT_open] = "yes"},
		.rows = "requests",
	};
	const struct command *command = completion->line.command;
	json_t *requests;
	const json_t *row;
	size_t i;

	/* --limit=NUMBER and --from=NUMBER are other numbers. */
	if (completion->line.option[0] || !command || !command_takes(command, ARGUMENT_requests)) {
		return;
	}
	requests = ctl_complete_ask(completion->socket, &question);
	json_array_foreach(requests, i, row) {
		const char *org = ctl_json_text(row, "org");
		char number[24], due[INSTANT_TEXT_MAX], about[ABOUT_MAX];

		instant_format(json_integer_value(json_object_get(row, "due_us")), false, due);
		(void)snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT,
			       json_integer_value(json_object_get(row, "request")));
		(void)snprintf(about, sizeof(about), "%s, due %s", org ? org : "-", due);
		ctl_complete_put(&completion->list, number, "", about);
	}
	json_decref(requests);
}

/* Those of the account that is named already. */
static void offer_holds(struct ctl_completion *completion)
{
	struct ctl_account account;
	const struct ctl_complete_question question = {
		.command = COMMAND_hold_list, .account = &account, .rows = "holds"};
	const char *first = completion->line.first;
	const struct command *command = completion->line.command;
	json_t *holds;
	const json_t *row;
	size_t i;

	if (!command || !command_takes(command, ARGUMENT_hold) || !first ||
	    ctl_account_parse(first, &account)) {
		return;
	}
	holds = ctl_complete_ask(completion->socket, &question);
	json_array_foreach(holds, i, row) {
		const char *hold = ctl_json_text(row, "hold");

		if (hold) {
			ctl_complete_put(&completion->list, hold, "", "");
		}
	}
	json_decref(holds);
}

/* The state that an account is in if the verb is to be of any use for it; NULL for any. */
static const char *fitting_state(const struct command *command)
{
	/* clang-format off */
	static const struct {
		enum command_symbol command;
		enum account_state state;
	} fitting[] = {
		{COMMAND_account_leave,   ACCOUNT_STATE_ACTIVE},
		{COMMAND_account_remove,  ACCOUNT_STATE_ACTIVE},
		{COMMAND_account_disable, ACCOUNT_STATE_ACTIVE},
		{COMMAND_account_enable,  ACCOUNT_STATE_ACTIVE},
		{COMMAND_request_file,    ACCOUNT_STATE_ACTIVE},
		{COMMAND_account_restore, ACCOUNT_STATE_SOFT_DELETED},
		{COMMAND_account_purge,   ACCOUNT_STATE_SOFT_DELETED},
		{COMMAND_keeper_waive,    ACCOUNT_STATE_REMOVING},
		{COMMAND_keeper_owe,      ACCOUNT_STATE_REMOVING},
	};
	/* clang-format on */

	for (size_t i = 0; i < ARRAY_LEN(fitting); i++) {
		if (command == &command_table[fitting[i].command]) {
			return account_state_name(fitting[i].state);
		}
	}
	return NULL;
}

static void put_account(struct ctl_completion *completion, const json_t *row)
{
	const char *id = ctl_json_text(row, "id");
	const char *kind = ctl_json_text(row, "kind");
	const char *state = ctl_json_text(row, "state");
	char about[ABOUT_MAX];

	/* ORG/x@y would be read as a person. */
	if (!id || strchr(id, '@')) {
		return;
	}
	(void)snprintf(about, sizeof(about), "%s, %s", kind ? kind : "-", state ? state : "-");
	ctl_complete_put(&completion->list, id, "", about);
}

/*
 * Ids alone: they name nobody, and whoever asks may see them. A list that is cut is not offered
 * (see ctl_complete_ask()): the one match of its beginning would be taken for the only one, and
 * purge for the right one.
 */
static void offer_ids(struct ctl_completion *completion, struct slice org)
{
	char name[MODEL_ORG_LEN_MAX + 1];
	struct ctl_complete_question question = {.command = COMMAND_account_list,
						 .rows = "accounts"};
	json_t *accounts;
	const json_t *row;
	size_t i;

	if (model_org_fault(org)) {
		return;
	}
	(void)snprintf(name, sizeof(name), "%.*s", SLICE_ARG(org));
	question.argument[ARGUMENT_org] = name;
	question.argument[ARGUMENT_state] = fitting_state(completion->line.command);
	accounts = ctl_complete_ask(completion->socket, &question);
	json_array_foreach(accounts, i, row) {
		put_account(completion, row);
	}
	json_decref(accounts);
}

static void offer_accounts(struct ctl_completion *completion, bool many)
{
	const char *wanted = ctl_complete_wanted(&completion->list);
	const char *slash = strchr(wanted, '/');

	if (wanted[0] == '@') {
		completion->list.keep++;
		completion->list.directive = many ? CTL_COMPLETE_FILES : CTL_COMPLETE_DONE;
	} else if (slash) {
		completion->list.keep += (size_t)(slash + 1 - wanted);
		offer_ids(completion, (struct slice){wanted, (size_t)(slash - wanted)});
	} else {
		put_orgs(completion, "/");
	}
}

static const struct {
	const char *usage;
	void (*offer)(struct ctl_completion *completion);
} words[] = {
	/* clang-format off */
	{"ORG",     offer_orgs},
	{"ORG,ORG", offer_more_orgs},
	{"KEEPER",  offer_keepers},
	{"NUMBER",  offer_requests},
	{"NAME",    offer_holds},
	{"STATE",   offer_states},
	{"GUARD",   offer_guards},
	{"KIND",    offer_kinds},
	{"RESULT",  offer_results},
	{"METHOD",  offer_methods},
	{"VERB",    offer_verbs},
	{"FILE",    offer_files},
	{"PATH",    offer_files},
	{"COMMAND", offer_commands},
	/* clang-format on */
};

static void offer_word(struct ctl_completion *completion, const char *usage, bool many)
{
	if (strcmp(usage, "ACCOUNT") == 0) {
		offer_accounts(completion, many);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(words[i].usage, usage) == 0) {
			words[i].offer(completion);
			return;
		}
	}
	if (strcspn(usage, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == strlen(usage)) {
		ctl_complete_put(&completion->list, usage, "", "");
	}
}

void ctl_complete_word(struct ctl_completion *completion, const char *usage, bool many)
{
	char alternatives[128];
	char *rest = alternatives;
	const char *alternative;

	assert(strlen(usage) < sizeof(alternatives));
	(void)strcpy(alternatives, usage);
	while ((alternative = strsep(&rest, "|"))) {
		offer_word(completion, alternative, many);
	}
}
