/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/run.h"

#include "ctl/bulk.h"
#include "ctl/call.h"
#include "ctl/import.h"
#include "ctl/json.h"
#include "ctl/option.h"
#include "ctl/pages.h"
#include "ctl/show_account.h"
#include "ctl/show_items.h"
#include "ctl/slices.h"
#include "ctl/status.h"

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

static const runner_fn runners[_COMMAND_MAX] = {
	[COMMAND_account_import] = import_run,
	[COMMAND_due_forecast] = ctl_slices_due,
	[COMMAND_ledger_verify] = ctl_slices_verify,
	[COMMAND_sweep_run] = ctl_slices_sweep,
};

static const renderer_fn renderers[_COMMAND_MAX] = {
	[COMMAND_account_explain] = show_explain,
	[COMMAND_account_get] = show_account,
	[COMMAND_org_get] = show_settings,
	[COMMAND_org_set] = show_settings,
	[COMMAND_person_organizations] = show_organizations,
	[COMMAND_retention_api] = show_api,
};

static int run_once(struct ctl *ctl)
{
	struct ctl_request request = CTL_REQUEST_FIRST;
	renderer_fn renderer = renderers[ctl_option_command(ctl->args.command)];
	json_t *result = NULL;
	int r = ctl_request_call(ctl, &request, &result);

	if (r == 0 && ctl->args.json) {
		ctl_json_print(result, ctl->show.out);
	} else if (r == 0) {
		ctl_learn_now(ctl, result);
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
	int r = ctl_operands_take(&ctl->args, &ctl->operands, &ctl->fault);

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
	case CTL_VERB_CALL:
		return ctl_call_run(ctl);
	case CTL_VERB_HELP:
	case _CTL_VERB_MAX:
		break;
	}
	assert(false); /* main() answers help itself */
}
