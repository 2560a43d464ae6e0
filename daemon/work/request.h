/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_WORK_REQUEST_H
#define RETENTIOND_WORK_REQUEST_H

#include "common/base.h"
#include "common/commands.h"
#include "common/pack.h"

/*
 * A request's arguments, decoded and checked against the table. The structs have one member for
 * each ARGUMENT and each FIELD row of commands.def, of the C type that goes with the row's type.
 */

#define REQUEST_C_ORG           struct slice
#define REQUEST_C_ID            struct slice
#define REQUEST_C_ADDRESS       struct slice
#define REQUEST_C_NAME          struct slice
#define REQUEST_C_CONTACT       struct slice
#define REQUEST_C_URL           struct slice
#define REQUEST_C_REASON        struct slice
#define REQUEST_C_REF           struct slice
#define REQUEST_C_REQUEST_ID    struct slice
#define REQUEST_C_KIND          enum account_kind
#define REQUEST_C_STATE         enum account_state
#define REQUEST_C_BUCKET        span_t
#define REQUEST_C_GUARD         enum guard
#define REQUEST_C_BOOL          bool
#define REQUEST_C_WINDOW        span_t
#define REQUEST_C_REMOVAL       span_t
#define REQUEST_C_GUARD_MIN     uint32_t
#define REQUEST_C_GUARD_PERCENT uint8_t
#define REQUEST_C_SPAN          span_t
#define REQUEST_C_INSTANT       instant_t
#define REQUEST_C_UID           uint64_t
#define REQUEST_C_SEQ           uint64_t
#define REQUEST_C_COUNT         uint64_t
#define REQUEST_C_LIMIT         uint32_t
#define REQUEST_C_CURSOR        struct slice
#define REQUEST_C_TEXTS         struct pack_value
#define REQUEST_C_KEEPER        struct slice
#define REQUEST_C_HOLD          struct slice
#define REQUEST_C_GROUND        struct slice
#define REQUEST_C_NOTE          struct slice
#define REQUEST_C_TOKEN         struct slice
#define REQUEST_C_RESULT        enum task_result
#define REQUEST_C_ORGS          struct pack_value
#define REQUEST_C_ACCOUNTS      struct items
#define REQUEST_C_IMPORTS       struct items
#define REQUEST_C_CONFIRMATIONS struct items
#define REQUEST_C_FAILURES      struct items
#define REQUEST_C_LEASES        struct items
#define REQUEST_C_REQUESTS      struct items

/**
 * struct item - one of the accounts in a request
 * @given: one bit for each FIELD that was there; the others are zero
 *
 * Slices point into the request's bytes.
 */
struct item {
	uint32_t given;
#define FIELD(symbol, type, help) REQUEST_C_##type symbol;
#include "common/commands.def"
#undef FIELD
};
static_assert(_FIELD_MAX <= 32, "a bit for each field");

struct items {
	struct item *at; /* in the request's own room */
	uint32_t n;
};

/**
 * struct request - the arguments of one call
 * @given: one bit for each ARGUMENT that was there; the others are zero
 */
struct request {
	uint64_t given;
#define ARGUMENT(symbol, type, help) REQUEST_C_##type symbol;
#include "common/commands.def"
#undef ARGUMENT
	struct item room[MODEL_ACCOUNTS_MAX];
};
static_assert(_ARGUMENT_MAX <= 64, "a bit for each argument");

#define REQUEST_HAS(request, symbol) (((request)->given >> ARGUMENT_##symbol) & 1)
#define ITEM_HAS(item, symbol)       (((item)->given >> FIELD_##symbol) & 1)

#define REQUEST_FAULT_MAX 256

enum {
	REQUEST_E_WRONG = 1, /* the fault says which argument, and what it must be */
};

/**
 * request_decode() - check and decode
 * @params:  the array of the message: empty, or with one map
 * @request: set whole on 0, but for the unused part of its room
 * @fault:   set on REQUEST_E_WRONG: "accounts[3].org: must be …"
 *
 * Unknown and doubled arguments are refused, missing ones that the command requires too. An
 * account is named by {uid}, by {org, id} or by {org, person}, in an item or in the arguments
 * themselves.
 *
 * Return: 0 or REQUEST_E_WRONG.
 */
must_check int request_decode(const struct command *command, const struct pack_value *params,
			      struct request *request, char fault[static REQUEST_FAULT_MAX]);

/* The account that the arguments name by org, id, person and uid, as an item. */
struct item request_account(const struct request *request);

/*
 * What is wrong with how an item names an account, or NULL: exactly one of {uid}, {org, id} and
 * {org, person}.
 */
const char *request_account_fault(const struct item *item);

#endif
