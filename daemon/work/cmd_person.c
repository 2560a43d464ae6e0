/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/lifecycle.h"
#include "daemon/work/answer.h"
#include "daemon/work/cmd.h"

/*
 * person.organizations: the home organization first, then the others, each with whether it can be
 * left.
 */

static void put_leave(struct call *call, const struct account *account, const struct org *org)
{
	struct lifecycle_context context = {.policy = &org->policy};
	struct lifecycle_verdict verdict;

	lifecycle_step(&account->facts, LIFECYCLE_LEAVE, &context, call->engine->now, &verdict);
	pack_put_map(call->out, "leave");
	pack_put_bool(call->out, "available", verdict.outcome == OUTCOME_OK);
	if (verdict.outcome != OUTCOME_OK) {
		pack_put_array(call->out, "reasons");
		for (enum outcome reason = 0; reason < _OUTCOME_MAX; ++reason) {
			if (verdict.reasons & OUTCOME_BIT(reason)) {
				pack_write_cstr(call->out, outcome_code(reason));
			}
		}
		pack_write_end(call->out);
	}
	if (call->out->len < ANSWER_CONTACTS_MAX) {
		answer_put_contact(call->out, org);
	}
	pack_write_end(call->out);
}

static int put_membership(struct call *call, const struct account *account)
{
	struct engine *engine = call->engine;
	const struct org *org = store_org(engine->store, account->org);
	int r = store_get_profile(engine->store, account->uid, engine->buffer, &engine->profile);

	if (r < 0) {
		return r;
	}
	pack_put_cstr(call->out, "org", org->id);
	if (org->name[0]) {
		pack_put_cstr(call->out, "name", org->name);
	}
	if (r == 0) {
		pack_put_text(call->out, "id", engine->profile.id);
	}
	pack_put_uint(call->out, "uid", account->uid);
	pack_put_cstr(call->out, "kind", account_kind_name(account->facts.kind));
	answer_put_dates(call->out, &account->facts, engine->now);
	put_leave(call, account, org);
	return 0;
}

/* The next account of the person in an organization that the peer's role covers. */
static int next_covered(struct call *call, struct person_position *position,
			struct account *ret_account)
{
	int r;

	do {
		r = store_next_of_person(call->engine->store, position, ret_account);
	} while (r == 0 && !call_covers(call, store_org(call->engine->store, ret_account->org)));
	return r;
}

static int put_home(struct call *call, struct person_position position, uint64_t *ret_home)
{
	struct account account;
	int r;

	while ((r = next_covered(call, &position, &account)) == 0) {
		if (account.facts.kind == ACCOUNT_KIND_MEMBER &&
		    account.facts.deleted_at == INSTANT_NONE) {
			*ret_home = account.uid;
			pack_put_map(call->out, "home");
			r = put_membership(call, &account);
			pack_write_end(call->out);
			return r;
		}
	}
	return r == STORE_E_NONE ? 0 : r;
}

static int put_others(struct call *call, struct person_position position, uint64_t home)
{
	struct account account;
	int r = 0;

	pack_put_array(call->out, "others");
	for (uint32_t n = 0; n < PERSON_ACCOUNTS_MAX && r == 0; ++n) {
		r = next_covered(call, &position, &account);
		if (r == 0 && account.uid != home) {
			pack_write_map(call->out);
			r = put_membership(call, &account);
			pack_write_end(call->out);
		}
	}
	pack_write_end(call->out);
	return r == STORE_E_NONE ? 0 : r;
}

int cmd_person_organizations(struct call *call)
{
	struct person_position begin =
		store_begin_person(call->engine->store, call->request->person);
	uint64_t home = 0;
	int r;

	pack_write_map(call->out);
	r = put_home(call, begin, &home);
	if (r == 0) {
		r = put_others(call, begin, home);
	}
	pack_write_end(call->out);
	return r > 0 ? call_refuse_damaged(call, "an account of this person") : r;
}
