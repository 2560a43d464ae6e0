/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/import_report.h"

#include <errno.h>

#include "ctl/json.h"
#include "ctl/show_refusal.h"

void import_report_init(struct import_report *report)
{
	/* Without memory for the array the first row to be kept fails. */
	*report = (struct import_report){.items = json_array()};
}

void import_report_done(struct import_report *report)
{
	json_decref(report->items);
}

static void count_change(struct import_report *report, const json_t *item)
{
	struct slice change = slice_of(ctl_json_text(item, "change"));

	report->created += slice_is(change, "created");
	report->updated += slice_is(change, "updated");
	report->unchanged += slice_is(change, "unchanged");
}

static int put_place(json_t *item, const struct import_where *where)
{
	if (json_object_set_new(item, "file", json_string(where->file)) < 0 ||
	    json_object_set_new(item, "line", json_integer((json_int_t)where->line)) < 0) {
		return -ENOMEM;
	}
	if (where->list &&
	    json_object_set_new(item, "place", json_sprintf("%s[%zu]", where->list, where->index)) <
		    0) {
		return -ENOMEM;
	}
	return 0;
}

int import_report_add(struct import_report *report, json_t *item, const struct import_where *where,
		      bool all)
{
	bool ok = show_is_ok(item);

	show_tally_add(&report->tally, item);
	if (ok) {
		count_change(report, item);
	}
	if (ok && !all) {
		return 0;
	}
	if (put_place(item, where) < 0 || json_array_append(report->items, item) < 0) {
		return -ENOMEM;
	}
	return 0;
}

static json_t *outcomes_of(const struct show_tally *tally)
{
	json_t *outcomes = json_object();

	for (int i = 0; i < _OUTCOME_MAX; i++) {
		json_int_t n = (json_int_t)tally->outcome[i];

		if (n > 0 && json_object_set_new(outcomes, outcome_code((enum outcome)i),
						 json_integer(n)) < 0) {
			json_decref(outcomes);
			return NULL;
		}
	}
	return outcomes;
}

static int print_json(struct ctl *ctl, const struct import_report *report, size_t n_rows)
{
	json_t *document =
		json_pack("{s:{s:I, s:I, s:I, s:I, s:I, s:o}, s:O}", "counts", "rows",
			  (json_int_t)n_rows, "answered", (json_int_t)report->tally.n, "created",
			  (json_int_t)report->created, "updated", (json_int_t)report->updated,
			  "unchanged", (json_int_t)report->unchanged, "outcomes",
			  outcomes_of(&report->tally), "items", report->items);

	if (!document) {
		return ctl_fault_errno(&ctl->fault, -ENOMEM, "results");
	}
	ctl_json_print(document, ctl->show.out);
	json_decref(document);
	return 0;
}

static void put_key(const struct show *show, const json_t *item, const char *key, const char *after)
{
	show_key(show, item, key);
	(void)fputs(after, show->out);
}

static void put_item(const struct show *show, const json_t *item)
{
	put_key(show, item, "file", ":");
	put_key(show, item, "line", ": ");
	if (json_object_get(item, "place")) {
		put_key(show, item, "place", ": ");
	}
	put_key(show, item, "org", "/");
	put_key(show, item, "id", ": ");
	if (show_is_ok(item)) {
		put_key(show, item, "change", "; ");
		show_state_sentence(show, item);
		(void)fputc('\n', show->out);
	} else {
		show_refusal(show, item);
	}
}

static void put_items(struct ctl *ctl, const struct import_report *report)
{
	size_t n = json_array_size(report->items);
	size_t shown = ctl->args.all ? n : MIN(n, IMPORT_FAULTS_SHOWN_MAX);

	if (shown > 0 && ctl->fault.exit == CTL_EXIT_OK) {
		ctl_learn_now(ctl, NULL);
	}
	for (size_t i = 0; i < shown; i++) {
		put_item(&ctl->show, json_array_get(report->items, i));
	}
	if (shown < n) {
		(void)fprintf(ctl->show.out, "and %zu more; --json tells all\n", n - shown);
	}
}

/* The refusal that most rows met; OUTCOME_OK if this client knows none of theirs. */
static enum outcome most_often(const struct show_tally *tally)
{
	enum outcome most = OUTCOME_OK;

	for (int i = OUTCOME_OK + 1; i < _OUTCOME_MAX; i++) {
		if (tally->outcome[i] > (most == OUTCOME_OK ? 0 : tally->outcome[most])) {
			most = (enum outcome)i;
		}
	}
	return most;
}

static void put_counts(const struct ctl *ctl, const struct import_report *report, size_t n_rows)
{
	FILE *out = ctl->show.out;
	struct show_tally refused = report->tally;
	enum outcome most = most_often(&refused);

	(void)fprintf(out, "%s%zu %s: %zu created, %zu updated, %zu unchanged",
		      ctl_says_yes(ctl, ARGUMENT_dry_run) ? "dry run, nothing was changed: " : "",
		      n_rows, n_rows == 1 ? "row" : "rows", report->created, report->updated,
		      report->unchanged);
	refused.n -= refused.outcome[OUTCOME_OK];
	refused.outcome[OUTCOME_OK] = 0;
	if (refused.n > 0) {
		(void)fprintf(out, ", %zu refused: ", refused.n);
		show_tally_print(&refused, out);
	}
	(void)fputc('\n', out);
	if (most != OUTCOME_OK) {
		(void)fprintf(out, "%s: %s\n", outcome_code(most), outcome_text(most));
	}
}

int import_report_print(struct ctl *ctl, const struct import_report *report, size_t n_rows)
{
	if (ctl->args.json) {
		return print_json(ctl, report, n_rows);
	}
	put_items(ctl, report);
	if (ctl->show.legend && !(ctl->args.quiet && json_array_size(report->items) == 0)) {
		put_counts(ctl, report, n_rows);
	}
	return 0;
}
