/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_REQUEST_H
#define RETENTIOND_CTL_REQUEST_H

#include "ctl/ctl.h"

/**
 * struct ctl_request - what differs from call to call while a command is asked again and again
 * @limit:  rows wanted of this page; 0 leaves what was given
 * @resume: the argument that goes on where the last answer ended, or _ARGUMENT_MAX on the first
 *          call
 * @resume_at: its value: a text or an integer; borrowed
 * @part, @n_parts: which of how many calls this is: it tells their request ids apart
 * @put_items: writes the array under "accounts"; NULL if there is none
 * @context: for @put_items
 */
struct ctl_request {
	int64_t limit;
	enum argument_symbol resume;
	const json_t *resume_at;
	size_t part;
	size_t n_parts;
	void (*put_items)(struct pack_writer *writer, const void *context);
	const void *context;
};

#define CTL_REQUEST_FIRST ((struct ctl_request){.resume = _ARGUMENT_MAX, .n_parts = 1})

/**
 * ctl_request_call() - one call of the command on the command line
 * @ret_result: set on 0; the caller's reference
 *
 * Return: 0 or an exit code with the fault set.
 */
must_check int ctl_request_call(struct ctl *ctl, const struct ctl_request *request,
				json_t **ret_result);

#endif
