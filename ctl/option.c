/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/option.h"

/* clang-format off */
const struct ctl_option ctl_option_table[_CTL_OPTION_MAX] = {
	[CTL_OPTION_SOCKET]    = {"socket", 0, "PATH",
		"the daemon's socket; $RETENTIOND_SOCKET or /run/retentiond/retentiond.sock if not given",
		NULL},
	[CTL_OPTION_TIMEOUT]   = {"timeout", 0, "SPAN",
		"how long to wait for one answer, also while the daemon is started anew; with wait, for all of it; 30s if not given",
		NULL},
	[CTL_OPTION_JSON]      = {"json", 'j', NULL,
		"print JSON, one document, for scripts", NULL},
	[CTL_OPTION_UTC]       = {"utc", 0, NULL,
		"print times in UTC instead of local time", NULL},
	[CTL_OPTION_NO_LEGEND] = {"no-legend", 0, NULL,
		"print no column headings and no closing line", NULL},
	[CTL_OPTION_QUIET]     = {"quiet", 'q', NULL,
		"print no progress, no notes, and nothing about what went well", NULL},
	[CTL_OPTION_YES]       = {"yes", 0, NULL,
		"confirm what cannot be undone; only for accounts that are named or in a @FILE",
		NULL},
	[CTL_OPTION_HELP]      = {"help", 'h', NULL,
		"print this help", NULL},
	[CTL_OPTION_VERSION]   = {"version", 0, NULL,
		"print the client's version", NULL},
	[CTL_OPTION_FORMAT]    = {"format", 0, "auto|csv|jsonl|graph",
		"what the files hold; by their content if not given", "import"},
	[CTL_OPTION_ALL]       = {"all", 0, NULL,
		"list every row, not only those that were refused", "import"},
	[CTL_OPTION_NEW_UPN]   = {"new-upn", 0, "ADDRESS",
		"restore one account under this UPN, when the old one is taken meanwhile",
		"restore"},
	[CTL_OPTION_PLAN]      = {"plan", 0, "FILE",
		"do what a plan says: the output of --dry-run --json", CTL_OPTION_BULK},
	[CTL_OPTION_FOR]       = {"for", 0, "STATE",
		"active, soft-deleted, removing or removed", "wait"},
	[CTL_OPTION_PARALLEL]  = {"parallel", 0, "N",
		"how many tasks to work on at a time, 1 to 64; 1 if not given", "work"},
	[CTL_OPTION_LEASE]     = {"lease", 0, "SPAN",
		"how long a task is kept for us if we are not heard of: 3s to 1d; 5min if not given", "work"},
	[CTL_OPTION_ONCE]      = {"once", 0, NULL,
		"end when there is nothing to do, instead of waiting for more", "work"},
	[CTL_OPTION_KEY]       = {"key", 0, "HEX|FILE",
		"with receipt verify FILE: the public key whose signature it must be", "receipt"},
	[CTL_OPTION_FROM]      = {"from", 0, "INSTANT",
		"the first instant that counts; the beginning of the ledger if not given", "report"},
	[CTL_OPTION_TO]        = {"to", 0, "INSTANT",
		"the first instant that counts no more; until now if not given", "report"},
	[CTL_OPTION_CSV]       = {"csv", 0, NULL,
		"print CSV, for spreadsheets", "report"},
	[CTL_OPTION_DEEP]      = {"deep", 0, NULL,
		"prove the ledger and the whole store as well, which takes a while", "check"},
};
/* clang-format on */

/* Rows of a file that name no organization or kind get these. */
static const enum argument_symbol import_defaults[] = {ARGUMENT_org, ARGUMENT_kind};

void ctl_option_name(enum argument_symbol symbol, char name[static CTL_OPTION_NAME_MAX])
{
	const char *from = argument_table[symbol].name;
	size_t len = strlen(from);

	if (len > 3 && strcmp(from + len - 3, "_us") == 0) {
		len -= 3;
	}
	assert(len < CTL_OPTION_NAME_MAX);
	for (size_t i = 0; i < len; i++) {
		name[i] = (char)(from[i] == '_' ? '-' : from[i]);
	}
	name[len] = '\0';
}

enum command_symbol ctl_option_command(const struct command *command)
{
	assert(command >= command_table);
	assert(command < command_table + _COMMAND_MAX);
	return (enum command_symbol)(command - command_table);
}

static bool is_option(enum argument_symbol symbol)
{
	enum argument_type type = argument_table[symbol].type;

	return !argument_is_list(type) && type != ARGUMENT_TYPE_TEXTS;
}

enum argument_symbol ctl_option_argument_at(const struct command *command, size_t i)
{
	for (size_t k = 0; k < command->n_arguments; k++) {
		if (is_option(command->arguments[k].symbol) && i-- == 0) {
			return command->arguments[k].symbol;
		}
	}
	if (ctl_option_command(command) == COMMAND_account_import &&
	    i < ARRAY_LEN(import_defaults)) {
		return import_defaults[i];
	}
	return _ARGUMENT_MAX;
}

enum argument_symbol ctl_option_argument(const struct command *command, const char *name)
{
	enum argument_symbol symbol;

	for (size_t i = 0; (symbol = ctl_option_argument_at(command, i)) != _ARGUMENT_MAX; i++) {
		char its_name[CTL_OPTION_NAME_MAX];

		ctl_option_name(symbol, its_name);
		if (strcmp(its_name, name) == 0) {
			return symbol;
		}
	}
	return _ARGUMENT_MAX;
}

bool ctl_option_belongs(enum ctl_option_id option, const char *verb)
{
	const char *only = ctl_option_table[option].only;

	if (!only || !verb) {
		return !only;
	}
	if (strcmp(only, CTL_OPTION_BULK) == 0) {
		const struct command *command = command_by_verb(verb);

		return command && command_takes(command, ARGUMENT_accounts);
	}
	return strcmp(verb, only) == 0;
}
