/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_INTERRUPT_H
#define RETENTIOND_CTL_INTERRUPT_H

#include "common/base.h"

/*
 * From here on the first Ctrl-C is only noted: work in parts finishes the part that it is at, and
 * says how far it came. The second one ends us.
 */
void ctl_interrupt_catch(void);

/* Whether one came. */
bool ctl_interrupted(void);

#endif
