/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/work/answer.h"
#include "daemon/work/cmd.h"

#define DUE_COUNTED_MAX                                                                            \
	1000 /* due and not yet done: more than this means the sweep is paused or far behind */

static int count_due(struct engine *engine, uint32_t *ret_n)
{
	struct due_position position = {0};
	struct account account;
	uint32_t n = 0;

	while (n < DUE_COUNTED_MAX) {
		int r = store_next_due(engine->store, &position, &account);

		if (r < 0) {
			return r;
		}
		if (r == STORE_E_NONE || position.at > engine->now) {
			break;
		}
		++n;
	}
	*ret_n = n;
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
	pack_put_uint(out, "requests_open", counts->n_requests_open);
	pack_put_uint(out, "requests_due_soon", near->n_requests_due_soon);
	pack_put_uint(out, "requests_overdue", near->n_requests_overdue);
}

static void put_store(struct pack_writer *out, struct store *store, const struct kv_usage *usage,
		      uint64_t reserve)
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
	pack_write_end(out);
}

int cmd_stats_get(struct call *call)
{
	struct engine *engine = call->engine;
	const struct engine_meters *meters = &engine->meters;
	struct deadline_counts near;
	struct kv_usage usage;
	uint64_t reserve;
	uint32_t n_due;
	int r = count_due(engine, &n_due);

	if (r == 0) {
		r = deadlines_count(engine, &near);
	}
	if (r == 0) {
		r = store_usage(engine->store, &usage, &reserve);
	}
	if (r < 0) {
		return r;
	}
	pack_write_map(call->out);
	pack_put_int(call->out, "now_us", engine->now);
	put_counts(call->out, store_counts(engine->store), &near);
	pack_put_uint(call->out, "due_now", n_due);
	answer_put_instant(call->out, "last_backup_us", store_last_backup_at(engine->store));
	put_store(call->out, engine->store, &usage, reserve);
	pack_put_uint(call->out, "commits", meters->n_commits);
	pack_put_uint(call->out, "requests", meters->n_requests);
	pack_put_uint(call->out, "errors", meters->n_errors);
	pack_put_uint(call->out, "connections", meters->n_connections);
	pack_write_end(call->out);
	return 0;
}

static int refuse_clock(struct call *call)
{
	if (call->engine->clock.mode != CLOCK_MODE_SIMULATED) {
		return call_refuse(
			call, RPC_ERROR_FAILED, "real-clock",
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
