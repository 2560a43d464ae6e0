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

/* Whether a command's answer comes in pages of rows. */
bool ctl_pages_has(const struct command *command);

/* Runs such a command to its last page, or to --limit. Return: an exit code. */
must_check int ctl_pages_run(struct ctl *ctl);

#endif
