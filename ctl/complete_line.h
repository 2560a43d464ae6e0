/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_COMPLETE_LINE_H
#define RETENTIOND_CTL_COMPLETE_LINE_H

#include "ctl/args.h"
#include "ctl/operand.h"
#include "ctl/option.h"

/**
 * struct ctl_complete_line - a command line that is being written
 * @words, @n:      all of it; the last is the one to complete
 * @verb_name:      as written; NULL if there is none yet
 * @verb, @command: what it stands for; _CTL_VERB_MAX if there is no such verb
 * @first:          operand; NULL if there is none yet
 * @n_operands:     before the last word
 * @only_operands:  the last word stands behind "--"
 * @socket:         value of --socket; NULL if it is not given
 * @option:         whose value the last word is, or holds behind its "="; empty if it is none
 * @value_at:       where in the last word that value begins
 *
 * Unlike struct ctl_args it need not be right, nor whole. Everything points into the words.
 */
struct ctl_complete_line {
	char *const *words;
	size_t n;
	const char *verb_name;
	enum ctl_verb verb;
	const struct command *command;
	const char *first;
	size_t n_operands;
	bool only_operands;
	const char *socket;
	char option[CTL_OPTION_NAME_MAX];
	size_t value_at;
};

/**
 * ctl_complete_line_read() - read what stands behind the program's name
 * @n: at least 1
 */
void ctl_complete_line_read(char *const *words, size_t n, struct ctl_complete_line *ret_line);

/* The word to complete. */
static inline const char *ctl_complete_line_last(const struct ctl_complete_line *line)
{
	return line->words[line->n - 1];
}

/* Whether an option stands before the last word. */
must_check bool ctl_complete_line_has(const struct ctl_complete_line *line, const char *name);

/* What the value of @line's option is, as help has it: "STATE"; NULL if its verb takes none. */
const char *ctl_complete_line_value(const struct ctl_complete_line *line);

/* What the last word is if it is an operand; false if no further one is taken. */
must_check bool ctl_complete_line_operand(const struct ctl_complete_line *line,
					  struct ctl_operand_word *ret_word);

#endif
