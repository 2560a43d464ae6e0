/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/crash/workload.h"

#include <sodium.h>
#include <stdio.h>
#include <sys/wait.h>

#include "tests/crash/deeds.h"
#include "tests/crash/master.h"
#include "tests/crash/recorder.h"
#include "tests/support/random.h"

static const struct access_grant grants[] = {
	{.role = ROLE_KEEPER, .subject = 0, .keeper = "crm"},
	{.role = ROLE_KEEPER, .subject = 0, .keeper = "files"},
};

/* Numbers by chance */

static uint64_t random_state;

static uint32_t random_word(void)
{
	return (uint32_t)(random_next(&random_state) >> 32);
}

static const char *random_name(void)
{
	return "repeatable";
}

static void random_fill(void *buffer, size_t len)
{
	uint8_t *bytes = buffer;

	for (size_t i = 0; i < len; i++) {
		bytes[i] = (uint8_t)random_word();
	}
}

void workload_be_random(uint64_t seed)
{
	static randombytes_implementation repeatable = {
		.implementation_name = random_name,
		.random = random_word,
		.buf = random_fill,
	};

	random_state = seed;
	(void)randombytes_set_implementation(&repeatable); /* always 0 */
}

struct engine_options workload_options(const char *directory, instant_t now)
{
	return (struct engine_options){
		.store = {.directory = directory, .map_bytes = WORKLOAD_MAP_BYTES},
		.clock_mode = CLOCK_MODE_SIMULATED,
		.simulated_at = now,
		.tombstones = TOMBSTONES_SPAN_MIN,
	};
}

/* The parts of a life */

/*
 * @live:    NULL: nobody has the store open, and its vault is wrapped
 * @stops:   it does not end by a kill
 * @wrapped: the vault is
 */
static const struct part {
	void (*live)(struct life *life);
	bool stops;
	bool wrapped;
} parts[] = {
	{deeds_begin, false, false},
	{deeds_grow, true, false},
	{NULL, true, true},
	{deeds_go_on, false, true},
};

static _Noreturn void wrap_vault(uint64_t seed, const char *directory, int log_fd)
{
	struct engine_options options = workload_options(directory, RIG_BEGIN);

	workload_be_random(seed);
	recorder_begin(log_fd, directory);
	_exit(store_rewrap(&options.store, true) == 0 ? 0 : 1);
}

static _Noreturn void live_part(const struct part *part, uint64_t seed, const char *directory,
				int log_fd, struct workload *workload)
{
	struct life *life = calloc(1, sizeof(*life));
	instant_t now = workload->n_pictures > 0 ? workload->pictures[workload->n_pictures - 1].now
						 : RIG_BEGIN;

	assert(life);
	life->workload = workload;
	life->chance = seed ^ UINT64_C(0x6c69666520697320);
	workload_be_random(seed);
	rig_prepare(&life->rig, strdup(directory), CLOCK_MODE_SIMULATED, WORKLOAD_MAP_BYTES);
	life->rig.options = workload_options(life->rig.directory, now);
	life->rig.options.rules = &life->rig.rules;
	life->rig.rules = (struct access_rules){grants, ARRAY_LEN(grants)};
	recorder_begin(log_fd, directory);
	rig_start(&life->rig);
	life_turn(life); /* an answer can leave from now on */
	part->live(life);
	if (part->stops && engine_close(life->rig.engine) != 0) {
		abort();
	}
	_exit(0);
}

void workload_record(uint64_t seed, const char *directory, int log_fd, struct workload *workload)
{
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		int status;
		pid_t child = fork();

		assert(child >= 0);
		if (child == 0) {
			master_give(parts[i].wrapped);
			if (!parts[i].live) {
				wrap_vault(seed * ARRAY_LEN(parts) + i, directory, log_fd);
			}
			live_part(&parts[i], seed * ARRAY_LEN(parts) + i, directory, log_fd,
				  workload);
		}
		assert(waitpid(child, &status, 0) == child);
		if (status != 0) {
			(void)fprintf(stderr, "the workload of seed %llu ended badly\n",
				      (unsigned long long)seed);
			abort();
		}
	}
}
