/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/work/dispatch.h"

#include <errno.h>

#include "daemon/work/cmd.h"
#include "daemon/work/replay.h"

/* The table's functions, in its order. */
static int (*const command_functions[_COMMAND_MAX])(struct call *) = {
#define COMMAND(symbol, ...) [COMMAND_##symbol] = cmd_##symbol,
#include "common/commands.def"
#undef COMMAND
};

static enum command_symbol command_symbol(const struct command *command)
{
	return (enum command_symbol)(command - command_table);
}

static int refuse_unknown(struct call *call, struct slice method)
{
	char shown[RPC_METHOD_LEN_MAX + 1];
	size_t len = MIN(method.len, RPC_METHOD_LEN_MAX);

	for (size_t i = 0; i < len; ++i) {
		shown[i] = method.data[i] > 0x20 && method.data[i] < 0x7f ? method.data[i] : '?';
	}
	shown[len] = '\0';
	return call_refuse(call, ERROR_UNKNOWN_METHOD,
			   "there is no method \"%s\"; retention.api lists them", shown);
}

static int refuse_peer(struct call *call)
{
	const struct command *command = call->command;

	if (command->role == ROLE_KEEPER) {
		return call_refuse(call, ERROR_PERMISSION_DENIED,
				   "%s needs the role keeper of this name, which the configuration "
				   "grants; retentionctl info tells which roles uid %u has",
				   command->method, call->peer->uid);
	}
	return call_refuse(call, ERROR_PERMISSION_DENIED,
			   "%s needs the role %s%s; retentionctl info tells which roles uid %u has",
			   command->method, role_name(command->role),
			   command->scope == COMMAND_SCOPE_ALL ? " over all organizations" : "",
			   call->peer->uid);
}

/* Who asks, in which role, with the reason given: what the ledger and the notes will say. */
static struct actor actor_of(const struct call *call)
{
	return (struct actor){
		.role = access_acting_role(call->engine->rules, call->peer, call->command),
		.uid = call->peer->uid,
		.at = call->engine->now,
		.note = {call->request->reason, call->request->ref},
	};
}

static bool wants_replay(const struct call *call)
{
	return REQUEST_HAS(call->request, request_id) && !call->request->dry_run;
}

/* Return: 0, CALL_E_REFUSED, or a negative errno. */
static int call_command(struct call *call, const struct pack_value *params)
{
	size_t start = call->out->len;
	int r;

	if (wants_replay(call)) {
		r = replay_answer(call, params);
		if (r != REPLAY_E_NONE) {
			return r;
		}
	}
	r = command_functions[command_symbol(call->command)](call);
	if (r == 0 && wants_replay(call) && call->out->error == 0) {
		r = replay_keep(call, params, start);
	}
	return r;
}

/* The funnel. Return: 0 with the result in call->out, CALL_E_REFUSED, or a negative errno. */
static int call_message(struct call *call, const struct rpc_message *message)
{
	char fault[REQUEST_FAULT_MAX];

	call->command = command_by_method(message->method);
	if (!call->command) {
		return refuse_unknown(call, message->method);
	}
	if (!access_may_call(call->engine->rules, call->peer, call->command)) {
		return refuse_peer(call);
	}
	if (message->bytes > command_frame_max(call->command)) {
		return call_refuse(call, ERROR_TOO_LARGE, "a request of %s has at most %zu bytes",
				   call->command->method, command_frame_max(call->command));
	}
	if (request_decode(call->command, &message->params, call->engine->request, fault) != 0) {
		return call_refuse(call, ERROR_INVALID_ARGUMENT, "%s", fault);
	}
	call->actor = actor_of(call);
	return call_command(call, &message->params);
}

/* What a caller may repeat goes into the writer whole, or not at all. */
static void write_refusal(struct call *call, uint32_t msgid, size_t start)
{
	pack_writer_cut(call->out, start);
	rpc_write_error(call->out, msgid, error_kind(call->refusal.error),
			error_code(call->refusal.error), call->refusal.text);
	++call->engine->meters.n_errors;
	call->engine->meters.n_errors_failed += error_kind(call->refusal.error) == RPC_ERROR_FAILED;
}

static int answer_request(struct call *call, const struct rpc_message *message)
{
	size_t start = call->out->len;
	int r;

	rpc_write_answer(call->out, message->msgid);
	r = call_message(call, message);
	if (r < 0) {
		return r;
	}
	if (r == 0) {
		rpc_write_answer_end(call->out);
	}
	if (call->out->error == -ENOMEM) {
		return -ENOMEM;
	}
	if (r == 0 && call->out->error != 0) {
		r = call_refuse(call, ERROR_TOO_LARGE,
				"the answer has more than %d bytes; ask for less", RPC_ANSWER_MAX);
	}
	if (r == CALL_E_REFUSED) {
		write_refusal(call, message->msgid, start);
	}
	return 0;
}

int dispatch_message(struct engine *engine, struct session *session,
		     const struct rpc_message *message, struct pack_writer *out)
{
	struct call *call = engine->call;

	if (message->type != RPC_REQUEST) {
		++engine->meters
			  .n_notifications; /* there is nobody to tell what came of it, so nothing is done */
		return 0;
	}
	++engine->meters.n_requests;
	call->engine = engine;
	call->peer = &session->peer;
	call->session = session;
	call->request = engine->request;
	call->out = out;
	call->n_spans = 0;
	return answer_request(call, message);
}
