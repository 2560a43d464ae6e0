/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/show_items.h"

#include <errno.h>

#include "ctl/json.h"
#include "ctl/show_refusal.h"
#include "ctl/text.h"

#define SENTENCES_MAX 5 /* more accounts than this are read better in a table */

bool show_is_ok(const json_t *item)
{
	return slice_is(slice_of(ctl_json_text(item, "outcome")), outcome_code(OUTCOME_OK));
}

void show_tally_add(struct show_tally *tally, const json_t *item)
{
	enum outcome outcome;

	tally->n++;
	if (outcome_from_code(slice_of(ctl_json_text(item, "outcome")), &outcome)) {
		tally->outcome[outcome]++;
	} else {
		tally->unknown++;
	}
}

enum ctl_exit show_tally_exit(const struct show_tally *tally)
{
	if (tally->outcome[OUTCOME_OK] == tally->n) {
		return CTL_EXIT_OK;
	}
	if (tally->outcome[OUTCOME_STAGED] > 0) {
		return CTL_EXIT_GUARD;
	}
	if (tally->outcome[OUTCOME_OK] > 0) {
		return CTL_EXIT_PARTIAL;
	}
	if (tally->outcome[OUTCOME_NOT_FOUND] + tally->outcome[OUTCOME_ORG_NOT_FOUND] +
		    tally->outcome[OUTCOME_REQUEST_NOT_FOUND] ==
	    tally->n) {
		return CTL_EXIT_NOT_FOUND;
	}
	if (tally->outcome[OUTCOME_PERMISSION_DENIED] == tally->n) {
		return CTL_EXIT_PERMISSION;
	}
	return CTL_EXIT_REFUSED;
}

void show_tally_print(const struct show_tally *tally, FILE *out)
{
	const char *separator = "";

	for (int outcome = 0; outcome < _OUTCOME_MAX; outcome++) {
		if (tally->outcome[outcome] > 0) {
			(void)fprintf(out, "%s%zu %s", separator, tally->outcome[outcome],
				      outcome_code((enum outcome)outcome));
			separator = ", ";
		}
	}
	if (tally->unknown > 0) {
		(void)fprintf(out, "%s%zu of an outcome newer than this client", separator,
			      tally->unknown);
	}
}

enum ctl_exit show_outcome_exit(const json_t *result)
{
	struct show_tally tally = {0};

	if (!ctl_json_text(result, "outcome")) {
		return CTL_EXIT_OK;
	}
	show_tally_add(&tally, result);
	return show_tally_exit(&tally);
}

/* Whether a hold stands; told if so. */
static bool put_held(const struct show *show, const json_t *account)
{
	bool held = json_is_true(json_object_get(account, "held")) ||
		    show_has_reason(account, OUTCOME_HELD);

	(void)fputs(held ? ", held" : "", show->out);
	show_when(show, " until ", account, "held_until_us");
	return held;
}

static void put_soft_deleted(const struct show *show, const json_t *account)
{
	instant_t ends = (instant_t)json_integer_value(json_object_get(account, "window_ends_us"));
	bool held;

	(void)fputs("soft-deleted", show->out);
	held = put_held(show, account);
	if (held && show->now != INSTANT_NONE && show->now >= ends) {
		(void)fputs("; its time to be restored is over, only the hold keeps its data",
			    show->out);
	} else {
		show_when(show, "; it can be restored until ", account, "window_ends_us");
	}
}

void show_state_sentence(const struct show *show, const json_t *account)
{
	const char *name = ctl_json_text(account, "state");
	enum account_state state;

	if (!name || !account_state_from_name(slice_of(name), &state)) {
		ctl_text_put(show->out, slice_of(name ? name : "done"));
		return;
	}
	switch (state) {
	case ACCOUNT_STATE_ACTIVE:
		(void)fputs("active", show->out);
		if (json_is_false(json_object_get(account, "enabled"))) {
			(void)fputs(", disabled", show->out);
		}
		(void)put_held(show, account);
		return;
	case ACCOUNT_STATE_SOFT_DELETED:
		put_soft_deleted(show, account);
		return;
	case ACCOUNT_STATE_REMOVING:
		(void)fputs("being removed for good", show->out);
		if (slice_is(slice_of(ctl_json_text(account, "sla")),
			     account_sla_name(ACCOUNT_SLA_OVERDUE))) {
			(void)fprintf(show->out, ", %soverdue%s", show_red(show), show_plain(show));
			show_when(show, ": its data was to be gone by ", account, "removal_due_us");
		} else {
			show_when(show, "; all its data is gone by ", account, "removal_due_us");
		}
		return;
	case ACCOUNT_STATE_REMOVED:
		(void)fputs("removed for good", show->out);
		show_when(show, " at ", account, "removed_at_us");
		(void)fputs("; only its tombstone is left", show->out);
		return;
	case _ACCOUNT_STATE_MAX:
		break;
	}
}

static void put_label(const struct show *show, const json_t *item,
		      const struct ctl_account *account)
{
	const char *org = ctl_json_text(item, "org");
	const char *id = ctl_json_text(item, "id");

	(void)fputs(show_bold(show), show->out);
	if (account) {
		ctl_text_put(show->out, slice_of(account->written));
	} else {
		ctl_text_put(show->out, slice_of(org ? org : "?"));
		(void)fputc('/', show->out);
		ctl_text_put(show->out, slice_of(id ? id : "?"));
	}
	(void)fprintf(show->out, "%s: ", show_plain(show));
}

static bool is_asked(struct show_items_how how, enum command_symbol symbol)
{
	return how.command == &command_table[symbol];
}

/* Who may not leave can have an administrator decide. */
static bool may_file(const json_t *item, struct show_items_how how)
{
	return is_asked(how, COMMAND_account_leave) &&
	       (show_has_reason(item, OUTCOME_LEAVE_NOT_ALLOWED) ||
		show_has_reason(item, OUTCOME_ACCOUNT_DISABLED));
}

static void put_refused(const struct show *show, const json_t *item,
			const struct ctl_account *account, struct show_items_how how)
{
	show_refusal(show, item);
	if (may_file(item, how) && account) {
		(void)fputs("  a removal request can be filed: retentionctl file ", show->out);
		ctl_text_put(show->out, slice_of(account->written));
		(void)fputc('\n', show->out);
	}
	if (ctl_json_text(item, "state")) {
		(void)fputs("  it is ", show->out);
		show_state_sentence(show, item);
		(void)fputc('\n', show->out);
	}
	if (json_object_get(item, "request")) {
		(void)fputs("  it is request ", show->out);
		show_key(show, item, "request");
		(void)fputc('\n', show->out);
	}
}

/* A dry run gives no number. */
static void put_filed(const struct show *show, const json_t *item)
{
	(void)fputs("request ", show->out);
	if (json_object_get(item, "request")) {
		show_key(show, item, "request");
		(void)fputc(' ', show->out);
	}
	(void)fputs("filed", show->out);
	show_when(show, "; it is to be decided by ", item, "due_us");
}

static void put_hold(const struct show *show, const json_t *item, struct show_items_how how)
{
	bool added = is_asked(how, COMMAND_hold_add);

	(void)fputs(added ? "held by " : "hold ", show->out);
	ctl_text_put(show->out, slice_of(how.hold));
	if (!added) {
		(void)fputs(" released", show->out);
	} else if (how.hold_until != INSTANT_NONE) {
		(void)fputs(" until ", show->out);
		show_instant(show, how.hold_until, show->out);
	}
	(void)fputs("; ", show->out);
	show_state_sentence(show, item);
}

static void put_waived(const struct show *show, const json_t *item)
{
	const json_t *pending = json_object_get(item, "pending");

	show_state_sentence(show, item);
	if (json_array_size(pending) == 0) {
		(void)fputs("; nobody owes anything any more; the removal completes with the next "
			    "sweep",
			    show->out);
		return;
	}
	(void)fputs("; still to answer: ", show->out);
	show_value(show, "pending", pending, show->out);
}

static void put_done(const struct show *show, const json_t *item, struct show_items_how how)
{
	const char *change = ctl_json_text(item, "change");

	if (is_asked(how, COMMAND_request_file)) {
		put_filed(show, item);
	} else if (how.hold) {
		put_hold(show, item, how);
	} else if (is_asked(how, COMMAND_keeper_waive)) {
		put_waived(show, item);
	} else if (is_asked(how, COMMAND_account_disable)) {
		(void)fputs("disabled", show->out);
	} else if (is_asked(how, COMMAND_account_enable)) {
		(void)fputs("enabled", show->out);
	} else {
		if (change) {
			ctl_text_put(show->out, slice_of(change));
			(void)fputs("; ", show->out);
		}
		show_state_sentence(show, item);
	}
}

static void put_sentence(const struct show *show, const json_t *item,
			 const struct ctl_account *account, struct show_items_how how)
{
	put_label(show, item, account);
	(void)fputs(how.dry_run ? "(dry run) " : "", show->out);
	if (!show_is_ok(item)) {
		put_refused(show, item, account, how);
		return;
	}
	put_done(show, item, how);
	(void)fputc('\n', show->out);
}

static const char *const item_columns[] = {
	"account", "outcome",        "reasons",        "change", "request", "due_us", "uid",
	"state",   "window_ends_us", "removal_due_us", "sla",    "pending", NULL,
};

/* The item as a row, led by the name that the account was called by. */
static json_t *row_of(const json_t *item, const struct ctl_account *account)
{
	json_t *row = json_copy((json_t *)item); /* reads it only */
	json_t *reasons = json_object_get(row, "reasons");
	const char *org = ctl_json_text(item, "org");
	const char *id = ctl_json_text(item, "id");
	json_t *name = account ? json_string(account->written)
			       : json_sprintf("%s/%s", org ? org : "?", id ? id : "?");

	/* A lone reason is the outcome once more. */
	if (json_array_size(reasons) == 1 &&
	    json_equal(json_array_get(reasons, 0), json_object_get(row, "outcome"))) {
		(void)json_object_del(row, "reasons"); /* it is there */
	}
	if (!row || json_object_set_new(row, "account", name) < 0) {
		json_decref(row);
		return NULL;
	}
	return row;
}

/* The contacts of the organizations that refused, once each: a table has no room for them. */
static int put_contacts(const struct show *show, const json_t *items)
{
	json_t *told = json_object();
	size_t i;
	const json_t *item;
	int r = told ? 0 : -ENOMEM;

	json_array_foreach(items, i, item) {
		const char *org = ctl_json_text(item, "org");
		json_t *contact = json_object_get(item, "contact");

		if (r < 0 || show_is_ok(item) || !org || !show_names_contact(item) || !contact ||
		    json_object_get(told, org)) {
			continue;
		}
		r = json_object_set(told, org, contact) < 0 ? -ENOMEM : 0;
		ctl_text_put(show->out, slice_of(org));
		show_ask(show, ": ", contact);
	}
	json_decref(told);
	return r;
}

static void put_way_out(const struct show *show, const json_t *items, struct show_items_how how)
{
	size_t i;
	const json_t *item;

	json_array_foreach(items, i, item) {
		if (may_file(item, how)) {
			(void)fputs("a removal request can be filed for who may not leave: "
				    "retentionctl file ACCOUNT…\n",
				    show->out);
			return;
		}
	}
}

/* The sentences of the outcomes that a table shows as codes. */
static void put_meanings(const struct show *show, const json_t *items)
{
	struct show_tally tally = {0};
	size_t n_gone = 0;
	size_t i;
	const json_t *item;

	json_array_foreach(items, i, item) {
		show_tally_add(&tally, item);
		n_gone += show_is_gone(item);
	}
	(void)fputs(tally.outcome[OUTCOME_OK] < tally.n ? "\n" : "", show->out);
	if (n_gone > 0) {
		(void)fprintf(show->out, "%s, state removed: " SHOW_GONE "\n",
			      outcome_code(OUTCOME_NOT_FOUND));
	}
	tally.outcome[OUTCOME_NOT_FOUND] -= n_gone;
	for (int outcome = OUTCOME_OK + 1; outcome < _OUTCOME_MAX; outcome++) {
		if (tally.outcome[outcome] > 0) {
			(void)fprintf(show->out, "%s: %s\n", outcome_code((enum outcome)outcome),
				      outcome_text((enum outcome)outcome));
		}
	}
}

static int put_table(const struct show *show, const json_t *items,
		     const struct ctl_accounts *accounts, struct show_items_how how)
{
	json_t *rows = json_array();
	size_t i;
	const json_t *item;
	int r = rows ? 0 : -ENOMEM;

	json_array_foreach(items, i, item) {
		const struct ctl_account *account =
			accounts && i < accounts->n ? &accounts->items[i] : NULL;

		if (r == 0 && (!how.quiet || !show_is_ok(item)) &&
		    json_array_append_new(rows, row_of(item, account)) < 0) {
			r = -ENOMEM;
		}
	}
	r = r ? r : show_rows(show, rows, item_columns);
	if (r == 0 && show->legend) {
		put_meanings(show, items);
		put_way_out(show, items, how);
		r = put_contacts(show, items);
	}
	json_decref(rows);
	return r;
}

int show_items(const struct show *show, const json_t *items, const struct ctl_accounts *accounts,
	       struct show_items_how how)
{
	size_t i;
	const json_t *item;

	if (json_array_size(items) > SENTENCES_MAX) {
		return put_table(show, items, accounts, how);
	}
	json_array_foreach(items, i, item) {
		if (!how.quiet || !show_is_ok(item)) {
			put_sentence(show, item,
				     accounts && i < accounts->n ? &accounts->items[i] : NULL, how);
		}
	}
	return 0;
}
