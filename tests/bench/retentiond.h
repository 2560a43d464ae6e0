/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_BENCH_RETENTIOND_H
#define RETENTIOND_TESTS_BENCH_RETENTIOND_H

#include "tests/bench/target.h"

/* The daemon itself: the program that $RETENTIOND names, on a simulated clock. */
extern const struct target_class retentiond_class;

#define RETENTIOND_KEEPERS 4

/* Keepers k1 to k@n owe the removals that start from now on, and no others. */
void retentiond_set_keepers(struct target *target, uint32_t n);

/**
 * retentiond_restart() - end it and start it again
 * @signal: SIGTERM for a clean stop, SIGKILL
 *
 * Return: seconds from its start until it says that it is ready.
 */
double retentiond_restart(struct target *target, int signal);

/* Ledger entries that a start would replay now. */
uint64_t retentiond_unsettled(struct target *target);

/* What WORK_BACKUP made, which is as large as the store. */
void retentiond_remove_backups(const struct target *target);

/* Bytes of memory that are its own: not the page cache's. */
uint64_t retentiond_private_bytes(const struct target *target);

#endif
