/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/lifecycle.h"

#include "daemon/core/deadline.h"

/*
 * Sums of facts cannot overflow: an instant is at most INSTANT_MAX, and the spans are at most
 * MODEL_WINDOW_MAX and MODEL_REMOVAL_MAX, which is thousands of centuries below INT64_MAX.
 */
static instant_t window_end(const struct facts *facts)
{
	assert(facts->deleted_at != INSTANT_NONE);
	return facts->deleted_at + facts->window;
}

/* When the clock starts the removal: INSTANT_NONE, being the least, is the end of no hold. */
static instant_t removal_start(const struct facts *facts)
{
	return facts->held_until == INSTANT_MAX ? INSTANT_MAX
						: MAX(window_end(facts), facts->held_until);
}

bool lifecycle_is_held(const struct facts *facts, instant_t now)
{
	return facts->held_until == INSTANT_MAX || now < facts->held_until;
}

/*
 * The end of the window starts the removal even while no sweep has recorded it. What is recorded
 * does not depend on @now: a clock set back brings nobody back.
 */
instant_t lifecycle_removal_started_at(const struct facts *facts, instant_t now)
{
	if (facts->deleted_at == INSTANT_NONE || facts->removal_started_at != INSTANT_NONE) {
		return facts->removal_started_at;
	}
	if (now < window_end(facts) || lifecycle_is_held(facts, now)) {
		return INSTANT_NONE;
	}
	return removal_start(facts);
}

enum account_state lifecycle_state(const struct facts *facts, instant_t now)
{
	if (facts->removed_at != INSTANT_NONE) {
		return ACCOUNT_STATE_REMOVED;
	}
	if (facts->deleted_at == INSTANT_NONE) {
		return ACCOUNT_STATE_ACTIVE;
	}
	if (lifecycle_removal_started_at(facts, now) == INSTANT_NONE) {
		return ACCOUNT_STATE_SOFT_DELETED;
	}
	return ACCOUNT_STATE_REMOVING;
}

instant_t lifecycle_window_ends_at(const struct facts *facts)
{
	if (facts->deleted_at == INSTANT_NONE || facts->kind == ACCOUNT_KIND_B2B_DIRECT_CONNECT) {
		return INSTANT_NONE;
	}
	return window_end(facts);
}

instant_t lifecycle_removal_due_at(const struct facts *facts, instant_t now)
{
	instant_t started_at = lifecycle_removal_started_at(facts, now);

	return started_at == INSTANT_NONE ? INSTANT_NONE : started_at + facts->removal;
}

bool lifecycle_is_late(const struct facts *facts, instant_t now)
{
	instant_t due_at = lifecycle_removal_due_at(facts, now);
	instant_t until = facts->removed_at != INSTANT_NONE ? facts->removed_at : now;

	return facts->late || (due_at != INSTANT_NONE && until >= due_at);
}

enum account_sla lifecycle_sla(const struct facts *facts, instant_t now)
{
	instant_t due_at = lifecycle_removal_due_at(facts, now);

	if (lifecycle_state(facts, now) != ACCOUNT_STATE_REMOVING) {
		return ACCOUNT_SLA_NONE;
	}
	return facts->late ? ACCOUNT_SLA_OVERDUE : deadline_sla(due_at, now);
}

/*
 * A removal that nobody owes anything for is completed as soon as that can be, not at its deadline:
 * at that very instant it would be overdue.
 */
enum lifecycle_action lifecycle_next(const struct facts *facts, instant_t *ret_at)
{
	if (facts->deleted_at == INSTANT_NONE || facts->removed_at != INSTANT_NONE) {
		*ret_at = INSTANT_NONE;
		return LIFECYCLE_ACTION_NONE;
	}
	if (facts->removal_started_at == INSTANT_NONE) {
		*ret_at = removal_start(facts);
		return LIFECYCLE_ACTION_START_REMOVAL;
	}
	if (facts->owed == 0) {
		*ret_at = facts->removal_started_at;
		return LIFECYCLE_ACTION_COMPLETE_REMOVAL;
	}
	*ret_at = facts->late ? INSTANT_NONE : facts->removal_started_at + facts->removal;
	return facts->late ? LIFECYCLE_ACTION_NONE : LIFECYCLE_ACTION_MARK_OVERDUE;
}

static struct facts facts_active(enum account_kind kind, bool enabled)
{
	return (struct facts){
		.kind = kind,
		.enabled = enabled,
		.deleted_at = INSTANT_NONE,
		.removal_started_at = INSTANT_NONE,
		.removed_at = INSTANT_NONE,
		.held_until = INSTANT_NONE,
	};
}

static void facts_start(struct facts *facts, uint64_t keepers, instant_t at)
{
	facts->removal_started_at = at;
	facts->owed = keepers;
}

/* The spans are copied into the account: a policy changed later touches no promise made before. */
static void facts_delete(struct facts *facts, const struct lifecycle_context *context, instant_t at)
{
	const struct policy *policy = context->policy;

	assert(policy->window >= MODEL_WINDOW_MIN && policy->window <= MODEL_WINDOW_MAX);
	assert(policy->removal >= MODEL_REMOVAL_MIN && policy->removal <= MODEL_REMOVAL_MAX);

	facts->deleted_at = at;
	facts->window = policy->window;
	facts->removal = policy->removal;
	if (facts->kind == ACCOUNT_KIND_B2B_DIRECT_CONNECT) {
		facts->window = 0;
		if (!lifecycle_is_held(facts, at)) {
			facts_start(facts, context->keepers, at);
		}
	}
}

struct facts lifecycle_import(enum account_kind kind, bool enabled, instant_t deleted_at,
			      const struct lifecycle_context *context)
{
	struct facts facts = facts_active(kind, enabled);

	if (deleted_at != INSTANT_NONE) {
		facts_delete(&facts, context, deleted_at);
	}
	return facts;
}

struct facts lifecycle_redate(const struct facts *facts, span_t by)
{
	struct facts later = *facts;

	assert(by >= 0);
	assert(facts->deleted_at != INSTANT_NONE);
	assert(facts->removal_started_at == INSTANT_NONE);
	later.deleted_at += by;
	return later;
}

/*
 * From here to the table: its cells. A cell either changes @facts and returns 0, or changes
 * nothing and returns every reason of the refusal.
 */
struct step {
	struct facts facts;
	const struct lifecycle_context *context;
	instant_t now;
};

#define REFUSAL(cell, code)                                                                        \
	static outcome_set_t cell(unused struct step *step)                                        \
	{                                                                                          \
		return OUTCOME_BIT(OUTCOME_##code);                                                \
	}

REFUSAL(not_found, NOT_FOUND)
REFUSAL(not_deleted, NOT_SOFT_DELETED)
REFUSAL(already_left, ALREADY_LEFT)
REFUSAL(already_removing, ALREADY_REMOVING)
REFUSAL(irrevocable, IRREVOCABLE)
REFUSAL(not_owed, NOT_OWED)
#undef REFUSAL

static outcome_set_t nothing(unused struct step *step)
{
	return 0;
}

static outcome_set_t set_deleted(struct step *step)
{
	facts_delete(&step->facts, step->context, step->now);
	return 0;
}

static outcome_set_t leave(struct step *step)
{
	outcome_set_t reasons = 0;

	if (!step->context->policy->allow_leave) {
		reasons |= OUTCOME_BIT(OUTCOME_LEAVE_NOT_ALLOWED);
	}
	if (!step->facts.enabled) {
		reasons |= OUTCOME_BIT(OUTCOME_ACCOUNT_DISABLED);
	}
	if (step->facts.kind == ACCOUNT_KIND_MEMBER) {
		reasons |= OUTCOME_BIT(OUTCOME_HOME_ORGANIZATION);
	}
	return reasons ? reasons : set_deleted(step);
}

static outcome_set_t restore(struct step *step)
{
	instant_t held_until = step->facts.held_until;

	if (step->now >= window_end(&step->facts)) {
		return OUTCOME_BIT(OUTCOME_WINDOW_ENDED);
	}
	if (step->context->name_taken) {
		return OUTCOME_BIT(OUTCOME_NAME_CONFLICT);
	}
	step->facts = facts_active(step->facts.kind, step->facts.enabled);
	step->facts.held_until = held_until;
	return 0;
}

static outcome_set_t purge(struct step *step)
{
	if (lifecycle_is_held(&step->facts, step->now)) {
		return OUTCOME_BIT(OUTCOME_HELD);
	}
	facts_start(&step->facts, step->context->keepers, step->now);
	return 0;
}

static outcome_set_t set_held(struct step *step)
{
	step->facts.held_until = step->context->held_until;
	return 0;
}

/* A removal that waited for this hold starts now: its time to finish is whole. */
static outcome_set_t release(struct step *step)
{
	(void)set_held(step); /* is never refused */
	if (step->now < window_end(&step->facts) || lifecycle_is_held(&step->facts, step->now)) {
		return 0;
	}
	if (step->context->guarded) {
		step->facts.held_until = step->now;
	} else {
		facts_start(&step->facts, step->context->keepers, step->now);
	}
	return 0;
}

static outcome_set_t settle(struct step *step)
{
	if (!(step->facts.owed & step->context->keeper)) {
		return OUTCOME_BIT(OUTCOME_NOT_OWED);
	}
	step->facts.owed &= ~step->context->keeper;
	return 0;
}

static outcome_set_t disable(struct step *step)
{
	step->facts.enabled = false;
	return 0;
}

static outcome_set_t enable(struct step *step)
{
	step->facts.enabled = true;
	return 0;
}

/* However late this is recorded, the removal started when it should: no deadline moves. */
static outcome_set_t record(struct step *step)
{
	if (step->facts.removal_started_at == INSTANT_NONE) {
		facts_start(&step->facts, step->context->keepers,
			    lifecycle_removal_started_at(&step->facts, step->now));
	}
	return 0;
}

/* Until its start is recorded, a removal is owed by those who will then be found to owe it. */
static uint64_t owed(const struct step *step)
{
	return step->facts.removal_started_at == INSTANT_NONE ? step->context->keepers
							      : step->facts.owed;
}

/*
 * Before the start is recorded there is nothing to add a keeper to: who is not found to owe it then
 * would have been told so in vain.
 */
static outcome_set_t owe(struct step *step)
{
	if (step->facts.removal_started_at != INSTANT_NONE) {
		step->facts.owed |= step->context->keeper;
		return 0;
	}
	return step->context->keepers & step->context->keeper ? 0
							      : OUTCOME_BIT(OUTCOME_NOT_STARTED);
}

/* A removal that nobody owes anything for is complete at once, and told to be late by that. */
static outcome_set_t mark_overdue(struct step *step)
{
	if (owed(step) != 0 && lifecycle_is_late(&step->facts, step->now)) {
		(void)record(step); /* is never refused */
		step->facts.late = true;
	}
	return 0;
}

static outcome_set_t complete(struct step *step)
{
	if (owed(step) == 0) {
		(void)record(step); /* is never refused */
		step->facts.late = lifecycle_is_late(&step->facts, step->now);
		step->facts.removed_at = step->now;
	}
	return 0;
}

/* clang-format off */
static outcome_set_t (*const table[_LIFECYCLE_COMMAND_MAX][_ACCOUNT_STATE_MAX])(struct step *) = {
	/*                               active       soft-deleted  removing          removed */
	[LIFECYCLE_LEAVE]            = { leave,       already_left, already_left,     not_found   },
	[LIFECYCLE_REMOVE]           = { set_deleted, already_left, already_left,     not_found   },
	[LIFECYCLE_RESTORE]          = { not_deleted, restore,      irrevocable,      irrevocable },
	[LIFECYCLE_PURGE]            = { not_deleted, purge,        already_removing, not_found   },
	[LIFECYCLE_DISABLE]          = { disable,     already_left, already_left,     not_found   },
	[LIFECYCLE_ENABLE]           = { enable,      already_left, already_left,     not_found   },
	[LIFECYCLE_HOLD]             = { set_held,    set_held,     irrevocable,      not_found   },
	[LIFECYCLE_RELEASE]          = { set_held,    release,      nothing,          not_found   },
	[LIFECYCLE_SETTLE]           = { not_owed,    not_owed,     settle,           not_owed    },
	[LIFECYCLE_OWE]              = { not_deleted, not_deleted,  owe,              not_found   },
	[LIFECYCLE_START_REMOVAL]    = { nothing,     nothing,      record,           not_found   },
	[LIFECYCLE_MARK_OVERDUE]     = { nothing,     nothing,      mark_overdue,     not_found   },
	[LIFECYCLE_COMPLETE_REMOVAL] = { nothing,     nothing,      complete,         not_found   },
};
/* clang-format on */

static_assert(ACCOUNT_STATE_ACTIVE == 0 && ACCOUNT_STATE_SOFT_DELETED == 1 &&
		      ACCOUNT_STATE_REMOVING == 2 && ACCOUNT_STATE_REMOVED == 3 &&
		      _ACCOUNT_STATE_MAX == 4,
	      "the columns of the table are the states");

static_assert(OUTCOME_LEAVE_NOT_ALLOWED < OUTCOME_ACCOUNT_DISABLED &&
		      OUTCOME_ACCOUNT_DISABLED < OUTCOME_HOME_ORGANIZATION,
	      "the first reason to tell is the lowest bit");

static enum outcome first_reason(outcome_set_t reasons)
{
	return reasons ? (enum outcome)__builtin_ctz(reasons) : OUTCOME_OK;
}

static bool facts_equal(const struct facts *a, const struct facts *b)
{
	return a->kind == b->kind && a->enabled == b->enabled && a->deleted_at == b->deleted_at &&
	       a->window == b->window && a->removal == b->removal &&
	       a->removal_started_at == b->removal_started_at && a->removed_at == b->removed_at &&
	       a->held_until == b->held_until && a->owed == b->owed && a->late == b->late;
}

/* @facts may lie in @ret_verdict, as they do when one command follows another. */
static void step_known(const struct facts *facts, enum lifecycle_command command,
		       const struct lifecycle_context *context, instant_t now,
		       struct lifecycle_verdict *ret_verdict)
{
	struct step step = {.facts = *facts, .context = context, .now = now};
	outcome_set_t reasons = table[command][lifecycle_state(facts, now)](&step);
	bool changed = !facts_equal(facts, &step.facts);

	assert(!reasons || !changed);
	*ret_verdict = (struct lifecycle_verdict){
		.outcome = first_reason(reasons),
		.reasons = reasons,
		.changed = changed,
		.next = step.facts,
	};
}

void lifecycle_step(const struct facts *facts, enum lifecycle_command command,
		    const struct lifecycle_context *context, instant_t now,
		    struct lifecycle_verdict *ret_verdict)
{
	assert(command < _LIFECYCLE_COMMAND_MAX);
	if (facts) {
		step_known(facts, command, context, now, ret_verdict);
		return;
	}
	*ret_verdict = (struct lifecycle_verdict){
		.outcome = OUTCOME_NOT_FOUND,
		.reasons = OUTCOME_BIT(OUTCOME_NOT_FOUND),
		.next = facts_active((enum account_kind)0, false),
	};
}
