/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_WORK_CMD_H
#define RETENTIOND_WORK_CMD_H

#include "daemon/work/call.h"

/*
 * One function for each row of commands.def: cmd_account_leave() and so on. It writes the result,
 * one map, to call->out.
 *
 * Return: 0; CALL_E_REFUSED from call_refuse(), when the request as a whole cannot be processed;
 * or a negative errno, which ends the process.
 */
#define COMMAND(symbol, ...) must_check int cmd_##symbol(struct call *call);
#include "common/commands.def"
#undef COMMAND

#endif
