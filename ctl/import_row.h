/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_IMPORT_ROW_H
#define RETENTIOND_CTL_IMPORT_ROW_H

#include "common/commands.h"
#include "common/pack.h"

/* A list of texts in a row; points into the file. */
struct import_texts {
	struct slice items[MODEL_GROUPS_MAX];
	size_t n;
};

/**
 * struct import_row - one account as a file describes it
 * @given: which fields it has; one bit each: see import_row_has()
 * @text:  the fields that are texts; they point into the file
 * @made:  room for a text that a reader made of others
 */
struct import_row {
	uint32_t given;
	struct slice text[_FIELD_MAX];
	bool enabled;
	instant_t deleted_at_us;
	struct import_texts groups;
	struct import_texts permissions;
	char made[MODEL_ADDRESS_LEN_MAX];
};

static_assert(_FIELD_MAX <= 32, "a row has one bit for each field");

static inline bool import_row_has(const struct import_row *row, enum field_symbol field)
{
	return row->given & UINT32_C(1) << field;
}

void import_row_clear(struct import_row *row);

/* The field of an import that a column or key names, or _FIELD_MAX. "deleted_at" names
 * deleted_at_us, too. */
enum field_symbol import_row_field(struct slice name);

#define IMPORT_ROW_NAMES_MAX 256 /* bytes; a dozen names */

/* "org, id, person, …": every field of an import. */
void import_row_names(char text[static IMPORT_ROW_NAMES_MAX]);

/*
 * Set a field. Each returns NULL, or what is wrong as the end of a sentence; static.
 * import_row_set() reads any field from text: texts of a list are separated by ';', booleans are
 * yes or no, instants are RFC 3339 or microseconds. import_row_add() adds one text to groups or
 * permissions.
 */
must_check const char *import_row_set(struct import_row *row, enum field_symbol field,
				      struct slice text);
must_check const char *import_row_set_bool(struct import_row *row, enum field_symbol field,
					   bool value);
must_check const char *import_row_set_int(struct import_row *row, enum field_symbol field,
					  int64_t value);
must_check const char *import_row_add(struct import_row *row, enum field_symbol field,
				      struct slice text);

/* The row as an item of account.import; it says how many values that are in *@ret_values. */
void import_row_write(const struct import_row *row, struct pack_writer *writer,
		      uint32_t *ret_values);

#endif
