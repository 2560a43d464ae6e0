/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/confirm.h"

#include "ctl/text.h"

/* "2 of 5 accounts", "1000 or more accounts". */
static void put_number(const struct ctl_stake *stake, char *text, size_t size)
{
	int len = snprintf(text, size, "%zu", stake->n);

	if (stake->n < stake->n_all) {
		len += snprintf(text + len, size - (size_t)len, " of %zu", stake->n_all);
	}
	(void)snprintf(text + len, size - (size_t)len, "%s account%s",
		       stake->or_more ? " or more" : "",
		       MAX(stake->n, stake->n_all) == 1 ? "" : "s");
}

/* " (contoso/alex, contoso/kim, contoso/lee and 9 more)" */
static void put_names(const struct ctl_stake *stake)
{
	for (size_t i = 0; i < stake->n_names; i++) {
		(void)fputs(i ? ", " : " (", stderr);
		ctl_text_put(stderr, slice_of(stake->names[i]));
	}
	if (stake->n_names > 0 && stake->n > stake->n_names) {
		(void)fprintf(stderr, " and %zu more", stake->n - stake->n_names);
	}
	(void)fputs(stake->n_names > 0 ? ")" : "", stderr);
}

static int prompt(struct ctl *ctl, const struct ctl_stake *stake)
{
	char number[80];
	char expected[24];
	char typed[64];

	put_number(stake, number, sizeof(number));
	(void)snprintf(expected, sizeof(expected), "%zu", stake->n);
	(void)fprintf(stderr, "%s%s", stake->before, number);
	put_names(stake);
	(void)fprintf(stderr, "%s Type the number of accounts to go on: ", stake->behind);
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

static int refuse(struct ctl *ctl, const struct ctl_stake *stake)
{
	bool named = command_takes(ctl->args.command, ARGUMENT_accounts);
	char number[80];

	put_number(stake, number, sizeof(number));
	return ctl_fault_set(
		&ctl->fault, CTL_EXIT_CONFIRMATION, "confirmation-needed",
		"%s cannot be undone for %s%s, and there is no terminal to confirm it on: look at it "
		"with --dry-run, then %s",
		ctl->args.command->verb, number, stake->why,
		named ? "name the accounts, a @FILE of them or a --plan=FILE, with --yes"
		      : "do it with --yes");
}

int ctl_confirm(struct ctl *ctl, const struct ctl_stake *stake)
{
	bool from_stdin = ctl->operands.accounts.from_stdin;

	if (stake->n == 0) {
		return 0;
	}
	if (ctl->args.yes && from_stdin) {
		return ctl_fault_set(
			&ctl->fault, CTL_EXIT_USAGE, "usage",
			"--yes is for accounts that are named: give them in a file, as @FILE");
	}
	if (ctl->args.yes) {
		return 0;
	}
	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO) || from_stdin) {
		return refuse(ctl, stake);
	}
	return prompt(ctl, stake);
}
