/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CORE_LIFECYCLE_H
#define RETENTIOND_CORE_LIFECYCLE_H

#include "common/base.h"
#include "common/instant.h"
#include "common/model.h"
#include "common/outcome.h"

#include "daemon/core/policy.h"

/*
 * The life of an account, as a pure function: facts, a command and an instant give an outcome and
 * the facts after it. The state is computed here and nowhere else, and is never stored.
 *
 *     active ─ leave, remove ─> soft-deleted ─ window ends, purge ─> removing ─ all gone ─> removed
 *       ^                             │                                 ^
 *       ├────────── restore ──────────┘                                 │
 *       └─────────────── direct connect: leave, remove ─────────────────┘
 *
 * The boundary is half-open: an account can be restored while now < deleted_at + window. At the
 * very instant the window ends it is removing, whether or not a sweep has run. Only while a legal
 * hold stands it stays soft-deleted, though nobody can restore it any more: its removal starts when
 * the last hold ends. A removal is complete when no keeper owes the erasure of its data.
 */

/**
 * struct facts - what is known of one account; everything else is computed
 * @kind:       a member, a guest, or a direct connect user
 * @enabled:    may sign in; kept through soft deletion
 * @deleted_at: when it left or was removed; INSTANT_NONE while active
 * @window:     fixed at the deletion; 0 for direct connect; meaningless while active
 * @removal:    how long the removal may take; fixed at the deletion
 * @removal_started_at: recorded by purge, by direct connect's deletion or by the sweep;
 *             INSTANT_NONE before. A window that has ended starts the removal at its end,
 *             recorded or not
 * @removed_at: all data gone; INSTANT_NONE before
 * @held_until: the end of the hold that stands longest: INSTANT_MAX until it is released,
 *             INSTANT_NONE without any. Kept when it has passed: the removal started there
 * @owed:       keepers that must still confirm the erasure, bit n - 1 for keeper n
 * @late:       the deadline passed while something was owed; stays on the record
 */
struct facts {
	enum account_kind kind;
	bool enabled;
	instant_t deleted_at;
	span_t window;
	span_t removal;
	instant_t removal_started_at;
	instant_t removed_at;
	instant_t held_until;
	uint64_t owed;
	bool late;
};

static_assert(MODEL_KEEPERS_MAX <= 64, "a bit of @owed for each keeper");

/* Commands on one account. The last three are the daemon's own: the clock's and the sweep's. */
enum lifecycle_command {
	LIFECYCLE_LEAVE,
	LIFECYCLE_REMOVE,
	LIFECYCLE_RESTORE,
	LIFECYCLE_PURGE,
	LIFECYCLE_DISABLE,
	LIFECYCLE_ENABLE,
	LIFECYCLE_HOLD,             /* a hold is added */
	LIFECYCLE_RELEASE,          /* a hold is removed */
	LIFECYCLE_SETTLE,           /* a keeper has confirmed, or was waived */
	LIFECYCLE_OWE,              /* a keeper is to erase it as well */
	LIFECYCLE_START_REMOVAL,    /* records that the window, or the last hold, has ended */
	LIFECYCLE_MARK_OVERDUE,     /* records that the deadline has passed */
	LIFECYCLE_COMPLETE_REMOVAL, /* records that all data is gone */
	_LIFECYCLE_COMMAND_MAX
};

/* What the clock will do to an account next. */
enum lifecycle_action {
	LIFECYCLE_ACTION_NONE,
	LIFECYCLE_ACTION_START_REMOVAL,
	LIFECYCLE_ACTION_MARK_OVERDUE,
	LIFECYCLE_ACTION_COMPLETE_REMOVAL,
};

/**
 * struct lifecycle_context - what a command needs to know beside the facts
 * @policy:     the organization's settings; used by leave and by deletions
 * @name_taken: an active account of the organization has this UPN or id meanwhile; used by restore
 * @held_until: of the holds as they are after hold and release; used by these
 * @guarded:    the mass guard holds removals back: one that waited for a hold that is released is
 *              not started, and waits on, as if the hold had ended by itself; used by release
 * @keepers:    who owes the erasure of a removal that starts now, bit n - 1 for keeper n; used by
 *              whatever starts one, and by owe
 * @keeper:     the bit of the one that is meant; used by settle and owe
 */
struct lifecycle_context {
	const struct policy *policy;
	bool name_taken;
	instant_t held_until;
	bool guarded;
	uint64_t keepers;
	uint64_t keeper;
};

/**
 * struct lifecycle_verdict - what a command comes to
 * @outcome: OUTCOME_OK, or the first reason of a refusal
 * @reasons: every reason of a refusal; 0 when @outcome is OUTCOME_OK
 * @changed: the facts differ from before; false for a refusal and for a command that has nothing
 *           to do (disable of a disabled account is ok and changes nothing)
 * @next:    the facts after the command; as before if nothing changed
 */
struct lifecycle_verdict {
	enum outcome outcome;
	outcome_set_t reasons;
	bool changed;
	struct facts next;
};

/*
 * Instants that follow from the facts. The last three are INSTANT_NONE if there is none (active,
 * or not yet).
 */
enum account_state lifecycle_state(const struct facts *facts, instant_t now);
instant_t lifecycle_window_ends_at(
	const struct facts *facts); /* INSTANT_NONE for direct connect too */
instant_t lifecycle_removal_started_at(const struct facts *facts, instant_t now);
instant_t lifecycle_removal_due_at(const struct facts *facts, instant_t now);
enum account_sla lifecycle_sla(const struct facts *facts, instant_t now);

/* A hold stands, in any state: the last one has no end, or one that is still to come. */
bool lifecycle_is_held(const struct facts *facts, instant_t now);

/* The deadline passed before the removal was complete; of a removed account too. */
bool lifecycle_is_late(const struct facts *facts, instant_t now);

/**
 * lifecycle_next() - what the clock does next, and when
 * @ret_at: always set: the instant, or INSTANT_NONE with LIFECYCLE_ACTION_NONE
 *
 * The instant does not depend on when it is asked, so that it can be the key of the due index. It is
 * INSTANT_MAX while a hold without an end stands. An overdue removal waits for its keepers alone:
 * LIFECYCLE_ACTION_NONE.
 */
enum lifecycle_action lifecycle_next(const struct facts *facts, instant_t *ret_at);

/**
 * lifecycle_import() - the facts of an account that is new here, as a directory tells them
 * @deleted_at: when the directory soft-deleted it, or INSTANT_NONE. Its clock is kept, with the
 *             organization's present window; a direct connect user's removal started at that
 *             instant
 */
struct facts lifecycle_import(enum account_kind kind, bool enabled, instant_t deleted_at,
			      const struct lifecycle_context *context);

/*
 * An account that was soft-deleted under a clock that was @by behind: its window, which must not have
 * ended, ends by that much later.
 */
struct facts lifecycle_redate(const struct facts *facts, span_t by);

/**
 * lifecycle_step() - one cell of the table states × commands
 * @facts:       the account, or NULL if it is unknown
 * @command:     what is asked
 * @context:     see there
 * @now:         trusted time
 * @ret_verdict: always set
 *
 * The table (design, section 3), a refusal in code, the next state after "->":
 *
 *     command \ state  active¹          soft-deleted   removing           removed       unknown
 *     leave            -> soft-del.²    already-left   already-left       not-found     not-found
 *     remove           -> soft-del.     already-left   already-left       not-found     not-found
 *     restore          not-soft-del.    -> active³     irrevocable        irrevocable   not-found
 *     purge            not-soft-del.    -> removing⁴   already-removing   not-found     not-found
 *     disable, enable  ok               already-left   already-left       not-found     not-found
 *     hold             ok               ok             irrevocable        not-found     not-found
 *     release          ok               ok⁵            ok                 not-found     not-found
 *     settle           not-owed         not-owed       ok⁶                not-owed      not-found
 *     owe              not-soft-del.    not-soft-del.  ok⁹                not-found     not-found
 *     start removal    nothing          at the end⁷    ok                 not-found     not-found
 *     mark overdue     nothing          nothing        at the deadline    not-found     not-found
 *     complete         nothing          nothing        -> removed⁸        not-found     not-found
 *
 *     1  a direct connect user goes to removing at once where a guest or a member is soft-deleted,
 *        unless a hold stands: then when the last one ends
 *     2  refused with all that hold, in this order: leave-not-allowed, account-disabled,
 *        home-organization (of a member, always)
 *     3  window-ended when only a hold keeps it from removal; name-conflict when
 *        @context->name_taken
 *     4  held while a hold stands
 *     5  -> removing, from now on, when it was the last hold and the window has ended; with
 *        @context->guarded that is not recorded
 *     6  not-owed when that keeper owes nothing
 *     7  records removal_started_at = the end of the window or of the last hold, however late;
 *        before that, and once it is recorded, ok without a change
 *     8  nothing while a keeper owes something
 *     9  while the start is not recorded nothing is: ok if the keeper is one of @context->keepers,
 *        who will owe it then, else not-started
 */
void lifecycle_step(const struct facts *facts, enum lifecycle_command command,
		    const struct lifecycle_context *context, instant_t now,
		    struct lifecycle_verdict *ret_verdict);

#endif
