/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/program.h"
#include "tests/bench/retentiond.h"

/* make bench: retentiond alone. */
int main(int argc, char **argv)
{
	const struct target_class *const classes[] = {&retentiond_class};

	return program_run(argc, argv, classes, ARRAY_LEN(classes));
}
