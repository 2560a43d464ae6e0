/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_SHOW_DUTY_H
#define RETENTIOND_CTL_SHOW_DUTY_H

#include "ctl/show.h"

/* What removal waits for, as people read it: keepers and holds. Return: 0 or -ENOMEM. */
must_check int show_keeper(const struct show *show, const json_t *result);
must_check int show_keepers(const struct show *show, const json_t *result);
must_check int show_holds(const struct show *show, const json_t *result);

#endif
