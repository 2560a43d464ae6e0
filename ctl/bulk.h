/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_BULK_H
#define RETENTIOND_CTL_BULK_H

#include "ctl/ctl.h"

/* Runs a command on every account named, up to 1000 a call, and shows what became of each. Return:
 * an exit code. */
must_check int ctl_bulk_run(struct ctl *ctl);

#endif
