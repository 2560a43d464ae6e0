/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/show_status.h"

#include "ctl/json.h"
#include "ctl/text.h"

/* A sweep looks every minute: what has been due for longer is not going to be done by itself. */
#define LATE_AFTER (5 * SPAN_MINUTE)

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
		if (json_array_size(orgs) > 0) {
			(void)fputs(" of ", show->out);
			show_value(show, "orgs", orgs, show->out);
		}
	}
	if (json_array_size(roles) == 0) {
		(void)fputs("; no role, so that more is not shown", show->out);
	}
	(void)fputc('\n', show->out);
}

static void put_info(const struct show *show, const json_t *info)
{
	const struct show absolute = {.now = INSTANT_NONE, .utc = show->utc};

	(void)fputs(show_bold(show), show->out);
	put_label(show, "retentiond");
	(void)fputs(show_plain(show), show->out);
	show_key(show, info, "version");
	(void)fputs(", instance ", show->out);
	show_key(show, info, "instance");
	(void)fputc('\n', show->out);
	put_label(show, "Clock");
	show_instant(&absolute, show->now, show->out);
	(void)fputs(", ", show->out);
	show_key(show, json_object_get(info, "clock"), "mode");
	(void)fputc('\n', show->out);
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

static void put_stats(const struct show *show, const json_t *stats)
{
	const json_t *store = json_object_get(stats, "store");

	put_accounts(show, stats);
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
	put_label(show, "Due now");
	show_count(integer_of(stats, "due_now"), show->out);
	(void)fputc('\n', show->out);
}

static void put_sweep(const struct show *show, const json_t *sweep)
{
	put_label(show, "Last sweep");
	show_key(show, sweep, "last_run_us");
	(void)fputc('\n', show->out);
	put_label(show, "Next due");
	show_key(show, sweep, "next_due_us");
	(void)fputc('\n', show->out);
}

static void begin_problem(const struct show *show)
{
	(void)fputs(show_red(show), show->out);
	put_label(show, "PROBLEM");
	(void)fputs(show_plain(show), show->out);
}

static bool is_clock_doubtful(const struct show *show, const json_t *info)
{
	if (!json_is_false(json_object_get(json_object_get(info, "clock"), "trusted"))) {
		return false;
	}
	begin_problem(show);
	(void)fputs("the clock is not trusted; an operator must accept it\n", show->out);
	return true;
}

/* Whether timed work is paused or late; what is due is told with either. */
static bool is_behind(const struct show *show, const json_t *sweep)
{
	bool paused = json_is_true(json_object_get(sweep, "paused"));
	instant_t due;
	bool late = show_instant_of(sweep, "next_due_us", &due) && show->now - due >= LATE_AFTER;

	if (!paused && !late) {
		return false;
	}
	begin_problem(show);
	if (paused) {
		(void)fputs("timed work is paused, and deadlines run on; ", show->out);
	}
	if (late) {
		(void)fputs("accounts have been due since ", show->out);
		show_instant(show, due, show->out);
		(void)fputs("; ", show->out);
	}
	(void)fputs(paused ? "take it up again with: retentionctl resume\n"
			   : "have it done now with: retentionctl sweep\n",
		    show->out);
	return true;
}

static bool has_failures(const struct show *show, const json_t *sweep)
{
	if (integer_of(sweep, "failed") == 0) {
		return false;
	}
	begin_problem(show);
	show_count(integer_of(sweep, "failed"), show->out);
	(void)fputs(" accounts could not be swept; journalctl -u retentiond says which and why\n",
		    show->out);
	return true;
}

void show_status(const struct show *show, const json_t *status)
{
	const json_t *info = json_object_get(status, "info");
	const json_t *stats = json_object_get(status, "stats");
	const json_t *sweep = json_object_get(status, "sweep");
	bool wrong;

	put_info(show, info);
	if (stats) {
		put_stats(show, stats);
	}
	if (sweep) {
		put_sweep(show, sweep);
	}
	wrong = is_clock_doubtful(show, info);
	wrong |= is_behind(show, sweep);
	wrong |= has_failures(show, sweep);
	if (!wrong && sweep) {
		put_label(show, "State");
		(void)fputs("well: nothing is late, nothing failed\n", show->out);
	}
}
