/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/confirm.h"

#include "ctl/option.h"

static bool asks(const struct ctl *ctl)
{
	return ctl_option_command(ctl->args.command) == COMMAND_account_purge &&
	       !ctl_says_yes(ctl, ARGUMENT_dry_run);
}

static int prompt(struct ctl *ctl)
{
	size_t n = ctl->operands.accounts.n;
	char expected[24];
	char typed[64];

	(void)snprintf(expected, sizeof(expected), "%zu", n);
	(void)fprintf(
		stderr,
		"Permanent deletion of %zu account%s is about to start. Nobody can stop it, and\n"
		"nothing brings them back. Type the number of accounts to go on: ",
		n, n == 1 ? "" : "s");
	(void)fflush(stderr);
	if (!fgets(typed, sizeof(typed), stdin)) {
		typed[0] = '\0';
	}
	typed[strcspn(typed, "\r\n")] = '\0';
	if (strcmp(typed, expected) != 0) {
		return ctl_fault_set(&ctl->fault, CTL_EXIT_CONFIRMATION, "confirmation-needed",
				     "that is not %s: nothing was changed", expected);
	}
	return 0;
}

int ctl_confirm(struct ctl *ctl)
{
	if (!asks(ctl)) {
		return 0;
	}
	if (ctl->args.yes && ctl->operands.accounts.from_stdin) {
		return ctl_fault_set(
			&ctl->fault, CTL_EXIT_USAGE, "usage",
			"--yes is for accounts that are named: give them in a file, as @FILE");
	}
	if (ctl->args.yes) {
		return 0;
	}
	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO) || ctl->operands.accounts.from_stdin) {
		return ctl_fault_set(
			&ctl->fault, CTL_EXIT_CONFIRMATION, "confirmation-needed",
			"%s cannot be undone and there is no terminal to confirm it on: look at "
			"it with --dry-run, then name the accounts, or a @FILE of them, with --yes",
			ctl->args.command->verb);
	}
	return prompt(ctl);
}
