/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_SIM_SIM_H
#define RETENTIOND_TESTS_SIM_SIM_H

#include "common/base.h"
#include "common/instant.h"

#include "tests/sim/truth.h"
#include "tests/sim/world.h"
#include "tests/support/rig.h"

/*
 * One history: the daemon's engine and store, without its sockets, in a small world whose clocks
 * go wrong, beside the truth about it. A history is a list of steps made of its seed alone; what a
 * step does is made of its own numbers and of the state, so that any part of the list is a history
 * too. The first thing that is not as it must be ends the process with a report.
 */

/* What must hold. */
enum invariant {
	INVARIANT_NONE,
	INVARIANT_SURVIVES,
	INVARIANT_NEVER_EARLY,
	INVARIANT_IRREVOCABLE,
	INVARIANT_DURABLE,
	INVARIANT_UNREADABLE,
	INVARIANT_PUNCTUAL,
	INVARIANT_LEDGER,
	INVARIANT_COUNTS,
	INVARIANT_LISTS,
	INVARIANT_ANSWERS,
	INVARIANT_KEEPERS,
	INVARIANT_REPEATS,
	INVARIANT_CLOCK,
	INVARIANT_GUARD,
	_INVARIANT_MAX
};

const char *invariant_name(enum invariant invariant);
const char *invariant_text(enum invariant invariant);

#define STEPS_MAX 4096

/* @op: a row of the table in history.c. */
struct step {
	uint8_t op;
	uint32_t a, b, c, d;
};

struct plan {
	uint64_t seed;
	uint32_t n;
	struct step steps[STEPS_MAX];
};

/* What a history has come to; in memory that is shared with the process that started it. */
struct report {
	enum invariant invariant;
	uint32_t step;
	uint64_t n_steps;
	uint64_t n_requests;
	uint64_t n_starts;
	uint64_t n_removed;
	uint64_t n_restored;
	uint64_t n_staged;
	uint64_t n_carried_out;
	char text[512];
};

#define SIM_TOKENS  24
#define SIM_REPEATS 4

/* A token of keeper.claim, as its keeper keeps it. */
struct sim_token {
	char text[MODEL_ID_LEN_MAX + 1];
	uint64_t uid;
	uint32_t keeper;
	uint32_t generation;
	bool acked;
};

/* A request with a request id, to be sent again. */
struct sim_repeat {
	uid_t asker;
	char *request;
	size_t request_len;
	char *answer;
	size_t answer_len;
	instant_t until;
	bool acked;
};

/**
 * struct sim
 * @truth: as the turn that is open makes it
 * @acked, @acked_world: as it was told: what no crash may take away
 * @open, @began_at: a turn is open, and the ledger ended there when it began
 * @telling: it prints what it does
 */
struct sim {
	struct rig rig;
	struct world world;
	struct world acked_world;
	struct truth truth;
	struct truth acked;
	bool open;
	uint64_t began_at;
	bool telling;
	uint32_t step;
	uint32_t n_repeats;
	uint32_t n_tokens;
	struct sim_repeat repeats[SIM_REPEATS];
	struct sim_token tokens[SIM_TOKENS];
	struct report *report;
};

/* Ends the process: it is not as it must be. */
_Noreturn void sim_violate(struct sim *sim, enum invariant invariant, const char *format, ...)
	printf_like(3, 4);

#define SIM_REQUIRE(sim, condition, invariant, ...)                                                \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			sim_violate(sim, INVARIANT_##invariant, __VA_ARGS__);                      \
		}                                                                                  \
	} while (0)

/* A line about what is done, if the history is told. */
void sim_tell(struct sim *sim, const char *format, ...) printf_like(2, 3);

/* Plays a plan to its end; only steps whose @kept is true, or all of them. */
void sim_play(const struct plan *plan, const bool *kept, bool telling, struct report *report);

/* Turns: see turn.c. */
void sim_open(struct sim *sim, uint64_t seed);
void sim_close(struct sim *sim);
void sim_begin(struct sim *sim);
void sim_work(struct sim *sim);
void sim_commit(struct sim *sim);
void sim_end(struct sim *sim); /* both */
void sim_idle(struct sim *sim);

/* Takes over the daemon's time and its guard, which may have changed within the turn. */
void sim_take_time(struct sim *sim, bool accepted);

/* Takes over what the clock has done in this turn, and says if it may. */
void sim_observe(struct sim *sim);

/* Crashes and starts: see crash.c. */
void crash_between_turns(struct sim *sim);
void crash_in_commit(struct sim *sim, uint32_t n_calls);
void crash_in_commit_and_start(struct sim *sim, uint32_t n_calls, uint32_t n_calls_of_start);
void crash_in_settling(struct sim *sim, uint32_t n_calls, uint32_t n_steps);
void crash_in_start(struct sim *sim, uint32_t n_calls);
void crash_in_stop(struct sim *sim, uint32_t n_calls);
void crash_not(struct sim *sim); /* a clean stop and a start */

/* The mass guards beside the truth about them: see guards.c. */
void guards_observe(struct sim *sim);
void guards_expect(struct sim *sim);
void guards_expect_at_rest(struct sim *sim);

/* Whether what the guards hold back is that of @truth: the ledger does not say when it is dropped. */
bool guards_are(struct sim *sim, const struct truth *truth);

/* Reads: see audit.c and audit_lists.c. */
void expect_account(struct sim *sim, const struct pack_value *told,
		    const struct truth_account *account);
void audit_rows(struct sim *sim, enum invariant invariant);
void audit_something(struct sim *sim, const struct step *step);
void audit_lists(struct sim *sim, const struct step *step);
void audit_duties(struct sim *sim, const struct step *step);
void audit_forecast(struct sim *sim, const struct step *step);
void audit_guards(struct sim *sim, const struct step *step);
void audit_ledger(struct sim *sim);
void audit_everything(struct sim *sim);

/* Commands: do_*.c. */
typedef void sim_do_fn(struct sim *sim, const struct step *step);

sim_do_fn do_import, do_leave, do_remove, do_restore, do_purge, do_disable, do_enable, do_hold,
	do_release, do_file, do_approve, do_deny, do_org_set, do_keeper_set, do_waive, do_owe,
	do_claim, do_confirm, do_fail, do_extend, do_pause, do_resume, do_accept, do_sweep,
	do_repeat, do_mass, do_guard_set, do_guard_release;

#endif
