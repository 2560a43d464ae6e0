/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_JSON_H
#define RETENTIOND_CTL_JSON_H

#include <jansson.h>
#include <stdio.h>

#include "common/pack.h"

/* A request puts two arrays around its arguments ([0, id, method, [args]]), and the wire allows
 * RPC_DEPTH_MAX. */
#define CTL_JSON_DEPTH_MAX 6

enum {
	CTL_JSON_E_TOO_DEEP = 1,
	CTL_JSON_E_KEY, /* a map's key is not a text, or not UTF-8 */
};

/**
 * ctl_json_from_pack() - an answer as JSON
 * @value:    scanned, so that its depth is bounded
 * @ret_json: set on 0; the caller's reference
 *
 * Bytes that are not UTF-8 become "hex:0a1b…", integers above 2^63-1 become texts, nil, extension
 * types and numbers that JSON does not know become null. Order of keys is kept.
 *
 * Return: 0, CTL_JSON_E_KEY, or -ENOMEM.
 */
must_check int ctl_json_from_pack(const struct pack_value *value, json_t **ret_json);

/**
 * ctl_json_to_pack() - JSON as an argument
 *
 * The writer's own error (too large, no memory) sticks to the writer.
 *
 * Return: 0 or CTL_JSON_E_TOO_DEEP.
 */
must_check int ctl_json_to_pack(struct pack_writer *writer, const json_t *json);

/* Prints one document and a line's end. To a terminal all but ASCII is escaped, so that no text can
 * steer it. */
void ctl_json_print(const json_t *json, FILE *out);

/* The same in one line, without the line's end. */
void ctl_json_print_compact(const json_t *json, FILE *out);

/* A document that is an array, row by row: it need not be held whole. */
struct ctl_json_stream {
	FILE *out;
	size_t n;
};

void ctl_json_stream_begin(struct ctl_json_stream *stream, FILE *out);
void ctl_json_stream_put(struct ctl_json_stream *stream, const json_t *row);
void ctl_json_stream_end(struct ctl_json_stream *stream);

/* Text under a key, or NULL if there is none. */
static inline const char *ctl_json_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

#endif
