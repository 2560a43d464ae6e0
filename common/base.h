/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_COMMON_BASE_H
#define RETENTIOND_COMMON_BASE_H

/*
 * The few things that every file uses.
 *
 * The law of errors, the same in every module: a function that can fail returns an int.
 *     0             done
 *     negative      -errno: the machine failed (memory, disk, kernel). Forward it untouched.
 *     positive      MODULE_E_X: an answer, named in the function's header, handled by the direct
 *                   caller and never forwarded as it is.
 * Assertions are for our own mistakes only and are compiled into every build. Bytes from a peer or
 * from the disk are refused with an answer, never asserted.
 */

#ifdef NDEBUG
#error "assertions are part of the program: do not define NDEBUG"
#endif

#include <assert.h>
#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define must_check        __attribute__((__warn_unused_result__))
#define cleanup(f)        __attribute__((__cleanup__(f)))
#define printf_like(f, a) __attribute__((__format__(__printf__, f, a)))
#define unused            __attribute__((__unused__))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)    ((a) < (b) ? (a) : (b))
#define MAX(a, b)    ((a) > (b) ? (a) : (b))

/* Hands a pointer over: the variable is NULL afterwards, so that its cleanup does nothing. */
#define TAKE_PTR(p)                                                                                \
	({                                                                                         \
		__typeof__(p) taken_ = (p);                                                        \
		(p) = NULL;                                                                        \
		taken_;                                                                            \
	})

/* The same for a file descriptor: -1 afterwards. */
#define TAKE_FD(fd)                                                                                \
	({                                                                                         \
		int taken_ = (fd);                                                                 \
		(fd) = -1;                                                                         \
		taken_;                                                                            \
	})

/**
 * struct slice - bytes that somebody else owns
 * @data: may be NULL when @len is 0; not terminated
 * @len:  bytes
 */
struct slice {
	const char *data;
	size_t len;
};

/* A slice for printf's "%.*s". */
#define SLICE_ARG(s)        (int)(s).len, (s).data ? (s).data : ""
#define SLICE_LITERAL(text) ((struct slice){(text), sizeof(text) - 1})

static inline struct slice slice_of(const char *text)
{
	return (struct slice){text, text ? strlen(text) : 0};
}

static inline bool slice_equal(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool slice_is(struct slice a, const char *text)
{
	return slice_equal(a, slice_of(text));
}

/*
 * Where to cut a text of UTF-8 that has more than @len bytes: not within a character, which readers
 * refuse. The byte at @len, the first that is left off, tells.
 */
static inline size_t utf8_cut(const char *text, size_t len)
{
	while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80) {
		len--;
	}
	return len;
}

/* Numbers in keys and rows are big-endian: keys then sort as numbers do. */
static inline void store_be16(void *to, uint16_t v)
{
	v = htobe16(v);
	memcpy(to, &v, sizeof(v));
}

static inline void store_be32(void *to, uint32_t v)
{
	v = htobe32(v);
	memcpy(to, &v, sizeof(v));
}

static inline void store_be64(void *to, uint64_t v)
{
	v = htobe64(v);
	memcpy(to, &v, sizeof(v));
}

static inline uint16_t load_be16(const void *from)
{
	uint16_t v;

	memcpy(&v, from, sizeof(v));
	return be16toh(v);
}

static inline uint32_t load_be32(const void *from)
{
	uint32_t v;

	memcpy(&v, from, sizeof(v));
	return be32toh(v);
}

static inline uint64_t load_be64(const void *from)
{
	uint64_t v;

	memcpy(&v, from, sizeof(v));
	return be64toh(v);
}

static inline void freep(void *p)
{
	free(*(void **)p);
}

static inline void closep(int *fd)
{
	if (*fd >= 0) {
		(void)close(*fd); /* nothing was written through it that was not synced */
	}
}

#endif
