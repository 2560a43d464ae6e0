/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/lifecycle.h"
#include "daemon/store/staged.h"
#include "daemon/work/answer.h"
#include "daemon/work/cmd.h"

/*
 * account.list. A page is a walk along one order, chosen so that few rows are passed over: what has
 * left is in the due index, in time order, and what waits for keepers in an order of its own behind
 * it; the rest is walked by organization, or by uid. A walk looks at a bounded number of rows, so a
 * page may be short, or empty, and still have a cursor.
 */

enum list_order {
	LIST_BY_UID = 'u',
	LIST_BY_ORG = 'o',
	LIST_BY_DUE = 'd',    /* all that has left and waits for no keeper; then */
	LIST_BY_OWED = 'w',   /* what waits for keepers, in the order of the starts */
	LIST_BY_STAGED = 's', /* what the mass guards hold back */
};

/* Where a page stops; as a cursor: order 1, then 24 bytes of which each order uses its own. */
struct list_position {
	enum list_order order;
	uint64_t uid;
	uint32_t staged_org;
	struct org_position org;
	struct due_position due;
};

#define LIST_CURSOR_LEN 25

static bool list_wants_departed(const struct request *request)
{
	return (REQUEST_HAS(request, state) && (request->state == ACCOUNT_STATE_SOFT_DELETED ||
						request->state == ACCOUNT_STATE_REMOVING)) ||
	       request->overdue || REQUEST_HAS(request, due_before_us);
}

static bool wants_only(const struct request *request, enum account_state state)
{
	return REQUEST_HAS(request, state) && request->state == state;
}

static struct list_position list_begin(const struct request *request, instant_t now)
{
	struct list_position position = {.order = LIST_BY_UID};

	if (request->staged) {
		position.order = LIST_BY_STAGED;
	} else if (list_wants_departed(request)) {
		position.order = LIST_BY_DUE;
		if (wants_only(request, ACCOUNT_STATE_SOFT_DELETED)) {
			/* What is due now is removing. */
			position.due = (struct due_position){now, UINT64_MAX};
		}
	} else if (REQUEST_HAS(request, org)) {
		position.order = LIST_BY_ORG;
	}
	return position;
}

/* Whether another order follows at the end of this one; @position moves to its beginning. */
static bool list_go_on(const struct request *request, struct list_position *position)
{
	if (position->order != LIST_BY_DUE || wants_only(request, ACCOUNT_STATE_SOFT_DELETED)) {
		return false;
	}
	*position = (struct list_position){.order = LIST_BY_OWED};
	return true;
}

static void list_put_cursor(struct pack_writer *out, const struct list_position *position)
{
	uint8_t bytes[LIST_CURSOR_LEN] = {(uint8_t)position->order};

	switch (position->order) {
	case LIST_BY_UID:
		store_be64(bytes + 1, position->uid);
		break;
	case LIST_BY_ORG:
		memcpy(bytes + 1, position->org.hash, ROWS_HASH_LEN);
		store_be64(bytes + 1 + ROWS_HASH_LEN, position->org.uid);
		break;
	case LIST_BY_STAGED:
		store_be32(bytes + 1, position->staged_org);
		store_be64(bytes + 5, position->uid);
		break;
	case LIST_BY_DUE:
	case LIST_BY_OWED:
		store_be64(bytes + 1, (uint64_t)position->due.at);
		store_be64(bytes + 9, position->due.uid);
		break;
	}
	answer_put_hex(out, "cursor", bytes, sizeof(bytes));
}

/* A cursor goes with the request it came from: the same order, at least. */
static bool list_read_cursor(struct slice text, struct list_position *position)
{
	uint8_t bytes[LIST_CURSOR_LEN];

	if (!answer_read_hex(text, bytes, sizeof(bytes)) ||
	    (bytes[0] != position->order &&
	     (position->order != LIST_BY_DUE || bytes[0] != LIST_BY_OWED))) {
		return false;
	}
	position->order = (enum list_order)bytes[0];
	position->uid = load_be64(bytes + 1);
	memcpy(position->org.hash, bytes + 1, ROWS_HASH_LEN);
	position->org.uid = load_be64(bytes + 1 + ROWS_HASH_LEN);
	position->due =
		(struct due_position){(instant_t)load_be64(bytes + 1), load_be64(bytes + 9)};
	if (position->order == LIST_BY_STAGED) {
		position->staged_org = load_be32(bytes + 1);
		position->uid = load_be64(bytes + 5);
	}
	return (position->order != LIST_BY_DUE && position->order != LIST_BY_OWED) ||
	       position->due.at >= 0;
}

/* By organization, then by uid. */
static int list_next_staged(struct store *store, const struct org *org,
			    struct list_position *position, struct account *ret_account)
{
	uint32_t last = org ? org->number : store_n_orgs(store);
	struct staged staged;
	int r = STORE_E_NONE;

	if (org && position->staged_org != org->number) {
		position->staged_org = org->number;
		position->uid = 0;
	}
	for (; position->staged_org <= last; position->staged_org++, position->uid = 0) {
		r = position->staged_org > 0 ? store_next_staged(store, position->staged_org,
								 &position->uid, &staged)
					     : STORE_E_NONE;
		if (r != STORE_E_NONE) {
			break;
		}
	}
	return r != 0 ? r : store_get_account(store, staged.uid, ret_account);
}

static int list_next(struct call *call, const struct org *org, struct list_position *position,
		     struct account *ret_account)
{
	struct store *store = call->engine->store;

	switch (position->order) {
	case LIST_BY_UID:
		return store_next_account(store, &position->uid, ret_account);
	case LIST_BY_ORG:
		return store_next_of_org(store, org->number, &position->org, ret_account);
	case LIST_BY_DUE:
		return store_next_due(store, &position->due, ret_account);
	case LIST_BY_OWED:
		return store_next_owed(store, &position->due, ret_account);
	case LIST_BY_STAGED:
		return list_next_staged(store, org, position, ret_account);
	}
	abort();
}

/* In time order, nothing that the request can want stands behind this place. */
static bool list_is_past(const struct request *request, const struct list_position *position,
			 instant_t now)
{
	switch (position->order) {
	case LIST_BY_UID:
	case LIST_BY_ORG:
	case LIST_BY_STAGED:
		return false;
	case LIST_BY_DUE:
		return (REQUEST_HAS(request, due_before_us) &&
			position->due.at >= request->due_before_us) ||
		       ((wants_only(request, ACCOUNT_STATE_REMOVING) || request->overdue) &&
			position->due.at > now);
	case LIST_BY_OWED:
		/* A removal is due a day after its start at least. */
		return (REQUEST_HAS(request, due_before_us) &&
			position->due.at > request->due_before_us - MODEL_REMOVAL_MIN) ||
		       (request->overdue && position->due.at > now - MODEL_REMOVAL_MIN);
	}
	abort();
}

/* The next row of the list's orders, wanted or not. */
static int list_walk(struct call *call, const struct org *org, struct list_position *position,
		     struct account *ret_account)
{
	int r;

	do {
		r = list_next(call, org, position, ret_account);
		if (r != STORE_E_NONE &&
		    (r != 0 || !list_is_past(call->request, position, call->engine->now))) {
			return r;
		}
	} while (list_go_on(call->request, position));
	return STORE_E_NONE;
}

static bool is_due_before(const struct facts *facts, instant_t now, instant_t before)
{
	instant_t due = lifecycle_removal_due_at(facts, now);

	if (due == INSTANT_NONE) {
		due = lifecycle_window_ends_at(facts);
	}
	return due != INSTANT_NONE && due < before;
}

static bool list_wants(const struct request *request, const struct org *org, enum list_order order,
		       const struct account *account, instant_t now)
{
	const struct facts *facts = &account->facts;

	return (!org || account->org == org->number) &&
	       (order != LIST_BY_DUE || facts->owed == 0) && /* told in the other order */
	       (!REQUEST_HAS(request, state) || lifecycle_state(facts, now) == request->state) &&
	       (!REQUEST_HAS(request, kind) || facts->kind == request->kind) &&
	       (!request->overdue || lifecycle_sla(facts, now) == ACCOUNT_SLA_OVERDUE) &&
	       (!REQUEST_HAS(request, due_before_us) ||
		is_due_before(facts, now, request->due_before_us));
}

static int list_put(struct call *call, const struct account *account)
{
	struct engine *engine = call->engine;
	const struct org *org = store_org(engine->store, account->org);
	int r = store_get_profile(engine->store, account->uid, engine->buffer, &engine->profile);

	if (r < 0) {
		return r;
	}
	pack_write_map(call->out);
	answer_put_account(call->out, org, account, r == 0 ? &engine->profile : NULL, false,
			   engine->now);
	answer_put_waits(call->out, engine->store, &account->facts, engine->now);
	r = answer_put_staged(call->out, engine, account);
	pack_write_end(call->out);
	return r;
}

/*
 * Return: 0 with the position behind the page, STORE_E_NONE at the end of everything, or a
 * negative errno.
 */
static int list_page(struct call *call, const struct org *org, struct list_position *position)
{
	const struct request *request = call->request;
	instant_t now = call->engine->now;
	uint32_t n_shown = 0;
	struct account account;

	for (uint32_t i = 0; i < LIST_EXAMINED_MAX && n_shown < request->limit; ++i) {
		int r = list_walk(call, org, position, &account);

		if (r == STORE_E_CORRUPT) {
			continue; /* ledger.verify and the sweep speak of it */
		}
		if (r != 0) {
			return r;
		}
		if (!list_wants(request, org, position->order, &account, now) ||
		    !call_covers(call, store_org(call->engine->store, account.org))) {
			continue;
		}
		r = list_put(call, &account);
		if (r < 0) {
			return r;
		}
		++n_shown;
		if (call->out->len > LIST_BYTES_MAX) {
			break;
		}
	}
	return 0;
}

static int list_answer(struct call *call, const struct org *org, struct list_position *position)
{
	int r = 0;

	pack_write_map(call->out);
	pack_put_array(call->out, "accounts");
	r = list_page(call, org, position);
	pack_write_end(call->out);
	if (r == 0) {
		list_put_cursor(call->out, position);
	}
	pack_write_end(call->out);
	return r < 0 ? r : 0;
}

int cmd_account_list(struct call *call)
{
	const struct request *request = call->request;
	struct list_position position = list_begin(request, call->engine->now);
	const struct org *org = NULL;

	if (REQUEST_HAS(request, cursor) && !list_read_cursor(request->cursor, &position)) {
		return call_refuse_argument(call, "cursor", "is not one of this request's");
	}
	if (REQUEST_HAS(request, org)) {
		int r = call_named_org(call, request->org, &org);

		if (r != 0) {
			return r;
		}
	}
	return list_answer(call, org, &position);
}
