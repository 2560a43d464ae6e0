/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/crew.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/sim/clocks.h"

#define PROCESSES_MAX 64

/* A history takes a tenth of a second: what goes on for so long never ends. */
#define HISTORY_SECONDS_MAX 300

/* A process's own: what it plays, and the figures of what it has played. */
struct place {
	pid_t process;
	uint64_t seed;
	uint64_t n_histories;
	struct report report;
};

/* Shared by all of them. @next: the seed that nobody has taken yet. */
struct board {
	atomic_uint_least64_t next;
	struct place places[PROCESSES_MAX];
};

static void *share(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert(memory != MAP_FAILED);
	return memory;
}

/* A start takes a few large blocks: fresh ones need not be cleared, and small ones stay. */
static void prepare_process(void)
{
	const struct rlimit none = {0, 0};

	(void)setrlimit(RLIMIT_CORE, &none); /* what falls over is told, and falls over again */
	(void)mallopt(M_MMAP_THRESHOLD, 1500000);
	(void)mallopt(M_TRIM_THRESHOLD, 1 << 30);
}

static void play_clock(struct place *place)
{
	struct report *report = &place->report;
	struct clocks_fault fault;

	if (!clocks_play(place->seed, false, &fault)) {
		(void)snprintf(report->text, sizeof(report->text), "%s", fault.text);
		report->invariant = fault.invariant;
		_exit(1);
	}
}

static _Noreturn void work(const struct crew_job *job, struct board *board, struct place *place)
{
	static struct plan plan;

	prepare_process();
	while ((place->seed = atomic_fetch_add(&board->next, 1)) - job->first < job->n_seeds) {
		place->n_histories++;
		(void)alarm(HISTORY_SECONDS_MAX);
		if (job->n_steps == 0) {
			play_clock(place);
		} else {
			plan_make(&plan, place->seed, job->n_steps);
			sim_play(&plan, NULL, false, &place->report);
		}
	}
	_exit(0);
}

/* In the child it returns 0, and what is shared is for the parent to write. */
static pid_t begin(void)
{
	pid_t process;

	(void)fflush(stdout);
	process = fork();
	assert(process >= 0);
	if (process == 0) {
		(void)prctl(PR_SET_PDEATHSIG,
			    SIGKILL); /* for a signal that is one it cannot fail */
	}
	return process;
}

static void employ(const struct crew_job *job, struct board *board, struct place *place)
{
	pid_t process = begin();

	if (process == 0) {
		work(job, board, place);
	}
	place->process = process;
}

/* A signal says less than a report, and is as bad. */
static void note_end(struct report *report, int status)
{
	if (WIFSIGNALED(status) && report->invariant == INVARIANT_NONE) {
		report->invariant = INVARIANT_SURVIVES;
		(void)snprintf(report->text, sizeof(report->text), "the daemon ends with %s",
			       strsignal(WTERMSIG(status)));
	}
}

static void take_failure(struct crew_result *result, struct place *place)
{
	if (result->n_failures < CREW_FAILURES_MAX) {
		result->failures[result->n_failures] =
			(struct crew_failure){place->seed, place->report};
	}
	result->n_failures++;
	place->report.invariant = INVARIANT_NONE;
}

static struct place *place_of(struct board *board, pid_t process)
{
	for (uint32_t i = 0; i < PROCESSES_MAX; i++) {
		if (board->places[i].process == process) {
			return &board->places[i];
		}
	}
	return NULL;
}

static void add_up(const struct board *board, struct crew_result *result)
{
	for (uint32_t i = 0; i < PROCESSES_MAX; i++) {
		const struct report *report = &board->places[i].report;

		result->n_histories += board->places[i].n_histories;
		result->total.n_steps += report->n_steps;
		result->total.n_requests += report->n_requests;
		result->total.n_starts += report->n_starts;
		result->total.n_removed += report->n_removed;
		result->total.n_restored += report->n_restored;
		result->total.n_staged += report->n_staged;
		result->total.n_carried_out += report->n_carried_out;
	}
}

void crew_play(const struct crew_job *job, struct crew_result *ret_result)
{
	struct board *board = share(sizeof(*board));
	struct crew_result result = {0};
	uint32_t n_at_work = 0;
	int status;

	atomic_store(&board->next, job->first);
	for (uint32_t i = 0; i < MIN(job->n_processes, PROCESSES_MAX); i++, n_at_work++) {
		employ(job, board, &board->places[i]);
	}
	while (n_at_work > 0) {
		struct place *place = place_of(board, wait(&status));

		if (!place) {
			continue;
		}
		n_at_work--;
		note_end(&place->report, status);
		if (place->report.invariant == INVARIANT_NONE) {
			continue;
		}
		take_failure(&result, place);
		if (result.n_failures < job->n_failures_max) {
			employ(job, board, place);
			n_at_work++;
		} else {
			atomic_store(&board->next, job->first + job->n_seeds);
		}
	}
	add_up(board, &result);
	(void)munmap(board, sizeof(*board));
	*ret_result = result;
}

bool crew_try(const struct plan *plan, const bool *kept, bool telling, struct report *ret_report)
{
	struct report *report = share(sizeof(*report));
	pid_t process = begin();
	int status;
	bool sound;

	if (process == 0) {
		prepare_process();
		(void)alarm(HISTORY_SECONDS_MAX);
		if (!telling && !freopen("/dev/null", "w", stderr)) {
			_exit(1); /* an assertion speaks once, not at each try */
		}
		sim_play(plan, kept, telling, report);
		_exit(0);
	}
	while (waitpid(process, &status, 0) < 0) {
		assert(errno == EINTR);
	}
	note_end(report, status);
	*ret_report = *report;
	sound = report->invariant == INVARIANT_NONE;
	(void)munmap(report, sizeof(*report));
	return sound;
}
