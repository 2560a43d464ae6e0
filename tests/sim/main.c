/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/history.h"
#include <stdio.h>
int main(int argc, char **argv)
{
	static struct plan plan;
	static struct report report;
	uint64_t from = strtoull(argv[1], NULL, 10), n = strtoull(argv[2], NULL, 10);
	for (uint64_t s = from; s < from + n; s++) {
		plan_make(&plan, s, 1000);
		sim_play(&plan, NULL, argc > 3, &report);
	}
	printf("steps %lu requests %lu starts %lu removed %lu restored %lu\n", report.n_steps, report.n_requests, report.n_starts, report.n_removed, report.n_restored);
	return 0;
}
