/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_MASS_H
#define RETENTIOND_CTL_MASS_H

#include "ctl/ctl.h"

/*
 * What the mass guards will make of bulk work, told before it begins. Each call of a dry run counts
 * for itself; the whole of them is counted here.
 */

/**
 * ctl_mass_plan() - what of a dry run would be held back
 * @items: of all its calls; what goes beyond its organization's limit becomes staged
 *
 * Return: 0 (also when our role may not look), or an exit code.
 */
must_check int ctl_mass_plan(struct ctl *ctl, json_t *items);

/**
 * ctl_mass_count() - how many of the accounts named would be held back
 *
 * As far as their names tell: an account named by its uid counts for no organization.
 *
 * Return: 0 or an exit code.
 */
must_check int ctl_mass_count(struct ctl *ctl, size_t *ret_n);

#endif
