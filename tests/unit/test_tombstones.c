/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/work/tombstones.h"

#include <criterion/criterion.h>

#include "tests/support/rig.h"

#define KEPT (40 * SPAN_DAY)

static struct rig rig;
static uint64_t uid;

static void set_up(void)
{
	rig_open(&rig, CLOCK_MODE_SIMULATED);
	rig.options.tombstones = KEPT;
	rig_reopen(&rig);
	rig_set_org(&rig, "contoso");
	uid = rig_import(&rig, "contoso", "g1");
	rig_call(&rig, "account.remove", "{'accounts': [{'uid': %llu}]}", (unsigned long long)uid);
	rig_call(&rig, "account.purge", "{'accounts': [{'uid': %llu}]}", (unsigned long long)uid);
	rig_idle(&rig);
}

static void tear_down(void)
{
	rig_close(&rig);
}

TestSuite(tombstones, .init = set_up, .fini = tear_down);

static bool is_there(void)
{
	rig_call(&rig, "receipt.get", "{'org': 'contoso', 'id': 'g1'}");
	return rig_is(&rig, "outcome", "ok");
}

static void pass(span_t span)
{
	rig_advance(&rig, span);
	rig_turn(&rig);
}

Test(tombstones, stand_until_their_time_and_not_a_moment_longer)
{
	rig_reopen(&rig);
	pass(KEPT - 1);
	cr_assert(is_there());
	pass(TOMBSTONES_EVERY);
	cr_assert_not(is_there());
	cr_assert(rig_is(&rig, "outcome", "not-found"));
}

Test(tombstones, are_forgotten_by_uid_and_in_the_counts_too)
{
	rig_reopen(&rig);
	pass(KEPT);
	rig_call(&rig, "receipt.get", "{'uid': %llu}", (unsigned long long)uid);
	cr_assert(rig_is(&rig, "outcome", "not-found"));
	cr_assert_eq(store_counts(rig.engine->store)->n_removed, 0);
}

Test(tombstones, leave_what_happened_in_the_ledger)
{
	uint64_t head = rig_head(&rig);

	rig_reopen(&rig);
	pass(KEPT);
	cr_assert_eq(rig_head(&rig), head);
	rig_call(&rig, "ledger.read", "{'limit': 1000}");
	cr_assert_eq(rig_count(&rig, "entries"), head);
}

Test(tombstones, wait_until_no_start_replays_their_entries)
{
	pass(KEPT); /* nothing is settled yet */
	cr_assert(is_there());
	rig_restart(&rig);
	cr_assert(is_there());
	rig_reopen(&rig);
	pass(TOMBSTONES_EVERY);
	cr_assert_not(is_there());
	rig_restart(&rig);
	cr_assert_not(is_there());
}

Test(tombstones, never_take_an_account_that_is_there)
{
	uint64_t other = rig_import(&rig, "contoso", "g2");

	rig_reopen(&rig);
	pass(10 * KEPT);
	rig_call(&rig, "account.get", "{'uid': %llu}", (unsigned long long)other);
	cr_assert(rig_is(&rig, "outcome", "ok"));
}

Test(tombstones, of_an_id_make_no_hindrance_for_a_new_account)
{
	uint64_t again;

	rig_reopen(&rig);
	pass(KEPT);
	again = rig_import(&rig, "contoso", "g1");
	cr_assert_gt(again, uid);
	rig_call(&rig, "receipt.get", "{'org': 'contoso', 'id': 'g1'}");
	cr_assert(rig_is(&rig, "outcome", "not-soft-deleted"));
}
