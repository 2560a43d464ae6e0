/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/import_json.h"

#include <errno.h>
#include <jansson.h>

#include "ctl/import_graph.h"

#define BLANKS " \t\r\n"

/* Walks a text, value by value. */
struct json_walk {
	struct import_where where;
	struct import_set *set;
	struct import_row *row;
	const char *at;
	const char *end;
	bool incomplete;
	bool told_names; /* which fields there are */
};

static void skip_blanks(struct json_walk *walk)
{
	while (walk->at < walk->end && *walk->at && strchr(BLANKS, *walk->at)) {
		walk->where.line += *walk->at == '\n';
		walk->at++;
	}
}

static bool at_char(struct json_walk *walk, char c)
{
	skip_blanks(walk);
	return walk->at < walk->end && *walk->at == c;
}

static bool take_char(struct json_walk *walk, char c)
{
	if (!at_char(walk, c)) {
		return false;
	}
	walk->at++;
	return true;
}

static void count_lines(struct json_walk *walk, size_t bytes)
{
	const char *end = walk->at + bytes;

	for (const char *p = walk->at; (p = memchr(p, '\n', (size_t)(end - p))); p++) {
		walk->where.line++;
	}
	walk->at = end;
}

static void syntax_fault(struct json_walk *walk, const char *what)
{
	import_faults_add(&walk->set->faults, &walk->where, NULL, "is no JSON: %s", what);
}

/* The next value and where it began; NULL if it is malformed, which has been said. */
static json_t *take_value(struct json_walk *walk, struct import_where *ret_where)
{
	json_error_t error;
	json_t *value;

	skip_blanks(walk);
	*ret_where = walk->where;
	value = json_loadb(walk->at, (size_t)(walk->end - walk->at),
			   JSON_DISABLE_EOF_CHECK | JSON_DECODE_ANY | JSON_REJECT_DUPLICATES,
			   &error);
	if (!value) {
		walk->where.line += error.line > 1 ? (size_t)error.line - 1 : 0;
		syntax_fault(walk, error.text);
		return NULL;
	}
	count_lines(walk, (size_t)error.position);
	return value;
}

static const char *set_list(struct import_row *row, enum field_symbol field, const json_t *list)
{
	const char *wrong = field_table[field].type == ARGUMENT_TYPE_TEXTS
				    ? import_row_set(row, field, SLICE_LITERAL(""))
				    : "must not be a list";
	size_t i;
	const json_t *item;

	json_array_foreach(list, i, item) {
		if (!wrong && !json_is_string(item)) {
			wrong = "must be a list of texts";
		} else if (!wrong) {
			wrong = import_row_add(row, field,
					       (struct slice){json_string_value(item),
							      json_string_length(item)});
		}
	}
	return wrong;
}

const char *import_json_set(struct import_row *row, enum field_symbol field, const json_t *value)
{
	struct slice text = {json_string_value(value), json_string_length(value)};

	switch (json_typeof(value)) {
	case JSON_STRING:
		return import_row_set(row, field, text);
	case JSON_INTEGER:
		return import_row_set_int(row, field, json_integer_value(value));
	case JSON_TRUE:
	case JSON_FALSE:
		return import_row_set_bool(row, field, json_is_true(value));
	case JSON_ARRAY:
		return set_list(row, field, value);
	case JSON_NULL:
		return NULL;
	case JSON_OBJECT:
	case JSON_REAL:
		break;
	}
	return "has a value of a kind that no field has";
}

/* The first one is told which there are; more of them would only be longer. */
static void tell_unknown(struct json_walk *walk, const char *key, const struct import_where *where)
{
	char names[IMPORT_ROW_NAMES_MAX];

	import_row_names(names);
	import_faults_add(&walk->set->faults, where, key, "there is no such field%s%s",
			  walk->told_names ? "" : "; there are ", walk->told_names ? "" : names);
	walk->told_names = true;
}

static void fill_row(struct json_walk *walk, const json_t *object, const struct import_where *where)
{
	const char *key;
	json_t *value;

	/* jansson's iterator takes no const; it changes nothing. */
	json_object_foreach((json_t *)object, key, value) {
		enum field_symbol field = import_row_field(slice_of(key));
		const char *wrong =
			field == _FIELD_MAX ? NULL : import_json_set(walk->row, field, value);

		if (field == _FIELD_MAX) {
			tell_unknown(walk, key, where);
		} else if (wrong) {
			import_faults_add(&walk->set->faults, where, key, "%s", wrong);
		}
	}
}

/* One object of a file, whatever its coat. */
static int take_object(struct json_walk *walk, const json_t *object,
		       const struct import_where *where)
{
	size_t before = walk->set->faults.n;

	if (!json_is_object(object)) {
		import_faults_add(&walk->set->faults, where, NULL, "must be an object");
		return 0;
	}
	import_row_clear(walk->row);
	if (import_graph_is_user(object)) {
		import_graph_fill(walk->set, walk->row, object, where);
	} else {
		fill_row(walk, object, where);
	}
	return walk->set->faults.n == before ? import_set_add(walk->set, walk->row, where) : 0;
}

static int read_line(struct json_walk *walk, size_t len)
{
	json_error_t error;
	json_t *object = json_loadb(walk->at, len, JSON_REJECT_DUPLICATES, &error);
	int r = 0;

	if (!object) {
		syntax_fault(walk, error.text);
	} else {
		r = take_object(walk, object, &walk->where);
	}
	json_decref(object);
	return r;
}

static int read_lines(struct json_walk *walk)
{
	int r = 0;

	while (r == 0 && walk->at < walk->end) {
		const char *end = memchr(walk->at, '\n', (size_t)(walk->end - walk->at));
		size_t len = (size_t)((end ? end : walk->end) - walk->at);
		size_t blanks = 0;

		while (blanks < len && walk->at[blanks] && strchr(BLANKS, walk->at[blanks])) {
			blanks++;
		}
		if (blanks < len) {
			r = read_line(walk, len);
		}
		walk->at += len + (end ? 1 : 0);
		walk->where.line++;
	}
	return r;
}

/* False if the list is malformed: what follows cannot be told apart then. */
static bool read_list(struct json_walk *walk, const char *name, int *ret_error)
{
	size_t index = 0;

	*ret_error = 0;
	walk->at++;
	if (take_char(walk, ']')) {
		return true;
	}
	do {
		struct import_where where;
		json_t *object;

		walk->where.list = name;
		walk->where.index = index++;
		object = take_value(walk, &where);
		if (!object) {
			return false;
		}
		*ret_error = take_object(walk, object, &where);
		json_decref(object);
	} while (*ret_error == 0 && take_char(walk, ','));
	walk->where.list = NULL;
	if (*ret_error == 0 && !take_char(walk, ']')) {
		syntax_fault(walk, "a comma or ] is missing");
		return false;
	}
	return *ret_error == 0;
}

/* The name of an object's next member, and the colon. */
static json_t *take_key(struct json_walk *walk)
{
	struct import_where where;
	json_t *key = take_value(walk, &where);

	if (key && (!json_is_string(key) || !take_char(walk, ':'))) {
		syntax_fault(walk, "a member's name and a colon are missing");
		json_decref(key);
		return NULL;
	}
	return key;
}

static bool is_value_list(struct json_walk *walk, const json_t *key)
{
	return strcmp(json_string_value(key), "value") == 0 && at_char(walk, '[');
}

static bool read_member(struct json_walk *walk, bool *has_value, int *ret_error)
{
	struct import_where where;
	json_t *key = take_key(walk);
	json_t *value = NULL;
	bool fine;

	*ret_error = 0;
	if (!key) {
		return false;
	}
	if (is_value_list(walk, key)) {
		*has_value = true;
		fine = read_list(walk, "value", ret_error);
	} else {
		value = take_value(walk, &where);
		fine = value;
		walk->incomplete |= strcmp(json_string_value(key), "@odata.nextLink") == 0 &&
				    json_is_string(value);
	}
	json_decref(key);
	json_decref(value);
	return fine;
}

static int read_envelope(struct json_walk *walk)
{
	bool has_value = false;
	int r = 0;

	walk->at++;
	if (!take_char(walk, '}')) {
		do {
			if (!read_member(walk, &has_value, &r)) {
				return r;
			}
		} while (take_char(walk, ','));
		if (!take_char(walk, '}')) {
			syntax_fault(walk, "a comma or } is missing");
			return 0;
		}
	}
	if (!has_value) {
		import_faults_add(&walk->set->faults, &walk->where, "value",
				  "the list of users is missing");
	}
	return 0;
}

static int read_document(struct json_walk *walk)
{
	int r = 0;

	if (at_char(walk, '[')) {
		if (!read_list(walk, "", &r)) {
			return r;
		}
	} else if (at_char(walk, '{')) {
		size_t before = walk->set->faults.n;

		r = read_envelope(walk);
		if (r < 0 || walk->set->faults.n != before) {
			return r;
		}
	} else {
		syntax_fault(walk, "a list or an object is missing");
		return 0;
	}
	skip_blanks(walk);
	if (walk->at < walk->end) {
		syntax_fault(walk, "more follows behind its end");
	}
	return r;
}

static int read_with(int (*read)(struct json_walk *walk), struct json_walk *walk)
{
	cleanup(freep) struct import_row *row =
		malloc(sizeof(*row)); /* 16 KiB: too much for a stack that is small */

	if (!row) {
		return -ENOMEM;
	}
	walk->row = row;
	return read(walk);
}

int import_json_read_lines(struct import_set *set, const char *file, const char *text, size_t len)
{
	struct json_walk walk = {
		.where = {.file = file, .line = 1}, .set = set, .at = text, .end = text + len};

	return read_with(read_lines, &walk);
}

int import_json_read_document(struct import_set *set, const char *file, const char *text,
			      size_t len, bool *ret_incomplete)
{
	struct json_walk walk = {
		.where = {.file = file, .line = 1}, .set = set, .at = text, .end = text + len};
	int r = read_with(read_document, &walk);

	if (r == 0) {
		*ret_incomplete = walk.incomplete;
	}
	return r;
}

bool import_json_is_document(const char *text, size_t len)
{
	struct import_set none = {.n = 0}; /* faults are of no interest here */
	struct json_walk walk = {
		.where = {.file = "", .line = 1}, .set = &none, .at = text, .end = text + len};
	bool found = false;
	bool more = take_char(&walk, '{') && !at_char(&walk, '}');

	while (more && !found) {
		struct import_where where;
		json_t *key = take_key(&walk);
		json_t *value = NULL;

		found = key && is_value_list(&walk, key);
		if (key && !found) {
			value = take_value(&walk, &where);
		}
		more = value && take_char(&walk, ',');
		json_decref(key);
		json_decref(value);
	}
	import_faults_done(&none.faults);
	return found;
}
