/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "daemon/store/inside.h"

#include "tests/support/rig.h"
#include "tests/support/temp.h"

/* request.file, list, approve, deny: removal requests of persons who cannot leave. */

#define PORTAL 990
#define NARROW 991 /* an admin of contoso */

static const char *const contoso[] = {"contoso"};
static const struct access_grant grants[] = {
	{.role = ROLE_SELF_SERVICE, .subject = PORTAL},
	{.role = ROLE_ADMIN, .subject = NARROW, .orgs = contoso, .n_orgs = 1},
};

static struct rig rig;

static void set_up(void)
{
	rig_open(&rig, CLOCK_MODE_SIMULATED);
	rig.rules = (struct access_rules){grants, ARRAY_LEN(grants)};
	rig_set_org(&rig, "fabrikam");
	rig_set_org(&rig, "contoso");
	cr_assert_eq(rig_import(&rig, "fabrikam", "g-1"), 1);
	cr_assert_eq(rig_import(&rig, "contoso", "g-2"), 2);
	cr_assert_eq(rig_import(&rig, "fabrikam", "g-3"), 3);
}

static void tear_down(void)
{
	rig_close(&rig);
}

TestSuite(removal_requests, .init = set_up, .fini = tear_down);

static void be(uid_t uid)
{
	rig.session.peer = (struct access_peer){.uid = uid, .gid = uid};
}

static bool outcome_is(const char *code)
{
	return rig_is(&rig, "items.0.outcome", code);
}

/* Return: the request's number. */
static uint64_t file(uint64_t uid)
{
	rig_call(&rig, "request.file", "{'accounts': [{'uid': %llu}], 'reason': 'please'}",
		 (unsigned long long)uid);
	cr_assert(outcome_is("ok"));
	return (uint64_t)rig_number(&rig, "items.0.request");
}

static void decide(const char *method, uint64_t number)
{
	rig_call(&rig, method, "{'requests': [{'request': %llu}], 'reason': 'because'}",
		 (unsigned long long)number);
	cr_assert_not(rig.failed);
}

static uint32_t list(const char *arguments)
{
	rig_call(&rig, "request.list", "%s", arguments);
	cr_assert_not(rig.failed);
	return rig_count(&rig, "requests");
}

static uint64_t n_open(void)
{
	return store_counts(rig.engine->store)->n_requests_open;
}

/* File */

Test(removal_requests, one_is_filed_with_a_deadline_of_its_own)
{
	be(PORTAL);
	rig_call(&rig, "request.file",
		 "{'accounts': [{'org': 'fabrikam', 'person': 'g-1@home.example'}]}");
	cr_assert(outcome_is("ok"));
	cr_assert_eq(rig_number(&rig, "items.0.request"), 1);
	cr_assert_eq(rig_number(&rig, "items.0.uid"), 1);
	cr_assert_eq(rig_number(&rig, "items.0.due_us"), RIG_BEGIN + 30 * SPAN_DAY);
	cr_assert(rig_is(&rig, "items.0.contact.privacy_contact", "privacy@fabrikam.example"));
	cr_assert_eq(n_open(), 1);
}

Test(removal_requests, a_person_who_may_not_leave_can_have_one_filed)
{
	rig_call(&rig, "org.set", "{'org': 'fabrikam', 'allow_leave': false}");
	rig_change(&rig, "account.disable", 1);
	be(PORTAL);
	rig_call(&rig, "account.leave", "{'accounts': [{'uid': 1}]}");
	cr_assert_eq(rig_count(&rig, "items.0.reasons"), 2);
	(void)file(1);
}

Test(removal_requests, an_account_has_one_open_at_a_time)
{
	uint64_t number = file(1);

	rig_call(&rig, "request.file", "{'accounts': [{'uid': 1}]}");
	cr_assert(outcome_is("already-requested"));
	cr_assert_eq(rig_number(&rig, "items.0.request"), (int64_t)number);
	decide("request.deny", number);
	cr_assert_eq(file(1), number + 1);
}

Test(removal_requests, who_has_left_needs_none)
{
	rig_change(&rig, "account.remove", 1);
	rig_call(&rig, "request.file", "{'accounts': [{'uid': 1}, {'uid': 99}]}");
	cr_assert(outcome_is("already-left"));
	cr_assert(rig_is(&rig, "items.1.outcome", "not-found"));
	rig_change(&rig, "account.purge", 1);
	rig_idle(&rig);
	rig_call(&rig, "request.file", "{'accounts': [{'uid': 1}]}");
	cr_assert(outcome_is("not-found"));
	cr_assert_eq(n_open(), 0);
}

/* Decide */

Test(removal_requests, one_that_is_approved_removes_the_account)
{
	uint64_t number = file(1);

	rig_advance(&rig, SPAN_DAY);
	decide("request.approve", number);
	cr_assert(outcome_is("ok"));
	cr_assert(rig_is(&rig, "items.0.state", "soft-deleted"));
	cr_assert(rig_is(&rig, "items.0.org", "fabrikam"));
	cr_assert_eq(rig_number(&rig, "items.0.deleted_at_us"), RIG_BEGIN + SPAN_DAY);
	cr_assert_eq(n_open(), 0);
	cr_assert_eq(list("{}"), 1);
	cr_assert(rig_is(&rig, "requests.0.state", "approved"));
	cr_assert_eq(rig_number(&rig, "requests.0.decided_at_us"), RIG_BEGIN + SPAN_DAY);
	cr_assert_not(rig_has(&rig, "requests.0.sla"));
}

Test(removal_requests, one_that_is_denied_leaves_the_account_as_it_is)
{
	uint64_t number = file(1);

	rig_call(&rig, "request.deny", "{'requests': [{'request': 1}]}");
	cr_assert(rig_refused(&rig, "invalid-argument", "reason"));
	decide("request.deny", number);
	cr_assert(outcome_is("ok"));
	cr_assert(rig_is(&rig, "items.0.state", "active"));
	cr_assert_eq(list("{}"), 1);
	cr_assert(rig_is(&rig, "requests.0.state", "denied"));
	cr_assert_eq(n_open(), 0);
}

Test(removal_requests, one_is_decided_once)
{
	uint64_t denied = file(1), approved = file(3), head;

	decide("request.deny", denied);
	decide("request.approve", approved);
	head = rig_head(&rig);
	decide("request.approve", denied);
	cr_assert(outcome_is("already-decided"));
	decide("request.deny", approved);
	cr_assert(outcome_is("already-decided"));
	decide("request.approve", 999);
	cr_assert(outcome_is("request-not-found"));
	cr_assert_eq(rig_head(&rig), head);
}

Test(removal_requests, a_direct_connect_user_s_removal_starts_with_the_approval)
{
	rig_set_keeper(&rig, "crm");
	rig_call(&rig, "account.import",
		 "{'accounts': [{'org': 'fabrikam', 'id': 'd-1', 'kind': 'b2b-direct-connect',"
		 " 'upn': 'd-1@home.example'}]}");
	decide("request.approve", file(4));
	cr_assert(rig_is(&rig, "items.0.state", "removing"));
	cr_assert_eq(rig_row(&rig, 4).facts.owed, 1);
}

Test(removal_requests, the_ledger_knows_the_number_and_who_decided)
{
	uint64_t number = file(1);
	struct entry entry;

	cr_assert_eq(store_get_entry(rig.engine->store, rig_head(&rig), &entry, NULL), 0);
	cr_assert_eq(entry.event, EVENT_REQUEST_FILED);
	cr_assert_eq(entry.request, number);
	decide("request.deny", number);
	cr_assert_eq(store_get_entry(rig.engine->store, rig_head(&rig), &entry, NULL), 0);
	cr_assert_eq(entry.event, EVENT_REQUEST_DENIED);
	cr_assert_eq(entry.request, number);
	cr_assert_eq(entry.actor_role, ROLE_ADMIN);
}

Test(removal_requests, an_account_that_leaves_in_another_way_fulfils_its_request)
{
	uint64_t number = file(1);

	rig_change(&rig, "account.leave", 1);
	cr_assert_eq(n_open(), 0);
	cr_assert_eq(list("{'open': true}"), 0);
	cr_assert_eq(list("{}"), 1);
	cr_assert(rig_is(&rig, "requests.0.state", "fulfilled"));
	decide("request.approve", number);
	cr_assert(outcome_is("already-decided"));
	rig_change(&rig, "account.restore", 1);
	decide("request.approve", number);
	cr_assert(outcome_is("already-decided"));
}

Test(removal_requests, each_administrator_decides_those_of_its_organizations)
{
	uint64_t here = file(2), there = file(1);

	be(NARROW);
	decide("request.approve", there);
	cr_assert(outcome_is("permission-denied"));
	cr_assert_not(rig_has(&rig, "items.0.uid"));
	decide("request.deny", there);
	cr_assert(outcome_is("permission-denied"));
	cr_assert_eq(list("{}"), 1);
	cr_assert_eq(rig_number(&rig, "requests.0.request"), (int64_t)here);
	rig_call(&rig, "request.list", "{'org': 'fabrikam'}");
	cr_assert(rig_refused(&rig, "permission-denied", "fabrikam"));
	decide("request.approve", here);
	cr_assert(outcome_is("ok"));
	be(PORTAL);
	rig_call(&rig, "request.list", "{}");
	cr_assert(rig_refused(&rig, "permission-denied", "admin"));
}

/* List */

Test(removal_requests, they_are_listed_in_the_order_in_which_they_were_filed)
{
	(void)file(3);
	(void)file(1);
	(void)file(2);
	cr_assert_eq(list("{}"), 3);
	cr_assert_eq(rig_number(&rig, "requests.0.uid"), 3);
	cr_assert_eq(rig_number(&rig, "requests.1.uid"), 1);
	cr_assert(rig_is(&rig, "requests.1.id", "g-1"));
	cr_assert(rig_is(&rig, "requests.1.person", "g-1@home.example"));
	cr_assert(rig_is(&rig, "requests.1.reason", "please"));
	cr_assert(rig_is(&rig, "requests.1.state", "open"));
	cr_assert(rig_is(&rig, "requests.1.sla", "on-track"));
	cr_assert_eq(list("{'org': 'Contoso'}"), 1);
	cr_assert_eq(rig_number(&rig, "requests.0.uid"), 2);
}

Test(removal_requests, pages_show_each_once)
{
	cleanup(freep) char *cursor = strdup("");
	uint32_t n = 0;

	(void)file(3);
	(void)file(1);
	(void)file(2);
	do {
		char arguments[160];

		(void)snprintf(arguments, sizeof(arguments), "{'limit': 1%s%s%s}",
			       cursor[0] ? ", 'cursor': '" : "", cursor, cursor[0] ? "'" : "");
		n += list(arguments);
		free(cursor);
		cursor = rig_text(&rig, "cursor");
		cr_assert_leq(n, 3);
	} while (cursor[0]);
	cr_assert_eq(n, 3);
	rig_call(&rig, "request.list", "{'cursor': 'nonsense'}");
	cr_assert(rig_refused(&rig, "invalid-argument", "cursor"));
}

Test(removal_requests, a_cursor_that_nobody_gave_lists_nothing_and_breaks_nothing)
{
	cr_assert_eq(file(1), 1);
	cr_assert_eq(list("{'cursor': 'ffffffffffffffff'}"), 0);
	cr_assert_eq(list("{'cursor': '0000000000000000'}"), 1);
}

Test(removal_requests, one_is_overdue_from_its_very_deadline_on)
{
	(void)file(1);
	rig_advance(&rig, 23 * SPAN_DAY);
	cr_assert_eq(list("{'overdue': true}"), 0);
	cr_assert_eq(list("{}"), 1);
	cr_assert(rig_is(&rig, "requests.0.sla", "due-soon"));
	rig_advance(&rig, 7 * SPAN_DAY - 1);
	cr_assert_eq(list("{'overdue': true}"), 0);
	rig_advance(&rig, 1);
	cr_assert_eq(list("{'overdue': true}"), 1);
	cr_assert(rig_is(&rig, "requests.0.sla", "overdue"));
	decide("request.deny", 1);
	cr_assert_eq(list("{'overdue': true}"), 0);
}

Test(removal_requests, they_are_there_after_a_stop_and_after_a_kill)
{
	(void)file(1);
	decide("request.deny", file(3));
	for (int i = 0; i < 2; ++i) {
		i == 0 ? rig_restart(&rig) : rig_reopen(&rig);
		cr_assert_eq(list("{}"), 2);
		cr_assert(rig_is(&rig, "requests.0.state", "open"));
		cr_assert(rig_is(&rig, "requests.1.state", "denied"));
		cr_assert_eq(n_open(), 1);
	}
	cr_assert_eq(file(2), 3);
}

Test(removal_requests, nothing_of_the_person_is_left_in_the_list_of_a_removed_account)
{
	decide("request.approve", file(1));
	rig_change(&rig, "account.purge", 1);
	rig_idle(&rig);
	cr_assert(rig_is_removed(&rig, 1));
	cr_assert_eq(list("{}"), 1);
	cr_assert(rig_is(&rig, "requests.0.state", "approved"));
	cr_assert_eq(rig_number(&rig, "requests.0.uid"), 1);
	cr_assert_not(rig_has(&rig, "requests.0.id"));
	cr_assert_not(rig_has(&rig, "requests.0.person"));
	cr_assert_not(rig_has(&rig, "requests.0.reason"));
}

Test(removal_requests, the_clock_s_last_instant_is_no_trap_for_a_deadline)
{
	rig_call(&rig, "clock.advance", "{'to_us': %lld}", (long long)(INSTANT_MAX - 1));
	(void)file(1);
	cr_assert_eq(rig_number(&rig, "items.0.due_us"), INSTANT_MAX);
}

/* Damage */

Test(removal_requests, a_damaged_one_is_refused_and_the_others_are_listed)
{
	(void)file(1);
	(void)file(2);
	rig_tamper(&rig, KV_REQUESTS, key_u64(1), SLICE_LITERAL("rubbish"));
	decide("request.approve", 1);
	cr_assert(outcome_is("damaged"));
	decide("request.deny", 1);
	cr_assert(outcome_is("damaged"));
	cr_assert_eq(list("{}"), 1);
	cr_assert_eq(rig_number(&rig, "requests.0.request"), 2);
}

Test(removal_requests, none_is_approved_whose_removal_cannot_be_held_back)
{
	uint64_t number = file(3), head;

	rig_call(&rig, "org.set", "{'org': 'fabrikam', 'guard_min': 1, 'guard_percent': 1}");
	rig_change(&rig, "account.remove", 1);
	rig_call(&rig, "account.remove", "{'accounts': [{'uid': 3}]}");
	cr_assert(outcome_is("staged"));
	rig_tamper(&rig, KV_STAGED, key_staged(1, 3), SLICE_LITERAL("rubbish"));
	head = rig_head(&rig);
	decide("request.approve", number);
	cr_assert(outcome_is("damaged"));
	cr_assert_eq(rig_head(&rig), head);
	cr_assert_eq(list("{'open': true}"), 1);
}

Test(removal_requests, one_of_an_organization_or_an_account_that_is_not_there_is_refused)
{
	struct removal_request request;
	uint8_t bytes[ROWS_REQUEST_LEN];

	(void)file(1);
	cr_assert_eq(store_get_request(rig.engine->store, 1, &request), 0);
	request.org = 99;
	rig_tamper(&rig, KV_REQUESTS, key_u64(1),
		   (struct slice){(const char *)bytes, rows_encode_request(&request, bytes)});
	decide("request.approve", 1);
	cr_assert_not(outcome_is("ok"));
	cr_assert_eq(list("{}"), 0);
	request.org = 1;
	request.uid = 999;
	rig_tamper(&rig, KV_REQUESTS, key_u64(1),
		   (struct slice){(const char *)bytes, rows_encode_request(&request, bytes)});
	decide("request.approve", 1);
	cr_assert_not(outcome_is("ok"));
	(void)list("{}");
}

/* As damage leaves it: whoever went from number to number would never answer again. */
Test(removal_requests, a_next_number_that_is_far_away_makes_no_list_long)
{
	(void)file(1);
	(void)file(3);
	rig.engine->store->state.next_request = UINT64_MAX;
	rig_call(&rig, "request.list", "{}");
	cr_assert_eq(rig_count(&rig, "requests"), 2);
}

Test(removal_requests, a_row_of_another_shape_ends_no_list)
{
	(void)file(1);
	rig_tamper(&rig, KV_REQUESTS, key_org(0), SLICE_LITERAL("rubbish"));
	rig_tamper(&rig, KV_REQUESTS, key_note(1, 0), SLICE_LITERAL("rubbish"));
	rig.engine->store->state.next_request = UINT64_MAX;
	rig_call(&rig, "request.list", "{}");
	cr_assert_eq(rig_count(&rig, "requests"), 1);
}
