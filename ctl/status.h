/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_STATUS_H
#define RETENTIOND_CTL_STATUS_H

#include "ctl/ctl.h"

/* The daemon in short: who it is, what it holds, what its sweep does; as much of it as our role may
 * see. Return: an exit code. */
must_check int ctl_status_run(struct ctl *ctl);

#endif
