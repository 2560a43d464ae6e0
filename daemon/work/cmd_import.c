/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "daemon/core/lifecycle.h"
#include "daemon/work/answer.h"
#include "daemon/work/cmd.h"

/*
 * account.import: what a directory says of an account, taken over. The same export can be
 * imported every night: what is there already is brought up to date, and a clock that runs is
 * never restarted.
 */

#define IMPORT_FUTURE_MAX SPAN_DAY /* a directory's clock may be ahead of ours, but not by more */

/* What an account takes beside twice its profile and what its removal needs: entry, note, row, keys. */
#define IMPORT_BYTES 2560

/* What an import comes to for one account. */
struct import {
	enum outcome outcome;
	const char *change; /* "created", "updated", "unchanged"; NULL when none of that was done */
	struct names names; /* the person's once it is looked for */
	struct account account;
};

/* By the person's home identity, where the account does not say: the UPN. */
static void import_profile(const struct item *item, struct profile *profile)
{
	profile->id = item->id;
	profile->person = ITEM_HAS(item, person) ? item->person : item->upn;
	profile->upn = item->upn;
	profile->mail = item->mail;
	profile->name = item->name;
	profile->n_groups = 0;
	profile->n_permissions = 0;
	for (uint32_t i = 0; ITEM_HAS(item, groups) && i < item->groups.list.n; ++i) {
		profile->groups[profile->n_groups++] = pack_array_at(&item->groups, i).text;
	}
	for (uint32_t i = 0; ITEM_HAS(item, permissions) && i < item->permissions.list.n; ++i) {
		profile->permissions[profile->n_permissions++] =
			pack_array_at(&item->permissions, i).text;
	}
}

static instant_t import_deleted_at(const struct item *item)
{
	return ITEM_HAS(item, deleted_at_us) ? item->deleted_at_us : INSTANT_NONE;
}

static bool import_enabled(const struct item *item)
{
	return !ITEM_HAS(item, enabled) || item->enabled;
}

static int import_new(struct call *call, const struct item *item, const struct org *org,
		      struct import *import)
{
	struct lifecycle_context context = call_context(call, org->number);

	import->outcome = OUTCOME_OK;
	import->change = "created";
	import->account = (struct account){
		.org = org->number,
		.facts = lifecycle_import(item->kind, import_enabled(item), import_deleted_at(item),
					  &context),
	};
	if (call->request->dry_run) {
		return 0;
	}
	return store_import(call->engine->store, &import->account, &import->names,
			    &call->engine->profile, EVENT_IMPORTED, &call->actor);
}

static void import_refused(struct import *import, enum outcome outcome)
{
	import->outcome = outcome;
	import->change = NULL;
}

static void import_unchanged(struct import *import)
{
	import->outcome = OUTCOME_OK;
	import->change = "unchanged";
}

/*
 * The directory has deleted an account that is active here: its clock began there. A directory that
 * was emptied by mistake deletes many.
 */
static int import_delete(struct call *call, const struct item *item, const struct org *org,
			 struct import *import)
{
	struct lifecycle_context context = call_context(call, org->number);
	struct account *account = &import->account;
	struct lifecycle_verdict verdict;
	bool staged;
	int r;

	lifecycle_step(&account->facts, LIFECYCLE_REMOVE, &context, item->deleted_at_us, &verdict);
	r = guarding_judge(call, account, &verdict, EVENT_DELETED, 0, &staged);
	if (r != 0 || staged) {
		import->outcome = OUTCOME_STAGED;
		return r;
	}
	account->facts = verdict.next;
	import->change = "updated";
	return call->request->dry_run
		       ? 0
		       : store_change(call->engine->store, account, EVENT_DELETED, &call->actor);
}

static int import_active(struct call *call, const struct item *item, const struct org *org,
			 struct import *import)
{
	struct store *store = call->engine->store;
	struct account *account = &import->account;
	bool same;
	int r = store_profile_equals(store, account->uid, &call->engine->profile, &same);

	if (r != 0) {
		return r;
	}
	import->outcome = OUTCOME_OK;
	if (!same || account->facts.kind != item->kind ||
	    account->facts.enabled != import_enabled(item)) {
		account->facts.kind = item->kind;
		account->facts.enabled = import_enabled(item);
		import->change = "updated";
		if (!call->request->dry_run) {
			store_hash_person(store, call->engine->profile.person,
					  import->names.person);
			r = store_import(store, account, &import->names, &call->engine->profile,
					 EVENT_UPDATED, &call->actor);
		}
	}
	if (r == 0 && ITEM_HAS(item, deleted_at_us)) {
		return import_delete(call, item, org, import);
	}
	if (!import->change) {
		import_unchanged(import);
	}
	return r;
}

/*
 * An active account of a person whose soft-deleted one stands: the directory and this store do
 * not agree, and an administrator decides.
 */
static int import_beside(struct call *call, const struct item *item, const struct org *org,
			 struct import *import)
{
	struct store *store = call->engine->store;
	struct person_position position = {.uid = 0};
	struct account other;
	int r;

	store_hash_person(store, call->engine->profile.person, import->names.person);
	if (call->request->new_incarnation || ITEM_HAS(item, deleted_at_us) ||
	    store_counts(store)->n_soft_deleted == 0) { /* as in a first import */
		return import_new(call, item, org, import);
	}
	memcpy(position.hash, import->names.person, sizeof(position.hash));
	while ((r = store_next_of_person(store, &position, &other)) == 0) {
		if (other.org == org->number && lifecycle_state(&other.facts, call->engine->now) ==
							ACCOUNT_STATE_SOFT_DELETED) {
			import->account = other;
			import_refused(import, OUTCOME_SOFT_DELETED_EXISTS);
			return 0;
		}
	}
	return r == STORE_E_NONE ? import_new(call, item, org, import) : r;
}

/*
 * The directory names an account that has left here. One that it lists as deleted is the same
 * account, whatever instant it gives: an import must not bring back what was purged here. One that
 * is active there is the person come again.
 */
static int import_left(struct call *call, const struct item *item, const struct org *org,
		       enum account_state state, struct import *import)
{
	bool deleted = ITEM_HAS(item, deleted_at_us);

	if (deleted && item->deleted_at_us == import->account.facts.deleted_at) {
		if (state == ACCOUNT_STATE_REMOVED) {
			import_refused(import, OUTCOME_IRREVOCABLE);
		} else {
			import_unchanged(import);
		}
		return 0;
	}
	if (deleted && !call->request->new_incarnation) {
		import_refused(import, state == ACCOUNT_STATE_SOFT_DELETED ? OUTCOME_ALREADY_LEFT
									   : OUTCOME_IRREVOCABLE);
		return 0;
	}
	if (state == ACCOUNT_STATE_SOFT_DELETED && !call->request->new_incarnation) {
		import_refused(import, OUTCOME_SOFT_DELETED_EXISTS); /* under whatever name */
		return 0;
	}
	return import_beside(call, item, org, import);
}

/* Return: 0, STORE_E_CORRUPT, or a negative errno. */
static int import_into(struct call *call, const struct item *item, const struct org *org,
		       struct import *import)
{
	struct store *store = call->engine->store;
	enum account_state state;
	int r;

	store_hash_id(store, org->number, item->id, import->names.id);
	r = store_find_by_hash(store, org->number, import->names.id, &import->account);
	if (r == STORE_E_NONE) {
		return import_beside(call, item, org, import);
	}
	if (r != 0) {
		return r;
	}
	state = lifecycle_state(&import->account.facts, call->engine->now);
	if (state == ACCOUNT_STATE_ACTIVE) {
		return import_active(call, item, org, import);
	}
	return import_left(call, item, org, state, import);
}

static int import_one(struct call *call, const struct item *item, struct import *import)
{
	char lower[MODEL_ORG_LEN_MAX + 1];
	struct slice id = model_lower(item->org, lower, sizeof(lower));
	const struct org *org = store_org_by_id(call->engine->store, id);
	int r = 0;

	*import = (struct import){.outcome = OUTCOME_OK};
	if (!access_allows(call->engine->rules, call->peer, call->command->role, id)) {
		import_refused(import, OUTCOME_PERMISSION_DENIED);
	} else if (!org) {
		import_refused(import, OUTCOME_ORG_NOT_FOUND);
	} else {
		import_profile(item, &call->engine->profile);
		r = import_into(call, item, org, import);
	}
	if (r == STORE_E_CORRUPT) {
		import_refused(import, OUTCOME_DAMAGED);
	}
	return r < 0 ? r : 0;
}

static void put_import(struct call *call, const struct item *item, const struct import *import)
{
	call_begin_item(call, item);
	answer_put_outcome(call->out, import->outcome, OUTCOME_BIT(import->outcome));
	if (import->change) {
		pack_put_cstr(call->out, "change", import->change);
	}
	if (import->account.org != 0) {
		if (import->account.uid != 0) {
			pack_put_uint(call->out, "uid", import->account.uid);
		}
		answer_put_dates(call->out, &import->account.facts, call->engine->now);
	}
	call_end_item(call);
}

static int refuse_item(struct call *call, uint32_t i, const char *text)
{
	char name[64];

	(void)snprintf(name, sizeof(name), "accounts[%u]", i);
	return call_refuse_argument(call, name, text);
}

/*
 * A directory's clock may be ahead, and a window that ends later for it harms nobody. A direct connect
 * user has none: the removal would start before its time has come, and while a hold may stand.
 */
static const char *deletion_fault(const struct item *item, instant_t now)
{
	if (!ITEM_HAS(item, deleted_at_us) || item->deleted_at_us <= now) {
		return NULL;
	}
	if (item->kind == ACCOUNT_KIND_B2B_DIRECT_CONNECT) {
		return "deleted_at_us lies in the future, and the removal of a direct connect "
		       "user starts with it; import it when that time has come";
	}
	return item->deleted_at_us > now + IMPORT_FUTURE_MAX ? "deleted_at_us lies in the future"
							     : NULL;
}

/*
 * What the table cannot say: a profile fits, and no deletion lies in the future. Checked for all
 * before anything is changed.
 */
static int check_items(struct call *call, uint64_t *ret_bytes)
{
	const struct items *items = &call->request->imports;
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < items->n; ++i) {
		const struct item *item = &items->at[i];
		const char *fault = deletion_fault(item, call->engine->now);
		size_t len;

		import_profile(item, &call->engine->profile);
		len = rows_profile_len(&call->engine->profile);
		bytes += IMPORT_BYTES + 2 * len + store_reserve_each(call->engine->store);
		if (len - item->upn.len + MODEL_ADDRESS_LEN_MAX > MODEL_PROFILE_BYTES_MAX) {
			return refuse_item(call, i,
					   "is over 32 KiB with its groups and permissions");
		}
		if (fault) {
			return refuse_item(call, i, fault);
		}
	}
	*ret_bytes = bytes;
	return 0;
}
static_assert(MODEL_PROFILE_BYTES_MAX == 32768, "the text above says so");

int cmd_account_import(struct call *call)
{
	const struct items *items = &call->request->imports;
	struct import import;
	uint64_t bytes = 0;
	int r = check_items(call, &bytes);

	if (r == 0) {
		r = call_ask_bytes(call, bytes);
	}
	if (r == 0 && items->n > VAULT_UID_MAX - store_n_uids(call->engine->store)) {
		r = call_refuse(call, ERROR_STORE_FULL, "no number is left for another account");
	}
	if (r != 0) {
		return r;
	}
	call_begin_items(call);
	for (uint32_t i = 0; i < items->n && r == 0; ++i) {
		r = import_one(call, &items->at[i], &import);
		put_import(call, &items->at[i], &import);
	}
	call_end_items(call);
	return r;
}
