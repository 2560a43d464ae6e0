/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/history.h"

#include <stdio.h>

#include "tests/sim/ask.h"
#include "tests/sim/pick.h"
#include "tests/support/random.h"

/* What happens in a history: the steps, how often each comes, and what each does. */

static const char *const invariant_names[][2] = {
	[INVARIANT_NONE] = {"none", ""},
	[INVARIANT_SURVIVES] = {"survives", "no crash, refused start or failed commit"},
	[INVARIANT_NEVER_EARLY] = {"never-early",
				   "no removal before its window ended in true time"},
	[INVARIANT_IRREVOCABLE] = {"irrevocable", "no removal that began is undone"},
	[INVARIANT_DURABLE] = {"durable", "nothing acknowledged is lost"},
	[INVARIANT_UNREADABLE] = {"unreadable", "nothing of a removed account can be read"},
	[INVARIANT_PUNCTUAL] = {"punctual", "what is due is done within a sweep interval"},
	[INVARIANT_LEDGER] = {"ledger", "the ledger verifies, and leads to the rows"},
	[INVARIANT_COUNTS] = {"counts", "counts agree with the rows"},
	[INVARIANT_LISTS] = {"lists", "lists and forecasts agree with the rows"},
	[INVARIANT_ANSWERS] = {"answers", "answers are what the tables of the design say"},
	[INVARIANT_KEEPERS] = {"keepers", "tasks are fenced; nothing owed is removed or left out"},
	[INVARIANT_REPEATS] = {"repeats", "the same request id gets the first answer again"},
	[INVARIANT_CLOCK] = {"clock", "trusted time never goes back, nor ahead but by the rule"},
	[INVARIANT_GUARD] = {"guard",
			     "what goes beyond a limit waits to be released, and is not lost"},
};
static_assert(ARRAY_LEN(invariant_names) == _INVARIANT_MAX, "each has a name");

const char *invariant_name(enum invariant invariant)
{
	return invariant_names[invariant][0];
}

const char *invariant_text(enum invariant invariant)
{
	return invariant_names[invariant][1];
}

/* Time */

static void go_on(struct sim *sim, span_t span)
{
	sim_end(sim);
	sim->world.now += span;
	sim_tell(sim, "%s later\n", name_span(span));
	sim_begin(sim);
}

static void do_turn(struct sim *sim, unused const struct step *step)
{
	sim_end(sim);
	sim->world.now += SPAN_SECOND / 1000;
}

static void do_rest(struct sim *sim, unused const struct step *step)
{
	sim_idle(sim);
}

static void do_wait(struct sim *sim, const struct step *step)
{
	static const span_t spans[] = {1,         SPAN_SECOND,   SPAN_MINUTE,   SPAN_HOUR,
				       SPAN_HOUR, 5 * SPAN_HOUR, SPAN_DAY,      3 * SPAN_DAY,
				       SPAN_DAY,  10 * SPAN_DAY, 20 * SPAN_DAY, 45 * SPAN_DAY};

	go_on(sim, spans[step->a % ARRAY_LEN(spans)] * (1 + step->b % 3));
}

/* To the very instant of what falls due next to an account, or to beside it. */
static void do_wait_until_due(struct sim *sim, const struct step *step)
{
	const struct truth *truth = &sim->truth;
	instant_t due;

	if (truth->n_accounts == 0) {
		return;
	}
	sim_begin(sim);
	due = truth_pending_since(&truth->accounts[step->a % truth->n_accounts]);
	if (due < INSTANT_MAX && due > truth->now + 1) {
		go_on(sim, due - truth->now + (span_t)(step->b % 3) - 1);
	}
}

static span_t pick_step_of_wall(const struct step *step)
{
	static const span_t spans[] = {5 * SPAN_SECOND, SPAN_MINUTE,   SPAN_HOUR,
				       3 * SPAN_DAY,    6 * SPAN_DAY,  8 * SPAN_DAY,
				       55 * SPAN_DAY,   400 * SPAN_DAY};
	span_t span = spans[step->a % ARRAY_LEN(spans)];

	return step->b % 2 == 0 ? span : -span;
}

/* Within a boot, whatever the wall clock does, nothing may come of it. */
static void do_step_wall(struct sim *sim, const struct step *step)
{
	sim_end(sim);
	sim->world.wall_off = step->c % 3 == 0 ? 0 : pick_step_of_wall(step);
	if (sim->truth.doubted) { /* it is being asked */
		sim->world.wall_off = world_limit(sim->world.walls, sim->world.wall_off);
	}
	sim_tell(sim, "the wall clock is set: %s off\n", name_span(sim->world.wall_off));
}

/* Ends of the daemon, and of the machine */

static void do_restart(struct sim *sim, unused const struct step *step)
{
	crash_not(sim);
}

/* A little more than each was seen to make: it is cut before its last call too, and behind it. */
#define CALLS_OF_COMMIT 10
#define CALLS_OF_SLICE  4
#define CALLS_OF_START  12
#define CALLS_OF_STOP   26

static void do_crash(struct sim *sim, const struct step *step)
{
	switch (step->a % 5) {
	case 0:
		crash_between_turns(sim);
		break;
	case 1:
		crash_in_settling(sim, step->b % CALLS_OF_SLICE, 1 + step->c % 40);
		break;
	case 2:
		crash_in_start(sim, step->b % CALLS_OF_START);
		break;
	case 3:
		crash_in_stop(sim, step->b % CALLS_OF_STOP);
		break;
	case 4:
		crash_in_commit_and_start(sim, step->b % CALLS_OF_COMMIT, step->c % CALLS_OF_START);
		break;
	}
}

static void do_crash_in_commit(struct sim *sim, const struct step *step)
{
	crash_in_commit(sim, step->b % CALLS_OF_COMMIT);
}

static void do_reboot(struct sim *sim, const struct step *step)
{
	static const span_t offs[] = {SPAN_MINUTE, SPAN_HOUR, SPAN_DAY, 20 * SPAN_DAY};
	struct world *world = &sim->world;
	bool crashes = step->d % 2 == 0;
	span_t off = offs[step->d / 2 % ARRAY_LEN(offs)];

	if (!crashes) {
		sim_end(sim);
	}
	world->now += off;
	world->booted_at = world->now - 20 * SPAN_SECOND;
	world->n_boots++;
	world->wall_off = world_limit(world->walls, step->c % 2 == 0 ? 0 : pick_step_of_wall(step));
	world->booting = true;
	sim_tell(sim, "the machine is %s for %s and boots; its wall clock is %s off\n",
		 crashes ? "without power" : "switched off", name_span(off),
		 name_span(world->wall_off));
	crash_between_turns(sim);
}

/* The table */

struct row {
	sim_do_fn *deed;
	uint32_t weight;
};

/* How often of a thousand, about. */
/* clang-format off */
static const struct row rows[] = {
	{ do_import,          100 },
	{ do_leave,            55 },
	{ do_remove,           35 },
	{ do_restore,          50 },
	{ do_purge,            30 },
	{ do_disable,          12 },
	{ do_enable,           12 },
	{ do_hold,             20 },
	{ do_release,          20 },
	{ do_file,             16 },
	{ do_approve,          10 },
	{ do_deny,              6 },
	{ do_org_set,          12 },
	{ do_keeper_set,       12 },
	{ do_waive,            14 },
	{ do_owe,              10 },
	{ do_claim,            60 },
	{ do_confirm,          80 },
	{ do_fail,             16 },
	{ do_extend,           10 },
	{ do_pause,             3 },
	{ do_resume,           12 },
	{ do_accept,           14 },
	{ do_sweep,             6 },
	{ do_repeat,           16 },
	{ do_mass,             20 },
	{ do_guard_set,        16 },
	{ do_guard_release,    24 },
	{ do_turn,            100 },
	{ do_rest,             30 },
	{ do_wait,             60 },
	{ do_wait_until_due,   50 },
	{ do_step_wall,        16 },
	{ do_restart,           2 },
	{ do_crash,            10 },
	{ do_crash_in_commit,   8 },
	{ do_reboot,            4 },
	{ audit_something,     40 },
	{ audit_lists,         16 },
	{ audit_duties,        12 },
	{ audit_forecast,       8 },
	{ audit_guards,        16 },
};
/* clang-format on */

static uint32_t sum_of_weights(void)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		sum += rows[i].weight;
	}
	return sum;
}

static uint8_t pick_op(uint64_t *state, uint32_t sum)
{
	uint32_t at = random_below(state, sum);
	uint8_t op = 0;

	for (; at >= rows[op].weight; op++) {
		at -= rows[op].weight;
	}
	return op;
}

void plan_make(struct plan *plan, uint64_t seed, uint32_t n)
{
	uint32_t sum = sum_of_weights();
	uint64_t state = seed;

	assert(n <= STEPS_MAX);
	plan->seed = seed;
	plan->n = n;
	for (uint32_t i = 0; i < n; i++) {
		plan->steps[i].op = pick_op(&state, sum);
		plan->steps[i].a = (uint32_t)(random_next(&state) >> 33);
		plan->steps[i].b = (uint32_t)(random_next(&state) >> 33);
		plan->steps[i].c = (uint32_t)(random_next(&state) >> 33);
		plan->steps[i].d = (uint32_t)(random_next(&state) >> 33);
	}
}

void sim_play(const struct plan *plan, const bool *kept, bool telling, struct report *report)
{
	static struct sim sim;

	sim = (struct sim){.telling = telling, .report = report};
	sim_open(&sim, plan->seed);
	for (sim.step = 0; sim.step < plan->n; sim.step++) {
		const struct step *step = &plan->steps[sim.step];

		report->step = sim.step;
		if (kept && !kept[sim.step]) {
			continue;
		}
		rows[step->op].deed(&sim, step);
		report->n_steps++;
		if (telling) {
			(void)fflush(stdout);
		}
	}
	sim_end(&sim);
	sim_idle(&sim);
	audit_everything(&sim);
	report->n_staged += sim.truth.n_staged;
	report->n_carried_out += sim.truth.n_carried_out;
	sim_close(&sim);
}
