/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_WORK_DECISIONS_H
#define RETENTIOND_WORK_DECISIONS_H

#include "common/base.h"

/*
 * What administrators decided on the commands that the mass guards held back is carried out: with the
 * time of that, by whoever asked for it, and with the number of the decision in the ledger.
 */

struct account;
struct engine;
struct staged;

/*
 * One command, of the organization at which it is; engine->guarding.busy becomes false when there is
 * none left. Return: 0 or a negative errno.
 */
must_check int decisions_carry_out_next(struct engine *engine);

/* One command that is discarded; @account has its entry then. Return: 0 or a negative errno. */
must_check int decisions_discard(struct engine *engine, const struct staged *staged,
				 struct account *account);

#endif
