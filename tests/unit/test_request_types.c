/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/support/params.h"

TestSuite(request_types, .init = params_init, .fini = params_done);

/* Every kind of value that a peer can send. */
enum sample {
	SAMPLE_NIL,
	SAMPLE_BOOL,
	SAMPLE_ZERO,
	SAMPLE_NEGATIVE,
	SAMPLE_LARGEST,
	SAMPLE_OVER_INT64,
	SAMPLE_FLOAT,
	SAMPLE_EMPTY_TEXT,
	SAMPLE_TEXT,
	SAMPLE_LONG_TEXT,
	SAMPLE_CONTROL_TEXT,
	SAMPLE_ARRAY,
	SAMPLE_ARRAY_OF_NUMBERS,
	SAMPLE_MAP,
	_SAMPLE_MAX
};

static void write_long_text(void)
{
	static char text[4096];

	memset(text, 'x', sizeof(text));
	pack_write_text(&params_writer, (struct slice){text, sizeof(text)});
}

static void write_sample(enum sample sample)
{
	switch (sample) {
	case SAMPLE_NIL:
		pack_write_nil(&params_writer);
		return;
	case SAMPLE_BOOL:
		pack_write_bool(&params_writer, true);
		return;
	case SAMPLE_ZERO:
		pack_write_int(&params_writer, 0);
		return;
	case SAMPLE_NEGATIVE:
		pack_write_int(&params_writer, -1);
		return;
	case SAMPLE_LARGEST:
		pack_write_int(&params_writer, INT64_MAX);
		return;
	case SAMPLE_OVER_INT64:
		pack_write_uint(&params_writer, UINT64_MAX);
		return;
	case SAMPLE_FLOAT:
		pack_write_float(&params_writer, 1.0);
		return;
	case SAMPLE_EMPTY_TEXT:
		pack_write_cstr(&params_writer, "");
		return;
	case SAMPLE_TEXT:
		pack_write_cstr(&params_writer, "text");
		return;
	case SAMPLE_LONG_TEXT:
		write_long_text();
		return;
	case SAMPLE_CONTROL_TEXT:
		pack_write_cstr(&params_writer, "a\nb");
		return;
	case SAMPLE_ARRAY:
		pack_write_array(&params_writer);
		pack_write_end(&params_writer);
		return;
	case SAMPLE_ARRAY_OF_NUMBERS:
		pack_write_array(&params_writer);
		pack_write_int(&params_writer, 1);
		pack_write_end(&params_writer);
		return;
	case SAMPLE_MAP:
		pack_write_map(&params_writer);
		pack_write_end(&params_writer);
		return;
	case _SAMPLE_MAX:
		break;
	}
	abort();
}

#define BIT(sample) (1U << (sample))

/* Which of the samples are right values of a type; all others are refused. */
/* clang-format off */
static const unsigned accepted[] = {
	[ARGUMENT_TYPE_ORG]        = BIT(SAMPLE_TEXT),
	[ARGUMENT_TYPE_ID]         = BIT(SAMPLE_TEXT),
	[ARGUMENT_TYPE_ADDRESS]    = 0,
	[ARGUMENT_TYPE_NAME]       = BIT(SAMPLE_EMPTY_TEXT) | BIT(SAMPLE_TEXT),
	[ARGUMENT_TYPE_CONTACT]    = BIT(SAMPLE_EMPTY_TEXT),
	[ARGUMENT_TYPE_URL]        = BIT(SAMPLE_EMPTY_TEXT),
	[ARGUMENT_TYPE_REASON]     = BIT(SAMPLE_TEXT),
	[ARGUMENT_TYPE_REF]        = BIT(SAMPLE_TEXT),
	[ARGUMENT_TYPE_REQUEST_ID] = BIT(SAMPLE_TEXT),
	[ARGUMENT_TYPE_KIND]       = 0,
	[ARGUMENT_TYPE_STATE]      = 0,
	[ARGUMENT_TYPE_BUCKET]     = 0,
	[ARGUMENT_TYPE_GUARD]      = 0,
	[ARGUMENT_TYPE_BOOL]       = BIT(SAMPLE_BOOL),
	[ARGUMENT_TYPE_WINDOW]     = 0,
	[ARGUMENT_TYPE_REMOVAL]    = 0,
	[ARGUMENT_TYPE_GUARD_MIN]  = 0,
	[ARGUMENT_TYPE_GUARD_PERCENT] = 0,
	[ARGUMENT_TYPE_SPAN]       = BIT(SAMPLE_ZERO),
	[ARGUMENT_TYPE_INSTANT]    = BIT(SAMPLE_ZERO),
	[ARGUMENT_TYPE_UID]        = BIT(SAMPLE_LARGEST),
	[ARGUMENT_TYPE_SEQ]        = BIT(SAMPLE_LARGEST),
	[ARGUMENT_TYPE_COUNT]      = BIT(SAMPLE_LARGEST),
	[ARGUMENT_TYPE_LIMIT]      = 0,
	[ARGUMENT_TYPE_CURSOR]     = BIT(SAMPLE_TEXT) | BIT(SAMPLE_CONTROL_TEXT),
	[ARGUMENT_TYPE_TEXTS]      = BIT(SAMPLE_ARRAY),
	[ARGUMENT_TYPE_KEEPER]     = BIT(SAMPLE_TEXT),
	[ARGUMENT_TYPE_HOLD]       = BIT(SAMPLE_TEXT),
	[ARGUMENT_TYPE_GROUND]     = BIT(SAMPLE_TEXT),
	[ARGUMENT_TYPE_NOTE]       = BIT(SAMPLE_TEXT),
	[ARGUMENT_TYPE_TOKEN]      = BIT(SAMPLE_TEXT),
	[ARGUMENT_TYPE_RESULT]     = 0,
	[ARGUMENT_TYPE_ORGS]       = BIT(SAMPLE_ARRAY),
	[ARGUMENT_TYPE_ACCOUNTS]   = 0,
	[ARGUMENT_TYPE_IMPORTS]    = 0,
	[ARGUMENT_TYPE_CONFIRMATIONS] = 0,
	[ARGUMENT_TYPE_FAILURES]   = 0,
	[ARGUMENT_TYPE_LEASES]     = 0,
	[ARGUMENT_TYPE_REQUESTS]   = 0,
};
/* clang-format on */
static_assert(ARRAY_LEN(accepted) == _ARGUMENT_TYPE_MAX, "every type has its samples");

static const struct command *command_with(enum argument_symbol symbol)
{
	for (size_t i = 0; i < _COMMAND_MAX; ++i) {
		if (command_takes(&command_table[i], symbol)) {
			return &command_table[i];
		}
	}
	return NULL;
}

/* "name: " and "name[0]…" are about that name; "name.field: " is about something in it. */
static bool fault_is_about(const char *name)
{
	size_t len = strlen(name);

	return strncmp(params_fault, name, len) == 0 &&
	       (params_fault[len] == ':' || params_fault[len] == '[');
}

/* A value is right if the answer is not about it: something else may still be missing. */
static void expect_judgement(const char *method, const char *name, enum argument_type type,
			     enum sample sample)
{
	bool wrong = params_decode(method) != 0 && fault_is_about(name);

	cr_assert_eq(wrong, !(accepted[type] & BIT(sample)), "%s of %s, sample %d: \"%s\"", name,
		     method, (int)sample, params_fault);
}

Test(request_types, every_argument_refuses_every_kind_of_value_but_its_own)
{
	for (int symbol = 0; symbol < _ARGUMENT_MAX; ++symbol) {
		const struct command *command = command_with((enum argument_symbol)symbol);
		const struct argument *argument = &argument_table[symbol];

		cr_assert(command, "no command takes %s", argument->name);
		for (enum sample sample = 0; sample < _SAMPLE_MAX; ++sample) {
			params_begin();
			pack_write_cstr(&params_writer, argument->name);
			write_sample(sample);
			expect_judgement(command->method, argument->name, argument->type, sample);
		}
	}
}

/* The lists that a request can bring, and a command that takes each. */
static const struct {
	enum argument_type type;
	const char *method;
} lists[] = {
	{ARGUMENT_TYPE_ACCOUNTS, "account.restore"},
	{ARGUMENT_TYPE_IMPORTS, "account.import"},
	{ARGUMENT_TYPE_CONFIRMATIONS, "keeper.confirm"},
	{ARGUMENT_TYPE_FAILURES, "keeper.fail"},
	{ARGUMENT_TYPE_LEASES, "keeper.extend"},
	{ARGUMENT_TYPE_REQUESTS, "request.approve"},
};
static_assert(ARRAY_LEN(lists) == ARGUMENT_TYPE_REQUESTS - ARGUMENT_TYPE_ACCOUNTS + 1,
	      "every list has its command");

/* What the list is called on the wire. */
static const char *list_name(const char *method, enum argument_type type)
{
	const struct command *command = command_by_method(slice_of(method));

	for (uint16_t i = 0; i < command->n_arguments; ++i) {
		const struct argument *argument = &argument_table[command->arguments[i].symbol];

		if (argument->type == type) {
			return argument->name;
		}
	}
	abort();
}

/* In an item all by itself; what it lacks comes after. */
static void expect_field_judgement(enum field_symbol field, size_t list, enum sample sample)
{
	const struct argument *argument = &field_table[field];
	const char *method = lists[list].method;
	char name[64];

	(void)snprintf(name, sizeof(name), "%s[0].%s", list_name(method, lists[list].type),
		       argument->name);
	params_begin();
	pack_put_array(&params_writer, list_name(method, lists[list].type));
	pack_write_map(&params_writer);
	pack_write_cstr(&params_writer, argument->name);
	write_sample(sample);
	pack_write_end(&params_writer);
	pack_write_end(&params_writer);
	expect_judgement(method, name, argument->type, sample);
}

static void expect_field_judgements(enum field_symbol field, size_t list)
{
	for (enum sample sample = 0; sample < _SAMPLE_MAX; ++sample) {
		expect_field_judgement(field, list, sample);
	}
}

Test(request_types, every_field_refuses_every_kind_of_value_but_its_own)
{
	for (int field = 0; field < _FIELD_MAX; ++field) {
		bool seen = false;

		for (size_t list = 0; list < ARRAY_LEN(lists); ++list) {
			if (field_belongs((enum field_symbol)field, lists[list].type)) {
				expect_field_judgements((enum field_symbol)field, list);
				seen = true;
			}
		}
		cr_assert(seen, "no list has %s", field_table[field].name);
	}
}
