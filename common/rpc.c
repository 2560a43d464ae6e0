/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc.h"

#include <errno.h>
#include <stdio.h>

static const struct pack_limits rpc_limits = {
	.bytes_max = RPC_FRAME_LARGE_MAX,
	.objects_max = RPC_OBJECTS_MAX,
	.depth_max = RPC_DEPTH_MAX,
};

struct rpc_parser {
	struct pack_reader *reader;
	struct pack_scanner scanner;
};

int rpc_parser_new(struct rpc_parser **ret_parser)
{
	struct rpc_parser *parser;
	int error;

	parser = calloc(1, sizeof(*parser));
	if (!parser) {
		return -ENOMEM;
	}
	error = pack_reader_new(&parser->reader);
	if (error) {
		free(parser);
		return error;
	}
	*ret_parser = parser;
	return 0;
}

struct rpc_parser *rpc_parser_free(struct rpc_parser *parser)
{
	if (parser) {
		parser->reader = pack_reader_free(parser->reader);
		free(parser);
	}
	return NULL;
}

/*
 * The three ways to write the header of an array, up to where its count's last byte stands. A
 * count in more bytes than needed is legal MessagePack.
 */
static const struct slice array_headers[] = {
	SLICE_LITERAL(""),           /* 93, 94 */
	SLICE_LITERAL("\xdc\0"),     /* dc 00 03 */
	SLICE_LITERAL("\xdd\0\0\0"), /* dd 00 00 00 03 */
};

/* Whether the first bytes, as many as have come, can begin a message: an array of 3 or 4. A peer that
 * speaks something else is refused at its first byte, not when it has filled a buffer. */
static bool frame_can_be_rpc(struct slice data)
{
	for (size_t i = 0; i < ARRAY_LEN(array_headers); i++) {
		struct slice header = array_headers[i];
		size_t n = MIN(header.len, data.len);
		uint8_t count;

		if (n > 0 && memcmp(data.data, header.data, n) != 0) {
			continue;
		}
		if (data.len <= header.len) {
			return true;
		}
		count = (uint8_t)data.data[header.len];
		if (header.len == 0) {
			count ^= 0x90;
		}
		if (count == 3 || count == 4) {
			return true;
		}
	}
	return false;
}

static bool value_is_u32(const struct pack_value *value)
{
	return value->type == PACK_INT && value->integer >= 0 && value->integer <= UINT32_MAX;
}

/* The method and its params, which stand last in requests and notifications. */
static int read_call(const struct pack_value *frame, uint32_t at, struct rpc_message *message)
{
	struct pack_value method = pack_array_at(frame, at);
	struct pack_value params = pack_array_at(frame, at + 1);

	if (method.type != PACK_TEXT || method.text.len > RPC_METHOD_LEN_MAX) {
		return RPC_E_MALFORMED;
	}
	if (params.type != PACK_ARRAY) {
		return RPC_E_MALFORMED;
	}
	message->method = method.text;
	message->params = params;
	return 0;
}

static int read_msgid(const struct pack_value *frame, struct rpc_message *message)
{
	struct pack_value msgid = pack_array_at(frame, 1);

	if (!value_is_u32(&msgid)) {
		return RPC_E_MALFORMED;
	}
	message->msgid = (uint32_t)msgid.integer;
	return 0;
}

static int read_request(const struct pack_value *frame, struct rpc_message *message)
{
	int error;

	message->type = RPC_REQUEST;
	error = read_msgid(frame, message);
	return error ? error : read_call(frame, 2, message);
}

static int read_response(const struct pack_value *frame, struct rpc_message *message)
{
	message->type = RPC_RESPONSE;
	message->error = pack_array_at(frame, 2);
	message->result = pack_array_at(frame, 3);
	return read_msgid(frame, message);
}

static int read_notification(const struct pack_value *frame, struct rpc_message *message)
{
	message->type = RPC_NOTIFICATION;
	return read_call(frame, 1, message);
}

static int read_frame(const struct pack_value *frame, struct rpc_message *message)
{
	struct pack_value type;

	if (frame->type != PACK_ARRAY || (frame->list.n != 3 && frame->list.n != 4)) {
		return RPC_E_MALFORMED;
	}
	type = pack_array_at(frame, 0);
	if (type.type != PACK_INT) {
		return RPC_E_MALFORMED;
	}
	if (type.integer == RPC_REQUEST && frame->list.n == 4) {
		return read_request(frame, message);
	}
	if (type.integer == RPC_RESPONSE && frame->list.n == 4) {
		return read_response(frame, message);
	}
	if (type.integer == RPC_NOTIFICATION && frame->list.n == 3) {
		return read_notification(frame, message);
	}
	return RPC_E_MALFORMED;
}

static int parser_scan(struct rpc_parser *parser, struct slice data, size_t *ret_len)
{
	int error;

	if (parser->scanner.offset == 0 && !frame_can_be_rpc(data)) {
		return RPC_E_MALFORMED;
	}
	error = pack_scan(&parser->scanner, &rpc_limits, data.data, data.len, ret_len);
	switch (error) {
	case PACK_E_MORE:
		return RPC_E_MORE;
	case PACK_E_MALFORMED:
		return RPC_E_MALFORMED;
	case PACK_E_TOO_DEEP:
	case PACK_E_TOO_LARGE:
		return RPC_E_TOO_LARGE;
	}
	return error;
}

static int parser_read(struct rpc_parser *parser, const void *data, struct rpc_message *message)
{
	struct pack_value frame;
	int error;

	error = pack_read(parser->reader, data, message->bytes, &frame);
	if (error) {
		return error == PACK_E_MALFORMED ? RPC_E_MALFORMED : error;
	}
	return read_frame(&frame, message);
}

int rpc_parse(struct rpc_parser *parser, const void *data, size_t len,
	      struct rpc_message *ret_message)
{
	struct rpc_message message = {0};
	int error;

	error = parser_scan(parser, (struct slice){data, len}, &message.bytes);
	if (error) {
		return error;
	}
	parser->scanner = (struct pack_scanner){0};

	error = parser_read(parser, data, &message);
	if (error) {
		rpc_forget(parser);
		return error;
	}
	*ret_message = message;
	return 0;
}

void rpc_forget(struct rpc_parser *parser)
{
	pack_forget(parser->reader);
}

void rpc_write_request(struct pack_writer *writer, uint32_t msgid, const char *method)
{
	pack_write_array(writer);
	pack_write_uint(writer, RPC_REQUEST);
	pack_write_uint(writer, msgid);
	pack_write_cstr(writer, method);
	pack_write_array(writer);
}

void rpc_write_request_end(struct pack_writer *writer)
{
	pack_write_end(writer);
	pack_write_end(writer);
}

void rpc_write_answer(struct pack_writer *writer, uint32_t msgid)
{
	pack_write_array(writer);
	pack_write_uint(writer, RPC_RESPONSE);
	pack_write_uint(writer, msgid);
	pack_write_nil(writer);
}

void rpc_write_answer_end(struct pack_writer *writer)
{
	pack_write_end(writer);
}

/*
 * Bytes of an error's "code: text". What does not fit is left off; a sentence is never that long.
 */
#define ERROR_TEXT_MAX 1024

void rpc_write_error(struct pack_writer *writer, uint32_t msgid, enum rpc_error_kind kind,
		     const char *code, const char *text)
{
	char sentence[ERROR_TEXT_MAX + 2];
	size_t len;
	int n;

	n = snprintf(sentence, sizeof(sentence), "%s: %s", code, text);
	assert(n >= 0);
	len = n <= ERROR_TEXT_MAX ? (size_t)n : utf8_cut(sentence, ERROR_TEXT_MAX);

	pack_write_array(writer);
	pack_write_uint(writer, RPC_RESPONSE);
	pack_write_uint(writer, msgid);
	pack_write_array(writer);
	pack_write_uint(writer, kind);
	pack_write_text(writer, (struct slice){sentence, len});
	pack_write_end(writer);
	pack_write_nil(writer);
	pack_write_end(writer);
}

/*
 * An integer that is not negative, in any of its forms: 00 to 7f, cc to cf (uint8 to uint64), d0
 * to d3 (int8 to int64). By hand, because a refused frame never reaches the reader.
 */
static bool peek_uint(struct slice *data, uint64_t *ret_number)
{
	const uint8_t *at = (const uint8_t *)data->data;
	uint64_t number = 0;
	size_t width;

	if (data->len == 0) {
		return false;
	}
	if (at[0] < 0x80) {
		width = 0;
		number = at[0];
	} else if (at[0] >= 0xcc && at[0] <= 0xd3) {
		width = (size_t)1 << (at[0] & 3);
	} else {
		return false;
	}
	if (data->len < 1 + width || (at[0] >= 0xd0 && at[1] >= 0x80)) {
		return false;
	}
	for (size_t i = 1; i <= width; i++) {
		number = number << 8 | at[i];
	}
	*data = (struct slice){data->data + 1 + width, data->len - 1 - width};
	*ret_number = number;
	return true;
}

/* Steps over the header of an array of four. */
static bool peek_frame(struct slice *data)
{
	for (size_t i = 0; i < ARRAY_LEN(array_headers); i++) {
		struct slice header = array_headers[i];
		char count = header.len == 0 ? '\x94' : '\x04';

		if (data->len > header.len && memcmp(data->data, header.data, header.len) == 0 &&
		    data->data[header.len] == count) {
			*data = (struct slice){data->data + header.len + 1,
					       data->len - header.len - 1};
			return true;
		}
	}
	return false;
}

bool rpc_peek_msgid(const void *data, size_t len, uint32_t *ret_msgid)
{
	struct slice rest = {data, len};
	uint64_t type, msgid;

	if (!peek_frame(&rest) || !peek_uint(&rest, &type) || type != RPC_REQUEST) {
		return false;
	}
	if (!peek_uint(&rest, &msgid) || msgid > UINT32_MAX) {
		return false;
	}
	*ret_msgid = (uint32_t)msgid;
	return true;
}
