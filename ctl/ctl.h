/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_CTL_H
#define RETENTIOND_CTL_CTL_H

#include "ctl/args.h"
#include "ctl/client.h"
#include "ctl/operand.h"
#include "ctl/show.h"

/**
 * struct ctl - one run of the client
 * @plan: of --plan, or NULL: the operands and the arguments point into it
 * @fault: told by main() when a function answers an exit code that it set with ctl_fault_set();
 * exit codes that are a result (refused, partial) leave it empty: what they mean has been shown
 */
struct ctl {
	struct ctl_args args;
	struct ctl_operands operands;
	json_t *plan;
	struct ctl_client *client;
	struct show show;
	struct ctl_fault fault;
};

/**
 * ctl_learn_now() - make sure that the daemon's now is known
 * @result: an answer that may hold now_us; NULL if there is none yet
 *
 * A simulated clock differs from ours, so that "in 3 d" is counted from the daemon's. A daemon that
 * does not say leaves ours.
 */
void ctl_learn_now(struct ctl *ctl, const json_t *result);

/* Whether an argument that is a yes or no was given and is yes. */
must_check bool ctl_says_yes(const struct ctl *ctl, enum argument_symbol symbol);

/* Rows wanted at most: --limit, or INT64_MAX. */
must_check int64_t ctl_limit(const struct ctl *ctl);

/* Turns what show_…() returned into an exit code. */
int ctl_shown(struct ctl *ctl, int error);

#endif
