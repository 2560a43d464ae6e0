/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_COMMON_COMMANDS_H
#define RETENTIOND_COMMON_COMMANDS_H

#include "common/base.h"
#include "common/model.h"

/* The tables of commands.def as data. Everything here is static and read-only. */

#define API_LEVEL      1 /* raised with every added command or argument */
#define API_COMPATIBLE 1 /* the oldest level whose clients still work */

/*
 * What a value must be; each has one decoder and one name on the wire ("organization", "instant
 * in us", …).
 */
enum argument_type {
	ARGUMENT_TYPE_ORG,        /* text, model_org_fault() */
	ARGUMENT_TYPE_ID,         /* text, model_id_fault() */
	ARGUMENT_TYPE_ADDRESS,    /* text, model_address_fault() */
	ARGUMENT_TYPE_NAME,       /* text, model_name_fault(); empty allowed */
	ARGUMENT_TYPE_CONTACT,    /* text, model_contact_fault(); empty allowed */
	ARGUMENT_TYPE_URL,        /* text, model_url_fault(); empty allowed */
	ARGUMENT_TYPE_REASON,     /* text, model_reason_fault() */
	ARGUMENT_TYPE_REF,        /* text, model_ref_fault() */
	ARGUMENT_TYPE_REQUEST_ID, /* text, model_request_id_fault() */
	ARGUMENT_TYPE_KEEPER,     /* text, model_keeper_fault() */
	ARGUMENT_TYPE_HOLD,       /* text, model_hold_fault() */
	ARGUMENT_TYPE_GROUND,     /* text, model_ground_fault() */
	ARGUMENT_TYPE_NOTE,       /* text, model_note_fault() */
	ARGUMENT_TYPE_TOKEN,   /* text, shaped like an id; what it is worth is told item by item */
	ARGUMENT_TYPE_RESULT,  /* text: a task result's name, but waived */
	ARGUMENT_TYPE_KIND,    /* text: an account kind's name */
	ARGUMENT_TYPE_STATE,   /* text: an account state's name */
	ARGUMENT_TYPE_BUCKET,  /* text: hour, day, week */
	ARGUMENT_TYPE_GUARD,   /* text: a guard's name */
	ARGUMENT_TYPE_BOOL,    /* boolean */
	ARGUMENT_TYPE_WINDOW,  /* integer, us, model_window_fault() */
	ARGUMENT_TYPE_REMOVAL, /* integer, us, model_removal_fault() */
	ARGUMENT_TYPE_GUARD_MIN,     /* integer, model_guard_min_fault() */
	ARGUMENT_TYPE_GUARD_PERCENT, /* integer, model_guard_percent_fault() */
	ARGUMENT_TYPE_SPAN,          /* integer, us, 0 to 10 000 d */
	ARGUMENT_TYPE_INSTANT,       /* integer, us since 1970 UTC, 0 to INSTANT_MAX */
	ARGUMENT_TYPE_UID,           /* integer, 1 to 2^63-1 */
	ARGUMENT_TYPE_SEQ,           /* integer, 1 to 2^63-1 */
	ARGUMENT_TYPE_COUNT,         /* integer, 1 to 2^63-1 */
	ARGUMENT_TYPE_LIMIT,         /* integer, 1 to 1000 */
	ARGUMENT_TYPE_CURSOR,        /* text or bin, at most 128 bytes */
	ARGUMENT_TYPE_TEXTS,         /* array of texts, model_group_fault() each */
	ARGUMENT_TYPE_ORGS,          /* array of texts, model_org_fault() each, at most 64 */
	ARGUMENT_TYPE_ACCOUNTS,      /* array of maps: FIELDs that name an account */
	ARGUMENT_TYPE_IMPORTS,       /* array of maps: FIELDs that describe one */
	ARGUMENT_TYPE_CONFIRMATIONS, /* array of maps: FIELDs that settle a task */
	ARGUMENT_TYPE_FAILURES,      /* array of maps: FIELDs that put a task off */
	ARGUMENT_TYPE_LEASES,        /* array of maps: FIELDs that name a task */
	ARGUMENT_TYPE_REQUESTS,      /* array of maps: FIELDs that name a removal request */
	_ARGUMENT_TYPE_MAX
};

/* ARGUMENT_org, … index argument_table; FIELD_org, … index field_table. */
enum argument_symbol {
#define ARGUMENT(symbol, type, help) ARGUMENT_##symbol,
#include "common/commands.def"
#undef ARGUMENT
	_ARGUMENT_MAX
};

enum field_symbol {
#define FIELD(symbol, type, help) FIELD_##symbol,
#include "common/commands.def"
#undef FIELD
	_FIELD_MAX
};

enum command_symbol {
#define COMMAND(symbol, ...) COMMAND_##symbol,
#include "common/commands.def"
#undef COMMAND
	_COMMAND_MAX
};

enum command_scope {
	COMMAND_SCOPE_NONE,
	COMMAND_SCOPE_ORG,
	COMMAND_SCOPE_ALL,
};

/**
 * struct argument - a named argument, or a field of an item
 * @name:    on the wire ("org"; imports is "accounts" there)
 * @type:    what it must be
 * @help:    one line for people
 */
struct argument {
	const char *name;
	enum argument_type type;
	const char *help;
};

struct command_argument {
	enum argument_symbol symbol;
	bool required;
};

/**
 * struct command - one row of the table
 * @method:   "account.leave"
 * @role:     who may
 * @scope:    what the role must cover
 * @since:    API level it came with
 * @verb:     the client's verb
 * @operands: the client's operands, for its usage line
 * @summary:  one line
 * @result:   the shape of the result, for people
 * @arguments, @n_arguments: in the order of the table
 */
struct command {
	const char *method;
	enum role role;
	enum command_scope scope;
	uint16_t since;
	const char *verb;
	const char *operands;
	const char *summary;
	const char *result;
	const struct command_argument *arguments;
	uint16_t n_arguments;
};

extern const struct command command_table[_COMMAND_MAX];
extern const struct argument argument_table[_ARGUMENT_MAX];
extern const struct argument field_table[_FIELD_MAX];

/* By exact bytes; NULL if there is none. */
const struct command *command_by_method(struct slice method);
const struct command *command_by_verb(const char *verb);

/* Whether a command takes the argument. A command that takes dry_run is a changing one. */
bool command_takes(const struct command *command, enum argument_symbol symbol);
static inline bool command_changes(const struct command *command)
{
	return command_takes(command, ARGUMENT_dry_run);
}

/* Bytes a request of this command may have: RPC_FRAME_LARGE_MAX if it takes many accounts. */
size_t command_frame_max(const struct command *command);

/* ARGUMENT_TYPE_ACCOUNTS to _REQUESTS: an array of maps, one for each thing to work on. */
bool argument_is_list(enum argument_type type);

/* Whether a FIELD belongs to items of such a list, and whether it must be there. */
bool field_belongs(enum field_symbol field, enum argument_type list);
bool field_required(enum field_symbol field, enum argument_type list);

/* "organization", "instant (us)", … for help and the api; static. */
const char *argument_type_name(enum argument_type type);
const char *command_scope_name(enum command_scope scope); /* "none", "org", "all" */

#endif
