/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/decide.h"

#include <errno.h>

#include "ctl/confirm.h"
#include "ctl/json.h"
#include "ctl/option.h"
#include "ctl/request.h"
#include "ctl/show_items.h"
#include "ctl/show_refusal.h"

static void put_requests(struct pack_writer *writer, const void *context)
{
	const struct ctl_operands *operands = context;

	pack_put_array(writer, argument_table[ARGUMENT_requests].name);
	for (size_t i = 0; i < operands->n_numbers; i++) {
		pack_write_map(writer);
		pack_put_int(writer, field_table[FIELD_request].name,
			     strtoll(operands->numbers[i], NULL, 10)); /* checked when taken */
		pack_write_end(writer);
	}
	pack_write_end(writer);
}

static void put_item(struct ctl *ctl, const char *number, const json_t *item)
{
	FILE *out = ctl->show.out;
	bool ok = show_outcome_exit(item) == CTL_EXIT_OK;

	if (ok && ctl->args.quiet) {
		return;
	}
	(void)fprintf(out, "%srequest %s%s: %s", show_bold(&ctl->show), number,
		      show_plain(&ctl->show),
		      ctl_says_yes(ctl, ARGUMENT_dry_run) ? "(dry run) " : "");
	if (ok) {
		(void)fprintf(out, "%s; the account is ",
			      ctl_option_command(ctl->args.command) == COMMAND_request_deny
				      ? "denied"
				      : "approved");
		show_state_sentence(&ctl->show, item);
		(void)fputc('\n', out);
	} else {
		show_refusal(&ctl->show, item);
	}
}

static int show_decided(struct ctl *ctl, const json_t *items)
{
	struct show_tally tally = {0};
	size_t i;
	const json_t *item;

	ctl_learn_now(ctl, NULL);
	json_array_foreach(items, i, item) {
		show_tally_add(&tally, item);
		if (!ctl->args.json) {
			put_item(ctl, ctl->operands.numbers[i], item);
		}
	}
	if (ctl->args.json) {
		ctl_json_print(items, ctl->show.out);
	}
	return show_tally_exit(&tally);
}

static int decide(struct ctl *ctl, json_t *items)
{
	struct ctl_request request = CTL_REQUEST_FIRST;
	json_t *result = NULL;
	int r;

	request.put_items = put_requests;
	request.context = &ctl->operands;
	r = ctl_request_call(ctl, &request, &result);
	if (r == 0 &&
	    json_array_size(json_object_get(result, "items")) != ctl->operands.n_numbers) {
		r = ctl_fault_set(&ctl->fault, CTL_EXIT_FAILURE, "malformed",
				  "retentiond did not say what became of each of %zu requests",
				  ctl->operands.n_numbers);
	}
	if (r == 0 && json_array_extend(items, json_object_get(result, "items")) < 0) {
		r = ctl_fault_errno(&ctl->fault, -ENOMEM, "results");
	}
	json_decref(result);
	return r;
}

int ctl_decide_run(struct ctl *ctl)
{
	struct ctl_stake stake;
	json_t *items;
	int r = ctl_stake_of_requests(ctl, decide, &stake);

	r = r ? r : ctl_confirm(ctl, &stake);
	if (r != 0) {
		return r;
	}
	items = json_array();
	r = items ? decide(ctl, items) : ctl_fault_errno(&ctl->fault, -ENOMEM, "results");
	r = r ? r : show_decided(ctl, items);
	json_decref(items);
	return r;
}
