/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/backup.h"

#include <poll.h>

#include "ctl/interrupt.h"
#include "ctl/json.h"

#define PAUSE_FIRST_MS 50
#define PAUSE_MAX_MS   1000

static int ask(struct ctl *ctl, json_t **ret_answer)
{
	return ctl_client_ask(ctl->client, COMMAND_backup_create, ret_answer, &ctl->fault);
}

static bool is_running(const json_t *answer)
{
	return json_is_true(json_object_get(answer, "running"));
}

/* The first answer may still be of a backup that ended before we came. */
static int begin(struct ctl *ctl, json_t **ret_answer)
{
	json_t *answer;
	instant_t finished_at;
	int r;

	ctl_learn_now(ctl, NULL);
	r = ask(ctl, &answer);
	if (r == 0 && !is_running(answer) && show_instant_of(answer, "finished_us", &finished_at) &&
	    finished_at < ctl->show.now) {
		json_decref(answer);
		r = ask(ctl, &answer);
	}
	if (r == 0) {
		*ret_answer = answer;
	}
	return r;
}

/* @answer is replaced by the last one. */
static int wait_for_end(struct ctl *ctl, json_t **answer)
{
	json_t *started = json_incref(json_object_get(*answer, "started_us"));
	int pause_ms = PAUSE_FIRST_MS;
	int r = 0;

	ctl_interrupt_catch();
	while (r == 0 && is_running(*answer)) {
		json_decref(*answer);
		*answer = NULL;
		(void)poll(NULL, 0, pause_ms); /* cut short by Ctrl-C */
		pause_ms = MIN(pause_ms * 2, PAUSE_MAX_MS);
		if (ctl_interrupted()) {
			r = ctl_fault_set(&ctl->fault, CTL_EXIT_INTERRUPTED, "interrupted",
					  "interrupted; the backup goes on");
		}
		r = r ? r : ask(ctl, answer);
		if (r == 0 && !json_equal(json_object_get(*answer, "started_us"), started)) {
			r = ctl_fault_set(&ctl->fault, CTL_EXIT_FAILURE, "failed",
					  "another backup has begun meanwhile: nobody told how "
					  "ours ended; see the journal");
		}
	}
	json_decref(started);
	return r;
}

static int show_backup(struct ctl *ctl, const json_t *answer)
{
	const char *error = ctl_json_text(answer, "error");

	if (ctl->args.json) {
		ctl_json_print(answer, ctl->show.out);
	}
	if (error) {
		return ctl_fault_set(&ctl->fault, CTL_EXIT_FAILURE, "failed",
				     "the backup failed: %s", error);
	}
	if (!ctl->args.json) {
		show_value(&ctl->show, "directory", json_object_get(answer, "directory"),
			   ctl->show.out);
		(void)fputs(": the data, ", ctl->show.out);
		show_value(&ctl->show, "data_bytes", json_object_get(answer, "bytes"),
			   ctl->show.out);
		(void)fputs("; the keys are in the vault's backup directory\n", ctl->show.out);
	}
	return 0;
}

int ctl_backup_run(struct ctl *ctl)
{
	json_t *answer = NULL;
	int r = begin(ctl, &answer);

	r = r ? r : wait_for_end(ctl, &answer);
	r = r ? r : show_backup(ctl, answer);
	json_decref(answer);
	return r;
}
