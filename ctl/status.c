/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/status.h"

#include <errno.h>

#include "ctl/json.h"
#include "ctl/text.h"

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

static void put_line(const struct ctl *ctl, const char *label, const char *key, const json_t *value)
{
	if (value && !json_is_null(value)) {
		(void)fprintf(ctl->show.out, "%12s: ", label);
		show_value(&ctl->show, key, value, ctl->show.out);
		(void)fputc('\n', ctl->show.out);
	}
}

static void put_roles(const struct ctl *ctl, const json_t *you)
{
	const json_t *roles = json_object_get(you, "roles");
	size_t i;
	const json_t *role;

	(void)fprintf(ctl->show.out, "%12s: uid ", "You");
	show_value(&ctl->show, "uid", json_object_get(you, "uid"), ctl->show.out);
	json_array_foreach(roles, i, role)
	{
		const char *name = json_is_object(role) ? ctl_json_text(role, "role")
							: json_string_value(role);
		const json_t *orgs = json_object_get(role, "orgs");

		(void)fputs(i ? ", " : "; ", ctl->show.out);
		ctl_text_put(ctl->show.out, slice_of(name ? name : "?"));
		if (json_array_size(orgs) > 0) {
			(void)fputs(" of ", ctl->show.out);
			show_value(&ctl->show, "orgs", orgs, ctl->show.out);
		}
	}
	if (json_array_size(roles) == 0) {
		(void)fputs("; no role, so that more is not shown", ctl->show.out);
	}
	(void)fputc('\n', ctl->show.out);
}

static void put_info(const struct ctl *ctl, const json_t *info)
{
	const json_t *clock = json_object_get(info, "clock");
	FILE *out = ctl->show.out;

	(void)fprintf(out, "%s%12s%s: ", show_bold(&ctl->show), "retentiond",
		      show_plain(&ctl->show));
	show_value(&ctl->show, "version", json_object_get(info, "version"), out);
	(void)fputs(", instance ", out);
	show_value(&ctl->show, "instance", json_object_get(info, "instance"), out);
	(void)fprintf(out, "\n%12s: ", "Clock");
	show_instant(&(struct show){.now = INSTANT_NONE, .utc = ctl->show.utc}, ctl->show.now, out);
	(void)fputs(", ", out);
	show_value(&ctl->show, "mode", json_object_get(clock, "mode"), out);
	if (json_is_false(json_object_get(clock, "trusted"))) {
		(void)fprintf(out, ", %snot trusted: an operator must accept it%s",
			      show_red(&ctl->show), show_plain(&ctl->show));
	}
	(void)fputc('\n', out);
	put_roles(ctl, json_object_get(info, "you"));
}

static void put_accounts(const struct ctl *ctl, const json_t *stats)
{
	static const char *const states[] = {"active", "soft_deleted", "removing", "removed"};
	static const char *const words[] = {"active", "soft-deleted", "removing", "removed"};
	const json_t *accounts = json_object_get(stats, "accounts");

	(void)fprintf(ctl->show.out, "%12s: ", "Accounts");
	for (size_t i = 0; i < ARRAY_LEN(states); i++) {
		(void)fputs(i ? ", " : "", ctl->show.out);
		show_value(&ctl->show, states[i], json_object_get(accounts, states[i]),
			   ctl->show.out);
		(void)fprintf(ctl->show.out, " %s", words[i]);
	}
	(void)fputs(" in ", ctl->show.out);
	show_value(&ctl->show, "orgs", json_object_get(stats, "orgs"), ctl->show.out);
	(void)fputs(" organizations\n", ctl->show.out);
}

static void put_store(const struct ctl *ctl, const json_t *stats)
{
	const json_t *store = json_object_get(stats, "store");

	(void)fprintf(ctl->show.out, "%12s: ", "Store");
	show_value(&ctl->show, "used_bytes", json_object_get(store, "used_bytes"), ctl->show.out);
	(void)fputs(" used of ", ctl->show.out);
	show_value(&ctl->show, "map_bytes", json_object_get(store, "map_bytes"), ctl->show.out);
	(void)fputs("; ledger at ", ctl->show.out);
	show_value(&ctl->show, "seq", json_object_get(json_object_get(stats, "ledger"), "seq"),
		   ctl->show.out);
	(void)fputc('\n', ctl->show.out);
}

static void put_stats(const struct ctl *ctl, const json_t *stats)
{
	if (!stats) {
		return;
	}
	put_accounts(ctl, stats);
	put_line(ctl, "Due now", "due_now", json_object_get(stats, "due_now"));
	put_store(ctl, stats);
}

static void put_sweep(const struct ctl *ctl, const json_t *sweep)
{
	const json_t *failed = json_object_get(sweep, "failed");

	if (json_is_true(json_object_get(sweep, "paused"))) {
		(void)fprintf(ctl->show.out,
			      "%12s: %spaused%s; deadlines run on: retentionctl resume\n", "Sweep",
			      show_red(&ctl->show), show_plain(&ctl->show));
	}
	put_line(ctl, "Last sweep", "last_run_us", json_object_get(sweep, "last_run_us"));
	put_line(ctl, "Next due", "next_due_us", json_object_get(sweep, "next_due_us"));
	if (json_integer_value(failed) > 0) {
		put_line(ctl, "Sweep failed", "failed", failed);
	}
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
		put_info(ctl, json_object_get(status, "info"));
		put_stats(ctl, json_object_get(status, "stats"));
		put_sweep(ctl, json_object_get(status, "sweep"));
	}
	json_decref(status);
	return r;
}
