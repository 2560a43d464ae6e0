/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_IMPORT_ORGS_H
#define RETENTIOND_CTL_IMPORT_ORGS_H

#include "ctl/ctl.h"
#include "ctl/import_set.h"

/**
 * import_orgs_check() - ask for every organization of the rows before the first change
 *
 * Return: 0, or an exit code with the fault set: REFUSED if the daemon does not know one,
 * PERMISSION if our role does not cover it.
 */
must_check int import_orgs_check(struct ctl *ctl, const struct import_set *set);

#endif
