/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/complete_ask.h"

#include "ctl/monotonic.h"
#include "ctl/pages.h"

/* Whoever presses a key waits: half a second for one answer, and no further page after that. */
#define ANSWER_MAX (SPAN_SECOND / 2)

#define ROWS_MAX 1000 /* what is longer helps nobody; and the daemon's rows of a page */

static int gather(struct ctl *ctl, const char *key, json_t *rows)
{
	int64_t until_us = monotonic_us() + ANSWER_MAX;
	int64_t limit = command_takes(ctl->args.command, ARGUMENT_limit) ? ROWS_MAX : 0;
	struct ctl_pages pages;
	int r = 0;

	ctl_pages_begin(&pages, ctl);
	while (r == 0 && pages.more) {
		r = monotonic_us() < until_us ? ctl_pages_fetch(&pages, limit) : CTL_EXIT_TIMEOUT;
		if (r == 0 && (json_array_extend(rows, json_object_get(pages.page, key)) < 0 ||
			       json_array_size(rows) > ROWS_MAX)) {
			r = CTL_EXIT_FAILURE;
		}
	}
	ctl_pages_end(&pages);
	return r;
}

json_t *ctl_complete_ask(const char *socket, const struct ctl_complete_question *question)
{
	struct ctl_account account;
	struct ctl ctl = {
		.args = {.command = &command_table[question->command]},
		.show = {.now = INSTANT_NONE},
	};
	json_t *rows = NULL;

	memcpy(ctl.args.argument, question->argument, sizeof(ctl.args.argument));
	if (question->account) {
		account = *question->account;
		ctl.operands.accounts = (struct ctl_accounts){.items = &account, .n = 1};
	}
	if (ctl_client_new(socket, ANSWER_MAX, &ctl.client) == 0) {
		rows = json_array();
		if (gather(&ctl, question->rows, rows) != 0) {
			json_decref(rows);
			rows = NULL;
		}
	}
	ctl.client = ctl_client_free(ctl.client);
	return rows;
}
