/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/values.h"

#include <sodium.h>
#include <stdio.h>

#include "daemon/store/prove.h"
#include "daemon/work/token.h"

#include "tests/fuzz/house.h"
#include "tests/support/random.h"

#define WORDS_MAX 4 /* of one type */
#define TEXTS_MAX 3 /* in a list */

/* What most values are: a word that the house knows, or could. */
/* clang-format off */
static const char *const words[_ARGUMENT_TYPE_MAX][WORDS_MAX] = {
	[ARGUMENT_TYPE_ORG]        = {"contoso", "fabrikam", "Contoso", "nowhere"},
	[ARGUMENT_TYPE_NAME]       = {"", "Jane \xc3\xa9", "P 1"},
	[ARGUMENT_TYPE_CONTACT]    = {"", "p@x.example", "https://x.example/"},
	[ARGUMENT_TYPE_URL]        = {"", "https://x.example/privacy"},
	[ARGUMENT_TYPE_REASON]     = {"r-1", "r-2"},
	[ARGUMENT_TYPE_REF]        = {"r-1", "r-2"},
	[ARGUMENT_TYPE_NOTE]       = {"r-1", "r-2"},
	[ARGUMENT_TYPE_REQUEST_ID] = {"r-1", "r-2"},
	[ARGUMENT_TYPE_KEEPER]     = {"crm", "mail", "wiki"},
	[ARGUMENT_TYPE_HOLD]       = {"case-1", "case-2"},
	[ARGUMENT_TYPE_GROUND]     = {"hgb-257"},
	[ARGUMENT_TYPE_RESULT]     = {"erased", "nothing-found", "retained", "waived"},
	[ARGUMENT_TYPE_KIND]       = {"member", "b2b-collaboration", "b2b-direct-connect"},
	[ARGUMENT_TYPE_STATE]      = {"active", "soft-deleted", "removing", "removed"},
	[ARGUMENT_TYPE_BUCKET]     = {"hour", "day", "week"},
	[ARGUMENT_TYPE_GUARD]      = {"mass", "clock"},
	[ARGUMENT_TYPE_TEXTS]      = {"a", "b", "c"},
	[ARGUMENT_TYPE_ORGS]       = {"contoso", "fabrikam", "nowhere"},
};
/* clang-format on */

bool values_one_in(struct values *values, uint32_t n)
{
	return random_below(&values->state, n) == 0;
}

static void write_word(struct values *values, enum argument_type type)
{
	uint32_t n = 0;

	while (n < WORDS_MAX && words[type][n]) {
		n++;
	}
	if (type == ARGUMENT_TYPE_KEEPER && values->keeper && !values_one_in(values, 8)) {
		pack_write_cstr(values->out, values->keeper);
	} else {
		pack_write_cstr(values->out, words[type][random_below(&values->state, n)]);
	}
}

static void write_words(struct values *values, enum argument_type type)
{
	uint32_t n = random_below(&values->state, TEXTS_MAX + 1);

	pack_write_array(values->out);
	for (uint32_t i = 0; i < n; i++) {
		write_word(values, type);
	}
	pack_write_end(values->out);
}

/* "g-3", "u3@contoso.example" */
static void write_numbered(struct values *values, const char *before, const char *behind,
			   uint32_t n)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "%s%u%s", before, random_below(&values->state, n),
		       behind);
	pack_write_cstr(values->out, text);
}

static void write_id(struct values *values)
{
	write_numbered(values, "g-", "", HOUSE_ACCOUNTS + 4);
}

static void write_address(struct values *values)
{
	if (values_one_in(values, 2)) {
		write_numbered(values, "p", "@home.example", 5);
	} else {
		write_numbered(values, "u", "@contoso.example", HOUSE_ACCOUNTS + 2);
	}
}

/* As the house gives them, mostly of what is owed there. */
static void write_token(struct values *values)
{
	const struct token token = {
		.uid = values_one_in(values, 4) ? 1 + random_below(&values->state, HOUSE_ACCOUNTS)
						: 6 + random_below(&values->state, 2),
		.keeper = (uint8_t)(1 + random_below(&values->state, 2)),
		.generation = 1 + random_below(&values->state, 2),
	};
	struct pack_writer map;
	size_t before = sizeof("\xde\0\1\xa1t") - 1; /* a map of one, and its key */

	pack_writer_init(&map, 256);
	pack_write_map(&map);
	token_put(&map, "t", house_enter()->rig.engine->store, &token);
	pack_write_end(&map);
	assert(map.error == 0);
	pack_write_raw(values->out, (struct slice){map.data + before, map.len - before}, 1);
	pack_writer_done(&map);
}

static void write_bool(struct values *values)
{
	pack_write_bool(values->out, values_one_in(values, 2));
}

static void write_span(struct values *values)
{
	static const span_t units[] = {SPAN_SECOND, SPAN_DAY, SPAN_DAY, 10 * SPAN_DAY};
	int64_t n = 1 + random_below(&values->state, 60);

	pack_write_int(values->out, n * units[random_below(&values->state, ARRAY_LEN(units))]);
}

static void write_instant(struct values *values)
{
	int64_t days = (int64_t)random_below(&values->state, 200) - 40;

	pack_write_int(values->out, RIG_BEGIN + days * SPAN_DAY);
}

static void write_number(struct values *values)
{
	pack_write_uint(values->out,
			1 + random_below(&values->state, values_one_in(values, 2) ? 3 : 40));
}

/* Of store.verify: part, index and length of a key in front of it, most of it zeros. */
static void write_place(struct values *values)
{
	uint8_t bytes[3 + 32] = {(uint8_t)random_below(&values->state, _STORE_PART_MAX),
				 (uint8_t)random_below(&values->state, 4),
				 (uint8_t)(8 * random_below(&values->state, 5))};
	char text[2 * sizeof(bytes) + 1];

	bytes[10] = (uint8_t)random_below(&values->state, HOUSE_ACCOUNTS + 2);
	pack_write_cstr(values->out, sodium_bin2hex(text, sizeof(text), bytes, sizeof(bytes)));
}

static void write_cursor(struct values *values)
{
	if (values_one_in(values, 2)) {
		write_place(values);
	} else {
		pack_write_bin(values->out, SLICE_LITERAL("\0\0\0\0\0\0\0\3"));
	}
}

/* What is no word. */
/* clang-format off */
static void (*const writers[_ARGUMENT_TYPE_MAX])(struct values *values) = {
	[ARGUMENT_TYPE_ID]      = write_id,
	[ARGUMENT_TYPE_ADDRESS] = write_address,
	[ARGUMENT_TYPE_TOKEN]   = write_token,
	[ARGUMENT_TYPE_BOOL]    = write_bool,
	[ARGUMENT_TYPE_WINDOW]  = write_span,
	[ARGUMENT_TYPE_REMOVAL] = write_span,
	[ARGUMENT_TYPE_SPAN]    = write_span,
	[ARGUMENT_TYPE_INSTANT] = write_instant,
	[ARGUMENT_TYPE_CURSOR]  = write_cursor,
	[ARGUMENT_TYPE_UID]     = write_number,
	[ARGUMENT_TYPE_SEQ]     = write_number,
	[ARGUMENT_TYPE_COUNT]   = write_number,
	[ARGUMENT_TYPE_LIMIT]   = write_number,
	[ARGUMENT_TYPE_GUARD_MIN]     = write_number,
	[ARGUMENT_TYPE_GUARD_PERCENT] = write_number,
};
/* clang-format on */

/* Numbers that lie about a bound of something. */
static void write_odd_number(struct values *values)
{
	/* clang-format off */
	static const int64_t numbers[] = {
		-1, 0, 1, 2, 127, 128, 1000, 1001, UINT32_MAX, INT64_MAX, INT64_MIN, INSTANT_MAX,
		INSTANT_MAX + 1, SPAN_MAX, SPAN_MAX + 1, SPAN_SECOND, SPAN_DAY, 180 * SPAN_DAY,
	};
	/* clang-format on */

	pack_write_int(values->out, numbers[random_below(&values->state, ARRAY_LEN(numbers))]);
}

static void write_odd_text(struct values *values)
{
	/* clang-format off */
	static const char *const texts[] = {
		"", "\n", "\xff", "a/b", "@", "@x", "x@", "http://", "https://x.example/p", "ftp://x",
		"\xc3\xa9", "a b", "-", "zz", "\xed\xa0\x80", "A",
	};
	/* clang-format on */

	pack_write_cstr(values->out, texts[random_below(&values->state, ARRAY_LEN(texts))]);
}

static void write_odd(struct values *values)
{
	switch (random_below(&values->state, 6)) {
	case 0:
		pack_write_nil(values->out);
		break;
	case 1:
		write_bool(values);
		break;
	case 2:
		pack_write_array(values->out);
		pack_write_end(values->out);
		break;
	case 3:
		pack_write_float(values->out, 1.5);
		break;
	case 4:
		write_odd_text(values);
		break;
	case 5:
		write_odd_number(values);
		break;
	}
}

void values_write(struct values *values, enum argument_type type)
{
	if (values_one_in(values, 24)) {
		write_odd(values);
	} else if (type == ARGUMENT_TYPE_TEXTS || type == ARGUMENT_TYPE_ORGS) {
		write_words(values, type);
	} else if (words[type][0]) {
		write_word(values, type);
	} else if (writers[type]) {
		writers[type](values);
	} else {
		write_number(values); /* in the place of a list */
	}
}

void values_prove(void)
{
	for (enum argument_type type = 0; type < _ARGUMENT_TYPE_MAX; type++) {
		bool written = words[type][0] || writers[type];

		assert(written == !argument_is_list(type));
	}
}
