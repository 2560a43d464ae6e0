/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_SLICES_H
#define RETENTIOND_CTL_SLICES_H

#include "ctl/ctl.h"

/* Commands that the daemon works off a slice at a time, and whose answers add up to one. Return: an
 * exit code. */
must_check int ctl_slices_verify(struct ctl *ctl);
must_check int ctl_slices_sweep(struct ctl *ctl);
must_check int ctl_slices_due(struct ctl *ctl);

/**
 * ctl_slices_add_buckets() - add a page's buckets to the whole
 *
 * A bucket that a page's end cut in two comes again on the next page, with the rest of its counts.
 *
 * Return: 0 or -ENOMEM.
 */
must_check int ctl_slices_add_buckets(json_t *whole, const json_t *page);

#endif
