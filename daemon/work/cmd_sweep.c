/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/work/answer.h"
#include "daemon/work/cmd.h"

int cmd_sweep_status(struct call *call)
{
	const struct sweep *sweep = &call->engine->sweep;
	struct due_position front = sweep_front(sweep);
	struct account account;
	int r = store_next_due(call->engine->store, &front, &account);

	if (r < 0) {
		return r;
	}
	pack_write_map(call->out);
	pack_put_bool(call->out, "paused", sweep_is_stopped(sweep));
	if (sweep->doubted) {
		pack_put_cstr(call->out, "guard", guard_name(GUARD_CLOCK));
	}
	if (r == 0 && front.at != INSTANT_MAX) { /* the end of a hold that has none */
		pack_put_int(call->out, "next_due_us", front.at);
	}
	answer_put_instant(call->out, "last_run_us", sweep->last_run_at);
	pack_put_uint(call->out, "started", sweep->n_started);
	pack_put_uint(call->out, "completed", sweep->n_completed);
	pack_put_uint(call->out, "failed", sweep->n_failed);
	pack_put_uint(call->out, "started_late", sweep->n_late);
	pack_put_int(call->out, "lateness_us", sweep->late);
	pack_write_end(call->out);
	return 0;
}

static int refuse_stopped(struct call *call)
{
	const struct engine *engine = call->engine;
	char off[SPAN_TEXT_MAX];

	if (clock_is_doubted(&engine->clock)) {
		span_format(llabs(engine->reading.wall - engine->now), off);
		return call_refuse(
			call, ERROR_CLOCK_NOT_TRUSTED,
			"the clock guard is engaged: the wall clock is %s %s the last time on "
			"record, and what is removed by a wrong clock is gone for good. Look at "
			"date(1): if it is right, retentionctl release-guard clock; if it is wrong, "
			"set it right",
			off, engine->clock.doubt == CLOCK_DOUBT_AHEAD ? "ahead of" : "behind");
	}
	return call_refuse(
		call, ERROR_BUSY,
		"timed work is paused; resume it first (sweep.resume, retentionctl resume)");
}

int cmd_sweep_run(struct call *call)
{
	struct sweep_result result;
	int r;

	if (sweep_is_stopped(&call->engine->sweep)) {
		return refuse_stopped(call);
	}
	r = sweep_slice(call->engine, &result);
	if (r < 0) {
		return r;
	}
	pack_write_map(call->out);
	pack_put_uint(call->out, "started", result.n_started);
	pack_put_uint(call->out, "completed", result.n_completed);
	pack_put_uint(call->out, "failed", result.n_failed);
	pack_put_bool(call->out, "more", result.more);
	pack_write_end(call->out);
	return 0;
}

static int set_paused(struct call *call, bool paused)
{
	struct sweep *sweep = &call->engine->sweep;
	int r = 0;

	if (sweep->paused != paused && !call->request->dry_run) {
		r = store_note_event(call->engine->store,
				     paused ? EVENT_SWEEP_PAUSED : EVENT_SWEEP_RESUMED,
				     &call->actor);
		sweep->paused = paused;
		sweep->changed = true;
	}
	pack_write_map(call->out);
	pack_put_bool(call->out, "paused", paused);
	pack_write_end(call->out);
	return r;
}

int cmd_sweep_pause(struct call *call)
{
	int r = call_ask_room(call, 1);

	return r != 0 ? r : set_paused(call, true);
}

/* Whoever resumes has not said that the clock is right, and it would be irrevocable. */
int cmd_sweep_resume(struct call *call)
{
	if (clock_is_doubted(&call->engine->clock)) {
		return refuse_stopped(call);
	}
	return set_paused(call, false);
}
