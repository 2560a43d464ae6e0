/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/truth.h"

#define REASON(code) OUTCOME_BIT(OUTCOME_##code)

void truth_init(struct truth *truth)
{
	*truth = (struct truth){.now = INSTANT_NONE};
	for (uint32_t i = 0; i < TRUTH_ORGS; i++) {
		struct truth_org *org = &truth->orgs[i];

		*org = (struct truth_org){true, 30 * SPAN_DAY, 30 * SPAN_DAY, {.min = 500}};
		org->guard.percent = 25;
		for (enum truth_kind kind = 0; kind < _TRUTH_KIND_MAX; kind++) {
			org->guard.engaged_at[kind] = INSTANT_NONE;
		}
	}
}

bool truth_is_held(const struct truth_account *account, instant_t now)
{
	return account->held_until == INSTANT_MAX || account->held_until > now;
}

static instant_t window_end(const struct truth_account *account)
{
	return account->deleted_at + account->window;
}

enum account_state truth_state(const struct truth_account *account, instant_t now)
{
	if (account->removed_at != INSTANT_NONE) {
		return ACCOUNT_STATE_REMOVED;
	}
	if (account->deleted_at == INSTANT_NONE) {
		return ACCOUNT_STATE_ACTIVE;
	}
	if (account->started_at != INSTANT_NONE) {
		return ACCOUNT_STATE_REMOVING;
	}
	return now >= window_end(account) && !truth_is_held(account, now)
		       ? ACCOUNT_STATE_REMOVING
		       : ACCOUNT_STATE_SOFT_DELETED;
}

instant_t truth_window_ends(const struct truth_account *account)
{
	return account->deleted_at == INSTANT_NONE ||
			       account->kind == ACCOUNT_KIND_B2B_DIRECT_CONNECT
		       ? INSTANT_NONE
		       : window_end(account);
}

instant_t truth_start(const struct truth_account *account)
{
	if (account->started_at != INSTANT_NONE) {
		return account->started_at;
	}
	return MAX(window_end(account), account->held_until);
}

instant_t truth_due(const struct truth_account *account)
{
	return truth_start(account) + account->removal;
}

bool truth_is_overdue(const struct truth_account *account, instant_t now)
{
	return truth_state(account, now) == ACCOUNT_STATE_REMOVING &&
	       (account->late || now >= truth_due(account));
}

uint32_t truth_keepers_of(const struct truth *truth, uint8_t org)
{
	uint32_t keepers = 0;

	for (uint32_t i = 0; i < TRUTH_KEEPERS; i++) {
		const struct truth_keeper *keeper = &truth->keepers[i];

		if (keeper->enabled && (keeper->orgs == 0 || (keeper->orgs & 1U << org))) {
			keepers |= 1U << i;
		}
	}
	return keepers;
}

/* INSTANT_MAX if the clock has nothing to do to it. */
instant_t truth_pending_since(const struct truth_account *account)
{
	if (account->deleted_at == INSTANT_NONE || account->removed_at != INSTANT_NONE) {
		return INSTANT_MAX;
	}
	if (account->started_at == INSTANT_NONE || account->owed == 0) {
		return truth_start(account);
	}
	return account->late ? INSTANT_MAX : truth_due(account);
}

bool truth_is_pending(const struct truth_account *account, instant_t now)
{
	return truth_pending_since(account) <= now;
}

/* Finding */

struct truth_account *truth_of_uid(struct truth *truth, uint64_t uid)
{
	for (uint32_t i = 0; i < truth->n_accounts; i++) {
		if (truth->accounts[i].uid == uid) {
			return &truth->accounts[i];
		}
	}
	return NULL;
}

static struct truth_account *find_by_id(struct truth *truth, uint8_t org, uint8_t id)
{
	for (uint32_t i = truth->n_accounts; i > 0; i--) {
		struct truth_account *account = &truth->accounts[i - 1];

		if (account->org == org && account->id == id) {
			return account;
		}
	}
	return NULL;
}

static struct truth_account *find_by_person(struct truth *truth, uint8_t org, uint8_t person)
{
	struct truth_account *newest = NULL;

	for (uint32_t i = 0; i < truth->n_accounts; i++) {
		struct truth_account *account = &truth->accounts[i];

		if (account->org != org || account->person != person ||
		    account->removed_at != INSTANT_NONE) {
			continue;
		}
		newest = account;
		if (account->deleted_at == INSTANT_NONE) {
			break;
		}
	}
	return newest;
}

struct truth_account *truth_find(struct truth *truth, const struct truth_name *name)
{
	switch (name->by) {
	case TRUTH_BY_UID:
		return truth_of_uid(truth, name->uid);
	case TRUTH_BY_ID:
		return find_by_id(truth, name->org, name->id);
	case TRUTH_BY_PERSON:
		return find_by_person(truth, name->org, name->person);
	case _TRUTH_NAMING_MAX:
		break;
	}
	abort();
}

/* The table of the states and the commands */

static void start_removal(const struct truth *truth, struct truth_account *account, instant_t at)
{
	account->started_at = at;
	account->owed = truth_keepers_of(truth, account->org);
}

/* @at: as the directory tells it, or now. */
static void delete_account(const struct truth *truth, struct truth_account *account, instant_t at)
{
	const struct truth_org *org = &truth->orgs[account->org];

	account->deleted_at = at;
	account->window = org->window;
	account->removal = org->removal;
	account->request = 0;
	account->left_at = truth->clocks_are_right && at != truth->now
				   ? at
				   : truth->true_now + (at - truth->now);
	account->gained = truth->gained;
	account->stamped = truth->doubted && at == truth->now;
	if (account->kind == ACCOUNT_KIND_B2B_DIRECT_CONNECT) {
		account->window = 0;
		if (!truth_is_held(account, at)) {
			start_removal(truth, account, at);
		}
	}
}

void truth_set_deleted(const struct truth *truth, struct truth_account *account, instant_t at)
{
	if (at != INSTANT_NONE) {
		delete_account(truth, account, at);
	}
}

static outcome_set_t leave(const struct truth *truth, struct truth_account *account)
{
	outcome_set_t reasons = 0;

	reasons |= truth->orgs[account->org].allow_leave ? 0 : REASON(LEAVE_NOT_ALLOWED);
	reasons |= account->enabled ? 0 : REASON(ACCOUNT_DISABLED);
	reasons |= account->kind == ACCOUNT_KIND_MEMBER ? REASON(HOME_ORGANIZATION) : 0;
	if (reasons == 0) {
		delete_account(truth, account, truth->now);
	}
	return reasons;
}

/* Under which another account is active meanwhile: its id, or its UPN. */
static bool name_is_taken(const struct truth *truth, const struct truth_account *account,
			  uint8_t upn)
{
	for (uint32_t i = 0; i < truth->n_accounts; i++) {
		const struct truth_account *other = &truth->accounts[i];

		if (other->uid != account->uid && other->org == account->org &&
		    other->deleted_at == INSTANT_NONE &&
		    (other->id == account->id || other->upn == upn)) {
			return true;
		}
	}
	return false;
}

static outcome_set_t restore(const struct truth *truth, struct truth_account *account,
			     uint8_t new_upn)
{
	uint8_t upn = new_upn != TRUTH_NO_UPN ? new_upn : account->upn;

	if (truth->now >= window_end(account)) {
		return REASON(WINDOW_ENDED);
	}
	if (name_is_taken(truth, account, upn)) {
		return REASON(NAME_CONFLICT);
	}
	account->upn = upn;
	account->deleted_at = INSTANT_NONE;
	account->window = account->removal = 0;
	return 0;
}

static outcome_set_t purge(const struct truth *truth, struct truth_account *account)
{
	if (truth_is_held(account, truth->now)) {
		return REASON(HELD);
	}
	start_removal(truth, account, truth->now);
	return 0;
}

static outcome_set_t change_active(const struct truth *truth, enum truth_command command,
				   struct truth_account *account)
{
	switch (command) {
	case TRUTH_LEAVE:
		return leave(truth, account);
	case TRUTH_REMOVE:
		delete_account(truth, account, truth->now);
		return 0;
	case TRUTH_RESTORE:
	case TRUTH_PURGE:
		return REASON(NOT_SOFT_DELETED);
	case TRUTH_DISABLE:
	case TRUTH_ENABLE:
		account->enabled = command == TRUTH_ENABLE;
		return 0;
	case _TRUTH_COMMAND_MAX:
		break;
	}
	abort();
}

static outcome_set_t change_in_state(const struct truth *truth, enum truth_command command,
				     struct truth_account *account, uint8_t new_upn)
{
	switch (truth_state(account, truth->now)) {
	case ACCOUNT_STATE_ACTIVE:
		return change_active(truth, command, account);
	case ACCOUNT_STATE_SOFT_DELETED:
		return command == TRUTH_RESTORE ? restore(truth, account, new_upn)
		       : command == TRUTH_PURGE ? purge(truth, account)
						: REASON(ALREADY_LEFT);
	case ACCOUNT_STATE_REMOVING:
		return command == TRUTH_RESTORE ? REASON(IRREVOCABLE)
		       : command == TRUTH_PURGE ? REASON(ALREADY_REMOVING)
						: REASON(ALREADY_LEFT);
	case ACCOUNT_STATE_REMOVED:
		return command == TRUTH_RESTORE ? REASON(IRREVOCABLE) : REASON(NOT_FOUND);
	case _ACCOUNT_STATE_MAX:
		break;
	}
	abort();
}

static struct truth_verdict unknown_account(void)
{
	return (struct truth_verdict){.reasons = REASON(NOT_FOUND)};
}

static struct truth_verdict keep(struct truth_account *account, outcome_set_t reasons,
				 const struct truth_account *after, bool dry)
{
	struct truth_verdict verdict = {reasons, reasons == 0 ? *after : *account};

	if (!dry) {
		*account = verdict.account;
	}
	return verdict;
}

static bool is_guarded(enum truth_command command)
{
	return command == TRUTH_LEAVE || command == TRUTH_REMOVE || command == TRUTH_PURGE;
}

static struct truth_verdict make(struct truth *truth, enum truth_command command,
				 struct truth_account *account, outcome_set_t reasons,
				 const struct truth_account *after, bool dry)
{
	struct truth_verdict verdict;

	if (reasons == 0 && is_guarded(command) && !dry) {
		truth_guard_count(truth, account->org, truth_kind_of(account, after));
	}
	verdict = keep(account, reasons, after, dry);
	truth_guard_outdate(truth, account);
	return verdict;
}

static struct truth_verdict change(struct truth *truth, enum truth_command command,
				   struct truth_account *account, uint8_t new_upn, uint64_t request,
				   bool dry)
{
	struct truth_account after;
	outcome_set_t reasons;

	if (!account) {
		return unknown_account();
	}
	after = *account;
	reasons = change_in_state(truth, command, &after, new_upn);
	if (reasons == 0 && is_guarded(command) &&
	    truth_guard_stops(truth, account, &after, command, request, dry)) {
		return (struct truth_verdict){REASON(STAGED), *account};
	}
	return make(truth, command, account, reasons, &after, dry);
}

struct truth_verdict truth_change(struct truth *truth, enum truth_command command,
				  struct truth_account *account, uint8_t new_upn, bool dry)
{
	return change(truth, command, account, new_upn, 0, dry);
}

struct truth_verdict truth_remove_for(struct truth *truth, struct truth_account *account,
				      uint64_t request, bool dry)
{
	return change(truth, TRUTH_REMOVE, account, TRUTH_NO_UPN, request, dry);
}

void truth_change_released(struct truth *truth, enum truth_command command,
			   struct truth_account *account)
{
	struct truth_account after = *account;
	outcome_set_t reasons = change_in_state(truth, command, &after, TRUTH_NO_UPN);

	(void)make(truth, command, account, reasons, &after, false);
}

void truth_set_clock(struct truth *truth, instant_t to, span_t gained)
{
	for (uint32_t i = 0; i < truth->n_accounts; i++) {
		struct truth_account *account = &truth->accounts[i];

		if (to > truth->now && account->stamped && account->deleted_at != INSTANT_NONE &&
		    account->started_at == INSTANT_NONE && account->window > 0 &&
		    window_end(account) > truth->now) {
			account->deleted_at += to - truth->now;
			account->gained = gained;
		}
		account->stamped = false;
	}
	truth->now = to;
	truth->gained = gained;
	truth->doubted = false;
}

/* Holds */

static instant_t others_until(const struct truth_account *account, uint32_t but, instant_t now)
{
	instant_t until = INSTANT_NONE;

	for (uint32_t i = 0; i < TRUTH_HOLDS; i++) {
		if (i != but && account->holds[i] > now) {
			until = MAX(until, account->holds[i]);
		}
	}
	return until;
}

struct truth_verdict truth_hold(struct truth *truth, struct truth_account *account, uint32_t hold,
				instant_t until, bool dry)
{
	struct truth_account after;
	outcome_set_t reasons = 0;

	if (!account || account->removed_at != INSTANT_NONE) {
		struct truth_verdict verdict = unknown_account();

		verdict.account = account ? *account : verdict.account;
		return verdict;
	}
	after = *account;
	if (truth_state(account, truth->now) == ACCOUNT_STATE_REMOVING) {
		reasons = REASON(IRREVOCABLE);
	} else if (account->holds[hold] > truth->now) {
		reasons = REASON(HOLD_EXISTS);
	} else {
		after.holds[hold] = until;
		after.held_until = MAX(others_until(account, hold, truth->now), until);
	}
	return keep(account, reasons, &after, dry);
}

/* The removal starts now, or should: the mass guard may hold it back as it does the clock's. */
static void end_last_hold(struct truth *truth, struct truth_account *account, bool dry)
{
	if (truth_guard_stops_removal(truth, account->org, dry)) {
		account->held_until = truth->now;
		return;
	}
	start_removal(truth, account, truth->now);
	if (!dry) {
		truth_guard_count(truth, account->org, TRUTH_REMOVAL);
	}
}

struct truth_verdict truth_release(struct truth *truth, struct truth_account *account,
				   uint32_t hold, bool dry)
{
	struct truth_verdict verdict;
	struct truth_account after;

	if (!account || account->removed_at != INSTANT_NONE) {
		verdict = unknown_account();
		verdict.account = account ? *account : verdict.account;
		return verdict;
	}
	if (account->holds[hold] <= truth->now) {
		return (struct truth_verdict){REASON(HOLD_NOT_FOUND), *account};
	}
	after = *account;
	after.holds[hold] = INSTANT_NONE;
	if (truth_state(account, truth->now) == ACCOUNT_STATE_REMOVING) {
		return keep(account, 0, &after,
			    dry); /* a crash lost its release, not the removal */
	}
	after.held_until = others_until(account, hold, truth->now);
	if (after.deleted_at != INSTANT_NONE && truth->now >= window_end(&after) &&
	    !truth_is_held(&after, truth->now)) {
		end_last_hold(truth, &after, dry);
	}
	verdict = keep(account, 0, &after, dry);
	truth_guard_outdate(truth, account);
	return verdict;
}
