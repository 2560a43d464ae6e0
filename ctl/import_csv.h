/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_IMPORT_CSV_H
#define RETENTIOND_CTL_IMPORT_CSV_H

#include "ctl/import_set.h"

/**
 * import_csv_read() - rows of a CSV file (RFC 4180)
 * @file: its name
 * @text: its bytes without a byte order mark; quoted fields are unquoted in place
 * @len:  how many
 *
 * The first line names the fields. Fields may be quoted, "" stands for a quote in one, line ends
 * are LF or CRLF, empty lines are passed over, and an empty field is one that is not there.
 *
 * Return: 0, faults going to the set, or a negative errno.
 */
must_check int import_csv_read(struct import_set *set, const char *file, char *text, size_t len);

#endif
