/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_RUN_H
#define RETENTIOND_CTL_RUN_H

#include "ctl/ctl.h"

/**
 * ctl_run() - do what the command line says
 *
 * A row in commands.def is a working verb: what it takes decides whether it is asked once, page by
 * page or for many accounts, and its result is shown as the map or the rows that it is. Only where
 * more can be said is there a function of its own.
 *
 * Return: an exit code; the fault is set if it is to be told.
 */
must_check int ctl_run(struct ctl *ctl);

#endif
