/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/crash/again.h"
#include "tests/crash/judge.h"
#include "tests/crash/master.h"
#include "tests/crash/recorder.h"
#include "tests/crash/seen.h"
#include "tests/support/temp.h"

/*
 * Lives of a store are recorded, one for each seed, and a power cut is played at every moment of
 * them: each image that it can leave is started on and looked at. Images are judged in a process of
 * their own, since a bad one may end whoever starts on it.
 */

#define JOBS_MAX   64
#define TOLD_MAX   20 /* faults that are named; more are counted */
#define NAME_BYTES 96

#define AGAIN_ONE_OF 16 /* images of a start that is cut: they are many, and alike */

struct options {
	uint64_t seed;
	uint64_t n_images;
	uint32_t one_of;
	uint32_t again;
	uint32_t n_jobs;
	const char *only; /* the name of an image, behind its seed */
	const char *keep;
	bool first; /* end at the first fault */
};

/* Shared by all processes. */
struct tally {
	atomic_uint_least64_t n_histories;
	atomic_uint_least64_t n_requests;
	atomic_uint_least64_t n_ops;
	atomic_uint_least64_t n_images;
	atomic_uint_least64_t n_distinct;
	atomic_uint_least64_t n_again; /* of those, images of a start that was cut */
	atomic_uint_least64_t n_told;
	atomic_uint_least64_t n[_VERDICT_MAX];
	atomic_uint_least64_t next_seed;
	atomic_bool enough;
};

/* What a job shares with the process that judges its images: how far that has come. */
struct progress_of_job {
	uint64_t n_seen; /* with the one at hand */
	char name[NAME_BYTES];
	bool judging;
};

struct job {
	const struct options *options;
	struct tally *tally;
	struct progress_of_job *at;
	struct workload *workload;
	uint64_t seed;
	struct slice log;
	uint64_t root_inode;
	uint64_t skip; /* images that were judged before the one that ended the process */
	struct seen seen;
};

static void *share(size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	assert(memory != MAP_FAILED);
	return memory;
}

/* Judging */

/* OPERATION.VARIANT, and of an image of its first start another one behind a plus. */
static void name_image(const struct image *image, char name[static NAME_BYTES])
{
	size_t len = 0;

	if (image->of) {
		len = (size_t)snprintf(name, NAME_BYTES, "%llu.%u+",
				       (unsigned long long)image->of->op, image->of->variant);
	}
	(void)snprintf(name + len, NAME_BYTES - len, "%llu.%u", (unsigned long long)image->op,
		       image->variant);
}

static void tell(struct job *job, enum verdict verdict, const char *why)
{
	atomic_fetch_add(&job->tally->n[verdict], 1);
	if (verdict != VERDICT_SOUND && job->options->first) {
		atomic_store(&job->tally->enough, true);
	}
	if (verdict != VERDICT_SOUND && atomic_fetch_add(&job->tally->n_told, 1) < TOLD_MAX) {
		(void)printf("%llu:%s %s: %s\n", (unsigned long long)job->seed, job->at->name,
			     verdict_name(verdict), why);
		(void)fflush(stdout);
	}
}

/* Return: false when enough were judged. */
static bool judge(struct job *job, const struct image *image)
{
	char *directory;
	const char *why;
	enum verdict verdict;

	if (atomic_fetch_add(&job->tally->n_distinct, 1) >= job->options->n_images) {
		atomic_fetch_sub(&job->tally->n_distinct, 1);
		return false;
	}
	if (job->options->keep) {
		disk_write_out(image->disk, job->options->keep);
	}
	directory = temp_directory_new();
	job->at->judging = true;
	verdict = judge_image(image, job->workload, directory, &why);
	job->at->judging = false;
	tell(job, verdict, why);
	(void)temp_directory_free(directory);
	return true;
}

/* What was acknowledged belongs to it: the same disk may be right before and wrong after. */
static bool is_wanted(struct job *job, const struct image *image, uint32_t one_of)
{
	uint64_t hash = disk_hash(image->disk);

	if (job->options->only) {
		return strcmp(job->at->name, job->options->only) == 0;
	}
	return seen_put(&job->seen, hash * 31 + (uint64_t)(image->acked + 1)) &&
	       (hash >> 20) % one_of == 0;
}

static bool take_image_of_start(void *userdata, const struct image *image)
{
	struct job *job = userdata;

	if (atomic_load(&job->tally->enough)) {
		return false;
	}
	atomic_fetch_add(&job->tally->n_images, 1);
	name_image(image, job->at->name);
	if (!is_wanted(job, image, AGAIN_ONE_OF)) {
		return true;
	}
	atomic_fetch_add(&job->tally->n_again, 1);
	return judge(job, image);
}

/* Whether the first start on an image is cut as well. */
static bool is_cut_again(struct job *job, const struct image *image, bool judged)
{
	const struct options *options = job->options;
	size_t len = strlen(job->at->name);

	if (options->only) {
		return strncmp(options->only, job->at->name, len) == 0 && options->only[len] == '+';
	}
	return judged && options->again > 0 && (disk_hash(image->disk) >> 40) % options->again == 0;
}

static bool take_image(void *userdata, const struct image *image)
{
	struct job *job = userdata;
	struct progress_of_job *at = job->at;
	uint64_t number = at->n_seen++;
	bool wanted;

	if (atomic_load(&job->tally->enough)) {
		return false;
	}
	name_image(image, at->name);
	wanted = is_wanted(job, image, job->options->one_of); /* and the next is compared to it */
	if (number < job->skip) {
		return true;
	}
	atomic_fetch_add(&job->tally->n_images, 1);
	if (wanted && !judge(job, image)) {
		return false;
	}
	if (is_cut_again(job, image, wanted)) {
		again_walk(image, job->workload, job->seed + number, take_image_of_start, job);
	}
	return true;
}

static _Noreturn void judge_all(struct job *job)
{
	job->at->n_seen = 0;
	moments_walk(disk_new(job->root_inode), NULL, (const uint8_t *)job->log.data, job->log.len,
		     job->seed, take_image, job);
	_exit(0);
}

/* Until all are judged; who ends the process is one that cannot be opened. */
static void judge_in_child(struct job *job)
{
	int status;
	pid_t child;

	job->skip = 0;
	do {
		job->at->judging = false;
		child = fork();
		assert(child >= 0);
		if (child == 0) {
			judge_all(job);
		}
		assert(waitpid(child, &status, 0) == child);
		if (status != 0) {
			assert(job->at->judging);
			tell(job, VERDICT_UNOPENABLE,
			     WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "it ended");
			job->skip = job->at->n_seen;
		}
	} while (status != 0);
}

/* Recording */

static uint64_t count_ops(struct slice log)
{
	uint64_t n = 0;

	for (size_t at = 0; at < log.len; n++) {
		const struct op *op = (const struct op *)(log.data + at);

		at += sizeof(*op) + (op->kind == OP_WRITE ? (op->len + 7) / 8 * 8 : 0);
	}
	return n;
}

static void live_and_judge(struct job *job)
{
	char *directory = temp_directory_new();
	cleanup(closep) int log_fd = recorder_new_log();
	struct stat st;

	assert(stat(directory, &st) == 0);
	job->root_inode = st.st_ino;
	job->workload->n_pictures = 0;
	job->workload->n_requests = 0;
	workload_record(job->seed, directory, log_fd, job->workload);
	job->log = recorder_map_log(log_fd);
	atomic_fetch_add(&job->tally->n_histories, 1);
	atomic_fetch_add(&job->tally->n_requests, job->workload->n_requests);
	atomic_fetch_add(&job->tally->n_ops, count_ops(job->log));
	judge_in_child(job);
	recorder_unmap_log(job->log);
	(void)temp_directory_free(directory);
}

static _Noreturn void work(const struct options *options, struct tally *tally)
{
	struct workload *workload = share(sizeof(*workload));
	struct job job = {
		.options = options,
		.tally = tally,
		.at = share(sizeof(*job.at)),
		.workload = workload,
	};

	workload->pictures = share(WORKLOAD_PICTURES_MAX * sizeof(*workload->pictures));
	do {
		job.seed = atomic_fetch_add(&tally->next_seed, 1);
		live_and_judge(&job);
	} while (!options->only && !atomic_load(&tally->enough) &&
		 atomic_load(&tally->n_distinct) < options->n_images);
	exit(0);
}

/* The whole */

static int sum_up(struct tally *tally)
{
	uint64_t n_bad = 0;

	for (enum verdict verdict = VERDICT_SOUND + 1; verdict < _VERDICT_MAX; verdict++) {
		n_bad += tally->n[verdict];
	}
	(void)printf("crash: %llu histories, %llu requests, %llu operations; %llu images, "
		     "%llu distinct ones judged, %llu of them of a start that was cut: %llu sound",
		     (unsigned long long)tally->n_histories, (unsigned long long)tally->n_requests,
		     (unsigned long long)tally->n_ops, (unsigned long long)tally->n_images,
		     (unsigned long long)tally->n_distinct, (unsigned long long)tally->n_again,
		     (unsigned long long)tally->n[VERDICT_SOUND]);
	for (enum verdict verdict = VERDICT_SOUND + 1; verdict < _VERDICT_MAX; verdict++) {
		(void)printf(", %llu %s", (unsigned long long)tally->n[verdict],
			     verdict_name(verdict));
	}
	(void)puts("");
	return n_bad == 0 && tally->n[VERDICT_SOUND] > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static struct tally *stopped_tally;

/* Whoever stops a long run hears what it has come to. */
static void on_stop(int unused signal)
{
	atomic_store(&stopped_tally->enough, true);
}

static int run(const struct options *options)
{
	struct tally *tally = share(sizeof(*tally));
	int status, code = EXIT_SUCCESS;

	stopped_tally = tally;
	(void)signal(SIGINT, on_stop);
	(void)signal(SIGTERM, on_stop);
	atomic_store(&tally->next_seed, options->seed);
	master_make();
	for (uint32_t i = 0; i < options->n_jobs; i++) {
		pid_t child = fork();

		assert(child >= 0);
		if (child == 0) {
			work(options, tally);
		}
	}
	while (wait(&status) > 0) {
		code = status != 0 ? EXIT_FAILURE : code;
	}
	master_done();
	return sum_up(tally) == EXIT_SUCCESS ? code : EXIT_FAILURE;
}

static void take_name(struct options *options, char *name)
{
	char *end;

	options->seed = strtoull(name, &end, 10);
	options->only = *end == ':' ? end + 1 : "";
	options->n_jobs = 1;
}

static bool parse(int argc, char **argv, struct options *options)
{
	static const struct option table[] = {
		{"seed", required_argument, NULL, 's'},
		{"images", required_argument, NULL, 'n'},
		{"one-of", required_argument, NULL, 'o'},
		{"jobs", required_argument, NULL, 'j'},
		{"again", required_argument, NULL, 'a'},
		{"first", no_argument, NULL, 'f'},
		{"image", required_argument, NULL, 'i'},
		{"keep", required_argument, NULL, 'k'},
		{NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", table, NULL)) >= 0) {
		switch (option) {
		case 's':
			options->seed = strtoull(optarg, NULL, 10);
			break;
		case 'n':
			options->n_images = strtoull(optarg, NULL, 10);
			break;
		case 'o':
			options->one_of = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 'j':
			options->n_jobs = (uint32_t)MIN(strtoul(optarg, NULL, 10), JOBS_MAX);
			break;
		case 'a':
			options->again = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 'i':
			take_name(options, optarg);
			break;
		case 'f':
			options->first = true;
			break;
		case 'k':
			options->keep = optarg;
			break;
		default:
			return false;
		}
	}
	return optind == argc && options->one_of > 0 && options->n_jobs > 0 &&
	       options->n_images > 0;
}

int main(int argc, char **argv)
{
	struct options options = {
		.seed = 1,
		.n_images = 100000,
		.one_of = 1,
		.again = 16,
		.n_jobs = (uint32_t)MIN(MAX(sysconf(_SC_NPROCESSORS_ONLN), 1L), (long)JOBS_MAX),
	};

	if (!parse(argc, argv, &options)) {
		(void)fprintf(
			stderr,
			"usage: crash [--seed=N] [--images=N] [--one-of=N] [--again=N] [--jobs=N] "
			"[--first]\n"
			"       crash --image=SEED:OPERATION.VARIANT[+OPERATION.VARIANT] "
			"[--keep=DIRECTORY]\n");
		return 2;
	}
	if (access("/dev/shm", W_OK) == 0) {
		(void)setenv("TMPDIR", "/dev/shm", 0);
	}
	return run(&options);
}
