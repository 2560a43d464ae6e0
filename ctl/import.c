/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/import.h"

#include <errno.h>

#include "ctl/import_file.h"
#include "ctl/import_send.h"
#include "ctl/json.h"

#define REFUSED_SHOWN_MAX 1000 /* rows; whoever has more refused asks for JSON */

static int read_files(struct ctl *ctl, struct import_set *set, size_t *ret_incomplete)
{
	enum import_format format = IMPORT_FORMAT_AUTO;

	if (ctl->args.format && !import_format_from_name(ctl->args.format, &format)) {
		return ctl_fault_set(&ctl->fault, CTL_EXIT_USAGE, "usage",
				     "--format=%s must be auto, csv, jsonl or graph",
				     ctl->args.format);
	}
	*ret_incomplete = 0;
	for (size_t i = 0; i < ctl->operands.n_files; i++) {
		bool incomplete = false;
		int r = import_file_read(set, ctl->operands.files[i], format, &incomplete,
					 &ctl->fault);

		if (r != 0) {
			return r;
		}
		*ret_incomplete += incomplete;
	}
	if (set->faults.n > 0) {
		import_faults_print(&set->faults, stderr);
		return ctl_fault_set(&ctl->fault, CTL_EXIT_FAILURE, "malformed",
				     "%zu fault%s in the files; nothing was changed", set->faults.n,
				     set->faults.n == 1 ? "" : "s");
	}
	return 0;
}

static json_t *counts_of(const struct import_set *set, const struct import_report *report)
{
	json_t *counts =
		json_pack("{s:I, s:I, s:I, s:I, s:I}", "rows", (json_int_t)set->n, "answered",
			  (json_int_t)report->tally.n, "created", (json_int_t)report->created,
			  "updated", (json_int_t)report->updated, "unchanged",
			  (json_int_t)report->unchanged);
	json_t *outcomes = json_object();

	for (int outcome = 0; outcome < _OUTCOME_MAX; outcome++) {
		if (report->tally.outcome[outcome] > 0) {
			(void)json_object_set_new(
				outcomes, outcome_code((enum outcome)outcome),
				json_integer((json_int_t)report->tally.outcome[outcome]));
		}
	}
	(void)json_object_set_new(
		counts, "outcomes",
		outcomes); /* without memory the document is not whole: see below */
	return counts;
}

static int print_json(struct ctl *ctl, const struct import_set *set,
		      const struct import_report *report)
{
	json_t *document =
		json_pack("{s:o, s:O}", "counts", counts_of(set, report), "items", report->items);

	if (!document) {
		return ctl_fault_errno(&ctl->fault, -ENOMEM, "results");
	}
	ctl_json_print(document, ctl->show.out);
	json_decref(document);
	return 0;
}

static void put_item(struct ctl *ctl, const json_t *item)
{
	FILE *out = ctl->show.out;
	const char *outcome = ctl_json_text(item, "outcome");

	show_value(&ctl->show, "file", json_object_get(item, "file"), out);
	(void)fputc(':', out);
	show_value(&ctl->show, "line", json_object_get(item, "line"), out);
	(void)fputs(": ", out);
	show_value(&ctl->show, "org", json_object_get(item, "org"), out);
	(void)fputc('/', out);
	show_value(&ctl->show, "id", json_object_get(item, "id"), out);
	(void)fputs(": ", out);
	if (outcome && strcmp(outcome, outcome_code(OUTCOME_OK)) == 0) {
		show_value(&ctl->show, "change", json_object_get(item, "change"), out);
		(void)fputs("; ", out);
		show_state_sentence(&ctl->show, item);
		(void)fputc('\n', out);
	} else {
		show_refusal(&ctl->show, item);
	}
}

static void print_report(struct ctl *ctl, const struct import_set *set,
			 const struct import_report *report)
{
	size_t n = json_array_size(report->items);
	size_t shown = ctl->args.all ? n : MIN(n, REFUSED_SHOWN_MAX);
	FILE *out = ctl->show.out;

	if (shown > 0 && ctl->fault.exit == CTL_EXIT_OK) {
		ctl_learn_now(ctl, NULL);
	}
	for (size_t i = 0; i < shown; i++) {
		put_item(ctl, json_array_get(report->items, i));
	}
	if (shown < n) {
		(void)fprintf(out, "and %zu more; --json tells all\n", n - shown);
	}
	if (!ctl->show.legend || (ctl->args.quiet && n == 0)) {
		return;
	}
	(void)fprintf(out, "%s%zu rows: %zu created, %zu updated, %zu unchanged",
		      ctl_says_yes(ctl, ARGUMENT_dry_run) ? "dry run, nothing was changed: " : "",
		      set->n, report->created, report->updated, report->unchanged);
	if (report->tally.outcome[OUTCOME_OK] < report->tally.n) {
		(void)fputs("; of all: ", out);
		show_tally_print(&report->tally, out);
	}
	(void)fputc('\n', out);
}

/* Says how far it came, in the fault that ended it. */
static void tell_rest(struct ctl *ctl, const struct import_set *set,
		      const struct import_report *report)
{
	size_t len = strlen(ctl->fault.text);

	(void)snprintf(
		ctl->fault.text + len, sizeof(ctl->fault.text) - len,
		"; %zu of %zu rows were answered before. Import the same files again: what is there "
		"already is left as it is",
		report->tally.n, set->n);
}

static int send_and_report(struct ctl *ctl, const struct import_set *set)
{
	struct import_report report;
	int r = import_send(ctl, set, ctl->args.all, &report);
	int told = 0;

	if (r != 0 && report.tally.n > 0) {
		tell_rest(ctl, set, &report);
	}
	if (r == 0 || report.tally.n > 0) {
		if (ctl->args.json) {
			told = print_json(ctl, set, &report);
		} else {
			print_report(ctl, set, &report);
		}
	}
	json_decref(report.items);
	r = r ? r : told;
	return r ? r : (int)show_tally_exit(&report.tally);
}

int import_run(struct ctl *ctl)
{
	struct import_set set;
	size_t n_incomplete = 0;
	int r;

	import_set_init(&set);
	set.default_org = slice_of(ctl->args.argument[ARGUMENT_org]);
	set.default_kind = slice_of(ctl->args.argument[ARGUMENT_kind]);
	r = read_files(ctl, &set, &n_incomplete);
	r = r ? r : send_and_report(ctl, &set);
	if (n_incomplete > 0) {
		(void)fprintf(
			stderr,
			"retentionctl: %zu of the files say that more follows (@odata.nextLink): the "
			"export is not complete\n",
			n_incomplete);
	}
	import_set_done(&set);
	return r;
}
