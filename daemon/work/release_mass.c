/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/work/release_mass.h"

#include "daemon/store/staged.h"

#include "daemon/work/log.h"

/*
 * An administrator has looked and decides on what the mass guard of an organization holds back: all of
 * it, and no more than they have seen. Commands can be discarded. Removals by time cannot: the time
 * to restore those accounts is over, and their data was promised to go. What persons asked for, their
 * own leaves and requests that were approved, was promised to them: it is discarded only by name.
 */

/* How many accounts the decision is about. */
static uint64_t count(const struct request *request, const struct guarding_held *held)
{
	if (!request->discard) {
		return held->n_commands + held->n_removals;
	}
	return held->n_commands - (request->include_persons ? 0 : held->n_owed);
}

static int refuse_count(struct call *call, const struct guarding_held *held)
{
	const struct request *request = call->request;

	return call_refuse(
		call, ERROR_GUARD_COUNT,
		"the mass guard of %s holds %llu accounts back now%s, not %llu: %llu soft-deletions "
		"and purges, %llu that persons asked for (discarded with --include-persons only) "
		"and %llu removals whose time has come. Look again with retentionctl guards",
		held->org->id, (unsigned long long)count(request, held),
		request->discard ? " that this would discard" : "",
		(unsigned long long)request->expect,
		(unsigned long long)(held->n_commands - held->n_owed),
		(unsigned long long)held->n_owed, (unsigned long long)held->n_removals);
}

/* Return: 0, or CALL_E_REFUSED. */
static int check(struct call *call, const struct guarding_held *held)
{
	const struct mass_guard *guard =
		&store_guard(call->engine->store, held->org->number)->guard;

	if (held->since == INSTANT_NONE) {
		return call_refuse(
			call, ERROR_GUARD_COUNT,
			"the mass guard of %s is not engaged: it holds nothing back, and there is "
			"nothing to release",
			held->org->id);
	}
	if (guard_n_decided(guard) > 0) {
		return call_refuse(call, ERROR_BUSY,
				   "what was decided last is still being carried out; ask again in "
				   "a moment");
	}
	return call->request->expect == count(call->request, held) ? 0 : refuse_count(call, held);
}

/* A promise to a person was taken back: whoever keeps the promises reads it in the journal as well. */
static void tell_taken_back(const struct guarding_held *held)
{
	const struct log_field fields[] = {{"MESSAGE_ID", LOG_MASS_GUARD_ID},
					   {"RETENTIOND_ORG", held->org->id}};

	log_say_fields(
		LOG_LEVEL_WARNING, fields, ARRAY_LEN(fields),
		"the mass guard of %s: %llu leaves and approved requests of persons are "
		"discarded. Their requests are open again, with the deadlines that they had: "
		"look with retentionctl requests --org=%s --open",
		held->org->id, (unsigned long long)held->n_owed, held->org->id);
}

static int decide(struct call *call, const struct guarding_held *held)
{
	struct engine *engine = call->engine;
	bool owed = call->request->include_persons;
	int r = call->request->discard
			? store_discard_guard(engine->store, held->org->number, owed, &call->actor)
			: store_release_guard(engine->store, held->org->number, held->n_removals,
					      &call->actor);

	if (r == 0 && owed && held->n_owed > 0) {
		tell_taken_back(held);
	}
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
	int r;

	if (!REQUEST_HAS(request, org) || !REQUEST_HAS(request, expect)) {
		return call_refuse_argument(call, REQUEST_HAS(request, org) ? "expect" : "org",
					    "is missing; retentionctl guards tells both");
	}
	if (request->include_persons && !request->discard) {
		return call_refuse_argument(call, "include_persons",
					    "goes with discard: a release includes everything");
	}
	r = call_named_org(call, request->org, &org);
	if (r != 0) {
		return r;
	}
	held = guarding_held_of(call->engine, org);
	r = check(call, &held);
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
	pack_put_uint(call->out, "count", count(request, &held));
	pack_put_uint(call->out, "kept",
		      request->discard && !request->include_persons ? held.n_owed : 0);
	pack_write_end(call->out);
	return 0;
}
