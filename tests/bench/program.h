/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_BENCH_PROGRAM_H
#define RETENTIOND_TESTS_BENCH_PROGRAM_H

#include "tests/bench/target.h"

/*
 * What the two programs have in common: options, a run, a report. @classes: who takes part,
 * retentiond first. Return: the exit status.
 */
int program_run(int argc, char **argv, const struct target_class *const *classes,
		uint32_t n_classes);

#endif
