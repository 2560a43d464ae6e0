/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_IMPORT_FAULT_H
#define RETENTIOND_CTL_IMPORT_FAULT_H

#include <stdio.h>

#include "common/base.h"

#define IMPORT_FAULTS_SHOWN_MAX 20 /* as many as a person reads before mending the first */

/**
 * struct import_where - a place in a file
 * @file:  as it was named
 * @line:  from 1 on
 * @list, @index: for a document that is one list: "value", 7 is shown as value[7]; @list is NULL
 *                 elsewhere
 */
struct import_where {
	const char *file;
	size_t line;
	const char *list;
	size_t index;
};

/* What is wrong in the files. Zero it to begin. */
struct import_faults {
	char *shown[IMPORT_FAULTS_SHOWN_MAX];
	size_t n;
};

/**
 * import_faults_add() - "FILE:LINE: FIELD: WHAT"
 * @field: NULL if the fault is of no one field
 */
void import_faults_add(struct import_faults *faults, const struct import_where *where,
		       const char *field, const char *format, ...) printf_like(4, 5);

/* The first ones, a line each, and how many more there are. */
void import_faults_print(const struct import_faults *faults, FILE *out);
void import_faults_done(struct import_faults *faults);

#define IMPORT_WHERE_TEXT_MAX 512 /* bytes; a longer file name is cut */

/* "FILE:LINE" or "FILE:LINE: value[7]". */
void import_where_format(const struct import_where *where, char text[static IMPORT_WHERE_TEXT_MAX]);

#endif
