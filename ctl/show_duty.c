/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/show_duty.h"

#include "ctl/show_items.h"
#include "ctl/show_refusal.h"

static const char *const keeper_columns[] = {
	"keeper",        "enabled", "orgs",         "owed", "failing",
	"oldest_due_us", "sla",     "last_seen_us", NULL,
};

static const char *const hold_columns[] = {"hold", "added_at_us", "until_us", "reason", NULL};

int show_keeper(const struct show *show, const json_t *result)
{
	if (show_outcome_exit(result) != CTL_EXIT_OK) {
		show_refusal(show, result);
		return 0;
	}
	return show_map(show, json_object_get(result, "keeper"));
}

int show_keepers(const struct show *show, const json_t *result)
{
	const json_t *keepers = json_object_get(result, "keepers");

	if (json_array_size(keepers) == 0) {
		(void)fputs("There are no keepers: removal ends as soon as it begins.\n",
			    show->out);
		return 0;
	}
	return show_rows(show, keepers, keeper_columns);
}

int show_holds(const struct show *show, const json_t *result)
{
	const json_t *holds = json_object_get(result, "holds");

	if (show_outcome_exit(result) != CTL_EXIT_OK) {
		show_refusal(show, result);
		return 0;
	}
	if (json_array_size(holds) == 0) {
		(void)fputs("No hold stands on this account.\n", show->out);
		return 0;
	}
	return show_rows(show, holds, hold_columns);
}
