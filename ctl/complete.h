/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_COMPLETE_H
#define RETENTIOND_CTL_COMPLETE_H

#include "ctl/ctl.h"

/**
 * ctl_complete_run() - print what the last of the operands could become, for a shell
 *
 * What it prints is told by `retentionctl complete --help`. The tables of commands and options are
 * all that it knows: what is added there completes.
 *
 * Return: 0. That something cannot be completed is no fault: whoever types is not to be disturbed.
 */
must_check int ctl_complete_run(struct ctl *ctl);

#endif
