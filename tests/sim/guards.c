/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/staged.h"

#include "tests/sim/ask.h"

/* The daemon's mass guards beside the truth about them. */

static const enum guard_kind kinds[] = {
	[TRUTH_DELETION] = GUARD_KIND_DELETION,
	[TRUTH_PURGE_KIND] = GUARD_KIND_PURGE,
	[TRUTH_REMOVAL] = GUARD_KIND_SWEEP,
};
static_assert(ARRAY_LEN(kinds) == _TRUTH_KIND_MAX, "each kind");

static const struct mass_guard *guard_of(const struct sim *sim, uint8_t org)
{
	return &store_guard(sim->rig.engine->store, org + 1U)->guard;
}

/*
 * The sweep says when it holds something back, and when nothing is any more: it must not do so without
 * a reason.
 */
static void observe_engagement(struct sim *sim, uint8_t org)
{
	struct truth *truth = &sim->truth;
	bool was = truth_guard_is_engaged(truth, org, TRUTH_REMOVAL);
	bool is = guard_is_engaged(guard_of(sim, org), GUARD_KIND_SWEEP);

	if (is && !was) {
		SIM_REQUIRE(sim, truth_guard_left(truth, org, TRUTH_REMOVAL) == 0, GUARD,
			    "the mass guard of org-%u holds removals back, and more may pass", org);
		SIM_REQUIRE(sim, truth_guard_due(truth, org) > 0, GUARD,
			    "the mass guard of org-%u holds removals back, and none is due", org);
		truth->orgs[org].guard.engaged_at[TRUTH_REMOVAL] = truth->now;
	}
	if (was && !is) {
		SIM_REQUIRE(sim, truth_guard_due(truth, org) == 0, GUARD,
			    "the mass guard of org-%u lets go by itself", org);
		truth->orgs[org].guard.engaged_at[TRUTH_REMOVAL] = INSTANT_NONE;
	}
}

void guards_observe(struct sim *sim)
{
	for (uint8_t org = 0; org < TRUTH_ORGS; org++) {
		observe_engagement(sim, org);
	}
}

/* What is held back */

static enum event event_of(enum truth_command command)
{
	return command == TRUTH_PURGE   ? EVENT_PURGED
	       : command == TRUTH_LEAVE ? EVENT_LEFT
					: EVENT_DELETED;
}

static bool is_staged(struct sim *sim, const struct truth_account *account)
{
	const struct account row = {.uid = account->uid, .org = account->org + 1U};
	const struct truth_staged *then = &account->staged;
	struct staged staged;
	int r = store_get_staged(sim->rig.engine->store, &row, &staged);

	return then->stands ? r == 0 && staged.kind == kinds[then->kind] &&
				      staged.event == event_of(then->command) &&
				      staged.at == then->at && staged.request == then->request
			    : r == STORE_E_NONE;
}

static bool are_engaged(struct sim *sim, const struct truth *truth, uint8_t org)
{
	for (enum truth_kind kind = 0; kind < _TRUTH_KIND_MAX; kind++) {
		if (guard_of(sim, org)->engaged_at[kinds[kind]] !=
		    truth->orgs[org].guard.engaged_at[kind]) {
			return false;
		}
	}
	return true;
}

bool guards_are(struct sim *sim, const struct truth *truth)
{
	for (uint32_t i = 0; i < truth->n_accounts; i++) {
		if (!is_staged(sim, &truth->accounts[i])) {
			return false;
		}
	}
	for (uint8_t org = 0; org < TRUTH_ORGS; org++) {
		if (!are_engaged(sim, truth, org)) {
			return false;
		}
	}
	return true;
}

static void expect_staged(struct sim *sim)
{
	for (uint32_t i = 0; i < sim->truth.n_accounts; i++) {
		const struct truth_account *account = &sim->truth.accounts[i];

		SIM_REQUIRE(sim, is_staged(sim, account), GUARD,
			    "uid %llu must %shave a command held back, that one",
			    (unsigned long long)account->uid, account->staged.stands ? "" : "not ");
	}
}

/* Numbers */

static void expect_number(struct sim *sim, uint8_t org, enum truth_kind kind, const char *what,
			  uint64_t is, uint64_t must)
{
	SIM_REQUIRE(sim, is == must, GUARD,
		    "the mass guard of org-%u has %llu %s of its %s, and must have %llu", org,
		    (unsigned long long)is, what, guard_kind_name(kinds[kind]),
		    (unsigned long long)must);
}

static void expect_kind(struct sim *sim, uint8_t org, enum truth_kind kind)
{
	const struct truth *truth = &sim->truth;
	const struct mass_guard *guard = guard_of(sim, org);
	const struct policy *policy = &store_org(sim->rig.engine->store, org + 1U)->policy;

	expect_number(sim, org, kind, "done", guard_done(guard, kinds[kind], truth->now),
		      truth_guard_done(truth, org, kind));
	expect_number(sim, org, kind, "allowed",
		      guard_limit(guard, policy, kinds[kind], truth->now),
		      truth_guard_limit(truth, org, kind));
	expect_number(sim, org, kind, "left", guard_left(guard, policy, kinds[kind], truth->now),
		      truth_guard_left(truth, org, kind));
	expect_number(sim, org, kind, "staged", guard->n_staged[kinds[kind]],
		      truth_guard_staged(truth, org, kind, false));
	expect_number(sim, org, kind, "owed", guard->n_owed[kinds[kind]],
		      truth_guard_owed(truth, org, kind));
	expect_number(sim, org, kind, "decided", guard->n_decided[kinds[kind]],
		      truth_guard_staged(truth, org, kind, true));
}

void guards_expect(struct sim *sim)
{
	for (uint8_t org = 0; org < TRUTH_ORGS; org++) {
		for (enum truth_kind kind = 0; kind < _TRUTH_KIND_MAX; kind++) {
			expect_kind(sim, org, kind);
		}
		SIM_REQUIRE(
			sim,
			guard_of(sim, org)->n_accounts == truth_guard_accounts(&sim->truth, org),
			GUARD, "the mass guard of org-%u reckons with another number of accounts",
			org);
		SIM_REQUIRE(sim, are_engaged(sim, &sim->truth, org), GUARD,
			    "the mass guard of org-%u is engaged otherwise", org);
	}
	expect_staged(sim);
}

/* The sweep has seen all that it holds back, and an administrator is told so many. */
void guards_expect_at_rest(struct sim *sim)
{
	for (uint8_t org = 0; org < TRUTH_ORGS && !sim->truth.paused && !sim->truth.doubted;
	     org++) {
		struct guarding_held held = guarding_held_of(
			sim->rig.engine, store_org(sim->rig.engine->store, org + 1U));

		SIM_REQUIRE(sim, held.n_removals == truth_guard_due(&sim->truth, org), GUARD,
			    "org-%u has %u removals that are due, and %llu are told", org,
			    truth_guard_due(&sim->truth, org), (unsigned long long)held.n_removals);
	}
}
