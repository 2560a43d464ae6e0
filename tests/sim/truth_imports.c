/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/truth.h"

/* What an import and a removal request come to. */

static struct truth_imported refused(enum outcome outcome, const struct truth_account *account)
{
	return (struct truth_imported){
		.reasons = OUTCOME_BIT(outcome),
		.account = account ? *account : (struct truth_account){0},
	};
}

static struct truth_imported import_new(struct truth *truth, const struct truth_import *import,
					uint64_t uid, bool dry)
{
	struct truth_account account = {
		.uid = uid,
		.org = import->org,
		.id = import->id,
		.person = import->person,
		.upn = import->upn,
		.name = import->name,
		.kind = import->kind,
		.enabled = import->enabled,
		.deleted_at = INSTANT_NONE,
		.started_at = INSTANT_NONE,
		.removed_at = INSTANT_NONE,
		.held_until = INSTANT_NONE,
	};

	for (uint32_t i = 0; i < TRUTH_HOLDS; i++) {
		account.holds[i] = INSTANT_NONE;
	}
	truth_set_deleted(truth, &account, import->deleted_at);
	if (!dry) {
		assert(truth->n_accounts < TRUTH_ACCOUNTS);
		truth->accounts[truth->n_accounts++] = account;
	}
	return (struct truth_imported){"created", 0, account};
}

/* A person who is soft-deleted here comes back by a restore, or as a new incarnation. */
static struct truth_imported import_beside(struct truth *truth, const struct truth_import *import,
					   uint64_t uid, bool dry)
{
	bool asked = import->new_incarnation || import->deleted_at != INSTANT_NONE;

	for (uint32_t i = 0; i < truth->n_accounts && !asked; i++) {
		const struct truth_account *other = &truth->accounts[i];

		if (other->org == import->org && other->person == import->person &&
		    truth_state(other, truth->now) == ACCOUNT_STATE_SOFT_DELETED) {
			return refused(OUTCOME_SOFT_DELETED_EXISTS, other);
		}
	}
	return import_new(truth, import, uid, dry);
}

static struct truth_imported import_active(struct truth *truth, struct truth_account *account,
					   const struct truth_import *import, bool dry)
{
	struct truth_account after = *account, deleted;
	struct truth_imported imported;
	bool same = account->person == import->person && account->upn == import->upn &&
		    account->name == import->name && account->kind == import->kind &&
		    account->enabled == import->enabled;

	after.person = import->person;
	after.upn = import->upn;
	after.name = import->name;
	after.kind = import->kind;
	after.enabled = import->enabled;
	deleted = after;
	truth_set_deleted(truth, &deleted, import->deleted_at);
	if (import->deleted_at != INSTANT_NONE &&
	    truth_guard_stops(truth, account, &deleted, TRUTH_REMOVE, 0, dry)) {
		if (!dry) {
			after.staged = account->staged;
			after.request = account->request;
			*account = after;
		}
		imported = refused(OUTCOME_STAGED, &after);
		imported.change = same ? NULL : "updated";
		return imported;
	}
	if (!dry) {
		if (import->deleted_at != INSTANT_NONE) {
			truth_guard_count(truth, account->org, truth_kind_of(account, &deleted));
		}
		*account = deleted;
		truth_guard_outdate(truth, account);
	}
	after = deleted;
	return (struct truth_imported){
		same && import->deleted_at == INSTANT_NONE ? "unchanged" : "updated", 0, after};
}

/* The directory lists it as deleted: it is the same one, and what was purged stays purged. */
static struct truth_imported import_deleted(const struct truth_account *account,
					    enum account_state state,
					    const struct truth_import *import)
{
	if (import->deleted_at != account->deleted_at) {
		return refused(state == ACCOUNT_STATE_SOFT_DELETED ? OUTCOME_ALREADY_LEFT
								   : OUTCOME_IRREVOCABLE,
			       account);
	}
	return state == ACCOUNT_STATE_REMOVED ? refused(OUTCOME_IRREVOCABLE, account)
					      : (struct truth_imported){"unchanged", 0, *account};
}

struct truth_imported truth_import(struct truth *truth, const struct truth_import *import,
				   uint64_t uid, bool dry)
{
	const struct truth_name name = {.by = TRUTH_BY_ID, .org = import->org, .id = import->id};
	struct truth_account *account = truth_find(truth, &name);
	bool deleted = import->deleted_at != INSTANT_NONE;
	enum account_state state;

	if (!account) {
		return import_beside(truth, import, uid, dry);
	}
	state = truth_state(account, truth->now);
	if (state == ACCOUNT_STATE_ACTIVE) {
		return import_active(truth, account, import, dry);
	}
	if (deleted && (!import->new_incarnation || import->deleted_at == account->deleted_at)) {
		return import_deleted(account, state, import);
	}
	if (state == ACCOUNT_STATE_SOFT_DELETED && !import->new_incarnation) {
		return refused(OUTCOME_SOFT_DELETED_EXISTS, account);
	}
	return import_beside(truth, import, uid, dry);
}

/* Requests */

enum outcome truth_file(const struct truth *truth, const struct truth_account *account)
{
	if (!account) {
		return OUTCOME_NOT_FOUND;
	}
	switch (truth_state(account, truth->now)) {
	case ACCOUNT_STATE_ACTIVE:
		return account->request != 0 || account->staged.request != 0
			       ? OUTCOME_ALREADY_REQUESTED
			       : OUTCOME_OK;
	case ACCOUNT_STATE_SOFT_DELETED:
	case ACCOUNT_STATE_REMOVING:
		return OUTCOME_ALREADY_LEFT;
	case ACCOUNT_STATE_REMOVED:
	case _ACCOUNT_STATE_MAX:
		break;
	}
	return OUTCOME_NOT_FOUND;
}

void truth_filed(struct truth *truth, struct truth_account *account, uint64_t number)
{
	assert(truth->n_requests < TRUTH_REQUESTS);
	account->request = number;
	truth->requests[truth->n_requests++] =
		(struct truth_request){number, account->uid, REQUEST_STATE_OPEN};
}

struct truth_request *truth_request_of(struct truth *truth, uint64_t number)
{
	for (uint32_t i = 0; i < truth->n_requests; i++) {
		if (truth->requests[i].number == number) {
			return &truth->requests[i];
		}
	}
	return NULL;
}

enum outcome truth_decide(struct truth *truth, uint64_t number, bool approve, bool dry)
{
	struct truth_request *request = truth_request_of(truth, number);
	struct truth_account *account = request ? truth_of_uid(truth, request->uid) : NULL;
	struct truth_verdict verdict = {0};

	if (!request) {
		return OUTCOME_REQUEST_NOT_FOUND;
	}
	if (!account || account->request != number) {
		return OUTCOME_ALREADY_DECIDED;
	}
	if (!dry) {
		request->state = approve ? REQUEST_STATE_APPROVED : REQUEST_STATE_DENIED;
		account->request = 0;
	}
	if (approve) {
		verdict = truth_remove_for(truth, account, number, dry);
	}
	return verdict.reasons == 0 ? OUTCOME_OK : OUTCOME_STAGED;
}
