/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/help.h"

#include "ctl/import_row.h"
#include "ctl/option.h"
#include "ctl/value.h"

#define OPTION_WIDTH 34 /* column in which the words about an option begin */

/* clang-format off */
/* Methods are grouped by what stands before their dot. */
const struct ctl_help_group ctl_help_groups[] = {
	{"account", "Accounts"},
	{"person", "Persons"},
	{"org", "Organizations"},
	{"hold", "Holds"},
	{"request", "Requests"},
	{"due", "Time"},
	{"sweep", "Sweep"},
	{"guard", "Guards"},
	{"keeper", "Keepers"},
	{"ledger", "Evidence"},
	{"stats", "Figures"},
	{"clock", "Simulated clock"},
	{"retention", "The daemon"},
	{"receipt", "Receipts"},
	{"events", "Events"},
	{"backup", "Backups"},
	{NULL, "More"},
	{NULL, NULL},
};

const struct ctl_help_text ctl_help_examples[] = {
	{COMMAND_account_import,  "retentionctl import --dry-run users.csv"},
	{COMMAND_account_import,  "retentionctl import --org=contoso users.json deleted.json"},
	{COMMAND_account_leave,   "retentionctl leave contoso/jane@fabrikam.example"},
	{COMMAND_account_remove,  "retentionctl remove --reason='contract ended' --ref=HR-7 @leavers.txt"},
	{COMMAND_account_restore, "retentionctl restore --new-upn=jane2@contoso.example contoso/8f14e"},
	{COMMAND_account_purge,   "retentionctl purge --dry-run --json @leavers.txt >plan.json"},
	{COMMAND_account_purge,   "retentionctl purge --plan=plan.json"},
	{COMMAND_account_purge,   "retentionctl purge --yes uid:1042"},
	{COMMAND_account_list,    "retentionctl list --state=soft-deleted --due-before=+7d"},
	{COMMAND_account_explain, "retentionctl explain contoso/8f14e45f"},
	{COMMAND_org_set,         "retentionctl set-org contoso --privacy-contact=privacy@contoso.example"},
	{COMMAND_due_forecast,    "retentionctl due --within=90d --by=week"},
	{COMMAND_ledger_read,     "retentionctl log uid:1042"},
	{COMMAND_receipt_get,     "retentionctl receipt contoso/8f14e45f >receipt.txt"},
	{COMMAND_receipt_get,     "retentionctl receipt verify receipt.txt --key=retentiond.pub"},
	{COMMAND_guard_release,   "retentionctl release-guard clock --dry-run"},
	{COMMAND_guard_list,      "retentionctl guards --engaged"},
	{COMMAND_guard_release,   "retentionctl release-guard mass --org=contoso --expect=700"},
	{COMMAND_guard_release,   "retentionctl release-guard mass --org=contoso --expect=700 --discard --reason='a script gone wild'"},
	{COMMAND_clock_advance,   "retentionctl advance 30d"},
	{COMMAND_keeper_set,      "retentionctl set-keeper crm --orgs=contoso,fabrikam"},
	{COMMAND_keeper_waive,    "retentionctl waive crm --reason='switched off in May' @left.txt"},
	{COMMAND_hold_add,        "retentionctl hold --hold=case-17 --until=+90d contoso/8f14e45f"},
	{COMMAND_hold_remove,     "retentionctl release --hold=case-17 contoso/8f14e45f"},
	{COMMAND_request_list,    "retentionctl requests --open"},
	{COMMAND_request_approve, "retentionctl approve 7 9"},
	{COMMAND_request_deny,    "retentionctl deny 8 --reason='still employed here'"},
	{_COMMAND_MAX,            NULL},
};
/* clang-format on */

static void put_option(FILE *out, char letter, const char *name, const char *value_name,
		       bool optional, const char *help)
{
	char text[96];

	(void)snprintf(text, sizeof(text), "  %c%c%s--%s%s%s%s%s", letter ? '-' : ' ',
		       letter ? letter : ' ', letter ? ", " : "  ", name,
		       value_name && optional ? "[" : "", value_name ? "=" : "",
		       value_name ? value_name : "", value_name && optional ? "]" : "");
	(void)fprintf(out, "%-*s", OPTION_WIDTH, text);
	if (strlen(text) >= OPTION_WIDTH) {
		(void)fprintf(out, "\n%*s", OPTION_WIDTH, "");
	}
	(void)fprintf(out, "%s\n", help);
}

/* Of every verb, or of this verb alone. */
static void put_own_options(FILE *out, const char *verb)
{
	for (int id = 0; id < _CTL_OPTION_MAX; id++) {
		const struct ctl_option *option = &ctl_option_table[id];

		if (ctl_option_belongs((enum ctl_option_id)id, verb) && !option->only == !verb) {
			put_option(out, option->letter, option->name, option->value_name, false,
				   option->help);
		}
	}
}

static bool has_prefix(const struct command *command, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(command->method, prefix, len) == 0 && command->method[len] == '.';
}

bool ctl_help_belongs(const struct command *command, const struct ctl_help_group *group)
{
	/* What only programs ask for is left to retentionctl call. */
	if (command->role == ROLE_KEEPER) {
		return false;
	}
	if (group->prefix) {
		return has_prefix(command, group->prefix);
	}
	for (group = ctl_help_groups; group->prefix; group++) {
		if (has_prefix(command, group->prefix)) {
			return false;
		}
	}
	return true;
}

static void put_verb(FILE *out, const char *verb, const char *operands, const char *summary)
{
	int len = (int)strlen(verb);

	/* "…" is three bytes and one column. */
	for (const char *p = operands; *p; p++) {
		len += (*p & 0xc0) != 0x80;
	}
	(void)fprintf(out, "  %s %s%*s %s\n", verb, operands, MAX(0, 28 - len), "", summary);
}

static void put_group(FILE *out, const struct ctl_help_group *group)
{
	bool any = false;

	for (size_t i = 0; i < _COMMAND_MAX; i++) {
		const struct command *command = &command_table[i];

		if (ctl_help_belongs(command, group)) {
			if (!any) {
				(void)fprintf(out, "\n%s\n", group->title);
			}
			any = true;
			put_verb(out, command->verb, command->operands, command->summary);
		}
	}
}

static void put_exit_codes(FILE *out)
{
	(void)fputs("\nExit codes\n", out);
	for (const struct ctl_exit_row *row = ctl_exit_table; row->name; row++) {
		(void)fprintf(out, "  %3d  %-13s %s\n", (int)row->exit, row->name, row->meaning);
	}
}

void ctl_help_overview(FILE *out)
{
	(void)fputs(
		"Usage: retentionctl [OPTIONS] [VERB] [OPERANDS]\n\n"
		"Keeps the promises made to guest accounts: asks retentiond, and tells it what to do.\n\n"
		"ACCOUNT is ORG/ID, ORG/PERSON (with an @) or uid:N; where several may stand, @FILE\n"
		"and - (standard input) give one a line. SPAN is 30d or 1d12h. INSTANT is\n"
		"2026-03-01T12:00:00Z, 2026-03-01 or +30d.\n",
		out);
	for (const struct ctl_help_group *group = ctl_help_groups; group->title; group++) {
		put_group(out, group);
	}
	(void)fputs("\nThis client\n", out);
	for (int verb = CTL_VERB_COMMAND + 1; verb < _CTL_VERB_MAX; verb++) {
		if (!ctl_verb_is_hidden((enum ctl_verb)verb)) {
			put_verb(out, ctl_verb_table[verb].name, ctl_verb_table[verb].operands,
				 ctl_verb_table[verb].summary);
		}
	}
	(void)fputs("\nOptions of every verb\n", out);
	put_own_options(out, NULL);
	put_exit_codes(out);
	(void)fputs(
		"\nretentionctl VERB --help tells a verb's options; retentionctl(1) tells all.\n",
		out);
}

static void put_arguments(FILE *out, const struct command *command)
{
	enum argument_symbol symbol;

	for (size_t i = 0; (symbol = ctl_option_argument_at(command, i)) != _ARGUMENT_MAX; i++) {
		const struct argument *argument = &argument_table[symbol];
		char name[CTL_OPTION_NAME_MAX];

		ctl_option_name(symbol, name);
		put_option(out, 0, name, ctl_value_placeholder(argument->type),
			   argument->type == ARGUMENT_TYPE_BOOL, argument->help);
	}
}

static void put_examples(FILE *out, const struct command *command)
{
	bool any = false;

	for (const struct ctl_help_text *example = ctl_help_examples; example->text; example++) {
		if (example->command == ctl_option_command(command)) {
			(void)fputs(any ? "" : "\nExamples\n", out);
			(void)fprintf(out, "  %s\n", example->text);
			any = true;
		}
	}
}

static void put_account_forms(FILE *out, const struct command *command)
{
	if (strstr(command->operands, "ACCOUNT…")) {
		(void)fputs(
			"ACCOUNT is ORG/ID, ORG/PERSON (with an @) or uid:N; @FILE and - (standard\n"
			"input) give one a line.\n",
			out);
	} else if (strstr(command->operands, "ACCOUNT")) {
		(void)fputs("ACCOUNT is ORG/ID, ORG/PERSON (with an @) or uid:N.\n", out);
	}
}

void ctl_help_about(const struct command *command, FILE *out)
{
	if (command_takes(command, ARGUMENT_accounts)) {
		(void)fputs(
			"--dry-run --json prints a plan: what would be done to each account as it is now.\n"
			"--plan=FILE does exactly that later; what has changed meanwhile is left alone, and\n"
			"told.\n",
			out);
	}
	if (ctl_option_command(command) == COMMAND_events_subscribe) {
		(void)fputs(
			"A line for each entry; with --json, an object a line. --from=N begins with entry N,\n"
			"so that nothing is missed. A daemon that restarts is waited for, and what happened\n"
			"meanwhile is told then. Ctrl-C ends it.\n",
			out);
	}
	if (ctl_option_command(command) == COMMAND_receipt_get) {
		(void)fputs(
			"When the removal is complete, ACCOUNT is ORG/ID or uid:N: the person's name is no\n"
			"longer known.\n"
			"receipt verify FILE [--key=HEX|FILE] checks a receipt that was kept in a file. It\n"
			"asks no daemon; it exits 14 and says what is wrong if the receipt is not what was\n"
			"signed.\n",
			out);
	}
	if (ctl_option_command(command) == COMMAND_account_import) {
		char names[IMPORT_ROW_NAMES_MAX];

		import_row_names(names);
		(void)fprintf(
			out,
			"Files are CSV with a header line, JSON lines, or what Microsoft Graph answers\n"
			"for users and deleted items; - is standard input. Nothing is changed unless\n"
			"every row of every file is right.\n"
			"\n"
			"In CSV commas separate the fields, and the header names them; in JSON they are\n"
			"the keys:\n"
			"\n"
			"  %s\n"
			"\n"
			"org, id, kind and upn must be there; --org and --kind stand in for what a row\n"
			"leaves out. In CSV ; separates the groups of an account, and its permissions.\n"
			"deleted_at_us is an instant, or microseconds since 1970, and may be called\n"
			"deleted_at.\n",
			names);
	}
}

void ctl_help_command(const struct command *command, FILE *out)
{
	(void)fprintf(out, "Usage: retentionctl [OPTIONS] %s%s%s\n\n%s.\n", command->verb,
		      *command->operands ? " " : "", command->operands, command->summary);
	put_account_forms(out, command);
	ctl_help_about(command, out);
	if (command->n_arguments > 0) {
		(void)fputs("\nOptions of this verb\n", out);
		put_arguments(out, command);
		put_own_options(out, command->verb);
	}
	(void)fputs("\nOptions of every verb\n", out);
	put_own_options(out, NULL);
	put_examples(out, command);
	(void)fprintf(out, "\nMethod on the wire: %s; role: %s.\n", command->method,
		      role_name(command->role));
}

static bool has_options(const char *verb)
{
	for (int id = 0; id < _CTL_OPTION_MAX; id++) {
		if (ctl_option_table[id].only && strcmp(ctl_option_table[id].only, verb) == 0) {
			return true;
		}
	}
	return false;
}

static void put_own_verb(FILE *out, const struct ctl_verb_row *verb)
{
	(void)fprintf(out, "Usage: retentionctl [OPTIONS] %s%s%s\n\n%s.\n", verb->name,
		      *verb->operands ? " " : "", verb->operands, verb->summary);
	if (verb->about) {
		(void)fprintf(out, "\n%s", verb->about);
	}
	if (has_options(verb->name)) {
		(void)fputs("\nOptions of this verb\n", out);
		put_own_options(out, verb->name);
	}
	(void)fputs("\nOptions of every verb\n", out);
	put_own_options(out, NULL);
}

int ctl_help_run(const struct ctl_args *args, FILE *out, struct ctl_fault *fault)
{
	enum ctl_verb verb = args->verb;
	const struct command *command = args->command;

	if (verb == CTL_VERB_HELP && args->n_operands > 0 &&
	    !ctl_verb_find(args->operands[0], &verb, &command)) {
		return ctl_verb_unknown(args->operands[0], fault);
	}
	if (command) {
		ctl_help_command(command, out);
	} else if (verb != CTL_VERB_STATUS && verb != CTL_VERB_HELP) {
		put_own_verb(out, &ctl_verb_table[verb]);
	} else {
		ctl_help_overview(out);
	}
	return 0;
}
