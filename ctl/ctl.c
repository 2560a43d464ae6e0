/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/ctl.h"

#include <time.h>

#include "ctl/value.h"

void ctl_learn_now(struct ctl *ctl, const json_t *result)
{
	struct ctl_fault ignored;
	json_t *info = NULL;

	if (ctl->show.now != INSTANT_NONE || show_instant_of(result, "now_us", &ctl->show.now)) {
		return;
	}
	if (ctl_client_ask(ctl->client, COMMAND_retention_info, &info, &ignored) != 0 ||
	    !show_instant_of(json_object_get(info, "clock"), "now_us", &ctl->show.now)) {
		ctl->show.now = (instant_t)time(NULL) * SPAN_SECOND;
	}
	json_decref(info);
}

bool ctl_says_yes(const struct ctl *ctl, enum argument_symbol symbol)
{
	bool yes;

	return ctl->args.argument[symbol] &&
	       ctl_value_parse_bool(slice_of(ctl->args.argument[symbol]), &yes) && yes;
}

int64_t ctl_limit(const struct ctl *ctl)
{
	const char *text = ctl->args.argument[ARGUMENT_limit];
	struct ctl_value value = {.integer = INT64_MAX};
	const char *wrong =
		text ? ctl_value_parse(ARGUMENT_TYPE_LIMIT, text, ctl->show.now, &value) : NULL;

	assert(!wrong); /* it was checked when the command line was read */
	return value.integer;
}

int ctl_shown(struct ctl *ctl, int error)
{
	return error == 0 ? 0 : ctl_fault_errno(&ctl->fault, error, "showing the result");
}
