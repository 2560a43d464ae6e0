/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/work/call.h"

#include <stdarg.h>
#include <stdio.h>

int call_refuse(struct call *call, enum rpc_error_kind kind, const char *code, const char *format,
		...)
{
	va_list arguments;

	call->refusal.kind = kind;
	call->refusal.code = code;
	va_start(arguments, format);
	(void)vsnprintf(call->refusal.text, sizeof(call->refusal.text), format,
			arguments); /* cut when longer */
	va_end(arguments);
	return CALL_E_REFUSED;
}

int call_refuse_argument(struct call *call, const char *name, const char *what)
{
	return call_refuse(call, RPC_ERROR_WRONG, "invalid-argument", "%s: %s", name, what);
}

int call_refuse_full(struct call *call)
{
	return call_refuse(
		call, RPC_ERROR_FAILED, "store-full",
		"the room that is left is kept for deletions; raise map_size or free space on the disk");
}

int call_refuse_damaged(struct call *call, const char *what)
{
	return call_refuse(call, RPC_ERROR_FAILED, "damaged",
			   "%s cannot be read; run retentionctl verify", what);
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

static int find_by_uid(struct call *call, uint64_t uid, struct account *ret_account,
		       enum outcome *ret_outcome)
{
	int r = store_get_account(call->engine->store, uid, ret_account);
	const struct org *org = r == 0 ? store_org(call->engine->store, ret_account->org) : NULL;

	if (r == 0 && (!org || !call_covers(call, org))) {
		*ret_outcome = org ? OUTCOME_PERMISSION_DENIED : OUTCOME_DAMAGED;
		return 0;
	}
	*ret_outcome = r == 0              ? OUTCOME_OK
		       : r == STORE_E_NONE ? OUTCOME_NOT_FOUND
					   : OUTCOME_DAMAGED;
	return r < 0 ? r : 0;
}

static int find_by_name(struct call *call, const struct item *item, struct account *ret_account,
			enum outcome *ret_outcome)
{
	struct store *store = call->engine->store;
	char lower[MODEL_ORG_LEN_MAX + 1];
	struct slice id = model_lower(item->org, lower, sizeof(lower));
	const struct org *org;
	int r;

	/* Whoever may not look does not learn whether the organization exists. */
	if (!access_allows(call->engine->rules, call->peer, call->command->role, id)) {
		*ret_outcome = OUTCOME_PERMISSION_DENIED;
		return 0;
	}
	org = store_org_by_id(store, id);
	if (!org) {
		*ret_outcome = OUTCOME_NOT_FOUND;
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
	return ITEM_HAS(item, uid) ? find_by_uid(call, item->uid, ret_account, ret_outcome)
				   : find_by_name(call, item, ret_account, ret_outcome);
}

void call_put_item_name(struct pack_writer *out, const struct item *item)
{
	if (ITEM_HAS(item, org)) {
		pack_put_text(out, "org", item->org);
	}
	if (ITEM_HAS(item, id)) {
		pack_put_text(out, "id", item->id);
	} else if (ITEM_HAS(item, person)) {
		pack_put_text(out, "person", item->person);
	} else {
		pack_put_uint(out, "uid", item->uid);
	}
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
