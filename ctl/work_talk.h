/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_WORK_TALK_H
#define RETENTIOND_CTL_WORK_TALK_H

#include "ctl/ctl.h"

enum {
	WORK_E_AWAY = 1, /* the daemon is not there, or cannot now: ask again later */
	WORK_E_REFUSED,  /* it will not, however often it is asked; the fault is set */
};

/**
 * struct work_talk - a keeper's talk with a daemon that may come and go
 * @lease:    of what is claimed and extended
 * @retry_us: when to ask again, of the monotonic clock; 0 if the last call was answered
 * @wait:     what was waited last; it doubles
 * @lost_us:  since when nothing was answered; 0 if the last call was
 */
struct work_talk {
	struct ctl *ctl;
	const char *keeper;
	span_t lease;
	int64_t retry_us;
	span_t wait;
	int64_t lost_us;
};

/* Calls with "tasks": what is said of each is written by @put_tasks. */
struct work_saying {
	enum command_symbol command;
	bool give_back; /* with keeper.extend: a lease of nothing */
	void (*put_tasks)(struct pack_writer *writer, const void *context);
	const void *context;
};

/**
 * work_talk_claim() - ask for tasks
 * @max:        how many
 * @ret_result: {tasks, more}; set on 0; the caller's reference
 *
 * Return: 0, WORK_E_AWAY or WORK_E_REFUSED.
 */
must_check int work_talk_claim(struct work_talk *talk, size_t max, json_t **ret_result);

/**
 * work_talk_say() - say something of tasks
 * @n:         how many tasks @saying writes
 * @ret_items: what was answered of each, in order; set on 0; the caller's reference
 *
 * Without an answer it may have been heard all the same: it is said again.
 *
 * Return: 0, WORK_E_AWAY or WORK_E_REFUSED.
 */
must_check int work_talk_say(struct work_talk *talk, const struct work_saying *saying, size_t n,
			     json_t **ret_items);

#endif
