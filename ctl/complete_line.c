/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/complete_line.h"

#include "ctl/value.h"

/* The name in "--name" or "--name=value"; false for any other word. */
static bool option_of(const char *word, char ret_name[static CTL_OPTION_NAME_MAX])
{
	size_t len = strncmp(word, "--", 2) == 0 ? strcspn(word + 2, "=") : 0;

	if (len == 0 || len >= CTL_OPTION_NAME_MAX) {
		return false;
	}
	memcpy(ret_name, word + 2, len);
	ret_name[len] = '\0';
	return true;
}

/* Whether the next word is its value, as getopt will read it: whatever the verb is, and first by
 * the client's own options. */
static bool takes_word(const char *name)
{
	for (int id = 0; id < _CTL_OPTION_MAX; id++) {
		if (strcmp(ctl_option_table[id].name, name) == 0) {
			return ctl_option_table[id].value_name;
		}
	}
	for (int symbol = 0; symbol < _ARGUMENT_MAX; symbol++) {
		char its_name[CTL_OPTION_NAME_MAX];

		ctl_option_name((enum argument_symbol)symbol, its_name);
		if (strcmp(its_name, name) == 0) {
			return argument_table[symbol].type != ARGUMENT_TYPE_BOOL;
		}
	}
	return false;
}

static void take_operand(struct ctl_complete_line *line, const char *word)
{
	if (line->verb_name) {
		line->first = line->first ? line->first : word;
		line->n_operands++;
		return;
	}
	line->verb_name = word;
	if (!ctl_verb_find(word, &line->verb, &line->command)) {
		line->verb = _CTL_VERB_MAX;
	}
}

static void take_value(struct ctl_complete_line *line, const char *name, const char *value)
{
	if (strcmp(name, ctl_option_table[CTL_OPTION_SOCKET].name) == 0) {
		line->socket = value;
	}
}

/* One word before the last. @name: the option that waits for its value, or empty. */
static void take_word(struct ctl_complete_line *line, const char *word,
		      char name[static CTL_OPTION_NAME_MAX])
{
	if (*name) {
		take_value(line, name, word);
		*name = '\0';
	} else if (line->only_operands || word[0] != '-' || strcmp(word, "-") == 0) {
		take_operand(line, word);
	} else if (strcmp(word, "--") == 0) {
		line->only_operands = true;
	} else if (option_of(word, name)) {
		const char *equals = strchr(word, '=');

		if (equals) {
			take_value(line, name, equals + 1);
		}
		if (equals || !takes_word(name)) {
			*name = '\0';
		}
	}
}

void ctl_complete_line_read(char *const *words, size_t n, struct ctl_complete_line *ret_line)
{
	struct ctl_complete_line line = {.words = words, .n = n, .verb = CTL_VERB_STATUS};
	const char *last = words[n - 1];
	const char *equals = strchr(last, '=');

	for (size_t i = 0; i + 1 < n; i++) {
		take_word(&line, words[i], line.option);
	}
	if (!line.option[0] && !line.only_operands && equals && option_of(last, line.option)) {
		line.value_at = (size_t)(equals + 1 - last);
	}
	*ret_line = line;
}

bool ctl_complete_line_has(const struct ctl_complete_line *line, const char *name)
{
	for (size_t i = 0; i + 1 < line->n && strcmp(line->words[i], "--") != 0; i++) {
		char its_name[CTL_OPTION_NAME_MAX];

		if (option_of(line->words[i], its_name) && strcmp(its_name, name) == 0) {
			return true;
		}
	}
	return false;
}

const char *ctl_complete_line_value(const struct ctl_complete_line *line)
{
	enum argument_symbol symbol;

	for (int id = 0; id < _CTL_OPTION_MAX; id++) {
		if (strcmp(ctl_option_table[id].name, line->option) == 0 &&
		    ctl_option_belongs((enum ctl_option_id)id, line->verb_name)) {
			return ctl_option_table[id].value_name;
		}
	}
	if (!line->command) {
		return NULL;
	}
	symbol = ctl_option_argument(line->command, line->option);
	return symbol == _ARGUMENT_MAX ? NULL : ctl_value_placeholder(argument_table[symbol].type);
}

/* A row with "--" in it wants it to be written before the words that stand behind it. */
bool ctl_complete_line_operand(const struct ctl_complete_line *line,
			       struct ctl_operand_word *ret_word)
{
	const char *row;
	size_t left = line->n_operands;

	if (!line->verb_name || line->verb == _CTL_VERB_MAX) {
		return false;
	}
	row = line->command ? line->command->operands : ctl_verb_table[line->verb].operands;
	while (ctl_operand_next_word(&row, ret_word)) {
		bool dashes = strcmp(ret_word->name, "--") == 0;

		if (dashes && line->only_operands) {
			continue;
		}
		if (left == 0 || ret_word->many) {
			return true;
		}
		if (dashes) {
			return false;
		}
		left--;
	}
	return false;
}
