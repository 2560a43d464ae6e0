/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/table.h"

#include <stdio.h>

#include "tests/bench/fail.h"

struct libscols_table *table_new(const char *const *columns, uint32_t n, uint32_t n_texts)
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

struct libscols_line *table_add_line(struct libscols_table *table)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);

	if (!line) {
		fail("out of memory");
	}
	return line;
}

void table_set_cell(struct libscols_line *line, uint32_t column, const char *text)
{
	if (scols_line_set_data(line, column, text) < 0) {
		fail("out of memory");
	}
}

void table_set_value(struct libscols_line *line, uint32_t column, double value)
{
	int digits = value < 10 ? 3 : value < 100 ? 1 : 0;
	char text[CELL_MAX];

	(void)snprintf(text, sizeof(text), "%.*f", digits, value);
	table_set_cell(line, column, text);
}

void table_print(struct libscols_table *table)
{
	(void)scols_print_table(table);
	(void)putchar('\n');
	scols_unref_table(table);
}
