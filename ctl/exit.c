/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/exit.h"

#include <stddef.h>

/* clang-format off */
const struct ctl_exit_row ctl_exit_table[] = {
	{CTL_EXIT_OK,            "ok",            "done, for every account"},
	{CTL_EXIT_FAILURE,       "failure",       "something failed; the message says what"},
	{CTL_EXIT_USAGE,         "usage",         "the command line is wrong; nothing was changed"},
	{CTL_EXIT_PERMISSION,    "permission",    "your role does not allow it"},
	{CTL_EXIT_CONFIGURATION, "configuration", "$RETENTIOND_SOCKET, or what work is to run, cannot be used"},
	{CTL_EXIT_UNREACHABLE,   "unreachable",   "the daemon does not run, or broke off"},
	{CTL_EXIT_NOT_FOUND,     "not-found",     "no such account, organization, keeper or request is known"},
	{CTL_EXIT_REFUSED,       "refused",       "every account was refused, or can never be what wait waits for"},
	{CTL_EXIT_PARTIAL,       "partial",       "done for some accounts, refused for others"},
	{CTL_EXIT_TIMEOUT,       "timeout",       "no answer, or not what wait waits for, in time; see --timeout"},
	{CTL_EXIT_VERIFICATION,  "verification",  "the ledger or a receipt is not what was written"},
	{CTL_EXIT_GUARD,         "guard",         "a guard is engaged, or holds back another number than --expect names; the message says what to do"},
	{CTL_EXIT_CONFIRMATION,  "confirmation",  "it cannot be undone, and nobody confirmed it"},
	{CTL_EXIT_INTERRUPTED,   "interrupted",   "ended by Ctrl-C, after a whole part of the work"},
	{CTL_EXIT_OK,            NULL,            NULL},
};
/* clang-format on */
