/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/backoff.h"
#include "daemon/core/lifecycle.h"
#include "daemon/work/answer.h"
#include "daemon/work/cmd.h"
#include "daemon/work/token.h"

/*
 * keeper.claim, confirm, fail, extend: what keepers do. That a keeper owes an account is a bit in
 * the account's facts; a task gets a row of its own when it is claimed first. A claim raises the
 * task's generation, which fences every token given before. The row stays until the removal is
 * complete: a task that is settled and then owed again goes on from its generation.
 */

#define LEASE_DEFAULT (5 * SPAN_MINUTE)
#define TEXT_BYTES    (2 * (MODEL_NOTE_LEN_MAX + 256)) /* a text at its longest, on a page half full */
#define HISTORY_WALKED_MAX                                                                         \
	256 /* entries of one account looked through for a repeated confirmation */

static span_t lease_of(const struct call *call)
{
	return REQUEST_HAS(call->request, lease_us) ? MIN(call->request->lease_us, LEASE_MAX)
						    : LEASE_DEFAULT;
}

static bool task_is_leased(const struct task *task, instant_t now)
{
	return task->lease_until != INSTANT_NONE && now < task->lease_until;
}

/* Claim */

static void put_task(struct call *call, const struct keeper *keeper, const struct account *account,
		     const struct task *task)
{
	struct engine *engine = call->engine;
	const struct org *org = store_org(engine->store, account->org);
	const struct token token = {account->uid, keeper->number, task->generation};

	pack_write_map(call->out);
	token_put(call->out, "token", engine->store, &token);
	pack_put_uint(call->out, "uid", account->uid);
	pack_put_cstr(call->out, "org", org ? org->id : "");
	pack_put_text(call->out, "id", engine->profile.id);
	pack_put_text(call->out, "person", engine->profile.person);
	pack_put_text(call->out, "upn", engine->profile.upn);
	pack_put_text(call->out, "mail", engine->profile.mail);
	answer_put_instant(call->out, "due_us",
			   lifecycle_removal_due_at(&account->facts, engine->now));
	pack_put_int(call->out, "lease_until_us", task->lease_until);
	pack_put_uint(call->out, "attempt", task->generation);
	if (task->error.len > 0) {
		pack_put_text(call->out, "error", task->error);
	}
	pack_write_end(call->out);
}

/* Return: 0, STORE_E_NONE if it is not to be had now, STORE_E_CORRUPT, or a negative errno. */
static int claim_one(struct call *call, const struct keeper *keeper, const struct account *account)
{
	struct engine *engine = call->engine;
	char error[MODEL_NOTE_LEN_MAX];
	struct task task;
	int r = store_get_task(engine->store, keeper->number, account->uid, error, &task);

	if (r == 0 && (task_is_leased(&task, engine->now) || engine->now < task.next_at)) {
		return STORE_E_NONE;
	}
	if (r == 0) {
		r = store_get_profile(engine->store, account->uid, engine->buffer,
				      &engine->profile);
	}
	if (r != 0) {
		return r == STORE_E_NONE ? STORE_E_CORRUPT : r;
	}
	task.generation++;
	task.lease_until = MIN(engine->now + lease_of(call), INSTANT_MAX);
	r = store_put_task(engine->store, keeper->number, account->uid, &task);
	if (r == 0) {
		put_task(call, keeper, account, &task);
	}
	return r;
}

static bool position_is_behind(const struct due_position *a, const struct due_position *b)
{
	return a->at > b->at || (a->at == b->at && a->uid > b->uid);
}

static void begin_round(struct claim_round *round)
{
	if (round->open) {
		return;
	}
	round->began = round->at;
	round->from_front = round->at.uid == 0;
	round->open = true;
}

/* @r: of the step to @round->at. */
static bool round_ends(const struct claim_round *round, int r)
{
	return round->from_front &&
	       (r == STORE_E_NONE ||
		(round->began.uid != 0 && position_is_behind(&round->at, &round->began)));
}

/*
 * From where the keeper's last claim stopped, so that a long line of removals that wait for
 * others is not walked anew each time; from its end on to the front, where leases end and
 * failures come back; around once at most, so that an answer without more has seen all of it. A
 * round that finds nothing goes on over as many claims as it takes: else there would be more for
 * ever while everything the keeper owes is leased.
 */
static int claim_walk(struct call *call, const struct keeper *keeper, uint32_t max, bool *ret_more)
{
	struct engine *engine = call->engine;
	struct claim_round *round = &engine->claims[keeper->number - 1];
	uint32_t n_claimed = 0;

	begin_round(round);
	for (uint32_t i = 0;
	     i < CLAIM_EXAMINED_MAX && n_claimed < max && call->out->len < CLAIM_BYTES_MAX; i++) {
		struct account account;
		int r = store_next_owed(engine->store, &round->at, &account);

		if (r == STORE_E_NONE) {
			round->at = (struct due_position){0};
		}
		if (round_ends(round, r)) {
			round->open = false;
			*ret_more = false;
			return 0;
		}
		round->from_front = round->from_front || r == STORE_E_NONE;
		if (r == 0 && (account.facts.owed & UINT64_C(1) << (keeper->number - 1))) {
			r = claim_one(call, keeper, &account);
			n_claimed += r == 0;
		}
		if (r < 0) {
			return r;
		}
	}
	round->open = n_claimed == 0;
	*ret_more = true;
	return 0;
}

int cmd_keeper_claim(struct call *call)
{
	const struct keeper *keeper;
	uint32_t max = REQUEST_HAS(call->request, max) ? call->request->max : 100;
	bool more = false;
	int r = call_keeper(call, &keeper);

	if (r != 0) {
		return r;
	}
	pack_write_map(call->out);
	pack_put_array(call->out, "tasks");
	if (store_counts(call->engine->store)->n_owed[keeper->number - 1] > 0) {
		r = claim_walk(call, keeper, max, &more);
	}
	pack_write_end(call->out);
	pack_put_bool(call->out, "more", more);
	pack_write_end(call->out);
	return r;
}

/* Confirm, fail, extend: each item is fenced in the same way. */

struct fenced {
	struct token token;
	struct account account;
	struct task task;
	char error[MODEL_NOTE_LEN_MAX];
};

/* What became of a task that the keeper no longer owes. */
static int outcome_of_settled(struct call *call, const struct fenced *fenced,
			      enum task_result result, enum outcome *ret_outcome)
{
	uint64_t seq = fenced->account.last_seq;
	struct entry entry;

	*ret_outcome = OUTCOME_NOT_OWED;
	for (uint32_t i = 0; i < HISTORY_WALKED_MAX && seq != 0; i++) {
		int r = store_get_entry(call->engine->store, seq, &entry, NULL);

		if (r != 0) {
			return r < 0 ? r : 0;
		}
		if (entry.keeper == fenced->token.keeper && entry.result != 0) {
			bool stale = entry.event == EVENT_TASK_CONFIRMED &&
				     entry.generation != fenced->token.generation;

			*ret_outcome = stale                    ? OUTCOME_LEASE_EXPIRED
				       : entry.result == result ? OUTCOME_OK
								: OUTCOME_ALREADY_SETTLED;
			return 0;
		}
		seq = entry.prev_seq;
	}
	return 0;
}

/*
 * Whether a token still stands for its task. @result: what is confirmed with it, or 0.
 * @ret_settled: the confirmation has been made before, in the same words.
 */
static int fence(struct call *call, const struct keeper *keeper, const struct item *item,
		 struct fenced *fenced, enum outcome *ret_outcome, bool *ret_settled)
{
	struct store *store = call->engine->store;
	int r;

	*ret_settled = false;
	*ret_outcome = OUTCOME_TOKEN_UNKNOWN;
	if (!token_read(store, item->token, &fenced->token) ||
	    fenced->token.keeper != keeper->number) {
		return 0;
	}
	r = store_get_account(store, fenced->token.uid, &fenced->account);
	if (r != 0) {
		return r < 0 ? r : 0;
	}
	if (!(fenced->account.facts.owed & UINT64_C(1) << (keeper->number - 1))) {
		r = outcome_of_settled(call, fenced, item->result, ret_outcome);
		*ret_settled = *ret_outcome == OUTCOME_OK;
		return r;
	}
	r = store_get_task(store, keeper->number, fenced->token.uid, fenced->error, &fenced->task);
	if (r < 0) {
		return r;
	}
	*ret_outcome = r != 0 ? OUTCOME_DAMAGED
		       : fenced->task.generation == fenced->token.generation &&
				       task_is_leased(&fenced->task, call->engine->now)
			       ? OUTCOME_OK
			       : OUTCOME_LEASE_EXPIRED;
	return 0;
}

typedef int task_deed_fn(struct call *call, const struct item *item, struct fenced *fenced,
			 enum outcome *outcome);

/* Best said, but a removal must not wait for room to say it. */
static int text_with_room(struct call *call, struct slice text, struct slice *ret_text)
{
	bool room = true;
	int r = 0;

	if (text.len > STORE_TEXT_KEPT) {
		r = store_has_room(call->engine->store, TEXT_BYTES, &room);
	}
	*ret_text = room ? text : (struct slice){0};
	return r;
}

static int confirm(struct call *call, const struct item *item, struct fenced *fenced,
		   enum outcome *outcome)
{
	struct particulars particulars = {fenced->token.keeper, item->result,
					  fenced->token.generation, item->ground, 0};
	struct lifecycle_context context = {.keeper = UINT64_C(1) << (fenced->token.keeper - 1)};
	struct actor actor = call->actor;
	struct lifecycle_verdict verdict;
	int r;

	if (item->result == TASK_RESULT_RETAINED && item->ground.len == 0) {
		*outcome = OUTCOME_GROUND_MISSING;
		return 0;
	}
	if (item->result != TASK_RESULT_RETAINED) {
		particulars.ground = (struct slice){0};
	}
	lifecycle_step(&fenced->account.facts, LIFECYCLE_SETTLE, &context, call->engine->now,
		       &verdict);
	assert(verdict.changed); /* it was owed a moment ago */
	fenced->account.facts = verdict.next;
	call->engine->keeper_failing[fenced->token.keeper - 1] = 0;
	actor.note = (struct note){0};
	r = text_with_room(call, item->note, &actor.note.reason);
	return r < 0 ? r
		     : store_change_with(call->engine->store, &fenced->account,
					 EVENT_TASK_CONFIRMED, &particulars, &actor);
}

static int fail(struct call *call, const struct item *item, struct fenced *fenced,
		unused enum outcome *outcome)
{
	struct task *task = &fenced->task;
	span_t wait = ITEM_HAS(item, retry_after_us) ? item->retry_after_us
						     : backoff_after(task->generation);
	struct slice error;
	int r = text_with_room(call, item->error, &error);

	if (r < 0) {
		return r;
	}
	task->lease_until = INSTANT_NONE;
	task->next_at = MIN(call->engine->now + wait, INSTANT_MAX);
	if (error.len > 0) {
		task->error = error;
	}
	call->engine->keeper_failing[fenced->token.keeper - 1]++;
	pack_put_int(call->out, "retry_at_us", task->next_at);
	return store_put_task(call->engine->store, fenced->token.keeper, fenced->account.uid, task);
}

static int extend(struct call *call, unused const struct item *item, struct fenced *fenced,
		  unused enum outcome *outcome)
{
	struct task *task = &fenced->task;
	span_t lease = lease_of(call);

	task->lease_until = lease > 0 ? MIN(call->engine->now + lease, INSTANT_MAX) : INSTANT_NONE;
	answer_put_instant(call->out, "lease_until_us", task->lease_until);
	return store_put_task(call->engine->store, fenced->token.keeper, fenced->account.uid, task);
}

static int work_one(struct call *call, const struct keeper *keeper, const struct item *item,
		    task_deed_fn *deed)
{
	struct fenced fenced;
	enum outcome outcome;
	bool settled;
	int r = fence(call, keeper, item, &fenced, &outcome, &settled);

	if (r < 0) {
		return r;
	}
	call_begin_item(call, item);
	if (outcome == OUTCOME_OK && !settled) {
		r = deed(call, item, &fenced, &outcome);
	}
	answer_put_outcome(call->out, outcome, OUTCOME_BIT(outcome));
	if (outcome == OUTCOME_OK) {
		pack_put_uint(call->out, "uid", fenced.account.uid);
		pack_put_cstr(call->out, "state",
			      account_state_name(
				      lifecycle_state(&fenced.account.facts, call->engine->now)));
	}
	call_end_item(call);
	return r;
}

static int work_tasks(struct call *call, task_deed_fn *deed)
{
	const struct items *items = call_items(call);
	const struct keeper *keeper;
	int r = call_keeper(call, &keeper);

	if (r != 0) {
		return r;
	}
	call_begin_items(call);
	for (uint32_t i = 0; i < items->n && r == 0; i++) {
		r = work_one(call, keeper, &items->at[i], deed);
	}
	call_end_items(call);
	return r;
}

int cmd_keeper_confirm(struct call *call)
{
	return work_tasks(call, confirm);
}

int cmd_keeper_fail(struct call *call)
{
	return work_tasks(call, fail);
}

int cmd_keeper_extend(struct call *call)
{
	return work_tasks(call, extend);
}
