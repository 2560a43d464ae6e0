/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_IO_WALLWATCH_H
#define RETENTIOND_IO_WALLWATCH_H

#include "common/base.h"

/*
 * Wakes the loop when somebody sets the wall clock, so that the turn that follows reads both clocks
 * and tells it at once. Deadlines do not depend on it.
 */

struct event_base;
struct wallwatch;

/* Return: 0 or a negative errno. */
must_check int wallwatch_new(struct event_base *base, struct wallwatch **ret_watch);
struct wallwatch *wallwatch_free(struct wallwatch *watch);

#endif
