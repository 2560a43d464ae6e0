/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/deep.h"

#include <errno.h>
#include <inttypes.h>

#include "ctl/interrupt.h"
#include "ctl/json.h"
#include "ctl/progress.h"
#include "ctl/text.h"

#define ADVICE                                                                                     \
	"Something changed the store behind retentiond's back. Keep the removal register, stop "   \
	"retentiond, and restore the newest backup: restore.md says how"

/**
 * struct walk - through a method that is asked again and again
 * @place, @next: the argument to go on with, and the answer's key for it
 * @count:        the answer's key for how much it looked at
 */
struct walk {
	enum command_symbol command;
	enum argument_symbol place;
	const char *next;
	const char *count;
};

static const struct walk through_ledger = {COMMAND_ledger_verify, ARGUMENT_from, "next", "entries"};
static const struct walk through_store = {COMMAND_store_verify, ARGUMENT_cursor, "cursor",
					  "checked"};

/**
 * struct sums - of all slices
 * @checked:             what was looked at
 * @started, @completed: removals that accounts have, less those that the register has
 */
struct sums {
	int64_t checked;
	int64_t started;
	int64_t completed;
};

static int64_t number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key)); /* 0 if it is not there */
}

static int ask(struct ctl *ctl, const struct walk *walk, const json_t *at, json_t **ret_answer)
{
	const struct command *command = &command_table[walk->command];
	struct pack_writer *writer =
		ctl_client_begin(ctl->client, command->method, command_frame_max(command));
	const char *name = argument_table[walk->place].name;

	pack_write_map(writer);
	pack_put_int(writer, argument_table[ARGUMENT_limit].name, MODEL_ACCOUNTS_MAX);
	if (json_is_integer(at)) {
		pack_put_int(writer, name, json_integer_value(at));
	} else if (json_is_string(at)) {
		pack_put_cstr(writer, name, json_string_value(at));
	}
	pack_write_end(writer);
	return ctl_client_call(ctl->client, ret_answer, &ctl->fault);
}

static void add(struct sums *sums, const struct walk *walk, const json_t *answer)
{
	const char *part = ctl_json_text(answer, "part");
	int sign = part && strcmp(part, "register") == 0 ? -1 : 1;

	sums->checked += number(answer, walk->count);
	sums->started += sign * number(answer, "started");
	sums->completed += sign * number(answer, "completed");
}

/* " at entry 51: the chain is broken." */
static void put_finding(FILE *out, const json_t *fault)
{
	const char *what = ctl_json_text(fault, "what");

	if (number(fault, "seq") > 0) {
		(void)fprintf(out, " at entry %" PRId64, number(fault, "seq"));
	}
	if (number(fault, "uid") > 0) {
		(void)fprintf(out, " at account uid:%" PRId64, number(fault, "uid"));
	}
	(void)fputs(": ", out);
	ctl_text_put(out, slice_of(what ? what : "?"));
	(void)fputc('.', out);
}

/* As check tells what else it finds. */
static int print_as_check(struct ctl *ctl, const json_t *fault)
{
	cleanup(freep) char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	json_t *document;

	if (!out) {
		return ctl_fault_errno(&ctl->fault, errno, "check");
	}
	(void)fputs("verification failed", out);
	put_finding(out, fault);
	(void)fputs(" " ADVICE, out);
	if (fclose(out) != 0) {
		return ctl_fault_errno(&ctl->fault, -ENOMEM, "check");
	}
	document = json_pack("{s:b, s:[{s:s, s:s}], s:[]}", "ok", 0, "faults", "code",
			     "verification-failed", "text", text, "unchecked");
	ctl_json_print(document, ctl->show.out);
	json_decref(document);
	return CTL_EXIT_VERIFICATION;
}

static int print_fault(struct ctl *ctl, const struct sums *sums, json_t *answer)
{
	const json_t *fault = json_object_get(answer, "fault");
	FILE *out = ctl->show.out;

	if (ctl->args.json && ctl->args.verb == CTL_VERB_CHECK) {
		return print_as_check(ctl, fault);
	}
	if (ctl->args.json) {
		(void)json_object_set_new(answer, "checked", json_integer(sums->checked));
		ctl_json_print(answer, out);
		return CTL_EXIT_VERIFICATION;
	}
	(void)fprintf(out, "%sverification failed%s", show_red(&ctl->show), show_plain(&ctl->show));
	put_finding(out, fault);
	(void)fputs("\n" ADVICE "\n", out);
	return CTL_EXIT_VERIFICATION;
}

static int follow(struct ctl *ctl, const struct walk *walk, struct sums *sums)
{
	struct ctl_progress progress;
	json_t *answer = NULL;
	const json_t *at = NULL;
	int r = 0;

	ctl_progress_begin(&progress, "check", 0, ctl->args.quiet);
	do {
		json_t *before = answer;

		answer = NULL;
		r = ask(ctl, walk, at, &answer);
		json_decref(before);
		if (r == 0) {
			add(sums, walk, answer);
			at = json_object_get(answer, walk->next);
			ctl_progress_tell(&progress, (size_t)sums->checked);
		}
	} while (r == 0 && at && json_is_true(json_object_get(answer, "ok")));
	ctl_progress_end(&progress);
	if (r == 0 && !json_is_true(json_object_get(answer, "ok"))) {
		r = print_fault(ctl, sums, answer);
	}
	json_decref(answer);
	return r;
}

static int ask_head(struct ctl *ctl, int64_t *ret_seq)
{
	json_t *answer = NULL;
	int r = ctl_client_ask(ctl->client, COMMAND_ledger_head, &answer, &ctl->fault);

	*ret_seq = number(answer, "seq");
	json_decref(answer);
	return r;
}

/* What the accounts have and the register has not. It says nothing if something happened meanwhile. */
static int compare(struct ctl *ctl, const struct sums *sums)
{
	json_t *answer;
	int r;

	if (sums->started <= 0 && sums->completed <= 0) {
		return 0;
	}
	answer = json_pack("{s:s, s:b, s:{s:s}}", "part", "register", "ok", 0, "fault", "what",
			   "the register lacks removals that accounts have");
	r = print_fault(ctl, sums, answer);
	json_decref(answer);
	return r;
}

static int check_store(struct ctl *ctl, struct sums *sums)
{
	int64_t before = 0, after = 0;
	int r = ask_head(ctl, &before);

	r = r ? r : follow(ctl, &through_store, sums);
	r = r ? r : ask_head(ctl, &after);
	return r == 0 && before == after ? compare(ctl, sums) : r;
}

int ctl_deep_check(struct ctl *ctl)
{
	struct sums of_ledger = {0}, of_store = {0};
	int r = follow(ctl, &through_ledger, &of_ledger);

	return r ? r : check_store(ctl, &of_store);
}

static void print_well(struct ctl *ctl, const struct sums *sums)
{
	json_t *document;

	if (ctl->args.json) {
		document = json_pack("{s:b, s:I}", "ok", 1, "checked", (json_int_t)sums->checked);
		ctl_json_print(document, ctl->show.out);
		json_decref(document);
	} else if (!ctl->args.quiet) {
		(void)fputs("accounts, keys, indexes and the removal register say the same\n",
			    ctl->show.out);
	}
}

int ctl_deep_run(struct ctl *ctl)
{
	struct sums sums = {0};
	int r = check_store(ctl, &sums);

	if (r == 0) {
		print_well(ctl, &sums);
	}
	return r;
}
