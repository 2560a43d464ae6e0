/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_CONFIRM_H
#define RETENTIOND_CTL_CONFIRM_H

#include "ctl/stake.h"

/**
 * ctl_confirm() - ask before a command does what nobody can undo
 * @stake: without an account nothing is asked
 *
 * On a terminal the number of accounts is to be typed; --yes stands for that where the accounts are
 * named on the command line or in a file.
 *
 * Return: 0, CTL_EXIT_CONFIRMATION if nobody confirmed, or CTL_EXIT_USAGE for --yes with accounts
 * that nobody named.
 */
must_check int ctl_confirm(struct ctl *ctl, const struct ctl_stake *stake);

#endif
