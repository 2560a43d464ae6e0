/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/work/guarding.h"

#include <stdio.h>

#include "daemon/store/early.h"
#include "daemon/store/staged.h"
#include "daemon/work/call.h"
#include "daemon/work/decisions.h"
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

int guarding_stage(struct engine *engine, struct account *account, const struct staged *asked,
		   const struct actor *actor)
{
	if (!guard_is_engaged(&store_guard(engine->store, account->org)->guard, asked->kind)) {
		tell_engaged(engine, account->org, asked->kind);
	}
	return store_stage(engine->store, account, asked, actor);
}

/*
 * What a person asked for takes the place of what an administrator did: discarded with that it would
 * be lost. What is released is carried out.
 */
static bool takes_place_of(const struct store *store, const struct staged *asked,
			   const struct staged *before)
{
	return !store_staged_is_decided(store, before) &&
	       ((staged_is_owed(asked) && !staged_is_owed(before)) ||
		(asked->request != 0 && before->request == 0));
}

/* It stands in nobody's way any more, but it is carried out first: a person's request opens again. */
static bool is_being_discarded(const struct store *store, const struct staged *staged)
{
	return store_staged_is_decided(store, staged) && store_guard(store, staged->org)->discards;
}

static int stage(struct call *call, struct account *account, const struct staged *asked)
{
	struct engine *engine = call->engine;
	struct staged before;
	int r = store_get_staged(engine->store, account, &before);

	if (r == 0 && is_being_discarded(engine->store, &before)) {
		r = decisions_discard(engine, &before, account);
	} else if (r == 0 && !takes_place_of(engine->store, asked, &before)) {
		return 0;
	}
	return r == 0 || r == STORE_E_NONE ? guarding_stage(engine, account, asked, &call->actor)
					   : r;
}

int guarding_judge(struct call *call, struct account *account,
		   const struct lifecycle_verdict *verdict, enum event event, uint64_t request,
		   bool *ret_staged)
{
	struct staged asked = {
		.kind = kind_of(account, verdict), .event = event, .request = request};

	if (call->request->dry_run) {
		*ret_staged = !plan_passes(call, account->org, asked.kind);
		return 0;
	}
	*ret_staged = left_of(call->engine, account->org, asked.kind) == 0;
	return *ret_staged ? stage(call, account, &asked) : 0;
}

bool guarding_would_stage(struct engine *engine, const struct account *account,
			  const struct lifecycle_verdict *verdict)
{
	return verdict->changed && left_of(engine, account->org, kind_of(account, verdict)) == 0;
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

bool guarding_would_hold_removal(struct call *call, const struct account *account)
{
	return !plan_passes(call, account->org, GUARD_KIND_SWEEP);
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

uint64_t guarding_decision_on(const struct engine *engine, const struct account *account,
			      instant_t due_at)
{
	const struct guard_row *row = store_guard(engine->store, account->org);

	return row->released_at != INSTANT_NONE && due_at <= row->released_at ? row->decided_seq
									      : 0;
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
		r = decisions_carry_out_next(engine);
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
		.n_owed = guard_n_owed(guard),
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
