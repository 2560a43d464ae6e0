/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "common/commands.h"
#include "common/error.h"
#include "common/outcome.h"
#include "common/rpc.h"

#include "daemon/core/backoff.h"
#include "daemon/io/limits.h"

#include "packaging/man/parts.h"
#include "packaging/man/scdoc.h"

#define NUMBER(macro)  DIGITS(macro) /* a macro that is a plain number, as text */
#define DIGITS(number) #number

static_assert(INSTANT_MAX == INT64_C(253402300799999999), "an instant ends with the year 9999");
static_assert(MODEL_WINDOW_MIN == SPAN_DAY && MODEL_WINDOW_MAX == 180 * SPAN_DAY,
	      "the row of windows says so");
static_assert(MODEL_REMOVAL_MIN == SPAN_DAY && MODEL_REMOVAL_MAX == 30 * SPAN_DAY,
	      "the row of removals says so");

/* What a value is on the wire, and what it may be. */
/* clang-format off */
static const char *const wire_types[] = {
	[ARGUMENT_TYPE_ORG]        = "str, 1 to " NUMBER(MODEL_ORG_LEN_MAX) " bytes",
	[ARGUMENT_TYPE_ID]         = "str, 1 to " NUMBER(MODEL_ID_LEN_MAX) " printable ASCII bytes, no blank",
	[ARGUMENT_TYPE_ADDRESS]    = "str, at most " NUMBER(MODEL_ADDRESS_LEN_MAX) " bytes with one @, no blank",
	[ARGUMENT_TYPE_NAME]       = "str, at most " NUMBER(MODEL_NAME_LEN_MAX) " bytes of UTF-8",
	[ARGUMENT_TYPE_CONTACT]    = "str, an address of at most " NUMBER(MODEL_ADDRESS_LEN_MAX)
				     " bytes or a URL of at most " NUMBER(MODEL_URL_LEN_MAX) ", or empty",
	[ARGUMENT_TYPE_URL]        = "str, at most " NUMBER(MODEL_URL_LEN_MAX) " bytes, http:// or https://, or empty",
	[ARGUMENT_TYPE_REASON]     = "str, 1 to " NUMBER(MODEL_REASON_LEN_MAX) " bytes of UTF-8",
	[ARGUMENT_TYPE_REF]        = "str, 1 to " NUMBER(MODEL_REF_LEN_MAX) " bytes of UTF-8",
	[ARGUMENT_TYPE_REQUEST_ID] = "str, 1 to " NUMBER(MODEL_ID_LEN_MAX) " printable ASCII bytes, no blank",
	[ARGUMENT_TYPE_KEEPER]     = "str, 1 to " NUMBER(MODEL_KEEPER_LEN_MAX) " bytes",
	[ARGUMENT_TYPE_HOLD]       = "str, 1 to " NUMBER(MODEL_HOLD_LEN_MAX) " bytes of UTF-8",
	[ARGUMENT_TYPE_GROUND]     = "str, 1 to " NUMBER(MODEL_GROUND_LEN_MAX) " printable ASCII bytes, no blank",
	[ARGUMENT_TYPE_NOTE]       = "str, 1 to " NUMBER(MODEL_NOTE_LEN_MAX) " bytes of UTF-8",
	[ARGUMENT_TYPE_TOKEN]      = "str, at most " NUMBER(ARGUMENT_TOKEN_LEN_MAX) " bytes",
	[ARGUMENT_TYPE_RESULT]     = "str",
	[ARGUMENT_TYPE_KIND]       = "str",
	[ARGUMENT_TYPE_STATE]      = "str",
	[ARGUMENT_TYPE_BUCKET]     = "str",
	[ARGUMENT_TYPE_GUARD]      = "str",
	[ARGUMENT_TYPE_BOOL]       = "bool",
	[ARGUMENT_TYPE_WINDOW]     = "int, microseconds, 1 d to 180 d",
	[ARGUMENT_TYPE_REMOVAL]    = "int, microseconds, 1 d to 30 d",
	[ARGUMENT_TYPE_GUARD_MIN]  = "int, 1 to " NUMBER(MODEL_GUARD_MIN_MAX),
	[ARGUMENT_TYPE_GUARD_PERCENT] = "int, 1 to " NUMBER(MODEL_GUARD_PERCENT_OFF),
	[ARGUMENT_TYPE_SPAN]       = "int, microseconds, 0 to 10 000 d",
	[ARGUMENT_TYPE_INSTANT]    = "int, microseconds since 1970 UTC, to the end of the year 9999",
	[ARGUMENT_TYPE_UID]        = "int, from 1",
	[ARGUMENT_TYPE_SEQ]        = "int, from 1",
	[ARGUMENT_TYPE_COUNT]      = "int, from 1",
	[ARGUMENT_TYPE_LIMIT]      = "int, 1 to " NUMBER(MODEL_ACCOUNTS_MAX),
	[ARGUMENT_TYPE_CURSOR]     = "str or bin, at most " NUMBER(ARGUMENT_CURSOR_LEN_MAX) " bytes",
	[ARGUMENT_TYPE_TEXTS]      = "at most " NUMBER(MODEL_GROUPS_MAX) " str, each 1 to "
				     NUMBER(MODEL_GROUP_LEN_MAX) " bytes",
	[ARGUMENT_TYPE_ORGS]       = "at most " NUMBER(MODEL_KEEPER_ORGS_MAX) " str",
	[ARGUMENT_TYPE_ACCOUNTS]   = "maps",
	[ARGUMENT_TYPE_IMPORTS]    = "maps",
	[ARGUMENT_TYPE_CONFIRMATIONS] = "maps",
	[ARGUMENT_TYPE_FAILURES]   = "maps",
	[ARGUMENT_TYPE_LEASES]     = "maps",
	[ARGUMENT_TYPE_REQUESTS]   = "maps",
};
/* clang-format on */
static_assert(ARRAY_LEN(wire_types) == _ARGUMENT_TYPE_MAX, "every type has a row");

static void put_role(FILE *out, const struct command *command)
{
	if (command->role == ROLE_ANY) {
		(void)fputs("Needs no role.", out);
	} else if (command->role == ROLE_KEEPER) {
		(void)fputs("Role _keeper_, by the keeper's name.", out);
	} else {
		(void)fprintf(out, "Role _%s_%s.", role_name(command->role),
			      command->scope == COMMAND_SCOPE_ALL ? ", over all organizations"
								  : ", within its organizations");
	}
}

static void put_arguments_of(FILE *out, const struct command *command)
{
	(void)fputs("\tArguments: ", out);
	for (uint16_t i = 0; i < command->n_arguments; i++) {
		const struct command_argument *argument = &command->arguments[i];

		(void)fputs(i > 0 ? ", " : "", out);
		scdoc_put_bold(out, argument_table[argument->symbol].name);
		(void)fputs(argument->required ? " (required)" : "", out);
	}
	(void)fputs(command->n_arguments > 0 ? ".\n\n" : "none.\n\n", out);
}

static void put_method(FILE *out, const struct command *command)
{
	scdoc_put_bold(out, command->method);
	(void)fputc('\n', out);
	scdoc_put_sentence(out, 1, command->summary);
	(void)fputc('\t', out);
	put_role(out, command);
	(void)fprintf(out, " Since level %u.%s\n\n", (unsigned)command->since,
		      command_changes(command) ? " Changes something." : "");
	put_arguments_of(out, command);
	(void)fputs("\tResult: ", out);
	scdoc_put(out, command->result);
	(void)fputs("\n\n", out);
}

void part_methods(FILE *out)
{
	for (size_t i = 0; i < _COMMAND_MAX; i++) {
		put_method(out, &command_table[i]);
	}
}

/* Arguments that share a name differ in which method they are of. */
static bool shares_name(enum argument_symbol symbol)
{
	for (int other = 0; other < _ARGUMENT_MAX; other++) {
		if (other != (int)symbol &&
		    strcmp(argument_table[other].name, argument_table[symbol].name) == 0) {
			return true;
		}
	}
	return false;
}

static void put_methods_with(FILE *out, enum argument_symbol symbol)
{
	const char *between = " of ";

	for (size_t i = 0; i < _COMMAND_MAX; i++) {
		if (command_takes(&command_table[i], symbol)) {
			(void)fputs(between, out);
			scdoc_put_underlined(out, command_table[i].method);
			between = ", ";
		}
	}
}

static void put_value(FILE *out, const struct argument *argument)
{
	(void)fputs(" (", out);
	scdoc_put(out, argument_type_name(argument->type));
	(void)fputs(": ", out);
	scdoc_put(out, wire_types[argument->type]);
	(void)fputc(')', out);
}

void part_arguments(FILE *out)
{
	for (int symbol = 0; symbol < _ARGUMENT_MAX; symbol++) {
		const struct argument *argument = &argument_table[symbol];

		scdoc_put_bold(out, argument->name);
		if (shares_name((enum argument_symbol)symbol) &&
		    argument->type != ARGUMENT_TYPE_ACCOUNTS) {
			put_methods_with(out, (enum argument_symbol)symbol);
		}
		put_value(out, argument);
		(void)fputc('\n', out);
		scdoc_put_sentence(out, 1, argument->help);
	}
}

static void put_fields_of(FILE *out, enum argument_type list)
{
	(void)fputs("## Items of an ", out);
	scdoc_put(out, argument_type_name(list));
	(void)fputs("\n\n", out);
	for (int symbol = 0; symbol < _FIELD_MAX; symbol++) {
		const struct argument *field = &field_table[symbol];

		if (field_belongs((enum field_symbol)symbol, list)) {
			scdoc_put_bold(out, field->name);
			put_value(out, field);
			(void)fputs(field_required((enum field_symbol)symbol, list) ? ", required\n"
										    : "\n",
				    out);
			scdoc_put_sentence(out, 1, field->help);
		}
	}
}

void part_fields(FILE *out)
{
	for (int type = 0; type < _ARGUMENT_TYPE_MAX; type++) {
		if (argument_is_list((enum argument_type)type)) {
			put_fields_of(out, (enum argument_type)type);
		}
	}
}

void part_outcomes(FILE *out)
{
	for (int outcome = 0; outcome < _OUTCOME_MAX; outcome++) {
		scdoc_put_bold(out, outcome_code((enum outcome)outcome));
		(void)fputc('\n', out);
		scdoc_put_sentence(out, 1, outcome_text((enum outcome)outcome));
	}
}

void part_errors(FILE *out)
{
	for (int error = 0; error < _ERROR_MAX; error++) {
		scdoc_put_bold(out, error_code((enum error)error));
		(void)fputc('\n', out);
		scdoc_put_sentence(out, 1, error_text((enum error)error));
	}
}

static void put_limit(FILE *out, const char *what, int64_t number, const char *unit)
{
	scdoc_put_bold(out, what);
	(void)fprintf(out, "\n\t%" PRId64 "%s%s\n\n", number, *unit ? " " : "", unit);
}

void part_limits(FILE *out)
{
	put_limit(out, "a request with a list of accounts, tasks or requests", RPC_FRAME_LARGE_MAX,
		  "bytes");
	put_limit(out, "any other request", RPC_FRAME_SMALL_MAX, "bytes");
	put_limit(out, "levels of arrays and maps in a request", RPC_DEPTH_MAX, "");
	put_limit(out, "values in a request, keys included", RPC_OBJECTS_MAX, "");
	put_limit(out, "a method's name", RPC_METHOD_LEN_MAX, "bytes");
	put_limit(out, "items in a request, rows in a page", MODEL_ACCOUNTS_MAX, "");
	put_limit(out, "an answer", RPC_ANSWER_MAX, "bytes");
	put_limit(out, "answers and events not yet read; beyond it nothing more is read from you",
		  LIMITS_UNREAD_BYTES_MAX, "bytes");
	put_limit(out, "events among them", LIMITS_UNREAD_BYTES_OF_EVENTS, "bytes");
	put_limit(out, "from the first byte of a request to its last",
		  LIMITS_FRAME_SPAN / SPAN_SECOND, "s");
	put_limit(out, "for you to read any byte that waits for you",
		  LIMITS_WRITE_SPAN / SPAN_SECOND, "s");
	put_limit(out, "connections", LIMITS_CONNECTIONS_MAX, "");
	put_limit(out, "connections of one user", LIMITS_CONNECTIONS_OF_UID, "");
	put_limit(out, "connections of root", LIMITS_CONNECTIONS_OF_ROOT, "");
	put_limit(out, "connections kept for root", LIMITS_CONNECTIONS_KEPT_FOR_ROOT, "");
	put_limit(out, "a user's answers kept for a request\\_id: the store by",
		  STORE_ANSWERS_SHARE_OF_UID, "");
	put_limit(out, "organizations", STORE_ORGS_MAX, "");
	put_limit(out, "organizations that a keeper is limited to", MODEL_KEEPER_ORGS_MAX, "");
	put_limit(out, "the longest lease; longer ones are cut to it", LEASE_MAX / SPAN_HOUR, "h");
	put_limit(out, "entries that account.explain tells, the newest", EXPLAIN_HISTORY_MAX, "");
	put_limit(out, "personal data of an account, packed", MODEL_PROFILE_BYTES_MAX, "bytes");
	put_limit(out, "groups of an account, and as many permissions", MODEL_GROUPS_MAX, "");
	put_limit(out, "holds on an account", MODEL_HOLDS_MAX, "");
	put_limit(out, "keepers", MODEL_KEEPERS_MAX, "");
	put_limit(out, "first pause after a task has failed; it doubles",
		  BACKOFF_FIRST / SPAN_MINUTE, "min");
	put_limit(out, "longest pause after a task has failed", BACKOFF_MAX / SPAN_HOUR, "h");
}
