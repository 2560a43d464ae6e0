/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/show.h"

#include "ctl/text.h"

#define DEPTH_MAX    4 /* maps in maps under a joined name; deeper ones come in one line */
#define NAME_MAX_LEN 64

static bool is_table(const json_t *value)
{
	return json_is_array(value) && json_array_size(value) > 0 &&
	       json_is_object(json_array_get(value, 0));
}

/* "clock now" of now_us in clock. */
static void join(const char *prefix, const char *key, char name[static NAME_MAX_LEN])
{
	size_t len;

	(void)snprintf(name, NAME_MAX_LEN, "%s%s", prefix, *prefix ? " " : "");
	len = strlen(name);
	show_label(key, name + len, NAME_MAX_LEN - len);
}

static size_t widest(const json_t *object, const char *prefix, int depth)
{
	size_t width = 0;
	const char *key;
	json_t *value;

	/* jansson's iterator takes no const; it changes nothing. */
	json_object_foreach((json_t *)object, key, value) {
		char name[NAME_MAX_LEN];
		size_t its;

		join(prefix, key, name);
		its = json_is_object(value) && depth > 0 ? widest(value, name, depth - 1)
							 : strlen(name);
		width = MAX(width, is_table(value) ? 0 : its);
	}
	return width;
}

static void put_lines(const struct show *show, const json_t *object, const char *prefix, int width,
		      int depth)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value) {
		char name[NAME_MAX_LEN];

		join(prefix, key, name);
		if (json_is_object(value) && depth > 0) {
			put_lines(show, value, name, width, depth - 1);
		} else if (!is_table(value) && !json_is_null(value)) {
			(void)fprintf(show->out, "%*s", width - (int)strlen(name), "");
			ctl_text_put(show->out, slice_of(name));
			(void)fputs(": ", show->out);
			show_value(show, key, value, show->out);
			(void)fputc('\n', show->out);
		}
	}
}

static int put_tables(const struct show *show, const json_t *object, const char *prefix)
{
	const char *key;
	json_t *value;
	int r = 0;

	json_object_foreach((json_t *)object, key, value) {
		char name[NAME_MAX_LEN];

		join(prefix, key, name);
		if (r == 0 && is_table(value)) {
			if (json_object_size(object) > 1 && show->legend) {
				(void)fprintf(show->out, "\n%s", show_bold(show));
				ctl_text_put(show->out, slice_of(name));
				(void)fprintf(show->out, "%s\n", show_plain(show));
			}
			r = show_rows(show, value, NULL);
		} else if (r == 0 && json_is_object(value)) {
			r = put_tables(show, value, name);
		}
	}
	return r;
}

int show_map(const struct show *show, const json_t *object)
{
	put_lines(show, object, "", (int)widest(object, "", DEPTH_MAX), DEPTH_MAX);
	return put_tables(show, object, "");
}

int show_result(const struct show *show, const json_t *result)
{
	if (json_is_object(result)) {
		return show_map(show, result);
	}
	if (is_table(result)) {
		return show_rows(show, result, NULL);
	}
	show_value(show, "", result, show->out);
	(void)fputc('\n', show->out);
	return 0;
}
