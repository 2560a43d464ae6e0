/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "ctl/exit.h"
#include "ctl/help.h"
#include "ctl/option.h"
#include "ctl/value.h"

#include "packaging/man/parts.h"
#include "packaging/man/scdoc.h"

/* What a verb takes because it changes something: told once, not with each of thirty. */
static const enum argument_symbol changing[] = {
	ARGUMENT_dry_run,
	ARGUMENT_reason,
	ARGUMENT_ref,
	ARGUMENT_request_id,
};

static bool is_changing(enum argument_symbol symbol)
{
	for (size_t i = 0; i < ARRAY_LEN(changing); i++) {
		if (changing[i] == symbol) {
			return true;
		}
	}
	return false;
}

/* "*-j*, *--json*", "*--socket*=_PATH_", "*--dry-run*[=_yes|no_]"; then what it does. */
static void put_option(FILE *out, int depth, char letter, const char *name, const char *value_name,
		       bool value_optional, const char *help)
{
	scdoc_indent(out, depth);
	if (letter) {
		(void)fprintf(out, "*-%c*, ", letter);
	}
	(void)fprintf(out, "*--%s*", name);
	if (value_name) {
		(void)fputs(value_optional ? "[=" : "=", out);
		scdoc_put_underlined(out, value_name);
		(void)fputs(value_optional ? "]" : "", out);
	}
	(void)fputc('\n', out);
	scdoc_put_sentence(out, depth + 1, help);
}

static void put_argument(FILE *out, int depth, enum argument_symbol symbol)
{
	const struct argument *argument = &argument_table[symbol];
	char name[CTL_OPTION_NAME_MAX];

	ctl_option_name(symbol, name);
	put_option(out, depth, 0, name, ctl_value_placeholder(argument->type),
		   argument->type == ARGUMENT_TYPE_BOOL, argument->help);
}

/* The client's own options: of one verb alone, or with NULL those of every verb. */
static void put_own_options(FILE *out, int depth, const char *verb)
{
	for (int id = 0; id < _CTL_OPTION_MAX; id++) {
		const struct ctl_option *option = &ctl_option_table[id];
		bool of_every = ctl_option_belongs((enum ctl_option_id)id, NULL);

		if (verb ? !of_every && ctl_option_belongs((enum ctl_option_id)id, verb)
			 : of_every) {
			put_option(out, depth, option->letter, option->name, option->value_name,
				   false, option->help);
		}
	}
}

static void put_arguments(FILE *out, const struct command *command)
{
	enum argument_symbol symbol;

	for (size_t i = 0; (symbol = ctl_option_argument_at(command, i)) != _ARGUMENT_MAX; i++) {
		if (!command_changes(command) || !is_changing(symbol)) {
			put_argument(out, 1, symbol);
		}
	}
}

static void put_verb(FILE *out, const char *verb, const char *operands)
{
	scdoc_put_bold(out, verb);
	if (*operands) {
		(void)fputc(' ', out);
		scdoc_put_underlined(out, operands);
	}
	(void)fputc('\n', out);
}

static void put_own_verb(FILE *out, const struct ctl_verb_row *verb)
{
	put_verb(out, verb->name, verb->operands);
	scdoc_put_sentence(out, 1, verb->summary);
	if (verb->about) {
		scdoc_put_lines(out, 1, verb->about);
	}
	put_own_options(out, 1, verb->name);
}

static void put_examples(FILE *out, const struct command *command)
{
	bool any = false;

	for (const struct ctl_help_text *example = ctl_help_examples; example->text; example++) {
		if (example->command == ctl_option_command(command)) {
			if (!any) {
				scdoc_begin_literal(out, 1);
			}
			any = true;
			scdoc_put_literal(out, 1, slice_of(example->text));
		}
	}
	if (any) {
		scdoc_end_literal(out, 1);
	}
}

/* "--reason", when the verb does not go without it. */
static void put_needed(FILE *out, const struct command *command)
{
	for (uint16_t i = 0; i < command->n_arguments; i++) {
		const struct command_argument *argument = &command->arguments[i];
		char name[CTL_OPTION_NAME_MAX];

		if (argument->required && is_changing(argument->symbol)) {
			ctl_option_name(argument->symbol, name);
			(void)fprintf(out, " It needs *--%s*.", name);
		}
	}
}

static void put_closing(FILE *out, const struct command *command)
{
	scdoc_indent(out, 1);
	if (command_changes(command)) {
		(void)fputs("Takes the options of changes as well.", out);
		put_needed(out, command);
		(void)fputc(' ', out);
	}
	(void)fputs("Method ", out);
	scdoc_put_underlined(out, command->method);
	if (command->role == ROLE_ANY) {
		(void)fputs("; needs no role.\n\n", out);
	} else {
		(void)fprintf(out, "; role _%s_.\n\n", role_name(command->role));
	}
}

/* The words of its --help. */
static void put_about(FILE *out, const struct command *command)
{
	char *text = NULL;
	size_t len = 0;
	FILE *memory = open_memstream(&text, &len);

	assert(memory); /* a manual that lacks a paragraph is no manual */
	ctl_help_about(command, memory);
	(void)fclose(memory); /* a few hundred bytes */
	if (len > 0) {
		scdoc_put_lines(out, 1, text);
	}
	free(text);
}

static void put_command(FILE *out, const struct command *command)
{
	put_verb(out, command->verb, command->operands);
	scdoc_put_sentence(out, 1, command->summary);
	put_about(out, command);
	put_arguments(out, command);
	put_own_options(out, 1, command->verb);
	put_examples(out, command);
	put_closing(out, command);
}

static void put_group(FILE *out, const struct ctl_help_group *group)
{
	bool any = false;

	for (size_t i = 0; i < _COMMAND_MAX; i++) {
		if (ctl_help_belongs(&command_table[i], group)) {
			if (!any) {
				(void)fprintf(out, "## %s\n\n", group->title);
			}
			any = true;
			put_command(out, &command_table[i]);
		}
	}
}

void part_verbs(FILE *out)
{
	for (const struct ctl_help_group *group = ctl_help_groups; group->title; group++) {
		put_group(out, group);
	}
}

void part_own_verbs(FILE *out)
{
	for (int verb = CTL_VERB_COMMAND + 1; verb < _CTL_VERB_MAX; verb++) {
		if (!ctl_verb_is_hidden((enum ctl_verb)verb)) {
			put_own_verb(out, &ctl_verb_table[verb]);
		}
	}
}

void part_options(FILE *out)
{
	put_own_options(out, 0, NULL);
}

void part_changing_options(FILE *out)
{
	for (size_t i = 0; i < ARRAY_LEN(changing); i++) {
		put_argument(out, 0, changing[i]);
	}
}

void part_exit_codes(FILE *out)
{
	for (const struct ctl_exit_row *row = ctl_exit_table; row->name; row++) {
		(void)fprintf(out, "*%d* (%s)\n", (int)row->exit, row->name);
		scdoc_put_sentence(out, 1, row->meaning);
	}
}
