/* SPDX-License-Identifier: Apache-2.0 */
#include "common/pack.h"

#include <errno.h>
#include <msgpack.h>

/*
 * The reader
 */

/*
 * struct pack_reader
 * @zone: the arrays and maps of one message; its first chunk is kept from one message to the next
 * @full: something was read since it was cleared
 */
struct pack_reader {
	msgpack_zone zone;
	bool full;
};

int pack_reader_new(struct pack_reader **ret_reader)
{
	cleanup(pack_reader_freep) struct pack_reader *reader = NULL;

	reader = calloc(1, sizeof(*reader));
	if (!reader) {
		return -ENOMEM;
	}
	if (!msgpack_zone_init(&reader->zone, MSGPACK_ZONE_CHUNK_SIZE)) {
		return -ENOMEM;
	}
	*ret_reader = TAKE_PTR(reader);
	return 0;
}

struct pack_reader *pack_reader_free(struct pack_reader *reader)
{
	if (reader) {
		msgpack_zone_destroy(&reader->zone);
		free(reader);
	}
	return NULL;
}

void pack_reader_freep(struct pack_reader **reader)
{
	*reader = pack_reader_free(*reader);
}

static struct pack_value value_of_integer(uint64_t integer)
{
	if (integer > INT64_MAX) {
		return (struct pack_value){.type = PACK_UINT, .uinteger = integer};
	}
	return (struct pack_value){.type = PACK_INT, .integer = (int64_t)integer};
}

static struct pack_value value_of_text(const char *data, uint32_t len)
{
	return (struct pack_value){.type = PACK_TEXT, .text = {data, len}};
}

static struct pack_value value_of_list(enum pack_type type, const void *items, uint32_t n)
{
	return (struct pack_value){.type = type, .list = {items, n}};
}

static struct pack_value value_of(const msgpack_object *object)
{
	switch (object->type) {
	case MSGPACK_OBJECT_NIL:
		break;
	case MSGPACK_OBJECT_BOOLEAN:
		return (struct pack_value){.type = PACK_BOOL, .boolean = object->via.boolean};
	case MSGPACK_OBJECT_POSITIVE_INTEGER:
		return value_of_integer(object->via.u64);
	case MSGPACK_OBJECT_NEGATIVE_INTEGER:
		return (struct pack_value){.type = PACK_INT, .integer = object->via.i64};
	case MSGPACK_OBJECT_FLOAT32:
	case MSGPACK_OBJECT_FLOAT64:
		return (struct pack_value){.type = PACK_FLOAT, .real = object->via.f64};
	case MSGPACK_OBJECT_STR:
		return value_of_text(object->via.str.ptr, object->via.str.size);
	case MSGPACK_OBJECT_BIN:
		return value_of_text(object->via.bin.ptr, object->via.bin.size);
	case MSGPACK_OBJECT_ARRAY:
		return value_of_list(PACK_ARRAY, object->via.array.ptr, object->via.array.size);
	case MSGPACK_OBJECT_MAP:
		return value_of_list(PACK_MAP, object->via.map.ptr, object->via.map.size);
	case MSGPACK_OBJECT_EXT:
		/* In every ext format the byte before the body is the type's. */
		return (struct pack_value){
			.type = PACK_EXT,
			.text = {object->via.ext.ptr - 1, (size_t)object->via.ext.size + 1},
		};
	}
	return (struct pack_value){.type = PACK_NIL};
}

void pack_forget(struct pack_reader *reader)
{
	if (reader->full) {
		msgpack_zone_clear(&reader->zone);
		reader->full = false;
	}
}

int pack_read(struct pack_reader *reader, const void *data, size_t len,
	      struct pack_value *ret_value)
{
	msgpack_object object;
	msgpack_unpack_return unpacked;
	size_t taken = 0;

	pack_forget(reader);
	reader->full = true;
	unpacked = msgpack_unpack(data, len, &taken, &reader->zone, &object);
	if (unpacked == MSGPACK_UNPACK_NOMEM_ERROR) {
		return -ENOMEM;
	}
	if (unpacked != MSGPACK_UNPACK_SUCCESS || taken != len) {
		return PACK_E_MALFORMED;
	}
	*ret_value = value_of(&object);
	return 0;
}

struct pack_value pack_array_at(const struct pack_value *array, uint32_t i)
{
	const msgpack_object *objects = array->list.items;

	assert(array->type == PACK_ARRAY);
	assert(i < array->list.n);
	return value_of(&objects[i]);
}

void pack_map_at(const struct pack_value *map, uint32_t i, struct pack_value *ret_key,
		 struct pack_value *ret_value)
{
	const msgpack_object_kv *pairs = map->list.items;

	assert(map->type == PACK_MAP);
	assert(i < map->list.n);
	*ret_key = value_of(&pairs[i].key);
	*ret_value = value_of(&pairs[i].val);
}

bool pack_map_get(const struct pack_value *map, const char *key, struct pack_value *ret_value)
{
	struct slice wanted = slice_of(key);

	assert(map->type == PACK_MAP);
	for (uint32_t i = 0; i < map->list.n; i++) {
		struct pack_value name, value;

		pack_map_at(map, i, &name, &value);
		if (name.type == PACK_TEXT && slice_equal(name.text, wanted)) {
			*ret_value = value;
			return true;
		}
	}
	return false;
}

/*
 * The writer
 */

#define WRITER_SIZE_MIN 256 /* bytes; a small answer fits without growing */

/* str in its four forms: the first holds its length, of 31 bytes at most. */
#define HEADER_FIXSTR  0xa0
#define HEADER_STR8    0xd9
#define HEADER_STR16   0xda
#define HEADER_STR32   0xdb
#define FIXSTR_LEN_MAX 31

/* array16 and map16, whose counts can be filled in later without moving what follows. */
#define HEADER_ARRAY16 0xdc
#define HEADER_MAP16   0xde
#define HEADER_LEN     3

void pack_writer_init(struct pack_writer *writer, size_t bytes_max)
{
	*writer = (struct pack_writer){.bytes_max = bytes_max};
}

void pack_writer_done(struct pack_writer *writer)
{
	free(writer->data);
	*writer = (struct pack_writer){0};
}

void pack_writer_reset(struct pack_writer *writer)
{
	pack_writer_cut(writer, 0);
}

void pack_writer_cut(struct pack_writer *writer, size_t len)
{
	assert(len <= writer->len);
	writer->len = len;
	writer->depth = 0;
	writer->error = 0;
}

static int writer_grow(struct pack_writer *writer, size_t more)
{
	size_t needed, size;
	char *data;

	if (more > writer->bytes_max - writer->len) {
		return PACK_E_TOO_LARGE;
	}
	needed = writer->len + more;
	size = MAX(needed, MAX(WRITER_SIZE_MIN, writer->size * 2));
	size = MIN(size, writer->bytes_max);
	data = realloc(writer->data, size);
	if (!data) {
		return -ENOMEM;
	}
	writer->data = data;
	writer->size = size;
	return 0;
}

/* Whether there is room for so many bytes more. An error sticks, and then there is none. */
static bool writer_reserve(struct pack_writer *writer, size_t more)
{
	if (!writer->error && more > writer->size - writer->len) {
		writer->error = writer_grow(writer, more);
	}
	return !writer->error;
}

static void writer_append(struct pack_writer *writer, const void *bytes, size_t len)
{
	if (len > 0 && writer_reserve(writer, len)) {
		memcpy(writer->data + writer->len, bytes, len);
		writer->len += len;
	}
}

/*
 * msgpack-c's callback. It need not hear of errors: they stick in the writer, which then takes
 * nothing more.
 */
static int writer_sink(void *data, const char *bytes, size_t len)
{
	writer_append(data, bytes, len);
	return 0;
}

static void writer_count(struct pack_writer *writer, uint32_t n_values)
{
	if (writer->depth > 0) {
		writer->open[writer->depth - 1].n += n_values;
	}
}

/* Counts a value, and gives what msgpack-c writes it with. */
static msgpack_packer writer_begin_value(struct pack_writer *writer)
{
	msgpack_packer packer;

	writer_count(writer, 1);
	msgpack_packer_init(&packer, writer, writer_sink);
	return packer;
}

void pack_write_nil(struct pack_writer *writer)
{
	msgpack_packer packer = writer_begin_value(writer);

	(void)msgpack_pack_nil(&packer);
}

void pack_write_bool(struct pack_writer *writer, bool value)
{
	msgpack_packer packer = writer_begin_value(writer);

	(void)(value ? msgpack_pack_true(&packer) : msgpack_pack_false(&packer));
}

void pack_write_int(struct pack_writer *writer, int64_t value)
{
	msgpack_packer packer = writer_begin_value(writer);

	(void)msgpack_pack_int64(&packer, value);
}

void pack_write_uint(struct pack_writer *writer, uint64_t value)
{
	msgpack_packer packer = writer_begin_value(writer);

	(void)msgpack_pack_uint64(&packer, value);
}

void pack_write_float(struct pack_writer *writer, double value)
{
	msgpack_packer packer = writer_begin_value(writer);

	(void)msgpack_pack_double(&packer, value);
}

static size_t text_header_len(size_t len)
{
	if (len <= FIXSTR_LEN_MAX) {
		return 1;
	}
	return len <= UINT8_MAX ? 2 : len <= UINT16_MAX ? 3 : 5;
}

/* Return: where the text itself goes. */
static char *put_text_header(char *at, size_t len)
{
	if (len <= FIXSTR_LEN_MAX) {
		*at = (char)(HEADER_FIXSTR | len);
	} else if (len <= UINT8_MAX) {
		at[0] = (char)HEADER_STR8;
		at[1] = (char)len;
	} else if (len <= UINT16_MAX) {
		at[0] = (char)HEADER_STR16;
		store_be16(at + 1, (uint16_t)len);
	} else {
		at[0] = (char)HEADER_STR32;
		store_be32(at + 1, (uint32_t)len);
	}
	return at + text_header_len(len);
}

/* By hand and in one piece: answers consist of texts, and msgpack-c takes two calls for each. */
void pack_write_text(struct pack_writer *writer, struct slice text)
{
	size_t len = text_header_len(text.len) + text.len;
	char *at;

	assert(text.len <= UINT32_MAX);
	writer_count(writer, 1);
	if (!writer_reserve(writer, len)) {
		return;
	}
	at = put_text_header(writer->data + writer->len, text.len);
	if (text.len > 0) {
		memcpy(at, text.data, text.len);
	}
	writer->len += len;
}

void pack_write_bin(struct pack_writer *writer, struct slice bytes)
{
	msgpack_packer packer = writer_begin_value(writer);

	(void)msgpack_pack_bin(&packer, bytes.len);
	(void)msgpack_pack_bin_body(&packer, bytes.data, bytes.len);
}

static void writer_open(struct pack_writer *writer, bool map)
{
	const uint8_t header[HEADER_LEN] = {map ? HEADER_MAP16 : HEADER_ARRAY16};
	size_t offset = writer->len;

	writer_count(writer, 1);
	writer_append(writer, header, sizeof(header));
	if (writer->error) {
		return;
	}
	assert(writer->depth < PACK_DEPTH_MAX);
	writer->open[writer->depth].header = offset;
	writer->open[writer->depth].n = 0;
	writer->open[writer->depth].map = map;
	writer->depth++;
}

void pack_write_array(struct pack_writer *writer)
{
	writer_open(writer, false);
}

void pack_write_map(struct pack_writer *writer)
{
	writer_open(writer, true);
}

void pack_write_end(struct pack_writer *writer)
{
	uint32_t n;

	if (writer->error) {
		return;
	}
	assert(writer->depth > 0);
	writer->depth--;
	n = writer->open[writer->depth].n;
	if (writer->open[writer->depth].map) {
		assert(n % 2 == 0);
		n /= 2;
	}
	if (n > UINT16_MAX) {
		writer->error = PACK_E_TOO_LARGE;
		return;
	}
	store_be16(writer->data + writer->open[writer->depth].header + 1, (uint16_t)n);
}

void pack_write_raw(struct pack_writer *writer, struct slice bytes, uint32_t n_values)
{
	assert(n_values <= bytes.len);
	writer_count(writer, n_values);
	writer_append(writer, bytes.data, bytes.len);
}

/* Recursion ends: what was read is no deeper than what a scanner accepts. */
static void write_array_value(struct pack_writer *writer, const struct pack_value *array)
{
	pack_write_array(writer);
	for (uint32_t i = 0; i < array->list.n; i++) {
		struct pack_value value = pack_array_at(array, i);

		pack_write_value(writer, &value);
	}
	pack_write_end(writer);
}

static void write_map_value(struct pack_writer *writer, const struct pack_value *map)
{
	pack_write_map(writer);
	for (uint32_t i = 0; i < map->list.n; i++) {
		struct pack_value key, value;

		pack_map_at(map, i, &key, &value);
		pack_write_value(writer, &key);
		pack_write_value(writer, &value);
	}
	pack_write_end(writer);
}

static void write_ext_value(struct pack_writer *writer, const struct pack_value *ext)
{
	msgpack_packer packer = writer_begin_value(writer);
	size_t len = ext->text.len - 1;

	(void)msgpack_pack_ext(&packer, len, (int8_t)ext->text.data[0]);
	(void)msgpack_pack_ext_body(&packer, ext->text.data + 1, len);
}

void pack_write_value(struct pack_writer *writer, const struct pack_value *value)
{
	switch (value->type) {
	case PACK_NIL:
		pack_write_nil(writer);
		return;
	case PACK_BOOL:
		pack_write_bool(writer, value->boolean);
		return;
	case PACK_INT:
		pack_write_int(writer, value->integer);
		return;
	case PACK_UINT:
		pack_write_uint(writer, value->uinteger);
		return;
	case PACK_FLOAT:
		pack_write_float(writer, value->real);
		return;
	case PACK_TEXT:
		pack_write_text(writer, value->text);
		return;
	case PACK_ARRAY:
		write_array_value(writer, value);
		return;
	case PACK_MAP:
		write_map_value(writer, value);
		return;
	case PACK_EXT:
		write_ext_value(writer, value);
		return;
	case _PACK_TYPE_MAX:
		break;
	}
	assert(false); /* a value has a type */
}
