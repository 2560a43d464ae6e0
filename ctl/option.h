/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_OPTION_H
#define RETENTIOND_CTL_OPTION_H

#include "common/commands.h"

/*
 * Which options there are. Two kinds: the client's own, in the table below, and one for each
 * argument of a command, made from commands.def: window_us is --window, allow_leave is
 * --allow-leave.
 */

enum ctl_option_id {
	CTL_OPTION_SOCKET,
	CTL_OPTION_TIMEOUT,
	CTL_OPTION_JSON,
	CTL_OPTION_UTC,
	CTL_OPTION_NO_LEGEND,
	CTL_OPTION_QUIET,
	CTL_OPTION_YES,
	CTL_OPTION_HELP,
	CTL_OPTION_VERSION,
	CTL_OPTION_FORMAT, /* from here on: of some verbs only */
	CTL_OPTION_ALL,
	CTL_OPTION_NEW_UPN,
	CTL_OPTION_PLAN,
	CTL_OPTION_FOR,
	CTL_OPTION_PARALLEL,
	CTL_OPTION_LEASE,
	CTL_OPTION_ONCE,
	CTL_OPTION_KEY,
	CTL_OPTION_FROM,
	CTL_OPTION_TO,
	CTL_OPTION_CSV,
	CTL_OPTION_DEEP,
	_CTL_OPTION_MAX
};

#define CTL_OPTION_BULK "ACCOUNT…"

/**
 * struct ctl_option - one of the client's own options
 * @name:        without dashes
 * @letter:      short form, or 0
 * @value_name: what its value is, or NULL if it takes none
 * @help:        one line
 * @only:        the one verb it belongs to, CTL_OPTION_BULK for every command that takes
 *               ACCOUNT…, or NULL for all verbs
 */
struct ctl_option {
	const char *name;
	char letter;
	const char *value_name;
	const char *help;
	const char *only;
};

extern const struct ctl_option ctl_option_table[_CTL_OPTION_MAX];

#define CTL_OPTION_NAME_MAX 40 /* bytes of an option made from an argument, with its end */

/* "window" of window_us, "allow-leave" of allow_leave. */
void ctl_option_name(enum argument_symbol symbol, char name[static CTL_OPTION_NAME_MAX]);

/* Which command a row of command_table is. */
enum command_symbol ctl_option_command(const struct command *command);

/* The i-th argument that a command takes as an option, _ARGUMENT_MAX behind the last. */
enum argument_symbol ctl_option_argument_at(const struct command *command, size_t i);

/* The argument that --NAME sets for a command, or _ARGUMENT_MAX if it takes none of that name. */
enum argument_symbol ctl_option_argument(const struct command *command, const char *name);

/* Whether one of the client's own options belongs to a verb; NULL asks for those of every verb. */
bool ctl_option_belongs(enum ctl_option_id option, const char *verb);

#endif
