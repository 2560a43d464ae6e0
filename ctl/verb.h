/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_VERB_H
#define RETENTIOND_CTL_VERB_H

#include "common/commands.h"
#include "ctl/fault.h"

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

/* Whether a verb is for programs alone: help's overview and completion leave it out. */
static inline bool ctl_verb_is_hidden(enum ctl_verb verb)
{
	return verb == CTL_VERB_COMPLETE;
}

/* The verb of a name; false if there is none. *@ret_command is NULL for the client's own verbs. */
must_check bool ctl_verb_find(const char *name, enum ctl_verb *ret_verb,
			      const struct command **ret_command);

/* "there is no verb WORD", and the nearest one if there is one. Return: CTL_EXIT_USAGE. */
int ctl_verb_unknown(const char *word, struct ctl_fault *fault);

#endif
