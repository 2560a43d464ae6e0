/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/show_account.h"

#include "ctl/json.h"
#include "ctl/show_items.h"
#include "ctl/show_refusal.h"
#include "ctl/text.h"

/* "removal-completed" reads better as "removal completed". */
static void put_words(const struct show *show, const char *code)
{
	for (const char *p = code ? code : "?"; *p; p++) {
		char c = *p == '-' || *p == '_' || *p == '.' ? ' ' : *p;

		ctl_text_put(show->out, (struct slice){&c, 1});
	}
}

static void put_state(const struct show *show, const char *before, const json_t *account)
{
	(void)fputs(before, show->out);
	show_state_sentence(show, account);
	(void)fputs(".\n", show->out);
}

/* Of a removed account only the uid is left. */
static void put_removed(const struct show *show, const json_t *account)
{
	(void)fprintf(show->out, "%suid ", show_bold(show));
	show_key(show, account, "uid");
	(void)fprintf(show->out, "%s was a ", show_plain(show));
	show_key(show, account, "kind");
	(void)fputs(" account of ", show->out);
	show_key(show, account, "org");
	put_state(show, ".\nIt is ", account);
}

/* What is asked of it, or due, and who has to decide. */
static void put_staged(const struct show *show, const json_t *account)
{
	bool removal = slice_is(slice_of(ctl_json_text(account, "staged")), "removal");

	(void)fputs(removal ? "its removal starts" : "what was asked of it (", show->out);
	if (!removal) {
		show_key(show, account, "staged");
		show_when(show, ", at ", account, "staged_us");
		(void)fputs(") is done", show->out);
	}
	(void)fputs(" once an administrator releases the mass guard: retentionctl guards, then "
		    "retentionctl release-guard mass",
		    show->out);
}

static void put_who(const struct show *show, const json_t *account)
{
	if (!ctl_json_text(account, "id")) {
		put_removed(show, account);
		return;
	}
	(void)fputs(show_bold(show), show->out);
	show_key(show, account, "org");
	(void)fputc('/', show->out);
	show_key(show, account, "id");
	(void)fprintf(show->out, "%s is a ", show_plain(show));
	show_key(show, account, "kind");
	(void)fputs(" account of ", show->out);
	if (ctl_json_text(account, "name")) {
		show_key(show, account, "name");
		(void)fputs(", ", show->out);
	}
	show_key(show, account, "person");
	(void)fputs(" (uid ", show->out);
	show_key(show, account, "uid");
	put_state(show, ").\nIt is ", account);
}

static void put_last(const struct show *show, const json_t *event)
{
	instant_t at;

	(void)fputs("Last: ", show->out);
	put_words(show, ctl_json_text(event, "event"));
	if (show_instant_of(event, "at_us", &at)) {
		(void)fputs(", ", show->out);
		show_instant(show, at, show->out);
	}
	if (slice_is(slice_of(ctl_json_text(event, "role")), role_name(ROLE_DAEMON))) {
		(void)fputs(", by the daemon", show->out);
	} else {
		(void)fputs(", by user ", show->out);
		show_key(show, event, "actor_uid");
		(void)fputs(" as ", show->out);
		show_key(show, event, "role");
	}
	if (ctl_json_text(event, "reason")) {
		(void)fputs(", because: ", show->out);
		show_key(show, event, "reason");
	}
	(void)fputs(".\n", show->out);
}

/* What happened last, wherever the history begins: it need not have changed the state. */
static const json_t *newest_event(const json_t *history)
{
	const json_t *newest = json_array_get(history, 0);
	size_t i;
	const json_t *event;

	json_array_foreach(history, i, event) {
		if (json_integer_value(json_object_get(event, "seq")) >
		    json_integer_value(json_object_get(newest, "seq"))) {
			newest = event;
		}
	}
	return newest;
}

/* A hold without an end: nobody knows when, but not before the window ends. */
static void put_await_release(const struct show *show, const json_t *account)
{
	instant_t ends;

	if (!show_instant_of(account, "window_ends_us", &ends) || ends <= show->now) {
		(void)fputs("permanent deletion starts when the last hold is released", show->out);
		return;
	}
	(void)fputs("permanent deletion starts when its window has ended, at ", show->out);
	show_instant(show, ends, show->out);
	(void)fputs(", and no hold stands", show->out);
}

void show_next(const struct show *show, const json_t *next, const json_t *account)
{
	struct slice action = slice_of(ctl_json_text(next, "action"));
	struct slice state = slice_of(ctl_json_text(account, "state"));

	(void)fputs("Next: ", show->out);
	if (ctl_json_text(account, "staged")) {
		put_staged(show, account);
	} else if (slice_is(state, account_state_name(ACCOUNT_STATE_REMOVING))) {
		(void)fputs(json_object_get(account, "pending")
				    ? "its removal completes when the keepers still to answer have"
				    : "its removal completes with the next sweep",
			    show->out);
		show_when(show, "; the deadline is ", account, "removal_due_us");
	} else if (slice_is(action, "start-removal")) {
		show_when(show, "permanent deletion starts at ", next, "at_us");
	} else if (slice_is(action, "await-release")) {
		put_await_release(show, account);
	} else if (action.len == 0 || slice_is(action, "none")) {
		(void)fputs("nothing happens by itself", show->out);
	} else {
		put_words(show, action.data);
		show_when(show, " at ", next, "at_us");
	}
	(void)fputs(".\n", show->out);
}

static void put_task(const struct show *show, const json_t *task)
{
	const json_t *attempts = json_object_get(task, "attempts");
	bool leased = json_is_integer(json_object_get(task, "lease_until_us"));
	bool failed = ctl_json_text(task, "error") != NULL;

	show_key(show, task, "keeper");
	if (!attempts || json_integer_value(attempts) == 0) {
		(void)fputs(attempts ? " (never claimed)" : " (its task cannot be read)",
			    show->out);
		return;
	}
	(void)fputs(" (attempt ", show->out);
	show_key(show, task, "attempts");
	show_when(show, " is under way until ", task, "lease_until_us");
	if (failed) {
		(void)fputs(leased ? ", the one before failed: " : " failed: ", show->out);
		show_key(show, task, "error");
	} else if (!leased) {
		(void)fputs(" came to nothing", show->out);
	}
	show_when(show, "; again from ", task, "next_at_us");
	(void)fputc(')', show->out);
}

void show_tasks(const struct show *show, const json_t *tasks)
{
	size_t i;
	const json_t *task;

	json_array_foreach(tasks, i, task) {
		(void)fputs(i ? ", " : "Waits for: ", show->out);
		put_task(show, task);
	}
	if (json_array_size(tasks) > 0) {
		(void)fputs(".\n", show->out);
	}
}

/* The verb of a command that is named by its method. */
static const char *short_name(const json_t *command)
{
	const char *name = ctl_json_text(command, "command");
	const char *dot = name ? strrchr(name, '.') : NULL;

	return dot ? dot + 1 : name ? name : "?";
}

/* Both may be missing, which is the same as well. */
static bool same_value(const json_t *a, const json_t *b, const char *key)
{
	const json_t *its = json_object_get(a, key);
	const json_t *other = json_object_get(b, key);

	return its == other || json_equal(its, other);
}

static bool same_answer(const json_t *a, const json_t *b)
{
	return same_value(a, b, "outcome") && (show_is_ok(a) || same_value(a, b, "reasons"));
}

static bool is_told_before(const json_t *commands, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (same_answer(json_array_get(commands, k), json_array_get(commands, i))) {
			return true;
		}
	}
	return false;
}

static void put_alike(const struct show *show, const json_t *commands, const json_t *first)
{
	const char *separator = "";
	size_t i;
	const json_t *command;

	json_array_foreach(commands, i, command) {
		if (same_answer(command, first)) {
			(void)fputs(separator, show->out);
			ctl_text_put(show->out, slice_of(short_name(command)));
			separator = ", ";
		}
	}
}

static void put_reasons(const struct show *show, const json_t *command, const json_t *account)
{
	const json_t *reasons = json_object_get(command, "reasons");
	bool removed = slice_is(slice_of(ctl_json_text(account, "state")),
				account_state_name(ACCOUNT_STATE_REMOVED));
	size_t i;
	const json_t *reason;

	if (removed && show_has_reason(command, OUTCOME_NOT_FOUND)) {
		(void)fputs(SHOW_GONE, show->out);
		return;
	}
	if (json_array_size(reasons) == 0) {
		show_reason(json_object_get(command, "outcome"), show->out);
	}
	json_array_foreach(reasons, i, reason) {
		(void)fputs(i ? "; " : "", show->out);
		show_reason(reason, show->out);
	}
}

static bool is_staged(const json_t *command)
{
	return slice_is(slice_of(ctl_json_text(command, "outcome")), outcome_code(OUTCOME_STAGED));
}

/* The first one that a rule holds of; NULL without any. */
static const json_t *find_command(const json_t *commands, bool (*holds)(const json_t *command))
{
	size_t i;
	const json_t *command;

	json_array_foreach(commands, i, command) {
		if (holds(command)) {
			return command;
		}
	}
	return NULL;
}

/* What the mass guard would hold back is allowed as well, and does not happen. */
static void put_held_back(const struct show *show, const json_t *commands, const json_t *first,
			  const char *org)
{
	struct slice name = slice_of(org ? org : "ORG");

	(void)fputs("Would be staged: ", show->out);
	put_alike(show, commands, first);
	(void)fputs(": the mass guard of ", show->out);
	ctl_text_put(show->out, name);
	(void)fputs(" holds it back until an administrator releases it; look with retentionctl "
		    "guards --org=",
		    show->out);
	ctl_text_put(show->out, name);
	(void)fputs(", then retentionctl release-guard mass --org=", show->out);
	ctl_text_put(show->out, name);
	(void)fputs(".\n", show->out);
}

/* What of a removal still can be: a keeper that will never answer. */
static void put_waive(const struct show *show, const json_t *account, const json_t *tasks)
{
	(void)fputs("May be done: a keeper that will never answer is given up with retentionctl "
		    "waive ",
		    show->out);
	if (json_array_size(tasks) == 1) {
		show_key(show, json_array_get(tasks, 0), "keeper");
	} else {
		(void)fputs("KEEPER", show->out);
	}
	(void)fputs(" uid:", show->out);
	show_key(show, account, "uid");
	(void)fputs(" --reason=WHY.\n", show->out);
}

static void put_allowed(const struct show *show, const json_t *result)
{
	const json_t *commands = json_object_get(result, "may");
	const json_t *tasks = json_object_get(result, "tasks");
	const json_t *account = json_object_get(result, "account");
	const json_t *allowed = find_command(commands, show_is_ok);
	const json_t *staged = find_command(commands, is_staged);

	if (allowed) {
		(void)fputs("May be done: ", show->out);
		put_alike(show, commands, allowed);
		(void)fputs(".\n", show->out);
	}
	if (staged) {
		put_held_back(show, commands, staged, ctl_json_text(account, "org"));
	}
	if (json_array_size(tasks) > 0) {
		put_waive(show, account, tasks);
	} else if (!allowed && !staged) {
		(void)fputs("Nothing may be done with it.\n", show->out);
	}
}

/* Commands that are refused for the same reasons share a line. */
static void put_refused(const struct show *show, const json_t *commands, const json_t *account)
{
	size_t i;
	const json_t *command;

	json_array_foreach(commands, i, command) {
		if (show_is_ok(command) || is_staged(command) || is_told_before(commands, i)) {
			continue;
		}
		(void)fputs("Refused: ", show->out);
		put_alike(show, commands, command);
		(void)fputs(": ", show->out);
		put_reasons(show, command, account);
		(void)fputs(".\n", show->out);
	}
}

int show_account(const struct show *show, const json_t *result)
{
	const json_t *account = json_object_get(result, "account");

	if (!json_is_object(account)) {
		show_refusal(show, result);
		return 0;
	}
	if (!ctl_json_text(account, "id")) {
		put_removed(show, account);
	}
	return show_map(show, account);
}

/* Whoever compares the dates with date(1) wonders. */
static void put_clock(const struct show *show, const json_t *clock)
{
	bool trusted = !json_is_false(json_object_get(clock, "trusted"));
	instant_t wall, now;

	if (!show_instant_of(clock, "wall_us", &wall) || !show_instant_of(clock, "now_us", &now) ||
	    (trusted && llabs(wall - now) < SPAN_MINUTE)) {
		return;
	}
	(void)fputs("By trusted time it is ", show->out);
	show_key(&(const struct show){.out = show->out, .now = INSTANT_NONE, .utc = show->utc},
		 clock, "now_us");
	show_wall(show, "; ", clock);
	(void)fputs(
		trusted ? ".\n"
			: ".\nThe clock guard is engaged: nothing is removed by time until it is "
			  "released; see retentionctl status.\n",
		show->out);
}

int show_explain(const struct show *show, const json_t *result)
{
	static const char *const columns[] = {"seq",    "at_us", "event", "keeper",
					      "result", "count", "role",  "actor_uid",
					      "reason", "ref",   NULL};
	const json_t *history = json_object_get(result, "history");
	const json_t *account = json_object_get(result, "account");
	const json_t *contact = json_object_get(result, "contact");

	if (!json_is_object(account)) {
		show_refusal(show, result);
		return 0;
	}
	put_who(show, account);
	if (json_array_size(history) > 0) {
		put_last(show, newest_event(history));
	}
	show_next(show, json_object_get(result, "next"), account);
	put_clock(show, json_object_get(result, "clock"));
	show_tasks(show, json_object_get(result, "tasks"));
	put_allowed(show, result);
	put_refused(show, json_object_get(result, "may"), account);
	if (json_object_size(contact) > 0) {
		show_ask(show, "", contact);
	}
	if (json_array_size(history) == 0) {
		return 0;
	}
	(void)fprintf(show->out, "\n%sHistory%s\n", show_bold(show), show_plain(show));
	return show_rows(show, history, columns);
}

int show_api(const struct show *show, const json_t *result)
{
	static const char *const columns[] = {"method", "role", "scope", "since", "summary", NULL};

	return show_rows(show, json_object_get(result, "methods"), columns);
}
