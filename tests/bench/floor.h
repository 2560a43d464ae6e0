/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_BENCH_FLOOR_H
#define RETENTIOND_TESTS_BENCH_FLOOR_H

#include "tests/bench/spread.h"

/*
 * What no store on this machine can be faster than, measured in the same run and on the same file
 * system.
 */

/* Overwrites a block of 4 KiB and syncs it, again and again for a while. Return: seconds. */
double floor_sync_block(const char *directory, double seconds, struct spread *latencies);

/* Commits one entry of a ledger's size with bare LMDB: eight bytes of key, 160 of value. */
double floor_commit_entry(const char *directory, double seconds, struct spread *latencies);

#endif
