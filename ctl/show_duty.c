/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/show_duty.h"

#include <errno.h>

#include "ctl/show_items.h"
#include "ctl/show_refusal.h"

static const char *const keeper_columns[] = {
	"keeper",        "enabled", "orgs",         "owed", "failing",
	"oldest_due_us", "sla",     "last_seen_us", NULL,
};

static const char *const hold_columns[] = {"hold", "added_at_us", "until_us", "reason", NULL};

/* A keeper that is limited to no organization is there for all of them. NULL without memory. */
static json_t *with_orgs(const json_t *keeper)
{
	json_t *row = json_copy((json_t *)keeper); /* reads it only */

	if (row && !json_object_get(row, "orgs") &&
	    json_object_set_new(row, "orgs", json_string("all")) < 0) {
		json_decref(row);
		return NULL;
	}
	return row;
}

static int put_keepers(const struct show *show, const json_t *keepers)
{
	json_t *rows = json_array();
	size_t i;
	const json_t *keeper;
	int r = rows ? 0 : -ENOMEM;

	json_array_foreach(keepers, i, keeper) {
		r = r ? r : json_array_append_new(rows, with_orgs(keeper)) < 0 ? -ENOMEM : 0;
	}
	r = r ? r : show_rows(show, rows, keeper_columns);
	json_decref(rows);
	return r;
}

int show_keeper(const struct show *show, const json_t *result)
{
	json_t *keeper;
	int r;

	if (show_outcome_exit(result) != CTL_EXIT_OK) {
		show_refusal(show, result);
		return 0;
	}
	keeper = with_orgs(json_object_get(result, "keeper"));
	r = keeper ? show_map(show, keeper) : -ENOMEM;
	json_decref(keeper);
	return r;
}

int show_keepers(const struct show *show, const json_t *result)
{
	const json_t *keepers = json_object_get(result, "keepers");

	if (json_array_size(keepers) == 0) {
		(void)fputs("There are no keepers: removal ends as soon as it begins.\n",
			    show->out);
		return 0;
	}
	return put_keepers(show, keepers);
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
