/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_SHOW_GUARD_H
#define RETENTIOND_CTL_SHOW_GUARD_H

#include "ctl/show.h"

/**
 * show_released() - what releasing a guard came to, in sentences
 * @result: of guard.release; of a dry run it tells what would come of it
 *
 * Return: 0 or -ENOMEM.
 */
must_check int show_released(const struct show *show, const json_t *result);

#endif
