/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/report.h"

#include <jansson.h>
#include <libsmartcols/libsmartcols.h>
#include <stdio.h>

#include "tests/bench/fail.h"
#include "tests/bench/goals.h"
#include "tests/bench/works.h"

#define NS_PER_MS 1000000.0
#define NS_PER_US 1000.0

#define CELL_MAX 48

/* Tables */

static struct libscols_table *new_table(const char *const *columns, uint32_t n, uint32_t n_texts)
{
	struct libscols_table *table = scols_new_table();

	if (!table) {
		fail("out of memory");
	}
	for (uint32_t i = 0; i < n; i++) {
		(void)scols_table_new_column(table, columns[i], 0,
					     i < n_texts ? 0 : SCOLS_FL_RIGHT);
	}
	return table;
}

static struct libscols_line *new_line(struct libscols_table *table)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);

	if (!line) {
		fail("out of memory");
	}
	return line;
}

static void set_cell(struct libscols_line *line, uint32_t column, const char *text)
{
	if (scols_line_set_data(line, column, text) < 0) {
		fail("out of memory");
	}
}

static void print_table(struct libscols_table *table)
{
	(void)scols_print_table(table);
	(void)putchar('\n');
	scols_unref_table(table);
}

static void format_value(double value, char to[static CELL_MAX])
{
	int digits = value < 10 ? 3 : value < 100 ? 1 : 0;

	(void)snprintf(to, CELL_MAX, "%.*f", digits, value);
}

static void set_latency(struct libscols_line *line, uint32_t column, uint64_t ns)
{
	char text[CELL_MAX];

	if (ns > 0) {
		(void)snprintf(text, sizeof(text), "%.3f", (double)ns / NS_PER_MS);
		set_cell(line, column, text);
	}
}

static void add_figure(struct libscols_table *table, const struct bench *bench, uint32_t index,
		       const struct entrant *entrant)
{
	const struct figure *figure = bench_median(entrant, index, bench->n_rounds);
	struct libscols_line *line = new_line(table);
	char value[CELL_MAX];

	format_value(figure->value, value);
	set_cell(line, 0, measures[index].title);
	set_cell(line, 1, measure_system(&measures[index], entrant));
	set_cell(line, 2, value);
	set_cell(line, 3, unit_name(measures[index].unit));
	set_latency(line, 4, figure->p50_ns);
	set_latency(line, 5, figure->p99_ns);
	set_latency(line, 6, figure->p999_ns);
}

static void print_figures(const struct bench *bench)
{
	static const char *const columns[] = {"WORK",   "SYSTEM", "MEDIAN",  "UNIT",
					      "P50 ms", "P99 ms", "P99.9 ms"};
	struct libscols_table *table = new_table(columns, ARRAY_LEN(columns), 2);

	for (uint32_t i = 0; i < n_measures; i++) {
		for (uint32_t n = 0; n < bench->n_entrants; n++) {
			if (bench->entrants[n].measured[i]) {
				add_figure(table, bench, i, &bench->entrants[n]);
			}
		}
	}
	print_table(table);
}

static void describe_goal(const struct goal *goal, char against[static CELL_MAX],
			  char bound[static CELL_MAX])
{
	const char *unit =
		goal->kind == GOAL_VALUE ? unit_name(measures[measure_index(goal->key)].unit) : "x";

	(void)snprintf(against, CELL_MAX, "%s%s", goal->against ? goal->against : "",
		       goal->kind == GOAL_TIMES_P99 ? ", p99" : "");
	(void)snprintf(bound, CELL_MAX, "%s %g %s",
		       goal->kind == GOAL_TIMES_PEER ? "at least" : "at most", goal->bound, unit);
}

static void add_goal(struct libscols_table *table, const struct goal *goal, double value)
{
	struct libscols_line *line = new_line(table);
	char against[CELL_MAX], bound[CELL_MAX], measured[CELL_MAX];

	describe_goal(goal, against, bound);
	(void)snprintf(measured, sizeof(measured), "%.2f", value);
	set_cell(line, 0, measures[measure_index(goal->key)].title);
	set_cell(line, 1, against);
	set_cell(line, 2, bound);
	set_cell(line, 3, measured);
	set_cell(line, 4, goal_is_met(goal, value) ? "met" : "NOT MET");
}

static void print_goals(const struct bench *bench)
{
	static const char *const columns[] = {"WORK", "AGAINST", "GOAL", "MEASURED", "VERDICT"};
	struct libscols_table *table = new_table(columns, ARRAY_LEN(columns), 3);
	double value;

	for (uint32_t i = 0; i < n_goals; i++) {
		if (goal_measure(&goals[i], bench, &value)) {
			add_goal(table, &goals[i], value);
		}
	}
	print_table(table);
}

void report_print(const struct bench *bench)
{
	const struct machine *machine = &bench->machine;

	(void)putchar('\n');
	for (uint32_t i = 0; i < bench->n_entrants; i++) {
		const struct target *target = &bench->entrants[i].target;

		(void)printf("%s%s %s", i == 0 ? "" : ", ", target->class->name, target->version);
	}
	(void)printf("\n%u accounts, %u rounds, %g s each; %s\n", bench->n_accounts,
		     bench->n_rounds, bench->seconds, machine->date);
	(void)printf("%u x %s, %.1f GiB; %s; %s; %s (%s)\n\n", machine->n_cpus, machine->cpu,
		     (double)machine->memory_bytes / (1 << 30), machine->system, machine->kernel,
		     machine->file_system, machine->options);
	print_figures(bench);
	print_goals(bench);
}

/* JSON */

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

static json_t *works_as_json(const struct bench *bench)
{
	json_t *works = json_object();

	for (uint32_t i = 0; i < n_measures; i++) {
		json_t *work, *systems;

		if (!bench->entrants[0].measured[i]) {
			continue;
		}
		work = json_object();
		systems = json_object();
		for (uint32_t n = 0; n < bench->n_entrants; n++) {
			const struct entrant *entrant = &bench->entrants[n];

			if (entrant->measured[i]) {
				put(systems, measure_system(&measures[i], entrant),
				    system_as_json(bench, i, entrant));
			}
		}
		put(work, "title", json_string(measures[i].title));
		put(work, "unit", json_string(unit_name(measures[i].unit)));
		put(work, "systems", systems);
		put(works, measures[i].key, work);
	}
	return works;
}

static json_t *goals_as_json(const struct bench *bench)
{
	json_t *array = json_array();
	double value;

	for (uint32_t i = 0; i < n_goals; i++) {
		json_t *object;

		if (!goal_measure(&goals[i], bench, &value)) {
			continue;
		}
		object = json_object();
		put(object, "work", json_string(goals[i].key));
		put(object, "against",
		    goals[i].against ? json_string(goals[i].against) : json_null());
		put(object, goals[i].kind == GOAL_TIMES_PEER ? "at_least" : "at_most",
		    json_real(goals[i].bound));
		put(object, "measured", json_real(value));
		put(object, "met", json_boolean(goal_is_met(&goals[i], value)));
		if (json_array_append_new(array, object) < 0) {
			fail("out of memory");
		}
	}
	return array;
}

void report_write(const struct bench *bench, const char *path)
{
	json_t *report = json_object();

	put(report, "accounts", json_integer(bench->n_accounts));
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
