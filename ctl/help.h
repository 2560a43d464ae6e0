/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_HELP_H
#define RETENTIOND_CTL_HELP_H

#include <stdio.h>

#include "ctl/args.h"

/* All verbs in groups, the options that every verb takes, and the exit codes. */
void ctl_help_overview(FILE *out);

/* One of the daemon's commands: usage, arguments, examples; from its row in the table. */
void ctl_help_command(const struct command *command, FILE *out);

/* What --help or the verb help asks for. Return: 0 or CTL_EXIT_USAGE. */
must_check int ctl_help_run(const struct ctl_args *args, FILE *out, struct ctl_fault *fault);

#endif
