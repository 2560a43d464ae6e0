/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/import_orgs.h"

#include <errno.h>

#include "common/rpc.h"
#include "ctl/json.h"
#include "ctl/show_items.h"

/* Each organization once, with the number of the first row that names it, in the rows' order. */
static int collect(const struct import_set *set, json_t *orgs)
{
	const char *last = "";

	for (size_t i = 0; i < set->n; i++) {
		const char *org = set->keys + set->entries[i].key;

		if (strcmp(org, last) != 0 && !json_object_get(orgs, org) &&
		    json_object_set_new(orgs, org, json_integer((json_int_t)i)) < 0) {
			return -ENOMEM;
		}
		last = org;
	}
	return 0;
}

static int ask(struct ctl *ctl, const char *org, bool *ret_known)
{
	struct pack_writer *writer = ctl_client_begin(
		ctl->client, command_table[COMMAND_org_get].method, RPC_FRAME_SMALL_MAX);
	json_t *result = NULL;
	int r;

	pack_write_map(writer);
	pack_put_cstr(writer, argument_table[ARGUMENT_org].name, org);
	pack_write_end(writer);
	r = ctl_client_call(ctl->client, &result, &ctl->fault);
	*ret_known = show_is_ok(result);
	json_decref(result);
	return r;
}

static void tell_unknown(struct ctl_fault *fault, const char *org, const struct import_where *where)
{
	char place[IMPORT_WHERE_TEXT_MAX];

	import_where_format(where, place);
	if (fault->exit != CTL_EXIT_OK) {
		ctl_fault_add(fault, "; neither is %s (%s)", org, place);
		return;
	}
	(void)ctl_fault_set(fault, CTL_EXIT_NOT_FOUND, outcome_code(OUTCOME_ORG_NOT_FOUND),
			    "organization %s is not known (first named at %s); create it with: "
			    "retentionctl set-org %s",
			    org, place, org);
}

static void tell_failed(struct ctl_fault *fault, const char *org, const struct import_where *where)
{
	char place[IMPORT_WHERE_TEXT_MAX];

	if (fault->exit == CTL_EXIT_PERMISSION) {
		import_where_format(where, place);
		ctl_fault_add(fault, "; organization %s is first named at %s", org, place);
	}
	ctl_fault_add(fault, "; nothing was changed");
}

static int check_all(struct ctl *ctl, const struct import_set *set, json_t *orgs)
{
	struct ctl_fault unknown = {.exit = CTL_EXIT_OK};
	const char *org;
	json_t *first;

	json_object_foreach(orgs, org, first) {
		const struct import_where *where = &set->entries[json_integer_value(first)].where;
		bool known;
		int r = ask(ctl, org, &known);

		if (r != 0) {
			tell_failed(&ctl->fault, org, where);
			return r;
		}
		if (!known) {
			tell_unknown(&unknown, org, where);
		}
	}
	if (unknown.exit != CTL_EXIT_OK) {
		ctl_fault_add(&unknown, "; nothing was changed");
		ctl->fault = unknown;
	}
	return unknown.exit;
}

int import_orgs_check(struct ctl *ctl, const struct import_set *set)
{
	json_t *orgs = json_object();
	int r = collect(set, orgs);

	r = r < 0 ? ctl_fault_errno(&ctl->fault, r, "organizations") : check_all(ctl, set, orgs);
	json_decref(orgs);
	return r;
}
