/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/call.h"

#include "common/rpc.h"
#include "ctl/json.h"

static int read_arguments(struct ctl *ctl, json_t **ret_arguments)
{
	const char *text = ctl->args.n_operands == 2 ? ctl->args.operands[1] : "{}";
	json_error_t error;
	json_t *arguments;

	if (strcmp(text, "-") == 0) {
		arguments = json_loadf(stdin, JSON_REJECT_DUPLICATES, &error);
	} else {
		arguments = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	}
	if (!arguments) {
		return ctl_fault_set(&ctl->fault, CTL_EXIT_USAGE, "usage",
				     "the arguments are no JSON: line %d, column %d: %s",
				     error.line, error.column, error.text);
	}
	if (!json_is_object(arguments)) {
		json_decref(arguments);
		return ctl_fault_set(&ctl->fault, CTL_EXIT_USAGE, "usage",
				     "the arguments are to be a JSON object");
	}
	*ret_arguments = arguments;
	return 0;
}

static int call(struct ctl *ctl, const char *method, const json_t *arguments)
{
	const struct command *command = command_by_method(slice_of(method));
	size_t bytes_max = command ? command_frame_max(command) : RPC_FRAME_LARGE_MAX;
	json_t *result = NULL;
	int r = ctl_json_to_pack(ctl_client_begin(ctl->client, method, bytes_max), arguments);

	if (r != 0) {
		return ctl_fault_set(&ctl->fault, CTL_EXIT_USAGE, "usage",
				     "the arguments are nested too deep");
	}
	if (json_object_get(arguments, "request_id")) {
		ctl_client_repeatable(ctl->client);
	}
	r = ctl_client_call(ctl->client, &result, &ctl->fault);
	if (r == 0) {
		ctl_json_print(result, ctl->show.out);
	}
	json_decref(result);
	return r;
}

int ctl_call_run(struct ctl *ctl)
{
	const char *method = ctl->args.n_operands ? ctl->args.operands[0] : "";
	json_t *arguments = NULL;
	int r;

	if (ctl->args.n_operands < 1 || ctl->args.n_operands > 2) {
		return ctl_fault_set(&ctl->fault, CTL_EXIT_USAGE, "usage",
				     "usage: retentionctl call METHOD [JSON|-]");
	}
	if (strlen(method) < 1 || strlen(method) > RPC_METHOD_LEN_MAX) {
		return ctl_fault_set(&ctl->fault, CTL_EXIT_USAGE, "usage",
				     "a method's name has 1 to %d bytes", RPC_METHOD_LEN_MAX);
	}
	r = read_arguments(ctl, &arguments);
	r = r ? r : call(ctl, method, arguments);
	json_decref(arguments);
	return r;
}
