/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_CRASH_DEEDS_H
#define RETENTIOND_TESTS_CRASH_DEEDS_H

#include "common/base.h"

#include "tests/crash/life.h"

/* What happens in the parts of a life: each goes on where the one before ended. */

void deeds_begin(struct life *life);
void deeds_grow(struct life *life);
void deeds_go_on(struct life *life);

#endif
