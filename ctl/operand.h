/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_OPERAND_H
#define RETENTIOND_CTL_OPERAND_H

#include "ctl/account.h"
#include "ctl/args.h"

/**
 * struct ctl_operands - what stands behind a command's verb, read
 * @accounts: of a verb that takes ACCOUNT…: all of them; of one that takes ACCOUNT: one or none
 * @files, @n_files: of a verb that takes FILE…; point into argv
 * @numbers, @n_numbers: of a verb that takes NUMBER…, checked; point into argv
 */
struct ctl_operands {
	struct ctl_accounts accounts;
	char **files;
	size_t n_files;
	char **numbers;
	size_t n_numbers;
};

#define CTL_OPERAND_WORD_MAX 32 /* bytes of one word of a row's operands, with its end */

/* One word of a row's operands: "[ACCOUNT]" is optional, "ACCOUNT…" stands for many. */
struct ctl_operand_word {
	char name[CTL_OPERAND_WORD_MAX]; /* "ACCOUNT" */
	bool optional;
	bool many;
};

/**
 * ctl_operand_next_word() - read a row's operands word by word
 * @row: where to read on; moved behind the word
 *
 * Return: false behind the last.
 */
must_check bool ctl_operand_next_word(const char **row, struct ctl_operand_word *ret_word);

/**
 * ctl_operands_take() - read the operands as the command's row in commands.def has them
 * @args:         of a command; operands that stand for an argument are set in it
 * @ret_operands: release with ctl_operands_done(), also on failure
 *
 * A word of the row is ACCOUNT, FILE, NUMBER, SPAN|INSTANT, or the name of an argument in capitals;
 * "…" behind it says that there may be more than one, brackets that it may be left out. An
 * argument that is given as an option need not be there as an operand. Afterwards every required
 * argument is there.
 *
 * Return: 0, CTL_EXIT_USAGE or CTL_EXIT_FAILURE.
 */
must_check int ctl_operands_take(struct ctl_args *args, struct ctl_operands *ret_operands,
				 struct ctl_fault *fault);
void ctl_operands_done(struct ctl_operands *operands);

#endif
