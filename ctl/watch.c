/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/watch.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>

#include "common/rpc.h"
#include "ctl/json.h"
#include "ctl/request.h"

#define RETRY_MS 1000 /* between attempts to reach a daemon that restarts */

static void put_field(struct ctl *ctl, const char *before, const json_t *event, const char *key)
{
	const json_t *value = json_object_get(event, key);

	if (value) {
		(void)fputs(before, ctl->show.out);
		show_value(&ctl->show, key, value, ctl->show.out);
	}
}

static void put_event(struct ctl *ctl, const json_t *event)
{
	if (ctl->args.json) {
		(void)json_dumpf(event, ctl->show.out, JSON_COMPACT); /* main() looks for errors */
	} else {
		put_field(ctl, "", event, "seq");
		put_field(ctl, " ", event, "at_us");
		put_field(ctl, " ", event, "event");
		put_field(ctl, " uid:", event, "uid");
		put_field(ctl, " ", event, "org");
		put_field(ctl, " now ", event, "state");
		put_field(ctl, " keeper ", event, "keeper");
		put_field(ctl, " ", event, "result");
		put_field(ctl, " by ", event, "role");
		put_field(ctl, " user ", event, "actor_uid");
	}
	(void)fputc('\n', ctl->show.out);
	(void)fflush(ctl->show.out);
}

/* Subscribes from a number on; 0 for what comes next. */
static int subscribe(struct ctl *ctl, int64_t from, int64_t *ret_from)
{
	struct pack_writer *writer = ctl_client_begin(
		ctl->client, command_table[COMMAND_events_subscribe].method, RPC_FRAME_SMALL_MAX);
	json_t *result = NULL;
	int r;

	pack_write_map(writer);
	if (from > 0) {
		pack_put_int(writer, "from", from);
	}
	pack_write_end(writer);
	r = ctl_client_call(ctl->client, &result, &ctl->fault);
	if (r == 0) {
		*ret_from = json_integer_value(json_object_get(result, "from"));
	}
	json_decref(result);
	return r;
}

/* Until the connection ends. @next moves behind what has been shown; @subscribed is set once. */
static int follow(struct ctl *ctl, int64_t *next, bool *subscribed)
{
	json_t *event = NULL;
	int r = subscribe(ctl, *next, next);

	*subscribed = *subscribed || r == 0;
	while (r == 0) {
		r = ctl_client_next_event(ctl->client, &event, &ctl->fault);
		if (r == 0) {
			put_event(ctl, event);
			*next = json_integer_value(json_object_get(event, "seq")) + 1;
			json_decref(event);
		}
	}
	return r;
}

static int64_t first_number(const struct ctl *ctl)
{
	const char *from = ctl->args.argument[ARGUMENT_from];

	return from ? strtoll(from, NULL, 10) : 0; /* has been checked with the other options */
}

/* A client whose connection broke is of no more use. */
static int begin_anew(struct ctl *ctl)
{
	int r;

	ctl->fault = (struct ctl_fault){.exit = CTL_EXIT_OK};
	ctl->client = ctl_client_free(ctl->client);
	r = ctl_client_new(ctl->args.socket, ctl->args.timeout, &ctl->client);
	return r < 0 ? ctl_fault_errno(&ctl->fault, r, "beginning anew") : 0;
}

int ctl_watch_run(struct ctl *ctl)
{
	int64_t next = first_number(ctl);
	bool subscribed = false;
	int r;

	while ((r = follow(ctl, &next, &subscribed)) == CTL_EXIT_UNREACHABLE) {
		if (!subscribed) {
			return r; /* there was no daemon to begin with */
		}
		if (!ctl->args.quiet) {
			(void)fprintf(stderr,
				      "retentionctl: the daemon is not reachable; waiting to go on "
				      "from %" PRId64 "\n",
				      next);
		}
		(void)poll(NULL, 0, RETRY_MS);
		r = begin_anew(ctl);
		if (r != 0) {
			break;
		}
	}
	return r;
}
