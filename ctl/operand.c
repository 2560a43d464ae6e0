/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/operand.h"

#include <ctype.h>
#include <time.h>

#include "ctl/option.h"
#include "ctl/value.h"

#define MANY "…"

bool ctl_operand_next_word(const char **row, struct ctl_operand_word *ret_word)
{
	const char *begin = *row + strspn(*row, " ");
	size_t len = strcspn(begin, " ");
	struct ctl_operand_word word = {.optional = *begin == '['};

	if (len == 0) {
		return false;
	}
	*row = begin + len;
	if (word.optional) {
		assert(len > 2);
		begin += 1;
		len -= 2;
	}
	if (len > strlen(MANY) && memcmp(begin + len - strlen(MANY), MANY, strlen(MANY)) == 0) {
		word.many = true;
		len -= strlen(MANY);
	}
	assert(len < sizeof(word.name));
	memcpy(word.name, begin, len);
	*ret_word = word;
	return true;
}

static bool names_account(const struct ctl_args *args)
{
	return args->argument[ARGUMENT_id] || args->argument[ARGUMENT_person] ||
	       args->argument[ARGUMENT_uid];
}

static enum argument_symbol argument_of(const struct ctl_args *args,
					const struct ctl_operand_word *word)
{
	char name[CTL_OPERAND_WORD_MAX];

	for (size_t i = 0; i < sizeof(name); i++) {
		name[i] = (char)tolower((unsigned char)word->name[i]);
	}
	return ctl_option_argument(args->command, name);
}

static int missing(const struct ctl_args *args, const struct ctl_operand_word *word,
		   struct ctl_fault *fault)
{
	enum argument_symbol symbol = argument_of(args, word);

	if (word->optional || (symbol != _ARGUMENT_MAX && args->argument[symbol])) {
		return 0;
	}
	if (strcmp(word->name, "ACCOUNT") == 0 && !word->many && names_account(args)) {
		return 0;
	}
	if (strcmp(word->name, "SPAN|INSTANT") == 0 &&
	    (args->argument[ARGUMENT_by_us] || args->argument[ARGUMENT_to_us])) {
		return 0;
	}
	return ctl_fault_set(fault, CTL_EXIT_USAGE, "usage",
			     "%s needs %s; see retentionctl %s --help", args->command->verb,
			     word->name, args->command->verb);
}

static int take_argument(struct ctl_args *args, enum argument_symbol symbol, const char *text,
			 struct ctl_fault *fault)
{
	struct ctl_value value;
	const char *wrong = ctl_value_parse(argument_table[symbol].type, text,
					    (instant_t)time(NULL) * SPAN_SECOND, &value);

	if (wrong) {
		return ctl_fault_set(fault, CTL_EXIT_USAGE, "usage", "%s %s", text, wrong);
	}
	if (args->argument[symbol]) {
		return ctl_fault_set(fault, CTL_EXIT_USAGE, "usage",
				     "%s is given as an option already",
				     argument_table[symbol].name);
	}
	args->argument[symbol] = text;
	return 0;
}

static int take_span_or_instant(struct ctl_args *args, const char *text, struct ctl_fault *fault)
{
	const char *span_text = text[0] == '+' ? text + 1 : text;
	span_t span;
	int r = span_parse(slice_of(span_text), &span);

	/* What is a span but for its months is to be told so. */
	if (r == 0 || r == INSTANT_E_CALENDAR) {
		return take_argument(args, ARGUMENT_by_us, span_text, fault);
	}
	return take_argument(args, ARGUMENT_to_us, text, fault);
}

static int take_one(struct ctl_args *args, const struct ctl_operand_word *word, const char *text,
		    struct ctl_operands *operands, struct ctl_fault *fault)
{
	enum argument_symbol symbol;

	if (strcmp(word->name, "ACCOUNT") == 0) {
		if (!word->many && (text[0] == '@' || strcmp(text, "-") == 0)) {
			return ctl_fault_set(fault, CTL_EXIT_USAGE, "usage",
					     "%s takes one account: write it out",
					     args->command->verb);
		}
		return ctl_accounts_take(&operands->accounts, text, fault);
	}
	if (strcmp(word->name, "SPAN|INSTANT") == 0) {
		return take_span_or_instant(args, text, fault);
	}
	symbol = argument_of(args, word);
	assert(symbol != _ARGUMENT_MAX);
	return take_argument(args, symbol, text, fault);
}

/* The rest of the operands. */
static int take_numbers(char **words, size_t n, struct ctl_operands *operands,
			struct ctl_fault *fault)
{
	if (n > MODEL_ACCOUNTS_MAX) {
		return ctl_fault_set(fault, CTL_EXIT_USAGE, "usage", "more than %d numbers",
				     MODEL_ACCOUNTS_MAX);
	}
	for (size_t i = 0; i < n; i++) {
		struct ctl_value value;
		const char *wrong = ctl_value_parse(ARGUMENT_TYPE_SEQ, words[i], 0, &value);

		if (wrong) {
			return ctl_fault_set(fault, CTL_EXIT_USAGE, "usage", "%s %s", words[i],
					     wrong);
		}
	}
	operands->numbers = words;
	operands->n_numbers = n;
	return 0;
}

static int check_accounts(const struct ctl_args *args, const struct ctl_operands *operands,
			  struct ctl_fault *fault)
{
	if (command_takes(args->command, ARGUMENT_accounts) && operands->accounts.n == 0) {
		return ctl_fault_set(fault, CTL_EXIT_USAGE, "usage", "there is no account to %s",
				     args->command->verb);
	}
	if (operands->accounts.n > 0 && !command_takes(args->command, ARGUMENT_accounts) &&
	    (names_account(args) || args->argument[ARGUMENT_org])) {
		return ctl_fault_set(fault, CTL_EXIT_USAGE, "usage",
				     "name the account as an operand or by options, not both ways");
	}
	if (args->new_upn && operands->accounts.n != 1) {
		return ctl_fault_set(fault, CTL_EXIT_USAGE, "usage",
				     "--new-upn is for one account at a time");
	}
	if (args->new_upn && model_address_fault(slice_of(args->new_upn))) {
		return ctl_fault_set(fault, CTL_EXIT_USAGE, "usage", "--new-upn=%s %s",
				     args->new_upn, model_address_fault(slice_of(args->new_upn)));
	}
	return 0;
}

static int check_required(const struct ctl_args *args, struct ctl_fault *fault)
{
	for (size_t i = 0; i < args->command->n_arguments; i++) {
		const struct command_argument *argument = &args->command->arguments[i];
		char name[CTL_OPTION_NAME_MAX];

		ctl_option_name(argument->symbol, name);
		if (argument->required && !args->argument[argument->symbol] &&
		    ctl_option_argument(args->command, name) == argument->symbol) {
			return ctl_fault_set(fault, CTL_EXIT_USAGE, "usage", "%s needs --%s",
					     args->command->verb, name);
		}
	}
	return 0;
}

int ctl_operands_take(struct ctl_args *args, struct ctl_operands *ret_operands,
		      struct ctl_fault *fault)
{
	const char *row = args->command->operands;
	struct ctl_operand_word word;
	size_t i = 0;
	int r = 0;

	*ret_operands = (struct ctl_operands){0};
	while (ctl_operand_next_word(&row, &word)) {
		if (i == args->n_operands) {
			r = missing(args, &word, fault);
		} else if (strcmp(word.name, "FILE") == 0) {
			ret_operands->files = args->operands + i;
			ret_operands->n_files = args->n_operands - i;
			i = args->n_operands;
		} else if (strcmp(word.name, "NUMBER") == 0) {
			r = take_numbers(args->operands + i, args->n_operands - i, ret_operands,
					 fault);
			i = args->n_operands;
		} else {
			do {
				r = take_one(args, &word, args->operands[i++], ret_operands, fault);
			} while (r == 0 && word.many && i < args->n_operands);
		}
		if (r != 0) {
			return r;
		}
	}
	if (i < args->n_operands) {
		return ctl_fault_set(fault, CTL_EXIT_USAGE, "usage",
				     "%s does not take the operand %s", args->command->verb,
				     args->operands[i]);
	}
	r = check_accounts(args, ret_operands, fault);
	return r ? r : check_required(args, fault);
}

void ctl_operands_done(struct ctl_operands *operands)
{
	ctl_accounts_done(&operands->accounts);
}
