/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/work/cmd.h"

/*
 * The subscription itself is the session's position in the ledger; the notifications follow once
 * the turn is on disk, see events.h. Subscribing again moves the position.
 */
static int subscribe(struct call *call, uint8_t keeper)
{
	uint64_t next = store_head(call->engine->store)->seq + 1;
	uint64_t from = REQUEST_HAS(call->request, from) ? call->request->from : next;

	if (from > next) {
		return call_refuse_argument(call, "from",
					    "lies beyond the end of the ledger; was an older state "
					    "of the store restored?");
	}
	call->session->next_seq = from;
	call->session->keeper = keeper;
	pack_write_map(call->out);
	pack_put_uint(call->out, "from", from);
	pack_write_end(call->out);
	return 0;
}

int cmd_events_subscribe(struct call *call)
{
	return subscribe(call, 0);
}

int cmd_keeper_watch(struct call *call)
{
	const struct keeper *keeper;
	int r = call_keeper(call, &keeper);

	return r != 0 ? r : subscribe(call, keeper->number);
}
