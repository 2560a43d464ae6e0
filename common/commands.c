/* SPDX-License-Identifier: Apache-2.0 */
#include "common/commands.h"

#include "common/rpc.h"

/* A command's arguments, as its row lists them. */
#define REQUIRED(symbol)                                                                           \
	{                                                                                          \
		ARGUMENT_##symbol, true                                                            \
	}
#define OPTIONAL(symbol)                                                                           \
	{                                                                                          \
		ARGUMENT_##symbol, false                                                           \
	}
#define NO_ARGUMENTS
#define COMMAND(symbol, method, role, scope, verb, operands, summary, result, ...)                 \
	static const struct command_argument symbol##_arguments[] = {__VA_ARGS__};
#include "common/commands.def"
#undef COMMAND
#undef NO_ARGUMENTS
#undef OPTIONAL
#undef REQUIRED

const struct command command_table[_COMMAND_MAX] = {
#define COMMAND(symbol, method_, role_, scope_, verb_, operands_, summary_, result_, ...)          \
	[COMMAND_##symbol] = {                                                                     \
		.method = method_,                                                                 \
		.role = ROLE_##role_,                                                              \
		.scope = COMMAND_SCOPE_##scope_,                                                   \
		.since = 1,                                                                        \
		.verb = verb_,                                                                     \
		.operands = operands_,                                                             \
		.summary = summary_,                                                               \
		.result = result_,                                                                 \
		.arguments = symbol##_arguments,                                                   \
		.n_arguments = ARRAY_LEN(symbol##_arguments),                                      \
	},
#include "common/commands.def"
#undef COMMAND
};

/* Some arguments differ in what stands in the list, not in its name; a command has one of them. */
#define IS(symbol, other) (ARGUMENT_##symbol == ARGUMENT_##other)
#define NAME_OF(symbol)                                                                            \
	(IS(symbol, imports)                                                       ? "accounts"    \
	 : IS(symbol, confirmations) || IS(symbol, failures) || IS(symbol, leases) ? "tasks"       \
										   : #symbol)

const struct argument argument_table[_ARGUMENT_MAX] = {
#define ARGUMENT(symbol, type, help)                                                               \
	[ARGUMENT_##symbol] = {NAME_OF(symbol), ARGUMENT_TYPE_##type, help},
#include "common/commands.def"
#undef ARGUMENT
};

const struct argument field_table[_FIELD_MAX] = {
#define FIELD(symbol, type, help) [FIELD_##symbol] = {#symbol, ARGUMENT_TYPE_##type, help},
#include "common/commands.def"
#undef FIELD
};

#define COMMAND(symbol, method, ...)                                                               \
	static_assert(sizeof(method) - 1 <= RPC_METHOD_LEN_MAX, "a method fits its frame: " method);
#include "common/commands.def"
#undef COMMAND

/*
 * Methods by hash, at most half full; a place holds a command's number plus one, or 0. It is filled
 * before main(), so that it needs no lock.
 */
#define METHOD_PLACES 128
static_assert((METHOD_PLACES & (METHOD_PLACES - 1)) == 0, "a power of two: hashes are masked");
static_assert(_COMMAND_MAX * 2 <= METHOD_PLACES, "a search ends soon, at an empty place");

static uint8_t method_places[METHOD_PLACES];

/* FNV-1a. The methods are ours and few, so nobody can choose names that collide. */
static uint32_t method_hash(struct slice method)
{
	uint32_t hash = UINT32_C(2166136261);

	for (size_t i = 0; i < method.len; i++) {
		hash = (hash ^ (uint8_t)method.data[i]) * UINT32_C(16777619);
	}
	return hash;
}

/* The place of a method, or the empty one where it would be. */
static size_t method_place(struct slice method)
{
	size_t place = method_hash(method) & (METHOD_PLACES - 1);

	while (method_places[place] &&
	       !slice_is(method, command_table[method_places[place] - 1].method)) {
		place = (place + 1) & (METHOD_PLACES - 1);
	}
	return place;
}

__attribute__((__constructor__)) static void method_places_fill(void)
{
	for (size_t i = 0; i < _COMMAND_MAX; i++) {
		method_places[method_place(slice_of(command_table[i].method))] = (uint8_t)(i + 1);
	}
}

const struct command *command_by_method(struct slice method)
{
	uint8_t number;

	if (method.len > RPC_METHOD_LEN_MAX) {
		return NULL;
	}
	number = method_places[method_place(method)];
	return number ? &command_table[number - 1] : NULL;
}

const struct command *command_by_verb(const char *verb)
{
	for (size_t i = 0; i < _COMMAND_MAX; i++) {
		if (strcmp(command_table[i].verb, verb) == 0) {
			return &command_table[i];
		}
	}
	return NULL;
}

bool command_takes(const struct command *command, enum argument_symbol symbol)
{
	for (size_t i = 0; i < command->n_arguments; i++) {
		if (command->arguments[i].symbol == symbol) {
			return true;
		}
	}
	return false;
}

bool argument_is_list(enum argument_type type)
{
	return type >= ARGUMENT_TYPE_ACCOUNTS && type <= ARGUMENT_TYPE_REQUESTS;
}

size_t command_frame_max(const struct command *command)
{
	for (uint16_t i = 0; i < command->n_arguments; i++) {
		if (argument_is_list(argument_table[command->arguments[i].symbol].type)) {
			return RPC_FRAME_LARGE_MAX;
		}
	}
	return RPC_FRAME_SMALL_MAX;
}

#define LIST(name) (1u << (ARGUMENT_TYPE_##name - ARGUMENT_TYPE_ACCOUNTS))

/* In which lists' items a field stands, and in which of them it must. */
struct field_rule {
	unsigned belongs;
	unsigned required;
};

/*
 * An account is named by one of three groups of fields, so none of its fields is required by
 * itself.
 */
static const struct field_rule field_rules[] = {
	/* clang-format off */
	[FIELD_org]            = {LIST(ACCOUNTS) | LIST(IMPORTS), LIST(IMPORTS)},
	[FIELD_id]             = {LIST(ACCOUNTS) | LIST(IMPORTS), LIST(IMPORTS)},
	[FIELD_uid]            = {LIST(ACCOUNTS), 0},
	[FIELD_person]         = {LIST(ACCOUNTS) | LIST(IMPORTS), 0},
	[FIELD_seq]            = {LIST(ACCOUNTS), 0},
	[FIELD_new_upn]        = {LIST(ACCOUNTS), 0},
	[FIELD_kind]           = {LIST(IMPORTS), LIST(IMPORTS)},
	[FIELD_upn]            = {LIST(IMPORTS), LIST(IMPORTS)},
	[FIELD_mail]           = {LIST(IMPORTS), 0},
	[FIELD_name]           = {LIST(IMPORTS), 0},
	[FIELD_enabled]        = {LIST(IMPORTS), 0},
	[FIELD_groups]         = {LIST(IMPORTS), 0},
	[FIELD_permissions]    = {LIST(IMPORTS), 0},
	[FIELD_deleted_at_us]  = {LIST(IMPORTS), 0},
	[FIELD_request]        = {LIST(REQUESTS), LIST(REQUESTS)},
	[FIELD_token]          = {LIST(CONFIRMATIONS) | LIST(FAILURES) | LIST(LEASES),
				  LIST(CONFIRMATIONS) | LIST(FAILURES) | LIST(LEASES)},
	[FIELD_result]         = {LIST(CONFIRMATIONS), LIST(CONFIRMATIONS)},
	[FIELD_ground]         = {LIST(CONFIRMATIONS), 0},
	[FIELD_note]           = {LIST(CONFIRMATIONS), 0},
	[FIELD_error]          = {LIST(FAILURES), 0},
	[FIELD_retry_after_us] = {LIST(FAILURES), 0},
	/* clang-format on */
};
static_assert(ARRAY_LEN(field_rules) == _FIELD_MAX, "every field has a rule");

static unsigned list_bit(enum argument_type list)
{
	assert(argument_is_list(list));
	return 1u << (list - ARGUMENT_TYPE_ACCOUNTS);
}

bool field_belongs(enum field_symbol field, enum argument_type list)
{
	assert(field < _FIELD_MAX);
	return field_rules[field].belongs & list_bit(list);
}

bool field_required(enum field_symbol field, enum argument_type list)
{
	assert(field < _FIELD_MAX);
	return field_rules[field].required & list_bit(list);
}

static const char *const type_names[] = {
	/* clang-format off */
	[ARGUMENT_TYPE_ORG]        = "organization",
	[ARGUMENT_TYPE_ID]         = "id",
	[ARGUMENT_TYPE_ADDRESS]    = "address",
	[ARGUMENT_TYPE_NAME]       = "text",
	[ARGUMENT_TYPE_CONTACT]    = "address or URL",
	[ARGUMENT_TYPE_URL]        = "URL",
	[ARGUMENT_TYPE_REASON]     = "text",
	[ARGUMENT_TYPE_REF]        = "text",
	[ARGUMENT_TYPE_REQUEST_ID] = "request id",
	[ARGUMENT_TYPE_KEEPER]     = "keeper",
	[ARGUMENT_TYPE_HOLD]       = "hold",
	[ARGUMENT_TYPE_GROUND]     = "legal ground",
	[ARGUMENT_TYPE_NOTE]       = "text",
	[ARGUMENT_TYPE_TOKEN]      = "token",
	[ARGUMENT_TYPE_RESULT]     = "result",
	[ARGUMENT_TYPE_KIND]       = "kind",
	[ARGUMENT_TYPE_STATE]      = "state",
	[ARGUMENT_TYPE_BUCKET]     = "hour, day or week",
	[ARGUMENT_TYPE_GUARD]      = "clock or mass",
	[ARGUMENT_TYPE_BOOL]       = "boolean",
	[ARGUMENT_TYPE_WINDOW]     = "span (us)",
	[ARGUMENT_TYPE_REMOVAL]    = "span (us)",
	[ARGUMENT_TYPE_GUARD_MIN]  = "number",
	[ARGUMENT_TYPE_GUARD_PERCENT] = "percent",
	[ARGUMENT_TYPE_SPAN]       = "span (us)",
	[ARGUMENT_TYPE_INSTANT]    = "instant (us)",
	[ARGUMENT_TYPE_UID]        = "uid",
	[ARGUMENT_TYPE_SEQ]        = "ledger number",
	[ARGUMENT_TYPE_COUNT]      = "number",
	[ARGUMENT_TYPE_LIMIT]      = "count",
	[ARGUMENT_TYPE_CURSOR]     = "cursor",
	[ARGUMENT_TYPE_TEXTS]      = "array of texts",
	[ARGUMENT_TYPE_ORGS]       = "array of organizations",
	[ARGUMENT_TYPE_REQUESTS]    = "array of removal requests",
	[ARGUMENT_TYPE_ACCOUNTS]   = "array of accounts",
	[ARGUMENT_TYPE_IMPORTS]    = "array of accounts to import",
	[ARGUMENT_TYPE_CONFIRMATIONS] = "array of tasks confirmed",
	[ARGUMENT_TYPE_FAILURES]   = "array of tasks failed",
	[ARGUMENT_TYPE_LEASES]     = "array of tasks",
	/* clang-format on */
};
static_assert(ARRAY_LEN(type_names) == _ARGUMENT_TYPE_MAX, "every type has a name");

const char *argument_type_name(enum argument_type type)
{
	assert(type < _ARGUMENT_TYPE_MAX);
	return type_names[type];
}

const char *command_scope_name(enum command_scope scope)
{
	switch (scope) {
	case COMMAND_SCOPE_NONE:
		return "none";
	case COMMAND_SCOPE_ORG:
		return "org";
	case COMMAND_SCOPE_ALL:
		return "all";
	}
	assert(false); /* a command has a scope */
	return NULL;
}
