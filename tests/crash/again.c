/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/crash/again.h"

#include <sys/wait.h>

#include "tests/crash/judge.h"
#include "tests/crash/recorder.h"
#include "tests/support/temp.h"

/* The process ends behind its start, as by a kill: nothing is stopped in order. */
static _Noreturn void start(const struct image *image, const struct workload *workload,
			    uint64_t seed, const char *directory, int log_fd)
{
	struct clock_reading reading;
	struct engine *engine;

	workload_be_random(seed);
	recorder_begin(log_fd, directory);
	_exit(judge_start(image, workload, directory, &reading, &engine) == 0 ? 0 : 1);
}

/* Return: whether it started. */
static bool record_start(const struct image *image, const struct workload *workload, uint64_t seed,
			 const char *directory, int log_fd)
{
	int status;
	pid_t child = fork();

	assert(child >= 0);
	if (child == 0) {
		start(image, workload, seed, directory, log_fd);
	}
	assert(waitpid(child, &status, 0) == child);
	return status == 0;
}

void again_walk(const struct image *image, const struct workload *workload, uint64_t seed,
		moments_fn *take, void *userdata)
{
	cleanup(closep) int log_fd = recorder_new_log();
	char *directory = temp_directory_new();
	struct disk *disk;
	struct slice log;

	disk_write_out(image->disk, directory);
	disk = disk_copy(image->disk, directory);
	if (record_start(image, workload, seed, directory, log_fd)) {
		log = recorder_map_log(log_fd);
		moments_walk(disk, image, (const uint8_t *)log.data, log.len, seed, take, userdata);
		recorder_unmap_log(log);
	} else {
		(void)disk_free(disk);
	}
	(void)temp_directory_free(directory);
}
