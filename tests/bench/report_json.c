/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/report.h"

#include <jansson.h>

#include "tests/bench/fail.h"
#include "tests/bench/goals.h"
#include "tests/bench/stopwatch.h"
#include "tests/bench/works.h"

static void put(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) < 0) {
		fail("out of memory");
	}
}

static json_t *machine_as_json(const struct machine *machine)
{
	json_t *object = json_object();

	put(object, "date", json_string(machine->date));
	put(object, "cpu", json_string(machine->cpu));
	put(object, "cpus", json_integer(machine->n_cpus));
	put(object, "memory_bytes", json_integer((json_int_t)machine->memory_bytes));
	put(object, "system", json_string(machine->system));
	put(object, "kernel", json_string(machine->kernel));
	put(object, "file_system", json_string(machine->file_system));
	put(object, "mount_options", json_string(machine->options));
	return object;
}

static json_t *versions_as_json(const struct bench *bench)
{
	json_t *object = json_object();

	for (uint32_t i = 0; i < bench->n_entrants; i++) {
		const struct target *target = &bench->entrants[i].target;

		put(object, target->class->name, json_string(target->version));
	}
	return object;
}

static json_t *figure_as_json(const struct figure *figure)
{
	json_t *object = json_object();

	put(object, "value", json_real(figure->value));
	put(object, "n", json_integer((json_int_t)figure->n));
	put(object, "seconds", json_real(figure->seconds));
	if (figure->max_ns > 0) {
		put(object, "p50_us", json_real((double)figure->p50_ns / NS_PER_US));
		put(object, "p99_us", json_real((double)figure->p99_ns / NS_PER_US));
		put(object, "p999_us", json_real((double)figure->p999_ns / NS_PER_US));
		put(object, "max_us", json_real((double)figure->max_ns / NS_PER_US));
	}
	return object;
}

static json_t *system_as_json(const struct bench *bench, uint32_t index,
			      const struct entrant *entrant)
{
	json_t *object = json_object();
	json_t *rounds = json_array();

	for (uint32_t i = 0; i < bench->n_rounds; i++) {
		if (json_array_append_new(rounds, figure_as_json(&entrant->figures[index][i])) <
		    0) {
			fail("out of memory");
		}
	}
	put(object, "median", figure_as_json(bench_median(entrant, index, bench->n_rounds)));
	put(object, "rounds", rounds);
	return object;
}

static json_t *work_as_json(const struct bench *bench, uint32_t index)
{
	json_t *work = json_object();
	json_t *systems = json_object();
	double ratio;

	for (uint32_t i = 0; i < bench->n_entrants; i++) {
		const struct entrant *entrant = &bench->entrants[i];

		if (entrant->measured[index]) {
			put(systems, measure_system(&measures[index], entrant),
			    system_as_json(bench, index, entrant));
		}
	}
	put(work, "title", json_string(measures[index].title));
	put(work, "unit", json_string(unit_name(measures[index].unit)));
	put(work, "systems", systems);
	if (bench_cost_ratio(bench, index, &ratio)) {
		put(work, "cost_ratio", json_real(ratio));
	}
	return work;
}

static json_t *works_as_json(const struct bench *bench)
{
	json_t *works = json_object();

	for (uint32_t i = 0; i < n_measures; i++) {
		if (bench->entrants[0].measured[i]) {
			put(works, measures[i].key, work_as_json(bench, i));
		}
	}
	return works;
}

/* What this run did not measure is null. */
static json_t *goal_as_json(const struct goal *goal, const struct bench *bench)
{
	json_t *object = json_object();
	double value;
	bool measured = goal_measure(goal, bench, &value);

	put(object, "work", json_string(goal->key));
	put(object, "against", goal->against ? json_string(goal->against) : json_null());
	put(object, goal->kind == GOAL_TIMES_PEER ? "at_least" : "at_most", json_real(goal->bound));
	put(object, "measured_by", json_string(goal_command(goal)));
	put(object, "measured", measured ? json_real(value) : json_null());
	put(object, "met", measured ? json_boolean(goal_is_met(goal, value)) : json_null());
	return object;
}

static json_t *goals_as_json(const struct bench *bench)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < n_goals; i++) {
		if (json_array_append_new(array, goal_as_json(&goals[i], bench)) < 0) {
			fail("out of memory");
		}
	}
	return array;
}

void report_write(const struct bench *bench, const char *path)
{
	json_t *report = json_object();

	put(report, "accounts", json_integer(bench->n_accounts));
	if (bench->kind == KIND_SCALE) {
		put(report, "accounts_large", json_integer(bench->entrants[1].accounts.n));
	}
	put(report, "rounds", json_integer(bench->n_rounds));
	put(report, "seconds", json_real(bench->seconds));
	put(report, "machine", machine_as_json(&bench->machine));
	put(report, "versions", versions_as_json(bench));
	put(report, "works", works_as_json(bench));
	put(report, "goals", goals_as_json(bench));
	if (json_dump_file(report, path, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) < 0) {
		fail("%s cannot be written", path);
	}
	json_decref(report);
}
