/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/mass.h"

#include <errno.h>

#include "common/outcome.h"

#include "ctl/json.h"
#include "ctl/option.h"

#define GUARDS_MAX 1000 /* in one answer */

/* Whether the mass guard counts what the verb does. */
static bool is_guarded(const struct ctl *ctl)
{
	enum command_symbol command = ctl_option_command(ctl->args.command);

	return command == COMMAND_account_leave || command == COMMAND_account_remove ||
	       command == COMMAND_account_purge;
}

static int no_memory(struct ctl *ctl)
{
	return ctl_fault_errno(&ctl->fault, -ENOMEM, "the mass guard");
}

static int ask_page(struct ctl *ctl, const json_t *cursor, json_t **ret_page)
{
	const struct command *command = &command_table[COMMAND_guard_list];
	struct pack_writer *writer =
		ctl_client_begin(ctl->client, command->method, command_frame_max(command));

	pack_write_map(writer);
	pack_put_int(writer, argument_table[ARGUMENT_limit].name, GUARDS_MAX);
	if (cursor) {
		pack_put_cstr(writer, argument_table[ARGUMENT_cursor].name,
			      json_string_value(cursor));
	}
	pack_write_end(writer);
	return ctl_client_call(ctl->client, ret_page, &ctl->fault);
}

/* The guards of a page, each under its organization's name. */
static int take_page(struct ctl *ctl, const json_t *page, json_t *guards)
{
	size_t i;
	json_t *guard;

	json_array_foreach(json_object_get(page, "guards"), i, guard) {
		const char *org = ctl_json_text(guard, "org");

		if (org && json_object_set(guards, org, guard) < 0) {
			return no_memory(ctl);
		}
	}
	return 0;
}

/* Whoever may not look is told nothing: the daemon holds back all the same. */
static int ask_guards(struct ctl *ctl, json_t *guards)
{
	json_t *page = NULL, *before;
	int r;

	do {
		before = page;
		page = NULL;
		r = ask_page(ctl, json_object_get(before, "cursor"), &page);
		json_decref(before);
		if (r == CTL_EXIT_PERMISSION || r == CTL_EXIT_USAGE) {
			ctl->fault = (struct ctl_fault){.exit = CTL_EXIT_OK};
			return 0;
		}
		r = r ? r : take_page(ctl, page, guards);
	} while (r == 0 && json_is_string(json_object_get(page, "cursor")));
	json_decref(page);
	return r;
}

/* One more of a kind in an organization. Return: whether the guard lets it pass. */
static bool pass(json_t *guards, const char *org, const char *kind)
{
	json_t *left = json_object_get(json_object_get(guards, org), kind);

	if (!json_is_integer(left)) {
		return true; /* it is off, or not ours to see */
	}
	if (json_integer_value(left) == 0) {
		return false;
	}
	return json_integer_set(left, json_integer_value(left) - 1) == 0;
}

static const char *kind_of(const struct ctl *ctl, const json_t *item)
{
	const char *state = ctl_json_text(item, "state");
	bool starts = state && strcmp(state, account_state_name(ACCOUNT_STATE_REMOVING)) == 0;

	return ctl_option_command(ctl->args.command) == COMMAND_account_purge || starts
		       ? "purges_left"
		       : "soft_deletions_left";
}

/* As the daemon tells it: the account stays as it is, and that was soft-deleted or active. */
static int make_staged(const struct ctl *ctl, json_t *item)
{
	static const char *const told[] = {"removal_started_us", "removal_due_us", "sla",
					   "deleted_at_us", "window_ends_us"};
	bool purges = ctl_option_command(ctl->args.command) == COMMAND_account_purge;
	enum account_state state = purges ? ACCOUNT_STATE_SOFT_DELETED : ACCOUNT_STATE_ACTIVE;
	const char *code = outcome_code(OUTCOME_STAGED);

	for (size_t i = 0; i < (purges ? 3 : ARRAY_LEN(told)); i++) {
		(void)json_object_del(item, told[i]); /* it may not be there */
	}
	return json_object_set_new(item, "state", json_string(account_state_name(state))) |
	       json_object_set_new(item, "outcome", json_string(code)) |
	       json_object_set_new(item, "reasons", json_pack("[s]", code));
}

static int plan(struct ctl *ctl, json_t *guards, json_t *items)
{
	size_t i;
	json_t *item;

	json_array_foreach(items, i, item) {
		const char *outcome = ctl_json_text(item, "outcome");
		const char *org = ctl_json_text(item, "org");

		if (outcome && org && strcmp(outcome, outcome_code(OUTCOME_OK)) == 0 &&
		    !pass(guards, org, kind_of(ctl, item)) && make_staged(ctl, item) != 0) {
			return no_memory(ctl);
		}
	}
	return 0;
}

int ctl_mass_plan(struct ctl *ctl, json_t *items)
{
	json_t *guards;
	int r;

	if (!is_guarded(ctl) || json_array_size(items) <= MODEL_ACCOUNTS_MAX) {
		return 0;
	}
	guards = json_object();
	r = guards ? ask_guards(ctl, guards) : no_memory(ctl);
	r = r ? r : plan(ctl, guards, items);
	json_decref(guards);
	return r;
}

static size_t count(const struct ctl *ctl, json_t *guards)
{
	bool purges = ctl_option_command(ctl->args.command) == COMMAND_account_purge;
	const struct ctl_accounts *accounts = &ctl->operands.accounts;
	size_t n = 0;

	for (size_t i = 0; i < accounts->n; i++) {
		char org[MODEL_ORG_LEN_MAX + 1];

		if (accounts->items[i].org.len == 0 ||
		    accounts->items[i].org.len > MODEL_ORG_LEN_MAX) {
			continue;
		}
		(void)model_lower(accounts->items[i].org, org, sizeof(org));
		n += !pass(guards, org, purges ? "purges_left" : "soft_deletions_left");
	}
	return n;
}

int ctl_mass_count(struct ctl *ctl, size_t *ret_n)
{
	json_t *guards;
	int r;

	*ret_n = 0;
	if (!is_guarded(ctl)) {
		return 0;
	}
	guards = json_object();
	r = guards ? ask_guards(ctl, guards) : no_memory(ctl);
	if (r == 0) {
		*ret_n = count(ctl, guards);
	}
	json_decref(guards);
	return r;
}
