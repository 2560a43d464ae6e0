/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_WORK_CALL_H
#define RETENTIOND_WORK_CALL_H

#include "common/base.h"
#include "common/commands.h"
#include "common/error.h"
#include "common/outcome.h"
#include "common/pack.h"
#include "common/rpc.h"

#include "daemon/core/access.h"
#include "daemon/store/store.h"
#include "daemon/work/engine.h"
#include "daemon/work/request.h"
#include "daemon/work/session.h"

/*
 * One request on its way through a command: who asks, what for, and the answer being written.
 *
 * A command's function writes its result, one map, to @out. What happens to an account is an item
 * of that result. A request that cannot be processed at all is refused with call_refuse(), and
 * what was written is dropped.
 */

enum {
	CALL_E_REFUSED = 1, /* call->refusal says why */
};

#define CALL_REFUSAL_MAX (REQUEST_FAULT_MAX + 64)

/*
 * Where one item's answer stands in @out, without the names the caller gave: what a repeated
 * request gets again.
 */
struct item_span {
	size_t start;
	size_t len;
	uint32_t n_values;
};

struct call {
	struct engine *engine;
	const struct access_peer *peer;
	struct session *session;
	const struct command *command;
	const struct request *request;
	struct pack_writer *out;
	struct actor actor;

	struct {
		enum error error;
		char text[CALL_REFUSAL_MAX];
	} refusal;

	uint32_t n_spans;
	struct item_span spans[MODEL_ACCOUNTS_MAX];
};

/* Return: CALL_E_REFUSED, always. */
int call_refuse(struct call *call, enum error error, const char *format, ...) printf_like(3, 4);

/*
 * Shorthands: the argument @name is wrong; a row could not be read; a keeper of this name is not
 * known; the peer's role does not cover an organization.
 */
int call_refuse_argument(struct call *call, const char *name, const char *what);
int call_refuse_damaged(struct call *call, const char *what);
int call_refuse_keeper(struct call *call, struct slice name);
int call_refuse_uncovered(struct call *call, struct slice org);

/* Whether the peer's role covers an organization; its id in lower case. */
bool call_covers(const struct call *call, const struct org *org);

/* The organization of an id as a peer writes it, in any case; NULL if there is none. */
const struct org *call_org(const struct call *call, struct slice id);

/* Whether the peer's role covers an organization as a peer writes it, whether it exists or not. */
bool call_covers_named(const struct call *call, struct slice id);

/**
 * call_named_org() - the organization that the whole request is about
 *
 * Whoever may not look does not learn whether it exists.
 *
 * Return: 0, or CALL_E_REFUSED if the peer's role does not cover it or there is none.
 */
must_check int call_named_org(struct call *call, struct slice id, const struct org **ret_org);

/*
 * Whether there is room for @n entries with their notes, or for @bytes: asked by what neither
 * deletes nor lets something be deleted. A dry run needs none. Return: 0, CALL_E_REFUSED, or a
 * negative errno.
 */
must_check int call_ask_room(struct call *call, uint32_t n);
must_check int call_ask_bytes(struct call *call, uint64_t bytes);

/*
 * Whether there is room for the reason and the reference with each of the items. Room for short
 * ones is kept, so that deletions go on. Return: as call_ask_room().
 */
must_check int call_ask_text(struct call *call);

/*
 * What is told of a number, of an account or a request, that is nobody's: @outcome to whose role
 * covers every organization. To the others permission-denied, as for a number in an organization
 * that is not theirs: they do not learn which of the two it is.
 */
enum outcome call_missing_number(const struct call *call, enum outcome outcome);

/* What the lifecycle needs to know of an account's organization. */
struct lifecycle_context call_context(const struct call *call, uint32_t org);

/**
 * call_find_account() - the account that an item names
 * @ret_outcome: always set on 0: OUTCOME_OK, or why there is none to work on: OUTCOME_NOT_FOUND,
 *             OUTCOME_PERMISSION_DENIED or OUTCOME_DAMAGED
 *
 * Return: 0 or a negative errno.
 */
must_check int call_find_account(struct call *call, const struct item *item,
				 struct account *ret_account, enum outcome *ret_outcome);

/*
 * The account that the arguments themselves name. Return: as call_find_account(), or
 * CALL_E_REFUSED.
 */
must_check int call_named_account(struct call *call, struct account *ret_account,
				  enum outcome *ret_outcome);

/**
 * call_each_account() - answer a list of accounts item by item
 * @deed:    called for each account that is found, between the item's begin and end: it does what
 *           is asked and writes what came of it. It returns 0, STORE_E_CORRUPT with nothing
 *           written, or a negative errno
 * @context: for @deed
 *
 * Return: 0 or a negative errno.
 */
typedef int call_account_fn(struct call *call, const struct item *item, struct account *account,
			    const void *context);
must_check int call_each_account(struct call *call, call_account_fn *deed, const void *context);

/**
 * call_keeper() - the keeper that the request names, if the peer may speak as it
 *
 * Refused as a whole, so that one keeper learns nothing of another's tasks. Its voice is noted.
 *
 * Return: 0 or CALL_E_REFUSED.
 */
must_check int call_keeper(struct call *call, const struct keeper **ret_keeper);

/* The list of items that this request is about. */
const struct items *call_items(const struct call *call);

/* The list of items in the answer: begin, then each item between its begin and end, then end. */
void call_begin_items(struct call *call);
void call_begin_item(struct call *call, const struct item *item);
void call_end_item(struct call *call);
void call_end_items(struct call *call);

/* An item as the caller named it: org and id, org and person, uid, token, or request. */
void call_put_item_name(struct pack_writer *out, const struct item *item);

#endif
