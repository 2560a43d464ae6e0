/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_ARGS_H
#define RETENTIOND_CTL_ARGS_H

#include "common/commands.h"
#include "ctl/fault.h"

#define CTL_SOCKET_DEFAULT "/run/retentiond/retentiond.sock"
#define CTL_TIMEOUT_DEFAULT                                                                        \
	(30 * SPAN_SECOND) /* longer than any commit or slice of work of a healthy daemon */

#define CTL_PARALLEL_MAX  64 /* commands at a time: as many processes and twice as many pipes */
#define CTL_LEASE_DEFAULT (5 * SPAN_MINUTE)
#define CTL_LEASE_MIN     (3 * SPAN_SECOND) /* it is renewed in thirds */
#define CTL_LEASE_MAX     SPAN_DAY          /* the daemon's own limit */

/* Verbs that are the client's own: they stand for no single command of the daemon. */
enum ctl_verb {
	CTL_VERB_COMMAND, /* the command says what */
	CTL_VERB_STATUS,
	CTL_VERB_CHECK,
	CTL_VERB_WAIT,
	CTL_VERB_WORK,
	CTL_VERB_REPORT,
	CTL_VERB_METRICS,
	CTL_VERB_CALL,
	CTL_VERB_COMPLETE,
	CTL_VERB_HELP,
	_CTL_VERB_MAX
};

struct ctl_verb_row {
	const char *name;
	const char *operands;
	const char *summary;
	const char *about; /* more for its --help, in whole lines; or NULL */
};

extern const struct ctl_verb_row
	ctl_verb_table[_CTL_VERB_MAX]; /* CTL_VERB_COMMAND's row is empty */

/**
 * struct ctl_args - the command line, read
 * @verb:     what to do
 * @command:  of CTL_VERB_COMMAND, else NULL
 * @argument: what was written for each argument, checked; NULL where nothing was
 * @timeout:  for one answer
 * @whole:    wait's --timeout, which is for all of it; 0 if it is for ever
 * @operands: what stands behind the verb
 *
 * Everything points into argv and the environment.
 */
struct ctl_args {
	enum ctl_verb verb;
	const struct command *command;
	const char *socket;
	bool socket_given; /* on the command line, and not by the environment */
	span_t timeout;
	span_t whole;
	bool json;
	bool utc;
	bool no_legend;
	bool quiet;
	bool yes;
	bool help;
	bool version;
	bool all;
	const char *format;
	const char *new_upn;
	const char *plan;
	const char *wait_for;
	uint32_t parallel;
	span_t lease;
	bool once;
	const char *key;
	const char *from;
	const char *to;
	bool csv;
	bool deep;
	const char *argument[_ARGUMENT_MAX];
	char **operands;
	size_t n_operands;
};

/**
 * ctl_args_parse() - read the command line
 * @argv:     reordered: options first
 * @ret_args: set as far as it was understood even on failure, so that the fault can be told as JSON
 * @fault:    set on failure
 *
 * Return: 0 or CTL_EXIT_USAGE.
 */
must_check int ctl_args_parse(int argc, char **argv, struct ctl_args *ret_args,
			      struct ctl_fault *fault);

/* "there is no verb WORD", and the nearest one if there is one. Return: CTL_EXIT_USAGE. */
int ctl_args_unknown_verb(const char *word, struct ctl_fault *fault);

/* Whether a verb is for programs alone: help's overview and completion leave it out. */
static inline bool ctl_verb_is_hidden(enum ctl_verb verb)
{
	return verb == CTL_VERB_COMPLETE;
}

/* What the command line calls the verb. */
const char *ctl_args_verb_name(const struct ctl_args *args);

/* The verb of a name; false if there is none. *@ret_command is NULL for the client's own verbs. */
must_check bool ctl_args_verb(const char *name, enum ctl_verb *ret_verb,
			      const struct command **ret_command);

#endif
