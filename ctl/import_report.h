/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_IMPORT_REPORT_H
#define RETENTIOND_CTL_IMPORT_REPORT_H

#include "ctl/ctl.h"
#include "ctl/import_fault.h"
#include "ctl/show_items.h"

/**
 * struct import_report - what became of the rows of an import
 * @items: of the rows to be told of, each with its place in the files; an array
 * @tally: of all rows that were answered
 * @created, @updated, @unchanged: of the rows that are ok
 */
struct import_report {
	json_t *items;
	struct show_tally tally;
	size_t created;
	size_t updated;
	size_t unchanged;
};

void import_report_init(struct import_report *report);
void import_report_done(struct import_report *report);

/**
 * import_report_add() - count an item, and keep it if it is to be told of
 * @item:  of the answer; gets "file", "line" and, for a row of a list, "place" ("value[7]")
 * @where: of its row
 * @all:   keep it even if it is ok
 *
 * Return: 0 or -ENOMEM.
 */
must_check int import_report_add(struct import_report *report, json_t *item,
				 const struct import_where *where, bool all);

/**
 * import_report_print() - the rows, the counts, and what to do about most refusals
 * @n_rows: of all files
 *
 * Return: 0 or an exit code with the fault set.
 */
must_check int import_report_print(struct ctl *ctl, const struct import_report *report,
				   size_t n_rows);

#endif
