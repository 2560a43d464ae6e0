/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_BENCH_REPORT_H
#define RETENTIOND_TESTS_BENCH_REPORT_H

#include "tests/bench/bench.h"

/* The machine, a table of the medians, and what became of the goals; to standard output. */
void report_print(const struct bench *bench);

/* Everything, every round of it, as JSON. */
void report_write(const struct bench *bench, const char *path);

#endif
