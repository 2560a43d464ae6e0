/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/ask.h"
#include "tests/sim/pick.h"

/*
 * Keepers: what administrators do with them, and what they do themselves, in order and out of it:
 * they confirm late, twice, with old tokens and with those of others; or they never come back.
 */

static const enum task_result results[] = {TASK_RESULT_ERASED, TASK_RESULT_NOTHING_FOUND,
					   TASK_RESULT_RETAINED};

void do_keeper_set(struct sim *sim, const struct step *step)
{
	uint32_t number = step->a % TRUTH_KEEPERS;
	struct truth_keeper *keeper = &sim->truth.keepers[number];
	struct pack_writer *out;

	ask_as(sim, ASK_AS_ADMIN);
	out = ask_begin(sim, "keeper.set");
	keeper->enabled = step->b % 3 != 0;
	keeper->orgs = (uint8_t)(step->c % (1U << TRUTH_ORGS));
	pack_put_cstr(out, "keeper", name_keeper(number));
	pack_put_bool(out, "enabled", keeper->enabled);
	pack_put_array(out, "orgs");
	for (uint8_t org = 0; org < TRUTH_ORGS; org++) {
		if (keeper->orgs & 1U << org) {
			pack_write_cstr(out, name_org(org));
		}
	}
	pack_write_end(out);
	(void)ask_result(sim);
	sim_tell(sim, "keeper.set keeper-%u: %s, of organizations %x\n", number,
		 keeper->enabled ? "enabled" : "disabled", keeper->orgs);
}

static void change_task(struct sim *sim, const struct step *step, bool waive)
{
	bool dry = step->d % 8 == 0;
	uint32_t keeper = step->c % TRUTH_KEEPERS;
	const char *method = waive ? "keeper.waive" : "keeper.owe";
	struct truth_account *account;
	struct truth_verdict verdict;
	struct pack_value items, item;
	struct truth_name name;
	struct pack_writer *out;

	sim_begin(sim);
	name = pick_name(sim, step->a, step->b);
	account = truth_find(&sim->truth, &name);
	ask_as(sim, ASK_AS_ADMIN);
	out = ask_begin(sim, method);
	pack_put_cstr(out, "keeper", name_keeper(keeper));
	pack_put_array(out, "accounts");
	ask_put_name(out, &name);
	pack_write_end(out);
	pack_put_cstr(out, "reason", "it is gone");
	pack_put_bool(out, "dry_run", dry);
	items = ask_items(sim, 1);
	item = pack_array_at(&items, 0);
	verdict = waive ? truth_waive(&sim->truth, account, keeper, dry)
			: truth_owe(&sim->truth, account, keeper, dry);
	sim_tell(sim, "%s keeper-%u %s%s: %s\n", method, keeper, name_of(&name), dry ? ", dry" : "",
		 name_reasons(verdict.reasons));
	expect_outcome(sim, &item, verdict.reasons);
	if (account) {
		expect_dates(sim, &item, &verdict.account);
	}
}

void do_waive(struct sim *sim, const struct step *step)
{
	change_task(sim, step, true);
}

void do_owe(struct sim *sim, const struct step *step)
{
	change_task(sim, step, false);
}

/* Claim */

static void keep_token(struct sim *sim, const struct pack_value *task, uint32_t keeper,
		       const struct truth_account *account)
{
	struct sim_token *token = &sim->tokens[sim->n_tokens++ % SIM_TOKENS];
	struct slice text = value_text(task, "token");

	SIM_REQUIRE(sim, text.len > 0 && text.len < sizeof(token->text), KEEPERS, "no token");
	*token = (struct sim_token){
		.uid = account->uid,
		.keeper = keeper,
		.generation = account->tasks[keeper].generation,
	};
	memcpy(token->text, text.data, text.len);
}

/* What it needs to find the person, and nobody else's. */
static void expect_person(struct sim *sim, const struct pack_value *task,
			  const struct truth_account *account)
{
	SIM_REQUIRE(sim,
		    value_is(task, "org", name_org(account->org)) &&
			    value_is(task, "id", name_id(account->id)) &&
			    value_is(task, "person", name_person(account->person)) &&
			    value_is(task, "upn", name_upn(account->upn)),
		    KEEPERS, "the task of uid %llu names somebody else",
		    (unsigned long long)account->uid);
}

static void expect_task(struct sim *sim, const struct pack_value *task, uint32_t keeper,
			span_t lease)
{
	uint64_t uid = (uint64_t)value_int(task, "uid", 0);
	struct truth_account *account = truth_of_uid(&sim->truth, uid);

	SIM_REQUIRE(sim, account && truth_can_claim(&sim->truth, account, keeper), KEEPERS,
		    "keeper-%u is given uid %llu, which it may not have now", keeper,
		    (unsigned long long)uid);
	expect_person(sim, task, account);
	account->tasks[keeper].generation++;
	account->tasks[keeper].lease_until = sim->truth.now + lease;
	SIM_REQUIRE(sim, value_int(task, "attempt", 0) == account->tasks[keeper].generation,
		    KEEPERS, "uid %llu is told as attempt %lld, and it is attempt %u",
		    (unsigned long long)uid, (long long)value_int(task, "attempt", 0),
		    account->tasks[keeper].generation);
	SIM_REQUIRE(sim, value_int(task, "due_us", 0) == truth_due(account), KEEPERS,
		    "the task of uid %llu is told with another deadline", (unsigned long long)uid);
	keep_token(sim, task, keeper, account);
}

/* A keeper that asks until there is no more has been given all that it owes. */
static void expect_all_claimed(struct sim *sim, uint32_t keeper)
{
	for (uint32_t i = 0; i < sim->truth.n_accounts; i++) {
		const struct truth_account *account = &sim->truth.accounts[i];

		SIM_REQUIRE(sim, !truth_can_claim(&sim->truth, account, keeper), KEEPERS,
			    "there is no more for keeper-%u, and uid %llu is left out", keeper,
			    (unsigned long long)account->uid);
	}
}

/* Return: whether there is more. */
static bool claim(struct sim *sim, uint32_t keeper, uint32_t max, span_t lease)
{
	struct pack_writer *out;
	struct pack_value result, tasks;

	ask_as(sim, ASK_AS_KEEPER + keeper);
	out = ask_begin(sim, "keeper.claim");
	pack_put_cstr(out, "keeper", name_keeper(keeper));
	pack_put_uint(out, "max", max);
	pack_put_int(out, "lease_us", lease);
	result = ask_result(sim);
	tasks = value_list(&result, "tasks");
	sim_tell(sim, "keeper.claim keeper-%u: %u tasks\n", keeper, tasks.list.n);
	for (uint32_t i = 0; i < tasks.list.n; i++) {
		struct pack_value task = pack_array_at(&tasks, i);

		expect_task(sim, &task, keeper, lease);
	}
	return value_bool(&result, "more");
}

void do_claim(struct sim *sim, const struct step *step)
{
	static const span_t leases[] = {SPAN_MINUTE, SPAN_HOUR, SPAN_DAY};
	uint32_t keeper = step->a % TRUTH_KEEPERS, n = 0;
	span_t lease = leases[step->c % ARRAY_LEN(leases)];

	if (step->b % 4 != 0) {
		(void)claim(sim, keeper, 1 + step->d % 4, lease);
		return;
	}
	/* The end of a round that began before may come first: then one whole round more. */
	for (uint32_t rounds = 0; rounds < 2; rounds++) {
		while (claim(sim, keeper, 100, lease)) {
			SIM_REQUIRE(sim, ++n < TRUTH_ACCOUNTS + 4, KEEPERS, "more for ever");
		}
	}
	expect_all_claimed(sim, keeper);
}

/* Confirm, fail, extend */

static const struct sim_token *pick_token(struct sim *sim, const struct step *step)
{
	uint32_t newest = sim->n_tokens > 0 ? sim->n_tokens - 1 : 0;
	uint32_t which = step->b % 2 == 0 ? newest - MIN(step->a % 4, newest) : step->a;
	const struct sim_token *token = &sim->tokens[which % SIM_TOKENS];

	return token->acked && token->text[0] ? token : NULL;
}

#define NO_LEASE ((span_t)-1) /* none is asked for */

/* One task, by a token: who holds it asks, and now and then another. */
static struct pack_value ask_task(struct sim *sim, const struct step *step, const char *method,
				  const struct sim_token *token, enum task_result result,
				  span_t lease)
{
	uint32_t keeper =
		step->d / 64 % 16 == 0 ? (token->keeper + 1) % TRUTH_KEEPERS : token->keeper;
	struct truth_account *account = truth_of_uid(&sim->truth, token->uid);
	struct pack_writer *out;
	struct pack_value items, item;
	enum outcome outcome;

	ask_as(sim, ASK_AS_KEEPER + keeper);
	out = ask_begin(sim, method);
	outcome = keeper != token->keeper
			  ? OUTCOME_TOKEN_UNKNOWN
			  : truth_fence(&sim->truth, account, keeper, token->generation, result);
	pack_put_cstr(out, "keeper", name_keeper(keeper));
	pack_put_array(out, "tasks");
	pack_write_map(out);
	pack_put_cstr(out, "token", token->text);
	if (result != 0) {
		pack_put_cstr(out, "result", task_result_name(result));
	}
	if (result == TASK_RESULT_RETAINED) {
		pack_put_cstr(out, "ground", "tax-law");
	}
	pack_write_end(out);
	pack_write_end(out);
	if (lease != NO_LEASE) {
		pack_put_int(out, "lease_us", lease);
	}
	items = ask_items(sim, 1);
	item = pack_array_at(&items, 0);
	sim_tell(sim, "%s keeper-%u uid:%llu, attempt %u: %s\n", method, keeper,
		 (unsigned long long)token->uid, token->generation, outcome_code(outcome));
	expect_outcome(sim, &item, outcome == OUTCOME_OK ? 0 : OUTCOME_BIT(outcome));
	return item;
}

static bool holds_task(const struct sim *sim, const struct sim_token *token,
		       const struct pack_value *item)
{
	return value_is(item, "outcome", "ok") && sim->truth.n_accounts > 0 && token;
}

void do_confirm(struct sim *sim, const struct step *step)
{
	enum task_result result = results[step->c % ARRAY_LEN(results)];
	const struct sim_token *token = pick_token(sim, step);
	struct truth_account *account;
	struct pack_value item;

	if (!token) {
		return;
	}
	item = ask_task(sim, step, "keeper.confirm", token, result, NO_LEASE);
	account = truth_of_uid(&sim->truth, token->uid);
	if (holds_task(sim, token, &item) && account->owed >> token->keeper & 1) {
		truth_settle(&sim->truth, account, token->keeper, TRUTH_SETTLED_CONFIRMED, result);
	}
}

void do_fail(struct sim *sim, const struct step *step)
{
	const struct sim_token *token = pick_token(sim, step);
	struct truth_task *task;
	struct pack_value item;

	if (!token) {
		return;
	}
	item = ask_task(sim, step, "keeper.fail", token, 0, NO_LEASE);
	if (holds_task(sim, token, &item)) {
		task = &truth_of_uid(&sim->truth, token->uid)->tasks[token->keeper];
		task->lease_until = INSTANT_NONE;
		task->next_at = value_int(&item, "retry_at_us", 0);
		SIM_REQUIRE(sim,
			    task->next_at > sim->truth.now &&
				    task->next_at <= sim->truth.now + 6 * SPAN_HOUR,
			    KEEPERS, "a failure is tried again after %s",
			    name_span(task->next_at - sim->truth.now));
	}
}

/* For as long as it asks for, or 5 minutes; with none at all it gives the task back. */
void do_extend(struct sim *sim, const struct step *step)
{
	static const span_t leases[] = {NO_LEASE, 0, SPAN_MINUTE, SPAN_HOUR, SPAN_DAY};
	const struct sim_token *token = pick_token(sim, step);
	span_t lease = leases[step->c % ARRAY_LEN(leases)];
	struct pack_value item;
	instant_t until;

	if (!token) {
		return;
	}
	item = ask_task(sim, step, "keeper.extend", token, 0, lease);
	if (holds_task(sim, token, &item)) {
		lease = lease == NO_LEASE ? 5 * SPAN_MINUTE : lease;
		until = lease > 0 ? sim->truth.now + lease : INSTANT_NONE;
		SIM_REQUIRE(sim, value_int(&item, "lease_until_us", INSTANT_NONE) == until, KEEPERS,
			    "the lease of uid %llu does not end %s after it was asked for",
			    (unsigned long long)token->uid, name_span(lease));
		truth_of_uid(&sim->truth, token->uid)->tasks[token->keeper].lease_until = until;
	}
}
