/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_IMPORT_SEND_H
#define RETENTIOND_CTL_IMPORT_SEND_H

#include "ctl/ctl.h"
#include "ctl/import_set.h"
#include "ctl/show_items.h"

/**
 * struct import_report - what became of the rows
 * @items: of the rows to be told of, each with "file" and "line"; an array
 * @created, @updated, @unchanged, @other: of the rows that are ok
 */
struct import_report {
	json_t *items;
	struct show_tally tally;
	size_t created;
	size_t updated;
	size_t unchanged;
	size_t other;
};

/**
 * import_batch_end() - how many rows go into one call
 * @begin: the first one
 *
 * Return: the number behind its last one: bounded by rows, bytes and values of a frame.
 */
size_t import_batch_end(const struct import_set *set, size_t begin);

/**
 * import_send() - all rows, a call after the other
 * @all:        whether rows that are ok are to be told of, too
 * @ret_report: filled as far as it came, also on failure; its items are the caller's
 *
 * Return: 0 or an exit code with the fault set.
 */
must_check int import_send(struct ctl *ctl, const struct import_set *set, bool all,
			   struct import_report *ret_report);

#endif
