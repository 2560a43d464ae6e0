/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_WATCH_H
#define RETENTIOND_CTL_WATCH_H

#include "ctl/ctl.h"

/*
 * watch: every entry of the ledger as it becomes durable, a line each, or with --json a document in a
 * line. A daemon that restarts is waited for, and what happened meanwhile is told then: nothing is
 * missed. Ends with Ctrl-C only.
 */
must_check int ctl_watch_run(struct ctl *ctl);

#endif
