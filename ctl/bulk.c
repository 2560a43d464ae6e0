/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/bulk.h"

#include <errno.h>

#include "ctl/confirm.h"
#include "ctl/interrupt.h"
#include "ctl/json.h"
#include "ctl/mass.h"
#include "ctl/plan.h"
#include "ctl/progress.h"
#include "ctl/request.h"
#include "ctl/show_items.h"
#include "ctl/value.h"

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

static int call_all(struct ctl *ctl, json_t *items)
{
	const struct ctl_accounts *accounts = &ctl->operands.accounts;
	size_t n_parts = (accounts->n + MODEL_ACCOUNTS_MAX - 1) / MODEL_ACCOUNTS_MAX;
	struct ctl_progress progress;
	int r = 0;

	ctl_interrupt_catch();
	ctl_progress_begin(&progress, ctl->args.command->verb, accounts->n,
			   ctl->args.quiet || n_parts == 1);
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

static struct show_items_how how_to_show(const struct ctl *ctl)
{
	const char *until = ctl->args.argument[ARGUMENT_until_us];
	struct show_items_how how = {
		.quiet = ctl->args.quiet,
		.dry_run = ctl_says_yes(ctl, ARGUMENT_dry_run),
		.command = ctl->args.command,
		.hold = ctl->args.argument[ARGUMENT_hold],
		.hold_until = INSTANT_NONE,
	};
	struct ctl_value value;

	/* It was sent already, so that it can be read. */
	if (until && !ctl_value_parse(ARGUMENT_TYPE_INSTANT, until, ctl->show.now, &value)) {
		how.hold_until = value.integer;
	}
	return how;
}

static int show_all(struct ctl *ctl, const json_t *items, const struct show_tally *tally)
{
	struct show_items_how how;
	int r;

	if (ctl->args.json && ctl_says_yes(ctl, ARGUMENT_dry_run)) {
		return ctl_plan_print(ctl, items);
	}
	if (ctl->args.json) {
		ctl_json_print(items, ctl->show.out);
		return 0;
	}
	if (ctl->fault.exit == CTL_EXIT_OK) {
		ctl_learn_now(ctl, NULL);
	}
	how = how_to_show(ctl);
	r = show_items(&ctl->show, items, &ctl->operands.accounts, how);
	if (r == 0 && tally->n > 1 && ctl->show.legend && !ctl->args.quiet) {
		(void)fputs(how.dry_run ? "\ndry run, nothing was changed: " : "\n", ctl->show.out);
		show_tally_print(tally, ctl->show.out);
		(void)fputc('\n', ctl->show.out);
	}
	return ctl_shown(ctl, r);
}

int ctl_bulk_run(struct ctl *ctl)
{
	struct show_tally tally = {0};
	json_t *items;
	size_t i;
	const json_t *item;
	int r = ctl_confirm(ctl);

	if (r != 0) {
		return r;
	}
	items = json_array();
	r = items ? call_all(ctl, items) : ctl_fault_errno(&ctl->fault, -ENOMEM, "results");
	if (r == 0 && ctl_says_yes(ctl, ARGUMENT_dry_run)) {
		r = ctl_mass_plan(ctl, items);
	}
	json_array_foreach(items, i, item) {
		show_tally_add(&tally, item);
	}
	if (r != 0 && tally.n > 0) {
		ctl_fault_add(&ctl->fault, "; %zu of %zu accounts were answered before", tally.n,
			      ctl->operands.accounts.n);
	}
	if (r == 0 || tally.n > 0) {
		int shown = show_all(ctl, items, &tally);

		r = r ? r : shown;
	}
	json_decref(items);
	return r ? r : (int)show_tally_exit(&tally);
}
