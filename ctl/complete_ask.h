/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_COMPLETE_ASK_H
#define RETENTIOND_CTL_COMPLETE_ASK_H

#include <jansson.h>

#include "ctl/account.h"
#include "ctl/args.h"

/**
 * struct ctl_complete_question - a list of the daemon's
 * @command:  that answers it
 * @argument: for it, checked; NULL where there is none
 * @account:  for a command about one; or NULL
 * @rows:     key of the list in its answer
 */
struct ctl_complete_question {
	enum command_symbol command;
	const char *argument[_ARGUMENT_MAX];
	const struct ctl_account *account;
	const char *rows;
};

/**
 * ctl_complete_ask() - the whole list, if it comes within a second
 *
 * Return: an array, the caller's reference; NULL if the daemon is away, refuses or is slow, and if
 * the list is longer than a person would choose from.
 */
json_t *ctl_complete_ask(const char *socket, const struct ctl_complete_question *question);

#endif
