/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/work/decisions.h"

#include "daemon/store/staged.h"
#include "daemon/work/engine.h"
#include "daemon/work/log.h"

/* The next organization with something to carry out; 0 if there is none. */
static uint32_t find_decided(const struct store *store)
{
	for (uint32_t org = 1; org <= store_n_orgs(store); org++) {
		if (guard_n_decided(&store_guard(store, org)->guard) > 0) {
			return org;
		}
	}
	return 0;
}

/* Who asked, with what they said, at the time of now. */
static int find_actor(struct engine *engine, const struct staged *staged, struct actor *actor)
{
	int r = store_get_note(engine->store, staged->uid, staged->seq, engine->buffer,
			       &actor->note);

	actor->role = staged->actor_role;
	actor->uid = staged->actor_uid;
	actor->at = engine->now;
	actor->decision = store_guard(engine->store, staged->org)->decided_seq;
	if (r != 0) {
		actor->note = (struct note){0}; /* none was given, or it is damaged */
	}
	return MIN(r, 0);
}

/*
 * A soft-deletion was released, and it would be the end: the account is a direct connect user's by now,
 * or the hold is gone that kept it. Who released it has not seen that.
 */
static bool is_irrevocable_now(const struct staged *staged, const struct lifecycle_verdict *verdict)
{
	return verdict->changed && staged->kind == GUARD_KIND_DELETION &&
	       verdict->next.removal_started_at != INSTANT_NONE;
}

static int stage_again(struct engine *engine, const struct staged *staged, struct account *account,
		       const struct actor *actor)
{
	const struct staged asked = {
		.kind = GUARD_KIND_PURGE, .event = staged->event, .request = staged->request};

	return guarding_stage(engine, account, &asked, actor);
}

/* A person who was allowed to leave leaves, whatever the organization decided since. */
static int carry_out(struct engine *engine, const struct staged *staged, struct account *account)
{
	struct lifecycle_context context = {
		.policy = &store_org(engine->store, account->org)->policy,
		.keepers = store_keepers_of(engine->store, account->org),
	};
	bool purges = staged->event == EVENT_PURGED;
	struct lifecycle_verdict verdict;
	struct actor actor;
	int r = find_actor(engine, staged, &actor);

	if (r < 0) {
		return r;
	}
	lifecycle_step(&account->facts, purges ? LIFECYCLE_PURGE : LIFECYCLE_REMOVE, &context,
		       engine->now, &verdict);
	if (is_irrevocable_now(staged, &verdict)) {
		return stage_again(engine, staged, account, &actor);
	}
	account->facts = verdict.next;
	if (verdict.changed) {
		return store_change(engine->store, account, staged->event, &actor);
	}
	if (verdict.outcome == OUTCOME_HELD) {
		r = store_change(engine->store, account, EVENT_BLOCKED, &actor);
	}
	return r == 0 ? store_drop_staged(engine->store, staged) : r;
}

/*
 * The person's request is open again, with the deadline that it had, unless something else has become
 * of it or another one stands in its place.
 */
static int reopen(struct engine *engine, const struct staged *staged, struct account *account,
		  const struct actor *actor)
{
	const struct particulars particulars = {.request = staged->request};
	struct removal_request request;
	int r = store_get_request(engine->store, staged->request, &request);

	if (r != 0 || request.uid != account->uid || request.state != REQUEST_STATE_APPROVED ||
	    account->open_request != 0) {
		return MIN(r, 0);
	}
	request.state = REQUEST_STATE_OPEN;
	request.decided_at = INSTANT_NONE;
	request.decided_seq = 0;
	r = store_change_with(engine->store, account, EVENT_REQUEST_REOPENED, &particulars, actor);
	if (r == 0) {
		r = store_put_request(engine->store, &request);
	}
	deadlines_look_from(&engine->deadlines, request.number);
	return r;
}

/* By whoever discarded all of them. */
int decisions_discard(struct engine *engine, const struct staged *staged, struct account *account)
{
	const struct guard_row *row = store_guard(engine->store, staged->org);
	struct actor actor = {.role = ROLE_DAEMON, .at = engine->now, .decision = row->decided_seq};
	struct entry decision;
	int r = store_get_entry(engine->store, row->decided_seq, &decision, NULL);

	if (r == 0) {
		actor.role = decision.actor_role;
		actor.uid = decision.actor_uid;
	}
	if (r >= 0) {
		r = store_change(engine->store, account, EVENT_DISCARDED, &actor);
	}
	if (r == 0 && staged->request != 0) {
		r = reopen(engine, staged, account, &actor);
	}
	return r == 0 ? store_drop_staged(engine->store, staged) : r;
}

static int decide(struct engine *engine, const struct staged *staged)
{
	const struct guard_row *row = store_guard(engine->store, staged->org);
	struct account account;
	int r;

	if (!store_staged_is_decided(engine->store, staged)) {
		return 0; /* held back since, or on */
	}
	r = store_get_account(engine->store, staged->uid, &account);
	if (r != 0) {
		return r < 0 ? r : store_drop_staged(engine->store, staged);
	}
	return row->discards ? decisions_discard(engine, staged, &account)
			     : carry_out(engine, staged, &account);
}

/* A row that is damaged is passed over; where the walk itself cannot go on, it ends. */
static bool is_walk_damaged(const struct engine *engine, uint64_t uid_before, int r)
{
	if (r != STORE_E_CORRUPT) {
		return false;
	}
	log_say(LOG_LEVEL_ERROR,
		"a command that the mass guard of %s held back cannot be read, and is not carried "
		"out; run retentionctl verify",
		store_org(engine->store, engine->guarding.org)->id);
	return engine->guarding.uid == uid_before;
}

int decisions_carry_out_next(struct engine *engine)
{
	struct guarding *guarding = &engine->guarding;
	uint64_t uid_before;
	struct staged staged;
	int r;

	if (guarding->org == 0) {
		guarding->org = find_decided(engine->store);
		guarding->uid = 0;
		guarding->busy = guarding->org != 0;
	}
	if (!guarding->busy) {
		return 0;
	}
	uid_before = guarding->uid;
	r = store_next_staged(engine->store, guarding->org, &guarding->uid, &staged);
	if (r == STORE_E_NONE || is_walk_damaged(engine, uid_before, r)) {
		r = store_end_staged(engine->store, guarding->org);
		guarding->org = 0;
		return r;
	}
	return r == 0 ? decide(engine, &staged) : MIN(r, 0);
}
