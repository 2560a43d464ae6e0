/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_DEEP_H
#define RETENTIOND_CTL_DEEP_H

#include "ctl/ctl.h"

/*
 * Every byte that can be proven on a running daemon: the ledger and the accounts that it leads to,
 * then whether the parts of the store say the same. Says nothing while all is well. Return: 0, or
 * an exit code, VERIFICATION with the finding and what to do printed.
 */
must_check int ctl_deep_check(struct ctl *ctl);

/* verify-store: the second half of it. Return: an exit code. */
must_check int ctl_deep_run(struct ctl *ctl);

#endif
