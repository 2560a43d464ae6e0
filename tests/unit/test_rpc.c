/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc.h"

#include <criterion/criterion.h>

#include "tests/golden/wire/hostile.h"

/* What a peer's bytes came to. */
struct heard {
	unsigned n_requests;
	unsigned n_responses;
	unsigned n_notifications;
	int end; /* 0: after a whole message; or what rpc_parse() said last */
};

static void heard_count(struct heard *heard, enum rpc_type type)
{
	switch (type) {
	case RPC_REQUEST:
		heard->n_requests++;
		break;
	case RPC_RESPONSE:
		heard->n_responses++;
		break;
	case RPC_NOTIFICATION:
		heard->n_notifications++;
		break;
	}
}

/* One call on a copy that ends where the bytes do, so that a sanitizer sees what is read beyond. */
static int parse_copy(struct rpc_parser *parser, struct slice bytes,
		      struct rpc_message *ret_message)
{
	char *copy = malloc(bytes.len);
	int error;

	memcpy(copy, bytes.data, bytes.len);
	error = rpc_parse(parser, copy, bytes.len, ret_message);
	free(copy);
	return error;
}

/* A conversation: bytes that come @step at a time to a connection that drops what it has read. */
static struct heard hear(struct slice bytes, size_t step)
{
	struct heard heard = {.end = RPC_E_MORE};
	struct rpc_parser *parser = NULL;
	size_t begin = 0;
	size_t end = 0;

	cr_assert_eq(rpc_parser_new(&parser), 0);
	while (end < bytes.len && (heard.end == 0 || heard.end == RPC_E_MORE)) {
		end = MIN(end + step, bytes.len);
		do {
			struct slice unread = {bytes.data + begin, end - begin};
			struct rpc_message message;

			heard.end = parse_copy(parser, unread, &message);
			if (heard.end == 0) {
				cr_assert_leq(message.bytes, unread.len);
				heard_count(&heard, message.type);
				begin += message.bytes;
			}
		} while (heard.end == 0 && begin < end);
	}
	rpc_parser_free(parser);
	return heard;
}

/* One message, parsed in place; what it points to lives until the next call. */
static int parse(struct slice bytes, struct rpc_message *ret_message)
{
	static struct rpc_parser *parser;

	parser = rpc_parser_free(parser);
	cr_assert_eq(rpc_parser_new(&parser), 0);
	return rpc_parse(parser, bytes.data, bytes.len, ret_message);
}

#define EXPECT_PARSE(expected, literal)                                                            \
	do {                                                                                       \
		struct heard heard_ = hear(SLICE_LITERAL(literal), SIZE_MAX / 2);                  \
		cr_assert_eq(heard_.end, expected, "%d", heard_.end);                              \
	} while (0)

Test(rpc, a_request_is_heard)
{
	static const char bytes[] = "\x94\x00\x07\xadorganize.this\x91\x81\xa1k\x01";
	struct pack_value arguments, value;
	struct rpc_message message;

	cr_assert_eq(parse(SLICE_LITERAL(bytes), &message), 0);
	cr_assert_eq(message.type, RPC_REQUEST);
	cr_assert_eq(message.msgid, 7);
	cr_assert(slice_is(message.method, "organize.this"));
	cr_assert_eq(message.params.type, PACK_ARRAY);
	cr_assert_eq(message.params.list.n, 1);
	arguments = pack_array_at(&message.params, 0);
	cr_assert(pack_map_get(&arguments, "k", &value));
	cr_assert_eq(value.integer, 1);
	cr_assert_eq(message.bytes, sizeof(bytes) - 1);
}

Test(rpc, a_response_is_heard)
{
	struct rpc_message message;

	cr_assert_eq(parse(SLICE_LITERAL("\x94\x01\xce\xff\xff\xff\xff\xa1"
					 "e\xa1r"),
			   &message),
		     0);
	cr_assert_eq(message.type, RPC_RESPONSE);
	cr_assert_eq(message.msgid, UINT32_MAX);
	cr_assert(slice_is(message.error.text, "e"));
	cr_assert(slice_is(message.result.text, "r"));
}

Test(rpc, a_notification_is_heard)
{
	struct rpc_message message;

	cr_assert_eq(parse(SLICE_LITERAL("\x93\x02\xa1x\x91\xc0"), &message), 0);
	cr_assert_eq(message.type, RPC_NOTIFICATION);
	cr_assert(slice_is(message.method, "x"));
	cr_assert_eq(message.params.list.n, 1);
}

Test(rpc, longer_forms_than_needed_are_heard)
{
	EXPECT_PARSE(0, "\xdc\x00\x04\xcc\x00\xcf\0\0\0\0\0\0\0\x01\xd9\x01x\xdc\x00\x00");
	EXPECT_PARSE(
		0, "\xdd\x00\x00\x00\x04\xd0\x00\xd3\0\0\0\0\0\0\0\x01\xdb\0\0\0\x01x\xdd\0\0\0\0");
	EXPECT_PARSE(0, "\xdc\x00\x03\x02\xa1x\x90");
}

Test(rpc, a_method_is_str_or_bin_of_any_bytes)
{
	EXPECT_PARSE(0, "\x94\x00\x01\xc4\x01x\x90");
	EXPECT_PARSE(0, "\x94\x00\x01\xa0\x90");
	EXPECT_PARSE(0, "\x94\x00\x01\xa3x\0y\x90");
	EXPECT_PARSE(0, "\x94\x00\x01\xa2\xc3\x28\x90");
	EXPECT_PARSE(RPC_E_MALFORMED, "\x94\x00\x01\x05\x90");
	EXPECT_PARSE(RPC_E_MALFORMED, "\x94\x00\x01\xc0\x90");
	EXPECT_PARSE(RPC_E_MALFORMED, "\x94\x00\x01\xd4\x01x\x90");
	EXPECT_PARSE(RPC_E_MALFORMED, "\x93\x02\x05\x90");
}

Test(rpc, a_method_has_at_most_64_bytes)
{
	char bytes[4 + 1 + RPC_METHOD_LEN_MAX + 2] = "\x94\x00\x01\xd9";
	size_t len = 5 + RPC_METHOD_LEN_MAX;

	memset(bytes + 5, 'x', sizeof(bytes) - 5);
	bytes[4] = RPC_METHOD_LEN_MAX;
	bytes[len] = '\x90';
	cr_assert_eq(hear((struct slice){bytes, len + 1}, len + 1).n_requests, 1);

	bytes[4] = RPC_METHOD_LEN_MAX + 1;
	bytes[len] = 'x';
	bytes[len + 1] = '\x90';
	cr_assert_eq(hear((struct slice){bytes, len + 2}, len + 2).end, RPC_E_MALFORMED);
}

Test(rpc, a_msgid_is_0_to_2_32_minus_1)
{
	EXPECT_PARSE(0, "\x94\x00\x00\xa1x\x90");
	EXPECT_PARSE(0, "\x94\x00\xce\xff\xff\xff\xff\xa1x\x90");
	EXPECT_PARSE(RPC_E_MALFORMED, "\x94\x00\xcf\0\0\0\x01\0\0\0\0\xa1x\x90");
	EXPECT_PARSE(RPC_E_MALFORMED, "\x94\x00\xcf\xff\xff\xff\xff\xff\xff\xff\xff\xa1x\x90");
	EXPECT_PARSE(RPC_E_MALFORMED, "\x94\x00\xff\xa1x\x90");
	EXPECT_PARSE(RPC_E_MALFORMED, "\x94\x00\xa1i\xa1x\x90");
	EXPECT_PARSE(RPC_E_MALFORMED, "\x94\x00\xca\0\0\0\0\xa1x\x90");
	EXPECT_PARSE(RPC_E_MALFORMED, "\x94\x01\xff\xc0\xc0");
}

Test(rpc, a_message_has_the_type_and_the_length_of_its_kind)
{
	EXPECT_PARSE(RPC_E_MALFORMED, "\x94\x03\x01\xa1x\x90");
	EXPECT_PARSE(RPC_E_MALFORMED, "\x94\xff\x01\xa1x\x90");
	EXPECT_PARSE(RPC_E_MALFORMED, "\x94\xc2\x01\xa1x\x90");
	EXPECT_PARSE(RPC_E_MALFORMED, "\x94\xa1\x00\x01\xa1x\x90");
	EXPECT_PARSE(RPC_E_MALFORMED, "\x93\x00\x01\xa1x");
	EXPECT_PARSE(RPC_E_MALFORMED, "\x93\x01\x01\xc0");
	EXPECT_PARSE(RPC_E_MALFORMED, "\x94\x02\xa1x\x90\xc0");
}

Test(rpc, params_are_an_array)
{
	EXPECT_PARSE(RPC_E_MALFORMED, "\x94\x00\x01\xa1x\x80");
	EXPECT_PARSE(RPC_E_MALFORMED, "\x94\x00\x01\xa1x\xc0");
	EXPECT_PARSE(RPC_E_MALFORMED, "\x94\x00\x01\xa1x\xa1x");
	EXPECT_PARSE(RPC_E_MALFORMED, "\x93\x02\xa1x\x80");
}

Test(rpc, what_cannot_begin_a_message_is_refused_at_its_first_bytes)
{
	for (unsigned byte = 0; byte < 256; byte++) {
		char first = (char)byte;
		bool begins = byte == 0x93 || byte == 0x94 || byte == 0xdc || byte == 0xdd;
		struct heard heard = hear((struct slice){&first, 1}, 1);

		cr_assert_eq(heard.end, begins ? RPC_E_MORE : RPC_E_MALFORMED, "%#x: %d", byte,
			     heard.end);
	}
	EXPECT_PARSE(RPC_E_MALFORMED, "GET / HTTP/1.1\r\n");
	EXPECT_PARSE(RPC_E_MALFORMED, "\xdc\x01");
	EXPECT_PARSE(RPC_E_MALFORMED, "\xdc\x00\x05");
	EXPECT_PARSE(RPC_E_MALFORMED, "\xdc\x00\x94");
	EXPECT_PARSE(RPC_E_MALFORMED, "\xdd\x00\x01");
	EXPECT_PARSE(RPC_E_MALFORMED, "\xdd\x00\x00\x00\x02");
	EXPECT_PARSE(RPC_E_MORE, "\xdc");
	EXPECT_PARSE(RPC_E_MORE, "\xdd\x00\x00");
	EXPECT_PARSE(RPC_E_MORE, "\xdd\x00\x00\x00\x03");
}

Test(rpc, a_message_that_breaks_a_limit_is_too_large)
{
	EXPECT_PARSE(RPC_E_TOO_LARGE, "\x94\x00\x01\xa1x\x91\xdb\x00\x10\x00\x00");
	EXPECT_PARSE(RPC_E_TOO_LARGE, "\x94\x00\x01\xa1x\xdd\x00\x02\x80\x00");
	EXPECT_PARSE(RPC_E_TOO_LARGE, "\x94\x00\x01\xa1x\x91\x91\x91\x91\x91\x91\x91\x91");
	EXPECT_PARSE(0, "\x94\x00\x01\xa1x\x91\x91\x91\x91\x91\x91\x90");
	EXPECT_PARSE(RPC_E_MALFORMED, "\x94\x00\x01\xa1x\x91\xc1");
}

Test(rpc, a_frame_of_exactly_one_mebibyte_is_heard_and_one_byte_more_is_not)
{
	static const char start[] = "\x94\x00\x01\xa1x\x91\xc6";
	size_t start_len = sizeof(start) - 1;
	size_t len = RPC_FRAME_LARGE_MAX;
	char *bytes = calloc(1, len);

	memcpy(bytes, start, start_len);
	store_be32(bytes + start_len, (uint32_t)(len - start_len - 4));
	cr_assert_eq(hear((struct slice){bytes, len}, 64 * 1024).n_requests, 1);
	store_be32(bytes + start_len, (uint32_t)(len - start_len - 4 + 1));
	cr_assert_eq(hear((struct slice){bytes, start_len + 4}, 1).end, RPC_E_TOO_LARGE);
	free(bytes);
}

Test(rpc, a_conversation_is_heard_however_it_is_cut)
{
	static const char bytes[] =
		"\x94\x00\x01\xaeretention.info\x90"
		"\x94\x00\xcd\x01\x00\xad"
		"account.leave\x91\x81\xa8"
		"accounts\x91\x82\xa3org\xa7"
		"contoso\xa2id\xa3"
		"a-1"
		"\x93\x02\xa5hello\x90"
		"\x94\x01\x05\xc0\xc0"
		"\xdd\x00\x00\x00\x04\x00\xce\x00\x01\x00\x00\xc4\x01x\xdc\x00\x00";
	struct slice all = SLICE_LITERAL(bytes);

	for (size_t step = 1; step <= all.len; step++) {
		struct heard heard = hear(all, step);

		cr_assert_eq(heard.end, 0, "%zu bytes at a time", step);
		cr_assert_eq(heard.n_requests, 3, "%zu bytes at a time", step);
		cr_assert_eq(heard.n_responses, 1, "%zu bytes at a time", step);
		cr_assert_eq(heard.n_notifications, 1, "%zu bytes at a time", step);
	}
}

Test(rpc, a_conversation_in_two_parts_is_heard_at_every_cut)
{
	static const char bytes[] =
		"\x94\x00\x01\xa1x\x91\x81\xa1k\xcd\x01\x00\x94\x00\x02\xa1y\x90";
	struct rpc_parser *parser = NULL;

	cr_assert_eq(rpc_parser_new(&parser), 0);
	for (size_t cut = 1; cut < sizeof(bytes) - 1; cut++) {
		struct rpc_message message;
		size_t first = 12;
		int error = parse_copy(parser, (struct slice){bytes, cut}, &message);

		if (cut < first) {
			cr_assert_eq(error, RPC_E_MORE, "%zu", cut);
			cr_assert_eq(rpc_parse(parser, bytes, sizeof(bytes) - 1, &message), 0);
		} else {
			cr_assert_eq(error, 0, "%zu", cut);
		}
		cr_assert_eq(message.msgid, 1);
		cr_assert_eq(message.bytes, first);
		cr_assert_eq(rpc_parse(parser, bytes + first, sizeof(bytes) - 1 - first, &message),
			     0);
		cr_assert_eq(message.msgid, 2);
	}
	rpc_parser_free(parser);
}

Test(rpc, a_refusal_sets_nothing)
{
	struct rpc_message message = {.msgid = 42};

	cr_assert_eq(parse(SLICE_LITERAL("\x94\x00\x01\xa1x\x80"), &message), RPC_E_MALFORMED);
	cr_assert_eq(message.msgid, 42);
	cr_assert_eq(parse(SLICE_LITERAL("\x94\x00"), &message), RPC_E_MORE);
	cr_assert_eq(message.msgid, 42);
}

/* --- hostile bytes --- */

static size_t hex_decode(const char *hex, uint8_t *bytes)
{
	size_t n = hex ? strlen(hex) / 2 : 0;

	for (size_t i = 0; i < n; i++) {
		const char pair[] = {hex[2 * i], hex[2 * i + 1], '\0'};

		bytes[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return n;
}

/* The bytes of a vector behind those of @before; the caller frees them. */
static struct slice hostile_bytes(const struct hostile *hostile, struct slice before)
{
	size_t tail_len = hostile->tail_hex ? strlen(hostile->tail_hex) / 2 : 0;
	uint8_t *bytes =
		malloc(before.len + strlen(hostile->hex) / 2 + hostile->n_repeat + tail_len);
	size_t len = before.len;

	memcpy(bytes, before.data, before.len);
	len += hex_decode(hostile->hex, bytes + len);
	memset(bytes + len, hostile->repeat, hostile->n_repeat);
	len += hostile->n_repeat;
	len += hex_decode(hostile->tail_hex, bytes + len);
	return (struct slice){(char *)bytes, len};
}

static bool heard_is_refusal(struct heard heard)
{
	return heard.end == RPC_E_MALFORMED || heard.end == RPC_E_TOO_LARGE;
}

static bool heard_is(struct heard heard, unsigned n_requests, unsigned n_others)
{
	return heard.end == 0 && heard.n_requests == n_requests &&
	       heard.n_responses + heard.n_notifications == n_others;
}

static bool heard_as_expected(struct heard heard, enum hostile_expect expect)
{
	switch (expect) {
	case HOSTILE_BOMB:
	case HOSTILE_REFUSED:
	case HOSTILE_VALUE:
		return heard_is_refusal(heard) && heard.n_requests == 0;
	case HOSTILE_ANSWERED:
		return heard_is(heard, 1, 0);
	case HOSTILE_ANSWERED_TWICE:
		return heard_is(heard, 2, 0);
	case HOSTILE_IGNORED:
		return heard_is(heard, 0, 1);
	}
	return false;
}

/* Long ones come in large pieces: every cut of them would take hours and show nothing new. */
static size_t smallest_step(struct slice bytes)
{
	return bytes.len <= 256 ? 1 : bytes.len / 16;
}

Test(rpc, hostile_bytes_are_refused_or_heard_however_they_are_cut)
{
	for (size_t i = 0; i < ARRAY_LEN(hostile_vectors); i++) {
		const struct hostile *hostile = &hostile_vectors[i];
		struct slice bytes = hostile_bytes(hostile, SLICE_LITERAL(""));
		struct heard whole = hear(bytes, bytes.len);
		struct heard cut = hear(bytes, smallest_step(bytes));

		cr_assert(heard_as_expected(whole, hostile->expect), "%s: %d", hostile->name,
			  whole.end);
		cr_assert(heard_as_expected(cut, hostile->expect), "%s: %d", hostile->name,
			  cut.end);
		free((void *)bytes.data);
	}
}

Test(rpc, hostile_bytes_among_params_are_refused_if_they_claim_too_much_and_heard_if_not)
{
	for (size_t i = 0; i < ARRAY_LEN(hostile_vectors); i++) {
		const struct hostile *hostile = &hostile_vectors[i];
		struct slice bytes = hostile_bytes(hostile, SLICE_LITERAL("\x94\x00\x01\xa1x\x91"));
		struct heard heard = hear(bytes, smallest_step(bytes));

		if (hostile->expect == HOSTILE_BOMB) {
			cr_assert(heard_is_refusal(heard), "%s: %d", hostile->name, heard.end);
			cr_assert_eq(heard.n_requests, 0, "%s", hostile->name);
		}
		if (hostile->expect == HOSTILE_VALUE) {
			cr_assert(heard_is(heard, 1, 0), "%s: %d", hostile->name, heard.end);
		}
		free((void *)bytes.data);
	}
}

/* --- what is written --- */

static void expect_bytes(const struct pack_writer *writer, const void *bytes, size_t len)
{
	cr_assert_eq(writer->error, 0, "%d", writer->error);
	cr_assert_eq(writer->len, len, "%zu", writer->len);
	cr_assert_eq(memcmp(writer->data, bytes, len), 0);
}

#define EXPECT_BYTES(writer, literal) expect_bytes(writer, literal, sizeof(literal) - 1)

Test(rpc, a_request_has_these_bytes)
{
	struct rpc_message message;
	struct pack_writer writer;

	pack_writer_init(&writer, 1024);
	rpc_write_request(&writer, 7, "account.get");
	pack_write_map(&writer);
	pack_put_cstr(&writer, "org", "contoso");
	pack_put_cstr(&writer, "id", "a-1");
	pack_write_end(&writer);
	rpc_write_request_end(&writer);

	EXPECT_BYTES(&writer, "\xdc\x00\x04\x00\x07\xab"
			      "account.get\xdc\x00\x01\xde\x00\x02\xa3org\xa7"
			      "contoso\xa2id\xa3"
			      "a-1");
	cr_assert_eq(parse((struct slice){writer.data, writer.len}, &message), 0);
	cr_assert_eq(message.type, RPC_REQUEST);
	cr_assert_eq(message.msgid, 7);
	cr_assert_eq(message.bytes, writer.len);
	pack_writer_done(&writer);
}

Test(rpc, an_answer_has_these_bytes)
{
	struct rpc_message message;
	struct pack_writer writer;

	pack_writer_init(&writer, 1024);
	rpc_write_answer(&writer, 256);
	pack_write_map(&writer);
	pack_put_bool(&writer, "paused", false);
	pack_write_end(&writer);
	rpc_write_answer_end(&writer);

	EXPECT_BYTES(&writer, "\xdc\x00\x04\x01\xcd\x01\x00\xc0\xde\x00\x01\xa6paused\xc2");
	cr_assert_eq(parse((struct slice){writer.data, writer.len}, &message), 0);
	cr_assert_eq(message.type, RPC_RESPONSE);
	cr_assert_eq(message.msgid, 256);
	cr_assert_eq(message.error.type, PACK_NIL);
	cr_assert_eq(message.result.type, PACK_MAP);
	pack_writer_done(&writer);
}

Test(rpc, an_answer_with_containers_in_it_has_these_bytes)
{
	struct pack_writer writer;

	pack_writer_init(&writer, 1024);
	rpc_write_answer(&writer, 0);
	pack_write_map(&writer);
	pack_put_array(&writer, "items");
	pack_write_map(&writer);
	pack_put_cstr(&writer, "outcome", "ok");
	pack_put_array(&writer, "reasons");
	pack_write_end(&writer);
	pack_put_int(&writer, "window_ends_us", INT64_C(1774958400000000));
	pack_write_end(&writer);
	pack_write_end(&writer);
	pack_write_end(&writer);
	rpc_write_answer_end(&writer);

	EXPECT_BYTES(&writer,
		     "\xdc\x00\x04\x01\x00\xc0\xde\x00\x01\xa5items\xdc\x00\x01\xde\x00\x03"
		     "\xa7outcome\xa2ok\xa7reasons\xdc\x00\x00\xaewindow_ends_us"
		     "\xcf\x00\x06\x4e\x50\xb4\xec\x50\x00");
	pack_writer_done(&writer);
}

Test(rpc, an_error_has_these_bytes)
{
	struct rpc_message message;
	struct pack_value kind, text;
	struct pack_writer writer;

	pack_writer_init(&writer, 1024);
	rpc_write_error(&writer, 7, RPC_ERROR_WRONG, "unknown-method", "no such method");

	EXPECT_BYTES(&writer,
		     "\xdc\x00\x04\x01\x07\xdc\x00\x02\x01\xbeunknown-method: no such method"
		     "\xc0");
	cr_assert_eq(parse((struct slice){writer.data, writer.len}, &message), 0);
	cr_assert_eq(message.type, RPC_RESPONSE);
	kind = pack_array_at(&message.error, 0);
	text = pack_array_at(&message.error, 1);
	cr_assert_eq(kind.integer, RPC_ERROR_WRONG);
	cr_assert(slice_is(text.text, "unknown-method: no such method"));
	cr_assert_eq(message.result.type, PACK_NIL);
	pack_writer_done(&writer);
}

Test(rpc, a_long_error_is_cut_between_characters)
{
	char text[3000];

	for (size_t pad = 0; pad < 3; pad++) {
		struct pack_writer writer;
		struct rpc_message message;
		struct slice said;

		memset(text, 'a', pad);
		for (size_t i = pad; i + 3 < sizeof(text); i += 3) {
			memcpy(text + i, "\xe2\x82\xac", 4);
		}
		pack_writer_init(&writer, 4096);
		rpc_write_error(&writer, 1, RPC_ERROR_FAILED, "busy", text);
		cr_assert_eq(parse((struct slice){writer.data, writer.len}, &message), 0);
		said = pack_array_at(&message.error, 1).text;
		cr_assert_gt(said.len, 1000);
		cr_assert_eq((said.len - strlen("busy: ") - pad) % 3, 0, "%zu", said.len);
		pack_writer_done(&writer);
	}
}

Test(rpc, an_error_that_fits_exactly_is_not_cut)
{
	for (size_t len = 1015; len <= 1025; len++) {
		char text[1100] = {0};
		struct pack_writer writer;
		struct rpc_message message;

		memset(text, 'a', len - strlen("busy: "));
		pack_writer_init(&writer, 4096);
		rpc_write_error(&writer, 1, RPC_ERROR_FAILED, "busy", text);
		cr_assert_eq(parse((struct slice){writer.data, writer.len}, &message), 0);
		cr_assert_eq(pack_array_at(&message.error, 1).text.len, MIN(len, 1024), "%zu", len);
		pack_writer_done(&writer);
	}
}

/* --- refused frames --- */

static bool peek(struct slice bytes, uint32_t *ret_msgid)
{
	char *copy = malloc(bytes.len);
	bool found;

	memcpy(copy, bytes.data, bytes.len);
	found = rpc_peek_msgid(copy, bytes.len, ret_msgid);
	free(copy);
	return found;
}

Test(rpc, the_msgid_of_a_refused_request_is_found_in_every_form)
{
	static const struct {
		struct slice bytes;
		uint32_t msgid;
	} frames[] = {
		{SLICE_LITERAL("\x94\x00\x07"), 7},
		{SLICE_LITERAL("\x94\x00\x7f\xdb\xff\xff\xff\xff"), 127},
		{SLICE_LITERAL("\x94\x00\xcc\xff"), 255},
		{SLICE_LITERAL("\x94\x00\xcd\xff\xff"), 65535},
		{SLICE_LITERAL("\x94\x00\xce\xff\xff\xff\xff"), UINT32_MAX},
		{SLICE_LITERAL("\x94\x00\xcf\0\0\0\0\xff\xff\xff\xff"), UINT32_MAX},
		{SLICE_LITERAL("\x94\x00\xd0\x7f"), 127},
		{SLICE_LITERAL("\x94\x00\xd1\x7f\xff"), 32767},
		{SLICE_LITERAL("\x94\x00\xd2\x7f\xff\xff\xff"), INT32_MAX},
		{SLICE_LITERAL("\x94\x00\xd3\0\0\0\0\x80\0\0\0"), UINT32_C(0x80000000)},
		{SLICE_LITERAL("\xdc\x00\x04\xcc\x00\x07"), 7},
		{SLICE_LITERAL("\xdd\x00\x00\x00\x04\xd3\0\0\0\0\0\0\0\0\x07"), 7},
	};

	for (size_t i = 0; i < ARRAY_LEN(frames); i++) {
		uint32_t msgid = 0;

		cr_assert(peek(frames[i].bytes, &msgid), "%zu", i);
		cr_assert_eq(msgid, frames[i].msgid, "%zu", i);
	}
}

Test(rpc, no_msgid_is_found_where_none_is_or_not_all_of_it_has_come)
{
	static const struct slice frames[] = {
		SLICE_LITERAL("\x94"),
		SLICE_LITERAL("\x94\x00"),
		SLICE_LITERAL("\x94\x00\xce\xff\xff\xff"),
		SLICE_LITERAL("\x94\x00\xcd\xff"),
		SLICE_LITERAL("\x94\x01\x07"),
		SLICE_LITERAL("\x94\x02\x07"),
		SLICE_LITERAL("\x94\x00\xff"),
		SLICE_LITERAL("\x94\x00\xd0\xff"),
		SLICE_LITERAL("\x94\x00\xd3\xff\xff\xff\xff\xff\xff\xff\xff"),
		SLICE_LITERAL("\x94\x00\xcf\0\0\0\x01\0\0\0\0"),
		SLICE_LITERAL("\x94\x00\xc0"),
		SLICE_LITERAL("\x94\x00\xcb\0\0\0\0\0\0\0\0"),
		SLICE_LITERAL("\x94\x00\xd4\x01\x01"),
		SLICE_LITERAL("\x94\xc0\x07"),
		SLICE_LITERAL("\x93\x00\x07"),
		SLICE_LITERAL("\x04\x00\x07"),
		SLICE_LITERAL("\xdc\x00"),
		SLICE_LITERAL("\xdc\x00\x03\x00\x07"),
		SLICE_LITERAL("\xdd\x00\x00\x00"),
	};
	uint32_t msgid = 42;

	for (size_t i = 0; i < ARRAY_LEN(frames); i++) {
		cr_assert_not(peek(frames[i], &msgid), "%zu", i);
		cr_assert_eq(msgid, 42, "%zu", i);
	}
	cr_assert_not(rpc_peek_msgid(NULL, 0, &msgid));
}
