/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/work/sweep.h"

#include <stdio.h>

#include "daemon/core/lifecycle.h"
#include "daemon/store/early.h"
#include "daemon/work/engine.h"
#include "daemon/work/log.h"

/* Notes that are deleted in the time that another row takes. */
#define SWEEP_NOTES_A_ROW 8

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

bool sweep_is_stopped(const struct sweep *sweep)
{
	return sweep->paused || sweep->doubted;
}

instant_t sweep_wanted_at(const struct sweep *sweep)
{
	instant_t look = sweep->looked_at != INSTANT_NONE ? sweep->looked_at + SWEEP_LOOK_EVERY : 0;

	return sweep->next_at != INSTANT_NONE ? MIN(sweep->next_at, look) : look;
}

struct due_position sweep_front(const struct sweep *sweep)
{
	return sweep->busy && !sweep_is_stopped(sweep) ? sweep->position : sweep->front;
}

bool sweep_is_wanted(const struct sweep *sweep, instant_t now)
{
	return !sweep_is_stopped(sweep) &&
	       (sweep->busy || sweep->changed || sweep_wanted_at(sweep) <= now);
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

/* What the clock does to an account, by the rules; nothing is changed yet. */
static void sweep_judge(const struct engine *engine, struct account *account,
			enum lifecycle_command command)
{
	struct lifecycle_context context = {.keepers =
						    store_keepers_of(engine->store, account->org)};
	struct lifecycle_verdict verdict;

	lifecycle_step(&account->facts, command, &context, engine->now, &verdict);
	assert(verdict.changed);
	account->facts = verdict.next;
}

static struct actor sweep_actor(const struct engine *engine)
{
	return (struct actor){.role = ROLE_DAEMON, .at = engine->now};
}

static int sweep_change(struct engine *engine, struct account *account, enum event event)
{
	struct actor actor = sweep_actor(engine);

	return store_change(engine->store, account, event, &actor);
}

/*
 * How long the sweep let something wait that fell due at @at. What the last pass has not seen was
 * not there yet, or not due: an import may bring a window that ended long ago.
 */
static void sweep_note_late(const struct sweep *sweep, instant_t at, instant_t now,
			    struct sweep_result *result)
{
	span_t late = now - MAX(at, sweep->looked_at);

	if (late > SWEEP_LOOK_EVERY) {
		++result->n_late;
		result->late = MAX(result->late, late);
	}
}

/* Not complete yet: another turn goes on with it. */
static void sweep_leave(struct engine *engine, const struct account *account,
			struct sweep_result *result)
{
	result->more = true;
	store_note_early(engine->store, account);
}

/* What many notes of one account take is time that other rows do not get. */
static int sweep_completed(struct engine *engine, const struct account *account, int r,
			   struct sweep_result *result)
{
	if (r == STORE_E_MORE) {
		result->n_rows += STORE_ERASE_MAX / SWEEP_NOTES_A_ROW;
		sweep_leave(engine, account, result);
		return 0;
	}
	result->n_completed += r == 0;
	return r;
}

/*
 * Once it is on disk who purged, and what the last keeper confirmed: a crash would leave nothing of
 * them but the removal.
 */
static int sweep_complete(struct engine *engine, struct account *account,
			  struct sweep_result *result)
{
	struct account before = *account;
	int r;

	if (!store_is_durable(engine->store, account)) {
		sweep_leave(engine, account, result);
		return 0;
	}
	sweep_judge(engine, account, LIFECYCLE_COMPLETE_REMOVAL);
	r = sweep_change(engine, account, EVENT_REMOVAL_COMPLETED);
	return sweep_completed(engine, &before, r, result);
}

static int sweep_mark_overdue(struct engine *engine, struct account *account,
			      struct sweep_result *result)
{
	result->owing |= account->facts.owed;
	sweep_judge(engine, account, LIFECYCLE_MARK_OVERDUE);
	++result->n_overdue;
	return sweep_change(engine, account, EVENT_OVERDUE);
}

/*
 * What nobody owes anything for is complete with its start, which is the clock's alone. What the mass
 * guard holds back stays where it is, and is not looked at again until it lets go.
 */
static int sweep_start(struct engine *engine, struct account *account, instant_t at,
		       struct sweep_result *result)
{
	struct actor actor = sweep_actor(engine);
	struct account started, removed;
	bool held = false;
	int r = guarding_judge_removal(engine, account, &held);

	if (r < 0 || held) {
		result->n_held += held;
		return r;
	}
	actor.decision = guarding_decision_on(engine, account, at);
	sweep_note_late(&engine->sweep, at, engine->now, result);
	sweep_judge(engine, account, LIFECYCLE_START_REMOVAL);
	++result->n_started;
	if (account->facts.owed != 0) {
		return store_change(engine->store, account, EVENT_REMOVAL_STARTED, &actor);
	}
	started = removed = *account;
	sweep_judge(engine, &removed, LIFECYCLE_COMPLETE_REMOVAL);
	r = store_remove(engine->store, account, &removed.facts, &actor);
	return sweep_completed(engine, &started, r, result);
}

/* By the account's own row: an index can be damaged. */
static int sweep_account(struct engine *engine, struct account *account,
			 struct sweep_result *result)
{
	instant_t at;
	enum lifecycle_action action = lifecycle_next(&account->facts, &at);

	if (action == LIFECYCLE_ACTION_NONE || at > engine->now) {
		sweep_pass_over(&engine->sweep, result);
		return 0;
	}
	switch (action) {
	case LIFECYCLE_ACTION_START_REMOVAL:
		return sweep_start(engine, account, at, result);
	case LIFECYCLE_ACTION_MARK_OVERDUE:
		return sweep_mark_overdue(engine, account, result);
	case LIFECYCLE_ACTION_COMPLETE_REMOVAL:
		return sweep_complete(engine, account, result);
	case LIFECYCLE_ACTION_NONE:
		break;
	}
	abort();
}

/* Held back from the beginning of the pass up to here, there is nothing to look for any more. */
static void sweep_see(struct engine *engine, const struct account *account, bool held)
{
	struct sweep *sweep = &engine->sweep;

	sweep->clean = sweep->clean && held;
	if (sweep->clean) {
		sweep->front = sweep->position;
		store_watch_early(engine->store, sweep->front);
	}
	if (held) {
		guarding_see(engine, account->org, sweep->clean);
	}
}

/* Return: 0 to go on, STORE_E_NONE at the end of the pass, or a negative errno. */
static int sweep_step(struct engine *engine, struct sweep_result *result)
{
	struct sweep *sweep = &engine->sweep;
	struct due_position next = sweep->position;
	struct account account;
	uint32_t n_held;
	int r = store_next_due(engine->store, &next, &account);

	if (r < 0) {
		return r;
	}
	if (r == STORE_E_NONE || next.at > engine->now) {
		sweep->next_at = r == STORE_E_NONE ? INSTANT_NONE : next.at;
		return STORE_E_NONE;
	}
	sweep->position = next;
	++result->n_rows;
	if (r == STORE_E_CORRUPT) {
		sweep->clean = false;
		sweep_pass_over(sweep, result);
		return 0;
	}
	n_held = result->n_held;
	r = sweep_account(engine, &account, result);
	sweep_see(engine, &account, result->n_held > n_held);
	return r;
}

/* What came to stand before the beginning of the passes. */
static int sweep_early(struct engine *engine, uint32_t n_max, struct sweep_result *result)
{
	uint64_t uids[STORE_EARLY_MAX];
	uint32_t n, n_held = result->n_held;
	struct account account;
	int r = 0;

	if (!store_take_early(engine->store, uids, n_max, &n)) {
		sweep_look_again(engine);
		return 0;
	}
	for (uint32_t i = 0; i < n && r >= 0; i++) {
		instant_t at;

		++result->n_rows;
		r = store_get_account(engine->store, uids[i], &account);
		if (r == 0 && lifecycle_next(&account.facts, &at) != LIFECYCLE_ACTION_NONE &&
		    at <= engine->now) {
			r = sweep_account(engine, &account, result);
		}
		if (result->n_held > n_held) {
			guarding_see(engine, account.org, true);
			n_held = result->n_held;
		}
	}
	result->more = result->more || store_has_early(engine->store);
	return MIN(r, 0);
}

/* "crm, files, mail"; cut where there is no more room: keeper.list has them all. */
static void name_keepers(const struct store *store, uint64_t owing, char *names, size_t size)
{
	size_t len = 0;

	names[0] = '\0';
	for (; owing != 0 && len < size; owing &= owing - 1) {
		const struct keeper *keeper =
			store_keeper(store, (uint8_t)(__builtin_ctzll(owing) + 1));
		int n = snprintf(names + len, size - len, "%s%s", len > 0 ? ", " : "",
				 keeper ? keeper->name : "?");

		len += n > 0 ? (size_t)n : 0;
	}
}

static void sweep_tell_overdue(const struct engine *engine)
{
	const struct sweep_result *pass = &engine->sweep.pass;
	char overdue[16], keepers[LOG_VALUE_MAX + 1];
	struct log_field fields[] = {{"MESSAGE_ID", LOG_OVERDUE_ID},
				     {"RETENTIOND_OVERDUE", overdue},
				     {"RETENTIOND_KEEPERS", keepers}};

	(void)snprintf(overdue, sizeof(overdue), "%u", pass->n_overdue);
	name_keepers(engine->store, pass->owing, keepers, sizeof(keepers));
	log_say_fields(LOG_LEVEL_ERROR, fields, ARRAY_LEN(fields),
		       "sweep: %s removals passed their deadline; these keepers still owe the "
		       "erasure: %s; see retentionctl keepers and retentionctl list --overdue",
		       overdue, keepers);
}

/* The promise says when a removal starts, and here it started later: somebody may have to explain. */
static void sweep_tell_late(const struct sweep_result *pass)
{
	char n_late[16], late[SPAN_TEXT_MAX];
	struct log_field fields[] = {{"MESSAGE_ID", LOG_LATE_ID}, {"RETENTIOND_LATE", n_late}};

	(void)snprintf(n_late, sizeof(n_late), "%u", pass->n_late);
	span_format(pass->late, late);
	log_say_fields(LOG_LEVEL_WARNING, fields, ARRAY_LEN(fields),
		       "sweep: %s removals started late, by up to %s: retentiond was not running, "
		       "or timed work was stopped",
		       n_late, late);
}

/* Once a pass: the journal drops lines above its rate. */
static void sweep_tell(const struct engine *engine)
{
	const struct sweep *sweep = &engine->sweep;
	char started[16], completed[16];
	struct log_field fields[] = {{"RETENTIOND_STARTED", started},
				     {"RETENTIOND_COMPLETED", completed}};

	if (sweep->pass.n_overdue > 0) {
		sweep_tell_overdue(engine);
	}
	if (sweep->pass.n_late > 0) {
		sweep_tell_late(&sweep->pass);
	}
	if (sweep->pass.n_started + sweep->pass.n_completed == 0) {
		return;
	}
	(void)snprintf(started, sizeof(started), "%u", sweep->pass.n_started);
	(void)snprintf(completed, sizeof(completed), "%u", sweep->pass.n_completed);
	log_say_fields(LOG_LEVEL_INFO, fields, ARRAY_LEN(fields),
		       "sweep: %s removals started, %s completed", started, completed);
}

void sweep_look_again(struct engine *engine)
{
	struct sweep *sweep = &engine->sweep;

	sweep->front = (struct due_position){0};
	sweep->busy = false;
	sweep->changed = true;
	store_forget_early(engine->store);
	guarding_forget_passes(engine);
}

static void sweep_begin_pass(struct engine *engine)
{
	struct sweep *sweep = &engine->sweep;

	sweep->position = sweep->front;
	sweep->clean = true;
	sweep->changed = false;
	sweep->again = false;
	sweep->pass = (struct sweep_result){0};
	guarding_begin_pass(engine);
}

static int sweep_end_pass(struct engine *engine)
{
	struct sweep *sweep = &engine->sweep;

	sweep_tell(engine);
	sweep->looked_at = engine->now;
	sweep->n_failed = sweep->pass.n_failed;
	if (sweep->pass.n_started > 0) {
		sweep->n_late = sweep->pass.n_late;
		sweep->late = sweep->pass.late;
	}
	sweep->busy = false;
	sweep->changed = sweep->changed || sweep->again;
	return guarding_end_pass(engine);
}

static void sweep_count(struct sweep *sweep, const struct sweep_result *result, instant_t now)
{
	sweep->n_started += result->n_started;
	sweep->n_completed += result->n_completed;
	sweep->pass.n_started += result->n_started;
	sweep->pass.n_completed += result->n_completed;
	sweep->pass.n_overdue += result->n_overdue;
	sweep->pass.n_failed += result->n_failed;
	sweep->pass.n_late += result->n_late;
	sweep->pass.late = MAX(sweep->pass.late, result->late);
	sweep->pass.owing |= result->owing;
	sweep->again = sweep->again || result->more;
	if (result->n_started + result->n_completed + result->n_overdue > 0) {
		sweep->last_run_at = now;
	}
}

int sweep_slice(struct engine *engine, struct sweep_result *ret_result)
{
	struct sweep *sweep = &engine->sweep;
	struct sweep_result result = {0};
	uint32_t n_max = pace_rows(&engine->pace, engine->reading.boot);
	int r;

	if (sweep_is_stopped(sweep)) {
		*ret_result = result;
		return 0;
	}
	r = sweep_early(engine, n_max, &result);
	if (!sweep->busy) {
		sweep_begin_pass(engine);
	}
	while (result.n_rows < n_max && r == 0) {
		r = sweep_step(engine, &result);
	}
	if (r < 0) {
		return r;
	}
	sweep->busy = true;
	sweep_count(sweep, &result, engine->now);
	if (r == STORE_E_NONE) {
		r = sweep_end_pass(engine);
	}
	result.more = sweep->busy || sweep->again;
	engine->n_swept += result.n_rows;
	*ret_result = result;
	return r;
}
