/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_SHOW_ITEMS_H
#define RETENTIOND_CTL_SHOW_ITEMS_H

#include "common/commands.h"
#include "common/outcome.h"
#include "ctl/account.h"
#include "ctl/exit.h"
#include "ctl/show.h"

/* Whether an item, or a result that has one outcome, went well. */
must_check bool show_is_ok(const json_t *item);

/* How many items came out how. Zero it to begin. */
struct show_tally {
	size_t n;
	size_t outcome[_OUTCOME_MAX];
	size_t unknown; /* an outcome that is newer than this client */
};

void show_tally_add(struct show_tally *tally, const json_t *item);

/**
 * show_tally_exit() - what a command on accounts exits with
 *
 * Return: OK if every item is ok; PARTIAL if some are; else NOT_FOUND or PERMISSION if that is what
 * became of all of them; else REFUSED.
 */
enum ctl_exit show_tally_exit(const struct show_tally *tally);

/* "3 ok, 1 not-found". */
void show_tally_print(const struct show_tally *tally, FILE *out);

/* The same for the one outcome of a result that has one; OK where there is none. */
enum ctl_exit show_outcome_exit(const json_t *result);

/**
 * struct show_items_how - what is to be said of items
 * @quiet:      nothing of those that went well
 * @dry_run:    that nothing was changed
 * @command:    what was asked for, or NULL: some have more to say than the account's state
 * @hold:       the hold of hold.add and hold.remove
 * @hold_until: the end that hold.add gave it, or INSTANT_NONE
 */
struct show_items_how {
	bool quiet;
	bool dry_run;
	const struct command *command;
	const char *hold;
	instant_t hold_until;
};

/**
 * show_items() - what became of each account: sentences for a few, a table for many
 * @items:    of the answers, in order
 * @accounts: how they were named, in the same order; NULL if nobody named them
 *
 * Return: 0 or -ENOMEM.
 */
must_check int show_items(const struct show *show, const json_t *items,
			  const struct ctl_accounts *accounts, struct show_items_how how);

/* "active"; "soft-deleted; it can be restored until …", for an account or an item. */
void show_state_sentence(const struct show *show, const json_t *account);

#endif
