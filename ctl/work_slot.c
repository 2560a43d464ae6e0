/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/work_slot.h"

#include <errno.h>
#include <signal.h>

#include "ctl/json.h"
#include "ctl/show_items.h"
#include "ctl/show_refusal.h"
#include "ctl/text.h"

static int start_child(struct work_slot *slot, const char *keeper, char *const *command)
{
	char **environment = work_task_environment(slot->task, keeper);
	cleanup(freep) char *dump = json_dumps(slot->task, JSON_COMPACT);
	cleanup(freep) char *input = NULL;
	int len = dump ? asprintf(&input, "%s\n", dump) : -1;
	int r = -ENOMEM;

	if (len < 0) {
		input = NULL; /* asprintf(3) leaves it undefined */
	} else if (environment) {
		r = work_child_start(command, environment, (struct slice){input, (size_t)len},
				     &slot->child);
	}
	work_environment_free(environment);
	return r;
}

void work_slot_give_back(struct work_slot *slot, json_t *task)
{
	assert(slot->state == WORK_SLOT_FREE);
	*slot = (struct work_slot){
		.state = WORK_SLOT_ENDED,
		.task = json_incref(task),
		.verdict = {.end = WORK_END_STOPPED},
		.kill_us = INT64_MAX,
	};
}

int work_slot_start(struct work_slot *slot, json_t *task, const char *keeper, char *const *command)
{
	int r;

	work_slot_give_back(slot, task);
	r = start_child(slot, keeper, command);
	if (r == 0) {
		slot->state = WORK_SLOT_RUNNING;
	}
	return r;
}

void work_slot_poll(struct work_slot *slot)
{
	struct work_child *child = &slot->child;
	int status;

	assert(slot->state == WORK_SLOT_RUNNING);
	work_child_read(child);
	if (work_child_reap(child, &status)) {
		work_verdict_of(status, slot->stopped, &child->out_line, &child->err_line,
				&slot->verdict);
		slot->state = WORK_SLOT_ENDED;
		slot->kill_us = INT64_MAX;
	}
}

void work_slot_stop(struct work_slot *slot, int64_t now_us)
{
	if (slot->state == WORK_SLOT_RUNNING && !slot->stopped) {
		work_child_signal(&slot->child, SIGTERM);
		slot->stopped = true;
		slot->kill_us = now_us + WORK_KILL_AFTER;
	}
}

void work_slot_enforce(struct work_slot *slot, int64_t now_us)
{
	if (slot->state == WORK_SLOT_RUNNING && now_us >= slot->kill_us) {
		work_child_signal(&slot->child, SIGKILL);
		slot->kill_us = INT64_MAX;
	}
}

static void put_verdict(const struct work_verdict *verdict, struct pack_writer *writer)
{
	if (verdict->end == WORK_END_CONFIRMED) {
		pack_put_cstr(writer, field_table[FIELD_result].name,
			      task_result_name(verdict->result));
		if (verdict->result == TASK_RESULT_RETAINED) {
			pack_put_cstr(writer, field_table[FIELD_ground].name, verdict->ground);
		}
	} else if (verdict->end != WORK_END_STOPPED && verdict->error[0] != '\0') {
		pack_put_cstr(writer, field_table[FIELD_error].name, verdict->error);
	}
}

void work_slot_put(const struct work_slot *slot, struct pack_writer *writer)
{
	const char *token = ctl_json_text(slot->task, "token");

	pack_write_map(writer);
	pack_put_cstr(writer, field_table[FIELD_token].name, token ? token : "");
	if (slot->state == WORK_SLOT_ENDED) {
		put_verdict(&slot->verdict, writer);
	}
	pack_write_end(writer);
}

static const char *outcome_of(const json_t *item)
{
	const char *outcome = ctl_json_text(item, "outcome");

	return outcome ? outcome : "unknown";
}

bool work_slot_is_taken(const struct work_slot *slot, const json_t *item)
{
	const char *outcome = outcome_of(item);

	if (strcmp(outcome, outcome_code(OUTCOME_OK)) == 0) {
		return true;
	}
	/* What was put off or given back by the call without an answer has no lease any more. */
	return slot->said && slot->verdict.end != WORK_END_CONFIRMED &&
	       strcmp(outcome, outcome_code(OUTCOME_LEASE_EXPIRED)) == 0;
}

static void tell_json(const struct work_slot *slot, const json_t *item, struct ctl *ctl)
{
	json_t *line =
		json_pack("{s:O*, s:O*, s:s, s:s, s:O*}", "uid", json_object_get(slot->task, "uid"),
			  "attempt", json_object_get(slot->task, "attempt"), "result",
			  work_verdict_name(&slot->verdict), "outcome",
			  item ? outcome_of(item) : outcome_code(OUTCOME_LEASE_EXPIRED),
			  "retry_at_us", item ? json_object_get(item, "retry_at_us") : NULL);

	ctl_json_print_compact(line, ctl->show.out);
	(void)fputc('\n', ctl->show.out);
	(void)fflush(ctl->show.out); /* who reads this acts on it now; errors are told at the end */
	json_decref(line);
}

static void tell_people(const struct work_slot *slot, const json_t *item, struct ctl *ctl)
{
	const struct work_verdict *verdict = &slot->verdict;
	instant_t retry_at;

	(void)fprintf(stderr, "uid %lld: %s",
		      (long long)json_integer_value(json_object_get(slot->task, "uid")),
		      work_verdict_name(verdict));
	if (verdict->ground[0] != '\0') {
		(void)fprintf(stderr, " (%s)", verdict->ground);
	}
	if (!item) {
		(void)fputs(", but its lease has ended: it is given again", stderr);
	} else if (!work_slot_is_taken(slot, item)) {
		(void)fputs(", but refused: ", stderr);
		show_reason(json_object_get(item, "outcome"), stderr);
	} else if (show_instant_of(item, "retry_at_us", &retry_at)) {
		(void)fputs(", again from ", stderr);
		show_instant(&ctl->show, retry_at, stderr);
	}
	/* What a command says may name the person: it goes to whoever looks on, and to no log. */
	if (verdict->error[0] != '\0' && isatty(STDERR_FILENO)) {
		(void)fputs("; ", stderr);
		ctl_text_put(stderr, slice_of(verdict->error));
	}
	(void)fputc('\n', stderr);
}

void work_slot_tell(const struct work_slot *slot, const json_t *item, struct ctl *ctl)
{
	bool well =
		item && work_slot_is_taken(slot, item) && slot->verdict.end == WORK_END_CONFIRMED;

	if (ctl->args.json) {
		tell_json(slot, item, ctl);
	} else if (!ctl->args.quiet || !well) {
		tell_people(slot, item, ctl);
	}
}

void work_slot_free(struct work_slot *slot)
{
	assert(slot->state != WORK_SLOT_RUNNING);
	json_decref(slot->task);
	*slot = (struct work_slot){.state = WORK_SLOT_FREE, .kill_us = INT64_MAX};
}
