/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_WAIT_TARGET_H
#define RETENTIOND_CTL_WAIT_TARGET_H

#include "common/model.h"
#include "ctl/ctl.h"

enum wait_standing {
	WAIT_PENDING,
	WAIT_REACHED,
	WAIT_UNKNOWN, /* nothing is known of it */
	WAIT_NEVER,   /* it cannot come there any more */
	_WAIT_STANDING_MAX
};

/**
 * struct wait_target - one of the accounts that are waited for
 * @account: as it was named; borrowed
 * @uid:     0 until it was seen; from then on it is looked up by it, so that a later account of the
 *           same name is not taken for it
 * @answer:  of account.get, the last one; NULL before
 * @stale:   something may have happened since
 */
struct wait_target {
	const struct ctl_account *account;
	int64_t uid;
	enum wait_standing standing;
	json_t *answer;
	bool stale;
};

/**
 * wait_judge() - where an account stands on its way to a state
 * @direct: a direct connect user, who is never soft-deleted
 */
enum wait_standing wait_judge(enum account_state wanted, enum account_state state, bool direct);

/**
 * wait_look() - ask for the account and judge it
 *
 * Return: 0 with @target no longer stale, or an exit code with the fault set.
 */
must_check int wait_look(struct ctl *ctl, enum account_state wanted, struct wait_target *target);

/* Its name and state: "contoso/kim (soft-deleted)". */
void wait_put_name(const struct wait_target *target, FILE *out);

/**
 * wait_put_why() - on what it waits, in sentences, a line each
 * @out: gets nothing if it cannot be told
 */
void wait_put_why(struct ctl *ctl, const struct wait_target *target, FILE *out);

size_t wait_count(const struct wait_target *targets, size_t n, enum wait_standing standing);

/* {for, n, reached, accounts: [{account, reached, uid, state}]}. */
void wait_print_json(const struct wait_target *targets, size_t n, enum account_state wanted,
		     FILE *out);

/* That all are there: a sentence each if they are few. */
void wait_print_sentences(const struct show *show, const struct wait_target *targets, size_t n,
			  enum account_state wanted);

#endif
