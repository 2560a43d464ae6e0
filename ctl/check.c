/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/check.h"

#include <errno.h>
#include <stdarg.h>

#include "ctl/deep.h"
#include "ctl/json.h"
#include "ctl/text.h"

#define REQUESTS_MAX  1000 /* overdue ones that are counted: a page */
#define WHEN_TEXT_MAX (INSTANT_TEXT_MAX + SPAN_TEXT_MAX + 8)

static int64_t number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* Without memory the array is not whole, and then it is freed: see ctl_check_faults(). */
static void printf_like(4, 5)
	add(json_t *faults, bool *ok, const char *code, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	*ok = json_array_append_new(faults, json_pack("{s:s, s:s}", "code", code, "text", text)) ==
		      0 &&
	      *ok;
}

/* In UTC, whoever asks: what monitoring tells is read elsewhere. */
static void put_instant(instant_t at, instant_t now, char text[static WHEN_TEXT_MAX])
{
	char instant[INSTANT_TEXT_MAX], span[SPAN_TEXT_MAX];

	instant_format(at - at % SPAN_SECOND, true, instant);
	span_format((now - at) - (now - at) % SPAN_SECOND, span);
	(void)snprintf(text, WHEN_TEXT_MAX, "%s (%s ago)", instant, span);
}

static void check_clock(const json_t *info, json_t *faults, bool *ok)
{
	const json_t *clock = json_object_get(info, "clock");
	bool behind = number(clock, "wall_us") < number(clock, "now_us");
	char off[SPAN_TEXT_MAX];

	if (!json_is_false(json_object_get(clock, "trusted"))) {
		return;
	}
	span_format(llabs(number(clock, "wall_us") - number(clock, "now_us")), off);
	add(faults, ok, "clock-not-trusted",
	    "the clock guard is engaged: the wall clock is %s %s the last time on record, and "
	    "timed work waits. Look at date(1): if it is right: retentionctl release-guard clock; "
	    "if it is wrong, set it right",
	    off, behind ? "behind" : "ahead of");
}

static void check_mass(const json_t *stats, instant_t now, json_t *faults, bool *ok)
{
	const json_t *guards = json_object_get(stats, "guards");
	int64_t n = number(guards, "mass_engaged");
	char since[WHEN_TEXT_MAX] = "-";
	instant_t at;

	if (n == 0) {
		return;
	}
	if (show_instant_of(guards, "mass_since_us", &at)) {
		put_instant(at, now, since);
	}
	add(faults, ok, "mass-guard",
	    "the mass guard of %lld organization%s is engaged since %s and holds %lld accounts back: "
	    "look with retentionctl guards --engaged, then decide with retentionctl release-guard "
	    "mass --org=ORG --expect=NUMBER",
	    (long long)n, n == 1 ? "" : "s", since, (long long)number(guards, "mass_staged"));
}

static void check_removals(const json_t *stats, json_t *faults, bool *ok)
{
	int64_t n_overdue = number(json_object_get(stats, "accounts"), "overdue");

	if (n_overdue > 0) {
		add(faults, ok, "removal-overdue",
		    "%lld removal%s past the deadline: retentionctl list --overdue",
		    (long long)n_overdue, n_overdue == 1 ? " is" : "s are");
	}
}

static void check_due(const json_t *answers, instant_t now, json_t *faults, bool *ok)
{
	const json_t *sweep = json_object_get(answers, "sweep");
	int64_t n_due = number(json_object_get(answers, "stats"), "due_now");
	const char *advice = json_is_true(json_object_get(sweep, "paused"))
				     ? ""
				     : "; have it done now with: retentionctl sweep";
	char since[WHEN_TEXT_MAX];
	instant_t due;

	if (show_instant_of(sweep, "next_due_us", &due) && now - due >= CTL_CHECK_LATE_MAX) {
		put_instant(due, now, since);
		add(faults, ok, "sweep-behind", "accounts have been due since %s%s", since, advice);
	} else if (n_due >= CTL_CHECK_DUE_MAX) {
		add(faults, ok, "sweep-behind", "%lld or more accounts are due and not begun%s",
		    (long long)n_due, advice);
	}
}

static void check_sweep(const json_t *sweep, json_t *faults, bool *ok)
{
	int64_t n_failed = number(sweep, "failed");

	if (json_is_true(json_object_get(sweep, "paused")) && !json_object_get(sweep, "guard")) {
		add(faults, ok, "sweep-paused",
		    "timed work is paused, and deadlines run on; take it up again with: "
		    "retentionctl resume; retentionctl log says who paused it and why");
	}
	if (n_failed > 0) {
		add(faults, ok, "sweep-failed",
		    "%lld account%s passed over because their records are damaged; journalctl -u "
		    "retentiond says which",
		    (long long)n_failed, n_failed == 1 ? " was" : "s were");
	}
}

/* How long a keeper has not been heard of; nothing if it was just now. True: too long. */
static bool put_silence(const json_t *keeper, instant_t now, char *text, size_t size)
{
	char silence[SPAN_TEXT_MAX];
	instant_t seen;

	*text = '\0';
	if (!show_instant_of(keeper, "last_seen_us", &seen)) {
		(void)snprintf(text, size, ", and has not been heard of since the daemon started");
		return true;
	}
	if (now - seen <= CTL_CHECK_SILENCE_MAX) {
		return false;
	}
	span_format(now - seen, silence);
	(void)snprintf(text, size, ", and has not been heard of for %s", silence);
	return true;
}

static void check_keeper(const json_t *keeper, instant_t now, json_t *faults, bool *ok)
{
	const char *name = ctl_json_text(keeper, "keeper");
	int64_t n_owed = number(keeper, "owed");
	char since[WHEN_TEXT_MAX + 16] = "past its deadline";
	char instant[WHEN_TEXT_MAX];
	char silence[96];
	bool silent;
	instant_t due;

	if (!name || !slice_is(slice_of(ctl_json_text(keeper, "sla")),
			       account_sla_name(ACCOUNT_SLA_OVERDUE))) {
		return;
	}
	if (show_instant_of(keeper, "oldest_due_us", &due)) {
		put_instant(due, now, instant);
		(void)snprintf(since, sizeof(since), "due since %s", instant);
	}
	silent = put_silence(keeper, now, silence, sizeof(silence));
	add(faults, ok, silent ? "keeper-silent" : "keeper-overdue",
	    "keeper %s owes %lld removal%s, the oldest %s%s%s", name, (long long)n_owed,
	    n_owed == 1 ? "" : "s", since, silence,
	    silent ? "; start it, or give it up with: retentionctl waive"
		   : "; retentionctl explain ACCOUNT says what it failed with");
}

static void check_requests(const json_t *answer, json_t *faults, bool *ok)
{
	size_t n = json_array_size(json_object_get(answer, "requests"));

	if (n > 0) {
		add(faults, ok, "request-overdue",
		    "%zu%s removal request%s past the deadline: retentionctl requests --overdue", n,
		    json_object_get(answer, "cursor") ? " or more" : "", n == 1 ? " is" : "s are");
	}
}

/* Removals go on, so that it keeps no promise from being kept; and yet somebody has to do something. */
static void check_room(const json_t *stats, json_t *faults, bool *ok)
{
	const json_t *room = json_object_get(json_object_get(stats, "store"), "room_bytes");

	if (json_is_integer(room) && json_integer_value(room) < CTL_CHECK_ROOM_MIN) {
		add(faults, ok, "store-full",
		    "the store is full: imports and whatever else makes it grow are refused, "
		    "deletions go on; free space on the disk, or raise map_size and restart");
	}
}

json_t *ctl_check_faults(const json_t *answers, instant_t now)
{
	json_t *faults = json_array();
	bool ok = faults != NULL;
	size_t i;
	const json_t *keeper;

	/* First what keeps timed work from being done: the rest may follow from it. */
	check_clock(json_object_get(answers, "info"), faults, &ok);
	check_mass(json_object_get(answers, "stats"), now, faults, &ok);
	check_sweep(json_object_get(answers, "sweep"), faults, &ok);
	check_removals(json_object_get(answers, "stats"), faults, &ok);
	check_due(answers, now, faults, &ok);
	check_requests(json_object_get(answers, "requests"), faults, &ok);
	json_array_foreach(json_object_get(json_object_get(answers, "keepers"), "keepers"), i,
			   keeper) {
		check_keeper(keeper, now, faults, &ok);
	}
	check_room(json_object_get(answers, "stats"), faults, &ok);
	if (!ok) {
		json_decref(faults);
		return NULL;
	}
	return faults;
}

/* A page of open requests that are past their deadline. */
static int ask_request_page(struct ctl *ctl, const json_t *cursor, json_t **ret_answer)
{
	const struct command *command = &command_table[COMMAND_request_list];
	struct pack_writer *writer =
		ctl_client_begin(ctl->client, command->method, command_frame_max(command));

	pack_write_map(writer);
	pack_put_bool(writer, argument_table[ARGUMENT_overdue].name, true);
	pack_put_int(writer, argument_table[ARGUMENT_limit].name, REQUESTS_MAX);
	if (cursor) {
		pack_put_cstr(writer, argument_table[ARGUMENT_cursor].name,
			      json_string_value(cursor));
	}
	pack_write_end(writer);
	return ctl_client_call(ctl->client, ret_answer, &ctl->fault);
}

/* The first page that has any: behind many decided requests a page may be empty and not the last. */
static int ask_requests(struct ctl *ctl, json_t **ret_answer)
{
	json_t *answer = NULL, *before;
	const json_t *cursor;
	int r;

	do {
		before = answer;
		answer = NULL;
		cursor = json_object_get(before, "cursor");
		r = ask_request_page(ctl, cursor, &answer);
		json_decref(before);
		cursor = json_object_get(answer, "cursor");
	} while (r == 0 && json_is_string(cursor) &&
		 json_array_size(json_object_get(answer, "requests")) == 0);
	*ret_answer = answer;
	return r;
}

/* What our role may not see is named in @unchecked. Return: 0 or an exit code. */
static int add_answer(struct ctl *ctl, const char *name, enum command_symbol command,
		      json_t *answers, json_t *unchecked, bool lenient)
{
	json_t *answer = NULL;
	int r = command == COMMAND_request_list
			? ask_requests(ctl, &answer)
			: ctl_client_ask(ctl->client, command, &answer, &ctl->fault);

	if (r == CTL_EXIT_PERMISSION &&
	    (lenient ? command_table[command].role != ROLE_ANY : command == COMMAND_request_list)) {
		ctl->fault = (struct ctl_fault){.exit = CTL_EXIT_OK};
		return json_array_append_new(unchecked, json_string(name)) < 0
			       ? ctl_fault_errno(&ctl->fault, -ENOMEM, "check")
			       : 0;
	}
	if (r == 0 && json_object_set_new(answers, name, answer) < 0) {
		r = ctl_fault_errno(&ctl->fault, -ENOMEM, "check");
	}
	return r;
}

int ctl_check_gather(struct ctl *ctl, json_t *answers, json_t *unchecked, bool lenient)
{
	static const struct {
		const char *name;
		enum command_symbol command;
	} parts[] = {
		{"info", COMMAND_retention_info},   {"stats", COMMAND_stats_get},
		{"sweep", COMMAND_sweep_status},    {"keepers", COMMAND_keeper_list},
		{"requests", COMMAND_request_list},
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(parts) && r == 0; i++) {
		r = add_answer(ctl, parts[i].name, parts[i].command, answers, unchecked, lenient);
	}
	return r;
}

static void print_lines(struct ctl *ctl, const json_t *faults, const json_t *unchecked)
{
	size_t i;
	const json_t *item;

	json_array_foreach(faults, i, item) {
		ctl_text_put(ctl->show.out, slice_of(ctl_json_text(item, "text")));
		(void)fputc('\n', ctl->show.out);
	}
	if (json_array_size(faults) == 0 && !ctl->args.quiet) {
		(void)fputs("ok: nothing needs anybody\n", ctl->show.out);
	}
	if (json_array_size(unchecked) > 0 && !ctl->args.quiet) {
		(void)fprintf(stderr, "retentionctl: removal requests were not looked at: that "
				      "takes the role admin\n");
	}
}

static int tell(struct ctl *ctl, const json_t *answers, json_t *unchecked)
{
	json_t *faults, *document;
	int n_faults;

	ctl_learn_now(ctl, json_object_get(json_object_get(answers, "info"), "clock"));
	faults = ctl_check_faults(answers, ctl->show.now);
	if (!faults) {
		return ctl_fault_errno(&ctl->fault, -ENOMEM, "check");
	}
	n_faults = (int)json_array_size(faults);
	if (ctl->args.json) {
		document = json_pack("{s:b, s:O, s:O}", "ok", n_faults == 0, "faults", faults,
				     "unchecked", unchecked);
		ctl_json_print(document, ctl->show.out);
		json_decref(document);
	} else {
		print_lines(ctl, faults, unchecked);
	}
	json_decref(faults);
	return n_faults > 0 ? CTL_EXIT_FAILURE : CTL_EXIT_OK;
}

int ctl_check_run(struct ctl *ctl)
{
	json_t *answers, *unchecked;
	int r;

	if (ctl->args.n_operands > 0) {
		return ctl_fault_set(&ctl->fault, CTL_EXIT_USAGE, "usage",
				     "check does not take the operand %s", ctl->args.operands[0]);
	}
	r = ctl->args.deep ? ctl_deep_check(ctl) : 0;
	if (r != 0) {
		return r;
	}
	answers = json_object();
	unchecked = json_array();
	r = ctl_check_gather(ctl, answers, unchecked, false);
	r = r ? r : tell(ctl, answers, unchecked);
	json_decref(answers);
	json_decref(unchecked);
	return r;
}
