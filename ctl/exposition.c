/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/exposition.h"

#include "ctl/json.h"

#define PRECISION JSON_REAL_PRECISION(15) /* as many as a decimal keeps in a double */

/* What would end a line or a label's value is escaped; in HELP a quote is none of it. */
static void put_escaped(const char *text, bool quotes, FILE *out)
{
	for (; *text; text++) {
		if (*text == '\n') {
			(void)fputs("\\n", out);
			continue;
		}
		if (*text == '\\' || (quotes && *text == '"')) {
			(void)fputc('\\', out);
		}
		(void)fputc(*text, out);
	}
}

/* By jansson, whose decimal point is a point in every locale. */
static void put_number(const json_t *number, FILE *out)
{
	(void)json_dumpf(number, out, JSON_ENCODE_ANY | PRECISION); /* ferror() tells at the end */
}

static void put_label(const char *name, const char *value, const char *before, FILE *out)
{
	(void)fprintf(out, "%s%s=\"", before, name);
	put_escaped(value ? value : "", true, out);
	(void)fputc('"', out);
}

static void put_sample(const char *name, const json_t *sample, FILE *out)
{
	const char *before = "{";
	const char *label;
	json_t *value;

	(void)fputs(name, out);
	json_object_foreach(json_object_get(sample, "labels"), label, value) {
		put_label(label, json_string_value(value), before, out);
		before = ",";
	}
	(void)fputs(*before == ',' ? "} " : " ", out);
	put_number(json_object_get(sample, "value"), out);
	(void)fputc('\n', out);
}

static void put_histogram(const char *name, const json_t *histogram, FILE *out)
{
	const json_t *count = json_object_get(histogram, "count");
	size_t i;
	const json_t *bucket;

	json_array_foreach(json_object_get(histogram, "buckets"), i, bucket) {
		(void)fprintf(out, "%s_bucket{le=\"", name);
		put_number(json_object_get(bucket, "le"), out);
		(void)fputs("\"} ", out);
		put_number(json_object_get(bucket, "count"), out);
		(void)fputc('\n', out);
	}
	(void)fprintf(out, "%s_bucket{le=\"+Inf\"} ", name);
	put_number(count, out);
	(void)fprintf(out, "\n%s_sum ", name);
	put_number(json_object_get(histogram, "sum"), out);
	(void)fprintf(out, "\n%s_count ", name);
	put_number(count, out);
	(void)fputc('\n', out);
}

static void put_metric(const json_t *metric, FILE *out)
{
	const char *name = ctl_json_text(metric, "name");
	size_t i;
	const json_t *sample;

	(void)fprintf(out, "# HELP %s ", name);
	put_escaped(ctl_json_text(metric, "help"), false, out);
	(void)fprintf(out, "\n# TYPE %s %s\n", name, ctl_json_text(metric, "type"));
	json_array_foreach(json_object_get(metric, "samples"), i, sample) {
		if (json_object_get(sample, "buckets")) {
			put_histogram(name, sample, out);
		} else {
			put_sample(name, sample, out);
		}
	}
}

void exposition_print(const json_t *metrics, FILE *out)
{
	size_t i;
	const json_t *metric;

	json_array_foreach(metrics, i, metric) {
		put_metric(metric, out);
	}
}

void exposition_print_json(json_t *metrics, FILE *out)
{
	json_t *document = json_pack("{s:O}", "metrics", metrics);

	(void)json_dumpf(document, out, JSON_ENSURE_ASCII | JSON_INDENT(2) | PRECISION);
	(void)fputc('\n', out); /* ferror() tells at the end of both */
	json_decref(document);
}
