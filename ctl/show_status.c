/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/show_status.h"

#include "common/model.h"
#include "ctl/json.h"
#include "ctl/text.h"

#define KEEPERS_SHOWN_MAX 8 /* more are read better in a table */

static int64_t integer_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key)); /* 0 if it is not there */
}

static void put_label(const struct show *show, const char *label)
{
	(void)fprintf(show->out, "%12s: ", label);
}

static void put_roles(const struct show *show, const json_t *you)
{
	const json_t *roles = json_object_get(you, "roles");
	size_t i;
	const json_t *role;

	put_label(show, "You");
	(void)fputs("uid ", show->out);
	show_key(show, you, "uid");
	json_array_foreach(roles, i, role) {
		const json_t *orgs = json_object_get(role, "orgs");

		(void)fputs(i ? ", " : "; ", show->out);
		show_key(show, role, "role");
		if (ctl_json_text(role, "keeper")) {
			(void)fputc(' ', show->out);
			show_key(show, role, "keeper");
		}
		if (json_array_size(orgs) > 0) {
			(void)fputs(" of ", show->out);
			show_value(show, "orgs", orgs, show->out);
		}
	}
	if (json_array_size(roles) == 0) {
		(void)fputs("; no role, so that more is not shown: an administrator gives "
			    "one, see retentiond.conf(5)",
			    show->out);
	}
	(void)fputc('\n', show->out);
}

static void put_clock(const struct show *show, const json_t *clock)
{
	const struct show absolute = {.now = INSTANT_NONE, .utc = show->utc};

	put_label(show, "Clock");
	show_instant(&absolute, show->now, show->out);
	(void)fputs(", ", show->out);
	show_key(show, clock, "mode");
	show_wall(show, "; ", clock);
	if (json_is_false(json_object_get(clock, "trusted"))) {
		(void)fprintf(show->out, ", %snot trusted%s", show_red(show), show_plain(show));
	}
	(void)fputc('\n', show->out);
}

static void put_info(const struct show *show, const json_t *info)
{
	(void)fputs(show_bold(show), show->out);
	put_label(show, "retentiond");
	(void)fputs(show_plain(show), show->out);
	show_key(show, info, "version");
	(void)fputs(", instance ", show->out);
	show_key(show, info, "instance");
	(void)fputc('\n', show->out);
	put_clock(show, json_object_get(info, "clock"));
	put_roles(show, json_object_get(info, "you"));
}

static void put_accounts(const struct show *show, const json_t *stats)
{
	static const char *const keys[] = {"active", "soft_deleted", "removing", "removed"};
	static const char *const words[] = {"active", "soft-deleted", "removing", "removed"};
	const json_t *accounts = json_object_get(stats, "accounts");

	put_label(show, "Accounts");
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		(void)fputs(i ? ", " : "", show->out);
		show_count(integer_of(accounts, keys[i]), show->out);
		(void)fprintf(show->out, " %s", words[i]);
	}
	(void)fputs("; organizations: ", show->out);
	show_count(integer_of(stats, "orgs"), show->out);
	(void)fputc('\n', show->out);
}

static void put_near(const struct show *show, const json_t *stats)
{
	const json_t *accounts = json_object_get(stats, "accounts");
	int64_t n_overdue = integer_of(accounts, "overdue");

	put_label(show, "Deadlines");
	show_count(n_overdue, show->out);
	(void)fputs(n_overdue == 1 ? " removal overdue, " : " removals overdue, ", show->out);
	show_count(integer_of(accounts, "due_soon"), show->out);
	(void)fputs(" due within 7d; requests open: ", show->out);
	show_count(integer_of(stats, "requests_open"), show->out);
	(void)fputs(", overdue: ", show->out);
	show_count(integer_of(stats, "requests_overdue"), show->out);
	(void)fputc('\n', show->out);
}

static void put_store(const struct show *show, const json_t *stats)
{
	const json_t *store = json_object_get(stats, "store");

	put_label(show, "Ledger");
	show_count(integer_of(json_object_get(stats, "ledger"), "seq"), show->out);
	(void)fputs(" entries\n", show->out);
	put_label(show, "Store");
	show_key(show, store, "used_bytes");
	(void)fputs(" used, ", show->out);
	show_key(show, store, "file_bytes");
	(void)fputs(" file, ", show->out);
	show_key(show, store, "map_bytes");
	(void)fputs(" at most\n", show->out);
	put_label(show, "Last backup");
	if (json_object_get(stats, "last_backup_us")) {
		show_key(show, stats, "last_backup_us");
	} else {
		(void)fputs("none; retentionctl backup makes one", show->out);
	}
	(void)fputc('\n', show->out);
}

static void put_sweep(const struct show *show, const json_t *sweep, const json_t *stats)
{
	bool paused = json_is_true(json_object_get(sweep, "paused"));

	put_label(show, "Timed work");
	(void)fputs(ctl_json_text(sweep, "guard") ? "stopped by the clock guard"
		    : paused                      ? "paused"
		    : integer_of(json_object_get(stats, "guards"), "mass_engaged") > 0
			    ? "runs, but for what the mass guard holds back"
			    : "runs, no guard is engaged",
		    show->out);
	show_when(show, "; last did something at ", sweep, "last_run_us");
	(void)fputc('\n', show->out);
	put_label(show, "Next due");
	show_key(show, sweep, "next_due_us");
	(void)fputs("; due now: ", show->out);
	show_count(integer_of(stats, "due_now"), show->out);
	(void)fputc('\n', show->out);
}

static void put_keeper(const struct show *show, const json_t *keeper)
{
	put_label(show, "Keeper");
	show_key(show, keeper, "keeper");
	if (json_is_false(json_object_get(keeper, "enabled"))) {
		(void)fputs(" (disabled)", show->out);
	}
	(void)fputs(" owes ", show->out);
	show_count(integer_of(keeper, "owed"), show->out);
	(void)fputs(json_object_get(keeper, "last_seen_us")
			    ? ""
			    : ", not heard of since the daemon started",
		    show->out);
	show_when(show, ", last heard of ", keeper, "last_seen_us");
	(void)fputc('\n', show->out);
}

static void put_keepers(const struct show *show, const json_t *keepers)
{
	size_t i;
	const json_t *keeper;

	json_array_foreach(keepers, i, keeper) {
		if (i == KEEPERS_SHOWN_MAX) {
			put_label(show, "Keepers");
			(void)fprintf(show->out, "and %zu more: retentionctl keepers\n",
				      json_array_size(keepers) - i);
			return;
		}
		put_keeper(show, keeper);
	}
}

static void put_problems(const struct show *show, const json_t *faults)
{
	size_t i;
	const json_t *fault;

	json_array_foreach(faults, i, fault) {
		(void)fputs(show_red(show), show->out);
		put_label(show, "PROBLEM");
		(void)fputs(show_plain(show), show->out);
		show_key(show, fault, "text");
		(void)fputc('\n', show->out);
	}
}

static void put_due_soon(const struct show *show, const json_t *keeper)
{
	int64_t n_owed = integer_of(keeper, "owed");

	if (!slice_is(slice_of(ctl_json_text(keeper, "sla")),
		      account_sla_name(ACCOUNT_SLA_DUE_SOON))) {
		return;
	}
	put_label(show, "Attention");
	(void)fputs("keeper ", show->out);
	show_key(show, keeper, "keeper");
	(void)fputs(" owes ", show->out);
	show_count(n_owed, show->out);
	(void)fputs(n_owed == 1 ? " removal" : " removals", show->out);
	show_when(show, ", the oldest due by ", keeper, "oldest_due_us");
	(void)fputc('\n', show->out);
}

/* What is as it should be, and yet waits for people. */
static void put_attention(const struct show *show, const json_t *stats, const json_t *keepers)
{
	int64_t n_held = integer_of(json_object_get(stats, "accounts"), "held");
	int64_t n_open = integer_of(stats, "requests_open");
	size_t i;
	const json_t *keeper;

	json_array_foreach(keepers, i, keeper) {
		put_due_soon(show, keeper);
	}
	if (n_open > 0) {
		put_label(show, "Attention");
		show_count(n_open, show->out);
		(void)fprintf(show->out,
			      " removal request%s for a decision: retentionctl requests --open\n",
			      n_open == 1 ? " waits" : "s wait");
	}
	if (n_held > 0) {
		put_label(show, "Attention");
		show_count(n_held, show->out);
		(void)fprintf(show->out, " account%s held: no removal starts while a hold stands\n",
			      n_held == 1 ? " is" : "s are");
	}
}

/* How it is stands first: at three in the morning nobody reads on. */
static void put_health(const struct show *show, const json_t *status)
{
	const json_t *faults = json_object_get(status, "faults");
	size_t n = json_array_size(faults);
	bool partial = json_array_size(json_object_get(status, "unchecked")) > 0;

	if (n > 0) {
		put_label(show, "State");
		(void)fprintf(show->out, "%snot well%s: %zu problem%s\n", show_red(show),
			      show_plain(show), n, n == 1 ? "" : "s");
		put_problems(show, faults);
	} else if (json_object_get(status, "sweep")) {
		put_label(show, "State");
		(void)fprintf(show->out, "well%s: nothing is late, nothing failed\n",
			      partial ? ", as far as this role may see" : "");
	} else {
		put_label(show, "State");
		(void)fputs("not for this role to see: it takes the role reader over all "
			    "organizations\n",
			    show->out);
	}
}

void show_status(const struct show *show, const json_t *status)
{
	const json_t *stats = json_object_get(status, "stats");
	const json_t *sweep = json_object_get(status, "sweep");
	const json_t *keepers = json_object_get(json_object_get(status, "keepers"), "keepers");

	put_health(show, status);
	put_attention(show, stats, keepers);
	put_info(show, json_object_get(status, "info"));
	if (stats) {
		put_accounts(show, stats);
		put_near(show, stats);
	}
	if (sweep) {
		put_sweep(show, sweep, stats);
	}
	put_keepers(show, keepers);
	if (stats) {
		put_store(show, stats);
	}
}
