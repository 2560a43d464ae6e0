/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/work/cmd.h"
#include "daemon/work/due_front.h"

/* What releasing the clock guard would come to, or came to. */
struct release {
	bool released;
	struct clock_move move;
	struct due_front due;
};

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
	return r == 0 ? due_front_count(engine, release->move.to, &release->due) : r;
}

static int cmd_release_clock(struct call *call)
{
	const struct request *request = call->request;
	struct release release;
	int r;

	if (REQUEST_HAS(request, org) || REQUEST_HAS(request, expect) ||
	    REQUEST_HAS(request, discard)) {
		return call_refuse_argument(call, "guard",
					    "the clock guard takes no org, expect or discard");
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
	pack_put_uint(call->out, "due_now", release.due.n);
	pack_write_end(call->out);
	return 0;
}

static int cmd_release_mass(struct call *call)
{
	return call_refuse_argument(call, "guard", "no guard of that kind is engaged");
}

int cmd_guard_release(struct call *call)
{
	switch (call->request->guard) {
	case GUARD_CLOCK:
		return cmd_release_clock(call);
	case GUARD_MASS:
		return cmd_release_mass(call);
	case _GUARD_MAX:
		break;
	}
	abort();
}
