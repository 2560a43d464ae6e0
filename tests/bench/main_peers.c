/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/postgres.h"
#include "tests/bench/program.h"
#include "tests/bench/redis.h"
#include "tests/bench/retentiond.h"

/* make bench-peers: retentiond and what people would use instead. */
int main(int argc, char **argv)
{
	const struct target_class *const classes[] = {
		&retentiond_class,
		&postgres_class,
		&redis_class,
	};

	return program_run(argc, argv, classes, ARRAY_LEN(classes));
}
