/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_SHOW_DUE_H
#define RETENTIOND_CTL_SHOW_DUE_H

#include "ctl/show.h"

/**
 * show_due() - the buckets of due.forecast as bars, for a terminal
 * @buckets: {from_us, windows_end, removals_due}
 *
 * The longest bar takes the room that the terminal has, and whatever is there has one mark at least.
 *
 * Return: 0.
 */
must_check int show_due(const struct show *show, const json_t *buckets);

#endif
