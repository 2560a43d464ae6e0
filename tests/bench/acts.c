/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/acts.h"

#include "tests/bench/fail.h"
#include "tests/bench/retentiond.h"

#define DUE_SHARE 2

bool act_is_ours(const struct entrant *entrant)
{
	return entrant->target.class == &retentiond_class;
}

uint32_t act_n_due(const struct bench *bench)
{
	return bench->n_accounts / DUE_SHARE;
}

void act_take_latencies(const struct spread *latencies, struct figure *figure)
{
	figure->p50_ns = spread_quantile(latencies, 0.5);
	figure->p99_ns = spread_quantile(latencies, 0.99);
	figure->p999_ns = spread_quantile(latencies, 0.999);
	figure->max_ns = latencies->max_ns;
}

void act_take_stream(const struct measure *measure, const struct stream *stream,
		     struct figure *ret_figure)
{
	uint64_t n = measure->unit == UNIT_ACCOUNTS ? stream->n_items : stream->n_calls;

	if (n == 0 || stream->ran_seconds <= 0) {
		fail("%s: nothing was measured", measure->key);
	}
	*ret_figure = (struct figure){
		.value = (double)n / stream->ran_seconds,
		.n = n,
		.seconds = stream->ran_seconds,
	};
	act_take_latencies(&stream->latencies, ret_figure);
}

struct stream act_stream(const struct measure *measure, const struct range *range)
{
	return (struct stream){
		.work = measure->work,
		.n_links = measure->n_links,
		.depth = measure->depth,
		.batch = measure->batch,
		.range = *range,
		.to = range->n,
	};
}

struct stream *act_new_stream(const struct measure *measure, const struct range *range)
{
	struct stream *stream = must_alloc(sizeof(*stream));

	*stream = act_stream(measure, range);
	return stream;
}

void act_work_through(struct entrant *entrant, enum work work, const struct range *range,
		      uint64_t from, uint64_t to)
{
	const struct measure whole = {.work = work, .n_links = 1, .depth = 2, .batch = BULK};
	struct stream *stream = act_new_stream(&whole, range);

	stream->from = from;
	stream->to = to;
	load_run(&entrant->target, stream, 1);
	free(stream);
}

void act_bring_back(struct entrant *entrant)
{
	if (entrant->left_from < entrant->left_to) {
		act_work_through(entrant, WORK_RESTORE, &entrant->accounts, entrant->left_from,
				 entrant->left_to);
		entrant->target.class->quiesce(&entrant->target);
		entrant->left_from = entrant->left_to;
	}
}

void act_import_range(struct entrant *entrant, const struct range *range)
{
	if (entrant->target.class->import) {
		entrant->target.class->import(&entrant->target, range);
	} else {
		act_work_through(entrant, WORK_IMPORT, range, 0, range->n);
	}
	entrant->n_imported = range->base + range->n;
}

struct range act_import_leavers(struct bench *bench, struct entrant *entrant)
{
	struct range range = {entrant->n_imported, act_n_due(bench)};

	act_bring_back(entrant);
	act_import_range(entrant, &range);
	act_work_through(entrant, WORK_LEAVE, &range, 0, range.n);
	entrant->target.class->quiesce(&entrant->target);
	return range;
}

void act_prepare_sweep(struct entrant *entrant, enum work work, uint32_t n)
{
	const struct target_class *class = entrant->target.class;

	if (act_is_ours(entrant)) {
		retentiond_set_keepers(&entrant->target, work == WORK_SWEEP_START ? 1 : 0);
	}
	if (class->prepare_sweep) {
		class->prepare_sweep(&entrant->target, work, n);
	}
}
