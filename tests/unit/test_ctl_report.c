/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/report.h"

#include <criterion/criterion.h>

static struct ctl_report report;

static void tear_down(void)
{
	ctl_report_done(&report);
}

TestSuite(ctl_report, .fini = tear_down);

/* @text: an entry of ledger.read in JSON, with single quotes. */
static void add(const char *text)
{
	char json[256];
	json_t *entry;

	(void)snprintf(json, sizeof(json), "%s", text);
	for (char *p = json; *p; p++) {
		*p = (char)(*p == '\'' ? '"' : *p);
	}
	entry = json_loads(json, 0, NULL);
	cr_assert(entry, "%s", text);
	cr_assert_eq(ctl_report_add(&report, entry), 0);
	json_decref(entry);
}

static int64_t figure(const char *org, enum ctl_figure figure)
{
	for (size_t i = 0; i < report.n; i++) {
		if (strcmp(report.rows[i].org, org) == 0) {
			return report.rows[i].n[figure];
		}
	}
	return 0;
}

Test(ctl_report, each_event_counts_where_it_belongs)
{
	static const struct {
		const char *entry;
		enum ctl_figure figure;
	} events[] = {
		{"'event': 'left'", CTL_FIGURE_LEFT},
		{"'event': 'deleted'", CTL_FIGURE_REMOVED},
		{"'event': 'restored'", CTL_FIGURE_RESTORED},
		{"'event': 'purged'", CTL_FIGURE_PURGED},
		{"'event': 'removal-started', 'starts_removal': true", CTL_FIGURE_STARTED},
		{"'event': 'removal-completed'", CTL_FIGURE_ON_TIME},
		{"'event': 'removal-completed', 'late': true", CTL_FIGURE_LATE},
		{"'event': 'task-confirmed', 'result': 'retained'", CTL_FIGURE_RETAINED},
		{"'event': 'task-waived', 'result': 'waived'", CTL_FIGURE_WAIVED},
		{"'event': 'overdue', 'late': true", CTL_FIGURE_OVERDUE},
		{"'event': 'request-filed'", CTL_FIGURE_FILED},
		{"'event': 'request-approved'", CTL_FIGURE_APPROVED},
		{"'event': 'request-denied'", CTL_FIGURE_DENIED},
	};

	static_assert(ARRAY_LEN(events) == _CTL_FIGURE_MAX, "each figure has its event");
	for (size_t i = 0; i < ARRAY_LEN(events); i++) {
		char entry[200];

		(void)snprintf(entry, sizeof(entry), "{'seq': 1, 'uid': 1, 'org': 'o', %s}",
			       events[i].entry);
		add(entry);
		for (size_t k = 0; k < ARRAY_LEN(events); k++) {
			cr_assert_eq(figure("o", events[k].figure), k <= i ? 1 : 0, "%s",
				     events[i].entry);
		}
	}
}

Test(ctl_report, what_starts_a_removal_counts_twice)
{
	add("{'seq': 1, 'uid': 1, 'org': 'o', 'event': 'purged', 'starts_removal': true}");
	add("{'seq': 2, 'uid': 2, 'org': 'o', 'event': 'left', 'starts_removal': true}");
	add("{'seq': 3, 'uid': 2, 'org': 'o', 'event': 'task-confirmed', 'result': 'erased'}");
	cr_assert_eq(figure("o", CTL_FIGURE_STARTED), 2);
	cr_assert_eq(figure("o", CTL_FIGURE_PURGED), 1);
	cr_assert_eq(figure("o", CTL_FIGURE_LEFT), 1);
	cr_assert_eq(figure("o", CTL_FIGURE_RETAINED), 0);
}

Test(ctl_report, csv_has_a_row_for_each_organization_and_a_total)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	add("{'seq': 5, 'event': 'sweep-paused'}");
	add("{'seq': 6, 'uid': 1, 'org': 'b', 'event': 'left'}");
	add("{'seq': 7, 'uid': 2, 'org': 'a', 'event': 'left'}");
	add("{'seq': 8, 'uid': 3, 'org': 'b', 'event': 'removal-completed', 'late': true}");
	add("{'seq': 9, 'org': 'a', 'event': 'org-set'}");
	ctl_report_put_csv(&report, out);
	(void)fclose(out);
	cr_assert_str_eq(text,
			 "org,left,removed,restored,purged,removals_started,completed_on_time,"
			 "completed_late,retained,waived,overdue,requests_filed,"
			 "requests_approved,requests_denied\r\n"
			 "a,1,0,0,0,0,0,0,0,0,0,0,0,0\r\n"
			 "b,1,0,0,0,0,0,1,0,0,0,0,0,0\r\n"
			 "(total),2,0,0,0,0,0,1,0,0,0,0,0,0\r\n");
	cr_assert_eq(report.first_seq, 5);
	cr_assert_eq(report.last_seq, 9);
	free(text);
}

Test(ctl_report, a_period_in_which_nothing_happened_says_so)
{
	char *text;
	size_t len;
	struct show show = {.now = INSTANT_NONE, .utc = true, .legend = true};

	report.to = SPAN_DAY;
	show.out = open_memstream(&text, &len);
	cr_assert_eq(ctl_report_put_table(&report, &show), 0);
	(void)fclose(show.out);
	cr_assert(strstr(text, "from the beginning until 1970-01-02T00:00:00Z: no entry"));
	free(text);
}

Test(ctl_report, many_organizations_are_each_counted)
{
	for (int i = 0; i < 100; i++) {
		char entry[128];

		(void)snprintf(entry, sizeof(entry),
			       "{'seq': 1, 'uid': 1, 'org': 'o%d', 'event': 'left'}", i % 50);
		add(entry);
	}
	cr_assert_eq(report.n, 50);
	cr_assert_eq(figure("o7", CTL_FIGURE_LEFT), 2);
}
