/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/work/cmd.h"
#include "daemon/work/release_mass.h"

/* Due at once: whoever releases a guard wants to know whether it is some or too many to count. */
#define DUE_COUNTED_MAX 1000

/* What releasing the clock guard would come to, or came to. */
struct release {
	bool released;
	struct clock_move move;
	uint32_t n_due;
};

/* Those deleted under the guard are given a later date, and are not due. */
static bool keeps_window(const struct account *account, const struct clock_move *move)
{
	return move->stamped_since != INSTANT_NONE &&
	       account->facts.deleted_at > move->stamped_since;
}

static int count_due(struct engine *engine, const struct clock_move *move, uint32_t *ret_n)
{
	struct due_position position = {0};
	struct account account;
	uint32_t n = 0;
	int r = 0;

	for (uint32_t seen = 0; seen < DUE_COUNTED_MAX; seen++) {
		r = store_next_due(engine->store, &position, &account);
		if (r < 0 || r == STORE_E_NONE || position.at > move->to) {
			break;
		}
		n += r == 0 && !keeps_window(&account, move);
	}
	*ret_n = n;
	return MIN(r, 0);
}

static int release_clock(struct call *call, struct release *release)
{
	struct engine *engine = call->engine;
	struct clock tried = engine->clock;
	int r = 0;

	release->move = (struct clock_move){engine->now, engine->now, INSTANT_NONE};
	release->released = clock_accept(&tried, &engine->reading, &release->move);
	if (!call->request->dry_run) {
		r = timekeeper_accept(engine, &call->actor, &release->move);
	}
	return r == 0 ? count_due(engine, &release->move, &release->n_due) : r;
}

static int cmd_release_clock(struct call *call)
{
	const struct request *request = call->request;
	struct release release;
	int r;

	if (REQUEST_HAS(request, org) || REQUEST_HAS(request, expect) ||
	    REQUEST_HAS(request, discard) || REQUEST_HAS(request, include_persons)) {
		return call_refuse_argument(
			call, "guard",
			"the clock guard takes no org, expect, discard or include_persons");
	}
	if (!access_allows(call->engine->rules, call->peer, ROLE_ADMIN, (struct slice){0})) {
		return call_refuse(
			call, ERROR_PERMISSION_DENIED,
			"the clock is every organization's, and your role admin does not "
			"cover all of them");
	}
	r = release_clock(call, &release);
	if (r < 0) {
		return r;
	}
	pack_write_map(call->out);
	pack_put_cstr(call->out, "guard", guard_name(GUARD_CLOCK));
	pack_put_bool(call->out, "released", release.released);
	pack_put_int(call->out, "was_us", release.move.from);
	pack_put_int(call->out, "now_us", release.move.to);
	pack_put_uint(call->out, "due_now", release.n_due);
	pack_write_end(call->out);
	return 0;
}

int cmd_guard_release(struct call *call)
{
	switch (call->request->guard) {
	case GUARD_CLOCK:
		return cmd_release_clock(call);
	case GUARD_MASS:
		return release_mass(call);
	case _GUARD_MAX:
		break;
	}
	abort();
}
