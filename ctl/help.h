/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_HELP_H
#define RETENTIOND_CTL_HELP_H

#include <stdio.h>

#include "ctl/args.h"

/**
 * struct ctl_help_group - a heading of the overview
 * @prefix: what stands before the dot of the methods under it; NULL for those under no other
 * @title:  NULL in the row behind the last
 */
struct ctl_help_group {
	const char *prefix;
	const char *title;
};

struct ctl_help_text {
	enum command_symbol command;
	const char *text; /* NULL in the row behind the last */
};

/* What --help and the manual say beside the tables of commands and options. */
extern const struct ctl_help_group ctl_help_groups[];
extern const struct ctl_help_text ctl_help_examples[]; /* command lines */

/* Whether a command's verb is listed under a heading. */
bool ctl_help_belongs(const struct command *command, const struct ctl_help_group *group);

/* What there is to say of a command beside its summary, in whole lines. */
void ctl_help_about(const struct command *command, FILE *out);

/* All verbs in groups, the options that every verb takes, and the exit codes. */
void ctl_help_overview(FILE *out);

/* One of the daemon's commands: usage, arguments, examples; from its row in the table. */
void ctl_help_command(const struct command *command, FILE *out);

/* What --help or the verb help asks for. Return: 0 or CTL_EXIT_USAGE. */
must_check int ctl_help_run(const struct ctl_args *args, FILE *out, struct ctl_fault *fault);

#endif
