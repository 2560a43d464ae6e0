/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>

#include "daemon/work/log.h"

#include "tests/sim/ask.h"
#include "tests/support/temp.h"

/* Turns, as the daemon's loop makes them, and what the clock does in them. */

#define MAP_BYTES     STORE_MAP_MIN
#define IDLE_TURNS    200
#define TURN_TAKES    (SPAN_SECOND / 1000)
#define HISTORY_BEGIN RIG_BEGIN

void sim_tell(struct sim *sim, const char *format, ...)
{
	va_list arguments;

	if (!sim->telling) {
		return;
	}
	(void)printf("%5u  %10s  ", sim->step, name_span(sim->world.now - HISTORY_BEGIN));
	va_start(arguments, format);
	(void)vprintf(format, arguments);
	va_end(arguments);
}

_Noreturn void sim_violate(struct sim *sim, enum invariant invariant, const char *format, ...)
{
	struct report *report = sim->report;
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(report->text, sizeof(report->text), format, arguments);
	va_end(arguments);
	report->invariant = invariant;
	report->step = sim->step;
	sim_tell(sim, "VIOLATED  %s: %s\n", invariant_name(invariant), report->text);
	(void)fflush(stdout);
	_exit(1);
}

static void drop_log(unused enum log_level level, unused const char *text,
		     unused const struct log_field *fields, unused size_t n_fields)
{
}

/* In every other history the mass guard is as it is at first, and lets these few accounts pass. */
static void set_up_org(struct sim *sim, uint8_t org, bool guarded)
{
	struct truth_guard *guard = &sim->truth.orgs[org].guard;
	struct pack_writer *out = ask_begin(sim, "org.set");

	pack_put_cstr(out, "org", name_org(org));
	if (guarded) {
		guard->min = guard->percent = 1;
		pack_put_uint(out, "guard_min", guard->min);
		pack_put_uint(out, "guard_percent", guard->percent);
	}
	pack_put_cstr(out, "privacy_contact", "privacy@org.example");
	(void)ask_result(sim);
}

static void set_up_keeper(struct sim *sim, uint32_t keeper)
{
	struct pack_writer *out = ask_begin(sim, "keeper.set");

	pack_put_cstr(out, "keeper", name_keeper(keeper));
	pack_put_bool(out, "enabled", false);
	(void)ask_result(sim);
}

void sim_open(struct sim *sim, uint64_t seed)
{
	struct world *world = &sim->world;

	log_set_sink(drop_log);
	rig_prepare(&sim->rig, temp_directory_new(), CLOCK_MODE_REAL, MAP_BYTES);
	sim->rig.rules = ask_rules;
	sim->rig.options.tombstones = SPAN_MAX; /* the truth forgets nobody */
	*world = (struct world){
		.now = HISTORY_BEGIN,
		.booted_at = HISTORY_BEGIN - SPAN_HOUR,
		.n_boots = 1,
		.walls = (enum world_walls)(seed % _WORLD_WALLS_MAX),
		.trusted = INSTANT_NONE,
	};
	truth_init(&sim->truth);
	sim->truth.clocks_are_right = world->walls == WORLD_WALLS_RIGHT;
	sim->rig.reading = world_read(world);
	rig_start(&sim->rig);
	ask_as(sim, ASK_AS_ADMIN);
	for (uint8_t i = 0; i < TRUTH_ORGS; i++) {
		set_up_org(sim, i, seed % 2 == 0);
	}
	for (uint32_t i = 0; i < TRUTH_KEEPERS; i++) {
		set_up_keeper(sim, i);
	}
	sim_end(sim);
}

void sim_close(struct sim *sim)
{
	for (uint32_t i = 0; i < SIM_REPEATS; i++) {
		free(sim->repeats[i].request);
		free(sim->repeats[i].answer);
	}
	rig_close(&sim->rig);
}

/* No crash takes away what has been done in this turn so far. */
static void keep_turn(struct sim *sim)
{
	sim->acked = sim->truth;
	sim->acked_world = sim->world;
	sim->began_at = store_head(sim->rig.engine->store)->seq;
}

void sim_take_time(struct sim *sim, bool accepted)
{
	const struct engine *engine = sim->rig.engine;
	bool doubted = engine->sweep.doubted, was_doubted = sim->truth.doubted;
	const char *fault = world_take(&sim->world, engine->now, doubted, accepted);

	SIM_REQUIRE(sim, !fault, CLOCK, "%s", fault);
	if (was_doubted && !doubted) {
		sim_tell(sim, "the clock guard is released: %s later\n",
			 name_span(engine->now - sim->truth.now));
		truth_set_clock(&sim->truth, engine->now, sim->world.gained);
	}
	sim->truth.now = engine->now;
	sim->truth.gained = sim->world.gained;
	sim->truth.doubted = doubted;
	if (was_doubted && !doubted) {
		keep_turn(sim); /* a release is on the disk before it is used */
	}
}

void sim_begin(struct sim *sim)
{
	if (sim->open) {
		return;
	}
	sim->open = true;
	sim->rig.reading = world_read(&sim->world);
	rig_begin(&sim->rig);
	sim->began_at = store_head(sim->rig.engine->store)->seq;
	sim->truth.now = rig_now(&sim->rig);
	sim->truth.true_now = sim->world.now;
	sim_take_time(sim, false);
}

/*
 * The window is counted in true time. Where wall clocks are wrong at boots, what the clock's rule
 * lets trusted time gain on it is allowed for.
 */
static void expect_not_early(struct sim *sim, const struct truth_account *account)
{
	const struct world *world = &sim->world;
	span_t lasted = world->now - account->left_at;
	span_t gained = world->walls == WORLD_WALLS_RIGHT ? 0 : world->gained - account->gained;

	SIM_REQUIRE(sim, lasted >= account->window - gained, NEVER_EARLY,
		    "the removal of uid %llu starts %s after its deletion in true time, and its "
		    "window is %s",
		    (unsigned long long)account->uid, name_span(lasted),
		    name_span(account->window));
}

static void observe_start(struct sim *sim, struct truth_account *account, const struct facts *facts)
{
	instant_t start = truth_start(account);

	SIM_REQUIRE(sim, start <= sim->truth.now, NEVER_EARLY,
		    "the removal of uid %llu has started %s before its time",
		    (unsigned long long)account->uid, name_span(start - sim->truth.now));
	SIM_REQUIRE(sim, facts->removal_started_at == start, ANSWERS,
		    "the removal of uid %llu is recorded with another start",
		    (unsigned long long)account->uid);
	expect_not_early(sim, account);
	SIM_REQUIRE(sim, truth_guard_left(&sim->truth, account->org, TRUTH_REMOVAL) > 0, GUARD,
		    "the removal of uid %llu starts, and the mass guard lets no more pass",
		    (unsigned long long)account->uid);
	account->started_at = start;
	account->owed = truth_keepers_of(&sim->truth, account->org);
	truth_guard_count(&sim->truth, account->org, TRUTH_REMOVAL);
	truth_guard_outdate(&sim->truth, account);
	sim->report->n_starts++;
}

static void observe_completion(struct sim *sim, struct truth_account *account,
			       const struct facts *facts)
{
	SIM_REQUIRE(sim, account->owed == 0, KEEPERS,
		    "uid %llu is removed while keepers %x owe its erasure",
		    (unsigned long long)account->uid, account->owed);
	SIM_REQUIRE(sim, facts->removed_at == sim->truth.now, ANSWERS,
		    "uid %llu is removed at an instant that is not now",
		    (unsigned long long)account->uid);
	account->late = account->late || facts->removed_at >= truth_due(account);
	account->removed_at = facts->removed_at;
	truth_guard_count_completed(&sim->truth, account->org, facts->removed_at);
	sim->report->n_removed++;
}

static void observe_account(struct sim *sim, struct truth_account *account)
{
	struct account row = rig_row(&sim->rig, account->uid);

	if (account->started_at == INSTANT_NONE && row.facts.removal_started_at != INSTANT_NONE) {
		observe_start(sim, account, &row.facts);
	}
	if (!account->late && row.facts.late && row.facts.removed_at == INSTANT_NONE) {
		SIM_REQUIRE(sim, account->owed != 0 && truth_due(account) <= sim->truth.now,
			    ANSWERS, "uid %llu is told to be late, and is not",
			    (unsigned long long)account->uid);
		account->late = true;
	}
	if (account->removed_at == INSTANT_NONE && row.facts.removed_at != INSTANT_NONE) {
		observe_completion(sim, account, &row.facts);
	}
}

void sim_observe(struct sim *sim)
{
	for (uint32_t i = 0; i < sim->truth.n_accounts; i++) {
		struct truth_account *account = &sim->truth.accounts[i];

		if (truth_is_pending(account, sim->truth.now)) {
			observe_account(sim, account);
		}
	}
	guards_observe(sim);
}

/* What is recorded: the clock's work not yet done counts as before. */
static void count(const struct truth *truth, struct store_counts *counts)
{
	for (uint32_t i = 0; i < truth->n_accounts; i++) {
		const struct truth_account *account = &truth->accounts[i];
		bool removed = account->removed_at != INSTANT_NONE;
		bool removing = !removed && account->started_at != INSTANT_NONE;
		bool active = account->deleted_at == INSTANT_NONE;

		counts->n_removed += removed;
		counts->n_removing += removing;
		counts->n_active += active;
		counts->n_soft_deleted += !removed && !removing && !active;
		counts->n_overdue += !removed && account->late;
		counts->n_held += !removed && account->held_until == INSTANT_MAX;
		counts->n_requests_open += account->request != 0;
		for (uint32_t keeper = 0; keeper < TRUTH_KEEPERS; keeper++) {
			counts->n_owed[keeper] += account->owed >> keeper & 1;
		}
	}
}

static void expect_counts(struct sim *sim)
{
	struct store_counts counts = {0};

	count(&sim->truth, &counts);
	if (memcmp(store_counts(sim->rig.engine->store), &counts, sizeof(counts)) != 0) {
		audit_rows(sim, INVARIANT_ANSWERS);
		sim_violate(sim, INVARIANT_COUNTS, "the counts are not those of the rows");
	}
}

static void forget_unacked(struct sim *sim, bool acked)
{
	for (uint32_t i = 0; i < SIM_TOKENS; i++) {
		sim->tokens[i].acked |= acked;
	}
	for (uint32_t i = 0; i < SIM_REPEATS; i++) {
		sim->repeats[i].acked |= acked;
	}
}

void sim_work(struct sim *sim)
{
	int r;

	sim_begin(sim);
	r = engine_work(sim->rig.engine);
	SIM_REQUIRE(sim, r == 0, SURVIVES, "the sweep fails: %s", strerror(-r));
	sim->world.asked = true;
	sim_take_time(sim, false);
	sim_observe(sim);
	truth_guard_carry_out(&sim->truth);
}

void sim_commit(struct sim *sim)
{
	int r = engine_commit(sim->rig.engine);

	SIM_REQUIRE(sim, r == 0, SURVIVES, "the commit fails: %s", strerror(-r));
	r = engine_settle(sim->rig.engine);
	SIM_REQUIRE(sim, r == 0, SURVIVES, "settling fails: %s", strerror(-r));
	expect_counts(sim);
	guards_expect(sim);
	forget_unacked(sim, true);
	keep_turn(sim);
	sim->open = false;
}

void sim_end(struct sim *sim)
{
	sim_work(sim);
	sim_commit(sim);
}

/* What the clock should have done a sweep interval ago, and the mass guard does not hold back. */
static const struct truth_account *find_late(const struct sim *sim)
{
	const struct truth *truth = &sim->truth;

	for (uint32_t i = 0; i < truth->n_accounts && !truth->paused && !truth->doubted; i++) {
		const struct truth_account *account = &truth->accounts[i];

		if (truth_is_pending(account, truth->now - SWEEP_LOOK_EVERY) &&
		    !truth_guard_holds(truth, account)) {
			return account;
		}
	}
	return NULL;
}

/* Turns without requests until the daemon would sleep. */
void sim_idle(struct sim *sim)
{
	const struct truth_account *late;
	uint32_t n = 0;

	do {
		sim_end(sim);
		SIM_REQUIRE(sim, ++n < IDLE_TURNS, PUNCTUAL, "it never comes to rest");
		sim->world.now += TURN_TAKES;
	} while (engine_sleep(sim->rig.engine) == 0);
	late = find_late(sim);
	SIM_REQUIRE(sim, !late, PUNCTUAL, "uid %llu is due since %s, and it sleeps",
		    (unsigned long long)late->uid,
		    name_span(sim->truth.now - truth_pending_since(late)));
	guards_expect_at_rest(sim);
}
