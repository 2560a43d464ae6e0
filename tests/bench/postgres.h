/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_BENCH_POSTGRES_H
#define RETENTIOND_TESTS_BENCH_POSTGRES_H

#include "tests/bench/target.h"

/* PostgreSQL 15 as Debian has it, with a cluster of its own. */
extern const struct target_class postgres_class;

#endif
