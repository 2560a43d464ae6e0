/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/ask.h"
#include "tests/sim/pick.h"

/* The mass guards: their settings, what they tell, and what administrators decide. */

/* As guard.list tells it. */
static struct pack_value list_guard(struct sim *sim, uint8_t org)
{
	struct pack_value result, guards;
	struct pack_writer *out;

	ask_as(sim, ASK_AS_ADMIN);
	out = ask_begin(sim, "guard.list");
	pack_put_cstr(out, "org", name_org(org));
	result = ask_result(sim);
	guards = value_list(&result, "guards");
	SIM_REQUIRE(sim, guards.list.n == 1, ANSWERS, "%u guards are told of one organization",
		    guards.list.n);
	return pack_array_at(&guards, 0);
}

void do_guard_set(struct sim *sim, const struct step *step)
{
	static const uint32_t mins[] = {1, 1, 2, 3, 500};
	static const uint8_t percents[] = {1, 1, 1, 40, 100, 100};
	uint8_t number = (uint8_t)(step->a % TRUTH_ORGS);
	struct truth_guard *guard = &sim->truth.orgs[number].guard;
	struct pack_writer *out;
	struct pack_value result;

	ask_as(sim, ASK_AS_ADMIN);
	out = ask_begin(sim, "org.set");
	guard->min = mins[step->b % ARRAY_LEN(mins)];
	guard->percent = percents[step->c % ARRAY_LEN(percents)];
	pack_put_cstr(out, "org", name_org(number));
	pack_put_uint(out, "guard_min", guard->min);
	pack_put_uint(out, "guard_percent", guard->percent);
	result = ask_result(sim);
	sim_tell(sim, "org.set org-%u: at least %u, %u percent\n", number, guard->min,
		 guard->percent);
	expect_outcome(sim, &result, 0);
}

/* What is told */

static void expect_told(struct sim *sim, const struct pack_value *told, const char *key,
			uint64_t must)
{
	int64_t is = value_int(told, key, -1);

	SIM_REQUIRE(sim, is == (int64_t)must, GUARD, "guard.list tells %lld for %s, and it is %llu",
		    (long long)is, key, (unsigned long long)must);
}

static void expect_told_kind(struct sim *sim, const struct pack_value *told, uint8_t org,
			     enum truth_kind kind)
{
	static const char *const keys[][3] = {
		[TRUTH_DELETION] = {"soft_deletions", "soft_deletions_limit",
				    "soft_deletions_left"},
		[TRUTH_PURGE_KIND] = {"purges", "purges_limit", "purges_left"},
		[TRUTH_REMOVAL] = {"removals", "removals_limit", "removals_left"},
	};
	const struct truth *truth = &sim->truth;

	expect_told(sim, told, keys[kind][0], truth_guard_done(truth, org, kind));
	if (!truth_guard_is_off(truth, org)) {
		expect_told(sim, told, keys[kind][1], truth_guard_limit(truth, org, kind));
		expect_told(sim, told, keys[kind][2], truth_guard_left(truth, org, kind));
	}
}

/* Commands that wait for a decision. */
static uint32_t n_commands(const struct truth *truth, uint8_t org)
{
	return truth_guard_staged(truth, org, TRUTH_DELETION, false) +
	       truth_guard_staged(truth, org, TRUTH_PURGE_KIND, false);
}

static uint32_t n_owed(const struct truth *truth, uint8_t org)
{
	return truth_guard_owed(truth, org, TRUTH_DELETION) +
	       truth_guard_owed(truth, org, TRUTH_PURGE_KIND);
}

static uint32_t n_decided(const struct truth *truth, uint8_t org)
{
	return truth_guard_staged(truth, org, TRUTH_DELETION, true) +
	       truth_guard_staged(truth, org, TRUTH_PURGE_KIND, true);
}

void audit_guards(struct sim *sim, const struct step *step)
{
	uint8_t org = (uint8_t)(step->a % TRUTH_ORGS);
	const struct truth *truth = &sim->truth;
	struct pack_value told = list_guard(sim, org);
	int64_t n_due = value_int(&told, "removals_staged", 0);

	sim_tell(sim, "guard.list org-%u\n", org);
	for (enum truth_kind kind = 0; kind < _TRUTH_KIND_MAX; kind++) {
		expect_told_kind(sim, &told, org, kind);
	}
	expect_told(sim, &told, "accounts", truth_guard_accounts(truth, org));
	expect_told(sim, &told, "deciding", n_decided(truth, org));
	expect_told(sim, &told, "persons", n_owed(truth, org));
	expect_told(sim, &told, "staged", n_commands(truth, org) + (uint64_t)n_due);
	expect_told(sim, &told, "soft_deletions_staged",
		    truth_guard_staged(truth, org, TRUTH_DELETION, false));
	expect_told(sim, &told, "purges_staged",
		    truth_guard_staged(truth, org, TRUTH_PURGE_KIND, false));
	SIM_REQUIRE(
		sim,
		value_bool(&told, "engaged") == (truth_guard_since(truth, org) != INSTANT_NONE) &&
			value_int(&told, "engaged_us", INSTANT_NONE) ==
				truth_guard_since(truth, org),
		GUARD, "guard.list tells otherwise since when org-%u has its guard engaged", org);
}

/* Decisions */

struct decision {
	uint8_t org;
	bool discards;
	bool persons; /* what they asked for as well */
	bool dry;
	uint32_t n_due;
	uint64_t expect;
	bool right; /* it is that many */
};

/* Mostly of an organization where there is something to decide. */
static uint8_t pick_org(const struct truth *truth, const struct step *step)
{
	uint8_t org = (uint8_t)(step->a % TRUTH_ORGS);

	for (uint32_t i = 0; i < TRUTH_ORGS && step->b % 8 != 0; i++) {
		if (truth_guard_since(truth, org) != INSTANT_NONE) {
			break;
		}
		org = (uint8_t)((org + 1) % TRUTH_ORGS);
	}
	return org;
}

static struct decision pick_decision(struct sim *sim, const struct step *step)
{
	struct decision decision = {
		.org = pick_org(&sim->truth, step),
		.discards = step->b % 3 == 0,
		.persons = step->b % 6 == 0 || step->b % 24 == 1,
		.dry = step->c % 8 == 0,
		.right = step->d % 5 != 0,
	};
	struct pack_value told = list_guard(sim, decision.org);

	decision.n_due = (uint32_t)value_int(&told, "removals_staged", 0);
	decision.expect = n_commands(&sim->truth, decision.org);
	if (!decision.discards) {
		decision.expect += decision.n_due;
	} else if (!decision.persons) {
		decision.expect -= n_owed(&sim->truth, decision.org);
	}
	if (!decision.right) {
		decision.expect += decision.expect > 0 && step->d % 2 == 0 ? UINT64_MAX : 1;
	}
	return decision;
}

/* Return: the error that it must be refused with, or NULL. */
static const char *fault(const struct truth *truth, const struct decision *decision)
{
	if (decision->expect == 0 || (decision->persons && !decision->discards)) {
		return "invalid-argument";
	}
	if (truth_guard_since(truth, decision->org) == INSTANT_NONE) {
		return "guard-count";
	}
	if (n_decided(truth, decision->org) > 0) {
		return "busy";
	}
	return decision->right ? NULL : "guard-count";
}

static void expect_decision(struct sim *sim, const struct decision *decision)
{
	const char *refusal = fault(&sim->truth, decision);
	const struct pack_value *result = &sim->rig.result;

	sim_tell(sim, "guard.release mass org-%u, %s, %llu%s: %s\n", decision->org,
		 !decision->discards ? "released"
		 : decision->persons ? "discarded with what persons asked for"
				     : "discarded",
		 (unsigned long long)decision->expect, decision->dry ? ", dry" : "",
		 refusal ? refusal : "ok");
	if (refusal) {
		cleanup(freep) char *text = rig_text(&sim->rig, "1");

		SIM_REQUIRE(sim, rig_refused(&sim->rig, refusal, ""), GUARD,
			    "guard.release must be refused with %s, and says: %s", refusal, text);
		return;
	}
	SIM_REQUIRE(sim,
		    !sim->rig.failed &&
			    value_int(result, "count", -1) == (int64_t)decision->expect &&
			    value_bool(result, "discarded") == decision->discards &&
			    value_int(result, "kept", -1) ==
				    (decision->discards && !decision->persons
					     ? n_owed(&sim->truth, decision->org)
					     : 0),
		    GUARD, "guard.release must do it for %llu accounts",
		    (unsigned long long)decision->expect);
	if (decision->dry) {
		return;
	}
	if (decision->discards) {
		truth_guard_discard(&sim->truth, decision->org, decision->persons);
	} else {
		truth_guard_release(&sim->truth, decision->org, decision->n_due);
	}
}

/* Rather one that a person asked for: its request must not be lost. */
static struct truth_account *find_decided(struct truth *truth, uint8_t org)
{
	struct truth_account *found = NULL;

	for (uint32_t i = 0; i < truth->n_accounts; i++) {
		struct truth_account *account = &truth->accounts[i];

		if (account->org == org && account->staged.stands && account->staged.decided &&
		    (!found || account->staged.request != 0)) {
			found = account;
		}
	}
	return found;
}

/* In the turn of the decision, before it is carried out, somebody removes one of them. */
static void remove_decided(struct sim *sim, uint8_t org)
{
	struct truth_account *account = find_decided(&sim->truth, org);
	struct truth_verdict verdict;
	struct truth_name name;
	struct pack_value items, item;
	struct pack_writer *out;

	if (!account) {
		return;
	}
	name = (struct truth_name){.by = TRUTH_BY_UID, .uid = account->uid};
	ask_as(sim, ASK_AS_ADMIN);
	out = ask_begin(sim, "account.remove");
	pack_put_array(out, "accounts");
	ask_put_name(out, &name);
	pack_write_end(out);
	items = ask_items(sim, 1);
	item = pack_array_at(&items, 0);
	truth_guard_begin(&sim->truth);
	verdict = truth_change(&sim->truth, TRUTH_REMOVE, account, TRUTH_NO_UPN, false);
	sim_tell(sim, "account.remove %s, decided on: %s\n", name_of(&name),
		 name_reasons(verdict.reasons));
	expect_outcome(sim, &item, verdict.reasons);
	expect_dates(sim, &item, &verdict.account);
}

/*
 * What is decided is carried out in slices, and the daemon may end between them: sometimes a turn ends
 * with the decision alone.
 */
void do_guard_release(struct sim *sim, const struct step *step)
{
	bool alone = step->c / 8 % 2 == 0;
	struct decision decision;
	struct pack_writer *out;

	if (alone) {
		sim_end(sim);
	}
	decision = pick_decision(sim, step);
	ask_as(sim, ASK_AS_ADMIN);
	out = ask_begin(sim, "guard.release");
	pack_put_cstr(out, "guard", "mass");
	pack_put_cstr(out, "org", name_org(decision.org));
	pack_put_uint(out, "expect", decision.expect);
	pack_put_bool(out, "discard", decision.discards);
	pack_put_bool(out, "include_persons", decision.persons);
	pack_put_bool(out, "dry_run", decision.dry);
	ask_end(sim);
	expect_decision(sim, &decision);
	if (step->c / 16 % 2 == 0) {
		remove_decided(sim, decision.org);
	}
	if (alone) {
		sim_commit(sim);
	}
}
