/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/report.h"

#include <stdio.h>

#include "tests/bench/goals.h"
#include "tests/bench/stopwatch.h"
#include "tests/bench/table.h"
#include "tests/bench/works.h"

static void set_latency(struct libscols_line *line, uint32_t column, uint64_t ns)
{
	char text[CELL_MAX];

	if (ns > 0) {
		(void)snprintf(text, sizeof(text), "%.3f", (double)ns / NS_PER_MS);
		table_set_cell(line, column, text);
	}
}

static void add_figure(struct libscols_table *table, const struct bench *bench, uint32_t index,
		       const struct entrant *entrant)
{
	const struct figure *figure = bench_median(entrant, index, bench->n_rounds);
	struct libscols_line *line = table_add_line(table);

	table_set_cell(line, 0, measures[index].title);
	table_set_cell(line, 1, measure_system(&measures[index], entrant));
	table_set_value(line, 2, figure->value);
	table_set_cell(line, 3, unit_name(measures[index].unit));
	set_latency(line, 4, figure->p50_ns);
	set_latency(line, 5, figure->p99_ns);
	set_latency(line, 6, figure->p999_ns);
}

static void print_figures(const struct bench *bench)
{
	static const char *const columns[] = {"WORK",   "SYSTEM", "MEDIAN",  "UNIT",
					      "P50 ms", "P99 ms", "P99.9 ms"};
	struct libscols_table *table = table_new(columns, ARRAY_LEN(columns), 2);

	for (uint32_t i = 0; i < n_measures; i++) {
		for (uint32_t n = 0; n < bench->n_entrants; n++) {
			if (bench->entrants[n].measured[i]) {
				add_figure(table, bench, i, &bench->entrants[n]);
			}
		}
	}
	table_print(table);
}

/* Both stores in one line; a ratio above 1 is what the large one costs more. */
static void add_ratio(struct libscols_table *table, const struct bench *bench, uint32_t index)
{
	struct libscols_line *line = table_add_line(table);
	double ratio;

	table_set_cell(line, 0, measures[index].title);
	table_set_cell(line, 1, unit_name(measures[index].unit));
	for (uint32_t i = 0; i < bench->n_entrants; i++) {
		const struct entrant *entrant = &bench->entrants[i];

		if (entrant->measured[index]) {
			table_set_value(line, 2 + i,
					bench_median(entrant, index, bench->n_rounds)->value);
		}
	}
	if (bench_cost_ratio(bench, index, &ratio)) {
		table_set_value(line, 4, ratio);
	}
}

static void print_ratios(const struct bench *bench)
{
	static const char *const columns[] = {"WORK", "UNIT", "SMALL", "LARGE", "COST RATIO"};
	struct libscols_table *table = table_new(columns, ARRAY_LEN(columns), 2);

	for (uint32_t i = 0; i < n_measures; i++) {
		if (bench->entrants[0].measured[i]) {
			add_ratio(table, bench, i);
		}
	}
	table_print(table);
}

/* Beside the system or store that a goal is about. */
static const char *goal_against(const struct goal *goal)
{
	switch (goal->kind) {
	case GOAL_TIMES_PEER:
	case GOAL_TIMES_P99:
		return goal->against;
	case GOAL_TIMES_SMALL:
		return "itself, small store";
	case GOAL_VALUE:
		return "";
	case GOAL_VALUE_LARGE:
		return "large store";
	}
	abort();
}

static bool goal_has_unit(const struct goal *goal)
{
	return goal->kind == GOAL_VALUE || goal->kind == GOAL_VALUE_LARGE;
}

static void describe_goal(const struct goal *goal, char against[static CELL_MAX],
			  char bound[static CELL_MAX])
{
	const char *unit =
		goal_has_unit(goal) ? unit_name(measures[measure_index(goal->key)].unit) : "x";

	(void)snprintf(against, CELL_MAX, "%s%s", goal_against(goal),
		       goal->kind == GOAL_TIMES_P99 ? ", p99" : "");
	(void)snprintf(bound, CELL_MAX, "%s %g %s",
		       goal->kind == GOAL_TIMES_PEER ? "at least" : "at most", goal->bound, unit);
}

static void add_goal(struct libscols_table *table, const struct goal *goal,
		     const struct bench *bench)
{
	struct libscols_line *line = table_add_line(table);
	char against[CELL_MAX], bound[CELL_MAX], text[CELL_MAX];
	double value;

	describe_goal(goal, against, bound);
	table_set_cell(line, 0, measures[measure_index(goal->key)].title);
	table_set_cell(line, 1, against);
	table_set_cell(line, 2, bound);
	if (goal_measure(goal, bench, &value)) {
		(void)snprintf(text, sizeof(text), "%.2f", value);
		table_set_cell(line, 3, text);
		table_set_cell(line, 4, goal_is_met(goal, value) ? "met" : "NOT MET");
	} else {
		(void)snprintf(text, sizeof(text), "%s measures it", goal_command(goal));
		table_set_cell(line, 4, text);
	}
}

static void print_goals(const struct bench *bench)
{
	static const char *const columns[] = {"WORK", "AGAINST", "GOAL", "MEASURED", "VERDICT"};
	struct libscols_table *table = table_new(columns, ARRAY_LEN(columns), 3);

	for (uint32_t i = 0; i < n_goals; i++) {
		add_goal(table, &goals[i], bench);
	}
	table_print(table);
}

static void print_size(const struct bench *bench)
{
	if (bench->kind == KIND_SCALE) {
		(void)printf("%u and %u accounts", bench->n_accounts,
			     bench->entrants[1].accounts.n);
	} else {
		(void)printf("%u accounts", bench->n_accounts);
	}
	(void)printf(", %u rounds, %g s each; %s\n", bench->n_rounds, bench->seconds,
		     bench->machine.date);
}

static void print_versions(const struct bench *bench)
{
	uint32_t n = bench->kind == KIND_SCALE ? 1 : bench->n_entrants;

	for (uint32_t i = 0; i < n; i++) {
		const struct target *target = &bench->entrants[i].target;

		(void)printf("%s%s %s", i == 0 ? "\n" : ", ", target->class->name, target->version);
	}
	(void)putchar('\n');
}

void report_print(const struct bench *bench)
{
	const struct machine *machine = &bench->machine;

	print_versions(bench);
	print_size(bench);
	(void)printf("%u x %s, %.1f GiB; %s; %s; %s (%s)\n\n", machine->n_cpus, machine->cpu,
		     (double)machine->memory_bytes / (1 << 30), machine->system, machine->kernel,
		     machine->file_system, machine->options);
	if (bench->kind == KIND_SCALE) {
		print_ratios(bench);
	} else {
		print_figures(bench);
	}
	print_goals(bench);
}
