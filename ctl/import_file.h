/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_IMPORT_FILE_H
#define RETENTIOND_CTL_IMPORT_FILE_H

#include "ctl/fault.h"
#include "ctl/import_set.h"

enum import_format {
	IMPORT_FORMAT_AUTO,
	IMPORT_FORMAT_CSV,
	IMPORT_FORMAT_JSONL,
	IMPORT_FORMAT_GRAPH, /* one JSON document: Graph's, or one array */
	_IMPORT_FORMAT_MAX
};

/* "auto", "csv", "jsonl", "graph"; false for an unknown name. */
must_check bool import_format_from_name(const char *name, enum import_format *ret_format);

/* What a text is, by its first bytes; they are no byte order mark. */
enum import_format import_format_of(const char *text, size_t len);

/**
 * import_file_read() - all rows of one file
 * @path:   or "-" for standard input; borrowed for as long as the set is
 * @ret_incomplete: true if the file says that it is not all
 *
 * Return: 0, what is wrong in it going to the set's faults; or an exit code with the fault set if
 * it cannot be read.
 */
must_check int import_file_read(struct import_set *set, const char *path, enum import_format format,
				bool *ret_incomplete, struct ctl_fault *fault);

/* The same of bytes that have been read; they are changed. Return: 0 or a negative errno. */
must_check int import_text_read(struct import_set *set, const char *name, enum import_format format,
				char *text, size_t len, bool *ret_incomplete);

#endif
