/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/work/guarding.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "daemon/work/log.h"

#include "tests/support/rig.h"

/*
 * Removals that the mass guard of fabrikam holds back, which lets 3 accounts pass, and what comes to
 * them. Directories delete many in one second: here all of them were deleted at the same instant.
 */

#define DELETED_AT (RIG_BEGIN - 40 * SPAN_DAY)
#define NARROW     991 /* an admin of contoso */

static struct rig rig;

static void be_silent(unused enum log_level level, unused const char *text,
		      unused const struct log_field *fields, unused size_t n_fields)
{
}

static void set_up(void)
{
	rig_open(&rig, CLOCK_MODE_SIMULATED);
	log_set_sink(be_silent);
	rig_set_org(&rig, "fabrikam");
	rig_set_org(&rig, "contoso");
	rig_call(&rig, "org.set", "{'org': 'fabrikam', 'guard_min': 3, 'guard_percent': 1}");
}

static void tear_down(void)
{
	rig_close(&rig);
}

TestSuite(guarding_removals, .init = set_up, .fini = tear_down);

/* Their windows have ended when they come. */
static void send_deleted(int from, int to)
{
	for (int i = from; i <= to; i++) {
		rig_send(&rig, "account.import",
			 "{'accounts': [{'org': 'fabrikam', 'id': 'old-%d', 'kind': 'member', "
			 "'upn': 'o-%d@x.example', 'deleted_at_us': %lld}]}",
			 i, i, (long long)DELETED_AT);
		cr_assert(rig_is(&rig, "items.0.outcome", "ok"));
	}
}

static void import_deleted(int from, int to)
{
	rig_begin(&rig);
	send_deleted(from, to);
	rig_end(&rig);
	rig_idle(&rig);
}

static int64_t guard_of(const char *path)
{
	char whole[64];

	rig_call(&rig, "guard.list", "{'org': 'fabrikam'}");
	(void)snprintf(whole, sizeof(whole), "guards.0.%s", path);
	return rig_number(&rig, whole);
}

static void release(int64_t expect)
{
	rig_call(&rig, "guard.release", "{'guard': 'mass', 'org': 'fabrikam', 'expect': %lld}",
		 (long long)expect);
	cr_assert_not(rig.failed);
	rig_idle(&rig);
}

static bool is_started(uint64_t uid)
{
	return rig_row(&rig, uid).facts.removal_started_at != INSTANT_NONE;
}

Test(guarding_removals, what_falls_due_at_the_instant_of_what_waits_is_counted_once)
{
	import_deleted(1, 5);
	cr_expect_eq(guard_of("removals_staged"), 2);
	import_deleted(6, 7);
	cr_expect_eq(guard_of("removals_staged"), 4);
}

Test(guarding_removals, what_comes_in_the_turn_of_a_setting_is_counted_once)
{
	import_deleted(1, 5);
	rig_begin(&rig);
	for (int i = 0; i < 2; i++) {
		rig_send(&rig, "account.import",
			 "{'accounts': [{'org': 'fabrikam', 'id': 'older-%d', 'kind': 'member', "
			 "'upn': 'older-%d@x.example', 'deleted_at_us': %lld}]}",
			 i, i, (long long)(DELETED_AT - SPAN_DAY));
	}
	rig_send(&rig, "org.set", "{'org': 'fabrikam', 'guard_min': 2}");
	rig_end(&rig);
	rig_idle(&rig);
	cr_expect_eq(guard_of("removals_staged"), 4);
}

Test(guarding_removals, a_release_lets_them_start_where_more_happened_than_the_limit_is_now)
{
	rig_unguard(&rig, "fabrikam");
	import_deleted(1, 8);
	cr_expect(is_started(8));
	rig_call(&rig, "org.set", "{'org': 'fabrikam', 'guard_percent': 1}");
	import_deleted(9, 10);
	cr_expect_eq(guard_of("removals_staged"), 2);
	release(2);
	cr_expect(is_started(10));
	cr_expect_eq(guard_of("removals_staged"), 0);
	import_deleted(11, 11);
	cr_expect_not(is_started(11));
}

Test(guarding_removals, whoever_releases_many_holds_lets_no_more_start)
{
	rig_unguard(&rig, "fabrikam");
	for (int i = 1; i <= 5; i++) {
		uint64_t uid;
		char id[24];

		(void)snprintf(id, sizeof(id), "held-%d", i);
		uid = rig_import(&rig, "fabrikam", id);
		rig_change(&rig, "account.remove", uid);
		rig_call(&rig, "hold.add", "{'accounts': [{'uid': %llu}], 'hold': 'case-7'}",
			 (unsigned long long)uid);
		cr_assert(rig_is(&rig, "items.0.outcome", "ok"));
	}
	rig_call(&rig, "org.set", "{'org': 'fabrikam', 'guard_percent': 1}");
	rig_advance(&rig, 40 * SPAN_DAY);
	rig_idle(&rig);
	cr_assert_not(is_started(5));
	for (int dry = 1; dry >= 0; dry--) {
		rig_call(
			&rig, "hold.remove",
			"{'accounts': [{'uid': 1}, {'uid': 2}, {'uid': 3}, {'uid': 4}, {'uid': 5}], "
			"'hold': 'case-7', 'dry_run': %s}",
			dry ? "true" : "false");
		cr_expect(rig_is(&rig, "items.4.outcome", "ok"));
		cr_expect_not(rig_has(&rig, "items.2.staged"));
		cr_expect(rig_is(&rig, "items.3.staged", "removal"));
		cr_expect(rig_is(&rig, "items.4.staged", "removal"));
	}
	rig_idle(&rig);
	cr_expect(is_started(3));
	cr_expect_not(is_started(4));
	cr_expect_eq(guard_of("removals_staged"), 2);
	rig_call(&rig, "ledger.verify", "{}");
	cr_expect(rig_true(&rig, "ok"));
	release(2);
	cr_expect(is_started(5));
	cr_expect_not(rig_row(&rig, 5).facts.late, "its time begins when the hold goes");
}

Test(guarding_removals, another_organization_that_is_set_makes_nobody_look_again)
{
	import_deleted(1, 5);
	cr_assert_eq(sweep_front(&rig.engine->sweep).uid, 5);
	rig_begin(&rig);
	rig_send(&rig, "org.set", "{'org': 'contoso', 'name': 'Contoso'}");
	cr_expect_eq(sweep_front(&rig.engine->sweep).uid, 5);
	rig_end(&rig);
}

Test(guarding_removals, an_administrator_of_another_organization_decides_nothing)
{
	static const char *const orgs[] = {"contoso"};
	static const struct access_grant grant = {
		.role = ROLE_ADMIN, .subject = NARROW, .orgs = orgs, .n_orgs = 1};

	import_deleted(1, 5);
	rig.rules = (struct access_rules){&grant, 1};
	rig.session.peer.uid = NARROW;
	rig_call(&rig, "guard.release", "{'guard': 'mass', 'org': 'FABRIKAM', 'expect': 2}");
	cr_expect(rig_refused(&rig, "permission-denied", "FABRIKAM"));
	rig_call(&rig, "guard.list", "{'engaged': true}");
	cr_expect_eq(rig_count(&rig, "guards"), 0);
	rig.session.peer.uid = 0;
	cr_expect_eq(guard_of("removals_staged"), 2);
}

/* With what, behind the organization's number, a staged command's key would not be one. */
static struct key odd_key(const char *bytes, size_t len)
{
	struct key key = key_org(1);

	key_add_bytes(&key, bytes, len);
	return key;
}

Test(guarding_removals, keys_that_are_none_keep_no_release_from_its_end)
{
	uint64_t uids[5];

	for (int i = 0; i < 5; i++) {
		char id[16];

		(void)snprintf(id, sizeof(id), "g-%d", i);
		uids[i] = rig_import(&rig, "fabrikam", id);
		rig_call(&rig, "account.remove", "{'accounts': [{'uid': %llu}]}",
			 (unsigned long long)uids[i]);
	}
	cr_assert_eq(guard_of("staged"), 2);
	rig_tamper(&rig, KV_STAGED, odd_key("", 1), (struct slice){0});
	rig_tamper(&rig, KV_STAGED, odd_key("\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\1", 16),
		   (struct slice){0});
	release(2);
	cr_expect_neq(rig_row(&rig, uids[4]).facts.deleted_at, INSTANT_NONE);
	cr_expect_eq(guard_of("deciding"), 0);
}

Test(guarding_removals, the_guard_of_one_organization_is_the_last)
{
	rig_call(&rig, "guard.list", "{'org': 'fabrikam', 'limit': 1}");
	cr_expect_eq(rig_count(&rig, "guards"), 1);
	cr_expect_not(rig_has(&rig, "cursor"));
	rig_call(&rig, "guard.list", "{'limit': 1}");
	cr_expect(rig_has(&rig, "cursor"));
}

Test(guarding_removals, what_happens_to_an_account_that_waits_counts_it_no_more)
{
	rig_call(&rig, "org.set", "{'org': 'fabrikam', 'window_us': %lld}", (long long)SPAN_DAY);
	for (int i = 1; i <= 8; i++) {
		char id[16];

		(void)snprintf(id, sizeof(id), "g-%d", i);
		(void)rig_import(&rig, "fabrikam", id);
	}
	rig_unguard(&rig, "fabrikam");
	for (uint64_t uid = 1; uid <= 8; uid++) {
		rig_change(&rig, "account.remove", uid);
	}
	rig_call(&rig, "org.set", "{'org': 'fabrikam', 'guard_min': 1, 'guard_percent': 1}");
	rig_change(&rig, "account.purge", 1);
	rig_call(&rig, "account.purge", "{'accounts': [{'uid': 4}]}");
	cr_assert(rig_is(&rig, "items.0.outcome", "staged"));
	rig_advance(&rig, SPAN_DAY);
	rig_idle(&rig);
	cr_assert_eq(guard_of("removals_staged"), 6);
	rig_call(&rig, "guard.release",
		 "{'guard': 'mass', 'org': 'fabrikam', 'expect': 1, 'discard': true}");
	cr_assert_not(rig.failed);
	rig_idle(&rig);
	cr_expect_eq(guard_of("removals_staged"), 6);
}
