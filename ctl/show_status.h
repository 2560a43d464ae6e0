/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_SHOW_STATUS_H
#define RETENTIOND_CTL_SHOW_STATUS_H

#include "ctl/show.h"

/**
 * show_status() - how the daemon is, and at the end what is wrong with it
 * @status: {info, stats, sweep, keepers, faults, unchecked}: the daemon's answers, of which all but
 *          info may be missing, what ctl_check_faults() found in them, and what was not seen
 */
void show_status(const struct show *show, const json_t *status);

#endif
