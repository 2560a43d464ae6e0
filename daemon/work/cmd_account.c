/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/lifecycle.h"
#include "daemon/work/answer.h"
#include "daemon/work/cmd.h"

/*
 * leave, remove, restore, purge, disable, enable: the same walk for each, and the lifecycle
 * decides.
 */

struct change {
	enum lifecycle_command command;
	enum event event;
};

/* Return: 0, STORE_E_CORRUPT, or a negative errno. */
static int judge(struct call *call, const struct change *change, const struct item *item,
		 const struct account *account, struct lifecycle_verdict *ret_verdict)
{
	struct store *store = call->engine->store;
	struct lifecycle_context context = call_context(call, account->org);

	if (change->command == LIFECYCLE_RESTORE) {
		int r = store_name_taken(store, account, item->new_upn, &context.name_taken);

		if (r != 0) {
			return r;
		}
	}
	lifecycle_step(&account->facts, change->command, &context, call->engine->now, ret_verdict);
	return 0;
}

/*
 * The new UPN goes into the profile first, while the account is still soft-deleted; both are in
 * one commit.
 */
static int rename_account(struct call *call, struct account *account, struct slice new_upn)
{
	struct engine *engine = call->engine;
	int r = store_get_profile(engine->store, account->uid, engine->buffer, &engine->profile);

	if (r != 0) {
		return r < 0 ? r : STORE_E_CORRUPT;
	}
	engine->profile.upn = new_upn;
	return store_import(engine->store, account, &engine->profile, EVENT_UPDATED, &call->actor);
}

static bool is_guarded(const struct change *change)
{
	return change->command == LIFECYCLE_LEAVE || change->command == LIFECYCLE_REMOVE ||
	       change->command == LIFECYCLE_PURGE;
}

/* What the mass guard holds back is answered with that, and the account stays as it is. */
static int guard(struct call *call, const struct change *change, struct account *account,
		 struct lifecycle_verdict *verdict)
{
	bool staged;
	int r;

	if (!verdict->changed || !is_guarded(change)) {
		return 0;
	}
	r = guarding_judge(call, account, verdict, change->event, 0, &staged);
	if (r == 0 && staged) {
		*verdict = (struct lifecycle_verdict){
			.outcome = OUTCOME_STAGED,
			.reasons = OUTCOME_BIT(OUTCOME_STAGED),
			.next = account->facts,
		};
	}
	return r;
}

/* Return: 0, STORE_E_CORRUPT with nothing changed, or a negative errno. */
static int apply(struct call *call, const struct change *change, const struct item *item,
		 const struct lifecycle_verdict *verdict, struct account *account)
{
	if (call->request->dry_run || !verdict->changed) {
		account->facts = verdict->next;
		return 0;
	}
	if (change->command == LIFECYCLE_RESTORE && item->new_upn.len > 0) {
		int r = rename_account(call, account, item->new_upn);

		if (r != 0) {
			return r;
		}
	}
	account->facts = verdict->next;
	return store_change(call->engine->store, account, change->event, &call->actor);
}

static void put_changed(struct call *call, const struct item *item, const struct account *account,
			const struct lifecycle_verdict *verdict)
{
	answer_put_outcome(call->out, verdict->outcome, verdict->reasons);
	if (verdict->outcome != OUTCOME_OK && call->out->len < ANSWER_CONTACTS_MAX) {
		answer_put_contact(call->out, store_org(call->engine->store, account->org));
	}
	if (ITEM_HAS(item, uid)) {
		pack_put_cstr(call->out, "org", store_org(call->engine->store, account->org)->id);
	} else {
		pack_put_uint(call->out, "uid", account->uid);
	}
	answer_put_dates(call->out, &account->facts, call->engine->now);
}

/* Whoever asks without end to purge what is held must not fill what is kept for deletions. */
static bool may_note(struct call *call)
{
	bool room;

	return !call->request->dry_run && store_has_room(call->engine->store, 0, &room) == 0 &&
	       room;
}

static int change_account(struct call *call, const struct item *item, struct account *account,
			  const void *context)
{
	const struct change *change = context;
	struct lifecycle_verdict verdict;
	int r = judge(call, change, item, account, &verdict);

	if (r == 0) {
		r = guard(call, change, account, &verdict);
	}
	if (r == 0) {
		r = apply(call, change, item, &verdict, account);
	}
	if (r == 0 && verdict.outcome == OUTCOME_HELD && may_note(call)) {
		r = store_change(call->engine->store, account, EVENT_BLOCKED, &call->actor);
	}
	if (r == 0) {
		put_changed(call, item, account, &verdict);
	}
	return r;
}

static int change_accounts(struct call *call, enum lifecycle_command command, enum event event)
{
	const struct change change = {command, event};

	return call_each_account(call, change_account, &change);
}

int cmd_account_leave(struct call *call)
{
	return change_accounts(call, LIFECYCLE_LEAVE, EVENT_LEFT);
}

int cmd_account_remove(struct call *call)
{
	return change_accounts(call, LIFECYCLE_REMOVE, EVENT_DELETED);
}

int cmd_account_restore(struct call *call)
{
	int r = call_ask_room(call, call_items(call)->n);

	return r != 0 ? r : change_accounts(call, LIFECYCLE_RESTORE, EVENT_RESTORED);
}

int cmd_account_purge(struct call *call)
{
	return change_accounts(call, LIFECYCLE_PURGE, EVENT_PURGED);
}

int cmd_account_disable(struct call *call)
{
	int r = call_ask_room(call, call_items(call)->n);

	return r != 0 ? r : change_accounts(call, LIFECYCLE_DISABLE, EVENT_DISABLED);
}

int cmd_account_enable(struct call *call)
{
	int r = call_ask_room(call, call_items(call)->n);

	return r != 0 ? r : change_accounts(call, LIFECYCLE_ENABLE, EVENT_ENABLED);
}
