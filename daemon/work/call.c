/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/work/call.h"

#include <stdarg.h>
#include <stdio.h>

#include "daemon/work/answer.h"

/* An entry, its note and a hold at their longest, with what pages cost that are not full. */
#define ENTRY_BYTES 4096

int call_refuse(struct call *call, enum error error, const char *format, ...)
{
	va_list arguments;

	call->refusal.error = error;
	va_start(arguments, format);
	(void)vsnprintf(call->refusal.text, sizeof(call->refusal.text), format,
			arguments); /* cut when longer */
	va_end(arguments);
	return CALL_E_REFUSED;
}

int call_refuse_argument(struct call *call, const char *name, const char *what)
{
	return call_refuse(call, ERROR_INVALID_ARGUMENT, "%s: %s", name, what);
}

static int refuse_full(struct call *call)
{
	static_assert(STORE_TEXT_KEPT == 64, "the sentence says so");
	return call_refuse(
		call, ERROR_STORE_FULL,
		"the room that is left is kept for deletions whose reason and ref have at most 64 "
		"bytes together; raise map_size or free space on the disk");
}

int call_ask_bytes(struct call *call, uint64_t bytes)
{
	bool room = true;
	int r = 0;

	if (!call->request->dry_run) {
		r = store_has_room(call->engine->store, bytes, &room);
	}
	return r < 0 || room ? r : refuse_full(call);
}

int call_ask_room(struct call *call, uint32_t n)
{
	return call_ask_bytes(call, n * (uint64_t)ENTRY_BYTES);
}

int call_ask_text(struct call *call)
{
	const struct request *request = call->request;

	return request->reason.len + request->ref.len <= STORE_TEXT_KEPT
		       ? 0
		       : call_ask_room(call, MAX(call_items(call)->n, 1U));
}

int call_refuse_damaged(struct call *call, const char *what)
{
	return call_refuse(call, ERROR_DAMAGED, "%s cannot be read; run retentionctl verify", what);
}

int call_refuse_keeper(struct call *call, struct slice name)
{
	return call_refuse(call, ERROR_KEEPER_NOT_FOUND,
			   "no keeper %.*s is known here; retentionctl keepers lists them, "
			   "set-keeper creates one",
			   SLICE_ARG(name));
}

bool call_covers(const struct call *call, const struct org *org)
{
	return access_allows(call->engine->rules, call->peer, call->command->role,
			     slice_of(org->id));
}

const struct org *call_org(const struct call *call, struct slice id)
{
	char lower[MODEL_ORG_LEN_MAX + 1];

	if (id.len > MODEL_ORG_LEN_MAX) {
		return NULL;
	}
	return store_org_by_id(call->engine->store, model_lower(id, lower, sizeof(lower)));
}

bool call_covers_named(const struct call *call, struct slice id)
{
	char lower[MODEL_ORG_LEN_MAX + 1];

	return access_allows(call->engine->rules, call->peer, call->command->role,
			     model_lower(id, lower, sizeof(lower)));
}

int call_refuse_uncovered(struct call *call, struct slice org)
{
	return call_refuse(call, ERROR_PERMISSION_DENIED,
			   "your role %s does not cover the organization %.*s; retentionctl info "
			   "tells what it covers",
			   role_name(call->command->role), SLICE_ARG(org));
}

int call_named_org(struct call *call, struct slice id, const struct org **ret_org)
{
	const struct org *org = call_org(call, id);

	if (!call_covers_named(call, id)) {
		return call_refuse_uncovered(call, id);
	}
	if (!org) {
		return call_refuse(call, ERROR_ORG_NOT_FOUND,
				   "no organization %.*s is known here; retentionctl orgs lists "
				   "them, set-org creates one",
				   SLICE_ARG(id));
	}
	*ret_org = org;
	return 0;
}

struct lifecycle_context call_context(const struct call *call, uint32_t org)
{
	struct store *store = call->engine->store;

	return (struct lifecycle_context){
		.policy = &store_org(store, org)->policy,
		.keepers = store_keepers_of(store, org),
	};
}

enum outcome call_missing_number(const struct call *call, enum outcome outcome)
{
	const struct access_rules *rules = call->engine->rules;
	struct slice all = {NULL, 0};

	return access_allows(rules, call->peer, call->command->role, all)
		       ? outcome
		       : OUTCOME_PERMISSION_DENIED;
}

static int find_by_uid(struct call *call, uint64_t uid, struct account *ret_account,
		       enum outcome *ret_outcome)
{
	int r = store_get_account(call->engine->store, uid, ret_account);
	const struct org *org = r == 0 ? store_org(call->engine->store, ret_account->org) : NULL;

	if (r < 0) {
		return r;
	}
	if (!org) {
		*ret_outcome = call_missing_number(call, r == STORE_E_NONE ? OUTCOME_NOT_FOUND
									   : OUTCOME_DAMAGED);
		return 0;
	}
	*ret_outcome = call_covers(call, org) ? OUTCOME_OK : OUTCOME_PERMISSION_DENIED;
	return 0;
}

static int find_by_name(struct call *call, const struct item *item, struct account *ret_account,
			enum outcome *ret_outcome)
{
	struct store *store = call->engine->store;
	const struct org *org = call_org(call, item->org);
	int r;

	/* Whoever may not look does not learn whether the organization exists. */
	if (!call_covers_named(call, item->org)) {
		*ret_outcome = OUTCOME_PERMISSION_DENIED;
		return 0;
	}
	if (!org) {
		*ret_outcome = OUTCOME_ORG_NOT_FOUND;
		return 0;
	}
	r = ITEM_HAS(item, id)
		    ? store_find_by_id(store, org->number, item->id, ret_account)
		    : store_find_by_person(store, org->number, item->person, ret_account);
	*ret_outcome = r == 0              ? OUTCOME_OK
		       : r == STORE_E_NONE ? OUTCOME_NOT_FOUND
					   : OUTCOME_DAMAGED;
	return r < 0 ? r : 0;
}

int call_find_account(struct call *call, const struct item *item, struct account *ret_account,
		      enum outcome *ret_outcome)
{
	int r = ITEM_HAS(item, uid) ? find_by_uid(call, item->uid, ret_account, ret_outcome)
				    : find_by_name(call, item, ret_account, ret_outcome);

	if (r == 0 && *ret_outcome == OUTCOME_OK && ITEM_HAS(item, seq) &&
	    item->seq != ret_account->last_seq) {
		*ret_outcome = OUTCOME_CHANGED;
	}
	return r;
}

void call_put_item_name(struct pack_writer *out, const struct item *item)
{
	if (ITEM_HAS(item, org)) {
		pack_put_text(out, "org", item->org);
	}
	if (ITEM_HAS(item, token)) {
		pack_put_text(out, "token", item->token);
	} else if (ITEM_HAS(item, request)) {
		pack_put_uint(out, "request", item->request);
	} else if (ITEM_HAS(item, id)) {
		pack_put_text(out, "id", item->id);
	} else if (ITEM_HAS(item, person)) {
		pack_put_text(out, "person", item->person);
	} else {
		pack_put_uint(out, "uid", item->uid);
	}
}

int call_keeper(struct call *call, const struct keeper **ret_keeper)
{
	struct engine *engine = call->engine;
	struct slice name = call->request->keeper;
	const struct keeper *keeper = store_keeper_by_name(engine->store, name);

	if (!access_is_keeper(engine->rules, call->peer, name)) {
		return call_refuse(call, ERROR_PERMISSION_DENIED,
				   "uid %u may not speak as the keeper %.*s; a grant with role = "
				   "keeper %.*s allows it",
				   call->peer->uid, SLICE_ARG(name), SLICE_ARG(name));
	}
	if (!keeper) {
		return call_refuse_keeper(call, name);
	}
	engine->keeper_seen_at[keeper->number - 1] = engine->now;
	*ret_keeper = keeper;
	return 0;
}

const struct items *call_items(const struct call *call)
{
	const struct request *request = call->request;
	const struct items *lists[] = {&request->accounts,      &request->imports,
				       &request->confirmations, &request->failures,
				       &request->leases,        &request->requests};

	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		if (lists[i]->n > 0) {
			return lists[i];
		}
	}
	return lists[0];
}

void call_begin_items(struct call *call)
{
	call->n_spans = 0;
	pack_write_map(call->out);
	pack_put_array(call->out, "items");
}

static uint32_t n_open_values(const struct pack_writer *out)
{
	return out->depth > 0 ? out->open[out->depth - 1].n : 0;
}

void call_begin_item(struct call *call, const struct item *item)
{
	struct item_span *span = &call->spans[call->n_spans];

	pack_write_map(call->out);
	call_put_item_name(call->out, item);
	span->start = call->out->len;
	span->n_values = n_open_values(call->out);
}

void call_end_item(struct call *call)
{
	struct item_span *span = &call->spans[call->n_spans++];

	span->len = call->out->len - span->start;
	span->n_values = n_open_values(call->out) - span->n_values;
	pack_write_end(call->out);
}

void call_end_items(struct call *call)
{
	pack_write_end(call->out);
	pack_write_end(call->out);
}

int call_named_account(struct call *call, struct account *ret_account, enum outcome *ret_outcome)
{
	struct item item = request_account(call->request);
	const char *fault = request_account_fault(&item);

	if (fault) {
		return call_refuse_argument(call, "account", fault);
	}
	return call_find_account(call, &item, ret_account, ret_outcome);
}

/* Who has the command's role over some organizations acts as admin in the others. */
static void take_role(struct call *call, const struct account *account)
{
	const struct org *org = store_org(call->engine->store, account->org);

	call->actor.role = access_acting_role(call->engine->rules, call->peer, call->command,
					      slice_of(org->id));
}

static int answer_account(struct call *call, const struct item *item, call_account_fn *deed,
			  const void *context)
{
	struct account account;
	enum outcome outcome;
	int r = call_find_account(call, item, &account, &outcome);

	if (r < 0) {
		return r;
	}
	call_begin_item(call, item);
	if (outcome == OUTCOME_OK && call->request->dry_run) {
		pack_put_uint(call->out, field_table[FIELD_seq].name, account.last_seq);
	}
	if (outcome == OUTCOME_OK) {
		take_role(call, &account);
		r = deed(call, item, &account, context);
		outcome = r == STORE_E_CORRUPT ? OUTCOME_DAMAGED : OUTCOME_OK;
	}
	if (outcome != OUTCOME_OK) {
		answer_put_outcome(call->out, outcome, OUTCOME_BIT(outcome));
	}
	call_end_item(call);
	return r < 0 ? r : 0;
}

int call_each_account(struct call *call, call_account_fn *deed, const void *context)
{
	const struct items *items = call_items(call);
	int r = 0;

	call_begin_items(call);
	for (uint32_t i = 0; i < items->n && r == 0; i++) {
		r = answer_account(call, &items->at[i], deed, context);
	}
	call_end_items(call);
	return r;
}
