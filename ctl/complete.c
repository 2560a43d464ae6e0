/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/complete.h"

#include "ctl/complete_word.h"
#include "ctl/receipt.h"

/* One that is there already is not offered again. */
static void put_option(struct ctl_completion *completion, const char *name, bool takes_value,
		       const char *help)
{
	char dashed[2 + CTL_OPTION_NAME_MAX];

	if (!ctl_complete_line_has(&completion->line, name)) {
		(void)snprintf(dashed, sizeof(dashed), "--%s", name);
		ctl_complete_put(&completion->list, dashed, takes_value ? "=" : "", help);
	}
}

/* As getopt takes them: a yes or no may do without its value. */
static void offer_options(struct ctl_completion *completion)
{
	const struct ctl_complete_line *line = &completion->line;
	enum argument_symbol symbol;

	for (size_t i = 0;
	     line->command && (symbol = ctl_option_argument_at(line->command, i)) != _ARGUMENT_MAX;
	     i++) {
		char name[CTL_OPTION_NAME_MAX];

		ctl_option_name(symbol, name);
		put_option(completion, name, argument_table[symbol].type != ARGUMENT_TYPE_BOOL,
			   argument_table[symbol].help);
	}
	for (int id = 0; id < _CTL_OPTION_MAX; id++) {
		const struct ctl_option *option = &ctl_option_table[id];

		if (ctl_option_belongs((enum ctl_option_id)id, line->verb_name)) {
			put_option(completion, option->name, option->value_name, option->help);
		}
	}
}

static void offer_value(struct ctl_completion *completion)
{
	const char *usage = ctl_complete_line_value(&completion->line);

	completion->list.keep = completion->line.value_at;
	if (usage) {
		ctl_complete_word(completion, usage, false);
	}
}

/* `receipt` has a second form, whose words stand in no table. */
static bool offer_receipt(struct ctl_completion *completion)
{
	const struct ctl_complete_line *line = &completion->line;

	if (line->command != &command_table[COMMAND_receipt_get]) {
		return false;
	}
	if (line->n_operands == 0) {
		ctl_complete_put(&completion->list, CTL_RECEIPT_VERIFY, "",
				 "Check a receipt in a file");
		return false;
	}
	if (line->n_operands == 1 && strcmp(line->first, CTL_RECEIPT_VERIFY) == 0) {
		ctl_complete_word(completion, "FILE", false);
		return true;
	}
	return false;
}

/* Where no operand is taken, options are all that can follow. */
static void offer_operand(struct ctl_completion *completion)
{
	const struct ctl_complete_line *line = &completion->line;
	struct ctl_operand_word word;

	if (offer_receipt(completion)) {
		return;
	}
	if (ctl_complete_line_operand(line, &word)) {
		ctl_complete_word(completion, word.name, word.many);
	} else if (line->verb != _CTL_VERB_MAX && !line->only_operands) {
		offer_options(completion);
	}
}

static void offer(struct ctl_completion *completion)
{
	const struct ctl_complete_line *line = &completion->line;

	if (line->option[0]) {
		offer_value(completion);
	} else if (!line->only_operands && ctl_complete_line_last(line)[0] == '-') {
		offer_options(completion);
	} else if (!line->verb_name) {
		ctl_complete_word(completion, "VERB", false);
	} else {
		offer_operand(completion);
	}
}

int ctl_complete_run(struct ctl *ctl)
{
	char *const nothing[] = {(char *)""};
	bool any = ctl->args.n_operands > 0;
	struct ctl_completion completion = {.list = {.out = ctl->show.out}};
	struct ctl_complete_line *line = &completion.line;

	ctl_complete_line_read(any ? ctl->args.operands : nothing, any ? ctl->args.n_operands : 1,
			       line);
	completion.socket = line->socket ? line->socket : ctl->args.socket;
	completion.list.word = ctl_complete_line_last(line);
	offer(&completion);
	ctl_complete_end(&completion.list);
	return 0;
}
