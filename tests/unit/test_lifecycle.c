/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/lifecycle.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/model.h"
#include "common/outcome.h"

#include "daemon/core/policy.h"

#define NOW    INT64_C(1772366400000000) /* 2026-03-01T12:00:00Z */
#define WINDOW (30 * SPAN_DAY)
#define DUE_IN (30 * SPAN_DAY) /* the removal time of the default policy */
#define US     INT64_C(1)

#define MEMBER ACCOUNT_KIND_MEMBER
#define GUEST  ACCOUNT_KIND_B2B_COLLABORATION
#define DIRECT ACCOUNT_KIND_B2B_DIRECT_CONNECT

#define KEEPER(number) (UINT64_C(1) << ((number)-1))

#define BIT(code) OUTCOME_BIT(OUTCOME_##code)

#define expect_at(actual, expected)                                                                \
	do {                                                                                       \
		instant_t at_ = (actual), to_be_ = (expected);                                     \
		cr_expect(at_ == to_be_, "%s: %" PRId64 ", not %" PRId64, #actual, at_, to_be_);   \
	} while (0)

#define expect_state(facts, now, state)                                                            \
	cr_expect_str_eq(account_state_name(lifecycle_state(facts, now)), account_state_name(state))

#define expect_sla(facts, now, sla)                                                                \
	cr_expect_str_eq(account_sla_name(lifecycle_sla(facts, now)), account_sla_name(sla))

#define expect_same_facts(a, b) cr_expect(facts_are_same(&(a), &(b)), #a " and " #b " differ")

static bool facts_are_same(const struct facts *a, const struct facts *b)
{
	return a->kind == b->kind && a->enabled == b->enabled && a->deleted_at == b->deleted_at &&
	       a->window == b->window && a->removal == b->removal &&
	       a->removal_started_at == b->removal_started_at && a->removed_at == b->removed_at &&
	       a->held_until == b->held_until && a->owed == b->owed && a->late == b->late;
}

static struct facts active(enum account_kind kind)
{
	return (struct facts){
		.kind = kind,
		.enabled = true,
		.deleted_at = INSTANT_NONE,
		.removal_started_at = INSTANT_NONE,
		.removed_at = INSTANT_NONE,
		.held_until = INSTANT_NONE,
	};
}

static struct facts held(struct facts facts, instant_t until)
{
	facts.held_until = until;
	return facts;
}

static struct facts owed(struct facts facts, uint64_t keepers)
{
	facts.owed = keepers;
	return facts;
}

static struct facts late(struct facts facts)
{
	facts.late = true;
	return facts;
}

static struct facts deleted(instant_t at)
{
	struct facts facts = active(GUEST);

	facts.deleted_at = at;
	facts.window = WINDOW;
	facts.removal = DUE_IN;
	return facts;
}

static struct facts removing(instant_t deleted_at, instant_t started_at)
{
	struct facts facts = deleted(deleted_at);

	facts.removal_started_at = started_at;
	return facts;
}

static struct facts removed(instant_t deleted_at, instant_t started_at, instant_t removed_at)
{
	struct facts facts = removing(deleted_at, started_at);

	facts.removed_at = removed_at;
	return facts;
}

static struct lifecycle_verdict step_in(const struct facts *facts, enum lifecycle_command command,
					const struct lifecycle_context *context, instant_t now)
{
	struct lifecycle_verdict verdict;

	memset(&verdict, 0xa5, sizeof(verdict)); /* "always set" is a promise about every field */
	lifecycle_step(facts, command, context, now, &verdict);
	return verdict;
}

static struct lifecycle_verdict step(const struct facts *facts, enum lifecycle_command command,
				     instant_t now)
{
	struct policy policy = policy_default();

	return step_in(facts, command,
		       &(struct lifecycle_context){.policy = &policy, .held_until = INSTANT_NONE},
		       now);
}

/* With keepers: who owe what starts; with settle and owe, the one that is meant. */
static struct lifecycle_verdict step_of(const struct facts *facts, enum lifecycle_command command,
					uint64_t keepers, instant_t now)
{
	struct policy policy = policy_default();

	return step_in(facts, command,
		       &(struct lifecycle_context){.policy = &policy,
						   .held_until = INSTANT_NONE,
						   .keepers = keepers,
						   .keeper = keepers},
		       now);
}

/* Hold and release: the holds there are after it end at @held_until. */
static struct lifecycle_verdict step_held(const struct facts *facts, enum lifecycle_command command,
					  instant_t held_until, instant_t now)
{
	return step_in(facts, command, &(struct lifecycle_context){.held_until = held_until}, now);
}

/* The facts after a command that must not be refused. */
static struct facts allowed(struct lifecycle_verdict verdict)
{
	cr_assert_str_eq(outcome_code(verdict.outcome), "ok");
	return verdict.next;
}

static struct facts after(const struct facts *facts, enum lifecycle_command command, instant_t now)
{
	return allowed(step(facts, command, now));
}

/*
 * The table: design, section 3, in the same words. A cell says
 *     "-> STATE"      ok, and the account is in another state
 *     "ok, recorded"  ok, and other facts changed
 *     "ok"            ok, and there was nothing to do
 *     a code          refused with this one reason
 * All accounts are enabled, and of an organization that lets its guests leave.
 */
enum column {
	ACTIVE_GUEST,
	ACTIVE_DIRECT,
	ACTIVE_MEMBER,
	HELD_DIRECT,
	SOFT_DELETED,
	HELD,
	WINDOW_HELD,  /* soft-deleted, but not to be restored */
	WINDOW_ENDED, /* removing, and no sweep has recorded it */
	REMOVING,
	OWED,
	DUE, /* and no sweep has recorded that either */
	LATE,
	REMOVED,
	UNKNOWN,
	_COLUMN_MAX
};

static const char *const column_names[_COLUMN_MAX] = {
	[ACTIVE_GUEST] = "an active guest",
	[ACTIVE_DIRECT] = "an active direct connect user",
	[ACTIVE_MEMBER] = "an active member",
	[HELD_DIRECT] = "an active direct connect user with a hold",
	[SOFT_DELETED] = "a soft-deleted account",
	[HELD] = "a soft-deleted account with a hold",
	[WINDOW_HELD] = "an account whose window has ended, with a hold",
	[WINDOW_ENDED] = "an account whose window has ended",
	[REMOVING] = "a removing account",
	[OWED] = "a removing account that is owed",
	[DUE] = "a removing account that is owed at its deadline",
	[LATE] = "a removing account that is owed and late",
	[REMOVED] = "a removed account",
	[UNKNOWN] = "an unknown account",
};

static const char *const command_names[_LIFECYCLE_COMMAND_MAX] = {
	[LIFECYCLE_LEAVE] = "leave",
	[LIFECYCLE_REMOVE] = "remove",
	[LIFECYCLE_RESTORE] = "restore",
	[LIFECYCLE_PURGE] = "purge",
	[LIFECYCLE_DISABLE] = "disable",
	[LIFECYCLE_ENABLE] = "enable",
	[LIFECYCLE_HOLD] = "hold",
	[LIFECYCLE_RELEASE] = "release",
	[LIFECYCLE_SETTLE] = "settle",
	[LIFECYCLE_OWE] = "owe",
	[LIFECYCLE_START_REMOVAL] = "start removal",
	[LIFECYCLE_MARK_OVERDUE] = "mark overdue",
	[LIFECYCLE_COMPLETE_REMOVAL] = "complete removal",
};

/* clang-format off */
static const char *const table[_LIFECYCLE_COMMAND_MAX][_COLUMN_MAX] = {
	[LIFECYCLE_LEAVE] = {
		[ACTIVE_GUEST]  = "-> soft-deleted",
		[ACTIVE_DIRECT] = "-> removing",
		[ACTIVE_MEMBER] = "home-organization",
		[HELD_DIRECT]   = "-> soft-deleted",
		[SOFT_DELETED]  = "already-left",
		[HELD]          = "already-left",
		[WINDOW_HELD]   = "already-left",
		[WINDOW_ENDED]  = "already-left",
		[REMOVING]      = "already-left",
		[OWED]          = "already-left",
		[DUE]           = "already-left",
		[LATE]          = "already-left",
		[REMOVED]       = "not-found",
		[UNKNOWN]       = "not-found",
	},
	[LIFECYCLE_REMOVE] = {
		[ACTIVE_GUEST]  = "-> soft-deleted",
		[ACTIVE_DIRECT] = "-> removing",
		[ACTIVE_MEMBER] = "-> soft-deleted",
		[HELD_DIRECT]   = "-> soft-deleted",
		[SOFT_DELETED]  = "already-left",
		[HELD]          = "already-left",
		[WINDOW_HELD]   = "already-left",
		[WINDOW_ENDED]  = "already-left",
		[REMOVING]      = "already-left",
		[OWED]          = "already-left",
		[DUE]           = "already-left",
		[LATE]          = "already-left",
		[REMOVED]       = "not-found",
		[UNKNOWN]       = "not-found",
	},
	[LIFECYCLE_RESTORE] = {
		[ACTIVE_GUEST]  = "not-soft-deleted",
		[ACTIVE_DIRECT] = "not-soft-deleted",
		[ACTIVE_MEMBER] = "not-soft-deleted",
		[HELD_DIRECT]   = "not-soft-deleted",
		[SOFT_DELETED]  = "-> active",
		[HELD]          = "-> active",
		[WINDOW_HELD]   = "window-ended",
		[WINDOW_ENDED]  = "irrevocable",
		[REMOVING]      = "irrevocable",
		[OWED]          = "irrevocable",
		[DUE]           = "irrevocable",
		[LATE]          = "irrevocable",
		[REMOVED]       = "irrevocable",
		[UNKNOWN]       = "not-found",
	},
	[LIFECYCLE_PURGE] = {
		[ACTIVE_GUEST]  = "not-soft-deleted",
		[ACTIVE_DIRECT] = "not-soft-deleted",
		[ACTIVE_MEMBER] = "not-soft-deleted",
		[HELD_DIRECT]   = "not-soft-deleted",
		[SOFT_DELETED]  = "-> removing",
		[HELD]          = "held",
		[WINDOW_HELD]   = "held",
		[WINDOW_ENDED]  = "already-removing",
		[REMOVING]      = "already-removing",
		[OWED]          = "already-removing",
		[DUE]           = "already-removing",
		[LATE]          = "already-removing",
		[REMOVED]       = "not-found",
		[UNKNOWN]       = "not-found",
	},
	[LIFECYCLE_DISABLE] = {
		[ACTIVE_GUEST]  = "ok, recorded",
		[ACTIVE_DIRECT] = "ok, recorded",
		[ACTIVE_MEMBER] = "ok, recorded",
		[HELD_DIRECT]   = "ok, recorded",
		[SOFT_DELETED]  = "already-left",
		[HELD]          = "already-left",
		[WINDOW_HELD]   = "already-left",
		[WINDOW_ENDED]  = "already-left",
		[REMOVING]      = "already-left",
		[OWED]          = "already-left",
		[DUE]           = "already-left",
		[LATE]          = "already-left",
		[REMOVED]       = "not-found",
		[UNKNOWN]       = "not-found",
	},
	[LIFECYCLE_ENABLE] = {
		[ACTIVE_GUEST]  = "ok",
		[ACTIVE_DIRECT] = "ok",
		[ACTIVE_MEMBER] = "ok",
		[HELD_DIRECT]   = "ok",
		[SOFT_DELETED]  = "already-left",
		[HELD]          = "already-left",
		[WINDOW_HELD]   = "already-left",
		[WINDOW_ENDED]  = "already-left",
		[REMOVING]      = "already-left",
		[OWED]          = "already-left",
		[DUE]           = "already-left",
		[LATE]          = "already-left",
		[REMOVED]       = "not-found",
		[UNKNOWN]       = "not-found",
	},
	[LIFECYCLE_HOLD] = {
		[ACTIVE_GUEST]  = "ok, recorded",
		[ACTIVE_DIRECT] = "ok, recorded",
		[ACTIVE_MEMBER] = "ok, recorded",
		[HELD_DIRECT]   = "ok, recorded",
		[SOFT_DELETED]  = "ok, recorded",
		[HELD]          = "ok, recorded",
		[WINDOW_HELD]   = "ok, recorded",
		[WINDOW_ENDED]  = "irrevocable",
		[REMOVING]      = "irrevocable",
		[OWED]          = "irrevocable",
		[DUE]           = "irrevocable",
		[LATE]          = "irrevocable",
		[REMOVED]       = "not-found",
		[UNKNOWN]       = "not-found",
	},
	[LIFECYCLE_RELEASE] = {
		[ACTIVE_GUEST]  = "ok",
		[ACTIVE_DIRECT] = "ok",
		[ACTIVE_MEMBER] = "ok",
		[HELD_DIRECT]   = "ok, recorded",
		[SOFT_DELETED]  = "ok",
		[HELD]          = "ok, recorded",
		[WINDOW_HELD]   = "-> removing",
		[WINDOW_ENDED]  = "ok",
		[REMOVING]      = "ok",
		[OWED]          = "ok",
		[DUE]           = "ok",
		[LATE]          = "ok",
		[REMOVED]       = "not-found",
		[UNKNOWN]       = "not-found",
	},
	[LIFECYCLE_SETTLE] = {
		[ACTIVE_GUEST]  = "not-owed",
		[ACTIVE_DIRECT] = "not-owed",
		[ACTIVE_MEMBER] = "not-owed",
		[HELD_DIRECT]   = "not-owed",
		[SOFT_DELETED]  = "not-owed",
		[HELD]          = "not-owed",
		[WINDOW_HELD]   = "not-owed",
		[WINDOW_ENDED]  = "not-owed",
		[REMOVING]      = "not-owed",
		[OWED]          = "ok, recorded",
		[DUE]           = "ok, recorded",
		[LATE]          = "ok, recorded",
		[REMOVED]       = "not-owed",
		[UNKNOWN]       = "not-found",
	},
	[LIFECYCLE_OWE] = {
		[ACTIVE_GUEST]  = "not-soft-deleted",
		[ACTIVE_DIRECT] = "not-soft-deleted",
		[ACTIVE_MEMBER] = "not-soft-deleted",
		[HELD_DIRECT]   = "not-soft-deleted",
		[SOFT_DELETED]  = "not-soft-deleted",
		[HELD]          = "not-soft-deleted",
		[WINDOW_HELD]   = "not-soft-deleted",
		[WINDOW_ENDED]  = "not-started",
		[REMOVING]      = "ok, recorded",
		[OWED]          = "ok, recorded",
		[DUE]           = "ok, recorded",
		[LATE]          = "ok, recorded",
		[REMOVED]       = "not-found",
		[UNKNOWN]       = "not-found",
	},
	[LIFECYCLE_START_REMOVAL] = {
		[ACTIVE_GUEST]  = "ok",
		[ACTIVE_DIRECT] = "ok",
		[ACTIVE_MEMBER] = "ok",
		[HELD_DIRECT]   = "ok",
		[SOFT_DELETED]  = "ok",
		[HELD]          = "ok",
		[WINDOW_HELD]   = "ok",
		[WINDOW_ENDED]  = "ok, recorded",
		[REMOVING]      = "ok",
		[OWED]          = "ok",
		[DUE]           = "ok",
		[LATE]          = "ok",
		[REMOVED]       = "not-found",
		[UNKNOWN]       = "not-found",
	},
	[LIFECYCLE_MARK_OVERDUE] = {
		[ACTIVE_GUEST]  = "ok",
		[ACTIVE_DIRECT] = "ok",
		[ACTIVE_MEMBER] = "ok",
		[HELD_DIRECT]   = "ok",
		[SOFT_DELETED]  = "ok",
		[HELD]          = "ok",
		[WINDOW_HELD]   = "ok",
		[WINDOW_ENDED]  = "ok",
		[REMOVING]      = "ok",
		[OWED]          = "ok",
		[DUE]           = "ok, recorded",
		[LATE]          = "ok",
		[REMOVED]       = "not-found",
		[UNKNOWN]       = "not-found",
	},
	[LIFECYCLE_COMPLETE_REMOVAL] = {
		[ACTIVE_GUEST]  = "ok",
		[ACTIVE_DIRECT] = "ok",
		[ACTIVE_MEMBER] = "ok",
		[HELD_DIRECT]   = "ok",
		[SOFT_DELETED]  = "ok",
		[HELD]          = "ok",
		[WINDOW_HELD]   = "ok",
		[WINDOW_ENDED]  = "-> removed",
		[REMOVING]      = "-> removed",
		[OWED]          = "ok",
		[DUE]           = "ok",
		[LATE]          = "ok",
		[REMOVED]       = "not-found",
		[UNKNOWN]       = "not-found",
	},
};
/* clang-format on */

/* The account of a column at NOW, at the edge of its state where it has one; NULL if unknown. */
static const struct facts *facts_of(enum column column, struct facts *facts)
{
	switch (column) {
	case ACTIVE_GUEST:
		*facts = active(GUEST);
		return facts;
	case ACTIVE_DIRECT:
		*facts = active(DIRECT);
		return facts;
	case ACTIVE_MEMBER:
		*facts = active(MEMBER);
		return facts;
	case HELD_DIRECT:
		*facts = held(active(DIRECT), NOW + US);
		return facts;
	case SOFT_DELETED:
		*facts = deleted(NOW - WINDOW + US);
		return facts;
	case HELD:
		*facts = held(deleted(NOW - WINDOW + US), NOW + US);
		return facts;
	case WINDOW_HELD:
		*facts = held(deleted(NOW - WINDOW), NOW + US);
		return facts;
	case WINDOW_ENDED:
		*facts = deleted(NOW - WINDOW);
		return facts;
	case REMOVING:
		*facts = removing(NOW - DUE_IN - SPAN_DAY, NOW - DUE_IN);
		return facts;
	case OWED:
		*facts = owed(removing(NOW - DUE_IN, NOW - DUE_IN + US), KEEPER(1) | KEEPER(2));
		return facts;
	case DUE:
		*facts = owed(removing(NOW - DUE_IN - SPAN_DAY, NOW - DUE_IN),
			      KEEPER(1) | KEEPER(2));
		return facts;
	case LATE:
		*facts = late(owed(removing(NOW - DUE_IN - SPAN_DAY, NOW - DUE_IN),
				   KEEPER(1) | KEEPER(2)));
		return facts;
	case REMOVED:
		*facts = removed(NOW - 3 * SPAN_DAY, NOW - 2 * SPAN_DAY, NOW - SPAN_DAY);
		return facts;
	case UNKNOWN:
	case _COLUMN_MAX:
		return NULL;
	}
	abort();
}

/*
 * Hold adds one without an end, release removes the last one. Keeper 1, who owes something wherever
 * anybody does, settles; keeper 3 is to owe something as well.
 */
static struct lifecycle_verdict step_of_table(const struct facts *facts,
					      enum lifecycle_command command)
{
	struct policy policy = policy_default();
	struct lifecycle_context context = {.policy = &policy, .held_until = INSTANT_NONE};

	if (command == LIFECYCLE_HOLD) {
		context.held_until = INSTANT_MAX;
	} else if (command == LIFECYCLE_SETTLE) {
		context.keeper = KEEPER(1);
	} else if (command == LIFECYCLE_OWE) {
		context.keeper = KEEPER(3);
	}
	return step_in(facts, command, &context, NOW);
}

/* What came of a command, in the words of the table. */
static void describe(const struct facts *before, const struct lifecycle_verdict *verdict,
		     char *text, size_t size)
{
	enum account_state state;

	if (!before || verdict->outcome != OUTCOME_OK) {
		(void)snprintf(text, size, "%s", outcome_code(verdict->outcome));
		return;
	}
	state = lifecycle_state(&verdict->next, NOW);
	if (state != lifecycle_state(before, NOW)) {
		(void)snprintf(text, size, "-> %s", account_state_name(state));
		return;
	}
	(void)snprintf(text, size, "%s", verdict->changed ? "ok, recorded" : "ok");
}

static void check_cell(enum lifecycle_command command, enum column column)
{
	struct facts facts;
	const struct facts *before = facts_of(column, &facts);
	struct lifecycle_verdict verdict = step_of_table(before, command);
	const char *wanted = table[command][column];
	char name[128], got[64];

	(void)snprintf(name, sizeof(name), "%s × %s", command_names[command], column_names[column]);
	cr_assert_not_null(wanted, "%s: the table has no such cell", name);
	describe(before, &verdict, got, sizeof(got));
	cr_expect_str_eq(got, wanted, "%s: \"%s\", not \"%s\"", name, got, wanted);

	if (verdict.outcome == OUTCOME_OK) {
		cr_expect(verdict.reasons == 0, "%s: ok, but for a reason", name);
	} else {
		cr_expect(verdict.reasons == OUTCOME_BIT(verdict.outcome),
			  "%s: reasons %#" PRIx32 " for one outcome", name, verdict.reasons);
		cr_expect(!verdict.changed, "%s: refused, but changed", name);
	}
	if (before) {
		cr_expect(verdict.changed != facts_are_same(before, &verdict.next),
			  "%s: changed is not whether the facts differ", name);
	}
}

static void check_row(enum lifecycle_command command)
{
	for (enum column column = 0; column < _COLUMN_MAX; column++) {
		check_cell(command, column);
	}
}

Test(lifecycle, leave_does_what_its_row_of_the_table_says)
{
	check_row(LIFECYCLE_LEAVE);
}

Test(lifecycle, remove_does_what_its_row_of_the_table_says)
{
	check_row(LIFECYCLE_REMOVE);
}

Test(lifecycle, restore_does_what_its_row_of_the_table_says)
{
	check_row(LIFECYCLE_RESTORE);
}

Test(lifecycle, purge_does_what_its_row_of_the_table_says)
{
	check_row(LIFECYCLE_PURGE);
}

Test(lifecycle, disable_does_what_its_row_of_the_table_says)
{
	check_row(LIFECYCLE_DISABLE);
}

Test(lifecycle, enable_does_what_its_row_of_the_table_says)
{
	check_row(LIFECYCLE_ENABLE);
}

Test(lifecycle, hold_does_what_its_row_of_the_table_says)
{
	check_row(LIFECYCLE_HOLD);
}

Test(lifecycle, release_does_what_its_row_of_the_table_says)
{
	check_row(LIFECYCLE_RELEASE);
}

Test(lifecycle, settle_does_what_its_row_of_the_table_says)
{
	check_row(LIFECYCLE_SETTLE);
}

Test(lifecycle, owe_does_what_its_row_of_the_table_says)
{
	check_row(LIFECYCLE_OWE);
}

Test(lifecycle, starting_a_removal_does_what_its_row_of_the_table_says)
{
	check_row(LIFECYCLE_START_REMOVAL);
}

Test(lifecycle, marking_as_overdue_does_what_its_row_of_the_table_says)
{
	check_row(LIFECYCLE_MARK_OVERDUE);
}

Test(lifecycle, completing_a_removal_does_what_its_row_of_the_table_says)
{
	check_row(LIFECYCLE_COMPLETE_REMOVAL);
}

/* The window */

Test(lifecycle, an_account_is_restorable_to_the_last_microsecond_of_its_window)
{
	struct facts facts = deleted(NOW);
	instant_t last = NOW + 29 * SPAN_DAY + 23 * SPAN_HOUR + 59 * SPAN_MINUTE +
			 59 * SPAN_SECOND + 999999 * US;
	struct facts restored;

	expect_state(&facts, last, ACCOUNT_STATE_SOFT_DELETED);
	restored = after(&facts, LIFECYCLE_RESTORE, last);
	expect_state(&restored, last, ACCOUNT_STATE_ACTIVE);
}

Test(lifecycle, restore_is_refused_at_the_instant_the_window_ends)
{
	struct facts facts = deleted(NOW);
	struct lifecycle_verdict verdict = step(&facts, LIFECYCLE_RESTORE, NOW + 30 * SPAN_DAY);

	expect_state(&facts, NOW + 30 * SPAN_DAY, ACCOUNT_STATE_REMOVING);
	cr_expect_str_eq(outcome_code(verdict.outcome), "irrevocable");
	cr_expect(!verdict.changed);
	expect_same_facts(verdict.next, facts);
}

Test(lifecycle, the_window_that_counts_is_the_one_fixed_on_the_account)
{
	static const span_t windows[] = {MODEL_WINDOW_MIN, 7 * SPAN_DAY, MODEL_WINDOW_MAX};

	for (size_t i = 0; i < ARRAY_LEN(windows); i++) {
		struct facts facts = deleted(NOW);

		facts.window = windows[i];
		expect_at(lifecycle_window_ends_at(&facts), NOW + windows[i]);
		expect_state(&facts, NOW + windows[i] - US, ACCOUNT_STATE_SOFT_DELETED);
		expect_state(&facts, NOW + windows[i], ACCOUNT_STATE_REMOVING);
	}
}

Test(lifecycle, a_changed_policy_applies_to_later_deletions_only)
{
	struct facts earlier = active(GUEST), later = active(GUEST);
	struct policy policy = {
		.allow_leave = true, .window = 60 * SPAN_DAY, .removal = 20 * SPAN_DAY};
	struct lifecycle_context context = {.policy = &policy};

	earlier = step_in(&earlier, LIFECYCLE_REMOVE, &context, NOW).next;
	policy.window = 10 * SPAN_DAY;
	policy.removal = 5 * SPAN_DAY;
	later = step_in(&later, LIFECYCLE_REMOVE, &context, NOW).next;

	expect_at(lifecycle_window_ends_at(&earlier), NOW + 60 * SPAN_DAY);
	expect_at(lifecycle_removal_due_at(&earlier, NOW + 60 * SPAN_DAY), NOW + 80 * SPAN_DAY);
	expect_at(lifecycle_window_ends_at(&later), NOW + 10 * SPAN_DAY);
	expect_at(lifecycle_removal_due_at(&later, NOW + 10 * SPAN_DAY), NOW + 15 * SPAN_DAY);

	/* And with the new policy in hand the old account is restored under its own window. */
	earlier = step_in(&earlier, LIFECYCLE_RESTORE, &context, NOW + 60 * SPAN_DAY - US).next;
	expect_state(&earlier, NOW, ACCOUNT_STATE_ACTIVE);
}

Test(lifecycle, a_deletion_in_the_future_is_a_soft_deletion)
{
	struct facts facts = deleted(NOW + SPAN_DAY);
	struct facts restored;

	expect_state(&facts, NOW, ACCOUNT_STATE_SOFT_DELETED);
	expect_at(lifecycle_removal_started_at(&facts, NOW), INSTANT_NONE);
	restored = after(&facts, LIFECYCLE_RESTORE, NOW);
	expect_state(&restored, NOW, ACCOUNT_STATE_ACTIVE);
}

Test(lifecycle, instants_at_both_ends_of_the_calendar_are_computed_without_overflow)
{
	struct facts facts = deleted(INSTANT_MAX);
	instant_t end = INSTANT_MAX + MODEL_WINDOW_MAX;

	facts.window = MODEL_WINDOW_MAX;
	facts.removal = MODEL_REMOVAL_MAX;
	expect_at(lifecycle_window_ends_at(&facts), end);
	expect_at(lifecycle_removal_due_at(&facts, end), end + MODEL_REMOVAL_MAX);
	expect_state(&facts, 0, ACCOUNT_STATE_SOFT_DELETED);
	expect_sla(&facts, 0, ACCOUNT_SLA_NONE);

	facts.deleted_at = 0;
	expect_state(&facts, INSTANT_MAX, ACCOUNT_STATE_REMOVING);
	expect_sla(&facts, INSTANT_MAX, ACCOUNT_SLA_OVERDUE);
	expect_state(&facts, 0, ACCOUNT_STATE_SOFT_DELETED);
}

/* Leaving and removing */

Test(lifecycle, leaving_soft_deletes_a_guest_with_the_spans_of_the_policy)
{
	struct facts before = active(GUEST);
	struct facts facts = after(&before, LIFECYCLE_LEAVE, NOW);
	struct facts wanted = deleted(NOW);

	expect_same_facts(facts, wanted);
	expect_at(lifecycle_window_ends_at(&facts), NOW + 30 * SPAN_DAY);
	expect_at(lifecycle_removal_started_at(&facts, NOW), INSTANT_NONE);
}

Test(lifecycle, removing_soft_deletes_members_and_disabled_guests_too)
{
	struct facts member = active(MEMBER), guest = active(GUEST);

	guest.enabled = false;
	member = after(&member, LIFECYCLE_REMOVE, NOW);
	guest = after(&guest, LIFECYCLE_REMOVE, NOW);
	expect_state(&member, NOW, ACCOUNT_STATE_SOFT_DELETED);
	expect_at(member.deleted_at, NOW);
	expect_state(&guest, NOW, ACCOUNT_STATE_SOFT_DELETED);
	cr_expect(!guest.enabled, "enabled is kept through soft deletion");
}

Test(lifecycle, removing_asks_neither_the_policy_nor_the_person)
{
	static const enum account_kind kinds[] = {MEMBER, GUEST, DIRECT};
	struct policy policy = policy_default();

	policy.allow_leave = false;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct facts facts = active(kinds[i]);
		struct lifecycle_verdict verdict;

		facts.enabled = false;
		verdict = step_in(&facts, LIFECYCLE_REMOVE,
				  &(struct lifecycle_context){.policy = &policy}, NOW);
		cr_expect_eq(verdict.outcome, OUTCOME_OK, "kind %d", kinds[i]);
		cr_expect(verdict.changed, "kind %d", kinds[i]);
	}
}

Test(lifecycle, direct_connect_has_no_grace)
{
	static const enum lifecycle_command commands[] = {LIFECYCLE_LEAVE, LIFECYCLE_REMOVE};

	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		struct facts before = active(DIRECT);
		struct facts facts = after(&before, commands[i], NOW);

		expect_state(&facts, NOW, ACCOUNT_STATE_REMOVING);
		expect_at(facts.deleted_at, NOW);
		expect_at(facts.removal_started_at, NOW);
		expect_at(lifecycle_window_ends_at(&facts), INSTANT_NONE);
		expect_at(lifecycle_removal_due_at(&facts, NOW), NOW + DUE_IN);
		cr_expect_str_eq(outcome_code(step(&facts, LIFECYCLE_RESTORE, NOW).outcome),
				 "irrevocable");
		expect_state(&facts, NOW - SPAN_DAY, ACCOUNT_STATE_REMOVING);
	}
}

Test(lifecycle, leaving_or_removing_again_never_restarts_the_clock)
{
	static const enum lifecycle_command commands[] = {LIFECYCLE_LEAVE, LIFECYCLE_REMOVE};
	static const span_t later[] = {0, US, WINDOW - US, WINDOW, WINDOW + DUE_IN};
	struct facts facts = deleted(NOW);

	for (size_t c = 0; c < ARRAY_LEN(commands); c++) {
		for (size_t i = 0; i < ARRAY_LEN(later); i++) {
			struct lifecycle_verdict verdict =
				step(&facts, commands[c], NOW + later[i]);

			cr_expect_str_eq(outcome_code(verdict.outcome), "already-left");
			cr_expect(!verdict.changed);
			expect_same_facts(verdict.next, facts);
		}
	}
}

/* Every way to be refused, and not: kind × enabled × allowed. */
#define FORBIDDEN BIT(LEAVE_NOT_ALLOWED)
#define DISABLED  BIT(ACCOUNT_DISABLED)
#define AT_HOME   BIT(HOME_ORGANIZATION)

/* clang-format off */
static const struct {
	const char *who;
	enum account_kind kind;
	bool enabled, allowed;
	const char *outcome;
	outcome_set_t reasons;
} leavers[] = {
	{"guest",             GUEST,  true,  true,  "ok",                0},
	{"guest, disabled",   GUEST,  false, true,  "account-disabled",  DISABLED},
	{"guest, forbidden",  GUEST,  true,  false, "leave-not-allowed", FORBIDDEN},
	{"guest, both",       GUEST,  false, false, "leave-not-allowed", FORBIDDEN | DISABLED},
	{"direct",            DIRECT, true,  true,  "ok",                0},
	{"direct, disabled",  DIRECT, false, true,  "account-disabled",  DISABLED},
	{"direct, forbidden", DIRECT, true,  false, "leave-not-allowed", FORBIDDEN},
	{"direct, both",      DIRECT, false, false, "leave-not-allowed", FORBIDDEN | DISABLED},
	{"member",            MEMBER, true,  true,  "home-organization", AT_HOME},
	{"member, disabled",  MEMBER, false, true,  "account-disabled",  DISABLED | AT_HOME},
	{"member, forbidden", MEMBER, true,  false, "leave-not-allowed", FORBIDDEN | AT_HOME},
	{"member, both",      MEMBER, false, false, "leave-not-allowed",
	 FORBIDDEN | DISABLED | AT_HOME},
};
/* clang-format on */

Test(lifecycle, a_refusal_to_leave_tells_every_reason_at_once)
{
	for (size_t i = 0; i < ARRAY_LEN(leavers); i++) {
		struct policy policy = policy_default();
		struct facts facts = active(leavers[i].kind);
		struct lifecycle_verdict verdict;

		policy.allow_leave = leavers[i].allowed;
		facts.enabled = leavers[i].enabled;
		verdict = step_in(&facts, LIFECYCLE_LEAVE,
				  &(struct lifecycle_context){.policy = &policy}, NOW);
		cr_expect_str_eq(outcome_code(verdict.outcome), leavers[i].outcome, "%s: %s",
				 leavers[i].who, outcome_code(verdict.outcome));
		cr_expect(verdict.reasons == leavers[i].reasons, "%s: reasons %#" PRIx32,
			  leavers[i].who, verdict.reasons);
		cr_expect(verdict.changed == (leavers[i].reasons == 0), "%s", leavers[i].who);
		cr_expect(facts_are_same(&facts, &verdict.next) == (leavers[i].reasons != 0), "%s",
			  leavers[i].who);
	}
}

/* Once an account has left, why it could not leave is no longer of interest. */
Test(lifecycle, a_disabled_account_that_has_left_is_told_only_that_it_has_left)
{
	struct facts facts = deleted(NOW);
	struct policy policy = policy_default();
	struct lifecycle_verdict verdict;

	policy.allow_leave = false;
	facts.enabled = false;
	verdict = step_in(&facts, LIFECYCLE_LEAVE, &(struct lifecycle_context){.policy = &policy},
			  NOW);
	cr_expect_eq(verdict.reasons, BIT(ALREADY_LEFT));
}

/* Restoring */

Test(lifecycle, restoring_clears_the_deletion_and_keeps_enabled_and_kind)
{
	static const enum account_kind kinds[] = {MEMBER, GUEST};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		for (int enabled = 0; enabled <= 1; enabled++) {
			struct facts before = active(kinds[i]);
			struct facts facts;

			before.enabled = enabled;
			facts = after(&before, LIFECYCLE_REMOVE, NOW);
			facts = after(&facts, LIFECYCLE_RESTORE, NOW + SPAN_DAY);
			expect_same_facts(facts, before);
		}
	}
}

Test(lifecycle, an_account_deleted_again_after_a_restore_has_a_whole_window)
{
	struct facts facts = deleted(NOW);

	facts = after(&facts, LIFECYCLE_RESTORE, NOW + 29 * SPAN_DAY);
	facts = after(&facts, LIFECYCLE_LEAVE, NOW + 29 * SPAN_DAY);
	expect_at(lifecycle_window_ends_at(&facts), NOW + 59 * SPAN_DAY);
}

Test(lifecycle, restoring_is_refused_while_the_name_is_taken)
{
	struct facts facts = deleted(NOW);
	struct policy policy = policy_default();
	struct lifecycle_context context = {.policy = &policy, .name_taken = true};
	struct lifecycle_verdict verdict = step_in(&facts, LIFECYCLE_RESTORE, &context, NOW);

	cr_expect_str_eq(outcome_code(verdict.outcome), "name-conflict");
	cr_expect_eq(verdict.reasons, BIT(NAME_CONFLICT));
	cr_expect(!verdict.changed);
	expect_same_facts(verdict.next, facts);
}

Test(lifecycle, a_taken_name_is_not_told_of_an_account_that_cannot_be_restored_anyway)
{
	struct policy policy = policy_default();
	struct lifecycle_context context = {.policy = &policy, .name_taken = true};
	struct facts ended = deleted(NOW - WINDOW), standing = active(GUEST);

	cr_expect_eq(step_in(&ended, LIFECYCLE_RESTORE, &context, NOW).reasons, BIT(IRREVOCABLE));
	cr_expect_eq(step_in(&standing, LIFECYCLE_RESTORE, &context, NOW).reasons,
		     BIT(NOT_SOFT_DELETED));
}

/* Purging */

Test(lifecycle, purge_starts_the_removal_now_even_at_the_last_restorable_microsecond)
{
	struct facts facts = deleted(NOW);
	instant_t last = NOW + WINDOW - US;
	struct facts wanted = removing(NOW, last);

	facts = after(&facts, LIFECYCLE_PURGE, last);
	expect_same_facts(facts, wanted);
	expect_state(&facts, last, ACCOUNT_STATE_REMOVING);
	expect_at(lifecycle_removal_due_at(&facts, last), last + DUE_IN);
	cr_expect_eq(step(&facts, LIFECYCLE_RESTORE, last).reasons, BIT(IRREVOCABLE));
}

Test(lifecycle, purge_is_refused_once_the_window_has_ended)
{
	static const span_t after_end[] = {0, US, DUE_IN};
	struct facts facts = deleted(NOW);

	for (size_t i = 0; i < ARRAY_LEN(after_end); i++) {
		struct lifecycle_verdict verdict =
			step(&facts, LIFECYCLE_PURGE, NOW + WINDOW + after_end[i]);

		cr_expect_eq(verdict.reasons, BIT(ALREADY_REMOVING));
		expect_same_facts(verdict.next, facts);
	}
}

Test(lifecycle, a_second_purge_does_not_move_the_deadline)
{
	struct facts facts = deleted(NOW);
	struct lifecycle_verdict verdict;

	facts = after(&facts, LIFECYCLE_PURGE, NOW + SPAN_DAY);
	verdict = step(&facts, LIFECYCLE_PURGE, NOW + 2 * SPAN_DAY);
	cr_expect_eq(verdict.reasons, BIT(ALREADY_REMOVING));
	expect_at(lifecycle_removal_due_at(&verdict.next, NOW + 2 * SPAN_DAY),
		  NOW + SPAN_DAY + DUE_IN);
}

/* What is recorded has happened, whatever the clock says later. */
Test(lifecycle, a_clock_set_back_does_not_undo_a_recorded_removal)
{
	struct facts started = removing(NOW, NOW + SPAN_DAY);
	struct facts done = removed(NOW, NOW + SPAN_DAY, NOW + 2 * SPAN_DAY);

	expect_state(&started, NOW, ACCOUNT_STATE_REMOVING);
	expect_state(&done, NOW, ACCOUNT_STATE_REMOVED);
}

/* Disabling and enabling */

Test(lifecycle, disabling_and_enabling_change_that_and_nothing_else)
{
	struct facts before = active(GUEST), wanted = active(GUEST);
	struct lifecycle_verdict disabled = step(&before, LIFECYCLE_DISABLE, NOW);
	struct lifecycle_verdict enabled = step(&disabled.next, LIFECYCLE_ENABLE, NOW);

	wanted.enabled = false;
	cr_expect(disabled.changed);
	expect_same_facts(disabled.next, wanted);
	cr_expect(enabled.changed);
	expect_same_facts(enabled.next, before);
}

Test(lifecycle, disabling_a_disabled_account_is_ok_and_changes_nothing)
{
	struct facts facts = active(MEMBER);
	struct lifecycle_verdict verdict;

	facts.enabled = false;
	verdict = step(&facts, LIFECYCLE_DISABLE, NOW);
	cr_expect_eq(verdict.outcome, OUTCOME_OK);
	cr_expect(!verdict.changed);
	expect_same_facts(verdict.next, facts);
}

/* The sweep */

Test(lifecycle, a_sweep_records_the_end_of_the_window_however_late_it_comes)
{
	static const span_t late[] = {0, US, SPAN_DAY, 400 * SPAN_DAY};
	struct facts before = deleted(NOW);
	struct facts wanted = removing(NOW, NOW + WINDOW);

	for (size_t i = 0; i < ARRAY_LEN(late); i++) {
		instant_t now = NOW + WINDOW + late[i];
		struct facts facts = after(&before, LIFECYCLE_START_REMOVAL, now);

		expect_same_facts(facts, wanted);
		expect_at(lifecycle_removal_due_at(&facts, now),
			  lifecycle_removal_due_at(&before, now));
	}
}

Test(lifecycle, a_sweep_a_microsecond_early_records_nothing)
{
	struct facts facts = deleted(NOW);
	struct lifecycle_verdict verdict = step(&facts, LIFECYCLE_START_REMOVAL, NOW + WINDOW - US);

	cr_expect_eq(verdict.outcome, OUTCOME_OK);
	cr_expect(!verdict.changed);
	expect_same_facts(verdict.next, facts);
}

Test(lifecycle, a_sweep_after_a_purge_keeps_the_instant_of_the_purge)
{
	struct facts facts = removing(NOW, NOW + SPAN_DAY);
	struct lifecycle_verdict verdict = step(&facts, LIFECYCLE_START_REMOVAL, NOW + WINDOW);

	cr_expect(!verdict.changed);
	expect_at(verdict.next.removal_started_at, NOW + SPAN_DAY);
}

Test(lifecycle, completing_records_when_all_data_was_gone)
{
	struct facts facts = removing(NOW, NOW + SPAN_DAY);
	struct facts wanted = removed(NOW, NOW + SPAN_DAY, NOW + 5 * SPAN_DAY);

	facts = after(&facts, LIFECYCLE_COMPLETE_REMOVAL, NOW + 5 * SPAN_DAY);
	expect_same_facts(facts, wanted);
	expect_state(&facts, NOW + 5 * SPAN_DAY, ACCOUNT_STATE_REMOVED);
}

Test(lifecycle, completing_a_removal_that_no_sweep_recorded_records_its_start_too)
{
	struct facts facts = deleted(NOW);
	struct facts wanted = removed(NOW, NOW + WINDOW, NOW + WINDOW + 2 * SPAN_DAY);

	facts = after(&facts, LIFECYCLE_COMPLETE_REMOVAL, NOW + WINDOW + 2 * SPAN_DAY);
	expect_same_facts(facts, wanted);
}

Test(lifecycle, nothing_is_completed_a_microsecond_before_the_window_ends)
{
	struct facts facts = deleted(NOW);
	struct lifecycle_verdict verdict =
		step(&facts, LIFECYCLE_COMPLETE_REMOVAL, NOW + WINDOW - US);

	cr_expect_eq(verdict.outcome, OUTCOME_OK);
	cr_expect(!verdict.changed);
	expect_same_facts(verdict.next, facts);
}

Test(lifecycle, the_daemons_own_commands_need_no_policy)
{
	struct facts facts = deleted(NOW);
	struct lifecycle_verdict verdict;

	lifecycle_step(&facts, LIFECYCLE_START_REMOVAL, &(struct lifecycle_context){.policy = NULL},
		       NOW + WINDOW, &verdict);
	lifecycle_step(&verdict.next, LIFECYCLE_COMPLETE_REMOVAL, NULL, NOW + WINDOW, &verdict);
	cr_expect(verdict.changed, "the facts may lie in the verdict of the step before");
	expect_state(&verdict.next, NOW + WINDOW, ACCOUNT_STATE_REMOVED);
}

/* An unknown account has no facts; the caller still gets a verdict without garbage in it. */
Test(lifecycle, the_facts_after_a_command_on_an_unknown_account_say_that_nothing_happened)
{
	struct lifecycle_verdict verdict = step(NULL, LIFECYCLE_REMOVE, NOW);

	cr_expect(!verdict.changed);
	expect_at(verdict.next.deleted_at, INSTANT_NONE);
	expect_at(verdict.next.removal_started_at, INSTANT_NONE);
	expect_at(verdict.next.removed_at, INSTANT_NONE);
	expect_at(verdict.next.held_until, INSTANT_NONE);
	cr_expect_eq(verdict.next.owed, 0);
	cr_expect(!verdict.next.late);
}

/* Dates and deadlines */

Test(lifecycle, an_active_account_has_no_dates)
{
	struct facts facts = active(GUEST);

	expect_at(lifecycle_window_ends_at(&facts), INSTANT_NONE);
	expect_at(lifecycle_removal_started_at(&facts, NOW), INSTANT_NONE);
	expect_at(lifecycle_removal_due_at(&facts, NOW), INSTANT_NONE);
	expect_sla(&facts, NOW, ACCOUNT_SLA_NONE);
}

Test(lifecycle, the_dates_of_a_removal_are_there_from_the_instant_the_window_ends)
{
	struct facts facts = deleted(NOW);
	instant_t end = NOW + WINDOW;

	expect_at(lifecycle_removal_started_at(&facts, end - US), INSTANT_NONE);
	expect_at(lifecycle_removal_due_at(&facts, end - US), INSTANT_NONE);
	expect_at(lifecycle_removal_started_at(&facts, end), end);
	expect_at(lifecycle_removal_due_at(&facts, end), end + DUE_IN);
	expect_at(lifecycle_removal_started_at(&facts, end + SPAN_DAY), end);
	expect_at(lifecycle_removal_due_at(&facts, end + SPAN_DAY), end + DUE_IN);
	expect_at(lifecycle_window_ends_at(&facts), end);
}

Test(lifecycle, a_removed_account_keeps_its_dates)
{
	struct facts facts = removed(NOW, NOW + SPAN_DAY, NOW + 2 * SPAN_DAY);

	expect_at(lifecycle_window_ends_at(&facts), NOW + WINDOW);
	expect_at(lifecycle_removal_started_at(&facts, NOW + 3 * SPAN_DAY), NOW + SPAN_DAY);
	expect_at(lifecycle_removal_due_at(&facts, NOW + 3 * SPAN_DAY), NOW + SPAN_DAY + DUE_IN);
}

Test(lifecycle, a_removal_is_due_soon_from_seven_days_before_its_deadline)
{
	struct facts facts = removing(NOW - SPAN_DAY, NOW);
	instant_t due = NOW + DUE_IN;

	expect_sla(&facts, NOW, ACCOUNT_SLA_ON_TRACK);
	expect_sla(&facts, due - 7 * SPAN_DAY - US, ACCOUNT_SLA_ON_TRACK);
	expect_sla(&facts, due - 7 * SPAN_DAY, ACCOUNT_SLA_DUE_SOON);
	expect_sla(&facts, due - US, ACCOUNT_SLA_DUE_SOON);
}

Test(lifecycle, a_removal_is_overdue_from_the_instant_of_its_deadline)
{
	struct facts recorded = removing(NOW - SPAN_DAY, NOW);
	struct facts unrecorded = deleted(NOW - WINDOW);
	instant_t due = NOW + DUE_IN;

	expect_sla(&recorded, due, ACCOUNT_SLA_OVERDUE);
	expect_sla(&recorded, due + US, ACCOUNT_SLA_OVERDUE);
	expect_sla(&unrecorded, due - US, ACCOUNT_SLA_DUE_SOON);
	expect_sla(&unrecorded, due, ACCOUNT_SLA_OVERDUE);
}

Test(lifecycle, only_a_removing_account_can_be_late)
{
	struct facts soft = deleted(NOW);
	struct facts done = removed(NOW, NOW + SPAN_DAY, NOW + 2 * SPAN_DAY);

	expect_sla(&soft, NOW + WINDOW - US, ACCOUNT_SLA_NONE);
	expect_sla(&soft, NOW + WINDOW, ACCOUNT_SLA_ON_TRACK);
	expect_sla(&done, NOW + 400 * SPAN_DAY, ACCOUNT_SLA_NONE);
}

Test(lifecycle, a_removal_time_of_a_week_or_less_is_due_soon_from_its_start)
{
	struct facts facts = removing(NOW - SPAN_DAY, NOW);

	facts.removal = 7 * SPAN_DAY;
	expect_sla(&facts, NOW, ACCOUNT_SLA_DUE_SOON);
	facts.removal = MODEL_REMOVAL_MIN;
	expect_sla(&facts, NOW, ACCOUNT_SLA_DUE_SOON);
	expect_sla(&facts, NOW + MODEL_REMOVAL_MIN, ACCOUNT_SLA_OVERDUE);
}

/* What the clock does next */

#define expect_next(facts, action, at)                                                             \
	do {                                                                                       \
		instant_t next_at = NOW + 12345;                                                   \
		cr_expect_eq(lifecycle_next(&(facts), &next_at), action);                          \
		expect_at(next_at, at);                                                            \
	} while (0)

Test(lifecycle, nothing_happens_by_itself_to_an_active_account)
{
	struct facts guest = active(GUEST), direct = active(DIRECT);

	expect_next(guest, LIFECYCLE_ACTION_NONE, INSTANT_NONE);
	expect_next(direct, LIFECYCLE_ACTION_NONE, INSTANT_NONE);
}

Test(lifecycle, the_removal_of_a_soft_deleted_account_starts_when_its_window_ends)
{
	struct facts facts = deleted(NOW);

	expect_next(facts, LIFECYCLE_ACTION_START_REMOVAL, NOW + WINDOW);
}

Test(lifecycle, a_recorded_removal_is_completed_as_soon_as_possible)
{
	struct facts purged = removing(NOW, NOW + SPAN_DAY);
	struct facts direct = active(DIRECT);

	direct = after(&direct, LIFECYCLE_REMOVE, NOW);
	expect_next(purged, LIFECYCLE_ACTION_COMPLETE_REMOVAL, NOW + SPAN_DAY);
	expect_next(direct, LIFECYCLE_ACTION_COMPLETE_REMOVAL, NOW);
}

Test(lifecycle, nothing_happens_to_a_removed_account)
{
	struct facts facts = removed(NOW, NOW + SPAN_DAY, NOW + 2 * SPAN_DAY);

	expect_next(facts, LIFECYCLE_ACTION_NONE, INSTANT_NONE);
}

/* A sweep that does what is next, at the instant that is said, brings an account to its end. */
Test(lifecycle, doing_what_is_next_until_nothing_is_removes_the_account)
{
	struct facts facts = deleted(NOW);
	instant_t at;

	cr_assert_eq(lifecycle_next(&facts, &at), LIFECYCLE_ACTION_START_REMOVAL);
	facts = after(&facts, LIFECYCLE_START_REMOVAL, at);
	cr_assert_eq(lifecycle_next(&facts, &at), LIFECYCLE_ACTION_COMPLETE_REMOVAL);
	facts = after(&facts, LIFECYCLE_COMPLETE_REMOVAL, at);
	expect_state(&facts, at, ACCOUNT_STATE_REMOVED);
	expect_next(facts, LIFECYCLE_ACTION_NONE, INSTANT_NONE);
}

/* Holds */

#define END (NOW + WINDOW) /* of the window of an account that is deleted at NOW */

#define expect_refused(verdict, facts, code)                                                       \
	do {                                                                                       \
		struct lifecycle_verdict refused_ = (verdict);                                     \
		cr_expect_str_eq(outcome_code(refused_.outcome), code);                            \
		expect_same_facts(refused_.next, facts);                                           \
	} while (0)

#define expect_unchanged(verdict, facts)                                                           \
	do {                                                                                       \
		struct lifecycle_verdict nothing_ = (verdict);                                     \
		cr_expect_str_eq(outcome_code(nothing_.outcome), "ok");                            \
		cr_expect(!nothing_.changed);                                                      \
		expect_same_facts(nothing_.next, facts);                                           \
	} while (0)

Test(lifecycle, a_hold_stands_until_the_instant_of_its_end)
{
	struct facts none = active(GUEST), ending = held(active(GUEST), NOW);
	struct facts endless = held(active(GUEST), INSTANT_MAX);

	cr_expect(lifecycle_is_held(&ending, NOW - US));
	cr_expect(!lifecycle_is_held(&ending, NOW));
	cr_expect(lifecycle_is_held(&endless, NOW));
	cr_expect(lifecycle_is_held(&endless, INSTANT_MAX));
	cr_expect(!lifecycle_is_held(&none, 0));
	cr_expect(!lifecycle_is_held(&none, NOW));
}

Test(lifecycle, a_hold_that_ends_with_the_window_or_before_moves_nothing)
{
	static const instant_t ends[] = {0, NOW - SPAN_DAY, NOW, NOW + US, END - US, END};

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		struct facts facts = held(deleted(NOW), ends[i]);

		expect_state(&facts, END - US, ACCOUNT_STATE_SOFT_DELETED);
		expect_state(&facts, END, ACCOUNT_STATE_REMOVING);
		expect_at(lifecycle_removal_started_at(&facts, END), END);
		expect_next(facts, LIFECYCLE_ACTION_START_REMOVAL, END);
		facts = after(&facts, LIFECYCLE_START_REMOVAL, END + SPAN_DAY);
		expect_at(facts.removal_started_at, END);
		expect_at(facts.held_until, ends[i]);
	}
}

Test(lifecycle, a_hold_that_outlasts_the_window_puts_the_removal_off_to_its_end)
{
	static const instant_t ends[] = {END + US, END + SPAN_DAY, END + 400 * SPAN_DAY};

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		struct facts facts = held(deleted(NOW), ends[i]);

		expect_state(&facts, ends[i] - US, ACCOUNT_STATE_SOFT_DELETED);
		expect_sla(&facts, ends[i] - US, ACCOUNT_SLA_NONE);
		expect_at(lifecycle_removal_started_at(&facts, ends[i] - US), INSTANT_NONE);
		expect_at(lifecycle_removal_due_at(&facts, ends[i] - US), INSTANT_NONE);
		expect_at(lifecycle_window_ends_at(&facts), END);
		expect_unchanged(step(&facts, LIFECYCLE_START_REMOVAL, ends[i] - US), facts);

		expect_state(&facts, ends[i], ACCOUNT_STATE_REMOVING);
		expect_at(lifecycle_removal_started_at(&facts, ends[i]), ends[i]);
		expect_at(lifecycle_removal_due_at(&facts, ends[i]), ends[i] + DUE_IN);
		expect_next(facts, LIFECYCLE_ACTION_START_REMOVAL, ends[i]);
		facts = after(&facts, LIFECYCLE_START_REMOVAL, ends[i] + 3 * SPAN_DAY);
		expect_at(facts.removal_started_at, ends[i]);
		expect_at(facts.held_until, ends[i]);
	}
}

Test(lifecycle, nothing_is_removed_by_itself_while_a_hold_without_an_end_stands)
{
	struct facts facts = held(deleted(NOW), INSTANT_MAX);
	struct facts last = held(deleted(INSTANT_MAX), INSTANT_MAX);

	expect_state(&facts, END, ACCOUNT_STATE_SOFT_DELETED);
	expect_state(&facts, INSTANT_MAX, ACCOUNT_STATE_SOFT_DELETED);
	expect_unchanged(step(&facts, LIFECYCLE_START_REMOVAL, INSTANT_MAX), facts);
	expect_unchanged(step(&facts, LIFECYCLE_COMPLETE_REMOVAL, INSTANT_MAX), facts);
	expect_next(facts, LIFECYCLE_ACTION_START_REMOVAL, INSTANT_MAX);
	expect_next(last, LIFECYCLE_ACTION_START_REMOVAL, INSTANT_MAX);
}

Test(lifecycle, an_active_account_with_a_hold_has_no_dates_and_nothing_happens_to_it)
{
	struct facts facts = held(active(GUEST), INSTANT_MAX);

	expect_state(&facts, NOW, ACCOUNT_STATE_ACTIVE);
	expect_at(lifecycle_removal_started_at(&facts, NOW), INSTANT_NONE);
	expect_next(facts, LIFECYCLE_ACTION_NONE, INSTANT_NONE);
}

Test(lifecycle, adding_a_hold_keeps_the_end_of_the_longest_and_nothing_else)
{
	static const instant_t ends[] = {NOW, NOW + SPAN_DAY, INSTANT_MAX};
	struct facts before[] = {active(GUEST), active(DIRECT), deleted(NOW),
				 held(deleted(NOW - WINDOW), NOW + US)};

	for (size_t i = 0; i < ARRAY_LEN(before); i++) {
		for (size_t e = 0; e < ARRAY_LEN(ends); e++) {
			struct facts wanted = held(before[i], ends[e]);
			struct facts facts =
				allowed(step_held(&before[i], LIFECYCLE_HOLD, ends[e], NOW));

			expect_same_facts(facts, wanted);
		}
	}
}

Test(lifecycle, a_hold_can_be_added_to_the_last_microsecond_before_the_removal_starts)
{
	struct facts facts = deleted(NOW), waiting = held(deleted(NOW), END + SPAN_DAY);

	expect_refused(step_held(&facts, LIFECYCLE_HOLD, INSTANT_MAX, END), facts, "irrevocable");
	facts = allowed(step_held(&facts, LIFECYCLE_HOLD, INSTANT_MAX, END - US));
	expect_state(&facts, END, ACCOUNT_STATE_SOFT_DELETED);

	expect_refused(step_held(&waiting, LIFECYCLE_HOLD, INSTANT_MAX, END + SPAN_DAY), waiting,
		       "irrevocable");
	waiting = allowed(step_held(&waiting, LIFECYCLE_HOLD, INSTANT_MAX, END + SPAN_DAY - US));
	expect_state(&waiting, END + SPAN_DAY, ACCOUNT_STATE_SOFT_DELETED);
}

Test(lifecycle, a_hold_does_not_prolong_the_time_to_restore)
{
	struct facts facts = held(deleted(NOW), INSTANT_MAX);
	struct policy policy = policy_default();
	struct lifecycle_context taken = {.policy = &policy, .name_taken = true};

	expect_refused(step(&facts, LIFECYCLE_RESTORE, END), facts, "window-ended");
	expect_refused(step(&facts, LIFECYCLE_RESTORE, END + 400 * SPAN_DAY), facts,
		       "window-ended");
	cr_expect_eq(step_in(&facts, LIFECYCLE_RESTORE, &taken, END).reasons, BIT(WINDOW_ENDED));
	cr_expect_eq(step_in(&facts, LIFECYCLE_RESTORE, &taken, END - US).reasons,
		     BIT(NAME_CONFLICT));
	(void)after(&facts, LIFECYCLE_RESTORE, END - US); /* must be allowed */
}

Test(lifecycle, restoring_keeps_the_hold)
{
	static const instant_t ends[] = {NOW - SPAN_DAY, NOW + SPAN_DAY, INSTANT_MAX};

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		struct facts before = held(active(GUEST), ends[i]);
		struct facts facts = after(&before, LIFECYCLE_LEAVE, NOW);

		expect_at(facts.held_until, ends[i]);
		facts = after(&facts, LIFECYCLE_RESTORE, NOW + US);
		expect_same_facts(facts, before);
	}
}

Test(lifecycle, purge_is_refused_while_a_hold_stands_within_the_window_and_after)
{
	struct facts brief = held(deleted(NOW), NOW + SPAN_DAY);
	struct facts endless = held(deleted(NOW), INSTANT_MAX);
	struct facts purged;

	expect_refused(step(&brief, LIFECYCLE_PURGE, NOW + SPAN_DAY - US), brief, "held");
	purged = after(&brief, LIFECYCLE_PURGE, NOW + SPAN_DAY);
	expect_at(purged.removal_started_at, NOW + SPAN_DAY);
	expect_refused(step(&endless, LIFECYCLE_PURGE, NOW), endless, "held");
	expect_refused(step(&endless, LIFECYCLE_PURGE, END), endless, "held");
}

Test(lifecycle, a_direct_connect_user_with_a_hold_waits_for_its_end_and_cannot_be_restored)
{
	static const enum lifecycle_command commands[] = {LIFECYCLE_LEAVE, LIFECYCLE_REMOVE};
	instant_t end = NOW + 3 * SPAN_DAY;

	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		struct facts facts = held(active(DIRECT), end);

		facts = allowed(step_of(&facts, commands[i], KEEPER(1), NOW));
		expect_state(&facts, NOW, ACCOUNT_STATE_SOFT_DELETED);
		expect_state(&facts, end - US, ACCOUNT_STATE_SOFT_DELETED);
		expect_at(facts.deleted_at, NOW);
		expect_at(facts.removal_started_at, INSTANT_NONE);
		cr_expect_eq(facts.owed, 0);
		expect_at(lifecycle_window_ends_at(&facts), INSTANT_NONE);
		expect_refused(step(&facts, LIFECYCLE_RESTORE, NOW), facts, "window-ended");
		expect_refused(step(&facts, LIFECYCLE_PURGE, NOW), facts, "held");
		expect_refused(step(&facts, commands[i], NOW), facts, "already-left");

		expect_state(&facts, end, ACCOUNT_STATE_REMOVING);
		expect_next(facts, LIFECYCLE_ACTION_START_REMOVAL, end);
		facts = allowed(step_of(&facts, LIFECYCLE_START_REMOVAL, KEEPER(2), end + US));
		expect_at(facts.removal_started_at, end);
		cr_expect_eq(facts.owed, KEEPER(2));
	}
}

Test(lifecycle, a_direct_connect_user_whose_hold_ends_when_it_leaves_is_removed_at_once)
{
	struct facts facts = held(active(DIRECT), NOW);
	struct facts early = held(active(DIRECT), NOW);

	facts = after(&facts, LIFECYCLE_LEAVE, NOW);
	expect_at(facts.removal_started_at, NOW);
	early = after(&early, LIFECYCLE_LEAVE, NOW - US);
	expect_at(early.removal_started_at, INSTANT_NONE);
	expect_at(lifecycle_removal_started_at(&early, NOW), NOW);
}

Test(lifecycle, releasing_a_direct_connect_user_that_has_left_starts_its_removal)
{
	struct facts facts = held(active(DIRECT), INSTANT_MAX);

	facts = after(&facts, LIFECYCLE_LEAVE, NOW);
	facts = after(&facts, LIFECYCLE_RELEASE, NOW);
	expect_at(facts.removal_started_at, NOW);
	expect_at(facts.held_until, INSTANT_NONE);
}

/* The deadline is counted from the release, not from the end of the window. */
Test(lifecycle, releasing_the_last_hold_after_the_window_starts_the_removal_with_its_whole_time)
{
	static const span_t later[] = {0, US, 400 * SPAN_DAY};

	for (size_t i = 0; i < ARRAY_LEN(later); i++) {
		struct facts facts = held(deleted(NOW), INSTANT_MAX);
		struct facts wanted = owed(removing(NOW, END + later[i]), KEEPER(1) | KEEPER(64));

		facts = allowed(
			step_of(&facts, LIFECYCLE_RELEASE, KEEPER(1) | KEEPER(64), END + later[i]));
		expect_same_facts(facts, wanted);
		expect_at(lifecycle_removal_due_at(&facts, END + later[i]),
			  END + later[i] + DUE_IN);
	}
}

Test(lifecycle, releasing_the_last_hold_within_the_window_leaves_the_window_as_it_was)
{
	struct facts facts = held(deleted(NOW), INSTANT_MAX), wanted = deleted(NOW);

	facts = allowed(step_of(&facts, LIFECYCLE_RELEASE, KEEPER(1), END - US));
	expect_same_facts(facts, wanted);
	expect_next(facts, LIFECYCLE_ACTION_START_REMOVAL, END);
}

Test(lifecycle, releasing_one_of_several_holds_leaves_what_the_others_hold)
{
	struct facts facts = held(deleted(NOW), INSTANT_MAX);

	facts = allowed(step_held(&facts, LIFECYCLE_RELEASE, END + 2 * SPAN_DAY, END + SPAN_DAY));
	expect_state(&facts, END + SPAN_DAY, ACCOUNT_STATE_SOFT_DELETED);
	expect_at(facts.removal_started_at, INSTANT_NONE);
	expect_next(facts, LIFECYCLE_ACTION_START_REMOVAL, END + 2 * SPAN_DAY);
}

Test(lifecycle, a_hold_that_is_left_but_has_ended_holds_nothing)
{
	static const instant_t ends[] = {NOW, END, END + SPAN_DAY - US, END + SPAN_DAY};

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		struct facts facts = held(deleted(NOW), INSTANT_MAX);

		facts = allowed(step_held(&facts, LIFECYCLE_RELEASE, ends[i], END + SPAN_DAY));
		expect_at(facts.removal_started_at, END + SPAN_DAY);
		expect_at(facts.held_until, ends[i]);
	}
}

/* The removal started when the hold ended; that its name is taken away later moves no date. */
Test(lifecycle, releasing_a_hold_that_has_ended_moves_no_start)
{
	struct facts facts = held(deleted(NOW), END + SPAN_DAY);
	struct facts recorded = held(removing(NOW, END + SPAN_DAY), END + SPAN_DAY);

	expect_unchanged(step(&facts, LIFECYCLE_RELEASE, END + SPAN_DAY), facts);
	expect_unchanged(step(&facts, LIFECYCLE_RELEASE, END + 2 * SPAN_DAY), facts);
	expect_unchanged(step(&recorded, LIFECYCLE_RELEASE, END + 2 * SPAN_DAY), recorded);
	expect_at(lifecycle_removal_started_at(&facts, END + 2 * SPAN_DAY), END + SPAN_DAY);
}

Test(lifecycle, releasing_an_active_account_removes_the_hold_and_nothing_else)
{
	struct facts before = active(DIRECT), facts = held(before, INSTANT_MAX);

	facts = allowed(step_of(&facts, LIFECYCLE_RELEASE, KEEPER(1), NOW));
	expect_same_facts(facts, before);
}

Test(lifecycle, a_clock_set_back_before_the_end_of_a_hold_does_not_undo_a_recorded_removal)
{
	struct facts facts = held(removing(NOW, END + SPAN_DAY), END + SPAN_DAY);

	expect_state(&facts, END, ACCOUNT_STATE_REMOVING);
	expect_refused(step(&facts, LIFECYCLE_RESTORE, NOW), facts, "irrevocable");
	expect_refused(step(&facts, LIFECYCLE_PURGE, NOW), facts, "already-removing");
	expect_unchanged(step(&facts, LIFECYCLE_RELEASE, END), facts);
}

/* Keepers */

/* clang-format off */
static const struct {
	const char *what;
	enum account_kind kind;
	instant_t deleted_at, held_until;
	enum lifecycle_command command;
	instant_t now;
} starts[] = {
	{"purge",          GUEST,  NOW,          INSTANT_NONE, LIFECYCLE_PURGE,         NOW + US},
	{"window ended",   GUEST,  NOW,          INSTANT_NONE, LIFECYCLE_START_REMOVAL, END},
	{"hold ended",     GUEST,  NOW,          END + US,     LIFECYCLE_START_REMOVAL, END + US},
	{"release",        GUEST,  NOW,          INSTANT_MAX,  LIFECYCLE_RELEASE,       END},
	{"direct leave",   DIRECT, INSTANT_NONE, INSTANT_NONE, LIFECYCLE_LEAVE,         NOW},
	{"direct remove",  DIRECT, INSTANT_NONE, NOW,          LIFECYCLE_REMOVE,        NOW},
};
/* clang-format on */

Test(lifecycle, whatever_starts_a_removal_fixes_who_owes_it)
{
	for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
		struct facts facts = held(active(starts[i].kind), starts[i].held_until);

		if (starts[i].deleted_at != INSTANT_NONE) {
			facts = held(deleted(starts[i].deleted_at), starts[i].held_until);
		}
		facts = allowed(
			step_of(&facts, starts[i].command, KEEPER(1) | KEEPER(64), starts[i].now));
		expect_at(facts.removal_started_at, starts[i].now);
		cr_expect(facts.owed == (KEEPER(1) | KEEPER(64)), "%s", starts[i].what);
		cr_expect(!facts.late, "%s", starts[i].what);

		facts = allowed(
			step_of(&facts, LIFECYCLE_START_REMOVAL, KEEPER(2), END + SPAN_DAY));
		cr_expect(facts.owed == (KEEPER(1) | KEEPER(64)), "%s, again", starts[i].what);
	}
}

Test(lifecycle, nobody_owes_anything_before_the_removal_starts)
{
	struct facts facts = active(GUEST);

	facts = allowed(step_of(&facts, LIFECYCLE_LEAVE, KEEPER(1), NOW));
	cr_expect_eq(facts.owed, 0);
	facts = allowed(step_of(&facts, LIFECYCLE_RESTORE, KEEPER(1), NOW));
	cr_expect_eq(facts.owed, 0);
	facts = allowed(step_of(&facts, LIFECYCLE_REMOVE, KEEPER(1), NOW));
	cr_expect_eq(facts.owed, 0);
	expect_unchanged(step_of(&facts, LIFECYCLE_START_REMOVAL, KEEPER(1), END - US), facts);
	expect_refused(step_of(&facts, LIFECYCLE_SETTLE, KEEPER(1), END - US), facts, "not-owed");
	expect_refused(step_of(&facts, LIFECYCLE_OWE, KEEPER(1), END - US), facts,
		       "not-soft-deleted");
}

Test(lifecycle, each_keeper_settles_what_it_owes_itself_and_once)
{
	struct facts facts = owed(removing(NOW, NOW), UINT64_MAX);

	for (unsigned number = 1; number <= 64; number++) {
		struct facts wanted = owed(facts, facts.owed & ~KEEPER(number));

		facts = allowed(step_of(&facts, LIFECYCLE_SETTLE, KEEPER(number), NOW + SPAN_DAY));
		expect_same_facts(facts, wanted);
		expect_refused(step_of(&facts, LIFECYCLE_SETTLE, KEEPER(number), NOW + SPAN_DAY),
			       facts, "not-owed");
	}
	cr_expect_eq(facts.owed, 0);
}

Test(lifecycle, a_keeper_that_is_asked_later_owes_a_recorded_removal_as_well)
{
	struct facts facts = owed(removing(NOW, NOW), KEEPER(1));
	struct facts wanted = owed(removing(NOW, NOW), KEEPER(1) | KEEPER(64));
	struct facts unowed = removing(NOW, NOW);

	facts = allowed(step_of(&facts, LIFECYCLE_OWE, KEEPER(64), NOW + SPAN_DAY));
	expect_same_facts(facts, wanted);
	expect_unchanged(step_of(&facts, LIFECYCLE_OWE, KEEPER(64), NOW + SPAN_DAY), facts);
	unowed = allowed(step_of(&unowed, LIFECYCLE_OWE, KEEPER(2), NOW + SPAN_DAY));
	expect_next(unowed, LIFECYCLE_ACTION_MARK_OVERDUE, NOW + DUE_IN);
}

/* Else the one keeper asked would stand for all those who owe it. */
Test(lifecycle, a_keeper_that_is_asked_for_a_removal_that_no_sweep_recorded_does_not_start_it)
{
	struct facts facts = deleted(NOW);

	expect_unchanged(step_of(&facts, LIFECYCLE_OWE, KEEPER(1), END), facts);
}

Test(lifecycle, who_will_not_owe_a_removal_once_it_is_recorded_is_not_told_so_before)
{
	struct lifecycle_context context = {.keepers = KEEPER(1) | KEEPER(64), .keeper = KEEPER(2)};
	struct facts facts = deleted(NOW);

	expect_refused(step_in(&facts, LIFECYCLE_OWE, &context, END), facts, "not-started");
	context.keeper = KEEPER(64);
	expect_unchanged(step_in(&facts, LIFECYCLE_OWE, &context, END), facts);
}

Test(lifecycle, nothing_is_complete_while_a_keeper_owes_something)
{
	struct facts facts = owed(removing(NOW, NOW), KEEPER(64));
	struct facts unrecorded = deleted(NOW);

	expect_unchanged(step(&facts, LIFECYCLE_COMPLETE_REMOVAL, NOW + SPAN_DAY), facts);
	expect_unchanged(step(&facts, LIFECYCLE_COMPLETE_REMOVAL, NOW + 400 * SPAN_DAY), facts);
	expect_unchanged(step_of(&unrecorded, LIFECYCLE_COMPLETE_REMOVAL, KEEPER(64), END),
			 unrecorded);
	facts = allowed(step_of(&facts, LIFECYCLE_SETTLE, KEEPER(64), NOW + SPAN_DAY));
	expect_next(facts, LIFECYCLE_ACTION_COMPLETE_REMOVAL, NOW);
	facts = after(&facts, LIFECYCLE_COMPLETE_REMOVAL, NOW + SPAN_DAY);
	expect_state(&facts, NOW + SPAN_DAY, ACCOUNT_STATE_REMOVED);
}

Test(lifecycle, who_owes_a_removal_that_is_recorded_is_not_asked_again)
{
	struct facts facts = removing(NOW, NOW);

	facts = allowed(step_of(&facts, LIFECYCLE_COMPLETE_REMOVAL, KEEPER(1), NOW + US));
	expect_state(&facts, NOW + US, ACCOUNT_STATE_REMOVED);
	cr_expect_eq(facts.owed, 0);
}

/* Overdue */

Test(lifecycle, a_removal_that_is_owed_is_marked_overdue_from_the_instant_of_its_deadline)
{
	static const span_t later[] = {0, US, 400 * SPAN_DAY};
	struct facts before = owed(removing(NOW, NOW), KEEPER(1));
	struct facts wanted = late(before);

	expect_unchanged(step(&before, LIFECYCLE_MARK_OVERDUE, NOW + DUE_IN - US), before);
	for (size_t i = 0; i < ARRAY_LEN(later); i++) {
		struct facts facts =
			after(&before, LIFECYCLE_MARK_OVERDUE, NOW + DUE_IN + later[i]);

		expect_same_facts(facts, wanted);
	}
	expect_unchanged(step(&wanted, LIFECYCLE_MARK_OVERDUE, NOW + DUE_IN), wanted);
}

Test(lifecycle, a_removal_that_nobody_owes_anything_for_is_not_marked_but_completed_late)
{
	struct facts facts = removing(NOW, NOW), unrecorded = deleted(NOW);
	struct facts wanted = late(removed(NOW, NOW, NOW + DUE_IN));

	expect_unchanged(step(&facts, LIFECYCLE_MARK_OVERDUE, NOW + DUE_IN), facts);
	expect_unchanged(step(&unrecorded, LIFECYCLE_MARK_OVERDUE, END + DUE_IN), unrecorded);
	facts = after(&facts, LIFECYCLE_COMPLETE_REMOVAL, NOW + DUE_IN);
	expect_same_facts(facts, wanted);
}

Test(lifecycle, marking_a_removal_that_no_sweep_recorded_records_its_start_too)
{
	struct facts before = deleted(NOW), wanted = late(owed(removing(NOW, END), KEEPER(2)));
	struct facts facts;

	expect_unchanged(step_of(&before, LIFECYCLE_MARK_OVERDUE, KEEPER(2), END + DUE_IN - US),
			 before);
	facts = allowed(step_of(&before, LIFECYCLE_MARK_OVERDUE, KEEPER(2), END + DUE_IN));
	expect_same_facts(facts, wanted);
}

Test(lifecycle, a_removal_that_is_finished_late_stays_late_on_the_record)
{
	struct facts facts = late(owed(removing(NOW, NOW), KEEPER(1)));
	struct facts wanted = late(removed(NOW, NOW, NOW + DUE_IN + SPAN_DAY));

	facts = allowed(step_of(&facts, LIFECYCLE_SETTLE, KEEPER(1), NOW + DUE_IN + SPAN_DAY));
	cr_expect(facts.late);
	facts = after(&facts, LIFECYCLE_COMPLETE_REMOVAL, NOW + DUE_IN + SPAN_DAY);
	expect_same_facts(facts, wanted);
	cr_expect(lifecycle_is_late(&facts, NOW));
	expect_sla(&facts, NOW + DUE_IN + SPAN_DAY, ACCOUNT_SLA_NONE);
}

/* Late even if no sweep came between the deadline and the last keeper. */
Test(lifecycle, a_removal_is_late_when_it_is_complete_at_its_deadline_and_not_a_microsecond_before)
{
	struct facts before = removing(NOW, NOW);
	struct facts in_time = after(&before, LIFECYCLE_COMPLETE_REMOVAL, NOW + DUE_IN - US);
	struct facts too_late = after(&before, LIFECYCLE_COMPLETE_REMOVAL, NOW + DUE_IN);

	cr_expect(!in_time.late);
	cr_expect(too_late.late);
	cr_expect(!lifecycle_is_late(&in_time, NOW + 400 * SPAN_DAY));
	cr_expect(lifecycle_is_late(&too_late, NOW));
}

Test(lifecycle, an_account_is_late_from_the_deadline_on_whether_that_is_recorded_or_not)
{
	struct facts standing = active(GUEST), soft = deleted(NOW);
	struct facts waiting = held(deleted(NOW), INSTANT_MAX);
	struct facts started = owed(removing(NOW, NOW), KEEPER(1));
	struct facts done = removed(NOW, NOW, NOW + DUE_IN);

	cr_expect(!lifecycle_is_late(&standing, NOW));
	cr_expect(!lifecycle_is_late(&waiting, END + 400 * SPAN_DAY));
	cr_expect(!lifecycle_is_late(&soft, END - US));
	cr_expect(!lifecycle_is_late(&soft, END + DUE_IN - US));
	cr_expect(lifecycle_is_late(&soft, END + DUE_IN));
	cr_expect(!lifecycle_is_late(&started, NOW + DUE_IN - US));
	cr_expect(lifecycle_is_late(&started, NOW + DUE_IN));
	cr_expect(lifecycle_is_late(&done, NOW));
}

Test(lifecycle, a_clock_set_back_does_not_undo_that_a_removal_is_late)
{
	struct facts facts = late(owed(removing(NOW, NOW), KEEPER(1)));

	expect_sla(&facts, NOW + SPAN_DAY, ACCOUNT_SLA_OVERDUE);
	cr_expect(lifecycle_is_late(&facts, NOW + SPAN_DAY));
	facts.owed = 0;
	facts = after(&facts, LIFECYCLE_COMPLETE_REMOVAL, NOW + SPAN_DAY);
	cr_expect(facts.late);
}

Test(lifecycle, the_clock_marks_what_is_owed_at_its_deadline_and_then_waits_for_the_keepers_alone)
{
	struct facts facts = owed(removing(NOW - SPAN_DAY, NOW), KEEPER(64));

	facts.removal = 5 * SPAN_DAY;
	expect_next(facts, LIFECYCLE_ACTION_MARK_OVERDUE, NOW + 5 * SPAN_DAY);
	facts = after(&facts, LIFECYCLE_MARK_OVERDUE, NOW + 5 * SPAN_DAY);
	expect_next(facts, LIFECYCLE_ACTION_NONE, INSTANT_NONE);
	facts = allowed(step_of(&facts, LIFECYCLE_OWE, KEEPER(2), NOW + 6 * SPAN_DAY));
	expect_next(facts, LIFECYCLE_ACTION_NONE, INSTANT_NONE);
	facts.owed = 0;
	expect_next(facts, LIFECYCLE_ACTION_COMPLETE_REMOVAL, NOW);
}

Test(lifecycle, a_held_account_that_two_keepers_owe_goes_its_whole_way)
{
	struct facts facts = held(active(GUEST), END + SPAN_DAY);
	instant_t at;

	facts = after(&facts, LIFECYCLE_LEAVE, NOW);
	cr_assert_eq(lifecycle_next(&facts, &at), LIFECYCLE_ACTION_START_REMOVAL);
	facts = allowed(step_of(&facts, LIFECYCLE_START_REMOVAL, KEEPER(1) | KEEPER(2), at));
	cr_assert_eq(lifecycle_next(&facts, &at), LIFECYCLE_ACTION_MARK_OVERDUE);
	expect_at(at, END + SPAN_DAY + DUE_IN);
	facts = allowed(step_of(&facts, LIFECYCLE_SETTLE, KEEPER(1), at - SPAN_DAY));
	facts = after(&facts, LIFECYCLE_MARK_OVERDUE, at);
	facts = allowed(step_of(&facts, LIFECYCLE_SETTLE, KEEPER(2), at + SPAN_DAY));
	cr_assert_eq(lifecycle_next(&facts, &at), LIFECYCLE_ACTION_COMPLETE_REMOVAL);
	expect_at(at, END + SPAN_DAY);
	facts = after(&facts, LIFECYCLE_COMPLETE_REMOVAL, END + DUE_IN + 2 * SPAN_DAY);
	expect_state(&facts, END + DUE_IN + 2 * SPAN_DAY, ACCOUNT_STATE_REMOVED);
	cr_expect(facts.late);
	expect_at(facts.held_until, END + SPAN_DAY);
	expect_next(facts, LIFECYCLE_ACTION_NONE, INSTANT_NONE);
}

/* Importing */

Test(lifecycle, an_imported_account_is_active_unless_the_directory_deleted_it)
{
	struct policy policy = policy_default();
	struct lifecycle_context context = {.policy = &policy, .keepers = KEEPER(1)};
	struct facts enabled = lifecycle_import(GUEST, true, INSTANT_NONE, &context);
	struct facts disabled = lifecycle_import(MEMBER, false, INSTANT_NONE, &context);
	struct facts direct = lifecycle_import(DIRECT, true, INSTANT_NONE, &context);
	struct facts wanted_enabled = active(GUEST), wanted_disabled = active(MEMBER);
	struct facts wanted_direct = active(DIRECT);

	wanted_disabled.enabled = false;
	expect_same_facts(enabled, wanted_enabled);
	expect_same_facts(disabled, wanted_disabled);
	expect_same_facts(direct, wanted_direct);
}

Test(lifecycle, an_account_imported_as_deleted_keeps_its_clock)
{
	struct policy policy = policy_default();
	struct lifecycle_context context = {.policy = &policy, .keepers = KEEPER(1)};
	instant_t deleted_at = NOW - 20 * SPAN_DAY;
	struct facts facts;

	policy.window = 25 * SPAN_DAY;
	policy.removal = 10 * SPAN_DAY;
	facts = lifecycle_import(GUEST, false, deleted_at, &context);
	cr_expect(!facts.enabled);
	cr_expect_eq(facts.owed, 0, "nobody owes what has not been seen to start");
	expect_at(facts.deleted_at, deleted_at);
	expect_at(lifecycle_window_ends_at(&facts), deleted_at + 25 * SPAN_DAY);
	expect_state(&facts, NOW, ACCOUNT_STATE_SOFT_DELETED);
	expect_state(&facts, deleted_at + 25 * SPAN_DAY, ACCOUNT_STATE_REMOVING);
	expect_at(lifecycle_removal_due_at(&facts, deleted_at + 25 * SPAN_DAY),
		  deleted_at + 35 * SPAN_DAY);
}

Test(lifecycle, an_account_imported_after_its_window_is_removing_and_overdue_at_once)
{
	struct policy policy = policy_default();
	struct lifecycle_context context = {.policy = &policy};
	struct facts facts = lifecycle_import(MEMBER, true, NOW - WINDOW - DUE_IN, &context);

	expect_state(&facts, NOW, ACCOUNT_STATE_REMOVING);
	expect_sla(&facts, NOW, ACCOUNT_SLA_OVERDUE);
	expect_sla(&facts, NOW - US, ACCOUNT_SLA_DUE_SOON);
	expect_next(facts, LIFECYCLE_ACTION_START_REMOVAL, NOW - DUE_IN);
}

Test(lifecycle, the_removal_of_a_direct_connect_user_imported_as_deleted_started_back_then)
{
	struct policy policy = policy_default();
	struct lifecycle_context context = {.policy = &policy, .keepers = KEEPER(2)};
	struct facts facts = lifecycle_import(DIRECT, true, NOW - SPAN_DAY, &context);

	expect_state(&facts, NOW, ACCOUNT_STATE_REMOVING);
	expect_at(lifecycle_window_ends_at(&facts), INSTANT_NONE);
	expect_at(lifecycle_removal_started_at(&facts, NOW), NOW - SPAN_DAY);
	expect_at(lifecycle_removal_due_at(&facts, NOW), NOW - SPAN_DAY + DUE_IN);
	cr_expect_eq(facts.owed, KEEPER(2));
	expect_at(facts.held_until, INSTANT_NONE);
}

Test(lifecycle, a_deletion_is_redated_with_its_window_and_nothing_else)
{
	struct facts before = {
		.kind = ACCOUNT_KIND_B2B_COLLABORATION,
		.enabled = true,
		.deleted_at = 100 * SPAN_DAY,
		.window = 30 * SPAN_DAY,
		.removal = 30 * SPAN_DAY,
		.removal_started_at = INSTANT_NONE,
		.removed_at = INSTANT_NONE,
		.held_until = INSTANT_NONE,
	};
	struct facts after = lifecycle_redate(&before, 7 * SPAN_DAY);

	cr_assert_eq(lifecycle_window_ends_at(&after), 137 * SPAN_DAY);
	after.deleted_at = before.deleted_at;
	expect_same_facts(after, before);
}
