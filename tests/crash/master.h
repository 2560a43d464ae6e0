/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_CRASH_MASTER_H
#define RETENTIOND_TESTS_CRASH_MASTER_H

#include "common/base.h"

/* The master key that a vault is wrapped with, as the service manager gives it: a file. */

void master_make(void); /* for this process and those that it starts */
void master_done(void);

const uint8_t *master_key(void);

/* Whether there is a master key from now on. */
void master_give(bool given);

#endif
