/* SPDX-License-Identifier: Apache-2.0 */
#include "common/commands.h"

#include <criterion/criterion.h>

#include "common/rpc.h"

Test(commands, every_method_is_found_by_its_exact_bytes)
{
	for (size_t i = 0; i < _COMMAND_MAX; i++) {
		const struct command *command = &command_table[i];

		cr_assert_eq(command_by_method(slice_of(command->method)), command, "%s",
			     command->method);
	}
}

Test(commands, a_method_that_is_cut_lengthened_or_holds_a_nul_is_not_found)
{
	for (size_t i = 0; i < _COMMAND_MAX; i++) {
		char method[RPC_METHOD_LEN_MAX + 2] = {0};
		size_t len = strlen(command_table[i].method);

		memcpy(method, command_table[i].method, len);
		cr_assert_null(command_by_method((struct slice){method, len - 1}));
		cr_assert_null(command_by_method((struct slice){method, len + 1}), "with a NUL");
		method[len] = 's';
		cr_assert_null(command_by_method((struct slice){method, len + 1}));
	}
}

Test(commands, unknown_methods_are_not_found)
{
	static const struct slice unknown[] = {
		{NULL, 0},
		SLICE_LITERAL(""),
		SLICE_LITERAL("\0"),
		SLICE_LITERAL("account"),
		SLICE_LITERAL("account."),
		SLICE_LITERAL("Account.leave"),
		SLICE_LITERAL("account_leave"),
		SLICE_LITERAL("leave"),
		SLICE_LITERAL("\xc3\x28"),
	};
	char longest[RPC_METHOD_LEN_MAX + 1];

	for (size_t i = 0; i < ARRAY_LEN(unknown); i++) {
		cr_assert_null(command_by_method(unknown[i]), "%zu", i);
	}
	memset(longest, 'x', sizeof(longest));
	cr_assert_null(command_by_method((struct slice){longest, sizeof(longest) - 1}));
	cr_assert_null(command_by_method((struct slice){longest, sizeof(longest)}));
}

Test(commands, every_verb_is_found_and_others_are_not)
{
	for (size_t i = 0; i < _COMMAND_MAX; i++) {
		cr_assert_eq(command_by_verb(command_table[i].verb), &command_table[i], "%s",
			     command_table[i].verb);
	}
	cr_assert_null(command_by_verb(""));
	cr_assert_null(command_by_verb("status"), "systemd's word");
	cr_assert_null(command_by_verb("leav"));
	cr_assert_null(command_by_verb("leaves"));
}

Test(commands, names_are_unique)
{
	for (size_t i = 0; i < _COMMAND_MAX; i++) {
		for (size_t k = 0; k < i; k++) {
			cr_assert_str_neq(command_table[i].method, command_table[k].method);
			cr_assert_str_neq(command_table[i].verb, command_table[k].verb);
		}
	}
	for (size_t i = 0; i < _FIELD_MAX; i++) {
		for (size_t k = 0; k < i; k++) {
			cr_assert_str_neq(field_table[i].name, field_table[k].name);
		}
	}
}

Test(commands, no_command_takes_two_arguments_of_one_name)
{
	for (size_t i = 0; i < _COMMAND_MAX; i++) {
		const struct command *command = &command_table[i];

		for (size_t k = 0; k < command->n_arguments; k++) {
			for (size_t m = 0; m < k; m++) {
				cr_assert_str_neq(argument_table[command->arguments[k].symbol].name,
						  argument_table[command->arguments[m].symbol].name,
						  "%s", command->method);
			}
		}
	}
}

Test(commands, every_row_is_filled_in)
{
	for (size_t i = 0; i < _COMMAND_MAX; i++) {
		const struct command *command = &command_table[i];

		cr_assert_gt(strlen(command->summary), 0, "%s", command->method);
		cr_assert_gt(strlen(command->result), 0, "%s", command->method);
		cr_assert_not_null(command->operands, "%s", command->method);
		cr_assert_leq(command->since, API_LEVEL, "%s", command->method);
		cr_assert_geq(command->since, 1, "%s", command->method);
		cr_assert_lt(command->role, ROLE_DAEMON, "%s: nobody is granted it",
			     command->method);
		cr_assert_not_null(command_scope_name(command->scope));
	}
	for (size_t i = 0; i < _ARGUMENT_MAX; i++) {
		cr_assert_gt(strlen(argument_table[i].name), 0);
		cr_assert_gt(strlen(argument_table[i].help), 0);
	}
	for (size_t i = 0; i < _FIELD_MAX; i++) {
		cr_assert_gt(strlen(field_table[i].help), 0);
	}
	for (int type = 0; type < _ARGUMENT_TYPE_MAX; type++) {
		cr_assert_gt(strlen(argument_type_name((enum argument_type)type)), 0);
	}
}

Test(commands, a_name_has_one_type_among_arguments_and_fields)
{
	for (size_t i = 0; i < _ARGUMENT_MAX; i++) {
		for (size_t k = 0; k < _FIELD_MAX; k++) {
			if (strcmp(argument_table[i].name, field_table[k].name) == 0) {
				cr_assert_eq(argument_table[i].type, field_table[k].type, "%s",
					     field_table[k].name);
			}
		}
	}
}

Test(commands, imports_are_named_accounts_on_the_wire)
{
	cr_assert_str_eq(argument_table[ARGUMENT_imports].name, "accounts");
	cr_assert_str_eq(argument_table[ARGUMENT_accounts].name, "accounts");
	cr_assert_str_eq(argument_table[ARGUMENT_org].name, "org");
	cr_assert_str_eq(argument_table[ARGUMENT_request_id].name, "request_id");
}

Test(commands, every_changing_command_takes_the_four)
{
	size_t n_changing = 0;

	for (size_t i = 0; i < _COMMAND_MAX; i++) {
		const struct command *command = &command_table[i];

		if (!command_changes(command)) {
			/* A keeper that has erased cannot ask what it would do, but it repeats itself. */
			cr_assert_eq(command_takes(command, ARGUMENT_request_id),
				     i == COMMAND_keeper_confirm, "%s", command->method);
			continue;
		}
		n_changing++;
		cr_assert(command_takes(command, ARGUMENT_reason), "%s", command->method);
		cr_assert(command_takes(command, ARGUMENT_ref), "%s", command->method);
		cr_assert(command_takes(command, ARGUMENT_request_id), "%s", command->method);
	}
	cr_assert_gt(n_changing, 0);
}

Test(commands, what_changes_accounts_or_organizations_is_a_changing_command)
{
	static const enum command_symbol changing[] = {
		COMMAND_org_set,         COMMAND_account_import,  COMMAND_account_leave,
		COMMAND_account_remove,  COMMAND_account_restore, COMMAND_account_purge,
		COMMAND_account_disable, COMMAND_account_enable,  COMMAND_keeper_set,
		COMMAND_keeper_waive,    COMMAND_keeper_owe,      COMMAND_hold_add,
		COMMAND_hold_remove,     COMMAND_request_file,    COMMAND_request_approve,
		COMMAND_request_deny,
	};

	for (size_t i = 0; i < ARRAY_LEN(changing); i++) {
		cr_assert(command_changes(&command_table[changing[i]]), "%s",
			  command_table[changing[i]].method);
	}
	cr_assert_not(command_changes(&command_table[COMMAND_account_get]));
	cr_assert_not(command_changes(&command_table[COMMAND_retention_info]));
}

Test(commands, what_cannot_be_undone_and_nobody_asked_for_needs_a_reason)
{
	for (size_t i = 0; i < _COMMAND_MAX; i++) {
		const struct command *command = &command_table[i];

		for (uint16_t k = 0; k < command->n_arguments; k++) {
			if (command->arguments[k].symbol == ARGUMENT_reason) {
				cr_assert_eq(command->arguments[k].required,
					     i == COMMAND_keeper_waive || i == COMMAND_request_deny,
					     "%s", command->method);
			}
		}
	}
}

Test(commands, a_keepers_role_is_for_its_own_work_and_no_other_role_is)
{
	for (size_t i = 0; i < _COMMAND_MAX; i++) {
		bool own = i == COMMAND_keeper_claim || i == COMMAND_keeper_confirm ||
			   i == COMMAND_keeper_fail || i == COMMAND_keeper_extend ||
			   i == COMMAND_keeper_watch;

		cr_assert_eq(command_table[i].role == ROLE_KEEPER, own, "%s",
			     command_table[i].method);
	}
}

Test(commands, readers_and_auditors_change_nothing)
{
	for (size_t i = 0; i < _COMMAND_MAX; i++) {
		if (command_changes(&command_table[i])) {
			cr_assert(command_table[i].role == ROLE_ADMIN ||
					  command_table[i].role == ROLE_SELF_SERVICE,
				  "%s", command_table[i].method);
		}
	}
}

Test(commands, only_info_and_api_need_no_role)
{
	for (size_t i = 0; i < _COMMAND_MAX; i++) {
		bool open = i == COMMAND_retention_info || i == COMMAND_retention_api;

		cr_assert_eq(command_table[i].role == ROLE_ANY, open, "%s",
			     command_table[i].method);
		cr_assert_eq(command_table[i].scope == COMMAND_SCOPE_NONE, open, "%s",
			     command_table[i].method);
	}
}

Test(commands, a_command_has_the_arguments_of_its_row)
{
	const struct command *leave = &command_table[COMMAND_account_leave];
	const struct command *list = &command_table[COMMAND_account_list];

	cr_assert_eq(leave->n_arguments, 5);
	cr_assert_eq(leave->arguments[0].symbol, ARGUMENT_accounts);
	cr_assert(leave->arguments[0].required);
	cr_assert_not(leave->arguments[1].required);
	cr_assert_eq(list->n_arguments, 8);
	cr_assert_not(command_takes(list, ARGUMENT_accounts));
	cr_assert_eq(command_table[COMMAND_ledger_head].n_arguments, 0);
	cr_assert_not(command_takes(&command_table[COMMAND_ledger_head], ARGUMENT_org));
}

Test(commands, only_commands_that_take_many_items_have_large_frames)
{
	for (size_t i = 0; i < _COMMAND_MAX; i++) {
		const struct command *command = &command_table[i];
		bool many = command_takes(command, ARGUMENT_accounts) ||
			    command_takes(command, ARGUMENT_imports) ||
			    command_takes(command, ARGUMENT_confirmations) ||
			    command_takes(command, ARGUMENT_failures) ||
			    command_takes(command, ARGUMENT_leases) ||
			    command_takes(command, ARGUMENT_requests);

		cr_assert_eq(command_frame_max(command),
			     many ? RPC_FRAME_LARGE_MAX : RPC_FRAME_SMALL_MAX, "%s",
			     command->method);
	}
	cr_assert_eq(command_frame_max(&command_table[COMMAND_account_import]),
		     RPC_FRAME_LARGE_MAX);
	cr_assert_eq(command_frame_max(&command_table[COMMAND_account_get]), RPC_FRAME_SMALL_MAX);
}

#define ACCOUNTS (1U << (ARGUMENT_TYPE_ACCOUNTS - ARGUMENT_TYPE_ACCOUNTS))
#define IMPORTS  (1U << (ARGUMENT_TYPE_IMPORTS - ARGUMENT_TYPE_ACCOUNTS))
#define CONFIRM  (1U << (ARGUMENT_TYPE_CONFIRMATIONS - ARGUMENT_TYPE_ACCOUNTS))
#define FAIL     (1U << (ARGUMENT_TYPE_FAILURES - ARGUMENT_TYPE_ACCOUNTS))
#define LEASES   (1U << (ARGUMENT_TYPE_LEASES - ARGUMENT_TYPE_ACCOUNTS))
#define REQUESTS (1U << (ARGUMENT_TYPE_REQUESTS - ARGUMENT_TYPE_ACCOUNTS))

Test(commands, items_have_the_fields_that_their_list_is_about)
{
	/* In which lists' items each field stands, and in which it must. */
	/* clang-format off */
	static const struct {
		unsigned belongs;
		unsigned required;
	} rules[] = {
		[FIELD_org]            = {ACCOUNTS | IMPORTS, IMPORTS},
		[FIELD_id]             = {ACCOUNTS | IMPORTS, IMPORTS},
		[FIELD_uid]            = {ACCOUNTS, 0},
		[FIELD_person]         = {ACCOUNTS | IMPORTS, 0},
		[FIELD_seq]            = {ACCOUNTS, 0},
		[FIELD_new_upn]        = {ACCOUNTS, 0},
		[FIELD_kind]           = {IMPORTS, IMPORTS},
		[FIELD_upn]            = {IMPORTS, IMPORTS},
		[FIELD_mail]           = {IMPORTS, 0},
		[FIELD_name]           = {IMPORTS, 0},
		[FIELD_enabled]        = {IMPORTS, 0},
		[FIELD_groups]         = {IMPORTS, 0},
		[FIELD_permissions]    = {IMPORTS, 0},
		[FIELD_deleted_at_us]  = {IMPORTS, 0},
		[FIELD_request]        = {REQUESTS, REQUESTS},
		[FIELD_token]          = {CONFIRM | FAIL | LEASES, CONFIRM | FAIL | LEASES},
		[FIELD_result]         = {CONFIRM, CONFIRM},
		[FIELD_ground]         = {CONFIRM, 0},
		[FIELD_note]           = {CONFIRM, 0},
		[FIELD_error]          = {FAIL, 0},
		[FIELD_retry_after_us] = {FAIL, 0},
	};
	/* clang-format on */

	cr_assert_eq(ARRAY_LEN(rules), _FIELD_MAX);
	for (int i = 0; i < _FIELD_MAX; i++) {
		for (int list = ARGUMENT_TYPE_ACCOUNTS; list <= ARGUMENT_TYPE_REQUESTS; list++) {
			unsigned bit = 1U << (list - ARGUMENT_TYPE_ACCOUNTS);

			cr_assert_eq(field_belongs((enum field_symbol)i, (enum argument_type)list),
				     (rules[i].belongs & bit) != 0, "%s", field_table[i].name);
			cr_assert_eq(field_required((enum field_symbol)i, (enum argument_type)list),
				     (rules[i].required & bit) != 0, "%s", field_table[i].name);
		}
	}
}

Test(commands, scopes_have_names)
{
	cr_assert_str_eq(command_scope_name(COMMAND_SCOPE_NONE), "none");
	cr_assert_str_eq(command_scope_name(COMMAND_SCOPE_ORG), "org");
	cr_assert_str_eq(command_scope_name(COMMAND_SCOPE_ALL), "all");
}
