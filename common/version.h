/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_COMMON_VERSION_H
#define RETENTIOND_COMMON_VERSION_H

/*
 * Of the daemon and its client, which are released together. What they can do for each other is
 * API_LEVEL.
 */
#define RETENTIOND_VERSION "0.1.0"

#endif
