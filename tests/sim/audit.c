/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "tests/sim/ask.h"
#include "tests/sim/pick.h"

/* The daemon beside the truth: its rows, what can be read of an account, its ledger. */

/* Return: NULL, or what differs. */
static const char *row_fault(const struct account *row, const struct truth_account *account)
{
	const struct facts *facts = &row->facts;
	bool left = account->deleted_at != INSTANT_NONE;

	if (facts->removal_started_at != account->started_at) {
		return "when its removal started";
	}
	if (facts->removed_at != account->removed_at) {
		return "when it was removed";
	}
	if (facts->deleted_at != account->deleted_at) {
		return "when it was deleted";
	}
	if (left && (facts->window != account->window || facts->removal != account->removal)) {
		return "its window";
	}
	if (facts->owed != account->owed) {
		return "who owes its erasure";
	}
	if (facts->held_until != account->held_until) {
		return "its holds";
	}
	if (facts->late != account->late) {
		return "whether it is late";
	}
	if (facts->enabled != account->enabled || facts->kind != account->kind) {
		return "whether it is enabled, or its kind";
	}
	return row->org != account->org + 1U           ? "its organization"
	       : row->open_request != account->request ? "its request"
						       : NULL;
}

/* The first thing to be said of a difference is the worst. */
static enum invariant worst(const struct account *row, const struct truth_account *account,
			    enum invariant otherwise)
{
	if (account->started_at != INSTANT_NONE && row->facts.removal_started_at == INSTANT_NONE) {
		return INVARIANT_IRREVOCABLE;
	}
	if (account->started_at == INSTANT_NONE && row->facts.removal_started_at != INSTANT_NONE) {
		return INVARIANT_NEVER_EARLY;
	}
	return otherwise;
}

void audit_rows(struct sim *sim, enum invariant invariant)
{
	struct store *store = sim->rig.engine->store;

	for (uint32_t i = 0; i < sim->truth.n_accounts; i++) {
		const struct truth_account *account = &sim->truth.accounts[i];
		struct account row;
		const char *fault;
		int r = store_get_account(store, account->uid, &row);

		SIM_REQUIRE(sim, r == 0, DURABLE, "uid %llu cannot be read (%d)",
			    (unsigned long long)account->uid, r);
		fault = row_fault(&row, account);
		if (fault) {
			sim_violate(sim, worst(&row, account, invariant), "uid %llu differs in %s",
				    (unsigned long long)account->uid, fault);
		}
	}
}

/* One account, whole */

static void expect_unreadable(struct sim *sim, const struct pack_value *told,
			      const struct truth_account *account)
{
	static const char *const personal[] = {"id",   "person", "upn",        "mail",
					       "name", "groups", "permissions"};
	bool has_key;
	int r = store_has_key(sim->rig.engine->store, account->uid, &has_key);

	for (size_t i = 0; i < ARRAY_LEN(personal); i++) {
		struct pack_value value;

		SIM_REQUIRE(sim, !pack_map_get(told, personal[i], &value), UNREADABLE,
			    "the %s of uid %llu is told, and it was removed", personal[i],
			    (unsigned long long)account->uid);
	}
	SIM_REQUIRE(sim, r == 0 && !has_key, UNREADABLE, "uid %llu was removed, and has its key",
		    (unsigned long long)account->uid);
}

static void expect_profile(struct sim *sim, const struct pack_value *told,
			   const struct truth_account *account)
{
	SIM_REQUIRE(sim,
		    value_is(told, "id", name_id(account->id)) &&
			    value_is(told, "person", name_person(account->person)) &&
			    value_is(told, "upn", name_upn(account->upn)) &&
			    value_is(told, "name", name_display(account->name)) &&
			    value_bool(told, "enabled") == account->enabled,
		    DURABLE, "the personal data of uid %llu is not what was imported",
		    (unsigned long long)account->uid);
}

/* What the mass guard holds back of it. */
static void expect_staged(struct sim *sim, const struct pack_value *told,
			  const struct truth_account *account)
{
	static const char *const names[_TRUTH_COMMAND_MAX] = {
		[TRUTH_LEAVE] = "leave", [TRUTH_REMOVE] = "remove", [TRUTH_PURGE] = "purge"};
	const char *staged = account->staged.stands ? names[account->staged.command]
			     : truth_guard_holds(&sim->truth, account) ? "removal"
								       : "";

	SIM_REQUIRE(sim, slice_is(value_text(told, "staged"), staged), GUARD,
		    "uid %llu is told to have \"%.*s\" staged, and has \"%s\"",
		    (unsigned long long)account->uid, SLICE_ARG(value_text(told, "staged")),
		    staged);
	SIM_REQUIRE(sim,
		    !account->staged.stands ||
			    value_int(told, "staged_us", 0) == account->staged.at,
		    GUARD, "uid %llu is told to have it staged since another instant",
		    (unsigned long long)account->uid);
}

/* An account as account.get and account.list tell it. */
void expect_account(struct sim *sim, const struct pack_value *told,
		    const struct truth_account *account)
{
	bool held = truth_state(account, sim->truth.now) <= ACCOUNT_STATE_SOFT_DELETED &&
		    truth_is_held(account, sim->truth.now);

	SIM_REQUIRE(sim, value_is(told, "org", name_org(account->org)), ANSWERS,
		    "uid %llu is told in another organization", (unsigned long long)account->uid);
	expect_dates(sim, told, account);
	SIM_REQUIRE(sim, value_bool(told, "held") == held, ANSWERS, "uid %llu is told to be %sheld",
		    (unsigned long long)account->uid, held ? "not " : "");
	expect_staged(sim, told, account);
	if (account->removed_at != INSTANT_NONE) {
		expect_unreadable(sim, told, account);
	} else {
		expect_profile(sim, told, account);
	}
}

static void get_account(struct sim *sim, const struct truth_name *name)
{
	struct truth_account *account;
	struct pack_writer *out;
	struct pack_value result, told;

	ask_as(sim, ASK_AS_ADMIN);
	out = ask_begin(sim, "account.get");
	if (name->by == TRUTH_BY_UID) {
		pack_put_uint(out, "uid", name->uid);
	} else {
		pack_put_cstr(out, "org", name_org(name->org));
		pack_put_cstr(out, name->by == TRUTH_BY_ID ? "id" : "person",
			      name->by == TRUTH_BY_ID ? name_id(name->id)
						      : name_person(name->person));
	}
	result = ask_result(sim);
	account = truth_find(&sim->truth, name);
	expect_outcome(sim, &result, account ? 0 : OUTCOME_BIT(OUTCOME_NOT_FOUND));
	if (account) {
		told = value_list(&result, "account");
		SIM_REQUIRE(sim, value_int(&told, "uid", 0) == (int64_t)account->uid, ANSWERS,
			    "%s is uid %llu, and another is told", name_of(name),
			    (unsigned long long)account->uid);
		expect_account(sim, &told, account);
	}
}

/* The ledger */

void audit_ledger(struct sim *sim)
{
	struct pack_value result;
	struct pack_writer *out;
	int64_t next = 1;

	ask_as(sim, ASK_AS_ADMIN);
	while (next > 0) {
		out = ask_begin(sim, "ledger.verify");
		pack_put_int(out, "from", next);
		result = ask_result(sim);
		SIM_REQUIRE(sim, value_bool(&result, "ok"), LEDGER,
			    "the ledger does not verify from entry %lld on", (long long)next);
		next = value_int(&result, "next", 0);
	}
}

/* The rows that the ledger leads to, by the rules of a start. */
static void audit_retelling(struct sim *sim)
{
	struct store *store = sim->rig.engine->store;

	for (uint32_t i = 0; i < sim->truth.n_accounts; i++) {
		const struct truth_account *account = &sim->truth.accounts[i];
		struct account row = rig_row(&sim->rig, account->uid), retold;
		const char *fault;
		uint32_t n;
		int r = store_retell_account(store, account->uid, row.last_seq, &retold, &n);

		SIM_REQUIRE(sim, r == 0, LEDGER, "the ledger does not tell uid %llu (%d)",
			    (unsigned long long)account->uid, r);
		fault = row_fault(&retold, account);
		SIM_REQUIRE(sim, !fault, LEDGER, "the ledger tells otherwise of uid %llu %s",
			    (unsigned long long)account->uid, fault);
	}
}

/* Figures */

static void audit_stats(struct sim *sim)
{
	struct pack_value result, told;
	int64_t n[_ACCOUNT_STATE_MAX] = {0};

	ask_as(sim, ASK_AS_ADMIN);
	(void)ask_begin(sim, "stats.get");
	result = ask_result(sim);
	told = value_list(&result, "accounts");
	for (uint32_t i = 0; i < sim->truth.n_accounts; i++) {
		struct truth_account recorded = sim->truth.accounts[i];

		n[recorded.removed_at != INSTANT_NONE   ? ACCOUNT_STATE_REMOVED
		  : recorded.started_at != INSTANT_NONE ? ACCOUNT_STATE_REMOVING
		  : recorded.deleted_at != INSTANT_NONE ? ACCOUNT_STATE_SOFT_DELETED
							: ACCOUNT_STATE_ACTIVE]++;
	}
	SIM_REQUIRE(sim,
		    value_int(&told, "active", -1) == n[ACCOUNT_STATE_ACTIVE] &&
			    value_int(&told, "soft_deleted", -1) == n[ACCOUNT_STATE_SOFT_DELETED] &&
			    value_int(&told, "removing", -1) == n[ACCOUNT_STATE_REMOVING] &&
			    value_int(&told, "removed", -1) == n[ACCOUNT_STATE_REMOVED],
		    COUNTS, "stats.get counts otherwise");
}

void audit_something(struct sim *sim, const struct step *step)
{
	struct truth_name name;

	sim_begin(sim);
	switch (step->c % 6) {
	case 0:
		audit_rows(sim, INVARIANT_ANSWERS);
		break;
	case 1:
		audit_stats(sim);
		break;
	case 2:
		audit_retelling(sim);
		break;
	default:
		name = pick_name(sim, step->a, step->b);
		sim_tell(sim, "account.get %s\n", name_of(&name));
		get_account(sim, &name);
		break;
	}
}

void audit_everything(struct sim *sim)
{
	sim_begin(sim);
	audit_rows(sim, INVARIANT_ANSWERS);
	audit_stats(sim);
	audit_retelling(sim);
	audit_ledger(sim);
	for (uint32_t i = 0; i < sim->truth.n_accounts; i++) {
		const struct truth_name name = {.by = TRUTH_BY_UID,
						.uid = sim->truth.accounts[i].uid};

		get_account(sim, &name);
	}
}
