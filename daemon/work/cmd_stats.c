/* SPDX-License-Identifier: Apache-2.0 */
#include "common/version.h"

#include "daemon/work/answer.h"
#include "daemon/work/cmd.h"

#define DUE_COUNTED_MAX                                                                            \
	1000 /* due and not yet done: more than this means the sweep is paused or far behind */

/**
 * struct due_front - what is due
 * @n:    accounts due now, at most DUE_COUNTED_MAX
 * @next: when the first of all falls due, or fell; INSTANT_NONE if none does
 */
struct due_front {
	uint32_t n;
	instant_t next;
};

static int count_due(struct engine *engine, struct due_front *ret_due)
{
	struct due_front due = {.next = INSTANT_NONE};
	struct due_position position = sweep_front(&engine->sweep);
	struct account account;

	while (due.n < DUE_COUNTED_MAX) {
		int r = store_next_due(engine->store, &position, &account);

		if (r < 0) {
			return r;
		}
		if (due.next == INSTANT_NONE && r != STORE_E_NONE && position.at != INSTANT_MAX) {
			due.next = position.at;
		}
		if (r == STORE_E_NONE || position.at > engine->now) {
			break;
		}
		++due.n;
	}
	*ret_due = due;
	return 0;
}

static void put_counts(struct pack_writer *out, const struct store_counts *counts,
		       const struct deadline_counts *near)
{
	pack_put_map(out, "accounts");
	pack_put_uint(out, "active", counts->n_active);
	pack_put_uint(out, "soft_deleted", counts->n_soft_deleted);
	pack_put_uint(out, "removing", counts->n_removing);
	pack_put_uint(out, "removed", counts->n_removed);
	pack_put_uint(out, "overdue", counts->n_overdue);
	pack_put_uint(out, "due_soon", near->n_removals_due_soon);
	pack_put_uint(out, "held", counts->n_held);
	pack_write_end(out);
	answer_put_instant(out, "oldest_overdue_us", near->oldest_removal_due_at);
	pack_put_uint(out, "requests_open", counts->n_requests_open);
	pack_put_uint(out, "requests_due_soon", near->n_requests_due_soon);
	pack_put_uint(out, "requests_overdue", near->n_requests_overdue);
	answer_put_instant(out, "oldest_request_overdue_us", near->oldest_request_due_at);
}

static void put_mass_guards(struct pack_writer *out, const struct engine *engine)
{
	struct guarding_totals totals;

	guarding_count(engine, &totals);
	pack_put_uint(out, "mass_engaged", totals.n_engaged);
	pack_put_uint(out, "mass_staged", totals.n_staged);
	answer_put_instant(out, "mass_since_us", totals.engaged_since);
}

static void put_due(struct pack_writer *out, const struct engine *engine,
		    const struct due_front *due)
{
	pack_put_uint(out, "due_now", due->n);
	answer_put_instant(out, "next_due_us", due->next);
	answer_put_instant(out, "last_backup_us", store_last_backup_at(engine->store));
	pack_put_map(out, "guards");
	pack_put_bool(out, "clock_trusted", !clock_is_doubted(&engine->clock));
	pack_put_bool(out, "paused", sweep_is_stopped(&engine->sweep));
	put_mass_guards(out, engine);
	pack_write_end(out);
	if (engine->clock.mode == CLOCK_MODE_REAL) {
		pack_put_int(out, "wall_ahead_us", engine->reading.wall - engine->now);
		pack_put_uint(out, "clock_steps", engine->meters.n_clock_steps);
	}
}

static void put_store(struct pack_writer *out, struct store *store, const struct kv_usage *usage,
		      uint64_t reserve, uint64_t room)
{
	pack_put_uint(out, "orgs", store_n_orgs(store));
	pack_put_map(out, "ledger");
	pack_put_uint(out, "seq", store_head(store)->seq);
	pack_put_uint(out, "unsettled", store_unsettled_entries(store));
	pack_write_end(out);
	pack_put_map(out, "store");
	pack_put_uint(out, "used_bytes", usage->used_bytes);
	pack_put_uint(out, "file_bytes", usage->file_bytes);
	pack_put_uint(out, "map_bytes", usage->map_bytes);
	pack_put_uint(out, "reserve_bytes", reserve);
	pack_put_uint(out, "room_bytes", room);
	pack_put_uint(out, "vault_slots", store_n_uids(store));
	pack_write_end(out);
}

/* The bucket of what is longer than every bound has none. */
static void put_histogram(struct pack_writer *out, const char *key,
			  const struct histogram *histogram)
{
	pack_put_map(out, key);
	pack_put_uint(out, "count", histogram->count);
	pack_put_uint(out, "sum_us", histogram->sum);
	pack_put_int(out, "longest_us", histogram->longest);
	pack_put_array(out, "buckets");
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		pack_write_map(out);
		if (i < HISTOGRAM_BOUNDS) {
			pack_put_int(out, "to_us", histogram_bounds[i]);
		}
		pack_put_uint(out, "n", histogram->n[i]);
		pack_write_end(out);
	}
	pack_write_end(out);
	pack_write_end(out);
}

static void put_meters(struct pack_writer *out, const struct meters *meters)
{
	pack_put_uint(out, "commits", meters->n_commits);
	pack_put_uint(out, "requests", meters->n_requests);
	pack_put_uint(out, "errors", meters->n_errors);
	pack_put_uint(out, "errors_failed", meters->n_errors_failed);
	pack_put_uint(out, "notifications", meters->n_notifications);
	pack_put_uint(out, "connections", meters->n_connections);
	pack_put_uint(out, "accepted", meters->n_accepted);
	pack_put_uint(out, "refused", meters->n_refused);
	pack_put_uint(out, "dropped", meters->n_dropped);
	pack_put_uint(out, "subscribers", meters->n_subscribers);
	pack_put_uint(out, "events", meters->n_events);
	pack_put_map(out, "turns");
	pack_put_uint(out, "count", meters->n_turns);
	pack_put_uint(out, "long", meters->n_turns_long);
	pack_put_int(out, "longest_us", meters->longest_turn);
	pack_write_end(out);
	put_histogram(out, "answer_times", &meters->answers);
	put_histogram(out, "commit_times", &meters->commits);
}

int cmd_stats_get(struct call *call)
{
	struct engine *engine = call->engine;
	struct deadline_counts near;
	struct kv_usage usage;
	struct due_front due;
	uint64_t reserve, room;
	int r = count_due(engine, &due);

	if (r == 0) {
		r = deadlines_count(engine, &near);
	}
	if (r == 0) {
		r = store_usage(engine->store, &usage, &reserve);
	}
	if (r == 0) {
		r = store_measure_room(engine->store, &room);
	}
	if (r < 0) {
		return r;
	}
	pack_write_map(call->out);
	pack_put_int(call->out, "now_us", engine->now);
	pack_put_cstr(call->out, "version", RETENTIOND_VERSION);
	pack_put_cstr(call->out, "instance", store_instance(engine->store));
	pack_put_int(call->out, "started_us", engine->started_at);
	put_counts(call->out, store_counts(engine->store), &near);
	put_due(call->out, engine, &due);
	put_store(call->out, engine->store, &usage, reserve, room);
	put_meters(call->out, &engine->meters);
	pack_write_end(call->out);
	return 0;
}

static int refuse_clock(struct call *call)
{
	if (call->engine->clock.mode != CLOCK_MODE_SIMULATED) {
		return call_refuse(
			call, ERROR_REAL_CLOCK,
			"the clock is real; start retentiond with --clock=simulated:INSTANT to move it");
	}
	return call_refuse_argument(call, REQUEST_HAS(call->request, to_us) ? "to_us" : "by_us",
				    "a clock never goes back, nor past the year 9999");
}

int cmd_clock_advance(struct call *call)
{
	struct engine *engine = call->engine;
	const struct request *request = call->request;
	instant_t to = REQUEST_HAS(request, to_us) ? request->to_us : engine->now + request->by_us;
	int r;

	if (REQUEST_HAS(request, to_us) == REQUEST_HAS(request, by_us)) {
		return call_refuse_argument(call, "by_us", "give either by_us or to_us");
	}
	if (!clock_advance(&engine->clock, to)) {
		return refuse_clock(call);
	}
	engine->now = to;
	call->actor.at = to;
	r = store_note_event(engine->store, EVENT_CLOCK_ADVANCED,
			     &call->actor); /* so that a restart does not go back */
	pack_write_map(call->out);
	pack_put_int(call->out, "now_us", engine->now);
	pack_write_end(call->out);
	return r;
}
