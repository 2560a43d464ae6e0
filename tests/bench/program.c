/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/program.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "tests/bench/bench.h"
#include "tests/bench/cache.h"
#include "tests/bench/child.h"
#include "tests/bench/directory.h"
#include "tests/bench/fail.h"
#include "tests/bench/report.h"
#include "tests/bench/works.h"

#define EXIT_USAGE 2

/* As few accounts as still give each sweep something to do. */
#define ACCOUNTS_MIN 100
#define ACCOUNTS_MAX 100000000

struct options {
	uint32_t n_accounts;
	uint32_t n_large;
	uint32_t n_rounds;
	double seconds;
	const char *only;
	const char *directory;
	const char *json;
};

static const struct option long_options[] = {
	{"accounts", required_argument, NULL, 'a'},
	{"scale", required_argument, NULL, 'l'},
	{"rounds", required_argument, NULL, 'r'},
	{"seconds", required_argument, NULL, 's'},
	{"only", required_argument, NULL, 'o'},
	{"directory", required_argument, NULL, 'd'},
	{"json", required_argument, NULL, 'j'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static const char help_text[] =
	"Usage: %s [OPTION...]\n"
	"\n"
	"Measures how fast retentiond works, and others beside it. tests/bench/README.md says how.\n"
	"\n"
	"  --accounts=N      accounts in each store; 1000000 if not given\n"
	"  --scale=N         measures retentiond with a second store of N accounts beside it; both are\n"
	"                    kept as DIR/store-N for the next run\n"
	"  --rounds=N        how often everything is done, 1 to 9; 3 if not given\n"
	"  --seconds=S       how long a work goes on that has no end of its own; 4 if not given\n"
	"  --only=WORK,...   these works alone, after the import; README.md has their names\n"
	"  --directory=DIR   where to store; DIR/run is made and removed. build/bench if not given\n"
	"  --json=FILE       where every figure goes; DIR/PROGRAM.json if not given,\n"
	"                    with --scale DIR/PROGRAM-scale.json\n"
	"  --help            this\n"
	"\n"
	"$RETENTIOND names the daemon to measure, build/default/retentiond if it is not set.\n";

static uint32_t parse_number(const char *name, const char *text, uint32_t min, uint32_t max)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (end == text || *end != '\0' || text[0] == '-' || value < min || value > max) {
		(void)fprintf(stderr, "bench: --%s=%s: must be %u to %u\n", name, text, min, max);
		exit(EXIT_USAGE);
	}
	return (uint32_t)value;
}

static double parse_seconds(const char *text)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end != '\0' || !(value > 0 && value <= 3600)) {
		(void)fprintf(stderr, "bench: --seconds=%s: must be more than 0, at most 3600\n",
			      text);
		exit(EXIT_USAGE);
	}
	return value;
}

/* Keys with commas between them. */
static void check_only(const char *text, enum kind kind)
{
	for (const char *at = text, *end;; at = end + 1) {
		end = strchrnul(at, ',');
		if (!measure_exists((struct slice){at, (size_t)(end - at)}, kind)) {
			(void)fprintf(stderr, "bench: --only=%s: there is no work %.*s here\n",
				      text, (int)(end - at), at);
			exit(EXIT_USAGE);
		}
		if (*end == '\0') {
			return;
		}
	}
}

static enum kind kind_of(const struct options *options)
{
	return options->n_large > 0 ? KIND_SCALE : KIND_SPEED;
}

static void check(const struct options *options, uint32_t n_classes)
{
	if (options->n_large > 0 && n_classes > 1) {
		(void)fputs("bench: --scale: bench alone has it, not bench-peers\n", stderr);
		exit(EXIT_USAGE);
	}
	if (options->n_large > 0 && options->n_large <= options->n_accounts) {
		(void)fprintf(stderr, "bench: --scale=%u: must be more than --accounts=%u\n",
			      options->n_large, options->n_accounts);
		exit(EXIT_USAGE);
	}
	if (options->only) {
		check_only(options->only, kind_of(options));
	}
}

static void parse(int argc, char **argv, struct options *options)
{
	int c;

	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		switch (c) {
		case 'a':
			options->n_accounts =
				parse_number("accounts", optarg, ACCOUNTS_MIN, ACCOUNTS_MAX);
			break;
		case 'l':
			options->n_large =
				parse_number("scale", optarg, ACCOUNTS_MIN, ACCOUNTS_MAX);
			break;
		case 'r':
			options->n_rounds = parse_number("rounds", optarg, 1, BENCH_ROUNDS_MAX);
			break;
		case 's':
			options->seconds = parse_seconds(optarg);
			break;
		case 'o':
			options->only = optarg;
			break;
		case 'd':
			options->directory = optarg;
			break;
		case 'j':
			options->json = optarg;
			break;
		case 'h':
			(void)printf(help_text, program_invocation_short_name);
			exit(EXIT_SUCCESS);
		default:
			exit(EXIT_USAGE);
		}
	}
	if (optind < argc) {
		(void)fprintf(stderr, "bench: %s: takes options only; see --help\n", argv[optind]);
		exit(EXIT_USAGE);
	}
}

/* Two runs in one directory would take each other's stores away. Held to the end of the process. */
static void lock_directory(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0) {
		fail_errno(errno, "%s", path);
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		fail("another run works in %s; wait for it, or choose another --directory", path);
	}
}

/* A server that runs as a user of its own must get through: 0711. */
static void make_directories(struct bench *bench, const char *directory)
{
	char path[PATH_MAX];

	if ((mkdir(directory, 0755) < 0 && errno != EEXIST) || !realpath(directory, path)) {
		fail_errno(errno, "%s", directory);
	}
	lock_directory(path);
	if (strlen(path) + sizeof("/run") > sizeof(bench->directory)) {
		fail("%s: the name is too long; choose another with --directory", path);
	}
	(void)snprintf(bench->home, sizeof(bench->home), "%.180s", path);
	(void)snprintf(bench->directory, sizeof(bench->directory), "%.180s/run", path);
	directory_remove(bench->directory);
	(void)snprintf(bench->sockets, sizeof(bench->sockets), "/tmp/retentiond-bench-XXXXXX");
	if (mkdir(bench->directory, 0711) < 0 || !mkdtemp(bench->sockets) ||
	    chmod(bench->sockets, 0711) < 0) {
		fail_errno(errno, "%s", bench->directory);
	}
}

static void report(const struct options *options, const struct bench *bench)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/%s%s.json", options->directory,
		       program_invocation_short_name, bench->kind == KIND_SCALE ? "-scale" : "");
	report_write(bench, options->json ? options->json : path);
	report_print(bench);
	(void)printf("%s has every figure of every round.\n", options->json ? options->json : path);
}

struct program {
	struct options options;
	struct bench bench;
};

static int measure(void *userdata)
{
	struct program *program = userdata;

	if (program->bench.kind == KIND_SCALE) {
		cache_prepare(&program->bench);
	}
	bench_run(&program->bench);
	report(&program->options, &program->bench);
	return EXIT_SUCCESS;
}

static void add_entrant(struct bench *bench, const struct target_class *class, const char *name,
			uint32_t n_accounts)
{
	struct entrant *entrant = &bench->entrants[bench->n_entrants++];

	assert(bench->n_entrants <= BENCH_ENTRANTS_MAX);
	entrant->name = name;
	entrant->target.class = class;
	entrant->accounts.n = n_accounts;
}

static void add_entrants(struct bench *bench, const struct options *options,
			 const struct target_class *const *classes, uint32_t n_classes)
{
	if (bench->kind == KIND_SCALE) {
		add_entrant(bench, classes[0], "small", options->n_accounts);
		add_entrant(bench, classes[0], "large", options->n_large);
		return;
	}
	for (uint32_t i = 0; i < n_classes; i++) {
		add_entrant(bench, classes[i], classes[i]->name, options->n_accounts);
	}
}

int program_run(int argc, char **argv, const struct target_class *const *classes,
		uint32_t n_classes)
{
	struct program *program = must_alloc(sizeof(*program));
	struct bench *bench = &program->bench;
	int status;

	program->options = (struct options){
		.n_accounts = 1000000,
		.n_rounds = 3,
		.seconds = 4,
		.directory = "build/bench",
	};
	parse(argc, argv, &program->options);
	check(&program->options, n_classes);
	bench->kind = kind_of(&program->options);
	bench->n_accounts = program->options.n_accounts;
	bench->n_rounds = program->options.n_rounds;
	bench->seconds = program->options.seconds;
	bench->only = program->options.only;
	add_entrants(bench, &program->options, classes, n_classes);
	make_directories(bench, program->options.directory);
	machine_look(bench->directory, &bench->machine);
	status = child_work(measure, program);
	directory_remove(bench->sockets);
	directory_remove(bench->directory);
	free(program);
	return status;
}
