/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/import_csv.h"

#include <errno.h>

#define COLUMNS_MAX 64 /* there are a dozen fields: what has more columns is another file */

/* Walks the text. A record may go over several lines, when a quoted field does. */
struct csv {
	struct import_where where; /* where the record began */
	struct import_set *set;
	char *at;
	char *end;
	size_t line;
	enum field_symbol columns[COLUMNS_MAX];
	size_t n_columns;
	struct slice cells[COLUMNS_MAX];
	size_t n_cells;
	bool broken; /* nothing after this can be told apart */
};

/* Moves the bytes of a quoted field together as it goes: what it stands for is never longer. */
static struct slice read_quoted(struct csv *csv)
{
	char *begin = ++csv->at;
	char *to = begin;

	for (; csv->at < csv->end; csv->at++) {
		if (*csv->at == '"' && csv->at + 1 < csv->end && csv->at[1] == '"') {
			csv->at++;
		} else if (*csv->at == '"') {
			csv->at++;
			return (struct slice){begin, (size_t)(to - begin)};
		}
		csv->line += *csv->at == '\n';
		*to++ = *csv->at;
	}
	import_faults_add(&csv->set->faults, &csv->where, NULL,
			  "a quoted field that begins in this row has no end");
	csv->broken = true;
	return (struct slice){begin, 0};
}

static struct slice read_plain(struct csv *csv)
{
	char *begin = csv->at;

	while (csv->at < csv->end && *csv->at != ',' && *csv->at != '\n' && *csv->at != '\r') {
		csv->at++;
	}
	return (struct slice){begin, (size_t)(csv->at - begin)};
}

static bool at_line_end(struct csv *csv)
{
	if (csv->at < csv->end && *csv->at == '\r' &&
	    (csv->at + 1 == csv->end || csv->at[1] == '\n')) {
		csv->at++;
	}
	return csv->at == csv->end || *csv->at == '\n';
}

/* Goes on behind a fault, at the next line. */
static void skip_line(struct csv *csv)
{
	while (csv->at < csv->end && *csv->at != '\n') {
		csv->at++;
	}
}

/* The cells of one record, its line end included. False if it is malformed; that has been said. */
static bool read_record(struct csv *csv)
{
	csv->n_cells = 0;
	csv->where.line = csv->line;
	for (;;) {
		struct slice cell =
			csv->at < csv->end && *csv->at == '"' ? read_quoted(csv) : read_plain(csv);

		if (csv->broken) {
			return false;
		}
		if (csv->n_cells == COLUMNS_MAX) {
			import_faults_add(&csv->set->faults, &csv->where, NULL,
					  "has more than %d fields", COLUMNS_MAX);
			skip_line(csv);
			return false;
		}
		csv->cells[csv->n_cells++] = cell;
		if (at_line_end(csv)) {
			return true;
		}
		if (*csv->at != ',') {
			import_faults_add(
				&csv->set->faults, &csv->where, NULL,
				"a quote ends inside field %zu: write \"\" for a quote in a field",
				csv->n_cells);
			skip_line(csv);
			return false;
		}
		csv->at++;
	}
}

static void next_line(struct csv *csv)
{
	if (csv->at < csv->end) {
		csv->at++;
		csv->line++;
	}
}

static bool is_blank(const char *text, const char *end)
{
	while (text < end && (*text == ' ' || *text == '\t' || *text == '\r' || *text == '\n')) {
		text++;
	}
	return text == end;
}

/* The first one is told which there are; more of them would only be longer. */
static void tell_unknown(struct csv *csv, size_t column, bool first)
{
	char names[IMPORT_ROW_NAMES_MAX];

	import_row_names(names);
	import_faults_add(&csv->set->faults, &csv->where, NULL,
			  "there is no field \"%.*s\" (column %zu)%s%s",
			  SLICE_ARG(csv->cells[column]), column + 1,
			  first ? "; commas separate the fields, which are " : "",
			  first ? names : "");
}

static bool read_header(struct csv *csv)
{
	size_t before = csv->set->faults.n;
	size_t n_unknown = 0;

	if (is_blank(csv->at, csv->end)) {
		import_faults_add(&csv->set->faults, &csv->where, NULL, "the file is empty");
		return false;
	}
	if (!read_record(csv)) {
		return false;
	}
	csv->n_columns = csv->n_cells;
	for (size_t i = 0; i < csv->n_cells; i++) {
		csv->columns[i] = import_row_field(csv->cells[i]);
		if (csv->columns[i] == _FIELD_MAX) {
			tell_unknown(csv, i, n_unknown++ == 0);
		}
		for (size_t k = 0; k < i; k++) {
			if (csv->columns[i] != _FIELD_MAX && csv->columns[k] == csv->columns[i]) {
				import_faults_add(&csv->set->faults, &csv->where,
						  field_table[csv->columns[i]].name,
						  "is there twice (columns %zu and %zu)", k + 1,
						  i + 1);
			}
		}
	}
	next_line(csv);
	return csv->set->faults.n == before;
}

static int take_record(struct csv *csv, struct import_row *row)
{
	size_t before = csv->set->faults.n;

	if (csv->n_cells == 1 && csv->cells[0].len == 0) {
		return 0;
	}
	if (csv->n_cells != csv->n_columns) {
		import_faults_add(&csv->set->faults, &csv->where, NULL,
				  "has %zu fields where the header has %zu", csv->n_cells,
				  csv->n_columns);
		return 0;
	}
	import_row_clear(row);
	for (size_t i = 0; i < csv->n_cells; i++) {
		const char *wrong = csv->cells[i].len
					    ? import_row_set(row, csv->columns[i], csv->cells[i])
					    : NULL;

		if (wrong) {
			import_faults_add(&csv->set->faults, &csv->where,
					  field_table[csv->columns[i]].name, "%s", wrong);
		}
	}
	return csv->set->faults.n == before ? import_set_add(csv->set, row, &csv->where) : 0;
}

int import_csv_read(struct import_set *set, const char *file, char *text, size_t len)
{
	struct csv csv = {.where = {.file = file, .line = 1},
			  .set = set,
			  .at = text,
			  .end = text + len,
			  .line = 1};
	cleanup(freep) struct import_row *row =
		malloc(sizeof(*row)); /* 16 KiB: too much for a stack that is small */
	int r = 0;

	if (!row) {
		return -ENOMEM;
	}
	if (!read_header(&csv)) {
		return 0;
	}
	while (r == 0 && csv.at < csv.end && !csv.broken) {
		if (read_record(&csv)) {
			r = take_record(&csv, row);
		}
		next_line(&csv);
	}
	return r;
}
