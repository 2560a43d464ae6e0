/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_STORE_BYTES_H
#define RETENTIOND_STORE_BYTES_H

#include "common/base.h"

/*
 * Rows, value by value: written into a buffer that is large enough, read with every doubt kept.
 * Each put writes one value and returns where the next one goes.
 */

static inline uint8_t *put_u8(uint8_t *at, uint8_t v)
{
	*at = v;
	return at + 1;
}

static inline uint8_t *put_u16(uint8_t *at, uint16_t v)
{
	store_be16(at, v);
	return at + 2;
}

static inline uint8_t *put_u32(uint8_t *at, uint32_t v)
{
	store_be32(at, v);
	return at + 4;
}

static inline uint8_t *put_u64(uint8_t *at, uint64_t v)
{
	store_be64(at, v);
	return at + 8;
}

static inline uint8_t *put_i64(uint8_t *at, int64_t v)
{
	return put_u64(at, (uint64_t)v);
}

static inline uint8_t *put_bytes(uint8_t *at, const void *bytes, size_t len)
{
	if (len > 0) {
		memcpy(at, bytes, len);
	}
	return at + len;
}

static inline uint8_t *put_text(uint8_t *at, struct slice text, size_t len_max)
{
	assert(text.len <= len_max);
	return put_bytes(put_u16(at, (uint16_t)text.len), text.data, text.len);
}

/*
 * Bytes that may not be what they should. The first fault sticks, and what is read after it is
 * zeros, so that a decoder reads straight on and asks once at the end.
 */
struct reader {
	const char *at;
	size_t left;
	bool faulty;
};

static inline struct reader reader_of(struct slice bytes)
{
	return (struct reader){.at = bytes.data, .left = bytes.len};
}

static inline bool reader_is_done(const struct reader *reader)
{
	return !reader->faulty && reader->left == 0;
}

static inline void reader_require(struct reader *reader, bool holds)
{
	reader->faulty |= !holds;
}

/* NULL past the end. */
static inline const char *reader_take(struct reader *reader, size_t len)
{
	const char *bytes = reader->at;

	reader_require(reader, len <= reader->left);
	if (reader->faulty) {
		return NULL;
	}
	reader->at += len;
	reader->left -= len;
	return bytes;
}

static inline uint8_t get_u8(struct reader *reader)
{
	const char *bytes = reader_take(reader, 1);

	return bytes ? (uint8_t)*bytes : 0;
}

static inline uint16_t get_u16(struct reader *reader)
{
	const char *bytes = reader_take(reader, 2);

	return bytes ? load_be16(bytes) : 0;
}

static inline uint32_t get_u32(struct reader *reader)
{
	const char *bytes = reader_take(reader, 4);

	return bytes ? load_be32(bytes) : 0;
}

static inline uint64_t get_u64(struct reader *reader)
{
	const char *bytes = reader_take(reader, 8);

	return bytes ? load_be64(bytes) : 0;
}

static inline int64_t get_i64(struct reader *reader)
{
	return (int64_t)get_u64(reader);
}

/* @to is left alone past the end. */
static inline void get_bytes(struct reader *reader, void *to, size_t len)
{
	const char *bytes = reader_take(reader, len);

	if (bytes) {
		memcpy(to, bytes, len);
	}
}

/* Points into what is read; empty past the end. */
static inline struct slice get_text(struct reader *reader, size_t len_max)
{
	size_t len = get_u16(reader);
	const char *bytes;

	reader_require(reader, len <= len_max);
	bytes = reader_take(reader, len);
	return (struct slice){bytes, bytes ? len : 0};
}

#endif
