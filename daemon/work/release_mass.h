/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_WORK_RELEASE_MASS_H
#define RETENTIOND_WORK_RELEASE_MASS_H

#include "daemon/work/call.h"

/* guard.release of the mass guard. Return: as the functions of cmd.h. */
must_check int release_mass(struct call *call);

#endif
