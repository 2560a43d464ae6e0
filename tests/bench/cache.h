/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_BENCH_CACHE_H
#define RETENTIOND_TESTS_BENCH_CACHE_H

#include "tests/bench/bench.h"

/*
 * Stores that are imported once and then kept: DIR/store-N has N accounts (DIR is the bench's @home). Beside the state stands
 * import.json, which says what was imported by which program:
 *
 *     {"accounts": 10000000, "format": 1, "generator": 1, "seconds": 412.7,
 *      "date": "2026-11-22T02:10:48Z", "version": "0.1.0"}
 *
 * A store is made in DIR/run and gets its name when it is complete and on disk: one that was
 * interrupted has none, and goes with DIR/run. Every round works on a copy.
 */

/**
 * cache_prepare() - see to it that there is a store for each entrant's accounts
 *
 * One of another format or generator is removed. Ends the program if the disk has no room for the
 * run. Sets each entrant's @target.store and @import_seconds.
 */
void cache_prepare(struct bench *bench);

#endif
