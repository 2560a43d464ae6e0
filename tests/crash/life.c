/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/crash/life.h"

#include <sched.h>
#include <sys/stat.h>

#include "tests/crash/recorder.h"

/* Besides the two that every directory has, it has a link for each thread. */
static bool has_threads(void)
{
	struct stat st;

	assert(stat("/proc/self/task", &st) == 0);
	return st.st_nlink > 2 + 1;
}

/* A backup is made in a thread, and comes to its end here: the same seed is the same life. */
static void await_backup(struct engine *engine)
{
	while (backups_running(engine) && has_threads()) {
		(void)sched_yield();
	}
}

void life_end_turn(struct life *life)
{
	struct workload *workload = life->workload;
	struct engine *engine = life->rig.engine;
	const struct picture *last =
		workload->n_pictures > 0 ? &workload->pictures[workload->n_pictures - 1] : NULL;
	int r = engine_work(engine);

	if (r == 0) {
		r = engine_commit(engine);
	}
	assert(r == 0);
	await_backup(engine);
	picture_take(engine, &life->picture);
	if (!last || memcmp(last->whole, life->picture.whole, PICTURE_HASH_LEN) != 0) {
		assert(workload->n_pictures < WORKLOAD_PICTURES_MAX);
		workload->pictures[workload->n_pictures++] = life->picture;
	}
	recorder_ack(workload->n_pictures - 1);
	r = engine_settle(engine);
	assert(r == 0);
}

void life_turn(struct life *life)
{
	rig_begin(&life->rig);
	life_end_turn(life);
}

void life_idle(struct life *life)
{
	do {
		life_turn(life);
	} while (engine_sleep(life->rig.engine) == 0);
}
