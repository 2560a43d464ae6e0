/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_PAGES_H
#define RETENTIOND_CTL_PAGES_H

#include "ctl/request.h"

/**
 * ctl_pages_next() - where an answer says to go on
 * @result:     of the last call
 * @request:    its resume and resume_at are set for the next call; they borrow from @result
 *
 * Return: false if that was the last page.
 */
must_check bool ctl_pages_next(const struct command *command, const json_t *result,
			       struct ctl_request *request);

/* A command that is asked again and again, each time from where the last answer ended. */
struct ctl_pages {
	struct ctl *ctl;
	struct ctl_request request;
	json_t *page; /* the last answer: the place to go on from points into it */
	bool more;
};

void ctl_pages_begin(struct ctl_pages *pages, struct ctl *ctl);
void ctl_pages_end(struct ctl_pages *pages);

/**
 * ctl_pages_fetch() - ask for the next page
 * @limit: rows wanted of it; 0 leaves what was given
 *
 * Return: 0 with @pages' page and more set, or an exit code with the fault set.
 */
must_check int ctl_pages_fetch(struct ctl_pages *pages, int64_t limit);

/* Whether a command's answer comes in pages of rows. */
bool ctl_pages_has(const struct command *command);

/* Runs such a command to its last page, or to --limit. Return: an exit code. */
must_check int ctl_pages_run(struct ctl *ctl);

#endif
