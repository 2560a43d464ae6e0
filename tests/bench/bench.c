/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/bench.h"

#include <stdio.h>
#include <sys/stat.h>

#include "tests/bench/child.h"
#include "tests/bench/fail.h"
#include "tests/bench/works.h"

/* For who runs it: how far it is. */
static void tell_begin(const struct bench *bench, uint32_t round, const struct measure *measure,
		       const struct entrant *entrant)
{
	(void)fprintf(stderr, "round %u of %u  %-14s %-11s", round + 1, bench->n_rounds,
		      measure->key, measure_system(measure, entrant));
}

static void tell_figure(const struct measure *measure, const struct figure *figure)
{
	(void)fprintf(stderr, "%.*f %s\n", figure->value < 100 ? 3 : 0, figure->value,
		      unit_name(measure->unit));
}

/* Nothing can be done without accounts. */
static bool is_wanted(const struct bench *bench, const struct measure *measure)
{
	const char *at = bench->only;
	size_t len = strlen(measure->key);

	if (!at || strcmp(measure->key, "import") == 0) {
		return true;
	}
	while ((at = strstr(at, measure->key))) {
		if ((at == bench->only || at[-1] == ',') && (at[len] == ',' || at[len] == '\0')) {
			return true;
		}
		at += len;
	}
	return false;
}

static void start_entrant(const struct bench *bench, struct entrant *entrant)
{
	struct target *target = &entrant->target;

	(void)snprintf(target->directory, sizeof(target->directory), "%s/%s", bench->directory,
		       target->class->name);
	(void)snprintf(target->sockets, sizeof(target->sockets), "%s/%s", bench->sockets,
		       target->class->name);
	target->class->start(target);
}

static void stop_entrant(struct entrant *entrant)
{
	struct target *target = &entrant->target;

	target->class->stop(target);
	directory_remove(target->directory);
	directory_remove(target->sockets);
}

static void run_measure(struct bench *bench, uint32_t round, uint32_t index)
{
	const struct measure *measure = &measures[index];
	uint32_t n = measure->whose == WHOSE_ALL ? bench->n_entrants : 1;

	for (uint32_t i = 0; i < n; i++) {
		struct entrant *entrant = &bench->entrants[(round + i) % n];
		struct figure *figure = &entrant->figures[index][round];

		tell_begin(bench, round, measure, entrant);
		measure->run(bench, entrant, measure, figure);
		entrant->measured[index] = true;
		tell_figure(measure, figure);
		entrant->target.class->quiesce(&entrant->target);
	}
}

void bench_run(struct bench *bench)
{
	for (uint32_t round = 0; round < bench->n_rounds; round++) {
		for (uint32_t i = 0; i < bench->n_entrants; i++) {
			start_entrant(bench, &bench->entrants[i]);
		}
		for (uint32_t i = 0; i < n_measures; i++) {
			if (is_wanted(bench, &measures[i])) {
				run_measure(bench, round, i);
			}
		}
		for (uint32_t i = 0; i < bench->n_entrants; i++) {
			stop_entrant(&bench->entrants[i]);
		}
	}
}
