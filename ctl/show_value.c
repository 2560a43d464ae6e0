/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/show.h"

#include <inttypes.h>

#include "common/commands.h"
#include "ctl/text.h"

const char *show_red(const struct show *show)
{
	return show->color ? "\033[31m" : "";
}

const char *show_bold(const struct show *show)
{
	return show->color ? "\033[1m" : "";
}

const char *show_plain(const struct show *show)
{
	return show->color ? "\033[0m" : "";
}

void show_count(int64_t n, FILE *out)
{
	char digits[24];
	size_t len;

	(void)snprintf(digits, sizeof(digits), "%" PRId64, n);
	len = strlen(digits);
	for (size_t i = 0; i < len; i++) {
		bool begins_group = i > 0 && digits[i - 1] != '-' && (len - i) % 3 == 0;

		(void)fprintf(out, "%s%c", begins_group ? " " : "", digits[i]);
	}
}

void show_instant(const struct show *show, instant_t at, FILE *out)
{
	char text[INSTANT_TEXT_MAX];
	char text_of_span[SPAN_TEXT_MAX];
	span_t span;

	if (at == INSTANT_NONE) {
		(void)fputs("-", out);
		return;
	}
	instant_format(at - at % SPAN_SECOND, show->utc, text);
	(void)fputs(text, out);
	if (show->now == INSTANT_NONE) {
		return;
	}
	/* The instant is shown to the second, and so is the span. */
	span = at > show->now ? at - show->now : show->now - at;
	span -= span % SPAN_SECOND;
	span_format(span, text_of_span);
	if (span == 0) {
		(void)fputs(" (now)", out);
	} else if (at > show->now) {
		(void)fprintf(out, " (in %s)", text_of_span);
	} else {
		(void)fprintf(out, " (%s ago)", text_of_span);
	}
}

bool show_instant_of(const json_t *object, const char *key, instant_t *ret_at)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_integer(value)) {
		return false;
	}
	*ret_at = json_integer_value(value);
	return true;
}

static bool ends_with(const char *text, const char *end)
{
	size_t text_len = strlen(text);
	size_t end_len = strlen(end);

	return text_len >= end_len && strcmp(text + text_len - end_len, end) == 0;
}

/* A key that ends in _us is an instant, unless it is one of these spans, or the table of arguments
 * knows it as a span. "to_us" is where a bucket of times ends. */
static bool is_span(const char *key)
{
	static const char *const spans[] = {"lateness_us", "longest_us", "sum_us",
					    "to_us",       "took_us",    "wall_ahead_us"};

	for (size_t i = 0; i < ARRAY_LEN(spans); i++) {
		if (strcmp(spans[i], key) == 0) {
			return true;
		}
	}
	for (size_t i = 0; i < _ARGUMENT_MAX; i++) {
		if (strcmp(argument_table[i].name, key) == 0) {
			return argument_table[i].type == ARGUMENT_TYPE_SPAN ||
			       argument_table[i].type == ARGUMENT_TYPE_WINDOW ||
			       argument_table[i].type == ARGUMENT_TYPE_REMOVAL;
		}
	}
	return false;
}

void show_label(const char *key, char *label, size_t size)
{
	size_t len = strlen(key) - (ends_with(key, "_us") ? strlen("_us") : 0);

	/* What is staged stands beside since when it is. */
	if (strcmp(key, "staged_us") == 0) {
		(void)snprintf(label, size, "staged at");
		return;
	}
	(void)snprintf(label, size, "%.*s", (int)len, key);
	for (char *p = label; *p; p++) {
		*p = (char)(*p == '_' ? ' ' : *p);
	}
}

static void show_bytes(int64_t bytes, FILE *out)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	double value = (double)bytes;
	size_t unit = 0;

	while (value >= 1024 && unit + 1 < ARRAY_LEN(units)) {
		value /= 1024;
		unit++;
	}
	(void)fprintf(out, unit && value < 10 ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

static void show_integer(const struct show *show, const char *key, int64_t value, FILE *out)
{
	char text[SPAN_TEXT_MAX];

	if (ends_with(key, "_us") && is_span(key)) {
		span_format_exact(value, text);
		(void)fputs(text, out);
	} else if (ends_with(key, "_us")) {
		show_instant(show, value, out);
	} else if (ends_with(key, "_bytes")) {
		show_bytes(value, out);
	} else {
		(void)fprintf(out, "%" PRId64, value);
	}
}

static void show_list(const struct show *show, const char *key, const json_t *list, FILE *out)
{
	size_t i;
	const json_t *item;

	if (json_array_size(list) == 0) {
		(void)fputs("-", out);
	}
	json_array_foreach(list, i, item) {
		(void)fputs(i ? ", " : "", out);
		show_value(show, key, item, out);
	}
}

static void show_pairs(const struct show *show, const json_t *object, FILE *out)
{
	const char *separator = "";
	const char *key;
	json_t *item;

	/* jansson's iterator takes no const; it changes nothing. */
	json_object_foreach((json_t *)object, key, item) {
		(void)fputs(separator, out);
		ctl_text_put(out, slice_of(key));
		(void)fputc('=', out);
		show_value(show, key, item, out);
		separator = " ";
	}
}

void show_value(const struct show *show, const char *key, const json_t *value, FILE *out)
{
	if (!value || json_is_null(value)) {
		(void)fputs("-", out);
		return;
	}
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		show_pairs(show, value, out);
		return;
	case JSON_ARRAY:
		show_list(show, key, value, out);
		return;
	case JSON_STRING:
		ctl_text_put(out,
			     (struct slice){json_string_value(value), json_string_length(value)});
		return;
	case JSON_INTEGER:
		show_integer(show, key, json_integer_value(value), out);
		return;
	case JSON_REAL:
		(void)fprintf(out, "%g", json_real_value(value));
		return;
	case JSON_TRUE:
		(void)fputs("yes", out);
		return;
	case JSON_FALSE:
		(void)fputs("no", out);
		return;
	case JSON_NULL:
		return;
	}
}

void show_key(const struct show *show, const json_t *object, const char *key)
{
	show_value(show, key, json_object_get(object, key), show->out);
}

void show_when(const struct show *show, const char *words, const json_t *object, const char *key)
{
	instant_t at;

	if (show_instant_of(object, key, &at)) {
		(void)fputs(words, show->out);
		show_instant(show, at, show->out);
	}
}

void show_wall(const struct show *show, const char *words, const json_t *clock)
{
	const struct show absolute = {.now = INSTANT_NONE, .utc = show->utc};
	instant_t wall, now;
	char off[SPAN_TEXT_MAX];

	if (!show_instant_of(clock, "wall_us", &wall) || !show_instant_of(clock, "now_us", &now) ||
	    llabs(wall - now) < SPAN_MINUTE) {
		return;
	}
	span_format(llabs(wall - now), off);
	(void)fprintf(show->out, "%sthe wall clock shows ", words);
	show_instant(&absolute, wall - wall % SPAN_SECOND, show->out);
	(void)fprintf(show->out, ", %s %s", off, wall < now ? "behind" : "ahead");
}
