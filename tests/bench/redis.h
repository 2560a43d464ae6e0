/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_BENCH_REDIS_H
#define RETENTIOND_TESTS_BENCH_REDIS_H

#include "tests/bench/target.h"

/* Redis 7 as Debian has it, with an append-only file that is synced before each answer. */
extern const struct target_class redis_class;

#endif
