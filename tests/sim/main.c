/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/sim/clocks.h"
#include "tests/sim/crew.h"
#include "tests/sim/shrink.h"
#include "tests/support/temp.h"

static const char usage[] =
	"sim [OPTION]...: histories of the daemon beside the truth about them\n"
	"  --seeds=N     histories of the engine, from seed 1 on (or --first); 100\n"
	"  --clocks=N    histories of the clock alone; 100000\n"
	"  --steps=N     steps of each history of the engine; 1000\n"
	"  --first=SEED  the first seed\n"
	"  --random      one history more, of a seed that nobody has chosen; it is printed\n"
	"  --jobs=N      processes beside each other; as many as there are processors\n"
	"  --seed=SEED   play this one alone, and tell the shortest part of it that fails\n"
	"  --tell        with --seed: tell all of it\n"
	"  --clock=SEED  the same for a history of the clock alone\n"
	"  --terse       nothing of a failure but its seed and what was violated\n";

struct options {
	uint64_t n_seeds;
	uint64_t n_clocks;
	uint64_t first;
	uint64_t seed;
	uint32_t n_steps;
	uint32_t n_jobs;
	bool random;
	bool one;
	bool one_clock;
	bool tell;
	bool terse;
};

static uint64_t read_number(const char *text)
{
	char *end;
	uint64_t number = strtoull(text, &end, 10);

	if (*text == '\0' || *end != '\0') {
		(void)fprintf(stderr, "not a number: %s\n%s", text, usage);
		exit(2);
	}
	return number;
}

static void take_option(struct options *options, int option)
{
	switch (option) {
	case 's':
		options->n_seeds = read_number(optarg);
		break;
	case 'c':
		options->n_clocks = read_number(optarg);
		break;
	case 'n':
		options->n_steps = (uint32_t)MIN(read_number(optarg), STEPS_MAX);
		break;
	case 'f':
		options->first = read_number(optarg);
		break;
	case 'j':
		options->n_jobs = (uint32_t)MAX(read_number(optarg), 1U);
		break;
	case 'o':
	case 'k':
		options->seed = read_number(optarg);
		options->one = option == 'o';
		options->one_clock = option == 'k';
		break;
	default:
		(void)fputs(usage, option == 'h' ? stdout : stderr);
		exit(option == 'h' ? 0 : 2);
	}
}

static struct options read_options(int argc, char **argv)
{
	struct options options = {.n_seeds = 100,
				  .n_clocks = 100000,
				  .first = 1,
				  .n_steps = 1000,
				  .n_jobs = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN)};
	int random = 0, tell = 0, terse = 0, option;
	const struct option longs[] = {
		{"seeds", required_argument, NULL, 's'}, {"clocks", required_argument, NULL, 'c'},
		{"steps", required_argument, NULL, 'n'}, {"first", required_argument, NULL, 'f'},
		{"jobs", required_argument, NULL, 'j'},  {"seed", required_argument, NULL, 'o'},
		{"clock", required_argument, NULL, 'k'}, {"random", no_argument, &random, 1},
		{"tell", no_argument, &tell, 1},         {"terse", no_argument, &terse, 1},
		{"help", no_argument, NULL, 'h'},        {NULL, 0, NULL, 0},
	};

	while ((option = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		if (option != 0) {
			take_option(&options, option);
		}
	}
	options.random = random;
	options.tell = tell;
	options.terse = terse;
	return options;
}

static double seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Failures, each with what plays it again; the first is made short. */
static void tell_failures(const struct options *options, const struct crew_job *job,
			  const struct crew_result *result)
{
	static struct plan plan;

	for (uint32_t i = 0; i < MIN(result->n_failures, CREW_FAILURES_MAX); i++) {
		const struct crew_failure *failure = &result->failures[i];

		(void)printf("VIOLATED  %s (%s): %s; step %u of %s=%llu\n",
			     invariant_name(failure->report.invariant),
			     invariant_text(failure->report.invariant), failure->report.text,
			     failure->report.step, job->n_steps > 0 ? "SEED" : "CLOCK",
			     (unsigned long long)failure->seed);
	}
	if (result->n_failures > 0 && job->n_steps > 0 && !options->terse) {
		plan_make(&plan, result->failures[0].seed, job->n_steps);
		shrink_and_tell(&plan, &result->failures[0].report);
	}
}

/* Return: whether nothing was violated. */
static bool play(const struct options *options, const char *what, struct crew_job *job)
{
	struct crew_result result;
	double began = seconds(), took;

	job->n_processes = options->n_jobs;
	job->n_failures_max = options->terse ? 1 : 4;
	crew_play(job, &result);
	took = MAX(seconds() - began, 1e-6);
	(void)printf("%s: %llu histories", what, (unsigned long long)result.n_histories);
	if (job->n_steps > 0) {
		(void)printf(", %llu steps, %llu requests, %llu removals started by time and %llu "
			     "completed, %llu restored, %llu commands held back and %llu of "
			     "them done",
			     (unsigned long long)result.total.n_steps,
			     (unsigned long long)result.total.n_requests,
			     (unsigned long long)result.total.n_starts,
			     (unsigned long long)result.total.n_removed,
			     (unsigned long long)result.total.n_restored,
			     (unsigned long long)result.total.n_staged,
			     (unsigned long long)result.total.n_carried_out);
	}
	(void)printf(": %u violations (%.0f %s/s)\n", result.n_failures,
		     (double)(job->n_steps > 0 ? result.total.n_steps : result.n_histories) / took,
		     job->n_steps > 0 ? "steps" : "histories");
	tell_failures(options, job, &result);
	(void)fflush(stdout);
	return result.n_failures == 0;
}

static bool play_random(const struct options *options)
{
	uint32_t seed = 0;
	struct crew_job job = {.n_seeds = 1, .n_steps = options->n_steps};

	assert(getrandom(&seed, sizeof(seed), 0) == sizeof(seed));
	job.first = seed;
	(void)printf("a seed that nobody has chosen: SEED=%u\n", seed);
	return play(options, "engine", &job);
}

static bool play_all(const struct options *options)
{
	struct crew_job clocks = {.first = options->first, .n_seeds = options->n_clocks};
	struct crew_job engine = {
		.first = options->first, .n_seeds = options->n_seeds, .n_steps = options->n_steps};
	uint32_t n_passed = 0, n_failed = 0;

	if (options->n_clocks > 0) {
		*(play(options, "clock", &clocks) ? &n_passed : &n_failed) += 1;
	}
	if (options->n_seeds > 0) {
		*(play(options, "engine", &engine) ? &n_passed : &n_failed) += 1;
	}
	if (options->random) {
		*(play_random(options) ? &n_passed : &n_failed) += 1;
	}
	(void)printf("%u passed, %u failed\n", n_passed, n_failed);
	return n_failed == 0;
}

static bool play_one(const struct options *options)
{
	static struct plan plan;
	struct report report;
	bool sound;

	plan_make(&plan, options->seed, options->n_steps);
	sound = crew_try(&plan, NULL, options->tell, &report);
	if (sound) {
		(void)printf("SEED=%llu: %llu steps, nothing violated\n",
			     (unsigned long long)options->seed, (unsigned long long)report.n_steps);
	} else {
		(void)printf("VIOLATED  %s: %s; step %u of SEED=%llu\n",
			     invariant_name(report.invariant), report.text, report.step,
			     (unsigned long long)options->seed);
		shrink_and_tell(&plan, &report);
	}
	return sound;
}

static bool play_one_clock(const struct options *options)
{
	struct clocks_fault fault;
	bool sound = clocks_play(options->seed, true, &fault);

	if (sound) {
		(void)printf("nothing violated\n");
	}
	return sound;
}

/* In memory where there is such a place: here nothing depends on what a sync takes. */
static char *choose_scratch(void)
{
	char *scratch;

	if (!getenv("TMPDIR") && access("/dev/shm", W_OK) == 0) {
		(void)setenv("TMPDIR", "/dev/shm", 1);
	}
	scratch = temp_directory_new();
	(void)setenv("TMPDIR", scratch, 1);
	return scratch;
}

int main(int argc, char **argv)
{
	struct options options = read_options(argc, argv);
	char *scratch = choose_scratch();
	bool sound;

	(void)umask(0077);
	if (options.one_clock) {
		sound = play_one_clock(&options);
	} else {
		sound = options.one ? play_one(&options) : play_all(&options);
	}
	(void)temp_directory_free(scratch);
	return sound ? 0 : 1;
}
