/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/wait_target.h"

#include <errno.h>

#include "ctl/json.h"
#include "ctl/show_account.h"
#include "ctl/show_items.h"
#include "ctl/text.h"

#define SENTENCES_MAX 5 /* more accounts than this are told as a number */

static const json_t *account_of(const struct wait_target *target)
{
	return json_object_get(target->answer, "account");
}

/* A tombstone is kept for a time only: what was seen and is not known any more is removed. */
static enum account_state state_of(const struct wait_target *target)
{
	const char *name = ctl_json_text(account_of(target), "state");
	enum account_state state;

	return name && account_state_from_name(slice_of(name), &state) ? state
								       : ACCOUNT_STATE_REMOVED;
}

enum wait_standing wait_judge(enum account_state wanted, enum account_state state, bool direct)
{
	static_assert(ACCOUNT_STATE_SOFT_DELETED < ACCOUNT_STATE_REMOVING &&
			      ACCOUNT_STATE_REMOVING < ACCOUNT_STATE_REMOVED,
		      "states are in the order of their way");

	if (state == wanted ||
	    (wanted == ACCOUNT_STATE_REMOVING && state == ACCOUNT_STATE_REMOVED)) {
		return WAIT_REACHED;
	}
	if (state >= ACCOUNT_STATE_REMOVING && wanted < state) {
		return WAIT_NEVER;
	}
	return wanted == ACCOUNT_STATE_SOFT_DELETED && direct ? WAIT_NEVER : WAIT_PENDING;
}

static bool is_direct(const json_t *account)
{
	return slice_is(slice_of(ctl_json_text(account, "kind")),
			account_kind_name(ACCOUNT_KIND_B2B_DIRECT_CONNECT));
}

static void write_name(struct pack_writer *writer, const struct wait_target *target)
{
	struct ctl_account by_uid = {.uid = target->uid};

	pack_write_map(writer);
	ctl_account_write(writer, target->uid ? &by_uid : target->account);
	pack_write_end(writer);
}

static int ask(struct ctl *ctl, enum command_symbol symbol, const struct wait_target *target,
	       json_t **ret_answer, struct ctl_fault *fault)
{
	const struct command *command = &command_table[symbol];

	write_name(ctl_client_begin(ctl->client, command->method, command_frame_max(command)),
		   target);
	return ctl_client_call(ctl->client, ret_answer, fault);
}

/* What may not be looked at, or cannot be read, ends the waiting; the answer has no other ends. */
static int judge_refused(struct ctl *ctl, struct wait_target *target)
{
	enum ctl_exit exit = show_outcome_exit(target->answer);

	if (exit == CTL_EXIT_NOT_FOUND) {
		target->standing = WAIT_UNKNOWN;
		return 0;
	}
	return ctl_fault_set(&ctl->fault, exit, ctl_json_text(target->answer, "outcome"),
			     "%s cannot be waited for: retentionctl show %s says why",
			     target->account->written, target->account->written);
}

int wait_look(struct ctl *ctl, enum account_state wanted, struct wait_target *target)
{
	json_t *answer = NULL;
	int r = ask(ctl, COMMAND_account_get, target, &answer, &ctl->fault);

	if (r != 0) {
		return r;
	}
	json_decref(target->answer);
	target->answer = answer;
	target->stale = false;
	if (show_outcome_exit(answer) != CTL_EXIT_OK &&
	    (target->uid == 0 || show_outcome_exit(answer) != CTL_EXIT_NOT_FOUND)) {
		return judge_refused(ctl, target);
	}
	if (target->uid == 0) {
		target->uid = json_integer_value(json_object_get(account_of(target), "uid"));
	}
	target->standing = wait_judge(wanted, state_of(target), is_direct(account_of(target)));
	return 0;
}

void wait_put_name(const struct wait_target *target, FILE *out)
{
	ctl_text_put(out, slice_of(target->account->written));
	if (target->answer && target->standing != WAIT_UNKNOWN) {
		(void)fprintf(out, " (%s)", account_state_name(state_of(target)));
	}
}

static void put_pause(struct ctl *ctl, FILE *out)
{
	struct ctl_fault ignored;
	json_t *sweep = NULL;

	/* Who may not ask is not told. */
	if (ctl_client_ask(ctl->client, COMMAND_sweep_status, &sweep, &ignored) == 0 &&
	    json_is_true(json_object_get(sweep, "paused"))) {
		(void)fputs(ctl_json_text(sweep, "guard")
				    ? "The clock guard is engaged and timed work waits: see "
				      "retentionctl status.\n"
				    : "Timed work is paused: retentionctl resume takes it up.\n",
			    out);
	}
	json_decref(sweep);
}

void wait_put_why(struct ctl *ctl, const struct wait_target *target, FILE *out)
{
	/* Without a now no span is shown: the text stays the same while nothing happens. */
	const struct show show = {.out = out, .now = INSTANT_NONE, .utc = ctl->show.utc};
	struct ctl_fault ignored;
	json_t *answer = NULL;

	if (ask(ctl, COMMAND_account_explain, target, &answer, &ignored) == 0 &&
	    show_is_ok(answer)) {
		wait_put_name(target, out);
		(void)fputs("\n  ", out);
		show_next(&show, json_object_get(answer, "next"),
			  json_object_get(answer, "account"));
		if (json_array_size(json_object_get(answer, "tasks")) > 0) {
			(void)fputs("  ", out);
			show_tasks(&show, json_object_get(answer, "tasks"));
		}
		put_pause(ctl, out);
	}
	json_decref(answer);
}

static json_t *json_of(const struct wait_target *target)
{
	json_t *item = json_pack("{s:s, s:b}", "account", target->account->written, "reached",
				 target->standing == WAIT_REACHED);
	bool ok = item != NULL;

	if (target->uid) {
		ok = json_object_set_new(item, "uid", json_integer(target->uid)) == 0 && ok;
	}
	if (target->answer && target->standing != WAIT_UNKNOWN) {
		ok = json_object_set_new(item, "state",
					 json_string(account_state_name(state_of(target)))) == 0 &&
		     ok;
	}
	if (!ok) {
		json_decref(item);
		return NULL;
	}
	return item;
}

size_t wait_count(const struct wait_target *targets, size_t n, enum wait_standing standing)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		count += targets[i].standing == standing;
	}
	return count;
}

void wait_print_json(const struct wait_target *targets, size_t n, enum account_state wanted,
		     FILE *out)
{
	json_t *accounts = json_array();
	json_t *document;

	for (size_t i = 0; i < n; i++) {
		/* Without memory it is missing; the document says of how many it tells. */
		(void)json_array_append_new(accounts, json_of(&targets[i]));
	}
	document =
		json_pack("{s:s, s:I, s:I, s:o}", "for", account_state_name(wanted), "n",
			  (json_int_t)n, "reached",
			  (json_int_t)wait_count(targets, n, WAIT_REACHED), "accounts", accounts);
	ctl_json_print(document, out);
	json_decref(document);
}

static void put_sentence(const struct show *show, const struct wait_target *target)
{
	const json_t *account = account_of(target);

	(void)fputs(show_bold(show), show->out);
	ctl_text_put(show->out, slice_of(target->account->written));
	(void)fprintf(show->out, "%s: ", show_plain(show));
	if (account) {
		show_state_sentence(show, account);
	} else {
		(void)fputs("removed for good, and forgotten", show->out);
	}
	(void)fputc('\n', show->out);
}

void wait_print_sentences(const struct show *show, const struct wait_target *targets, size_t n,
			  enum account_state wanted)
{
	if (n > SENTENCES_MAX) {
		(void)fprintf(show->out, "%zu accounts are %s\n", n, account_state_name(wanted));
		return;
	}
	for (size_t i = 0; i < n; i++) {
		put_sentence(show, &targets[i]);
	}
}
