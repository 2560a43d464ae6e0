/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_STAKE_H
#define RETENTIOND_CTL_STAKE_H

#include "ctl/ctl.h"

#define CTL_STAKE_NAMES_MAX 3 /* enough to notice that it is the wrong list */

/**
 * struct ctl_stake - what nobody can undo once a command is done
 * @n:       accounts that nobody brings back
 * @n_all:   accounts that the command is about
 * @or_more: the daemon counted no further
 * @names:   the first of the @n, as they were called; borrowed from the operands
 * @before, @behind: what is said before and behind "3 accounts"
 * @why:     what happens to them, where the command alone does not say it; begins with a comma
 */
struct ctl_stake {
	size_t n;
	size_t n_all;
	bool or_more;
	const char *names[CTL_STAKE_NAMES_MAX];
	size_t n_names;
	const char *before;
	const char *behind;
	const char *why;
};

/*
 * Purging and waiving are never undone, and all their accounts are at stake. Of what else can start
 * a removal a dry run tells how many: of leave, remove, release, approve and the release of the
 * clock guard. It is not asked for where --yes has answered already. In a dry run nothing is at
 * stake.
 */

/* Of the accounts named. Tells on a terminal what the mass guard will hold back of many. Return: 0
 * or an exit code. */
must_check int ctl_stake_of_accounts(struct ctl *ctl, struct ctl_stake *ret_stake);

/**
 * ctl_stake_of_requests() - of removal requests that are to be approved
 * @decide: asks for the decisions, and adds what became of each to @items
 *
 * Return: 0 or an exit code.
 */
must_check int ctl_stake_of_requests(struct ctl *ctl, int (*decide)(struct ctl *ctl, json_t *items),
				     struct ctl_stake *ret_stake);

/* Of the release of the clock guard; nothing of another guard's. Return: 0 or an exit code. */
must_check int ctl_stake_of_release(struct ctl *ctl, struct ctl_stake *ret_stake);

#endif
