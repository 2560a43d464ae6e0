/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/bulk.h"

#include <errno.h>

#include "ctl/batch.h"
#include "ctl/confirm.h"
#include "ctl/json.h"
#include "ctl/mass.h"
#include "ctl/plan.h"
#include "ctl/show_items.h"
#include "ctl/stake.h"
#include "ctl/value.h"

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
	struct ctl_stake stake;
	json_t *items;
	size_t i;
	const json_t *item;
	int r = ctl_stake_of_accounts(ctl, &stake);

	r = r ? r : ctl_confirm(ctl, &stake);
	if (r != 0) {
		return r;
	}
	items = json_array();
	r = items ? ctl_batch_call(ctl, items) : ctl_fault_errno(&ctl->fault, -ENOMEM, "results");
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
