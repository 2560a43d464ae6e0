/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_PLAN_H
#define RETENTIOND_CTL_PLAN_H

#include "ctl/ctl.h"

/*
 * A plan is what a dry run found, kept for later: one JSON object.
 *
 *     {"plan": 1, "verb": "purge", "instance": "6f1c…", "at_us": 1767225600000000,
 *      "options": {"reason": "contract ended"},
 *      "items": [{"account": "contoso/kim", "outcome": "ok", "uid": 7, "seq": 42, …}, …]}
 *
 * It holds for one verb and one store. Of its items only those whose outcome is ok are done, by uid
 * and only if the account's newest entry in the ledger is still @seq: the daemon checks it with the
 * change itself, so that nothing comes between. An account that has changed is left alone.
 */

#define CTL_PLAN_FORMAT 1

/* Prints the items of a dry run as a plan. Return: 0 or an exit code. */
must_check int ctl_plan_print(struct ctl *ctl, const json_t *items);

/**
 * ctl_plan_take() - read the plan that --plan names
 * @ctl: gets the plan's accounts as operands, and its options
 *
 * Return: 0; CTL_EXIT_USAGE for what is no plan, another verb's or another store's, or for options
 * that the plan has; CTL_EXIT_FAILURE for a file that cannot be read; or why the daemon cannot be
 * asked who it is.
 */
must_check int ctl_plan_take(struct ctl *ctl);

#endif
