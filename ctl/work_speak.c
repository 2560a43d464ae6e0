/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/work_inside.h"

#include <errno.h>

#include "ctl/json.h"
#include "ctl/monotonic.h"

#define CLAIM_WAIT     SPAN_SECOND
#define CLAIM_WAIT_MAX (30 * SPAN_SECOND)

/* The daemon will not hear of our tasks any more: their leases end by themselves. */
static void give_up(struct work *work)
{
	work->refused = true;
	work->fault = work->ctl->fault;
	work_stop(work, 0);
	for (size_t i = 0; i < work->n_slots; i++) {
		if (work->slots[i].state == WORK_SLOT_ENDED) {
			work_slot_free(&work->slots[i]);
		}
	}
}

/* Say: what has ended, and what goes on */

enum saying_kind {
	SAYING_CONFIRM,
	SAYING_FAIL,
	SAYING_GIVE_BACK,
	SAYING_EXTEND,
};

struct group {
	const struct work *work;
	enum saying_kind kind;
};

static bool belongs(const struct work_slot *slot, enum saying_kind kind)
{
	if (slot->lost || (slot->state == WORK_SLOT_RUNNING) != (kind == SAYING_EXTEND) ||
	    slot->state == WORK_SLOT_FREE) {
		return false;
	}
	switch (kind) {
	case SAYING_CONFIRM:
		return slot->verdict.end == WORK_END_CONFIRMED;
	case SAYING_FAIL:
		return slot->verdict.end == WORK_END_LATER || slot->verdict.end == WORK_END_FAILED;
	case SAYING_GIVE_BACK:
		return slot->verdict.end == WORK_END_STOPPED;
	case SAYING_EXTEND:
		return true;
	}
	assert(false); /* a saying is one of these */
}

static void put_group(struct pack_writer *writer, const void *context)
{
	const struct group *group = context;

	for (size_t i = 0; i < group->work->n_slots; i++) {
		if (belongs(&group->work->slots[i], group->kind)) {
			work_slot_put(&group->work->slots[i], writer);
		}
	}
}

static void end_slot(struct work *work, struct work_slot *slot, const json_t *item)
{
	bool taken = item && work_slot_is_taken(slot, item);

	if (taken && slot->verdict.end == WORK_END_CONFIRMED) {
		work->n_done++;
	} else if (!taken || slot->verdict.end != WORK_END_STOPPED) {
		work->n_undone++;
	}
	work_slot_tell(slot, item, work->ctl);
	work_slot_free(slot);
}

static void take_answer(struct work *work, struct work_slot *slot, enum saying_kind kind,
			const json_t *item)
{
	if (kind != SAYING_EXTEND) {
		end_slot(work, slot, item);
	} else if (!work_slot_is_taken(slot, item)) {
		/* Somebody else may have the task by now: two at a time would be one too many. */
		slot->lost = true;
		work_slot_stop(slot, monotonic_us());
	}
}

/* Return: 0 or one of work_talk's answers. */
static int say(struct work *work, enum saying_kind kind)
{
	static const enum command_symbol commands[] = {
		[SAYING_CONFIRM] = COMMAND_keeper_confirm,
		[SAYING_FAIL] = COMMAND_keeper_fail,
		[SAYING_GIVE_BACK] = COMMAND_keeper_extend,
		[SAYING_EXTEND] = COMMAND_keeper_extend,
	};
	struct work_slot *said[CTL_PARALLEL_MAX];
	struct group group = {work, kind};
	struct work_saying saying = {
		.command = commands[kind],
		.give_back = kind == SAYING_GIVE_BACK,
		.put_tasks = put_group,
		.context = &group,
	};
	json_t *items;
	size_t n = 0;
	int r;

	for (size_t i = 0; i < work->n_slots; i++) {
		if (belongs(&work->slots[i], kind)) {
			said[n++] = &work->slots[i];
		}
	}
	r = n ? work_talk_say(&work->talk, &saying, n, &items) : 0;
	for (size_t i = 0; i < n; i++) {
		if (r == 0) {
			take_answer(work, said[i], kind, json_array_get(items, i));
		} else {
			said[i]->said = said[i]->state == WORK_SLOT_ENDED;
		}
	}
	if (n > 0 && r == 0) {
		json_decref(items);
	}
	return r;
}

static int say_ended(struct work *work)
{
	int r;

	for (size_t i = 0; i < work->n_slots; i++) {
		if (work->slots[i].state == WORK_SLOT_ENDED && work->slots[i].lost) {
			end_slot(work, &work->slots[i], NULL);
		}
	}
	r = say(work, SAYING_CONFIRM);
	r = r ? r : say(work, SAYING_FAIL);
	return r ? r : say(work, SAYING_GIVE_BACK);
}

static int extend(struct work *work)
{
	int r;

	if (monotonic_us() < work->extend_us) {
		return 0;
	}
	r = say(work, SAYING_EXTEND);
	if (r == 0) {
		work->extend_us = monotonic_us() + work->talk.lease / 3;
	}
	return r;
}

/* Claim */

static bool wants_tasks(const struct work *work)
{
	return !work_is_stopping(work) && !(work->ctl->args.once && work->drained) &&
	       work_count(work, WORK_SLOT_FREE) > 0;
}

/* Out of processes, files or memory: that passes. */
static bool is_shortage(int error)
{
	return error == -EAGAIN || error == -ENOMEM || error == -EMFILE || error == -ENFILE;
}

static void wait_with_claims(struct work *work)
{
	work->claim_wait =
		work->claim_wait ? MIN(work->claim_wait * 2, CLAIM_WAIT_MAX) : CLAIM_WAIT;
	work->claim_us = monotonic_us() + work->claim_wait;
}

/*
 * A task that we have at hand already: its lease ended and we did not see it, asleep for instance.
 * The command that runs is asked to end before another one begins.
 */
static bool stop_same(struct work *work, const json_t *task)
{
	bool same = false;

	for (size_t i = 0; i < work->n_slots; i++) {
		struct work_slot *slot = &work->slots[i];

		if (slot->state == WORK_SLOT_RUNNING &&
		    json_equal(json_object_get(slot->task, "uid"), json_object_get(task, "uid"))) {
			slot->lost = true;
			work_slot_stop(slot, monotonic_us());
			same = true;
		}
	}
	return same;
}

static void start(struct work *work, struct work_slot *slot, json_t *task)
{
	int r;

	if (stop_same(work, task)) {
		work_slot_give_back(slot, task);
		return;
	}
	r = work_slot_start(slot, task, work->talk.keeper, work->command);
	if (is_shortage(r)) {
		wait_with_claims(work);
	} else if (r < 0 && work->fault.exit == CTL_EXIT_OK) {
		(void)ctl_fault_set(&work->fault, CTL_EXIT_CONFIGURATION, "configuration",
				    "cannot run %s: %s", work->command[0],
				    strerror(-r)); /* told at the end */
		work_stop(work, WORK_GRACE);
	}
}

static void start_all(struct work *work, const json_t *tasks)
{
	size_t taken = 0;

	if (work_count(work, WORK_SLOT_RUNNING) == 0) {
		work->extend_us = monotonic_us() + work->talk.lease / 3;
	}
	for (size_t i = 0; i < work->n_slots && taken < json_array_size(tasks); i++) {
		if (work->slots[i].state == WORK_SLOT_FREE) {
			start(work, &work->slots[i], json_array_get(tasks, taken++));
		}
	}
	assert(taken == json_array_size(tasks)); /* no more were asked for than are free */
}

/*
 * The daemon looks through what is owed from where it stopped the last time; only a claim that
 * began at the front and found nothing says that there is nothing.
 */
static void take_claim(struct work *work, const json_t *result)
{
	const json_t *tasks = json_object_get(result, "tasks");
	bool more = json_is_true(json_object_get(result, "more"));

	work->claim_us = monotonic_us();
	if (json_array_size(tasks) > 0) {
		work->drained = false;
		work->claim_wait = 0;
		start_all(work, tasks);
	} else if (!more && work->from_front) {
		work->drained = true;
		wait_with_claims(work);
	}
	work->from_front = !more;
}

static int claim(struct work *work)
{
	json_t *result;
	int r;

	if (!wants_tasks(work) || monotonic_us() < work->claim_us) {
		return 0;
	}
	r = work_talk_claim(&work->talk, work_count(work, WORK_SLOT_FREE), &result);
	if (r == 0) {
		take_claim(work, result);
		json_decref(result);
	}
	return r;
}

void work_speak(struct work *work)
{
	int r;

	if (work->refused || monotonic_us() < work->talk.retry_us) {
		return;
	}
	r = say_ended(work);
	r = r ? r : extend(work);
	r = r ? r : claim(work);
	if (r == WORK_E_REFUSED) {
		give_up(work);
	}
}

int64_t work_speak_us(const struct work *work)
{
	int64_t at = INT64_MAX;

	if (work->refused) {
		return INT64_MAX;
	}
	if (work_count(work, WORK_SLOT_ENDED) > 0) {
		at = 0;
	}
	if (work_count(work, WORK_SLOT_RUNNING) > 0) {
		at = MIN(at, work->extend_us);
	}
	if (wants_tasks(work)) {
		at = MIN(at, work->claim_us);
	}
	return MAX(at, work->talk.retry_us);
}
