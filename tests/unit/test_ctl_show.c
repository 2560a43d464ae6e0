/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/show_items.h"

#include <criterion/criterion.h>

#include "ctl/check.h"
#include "ctl/pages.h"
#include "ctl/show_account.h"
#include "ctl/show_refusal.h"
#include "ctl/show_status.h"
#include "ctl/slices.h"

static enum ctl_exit exit_of(const char *const *outcomes)
{
	struct show_tally tally = {0};

	for (; *outcomes; outcomes++) {
		json_t *item = json_pack("{s:s}", "outcome", *outcomes);

		show_tally_add(&tally, item);
		json_decref(item);
	}
	return show_tally_exit(&tally);
}

#define EXIT_OF(...) exit_of((const char *const[]){__VA_ARGS__, NULL})

Test(ctl_show, exit_codes_of_item_outcomes)
{
	cr_assert_eq(EXIT_OF("ok"), CTL_EXIT_OK);
	cr_assert_eq(EXIT_OF("ok", "ok"), CTL_EXIT_OK);
	cr_assert_eq(EXIT_OF("not-found"), CTL_EXIT_NOT_FOUND);
	cr_assert_eq(EXIT_OF("not-found", "org-not-found"), CTL_EXIT_NOT_FOUND);
	cr_assert_eq(EXIT_OF("request-not-found"), CTL_EXIT_NOT_FOUND);
	cr_assert_eq(EXIT_OF("ok", "not-found"), CTL_EXIT_PARTIAL);
	cr_assert_eq(EXIT_OF("ok", "already-left"), CTL_EXIT_PARTIAL);
	cr_assert_eq(EXIT_OF("already-left"), CTL_EXIT_REFUSED);
	cr_assert_eq(EXIT_OF("not-found", "irrevocable"), CTL_EXIT_REFUSED);
	cr_assert_eq(EXIT_OF("permission-denied"), CTL_EXIT_PERMISSION);
	cr_assert_eq(EXIT_OF("permission-denied", "irrevocable"), CTL_EXIT_REFUSED);
	cr_assert_eq(EXIT_OF("newer-than-this-client"), CTL_EXIT_REFUSED);
}

Test(ctl_show, a_result_without_outcome_is_ok)
{
	json_t *plain = json_object();
	json_t *refused = json_pack("{s:s}", "outcome", "privacy-info-missing");

	cr_assert_eq(show_outcome_exit(plain), CTL_EXIT_OK);
	cr_assert_eq(show_outcome_exit(refused), CTL_EXIT_REFUSED);
	json_decref(plain);
	json_decref(refused);
}

/* What a function shows, with a clock at the epoch and in UTC. */
struct shown {
	struct show show;
	char *text;
	size_t len;
};

static struct show *shown_begin(struct shown *shown)
{
	memset(shown, 0, sizeof(*shown));
	shown->show = (struct show){.now = 0, .utc = true, .legend = true};
	shown->show.out = open_memstream(&shown->text, &shown->len);
	return &shown->show;
}

static void shown_is(struct shown *shown, const char *text)
{
	(void)fclose(shown->show.out);
	cr_assert_str_eq(shown->text, text);
	free(shown->text);
}

static const struct show_items_how all = {.quiet = false};
static const struct show_items_how quiet = {.quiet = true};

static void show_json(struct shown *shown, const char *key, const char *text)
{
	json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);

	(void)shown_begin(shown);
	show_value(&shown->show, key, json, shown->show.out);
	json_decref(json);
}

Test(ctl_show, a_key_says_what_its_number_counts)
{
	struct shown shown;

	show_json(&shown, "window_us", "2592000000000");
	shown_is(&shown, "30d");
	show_json(&shown, "lateness_us", "864000000000");
	shown_is(&shown, "10d");
	show_json(&shown, "window_ends_us", "86400000000");
	shown_is(&shown, "1970-01-02T00:00:00Z (in 1d)");
	show_json(&shown, "used_bytes", "1536");
	shown_is(&shown, "1.5 KiB");
	show_json(&shown, "uid", "7");
	shown_is(&shown, "7");
	show_json(&shown, "enabled", "false");
	shown_is(&shown, "no");
	show_json(&shown, "name", "null");
	shown_is(&shown, "-");
	show_json(&shown, "groups", "[\"a\", \"b\"]");
	shown_is(&shown, "a, b");
	show_json(&shown, "name", "\"\\u001b[2J\"");
	shown_is(&shown, "\\x1b[2J");
}

Test(ctl_show, a_refused_leave_tells_every_reason_and_whom_to_ask)
{
	struct shown shown;
	json_t *items = json_loads(
		"[{\"org\": \"acme\", \"id\": \"1\", \"outcome\": \"account-disabled\", \"reasons\": "
		"[\"account-disabled\", \"leave-not-allowed\"], \"contact\": {\"privacy_contact\": "
		"\"p@acme.example\", \"admin_contact\": \"it@acme.example\"}}]",
		0, NULL);

	cr_assert_eq(show_items(shown_begin(&shown), items, NULL, all), 0);
	shown_is(&shown, "acme/1: refused for 2 reasons:\n"
			 "  - the account is disabled\n"
			 "  - the organization does not let its guests leave by themselves\n"
			 "  Ask: privacy contact p@acme.example, admin contact it@acme.example\n");
	json_decref(items);
}

static void refusal_is(const char *object, const char *text)
{
	struct shown shown;
	json_t *json = json_loads(object, 0, NULL);

	show_refusal(shown_begin(&shown), json);
	shown_is(&shown, text);
	json_decref(json);
}

Test(ctl_show, a_refused_leave_says_so_when_nobody_is_named_to_ask)
{
	refusal_is("{\"outcome\": \"account-disabled\", \"reasons\": [\"account-disabled\"], "
		   "\"contact\": {}}",
		   "refused: the account is disabled\n"
		   "  Ask: the organization has published no contact\n");
}

Test(ctl_show, an_administrators_refusal_does_not_miss_a_contact)
{
	refusal_is(
		"{\"outcome\": \"irrevocable\", \"reasons\": [\"irrevocable\"], \"contact\": {}}",
		"refused: permanent deletion has begun and nobody can stop it; who comes back gets a new account\n");
}

static void state_is(const char *account, const char *text)
{
	struct shown shown;
	json_t *json = json_loads(account, 0, NULL);

	show_state_sentence(shown_begin(&shown), json);
	shown_is(&shown, text);
	json_decref(json);
}

Test(ctl_show, the_state_of_a_removal_says_its_deadline_or_that_it_has_passed)
{
	state_is(
		"{\"state\": \"removing\", \"removal_due_us\": 86400000000, \"sla\": \"on-track\"}",
		"being removed for good; all its data is gone by 1970-01-02T00:00:00Z (in 1d)");
	state_is(
		"{\"state\": \"removing\", \"removal_due_us\": -86400000000, \"sla\": \"overdue\"}",
		"being removed for good, overdue: its data was to be gone by 1969-12-31T00:00:00Z "
		"(1d ago)");
	state_is("{\"state\": \"removed\", \"removed_at_us\": 0}",
		 "removed for good at 1970-01-01T00:00:00Z (now); only its tombstone is left");
}

Test(ctl_show, how_long_ago_is_told_to_the_second_as_the_instant_is)
{
	state_is("{\"state\": \"removed\", \"removed_at_us\": -185}",
		 "removed for good at 1970-01-01T00:00:00Z (now); only its tombstone is left");
	state_is("{\"state\": \"removed\", \"removed_at_us\": -2171949}",
		 "removed for good at 1969-12-31T23:59:58Z (2s ago); only its tombstone is left");
}

Test(ctl_show, a_removed_account_is_said_to_be_removed_before_its_dates)
{
	struct shown shown;
	json_t *result = json_loads(
		"{\"outcome\": \"ok\", \"account\": {\"org\": \"acme\", \"uid\": 7, \"kind\": \"member\", "
		"\"state\": \"removed\", \"removed_at_us\": 0}}",
		0, NULL);

	cr_assert_eq(show_account(shown_begin(&shown), result), 0);
	shown_is(
		&shown,
		"uid 7 was a member account of acme.\n"
		"It is removed for good at 1970-01-01T00:00:00Z (now); only its tombstone is left.\n"
		"       org: acme\n"
		"       uid: 7\n"
		"      kind: member\n"
		"     state: removed\n"
		"removed at: 1970-01-01T00:00:00Z (now)\n");
	json_decref(result);
}

Test(ctl_show, explain_tells_commands_that_are_refused_for_the_same_reasons_in_one_line)
{
	struct shown shown;
	json_t *result = json_loads(
		"{\"outcome\": \"ok\", \"account\": {\"org\": \"acme\", \"id\": \"1\", \"uid\": 7, "
		"\"kind\": \"member\", \"person\": \"p@a.example\", \"state\": \"soft-deleted\"}, "
		"\"next\": {\"action\": \"start-removal\", \"at_us\": 86400000000}, \"contact\": {}, "
		"\"may\": [{\"command\": \"leave\", \"outcome\": \"irrevocable\"}, "
		"{\"command\": \"restore\", \"outcome\": \"ok\"}, "
		"{\"command\": \"remove\", \"outcome\": \"irrevocable\"}, "
		"{\"command\": \"purge\", \"outcome\": \"ok\"}, "
		"{\"command\": \"enable\", \"outcome\": \"damaged\"}]}",
		0, NULL);

	cr_assert_eq(show_explain(shown_begin(&shown), result), 0);
	shown_is(
		&shown,
		"acme/1 is a member account of p@a.example (uid 7).\n"
		"It is soft-deleted.\n"
		"Next: permanent deletion starts at 1970-01-02T00:00:00Z (in 1d).\n"
		"May be done: restore, purge.\n"
		"Refused: leave, remove: permanent deletion has begun and nobody can stop it; who comes back gets a new account.\n"
		"Refused: enable: the stored record is damaged; run retentionctl verify and see the "
		"journal.\n");
	json_decref(result);
}

Test(ctl_show, explain_tells_apart_what_the_mass_guard_would_hold_back)
{
	struct shown shown;
	json_t *result = json_loads(
		"{\"outcome\": \"ok\", \"account\": {\"org\": \"acme\", \"id\": \"1\", \"uid\": 7, "
		"\"kind\": \"member\", \"person\": \"p@a.example\", \"state\": \"active\"}, "
		"\"next\": {\"action\": \"none\"}, \"contact\": {}, "
		"\"may\": [{\"command\": \"leave\", \"outcome\": \"staged\", \"reasons\": [\"staged\"]}, "
		"{\"command\": \"remove\", \"outcome\": \"staged\", \"reasons\": [\"staged\"]}, "
		"{\"command\": \"disable\", \"outcome\": \"ok\"}]}",
		0, NULL);

	cr_assert_eq(show_explain(shown_begin(&shown), result), 0);
	shown_is(&shown,
		 "acme/1 is a member account of p@a.example (uid 7).\n"
		 "It is active.\n"
		 "Next: nothing happens by itself.\n"
		 "May be done: disable.\n"
		 "Would be staged: leave, remove: the mass guard of acme holds it back until an "
		 "administrator releases it; look with retentionctl guards --org=acme, then "
		 "retentionctl release-guard mass --org=acme.\n");
	json_decref(result);
}

Test(ctl_show, counts_come_in_groups_of_three_digits)
{
	static const struct {
		int64_t n;
		const char *text;
	} cases[] = {{0, "0"},          {999, "999"},   {1000, "1 000"},
		     {87143, "87 143"}, {-100, "-100"}, {1234567, "1 234 567"}};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct shown shown;

		show_count(cases[i].n, shown_begin(&shown)->out);
		shown_is(&shown, cases[i].text);
	}
}

/* The part of a status that says how it is, with a clock an hour after the epoch. */
static void status_begins_with(const char *answers, const char *text)
{
	struct shown shown;
	json_t *status = json_loads(answers, 0, NULL);

	cr_assert_not_null(status, "%s", answers);
	shown_begin(&shown)->now = SPAN_HOUR;
	cr_assert_eq(json_object_set_new(status, "faults", ctl_check_faults(status, SPAN_HOUR)), 0);
	show_status(&shown.show, status);
	(void)fclose(shown.show.out);
	cr_assert_geq(shown.len, strlen(text));
	cr_assert_eq(strncmp(shown.text, text, strlen(text)), 0, "%s", shown.text);
	free(shown.text);
	json_decref(status);
}

Test(ctl_show, status_says_what_is_wrong_and_what_to_do)
{
	status_begins_with("{\"sweep\": {\"next_due_us\": 3599000000, \"failed\": 0}}",
			   "       State: well: nothing is late, nothing failed\n");
	status_begins_with(
		"{\"sweep\": {\"paused\": true, \"failed\": 0}}",
		"       State: not well: 1 problem\n"
		"     PROBLEM: timed work is paused, and deadlines run on; take it up again "
		"with: retentionctl resume; retentionctl log says who paused it and why\n");
	status_begins_with(
		"{\"sweep\": {\"paused\": false, \"next_due_us\": 0, \"failed\": 1200}}",
		"       State: not well: 2 problems\n"
		"     PROBLEM: 1200 accounts were passed over because their records are damaged; "
		"journalctl -u retentiond says which\n"
		"     PROBLEM: accounts have been due since 1970-01-01T00:00:00Z (1h ago); have "
		"it done now with: retentionctl sweep\n");
}

Test(ctl_show, status_is_never_well_while_check_finds_something)
{
	status_begins_with(
		"{\"sweep\": {}, \"stats\": {\"accounts\": {\"overdue\": 1}}, \"keepers\": "
		"{\"keepers\": [{\"keeper\": \"crm\", \"owed\": 1, \"sla\": \"overdue\", "
		"\"oldest_due_us\": 0, \"last_seen_us\": 3599000000}, {\"keeper\": \"erp\", "
		"\"owed\": 2, \"sla\": \"overdue\", \"oldest_due_us\": 0}]}, \"requests\": "
		"{\"requests\": [{}]}}",
		"       State: not well: 4 problems\n"
		"     PROBLEM: 1 removal is past the deadline: retentionctl list --overdue\n"
		"     PROBLEM: 1 removal request is past the deadline: retentionctl requests "
		"--overdue\n"
		"     PROBLEM: keeper crm owes 1 removal, the oldest due since 1970-01-01T00:00:00Z "
		"(1h ago); retentionctl explain ACCOUNT says what it failed with\n"
		"     PROBLEM: keeper erp owes 2 removals, the oldest due since "
		"1970-01-01T00:00:00Z (1h ago), and has not been heard of since the daemon "
		"started; start it, or give it up with: retentionctl waive\n");
}

Test(ctl_show, status_says_first_what_stops_timed_work_since_the_rest_may_follow_from_it)
{
	status_begins_with(
		"{\"info\": {\"clock\": {\"trusted\": false}}, \"sweep\": {\"paused\": true, "
		"\"guard\": \"clock\", \"next_due_us\": 0}, \"stats\": {\"accounts\": "
		"{\"overdue\": 1}}}",
		"       State: not well: 3 problems\n"
		"     PROBLEM: the clock guard is engaged: ");
	status_begins_with(
		"{\"sweep\": {\"paused\": true, \"next_due_us\": 0}, \"stats\": "
		"{\"accounts\": {\"overdue\": 1}}}",
		"       State: not well: 3 problems\n"
		"     PROBLEM: timed work is paused, and deadlines run on; take it up again "
		"with: retentionctl resume; retentionctl log says who paused it and why\n"
		"     PROBLEM: 1 removal is past the deadline: ");
}

Test(ctl_show, status_is_not_well_while_a_full_store_refuses_imports)
{
	status_begins_with("{\"sweep\": {}, \"stats\": {\"store\": {\"room_bytes\": 1048576}}}",
			   "       State: well: nothing is late, nothing failed\n");
	status_begins_with(
		"{\"sweep\": {}, \"stats\": {\"store\": {\"room_bytes\": 1000}}}",
		"       State: not well: 1 problem\n"
		"     PROBLEM: the store is full: imports and new organizations are refused");
}

Test(ctl_show, status_tells_what_waits_for_people_though_all_is_well)
{
	status_begins_with(
		"{\"sweep\": {}, \"unchecked\": [\"requests\"], \"stats\": {\"accounts\": "
		"{\"held\": 2}, \"requests_open\": 1}, \"keepers\": {\"keepers\": [{\"keeper\": "
		"\"crm\", \"owed\": 1, \"sla\": \"due-soon\", \"oldest_due_us\": 3601000000}]}}",
		"       State: well, as far as this role may see: nothing is late, nothing failed\n"
		"   Attention: keeper crm owes 1 removal, the oldest due by 1970-01-01T01:00:01Z "
		"(in 1s)\n"
		"   Attention: 1 removal request waits for a decision: retentionctl requests --open\n"
		"   Attention: 2 accounts are held: no removal starts while a hold stands\n");
}

static void item_is(const char *item, struct show_items_how how, const char *text)
{
	struct ctl_account account;
	const struct ctl_accounts accounts = {.items = &account, .n = 1};
	struct shown shown;
	json_t *items = json_pack("[o]", json_loads(item, 0, NULL));

	cr_assert_null(ctl_account_parse("acme/1", &account));
	cr_assert_eq(show_items(shown_begin(&shown), items, &accounts, how), 0);
	shown_is(&shown, text);
	json_decref(items);
}

Test(ctl_show, a_request_that_was_filed_has_its_number_and_its_day)
{
	const struct show_items_how how = {.command = &command_table[COMMAND_request_file]};

	item_is("{\"outcome\": \"ok\", \"request\": 7, \"due_us\": 86400000000}", how,
		"acme/1: request 7 filed; it is to be decided by 1970-01-02T00:00:00Z (in 1d)\n");
	item_is("{\"outcome\": \"already-requested\", \"reasons\": [\"already-requested\"], "
		"\"request\": 7}",
		how,
		"acme/1: refused: a removal request for this account is open already; an "
		"administrator decides it\n  it is request 7\n");
}

Test(ctl_show, who_may_not_leave_is_told_of_a_removal_request)
{
	const struct show_items_how how = {.command = &command_table[COMMAND_account_leave]};

	item_is("{\"outcome\": \"account-disabled\", \"reasons\": [\"account-disabled\"], "
		"\"contact\": {\"privacy_contact\": \"p@acme.example\"}}",
		how,
		"acme/1: refused: the account is disabled\n"
		"  Ask: privacy contact p@acme.example\n"
		"  a removal request can be filed: retentionctl file acme/1\n");
}

Test(ctl_show, holding_and_releasing_name_the_hold)
{
	item_is("{\"outcome\": \"ok\", \"state\": \"active\", \"held\": true}",
		(struct show_items_how){.command = &command_table[COMMAND_hold_add],
					.hold = "case1",
					.hold_until = SPAN_DAY},
		"acme/1: held by case1 until 1970-01-02T00:00:00Z (in 1d); active, held\n");
	item_is("{\"outcome\": \"ok\", \"state\": \"active\"}",
		(struct show_items_how){.command = &command_table[COMMAND_hold_remove],
					.hold = "case1",
					.hold_until = INSTANT_NONE},
		"acme/1: hold case1 released; active\n");
}

Test(ctl_show, the_last_waiver_says_that_the_removal_completes)
{
	const struct show_items_how how = {.command = &command_table[COMMAND_keeper_waive]};

	item_is("{\"outcome\": \"ok\", \"state\": \"removing\", \"pending\": [\"a\", \"b\"]}", how,
		"acme/1: being removed for good; still to answer: a, b\n");
	item_is("{\"outcome\": \"ok\", \"state\": \"removing\"}", how,
		"acme/1: being removed for good; nobody owes anything any more; the removal "
		"completes with the next sweep\n");
}

Test(ctl_show, explain_says_where_each_keeper_stands)
{
	struct shown shown;
	json_t *result = json_loads(
		"{\"outcome\": \"ok\", \"account\": {\"org\": \"acme\", \"id\": \"1\"}, \"tasks\": ["
		"{\"keeper\": \"crm\", \"attempts\": 3, \"error\": \"disk away\", \"next_at_us\": "
		"60000000}, {\"keeper\": \"erp\", \"attempts\": 0}, {\"keeper\": \"hr\", \"attempts\": "
		"2, \"lease_until_us\": 60000000}]}",
		0, NULL);

	cr_assert_eq(show_explain(shown_begin(&shown), result), 0);
	(void)fclose(shown.show.out);
	cr_assert(strstr(shown.text,
			 "\nWaits for: crm (attempt 3 failed: disk away; again from "
			 "1970-01-01T00:01:00Z (in 1min)), erp (never claimed), hr (attempt 2 is "
			 "under way until 1970-01-01T00:01:00Z (in 1min)).\n"),
		  "%s", shown.text);
	free(shown.text);
	json_decref(result);
}

Test(ctl_show, an_item_that_went_well_says_until_when_it_can_be_restored)
{
	struct shown shown;
	json_t *items = json_loads(
		"[{\"org\": \"acme\", \"id\": \"1\", \"outcome\": \"ok\", \"state\": \"soft-deleted\", "
		"\"window_ends_us\": 2592000000000}]",
		0, NULL);

	cr_assert_eq(show_items(shown_begin(&shown), items, NULL, all), 0);
	shown_is(&shown,
		 "acme/1: soft-deleted; it can be restored until 1970-01-31T00:00:00Z (in 30d)\n");
	cr_assert_eq(show_items(shown_begin(&shown), items, NULL, quiet), 0);
	shown_is(&shown, "");
	json_decref(items);
}

Test(ctl_show, many_rows_are_a_table_without_empty_columns)
{
	static const char *const columns[] = {"id", "sla", "uid", NULL};
	struct shown shown;
	json_t *rows = json_loads(
		"[{\"id\": \"a\", \"uid\": 1, \"sla\": null}, {\"id\": \"bcd\", \"uid\": 22}]", 0,
		NULL);

	cr_assert_eq(show_rows(shown_begin(&shown), rows, columns), 0);
	shown_is(&shown, "ID  UID\na     1\nbcd  22\n");
	json_decref(rows);
}

Test(ctl_exit, codes_are_in_order_and_each_is_told_once)
{
	for (const struct ctl_exit_row *row = ctl_exit_table; row[1].name; row++) {
		cr_assert_lt(row[0].exit, row[1].exit);
	}
}

Test(ctl_pages, go_on_at_the_cursor_or_at_next_until_there_is_none)
{
	struct ctl_request request = CTL_REQUEST_FIRST;
	json_t *page = json_loads("{\"accounts\": [], \"cursor\": \"c1\"}", 0, NULL);
	json_t *last = json_loads("{\"accounts\": [], \"cursor\": null}", 0, NULL);
	json_t *entries = json_loads("{\"entries\": [], \"next\": 101}", 0, NULL);

	cr_assert(ctl_pages_next(&command_table[COMMAND_account_list], page, &request));
	cr_assert_eq(request.resume, ARGUMENT_cursor);
	cr_assert_str_eq(json_string_value(request.resume_at), "c1");
	cr_assert(!ctl_pages_next(&command_table[COMMAND_account_list], last, &request));
	cr_assert(ctl_pages_next(&command_table[COMMAND_ledger_read], entries, &request));
	cr_assert_eq(request.resume, ARGUMENT_from);
	cr_assert_eq(json_integer_value(request.resume_at), 101);
	json_decref(page);
	json_decref(last);
	json_decref(entries);
}

Test(ctl_slices, buckets_that_a_page_cut_in_two_add_up)
{
	json_t *whole = json_object();
	json_t *first = json_loads(
		"{\"now_us\": 5, \"buckets\": [{\"from_us\": 0, \"windows_end\": 2, \"removals_due\": 1}]}",
		0, NULL);
	json_t *second = json_loads(
		"{\"now_us\": 5, \"buckets\": [{\"from_us\": 0, \"windows_end\": 3, \"removals_due\": 0},"
		"{\"from_us\": 10, \"windows_end\": 1, \"removals_due\": 1}]}",
		0, NULL);
	const json_t *buckets;

	cr_assert_eq(ctl_slices_add_buckets(whole, first), 0);
	cr_assert_eq(ctl_slices_add_buckets(whole, second), 0);
	buckets = json_object_get(whole, "buckets");
	cr_assert_eq(json_array_size(buckets), 2);
	cr_assert_eq(json_integer_value(json_object_get(json_array_get(buckets, 0), "windows_end")),
		     5);
	cr_assert_eq(
		json_integer_value(json_object_get(json_array_get(buckets, 0), "removals_due")), 1);
	json_decref(whole);
	json_decref(first);
	json_decref(second);
}
