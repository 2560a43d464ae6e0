/* SPDX-License-Identifier: Apache-2.0 */
#include "common/pack.h"

/* The scanner. It stands apart from msgpack-c, which sees only what was accepted here. */

enum form_kind {
	FORM_PLAIN, /* the bytes that follow hold no values */
	FORM_ARRAY,
	FORM_MAP,
	FORM_RESERVED,
};

/*
 * What a value's first byte says: how wide its length field is, and what its length is without that
 * field (or what is to be added to it: an extension's type is one byte more).
 */
struct form {
	enum form_kind kind;
	uint8_t width;
	uint8_t fixed;
};

/* 0xc0 to 0xdf; what is below and above has its length in the first byte. */
static const struct form forms[32] = {
	/* clang-format off */
	[0x00] = {FORM_PLAIN, 0, 0},    /* nil */
	[0x01] = {FORM_RESERVED, 0, 0},
	[0x02] = {FORM_PLAIN, 0, 0},    /* false, true */
	[0x03] = {FORM_PLAIN, 0, 0},
	[0x04] = {FORM_PLAIN, 1, 0},    /* bin */
	[0x05] = {FORM_PLAIN, 2, 0},
	[0x06] = {FORM_PLAIN, 4, 0},
	[0x07] = {FORM_PLAIN, 1, 1},    /* ext */
	[0x08] = {FORM_PLAIN, 2, 1},
	[0x09] = {FORM_PLAIN, 4, 1},
	[0x0a] = {FORM_PLAIN, 0, 4},    /* float */
	[0x0b] = {FORM_PLAIN, 0, 8},
	[0x0c] = {FORM_PLAIN, 0, 1},    /* uint */
	[0x0d] = {FORM_PLAIN, 0, 2},
	[0x0e] = {FORM_PLAIN, 0, 4},
	[0x0f] = {FORM_PLAIN, 0, 8},
	[0x10] = {FORM_PLAIN, 0, 1},    /* int */
	[0x11] = {FORM_PLAIN, 0, 2},
	[0x12] = {FORM_PLAIN, 0, 4},
	[0x13] = {FORM_PLAIN, 0, 8},
	[0x14] = {FORM_PLAIN, 0, 1 + 1}, /* fixext */
	[0x15] = {FORM_PLAIN, 0, 1 + 2},
	[0x16] = {FORM_PLAIN, 0, 1 + 4},
	[0x17] = {FORM_PLAIN, 0, 1 + 8},
	[0x18] = {FORM_PLAIN, 0, 1 + 16},
	[0x19] = {FORM_PLAIN, 1, 0},    /* str */
	[0x1a] = {FORM_PLAIN, 2, 0},
	[0x1b] = {FORM_PLAIN, 4, 0},
	[0x1c] = {FORM_ARRAY, 2, 0},
	[0x1d] = {FORM_ARRAY, 4, 0},
	[0x1e] = {FORM_MAP, 2, 0},
	[0x1f] = {FORM_MAP, 4, 0},
	/* clang-format on */
};

static struct form form_of(uint8_t byte)
{
	if (byte < 0x80 || byte >= 0xe0) {
		return (struct form){FORM_PLAIN, 0, 0}; /* small integers */
	}
	if (byte < 0x90) {
		return (struct form){FORM_MAP, 0, byte & 0x0f};
	}
	if (byte < 0xa0) {
		return (struct form){FORM_ARRAY, 0, byte & 0x0f};
	}
	if (byte < 0xc0) {
		return (struct form){FORM_PLAIN, 0, byte & 0x1f};
	}
	return forms[byte - 0xc0];
}

/* In 64 bits, so that no sum with a claimed length wraps. */
static uint64_t form_length(struct form form, const uint8_t *field)
{
	uint64_t length = 0;

	for (uint8_t i = 0; i < form.width; i++) {
		length = length << 8 | field[i];
	}
	return length + form.fixed;
}

/*
 * Whether a value of @bytes, the @values in it and all that were claimed before it can still fit.
 */
static bool scanner_has_room(const struct pack_scanner *scanner, const struct pack_limits *limits,
			     uint64_t bytes, uint64_t values)
{
	uint64_t to_come = scanner->owed - (scanner->depth > 0) + values; /* after this one */

	return scanner->offset + bytes + to_come <= limits->bytes_max &&
	       scanner->n_objects + 1 + to_come <= limits->objects_max;
}

/* Steps over a value's bytes, and out of the containers that it was the last value of. */
static void scanner_take(struct pack_scanner *scanner, uint64_t bytes, uint64_t values)
{
	scanner->offset += bytes;
	scanner->n_objects++;
	if (scanner->depth > 0) {
		scanner->left[scanner->depth - 1]--;
		scanner->owed--;
	}
	scanner->owed += values;
	if (values > 0) {
		scanner->left[scanner->depth++] = values;
	}
	while (scanner->depth > 0 && scanner->left[scanner->depth - 1] == 0) {
		scanner->depth--;
	}
}

static int scan_value(struct pack_scanner *scanner, const struct pack_limits *limits,
		      const uint8_t *at, size_t len)
{
	struct form form = form_of(at[0]);
	uint64_t bytes = 1 + (uint64_t)form.width;
	uint64_t values = 0;
	uint64_t length;

	if (form.kind == FORM_RESERVED) {
		return PACK_E_MALFORMED;
	}
	if (form.kind != FORM_PLAIN && scanner->depth == limits->depth_max) {
		return PACK_E_TOO_DEEP;
	}
	if (len < bytes) {
		return scanner_has_room(scanner, limits, bytes, 0) ? PACK_E_MORE : PACK_E_TOO_LARGE;
	}
	length = form_length(form, at + 1);
	if (form.kind == FORM_PLAIN) {
		bytes += length;
	} else {
		values = form.kind == FORM_MAP ? 2 * length : length;
	}
	if (!scanner_has_room(scanner, limits, bytes, values)) {
		return PACK_E_TOO_LARGE;
	}
	if (len < bytes) {
		return PACK_E_MORE;
	}
	scanner_take(scanner, bytes, values);
	return 0;
}

int pack_scan(struct pack_scanner *scanner, const struct pack_limits *limits, const void *data,
	      size_t len, size_t *ret_len)
{
	const uint8_t *bytes = data;

	assert(limits->depth_max <= PACK_DEPTH_MAX);

	while (scanner->offset < len) {
		int error;

		error = scan_value(scanner, limits, bytes + scanner->offset, len - scanner->offset);
		if (error) {
			return error;
		}
		if (scanner->depth == 0) {
			*ret_len = scanner->offset;
			return 0;
		}
	}
	return PACK_E_MORE;
}
