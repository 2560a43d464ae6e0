/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/import.h"

#include "ctl/import_file.h"
#include "ctl/import_orgs.h"
#include "ctl/import_send.h"

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
		if (ctl->args.json) {
			return ctl_fault_set(&ctl->fault, CTL_EXIT_FAILURE, "malformed",
					     "%s; faults: %zu; nothing was changed",
					     set->faults.shown[0] ? set->faults.shown[0] : "",
					     set->faults.n);
		}
		import_faults_print(&set->faults, stderr);
		return ctl_fault_set(&ctl->fault, CTL_EXIT_FAILURE, "malformed",
				     "%zu fault%s in the files; nothing was changed", set->faults.n,
				     set->faults.n == 1 ? "" : "s");
	}
	return 0;
}

static int send_and_report(struct ctl *ctl, const struct import_set *set)
{
	struct import_report report;
	int told = 0;
	int r;

	import_report_init(&report);
	r = import_send(ctl, set, &report);
	if (r != 0 && report.tally.n > 0) {
		ctl_fault_add(&ctl->fault,
			      "; %zu of %zu rows were answered before. Import the same files "
			      "again: what is there already is left as it is",
			      report.tally.n, set->n);
	}
	if (r == 0 || report.tally.n > 0) {
		told = import_report_print(ctl, &report, set->n);
	}
	r = r ? r : told;
	r = r ? r : (int)show_tally_exit(&report.tally);
	import_report_done(&report);
	return r;
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
	r = r ? r : import_orgs_check(ctl, &set);
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
