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
	       a->removal_started_at == b->removal_started_at && a->removed_at == b->removed_at;
}

static struct facts active(enum account_kind kind)
{
	return (struct facts){
		.kind = kind,
		.enabled = true,
		.deleted_at = INSTANT_NONE,
		.removal_started_at = INSTANT_NONE,
		.removed_at = INSTANT_NONE,
	};
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

	return step_in(facts, command, &(struct lifecycle_context){.policy = &policy}, now);
}

/* The facts after a command that must not be refused. */
static struct facts after(const struct facts *facts, enum lifecycle_command command, instant_t now)
{
	struct lifecycle_verdict verdict = step(facts, command, now);

	cr_assert_str_eq(outcome_code(verdict.outcome), "ok");
	return verdict.next;
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
	SOFT_DELETED,
	WINDOW_ENDED, /* removing, and no sweep has recorded it */
	REMOVING,
	REMOVED,
	UNKNOWN,
	_COLUMN_MAX
};

static const char *const column_names[_COLUMN_MAX] = {
	[ACTIVE_GUEST] = "an active guest",
	[ACTIVE_DIRECT] = "an active direct connect user",
	[ACTIVE_MEMBER] = "an active member",
	[SOFT_DELETED] = "a soft-deleted account",
	[WINDOW_ENDED] = "an account whose window has ended",
	[REMOVING] = "a removing account",
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
	[LIFECYCLE_START_REMOVAL] = "start removal",
	[LIFECYCLE_COMPLETE_REMOVAL] = "complete removal",
};

/* clang-format off */
static const char *const table[_LIFECYCLE_COMMAND_MAX][_COLUMN_MAX] = {
	[LIFECYCLE_LEAVE] = {
		[ACTIVE_GUEST]  = "-> soft-deleted",
		[ACTIVE_DIRECT] = "-> removing",
		[ACTIVE_MEMBER] = "home-organization",
		[SOFT_DELETED]  = "already-left",
		[WINDOW_ENDED]  = "already-left",
		[REMOVING]      = "already-left",
		[REMOVED]       = "not-found",
		[UNKNOWN]       = "not-found",
	},
	[LIFECYCLE_REMOVE] = {
		[ACTIVE_GUEST]  = "-> soft-deleted",
		[ACTIVE_DIRECT] = "-> removing",
		[ACTIVE_MEMBER] = "-> soft-deleted",
		[SOFT_DELETED]  = "already-left",
		[WINDOW_ENDED]  = "already-left",
		[REMOVING]      = "already-left",
		[REMOVED]       = "not-found",
		[UNKNOWN]       = "not-found",
	},
	[LIFECYCLE_RESTORE] = {
		[ACTIVE_GUEST]  = "not-soft-deleted",
		[ACTIVE_DIRECT] = "not-soft-deleted",
		[ACTIVE_MEMBER] = "not-soft-deleted",
		[SOFT_DELETED]  = "-> active",
		[WINDOW_ENDED]  = "irrevocable",
		[REMOVING]      = "irrevocable",
		[REMOVED]       = "irrevocable",
		[UNKNOWN]       = "not-found",
	},
	[LIFECYCLE_PURGE] = {
		[ACTIVE_GUEST]  = "not-soft-deleted",
		[ACTIVE_DIRECT] = "not-soft-deleted",
		[ACTIVE_MEMBER] = "not-soft-deleted",
		[SOFT_DELETED]  = "-> removing",
		[WINDOW_ENDED]  = "already-removing",
		[REMOVING]      = "already-removing",
		[REMOVED]       = "not-found",
		[UNKNOWN]       = "not-found",
	},
	[LIFECYCLE_DISABLE] = {
		[ACTIVE_GUEST]  = "ok, recorded",
		[ACTIVE_DIRECT] = "ok, recorded",
		[ACTIVE_MEMBER] = "ok, recorded",
		[SOFT_DELETED]  = "already-left",
		[WINDOW_ENDED]  = "already-left",
		[REMOVING]      = "already-left",
		[REMOVED]       = "not-found",
		[UNKNOWN]       = "not-found",
	},
	[LIFECYCLE_ENABLE] = {
		[ACTIVE_GUEST]  = "ok",
		[ACTIVE_DIRECT] = "ok",
		[ACTIVE_MEMBER] = "ok",
		[SOFT_DELETED]  = "already-left",
		[WINDOW_ENDED]  = "already-left",
		[REMOVING]      = "already-left",
		[REMOVED]       = "not-found",
		[UNKNOWN]       = "not-found",
	},
	[LIFECYCLE_START_REMOVAL] = {
		[ACTIVE_GUEST]  = "ok",
		[ACTIVE_DIRECT] = "ok",
		[ACTIVE_MEMBER] = "ok",
		[SOFT_DELETED]  = "ok",
		[WINDOW_ENDED]  = "ok, recorded",
		[REMOVING]      = "ok",
		[REMOVED]       = "not-found",
		[UNKNOWN]       = "not-found",
	},
	[LIFECYCLE_COMPLETE_REMOVAL] = {
		[ACTIVE_GUEST]  = "ok",
		[ACTIVE_DIRECT] = "ok",
		[ACTIVE_MEMBER] = "ok",
		[SOFT_DELETED]  = "ok",
		[WINDOW_ENDED]  = "-> removed",
		[REMOVING]      = "-> removed",
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
	case SOFT_DELETED:
		*facts = deleted(NOW - WINDOW + US);
		return facts;
	case WINDOW_ENDED:
		*facts = deleted(NOW - WINDOW);
		return facts;
	case REMOVING:
		*facts = removing(NOW - 2 * SPAN_DAY, NOW - SPAN_DAY);
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
	struct lifecycle_verdict verdict = step(before, command, NOW);
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

Test(lifecycle, starting_a_removal_does_what_its_row_of_the_table_says)
{
	check_row(LIFECYCLE_START_REMOVAL);
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

	lifecycle_step(&facts, LIFECYCLE_START_REMOVAL, NULL, NOW + WINDOW, &verdict);
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

/* Importing */

Test(lifecycle, an_imported_account_is_active_unless_the_directory_deleted_it)
{
	struct policy policy = policy_default();
	struct facts enabled = lifecycle_import(GUEST, true, INSTANT_NONE, &policy);
	struct facts disabled = lifecycle_import(MEMBER, false, INSTANT_NONE, &policy);
	struct facts direct = lifecycle_import(DIRECT, true, INSTANT_NONE, &policy);
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
	instant_t deleted_at = NOW - 20 * SPAN_DAY;
	struct facts facts;

	policy.window = 25 * SPAN_DAY;
	policy.removal = 10 * SPAN_DAY;
	facts = lifecycle_import(GUEST, false, deleted_at, &policy);
	cr_expect(!facts.enabled);
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
	struct facts facts = lifecycle_import(MEMBER, true, NOW - WINDOW - DUE_IN, &policy);

	expect_state(&facts, NOW, ACCOUNT_STATE_REMOVING);
	expect_sla(&facts, NOW, ACCOUNT_SLA_OVERDUE);
	expect_sla(&facts, NOW - US, ACCOUNT_SLA_DUE_SOON);
	expect_next(facts, LIFECYCLE_ACTION_START_REMOVAL, NOW - DUE_IN);
}

Test(lifecycle, the_removal_of_a_direct_connect_user_imported_as_deleted_started_back_then)
{
	struct policy policy = policy_default();
	struct facts facts = lifecycle_import(DIRECT, true, NOW - SPAN_DAY, &policy);

	expect_state(&facts, NOW, ACCOUNT_STATE_REMOVING);
	expect_at(lifecycle_window_ends_at(&facts), INSTANT_NONE);
	expect_at(lifecycle_removal_started_at(&facts, NOW), NOW - SPAN_DAY);
	expect_at(lifecycle_removal_due_at(&facts, NOW), NOW - SPAN_DAY + DUE_IN);
}
