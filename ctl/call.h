/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_CALL_H
#define RETENTIOND_CTL_CALL_H

#include "ctl/ctl.h"

/* Calls any method, also one that is newer than this client, with raw arguments; the result is
 * JSON. Return: an exit code. */
must_check int ctl_call_run(struct ctl *ctl);

#endif
