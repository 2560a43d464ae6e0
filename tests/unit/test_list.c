/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/support/rig.h"

/* account.list, a page at a time. */

#define N_ACCOUNTS 60

static struct rig rig;
static uint32_t n_seen[N_ACCOUNTS + 100]; /* by uid, of one walk */
static uint32_t n_pages;

static void set_up(void)
{
	rig_open(&rig, CLOCK_MODE_SIMULATED);
	rig_set_org(&rig, "fabrikam");
	rig_set_org(&rig, "contoso");
	rig_call(&rig, "sweep.pause", "{}");
	for (int i = 1; i <= N_ACCOUNTS; ++i) {
		char id[32];

		(void)snprintf(id, sizeof(id), "g-%d", i);
		cr_assert_eq(rig_import(&rig, i % 3 ? "fabrikam" : "contoso", id), (uint64_t)i);
	}
}

static void tear_down(void)
{
	rig_close(&rig);
}

TestSuite(list, .init = set_up, .fini = tear_down);

static void change(const char *method, uint64_t uid)
{
	rig_call(&rig, method, "{'accounts': [{'uid': %llu}]}", (unsigned long long)uid);
	cr_assert(rig_is(&rig, "items.0.outcome", "ok"));
}

/* Uids divided by 10: 1 is disabled, 2 soft-deleted, 3 removing, 4 removed, the others active. */
static void live(void)
{
	for (uint64_t uid = 1; uid <= N_ACCOUNTS; ++uid) {
		if (uid % 10 == 1) {
			change("account.disable", uid);
		}
		if (uid % 10 >= 2 && uid % 10 <= 4) {
			change("account.remove", uid);
			rig_advance(&rig, SPAN_HOUR);
		}
		if (uid % 10 == 4) {
			change("account.purge", uid);
		}
	}
	rig_call(&rig, "sweep.resume", "{}");
	rig_idle(&rig);
	rig_call(&rig, "sweep.pause", "{}");
	for (uint64_t uid = 3; uid <= N_ACCOUNTS; uid += 10) {
		change("account.purge", uid);
	}
}

static void settle(void)
{
	rig_advance(&rig, SPAN_SECOND);
	rig_idle(&rig);
	rig_idle(&rig);
	cr_assert_eq(store_unsettled_rows(rig.engine->store), 0);
}

/* What happens between two pages. */
typedef void between_fn(uint32_t page);

/* All pages of a request, three rows each; @filter is its arguments, each with a comma behind. */
static void walk(const char *filter, between_fn *between)
{
	cleanup(freep) char *cursor = strdup("");

	memset(n_seen, 0, sizeof(n_seen));
	n_pages = 0;
	do {
		rig_call(&rig, "account.list", "{%s%s%s%s'limit': 3}", filter,
			 *cursor ? "'cursor': '" : "", cursor, *cursor ? "', " : "");
		cr_assert_not(rig.failed);
		for (uint32_t i = 0; i < rig_count(&rig, "accounts"); ++i) {
			char path[32];

			(void)snprintf(path, sizeof(path), "accounts.%u.uid", i);
			++n_seen[rig_number(&rig, path)];
		}
		cr_assert_leq(rig_count(&rig, "accounts"), 3);
		free(cursor);
		cursor = rig_text(&rig, "cursor");
		if (between && *cursor) {
			between(n_pages);
		}
		cr_assert_lt(++n_pages, 10 * N_ACCOUNTS);
	} while (*cursor);
}

/* Exactly the accounts whose uids end in one of @digits, each once. */
static void expect_seen(const char *digits)
{
	for (uint64_t uid = 1; uid <= N_ACCOUNTS; ++uid) {
		bool wanted = strchr(digits, (int)('0' + uid % 10)) != NULL;

		cr_assert_eq(n_seen[uid], wanted, "uid %d is there %u times", (int)uid,
			     n_seen[uid]);
	}
}

Test(list, every_account_is_there_once)
{
	live();
	walk("", NULL);
	expect_seen("0123456789");
	settle();
	walk("", NULL);
	expect_seen("0123456789");
}

Test(list, a_state_shows_the_accounts_in_it_and_no_other)
{
	live();
	for (int settled = 0; settled < 2; ++settled) {
		walk("'state': 'active', ", NULL);
		expect_seen("0156789");
		walk("'state': 'soft-deleted', ", NULL);
		expect_seen("2");
		walk("'state': 'removing', ", NULL);
		expect_seen("3");
		walk("'state': 'removed', ", NULL);
		expect_seen("4");
		settle();
	}
}

Test(list, a_window_that_has_ended_is_removing_though_no_sweep_has_run)
{
	live();
	rig_advance(&rig, 40 * SPAN_DAY);
	walk("'state': 'soft-deleted', ", NULL);
	expect_seen("");
	walk("'state': 'removing', ", NULL);
	expect_seen("23");
}

Test(list, what_has_left_comes_in_the_order_of_its_time)
{
	instant_t before = 0;

	live();
	rig_call(&rig, "account.list", "{'state': 'soft-deleted'}");
	cr_assert_eq(rig_count(&rig, "accounts"), N_ACCOUNTS / 10);
	for (uint32_t i = 0; i < rig_count(&rig, "accounts"); ++i) {
		char path[48];

		(void)snprintf(path, sizeof(path), "accounts.%u.window_ends_us", i);
		cr_assert_geq(rig_number(&rig, path), before);
		before = rig_number(&rig, path);
	}
}

Test(list, an_organization_shows_its_own_accounts)
{
	live();
	walk("'org': 'CONTOSO', ", NULL);
	for (uint64_t uid = 1; uid <= N_ACCOUNTS; ++uid) {
		cr_assert_eq(n_seen[uid], uid % 3 == 0);
	}
	walk("'org': 'contoso', 'state': 'soft-deleted', ", NULL);
	for (uint64_t uid = 1; uid <= N_ACCOUNTS; ++uid) {
		cr_assert_eq(n_seen[uid], uid % 3 == 0 && uid % 10 == 2);
	}
}

Test(list, an_organization_that_is_not_here_is_refused)
{
	rig_call(&rig, "account.list", "{'org': 'nowhere'}");
	cr_assert(rig_refused(&rig, "org-not-found", "no organization nowhere"));
}

Test(list, a_kind_shows_the_accounts_of_it)
{
	rig_call(&rig, "account.import",
		 "{'accounts': [{'org': 'fabrikam', 'id': 'm', 'kind': 'member',"
		 " 'upn': 'm@x.example'}]}");
	rig_call(&rig, "account.list", "{'kind': 'member'}");
	cr_assert_eq(rig_count(&rig, "accounts"), 1);
	cr_assert(rig_is(&rig, "accounts.0.id", "m"));
}

Test(list, overdue_shows_removals_past_their_deadline_from_its_very_instant)
{
	change("account.remove", 2);
	change("account.purge", 2);
	rig_advance(&rig, 30 * SPAN_DAY - 1);
	walk("'overdue': true, ", NULL);
	expect_seen("");
	rig_advance(&rig, 1);
	rig_call(&rig, "account.list", "{'overdue': true}");
	cr_assert_eq(rig_count(&rig, "accounts"), 1);
	cr_assert_eq(rig_number(&rig, "accounts.0.uid"), 2);
	cr_assert(rig_is(&rig, "accounts.0.sla", "overdue"));
}

static uint32_t n_due_before(instant_t at)
{
	rig_call(&rig, "account.list", "{'due_before_us': %lld}", (long long)at);
	return rig_count(&rig, "accounts");
}

Test(list, due_before_shows_ends_of_windows_and_deadlines_of_removals)
{
	instant_t now;

	change("account.remove", 1);
	change("account.remove", 2);
	change("account.purge", 2);
	now = rig_now(&rig);
	cr_assert_eq(n_due_before(now + 30 * SPAN_DAY), 0);
	cr_assert_eq(n_due_before(now + 30 * SPAN_DAY + 1), 2);
	cr_assert_eq(n_due_before(0), 0);
	cr_assert_eq(n_due_before(INSTANT_MAX), 2);
}

Test(list, a_removed_account_shows_no_name)
{
	live();
	rig_call(&rig, "account.list", "{'state': 'removed', 'limit': 1}");
	cr_assert_eq(rig_number(&rig, "accounts.0.uid"), 4);
	cr_assert_not(rig_has(&rig, "accounts.0.id"));
	cr_assert_not(rig_has(&rig, "accounts.0.upn"));
	cr_assert(rig_has(&rig, "accounts.0.removed_at_us"));
}

/* Changes between the pages */

static void change_something(uint32_t page)
{
	uint64_t uid = 10 * (page % (N_ACCOUNTS / 10)) + 5;

	change(page / (N_ACCOUNTS / 10) % 2 ? "account.enable" : "account.disable", uid);
	if (page % 4 == 0) {
		settle();
	}
}

Test(list, pages_show_each_account_once_whatever_changes_between_them)
{
	live();
	walk("", change_something);
	expect_seen("0123456789");
	walk("'org': 'fabrikam', ", change_something);
	for (uint64_t uid = 1; uid <= N_ACCOUNTS; ++uid) {
		cr_assert_eq(n_seen[uid], uid % 3 != 0);
	}
	walk("'state': 'soft-deleted', ", change_something);
	expect_seen("2");
}

static void import_another(uint32_t page)
{
	char id[32];

	(void)snprintf(id, sizeof(id), "new-%u", page);
	(void)rig_import(&rig, "fabrikam", id);
	if (page % 2) {
		settle();
	}
}

Test(list, accounts_that_come_between_the_pages_leave_none_out)
{
	walk("'org': 'contoso', ", import_another);
	for (uint64_t uid = 1; uid <= N_ACCOUNTS; ++uid) {
		cr_assert_eq(n_seen[uid], uid % 3 == 0);
	}
}

/* Cursors */

Test(list, a_cursor_of_another_order_is_refused)
{
	static const char *const filters[] = {"", "'org': 'fabrikam', ", "'state': 'removing', "};
	char *cursors[ARRAY_LEN(filters)];

	change("account.remove", 1);
	change("account.purge", 1);
	change("account.remove", 2);
	change("account.purge", 2);
	for (size_t i = 0; i < ARRAY_LEN(filters); ++i) {
		rig_call(&rig, "account.list", "{%s'limit': 1}", filters[i]);
		cursors[i] = rig_text(&rig, "cursor");
		cr_assert_str_neq(cursors[i], "");
	}
	for (size_t i = 0; i < ARRAY_LEN(filters); ++i) {
		for (size_t c = 0; c < ARRAY_LEN(cursors); ++c) {
			rig_call(&rig, "account.list", "{%s'cursor': '%s'}", filters[i],
				 cursors[c]);
			cr_assert_eq(rig.failed, i != c);
			cr_assert(i == c || rig_refused(&rig, "invalid-argument", "cursor: "));
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(cursors); ++i) {
		free(cursors[i]);
	}
}

Test(list, a_cursor_that_was_never_given_is_refused)
{
	static const char *const cursors[] = {"x", "75", "zz"};

	for (size_t i = 0; i < ARRAY_LEN(cursors); ++i) {
		rig_call(&rig, "account.list", "{'cursor': '%s'}", cursors[i]);
		cr_assert(rig_refused(&rig, "invalid-argument", "cursor: "));
	}
	rig_call(&rig, "account.list", "{'cursor': '75%049d'}", 0);
	cr_assert(rig_refused(&rig, "invalid-argument", "cursor: "));
	rig_call(&rig, "account.list", "{'state': 'removing', 'cursor': '64%048d'}", 0);
	cr_assert_not(rig.failed);
	rig_call(&rig, "account.list", "{'state': 'removing', 'cursor': '64ff%046d'}", 0);
	cr_assert(rig_refused(&rig, "invalid-argument", "cursor: "));
}

/* A page looks at a bounded number of rows, so that nobody waits behind it. */
Test(list, a_page_that_finds_nothing_in_many_rows_is_empty_and_goes_on)
{
	cleanup(freep) char *cursor = NULL;
	uint32_t n_empty = 0, n_found = 0;

	for (int page = 0; page < 5; ++page) {
		cleanup(freep) char *items = malloc(1000 * 128);
		size_t len = 0;

		cr_assert(items);
		for (int i = 0; i < 1000; ++i) {
			len += (size_t)sprintf(items + len,
					       "%s{'org':'fabrikam','id':'%d-%d','kind':"
					       "'b2b-collaboration','upn':'%d-%d@x.example'}",
					       i ? "," : "", page, i, page, i);
		}
		rig_call(&rig, "account.import", "{'accounts': [%s]}", items);
	}
	rig_call(&rig, "account.import",
		 "{'accounts': [{'org': 'fabrikam', 'id': 'm', 'kind': 'member',"
		 " 'upn': 'm@x.example'}]}");
	rig_call(&rig, "account.list", "{'kind': 'member'}");
	while (true) {
		n_found += rig_count(&rig, "accounts");
		n_empty += rig_count(&rig, "accounts") == 0;
		if (!rig_has(&rig, "cursor")) {
			break;
		}
		free(cursor);
		cursor = rig_text(&rig, "cursor");
		rig_call(&rig, "account.list", "{'kind': 'member', 'cursor': '%s'}", cursor);
	}
	cr_assert_eq(n_found, 1);
	cr_assert_eq(n_empty, 5003 / LIST_EXAMINED_MAX);
}

/* What waits for keepers: the first three of what is removing, by their deadlines. */
static void owe(void)
{
	rig_set_keeper(&rig, "crm");
	for (uint64_t uid = 1; uid <= 3; ++uid) {
		change("account.remove", uid);
		change("account.purge", uid);
		rig_advance(&rig, SPAN_DAY);
	}
	change("account.remove", 4);
	rig_call(&rig, "sweep.resume", "{}");
}

static uint32_t count(const char *arguments)
{
	rig_call(&rig, "account.list", "%s", arguments);
	cr_assert_not(rig.failed);
	cr_assert_not(rig_has(&rig, "cursor"));
	return rig_count(&rig, "accounts");
}

Test(list, what_waits_for_keepers_is_overdue_from_its_very_deadline_on)
{
	owe(); /* starts: 0, 1 and 2 d after the beginning; now 3 d */
	rig_advance(&rig, 27 * SPAN_DAY - 1);
	rig_idle(&rig);
	cr_assert_eq(count("{'overdue': true}"), 0);
	rig_advance(&rig, 1);
	cr_assert_eq(count("{'overdue': true}"), 1);
	cr_assert_eq(rig_number(&rig, "accounts.0.uid"), 1);
	cr_assert(rig_is(&rig, "accounts.0.sla", "overdue"));
	rig_idle(&rig);
	rig_advance(&rig, 2 * SPAN_DAY);
	rig_idle(&rig);
	cr_assert_eq(count("{'overdue': true}"), 3);
	cr_assert_eq(rig_number(&rig, "accounts.0.uid"), 1);
	cr_assert_eq(rig_number(&rig, "accounts.2.uid"), 3);
	cr_assert_eq(count("{'overdue': true, 'org': 'contoso'}"), 1);
}

Test(list, what_waits_for_keepers_is_listed_once_whatever_else_is_asked)
{
	owe();
	for (int i = 0; i < 2; ++i) {
		cr_assert_eq(count("{'state': 'removing'}"), 3);
		cr_assert_eq(count("{'state': 'soft-deleted'}"), 1);
		cr_assert_eq(count("{'state': 'removing', 'org': 'fabrikam'}"), 2);
		rig_reopen(&rig);
	}
}

Test(list, what_waits_for_keepers_is_listed_by_its_deadline)
{
	char arguments[64];

	owe();
	for (uint32_t n = 0; n <= 3; ++n) {
		(void)snprintf(arguments, sizeof(arguments), "{'due_before_us': %lld}",
			       (long long)(RIG_BEGIN + (30 + n) * SPAN_DAY));
		cr_assert_eq(count(arguments), n);
	}
	(void)snprintf(arguments, sizeof(arguments), "{'due_before_us': %lld}",
		       (long long)(RIG_BEGIN + 33 * SPAN_DAY + 1));
	cr_assert_eq(count(arguments), 4); /* the window's end of the fourth */
}

Test(list, pages_lead_from_one_order_into_the_next)
{
	cleanup(freep) char *cursor = strdup("");
	uint32_t n = 0;

	owe();
	rig_call(&rig, "sweep.pause", "{}");
	change("account.remove", 5);
	change("account.purge", 5);
	rig_call(&rig, "keeper.waive",
		 "{'keeper': 'crm', 'accounts': [{'uid': 5}], 'reason': 'gone'}");
	do {
		rig_call(&rig, "account.list", "{'due_before_us': %lld, 'limit': 1%s%s%s}",
			 (long long)(RIG_BEGIN + 90 * SPAN_DAY), *cursor ? ", 'cursor': '" : "",
			 cursor, *cursor ? "'" : "");
		cr_assert_not(rig.failed);
		n += rig_count(&rig, "accounts");
		free(cursor);
		cursor = rig_text(&rig, "cursor");
		cr_assert_leq(n, 5);
	} while (*cursor);
	cr_assert_eq(n, 5);
}
