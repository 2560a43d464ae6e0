/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_WORK_GUARDING_H
#define RETENTIOND_WORK_GUARDING_H

#include "common/base.h"
#include "common/instant.h"

#include "daemon/core/guard.h"
#include "daemon/core/lifecycle.h"
#include "daemon/store/rows.h"

/*
 * The mass guards at work. A command that goes beyond what its organization's guard lets pass is
 * staged: on record, and not done. A removal that the clock would start is left where it stands in
 * the due index. Released commands are carried out in slices, with the time of that.
 */

#define GUARDING_SLICE_MAX  256 /* commands looked at in one turn: as many as the sweep's rows */
#define GUARDING_TELL_EVERY SPAN_DAY

/**
 * struct guarded - one organization beside its guard's row
 * @plan, @n_planned: the dry run that counts, and what it has counted
 * @n_due:  removals held back that the sweep begins behind
 * @n_seen: those that the last pass of the sweep saw
 * @n_pass: those that this pass has seen
 */
struct guarded {
	uint64_t plan;
	uint64_t n_planned[_GUARD_KIND_MAX];
	uint64_t n_due;
	uint64_t n_seen;
	uint64_t n_pass;
};

/**
 * struct guarding - zeroed to begin; guarding_done() frees it
 * @orgs:    by number of the organization, the first is number 1; owned
 * @holds:   the last pass of the sweep left something, or nobody knows
 * @busy:    some organization may have decided commands: look for one
 * @org, @uid: whose are carried out, and how far that has come; @org is 0 when none are
 * @told_at: when the journal was last told of guards that are engaged
 */
struct guarding {
	struct guarded *orgs;
	uint32_t n_orgs;
	bool holds;
	bool busy;
	uint32_t org;
	uint64_t uid;
	instant_t told_at;
};

/**
 * struct guarding_totals - of all organizations
 * @n_engaged:    organizations whose guard holds something back
 * @n_staged:     commands and removals held back
 * @engaged_since: of the guard that has been engaged longest; INSTANT_NONE without any
 */
struct guarding_totals {
	uint32_t n_engaged;
	uint64_t n_staged;
	instant_t engaged_since;
};

/* What the mass guard of one organization holds back, and since when: INSTANT_NONE if nothing. */
struct guarding_held {
	const struct org *org;
	instant_t since;
	uint64_t n_commands;
	uint64_t n_owed;     /* of these commands, what persons asked for */
	uint64_t n_removals; /* as far as the sweep has seen */
};

struct actor;
struct call;
struct engine;

void guarding_init(struct guarding *guarding);
void guarding_done(struct guarding *guarding);

/**
 * guarding_judge() - whether the guard holds a command back, and do so
 * @verdict: the command is OUTCOME_OK and changes the account
 * @event:   what it leads to: EVENT_LEFT, EVENT_DELETED or EVENT_PURGED
 * @request: the person's request that is approved with it; 0 if there is none
 *
 * A dry run counts what it would let pass, for this call alone. One account has one command held
 * back: the first, or the first that the person asked for.
 *
 * Return: 0, STORE_E_CORRUPT with nothing changed, or a negative errno.
 */
must_check int guarding_judge(struct call *call, struct account *account,
			      const struct lifecycle_verdict *verdict, enum event event,
			      uint64_t request, bool *ret_staged);

/*
 * guarding_stage() - hold a command back in any case, and tell the journal if the guard was not engaged
 * @asked: its kind, event and request
 *
 * Return: 0 or a negative errno.
 */
must_check int guarding_stage(struct engine *engine, struct account *account,
			      const struct staged *asked, const struct actor *actor);

/* Whether it would be held back now. */
bool guarding_would_stage(struct engine *engine, const struct account *account,
			  const struct lifecycle_verdict *verdict);

/* The same for a removal that the sweep would start. Return: 0 or a negative errno. */
must_check int guarding_judge_removal(struct engine *engine, const struct account *account,
				      bool *ret_held);

/* The same in a dry run of a command that would start one: it counts what it would let pass. */
bool guarding_would_hold_removal(struct call *call, const struct account *account);

/* The sweep saw a removal that is held back; @before: it will not see it again. */
void guarding_see(struct engine *engine, uint32_t org, bool before);
void guarding_begin_pass(struct engine *engine);
must_check int guarding_end_pass(struct engine *engine);
void guarding_forget_passes(struct engine *engine);

/* The decision that released a removal which fell due at @due_at; 0 if nothing held it back. */
uint64_t guarding_decision_on(const struct engine *engine, const struct account *account,
			      instant_t due_at);

/* Whether a removal that should have started is held back. */
bool guarding_holds_removal(const struct engine *engine, const struct account *account);

/* After a decision: what is decided on is carried out, and the sweep looks at everything again. */
void guarding_go_on(struct engine *engine);

/* Carries out a slice of what is decided, and reminds of what is not. Return: 0 or a negative errno. */
must_check int guarding_work(struct engine *engine);

/* Whether there is more to carry out now. */
bool guarding_is_busy(const struct engine *engine);

struct guarding_held guarding_held_of(const struct engine *engine, const struct org *org);
void guarding_count(const struct engine *engine, struct guarding_totals *ret_totals);

#endif
