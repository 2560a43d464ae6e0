/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/sim/ask.h"
#include "tests/sim/disk.h"

/*
 * Ends and starts of the daemon. What was acknowledged must be there after each of them; what was
 * not may be there whole, or not at all, but for removals: one that the register has is carried
 * out, whatever became of the rest of its turn.
 */

static void forget_unacked(struct sim *sim)
{
	for (uint32_t i = 0; i < SIM_TOKENS; i++) {
		if (!sim->tokens[i].acked) {
			sim->tokens[i] = (struct sim_token){.acked = false};
		}
	}
	for (uint32_t i = 0; i < SIM_REPEATS; i++) {
		if (!sim->repeats[i].acked) {
			free(sim->repeats[i].request);
			free(sim->repeats[i].answer);
			sim->repeats[i] = (struct sim_repeat){.acked = false};
		}
	}
}

/* A start that fails is one that the administrator meets: with what it says. */
static void start(struct sim *sim)
{
	struct rig *rig = &sim->rig;
	int r;

	rig->reading = world_read(&sim->world);
	rig->options.boot_id.bytes[0] = (uint8_t)sim->world.n_boots;
	r = engine_open(&rig->options, &rig->reading, &rig->engine);
	SIM_REQUIRE(sim, r == 0, SURVIVES, "it does not start (%d): %s", r, store_fault());
}

/*
 * Over a boot the time goes on from what is on record, which is a little older than what was seen
 * last: windows are moved on by that much more.
 */
static void adopt_redating(struct sim *sim, const struct truth *before)
{
	span_t moved = sim->truth.now - before->now;

	for (uint32_t i = 0; i < sim->truth.n_accounts; i++) {
		struct truth_account *account = &sim->truth.accounts[i];
		const struct truth_account *then = &before->accounts[i];
		instant_t row = rig_row(&sim->rig, account->uid).facts.deleted_at;

		/* Its window had ended since the last mark: to the daemon it has not. */
		if (then->stamped && account->deleted_at == then->deleted_at &&
		    row > then->deleted_at && row >= then->deleted_at + moved &&
		    then->deleted_at + then->window > before->now - WORLD_MARK_AGE) {
			account->deleted_at += moved;
			account->gained = sim->world.gained;
		}
		if (account->deleted_at != then->deleted_at && row >= account->deleted_at &&
		    row <= account->deleted_at + WORLD_MARK_AGE) {
			account->deleted_at = row;
		}
	}
}

/* A start asks the wall clock, and may move the time on: for what was deleted meanwhile as well. */
static void take_start(struct sim *sim)
{
	static struct truth before;
	span_t went = sim->world.now - sim->world.seen_at;
	bool boots = sim->world.booting;

	before = sim->truth;
	if (!boots) {
		sim->truth.now = sim->world.trusted + went; /* the boot clock has gone on */
	}
	sim->truth.true_now = sim->world.now;
	sim->world.asked = true;
	sim_take_time(sim, false);
	if (boots) {
		adopt_redating(sim, &before);
	}
}

/* After a start: who has the floor, and whether everything is there. */
static void look_around(struct sim *sim)
{
	sim->open = false;
	forget_unacked(sim);
	sim->truth = sim->acked;
	take_start(sim);
	SIM_REQUIRE(sim, sim->truth.paused == sim->rig.engine->sweep.paused, DURABLE,
		    "timed work is %spaused", sim->truth.paused ? "not " : "");
	sim->acked = sim->truth;
	sim->acked_world = sim->world;
	sim->world.now +=
		SPAN_SECOND / 1000; /* nobody is heard in the instant of the start itself */
	sim_begin(sim);
	audit_rows(sim, INVARIANT_DURABLE);
}

static void drop_turn(struct sim *sim)
{
	sim->open = false;
	sim->truth = sim->acked;
	world_forget(&sim->world, &sim->acked_world);
}

void crash_not(struct sim *sim)
{
	struct engine *engine;
	int r;

	sim_end(sim);
	sim_tell(sim, "stopped and started\n");
	engine = TAKE_PTR(sim->rig.engine);
	r = engine_close(engine);
	SIM_REQUIRE(sim, r == 0, SURVIVES, "it does not stop: %s", strerror(-r));
	start(sim);
	look_around(sim);
}

void crash_between_turns(struct sim *sim)
{
	sim_tell(sim, "killed%s\n", sim->open ? ", with a turn that was open" : "");
	drop_turn(sim);
	rig_kill(&sim->rig);
	start(sim);
	look_around(sim);
}

/* The start itself is killed, and the next one has to do what is left. */
static void start_and_kill(struct sim *sim, uint32_t n_calls)
{
	struct rig *rig = &sim->rig;
	pid_t child;
	int status;

	rig->reading = world_read(&sim->world);
	rig->options.boot_id.bytes[0] = (uint8_t)sim->world.n_boots;
	(void)fflush(stdout);
	child = fork();
	assert(child >= 0);
	if (child == 0) {
		disk_cut_and_end(n_calls);
		_exit(engine_open(&rig->options, &rig->reading, &rig->engine) == 0 ? 0 : 1);
	}
	assert(waitpid(child, &status, 0) == child);
	SIM_REQUIRE(sim, status == 0, SURVIVES, "a start that is to be killed fails before (%#x)",
		    (unsigned)status);
}

void crash_in_start(struct sim *sim, uint32_t n_calls)
{
	sim_tell(sim, "killed, and killed again after %u calls of its start\n", n_calls);
	drop_turn(sim);
	rig_kill(&sim->rig);
	start_and_kill(sim, n_calls);
	start(sim);
	look_around(sim);
}

/* A slice of rows goes to the disk with a commit of its own. */
void crash_in_settling(struct sim *sim, uint32_t n_calls, uint32_t n_steps)
{
	struct store *store;
	int r;

	sim_end(sim);
	sim_tell(sim, "killed after %u calls of its settling, %u steps long\n", n_calls, n_steps);
	store = sim->rig.engine->store;
	disk_cut(n_calls);
	r = store_settle(store, n_steps);
	if (r == 0) {
		r = store_commit(store);
	}
	(void)r; /* nobody is left to hear it */
	rig_kill(&sim->rig);
	disk_mend();
	start(sim);
	look_around(sim);
}

/* All rows are settled, and all that the journal has goes to the data file, or a part of it. */
void crash_in_stop(struct sim *sim, uint32_t n_calls)
{
	int r;

	sim_end(sim);
	sim_tell(sim, "killed after %u calls of its stop\n", n_calls);
	disk_cut(n_calls);
	r = engine_close(TAKE_PTR(sim->rig.engine));
	(void)r; /* as above */
	disk_mend();
	start(sim);
	look_around(sim);
}

/* In a commit */

/* Claims are not in the ledger; see guards_are() for what else is not. */
static bool has_tasks(struct sim *sim, const struct truth *after)
{
	char error[MODEL_NOTE_LEN_MAX];
	struct task task;

	for (uint32_t i = 0; i < after->n_accounts; i++) {
		const struct truth_account *account = &after->accounts[i];

		for (uint32_t keeper = 0; keeper < TRUTH_KEEPERS; keeper++) {
			const struct truth_task *then = &account->tasks[keeper];
			int r = store_get_task(sim->rig.engine->store, (uint8_t)(keeper + 1),
					       account->uid, error, &task);

			if (account->owed >> keeper & 1 && then->generation > 0 &&
			    (r != 0 || task.generation != then->generation ||
			     task.lease_until != then->lease_until ||
			     task.next_at != then->next_at)) {
				return false;
			}
		}
	}
	return true;
}

/* The end of the ledger as the turn would have left it: is it there? */
static bool has_landed(struct sim *sim, uint64_t began_at, const struct ledger_head *head,
		       const struct truth *after)
{
	uint8_t hash[ROWS_DIGEST_LEN];
	struct entry entry;
	int r = store_get_entry(sim->rig.engine->store, head->seq, &entry, hash);

	if (head->seq == began_at) {
		return has_tasks(sim, after) && guards_are(sim, after);
	}
	return r == 0 && memcmp(hash, head->hash, sizeof(hash)) == 0;
}

/* What the register made of an account whose turn was lost. */
static void adopt_removal(struct sim *sim, struct truth_account *account,
			  const struct truth_account *after)
{
	struct facts facts = rig_row(&sim->rig, account->uid).facts;

	if (account->started_at == INSTANT_NONE && facts.removal_started_at != INSTANT_NONE &&
	    facts.removal_started_at == after->started_at) {
		account->started_at = facts.removal_started_at;
		account->owed = truth_keepers_of(&sim->truth, account->org);
		account->removal = after->removal;
		account->request = 0;
		account->held_until = facts.held_until;
		if (account->deleted_at == INSTANT_NONE) {
			account->deleted_at = facts.deleted_at;
			account->window = facts.window;
		}
	}
	if (account->removed_at == INSTANT_NONE && facts.removed_at != INSTANT_NONE &&
	    facts.removed_at == after->removed_at) {
		account->removed_at = facts.removed_at;
		account->owed = 0;
		account->late = facts.late;
		truth_guard_count_completed(&sim->truth, account->org, facts.removed_at);
	}
	truth_guard_outdate(&sim->truth, account);
}

static void adopt_removals(struct sim *sim, struct truth *before, struct truth *after)
{
	world_forget(&sim->world, &sim->acked_world);
	sim->truth = *before;
	for (uint32_t i = 0; i < before->n_accounts; i++) {
		struct truth_account *account = &sim->truth.accounts[i];
		const struct truth_account *then = truth_of_uid(after, account->uid);

		adopt_removal(sim, account, then);
	}
	sim->acked = sim->truth;
}

#define NO_START UINT32_MAX

/* What the register alone has of a commit is carried out by a start, which is cut too. */
void crash_in_commit_and_start(struct sim *sim, uint32_t n_calls, uint32_t n_calls_of_start)
{
	static struct truth before, after;
	struct engine *engine;
	struct ledger_head head;
	uint64_t began_at;
	int r;

	sim_begin(sim);
	began_at = sim->began_at; /* also if the clock guard is released before the sweep */
	sim_work(sim);
	engine = sim->rig.engine;
	head = *store_head(engine->store);
	before = sim->acked;
	after = sim->truth;
	disk_cut(n_calls);
	r = engine_commit(engine);
	(void)r; /* nobody is left to hear it */
	rig_kill(&sim->rig);
	disk_mend();
	if (n_calls_of_start != NO_START) {
		sim_tell(sim, "killed again after %u calls of its start\n", n_calls_of_start);
		start_and_kill(sim, n_calls_of_start);
	}
	start(sim);
	if (has_landed(sim, began_at, &head, &after)) {
		sim_tell(sim, "killed after %u calls of its commit, which was made\n", n_calls);
		sim->acked = after;
	} else {
		sim_tell(sim, "killed after %u calls of its commit, which is lost\n", n_calls);
		adopt_removals(sim, &before, &after);
	}
	look_around(sim);
}

void crash_in_commit(struct sim *sim, uint32_t n_calls)
{
	crash_in_commit_and_start(sim, n_calls, NO_START);
}
