/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/work/release_mass.h"

#include "daemon/store/staged.h"

/*
 * An administrator has looked and decides on what the mass guard of an organization holds back: all of
 * it, and no more than they have seen. Commands can be discarded. Removals by time cannot: the time
 * to restore those accounts is over, and their data was promised to go.
 */

static int refuse_count(struct call *call, const struct guarding_held *held, uint64_t n)
{
	return call_refuse(
		call, ERROR_GUARD_COUNT,
		"the mass guard of %s holds %llu accounts back now, not %llu: %llu soft-"
		"deletions and purges that can be discarded, and %llu removals whose time "
		"has come. Look again with retentionctl guards --org=%s",
		held->org->id, (unsigned long long)n, (unsigned long long)call->request->expect,
		(unsigned long long)held->n_commands, (unsigned long long)held->n_removals,
		held->org->id);
}

/* Return: 0, or CALL_E_REFUSED. */
static int check(struct call *call, const struct guarding_held *held, uint64_t n)
{
	const struct mass_guard *guard =
		&store_guard(call->engine->store, held->org->number)->guard;

	if (held->since == INSTANT_NONE) {
		return call_refuse(call, ERROR_GUARD_COUNT,
				   "the mass guard of %s is not engaged: it holds nothing back",
				   held->org->id);
	}
	if (guard_n_decided(guard) > 0) {
		return call_refuse(call, ERROR_BUSY,
				   "what was decided last is still being carried out; ask again in "
				   "a moment");
	}
	return call->request->expect == n ? 0 : refuse_count(call, held, n);
}

static int decide(struct call *call, const struct guarding_held *held)
{
	struct engine *engine = call->engine;
	int r = call->request->discard
			? store_discard_guard(engine->store, held->org->number, &call->actor)
			: store_release_guard(engine->store, held->org->number, held->n_removals,
					      &call->actor);

	if (r == 0) {
		guarding_go_on(engine);
	}
	return r;
}

int release_mass(struct call *call)
{
	const struct request *request = call->request;
	const struct org *org = NULL;
	struct guarding_held held;
	uint64_t n;
	int r;

	if (!REQUEST_HAS(request, org) || !REQUEST_HAS(request, expect)) {
		return call_refuse_argument(call, REQUEST_HAS(request, org) ? "expect" : "org",
					    "is missing; retentionctl guards tells both");
	}
	r = call_named_org(call, request->org, &org);
	if (r != 0) {
		return r;
	}
	held = guarding_held_of(call->engine, org);
	n = held.n_commands + (request->discard ? 0 : held.n_removals);
	r = check(call, &held, n);
	if (r == 0 && !request->dry_run) {
		r = decide(call, &held);
	}
	if (r != 0) {
		return r;
	}
	pack_write_map(call->out);
	pack_put_cstr(call->out, "guard", guard_name(GUARD_MASS));
	pack_put_cstr(call->out, "org", org->id);
	pack_put_bool(call->out, "released", !request->discard);
	pack_put_bool(call->out, "discarded", request->discard);
	pack_put_uint(call->out, "count", n);
	pack_write_end(call->out);
	return 0;
}
