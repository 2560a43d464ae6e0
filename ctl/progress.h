/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_PROGRESS_H
#define RETENTIOND_CTL_PROGRESS_H

#include <stdio.h>

#include "common/instant.h"

/**
 * struct ctl_progress - how far work in parts has come, told on standard error
 * @what:  "import", for the line's beginning
 * @total: of it all; 0 if nobody knows
 *
 * On a terminal: one line that is drawn over, with rate and time left. Elsewhere a line every 10 %,
 * if the work takes longer than a moment. Nothing at all if quiet.
 */
struct ctl_progress {
	const char *what;
	size_t total;
	size_t told;
	int64_t began_us;
	int64_t drawn_us;
	bool quiet;
	bool terminal;
	bool drawn;
};

void ctl_progress_begin(struct ctl_progress *progress, const char *what, size_t total, bool quiet);
void ctl_progress_tell(struct ctl_progress *progress, size_t done);
void ctl_progress_end(struct ctl_progress *progress); /* clears the line */

#endif
