/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_WORK_INSIDE_H
#define RETENTIOND_CTL_WORK_INSIDE_H

#include "ctl/work_slot.h"
#include "ctl/work_talk.h"

#define WORK_GRACE (10 * SPAN_SECOND) /* for commands, when we are to end */

/**
 * struct work - a keeper at work; instants are of the monotonic clock
 * @signals:    a signalfd
 * @claim_us:   when to ask for tasks
 * @claim_wait: what was waited last, when there was nothing to do
 * @from_front: the next claim looks at everything that the keeper owes
 * @drained:    there is nothing to do, or was when we asked last
 * @extend_us:  when to renew the leases of what runs
 * @term_us:    when commands are asked to end; INT64_MAX until we are to end ourselves
 * @refused:    the daemon will not talk with us any more
 * @fault:      why we end, if something is wrong
 */
struct work {
	struct ctl *ctl;
	struct work_talk talk;
	char *const *command;
	struct work_slot slots[CTL_PARALLEL_MAX];
	size_t n_slots;
	int signals;
	int64_t claim_us;
	span_t claim_wait;
	bool from_front;
	bool drained;
	int64_t extend_us;
	int64_t term_us;
	bool refused;
	struct ctl_fault fault;
	size_t n_done;
	size_t n_undone;
};

/* How many slots are in a state. */
size_t work_count(const struct work *work, enum work_slot_state state);

static inline bool work_is_stopping(const struct work *work)
{
	return work->term_us != INT64_MAX;
}

/* No new tasks; what runs is asked to end after @grace. The earlier end counts. */
void work_stop(struct work *work, span_t grace);

/**
 * work_speak() - tell the daemon what has ended, renew leases, ask for tasks and begin them
 *
 * As much of it as is due. What a daemon that is away was to be told is kept and told later.
 */
void work_speak(struct work *work);

/* When there is something to speak of next; INT64_MAX for never, the past for now. */
int64_t work_speak_us(const struct work *work);

#endif
