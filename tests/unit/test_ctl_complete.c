/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/complete.h"

#include <criterion/criterion.h>

#include "ctl/complete_list.h"
#include "ctl/option.h"

#define WORDS_MAX 12

/* What is told for a command line when there is no daemon, with a '\n' before it: so that a whole
 * line can be looked for. */
struct told {
	char *text;
	size_t len;
};

static void complete(struct told *told, const char *const *words)
{
	struct ctl ctl = {.args = {.socket = "/nonexistent/socket"}};
	char *operands[WORDS_MAX];
	size_t n = 0;

	for (; words[n]; n++) {
		cr_assert_lt(n, WORDS_MAX);
		operands[n] = (char *)words[n];
	}
	ctl.args.operands = operands;
	ctl.args.n_operands = n;
	ctl.show.out = open_memstream(&told->text, &told->len);
	cr_assert(ctl.show.out);
	(void)fputc('\n', ctl.show.out);
	cr_assert_eq(ctl_complete_run(&ctl), 0);
	(void)fclose(ctl.show.out);
}

#define COMPLETE(told, ...) complete((told), (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static bool offers(const struct told *told, const char *candidate)
{
	char line[256];

	(void)snprintf(line, sizeof(line), "\n%s\t", candidate);
	return strstr(told->text, line);
}

/* What a line completes to, all of it. */
static void assert_completes(const char *text, const char *const *words)
{
	struct told told;

	complete(&told, words);
	cr_assert_str_eq(told.text + 1, text);
	free(told.text);
}

#define ASSERT_COMPLETES(told, ...)                                                                \
	assert_completes((told), (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

Test(ctl_complete, the_first_word_is_a_verb_with_its_summary)
{
	struct told told;

	COMPLETE(&told, "lis");
	cr_assert_str_eq(told.text, "\nlist\tAccounts, a page at a time\n:done\n");
	free(told.text);
	COMPLETE(&told, "");
	for (size_t i = 0; i < _COMMAND_MAX; i++) {
		cr_assert_eq(offers(&told, command_table[i].verb),
			     command_table[i].role != ROLE_KEEPER, "%s", command_table[i].verb);
	}
	for (int verb = CTL_VERB_COMMAND + 1; verb < _CTL_VERB_MAX; verb++) {
		cr_assert_eq(offers(&told, ctl_verb_table[verb].name), verb != CTL_VERB_COMPLETE,
			     "%s", ctl_verb_table[verb].name);
	}
	free(told.text);
}

Test(ctl_complete, no_word_at_all_is_an_empty_one)
{
	struct told none, empty;

	COMPLETE(&none);
	COMPLETE(&empty, "");
	cr_assert_str_eq(none.text, empty.text);
	free(none.text);
	free(empty.text);
}

Test(ctl_complete, a_verb_stands_behind_options_and_their_values)
{
	const char *list = "list\tAccounts, a page at a time\n:done\n";

	ASSERT_COMPLETES(list, "-j", "lis");
	ASSERT_COMPLETES(list, "--utc", "--socket=/x", "lis");
	ASSERT_COMPLETES(list, "--socket", "/x", "lis");
	ASSERT_COMPLETES(list, "--", "lis");
}

Test(ctl_complete, every_option_of_every_verb_is_offered_behind_it)
{
	for (size_t i = 0; i < _COMMAND_MAX; i++) {
		const struct command *command = &command_table[i];
		enum argument_symbol symbol;
		struct told told;

		COMPLETE(&told, command->verb, "-");
		for (size_t k = 0; (symbol = ctl_option_argument_at(command, k)) != _ARGUMENT_MAX;
		     k++) {
			bool boolean = argument_table[symbol].type == ARGUMENT_TYPE_BOOL;
			char name[CTL_OPTION_NAME_MAX], option[CTL_OPTION_NAME_MAX + 4];

			ctl_option_name(symbol, name);
			(void)snprintf(option, sizeof(option), "--%s%s", name, boolean ? "" : "=");
			cr_assert(offers(&told, option), "%s %s", command->verb, option);
		}
		cr_assert(offers(&told, "--json"));
		cr_assert_eq(offers(&told, "--format="), i == COMMAND_account_import);
		free(told.text);
	}
}

Test(ctl_complete, the_clients_own_verbs_have_their_own_options)
{
	for (int id = 0; id < _CTL_OPTION_MAX; id++) {
		const struct ctl_option *option = &ctl_option_table[id];
		char dashed[CTL_OPTION_NAME_MAX + 4];
		const char *verb = option->only;
		struct told told;

		if (verb && strcmp(verb, CTL_OPTION_BULK) == 0) {
			verb = "purge";
		}
		(void)snprintf(dashed, sizeof(dashed), "--%s%s", option->name,
			       option->value_name ? "=" : "");
		COMPLETE(&told, verb ? verb : "check", "--");
		cr_assert(offers(&told, dashed), "%s", dashed);
		free(told.text);
		COMPLETE(&told, "info", "--");
		cr_assert_eq(offers(&told, dashed), !option->only, "%s", dashed);
		free(told.text);
	}
}

Test(ctl_complete, an_option_that_is_there_is_not_offered_again)
{
	ASSERT_COMPLETES("--state=\tactive, soft-deleted, removing or removed\n:done\n", "list",
			 "--stat");
	ASSERT_COMPLETES(":done\n", "list", "--state=active", "--stat");
	ASSERT_COMPLETES(":done\n", "list", "--state", "active", "--stat");
}

Test(ctl_complete, a_verb_that_takes_no_operand_is_offered_its_options)
{
	struct told told;

	COMPLETE(&told, "list", "");
	cr_assert(offers(&told, "--overdue"));
	free(told.text);
	ASSERT_COMPLETES(":done\n", "list", "x");
	ASSERT_COMPLETES(":done\n", "list", "--", "");
}

Test(ctl_complete, values_are_those_of_their_type)
{
	const char *states = "--state=active\t\n--state=soft-deleted\t\n--state=removing\t\n"
			     "--state=removed\t\n:done\n";

	ASSERT_COMPLETES(states, "list", "--state=");
	ASSERT_COMPLETES("soft-deleted\t\n:done\n", "list", "--state", "so");
	ASSERT_COMPLETES("--kind=b2b-collaboration\t\n--kind=b2b-direct-connect\t\n:done\n", "list",
			 "--kind=b");
	ASSERT_COMPLETES("--by=hour\t\n--by=day\t\n--by=week\t\n:done\n", "due", "--by=");
	ASSERT_COMPLETES("--allow-leave=yes\t\n--allow-leave=no\t\n:done\n", "set-org", "acme",
			 "--allow-leave=");
	ASSERT_COMPLETES("--format=graph\t\n:done\n", "import", "--format=g");
}

Test(ctl_complete, a_value_that_nobody_could_choose_is_not_offered)
{
	ASSERT_COMPLETES(":done\n", "due", "--within=");
	ASSERT_COMPLETES(":done\n", "list", "--limit=");
	ASSERT_COMPLETES(":done\n", "organizations", "");
	ASSERT_COMPLETES(":done\n", "leave", "--reason=");
}

Test(ctl_complete, a_value_belongs_to_the_option_of_its_verb)
{
	/* --by is a bucket of due and a span of advance, --key only receipt's. */
	ASSERT_COMPLETES(":done\n", "advance", "--by=");
	ASSERT_COMPLETES(":done\n", "list", "--key=");
	ASSERT_COMPLETES(":done\n", "list", "--nonsense=");
}

Test(ctl_complete, a_yes_or_no_needs_no_value_of_its_own)
{
	ASSERT_COMPLETES("--state=\tactive, soft-deleted, removing or removed\n:done\n", "list",
			 "--overdue", "--stat");
	ASSERT_COMPLETES(":files @\n", "leave", "--dry-run", "@");
}

Test(ctl_complete, an_unknown_verb_is_left_alone)
{
	ASSERT_COMPLETES(":done\n", "xyzzy", "");
	ASSERT_COMPLETES(":done\n", "xyzzy", "a", "b");
	ASSERT_COMPLETES("--utc\tprint times in UTC instead of local time\n:done\n", "xyzzy",
			 "--ut");
}

Test(ctl_complete, behind_two_dashes_there_are_no_options)
{
	ASSERT_COMPLETES(":done\n", "leave", "--", "--dry");
	ASSERT_COMPLETES(":files @\n", "leave", "--", "@");
	ASSERT_COMPLETES(":done\n", "list", "--", "--state=");
}

Test(ctl_complete, files_are_left_to_the_shell)
{
	ASSERT_COMPLETES(":files \n", "import", "peo");
	ASSERT_COMPLETES(":files \n", "import", "a.csv", "peo");
	ASSERT_COMPLETES(":files @\n", "leave", "acme/1", "@list");
	ASSERT_COMPLETES(":done\n", "show", "@list");
	ASSERT_COMPLETES(":files --socket=\n", "--socket=/r");
	ASSERT_COMPLETES(":files \n", "--socket", "/r");
	ASSERT_COMPLETES("verify\tCheck a receipt in a file\n:done\n", "receipt", "");
	ASSERT_COMPLETES(":files \n", "receipt", "verify", "");
	ASSERT_COMPLETES(":files --key=\n", "receipt", "verify", "x", "--key=k");
}

Test(ctl_complete, a_keeper_runs_a_program)
{
	ASSERT_COMPLETES("--\t\n:done\n", "work", "crm", "");
	ASSERT_COMPLETES(":done\n", "work", "crm", "sh", "x");
	ASSERT_COMPLETES(":commands\n", "work", "crm", "--once", "--", "");
	ASSERT_COMPLETES(":commands\n", "work", "crm", "--", "-x");
	ASSERT_COMPLETES(":files \n", "work", "crm", "--", "sh", "-c");
}

Test(ctl_complete, help_takes_verbs_and_call_takes_methods)
{
	ASSERT_COMPLETES("restore\tBring soft-deleted accounts back, with groups and permissions\n"
			 ":done\n",
			 "help", "rest");
	ASSERT_COMPLETES("account.list\tAccounts, a page at a time\n:done\n", "call", "account.li");
	ASSERT_COMPLETES(":done\n", "call", "account.list", "x");
}

Test(ctl_complete, every_verb_has_operands_that_are_understood)
{
	for (size_t i = 0; i < _COMMAND_MAX; i++) {
		struct told told;

		COMPLETE(&told, command_table[i].verb, "x", "y", "");
		cr_assert(strstr(told.text, "\n:"), "%s", command_table[i].verb);
		free(told.text);
	}
	for (int verb = CTL_VERB_COMMAND + 1; verb < _CTL_VERB_MAX; verb++) {
		struct told told;

		COMPLETE(&told, ctl_verb_table[verb].name, "");
		cr_assert(strstr(told.text, "\n:"), "%s", ctl_verb_table[verb].name);
		free(told.text);
	}
}

Test(ctl_complete, a_name_that_could_steer_the_terminal_or_the_list_is_left_out)
{
	struct told told;
	struct ctl_complete_list list = {.word = "--hold=c", .keep = strlen("--hold=")};

	list.out = open_memstream(&told.text, &told.len);
	cr_assert(list.out);
	ctl_complete_put(&list, "case 17", "", "for \x1b[31mlegal");
	ctl_complete_put(&list, "c\x1b[2J", "", "");
	ctl_complete_put(&list, "c\td", "", "");
	ctl_complete_put(&list, "c\n:commands", "", "");
	ctl_complete_put(&list, "c\u202ed", "", "");
	ctl_complete_put(&list, "d", "", "");
	ctl_complete_end(&list);
	(void)fclose(list.out);
	cr_assert_str_eq(told.text, "--hold=case 17\tfor \\x1b[31mlegal\n:done\n");
	free(told.text);
}
