/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_REPORT_H
#define RETENTIOND_CTL_REPORT_H

#include "common/model.h"
#include "ctl/ctl.h"

/* What is counted, in the order in which it is told. */
enum ctl_figure {
	CTL_FIGURE_LEFT,    /* persons left by themselves */
	CTL_FIGURE_REMOVED, /* administrators, or the directory, removed them */
	CTL_FIGURE_RESTORED,
	CTL_FIGURE_PURGED,
	CTL_FIGURE_STARTED, /* removals, however they started */
	CTL_FIGURE_ON_TIME, /* removals completed */
	CTL_FIGURE_LATE,
	CTL_FIGURE_RETAINED, /* data that a keeper keeps on a legal ground */
	CTL_FIGURE_WAIVED,
	CTL_FIGURE_OVERDUE, /* deadlines that passed */
	CTL_FIGURE_FILED,   /* removal requests */
	CTL_FIGURE_APPROVED,
	CTL_FIGURE_DENIED,
	_CTL_FIGURE_MAX
};

struct ctl_report_row {
	char org[MODEL_ORG_LEN_MAX + 1];
	int64_t n[_CTL_FIGURE_MAX];
};

/**
 * struct ctl_report - a period's evidence, counted from the ledger
 * @rows: of the organizations, in order of their names once it is told
 */
struct ctl_report {
	instant_t from;
	instant_t to;
	int64_t first_seq;
	int64_t last_seq;
	struct ctl_report_row *rows;
	size_t n;
	size_t size;
};

/* Counts an entry of ledger.read. Return: 0 or -ENOMEM. */
must_check int ctl_report_add(struct ctl_report *report, const json_t *entry);

/* Tells it. Return: 0 or -ENOMEM. */
must_check int ctl_report_put_table(struct ctl_report *report, const struct show *show);
must_check int ctl_report_put_json(struct ctl_report *report, FILE *out);
void ctl_report_put_csv(struct ctl_report *report, FILE *out);
void ctl_report_done(struct ctl_report *report);

/* The verb report: reads the ledger of a period and tells what happened in it. */
int ctl_report_run(struct ctl *ctl);

#endif
