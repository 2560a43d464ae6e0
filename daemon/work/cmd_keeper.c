/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/lifecycle.h"
#include "daemon/work/answer.h"
#include "daemon/work/cmd.h"

/* keeper.set, keeper.list, keeper.waive, keeper.owe: what administrators do with keepers. */

#define OLDEST_EXAMINED_MAX 4096 /* removals looked at for the oldest that a keeper owes */

static uint64_t keeper_bit(const struct keeper *keeper)
{
	return UINT64_C(1) << (keeper->number - 1);
}

/* The oldest removal that waits for a keeper, if it stands among the first. */
static int put_oldest(struct call *call, const struct keeper *keeper)
{
	struct engine *engine = call->engine;
	struct due_position position = {0};
	struct account account;

	for (uint32_t i = 0; i < OLDEST_EXAMINED_MAX; i++) {
		int r = store_next_owed(engine->store, &position, &account);

		if (r < 0 || r == STORE_E_NONE) {
			return r < 0 ? r : 0;
		}
		if (r == 0 && (account.facts.owed & keeper_bit(keeper))) {
			answer_put_instant(call->out, "oldest_due_us",
					   lifecycle_removal_due_at(&account.facts, engine->now));
			pack_put_cstr(call->out, "sla",
				      account_sla_name(lifecycle_sla(&account.facts, engine->now)));
			return 0;
		}
	}
	return 0;
}

static void put_orgs(struct call *call, const struct keeper *keeper)
{
	if (keeper->n_orgs == 0) {
		return;
	}
	pack_put_array(call->out, "orgs");
	for (uint16_t i = 0; i < keeper->n_orgs; i++) {
		const struct org *org = store_org(call->engine->store, keeper->orgs[i]);

		pack_write_cstr(call->out, org ? org->id : "?");
	}
	pack_write_end(call->out);
}

/* What a keeper owes, and when it was heard of. One that a dry run would create has no number. */
static int put_duties(struct call *call, const struct keeper *keeper)
{
	const struct store_counts *counts = store_counts(call->engine->store);
	uint64_t n_owed = counts->n_owed[keeper->number - 1];
	uint32_t n_failing = call->engine->keeper_failing[keeper->number - 1];
	int r = 0;

	pack_put_uint(call->out, "owed", n_owed);
	if (n_owed > 0) {
		r = put_oldest(call, keeper);
	}
	if (n_failing > 0) {
		pack_put_uint(call->out, "failing", n_failing);
	}
	answer_put_instant(call->out, "last_seen_us",
			   call->engine->keeper_seen_at[keeper->number - 1]);
	return r;
}

static int put_keeper(struct call *call, const struct keeper *keeper)
{
	pack_put_cstr(call->out, "keeper", keeper->name);
	if (keeper->number > 0) {
		pack_put_uint(call->out, "number", keeper->number);
	}
	pack_put_bool(call->out, "enabled", keeper->enabled);
	put_orgs(call, keeper);
	return keeper->number > 0 ? put_duties(call, keeper) : 0;
}

/* Return: 0 or CALL_E_REFUSED. */
static int take_orgs(struct call *call, struct keeper *keeper)
{
	const struct pack_value *orgs = &call->request->orgs;

	keeper->n_orgs = 0;
	for (uint32_t i = 0; i < orgs->list.n; i++) {
		const struct org *org;
		int r = call_named_org(call, pack_array_at(orgs, i).text, &org);

		if (r != 0) {
			return r;
		}
		keeper->orgs[keeper->n_orgs++] = org->number;
	}
	return 0;
}

static bool keepers_differ(const struct keeper *a, const struct keeper *b)
{
	return a->enabled != b->enabled || a->n_orgs != b->n_orgs ||
	       memcmp(a->orgs, b->orgs, a->n_orgs * sizeof(*a->orgs)) != 0;
}

/* The removal of each account that is there will have a task more. */
static int ask_room_for_tasks(struct call *call)
{
	const struct store_counts *counts = store_counts(call->engine->store);
	uint64_t n = counts->n_active + counts->n_soft_deleted + counts->n_removing;

	return call_ask_bytes(call, sizeof(struct keeper) + n * STORE_RESERVE_TASK);
}

static int store_keeper_as(struct call *call, const struct keeper *known, struct keeper *keeper)
{
	int r;

	if (call->request->dry_run || (known && !keepers_differ(known, keeper))) {
		return 0;
	}
	r = known ? call_ask_room(call, 1) : ask_room_for_tasks(call);
	if (r != 0) {
		return r;
	}
	r = store_put_keeper(call->engine->store, keeper, &call->actor);
	return r == STORE_E_NONE ? call_refuse(call, ERROR_STORE_FULL,
					       "there are %d keepers already, as many as are kept",
					       MODEL_KEEPERS_MAX)
				 : r;
}

int cmd_keeper_set(struct call *call)
{
	const struct keeper *known =
		store_keeper_by_name(call->engine->store, call->request->keeper);
	struct keeper keeper = {.enabled = true};
	int r = 0;

	if (known) {
		keeper = *known;
	} else {
		memcpy(keeper.name, call->request->keeper.data, call->request->keeper.len);
	}
	if (REQUEST_HAS(call->request, enabled)) {
		keeper.enabled = call->request->enabled;
	}
	if (REQUEST_HAS(call->request, orgs)) {
		r = take_orgs(call, &keeper);
	}
	if (r == 0) {
		r = store_keeper_as(call, known, &keeper);
	}
	if (r != 0) {
		return r;
	}
	pack_write_map(call->out);
	pack_put_cstr(call->out, "outcome", outcome_code(OUTCOME_OK));
	pack_put_map(call->out, "keeper");
	r = put_keeper(call, &keeper);
	pack_write_end(call->out);
	pack_write_end(call->out);
	return r;
}

int cmd_keeper_list(struct call *call)
{
	uint8_t n = store_n_keepers(call->engine->store);
	int r = 0;

	pack_write_map(call->out);
	pack_put_array(call->out, "keepers");
	for (uint8_t number = 1; number <= n && r == 0; number++) {
		pack_write_map(call->out);
		r = put_keeper(call, store_keeper(call->engine->store, number));
		pack_write_end(call->out);
	}
	pack_write_end(call->out);
	pack_write_end(call->out);
	return r;
}

/* waive and owe: the same walk. */
struct keeper_change {
	enum lifecycle_command command;
	enum event event;
	struct particulars particulars;
};

/*
 * A task that was claimed before it was settled is nobody's now, and no token of that time is worth
 * anything. One that cannot be read begins anew.
 */
static int renew_task(struct store *store, uint8_t keeper, uint64_t uid)
{
	char error[MODEL_NOTE_LEN_MAX];
	struct task task;
	int r = store_get_task(store, keeper, uid, error, &task);

	if (r < 0 || (r == 0 && task.generation == 0)) {
		return r;
	}
	if (r > 0) {
		return store_drop_task(store, keeper, uid);
	}
	task = (struct task){.generation = task.generation, .lease_until = INSTANT_NONE};
	return store_put_task(store, keeper, uid, &task);
}

static int keep_change(struct call *call, const struct keeper_change *change,
		       struct account *account)
{
	struct store *store = call->engine->store;
	uint8_t keeper = change->particulars.keeper;
	int r = store_change_with(store, account, change->event, &change->particulars,
				  &call->actor);

	return r == 0 && change->command == LIFECYCLE_OWE ? renew_task(store, keeper, account->uid)
							  : r;
}

static int change_task(struct call *call, const struct item *item, struct account *account,
		       const void *data)
{
	const struct keeper_change *change = data;
	struct lifecycle_context context = call_context(call, account->org);
	struct lifecycle_verdict verdict;
	int r = 0;

	context.keeper = UINT64_C(1) << (change->particulars.keeper - 1);
	lifecycle_step(&account->facts, change->command, &context, call->engine->now, &verdict);
	account->facts = verdict.next;
	if (verdict.changed && !call->request->dry_run) {
		r = keep_change(call, change, account);
	}
	answer_put_changed(call->out, &verdict, account, ITEM_HAS(item, uid), call->engine->now);
	answer_put_waits(call->out, call->engine->store, &account->facts, call->engine->now);
	return r;
}

static int change_tasks(struct call *call, struct keeper_change *change)
{
	const struct keeper *keeper =
		store_keeper_by_name(call->engine->store, call->request->keeper);

	if (!keeper) {
		return call_refuse_keeper(call, call->request->keeper);
	}
	change->particulars.keeper = keeper->number;
	return call_each_account(call, change_task, change);
}

int cmd_keeper_waive(struct call *call)
{
	struct keeper_change change = {
		LIFECYCLE_SETTLE, EVENT_TASK_WAIVED, {.result = TASK_RESULT_WAIVED}};

	return change_tasks(call, &change);
}

int cmd_keeper_owe(struct call *call)
{
	struct keeper_change change = {LIFECYCLE_OWE, EVENT_TASK_OWED, {0}};
	int r = call_ask_room(call, call_items(call)->n);

	return r != 0 ? r : change_tasks(call, &change);
}
