/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/import_row.h"

#include <stdio.h>

#include "ctl/value.h"

#define SEPARATOR ';' /* between texts of a list in one field; a comma separates fields */

static_assert(MODEL_GROUPS_MAX == 512, "the words below say how many");

void import_row_clear(struct import_row *row)
{
	row->given = 0; /* what is not given is not looked at */
	row->groups.n = 0;
	row->permissions.n = 0;
}

enum field_symbol import_row_field(struct slice name)
{
	if (slice_is(name, "deleted_at")) {
		return FIELD_deleted_at_us;
	}
	for (int field = 0; field < _FIELD_MAX; field++) {
		if (slice_is(name, field_table[field].name) &&
		    field_belongs((enum field_symbol)field, ARGUMENT_TYPE_IMPORTS)) {
			return (enum field_symbol)field;
		}
	}
	return _FIELD_MAX;
}

void import_row_names(char text[static IMPORT_ROW_NAMES_MAX])
{
	size_t len = 0;

	for (int field = 0; field < _FIELD_MAX; field++) {
		if (field_belongs((enum field_symbol)field, ARGUMENT_TYPE_IMPORTS)) {
			len += (size_t)snprintf(text + len, IMPORT_ROW_NAMES_MAX - len, "%s%s",
						len ? ", " : "", field_table[field].name);
			assert(len < IMPORT_ROW_NAMES_MAX);
		}
	}
}

static void give(struct import_row *row, enum field_symbol field)
{
	row->given |= UINT32_C(1) << field;
}

const char *import_row_set_bool(struct import_row *row, enum field_symbol field, bool value)
{
	if (field_table[field].type != ARGUMENT_TYPE_BOOL) {
		return "must not be true or false";
	}
	row->enabled = value;
	give(row, field);
	return NULL;
}

const char *import_row_set_int(struct import_row *row, enum field_symbol field, int64_t value)
{
	const char *fault;

	if (field_table[field].type != ARGUMENT_TYPE_INSTANT) {
		return "must not be a number";
	}
	fault = model_instant_fault(value);
	if (!fault) {
		row->deleted_at_us = value;
		give(row, field);
	}
	return fault;
}

static bool is_number(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9') {
			return false;
		}
	}
	return text.len > 0 &&
	       text.len <= 18; /* 18 digits fit, and reach further than INSTANT_MAX */
}

/* A file says when something was; what counts from now has no place in it. */
static const char *set_instant(struct import_row *row, enum field_symbol field, struct slice text)
{
	int64_t value = 0;
	int r;

	if (is_number(text)) {
		for (size_t i = 0; i < text.len; i++) {
			value = value * 10 + (text.data[i] - '0');
		}
		return import_row_set_int(row, field, value);
	}
	if (text.data[0] == '+' || text.data[0] == '-' || slice_is(text, "now")) {
		return "must not be relative: write 2026-03-01T12:00:00Z";
	}
	r = instant_parse(text, 0, &value);
	if (r == INSTANT_E_MALFORMED) {
		return "is no instant: write 2026-03-01T12:00:00Z";
	}
	return r ? instant_fault(r) : import_row_set_int(row, field, value);
}

const char *import_row_add(struct import_row *row, enum field_symbol field, struct slice text)
{
	struct import_texts *texts = field == FIELD_groups ? &row->groups : &row->permissions;
	const char *fault = model_group_fault(text);

	assert(field_table[field].type == ARGUMENT_TYPE_TEXTS);
	if (fault) {
		return fault;
	}
	if (texts->n == MODEL_GROUPS_MAX) {
		return "has more than 512 entries";
	}
	texts->items[texts->n++] = text;
	give(row, field);
	return NULL;
}

static const char *set_texts(struct import_row *row, enum field_symbol field, struct slice text)
{
	const char *fault = NULL;

	give(row, field); /* a list may be empty */
	while (!fault && text.len > 0) {
		const char *end = memchr(text.data, SEPARATOR, text.len);
		size_t len = end ? (size_t)(end - text.data) : text.len;
		size_t skip = end ? len + 1 : len;

		if (len > 0) {
			fault = import_row_add(row, field, (struct slice){text.data, len});
		}
		text = (struct slice){text.data + skip, text.len - skip};
	}
	return fault;
}

const char *import_row_set(struct import_row *row, enum field_symbol field, struct slice text)
{
	enum argument_type type = field_table[field].type;
	const char *fault;

	if (type == ARGUMENT_TYPE_TEXTS) {
		return set_texts(row, field, text);
	}
	if (type == ARGUMENT_TYPE_BOOL) {
		if (!ctl_value_parse_bool(text, &row->enabled)) {
			return "must be yes or no";
		}
		give(row, field);
		return NULL;
	}
	if (type == ARGUMENT_TYPE_INSTANT) {
		return text.len ? set_instant(row, field, text) : "must not be empty";
	}
	/* An option with an empty name clears it; a row has a name or none. */
	fault = type == ARGUMENT_TYPE_NAME ? model_name_fault(text)
					   : ctl_value_text_fault(type, text);
	if (!fault) {
		row->text[field] = text;
		give(row, field);
	}
	return fault;
}

static uint32_t write_texts(struct pack_writer *writer, const char *key,
			    const struct import_texts *texts)
{
	pack_put_array(writer, key);
	for (size_t i = 0; i < texts->n; i++) {
		pack_write_text(writer, texts->items[i]);
	}
	pack_write_end(writer);
	return (uint32_t)texts->n;
}

void import_row_write(const struct import_row *row, struct pack_writer *writer,
		      uint32_t *ret_values)
{
	uint32_t n = 1;

	pack_write_map(writer);
	for (int i = 0; i < _FIELD_MAX; i++) {
		enum field_symbol field = (enum field_symbol)i;
		const char *key = field_table[field].name;

		if (!import_row_has(row, field)) {
			continue;
		}
		n += 2;
		if (field == FIELD_groups) {
			n += write_texts(writer, key, &row->groups);
		} else if (field == FIELD_permissions) {
			n += write_texts(writer, key, &row->permissions);
		} else if (field == FIELD_enabled) {
			pack_put_bool(writer, key, row->enabled);
		} else if (field == FIELD_deleted_at_us) {
			pack_put_int(writer, key, row->deleted_at_us);
		} else {
			pack_put_text(writer, key, row->text[field]);
		}
	}
	pack_write_end(writer);
	*ret_values = n;
}
