/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/work/token.h"

#include <criterion/criterion.h>

#include "common/commands.h"

#include "tests/support/storeroom.h"

static struct storeroom room;
static struct pack_writer out;

static void set_up(void)
{
	storeroom_open(&room, STOREROOM_MAP_BYTES);
	pack_writer_init(&out, 1024);
}

static void tear_down(void)
{
	pack_writer_done(&out);
	storeroom_close(&room);
}

TestSuite(token, .init = set_up, .fini = tear_down);

/* The text of a token, in the writer: behind the key "t" and a header of two bytes. */
static struct slice text_of(const struct storeroom *from, const struct token *token)
{
	static const size_t header = 2 + 2;

	pack_writer_reset(&out);
	token_put(&out, "t", from->store, token);
	cr_assert_eq(out.error, 0);
	cr_assert_gt(out.len, header);
	return (struct slice){out.data + header, out.len - header};
}

static const struct token samples[] = {
	{1, 1, 1},
	{INT64_MAX, 64, UINT32_MAX},
	{0x0123456789abcdef, 7, 0x01020304},
};

Test(token, what_was_put_is_read)
{
	for (size_t i = 0; i < ARRAY_LEN(samples); ++i) {
		struct token read;

		cr_assert(token_read(room.store, text_of(&room, &samples[i]), &read));
		cr_assert_eq(read.uid, samples[i].uid);
		cr_assert_eq(read.keeper, samples[i].keeper);
		cr_assert_eq(read.generation, samples[i].generation);
	}
}

Test(token, its_text_fits_the_argument)
{
	cr_assert_leq(text_of(&room, &samples[1]).len, ARGUMENT_TOKEN_LEN_MAX);
}

Test(token, every_single_bit_matters)
{
	struct slice text = text_of(&room, &samples[2]);
	char bytes[ARGUMENT_TOKEN_LEN_MAX];
	struct token read;

	for (size_t bit = 0; bit < 8 * text.len; ++bit) {
		memcpy(bytes, text.data, text.len);
		bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
		cr_assert_not(token_read(room.store, (struct slice){bytes, text.len}, &read));
	}
}

Test(token, no_other_length_is_one)
{
	struct slice text = text_of(&room, &samples[0]);
	char bytes[ARGUMENT_TOKEN_LEN_MAX + 1];
	struct token read;

	memset(bytes, '0', sizeof(bytes));
	memcpy(bytes, text.data, text.len);
	for (size_t len = 0; len <= sizeof(bytes); ++len) {
		cr_assert_eq(token_read(room.store, (struct slice){bytes, len}, &read),
			     len == text.len);
	}
}

Test(token, another_store_never_gave_it)
{
	struct storeroom other;
	struct token read;

	storeroom_open(&other, STOREROOM_MAP_BYTES);
	cr_assert_not(token_read(room.store, text_of(&other, &samples[0]), &read));
	storeroom_close(&other);
}

Test(token, it_outlives_a_restart)
{
	char bytes[ARGUMENT_TOKEN_LEN_MAX];
	struct slice text = text_of(&room, &samples[0]);
	struct token read;

	memcpy(bytes, text.data, text.len);
	storeroom_reopen(&room);
	cr_assert(token_read(room.store, (struct slice){bytes, text.len}, &read));
}
