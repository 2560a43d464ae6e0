/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/work/answer.h"
#include "daemon/work/cmd.h"

int cmd_backup_create(struct call *call)
{
	const struct backup_status *status;
	int r = backups_ask(call->engine, &call->actor, &status);

	if (r < 0) {
		return call_refuse(call, ERROR_BUSY, "no backup can be begun: %s", strerror(-r));
	}
	pack_write_map(call->out);
	pack_put_bool(call->out, "running", status->running);
	pack_put_cstr(call->out, "directory", status->directory);
	answer_put_instant(call->out, "started_us", status->started_at);
	answer_put_instant(call->out, "finished_us", status->ended_at);
	pack_put_uint(call->out, "bytes", status->bytes);
	if (status->error[0] != '\0') {
		pack_put_cstr(call->out, "error", status->error);
	}
	pack_write_end(call->out);
	return 0;
}
