/* SPDX-License-Identifier: Apache-2.0 */
#include "common/version.h"

#include "daemon/work/answer.h"
#include "daemon/work/cmd.h"

static void put_grant(struct pack_writer *out, enum role role, const struct access_grant *grant)
{
	pack_write_map(out);
	pack_put_cstr(out, "role", role_name(role));
	if (grant && grant->keeper) {
		pack_put_cstr(out, "keeper", grant->keeper);
	}
	if (grant && grant->orgs) {
		pack_put_array(out, "orgs");
		for (size_t i = 0; i < grant->n_orgs; ++i) {
			pack_write_cstr(out, grant->orgs[i]);
		}
		pack_write_end(out);
	}
	pack_write_end(out);
}

static void put_you(struct call *call)
{
	const struct access_peer *peer = call->peer;
	const struct access_grant *grant;

	pack_put_map(call->out, "you");
	pack_put_uint(call->out, "uid", peer->uid);
	pack_put_uint(call->out, "gid", peer->gid);
	pack_put_array(call->out, "roles");
	if (peer->uid == 0) {
		put_grant(call->out, ROLE_ADMIN, NULL); /* root needs no grant */
	}
	for (size_t i = 0; (grant = access_grant_at(call->engine->rules, peer, i)); ++i) {
		put_grant(call->out, grant->role, grant);
	}
	pack_write_end(call->out);
	pack_write_end(call->out);
}

static void put_api_level(struct pack_writer *out)
{
	pack_put_int(out, "level", API_LEVEL);
	pack_put_int(out, "compatible", API_COMPATIBLE);
}

int cmd_retention_info(struct call *call)
{
	struct engine *engine = call->engine;

	pack_write_map(call->out);
	pack_put_cstr(call->out, "product", "retentiond");
	pack_put_cstr(call->out, "version", RETENTIOND_VERSION);
	pack_put_map(call->out, "api");
	put_api_level(call->out);
	pack_write_end(call->out);
	pack_put_cstr(call->out, "instance", store_instance(engine->store));
	answer_put_hex(call->out, "public_key", signer_public_key(engine->signer),
		       SIGNER_PUBLIC_LEN);
	answer_put_clock(call->out, engine);
	put_you(call);
	pack_write_end(call->out);
	return 0;
}

static void put_argument(struct pack_writer *out, const struct argument *argument, bool required)
{
	pack_write_map(out);
	pack_put_cstr(out, "name", argument->name);
	pack_put_cstr(out, "type", argument_type_name(argument->type));
	pack_put_bool(out, "required", required);
	pack_put_cstr(out, "help", argument->help);
	pack_write_end(out);
}

static void put_method(struct pack_writer *out, const struct command *command)
{
	pack_write_map(out);
	pack_put_cstr(out, "method", command->method);
	pack_put_cstr(out, "role", role_name(command->role));
	pack_put_cstr(out, "scope", command_scope_name(command->scope));
	pack_put_uint(out, "since", command->since);
	pack_put_bool(out, "changes", command_changes(command));
	pack_put_uint(out, "frame_max", command_frame_max(command));
	pack_put_cstr(out, "summary", command->summary);
	pack_put_cstr(out, "result", command->result);
	pack_put_array(out, "arguments");
	for (uint16_t i = 0; i < command->n_arguments; ++i) {
		put_argument(out, &argument_table[command->arguments[i].symbol],
			     command->arguments[i].required);
	}
	pack_write_end(out);
	pack_write_end(out);
}

static void put_fields(struct pack_writer *out, const char *key, enum argument_type items)
{
	pack_put_array(out, key);
	for (int i = 0; i < _FIELD_MAX; ++i) {
		if (field_belongs((enum field_symbol)i, items)) {
			put_argument(out, &field_table[i],
				     field_required((enum field_symbol)i, items));
		}
	}
	pack_write_end(out);
}

static void put_outcomes(struct pack_writer *out)
{
	pack_put_array(out, "outcomes");
	for (enum outcome outcome = 0; outcome < _OUTCOME_MAX; ++outcome) {
		pack_write_map(out);
		pack_put_cstr(out, "code", outcome_code(outcome));
		pack_put_cstr(out, "text", outcome_text(outcome));
		pack_write_end(out);
	}
	pack_write_end(out);
}

static void put_errors(struct pack_writer *out)
{
	pack_put_array(out, "errors");
	for (enum error error = 0; error < _ERROR_MAX; ++error) {
		pack_write_map(out);
		pack_put_cstr(out, "code", error_code(error));
		pack_put_cstr(out, "text", error_text(error));
		pack_write_end(out);
	}
	pack_write_end(out);
}

int cmd_retention_api(struct call *call)
{
	pack_write_map(call->out);
	put_api_level(call->out);
	pack_put_array(call->out, "methods");
	for (int i = 0; i < _COMMAND_MAX; ++i) {
		put_method(call->out, &command_table[i]);
	}
	pack_write_end(call->out);
	put_fields(call->out, "account_fields", ARGUMENT_TYPE_ACCOUNTS);
	put_fields(call->out, "import_fields", ARGUMENT_TYPE_IMPORTS);
	put_fields(call->out, "confirmation_fields", ARGUMENT_TYPE_CONFIRMATIONS);
	put_fields(call->out, "failure_fields", ARGUMENT_TYPE_FAILURES);
	put_fields(call->out, "lease_fields", ARGUMENT_TYPE_LEASES);
	put_fields(call->out, "request_fields", ARGUMENT_TYPE_REQUESTS);
	put_outcomes(call->out);
	put_errors(call->out);
	pack_write_end(call->out);
	return 0;
}
