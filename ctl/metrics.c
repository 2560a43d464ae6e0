/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/metrics.h"

#include <errno.h>

#include "ctl/exposition.h"
#include "ctl/metric.h"

static void forgive(struct ctl *ctl)
{
	ctl->fault = (struct ctl_fault){.exit = CTL_EXIT_OK};
}

/* One answer. @ret_left_out is set when our role may not have it. */
static int gather_part(struct ctl *ctl, const char *name, enum command_symbol command,
		       json_t *answers, bool *ret_left_out)
{
	json_t *answer = NULL;
	int r = ctl_client_ask(ctl->client, command, &answer, &ctl->fault);

	if (r == CTL_EXIT_PERMISSION) {
		forgive(ctl);
		*ret_left_out = true;
		return 0;
	}
	if (r == 0 && json_object_set_new(answers, name, answer) < 0) {
		r = ctl_fault_errno(&ctl->fault, -ENOMEM, "metrics");
	}
	return r;
}

static int gather(struct ctl *ctl, json_t *answers, bool *ret_left_out)
{
	static const struct {
		const char *name;
		enum command_symbol command;
	} parts[] = {
		{"info", COMMAND_retention_info},
		{"stats", COMMAND_stats_get},
		{"sweep", COMMAND_sweep_status},
		{"keepers", COMMAND_keeper_list},
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(parts) && r == 0; i++) {
		r = gather_part(ctl, parts[i].name, parts[i].command, answers, ret_left_out);
	}
	return r;
}

/* Half a set of metrics would be read as one of a daemon that counts nothing. */
static int gather_or_down(struct ctl *ctl, json_t *answers)
{
	bool left_out = false;
	int r = gather(ctl, answers, &left_out);
	bool down = r == CTL_EXIT_UNREACHABLE || r == CTL_EXIT_TIMEOUT;

	if (down) {
		ctl_fault_print(&ctl->fault, ctl->args.json, stderr);
		forgive(ctl);
		(void)json_object_clear(answers);
		r = 0;
	}
	if (left_out && !ctl->args.quiet) {
		(void)fputs("retentionctl: most metrics were left out: they take the role reader "
			    "over all organizations\n",
			    stderr);
	}
	if (r == 0 && json_object_set_new(answers, "up", json_boolean(!down)) < 0) {
		r = ctl_fault_errno(&ctl->fault, -ENOMEM, "metrics");
	}
	return r;
}

/* A sum in the daemon is two figures here. */
static int tell_wrong_requests(json_t *stats)
{
	json_int_t n = json_integer_value(json_object_get(stats, "errors")) -
		       json_integer_value(json_object_get(stats, "errors_failed"));

	return stats ? json_object_set_new(stats, "errors_wrong", json_integer(n)) : 0;
}

/* The daemon forgets at its end when a keeper was heard of: then its start counts. */
static int tell_heard_of(json_t *answers)
{
	const json_t *keepers = json_object_get(json_object_get(answers, "keepers"), "keepers");
	json_t *started = json_object_get(json_object_get(answers, "stats"), "started_us");
	size_t i;
	json_t *keeper;
	int r = 0;

	json_array_foreach(keepers, i, keeper) {
		json_t *seen = json_object_get(keeper, "last_seen_us");

		if (seen || started) {
			r = r ? r : json_object_set(keeper, "heard_us", seen ? seen : started);
		}
	}
	return r;
}

static int tell(struct ctl *ctl, json_t *answers)
{
	json_t *metrics = NULL;

	if (tell_wrong_requests(json_object_get(answers, "stats")) == 0 &&
	    tell_heard_of(answers) == 0) {
		metrics = metric_collect(answers);
	}
	if (!metrics) {
		return ctl_fault_errno(&ctl->fault, -ENOMEM, "metrics");
	}
	if (ctl->args.json) {
		exposition_print_json(metrics, ctl->show.out);
	} else {
		exposition_print(metrics, ctl->show.out);
	}
	json_decref(metrics);
	return 0;
}

int ctl_metrics_run(struct ctl *ctl)
{
	json_t *answers;
	int r;

	if (ctl->args.n_operands > 0) {
		return ctl_fault_set(&ctl->fault, CTL_EXIT_USAGE, "usage",
				     "metrics does not take the operand %s", ctl->args.operands[0]);
	}
	answers = json_object();
	r = gather_or_down(ctl, answers);
	r = r ? r : tell(ctl, answers);
	json_decref(answers);
	return r;
}
