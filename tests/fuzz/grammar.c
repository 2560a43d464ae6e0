/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/grammar.h"

#include <stdio.h>

#include "common/commands.h"
#include "common/rpc.h"
#include "daemon/work/token.h"

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/house.h"
#include "tests/support/random.h"

#define HEAD_LEN    2 /* of an input: who sends, and how it is cut */
#define REQUEST_MAX 4096
#define ITEMS_MAX   4
#define TEXTS_MAX   3

/**
 * struct grammar - what is being written
 * @who:    the input's first byte: which peer a message of number 0 comes from
 * @keeper: the name that the peer speaks for; NULL if it is no keeper
 */
struct grammar {
	uint64_t state;
	struct pack_writer *out;
	uint8_t who;
	const char *keeper;
};

static bool one_in(struct grammar *grammar, uint32_t n)
{
	return random_below(&grammar->state, n) == 0;
}

/* Values */

static void write_one_of(struct grammar *grammar, const char *const *texts, size_t n)
{
	pack_write_cstr(grammar->out, texts[random_below(&grammar->state, (uint32_t)n)]);
}

/* Numbers that lie about a bound of something. */
static void write_odd_number(struct grammar *grammar)
{
	static const int64_t numbers[] = {
		-1,
		0,
		1,
		2,
		127,
		128,
		1000,
		1001,
		UINT32_MAX,
		INT64_MAX,
		INT64_MIN,
		INSTANT_MAX,
		SPAN_MAX,
		INSTANT_MAX + 1,
		SPAN_MAX + 1,
		SPAN_DAY,
		180 * SPAN_DAY,
		SPAN_SECOND,
	};

	pack_write_int(grammar->out, numbers[random_below(&grammar->state, ARRAY_LEN(numbers))]);
}

static void write_odd(struct grammar *grammar)
{
	static const char *const texts[] = {
		"",        "\n",       "\xff",
		"a/b",     "@",        "@x",
		"x@",      "http://",  "https://x.example/p",
		"ftp://x", "\xc3\xa9", "a b",
		"-",       "zz",       "\xed\xa0\x80",
		"A",
	};

	switch (random_below(&grammar->state, 6)) {
	case 0:
		pack_write_nil(grammar->out);
		break;
	case 1:
		pack_write_bool(grammar->out, one_in(grammar, 2));
		break;
	case 2:
		pack_write_array(grammar->out);
		pack_write_end(grammar->out);
		break;
	case 3:
		pack_write_float(grammar->out, 1.5);
		break;
	case 4:
		write_one_of(grammar, texts, ARRAY_LEN(texts));
		break;
	default:
		write_odd_number(grammar);
	}
}

/* "g-3", "u3@contoso.example" */
static void write_name(struct grammar *grammar, const char *before, const char *behind, unsigned n)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "%s%u%s", before, random_below(&grammar->state, n),
		       behind);
	pack_write_cstr(grammar->out, text);
}

static void write_instant(struct grammar *grammar)
{
	int64_t days = (int64_t)random_below(&grammar->state, 200) - 40;

	pack_write_int(grammar->out, RIG_BEGIN + days * SPAN_DAY);
}

static void write_keeper(struct grammar *grammar)
{
	static const char *const keepers[] = {"crm", "mail", "wiki"};

	if (grammar->keeper && !one_in(grammar, 8)) {
		pack_write_cstr(grammar->out, grammar->keeper);
	} else {
		write_one_of(grammar, keepers, ARRAY_LEN(keepers));
	}
}

static void write_span(struct grammar *grammar)
{
	static const span_t units[] = {SPAN_SECOND, SPAN_DAY, SPAN_DAY, 10 * SPAN_DAY};
	int64_t n = 1 + random_below(&grammar->state, 60);

	pack_write_int(grammar->out, n * units[random_below(&grammar->state, ARRAY_LEN(units))]);
}

/* As the house gives them, mostly of what is owed there. */
static void write_token(struct grammar *grammar)
{
	const struct token token = {
		.uid = one_in(grammar, 4) ? 1 + random_below(&grammar->state, HOUSE_ACCOUNTS)
					  : 6 + random_below(&grammar->state, 2),
		.keeper = (uint8_t)(1 + random_below(&grammar->state, 2)),
		.generation = 1 + random_below(&grammar->state, 2),
	};
	struct pack_writer map;

	pack_writer_init(&map, 256);
	pack_write_map(&map);
	token_put(&map, "t", house_enter()->rig.engine->store, &token);
	pack_write_end(&map);
	assert(map.error == 0);
	pack_write_raw(grammar->out, (struct slice){map.data + 5, map.len - 5},
		       1); /* de 00 01 a1 t */
	pack_writer_done(&map);
}

static void write_texts(struct grammar *grammar, const char *const *texts, size_t n)
{
	uint32_t n_texts = random_below(&grammar->state, TEXTS_MAX + 1);

	pack_write_array(grammar->out);
	for (uint32_t i = 0; i < n_texts; i++) {
		write_one_of(grammar, texts, n);
	}
	pack_write_end(grammar->out);
}

static void write_items(struct grammar *grammar, enum argument_type list);

#define ONE_OF(...)                                                                                \
	do {                                                                                       \
		static const char *const texts_[] = {__VA_ARGS__};                                 \
		write_one_of(grammar, texts_, ARRAY_LEN(texts_));                                  \
	} while (0)

static void write_value(struct grammar *grammar, enum argument_type type)
{
	static const char *const orgs[] = {"contoso", "fabrikam", "Contoso", "nowhere"};
	static const char *const groups[] = {"a", "b", "c"};

	switch (type) {
	case ARGUMENT_TYPE_ORG:
		write_one_of(grammar, orgs, ARRAY_LEN(orgs));
		break;
	case ARGUMENT_TYPE_ID:
		write_name(grammar, "g-", "", HOUSE_ACCOUNTS + 4);
		break;
	case ARGUMENT_TYPE_ADDRESS:
		if (one_in(grammar, 2)) {
			write_name(grammar, "p", "@home.example", 5);
		} else {
			write_name(grammar, "u", "@contoso.example", HOUSE_ACCOUNTS + 2);
		}
		break;
	case ARGUMENT_TYPE_NAME:
		ONE_OF("", "Jane \xc3\xa9", "P 1");
		break;
	case ARGUMENT_TYPE_CONTACT:
		ONE_OF("", "p@x.example", "https://x.example/");
		break;
	case ARGUMENT_TYPE_URL:
		ONE_OF("", "https://x.example/privacy");
		break;
	case ARGUMENT_TYPE_REASON:
	case ARGUMENT_TYPE_REF:
	case ARGUMENT_TYPE_NOTE:
	case ARGUMENT_TYPE_REQUEST_ID:
		ONE_OF("r-1", "r-2");
		break;
	case ARGUMENT_TYPE_KEEPER:
		write_keeper(grammar);
		break;
	case ARGUMENT_TYPE_HOLD:
		ONE_OF("case-1", "case-2");
		break;
	case ARGUMENT_TYPE_GROUND:
		ONE_OF("hgb-257");
		break;
	case ARGUMENT_TYPE_TOKEN:
		write_token(grammar);
		break;
	case ARGUMENT_TYPE_RESULT:
		ONE_OF("erased", "nothing-found", "retained", "waived");
		break;
	case ARGUMENT_TYPE_KIND:
		ONE_OF("member", "b2b-collaboration", "b2b-direct-connect");
		break;
	case ARGUMENT_TYPE_STATE:
		ONE_OF("active", "soft-deleted", "removing", "removed");
		break;
	case ARGUMENT_TYPE_BUCKET:
		ONE_OF("hour", "day", "week");
		break;
	case ARGUMENT_TYPE_BOOL:
		pack_write_bool(grammar->out, one_in(grammar, 2));
		break;
	case ARGUMENT_TYPE_WINDOW:
	case ARGUMENT_TYPE_REMOVAL:
	case ARGUMENT_TYPE_SPAN:
		write_span(grammar);
		break;
	case ARGUMENT_TYPE_INSTANT:
		write_instant(grammar);
		break;
	case ARGUMENT_TYPE_UID:
	case ARGUMENT_TYPE_SEQ:
	case ARGUMENT_TYPE_LIMIT:
		pack_write_uint(grammar->out,
				1 + random_below(&grammar->state, one_in(grammar, 2) ? 3 : 40));
		break;
	case ARGUMENT_TYPE_CURSOR:
		pack_write_bin(grammar->out, SLICE_LITERAL("\0\0\0\0\0\0\0\3"));
		break;
	case ARGUMENT_TYPE_TEXTS:
		write_texts(grammar, groups, ARRAY_LEN(groups));
		break;
	case ARGUMENT_TYPE_ORGS:
		write_texts(grammar, orgs, ARRAY_LEN(orgs));
		break;
	case ARGUMENT_TYPE_ACCOUNTS:
	case ARGUMENT_TYPE_IMPORTS:
	case ARGUMENT_TYPE_CONFIRMATIONS:
	case ARGUMENT_TYPE_FAILURES:
	case ARGUMENT_TYPE_LEASES:
	case ARGUMENT_TYPE_REQUESTS:
		write_items(grammar, type);
		break;
	case _ARGUMENT_TYPE_MAX:
		break;
	}
}

static void write_argument(struct grammar *grammar, const struct argument *argument)
{
	pack_write_cstr(grammar->out, argument->name);
	if (one_in(grammar, 24)) {
		write_odd(grammar);
	} else {
		write_value(grammar, argument->type);
	}
}

/* Of the ways to name an account one is taken; what else is optional comes now and then. */
static bool is_wanted(struct grammar *grammar, const char *name, uint32_t way, bool required)
{
	if (strcmp(name, "uid") == 0) {
		return way == 0;
	}
	if (strcmp(name, "id") == 0) {
		return required || way == 1;
	}
	if (strcmp(name, "person") == 0) {
		return required || way == 2;
	}
	if (strcmp(name, "org") == 0) {
		return required || way > 0;
	}
	return required || one_in(grammar, 3);
}

static void write_items(struct grammar *grammar, enum argument_type list)
{
	uint32_t n = 1 + random_below(&grammar->state, ITEMS_MAX);

	pack_write_array(grammar->out);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t way = random_below(&grammar->state, 3);

		pack_write_map(grammar->out);
		for (enum field_symbol field = 0; field < _FIELD_MAX; field++) {
			if (field_belongs(field, list) &&
			    is_wanted(grammar, field_table[field].name, way,
				      field_required(field, list))) {
				write_argument(grammar, &field_table[field]);
			}
		}
		pack_write_end(grammar->out);
	}
	pack_write_end(grammar->out);
}

/* Requests */

/* Mostly one that may. */
static uint32_t pick_peer(struct grammar *grammar, const struct command *command)
{
	if (command->role == ROLE_KEEPER && !one_in(grammar, 8)) {
		bool crm = one_in(grammar, 2);

		grammar->keeper = crm ? "crm" : "mail";
		return crm ? HOUSE_CRM : HOUSE_MAIL;
	}
	return one_in(grammar, 4) ? random_below(&grammar->state, HOUSE_PEERS) : HOUSE_ROOT;
}

static void write_request(struct grammar *grammar)
{
	const struct command *command = &command_table[random_below(&grammar->state, _COMMAND_MAX)];
	uint32_t way = random_below(&grammar->state, 4);
	uint32_t peer = pick_peer(grammar, command);

	rpc_write_request(grammar->out,
			  (peer + HOUSE_PEERS - grammar->who % HOUSE_PEERS) % HOUSE_PEERS,
			  command->method);
	pack_write_map(grammar->out);
	for (size_t i = 0; i < command->n_arguments; i++) {
		const struct command_argument *row = &command->arguments[i];

		if (is_wanted(grammar, argument_table[row->symbol].name, way, row->required)) {
			write_argument(grammar, &argument_table[row->symbol]);
		}
	}
	pack_write_end(grammar->out);
	rpc_write_request_end(grammar->out);
}

/* Inputs */

/* Where a whole message ends that begins at the front; the end of all, if none does. */
static size_t message_len(const uint8_t *data, size_t len)
{
	static const struct pack_limits limits = {RPC_FRAME_LARGE_MAX, RPC_OBJECTS_MAX,
						  RPC_DEPTH_MAX};
	struct pack_scanner scanner = {0};
	size_t message;

	return pack_scan(&scanner, &limits, data, len, &message) == 0 ? message : len;
}

/* A message that is there, any as likely as the others; @ret_len is 0 if there is none. */
static size_t pick_message(struct grammar *grammar, const uint8_t *data, size_t len,
			   size_t *ret_len)
{
	size_t picked = HEAD_LEN;
	uint32_t n = 0;

	*ret_len = 0;
	for (size_t at = HEAD_LEN; at < len; n++) {
		size_t message = message_len(data + at, len - at);

		if (one_in(grammar, n + 1)) {
			picked = at;
			*ret_len = message;
		}
		at += message;
	}
	return picked;
}

/* Puts bytes in the place of @len_out others. */
static size_t splice(uint8_t *data, size_t len, size_t len_max, size_t at, size_t len_out,
		     struct slice in)
{
	if (len - len_out + in.len > len_max) {
		return len;
	}
	memmove(data + at + in.len, data + at + len_out, len - at - len_out);
	if (in.len > 0) {
		memcpy(data + at, in.data, in.len);
	}
	return len - len_out + in.len;
}

static size_t mutate_message(uint8_t *data, size_t len, size_t len_max, size_t at, size_t message)
{
	uint8_t bytes[REQUEST_MAX];
	size_t n = MIN(message, sizeof(bytes));

	memcpy(bytes, data + at, n);
	n = LLVMFuzzerMutate(bytes, n, sizeof(bytes));
	return splice(data, len, len_max, at, MIN(message, sizeof(bytes)),
		      (struct slice){(const char *)bytes, n});
}

static size_t insert_request(struct grammar *grammar, uint8_t *data, size_t len, size_t len_max,
			     size_t at, size_t len_out)
{
	struct pack_writer writer;

	pack_writer_init(&writer, REQUEST_MAX);
	grammar->out = &writer;
	write_request(grammar);
	if (writer.error == 0) {
		len = splice(data, len, len_max, at, len_out,
			     (struct slice){writer.data, writer.len});
	}
	pack_writer_done(&writer);
	return len;
}

static size_t move_to_end(uint8_t *data, size_t len, size_t at, size_t message)
{
	uint8_t bytes[REQUEST_MAX];
	size_t n = MIN(message, sizeof(bytes));

	memcpy(bytes, data + at, n);
	memmove(data + at, data + at + n, len - at - n);
	memcpy(data + len - n, bytes, n);
	return len;
}

size_t grammar_mutate(uint8_t *data, size_t len, size_t len_max, unsigned seed)
{
	struct grammar grammar = {.state = seed, .who = len > 0 ? data[0] : 0};
	size_t at, message;

	if (len < HEAD_LEN || len_max < HEAD_LEN + 1) {
		return LLVMFuzzerMutate(data, len, len_max);
	}
	at = pick_message(&grammar, data, len, &message);
	switch (random_below(&grammar.state, 8)) {
	case 0:
		return LLVMFuzzerMutate(data, len, len_max);
	case 1:
		return mutate_message(data, len, len_max, at, message);
	case 2:
		return splice(data, len, len_max, at, message, (struct slice){0});
	case 3:
		return move_to_end(data, len, at, message);
	case 4:
		return insert_request(&grammar, data, len, len_max, at, message);
	case 5:
		return insert_request(&grammar, data, len, len_max, at, 0);
	default:
		return insert_request(&grammar, data, len, len_max, len, 0);
	}
}
