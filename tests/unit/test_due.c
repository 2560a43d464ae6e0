/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/support/rig.h"

/* due.forecast: how many windows end and how many removals are due, by bucket. */

static struct rig rig;

static void set_up(void)
{
	rig_open(&rig, CLOCK_MODE_SIMULATED);
	rig_set_org(&rig, "fabrikam");
	rig_unguard(&rig, "fabrikam");
	rig_call(&rig, "sweep.pause", "{}");
}

static void tear_down(void)
{
	rig_close(&rig);
}

TestSuite(due, .init = set_up, .fini = tear_down);

/* @n accounts that the directory deleted so long before RIG_BEGIN. */
static void import_deleted(const char *prefix, uint32_t n, span_t ago)
{
	cleanup(freep) char *items = malloc((size_t)n * 160);
	size_t len = 0;

	cr_assert(items);
	for (uint32_t i = 0; i < n; ++i) {
		len += (size_t)sprintf(items + len,
				       "%s{'org':'fabrikam','id':'%s-%u','kind':"
				       "'b2b-collaboration','upn':'%s-%u@x.example',"
				       "'deleted_at_us':%lld}",
				       i ? "," : "", prefix, i, prefix, i,
				       (long long)(RIG_BEGIN - ago));
	}
	rig_call(&rig, "account.import", "{'accounts': [%s]}", items);
	cr_assert_not(rig.failed);
}

struct sums {
	int64_t windows;
	int64_t removals;
};

static struct sums sum_page(void)
{
	struct sums sums = {0};

	for (uint32_t i = 0; i < rig_count(&rig, "buckets"); ++i) {
		char path[48];

		(void)snprintf(path, sizeof(path), "buckets.%u.windows_end", i);
		sums.windows += rig_number(&rig, path);
		(void)snprintf(path, sizeof(path), "buckets.%u.removals_due", i);
		sums.removals += rig_number(&rig, path);
	}
	return sums;
}

static void forecast(span_t within, const char *by)
{
	rig_call(&rig, "due.forecast", "{'within_us': %lld, 'by': '%s'}", (long long)within, by);
	cr_assert_not(rig.failed);
}

Test(due, nothing_is_due_where_nobody_has_left)
{
	(void)rig_import(&rig, "fabrikam", "g-1");
	rig_call(&rig, "due.forecast", "{}");
	cr_assert_eq(rig_count(&rig, "buckets"), 0);
	cr_assert_eq(rig_number(&rig, "now_us"), RIG_BEGIN);
	cr_assert_eq(rig_number(&rig, "until_us"), RIG_BEGIN + 30 * SPAN_DAY);
	cr_assert_not(rig_has(&rig, "cursor"));
}

Test(due, a_window_counts_in_the_bucket_it_ends_in)
{
	import_deleted("a", 2, 29 * SPAN_DAY);     /* in 1 d: the second day's first instant */
	import_deleted("b", 3, 29 * SPAN_DAY + 1); /* the first day's last one */
	import_deleted("c", 4, 27 * SPAN_DAY - SPAN_HOUR); /* in 3 d and 1 h */
	forecast(30 * SPAN_DAY, "day");
	cr_assert_eq(rig_count(&rig, "buckets"), 3);
	cr_assert_eq(rig_number(&rig, "buckets.0.from_us"), RIG_BEGIN);
	cr_assert_eq(rig_number(&rig, "buckets.0.until_us"), RIG_BEGIN + SPAN_DAY);
	cr_assert_eq(rig_number(&rig, "buckets.0.windows_end"), 3);
	cr_assert_eq(rig_number(&rig, "buckets.1.from_us"), RIG_BEGIN + SPAN_DAY);
	cr_assert_eq(rig_number(&rig, "buckets.1.windows_end"), 2);
	cr_assert_eq(rig_number(&rig, "buckets.2.from_us"), RIG_BEGIN + 3 * SPAN_DAY);
	cr_assert_eq(rig_number(&rig, "buckets.2.windows_end"), 4);
}

Test(due, a_removal_counts_at_its_deadline)
{
	import_deleted("a", 5, 40 * SPAN_DAY); /* its window ended 10 d ago: due in 20 d */
	forecast(30 * SPAN_DAY, "day");
	cr_assert_eq(rig_count(&rig, "buckets"), 1);
	cr_assert_eq(rig_number(&rig, "buckets.0.from_us"), RIG_BEGIN + 20 * SPAN_DAY);
	cr_assert_eq(rig_number(&rig, "buckets.0.removals_due"), 5);
	cr_assert_eq(rig_number(&rig, "buckets.0.windows_end"), 0);
}

Test(due, what_is_overdue_counts_in_the_first_bucket)
{
	import_deleted("a", 5, 100 * SPAN_DAY);
	import_deleted("b", 1, 60 * SPAN_DAY);
	forecast(30 * SPAN_DAY, "hour");
	cr_assert_eq(rig_count(&rig, "buckets"), 1);
	cr_assert_eq(rig_number(&rig, "buckets.0.from_us"), RIG_BEGIN);
	cr_assert_eq(rig_number(&rig, "buckets.0.removals_due"), 6);
}

Test(due, what_ends_with_the_forecast_itself_counts_in_the_last_bucket)
{
	import_deleted("a", 1, 20 * SPAN_DAY); /* in 10 d */
	import_deleted("b", 1, 20 * SPAN_DAY - 1);
	forecast(10 * SPAN_DAY, "day");
	cr_assert_eq(rig_count(&rig, "buckets"), 1);
	cr_assert_eq(rig_number(&rig, "buckets.0.from_us"), RIG_BEGIN + 9 * SPAN_DAY);
	cr_assert_eq(rig_number(&rig, "buckets.0.until_us"), RIG_BEGIN + 10 * SPAN_DAY);
	cr_assert_eq(rig_number(&rig, "buckets.0.windows_end"), 1);
}

Test(due, the_last_bucket_ends_with_the_forecast)
{
	import_deleted("a", 1, 20 * SPAN_DAY);
	forecast(10 * SPAN_DAY, "week");
	cr_assert_eq(rig_number(&rig, "buckets.0.from_us"), RIG_BEGIN + 7 * SPAN_DAY);
	cr_assert_eq(rig_number(&rig, "buckets.0.until_us"), RIG_BEGIN + 10 * SPAN_DAY);
}

/* @n accounts whose removal has started so long before the present and waits for a keeper. */
static void import_owed(const char *prefix, uint32_t n, span_t ago)
{
	rig_set_keeper(&rig, "crm");
	import_deleted(prefix, n, 30 * SPAN_DAY + ago);
	rig_call(&rig, "sweep.resume", "{}");
	rig_idle(&rig);
	rig_call(&rig, "sweep.pause", "{}");
	cr_assert_geq(store_counts(rig.engine->store)->n_owed[0], n);
}

Test(due, a_removal_that_waits_for_keepers_counts_once_at_its_deadline)
{
	import_owed("a", 5, 10 * SPAN_DAY); /* due in 20 d */
	import_owed("b", 2, 40 * SPAN_DAY); /* overdue: in no order but the keepers' */
	for (int i = 0; i < 2; ++i) {
		forecast(30 * SPAN_DAY, "day");
		cr_assert_eq(rig_count(&rig, "buckets"), 2);
		cr_assert_eq(rig_number(&rig, "buckets.0.from_us"), RIG_BEGIN);
		cr_assert_eq(rig_number(&rig, "buckets.0.removals_due"), 2);
		cr_assert_eq(rig_number(&rig, "buckets.1.from_us"), RIG_BEGIN + 20 * SPAN_DAY);
		cr_assert_eq(rig_number(&rig, "buckets.1.removals_due"), 5);
		cr_assert_eq(sum_page().windows, 0);
		rig_reopen(&rig);
	}
}

static void hold_first(const char *prefix, instant_t until)
{
	rig_call(&rig, "hold.add",
		 "{'accounts': [{'org': 'fabrikam', 'id': '%s-0'}], 'hold': 'x', 'until_us': %lld}",
		 prefix, (long long)until);
	cr_assert(rig_is(&rig, "items.0.outcome", "ok"));
}

Test(due, a_window_under_a_hold_counts_where_the_hold_ends)
{
	import_deleted("a", 1, 29 * SPAN_DAY);
	import_deleted("b", 1, 20 * SPAN_DAY);
	import_deleted("c", 1, 25 * SPAN_DAY);
	hold_first("a", RIG_BEGIN + 12 * SPAN_DAY); /* beyond its window */
	hold_first("b", RIG_BEGIN + 2 * SPAN_DAY);  /* within it */
	hold_first("c", INSTANT_MAX);               /* without an end: nothing is to come */
	rig_advance(&rig, 2 * SPAN_DAY);
	forecast(30 * SPAN_DAY, "day");
	cr_assert_eq(rig_count(&rig, "buckets"), 2);
	cr_assert_eq(rig_number(&rig, "buckets.0.from_us"), RIG_BEGIN + 10 * SPAN_DAY);
	cr_assert_eq(rig_number(&rig, "buckets.1.from_us"), RIG_BEGIN + 12 * SPAN_DAY);
	cr_assert_eq(sum_page().windows, 2);
}

Test(due, pages_of_what_waits_for_keepers_add_up_with_the_windows)
{
	struct sums sums = {0};
	cleanup(freep) char *cursor = strdup("");

	for (int i = 0; i < 5; ++i) {
		char prefix[32];

		(void)snprintf(prefix, sizeof(prefix), "%d", i);
		import_owed(prefix, 1000, (i + 1) * SPAN_DAY);
	}
	import_deleted("w", 1000, 5 * SPAN_DAY);
	do {
		struct sums page;

		rig_call(&rig, "due.forecast", "{%s%s%s}", *cursor ? "'cursor': '" : "", cursor,
			 *cursor ? "'" : "");
		cr_assert_not(rig.failed);
		page = sum_page();
		sums.windows += page.windows;
		sums.removals += page.removals;
		free(cursor);
		cursor = rig_text(&rig, "cursor");
	} while (*cursor);
	cr_assert_eq(sums.removals, 5000);
	cr_assert_eq(sums.windows, 1000);
}

Test(due, a_forecast_covers_1_to_1000_buckets)
{
	import_deleted("a", 1, 20 * SPAN_DAY);
	forecast(1000 * SPAN_HOUR, "hour");
	cr_assert_eq(sum_page().windows, 1);
	rig_call(&rig, "due.forecast", "{'within_us': %lld, 'by': 'hour'}",
		 (long long)(1000 * SPAN_HOUR + 1));
	cr_assert(rig_refused(&rig, "invalid-argument", "within_us: must cover 1 to 1000 buckets"));
	rig_call(&rig, "due.forecast", "{'within_us': 0}");
	cr_assert(rig_refused(&rig, "invalid-argument", "within_us"));
	forecast(1, "week");
}

Test(due, pages_add_up_and_speak_of_one_instant)
{
	struct sums sums = {0};
	uint32_t n_pages = 0;

	for (int i = 0; i < 10; ++i) {
		char prefix[32];

		(void)snprintf(prefix, sizeof(prefix), "%d", i);
		import_deleted(prefix, 1000, i * 12 * SPAN_DAY);
	}
	/* Deleted 0, 12 and 24 d ago: windows. 36 and more: removals, overdue from 60 d on. */
	rig_call(&rig, "due.forecast", "{}");
	while (true) {
		cleanup(freep) char *cursor = rig_text(&rig, "cursor");
		struct sums page = sum_page();

		sums.windows += page.windows;
		sums.removals += page.removals;
		cr_assert_eq(rig_number(&rig, "now_us"), RIG_BEGIN);
		cr_assert_lt(++n_pages, 10);
		if (!*cursor) {
			break;
		}
		rig_advance(&rig, SPAN_HOUR);
		rig_call(&rig, "due.forecast", "{'cursor': '%s'}", cursor);
		cr_assert_not(rig.failed);
	}
	cr_assert_eq(sums.windows, 3000);
	cr_assert_eq(sums.removals, 7000);
	cr_assert_gt(n_pages, 2);
}

Test(due, a_cursor_that_was_never_given_is_refused)
{
	rig_call(&rig, "due.forecast", "{'cursor': 'nonsense'}");
	cr_assert(rig_refused(&rig, "invalid-argument", "cursor: "));
	rig_call(&rig, "due.forecast", "{'cursor': 'ff%046d'}", 0);
	cr_assert(rig_refused(&rig, "invalid-argument", "cursor: "));
	rig_call(&rig, "due.forecast", "{'cursor': '%016dff%030d'}", 0, 0);
	cr_assert(rig_refused(&rig, "invalid-argument", "cursor: "));
}

Test(due, settled_rows_count_as_those_that_are_not)
{
	struct sums before, after;

	import_deleted("a", 7, 10 * SPAN_DAY);
	import_deleted("b", 8, 40 * SPAN_DAY);
	forecast(30 * SPAN_DAY, "day");
	before = sum_page();
	rig_reopen(&rig);
	rig_call(&rig, "account.restore", "{'accounts': [{'org': 'fabrikam', 'id': 'a-0'}]}");
	forecast(30 * SPAN_DAY, "day");
	after = sum_page();
	cr_assert_eq(before.windows, 7);
	cr_assert_eq(after.windows, 6);
	cr_assert_eq(before.removals, 8);
	cr_assert_eq(after.removals, 8);
}
