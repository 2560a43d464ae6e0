/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/run.h"

#include "ctl/backup.h"
#include "ctl/bulk.h"
#include "ctl/call.h"
#include "ctl/check.h"
#include "ctl/complete.h"
#include "ctl/confirm.h"
#include "ctl/decide.h"
#include "ctl/deep.h"
#include "ctl/import.h"
#include "ctl/json.h"
#include "ctl/metrics.h"
#include "ctl/option.h"
#include "ctl/pages.h"
#include "ctl/plan.h"
#include "ctl/receipt.h"
#include "ctl/report.h"
#include "ctl/show_account.h"
#include "ctl/show_duty.h"
#include "ctl/show_guard.h"
#include "ctl/show_items.h"
#include "ctl/show_person.h"
#include "ctl/show_refusal.h"
#include "ctl/slices.h"
#include "ctl/status.h"
#include "ctl/wait.h"
#include "ctl/watch.h"
#include "ctl/work.h"

typedef int (*runner_fn)(struct ctl *ctl);
typedef int (*renderer_fn)(const struct show *show, const json_t *result);

static int show_settings(const struct show *show, const json_t *result)
{
	if (!show_is_ok(result)) {
		show_refusal(show, result);
		return 0;
	}
	return show_map(show, json_object_get(result, "org"));
}

/* Tokens are no operands for people: a program says what became of a task. */
static int refuse_tokens(struct ctl *ctl)
{
	const struct command *command = ctl->args.command;

	return ctl_fault_set(&ctl->fault, CTL_EXIT_USAGE, "usage",
			     "%s is for programs: use retentionctl work, or retentionctl call %s "
			     "with a JSON object",
			     command->verb, command->method);
}

/* Notifications follow the answer, and go on until the peer leaves. */
static int refuse_stream(struct ctl *ctl)
{
	const struct command *command = ctl->args.command;

	return ctl_fault_set(&ctl->fault, CTL_EXIT_USAGE, "usage",
			     "%s is for programs that speak to the socket themselves, with %s: use "
			     "retentionctl work to be a keeper",
			     command->verb, command->method);
}

/* clang-format off */
static const runner_fn runners[_COMMAND_MAX] = {
	[COMMAND_account_import] = import_run,
	[COMMAND_backup_create] = ctl_backup_run,
	[COMMAND_events_subscribe] = ctl_watch_run,
	[COMMAND_due_forecast] = ctl_slices_due,
	[COMMAND_keeper_confirm] = refuse_tokens,
	[COMMAND_keeper_extend] = refuse_tokens,
	[COMMAND_keeper_fail] = refuse_tokens,
	[COMMAND_keeper_watch] = refuse_stream,
	[COMMAND_ledger_verify] = ctl_slices_verify,
	[COMMAND_receipt_get] = ctl_receipt_run,
	[COMMAND_request_approve] = ctl_decide_run,
	[COMMAND_request_deny] = ctl_decide_run,
	[COMMAND_store_verify] = ctl_deep_run,
	[COMMAND_sweep_run] = ctl_slices_sweep,
};

static const renderer_fn renderers[_COMMAND_MAX] = {
	[COMMAND_account_explain] = show_explain,
	[COMMAND_account_get] = show_account,
	[COMMAND_guard_release] = show_released,
	[COMMAND_hold_list] = show_holds,
	[COMMAND_keeper_list] = show_keepers,
	[COMMAND_keeper_set] = show_keeper,
	[COMMAND_org_get] = show_settings,
	[COMMAND_org_set] = show_settings,
	[COMMAND_person_organizations] = show_organizations,
	[COMMAND_retention_api] = show_api,
};
/* clang-format on */

/* Whoever looks at something wants to see it; of a change that went well --quiet says nothing. */
static bool is_silent(const struct ctl *ctl, const json_t *result)
{
	return ctl->args.quiet && command_takes(ctl->args.command, ARGUMENT_dry_run) &&
	       show_outcome_exit(result) == CTL_EXIT_OK;
}

static int run_once(struct ctl *ctl)
{
	struct ctl_request request = CTL_REQUEST_FIRST;
	renderer_fn renderer = renderers[ctl_option_command(ctl->args.command)];
	struct ctl_stake stake;
	json_t *result = NULL;
	int r = ctl_stake_of_release(ctl, &stake);

	r = r ? r : ctl_confirm(ctl, &stake);
	r = r ? r : ctl_request_call(ctl, &request, &result);
	if (r == 0 && ctl->args.json) {
		ctl_json_print(result, ctl->show.out);
	} else if (r == 0 && !is_silent(ctl, result)) {
		ctl_learn_now(ctl, result);
		if (ctl_says_yes(ctl, ARGUMENT_dry_run)) {
			(void)fputs("dry run, nothing was changed:\n", ctl->show.out);
		}
		r = ctl_shown(ctl, renderer ? renderer(&ctl->show, result)
					    : show_result(&ctl->show, result));
	}
	r = r ? r : (int)show_outcome_exit(result);
	json_decref(result);
	return r;
}

static int run_command(struct ctl *ctl)
{
	runner_fn runner = runners[ctl_option_command(ctl->args.command)];
	int r;

	if (ctl_receipt_is_verify(&ctl->args)) {
		return ctl_receipt_verify(ctl);
	}
	r = ctl->args.plan ? ctl_plan_take(ctl)
			   : ctl_operands_take(&ctl->args, &ctl->operands, &ctl->fault);
	if (r != 0) {
		return r;
	}
	if (runner) {
		return runner(ctl);
	}
	if (command_takes(ctl->args.command, ARGUMENT_accounts)) {
		return ctl_bulk_run(ctl);
	}
	return ctl_pages_has(ctl->args.command) ? ctl_pages_run(ctl) : run_once(ctl);
}

int ctl_run(struct ctl *ctl)
{
	switch (ctl->args.verb) {
	case CTL_VERB_COMMAND:
		return run_command(ctl);
	case CTL_VERB_STATUS:
		return ctl_status_run(ctl);
	case CTL_VERB_CHECK:
		return ctl_check_run(ctl);
	case CTL_VERB_WAIT:
		return ctl_wait_run(ctl);
	case CTL_VERB_WORK:
		return ctl_work_run(ctl);
	case CTL_VERB_REPORT:
		return ctl_report_run(ctl);
	case CTL_VERB_METRICS:
		return ctl_metrics_run(ctl);
	case CTL_VERB_CALL:
		return ctl_call_run(ctl);
	case CTL_VERB_COMPLETE:
		return ctl_complete_run(ctl);
	case CTL_VERB_HELP:
	case _CTL_VERB_MAX:
		break;
	}
	assert(false); /* main() answers help itself */
}
