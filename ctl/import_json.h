/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_IMPORT_JSON_H
#define RETENTIOND_CTL_IMPORT_JSON_H

#include <jansson.h>

#include "ctl/import_set.h"

/*
 * JSON in three coats: an object a line; one array of objects; and what Microsoft Graph answers,
 * {"value": [objects]}. Objects are read one at a time, so that a large file needs no more memory
 * than a small one, and a fault is told with its line. An object that has names of Graph's is read
 * as a user of Graph's.
 */

/* Rows of a file with an object on each line; empty lines are passed over. Return: 0 or a negative
 * errno. */
must_check int import_json_read_lines(struct import_set *set, const char *file, const char *text,
				      size_t len);

/**
 * import_json_read_document() - rows of a file that is one array, or one object with "value"
 * @ret_incomplete: true if Graph says that there is another page ("@odata.nextLink")
 *
 * Return: 0, faults going to the set, or a negative errno.
 */
must_check int import_json_read_document(struct import_set *set, const char *file, const char *text,
					 size_t len, bool *ret_incomplete);

/* Whether a text that begins with '{' is one such object, and not the first of many. */
bool import_json_is_document(const char *text, size_t len);

/* Sets a field of a row from any value; null leaves it out. Return: NULL, or what is wrong; static.
 */
must_check const char *import_json_set(struct import_row *row, enum field_symbol field,
				       const json_t *value);

#endif
