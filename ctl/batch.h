/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_BATCH_H
#define RETENTIOND_CTL_BATCH_H

#include "ctl/ctl.h"

/**
 * ctl_batch_call() - have the command done to every account named, up to 1000 a call
 * @items: what became of each is added, in order; as far as it came also on failure
 *
 * Return: 0 or an exit code with the fault set.
 */
must_check int ctl_batch_call(struct ctl *ctl, json_t *items);

#endif
