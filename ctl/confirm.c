/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/confirm.h"

#include "ctl/mass.h"
#include "ctl/option.h"

/* What is said before and behind "3 accounts". */
struct warning {
	enum command_symbol command;
	const char *before;
	const char *behind;
};

/* clang-format off */
static const struct warning warnings[] = {
	{COMMAND_account_purge,
	 "Permanent deletion of ",
	 " is about to start. Nobody can stop it, and\nnothing brings them back."},
	{COMMAND_keeper_waive,
	 "Nobody will prove that the keeper has erased the data of ",
	 ": it is\ngiven up, and the receipt says so for good."},
};
/* clang-format on */

/* What is about to happen, or NULL if nothing is to be confirmed. */
static const struct warning *warning_of(const struct ctl *ctl)
{
	for (size_t i = 0; i < ARRAY_LEN(warnings); i++) {
		if (warnings[i].command == ctl_option_command(ctl->args.command) &&
		    !ctl_says_yes(ctl, ARGUMENT_dry_run)) {
			return &warnings[i];
		}
	}
	return NULL;
}

/* Said before many are sent, to whoever may still think again. */
static int tell_mass(struct ctl *ctl)
{
	size_t n = ctl->operands.accounts.n, n_staged = 0;
	bool wanted = n > 1 && isatty(STDERR_FILENO) && !ctl->args.quiet &&
		      !ctl_says_yes(ctl, ARGUMENT_dry_run);
	int r = wanted ? ctl_mass_count(ctl, &n_staged) : 0;

	if (r == 0 && n_staged > 0) {
		(void)fprintf(
			stderr,
			"retentionctl: the mass guard lets %zu of %zu accounts pass, and "
			"would hold %zu back until somebody decides: see retentionctl guards\n",
			n - n_staged, n, n_staged);
	}
	return r;
}

static int prompt(struct ctl *ctl, const struct warning *warning)
{
	size_t n = ctl->operands.accounts.n;
	char expected[24];
	char typed[64];

	(void)snprintf(expected, sizeof(expected), "%zu", n);
	(void)fprintf(stderr,
		      "%s%zu account%s%s Type the number of accounts to go on: ", warning->before,
		      n, n == 1 ? "" : "s", warning->behind);
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
	const struct warning *warning = warning_of(ctl);
	int r = tell_mass(ctl);

	if (r != 0 || !warning) {
		return r;
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
			"it with --dry-run, then name the accounts, a @FILE of them or a --plan=FILE, "
			"with --yes",
			ctl->args.command->verb);
	}
	return prompt(ctl, warning);
}
