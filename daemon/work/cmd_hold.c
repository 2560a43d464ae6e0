/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/lifecycle.h"
#include "daemon/work/answer.h"
#include "daemon/work/cmd.h"

/*
 * hold.add, hold.remove, hold.list. What holds mean together is one fact of the account: the end
 * of the longest. A hold that has ended by itself stands no more: its row is dropped when the next
 * one is added, or with the account.
 */

static bool hold_stands(const struct hold *hold, instant_t now)
{
	return now < hold->until; /* without an end: INSTANT_MAX */
}

/* The end of the longest hold on an account but for one, and how many others stand. */
static int others_held_until(struct store *store, uint64_t uid, struct slice but, instant_t now,
			     instant_t *ret_until, uint32_t *ret_n)
{
	uint8_t position[ROWS_HASH_LEN] = {0}, buffer[ROWS_HOLD_LEN_MAX];
	instant_t until = INSTANT_NONE;
	struct hold hold;
	uint32_t n = 0;
	int r;

	while ((r = store_next_hold(store, uid, position, buffer, &hold)) == 0) {
		if (!slice_equal(hold.name, but) && hold_stands(&hold, now)) {
			until = MAX(until, hold.until);
			n++;
		}
	}
	*ret_until = until;
	*ret_n = n;
	return r == STORE_E_NONE ? 0 : r;
}

/* What adding and removing have in common. */
struct hold_change {
	enum lifecycle_command command;
	enum event event;
	bool adds;
};

/* Return: the outcome that stands against it, or OUTCOME_OK. */
static enum outcome change_fault(const struct hold_change *change, bool stands, uint32_t n_others)
{
	if (change->adds && stands) {
		return OUTCOME_HOLD_EXISTS;
	}
	if (change->adds && n_others >= MODEL_HOLDS_MAX) {
		return OUTCOME_TOO_MANY_HOLDS;
	}
	return !change->adds && !stands ? OUTCOME_HOLD_NOT_FOUND : OUTCOME_OK;
}

static int drop_ended(struct store *store, uint64_t uid, instant_t now)
{
	uint8_t position[ROWS_HASH_LEN] = {0}, buffer[ROWS_HOLD_LEN_MAX];
	struct hold hold;
	int r;

	while ((r = store_next_hold(store, uid, position, buffer, &hold)) == 0) {
		if (!hold_stands(&hold, now)) {
			r = store_drop_hold(store, uid, hold.name);
		}
		if (r < 0) {
			return r;
		}
	}
	return r == STORE_E_NONE ? 0 : r;
}

static int keep_hold(struct call *call, const struct hold_change *change, uint64_t uid,
		     instant_t until)
{
	const struct hold hold = {
		.name = call->request->hold,
		.reason = call->request->reason,
		.added_at = call->engine->now,
		.until = until,
	};

	struct store *store = call->engine->store;
	int r;

	if (!change->adds) {
		return store_drop_hold(store, uid, hold.name);
	}
	r = drop_ended(store, uid, hold.added_at);
	return r != 0 ? r : store_put_hold(store, uid, &hold);
}

static bool starts_removal(const struct account *account, const struct lifecycle_verdict *verdict)
{
	return account->facts.removal_started_at == INSTANT_NONE &&
	       verdict->next.removal_started_at != INSTANT_NONE;
}

/*
 * Whoever releases the holds of many must not start more removals than the clock may. The hold goes
 * all the same; what the mass guard then holds back, the sweep finds where it stands.
 */
static int guard(struct call *call, const struct account *account,
		 struct lifecycle_context *context, struct lifecycle_verdict *verdict)
{
	int r = 0;

	if (!starts_removal(account, verdict)) {
		return 0;
	}
	if (call->request->dry_run) {
		context->guarded = guarding_would_hold_removal(call, account);
	} else {
		r = guarding_judge_removal(call->engine, account, &context->guarded);
	}
	if (r == 0 && context->guarded) {
		lifecycle_step(&account->facts, LIFECYCLE_RELEASE, context, call->engine->now,
			       verdict);
	}
	return r;
}

/*
 * @ret_guarded: the mass guard holds back the removal that would start.
 *
 * Return: 0, STORE_E_CORRUPT, or a negative errno.
 */
static int judge(struct call *call, const struct hold_change *change, const struct account *account,
		 instant_t until, struct lifecycle_verdict *ret_verdict, bool *ret_guarded)
{
	struct store *store = call->engine->store;
	struct lifecycle_context context = call_context(call, account->org);
	uint8_t buffer[ROWS_HOLD_LEN_MAX];
	struct hold hold;
	enum outcome fault;
	uint32_t n_others;
	bool has_key = false;
	int found = store_get_hold(store, account->uid, call->request->hold, buffer, &hold);
	int r = others_held_until(store, account->uid, call->request->hold, call->engine->now,
				  &context.held_until, &n_others);

	if (r == 0) {
		r = store_has_key(store, account->uid, &has_key);
	}
	if (r == 0 && !has_key && account->facts.removed_at == INSTANT_NONE) {
		return STORE_E_CORRUPT; /* the vault is damaged there: nothing can be sealed */
	}
	if (r != 0 || (found != 0 && found != STORE_E_NONE)) {
		return r != 0 ? r : found;
	}
	if (change->adds) {
		context.held_until = MAX(context.held_until, until);
	}
	lifecycle_step(&account->facts, change->command, &context, call->engine->now, ret_verdict);
	fault = change_fault(change, found == 0 && hold_stands(&hold, call->engine->now), n_others);
	if (ret_verdict->outcome == OUTCOME_OK && fault != OUTCOME_OK) {
		*ret_verdict = (struct lifecycle_verdict){
			.outcome = fault, .reasons = OUTCOME_BIT(fault), .next = account->facts};
	}
	r = guard(call, account, &context, ret_verdict);
	if (r == 0) {
		*ret_guarded = context.guarded;
	}
	return r;
}

static int change_hold(struct call *call, const struct item *item, struct account *account,
		       const void *context)
{
	const struct hold_change *change = context;
	instant_t until =
		REQUEST_HAS(call->request, until_us) ? call->request->until_us : INSTANT_MAX;
	struct lifecycle_verdict verdict;
	bool guarded = false;
	int r = judge(call, change, account, until, &verdict, &guarded);

	if (r != 0) {
		return r;
	}
	account->facts = verdict.next;
	if (verdict.outcome == OUTCOME_OK && !call->request->dry_run) {
		r = store_change(call->engine->store, account, change->event, &call->actor);
		if (r == 0) {
			r = keep_hold(call, change, account->uid, until);
		}
	}
	if (r == 0) {
		answer_put_changed(call->out, &verdict, account, ITEM_HAS(item, uid),
				   call->engine->now);
		answer_put_waits(call->out, call->engine->store, &account->facts,
				 call->engine->now);
	}
	if (r == 0 && guarded) {
		pack_put_cstr(call->out, "staged", "removal"); /* as account.get tells it */
	}
	return r;
}

int cmd_hold_add(struct call *call)
{
	const struct hold_change change = {LIFECYCLE_HOLD, EVENT_HOLD_ADDED, true};
	int r;

	if (REQUEST_HAS(call->request, until_us) && call->request->until_us <= call->engine->now) {
		return call_refuse_argument(call, "until_us", "lies in the past");
	}
	r = call_ask_room(call, call_items(call)->n);
	return r != 0 ? r : call_each_account(call, change_hold, &change);
}

int cmd_hold_remove(struct call *call)
{
	const struct hold_change change = {LIFECYCLE_RELEASE, EVENT_HOLD_REMOVED, false};

	return call_each_account(call, change_hold, &change);
}

static void put_hold(struct pack_writer *out, const struct hold *hold)
{
	pack_write_map(out);
	pack_put_text(out, "hold", hold->name);
	if (hold->reason.len > 0) {
		pack_put_text(out, "reason", hold->reason);
	}
	pack_put_int(out, "added_at_us", hold->added_at);
	if (hold->until != INSTANT_MAX) {
		pack_put_int(out, "until_us", hold->until);
	}
	pack_write_end(out);
}

static int put_holds(struct call *call, uint64_t uid)
{
	uint8_t position[ROWS_HASH_LEN] = {0}, buffer[ROWS_HOLD_LEN_MAX];
	struct hold hold;
	int r;

	pack_put_array(call->out, "holds");
	while ((r = store_next_hold(call->engine->store, uid, position, buffer, &hold)) == 0) {
		if (hold_stands(&hold, call->engine->now)) {
			put_hold(call->out, &hold);
		}
	}
	pack_write_end(call->out);
	return r == STORE_E_NONE ? 0 : r;
}

int cmd_hold_list(struct call *call)
{
	struct account account;
	enum outcome outcome;
	int r = call_named_account(call, &account, &outcome);

	if (r != 0) {
		return r;
	}
	pack_write_map(call->out);
	answer_put_outcome(call->out, outcome, OUTCOME_BIT(outcome));
	if (outcome == OUTCOME_OK) {
		r = put_holds(call, account.uid);
	}
	pack_write_end(call->out);
	return r > 0 ? call_refuse_damaged(call, "a hold of this account") : r;
}
