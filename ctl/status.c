/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/status.h"

#include <errno.h>

#include "ctl/json.h"
#include "ctl/show_status.h"

/* Asks for a part; what our role may not see is left out, but for what anybody may. Return: 0 or an
 * exit code. */
static int add_part(struct ctl *ctl, const char *name, enum command_symbol command, json_t *status)
{
	json_t *part = NULL;
	int r = ctl_client_ask(ctl->client, command, &part, &ctl->fault);

	if (r == CTL_EXIT_PERMISSION && command_table[command].role != ROLE_ANY) {
		ctl->fault = (struct ctl_fault){.exit = CTL_EXIT_OK};
		return 0;
	}
	if (r == 0 && json_object_set_new(status, name, part) < 0) {
		r = ctl_fault_errno(&ctl->fault, -ENOMEM, "status");
	}
	return r;
}

int ctl_status_run(struct ctl *ctl)
{
	json_t *status;
	int r;

	if (ctl->args.n_operands > 0) {
		return ctl_fault_set(&ctl->fault, CTL_EXIT_USAGE, "usage",
				     "status does not take the operand %s", ctl->args.operands[0]);
	}
	status = json_object();
	r = add_part(ctl, "info", COMMAND_retention_info, status);
	r = r ? r : add_part(ctl, "stats", COMMAND_stats_get, status);
	r = r ? r : add_part(ctl, "sweep", COMMAND_sweep_status, status);
	if (r == 0 && ctl->args.json) {
		ctl_json_print(status, ctl->show.out);
	} else if (r == 0) {
		ctl_learn_now(ctl, json_object_get(json_object_get(status, "info"), "clock"));
		show_status(&ctl->show, status);
	}
	json_decref(status);
	return r;
}
