/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_BENCH_MACHINE_H
#define RETENTIOND_TESTS_BENCH_MACHINE_H

#include "common/base.h"

/* Where it was measured: figures of two machines are not comparable. */
struct machine {
	char cpu[128];
	uint32_t n_cpus;
	uint64_t memory_bytes;
	char kernel[160];
	char system[128];
	char file_system[64];
	char options[256]; /* of its mount */
	char date[32];     /* UTC */
};

/* @directory: on the file system that is measured. */
void machine_look(const char *directory, struct machine *ret_machine);

#endif
