/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/work/sweep.h"

#include <stdio.h>

#include "daemon/core/lifecycle.h"
#include "daemon/work/engine.h"
#include "daemon/work/log.h"

void sweep_init(struct sweep *sweep, bool paused)
{
	*sweep = (struct sweep){
		.paused = paused,
		.changed = true,
		.next_at = INSTANT_NONE,
		.looked_at = INSTANT_NONE,
		.last_run_at = INSTANT_NONE,
	};
}

instant_t sweep_wanted_at(const struct sweep *sweep)
{
	instant_t look = sweep->looked_at != INSTANT_NONE ? sweep->looked_at + SWEEP_LOOK_EVERY : 0;

	return sweep->next_at != INSTANT_NONE ? MIN(sweep->next_at, look) : look;
}

bool sweep_is_wanted(const struct sweep *sweep, instant_t now)
{
	return !sweep->paused && (sweep->busy || sweep->changed || sweep_wanted_at(sweep) <= now);
}

static bool sweep_has_reported(const struct sweep *sweep, uint64_t uid)
{
	for (uint32_t i = 0; i < MIN(sweep->n_reported, SWEEP_REPORTED_MAX); ++i) {
		if (sweep->reported[i] == uid) {
			return true;
		}
	}
	return false;
}

static void sweep_pass_over(struct sweep *sweep, struct sweep_result *result)
{
	char uid[24];
	struct log_field fields[] = {{"RETENTIOND_UID", uid}};

	++result->n_failed;
	if (sweep_has_reported(sweep, sweep->position.uid)) {
		return;
	}
	sweep->reported[sweep->n_reported++ % SWEEP_REPORTED_MAX] = sweep->position.uid;
	(void)snprintf(uid, sizeof(uid), "%llu", (unsigned long long)sweep->position.uid);
	log_say_fields(
		LOG_LEVEL_ERROR, fields, ARRAY_LEN(fields),
		"sweep: account uid %s cannot be read and was passed over; run retentionctl verify",
		uid);
}

static int sweep_complete(struct engine *engine, struct account *account, const struct actor *actor,
			  struct sweep_result *result)
{
	struct lifecycle_verdict verdict;

	if (!store_is_durable(engine->store, account)) {
		result->more = true; /* its start is of this very turn */
		return 0;
	}
	lifecycle_step(&account->facts, LIFECYCLE_COMPLETE_REMOVAL, NULL, engine->now, &verdict);
	assert(verdict.changed);
	account->facts = verdict.next;
	++result->n_completed;
	return store_change(engine->store, account, EVENT_REMOVAL_COMPLETED, actor);
}

static int sweep_start(struct engine *engine, struct account *account, const struct actor *actor,
		       struct sweep_result *result)
{
	struct lifecycle_verdict verdict;

	lifecycle_step(&account->facts, LIFECYCLE_START_REMOVAL, NULL, engine->now, &verdict);
	assert(verdict.changed);
	account->facts = verdict.next;
	++result->n_started;
	result->more = true;
	return store_change(engine->store, account, EVENT_REMOVAL_STARTED, actor);
}

/* What the clock does to an account whose turn it is, by its own row: an index can be damaged. */
static int sweep_account(struct engine *engine, struct account *account,
			 struct sweep_result *result)
{
	struct actor actor = {.role = ROLE_DAEMON, .at = engine->now};
	instant_t at;

	switch (lifecycle_next(&account->facts, &at)) {
	case LIFECYCLE_ACTION_START_REMOVAL:
		if (at <= engine->now) {
			return sweep_start(engine, account, &actor, result);
		}
		break;
	case LIFECYCLE_ACTION_COMPLETE_REMOVAL:
		return sweep_complete(engine, account, &actor, result);
	case LIFECYCLE_ACTION_NONE:
		break;
	}
	sweep_pass_over(&engine->sweep, result);
	return 0;
}

/* Return: 0 to go on, STORE_E_NONE at the end of the pass, or a negative errno. */
static int sweep_step(struct engine *engine, struct sweep_result *result)
{
	struct sweep *sweep = &engine->sweep;
	struct due_position next = sweep->position;
	struct account account;
	int r = store_next_due(engine->store, &next, &account);

	if (r < 0) {
		return r;
	}
	if (r == STORE_E_NONE || next.at > engine->now) {
		sweep->next_at = r == STORE_E_NONE ? INSTANT_NONE : next.at;
		return STORE_E_NONE;
	}
	sweep->position = next;
	if (r == STORE_E_CORRUPT) {
		sweep_pass_over(sweep, result);
		return 0;
	}
	return sweep_account(engine, &account, result);
}

/* Once a pass: the journal drops lines above its rate. */
static void sweep_tell(const struct sweep *sweep)
{
	char started[16], completed[16];
	struct log_field fields[] = {{"RETENTIOND_STARTED", started},
				     {"RETENTIOND_COMPLETED", completed}};

	if (sweep->pass.n_started + sweep->pass.n_completed == 0) {
		return;
	}
	(void)snprintf(started, sizeof(started), "%u", sweep->pass.n_started);
	(void)snprintf(completed, sizeof(completed), "%u", sweep->pass.n_completed);
	log_say_fields(LOG_LEVEL_INFO, fields, ARRAY_LEN(fields),
		       "sweep: %s removals started, %s completed", started, completed);
}

static void sweep_begin_pass(struct sweep *sweep)
{
	sweep->position = (struct due_position){0};
	sweep->changed = false;
	sweep->again = false;
	sweep->pass = (struct sweep_result){0};
}

static void sweep_end_pass(struct sweep *sweep, instant_t now)
{
	sweep_tell(sweep);
	sweep->looked_at = now;
	sweep->n_failed = sweep->pass.n_failed;
	sweep->busy = false;
	sweep->changed = sweep->changed || sweep->again;
}

static void sweep_count(struct sweep *sweep, const struct sweep_result *result, instant_t now)
{
	sweep->n_started += result->n_started;
	sweep->n_completed += result->n_completed;
	sweep->pass.n_started += result->n_started;
	sweep->pass.n_completed += result->n_completed;
	sweep->pass.n_failed += result->n_failed;
	sweep->again = sweep->again || result->more;
	if (result->n_started + result->n_completed > 0) {
		sweep->last_run_at = now;
	}
}

int sweep_slice(struct engine *engine, struct sweep_result *ret_result)
{
	struct sweep *sweep = &engine->sweep;
	struct sweep_result result = {0};
	int r = 0;

	if (sweep->paused) {
		*ret_result = result;
		return 0;
	}
	if (!sweep->busy) {
		sweep_begin_pass(sweep);
	}
	for (uint32_t i = 0; i < SWEEP_SLICE_MAX && r == 0; ++i) {
		r = sweep_step(engine, &result);
	}
	if (r < 0) {
		return r;
	}
	sweep->busy = true;
	sweep_count(sweep, &result, engine->now);
	if (r == STORE_E_NONE) {
		sweep_end_pass(sweep, engine->now);
	}
	result.more = sweep->busy || sweep->again;
	*ret_result = result;
	return 0;
}
