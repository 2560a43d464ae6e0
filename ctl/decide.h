/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_DECIDE_H
#define RETENTIOND_CTL_DECIDE_H

#include "ctl/ctl.h"

/* Approves or denies the removal requests that the operands number. Return: an exit code. */
must_check int ctl_decide_run(struct ctl *ctl);

#endif
