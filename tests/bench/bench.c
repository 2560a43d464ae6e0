/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/bench.h"

#include <stdio.h>

#include "tests/bench/acts.h"
#include "tests/bench/directory.h"
#include "tests/bench/retentiond.h"

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

	if (!(measure->kinds & bench->kind)) {
		return false;
	}
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

void bench_start_entrant(const struct bench *bench, struct entrant *entrant)
{
	struct target *target = &entrant->target;

	(void)snprintf(target->directory, sizeof(target->directory), "%s/%s", bench->directory,
		       entrant->name);
	(void)snprintf(target->sockets, sizeof(target->sockets), "%s/%s", bench->sockets,
		       entrant->name);
	entrant->n_imported = target->store[0] == '\0' ? 0 : entrant->accounts.n;
	entrant->place = entrant->left_from = entrant->left_to = 0;
	entrant->private_bytes = 0;
	target->class->start(target);
}

void bench_stop_entrant(struct entrant *entrant)
{
	struct target *target = &entrant->target;

	target->class->stop(target);
	directory_remove(target->directory);
	directory_remove(target->sockets);
}

static bool takes_part(const struct bench *bench, const struct measure *measure,
		       const struct entrant *entrant)
{
	switch (measure->whose) {
	case WHOSE_ALL:
		return true;
	case WHOSE_OURS:
		return act_is_ours(entrant);
	case WHOSE_MACHINE:
		return entrant == &bench->entrants[0];
	}
	abort();
}

static void watch_memory(struct entrant *entrant)
{
	if (act_is_ours(entrant)) {
		entrant->private_bytes =
			MAX(entrant->private_bytes, retentiond_private_bytes(&entrant->target));
	}
}

static void run_measure(struct bench *bench, uint32_t round, uint32_t index)
{
	const struct measure *measure = &measures[index];

	for (uint32_t i = 0; i < bench->n_entrants; i++) {
		struct entrant *entrant = &bench->entrants[(round + i) % bench->n_entrants];
		struct figure *figure = &entrant->figures[index][round];

		if (!takes_part(bench, measure, entrant)) {
			continue;
		}
		tell_begin(bench, round, measure, entrant);
		if (bench->kind == KIND_SCALE) {
			directory_read(entrant->target.directory);
		}
		watch_memory(entrant);
		measure->run(bench, entrant, measure, figure);
		watch_memory(entrant);
		entrant->measured[index] = true;
		tell_figure(measure, figure);
		entrant->target.class->quiesce(&entrant->target);
	}
}

static void tell_start(const struct bench *bench, uint32_t round, const struct entrant *entrant)
{
	if (entrant->target.store[0] != '\0') {
		(void)fprintf(stderr, "round %u of %u  %-14s %-11s\n", round + 1, bench->n_rounds,
			      "copying", entrant->name);
	}
}

void bench_run(struct bench *bench)
{
	for (uint32_t round = 0; round < bench->n_rounds; round++) {
		for (uint32_t i = 0; i < bench->n_entrants; i++) {
			tell_start(bench, round, &bench->entrants[i]);
			bench_start_entrant(bench, &bench->entrants[i]);
		}
		for (uint32_t i = 0; i < n_measures; i++) {
			if (is_wanted(bench, &measures[i])) {
				run_measure(bench, round, i);
			}
		}
		for (uint32_t i = 0; i < bench->n_entrants; i++) {
			bench_stop_entrant(&bench->entrants[i]);
		}
	}
}
