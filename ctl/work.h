/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_WORK_H
#define RETENTIOND_CTL_WORK_H

#include "ctl/ctl.h"

/**
 * ctl_work_run() - be a keeper: run a command for each task
 *
 * Every wait has one place, a poll(2) over the commands' streams and a signalfd(2). The daemon is
 * asked between two waits; it answers at once or is away, and then everything that is to be told is
 * kept and told later.
 *
 * Return: an exit code.
 */
must_check int ctl_work_run(struct ctl *ctl);

#endif
