/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/pauses.h"

#include "tests/bench/acts.h"
#include "tests/bench/fail.h"
#include "tests/bench/retentiond.h"
#include "tests/bench/stopwatch.h"

/* Settling begins when nothing has changed for 100 ms. */
#define SETTLE_SECONDS_MIN 0.5

static const struct measure sweep = {.work = WORK_SWEEP_REMOVE, .n_links = 1, .depth = 1};
static const struct measure backup = {.work = WORK_BACKUP, .n_links = 1, .depth = 1};

static void set_probe(const struct measure *measure, const struct entrant *entrant,
		      struct stream *probe)
{
	*probe = act_stream(measure, &entrant->accounts);
	probe->around = true;
}

static void take_pause(const struct measure *measure, const struct stream *probe,
		       struct figure *ret_figure)
{
	act_take_stream(measure, probe, ret_figure);
	ret_figure->value = (double)probe->latencies.max_ns / NS_PER_MS;
}

static void probe_alone(struct entrant *entrant, const struct measure *measure, double seconds,
			struct figure *ret_figure)
{
	struct stream *probe = must_alloc(sizeof(*probe));

	set_probe(measure, entrant, probe);
	probe->seconds = seconds;
	load_run(&entrant->target, probe, 1);
	take_pause(measure, probe, ret_figure);
	free(probe);
}

/* Return: what the work came to, during all of which the probe was sent. */
static uint64_t probe_beside(struct entrant *entrant, const struct measure *measure,
			     const struct measure *work, const struct range *range,
			     struct figure *ret_figure)
{
	struct stream *streams = must_alloc(2 * sizeof(*streams));
	uint64_t n_done;

	streams[0] = act_stream(work, range);
	set_probe(measure, entrant, &streams[1]);
	streams[1].ends_with = &streams[0];
	load_run(&entrant->target, streams, 2);
	take_pause(measure, &streams[1], ret_figure);
	n_done = streams[0].n_done;
	free(streams);
	return n_done;
}

void pause_idle(struct bench *bench, struct entrant *entrant, const struct measure *measure,
		struct figure *ret_figure)
{
	probe_alone(entrant, measure, bench->seconds, ret_figure);
}

void pause_sweep(struct bench *bench, struct entrant *entrant, const struct measure *measure,
		 struct figure *ret_figure)
{
	struct range leavers = act_import_leavers(bench, entrant);
	uint64_t n_done;

	act_prepare_sweep(entrant, sweep.work, leavers.n);
	n_done = probe_beside(entrant, measure, &sweep, &leavers, ret_figure);
	if (n_done != leavers.n) {
		fail("%s: %llu of %u accounts were swept", measure->key, (unsigned long long)n_done,
		     leavers.n);
	}
}

void pause_settle(struct bench *bench, struct entrant *entrant, const struct measure *measure,
		  struct figure *ret_figure)
{
	uint32_t n = MIN(TAIL_MAX, act_n_due(bench));

	act_bring_back(entrant);
	act_work_through(entrant, WORK_LEAVE, &entrant->accounts, 0, n);
	probe_alone(entrant, measure, MAX(bench->seconds, SETTLE_SECONDS_MIN), ret_figure);
	if (retentiond_unsettled(&entrant->target) >= n) {
		fail("%s: nothing was settled meanwhile", measure->key);
	}
	act_work_through(entrant, WORK_RESTORE, &entrant->accounts, 0, n);
}

void pause_backup(struct bench *bench unused, struct entrant *entrant,
		  const struct measure *measure, struct figure *ret_figure)
{
	(void)probe_beside(entrant, measure, &backup, &entrant->accounts, ret_figure);
	retentiond_remove_backups(&entrant->target);
}
