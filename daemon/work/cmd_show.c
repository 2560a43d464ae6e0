/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/lifecycle.h"
#include "daemon/work/answer.h"
#include "daemon/work/cmd.h"
#include "daemon/work/events.h"

/* account.get and account.explain: one account, whole. */

/*
 * The account that the arguments name, with its profile. Return: as call_find_account(), or
 * CALL_E_REFUSED.
 */
static int find_whole(struct call *call, struct account *ret_account,
		      const struct profile **ret_profile, enum outcome *ret_outcome)
{
	struct engine *engine = call->engine;
	int r = call_named_account(call, ret_account, ret_outcome);

	if (r != 0 || *ret_outcome != OUTCOME_OK) {
		return r;
	}
	r = store_get_profile(engine->store, ret_account->uid, engine->buffer, &engine->profile);
	if (r == STORE_E_CORRUPT) {
		*ret_outcome = OUTCOME_DAMAGED;
	}
	*ret_profile = r == 0 ? &engine->profile : NULL;
	return r < 0 ? r : 0;
}

static int put_account(struct call *call, const struct account *account,
		       const struct profile *profile)
{
	int r;

	pack_put_map(call->out, "account");
	answer_put_account(call->out, store_org(call->engine->store, account->org), account,
			   profile, true, call->engine->now);
	answer_put_waits(call->out, call->engine->store, &account->facts, call->engine->now);
	r = answer_put_staged(call->out, call->engine, account);
	pack_write_end(call->out);
	return r;
}

int cmd_account_get(struct call *call)
{
	const struct profile *profile;
	struct account account;
	enum outcome outcome;
	int r = find_whole(call, &account, &profile, &outcome);

	if (r != 0) {
		return r;
	}
	pack_write_map(call->out);
	answer_put_outcome(call->out, outcome, OUTCOME_BIT(outcome));
	if (outcome == OUTCOME_OK) {
		r = put_account(call, &account, profile);
	}
	pack_write_end(call->out);
	return r;
}

/* What the clock does next, and when: the end of the window, or the removal and its deadline. */
static void put_next(struct call *call, const struct account *account)
{
	static const char *const actions[] = {
		[LIFECYCLE_ACTION_NONE] = "none",
		[LIFECYCLE_ACTION_START_REMOVAL] = "start-removal",
		[LIFECYCLE_ACTION_MARK_OVERDUE] = "await-keepers",
		[LIFECYCLE_ACTION_COMPLETE_REMOVAL] = "complete-removal",
	};
	instant_t at;
	enum lifecycle_action action = lifecycle_next(&account->facts, &at);

	pack_put_map(call->out, "next");
	if (guarding_holds_removal(call->engine, account)) {
		pack_put_cstr(call->out, "action", "await-guard"); /* since then */
		answer_put_instant(call->out, "at_us", at);
	} else if (at == INSTANT_MAX) {
		pack_put_cstr(call->out, "action", "await-release"); /* of a hold without an end */
	} else {
		pack_put_cstr(call->out, "action", actions[action]);
		answer_put_instant(call->out, "at_us", at);
	}
	answer_put_instant(call->out, "due_us",
			   lifecycle_removal_due_at(&account->facts, call->engine->now));
	pack_write_end(call->out);
}

/* Where one keeper stands. What is past is left out. Return: 0 or a negative errno. */
static int put_task(struct call *call, uint8_t number, uint64_t uid)
{
	struct engine *engine = call->engine;
	const struct keeper *keeper = store_keeper(engine->store, number);
	char error[MODEL_NOTE_LEN_MAX];
	struct task task;
	int r = store_get_task(engine->store, number, uid, error, &task);

	pack_write_map(call->out);
	pack_put_cstr(call->out, "keeper", keeper ? keeper->name : "?");
	if (r == 0) {
		pack_put_uint(call->out, "attempts", task.generation);
		if (engine->now < task.lease_until) {
			pack_put_int(call->out, "lease_until_us", task.lease_until);
		}
		if (engine->now < task.next_at) {
			pack_put_int(call->out, "next_at_us", task.next_at);
		}
		if (task.error.len > 0) {
			pack_put_text(call->out, "error", task.error);
		}
	}
	pack_write_end(call->out);
	return r < 0 ? r : 0; /* one that is damaged is named alone */
}

static int put_tasks(struct call *call, const struct account *account)
{
	int r = 0;

	if (account->facts.owed == 0) {
		return 0;
	}
	pack_put_array(call->out, "tasks");
	for (uint64_t owed = account->facts.owed; owed != 0 && r == 0; owed &= owed - 1) {
		r = put_task(call, (uint8_t)(__builtin_ctzll(owed) + 1), account->uid);
	}
	pack_write_end(call->out);
	return r;
}

static bool is_guarded(enum lifecycle_command command)
{
	return command == LIFECYCLE_LEAVE || command == LIFECYCLE_REMOVE ||
	       command == LIFECYCLE_PURGE;
}

static int put_may(struct call *call, const struct account *account)
{
	static const struct {
		enum lifecycle_command command;
		const char *name;
	} commands[] = {
		{LIFECYCLE_LEAVE, "leave"},     {LIFECYCLE_REMOVE, "remove"},
		{LIFECYCLE_RESTORE, "restore"}, {LIFECYCLE_PURGE, "purge"},
		{LIFECYCLE_DISABLE, "disable"}, {LIFECYCLE_ENABLE, "enable"},
	};
	struct lifecycle_context context = call_context(call, account->org);
	int r = store_name_taken(call->engine->store, account, (struct slice){0},
				 &context.name_taken);

	if (r != 0) {
		return r;
	}
	pack_put_array(call->out, "may");
	for (size_t i = 0; i < ARRAY_LEN(commands); ++i) {
		struct lifecycle_verdict verdict;

		lifecycle_step(&account->facts, commands[i].command, &context, call->engine->now,
			       &verdict);
		if (is_guarded(commands[i].command) &&
		    guarding_would_stage(call->engine, account, &verdict)) {
			verdict.outcome = OUTCOME_STAGED;
			verdict.reasons = OUTCOME_BIT(OUTCOME_STAGED);
		}
		pack_write_map(call->out);
		pack_put_cstr(call->out, "command", commands[i].name);
		answer_put_outcome(call->out, verdict.outcome, verdict.reasons);
		pack_write_end(call->out);
	}
	pack_write_end(call->out);
	return 0;
}

static int put_history_entry(struct call *call, const struct entry *entry)
{
	int r;

	pack_write_map(call->out);
	pack_put_uint(call->out, "seq", entry->seq);
	pack_put_int(call->out, "at_us", entry->at);
	pack_put_cstr(call->out, "event", event_name(entry->event));
	pack_put_cstr(call->out, "role", role_name(entry->actor_role));
	pack_put_uint(call->out, "actor_uid", entry->actor_uid);
	events_put_particulars(call->out, call->engine->store, entry);
	r = answer_put_note(call->out, call->engine, entry);
	pack_write_end(call->out);
	return r;
}

/*
 * The account's newest entries, and before each the decision on the mass guard that it is due to: who
 * released or discarded so many at once, and why, is told once for all of them. Numbers fall.
 */
static int find_history(struct store *store, uint64_t seq, uint64_t seqs[EXPLAIN_HISTORY_MAX],
			uint32_t *ret_n)
{
	struct entry entry;
	uint32_t n = 0;
	int r = 0;

	while (seq != 0 && n < EXPLAIN_HISTORY_MAX && r == 0) {
		r = store_get_entry(store, seq, &entry, NULL);
		if (r != 0) {
			return r;
		}
		seqs[n++] = seq;
		if (entry.decision != 0 && n < EXPLAIN_HISTORY_MAX) {
			seqs[n++] = entry.decision;
		}
		seq = entry.prev_seq < seq ? entry.prev_seq : 0;
	}
	*ret_n = n;
	return 0;
}

/* The ledger leads backwards; people read forwards. */
static int put_history(struct call *call, const struct account *account)
{
	struct store *store = call->engine->store;
	uint64_t seqs[EXPLAIN_HISTORY_MAX];
	struct entry entry;
	uint32_t n = 0;
	int r = find_history(store, account->last_seq, seqs, &n);

	pack_put_array(call->out, "history");
	while (n > 0 && r == 0) {
		r = store_get_entry(store, seqs[--n], &entry, NULL);
		if (r == 0) {
			r = put_history_entry(call, &entry);
		}
	}
	pack_write_end(call->out);
	return r;
}

static int put_explanation(struct call *call, const struct account *account,
			   const struct profile *profile)
{
	int r = put_account(call, account,
			    profile); /* first: the history uses the profile's room */

	answer_put_clock(call->out, call->engine);
	put_next(call, account);
	r = r != 0 ? r : put_tasks(call, account);
	answer_put_contact(call->out, store_org(call->engine->store, account->org));
	r = r != 0 ? r : put_may(call, account);
	return r != 0 ? r : put_history(call, account);
}

int cmd_account_explain(struct call *call)
{
	const struct profile *profile;
	struct account account;
	enum outcome outcome;
	int r = find_whole(call, &account, &profile, &outcome);

	if (r != 0) {
		return r;
	}
	pack_write_map(call->out);
	answer_put_outcome(call->out, outcome, OUTCOME_BIT(outcome));
	if (outcome == OUTCOME_OK) {
		r = put_explanation(call, &account, profile);
	}
	pack_write_end(call->out);
	return r > 0 ? call_refuse_damaged(call, "the account's history") : r;
}
