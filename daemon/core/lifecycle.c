/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/lifecycle.h"

#define SLA_DUE_SOON (7 * SPAN_DAY)

/*
 * Sums of facts cannot overflow: an instant is at most INSTANT_MAX, and the spans are at most
 * MODEL_WINDOW_MAX and MODEL_REMOVAL_MAX, which is thousands of centuries below INT64_MAX.
 */
static instant_t window_end(const struct facts *facts)
{
	assert(facts->deleted_at != INSTANT_NONE);
	return facts->deleted_at + facts->window;
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
	return now >= window_end(facts) ? window_end(facts) : INSTANT_NONE;
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

enum account_sla lifecycle_sla(const struct facts *facts, instant_t now)
{
	instant_t due_at = lifecycle_removal_due_at(facts, now);

	if (lifecycle_state(facts, now) != ACCOUNT_STATE_REMOVING) {
		return ACCOUNT_SLA_NONE;
	}
	if (now >= due_at) {
		return ACCOUNT_SLA_OVERDUE;
	}
	return now >= due_at - SLA_DUE_SOON ? ACCOUNT_SLA_DUE_SOON : ACCOUNT_SLA_ON_TRACK;
}

/*
 * A removal that is recorded is completed as soon as that can be, not at its deadline: at that
 * very instant it would be overdue.
 */
enum lifecycle_action lifecycle_next(const struct facts *facts, instant_t *ret_at)
{
	if (facts->deleted_at == INSTANT_NONE || facts->removed_at != INSTANT_NONE) {
		*ret_at = INSTANT_NONE;
		return LIFECYCLE_ACTION_NONE;
	}
	if (facts->removal_started_at == INSTANT_NONE) {
		*ret_at = window_end(facts);
		return LIFECYCLE_ACTION_START_REMOVAL;
	}
	*ret_at = facts->removal_started_at;
	return LIFECYCLE_ACTION_COMPLETE_REMOVAL;
}

static struct facts facts_active(enum account_kind kind, bool enabled)
{
	return (struct facts){
		.kind = kind,
		.enabled = enabled,
		.deleted_at = INSTANT_NONE,
		.removal_started_at = INSTANT_NONE,
		.removed_at = INSTANT_NONE,
	};
}

/* The spans are copied into the account: a policy changed later touches no promise made before. */
static void facts_delete(struct facts *facts, const struct policy *policy, instant_t at)
{
	assert(policy->window >= MODEL_WINDOW_MIN && policy->window <= MODEL_WINDOW_MAX);
	assert(policy->removal >= MODEL_REMOVAL_MIN && policy->removal <= MODEL_REMOVAL_MAX);

	facts->deleted_at = at;
	facts->window = policy->window;
	facts->removal = policy->removal;
	if (facts->kind == ACCOUNT_KIND_B2B_DIRECT_CONNECT) {
		facts->removal_started_at = at;
	}
}

struct facts lifecycle_import(enum account_kind kind, bool enabled, instant_t deleted_at,
			      const struct policy *policy)
{
	struct facts facts = facts_active(kind, enabled);

	if (deleted_at != INSTANT_NONE) {
		facts_delete(&facts, policy, deleted_at);
	}
	return facts;
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
#undef REFUSAL

static outcome_set_t nothing(unused struct step *step)
{
	return 0;
}

static outcome_set_t set_deleted(struct step *step)
{
	facts_delete(&step->facts, step->context->policy, step->now);
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
	if (step->context->name_taken) {
		return OUTCOME_BIT(OUTCOME_NAME_CONFLICT);
	}
	step->facts = facts_active(step->facts.kind, step->facts.enabled);
	return 0;
}

static outcome_set_t purge(struct step *step)
{
	step->facts.removal_started_at = step->now;
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

/* However late this is recorded, the removal started when the window ended: no deadline moves. */
static outcome_set_t record(struct step *step)
{
	step->facts.removal_started_at = lifecycle_removal_started_at(&step->facts, step->now);
	return 0;
}

static outcome_set_t complete(struct step *step)
{
	step->facts.removed_at = step->now;
	return record(step);
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
	[LIFECYCLE_START_REMOVAL]    = { nothing,     nothing,      record,           not_found   },
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
	       a->removal_started_at == b->removal_started_at && a->removed_at == b->removed_at;
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
