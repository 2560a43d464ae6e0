/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_NEAREST_H
#define RETENTIOND_CTL_NEAREST_H

#include "common/base.h"

/* Finds the name that was most likely meant. Zero it, offer every name, then take @best. */
struct ctl_nearest {
	const char *best; /* NULL if none is near enough */
	size_t distance;
};

/**
 * ctl_nearest_offer() - consider one more name
 * @written: what the person wrote
 * @name:    a name that exists; borrowed for as long as @nearest is used
 */
void ctl_nearest_offer(struct ctl_nearest *nearest, const char *written, const char *name);

#endif
