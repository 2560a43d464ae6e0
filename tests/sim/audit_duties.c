/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/ask.h"
#include "tests/sim/pick.h"

/* What people and keepers are waited for: removal requests, and what each keeper owes. */

static enum request_state state_of(struct truth *truth, const struct truth_request *request)
{
	const struct truth_account *account = truth_of_uid(truth, request->uid);

	return request->state == REQUEST_STATE_OPEN && account->request != request->number
		       ? REQUEST_STATE_FULFILLED
		       : request->state;
}

static void expect_request(struct sim *sim, const struct pack_value *told)
{
	uint64_t number = (uint64_t)value_int(told, "request", 0);
	const struct truth_request *request = truth_request_of(&sim->truth, number);
	const struct truth_account *account;
	enum request_state state;

	SIM_REQUIRE(sim, request, LISTS, "request %llu is listed, and was never filed",
		    (unsigned long long)number);
	account = truth_of_uid(&sim->truth, request->uid);
	state = state_of(&sim->truth, request);
	SIM_REQUIRE(sim, value_is(told, "state", request_state_name(state)), LISTS,
		    "request %llu is told otherwise, and is %s", (unsigned long long)number,
		    request_state_name(state));
	if (account->removed_at != INSTANT_NONE) {
		SIM_REQUIRE(sim,
			    value_text(told, "id").len == 0 && value_text(told, "person").len == 0,
			    UNREADABLE, "request %llu names a person who was removed",
			    (unsigned long long)number);
	}
}

static void audit_requests(struct sim *sim, bool open)
{
	struct pack_value result, requests;
	struct pack_writer *out;
	uint32_t n = 0;

	ask_as(sim, ASK_AS_ADMIN);
	out = ask_begin(sim, "request.list");
	pack_put_bool(out, "open", open);
	result = ask_result(sim);
	requests = value_list(&result, "requests");
	sim_tell(sim, "request.list%s\n", open ? ", open" : "");
	for (uint32_t i = 0; i < requests.list.n; i++) {
		struct pack_value told = pack_array_at(&requests, i);

		expect_request(sim, &told);
	}
	for (uint32_t i = 0; i < sim->truth.n_requests; i++) {
		n += !open || state_of(&sim->truth, &sim->truth.requests[i]) == REQUEST_STATE_OPEN;
	}
	SIM_REQUIRE(sim, requests.list.n == n, LISTS, "%u requests are listed, and there are %u",
		    requests.list.n, n);
}

static void audit_keepers(struct sim *sim)
{
	struct pack_value result, keepers;

	ask_as(sim, ASK_AS_ADMIN);
	(void)ask_begin(sim, "keeper.list");
	result = ask_result(sim);
	keepers = value_list(&result, "keepers");
	sim_tell(sim, "keeper.list\n");
	SIM_REQUIRE(sim, keepers.list.n == TRUTH_KEEPERS, LISTS, "%u keepers are listed",
		    keepers.list.n);
	for (uint32_t keeper = 0; keeper < TRUTH_KEEPERS; keeper++) {
		struct pack_value told = pack_array_at(&keepers, keeper);
		int64_t n = 0;

		for (uint32_t i = 0; i < sim->truth.n_accounts; i++) {
			n += sim->truth.accounts[i].owed >> keeper & 1;
		}
		SIM_REQUIRE(sim,
			    value_int(&told, "owed", -1) == n &&
				    value_bool(&told, "enabled") ==
					    sim->truth.keepers[keeper].enabled,
			    COUNTS, "keeper-%u owes %lld, and another number is told", keeper,
			    (long long)n);
	}
}

void audit_duties(struct sim *sim, const struct step *step)
{
	sim_begin(sim);
	if (step->a % 3 == 0) {
		audit_keepers(sim);
	} else {
		audit_requests(sim, step->b % 2 == 0);
	}
}
