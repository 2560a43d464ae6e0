/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_STORE_PROGRESS_H
#define RETENTIOND_STORE_PROGRESS_H

#include "common/base.h"

/*
 * How far long work has come, for whoever waits for it. It is told from the work itself, slice by
 * slice, so that work that hangs tells nothing any more.
 */

/* Steps of long work between two tellings; each takes some microseconds. */
#define PROGRESS_STEPS 1000

/**
 * struct progress - who wants to know
 * @tell: NULL if nobody does. @what: "replaying the ledger"; @unit: "entries", or NULL where
 *         there is nothing to count; both are static
 */
struct progress {
	void (*tell)(void *userdata, const char *what, const char *unit, uint64_t n_done,
		     uint64_t n_all);
	void *userdata;
};

static inline void progress_tell(const struct progress *progress, const char *what,
				 const char *unit, uint64_t n_done, uint64_t n_all)
{
	if (progress->tell) {
		progress->tell(progress->userdata, what, unit, n_done, n_all);
	}
}

/* progress_tell() at every PROGRESS_STEPSth step, from the first one on. */
static inline void progress_step(const struct progress *progress, const char *what,
				 const char *unit, uint64_t n_done, uint64_t n_all)
{
	if (n_done % PROGRESS_STEPS == 0) {
		progress_tell(progress, what, unit, n_done, n_all);
	}
}

#endif
