/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/request.h"

#include "ctl/option.h"
#include "ctl/value.h"

static bool is_relative(const struct ctl_args *args, enum argument_symbol symbol)
{
	return argument_table[symbol].type == ARGUMENT_TYPE_INSTANT &&
	       ctl_value_is_relative(args->argument[symbol]);
}

static int write_request_id(struct ctl *ctl, struct pack_writer *writer, const char *id)
{
	int r = ctl_client_put_request_id(ctl->client, writer, id);

	return r < 0 ? ctl_fault_errno(&ctl->fault, r, "a request id") : 0;
}

/*
 * The same id on two calls would get the second one the first one's answer. Where none is given,
 * each call has one of its own, so that it is carried out once even if the daemon is started anew
 * meanwhile.
 */
static int put_request_id(struct ctl *ctl, const struct ctl_request *request,
			  struct pack_writer *writer)
{
	const char *id = ctl->args.argument[ARGUMENT_request_id];
	char text[128];
	const char *wrong;

	if (!id || request->n_parts == 1) {
		return write_request_id(ctl, writer, id);
	}
	(void)snprintf(text, sizeof(text), "%s.%zu", id, request->part + 1);
	wrong = model_request_id_fault(slice_of(text));
	if (wrong) {
		return ctl_fault_set(
			&ctl->fault, CTL_EXIT_USAGE, "usage",
			"the request id gets a number for each of %zu calls, and %s then %s",
			request->n_parts, text, wrong);
	}
	return write_request_id(ctl, writer, text);
}

static int put_argument(struct ctl *ctl, enum argument_symbol symbol, struct pack_writer *writer)
{
	struct ctl_value value;
	const char *text = ctl->args.argument[symbol];
	/* It is known if anything counts from it: see ctl_request_call(). */
	instant_t now = ctl->show.now == INSTANT_NONE ? 0 : ctl->show.now;
	const char *wrong = ctl_value_parse(argument_table[symbol].type, text, now, &value);

	if (wrong) {
		return ctl_fault_set(&ctl->fault, CTL_EXIT_USAGE, "usage", "%s %s", text, wrong);
	}
	ctl_value_write(writer, argument_table[symbol].name, &value);
	return 0;
}

static int put_arguments(struct ctl *ctl, const struct ctl_request *request,
			 struct pack_writer *writer)
{
	const struct command *command = ctl->args.command;

	for (size_t i = 0; i < command->n_arguments; i++) {
		enum argument_symbol symbol = command->arguments[i].symbol;
		int r;

		if (symbol == ARGUMENT_request_id) {
			r = put_request_id(ctl, request, writer);
		} else if (!ctl->args.argument[symbol] || symbol == request->resume ||
			   (symbol == ARGUMENT_limit && request->limit > 0)) {
			continue;
		} else {
			r = put_argument(ctl, symbol, writer);
		}
		if (r != 0) {
			return r;
		}
	}
	return 0;
}

static int put_resume(struct ctl *ctl, const struct ctl_request *request,
		      struct pack_writer *writer)
{
	struct ctl_value value;

	if (json_is_integer(request->resume_at)) {
		pack_put_int(writer, argument_table[request->resume].name,
			     json_integer_value(request->resume_at));
		return 0;
	}
	if (ctl_value_parse(argument_table[request->resume].type,
			    json_string_value(request->resume_at), ctl->show.now, &value)) {
		return ctl_fault_set(&ctl->fault, CTL_EXIT_FAILURE, "malformed",
				     "retentiond answered with a place to go on from that is none");
	}
	ctl_value_write(writer, argument_table[request->resume].name, &value);
	return 0;
}

static int put_all(struct ctl *ctl, const struct ctl_request *request, struct pack_writer *writer)
{
	int r;

	pack_write_map(writer);
	r = put_arguments(ctl, request, writer);
	if (r == 0 && request->resume != _ARGUMENT_MAX) {
		r = put_resume(ctl, request, writer);
	}
	if (request->limit > 0) {
		pack_put_int(writer, "limit", request->limit);
	}
	if (request->put_items) {
		request->put_items(writer, request->context);
	} else if (ctl->operands.accounts.n == 1) {
		ctl_account_write(writer, &ctl->operands.accounts.items[0]);
	}
	pack_write_end(writer);
	if (ctl_says_yes(ctl, ARGUMENT_dry_run)) {
		ctl_client_only_ask(ctl->client);
	}
	return r;
}

/* "within_us: …" of the daemon is "--within: …" to whoever wrote --within. */
static void name_option(const struct ctl_args *args, struct ctl_fault *fault)
{
	size_t len = strcspn(fault->text, ":");

	for (size_t i = 0; i < args->command->n_arguments; i++) {
		enum argument_symbol symbol = args->command->arguments[i].symbol;
		char option[CTL_OPTION_NAME_MAX];
		char rest[CTL_FAULT_TEXT_MAX];

		if (args->argument[symbol] && strlen(argument_table[symbol].name) == len &&
		    memcmp(argument_table[symbol].name, fault->text, len) == 0) {
			ctl_option_name(symbol, option);
			(void)snprintf(rest, sizeof(rest), "%s", fault->text + len);
			fault->text[0] = '\0';
			ctl_fault_add(fault, "--%s%s", option, rest);
			return;
		}
	}
}

int ctl_request_call(struct ctl *ctl, const struct ctl_request *request, json_t **ret_result)
{
	const struct command *command = ctl->args.command;
	int r;

	for (size_t i = 0; i < command->n_arguments; i++) {
		enum argument_symbol symbol = command->arguments[i].symbol;

		/* Asked before the request is begun: it is a call of its own. */
		if (ctl->args.argument[symbol] && is_relative(&ctl->args, symbol)) {
			ctl_learn_now(ctl, NULL);
		}
	}
	r = put_all(ctl, request,
		    ctl_client_begin(ctl->client, command->method, command_frame_max(command)));
	if (r != 0) {
		return r;
	}
	r = ctl_client_call(ctl->client, ret_result, &ctl->fault);
	if (r == CTL_EXIT_USAGE) {
		name_option(&ctl->args, &ctl->fault);
	}
	return r;
}
