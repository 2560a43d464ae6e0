/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "tests/sim/ask.h"
#include "tests/sim/pick.h"

/* What is listed: accounts, the organizations of a person, what falls due. */

/* What account.list is asked for; -1 and INSTANT_NONE: not at all. */
struct wanted {
	int org;
	int state;
	bool overdue;
	bool staged;
	instant_t due_before;
};

/* A hold moves the end of the window on; who never had one ends nothing. */
static bool is_due_before(const struct truth_account *account, instant_t now, instant_t before)
{
	if (account->deleted_at == INSTANT_NONE) {
		return false;
	}
	if (truth_state(account, now) >= ACCOUNT_STATE_REMOVING) {
		return truth_due(account) < before;
	}
	return truth_window_ends(account) != INSTANT_NONE && truth_start(account) < before;
}

static bool wants(const struct wanted *wanted, const struct truth_account *account, instant_t now)
{
	bool removed = account->removed_at != INSTANT_NONE;

	return (wanted->org < 0 || account->org == wanted->org) &&
	       (wanted->state < 0 || truth_state(account, now) == (unsigned)wanted->state) &&
	       (!wanted->overdue || truth_is_overdue(account, now)) &&
	       (!wanted->staged || account->staged.stands) &&
	       (wanted->due_before == INSTANT_NONE ||
		(!removed && is_due_before(account, now, wanted->due_before)));
}

static void put_wanted(struct pack_writer *out, const struct wanted *wanted)
{
	if (wanted->org >= 0) {
		pack_put_cstr(out, "org", name_org((uint8_t)wanted->org));
	}
	if (wanted->state >= 0) {
		pack_put_cstr(out, "state", account_state_name((enum account_state)wanted->state));
	}
	if (wanted->overdue) {
		pack_put_bool(out, "overdue", true);
	}
	if (wanted->staged) {
		pack_put_bool(out, "staged", true);
	}
	if (wanted->due_before != INSTANT_NONE) {
		pack_put_int(out, "due_before_us", wanted->due_before);
	}
}

/* Marks in @seen, a bit for each account, what a page tells; no account is told twice. */
static uint64_t take_page(struct sim *sim, const struct pack_value *result,
			  const struct wanted *wanted, uint64_t seen)
{
	struct pack_value page = value_list(result, "accounts");

	for (uint32_t i = 0; i < page.list.n; i++) {
		struct pack_value told = pack_array_at(&page, i);
		uint64_t uid = (uint64_t)value_int(&told, "uid", 0);
		const struct truth_account *account = truth_of_uid(&sim->truth, uid);
		uint64_t bit;

		SIM_REQUIRE(sim, account && wants(wanted, account, sim->truth.now), LISTS,
			    "uid %llu is listed, and was not asked for", (unsigned long long)uid);
		bit = UINT64_C(1) << (account - sim->truth.accounts);
		SIM_REQUIRE(sim, !(seen & bit), LISTS, "uid %llu is listed twice",
			    (unsigned long long)uid);
		expect_account(sim, &told, account);
		seen |= bit;
	}
	return seen;
}
static_assert(TRUTH_ACCOUNTS <= 64, "a bit for each");

static void list_accounts(struct sim *sim, const struct wanted *wanted, uint32_t limit)
{
	char cursor[128] = "";
	uint64_t seen = 0;

	ask_as(sim, ASK_AS_ADMIN);
	do {
		struct pack_writer *out = ask_begin(sim, "account.list");
		struct pack_value result;

		put_wanted(out, wanted);
		pack_put_uint(out, "limit", limit);
		if (cursor[0]) {
			pack_put_cstr(out, "cursor", cursor);
		}
		result = ask_result(sim);
		seen = take_page(sim, &result, wanted, seen);
		(void)snprintf(cursor, sizeof(cursor), "%.*s",
			       SLICE_ARG(value_text(&result, "cursor")));
	} while (cursor[0]);
	for (uint32_t i = 0; i < sim->truth.n_accounts; i++) {
		const struct truth_account *account = &sim->truth.accounts[i];

		SIM_REQUIRE(sim, !wants(wanted, account, sim->truth.now) || seen >> i & 1, LISTS,
			    "uid %llu is not listed: %s, %s, its window ends in %s, held %d",
			    (unsigned long long)account->uid, account_kind_name(account->kind),
			    account_state_name(truth_state(account, sim->truth.now)),
			    name_span(truth_window_ends(account) - sim->truth.now),
			    truth_is_held(account, sim->truth.now));
	}
}

/* The organizations of a person */

/* What the mass guard would hold back can be asked for all the same. */
static bool can_leave(const struct truth *truth, const struct truth_account *account)
{
	struct truth copy = *truth;
	struct truth_account *own = truth_of_uid(&copy, account->uid);
	outcome_set_t reasons = truth_change(&copy, TRUTH_LEAVE, own, TRUTH_NO_UPN, true).reasons;

	return (reasons & ~OUTCOME_BIT(OUTCOME_STAGED)) == 0;
}

static void expect_membership(struct sim *sim, const struct pack_value *told, uint8_t person,
			      bool home)
{
	uint64_t uid = (uint64_t)value_int(told, "uid", 0);
	const struct truth_account *account = truth_of_uid(&sim->truth, uid);
	struct pack_value leave = value_list(told, "leave");

	SIM_REQUIRE(sim, account && account->person == person, LISTS,
		    "uid %llu is told among the accounts of another", (unsigned long long)uid);
	SIM_REQUIRE(sim, account->removed_at == INSTANT_NONE, UNREADABLE,
		    "uid %llu is found by its person, and was removed", (unsigned long long)uid);
	SIM_REQUIRE(sim,
		    !home || (account->kind == ACCOUNT_KIND_MEMBER &&
			      account->deleted_at == INSTANT_NONE),
		    LISTS, "uid %llu is told to be at home", (unsigned long long)uid);
	expect_dates(sim, told, account);
	SIM_REQUIRE(sim, value_bool(&leave, "available") == can_leave(&sim->truth, account), LISTS,
		    "whether uid %llu can leave is told wrongly", (unsigned long long)uid);
}

static void list_memberships(struct sim *sim, uint8_t person)
{
	struct pack_value result, others, home;
	struct pack_writer *out;
	uint32_t n = 0, n_told;

	ask_as(sim, ASK_AS_PORTAL);
	out = ask_begin(sim, "person.organizations");
	pack_put_cstr(out, "person", name_person(person));
	result = ask_result(sim);
	others = value_list(&result, "others");
	n_told = others.list.n;
	if (pack_map_get(&result, "home", &home)) {
		expect_membership(sim, &home, person, true);
		n_told++;
	}
	for (uint32_t i = 0; i < others.list.n; i++) {
		struct pack_value told = pack_array_at(&others, i);

		expect_membership(sim, &told, person, false);
	}
	for (uint32_t i = 0; i < sim->truth.n_accounts; i++) {
		n += sim->truth.accounts[i].person == person &&
		     sim->truth.accounts[i].removed_at == INSTANT_NONE;
	}
	SIM_REQUIRE(sim, n_told == n, LISTS, "person-%u has %u accounts, and %u are told", person,
		    n, n_told);
}

void audit_lists(struct sim *sim, const struct step *step)
{
	struct wanted wanted = {-1, -1, false, false, INSTANT_NONE};

	sim_begin(sim);
	if (step->a % 4 == 0) {
		list_memberships(sim, (uint8_t)(step->b % TRUTH_PERSONS));
		return;
	}
	if (step->b % 3 == 0) {
		wanted.org = (int)(step->b / 3 % TRUTH_ORGS);
	}
	if (step->c % 8 < _ACCOUNT_STATE_MAX) {
		wanted.state = (int)(step->c % 8);
	} else if (step->c % 8 == 4) {
		wanted.overdue = true;
	} else if (step->c % 8 == 5) {
		wanted.due_before = sim->truth.now + (span_t)(step->c / 8 % 60) * SPAN_DAY;
	} else if (step->c % 8 == 6) {
		wanted.staged = true;
	}
	sim_tell(sim, "account.list org %d, state %d%s%s%s\n", wanted.org, wanted.state,
		 wanted.overdue ? ", overdue" : "", wanted.staged ? ", staged" : "",
		 wanted.due_before != INSTANT_NONE ? ", due" : "");
	list_accounts(sim, &wanted, 1 + step->d % 50);
}

/* Due */

#define FORECAST_DAYS 60

struct ends {
	uint32_t windows[FORECAST_DAYS];
	uint32_t removals[FORECAST_DAYS];
};

/* What is overdue counts into the first day, what ends with the forecast into the last. */
static void count_end(const struct truth *truth, const struct truth_account *account,
		      struct ends *ends)
{
	instant_t until = truth->now + FORECAST_DAYS * SPAN_DAY, at;
	bool removing = truth_state(account, truth->now) == ACCOUNT_STATE_REMOVING;
	int64_t day;

	if (account->deleted_at == INSTANT_NONE || account->removed_at != INSTANT_NONE) {
		return;
	}
	at = removing ? truth_due(account) : truth_start(account);
	if (at > until) {
		return;
	}
	day = MAX(MIN(at, until - 1) - truth->now, 0) / SPAN_DAY;
	if (removing) {
		ends->removals[day]++;
	} else {
		ends->windows[day]++;
	}
}

static void take_bucket(struct sim *sim, const struct pack_value *bucket, struct ends *told)
{
	int64_t day = (value_int(bucket, "from_us", 0) - sim->truth.now) / SPAN_DAY;

	SIM_REQUIRE(sim, day >= 0 && day < FORECAST_DAYS, LISTS, "a bucket of no day");
	told->windows[day] += (uint32_t)value_int(bucket, "windows_end", 0);
	told->removals[day] += (uint32_t)value_int(bucket, "removals_due", 0);
}

void audit_forecast(struct sim *sim, unused const struct step *step)
{
	struct ends ends = {0}, told = {0};
	struct pack_value result, buckets;
	struct pack_writer *out;

	ask_as(sim, ASK_AS_ADMIN);
	out = ask_begin(sim, "due.forecast");
	pack_put_int(out, "within_us", FORECAST_DAYS * SPAN_DAY);
	result = ask_result(sim);
	buckets = value_list(&result, "buckets");
	for (uint32_t i = 0; i < buckets.list.n; i++) {
		struct pack_value bucket = pack_array_at(&buckets, i);

		take_bucket(sim, &bucket, &told);
	}
	for (uint32_t i = 0; i < sim->truth.n_accounts; i++) {
		count_end(&sim->truth, &sim->truth.accounts[i], &ends);
	}
	sim_tell(sim, "due.forecast\n");
	for (uint32_t day = 0; day < FORECAST_DAYS; day++) {
		SIM_REQUIRE(sim,
			    ends.windows[day] == told.windows[day] &&
				    ends.removals[day] == told.removals[day],
			    LISTS,
			    "on day %u %u windows end and %u removals are due, and %u and %u "
			    "are told",
			    day, ends.windows[day], ends.removals[day], told.windows[day],
			    told.removals[day]);
	}
}
