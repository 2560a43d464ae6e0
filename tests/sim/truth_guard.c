/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/truth.h"

/*
 * The mass guard: what happened is kept hour by hour, and what is held back with the account that it
 * is about; every number is counted from those when it is asked for.
 */

#define PERCENT_OFF 100

static int64_t hour_of(instant_t at)
{
	return at / SPAN_HOUR;
}

/* The clock may stand behind what was counted last: then nothing is forgotten. */
static bool counts(const struct truth_guard *guard, const struct truth_hour *hour, instant_t now)
{
	return hour->hour > MAX(hour_of(now), guard->newest) - TRUTH_HOURS;
}

enum truth_kind truth_kind_of(const struct truth_account *before, const struct truth_account *after)
{
	return after->started_at != before->started_at ? TRUTH_PURGE_KIND : TRUTH_DELETION;
}

/* Numbers */

uint32_t truth_guard_accounts(const struct truth *truth, uint8_t org)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < truth->n_accounts; i++) {
		n += truth->accounts[i].org == org && truth->accounts[i].removed_at == INSTANT_NONE;
	}
	return n;
}

uint32_t truth_guard_staged(const struct truth *truth, uint8_t org, enum truth_kind kind,
			    bool decided)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < truth->n_accounts; i++) {
		const struct truth_staged *staged = &truth->accounts[i].staged;

		n += truth->accounts[i].org == org && staged->stands && staged->kind == kind &&
		     staged->decided == decided;
	}
	return n;
}

/* It was promised to the person. */
static bool is_owed(const struct truth_staged *staged)
{
	return staged->command == TRUTH_LEAVE || staged->request != 0;
}

uint32_t truth_guard_owed(const struct truth *truth, uint8_t org, enum truth_kind kind)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < truth->n_accounts; i++) {
		const struct truth_staged *staged = &truth->accounts[i].staged;

		n += truth->accounts[i].org == org && staged->stands && staged->kind == kind &&
		     !staged->decided && is_owed(staged);
	}
	return n;
}

static bool is_due(const struct truth_account *account, instant_t now)
{
	return account->deleted_at != INSTANT_NONE && account->started_at == INSTANT_NONE &&
	       account->removed_at == INSTANT_NONE && truth_start(account) <= now;
}

uint32_t truth_guard_due(const struct truth *truth, uint8_t org)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < truth->n_accounts; i++) {
		n += truth->accounts[i].org == org && is_due(&truth->accounts[i], truth->now);
	}
	return n;
}

uint64_t truth_guard_done(const struct truth *truth, uint8_t org, enum truth_kind kind)
{
	const struct truth_guard *guard = &truth->orgs[org].guard;
	uint64_t n = truth_guard_staged(truth, org, kind, true);

	for (uint32_t i = 0; i < guard->n_hours; i++) {
		n += counts(guard, &guard->hours[i], truth->now) ? guard->hours[i].done[kind] : 0;
	}
	return n;
}

uint64_t truth_guard_limit(const struct truth *truth, uint8_t org, enum truth_kind kind)
{
	const struct truth_guard *guard = &truth->orgs[org].guard;
	uint64_t n_accounts = truth_guard_accounts(truth, org), released = 0;

	for (uint32_t i = 0; i < guard->n_hours; i++) {
		if (counts(guard, &guard->hours[i], truth->now)) {
			n_accounts += guard->hours[i].completed;
			released += guard->hours[i].released[kind];
		}
	}
	return MAX((uint64_t)guard->min, n_accounts * guard->percent / 100) + released;
}

bool truth_guard_is_off(const struct truth *truth, uint8_t org)
{
	return truth->orgs[org].guard.percent == PERCENT_OFF;
}

bool truth_guard_is_engaged(const struct truth *truth, uint8_t org, enum truth_kind kind)
{
	return truth->orgs[org].guard.engaged_at[kind] != INSTANT_NONE;
}

uint64_t truth_guard_left(const struct truth *truth, uint8_t org, enum truth_kind kind)
{
	uint64_t done = truth_guard_done(truth, org, kind);
	uint64_t limit = truth_guard_limit(truth, org, kind);

	if (truth_guard_is_off(truth, org)) {
		return UINT64_MAX;
	}
	return truth_guard_is_engaged(truth, org, kind) || done >= limit ? 0 : limit - done;
}

instant_t truth_guard_since(const struct truth *truth, uint8_t org)
{
	instant_t since = INSTANT_MAX;

	for (enum truth_kind kind = 0; kind < _TRUTH_KIND_MAX; kind++) {
		if (truth_guard_is_engaged(truth, org, kind)) {
			since = MIN(since, truth->orgs[org].guard.engaged_at[kind]);
		}
	}
	return since == INSTANT_MAX ? INSTANT_NONE : since;
}

bool truth_guard_holds(const struct truth *truth, const struct truth_account *account)
{
	return is_due(account, truth->now) && !truth_guard_is_off(truth, account->org) &&
	       truth_guard_is_engaged(truth, account->org, TRUTH_REMOVAL);
}

/* Counting */

static void forget_old(struct truth_guard *guard)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < guard->n_hours; i++) {
		if (guard->hours[i].hour > guard->newest - TRUTH_HOURS) {
			guard->hours[n++] = guard->hours[i];
		}
	}
	guard->n_hours = n;
}

/* What is counted now is counted into the newest hour that there is. */
static struct truth_hour *hour_at(struct truth_guard *guard, instant_t at)
{
	guard->newest = MAX(guard->newest, hour_of(at));
	forget_old(guard);
	for (uint32_t i = 0; i < guard->n_hours; i++) {
		if (guard->hours[i].hour == guard->newest) {
			return &guard->hours[i];
		}
	}
	assert(guard->n_hours < TRUTH_HOURS);
	guard->hours[guard->n_hours] = (struct truth_hour){.hour = guard->newest};
	return &guard->hours[guard->n_hours++];
}

void truth_guard_count(struct truth *truth, uint8_t org, enum truth_kind kind)
{
	hour_at(&truth->orgs[org].guard, truth->now)->done[kind]++;
}

void truth_guard_count_completed(struct truth *truth, uint8_t org, instant_t at)
{
	hour_at(&truth->orgs[org].guard, at)->completed++;
}

/* Commands */

void truth_guard_begin(struct truth *truth)
{
	for (uint32_t org = 0; org < TRUTH_ORGS; org++) {
		memset(truth->orgs[org].guard.planned, 0, sizeof(truth->orgs[org].guard.planned));
	}
}

static void engage(struct truth *truth, uint8_t org, enum truth_kind kind)
{
	if (!truth_guard_is_engaged(truth, org, kind)) {
		truth->orgs[org].guard.engaged_at[kind] = truth->now;
	}
}

static bool stops_dry(struct truth *truth, uint8_t org, enum truth_kind kind)
{
	uint32_t *planned = &truth->orgs[org].guard.planned[kind];

	if (*planned >= truth_guard_left(truth, org, kind)) {
		return true;
	}
	++*planned;
	return false;
}

/* Nothing of a kind waits any more. */
static void let_go(struct truth *truth, uint8_t org, enum truth_kind kind)
{
	if (truth_guard_staged(truth, org, kind, false) == 0) {
		truth->orgs[org].guard.engaged_at[kind] = INSTANT_NONE;
	}
}

static void drop(struct truth *truth, struct truth_account *account)
{
	struct truth_staged staged = account->staged;

	account->staged = (struct truth_staged){.stands = false};
	if (!staged.decided) {
		let_go(truth, account->org, staged.kind);
	}
}

/* The person's request is open again, unless there is another one. */
static void discard(struct truth *truth, struct truth_account *account)
{
	uint64_t number = account->staged.request;
	struct truth_request *request = number != 0 ? truth_request_of(truth, number) : NULL;

	drop(truth, account);
	if (request && request->state == REQUEST_STATE_APPROVED && account->request == 0) {
		request->state = REQUEST_STATE_OPEN;
		account->request = number;
	}
}

/*
 * One account has one command held back: the first, unless a person asks for the next one, and did not
 * for that.
 */
static bool takes_place_of(const struct truth_staged *next, const struct truth_staged *before)
{
	if (!before->stands) {
		return true;
	}
	if (before->decided) {
		return false;
	}
	return (is_owed(next) && !is_owed(before)) || (next->request != 0 && before->request == 0);
}

bool truth_guard_stops(struct truth *truth, struct truth_account *account,
		       const struct truth_account *after, enum truth_command command,
		       uint64_t request, bool dry)
{
	struct truth_staged before;
	struct truth_staged next = {
		.stands = true,
		.command = command,
		.kind = truth_kind_of(account, after),
		.request = request,
		.at = truth->now,
	};

	if (dry) {
		return stops_dry(truth, account->org, next.kind);
	}
	if (truth_guard_left(truth, account->org, next.kind) > 0) {
		return false;
	}
	if (account->staged.decided && truth->orgs[account->org].guard.discards) {
		discard(truth, account);
	}
	before = account->staged;
	if (takes_place_of(&next, &before)) {
		account->staged = next;
		truth->n_staged++;
		engage(truth, account->org, next.kind);
		if (before.stands) {
			let_go(truth, account->org, before.kind);
		}
	}
	return true;
}

bool truth_guard_stops_removal(struct truth *truth, uint8_t org, bool dry)
{
	if (dry) {
		return stops_dry(truth, org, TRUTH_REMOVAL);
	}
	if (truth_guard_left(truth, org, TRUTH_REMOVAL) > 0) {
		return false;
	}
	engage(truth, org, TRUTH_REMOVAL);
	return true;
}

void truth_guard_outdate(struct truth *truth, struct truth_account *account)
{
	bool active = account->deleted_at == INSTANT_NONE;
	bool fits = account->staged.command == TRUTH_PURGE
			    ? !active && account->started_at == INSTANT_NONE
			    : active;

	if (account->staged.stands && !fits) {
		drop(truth, account);
	}
}

/* Decisions */

static void decide(struct truth *truth, uint8_t org, bool discards, bool persons)
{
	truth->orgs[org].guard.discards = discards;
	for (uint32_t i = 0; i < truth->n_accounts; i++) {
		struct truth_account *account = &truth->accounts[i];

		account->staged.decided |= account->org == org && account->staged.stands &&
					   (persons || !is_owed(&account->staged));
	}
	for (enum truth_kind kind = 0; kind < _TRUTH_KIND_MAX; kind++) {
		if (!discards || kind != TRUTH_REMOVAL) {
			let_go(truth, org, kind);
		}
	}
}

/* What went beyond the limit is released with the rest, each in its hour, the oldest first. */
static void release_excess(struct truth *truth, uint8_t org)
{
	struct truth_guard *guard = &truth->orgs[org].guard;
	uint64_t done = truth_guard_done(truth, org, TRUTH_REMOVAL);
	uint64_t limit = truth_guard_limit(truth, org, TRUTH_REMOVAL);
	uint64_t excess = done > limit ? done - limit : 0;

	for (int64_t at = guard->newest - TRUTH_HOURS + 1; at <= guard->newest; at++) {
		for (uint32_t i = 0; i < guard->n_hours; i++) {
			struct truth_hour *hour = &guard->hours[i];
			uint32_t n = (uint32_t)MIN(excess, hour->done[TRUTH_REMOVAL]);

			if (hour->hour == at) {
				hour->released[TRUTH_REMOVAL] += n;
				excess -= n;
			}
		}
	}
}

void truth_guard_release(struct truth *truth, uint8_t org, uint32_t n_due)
{
	struct truth_hour *hour = hour_at(&truth->orgs[org].guard, truth->now);

	for (enum truth_kind kind = 0; kind < _TRUTH_KIND_MAX; kind++) {
		hour->released[kind] += truth_guard_staged(truth, org, kind, false);
	}
	decide(truth, org, false, true);
	if (n_due > 0) {
		release_excess(truth, org);
		hour->released[TRUTH_REMOVAL] += n_due;
	}
}

void truth_guard_discard(struct truth *truth, uint8_t org, bool persons)
{
	decide(truth, org, true, persons);
}

/* A person who was allowed to leave leaves, whatever was decided since. */
static void carry_out(struct truth *truth, struct truth_account *account,
		      enum truth_command command)
{
	truth->n_carried_out++;
	truth_change_released(truth, command == TRUTH_PURGE ? TRUTH_PURGE : TRUTH_REMOVE, account);
}

/* Nobody released a purge: a soft-deletion that has become one waits again. */
static bool is_purge_now(const struct truth *truth, const struct truth_account *account)
{
	return account->staged.kind == TRUTH_DELETION &&
	       account->kind == ACCOUNT_KIND_B2B_DIRECT_CONNECT &&
	       !truth_is_held(account, truth->now);
}

static void stage_again(struct truth *truth, struct truth_account *account)
{
	account->staged.decided = false;
	account->staged.kind = TRUTH_PURGE_KIND;
	account->staged.at = truth->now;
	engage(truth, account->org, TRUTH_PURGE_KIND);
}

void truth_guard_carry_out(struct truth *truth)
{
	for (uint32_t i = 0; i < truth->n_accounts; i++) {
		struct truth_account *account = &truth->accounts[i];
		struct truth_staged staged = account->staged;

		if (!staged.stands || !staged.decided) {
			continue;
		}
		if (truth->orgs[account->org].guard.discards) {
			discard(truth, account);
		} else if (is_purge_now(truth, account)) {
			stage_again(truth, account);
		} else {
			drop(truth, account);
			carry_out(truth, account, staged.command);
		}
	}
}
