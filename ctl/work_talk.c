/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/work_talk.h"

#include <errno.h>

#include "ctl/monotonic.h"
#include "ctl/text.h"

#define WAIT_FIRST (SPAN_SECOND / 4) /* a restart of the daemon takes about as long */
#define WAIT_MAX   (30 * SPAN_SECOND)

static void tell(const struct work_talk *talk, const char *text)
{
	if (!talk->ctl->args.quiet) {
		(void)fputs("retentionctl: ", stderr);
		ctl_text_put(stderr, slice_of(text));
		(void)fputc('\n', stderr);
	}
}

static void heard(struct work_talk *talk)
{
	if (talk->lost_us != 0) {
		tell(talk, "retentiond answers again");
	}
	talk->lost_us = 0;
	talk->retry_us = 0;
	talk->wait = 0;
}

/* A new connection next time: nothing that is still on its way in this one counts then. */
static int hang_up(struct work_talk *talk)
{
	struct ctl *ctl = talk->ctl;
	int r;

	ctl->client = ctl_client_free(ctl->client);
	r = ctl_client_new(ctl->args.socket, ctl->args.timeout, &ctl->client);
	if (r < 0) {
		(void)ctl_fault_errno(&ctl->fault, r, "connecting anew"); /* told at the end */
		return WORK_E_REFUSED;
	}
	return WORK_E_AWAY;
}

static int put_off(struct work_talk *talk)
{
	int64_t now_us = monotonic_us();

	if (talk->lost_us == 0) {
		talk->lost_us = now_us;
		tell(talk, talk->ctl->fault.text);
		tell(talk, "trying again until it answers");
	}
	talk->wait = talk->wait ? MIN(talk->wait * 2, WAIT_MAX) : WAIT_FIRST;
	talk->retry_us = now_us + talk->wait;
	return hang_up(talk);
}

/* Whether it makes sense to say the same again later. */
static bool may_pass(const struct ctl_fault *fault)
{
	static const char *const codes[] = {"busy", "store-full"};

	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		if (strcmp(fault->code, codes[i]) == 0) {
			return true;
		}
	}
	return fault->exit == CTL_EXIT_UNREACHABLE || fault->exit == CTL_EXIT_TIMEOUT;
}

static struct pack_writer *begin(struct work_talk *talk, enum command_symbol command)
{
	const struct command *row = &command_table[command];
	struct pack_writer *writer =
		ctl_client_begin(talk->ctl->client, row->method, command_frame_max(row));

	ctl_client_ask_once(talk->ctl->client);
	pack_write_map(writer);
	pack_put_cstr(writer, argument_table[ARGUMENT_keeper].name, talk->keeper);
	return writer;
}

static int call(struct work_talk *talk, struct pack_writer *writer, json_t **ret_result)
{
	struct ctl *ctl = talk->ctl;

	pack_write_end(writer);
	if (ctl_client_call(ctl->client, ret_result, &ctl->fault) != 0) {
		return may_pass(&ctl->fault) ? put_off(talk) : WORK_E_REFUSED;
	}
	ctl->fault = (struct ctl_fault){.exit = CTL_EXIT_OK};
	heard(talk);
	return 0;
}

static int malformed(struct work_talk *talk)
{
	(void)ctl_fault_set(&talk->ctl->fault, CTL_EXIT_FAILURE, "malformed",
			    "retentiond's answer is not what was asked for");
	return WORK_E_REFUSED;
}

int work_talk_claim(struct work_talk *talk, size_t max, json_t **ret_result)
{
	struct pack_writer *writer = begin(talk, COMMAND_keeper_claim);
	json_t *result;
	int r;

	pack_put_uint(writer, argument_table[ARGUMENT_max].name, max);
	pack_put_int(writer, argument_table[ARGUMENT_lease_us].name, talk->lease);
	r = call(talk, writer, &result);
	if (r != 0) {
		return r;
	}
	if (json_array_size(json_object_get(result, "tasks")) > max) {
		json_decref(result);
		return malformed(talk);
	}
	*ret_result = result;
	return 0;
}

int work_talk_say(struct work_talk *talk, const struct work_saying *saying, size_t n,
		  json_t **ret_items)
{
	struct pack_writer *writer = begin(talk, saying->command);
	json_t *result, *items;
	int r;

	if (saying->command == COMMAND_keeper_extend) {
		pack_put_int(writer, argument_table[ARGUMENT_lease_us].name,
			     saying->give_back ? 0 : talk->lease);
	}
	pack_put_array(writer, argument_table[ARGUMENT_leases].name);
	saying->put_tasks(writer, saying->context);
	pack_write_end(writer);
	r = call(talk, writer, &result);
	if (r != 0) {
		return r;
	}
	items = json_incref(json_object_get(result, "items"));
	json_decref(result);
	if (json_array_size(items) != n) {
		json_decref(items);
		return malformed(talk);
	}
	*ret_items = items;
	return 0;
}
