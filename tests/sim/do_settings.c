/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/ask.h"
#include "tests/sim/pick.h"

/* Settings of organizations, holds, removal requests, and the sweep. */

void do_org_set(struct sim *sim, const struct step *step)
{
	static const span_t windows[] = {SPAN_DAY, 7 * SPAN_DAY, 30 * SPAN_DAY, 180 * SPAN_DAY};
	static const span_t removals[] = {SPAN_DAY, 30 * SPAN_DAY};
	uint8_t number = (uint8_t)(step->a % TRUTH_ORGS);
	struct truth_org *org = &sim->truth.orgs[number];
	struct pack_writer *out;
	struct pack_value result;

	ask_as(sim, ASK_AS_ADMIN);
	out = ask_begin(sim, "org.set");
	org->allow_leave = step->b % 4 != 0;
	org->window = windows[step->c % ARRAY_LEN(windows)];
	org->removal = removals[step->d % ARRAY_LEN(removals)];
	pack_put_cstr(out, "org", name_org(number));
	pack_put_bool(out, "allow_leave", org->allow_leave);
	pack_put_int(out, "window_us", org->window);
	pack_put_int(out, "removal_us", org->removal);
	result = ask_result(sim);
	sim_tell(sim, "org.set org-%u: window %s, removal %s%s\n", number, name_span(org->window),
		 name_span(org->removal), org->allow_leave ? "" : ", no leaving");
	expect_outcome(sim, &result, 0);
}

/* Holds */

static instant_t pick_hold_end(const struct sim *sim, const struct step *step)
{
	static const span_t ends[] = {SPAN_HOUR, 5 * SPAN_DAY, 40 * SPAN_DAY};
	uint32_t end = step->d % (ARRAY_LEN(ends) + 1);

	return end < ARRAY_LEN(ends) ? sim->truth.now + ends[end] : INSTANT_MAX;
}

static void expect_hold(struct sim *sim, const struct pack_value *item,
			const struct truth_account *account, const struct truth_verdict *verdict)
{
	expect_outcome(sim, item, verdict->reasons);
	if (account) {
		expect_dates(sim, item, &verdict->account);
	}
}

/* Its last hold is gone and its time has come, and yet nobody has started it. */
static bool is_held_back(const struct sim *sim, const struct truth_account *account)
{
	return account->started_at == INSTANT_NONE &&
	       truth_state(account, sim->truth.now) == ACCOUNT_STATE_REMOVING;
}

void do_hold(struct sim *sim, const struct step *step)
{
	bool dry = step->d / 8 % 8 == 0;
	uint32_t hold = step->c % TRUTH_HOLDS;
	struct truth_account *account;
	struct truth_verdict verdict;
	struct pack_value items, item;
	struct truth_name name;
	struct pack_writer *out;
	instant_t until;

	ask_as(sim, ASK_AS_ADMIN);
	out = ask_begin(sim, "hold.add");
	name = pick_name(sim, step->a, step->b);
	until = pick_hold_end(sim, step);
	pack_put_array(out, "accounts");
	ask_put_name(out, &name);
	pack_write_end(out);
	pack_put_cstr(out, "hold", name_hold(hold));
	if (until != INSTANT_MAX) {
		pack_put_int(out, "until_us", until);
	}
	pack_put_bool(out, "dry_run", dry);
	items = ask_items(sim, 1);
	item = pack_array_at(&items, 0);
	account = truth_find(&sim->truth, &name);
	verdict = truth_hold(&sim->truth, account, hold, until, dry);
	sim_tell(sim, "hold.add %s %s%s%s: %s\n", name_of(&name), name_hold(hold),
		 until != INSTANT_MAX ? ", with an end" : "", dry ? ", dry" : "",
		 name_reasons(verdict.reasons));
	expect_hold(sim, &item, account, &verdict);
}

void do_release(struct sim *sim, const struct step *step)
{
	bool dry = step->d % 8 == 0, waited;
	uint32_t hold = step->c % TRUTH_HOLDS;
	struct truth_account *account;
	struct truth_verdict verdict;
	struct pack_value items, item;
	struct truth_name name;
	struct pack_writer *out;

	ask_as(sim, ASK_AS_ADMIN);
	out = ask_begin(sim, "hold.remove");
	name = pick_name(sim, step->a, step->b);
	pack_put_array(out, "accounts");
	ask_put_name(out, &name);
	pack_write_end(out);
	pack_put_cstr(out, "hold", name_hold(hold));
	pack_put_bool(out, "dry_run", dry);
	items = ask_items(sim, 1);
	item = pack_array_at(&items, 0);
	account = truth_find(&sim->truth, &name);
	waited = account && truth_state(account, sim->truth.now) == ACCOUNT_STATE_SOFT_DELETED;
	truth_guard_begin(&sim->truth);
	verdict = truth_release(&sim->truth, account, hold, dry);
	sim_tell(sim, "hold.remove %s %s%s: %s\n", name_of(&name), name_hold(hold),
		 dry ? ", dry" : "", name_reasons(verdict.reasons));
	expect_hold(sim, &item, account, &verdict);
	SIM_REQUIRE(sim,
		    value_is(&item, "staged", "removal") ==
			    (waited && is_held_back(sim, &verdict.account)),
		    GUARD, "a hold is released, and the removal is told to be held back or not");
}

/* Removal requests */

void do_file(struct sim *sim, const struct step *step)
{
	bool dry = step->d % 8 == 0;
	struct truth_account *account;
	struct pack_value items, item;
	struct truth_name name;
	struct pack_writer *out;
	enum outcome outcome;
	uint64_t number;

	if (sim->truth.n_requests == TRUTH_REQUESTS) {
		return;
	}
	ask_as(sim, ASK_AS_PORTAL);
	out = ask_begin(sim, "request.file");
	name = pick_name(sim, step->a, step->b);
	pack_put_array(out, "accounts");
	ask_put_name(out, &name);
	pack_write_end(out);
	pack_put_bool(out, "dry_run", dry);
	items = ask_items(sim, 1);
	item = pack_array_at(&items, 0);
	account = truth_find(&sim->truth, &name);
	outcome = truth_file(&sim->truth, account);
	number = (uint64_t)value_int(&item, "request", 0);
	sim_tell(sim, "request.file %s%s: %s\n", name_of(&name), dry ? ", dry" : "",
		 outcome_code(outcome));
	expect_outcome(sim, &item, outcome == OUTCOME_OK ? 0 : OUTCOME_BIT(outcome));
	if (outcome == OUTCOME_OK && !dry) {
		SIM_REQUIRE(sim, number != 0 && !truth_request_of(&sim->truth, number), ANSWERS,
			    "the request's number is no new one");
		truth_filed(&sim->truth, account, number);
	}
}

static void decide(struct sim *sim, const struct step *step, bool approve)
{
	bool dry = step->d % 8 == 0;
	const char *method = approve ? "request.approve" : "request.deny";
	struct truth *truth = &sim->truth;
	uint32_t i = step->a % (truth->n_requests + 1);
	uint64_t number = i < truth->n_requests ? truth->requests[i].number : 999999;
	struct pack_value items, item;
	struct pack_writer *out;
	enum outcome outcome;

	ask_as(sim, ASK_AS_ADMIN);
	out = ask_begin(sim, method);
	pack_put_array(out, "requests");
	pack_write_map(out);
	pack_put_uint(out, "request", number);
	pack_write_end(out);
	pack_write_end(out);
	pack_put_cstr(out, "reason", "so it was decided");
	pack_put_bool(out, "dry_run", dry);
	items = ask_items(sim, 1);
	item = pack_array_at(&items, 0);
	truth_guard_begin(truth);
	outcome = truth_decide(truth, number, approve, dry);
	sim_tell(sim, "%s %llu%s: %s\n", method, (unsigned long long)number, dry ? ", dry" : "",
		 outcome_code(outcome));
	expect_outcome(sim, &item, outcome == OUTCOME_OK ? 0 : OUTCOME_BIT(outcome));
	if ((outcome == OUTCOME_OK || outcome == OUTCOME_STAGED) && !dry) {
		expect_dates(sim, &item, truth_of_uid(truth, truth_request_of(truth, number)->uid));
	}
}

void do_approve(struct sim *sim, const struct step *step)
{
	decide(sim, step, true);
}

void do_deny(struct sim *sim, const struct step *step)
{
	decide(sim, step, false);
}

/* The sweep */

void do_pause(struct sim *sim, unused const struct step *step)
{
	ask_as(sim, ASK_AS_ADMIN);
	(void)ask_begin(sim, "sweep.pause");
	(void)ask_result(sim);
	sim_tell(sim, "sweep.pause\n");
	sim->truth.paused = true;
}

/* Whoever resumes has not said that the clock is right. */
void do_resume(struct sim *sim, unused const struct step *step)
{
	ask_as(sim, ASK_AS_ADMIN);
	(void)ask_begin(sim, "sweep.resume");
	ask_end(sim);
	sim_tell(sim, "sweep.resume%s\n", sim->truth.doubted ? ": refused" : "");
	SIM_REQUIRE(sim, sim->rig.failed == sim->truth.doubted, ANSWERS,
		    "sweep.resume is %s, and the clock guard is %sengaged",
		    sim->rig.failed ? "refused" : "done", sim->truth.doubted ? "" : "not ");
	sim->truth.paused = sim->truth.paused && sim->truth.doubted;
}

void do_accept(struct sim *sim, unused const struct step *step)
{
	struct pack_writer *out;

	ask_as(sim, ASK_AS_ADMIN);
	out = ask_begin(sim, "guard.release");
	pack_put_cstr(out, "guard", "clock");
	(void)ask_result(sim);
	sim_tell(sim, "guard.release clock\n");
	sim_take_time(sim, true);
}

void do_sweep(struct sim *sim, unused const struct step *step)
{
	bool stopped;

	ask_as(sim, ASK_AS_ADMIN);
	(void)ask_begin(sim, "sweep.run");
	stopped = sim->truth.paused || sim->truth.doubted;
	ask_end(sim);
	sim_tell(sim, "sweep.run%s\n", stopped ? ": refused" : "");
	SIM_REQUIRE(sim, sim->rig.failed == stopped, ANSWERS,
		    "sweep.run is %s, and the sweep is %sstopped",
		    sim->rig.failed ? "refused" : "done", stopped ? "" : "not ");
	sim_observe(sim);
}
