/* SPDX-License-Identifier: Apache-2.0 */
#include "common/pack.h"

#include <criterion/criterion.h>
#include <math.h>

static const struct pack_limits wide = {
	.bytes_max = 1024 * 1024,
	.objects_max = 100000,
	.depth_max = PACK_DEPTH_MAX,
};

/* A whole scan of a copy that ends where the bytes do, so that a sanitizer sees what is read beyond. */
static int scan(const struct pack_limits *limits, const void *bytes, size_t len, size_t *ret_len)
{
	struct pack_scanner scanner = {0};
	char *copy = malloc(len + 1);
	char *begin = copy + 1; /* not aligned, as in a buffer that others stand before */
	int error;

	memcpy(begin, bytes, len);
	error = pack_scan(&scanner, limits, begin, len, ret_len);
	free(copy);
	return error;
}

#define EXPECT_SCAN(limits, expected, literal)                                                     \
	do {                                                                                       \
		size_t len_ = 0;                                                                   \
		int error_ = scan(limits, literal, sizeof(literal) - 1, &len_);                    \
		cr_assert_eq(error_, expected, "%d", error_);                                      \
	} while (0)

/*
 * Bytes that hold one value: the scanner finds its end at the last byte, asks for more at every byte
 * before it, whether it begins anew or goes on, and never takes a byte of what follows.
 */
static void expect_one_value(const void *bytes, size_t len)
{
	struct pack_scanner resumed = {0};
	char *more = malloc(len + 1);
	size_t found = 0;
	int error;

	for (size_t n = 0; n < len; n++) {
		error = scan(&wide, bytes, n, &found);
		cr_assert_eq(error, PACK_E_MORE, "cut at %zu of %zu: %d", n, len, error);
		error = pack_scan(&resumed, &wide, bytes, n, &found);
		cr_assert_eq(error, PACK_E_MORE, "resumed at %zu of %zu: %d", n, len, error);
	}
	error = pack_scan(&resumed, &wide, bytes, len, &found);
	cr_assert_eq(error, 0, "%d", error);
	cr_assert_eq(found, len);

	memcpy(more, bytes, len);
	more[len] = '\xc1';
	found = 0;
	cr_assert_eq(scan(&wide, more, len + 1, &found), 0);
	cr_assert_eq(found, len);
	free(more);
}

/* What was written, scanned and read. The reader lives as long as the test. */
static struct pack_value read_back(const struct pack_writer *writer)
{
	static struct pack_reader *reader;
	struct pack_value value;

	if (!reader) {
		cr_assert_eq(pack_reader_new(&reader), 0);
	}
	cr_assert_eq(writer->error, 0, "%d", writer->error);
	cr_assert_eq(writer->depth, 0);
	expect_one_value(writer->data, writer->len);
	cr_assert_eq(pack_read(reader, writer->data, writer->len, &value), 0);
	return value;
}

static void expect_bytes(const struct pack_writer *writer, const void *bytes, size_t len)
{
	cr_assert_eq(writer->len, len, "%zu", writer->len);
	cr_assert_eq(memcmp(writer->data, bytes, len), 0);
}

#define EXPECT_BYTES(writer, literal) expect_bytes(writer, literal, sizeof(literal) - 1)

/* --- scanner --- */

Test(pack_scanner, every_format_is_walked_and_every_cut_asks_for_more)
{
	static const struct slice values[] = {
		SLICE_LITERAL("\x00"),
		SLICE_LITERAL("\x7f"),
		SLICE_LITERAL("\x80"),
		SLICE_LITERAL("\x81\xa1k\x01"),
		SLICE_LITERAL("\x90"),
		SLICE_LITERAL("\x92\x01\x02"),
		SLICE_LITERAL("\xa0"),
		SLICE_LITERAL("\xa3"
			      "abc"),
		SLICE_LITERAL("\xbf"
			      "0123456789012345678901234567890"),
		SLICE_LITERAL("\xc0"),
		SLICE_LITERAL("\xc2"),
		SLICE_LITERAL("\xc3"),
		SLICE_LITERAL("\xc4\x00"),
		SLICE_LITERAL("\xc4\x02ok"),
		SLICE_LITERAL("\xc5\x00\x02ok"),
		SLICE_LITERAL("\xc6\x00\x00\x00\x02ok"),
		SLICE_LITERAL("\xc7\x00\x01"),
		SLICE_LITERAL("\xc7\x02\x01ok"),
		SLICE_LITERAL("\xc8\x00\x02\x01ok"),
		SLICE_LITERAL("\xc9\x00\x00\x00\x02\x01ok"),
		SLICE_LITERAL("\xca\x00\x00\x00\x00"),
		SLICE_LITERAL("\xcb\x00\x00\x00\x00\x00\x00\x00\x00"),
		SLICE_LITERAL("\xcc\x01"),
		SLICE_LITERAL("\xcd\x00\x01"),
		SLICE_LITERAL("\xce\x00\x00\x00\x01"),
		SLICE_LITERAL("\xcf\x00\x00\x00\x00\x00\x00\x00\x01"),
		SLICE_LITERAL("\xd0\x01"),
		SLICE_LITERAL("\xd1\x00\x01"),
		SLICE_LITERAL("\xd2\x00\x00\x00\x01"),
		SLICE_LITERAL("\xd3\x00\x00\x00\x00\x00\x00\x00\x01"),
		SLICE_LITERAL("\xd4\x01x"),
		SLICE_LITERAL("\xd5\x01xx"),
		SLICE_LITERAL("\xd6\x01xxxx"),
		SLICE_LITERAL("\xd7\x01xxxxxxxx"),
		SLICE_LITERAL("\xd8\x01xxxxxxxxxxxxxxxx"),
		SLICE_LITERAL("\xd9\x02ok"),
		SLICE_LITERAL("\xda\x00\x02ok"),
		SLICE_LITERAL("\xdb\x00\x00\x00\x02ok"),
		SLICE_LITERAL("\xdc\x00\x00"),
		SLICE_LITERAL("\xdc\x00\x02\x01\x02"),
		SLICE_LITERAL("\xdd\x00\x00\x00\x02\x01\x02"),
		SLICE_LITERAL("\xde\x00\x01\xa1k\x01"),
		SLICE_LITERAL("\xdf\x00\x00\x00\x01\xa1k\x01"),
		SLICE_LITERAL("\xe0"),
		SLICE_LITERAL("\xff"),
		SLICE_LITERAL("\x93\x91\x91\x01\x80\x82\xa1"
			      "a\x90\xa1"
			      "b\xc4\x01x"),
	};
	struct pack_reader *reader = NULL;

	cr_assert_eq(pack_reader_new(&reader), 0);
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		struct pack_value value;

		expect_one_value(values[i].data, values[i].len);
		cr_assert_eq(pack_read(reader, values[i].data, values[i].len, &value), 0, "%zu", i);
	}
	pack_reader_free(reader);
}

Test(pack_scanner, the_reserved_byte_is_malformed_wherever_a_value_is_due)
{
	EXPECT_SCAN(&wide, PACK_E_MALFORMED, "\xc1");
	EXPECT_SCAN(&wide, PACK_E_MALFORMED, "\x91\xc1");
	EXPECT_SCAN(&wide, PACK_E_MALFORMED, "\x82\xa1k\xc1");
	EXPECT_SCAN(&wide, 0, "\xa1\xc1");
}

Test(pack_scanner, a_claim_over_the_limits_is_refused_before_anything_of_it_has_come)
{
	EXPECT_SCAN(&wide, PACK_E_TOO_LARGE, "\xdb\xff\xff\xff\xff");
	EXPECT_SCAN(&wide, PACK_E_TOO_LARGE, "\xc6\xff\xff\xff\xff");
	EXPECT_SCAN(&wide, PACK_E_TOO_LARGE, "\xc9\xff\xff\xff\xff");
	EXPECT_SCAN(&wide, PACK_E_TOO_LARGE, "\xdd\xff\xff\xff\xff");
	EXPECT_SCAN(&wide, PACK_E_TOO_LARGE, "\xdf\xff\xff\xff\xff");
	EXPECT_SCAN(&wide, PACK_E_TOO_LARGE, "\x91\xdd\xff\xff\xff\xff");
}

Test(pack_scanner, a_message_of_exactly_the_byte_limit_is_accepted_and_one_more_is_refused)
{
	static const struct pack_limits tight = {.bytes_max = 4, .objects_max = 9, .depth_max = 2};

	EXPECT_SCAN(&tight, 0,
		    "\xa3"
		    "abc");
	EXPECT_SCAN(&tight, PACK_E_TOO_LARGE, "\xa4");
	EXPECT_SCAN(&tight, 0, "\x93\x01\x02\x03");
	EXPECT_SCAN(&tight, PACK_E_TOO_LARGE, "\x94");
	EXPECT_SCAN(&tight, 0, "\x81\xa1k\x01");
	EXPECT_SCAN(&tight, PACK_E_TOO_LARGE, "\x82");
	EXPECT_SCAN(&tight, PACK_E_MORE, "\xcd");
	EXPECT_SCAN(&tight, PACK_E_TOO_LARGE, "\xce");
	EXPECT_SCAN(&tight, PACK_E_TOO_LARGE, "\xdb");
}

Test(pack_scanner, what_open_containers_still_claim_is_part_of_the_sum)
{
	static const struct pack_limits tight = {.bytes_max = 8, .objects_max = 6, .depth_max = 4};

	EXPECT_SCAN(&tight, PACK_E_MORE, "\x92\x93");
	EXPECT_SCAN(&tight, PACK_E_TOO_LARGE, "\x92\x94");
	EXPECT_SCAN(&tight, PACK_E_MORE, "\x92\xa5");
	EXPECT_SCAN(&tight, PACK_E_TOO_LARGE, "\x92\xa6");
	EXPECT_SCAN(&tight, PACK_E_TOO_LARGE, "\x95\x91");
}

Test(pack_scanner, values_are_counted_with_keys_and_containers)
{
	static const struct pack_limits five = {.bytes_max = 99, .objects_max = 5, .depth_max = 4};

	EXPECT_SCAN(&five, 0, "\x94\x01\x02\x03\x04");
	EXPECT_SCAN(&five, PACK_E_TOO_LARGE, "\x95");
	EXPECT_SCAN(&five, 0, "\x82\xa1k\x01\xa1m\x02");
	EXPECT_SCAN(&five, PACK_E_TOO_LARGE, "\x83");
	EXPECT_SCAN(&five, 0, "\x92\x90\x92\x01\x02");
	EXPECT_SCAN(&five, PACK_E_TOO_LARGE, "\x92\x90\x93");
}

Test(pack_scanner, containers_are_as_deep_as_the_limit_and_no_deeper)
{
	static const struct pack_limits three = {
		.bytes_max = 99, .objects_max = 99, .depth_max = 3};
	static const struct pack_limits none = {.bytes_max = 99, .objects_max = 99};

	EXPECT_SCAN(&three, 0, "\x91\x91\x91\x01");
	EXPECT_SCAN(&three, 0, "\x91\x91\x90");
	EXPECT_SCAN(&three, 0, "\x93\x91\x90\x91\x90\x01");
	EXPECT_SCAN(&three, PACK_E_TOO_DEEP, "\x91\x91\x91\x91");
	EXPECT_SCAN(&three, PACK_E_TOO_DEEP, "\x91\x91\x91\x90");
	EXPECT_SCAN(&three, PACK_E_TOO_DEEP, "\x91\x91\x91\x80");
	EXPECT_SCAN(&three, PACK_E_TOO_DEEP, "\x91\x91\x91\xdd");
	EXPECT_SCAN(&none, 0, "\x01");
	EXPECT_SCAN(&none, PACK_E_TOO_DEEP, "\x90");
}

Test(pack_scanner, bytes_that_were_walked_are_not_walked_again)
{
	char bytes[] = "\x93\x01\x02\x03";
	struct pack_scanner scanner = {0};
	size_t len = 0;

	cr_assert_eq(pack_scan(&scanner, &wide, bytes, 3, &len), PACK_E_MORE);
	cr_assert_eq(scanner.offset, 3);
	memset(bytes, '\xc1', 3);
	cr_assert_eq(pack_scan(&scanner, &wide, bytes, 4, &len), 0);
	cr_assert_eq(len, 4);
}

Test(pack_scanner, no_bytes_ask_for_more)
{
	struct pack_scanner scanner = {0};
	size_t len = 7;

	cr_assert_eq(pack_scan(&scanner, &wide, NULL, 0, &len), PACK_E_MORE);
	cr_assert_eq(len, 7);
}

/* --- writer and reader --- */

Test(pack, integers_take_the_shortest_form_and_come_back)
{
	static const struct {
		int64_t value;
		size_t len;
	} integers[] = {
		{0, 1},
		{127, 1},
		{128, 2},
		{255, 2},
		{256, 3},
		{65535, 3},
		{65536, 5},
		{INT64_C(4294967295), 5},
		{INT64_C(4294967296), 9},
		{INT64_MAX, 9},
		{-1, 1},
		{-32, 1},
		{-33, 2},
		{-128, 2},
		{-129, 3},
		{-32768, 3},
		{-32769, 5},
		{INT32_MIN, 5},
		{INT64_C(-2147483649), 9},
		{INT64_MIN, 9},
	};
	struct pack_writer writer;

	pack_writer_init(&writer, 64);
	for (size_t i = 0; i < ARRAY_LEN(integers); i++) {
		struct pack_value value;

		pack_writer_reset(&writer);
		pack_write_int(&writer, integers[i].value);
		cr_assert_eq(writer.len, integers[i].len, "%zu", i);
		value = read_back(&writer);
		cr_assert_eq(value.type, PACK_INT);
		cr_assert_eq(value.integer, integers[i].value);
		if (integers[i].value >= 0) {
			pack_writer_reset(&writer);
			pack_write_uint(&writer, (uint64_t)integers[i].value);
			cr_assert_eq(writer.len, integers[i].len, "%zu", i);
			value = read_back(&writer);
			cr_assert_eq(value.type, PACK_INT, "what fits int64_t is an int");
			cr_assert_eq(value.integer, integers[i].value);
		}
	}
	pack_writer_done(&writer);
}

Test(pack, only_what_exceeds_int64_is_a_uint)
{
	static const uint64_t integers[] = {(uint64_t)INT64_MAX + 1, UINT64_MAX};
	struct pack_writer writer;

	pack_writer_init(&writer, 64);
	for (size_t i = 0; i < ARRAY_LEN(integers); i++) {
		struct pack_value value;

		pack_writer_reset(&writer);
		pack_write_uint(&writer, integers[i]);
		value = read_back(&writer);
		cr_assert_eq(value.type, PACK_UINT);
		cr_assert_eq(value.uinteger, integers[i]);
	}
	pack_writer_done(&writer);
}

Test(pack, integers_in_longer_forms_than_needed_are_read)
{
	static const struct {
		struct slice bytes;
		int64_t value;
	} integers[] = {
		{SLICE_LITERAL("\xcf\0\0\0\0\0\0\0\x05"), 5},
		{SLICE_LITERAL("\xd3\0\0\0\0\0\0\0\x05"), 5},
		{SLICE_LITERAL("\xd0\x05"), 5},
		{SLICE_LITERAL("\xd3\xff\xff\xff\xff\xff\xff\xff\xff"), -1},
	};
	struct pack_reader *reader = NULL;

	cr_assert_eq(pack_reader_new(&reader), 0);
	for (size_t i = 0; i < ARRAY_LEN(integers); i++) {
		struct pack_value value;

		cr_assert_eq(pack_read(reader, integers[i].bytes.data, integers[i].bytes.len,
				       &value),
			     0);
		cr_assert_eq(value.type, PACK_INT);
		cr_assert_eq(value.integer, integers[i].value);
	}
	pack_reader_free(reader);
}

Test(pack, nil_and_booleans_come_back)
{
	struct pack_writer writer;
	struct pack_value value;

	pack_writer_init(&writer, 64);
	pack_write_nil(&writer);
	EXPECT_BYTES(&writer, "\xc0");
	cr_assert_eq(read_back(&writer).type, PACK_NIL);

	pack_writer_reset(&writer);
	pack_write_bool(&writer, true);
	EXPECT_BYTES(&writer, "\xc3");
	value = read_back(&writer);
	cr_assert_eq(value.type, PACK_BOOL);
	cr_assert(value.boolean);

	pack_writer_reset(&writer);
	pack_write_bool(&writer, false);
	EXPECT_BYTES(&writer, "\xc2");
	value = read_back(&writer);
	cr_assert_eq(value.type, PACK_BOOL);
	cr_assert_not(value.boolean);
	pack_writer_done(&writer);
}

Test(pack, floats_come_back_in_both_widths)
{
	static const double reals[] = {0.0, -1.5, 1e300, 9223372036854775808.0};
	struct pack_reader *reader = NULL;
	struct pack_writer writer;
	struct pack_value value;

	pack_writer_init(&writer, 64);
	for (size_t i = 0; i < ARRAY_LEN(reals); i++) {
		pack_writer_reset(&writer);
		pack_write_float(&writer, reals[i]);
		value = read_back(&writer);
		cr_assert_eq(value.type, PACK_FLOAT);
		cr_assert_eq(memcmp(&value.real, &reals[i], sizeof(double)), 0);
	}
	pack_writer_reset(&writer);
	pack_write_float(&writer, NAN);
	value = read_back(&writer);
	cr_assert_eq(value.type, PACK_FLOAT);
	cr_assert(isnan(value.real));
	pack_writer_done(&writer);

	cr_assert_eq(pack_reader_new(&reader), 0);
	cr_assert_eq(pack_read(reader, "\xca\x3f\xc0\0\0", 5, &value), 0);
	cr_assert_eq(value.type, PACK_FLOAT);
	cr_assert(value.real > 1.49 && value.real < 1.51);
	pack_reader_free(reader);
}

static void expect_text_back(size_t len, size_t header_len, bool bin)
{
	struct pack_writer writer;
	struct pack_value value;
	char *text = malloc(len + 1);

	memset(text, 'x', len);
	pack_writer_init(&writer, 128 * 1024);
	if (bin) {
		pack_write_bin(&writer, (struct slice){text, len});
	} else {
		pack_write_text(&writer, (struct slice){text, len});
	}
	cr_assert_eq(writer.len, header_len + len, "%zu", len);
	/* Every cut of the long ones would be quadratic: their ends are enough. */
	if (len < 300) {
		value = read_back(&writer);
	} else {
		size_t found = 0;
		static struct pack_reader *reader;

		cr_assert_eq(scan(&wide, writer.data, writer.len - 1, &found), PACK_E_MORE);
		cr_assert_eq(scan(&wide, writer.data, writer.len, &found), 0);
		cr_assert_eq(found, writer.len);
		if (!reader) {
			cr_assert_eq(pack_reader_new(&reader), 0);
		}
		cr_assert_eq(pack_read(reader, writer.data, writer.len, &value), 0);
	}
	cr_assert_eq(value.type, PACK_TEXT);
	cr_assert(slice_equal(value.text, (struct slice){text, len}));
	pack_writer_done(&writer);
	free(text);
}

Test(pack, texts_come_back_at_every_width)
{
	expect_text_back(0, 1, false);
	expect_text_back(31, 1, false);
	expect_text_back(32, 2, false);
	expect_text_back(255, 2, false);
	expect_text_back(256, 3, false);
	expect_text_back(65535, 3, false);
	expect_text_back(65536, 5, false);
}

Test(pack, bins_are_texts_at_every_width)
{
	expect_text_back(0, 2, true);
	expect_text_back(255, 2, true);
	expect_text_back(256, 3, true);
	expect_text_back(65535, 3, true);
	expect_text_back(65536, 5, true);
}

Test(pack, a_text_without_bytes_may_be_null)
{
	struct pack_writer writer;

	pack_writer_init(&writer, 64);
	pack_write_text(&writer, (struct slice){NULL, 0});
	EXPECT_BYTES(&writer, "\xa0");
	pack_writer_done(&writer);
}

Test(pack, extensions_have_their_type_before_their_body)
{
	static const struct slice exts[] = {
		SLICE_LITERAL("\xd4\x05x"),           SLICE_LITERAL("\xd8\x05xxxxxxxxxxxxxxxx"),
		SLICE_LITERAL("\xc7\x00\x05"),        SLICE_LITERAL("\xc7\x03\x05xyz"),
		SLICE_LITERAL("\xc8\x00\x03\x05xyz"), SLICE_LITERAL("\xc9\x00\x00\x00\x03\x05xyz"),
	};
	struct pack_reader *reader = NULL;

	cr_assert_eq(pack_reader_new(&reader), 0);
	for (size_t i = 0; i < ARRAY_LEN(exts); i++) {
		struct pack_value value;

		cr_assert_eq(pack_read(reader, exts[i].data, exts[i].len, &value), 0);
		cr_assert_eq(value.type, PACK_EXT);
		cr_assert_eq(value.text.data[0], 5);
		cr_assert_eq(value.text.data + value.text.len, exts[i].data + exts[i].len);
	}
	pack_reader_free(reader);
}

Test(pack, containers_have_their_counts_filled_in)
{
	struct pack_writer writer;

	pack_writer_init(&writer, 1024);
	pack_write_map(&writer);
	pack_put_int(&writer, "n", 7);
	pack_put_array(&writer, "list");
	pack_write_int(&writer, 1);
	pack_write_map(&writer);
	pack_write_end(&writer);
	pack_write_end(&writer);
	pack_put_map(&writer, "map");
	pack_put_bool(&writer, "b", true);
	pack_write_end(&writer);
	pack_write_end(&writer);

	EXPECT_BYTES(&writer, "\xde\x00\x03"
			      "\xa1n\x07"
			      "\xa4list\xdc\x00\x02\x01\xde\x00\x00"
			      "\xa3map\xde\x00\x01\xa1"
			      "b\xc3");
	pack_writer_done(&writer);
}

Test(pack, containers_come_back_with_what_is_in_them)
{
	struct pack_value map, list, key, value;
	struct pack_writer writer;

	pack_writer_init(&writer, 1024);
	pack_write_map(&writer);
	pack_put_cstr(&writer, "text", "t");
	pack_put_uint(&writer, "uint", UINT64_MAX);
	pack_put_text(&writer, "slice", SLICE_LITERAL("a\0b"));
	pack_put_array(&writer, "list");
	pack_write_int(&writer, -5);
	pack_write_nil(&writer);
	pack_write_end(&writer);
	pack_write_end(&writer);

	map = read_back(&writer);
	cr_assert_eq(map.type, PACK_MAP);
	cr_assert_eq(map.list.n, 4);
	pack_map_at(&map, 0, &key, &value);
	cr_assert(slice_is(key.text, "text"));
	cr_assert(slice_is(value.text, "t"));
	cr_assert(pack_map_get(&map, "uint", &value));
	cr_assert_eq(value.uinteger, UINT64_MAX);
	cr_assert(pack_map_get(&map, "slice", &value));
	cr_assert(slice_equal(value.text, SLICE_LITERAL("a\0b")));
	cr_assert(pack_map_get(&map, "list", &list));
	cr_assert_eq(list.type, PACK_ARRAY);
	cr_assert_eq(list.list.n, 2);
	cr_assert_eq(pack_array_at(&list, 0).integer, -5);
	cr_assert_eq(pack_array_at(&list, 1).type, PACK_NIL);
	pack_writer_done(&writer);
}

Test(pack, a_map_answers_its_first_text_key_and_no_other)
{
	/* {"a": 1, "a": 2, [..]: 3, bin "b": 4, "a\0": 5} */
	static const char bytes[] = "\x85\xa1"
				    "a\x01\xa1"
				    "a\x02\x91\xa1"
				    "c\x03\xc4\x01"
				    "b\x04\xa2"
				    "a\0\x05";
	struct pack_reader *reader = NULL;
	struct pack_value map, value = {.type = PACK_BOOL};

	cr_assert_eq(pack_reader_new(&reader), 0);
	cr_assert_eq(pack_read(reader, bytes, sizeof(bytes) - 1, &map), 0);
	cr_assert(pack_map_get(&map, "a", &value));
	cr_assert_eq(value.integer, 1);
	cr_assert(pack_map_get(&map, "b", &value));
	cr_assert_eq(value.integer, 4);
	value.type = PACK_BOOL;
	cr_assert_not(pack_map_get(&map, "c", &value));
	cr_assert_not(pack_map_get(&map, "", &value));
	cr_assert_eq(value.type, PACK_BOOL);
	pack_reader_free(reader);
}

Test(pack, a_read_value_is_written_as_it_was)
{
	static const char bytes[] = "\xdc\x00\x0b"
				    "\xc0\xc3\x05\xff\xcf\xff\xff\xff\xff\xff\xff\xff\xff"
				    "\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00\xa2ok"
				    "\xde\x00\x01\xa1k\xdc\x00\x00"
				    "\xd4\x05x\xc7\x03\xfbxyz\xc7\x00\x05";
	struct pack_reader *reader = NULL;
	struct pack_writer writer;
	struct pack_value value;

	expect_one_value(bytes, sizeof(bytes) - 1);
	cr_assert_eq(pack_reader_new(&reader), 0);
	cr_assert_eq(pack_read(reader, bytes, sizeof(bytes) - 1, &value), 0);
	pack_writer_init(&writer, 1024);
	pack_write_value(&writer, &value);
	cr_assert_eq(writer.error, 0);
	EXPECT_BYTES(&writer, bytes);
	pack_writer_done(&writer);
	pack_reader_free(reader);
}

Test(pack, packed_values_are_counted_as_their_writer_says)
{
	struct pack_writer writer;

	pack_writer_init(&writer, 1024);
	pack_write_map(&writer);
	pack_write_raw(&writer, SLICE_LITERAL("\xa1k\x01\xa1m\x02"), 4);
	pack_put_int(&writer, "n", 3);
	pack_write_end(&writer);
	EXPECT_BYTES(&writer, "\xde\x00\x03\xa1k\x01\xa1m\x02\xa1n\x03");
	pack_writer_done(&writer);
}

Test(pack, a_reader_is_used_again)
{
	struct pack_reader *reader = NULL;
	struct pack_value value;

	cr_assert_eq(pack_reader_new(&reader), 0);
	for (int i = 0; i < 1000; i++) {
		cr_assert_eq(pack_read(reader, "\x93\x01\x02\x91\x03", 5, &value), 0);
		cr_assert_eq(value.list.n, 3);
	}
	pack_reader_freep(&reader);
	cr_assert_null(reader);
	cr_assert_null(pack_reader_free(NULL));
}

Test(pack, bytes_that_are_not_exactly_one_value_are_not_read)
{
	struct pack_reader *reader = NULL;
	struct pack_value value = {.type = PACK_BOOL};

	cr_assert_eq(pack_reader_new(&reader), 0);
	cr_assert_eq(pack_read(reader, "\xc0\xc0", 2, &value), PACK_E_MALFORMED);
	cr_assert_eq(pack_read(reader, "\x92\xc0", 2, &value), PACK_E_MALFORMED);
	cr_assert_eq(pack_read(reader, "\xc1", 1, &value), PACK_E_MALFORMED);
	cr_assert_eq(pack_read(reader, "", 0, &value), PACK_E_MALFORMED);
	cr_assert_eq(value.type, PACK_BOOL);
	pack_reader_free(reader);
}

Test(pack_writer, the_limit_is_reached_exactly_and_not_passed)
{
	struct pack_writer writer;

	pack_writer_init(&writer, 4);
	cr_assert_null(writer.data, "nothing is allocated before something is written");
	pack_write_cstr(&writer, "abc");
	cr_assert_eq(writer.error, 0);
	EXPECT_BYTES(&writer, "\xa3"
			      "abc");
	pack_write_nil(&writer);
	cr_assert_eq(writer.error, PACK_E_TOO_LARGE);
	cr_assert_leq(writer.size, 4);
	pack_writer_done(&writer);
}

Test(pack_writer, an_error_stays_and_every_call_after_it_does_nothing)
{
	struct pack_writer writer;
	size_t len;

	pack_writer_init(&writer, 8);
	pack_write_array(&writer);
	pack_write_cstr(&writer, "too long for it");
	cr_assert_eq(writer.error, PACK_E_TOO_LARGE);
	len = writer.len;

	pack_write_nil(&writer);
	pack_write_array(&writer);
	pack_write_map(&writer);
	pack_put_int(&writer, "k", 1);
	pack_write_raw(&writer, SLICE_LITERAL("\xc0"), 1);
	pack_write_end(&writer);
	pack_write_end(&writer);
	pack_write_end(&writer);
	cr_assert_eq(writer.error, PACK_E_TOO_LARGE);
	cr_assert_eq(writer.len, len);
	pack_writer_done(&writer);
}

Test(pack_writer, reset_empties_it_and_clears_the_error)
{
	struct pack_writer writer;
	const char *data;

	pack_writer_init(&writer, 8);
	pack_write_array(&writer);
	pack_write_cstr(&writer, "too long for it");
	data = writer.data;
	pack_writer_reset(&writer);
	cr_assert_eq(writer.error, 0);
	cr_assert_eq(writer.len, 0);
	cr_assert_eq(writer.data, data, "memory is kept");
	pack_write_int(&writer, 1);
	EXPECT_BYTES(&writer, "\x01");
	pack_writer_done(&writer);
}

Test(pack_writer, half_an_answer_is_taken_back)
{
	struct pack_writer writer;
	size_t len;

	pack_writer_init(&writer, 12);
	pack_write_cstr(&writer, "kept");
	len = writer.len;
	pack_write_map(&writer);
	pack_put_cstr(&writer, "key", "too long for it");
	cr_assert_eq(writer.error, PACK_E_TOO_LARGE);

	pack_writer_cut(&writer, len);
	pack_write_array(&writer);
	pack_write_nil(&writer);
	pack_write_end(&writer);
	cr_assert_eq(writer.error, 0);
	EXPECT_BYTES(&writer, "\xa4kept\xdc\x00\x01\xc0");
	pack_writer_done(&writer);
}

Test(pack_writer, it_grows_to_its_limit_and_keeps_what_it_holds)
{
	struct pack_writer writer;

	pack_writer_init(&writer, 10000);
	for (int i = 0; i < 10000; i++) {
		pack_write_int(&writer, i % 100);
	}
	cr_assert_eq(writer.error, 0);
	cr_assert_eq(writer.len, 10000);
	cr_assert_leq(writer.size, 10000);
	for (int i = 0; i < 10000; i++) {
		cr_assert_eq(writer.data[i], i % 100);
	}
	pack_write_int(&writer, 1);
	cr_assert_eq(writer.error, PACK_E_TOO_LARGE);
	pack_writer_done(&writer);
}

static int write_containers(uint32_t n, bool map)
{
	struct pack_writer writer;
	int error;

	pack_writer_init(&writer, 1024 * 1024);
	if (map) {
		pack_write_map(&writer);
	} else {
		pack_write_array(&writer);
	}
	for (uint32_t i = 0; i < n; i++) {
		pack_write_nil(&writer);
	}
	pack_write_end(&writer);
	error = writer.error;
	pack_writer_done(&writer);
	return error;
}

Test(pack_writer, a_container_has_at_most_65535_entries)
{
	cr_assert_eq(write_containers(65535, false), 0);
	cr_assert_eq(write_containers(65536, false), PACK_E_TOO_LARGE);
	cr_assert_eq(write_containers(2 * 65535, true), 0);
	cr_assert_eq(write_containers(2 * 65536, true), PACK_E_TOO_LARGE);
}

Test(pack_writer, done_frees_and_init_makes_it_usable_again)
{
	struct pack_writer writer;

	pack_writer_init(&writer, 64);
	pack_write_nil(&writer);
	pack_writer_done(&writer);
	cr_assert_null(writer.data);
	pack_writer_done(&writer);
	pack_writer_init(&writer, 64);
	pack_write_nil(&writer);
	EXPECT_BYTES(&writer, "\xc0");
	pack_writer_done(&writer);
}
