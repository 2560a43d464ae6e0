/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/plan.h"

#include <errno.h>

#include "ctl/json.h"
#include "ctl/option.h"
#include "ctl/show_items.h"
#include "ctl/value.h"

#define NEW_UPN "new-upn"

/* Print */

/* An instant that counts from now is written out: later, now is another. */
static json_t *text_of(const struct ctl *ctl, enum argument_symbol symbol)
{
	const char *text = ctl->args.argument[symbol];
	char absolute[INSTANT_TEXT_MAX];
	struct ctl_value value;

	if (argument_table[symbol].type != ARGUMENT_TYPE_INSTANT || !ctl_value_is_relative(text) ||
	    ctl_value_parse(ARGUMENT_TYPE_INSTANT, text, ctl->show.now, &value)) {
		return json_string(text);
	}
	instant_format(value.integer, true, absolute);
	return json_string(absolute);
}

/* A request id is for one request, and what a plan leads to is another one. */
static bool is_kept(enum argument_symbol symbol)
{
	return symbol != ARGUMENT_dry_run && symbol != ARGUMENT_request_id;
}

static json_t *options_of(const struct ctl *ctl)
{
	json_t *options = json_object();
	enum argument_symbol symbol;
	bool ok = options != NULL;

	for (size_t i = 0; (symbol = ctl_option_argument_at(ctl->args.command, i)) != _ARGUMENT_MAX;
	     i++) {
		char name[CTL_OPTION_NAME_MAX];

		ctl_option_name(symbol, name);
		if (ctl->args.argument[symbol] && is_kept(symbol)) {
			ok = json_object_set_new(options, name, text_of(ctl, symbol)) == 0 && ok;
		}
	}
	if (ctl->args.new_upn) {
		ok = json_object_set_new(options, NEW_UPN, json_string(ctl->args.new_upn)) == 0 &&
		     ok;
	}
	if (!ok) {
		json_decref(options);
		return NULL;
	}
	return options;
}

/* The items, each led by what the account was called by. */
static json_t *items_of(const struct ctl *ctl, const json_t *items)
{
	json_t *named = json_array();
	size_t i;
	const json_t *item;
	bool ok = named != NULL;

	json_array_foreach(items, i, item) {
		json_t *row =
			json_pack("{s:s}", "account", ctl->operands.accounts.items[i].written);

		ok = ok && row && json_object_update(row, (json_t *)item) == 0; /* reads it only */
		ok = json_array_append_new(named, row) == 0 && ok;
	}
	if (!ok) {
		json_decref(named);
		return NULL;
	}
	return named;
}

static int print(struct ctl *ctl, const json_t *items, const json_t *info)
{
	json_t *plan =
		json_pack("{s:i, s:s, s:O, s:I, s:o, s:o}", "plan", CTL_PLAN_FORMAT, "verb",
			  ctl->args.command->verb, "instance", json_object_get(info, "instance"),
			  "at_us", (json_int_t)ctl->show.now, "options", options_of(ctl), "items",
			  items_of(ctl, items));

	if (!plan) {
		return ctl_fault_set(&ctl->fault, CTL_EXIT_FAILURE, "failed",
				     "the plan cannot be made: there is no memory, or retentiond "
				     "does not say which it is");
	}
	ctl_json_print(plan, ctl->show.out);
	json_decref(plan);
	return 0;
}

int ctl_plan_print(struct ctl *ctl, const json_t *items)
{
	struct ctl_fault before = ctl->fault;
	json_t *info = NULL;
	int r = ctl_client_ask(ctl->client, COMMAND_retention_info, &info, &ctl->fault);

	if (before.exit != CTL_EXIT_OK) {
		ctl->fault = before; /* what ended the work is what is told */
	}
	if (r == 0) {
		ctl_learn_now(ctl, json_object_get(info, "clock"));
		r = print(ctl, items, info);
	}
	json_decref(info);
	return r;
}

/* Take */

static int wrong(struct ctl *ctl, const char *what)
{
	return ctl_fault_set(&ctl->fault, CTL_EXIT_USAGE, "usage",
			     "--plan=%s %s; make one with: retentionctl %s --dry-run --json "
			     "ACCOUNT… >FILE",
			     ctl->args.plan, what, ctl->args.command->verb);
}

/* Why and for which ticket may be said later. */
static bool may_add(enum argument_symbol symbol)
{
	return symbol == ARGUMENT_reason || symbol == ARGUMENT_ref || !is_kept(symbol);
}

static int check_command_line(struct ctl *ctl)
{
	if (ctl->args.n_operands > 0) {
		return ctl_fault_set(&ctl->fault, CTL_EXIT_USAGE, "usage",
				     "the accounts are those of the plan: leave %s out",
				     ctl->args.operands[0]);
	}
	for (int symbol = 0; symbol < _ARGUMENT_MAX; symbol++) {
		char name[CTL_OPTION_NAME_MAX];

		if (ctl->args.argument[symbol] && !may_add((enum argument_symbol)symbol)) {
			ctl_option_name((enum argument_symbol)symbol, name);
			return ctl_fault_set(&ctl->fault, CTL_EXIT_USAGE, "usage",
					     "--%s is the plan's: leave it out", name);
		}
	}
	return ctl->args.new_upn ? ctl_fault_set(&ctl->fault, CTL_EXIT_USAGE, "usage",
						 "--" NEW_UPN " is the plan's: leave it out")
				 : 0;
}

static int load(struct ctl *ctl)
{
	json_error_t error;
	FILE *in = fopen(ctl->args.plan, "re");

	if (!in) {
		return ctl_fault_errno(&ctl->fault, errno, ctl->args.plan);
	}
	ctl->plan = json_loadf(in, JSON_REJECT_DUPLICATES, &error);
	(void)fclose(in); /* it was only read */
	if (!ctl->plan) {
		return ctl_fault_set(&ctl->fault, CTL_EXIT_USAGE, "usage",
				     "--plan=%s is no JSON: line %d, column %d: %s", ctl->args.plan,
				     error.line, error.column, error.text);
	}
	return 0;
}

static int check_head(struct ctl *ctl)
{
	const json_t *format = json_object_get(ctl->plan, "plan");
	const char *verb = ctl_json_text(ctl->plan, "verb");

	if (!json_is_integer(format) || !verb || !ctl_json_text(ctl->plan, "instance") ||
	    !json_is_object(json_object_get(ctl->plan, "options")) ||
	    !json_is_array(json_object_get(ctl->plan, "items"))) {
		return wrong(ctl, "is no plan");
	}
	if (json_integer_value(format) != CTL_PLAN_FORMAT) {
		return wrong(ctl, "has a form that this client does not know");
	}
	return strcmp(verb, ctl->args.command->verb) == 0 ? 0 : wrong(ctl, "is another verb's");
}

static int check_instance(struct ctl *ctl)
{
	json_t *info = NULL;
	int r = ctl_client_ask(ctl->client, COMMAND_retention_info, &info, &ctl->fault);

	if (r == 0 && !json_equal(json_object_get(info, "instance"),
				  json_object_get(ctl->plan, "instance"))) {
		r = wrong(ctl, "was made for another store");
	}
	json_decref(info);
	return r;
}

/* Options read like those of the command line: a plan is a file, and anybody may have edited it. */
static int take_option(struct ctl *ctl, const char *name, const json_t *value)
{
	enum argument_symbol symbol = ctl_option_argument(ctl->args.command, name);
	const char *text = json_string_value(value);
	struct ctl_value ignored;

	if (text && strcmp(name, NEW_UPN) == 0 && !model_address_fault(slice_of(text))) {
		ctl->args.new_upn = text;
		return 0;
	}
	if (!text || symbol == _ARGUMENT_MAX || !is_kept(symbol) ||
	    ctl_value_parse(argument_table[symbol].type, text, 0, &ignored)) {
		return wrong(ctl, "has an option that is not one of the verb's");
	}
	if (!ctl->args.argument[symbol]) {
		ctl->args.argument[symbol] = text;
	}
	return 0;
}

static int take_options(struct ctl *ctl)
{
	const char *name;
	json_t *value;
	int r = 0;

	json_object_foreach(json_object_get(ctl->plan, "options"), name, value) {
		r = r ? r : take_option(ctl, name, value);
	}
	return r;
}

static int take_item(struct ctl *ctl, const json_t *item)
{
	char name[32];
	struct ctl_account account = {
		.written = ctl_json_text(item, "account"),
		.uid = json_integer_value(json_object_get(item, "uid")),
		.seq = json_integer_value(json_object_get(item, "seq")),
	};

	if (!ctl_json_text(item, "outcome")) {
		return wrong(ctl, "has an item without an outcome");
	}
	if (!show_is_ok(item)) {
		return 0;
	}
	if (account.uid < 1 || account.seq < 1) {
		return wrong(ctl, "has an item without uid and seq");
	}
	if (!account.written) {
		(void)snprintf(name, sizeof(name), "uid:%lld", (long long)account.uid);
		account.written = name;
	}
	if (ctl_accounts_add(&ctl->operands.accounts, &account) < 0) {
		return ctl_fault_errno(&ctl->fault, -ENOMEM, "a plan");
	}
	return 0;
}

static int take_items(struct ctl *ctl)
{
	const json_t *items = json_object_get(ctl->plan, "items");
	size_t n;
	size_t i;
	const json_t *item;
	int r = 0;

	json_array_foreach(items, i, item) {
		r = r ? r : take_item(ctl, item);
	}
	n = ctl->operands.accounts.n;
	if (r == 0 && n == 0) {
		return ctl_fault_set(&ctl->fault, CTL_EXIT_USAGE, "usage",
				     "there is no account to %s: the plan's dry run found none",
				     ctl->args.command->verb);
	}
	if (r == 0 && n < json_array_size(items) && !ctl->args.quiet) {
		(void)fprintf(stderr,
			      "retentionctl: %zu of the plan's %zu accounts were refused or staged "
			      "in the dry run and are left out\n",
			      json_array_size(items) - n, json_array_size(items));
	}
	return r;
}

int ctl_plan_take(struct ctl *ctl)
{
	int r = check_command_line(ctl);

	r = r ? r : load(ctl);
	r = r ? r : check_head(ctl);
	r = r ? r : take_options(ctl);
	r = r ? r : take_items(ctl);
	return r ? r : check_instance(ctl);
}
