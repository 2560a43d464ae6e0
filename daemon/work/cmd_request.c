/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/deadline.h"
#include "daemon/core/lifecycle.h"
#include "daemon/store/staged.h"
#include "daemon/work/answer.h"
#include "daemon/work/cmd.h"

/*
 * request.file, request.list, request.approve, request.deny: removal requests of persons who
 * cannot leave by themselves. A request is open while its account says so: an account that has
 * left meanwhile has fulfilled it.
 */

#define REQUESTS_EXAMINED_MAX 4096 /* requests looked at for one page */

static void put_refused(struct call *call, enum outcome outcome)
{
	answer_put_outcome(call->out, outcome, OUTCOME_BIT(outcome));
}

/* File */

static int file_request(struct call *call, struct account *account, struct removal_request *request)
{
	struct store *store = call->engine->store;
	struct particulars particulars = {0};
	int r;

	*request = (struct removal_request){
		.state = REQUEST_STATE_OPEN,
		.org = account->org,
		.uid = account->uid,
		.filed_at = call->engine->now,
		.due_at = MIN(call->engine->now + DEADLINE_OF_REQUEST, INSTANT_MAX),
		.decided_at = INSTANT_NONE,
	};
	if (call->request->dry_run) {
		return 0;
	}
	request->number = store_new_request_number(store);
	particulars.request = request->number;
	r = store_change_with(store, account, EVENT_REQUEST_FILED, &particulars, &call->actor);
	request->filed_seq = account->last_seq;
	return r < 0 ? r : store_put_request(store, request);
}

/*
 * The request that waits for a decision, or that is approved and whose removal the mass guard holds back:
 * it may be open again. 0 if there is none.
 */
static int find_standing(struct call *call, const struct account *account, uint64_t *ret_number)
{
	struct staged staged;
	int r = store_get_staged(call->engine->store, account, &staged);

	*ret_number = account->open_request;
	if (r == 0 && account->open_request == 0) {
		*ret_number = staged.request;
	}
	return MIN(r, 0);
}

static int file_for(struct call *call, const struct item *item, struct account *account,
		    unused const void *context)
{
	struct removal_request request;
	uint64_t standing;
	int r;

	if (account->facts.deleted_at != INSTANT_NONE) {
		put_refused(call, account->facts.removed_at != INSTANT_NONE ? OUTCOME_NOT_FOUND
									    : OUTCOME_ALREADY_LEFT);
		return 0;
	}
	r = find_standing(call, account, &standing);
	if (r < 0) {
		return r;
	}
	if (standing != 0) {
		put_refused(call, OUTCOME_ALREADY_REQUESTED);
		pack_put_uint(call->out, "request", standing);
		return 0;
	}
	r = file_request(call, account, &request);
	put_refused(call, OUTCOME_OK);
	if (!ITEM_HAS(item, uid)) {
		pack_put_uint(call->out, "uid", account->uid);
	}
	if (request.number != 0) {
		pack_put_uint(call->out, "request", request.number);
	}
	pack_put_int(call->out, "due_us", request.due_at);
	if (call->out->len < ANSWER_CONTACTS_MAX) {
		answer_put_contact(call->out, store_org(call->engine->store, account->org));
	}
	return r;
}

int cmd_request_file(struct call *call)
{
	return call_each_account(call, file_for, NULL);
}

/* Approve and deny */

struct decision {
	enum request_state state;
	enum event event;
};

/* An open request and its account. Return: 0 with the outcome set, or a negative errno. */
static int find_open(struct call *call, uint64_t number, struct removal_request *request,
		     struct account *account, enum outcome *ret_outcome)
{
	struct store *store = call->engine->store;
	const struct org *org;
	int r = store_get_request(store, number, request);

	if (r != 0) {
		*ret_outcome = call_missing_number(
			call, r == STORE_E_NONE ? OUTCOME_REQUEST_NOT_FOUND : OUTCOME_DAMAGED);
		return r < 0 ? r : 0;
	}
	org = store_org(store, request->org);
	if (!org || !call_covers(call, org)) {
		*ret_outcome = OUTCOME_PERMISSION_DENIED;
		return 0;
	}
	r = store_get_account(store, request->uid, account);
	*ret_outcome = r == STORE_E_CORRUPT                        ? OUTCOME_DAMAGED
		       : r == 0 && account->open_request == number ? OUTCOME_OK
								   : OUTCOME_ALREADY_DECIDED;
	return r < 0 ? r : 0;
}

/*
 * An approval is one with its removal: where what the mass guard holds back already cannot be read,
 * nothing is written of either. Return: 0, STORE_E_CORRUPT, or a negative errno.
 */
static int check_removal(struct call *call, const struct account *account)
{
	struct lifecycle_context context = call_context(call, account->org);
	struct lifecycle_verdict verdict;
	struct staged staged;
	int r;

	lifecycle_step(&account->facts, LIFECYCLE_REMOVE, &context, call->engine->now, &verdict);
	if (!guarding_would_stage(call->engine, account, &verdict)) {
		return 0;
	}
	r = store_get_staged(call->engine->store, account, &staged);
	return r == STORE_E_NONE ? 0 : r;
}

/* What is approved stays approved: the mass guard may hold the removal itself back. */
static int remove_account(struct call *call, struct account *account, uint64_t request,
			  enum outcome *ret_outcome)
{
	struct lifecycle_context context = call_context(call, account->org);
	struct lifecycle_verdict verdict;
	bool staged = false;
	int r = 0;

	lifecycle_step(&account->facts, LIFECYCLE_REMOVE, &context, call->engine->now, &verdict);
	if (verdict.changed) {
		r = guarding_judge(call, account, &verdict, EVENT_DELETED, request, &staged);
	}
	*ret_outcome = staged ? OUTCOME_STAGED : OUTCOME_OK;
	if (r != 0 || staged) {
		return r;
	}
	account->facts = verdict.next;
	return verdict.changed && !call->request->dry_run
		       ? store_change(call->engine->store, account, EVENT_DELETED, &call->actor)
		       : 0;
}

static int decide(struct call *call, const struct decision *decision,
		  struct removal_request *request, struct account *account,
		  enum outcome *ret_outcome)
{
	struct store *store = call->engine->store;
	struct particulars particulars = {.request = request->number};
	int r = decision->state == REQUEST_STATE_APPROVED ? check_removal(call, account) : 0;

	if (r == 0 && !call->request->dry_run) {
		r = store_change_with(store, account, decision->event, &particulars, &call->actor);
		request->state = decision->state;
		request->decided_at = call->engine->now;
		request->decided_seq = account->last_seq;
	}
	if (r == 0 && !call->request->dry_run) {
		r = store_put_request(store, request);
	}
	if (r == 0 && decision->state == REQUEST_STATE_APPROVED) {
		r = remove_account(call, account, request->number, ret_outcome);
	}
	return r;
}

static int decide_one(struct call *call, const struct decision *decision, const struct item *item)
{
	struct removal_request request;
	struct account account;
	enum outcome outcome;
	int r = find_open(call, item->request, &request, &account, &outcome);

	if (r == 0 && outcome == OUTCOME_OK) {
		r = decide(call, decision, &request, &account, &outcome);
	}
	if (r < 0) {
		return r;
	}
	if (r == STORE_E_CORRUPT) {
		outcome = OUTCOME_DAMAGED;
	}
	call_begin_item(call, item);
	put_refused(call, outcome);
	if (outcome == OUTCOME_OK || outcome == OUTCOME_STAGED) {
		const struct org *org = store_org(call->engine->store, account.org);

		pack_put_cstr(call->out, "org", org ? org->id : "");
		pack_put_uint(call->out, "uid", account.uid);
		answer_put_dates(call->out, &account.facts, call->engine->now);
	}
	call_end_item(call);
	return 0;
}

static int decide_all(struct call *call, enum request_state state, enum event event)
{
	const struct decision decision = {state, event};
	const struct items *items = call_items(call);
	int r = 0;

	call_begin_items(call);
	for (uint32_t i = 0; i < items->n && r == 0; i++) {
		r = decide_one(call, &decision, &items->at[i]);
	}
	call_end_items(call);
	return r;
}

int cmd_request_approve(struct call *call)
{
	return decide_all(call, REQUEST_STATE_APPROVED, EVENT_REQUEST_APPROVED);
}

int cmd_request_deny(struct call *call)
{
	int r = call_ask_room(call, call_items(call)->n); /* and it can be filed again */

	return r != 0 ? r : decide_all(call, REQUEST_STATE_DENIED, EVENT_REQUEST_DENIED);
}

/* List */

/* A request as it is listed: with its account, whose facts make its state. */
struct listed {
	struct removal_request request;
	struct account account;
	enum request_state state;
	enum account_sla sla;
};

static int load_listed(struct call *call, uint64_t *number, struct listed *listed)
{
	struct store *store = call->engine->store;
	struct removal_request *request = &listed->request;
	bool waits;
	int r = store_next_request(store, number, request);

	if (r != 0) {
		return r;
	}
	r = store_get_account(store, request->uid, &listed->account);
	if (r < 0) {
		return r;
	}
	waits = r == 0 && listed->account.open_request == request->number;
	listed->state = request->state == REQUEST_STATE_OPEN && !waits ? REQUEST_STATE_FULFILLED
								       : request->state;
	listed->sla = waits ? deadline_sla(request->due_at, call->engine->now) : ACCOUNT_SLA_NONE;
	return 0;
}

static bool wants_listed(const struct call *call, const struct org *org,
			 const struct listed *listed)
{
	const struct request *wanted = call->request;
	const struct org *of = store_org(call->engine->store, listed->request.org);

	return of && (!org || of == org) && call_covers(call, of) &&
	       (!wanted->open || listed->state == REQUEST_STATE_OPEN) &&
	       (!wanted->overdue || listed->sla == ACCOUNT_SLA_OVERDUE);
}

static int put_person(struct call *call, const struct listed *listed)
{
	struct engine *engine = call->engine;
	struct note note;
	int r = store_get_profile(engine->store, listed->request.uid, engine->buffer,
				  &engine->profile);

	if (r == 0) {
		pack_put_text(call->out, "id", engine->profile.id);
		pack_put_text(call->out, "person", engine->profile.person);
	}
	if (r < 0) {
		return r;
	}
	r = store_get_note(engine->store, listed->request.uid, listed->request.filed_seq,
			   engine->buffer, &note);
	if (r == 0 && note.reason.len > 0) {
		pack_put_text(call->out, "reason", note.reason);
	}
	return r < 0 ? r : 0;
}

/* Approved, and not removed yet: the person has to be told why. */
static int put_staged(struct call *call, const struct removal_request *request)
{
	const struct account account = {.org = request->org, .uid = request->uid};
	struct staged staged;
	int r = store_get_staged(call->engine->store, &account, &staged);

	if (r == 0 && staged.request == request->number) {
		pack_put_int(call->out, "staged_us", staged.at);
	}
	return MIN(r, 0);
}

static int put_listed(struct call *call, const struct listed *listed)
{
	const struct removal_request *request = &listed->request;
	int r;

	pack_write_map(call->out);
	pack_put_uint(call->out, "request", request->number);
	pack_put_cstr(call->out, "state", request_state_name(listed->state));
	pack_put_cstr(call->out, "org", store_org(call->engine->store, request->org)->id);
	pack_put_uint(call->out, "uid", request->uid);
	pack_put_int(call->out, "filed_at_us", request->filed_at);
	pack_put_int(call->out, "due_us", request->due_at);
	if (listed->sla != ACCOUNT_SLA_NONE) {
		pack_put_cstr(call->out, "sla", account_sla_name(listed->sla));
	}
	answer_put_instant(call->out, "decided_at_us", request->decided_at);
	r = put_staged(call, request);
	r = r < 0 ? r : put_person(call, listed);
	pack_write_end(call->out);
	return r;
}

/* Return: 0 with more to come, STORE_E_NONE at the end, or a negative errno. */
static int list_page(struct call *call, const struct org *org, uint64_t *number)
{
	uint32_t n_shown = 0;

	for (uint32_t i = 0; i < REQUESTS_EXAMINED_MAX && n_shown < call->request->limit &&
			     call->out->len <= LIST_BYTES_MAX;
	     i++) {
		struct listed listed;
		int r = load_listed(call, number, &listed);

		if (r == STORE_E_CORRUPT) {
			continue;
		}
		if (r != 0) {
			return r;
		}
		if (wants_listed(call, org, &listed)) {
			r = put_listed(call, &listed);
			n_shown++;
		}
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

int cmd_request_list(struct call *call)
{
	const struct request *request = call->request;
	const struct org *org = NULL;
	uint8_t cursor[8] = {0};
	uint64_t number;
	int r;

	if (REQUEST_HAS(request, cursor) &&
	    !answer_read_hex(request->cursor, cursor, sizeof(cursor))) {
		return call_refuse_argument(call, "cursor", "is not one of this method's");
	}
	if (REQUEST_HAS(request, org)) {
		r = call_named_org(call, request->org, &org);
		if (r != 0) {
			return r;
		}
	}
	number = load_be64(cursor);
	pack_write_map(call->out);
	pack_put_array(call->out, "requests");
	r = list_page(call, org, &number);
	pack_write_end(call->out);
	if (r == 0) {
		store_be64(cursor, number);
		answer_put_hex(call->out, "cursor", cursor, sizeof(cursor));
	}
	pack_write_end(call->out);
	return r < 0 ? r : 0;
}
