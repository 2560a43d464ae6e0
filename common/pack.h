/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_COMMON_PACK_H
#define RETENTIOND_COMMON_PACK_H

#include "common/base.h"

/*
 * MessagePack, bounded. Three parts:
 *
 *   scanner  walks bytes without allocating and without recursion, and says where a message ends
 *            or why it is refused. msgpack-c 4.0.0 allocates what a header claims (5 bytes ask for
 *            96 GB), so nothing reaches it that the scanner has not accepted whole.
 *   reader   a scanned message as values. A little memory is kept between messages.
 *   writer   values to bytes, with a limit and a sticky error, so that callers write straight on
 *            and ask once at the end.
 *
 * Only pack.c sees msgpack-c.
 */

/* The deepest a scanner or a writer can be asked to go; the wire uses 8. */
#define PACK_DEPTH_MAX 16

enum {
	PACK_E_MORE = 1,  /* the message is not whole yet */
	PACK_E_MALFORMED, /* not MessagePack: the reserved byte 0xc1 */
	PACK_E_TOO_DEEP,
	PACK_E_TOO_LARGE, /* more bytes or objects than allowed, or a header that claims more than could follow */
};

/**
 * struct pack_limits - what a scanner accepts
 * @bytes_max:   bytes of one whole message
 * @objects_max: values in it, keys included; bounds what the reader allocates (24 bytes each)
 * @depth_max:   arrays and maps inside each other; at most PACK_DEPTH_MAX
 */
struct pack_limits {
	size_t bytes_max;
	uint32_t objects_max;
	uint8_t depth_max;
};

/* Resumable: a message that comes byte by byte is walked once. Zero it to begin a message. */
struct pack_scanner {
	size_t offset; /* bytes walked: always at a value's first byte */
	uint32_t n_objects;
	uint8_t depth;                 /* open containers */
	uint64_t left[PACK_DEPTH_MAX]; /* values still to come in each */
	uint64_t owed;                 /* and in all of them */
};

/**
 * pack_scan() - walk on through one message
 * @scanner: zeroed before the message's first byte; kept over PACK_E_MORE
 * @data:    the message from its first byte on, as much as has come; may hold bytes of the next one
 * @len:     bytes in @data
 * @ret_len: set on 0: bytes of the whole message
 *
 * A claimed length is refused as soon as it is read: every value takes at least one byte.
 * Map keys are not required to be texts here; the reader's users refuse others. Extension types are
 * walked like any value and have type PACK_EXT.
 *
 * Return: 0, PACK_E_MORE, PACK_E_MALFORMED, PACK_E_TOO_DEEP or PACK_E_TOO_LARGE.
 */
must_check int pack_scan(struct pack_scanner *scanner, const struct pack_limits *limits,
			 const void *data, size_t len, size_t *ret_len);

enum pack_type {
	PACK_NIL,
	PACK_BOOL,
	PACK_INT,  /* fits int64_t */
	PACK_UINT, /* over INT64_MAX */
	PACK_FLOAT,
	PACK_TEXT, /* str or bin: peers of the older specification have only one of them */
	PACK_ARRAY,
	PACK_MAP,
	PACK_EXT, /* text: the byte of its type, then its body */
	_PACK_TYPE_MAX
};

/**
 * struct pack_value - one value of a message that has been read
 *
 * Texts point into the bytes given to pack_read(); arrays and maps into the reader's memory. Both
 * live until the next pack_read() or pack_forget() on the same reader, and as long as the bytes do.
 */
struct pack_value {
	enum pack_type type;
	union {
		bool boolean;
		int64_t integer;
		uint64_t uinteger;
		double real;
		struct slice text;
		struct {
			const void *items;
			uint32_t n;
		} list; /* PACK_ARRAY: values; PACK_MAP: pairs */
	};
};

struct pack_reader;

must_check int pack_reader_new(struct pack_reader **ret_reader); /* 0 or -ENOMEM */
struct pack_reader *pack_reader_free(struct pack_reader *reader);
void pack_reader_freep(struct pack_reader **reader);

/**
 * pack_read() - the value that scanned bytes hold
 * @data: exactly one message, accepted by pack_scan() with the same @len
 *
 * Return: 0, PACK_E_MALFORMED if msgpack-c does not agree with the scanner, or -ENOMEM.
 */
must_check int pack_read(struct pack_reader *reader, const void *data, size_t len,
			 struct pack_value *ret_value);

/* Gives back the memory of what was read last, but for a few kB to read the next message into. */
void pack_forget(struct pack_reader *reader);

/* The i-th value of an array; i < list.n. */
struct pack_value pack_array_at(const struct pack_value *array, uint32_t i);

/* The i-th pair of a map; i < list.n. */
void pack_map_at(const struct pack_value *map, uint32_t i, struct pack_value *ret_key,
		 struct pack_value *ret_value);

/* The value under a key; false when the map has none. The first one counts if it is there twice. */
must_check bool pack_map_get(const struct pack_value *map, const char *key,
			     struct pack_value *ret_value);

/**
 * struct pack_writer - bytes being written
 * @data, @len: what has been written; owned by the writer
 * @error: 0, PACK_E_TOO_LARGE once @bytes_max was reached, or -ENOMEM. After an error every call
 *         does nothing
 *
 * Containers are opened and closed; their counts are filled in at the close (array16 and map16
 * headers, so at most 65 535 entries). In a map, key and value are written alternately.
 */
struct pack_writer {
	char *data;
	size_t len;
	size_t size;
	size_t bytes_max;
	int error;
	uint8_t depth;
	struct {
		size_t header; /* offset of its first byte */
		uint32_t n;    /* values written into it */
		bool map;
	} open[PACK_DEPTH_MAX];
};

void pack_writer_init(struct pack_writer *writer, size_t bytes_max);
void pack_writer_done(
	struct pack_writer *writer); /* frees the memory; init again to use it again */
void pack_writer_reset(struct pack_writer *writer); /* empty, memory kept, error cleared */

/* Drops what was written since @len bytes, when nothing was open then, and the error that came since; used to
 * take back half an answer. */
void pack_writer_cut(struct pack_writer *writer, size_t len);

void pack_write_nil(struct pack_writer *writer);
void pack_write_bool(struct pack_writer *writer, bool value);
void pack_write_int(struct pack_writer *writer, int64_t value);
void pack_write_uint(struct pack_writer *writer, uint64_t value);
void pack_write_float(struct pack_writer *writer, double value);
void pack_write_text(struct pack_writer *writer, struct slice text); /* as str */
void pack_write_bin(struct pack_writer *writer, struct slice bytes);
void pack_write_array(struct pack_writer *writer); /* opens an array */
void pack_write_map(struct pack_writer *writer);   /* opens a map */
void pack_write_end(struct pack_writer *writer);   /* closes the innermost */

/* @bytes: whole values, already packed, @n_values of them (a key counts as one). */
void pack_write_raw(struct pack_writer *writer, struct slice bytes, uint32_t n_values);

/* Writes a value that was read, as it is; bin becomes str. */
void pack_write_value(struct pack_writer *writer, const struct pack_value *value);

/* Inline, as what follows: the length of a literal is known when it is compiled. */
static inline void pack_write_cstr(struct pack_writer *writer, const char *text)
{
	pack_write_text(writer, slice_of(text));
}

/* Key and value of a map in one line. */
static inline void pack_put_bool(struct pack_writer *writer, const char *key, bool value)
{
	pack_write_cstr(writer, key);
	pack_write_bool(writer, value);
}

static inline void pack_put_int(struct pack_writer *writer, const char *key, int64_t value)
{
	pack_write_cstr(writer, key);
	pack_write_int(writer, value);
}

static inline void pack_put_uint(struct pack_writer *writer, const char *key, uint64_t value)
{
	pack_write_cstr(writer, key);
	pack_write_uint(writer, value);
}

static inline void pack_put_text(struct pack_writer *writer, const char *key, struct slice text)
{
	pack_write_cstr(writer, key);
	pack_write_text(writer, text);
}

static inline void pack_put_cstr(struct pack_writer *writer, const char *key, const char *text)
{
	pack_write_cstr(writer, key);
	pack_write_cstr(writer, text);
}

static inline void pack_put_array(struct pack_writer *writer, const char *key)
{
	pack_write_cstr(writer, key);
	pack_write_array(writer);
}

static inline void pack_put_map(struct pack_writer *writer, const char *key)
{
	pack_write_cstr(writer, key);
	pack_write_map(writer);
}

#endif
