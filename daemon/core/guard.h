/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CORE_GUARD_H
#define RETENTIOND_CORE_GUARD_H

#include "common/base.h"
#include "common/instant.h"

#include "daemon/core/policy.h"

/*
 * The mass guard: a script gone wild must not empty an organization before somebody looks. It counts
 * what happens to the accounts of one organization in the last 24 h, each kind for itself. What goes
 * beyond the limit is held back, and from then on everything of that kind, until an administrator
 * has looked: the guard is engaged.
 *
 * Hours of trusted time are counted as wholes: the one that runs and the 24 before it. So no 24 h
 * ever see more than the limit, and what was counted is forgotten 24 to 25 h later.
 */

/* What is counted. Numbers are on disk: never reused. */
enum guard_kind {
	GUARD_KIND_DELETION, /* leave and remove: the account is soft-deleted */
	GUARD_KIND_PURGE, /* removal starts on command: purge, and a direct connect user's deletion */
	GUARD_KIND_SWEEP, /* removal starts by time */
	_GUARD_KIND_MAX
};

#define GUARD_HOURS 25 /* the hour that runs, and 24 whole ones */

/* One number for each hour; @sum is of all of them. */
struct guard_series {
	uint32_t n[GUARD_HOURS];
	uint64_t sum;
};

/**
 * struct mass_guard - what is known of one organization; zeros and no instants at first: guard_init()
 * @hour:       the newest hour of the series, counted from 1970
 * @done:       of each kind, what was counted in each hour
 * @released:   by how much administrators raised the limit in each hour
 * @completed:  removals completed in each hour: the accounts that the limit still reckons with
 * @n_accounts: all but those whose removal is complete
 * @n_staged:   commands held back that wait for an administrator; none of GUARD_KIND_SWEEP, whose
 *              accounts are found in the due index
 * @n_owed:     those of them that persons asked for: they are discarded only by name
 * @n_decided:  commands held back that somebody has released or discarded, until that is carried out
 * @engaged_at: since when everything of a kind is held back; INSTANT_NONE when it is not
 */
struct mass_guard {
	int64_t hour;
	struct guard_series done[_GUARD_KIND_MAX];
	struct guard_series released[_GUARD_KIND_MAX];
	struct guard_series completed;
	uint64_t n_accounts;
	uint64_t n_staged[_GUARD_KIND_MAX];
	uint64_t n_owed[_GUARD_KIND_MAX];
	uint64_t n_decided[_GUARD_KIND_MAX];
	instant_t engaged_at[_GUARD_KIND_MAX];
};

/* "soft-deletions", "purges", "removals"; static. */
const char *guard_kind_name(enum guard_kind kind);

void guard_init(struct mass_guard *guard);

/* Whether the organization's settings switch it off. */
bool guard_is_off(const struct policy *policy);

bool guard_is_engaged(const struct mass_guard *guard, enum guard_kind kind);

/*
 * Commands held back: without a decision; those of them that persons asked for; released or
 * discarded, and not carried out yet.
 */
uint64_t guard_n_staged(const struct mass_guard *guard);
uint64_t guard_n_owed(const struct mass_guard *guard);
uint64_t guard_n_decided(const struct mass_guard *guard);

/**
 * guard_limit() - how many of a kind may happen in 24 h
 *
 * max(guard_min, guard_percent of the accounts), and what administrators released beside. The
 * accounts are all that are not removed, and those whose removal was completed in these 24 h: so
 * that the limit does not shrink by what it lets pass.
 */
uint64_t guard_limit(const struct mass_guard *guard, const struct policy *policy,
		     enum guard_kind kind, instant_t now);

/* How many of a kind happened in these 24 h, or are released and will. */
uint64_t guard_done(const struct mass_guard *guard, enum guard_kind kind, instant_t now);

/**
 * guard_left() - how many more of a kind pass now
 *
 * Return: 0 while the guard is engaged, UINT64_MAX while it is off.
 */
uint64_t guard_left(const struct mass_guard *guard, const struct policy *policy,
		    enum guard_kind kind, instant_t now);

/* Something of a kind has happened; a removal was completed. */
void guard_count(struct mass_guard *guard, enum guard_kind kind, instant_t now);
void guard_count_completed(struct mass_guard *guard, instant_t now);

/* Everything of a kind is held back from @now on; engaged already, it stays so since then. */
void guard_engage(struct mass_guard *guard, enum guard_kind kind, instant_t now);

/* Nothing of a kind is held back any more. */
void guard_disengage(struct mass_guard *guard, enum guard_kind kind);

/**
 * guard_release() - let happen what is held back, and nothing beyond
 * @n_due: of GUARD_KIND_SWEEP: accounts whose removal is held back
 *
 * No kind is engaged any more. Whatever then goes beyond the limit engages it again. As many removals
 * pass as were held back even where more have happened than the limit is: it was lowered, or the
 * guard was off.
 */
void guard_release(struct mass_guard *guard, const struct policy *policy, uint64_t n_due,
		   instant_t now);

/**
 * guard_discard() - what is held back is not to happen: commands alone can be discarded, time cannot
 * @owed: what persons asked for as well; it is held back on otherwise, and its kind stays engaged
 */
void guard_discard(struct mass_guard *guard, bool owed);

/* The soundness of what was read. */
bool guard_is_sound(const struct mass_guard *guard);

#endif
