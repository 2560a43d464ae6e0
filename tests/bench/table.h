/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_BENCH_TABLE_H
#define RETENTIOND_TESTS_BENCH_TABLE_H

#include <libsmartcols/libsmartcols.h>

#include "common/base.h"

/* Tables on the terminal. */

#define CELL_MAX 48

/* @n_texts: the first columns, which are not numbers. */
struct libscols_table *table_new(const char *const *columns, uint32_t n, uint32_t n_texts);

struct libscols_line *table_add_line(struct libscols_table *table);
void table_set_cell(struct libscols_line *line, uint32_t column, const char *text);
void table_set_value(struct libscols_line *line, uint32_t column, double value);

/* Prints it with an empty line behind it, and frees it. */
void table_print(struct libscols_table *table);

#endif
