/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/staged.h"
#include "daemon/work/answer.h"
#include "daemon/work/cmd.h"

/* guard.list: the mass guards, one an organization. */

/* Of a kind: what happened, what may, what still passes, what is held back. */
struct kind_keys {
	const char *done;
	const char *limit;
	const char *left;
	const char *staged;
};

#define KEYS(name)                                                                                 \
	{                                                                                          \
		name, name "_limit", name "_left", name "_staged"                                  \
	}

static const struct kind_keys kind_keys[] = {
	[GUARD_KIND_DELETION] = KEYS("soft_deletions"),
	[GUARD_KIND_PURGE] = KEYS("purges"),
	[GUARD_KIND_SWEEP] = KEYS("removals"),
};
static_assert(ARRAY_LEN(kind_keys) == _GUARD_KIND_MAX, "each kind has its keys");

/* A guard that is off has no limit, and lets everything pass. */
static void put_kind(struct call *call, const struct guarding_held *held, enum guard_kind kind)
{
	struct engine *engine = call->engine;
	const struct policy *policy = &held->org->policy;
	const struct mass_guard *guard = &store_guard(engine->store, held->org->number)->guard;
	const struct kind_keys *keys = &kind_keys[kind];

	pack_put_uint(call->out, keys->done, guard_done(guard, kind, engine->now));
	if (!guard_is_off(policy)) {
		pack_put_uint(call->out, keys->limit,
			      guard_limit(guard, policy, kind, engine->now));
		pack_put_uint(call->out, keys->left, guard_left(guard, policy, kind, engine->now));
	}
	pack_put_uint(call->out, keys->staged,
		      kind == GUARD_KIND_SWEEP ? held->n_removals : guard->n_staged[kind]);
}

static void put_guard(struct call *call, const struct guarding_held *held)
{
	const struct mass_guard *guard =
		&store_guard(call->engine->store, held->org->number)->guard;

	pack_write_map(call->out);
	pack_put_cstr(call->out, "org", held->org->id);
	pack_put_bool(call->out, "engaged", held->since != INSTANT_NONE);
	answer_put_instant(call->out, "engaged_us", held->since);
	pack_put_uint(call->out, "staged", held->n_commands + held->n_removals);
	pack_put_uint(call->out, "persons", held->n_owed);
	pack_put_uint(call->out, "deciding", guard_n_decided(guard));
	pack_put_uint(call->out, "accounts", guard->n_accounts);
	for (enum guard_kind kind = 0; kind < _GUARD_KIND_MAX; kind++) {
		put_kind(call, held, kind);
	}
	pack_write_end(call->out);
}

/* Return: the number behind the last organization that was looked at. */
static uint32_t put_guards(struct call *call, const struct org *only, uint32_t number)
{
	struct store *store = call->engine->store;
	uint32_t n_shown = 0;

	for (; number < store_n_orgs(store) && n_shown < call->request->limit; number++) {
		const struct org *org = store_org(store, number + 1);
		struct guarding_held held = guarding_held_of(call->engine, org);

		if ((only && org != only) || !call_covers(call, org) ||
		    (call->request->engaged && held.since == INSTANT_NONE)) {
			continue;
		}
		put_guard(call, &held);
		n_shown++;
	}
	return number;
}

int cmd_guard_list(struct call *call)
{
	const struct request *request = call->request;
	const struct org *only = NULL;
	uint8_t cursor[4] = {0};
	uint32_t number;

	if (REQUEST_HAS(request, cursor) &&
	    !answer_read_hex(request->cursor, cursor, sizeof(cursor))) {
		return call_refuse_argument(call, "cursor", "is not one of this method's");
	}
	if (REQUEST_HAS(request, org)) {
		int r = call_named_org(call, request->org, &only);

		if (r != 0) {
			return r;
		}
	}
	pack_write_map(call->out);
	pack_put_array(call->out, "guards");
	number = put_guards(call, only, load_be32(cursor));
	pack_write_end(call->out);
	if (!only && number < store_n_orgs(call->engine->store)) {
		store_be32(cursor, number);
		answer_put_hex(call->out, "cursor", cursor, sizeof(cursor));
	}
	pack_write_end(call->out);
	return 0;
}
