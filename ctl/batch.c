/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/batch.h"

#include <errno.h>

#include "ctl/interrupt.h"
#include "ctl/progress.h"
#include "ctl/request.h"

/* The accounts of one call. */
struct batch {
	const struct ctl_account *accounts;
	size_t n;
	const char *new_upn;
};

static void put_batch(struct pack_writer *writer, const void *context)
{
	const struct batch *batch = context;

	pack_put_array(writer, "accounts");
	for (size_t i = 0; i < batch->n; i++) {
		pack_write_map(writer);
		ctl_account_write(writer, &batch->accounts[i]);
		if (batch->new_upn) {
			pack_put_cstr(writer, "new_upn", batch->new_upn);
		}
		pack_write_end(writer);
	}
	pack_write_end(writer);
}

static int call_batch(struct ctl *ctl, const struct batch *batch, size_t part, size_t n_parts,
		      json_t *items)
{
	struct ctl_request request = CTL_REQUEST_FIRST;
	json_t *result = NULL;
	int r;

	request.part = part;
	request.n_parts = n_parts;
	request.put_items = put_batch;
	request.context = batch;
	r = ctl_request_call(ctl, &request, &result);
	if (r == 0 && json_array_size(json_object_get(result, "items")) != batch->n) {
		r = ctl_fault_set(&ctl->fault, CTL_EXIT_FAILURE, "malformed",
				  "retentiond did not say what became of each of %zu accounts",
				  batch->n);
	}
	if (r == 0 && json_array_extend(items, json_object_get(result, "items")) < 0) {
		r = ctl_fault_errno(&ctl->fault, -ENOMEM, "results");
	}
	json_decref(result);
	return r;
}

int ctl_batch_call(struct ctl *ctl, json_t *items)
{
	const struct ctl_accounts *accounts = &ctl->operands.accounts;
	size_t n_parts = (accounts->n + MODEL_ACCOUNTS_MAX - 1) / MODEL_ACCOUNTS_MAX;
	const char *what =
		ctl_says_yes(ctl, ARGUMENT_dry_run) ? "dry run" : ctl->args.command->verb;
	struct ctl_progress progress;
	int r = 0;

	ctl_interrupt_catch();
	ctl_progress_begin(&progress, what, accounts->n, ctl->args.quiet || n_parts == 1);
	for (size_t part = 0; part < n_parts && r == 0; part++) {
		size_t begin = part * MODEL_ACCOUNTS_MAX;
		struct batch batch = {
			.accounts = accounts->items + begin,
			.n = MIN(accounts->n - begin, MODEL_ACCOUNTS_MAX),
			.new_upn = ctl->args.new_upn,
		};

		if (ctl_interrupted()) {
			r = ctl_fault_set(
				&ctl->fault, CTL_EXIT_INTERRUPTED, "interrupted",
				"interrupted; the rest was not begun: the same command goes on");
		} else {
			r = call_batch(ctl, &batch, part, n_parts, items);
		}
		ctl_progress_tell(&progress, json_array_size(items));
	}
	ctl_progress_end(&progress);
	return r;
}
