/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/guard.h"

#include "common/model.h"

const char *guard_kind_name(enum guard_kind kind)
{
	static const char *const names[] = {
		[GUARD_KIND_DELETION] = "soft-deletions",
		[GUARD_KIND_PURGE] = "purges",
		[GUARD_KIND_SWEEP] = "removals",
	};
	static_assert(ARRAY_LEN(names) == _GUARD_KIND_MAX, "each kind has a name");

	assert(kind < _GUARD_KIND_MAX);
	return names[kind];
}

void guard_init(struct mass_guard *guard)
{
	*guard = (struct mass_guard){0};
	for (enum guard_kind kind = 0; kind < _GUARD_KIND_MAX; kind++) {
		guard->engaged_at[kind] = INSTANT_NONE;
	}
}

bool guard_is_off(const struct policy *policy)
{
	return policy->guard_percent >= MODEL_GUARD_PERCENT_OFF;
}

bool guard_is_engaged(const struct mass_guard *guard, enum guard_kind kind)
{
	return guard->engaged_at[kind] != INSTANT_NONE;
}

uint64_t guard_n_staged(const struct mass_guard *guard)
{
	return guard->n_staged[GUARD_KIND_DELETION] + guard->n_staged[GUARD_KIND_PURGE];
}

uint64_t guard_n_owed(const struct mass_guard *guard)
{
	return guard->n_owed[GUARD_KIND_DELETION] + guard->n_owed[GUARD_KIND_PURGE];
}

uint64_t guard_n_decided(const struct mass_guard *guard)
{
	return guard->n_decided[GUARD_KIND_DELETION] + guard->n_decided[GUARD_KIND_PURGE];
}

static int64_t hour_of(instant_t at)
{
	return at / SPAN_HOUR;
}

/* Of the hours that still count at @now; a clock that stands, or seems to go back, forgets nothing. */
static uint64_t sum_at(const struct mass_guard *guard, const struct guard_series *series,
		       instant_t now)
{
	int64_t oldest = hour_of(now) - GUARD_HOURS + 1;
	uint64_t sum = 0;

	if (hour_of(now) <= guard->hour) {
		return series->sum;
	}
	for (int64_t hour = MAX(oldest, 0); hour <= guard->hour; hour++) {
		sum += series->n[hour % GUARD_HOURS];
	}
	return sum;
}

static void forget_hour(struct guard_series *series, int64_t hour)
{
	uint32_t *n = &series->n[hour % GUARD_HOURS];

	series->sum -= *n;
	*n = 0;
}

/* The hours between the newest one and @now begin empty. */
static void roll(struct mass_guard *guard, instant_t now)
{
	int64_t to = hour_of(now);

	for (int64_t hour = MAX(guard->hour + 1, to - GUARD_HOURS + 1); hour <= to; hour++) {
		for (enum guard_kind kind = 0; kind < _GUARD_KIND_MAX; kind++) {
			forget_hour(&guard->done[kind], hour);
			forget_hour(&guard->released[kind], hour);
		}
		forget_hour(&guard->completed, hour);
	}
	guard->hour = MAX(guard->hour, to);
}

/* What no longer fits stays at the most: the guard is then stricter, never laxer. */
static void add_at(struct guard_series *series, int64_t hour, uint64_t n)
{
	uint32_t *count = &series->n[hour % GUARD_HOURS];
	uint64_t added = MIN(n, UINT32_MAX - (uint64_t)*count);

	*count += (uint32_t)added;
	series->sum += added;
}

static void add(struct mass_guard *guard, struct guard_series *series, uint64_t n)
{
	add_at(series, guard->hour, n);
}

uint64_t guard_limit(const struct mass_guard *guard, const struct policy *policy,
		     enum guard_kind kind, instant_t now)
{
	uint64_t n_accounts = guard->n_accounts + sum_at(guard, &guard->completed, now);

	return MAX((uint64_t)policy->guard_min, n_accounts * policy->guard_percent / 100) +
	       sum_at(guard, &guard->released[kind], now);
}

uint64_t guard_done(const struct mass_guard *guard, enum guard_kind kind, instant_t now)
{
	return sum_at(guard, &guard->done[kind], now) + guard->n_decided[kind];
}

uint64_t guard_left(const struct mass_guard *guard, const struct policy *policy,
		    enum guard_kind kind, instant_t now)
{
	uint64_t limit = guard_limit(guard, policy, kind, now);
	uint64_t done = guard_done(guard, kind, now);

	if (guard_is_off(policy)) {
		return UINT64_MAX;
	}
	return guard_is_engaged(guard, kind) || done >= limit ? 0 : limit - done;
}

void guard_count(struct mass_guard *guard, enum guard_kind kind, instant_t now)
{
	roll(guard, now);
	add(guard, &guard->done[kind], 1);
}

void guard_count_completed(struct mass_guard *guard, instant_t now)
{
	roll(guard, now);
	add(guard, &guard->completed, 1);
	guard->n_accounts -= guard->n_accounts > 0; /* as it was read from the disk */
}

void guard_engage(struct mass_guard *guard, enum guard_kind kind, instant_t now)
{
	if (!guard_is_engaged(guard, kind)) {
		guard->engaged_at[kind] = now;
	}
}

void guard_disengage(struct mass_guard *guard, enum guard_kind kind)
{
	assert(guard->n_staged[kind] == 0);
	guard->engaged_at[kind] = INSTANT_NONE;
}

/*
 * More of a kind has happened than the limit is, and it would swallow what is released. It is released
 * as well, in the hours in which it happened: both are forgotten together.
 */
static void release_excess(struct mass_guard *guard, const struct policy *policy,
			   enum guard_kind kind, instant_t now)
{
	uint64_t limit = guard_limit(guard, policy, kind, now);
	uint64_t done = guard_done(guard, kind, now);
	uint64_t excess = done > limit ? done - limit : 0;

	for (int64_t hour = MAX(guard->hour - GUARD_HOURS + 1, 0); hour <= guard->hour; hour++) {
		uint64_t n = MIN(excess, guard->done[kind].n[hour % GUARD_HOURS]);

		add_at(&guard->released[kind], hour, n);
		excess -= n;
	}
}

/* A command that is released counts as done from now on, so that nothing else takes its place. */
void guard_release(struct mass_guard *guard, const struct policy *policy, uint64_t n_due,
		   instant_t now)
{
	roll(guard, now);
	for (enum guard_kind kind = 0; kind < _GUARD_KIND_MAX; kind++) {
		add(guard, &guard->released[kind], guard->n_staged[kind]);
		guard->n_decided[kind] += guard->n_staged[kind];
		guard->n_staged[kind] = 0;
		guard->n_owed[kind] = 0;
		guard->engaged_at[kind] = INSTANT_NONE;
	}
	if (n_due > 0) {
		release_excess(guard, policy, GUARD_KIND_SWEEP, now);
		add(guard, &guard->released[GUARD_KIND_SWEEP], n_due);
	}
}

void guard_discard(struct mass_guard *guard, bool owed)
{
	for (enum guard_kind kind = 0; kind < GUARD_KIND_SWEEP; kind++) {
		if (owed) {
			guard->n_owed[kind] = 0;
		}
		guard->n_decided[kind] += guard->n_staged[kind] - guard->n_owed[kind];
		guard->n_staged[kind] = guard->n_owed[kind];
		if (guard->n_staged[kind] == 0) {
			guard->engaged_at[kind] = INSTANT_NONE;
		}
	}
}

static bool series_is_sound(const struct guard_series *series)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < GUARD_HOURS; i++) {
		sum += series->n[i];
	}
	return sum == series->sum;
}

bool guard_is_sound(const struct mass_guard *guard)
{
	bool sound = guard->hour >= 0 && guard->hour <= hour_of(INSTANT_MAX) &&
		     series_is_sound(&guard->completed) && guard->n_staged[GUARD_KIND_SWEEP] == 0 &&
		     guard->n_decided[GUARD_KIND_SWEEP] == 0;

	for (enum guard_kind kind = 0; kind < _GUARD_KIND_MAX; kind++) {
		instant_t at = guard->engaged_at[kind];

		sound = sound && series_is_sound(&guard->done[kind]) &&
			series_is_sound(&guard->released[kind]) &&
			(at == INSTANT_NONE || (at >= 0 && at <= INSTANT_MAX)) &&
			(guard->n_staged[kind] == 0 || at != INSTANT_NONE) &&
			guard->n_owed[kind] <= guard->n_staged[kind];
	}
	return sound;
}
