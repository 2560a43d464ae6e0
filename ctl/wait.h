/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_WAIT_H
#define RETENTIOND_CTL_WAIT_H

#include "ctl/ctl.h"

/*
 * The verb wait. It subscribes to what happens first, looks at every account then, and follows from
 * there: nothing can happen between. Who may not subscribe looks again and again instead, less and
 * less often. A state also comes by the clock alone, without an entry in the ledger, so that
 * everything is looked at once in a while as well. After a restart of the daemon it goes on from the
 * entry where it was.
 */
must_check int ctl_wait_run(struct ctl *ctl);

#endif
