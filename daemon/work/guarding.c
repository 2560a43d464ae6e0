/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/work/guarding.h"

#include <stdio.h>

#include "daemon/store/early.h"
#include "daemon/store/staged.h"
#include "daemon/work/call.h"
#include "daemon/work/engine.h"
#include "daemon/work/log.h"

void guarding_init(struct guarding *guarding)
{
	*guarding = (struct guarding){.busy = true, .holds = true, .told_at = INSTANT_NONE};
}

void guarding_done(struct guarding *guarding)
{
	free(guarding->orgs);
}

/* Without memory for it nothing is lost but a count: NULL. */
static struct guarded *guarded_of(struct engine *engine, uint32_t org)
{
	struct guarding *guarding = &engine->guarding;
	uint32_t n = store_n_orgs(engine->store);
	struct guarded *orgs;

	if (org <= guarding->n_orgs) {
		return &guarding->orgs[org - 1];
	}
	orgs = reallocarray(guarding->orgs, n, sizeof(*orgs));
	if (!orgs) {
		return NULL;
	}
	memset(orgs + guarding->n_orgs, 0, (n - guarding->n_orgs) * sizeof(*orgs));
	guarding->orgs = orgs;
	guarding->n_orgs = n;
	return &orgs[org - 1];
}

static void tell_engaged(struct engine *engine, uint32_t number, enum guard_kind kind)
{
	const struct org *org = store_org(engine->store, number);
	const struct mass_guard *guard = &store_guard(engine->store, number)->guard;
	unsigned long long done = guard_done(guard, kind, engine->now);
	char count[24];
	const struct log_field fields[] = {{"MESSAGE_ID", LOG_MASS_GUARD_ID},
					   {"RETENTIOND_ORG", org->id},
					   {"RETENTIOND_DONE", count}};

	(void)snprintf(count, sizeof(count), "%llu", done);
	log_say_fields(
		LOG_LEVEL_CRITICAL, fields, ARRAY_LEN(fields),
		"the mass guard of %s is engaged: %s %s in 24 h are as many as it lets pass. "
		"What goes beyond is held back until somebody decides: look with retentionctl "
		"guards --org=%s and retentionctl list --org=%s %s",
		org->id, count, guard_kind_name(kind), org->id, org->id,
		kind == GUARD_KIND_SWEEP ? "--state=removing" : "--staged");
}

/* Commands */

static enum guard_kind kind_of(const struct account *account,
			       const struct lifecycle_verdict *verdict)
{
	return verdict->next.removal_started_at != account->facts.removal_started_at
		       ? GUARD_KIND_PURGE
		       : GUARD_KIND_DELETION;
}

static uint64_t left_of(struct engine *engine, uint32_t org, enum guard_kind kind)
{
	return guard_left(&store_guard(engine->store, org)->guard,
			  &store_org(engine->store, org)->policy, kind, engine->now);
}

/* In a dry run nothing is counted by the store. Every request has a number. */
static bool plan_passes(struct call *call, uint32_t org, enum guard_kind kind)
{
	struct engine *engine = call->engine;
	struct guarded *guarded = guarded_of(engine, org);

	if (!guarded) {
		return true;
	}
	if (guarded->plan != engine->meters.n_requests) {
		guarded->plan = engine->meters.n_requests;
		memset(guarded->n_planned, 0, sizeof(guarded->n_planned));
	}
	if (guarded->n_planned[kind] >= left_of(engine, org, kind)) {
		return false;
	}
	guarded->n_planned[kind]++;
	return true;
}

static int stage(struct call *call, struct account *account, enum guard_kind kind, enum event event)
{
	struct engine *engine = call->engine;
	struct staged staged;
	int r = store_get_staged(engine->store, account, &staged);

	if (r != STORE_E_NONE) {
		return r;
	}
	if (!guard_is_engaged(&store_guard(engine->store, account->org)->guard, kind)) {
		tell_engaged(engine, account->org, kind);
	}
	return store_stage(engine->store, account, kind, event, &call->actor);
}

int guarding_judge(struct call *call, struct account *account,
		   const struct lifecycle_verdict *verdict, enum event event, bool *ret_staged)
{
	enum guard_kind kind = kind_of(account, verdict);

	if (call->request->dry_run) {
		*ret_staged = !plan_passes(call, account->org, kind);
		return 0;
	}
	*ret_staged = left_of(call->engine, account->org, kind) == 0;
	return *ret_staged ? stage(call, account, kind, event) : 0;
}

/* Removals */

int guarding_judge_removal(struct engine *engine, const struct account *account, bool *ret_held)
{
	const struct mass_guard *guard = &store_guard(engine->store, account->org)->guard;

	*ret_held = left_of(engine, account->org, GUARD_KIND_SWEEP) == 0;
	if (!*ret_held || guard_is_engaged(guard, GUARD_KIND_SWEEP)) {
		return 0;
	}
	tell_engaged(engine, account->org, GUARD_KIND_SWEEP);
	return store_engage_guard(engine->store, account->org, GUARD_KIND_SWEEP, engine->now);
}

void guarding_see(struct engine *engine, uint32_t org, bool before)
{
	struct guarded *guarded = guarded_of(engine, org);

	if (!guarded) {
		return;
	}
	engine->guarding.holds = true;
	if (before) {
		guarded->n_due++;
		guarded->n_seen -= guarded->n_seen > 0; /* perhaps it was one of those */
	} else {
		guarded->n_pass++;
	}
}

void guarding_begin_pass(struct engine *engine)
{
	struct guarding *guarding = &engine->guarding;

	for (uint32_t i = 0; guarding->holds && i < guarding->n_orgs; i++) {
		guarding->orgs[i].n_pass = 0;
	}
}

/* A guard that was switched off holds nothing back, and was told so by nobody. */
static int end_pass_of(struct engine *engine, uint32_t org)
{
	const struct mass_guard *guard = &store_guard(engine->store, org)->guard;
	struct guarded *guarded = guarded_of(engine, org);

	if (!guarded || !guard_is_engaged(guard, GUARD_KIND_SWEEP)) {
		return 0;
	}
	guarded->n_seen = guarded->n_pass;
	if (guarded->n_due + guarded->n_seen == 0) {
		return store_disengage_guard(engine->store, org, GUARD_KIND_SWEEP);
	}
	engine->guarding.holds = true;
	return 0;
}

/* Most passes end where nothing is held back, and find nothing to do here. */
int guarding_end_pass(struct engine *engine)
{
	int r = 0;

	if (!engine->guarding.holds) {
		return 0;
	}
	engine->guarding.holds = false;
	for (uint32_t org = 1; org <= store_n_orgs(engine->store) && r == 0; org++) {
		r = end_pass_of(engine, org);
	}
	return r;
}

void guarding_forget_passes(struct engine *engine)
{
	for (uint32_t i = 0; i < engine->guarding.n_orgs; i++) {
		struct guarded *guarded = &engine->guarding.orgs[i];

		guarded->n_due = guarded->n_seen = guarded->n_pass = 0;
	}
}

bool guarding_holds_removal(const struct engine *engine, const struct account *account)
{
	const struct mass_guard *guard = &store_guard(engine->store, account->org)->guard;
	instant_t at;

	return guard_is_engaged(guard, GUARD_KIND_SWEEP) &&
	       !guard_is_off(&store_org(engine->store, account->org)->policy) &&
	       lifecycle_next(&account->facts, &at) == LIFECYCLE_ACTION_START_REMOVAL &&
	       at <= engine->now;
}

/* Decisions */

void guarding_go_on(struct engine *engine)
{
	engine->guarding.busy = true;
	engine->guarding.org = 0;
	sweep_look_again(engine);
}

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
	if (r != 0) {
		actor->note = (struct note){0}; /* none was given, or it is damaged */
	}
	return MIN(r, 0);
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
	account->facts = verdict.next;
	if (verdict.changed) {
		return store_change(engine->store, account, staged->event, &actor);
	}
	if (verdict.outcome == OUTCOME_HELD) {
		r = store_change(engine->store, account, EVENT_BLOCKED, &actor);
	}
	return r == 0 ? store_drop_staged(engine->store, staged) : r;
}

/* By whoever discarded all of them. */
static int discard(struct engine *engine, const struct staged *staged, struct account *account)
{
	const struct guard_row *row = store_guard(engine->store, staged->org);
	struct actor actor = {.role = ROLE_DAEMON, .at = engine->now};
	struct entry decision;
	int r = store_get_entry(engine->store, row->decided_seq, &decision, NULL);

	if (r == 0) {
		actor.role = decision.actor_role;
		actor.uid = decision.actor_uid;
	}
	if (r >= 0) {
		r = store_change(engine->store, account, EVENT_DISCARDED, &actor);
	}
	return r == 0 ? store_drop_staged(engine->store, staged) : r;
}

static int decide(struct engine *engine, const struct staged *staged)
{
	const struct guard_row *row = store_guard(engine->store, staged->org);
	struct account account;
	int r;

	if (staged->seq > row->decided_seq) {
		return 0; /* held back since */
	}
	r = store_get_account(engine->store, staged->uid, &account);
	if (r != 0) {
		return r < 0 ? r : store_drop_staged(engine->store, staged);
	}
	return row->discards ? discard(engine, staged, &account)
			     : carry_out(engine, staged, &account);
}

static int decide_next(struct engine *engine)
{
	struct guarding *guarding = &engine->guarding;
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
	r = store_next_staged(engine->store, guarding->org, &guarding->uid, &staged);
	if (r == STORE_E_NONE) {
		r = store_end_staged(engine->store, guarding->org);
		guarding->org = 0;
		return r;
	}
	return r == 0 ? decide(engine, &staged) : MIN(r, 0);
}

/* Whoever did not read the first line reads this one. */
static void tell_waiting(struct engine *engine)
{
	struct guarding *guarding = &engine->guarding;
	struct guarding_totals totals;
	char age[SPAN_TEXT_MAX];
	const struct log_field fields[] = {{"MESSAGE_ID", LOG_MASS_GUARD_ID}};

	if (guarding->told_at != INSTANT_NONE &&
	    engine->now < guarding->told_at + GUARDING_TELL_EVERY) {
		return;
	}
	guarding->told_at = engine->now;
	guarding_count(engine, &totals);
	if (totals.n_engaged == 0 || engine->now < totals.engaged_since + GUARDING_TELL_EVERY) {
		return;
	}
	span_format(engine->now - totals.engaged_since, age);
	log_say_fields(
		LOG_LEVEL_ERROR, fields, ARRAY_LEN(fields),
		"the mass guard of %u organization%s is engaged, for %s by now, and holds %llu "
		"accounts back: look with retentionctl guards --engaged, then decide with "
		"retentionctl release-guard mass",
		totals.n_engaged, totals.n_engaged == 1 ? "" : "s", age,
		(unsigned long long)totals.n_staged);
}

bool guarding_is_busy(const struct engine *engine)
{
	return engine->guarding.busy;
}

int guarding_work(struct engine *engine)
{
	int r = 0;

	for (uint32_t i = 0; i < GUARDING_SLICE_MAX && engine->guarding.busy && r == 0; i++) {
		r = decide_next(engine);
	}
	tell_waiting(engine);
	return r;
}

/* Figures */

static uint64_t n_due_of(const struct engine *engine, uint32_t org)
{
	const struct guarding *guarding = &engine->guarding;
	const struct guarded *guarded;

	if (org > guarding->n_orgs) {
		return 0;
	}
	guarded = &guarding->orgs[org - 1];
	return guarded->n_due + guarded->n_seen;
}

static instant_t engaged_since(const struct mass_guard *guard)
{
	instant_t since = INSTANT_NONE;

	for (enum guard_kind kind = 0; kind < _GUARD_KIND_MAX; kind++) {
		if (guard_is_engaged(guard, kind)) {
			since = since == INSTANT_NONE ? guard->engaged_at[kind]
						      : MIN(since, guard->engaged_at[kind]);
		}
	}
	return since;
}

struct guarding_held guarding_held_of(const struct engine *engine, const struct org *org)
{
	const struct mass_guard *guard = &store_guard(engine->store, org->number)->guard;

	return (struct guarding_held){
		.org = org,
		.since = engaged_since(guard),
		.n_commands = guard_n_staged(guard),
		.n_removals = n_due_of(engine, org->number),
	};
}

void guarding_count(const struct engine *engine, struct guarding_totals *ret_totals)
{
	struct guarding_totals totals = {.engaged_since = INSTANT_NONE};

	for (uint32_t org = 1; org <= store_n_orgs(engine->store); org++) {
		const struct mass_guard *guard = &store_guard(engine->store, org)->guard;
		instant_t since = engaged_since(guard);

		if (since == INSTANT_NONE) {
			continue;
		}
		totals.engaged_since =
			totals.n_engaged == 0 ? since : MIN(totals.engaged_since, since);
		totals.n_engaged++;
		totals.n_staged += guard_n_staged(guard) + n_due_of(engine, org);
	}
	*ret_totals = totals;
}
