/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_ARGS_H
#define RETENTIOND_CTL_ARGS_H

#include "common/commands.h"
#include "ctl/fault.h"
#include "ctl/verb.h"

#define CTL_SOCKET_DEFAULT "/run/retentiond/retentiond.sock"
#define CTL_TIMEOUT_DEFAULT                                                                        \
	(30 * SPAN_SECOND) /* longer than any commit or slice of work of a healthy daemon */

#define CTL_PARALLEL_MAX  64 /* commands at a time: as many processes and twice as many pipes */
#define CTL_LEASE_DEFAULT (5 * SPAN_MINUTE)
#define CTL_LEASE_MIN     (3 * SPAN_SECOND) /* it is renewed in thirds */
#define CTL_LEASE_MAX     SPAN_DAY          /* the daemon's own limit */

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

/* What the command line calls the verb. */
const char *ctl_args_verb_name(const struct ctl_args *args);

#endif
