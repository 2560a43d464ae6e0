/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/metric.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <locale.h>
#include <stdio.h>

#include "ctl/exposition.h"

/* tests/golden/metrics: answers of a daemon, and the exposition that is made of them. */

#define ANSWERS "tests/golden/metrics/answers_1.json"
#define GOLDEN  "tests/golden/metrics/exposition_1.prom"

static json_t *metrics;
static char *text;

static void tear_down(void)
{
	json_decref(metrics);
	free(text);
}

TestSuite(ctl_metrics, .fini = tear_down);

static void print(json_t *made)
{
	size_t len;
	FILE *out = open_memstream(&text, &len);

	cr_assert(out);
	metrics = made;
	cr_assert(metrics);
	exposition_print(metrics, out);
	cr_assert_eq(fclose(out), 0);
}

static void collect(json_t *answers)
{
	cr_assert(answers);
	print(metric_collect(answers));
	json_decref(answers);
}

/* @json: with single quotes for double ones. */
static json_t *parse(const char *json)
{
	char copy[512];
	json_error_t error;
	json_t *value;

	(void)snprintf(copy, sizeof(copy), "%s", json);
	for (char *p = copy; *p; p++) {
		*p = (char)(*p == '\'' ? '"' : *p);
	}
	value = json_loads(copy, 0, &error);
	cr_assert(value, "%s: %s", copy, error.text);
	return value;
}

static char *read_file(const char *path)
{
	FILE *file = fopen(path, "r");
	char *read = NULL;
	size_t size = 0;

	cr_assert(file, "%s", path);
	cr_assert_gt(getdelim(&read, &size, '\0', file), 0);
	(void)fclose(file);
	return read;
}

Test(ctl_metrics, the_exposition_is_as_it_was)
{
	cleanup(freep) char *golden = read_file(GOLDEN);
	cleanup(freep) char *answers = read_file(ANSWERS);

	collect(json_loads(answers, 0, NULL));
	cr_assert_str_eq(text, golden);
}

/* Scripts and rules depend on the names, and people on the words. */
Test(ctl_metrics, every_name_follows_the_practice_and_is_explained)
{
	for (size_t i = 0; i < metric_table_len; i++) {
		const struct metric *metric = &metric_table[i];
		size_t len = strlen(metric->name);
		bool total = len > 6 && strcmp(metric->name + len - 6, "_total") == 0;

		cr_assert_eq(strncmp(metric->name, "retentiond_", 11), 0, "%s", metric->name);
		cr_assert_eq(total, metric->type == METRIC_COUNTER, "%s", metric->name);
		for (const char *p = metric->name; *p; p++) {
			cr_assert(islower(*p) || *p == '_', "%s", metric->name);
		}
		cr_assert_eq(metric->help[strlen(metric->help) - 1], '.', "%s", metric->name);
	}
}

Test(ctl_metrics, rows_of_one_name_stand_together_and_agree)
{
	for (size_t i = 1; i < metric_table_len; i++) {
		for (size_t k = 0; k < i; k++) {
			if (strcmp(metric_table[i].name, metric_table[k].name) == 0) {
				cr_assert_str_eq(metric_table[i - 1].name, metric_table[i].name);
				cr_assert_eq(metric_table[i].type, metric_table[k].type);
				cr_assert_str_eq(metric_table[i].help, metric_table[k].help);
			}
		}
	}
}

Test(ctl_metrics, of_a_daemon_that_does_not_answer_that_is_all_that_is_told)
{
	collect(parse("{'up': false}"));
	cr_assert_str_eq(text, "# HELP retentiond_up Whether the daemon answered.\n"
			       "# TYPE retentiond_up gauge\n"
			       "retentiond_up 0\n");
}

Test(ctl_metrics, what_the_role_may_not_see_is_left_out)
{
	collect(parse("{'up': true, 'info': {'version': '1', 'instance': '2',"
		      " 'clock': {'now_us': 1000000, 'trusted': false}}}"));
	cr_assert_eq(json_array_size(metrics), 3);
	cr_assert(strstr(text, "\nretentiond_clock_trusted 0\n"));
	cr_assert(strstr(text, "\nretentiond_build_info{version=\"1\",store=\"2\"} 1\n"));
}

Test(ctl_metrics, a_figure_that_an_older_daemon_does_not_tell_is_left_out)
{
	collect(parse("{'up': true, 'info': {'clock': {'now_us': 5000000}},"
		      " 'stats': {'requests': 3, 'accounts': {'active': 1}}}"));
	cr_assert(strstr(text, "\nretentiond_requests_total 3\n"));
	cr_assert(strstr(text, "\nretentiond_accounts{state=\"active\"} 1\n"));
	cr_assert_not(strstr(text, "removing"));
	cr_assert_not(strstr(text, "retentiond_request_duration_seconds"));
	cr_assert_not(strstr(text, "retentiond_next_due_timestamp_seconds"));
	cr_assert(strstr(text, "\nretentiond_last_backup_timestamp_seconds 0\n"));
}

Test(ctl_metrics, what_is_due_in_the_future_has_no_lag)
{
	collect(parse("{'up': true, 'info': {'clock': {'now_us': 5000000}},"
		      " 'stats': {'next_due_us': 6000000}}"));
	cr_assert(strstr(text, "\nretentiond_sweep_lag_seconds 0\n"));
	cr_assert(strstr(text, "\nretentiond_next_due_timestamp_seconds 6.0\n"));
}

Test(ctl_metrics, what_would_break_a_line_is_escaped)
{
	print(parse("[{'name': 'n', 'type': 'gauge', 'help': 'a \\\\ and \\n \\u0022quoted\\u0022',"
		    " 'samples': [{'labels': {'a': 'x\\\\y\\n\\u0022', 'b': ''}, 'value': 1}]}]"));
	cr_assert_str_eq(text, "# HELP n a \\\\ and \\n \"quoted\"\n"
			       "# TYPE n gauge\n"
			       "n{a=\"x\\\\y\\n\\\"\",b=\"\"} 1\n");
}

Test(ctl_metrics, a_point_is_a_point_in_every_locale)
{
	static const char *const commas[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE"};

	for (size_t i = 0; i < ARRAY_LEN(commas) && !setlocale(LC_NUMERIC, commas[i]); i++) {
	}
	collect(parse("{'up': true, 'info': {'clock': {'now_us': 5000000}},"
		      " 'stats': {'wall_ahead_us': 1500000}}"));
	cr_assert(strstr(text, "\nretentiond_clock_wall_ahead_seconds 1.5\n"));
}
