/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/due_front.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/support/rig.h"

/* What is due is found behind a front, and nothing is ever left behind it. */

#define MANY 40

static struct rig rig;

static void set_up(void)
{
	rig_open(&rig, CLOCK_MODE_SIMULATED);
	rig_set_org(&rig, "fabrikam");
	for (int i = 1; i <= MANY; i++) {
		char id[16];

		(void)snprintf(id, sizeof(id), "g-%d", i);
		(void)rig_import(&rig, "fabrikam", id);
		rig_change(&rig, "account.leave", (uint64_t)i);
		rig_advance(&rig, SPAN_MINUTE);
	}
	rig_reopen(&rig);
}

static void tear_down(void)
{
	rig_close(&rig);
}

TestSuite(due_front, .init = set_up, .fini = tear_down);

static const struct due_position none;

/* The uid that is due next after a position. */
static uint64_t next_after(struct due_position position)
{
	struct account account;
	int r = store_next_due(rig.engine->store, &position, &account);

	return r == 0 ? account.uid : 0;
}

static void remove_first(uint64_t n)
{
	for (uint64_t uid = 1; uid <= n; uid++) {
		rig_change(&rig, "account.restore", uid);
	}
}

Test(due_front, what_is_hidden_is_passed_over_again_and_again)
{
	remove_first(MANY / 2);
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(next_after(none), MANY / 2 + 1);
	}
}

Test(due_front, what_is_due_before_it_again_is_found)
{
	remove_first(MANY / 2);
	cr_assert_eq(next_after(none), MANY / 2 + 1);
	rig_call(&rig, "account.import",
		 "{'accounts': [{'org': 'fabrikam', 'id': 'early', 'kind': 'b2b-collaboration',"
		 " 'upn': 'early@x.example', 'deleted_at_us': %lld}]}",
		 (long long)RIG_BEGIN - SPAN_DAY);
	cr_assert_eq(next_after(none), MANY + 1);
	rig_call(&rig, "account.restore", "{'accounts': [{'uid': %d}]}", MANY + 1);
	cr_assert_eq(next_after(none), MANY / 2 + 1);
}

Test(due_front, what_was_due_before_it_and_is_settled_is_found)
{
	struct account early;

	remove_first(MANY / 2);
	cr_assert_eq(next_after(none), MANY / 2 + 1);
	rig_call(&rig, "account.import",
		 "{'accounts': [{'org': 'fabrikam', 'id': 'early', 'kind': 'b2b-collaboration',"
		 " 'upn': 'early@x.example', 'deleted_at_us': %lld}]}",
		 (long long)RIG_BEGIN - SPAN_DAY);
	while (store_unsettled_entries(rig.engine->store) > 0) {
		(void)next_after(none);
		cr_assert_eq(store_commit(rig.engine->store), 0);
		cr_assert_eq(store_settle(rig.engine->store, 1), 0);
		cr_assert_eq(store_commit(rig.engine->store), 0);
	}
	early = rig_row(&rig, MANY + 1);
	cr_assert_eq(next_after(none), early.uid);
}

/* The row in the table has its key again: it was hidden only while it was another. */
Test(due_front, a_row_that_gets_back_the_key_that_its_table_has_is_found)
{
	struct actor actor = {.role = ROLE_ADMIN, .at = RIG_BEGIN};
	struct account account = rig_row(&rig, 1);
	struct facts facts = account.facts;

	remove_first(MANY / 2);
	cr_assert_eq(next_after(none), MANY / 2 + 1);
	account = rig_row(&rig, 1);
	account.facts = facts;
	cr_assert_eq(store_change(rig.engine->store, &account, EVENT_LEFT, &actor), 0);
	cr_assert_eq(next_after(none), 1);
}

/* A visible row at the front itself stays there, also for who has already been at it. */
Test(due_front, a_row_that_somebody_passed_is_there_for_the_next_pass)
{
	struct due_position position = none;
	struct account account;

	remove_first(3);
	cr_assert_eq(store_next_due(rig.engine->store, &position, &account), 0);
	cr_assert_eq(account.uid, 4);
	cr_assert_eq(store_next_due(rig.engine->store, &position, &account), 0);
	cr_assert_eq(account.uid, 5);
	cr_assert_eq(next_after(none), 4);
}
