/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/show.h"

#include <ctype.h>
#include <errno.h>
#include <libsmartcols/libsmartcols.h>

#define ID_WIDTH_MIN 8  /* of a GUID enough to tell accounts apart */
#define COLUMNS_MAX  40 /* no row of the daemon has half as many keys; more are not shown */

struct columns {
	const char *keys[COLUMNS_MAX]; /* borrowed from the rows, or from the caller's list */
	size_t n;
	size_t width[COLUMNS_MAX]; /* of the widest cell, the heading included */
};

static void scols_table_unrefp(struct libscols_table **table)
{
	scols_unref_table(*table);
}

static bool has_column(const struct columns *columns, const char *key)
{
	for (size_t i = 0; i < columns->n; i++) {
		if (strcmp(columns->keys[i], key) == 0) {
			return true;
		}
	}
	return false;
}

static void add_keys_of(struct columns *columns, const json_t *row)
{
	const char *key;
	json_t *value;

	/* jansson's iterator takes no const; it changes nothing. */
	json_object_foreach((json_t *)row, key, value) {
		if (columns->n < COLUMNS_MAX && !json_is_null(value) && !has_column(columns, key)) {
			columns->keys[columns->n++] = key;
		}
	}
}

static bool is_empty(const json_t *rows, const char *key)
{
	size_t i;
	const json_t *row;

	json_array_foreach(rows, i, row) {
		const json_t *value = json_object_get(row, key);

		if (value && !json_is_null(value) &&
		    !(json_is_string(value) && json_string_length(value) == 0)) {
			return false;
		}
	}
	return true;
}

static void choose(const json_t *rows, const char *const *wanted, struct columns *columns)
{
	size_t i;
	const json_t *row;

	*columns = (struct columns){.n = 0};
	if (!wanted) {
		json_array_foreach(rows, i, row) {
			add_keys_of(columns, row);
		}
		return;
	}
	for (; *wanted && columns->n < COLUMNS_MAX; wanted++) {
		if (!is_empty(rows, *wanted)) {
			columns->keys[columns->n++] = *wanted;
		}
	}
}

/* "WINDOW ENDS" of window_ends_us. A column is never narrower than its heading. */
static void heading(const struct show *show, const char *key, char *name, size_t size)
{
	show_label(key, name, size);
	if (show->fit && strcmp(key, "id") == 0) {
		(void)snprintf(name, size, "%-*s", ID_WIDTH_MIN, "id");
	}
	for (char *p = name; *p; p++) {
		*p = (char)(isprint((unsigned char)*p) ? toupper((unsigned char)*p) : ' ');
	}
}

/* What gives way where a terminal is too narrow: the uid beside them names the account as well. */
static bool may_be_cut(const char *key)
{
	return strcmp(key, "id") == 0 || strcmp(key, "upn") == 0;
}

static int add_columns(const struct show *show, struct libscols_table *table, const json_t *rows,
		       struct columns *columns)
{
	for (size_t i = 0; i < columns->n; i++) {
		const json_t *sample = json_object_get(json_array_get(rows, 0), columns->keys[i]);
		bool right = json_is_integer(sample) && !strstr(columns->keys[i], "_us");
		int flags = (right ? SCOLS_FL_RIGHT : 0) |
			    (may_be_cut(columns->keys[i]) ? SCOLS_FL_TRUNC : 0);
		char name[64];

		heading(show, columns->keys[i], name, sizeof(name));
		columns->width[i] = strlen(name);
		if (!scols_table_new_column(table, name, 0, flags)) {
			return -ENOMEM;
		}
	}
	return 0;
}

static const char *color_of(const char *key, const json_t *value)
{
	const char *text = json_string_value(value);

	if (!text) {
		return NULL;
	}
	if (strcmp(key, "outcome") == 0 && strcmp(text, "ok") != 0) {
		return "red";
	}
	if (strcmp(key, "sla") == 0 && strcmp(text, "overdue") == 0) {
		return "red";
	}
	if (strcmp(key, "sla") == 0 && strcmp(text, "due-soon") == 0) {
		return "yellow";
	}
	return NULL;
}

/* Characters: close enough to columns for what stands in our tables. */
static size_t width_of(const char *text)
{
	size_t n = 0;

	for (; *text; text++) {
		n += ((unsigned char)*text & 0xc0) != 0x80;
	}
	return n;
}

static int set_cell(const struct show *show, struct libscols_line *line, struct columns *columns,
		    size_t column, const json_t *value)
{
	const char *key = columns->keys[column];
	const char *color = show->color ? color_of(key, value) : NULL;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out) {
		return -errno;
	}
	show_value(show, key, value, out);
	if (fclose(out) != 0 || scols_line_refer_data(line, column, text) < 0) {
		free(text);
		return -ENOMEM;
	}
	columns->width[column] = MAX(columns->width[column], width_of(text));
	if (color) {
		(void)scols_cell_set_color(scols_line_get_cell(line, column),
					   color); /* without it the text is plain */
	}
	return 0;
}

static int add_row(const struct show *show, struct libscols_table *table, struct columns *columns,
		   const json_t *row)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);

	if (!line) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < columns->n; i++) {
		int r = set_cell(show, line, columns, i, json_object_get(row, columns->keys[i]));

		if (r < 0) {
			return r;
		}
	}
	return 0;
}

/* But for the columns that may be cut on a terminal text stays whole: a pipe takes any width. */
static void dress(const struct show *show, struct libscols_table *table)
{
	(void)scols_table_set_stream(table, show->out);
	(void)scols_table_enable_noheadings(table, !show->legend);
	(void)scols_table_enable_colors(table, show->color);
	(void)scols_table_enable_noencoding(table, 1); /* show_value() has escaped everything */
	(void)scols_table_set_termforce(table,
					show->fit ? SCOLS_TERMFORCE_ALWAYS : SCOLS_TERMFORCE_NEVER);
}

static int make_table(const struct show *show, const json_t *rows, struct columns *columns,
		      struct libscols_table **ret_table)
{
	cleanup(scols_table_unrefp) struct libscols_table *table = scols_new_table();
	size_t i;
	const json_t *row;
	int r;

	if (!table) {
		return -ENOMEM;
	}
	dress(show, table);
	r = add_columns(show, table, rows, columns);
	json_array_foreach(rows, i, row) {
		r = r ? r : add_row(show, table, columns, row);
	}
	if (r == 0) {
		*ret_table = TAKE_PTR(table);
	}
	return r;
}

static bool fits(const struct libscols_table *table, const struct columns *columns)
{
	size_t width = columns->n - 1; /* the gaps */

	for (size_t i = 0; i < columns->n; i++) {
		width += columns->width[i];
	}
	return width <= scols_table_get_termwidth(table);
}

/* Where a terminal is too narrow, how long it is until an instant gives way before names do. */
static int make_narrow(const struct show *show, const json_t *rows, struct columns *columns,
		       struct libscols_table **table)
{
	struct show absolute = *show;

	if (!show->fit || fits(*table, columns)) {
		return 0;
	}
	absolute.now = INSTANT_NONE;
	scols_table_unrefp(table);
	*table = NULL;
	return make_table(&absolute, rows, columns, table);
}

int show_rows(const struct show *show, const json_t *rows, const char *const *wanted)
{
	cleanup(scols_table_unrefp) struct libscols_table *table = NULL;
	struct columns columns;
	int r;

	choose(rows, wanted, &columns);
	if (columns.n == 0) {
		return 0;
	}
	r = make_table(show, rows, &columns, &table);
	r = r ? r : make_narrow(show, rows, &columns, &table);
	return r ? r : scols_print_table(table);
}
