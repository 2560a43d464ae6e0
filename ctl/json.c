/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/json.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>

#include "ctl/text.h"

static bool is_utf8(struct slice text)
{
	while (text.len > 0) {
		uint32_t code;
		size_t len = ctl_text_sequence(text, &code);

		if (len == 0) {
			return false;
		}
		text.data += len;
		text.len -= len;
	}
	return true;
}

static json_t *hex_from_bytes(struct slice bytes)
{
	static const char digits[] = "0123456789abcdef";
	cleanup(freep) char *text = malloc(sizeof("hex:") + 2 * bytes.len);
	char *to;

	if (!text) {
		return NULL;
	}
	to = stpcpy(text, "hex:");
	for (size_t i = 0; i < bytes.len; i++) {
		*to++ = digits[(unsigned char)bytes.data[i] >> 4];
		*to++ = digits[(unsigned char)bytes.data[i] & 0xf];
	}
	return json_stringn(text, (size_t)(to - text));
}

static json_t *json_from_uint(uint64_t value)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, value);
	return json_string(text);
}

static json_t *json_from_scalar(const struct pack_value *value)
{
	switch (value->type) {
	case PACK_BOOL:
		return json_boolean(value->boolean);
	case PACK_INT:
		return json_integer(value->integer);
	case PACK_UINT:
		return json_from_uint(value->uinteger);
	case PACK_FLOAT:
		return isfinite(value->real) ? json_real(value->real) : json_null();
	case PACK_TEXT:
		return is_utf8(value->text) ? json_stringn(value->text.len ? value->text.data : "",
							   value->text.len)
					    : hex_from_bytes(value->text);
	case PACK_NIL:
	case PACK_EXT:
	case PACK_ARRAY:
	case PACK_MAP:
	case _PACK_TYPE_MAX:
		break;
	}
	return json_null();
}

/* True recursion: values lie inside each other, no deeper than the scanner allowed. */
static int json_from_array(const struct pack_value *value, json_t **ret_json);
static int json_from_map(const struct pack_value *value, json_t **ret_json);

int ctl_json_from_pack(const struct pack_value *value, json_t **ret_json)
{
	json_t *json;

	if (value->type == PACK_ARRAY) {
		return json_from_array(value, ret_json);
	}
	if (value->type == PACK_MAP) {
		return json_from_map(value, ret_json);
	}
	json = json_from_scalar(value);
	if (!json) {
		return -ENOMEM;
	}
	*ret_json = json;
	return 0;
}

static int json_from_array(const struct pack_value *value, json_t **ret_json)
{
	json_t *array = json_array();
	int r = array ? 0 : -ENOMEM;

	for (uint32_t i = 0; r == 0 && i < value->list.n; i++) {
		struct pack_value item = pack_array_at(value, i);
		json_t *json;

		r = ctl_json_from_pack(&item, &json);
		if (r == 0 && json_array_append_new(array, json) < 0) {
			r = -ENOMEM;
		}
	}
	if (r != 0) {
		json_decref(array);
		return r;
	}
	*ret_json = array;
	return 0;
}

static int put_pair(json_t *object, const struct pack_value *map, uint32_t i)
{
	struct pack_value key;
	struct pack_value item;
	cleanup(freep) char *name = NULL;
	json_t *json;
	int r;

	pack_map_at(map, i, &key, &item);
	if (key.type != PACK_TEXT || !is_utf8(key.text) ||
	    memchr(key.text.data ? key.text.data : "", 0, key.text.len)) {
		return CTL_JSON_E_KEY;
	}
	name = strndup(key.text.data ? key.text.data : "", key.text.len);
	if (!name) {
		return -ENOMEM;
	}
	r = ctl_json_from_pack(&item, &json);
	if (r != 0) {
		return r;
	}
	return json_object_set_new(object, name, json) < 0 ? -ENOMEM : 0;
}

static int json_from_map(const struct pack_value *value, json_t **ret_json)
{
	json_t *object = json_object();
	int r = object ? 0 : -ENOMEM;

	for (uint32_t i = 0; r == 0 && i < value->list.n; i++) {
		r = put_pair(object, value, i);
	}
	if (r != 0) {
		json_decref(object);
		return r;
	}
	*ret_json = object;
	return 0;
}

static struct slice json_slice(const json_t *string)
{
	return (struct slice){json_string_value(string), json_string_length(string)};
}

static int write_value(struct pack_writer *writer, const json_t *json, unsigned int depth);

static int write_array(struct pack_writer *writer, const json_t *json, unsigned int depth)
{
	size_t i;
	json_t *item;
	int r = 0;

	pack_write_array(writer);
	json_array_foreach(json, i, item) {
		r = write_value(writer, item, depth);
		if (r != 0) {
			break;
		}
	}
	pack_write_end(writer);
	return r;
}

static int write_object(struct pack_writer *writer, const json_t *json, unsigned int depth)
{
	const char *key;
	json_t *item;
	int r = 0;

	pack_write_map(writer);
	/* jansson's iterator takes no const; it changes nothing. */
	json_object_foreach((json_t *)json, key, item) {
		pack_write_cstr(writer, key);
		r = write_value(writer, item, depth);
		if (r != 0) {
			break;
		}
	}
	pack_write_end(writer);
	return r;
}

/* Writes something even if it refuses: what is open around it stays well-formed. */
static int write_value(struct pack_writer *writer, const json_t *json, unsigned int depth)
{
	if (depth == 0 && (json_is_object(json) || json_is_array(json))) {
		pack_write_nil(writer);
		return CTL_JSON_E_TOO_DEEP;
	}
	switch (json_typeof(json)) {
	case JSON_OBJECT:
		return write_object(writer, json, depth - 1);
	case JSON_ARRAY:
		return write_array(writer, json, depth - 1);
	case JSON_STRING:
		pack_write_text(writer, json_slice(json));
		return 0;
	case JSON_INTEGER:
		pack_write_int(writer, json_integer_value(json));
		return 0;
	case JSON_REAL:
		pack_write_float(writer, json_real_value(json));
		return 0;
	case JSON_TRUE:
	case JSON_FALSE:
		pack_write_bool(writer, json_is_true(json));
		return 0;
	case JSON_NULL:
		break;
	}
	pack_write_nil(writer);
	return 0;
}

int ctl_json_to_pack(struct pack_writer *writer, const json_t *json)
{
	return write_value(writer, json, CTL_JSON_DEPTH_MAX);
}

static size_t dump_flags(FILE *out)
{
	return JSON_ENCODE_ANY | (isatty(fileno(out)) ? JSON_ENSURE_ASCII : 0);
}

void ctl_json_print(const json_t *json, FILE *out)
{
	(void)json_dumpf(json, out,
			 dump_flags(out) | JSON_INDENT(2)); /* ferror() tells at the end */
	(void)fputc('\n', out);
}

void ctl_json_print_compact(const json_t *json, FILE *out)
{
	(void)json_dumpf(json, out, dump_flags(out));
}

void ctl_json_stream_begin(struct ctl_json_stream *stream, FILE *out)
{
	*stream = (struct ctl_json_stream){.out = out};
	(void)fputc('[', out);
}

void ctl_json_stream_put(struct ctl_json_stream *stream, const json_t *row)
{
	(void)fputs(stream->n++ ? ",\n " : "\n ", stream->out);
	ctl_json_print_compact(row, stream->out);
}

void ctl_json_stream_end(struct ctl_json_stream *stream)
{
	(void)fputs(stream->n ? "\n]\n" : "]\n", stream->out);
}
