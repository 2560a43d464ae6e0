/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_SIM_DISK_H
#define RETENTIOND_TESTS_SIM_DISK_H

#include "common/base.h"

/*
 * A disk that can be cut off. Every call of this process that changes a file, the libraries' too,
 * goes through here. After the cut they do nothing and say that all is well: to the disk it is as
 * if the process had been killed before the first of them, and the process does not know it.
 */

/* Cuts it off after @n_calls more; the cut process goes on, or ends at once. */
void disk_cut(uint32_t n_calls);
void disk_cut_and_end(uint32_t n_calls);

void disk_mend(void);

#endif
