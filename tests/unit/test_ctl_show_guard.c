/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/show_guard.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static void released_is(const char *result, const char *text)
{
	struct show show = {.now = 0, .utc = true, .legend = true};
	json_t *json = json_loads(result, 0, NULL);
	char *shown = NULL;
	size_t len = 0;

	show.out = open_memstream(&shown, &len);
	cr_assert_eq(show_released(&show, json), 0);
	(void)fclose(show.out);
	cr_expect_str_eq(shown, text);
	free(shown);
	json_decref(json);
}

Test(ctl_show_guard, a_release_says_that_what_was_held_back_is_carried_out)
{
	released_is("{\"guard\": \"mass\", \"org\": \"contoso\", \"released\": true, "
		    "\"discarded\": false, \"count\": 700}",
		    "contoso: released: what was held back of 700 accounts is carried out\n");
	released_is("{\"guard\": \"mass\", \"org\": \"contoso\", \"released\": true, "
		    "\"discarded\": false, \"count\": 1}",
		    "contoso: released: what was held back of 1 account is carried out\n");
}

Test(ctl_show_guard, who_discards_is_told_where_to_find_what_passed_before)
{
	released_is(
		"{\"guard\": \"mass\", \"org\": \"contoso\", \"released\": false, "
		"\"discarded\": true, \"count\": 700}",
		"contoso: discarded: what was asked of 700 accounts is never done, and they stay "
		"as they are\n"
		"what passed before the guard stopped it can be restored; look with retentionctl "
		"list --org=contoso --state=soft-deleted\n");
}

Test(ctl_show_guard, who_discards_is_told_what_persons_asked_for)
{
	released_is(
		"{\"guard\": \"mass\", \"org\": \"contoso\", \"released\": false, "
		"\"discarded\": true, \"count\": 1, \"kept\": 3}",
		"contoso: discarded: what was asked of 1 account is never done, and they stay "
		"as they are\n"
		"3 more were asked for by persons, who left or whose requests were approved, and are "
		"held back on: let them happen with retentionctl release-guard mass --org=contoso, or "
		"add --discard --include-persons\n"
		"what passed before the guard stopped it can be restored; look with retentionctl "
		"list --org=contoso --state=soft-deleted\n");
}

Test(ctl_show_guard, an_accepted_clock_says_from_when_to_when)
{
	released_is(
		"{\"guard\": \"clock\", \"released\": true, \"was_us\": -86400000000, "
		"\"now_us\": 0, \"due_now\": 30}",
		"the wall clock is accepted: trusted time was 1969-12-31T00:00:00Z (1d ago), and "
		"goes on from 1970-01-01T00:00:00Z (now)\n"
		"30 removals are due at once\n");
	released_is(
		"{\"guard\": \"clock\", \"released\": true, \"was_us\": -86400000000, "
		"\"now_us\": 0, \"due_now\": 1000}",
		"the wall clock is accepted: trusted time was 1969-12-31T00:00:00Z (1d ago), and "
		"goes on from 1970-01-01T00:00:00Z (now)\n"
		"1000 or more removals are due at once\n");
}

Test(ctl_show_guard, a_clock_that_nobody_doubts_needs_no_release)
{
	released_is("{\"guard\": \"clock\", \"released\": false, \"was_us\": 0, \"now_us\": 0, "
		    "\"due_now\": 0}",
		    "the clock guard is not engaged; trusted time is 1970-01-01T00:00:00Z (now)\n");
}

Test(ctl_show_guard, a_guard_newer_than_the_client_is_shown_as_it_is)
{
	released_is("{\"guard\": \"disk\", \"released\": true}", "   guard: disk\n"
								 "released: yes\n");
}

static void label_is(const char *key, const char *text)
{
	char label[64];

	show_label(key, label, sizeof(label));
	cr_expect_str_eq(label, text);
}

Test(ctl_show_guard, what_is_staged_and_since_when_have_two_names)
{
	label_is("staged", "staged");
	label_is("staged_us", "staged at");
	label_is("window_ends_us", "window ends");
	label_is("_us", "");
}
