/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_IMPORT_SEND_H
#define RETENTIOND_CTL_IMPORT_SEND_H

#include "ctl/import_report.h"
#include "ctl/import_set.h"

/**
 * import_batch_end() - how many rows go into one call
 * @begin: the first one
 *
 * Return: the number behind its last one: bounded by rows, bytes and values of a frame.
 */
size_t import_batch_end(const struct import_set *set, size_t begin);

/**
 * import_send() - all rows, a call after the other
 * @report: filled as far as it came, also on failure
 *
 * Return: 0 or an exit code with the fault set.
 */
must_check int import_send(struct ctl *ctl, const struct import_set *set,
			   struct import_report *report);

#endif
