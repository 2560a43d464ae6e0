/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_WORK_SLOT_H
#define RETENTIOND_CTL_WORK_SLOT_H

#include "common/outcome.h"
#include "common/pack.h"
#include "ctl/ctl.h"
#include "ctl/work_child.h"
#include "ctl/work_task.h"

#define WORK_KILL_AFTER (5 * SPAN_SECOND) /* from SIGTERM to SIGKILL */

enum work_slot_state {
	WORK_SLOT_FREE,
	WORK_SLOT_RUNNING,
	WORK_SLOT_ENDED, /* the daemon has not been told yet */
};

/**
 * struct work_slot - one of the tasks at hand
 * @task:    as claimed
 * @verdict: of WORK_SLOT_ENDED
 * @stopped: we have asked the command to end
 * @lost:    the lease has ended: there is nobody to tell
 * @said:    told once, without an answer
 * @kill_us: when SIGKILL follows, of the monotonic clock; INT64_MAX for never
 */
struct work_slot {
	enum work_slot_state state;
	json_t *task;
	struct work_child child;
	struct work_verdict verdict;
	bool stopped;
	bool lost;
	bool said;
	int64_t kill_us;
};

/**
 * work_slot_start() - begin a task
 * @slot: free
 * @task: borrowed; a reference is kept
 *
 * Return: 0 with the slot running; or a negative errno with it ended, to be given back.
 */
must_check int work_slot_start(struct work_slot *slot, json_t *task, const char *keeper,
			       char *const *command);

/* A task that is not to be begun. */
void work_slot_give_back(struct work_slot *slot, json_t *task);

/* Takes what a running slot's command has written, and its end if it has come. */
void work_slot_poll(struct work_slot *slot);

/* Asks a running slot's command to end; SIGKILL follows. */
void work_slot_stop(struct work_slot *slot, int64_t now_us);

/* Sends the SIGKILL that is due. */
void work_slot_enforce(struct work_slot *slot, int64_t now_us);

/* The task as an item of keeper.confirm, fail or extend, by its verdict. */
void work_slot_put(const struct work_slot *slot, struct pack_writer *writer);

/**
 * work_slot_tell() - one line, or one object, about a task that has ended
 * @item: what the daemon answered; NULL if it was not told
 */
void work_slot_tell(const struct work_slot *slot, const json_t *item, struct ctl *ctl);

/* Whether the daemon took what it was told. */
bool work_slot_is_taken(const struct work_slot *slot, const json_t *item);

void work_slot_free(struct work_slot *slot);

#endif
