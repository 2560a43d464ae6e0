/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/status.h"

#include <errno.h>

#include "ctl/check.h"
#include "ctl/json.h"
#include "ctl/show_status.h"

static int tell(struct ctl *ctl, json_t *status)
{
	json_t *faults;

	ctl_learn_now(ctl, json_object_get(json_object_get(status, "info"), "clock"));
	faults = ctl_check_faults(status, ctl->show.now);
	if (!faults || json_object_set_new(status, "faults", faults) < 0) {
		return ctl_fault_errno(&ctl->fault, -ENOMEM, "status");
	}
	if (ctl->args.json) {
		ctl_json_print(status, ctl->show.out);
	} else {
		show_status(&ctl->show, status);
	}
	return 0;
}

int ctl_status_run(struct ctl *ctl)
{
	json_t *status, *unchecked;
	int r;

	if (ctl->args.n_operands > 0) {
		return ctl_fault_set(&ctl->fault, CTL_EXIT_USAGE, "usage",
				     "status does not take the operand %s", ctl->args.operands[0]);
	}
	status = json_object();
	unchecked = json_array();
	r = ctl_check_gather(ctl, status, unchecked, true);
	if (r == 0 && json_object_set(status, "unchecked", unchecked) < 0) {
		r = ctl_fault_errno(&ctl->fault, -ENOMEM, "status");
	}
	r = r ? r : tell(ctl, status);
	json_decref(unchecked);
	json_decref(status);
	return r;
}
