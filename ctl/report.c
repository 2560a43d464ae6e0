/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/report.h"

#include <errno.h>
#include <inttypes.h>

#include "ctl/json.h"

#define TOTAL "(total)" /* no organization's name has brackets */

/* clang-format off */
static const char *const figure_names[_CTL_FIGURE_MAX] = {
	[CTL_FIGURE_LEFT]     = "left",
	[CTL_FIGURE_REMOVED]  = "removed",
	[CTL_FIGURE_RESTORED] = "restored",
	[CTL_FIGURE_PURGED]   = "purged",
	[CTL_FIGURE_STARTED]  = "removals_started",
	[CTL_FIGURE_ON_TIME]  = "completed_on_time",
	[CTL_FIGURE_LATE]     = "completed_late",
	[CTL_FIGURE_RETAINED] = "retained",
	[CTL_FIGURE_WAIVED]   = "waived",
	[CTL_FIGURE_OVERDUE]  = "overdue",
	[CTL_FIGURE_FILED]    = "requests_filed",
	[CTL_FIGURE_APPROVED] = "requests_approved",
	[CTL_FIGURE_DENIED]   = "requests_denied",
};

/* Events that count by themselves. */
static const struct {
	const char *event;
	enum ctl_figure figure;
} counted[] = {
	{"left",             CTL_FIGURE_LEFT},
	{"deleted",          CTL_FIGURE_REMOVED},
	{"restored",         CTL_FIGURE_RESTORED},
	{"purged",           CTL_FIGURE_PURGED},
	{"task-waived",      CTL_FIGURE_WAIVED},
	{"overdue",          CTL_FIGURE_OVERDUE},
	{"request-filed",    CTL_FIGURE_FILED},
	{"request-approved", CTL_FIGURE_APPROVED},
	{"request-denied",   CTL_FIGURE_DENIED},
};
/* clang-format on */

/* Counting */

/* Entries of one organization often follow each other, and there are few organizations. */
static struct ctl_report_row *find_row(struct ctl_report *report, const char *org)
{
	for (size_t i = report->n; i > 0; i--) {
		if (strcmp(report->rows[i - 1].org, org) == 0) {
			return &report->rows[i - 1];
		}
	}
	return NULL;
}

static struct ctl_report_row *make_row(struct ctl_report *report, const char *org)
{
	if (report->n == report->size) {
		size_t size = MAX(2 * report->size, (size_t)16);
		struct ctl_report_row *rows = reallocarray(report->rows, size, sizeof(*rows));

		if (!rows) {
			return NULL;
		}
		report->rows = rows;
		report->size = size;
	}
	report->rows[report->n] = (struct ctl_report_row){0};
	(void)snprintf(report->rows[report->n].org, sizeof(report->rows[0].org), "%s",
		       org); /* the daemon's names fit */
	return &report->rows[report->n++];
}

static void count_entry(struct ctl_report_row *row, const json_t *entry, const char *event)
{
	const char *result = ctl_json_text(entry, "result");

	for (size_t i = 0; i < ARRAY_LEN(counted); i++) {
		row->n[counted[i].figure] += strcmp(counted[i].event, event) == 0;
	}
	if (json_is_true(json_object_get(entry, "starts_removal"))) {
		++row->n[CTL_FIGURE_STARTED];
	}
	if (strcmp(event, "removal-completed") == 0) {
		bool late = json_is_true(json_object_get(entry, "late"));

		++row->n[late ? CTL_FIGURE_LATE : CTL_FIGURE_ON_TIME];
	}
	if (strcmp(event, "task-confirmed") == 0 && result && strcmp(result, "retained") == 0) {
		++row->n[CTL_FIGURE_RETAINED];
	}
}

int ctl_report_add(struct ctl_report *report, const json_t *entry)
{
	const char *event = ctl_json_text(entry, "event");
	const char *org = ctl_json_text(entry, "org");
	int64_t seq = json_integer_value(json_object_get(entry, "seq"));
	struct ctl_report_row *row;

	report->first_seq = report->first_seq ? report->first_seq : seq;
	report->last_seq = seq;
	if (!event || !org || !json_object_get(entry, "uid")) {
		return 0; /* it concerns no account */
	}
	row = find_row(report, org);
	if (!row) {
		row = make_row(report, org);
	}
	if (!row) {
		return -ENOMEM;
	}
	count_entry(row, entry, event);
	return 0;
}

void ctl_report_done(struct ctl_report *report)
{
	free(report->rows);
	*report = (struct ctl_report){0};
}

/* Telling */

static int by_org(const void *a, const void *b)
{
	return strcmp(((const struct ctl_report_row *)a)->org,
		      ((const struct ctl_report_row *)b)->org);
}

static void sort(struct ctl_report *report)
{
	if (report->n > 1) {
		qsort(report->rows, report->n, sizeof(*report->rows), by_org);
	}
}

static struct ctl_report_row total_of(const struct ctl_report *report)
{
	struct ctl_report_row total = {.org = TOTAL};

	for (size_t i = 0; i < report->n; i++) {
		for (size_t figure = 0; figure < _CTL_FIGURE_MAX; figure++) {
			total.n[figure] += report->rows[i].n[figure];
		}
	}
	return total;
}

/* NULL without memory. @named: with its organization. */
static json_t *json_of_row(const struct ctl_report_row *row, bool named)
{
	json_t *json = json_object();
	int r = named ? json_object_set_new(json, "org", json_string(row->org)) : 0;

	for (size_t figure = 0; figure < _CTL_FIGURE_MAX && r == 0; figure++) {
		r = json_object_set_new(json, figure_names[figure], json_integer(row->n[figure]));
	}
	if (r < 0) {
		json_decref(json);
		return NULL;
	}
	return json;
}

/* NULL without memory. */
static json_t *json_of_rows(struct ctl_report *report)
{
	json_t *rows = json_array();

	sort(report);
	for (size_t i = 0; i < report->n; i++) {
		if (json_array_append_new(rows, json_of_row(&report->rows[i], true)) < 0) {
			json_decref(rows);
			return NULL;
		}
	}
	return rows;
}

int ctl_report_put_json(struct ctl_report *report, FILE *out)
{
	const struct ctl_report_row total = total_of(report);
	json_t *json =
		json_pack("{s:I,s:I,s:I,s:I,s:o,s:o}", "from_us", (json_int_t)report->from, "to_us",
			  (json_int_t)report->to, "first_seq", (json_int_t)report->first_seq,
			  "last_seq", (json_int_t)report->last_seq, "organizations",
			  json_of_rows(report), "total", json_of_row(&total, false));

	if (!json) {
		return -ENOMEM;
	}
	ctl_json_print(json, out);
	json_decref(json);
	return 0;
}

/* Rows of a period without entries have nothing to say: the legend says that. */
static void put_legend(const struct ctl_report *report, const struct show *show)
{
	const struct show plain = {.now = INSTANT_NONE, .utc = show->utc};

	(void)fputs("\nfrom ", show->out);
	if (report->from == 0) {
		(void)fputs("the beginning", show->out);
	} else {
		show_instant(&plain, report->from, show->out);
	}
	(void)fputs(" until ", show->out);
	show_instant(&plain, report->to, show->out);
	if (report->last_seq == 0) {
		(void)fputs(": no entry in the ledger\n", show->out);
		return;
	}
	(void)fprintf(show->out, ": ledger entries %" PRId64 " to %" PRId64 "\n", report->first_seq,
		      report->last_seq);
}

int ctl_report_put_table(struct ctl_report *report, const struct show *show)
{
	const struct ctl_report_row total = total_of(report);
	json_t *rows = json_of_rows(report);
	int r = -ENOMEM;

	if (rows && json_array_append_new(rows, json_of_row(&total, true)) == 0) {
		r = show_rows(show, rows, NULL);
	}
	json_decref(rows);
	if (r == 0 && show->legend) {
		put_legend(report, show);
	}
	return r;
}

static void put_csv_row(const struct ctl_report_row *row, FILE *out)
{
	(void)fputs(row->org, out);
	for (size_t figure = 0; figure < _CTL_FIGURE_MAX; figure++) {
		(void)fprintf(out, ",%" PRId64, row->n[figure]);
	}
	(void)fputs("\r\n", out);
}

/* RFC 4180. Nothing in it needs quotes: names of organizations are a-z 0-9 . _ - */
void ctl_report_put_csv(struct ctl_report *report, FILE *out)
{
	const struct ctl_report_row total = total_of(report);

	sort(report);
	(void)fputs("org", out);
	for (size_t figure = 0; figure < _CTL_FIGURE_MAX; figure++) {
		(void)fprintf(out, ",%s", figure_names[figure]);
	}
	(void)fputs("\r\n", out);
	for (size_t i = 0; i < report->n; i++) {
		put_csv_row(&report->rows[i], out);
	}
	put_csv_row(&total, out);
}

/* Reading the ledger */

static int read_page(struct ctl *ctl, int64_t from, int64_t limit, json_t **ret_page)
{
	const struct command *command = &command_table[COMMAND_ledger_read];
	struct pack_writer *writer =
		ctl_client_begin(ctl->client, command->method, command_frame_max(command));

	pack_write_map(writer);
	pack_put_int(writer, "from", from);
	pack_put_int(writer, "limit", limit);
	pack_write_end(writer);
	return ctl_client_call(ctl->client, ret_page, &ctl->fault);
}

static int read_instant(struct ctl *ctl, int64_t seq, instant_t *ret_at)
{
	json_t *page = NULL;
	int r = read_page(ctl, seq, 1, &page);
	const json_t *entry = json_array_get(json_object_get(page, "entries"), 0);

	if (r == 0 && !show_instant_of(entry, "at_us", ret_at)) {
		r = ctl_fault_set(&ctl->fault, CTL_EXIT_FAILURE, "malformed",
				  "retentiond has no entry %" PRId64 " in its ledger", seq);
	}
	json_decref(page);
	return r;
}

/* The first entry at or behind an instant: trusted time never goes back. Behind @head if none is. */
static int find_first(struct ctl *ctl, instant_t from, int64_t head, int64_t *ret_seq)
{
	int64_t low = 1, high = head + 1;

	while (low < high) {
		int64_t middle = low + (high - low) / 2;
		instant_t at;
		int r = read_instant(ctl, middle, &at);

		if (r != 0) {
			return r;
		}
		if (at < from) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	*ret_seq = low;
	return 0;
}

/* Return: 0 or -ENOMEM. @ret_more: the period may go on behind this page. */
static int add_page(struct ctl_report *report, const json_t *page, bool *ret_more)
{
	size_t i;
	const json_t *entry;

	*ret_more = json_integer_value(json_object_get(page, "next")) > 0;
	json_array_foreach(json_object_get(page, "entries"), i, entry) {
		instant_t at;
		int r = 0;

		if (show_instant_of(entry, "at_us", &at) && at >= report->to) {
			*ret_more = false;
			return 0;
		}
		r = ctl_report_add(report, entry);
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

static int read_period(struct ctl *ctl, struct ctl_report *report, int64_t head)
{
	bool more = true;
	int64_t seq = 0;
	int r = find_first(ctl, report->from, head, &seq);

	while (r == 0 && more && seq <= head) {
		json_t *page = NULL;

		r = read_page(ctl, seq, MODEL_ACCOUNTS_MAX, &page);
		if (r == 0 && add_page(report, page, &more) < 0) {
			r = ctl_fault_errno(&ctl->fault, -ENOMEM, "a report");
		}
		seq = json_integer_value(json_object_get(page, "next"));
		json_decref(page);
	}
	return r;
}

/* The command line */

static int take_instant(struct ctl *ctl, const char *option, const char *text, instant_t otherwise,
			instant_t *ret_at)
{
	int r;

	if (!text) {
		*ret_at = otherwise;
		return 0;
	}
	r = instant_parse(slice_of(text), ctl->show.now, ret_at);
	return r == 0 ? 0
		      : ctl_fault_set(&ctl->fault, CTL_EXIT_USAGE, "usage", "--%s=%s %s", option,
				      text, instant_fault(r));
}

static int check_form(struct ctl *ctl)
{
	return ctl->args.csv && ctl->args.json
		       ? ctl_fault_set(&ctl->fault, CTL_EXIT_USAGE, "usage",
				       "--csv and --json are two forms: leave one of them out")
		       : 0;
}

static int take_period(struct ctl *ctl, struct ctl_report *report)
{
	int r;

	if (ctl->args.n_operands > 0) {
		return ctl_fault_set(&ctl->fault, CTL_EXIT_USAGE, "usage",
				     "report does not take the operand %s", ctl->args.operands[0]);
	}
	ctl_learn_now(ctl, NULL);
	r = take_instant(ctl, "from", ctl->args.from, 0, &report->from);
	r = r ? r : take_instant(ctl, "to", ctl->args.to, ctl->show.now + 1, &report->to);
	if (r == 0 && report->from >= report->to) {
		r = ctl_fault_set(&ctl->fault, CTL_EXIT_USAGE, "usage",
				  "--from must lie before --to");
	}
	return r;
}

static int tell(struct ctl *ctl, struct ctl_report *report)
{
	if (ctl->args.json) {
		return ctl_shown(ctl, ctl_report_put_json(report, ctl->show.out));
	}
	if (ctl->args.csv) {
		ctl_report_put_csv(report, ctl->show.out);
		return 0;
	}
	return ctl_shown(ctl, ctl_report_put_table(report, &ctl->show));
}

int ctl_report_run(struct ctl *ctl)
{
	struct ctl_report report = {0};
	json_t *head = NULL;
	int r = check_form(ctl);

	r = r ? r : take_period(ctl, &report);

	r = r ? r : ctl_client_ask(ctl->client, COMMAND_ledger_head, &head, &ctl->fault);
	r = r ? r : read_period(ctl, &report, json_integer_value(json_object_get(head, "seq")));
	r = r ? r : tell(ctl, &report);
	json_decref(head);
	ctl_report_done(&report);
	return r;
}
