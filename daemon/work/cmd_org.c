/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/policy.h"
#include "daemon/work/answer.h"
#include "daemon/work/cmd.h"

static void take_text(struct slice from, char *to)
{
	memcpy(to, from.data ? from.data : "", from.len); /* within the limit that its rule names */
	to[from.len] = '\0';
}

/* The settings as they would be after the request; what it does not name stays. */
static void take_settings(const struct request *request, struct org *org)
{
	if (REQUEST_HAS(request, name)) {
		take_text(request->name, org->name);
	}
	if (REQUEST_HAS(request, admin_contact)) {
		take_text(request->admin_contact, org->admin_contact);
	}
	if (REQUEST_HAS(request, privacy_contact)) {
		take_text(request->privacy_contact, org->privacy_contact);
	}
	if (REQUEST_HAS(request, privacy_url)) {
		take_text(request->privacy_url, org->privacy_url);
	}
	if (REQUEST_HAS(request, allow_leave)) {
		org->policy.allow_leave = request->allow_leave;
	}
	if (REQUEST_HAS(request, window_us)) {
		org->policy.window = request->window_us;
	}
	if (REQUEST_HAS(request, removal_us)) {
		org->policy.removal = request->removal_us;
	}
	if (REQUEST_HAS(request, guard_min)) {
		org->policy.guard_min = request->guard_min;
	}
	if (REQUEST_HAS(request, guard_percent)) {
		org->policy.guard_percent = request->guard_percent;
	}
	org->policy.has_privacy_info = org->privacy_contact[0] || org->privacy_url[0];
}

static struct org org_before(struct call *call)
{
	const struct org *known = call_org(call, call->request->org);
	struct org org = {.policy = policy_default()};

	if (known) {
		return *known;
	}
	(void)model_lower(call->request->org, org.id, sizeof(org.id));
	return org;
}

/* A write of settings that are there already would only lengthen the ledger. */
static bool org_differs(struct call *call, const struct org *org)
{
	const struct org *known = store_org(call->engine->store, org->number);
	uint8_t before[ROWS_ORG_LEN_MAX], after[ROWS_ORG_LEN_MAX];
	size_t len;

	if (!known) {
		return true;
	}
	len = rows_encode_org(known, before);
	return len != rows_encode_org(org, after) || memcmp(before, after, len) != 0;
}

/* What the mass guard holds back goes on when it is switched off: let the sweep find it. */
static bool ends_guard(struct call *call, const struct org *org)
{
	const struct org *known = store_org(call->engine->store, org->number);

	return known && !guard_is_off(&known->policy) && guard_is_off(&org->policy);
}

static int store_settings(struct call *call, struct org *org)
{
	bool ends = ends_guard(call, org);
	int r = call_ask_bytes(call, sizeof(*org));

	if (r != 0) {
		return r;
	}
	r = store_put_org(call->engine->store, org, &call->actor);
	if (ends) {
		guarding_go_on(call->engine);
	}
	return r == STORE_E_NONE
		       ? call_refuse(call, ERROR_STORE_FULL,
				     "there are %u organizations already, as many as are kept",
				     STORE_ORGS_MAX)
		       : r;
}

int cmd_org_set(struct call *call)
{
	struct org org = org_before(call);
	enum outcome outcome;
	int r = 0;

	if (!call_covers_named(call, call->request->org)) {
		return call_refuse_uncovered(call, call->request->org);
	}
	take_settings(call->request, &org);
	outcome = policy_check(&org.policy);
	if (outcome == OUTCOME_OK && !call->request->dry_run && org_differs(call, &org)) {
		r = store_settings(call, &org);
	}
	if (r != 0) {
		return r;
	}
	pack_write_map(call->out);
	answer_put_outcome(call->out, outcome, OUTCOME_BIT(outcome));
	if (outcome == OUTCOME_OK) {
		answer_put_org(call->out, "org", &org);
	}
	pack_write_end(call->out);
	return 0;
}

int cmd_org_get(struct call *call)
{
	const struct org *org = call_org(call, call->request->org);

	if (!call_covers_named(call, call->request->org)) {
		return call_refuse_uncovered(call, call->request->org);
	}
	pack_write_map(call->out);
	answer_put_outcome(call->out, org ? OUTCOME_OK : OUTCOME_ORG_NOT_FOUND,
			   OUTCOME_BIT(OUTCOME_ORG_NOT_FOUND));
	if (org) {
		answer_put_org(call->out, "org", org);
	}
	pack_write_end(call->out);
	return 0;
}

int cmd_org_list(struct call *call)
{
	struct store *store = call->engine->store;
	uint32_t n = store_n_orgs(store), n_shown = 0, number = 0;
	uint8_t cursor[4] = {0};

	if (REQUEST_HAS(call->request, cursor) &&
	    !answer_read_hex(call->request->cursor, cursor, sizeof(cursor))) {
		return call_refuse_argument(call, "cursor", "is not one of this method's");
	}
	pack_write_map(call->out);
	pack_put_array(call->out, "orgs");
	for (number = load_be32(cursor);
	     number < n && n_shown < call->request->limit && call->out->len <= LIST_BYTES_MAX;
	     ++number) {
		const struct org *org = store_org(store, number + 1);

		if (call_covers(call, org)) {
			answer_put_org(call->out, NULL, org);
			++n_shown;
		}
	}
	pack_write_end(call->out);
	if (number < n) {
		store_be32(cursor, number);
		answer_put_hex(call->out, "cursor", cursor, sizeof(cursor));
	}
	pack_write_end(call->out);
	return 0;
}
