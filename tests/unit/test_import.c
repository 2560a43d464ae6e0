/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "daemon/store/inside.h"

#include "tests/support/rig.h"

/* account.import: what a directory says of an account against what is here already. */

static struct rig rig;

static void set_up(void)
{
	rig_open(&rig, CLOCK_MODE_SIMULATED);
	rig_set_org(&rig, "fabrikam");
}

static void tear_down(void)
{
	rig_close(&rig);
}

TestSuite(import, .init = set_up, .fini = tear_down);

/* One account as the directory tells it: the given fields after those that are always there. */
static void import(const char *id, const char *upn, const char *more)
{
	rig_call(&rig, "account.import",
		 "{'accounts': [{'org': 'fabrikam', 'id': '%s', 'kind': 'b2b-collaboration',"
		 " 'upn': '%s' %s}]}",
		 id, upn, more);
	cr_assert_not(rig.failed);
}

static void import_anew(const char *id, const char *upn, const char *more)
{
	rig_call(&rig, "account.import",
		 "{'accounts': [{'org': 'fabrikam', 'id': '%s', 'kind': 'b2b-collaboration',"
		 " 'upn': '%s' %s}], 'new_incarnation': true}",
		 id, upn, more);
	cr_assert_not(rig.failed);
}

/* ", 'deleted_at_us': …", so long ago. */
static const char *deleted_ago(span_t ago)
{
	static char field[64];

	(void)snprintf(field, sizeof(field), ", 'deleted_at_us': %lld",
		       (long long)(rig_now(&rig) - ago));
	return field;
}

static void expect_change(const char *change, uint64_t uid)
{
	cr_assert(rig_is(&rig, "items.0.outcome", "ok"));
	cr_assert(rig_is(&rig, "items.0.change", change));
	cr_assert_eq(rig_number(&rig, "items.0.uid"), (int64_t)uid);
}

static void expect_refused(const char *outcome)
{
	cr_assert(rig_is(&rig, "items.0.outcome", outcome));
	cr_assert_not(rig_has(&rig, "items.0.change"));
}

static void change(const char *method, uint64_t uid)
{
	rig_call(&rig, method, "{'accounts': [{'uid': %llu}]}", (unsigned long long)uid);
	cr_assert(rig_is(&rig, "items.0.outcome", "ok"));
}

static void get(uint64_t uid)
{
	rig_call(&rig, "account.get", "{'uid': %llu}", (unsigned long long)uid);
}

/* New */

Test(import, an_account_that_is_not_here_is_created)
{
	import("g-1", "g-1@home.example", "");
	expect_change("created", 1);
	cr_assert(rig_is(&rig, "items.0.state", "active"));
	get(1);
	cr_assert(rig_is(&rig, "account.upn", "g-1@home.example"));
	cr_assert(rig_true(&rig, "account.enabled"));
	cr_assert_eq(rig_number(&rig, "account.created_at_us"), rig_now(&rig));
}

Test(import, every_field_is_kept)
{
	import("g-1", "g-1@home.example",
	       ", 'person': 'ada@home.example', 'mail': 'a@mail.example', 'name': 'Ada',"
	       " 'enabled': false, 'groups': ['one', 'two'], 'permissions': ['three']");
	get(1);
	cr_assert(rig_is(&rig, "account.kind", "b2b-collaboration"));
	cr_assert(rig_is(&rig, "account.person", "ada@home.example"));
	cr_assert(rig_is(&rig, "account.mail", "a@mail.example"));
	cr_assert(rig_is(&rig, "account.name", "Ada"));
	cr_assert_not(rig_true(&rig, "account.enabled"));
	cr_assert(rig_is(&rig, "account.groups.1", "two"));
	cr_assert(rig_is(&rig, "account.permissions.0", "three"));
}

Test(import, the_upn_is_the_person_where_none_is_given)
{
	import("g-1", "Ada@home.example", "");
	rig_call(&rig, "account.get", "{'org': 'fabrikam', 'person': 'ada@HOME.example'}");
	cr_assert_eq(rig_number(&rig, "account.uid"), 1);
}

Test(import, an_organization_that_is_not_here_takes_nobody)
{
	rig_call(&rig, "account.import",
		 "{'accounts': [{'org': 'nowhere', 'id': 'a', 'kind': 'member', 'upn': 'a@x.y'}]}");
	expect_refused("org-not-found");
}

Test(import, an_organization_is_named_in_any_case)
{
	rig_call(
		&rig, "account.import",
		"{'accounts': [{'org': 'FABRIKAM', 'id': 'a', 'kind': 'member', 'upn': 'a@x.y'}]}");
	expect_change("created", 1);
	cr_assert(rig_is(&rig, "items.0.org", "FABRIKAM"));
}

Test(import, each_item_is_told_for_itself_and_in_order)
{
	rig_call(&rig, "account.import",
		 "{'accounts': ["
		 "{'org': 'fabrikam', 'id': 'a', 'kind': 'member', 'upn': 'a@x.y'},"
		 "{'org': 'nowhere', 'id': 'b', 'kind': 'member', 'upn': 'b@x.y'},"
		 "{'org': 'fabrikam', 'id': 'a', 'kind': 'member', 'upn': 'a@x.y'}]}");
	cr_assert(rig_is(&rig, "items.0.change", "created"));
	cr_assert(rig_is(&rig, "items.1.outcome", "org-not-found"));
	cr_assert(rig_is(&rig, "items.2.change", "unchanged"));
}

/* Known and active */

Test(import, the_same_export_again_changes_nothing)
{
	uint64_t head;

	import("g-1", "g-1@home.example", ", 'groups': ['one']");
	head = rig_head(&rig);
	import("g-1", "g-1@home.example", ", 'groups': ['one']");
	expect_change("unchanged", 1);
	cr_assert_eq(rig_head(&rig), head);
}

Test(import, a_new_field_is_an_update)
{
	static const char *const fields[] = {", 'name': 'Ada'",
					     ", 'mail': 'a@mail.example'",
					     ", 'groups': ['one']",
					     ", 'permissions': ['one']",
					     ", 'enabled': false",
					     ", 'person': 'ada@home.example'",
					     ""};

	import("g-1", "g-1@home.example", "");
	for (size_t i = 0; i < ARRAY_LEN(fields); ++i) {
		import("g-1", "g-1@home.example", fields[i]);
		expect_change("updated", 1);
		import("g-1", "g-1@home.example", fields[i]);
		expect_change("unchanged", 1);
	}
}

Test(import, another_kind_is_an_update)
{
	import("g-1", "g-1@home.example", "");
	rig_call(&rig, "account.import",
		 "{'accounts': [{'org': 'fabrikam', 'id': 'g-1', 'kind': 'member',"
		 " 'upn': 'g-1@home.example'}]}");
	expect_change("updated", 1);
	get(1);
	cr_assert(rig_is(&rig, "account.kind", "member"));
}

Test(import, a_deletion_in_the_directory_deletes_here_with_the_directorys_clock)
{
	instant_t deleted_at;

	import("g-1", "g-1@home.example", "");
	deleted_at = rig_now(&rig) - 3 * SPAN_DAY;
	import("g-1", "g-1@home.example", deleted_ago(3 * SPAN_DAY));
	expect_change("updated", 1);
	cr_assert(rig_is(&rig, "items.0.state", "soft-deleted"));
	cr_assert_eq(rig_number(&rig, "items.0.deleted_at_us"), deleted_at);
	cr_assert_eq(rig_number(&rig, "items.0.window_ends_us"), deleted_at + 30 * SPAN_DAY);
}

/* Already deleted in the directory */

Test(import, a_deleted_account_that_is_not_here_keeps_its_clock)
{
	instant_t deleted_at = rig_now(&rig) - 29 * SPAN_DAY;

	import("g-1", "g-1@home.example", deleted_ago(29 * SPAN_DAY));
	expect_change("created", 1);
	cr_assert(rig_is(&rig, "items.0.state", "soft-deleted"));
	cr_assert_eq(rig_number(&rig, "items.0.window_ends_us"), deleted_at + 30 * SPAN_DAY);
}

Test(import, a_deleted_account_whose_window_is_over_is_removed)
{
	import("g-1", "g-1@home.example", deleted_ago(30 * SPAN_DAY));
	expect_change("created", 1);
	cr_assert(rig_is(&rig, "items.0.state", "removing"));
	rig_idle(&rig);
	get(1);
	cr_assert(rig_is(&rig, "account.state", "removed"));
}

Test(import, the_same_deletion_again_changes_nothing_and_restarts_no_clock)
{
	const char *deleted = deleted_ago(3 * SPAN_DAY);
	uint64_t head;

	import("g-1", "g-1@home.example", deleted);
	head = rig_head(&rig);
	rig_advance(&rig, SPAN_DAY);
	import("g-1", "g-1@home.example", deleted);
	expect_change("unchanged", 1);
	cr_assert_eq(rig_head(&rig), head);
}

Test(import, another_deletion_of_an_account_that_left_is_already_left)
{
	import("g-1", "g-1@home.example", "");
	change("account.leave", 1);
	import("g-1", "g-1@home.example", deleted_ago(SPAN_HOUR));
	expect_refused("already-left");
	cr_assert_eq(rig_number(&rig, "items.0.deleted_at_us"), rig_now(&rig));
}

Test(import, a_deletion_that_was_carried_out_is_irrevocable)
{
	const char *deleted = deleted_ago(3 * SPAN_DAY);

	import("g-1", "g-1@home.example", deleted);
	change("account.purge", 1);
	rig_idle(&rig);
	import("g-1", "g-1@home.example", deleted);
	expect_refused("irrevocable");
	import_anew("g-1", "g-1@home.example", deleted);
	expect_refused("irrevocable");
}

Test(import, what_was_purged_here_does_not_come_back_with_the_directorys_deletion)
{
	import("g-1", "g-1@home.example", "");
	change("account.remove", 1);
	change("account.purge", 1);
	import("g-1", "g-1@home.example", deleted_ago(SPAN_HOUR));
	expect_refused("irrevocable");
	rig_idle(&rig);
	import("g-1", "g-1@home.example", deleted_ago(SPAN_HOUR));
	expect_refused("irrevocable");
	import_anew("g-1", "g-1@home.example", deleted_ago(SPAN_HOUR));
	expect_change("created", 2);
}

Test(import, a_deletion_up_to_a_day_ahead_is_taken_and_no_later_one)
{
	char field[64];

	import("g-1", "g-1@home.example", deleted_ago(-SPAN_DAY));
	expect_change("created", 1);
	(void)snprintf(field, sizeof(field), "%lld", (long long)(rig_now(&rig) + SPAN_DAY + 1));
	rig_call(&rig, "account.import",
		 "{'accounts': [{'org': 'fabrikam', 'id': 'g-2', 'kind': 'member',"
		 " 'upn': 'g-2@home.example'}, {'org': 'fabrikam', 'id': 'g-3',"
		 " 'kind': 'member', 'upn': 'g-3@home.example', 'deleted_at_us': %s}]}",
		 field);
	cr_assert(rig_refused(&rig, "invalid-argument", "accounts[1]: deleted_at_us lies in the"));
	rig_call(&rig, "account.get", "{'org': 'fabrikam', 'id': 'g-2'}");
	cr_assert(rig_is(&rig, "outcome", "not-found"));
}

/* Its removal would start at once, with an instant that is still to come. */
Test(import, a_direct_connect_users_deletion_does_not_lie_ahead_at_all)
{
	static const char format[] =
		"{'accounts': [{'org': 'fabrikam', 'id': 'g-1', 'kind': 'b2b-direct-connect',"
		" 'upn': 'g-1@home.example' %s}]}";

	rig_call(&rig, "account.import", format, "");
	expect_change("created", 1);
	rig_call(&rig, "hold.add", "{'accounts': [{'uid': 1}], 'hold': 'case-1', 'until_us': %lld}",
		 (long long)(rig_now(&rig) + SPAN_HOUR));
	rig_call(&rig, "account.import", format, deleted_ago(-2 * SPAN_HOUR));
	cr_assert(rig_refused(&rig, "invalid-argument",
			      "accounts[0]: deleted_at_us lies in the future, and the removal"));
	rig_call(&rig, "account.import", format, deleted_ago(-1));
	cr_assert(rig.failed);
	cr_assert_eq(rig_row(&rig, 1).facts.removal_started_at, INSTANT_NONE);
	rig_call(&rig, "account.import", format, deleted_ago(0));
	expect_change("updated", 1);
	cr_assert(rig_is(&rig, "items.0.state", "soft-deleted"));
}

/* Left here, active in the directory */

Test(import, an_active_account_is_refused_while_a_soft_deleted_one_stands)
{
	import("g-1", "g-1@home.example", "");
	change("account.leave", 1);
	import("g-1", "g-1@home.example", "");
	expect_refused("soft-deleted-exists");
	cr_assert_eq(rig_number(&rig, "items.0.uid"), 1);
}

Test(import, the_same_person_under_another_id_is_refused_as_well)
{
	import("g-1", "g-1@home.example", ", 'person': 'ada@home.example'");
	change("account.leave", 1);
	import("g-2", "g-2@home.example", ", 'person': 'ADA@home.example'");
	expect_refused("soft-deleted-exists");
}

Test(import, one_that_the_same_call_brought_is_known)
{
	rig_call(&rig, "account.import",
		 "{'accounts': ["
		 "{'org': 'fabrikam', 'id': 'a', 'kind': 'b2b-collaboration', 'upn': 'a@x.y' %s},"
		 "{'org': 'fabrikam', 'id': 'b', 'kind': 'b2b-collaboration', 'upn': 'a@x.y'}]}",
		 deleted_ago(SPAN_DAY));
	cr_assert(rig_is(&rig, "items.0.state", "soft-deleted"));
	cr_assert(rig_is(&rig, "items.1.outcome", "soft-deleted-exists"));
	cr_assert_eq(rig_number(&rig, "items.1.uid"), 1);
}

Test(import, the_same_id_under_another_name_is_refused_as_well)
{
	import("g-1", "g-1@home.example", "");
	change("account.leave", 1);
	import("g-1", "renamed@home.example", "");
	expect_refused("soft-deleted-exists");
	cr_assert_eq(rig_number(&rig, "items.0.uid"), 1);
}

Test(import, a_new_incarnation_comes_where_it_is_asked_for)
{
	import("g-1", "g-1@home.example", "");
	change("account.leave", 1);
	import_anew("g-1", "g-1@home.example", "");
	expect_change("created", 2);
	get(1);
	cr_assert(rig_is(&rig, "account.state", "soft-deleted"));
	rig_call(&rig, "account.get", "{'org': 'fabrikam', 'id': 'g-1'}");
	cr_assert_eq(rig_number(&rig, "account.uid"), 2);
}

Test(import, a_soft_deleted_account_in_another_organization_does_not_count)
{
	rig_set_org(&rig, "contoso");
	import("g-1", "g-1@home.example", "");
	change("account.leave", 1);
	rig_call(&rig, "account.import",
		 "{'accounts': [{'org': 'contoso', 'id': 'g-1', 'kind': 'b2b-collaboration',"
		 " 'upn': 'g-1@home.example'}]}");
	expect_change("created", 2);
}

Test(import, an_account_whose_removal_has_begun_gets_a_new_incarnation)
{
	rig_call(&rig, "sweep.pause", "{}");
	import("g-1", "g-1@home.example", "");
	change("account.leave", 1);
	change("account.purge", 1);
	import("g-1", "g-1@home.example", "");
	expect_change("created", 2);
	cr_assert(rig_is(&rig, "items.0.state", "active"));
	get(1);
	cr_assert(rig_is(&rig, "account.state", "removing"));
}

Test(import, an_account_that_was_removed_gets_a_new_incarnation)
{
	import("g-1", "g-1@home.example", "");
	change("account.leave", 1);
	change("account.purge", 1);
	rig_idle(&rig);
	import("g-1", "g-1@home.example", "");
	expect_change("created", 2);
}

/* Limits */

/* An account with 512 groups of 32 bytes and as many permissions of @len. */
static void import_with_permissions(int len)
{
	cleanup(freep) char *groups = malloc(512 * 64), *permissions = malloc(512 * 64);
	size_t n_groups = 0, n_permissions = 0;

	cr_assert(groups && permissions);
	for (int i = 0; i < 512; ++i) {
		n_groups += (size_t)sprintf(groups + n_groups, "%s'%032d'", i ? "," : "", i);
		n_permissions += (size_t)sprintf(permissions + n_permissions, "%s'%0*d'",
						 i ? "," : "", len, i);
	}
	rig_call(&rig, "account.import",
		 "{'accounts': [{'org': 'fabrikam', 'id': 'large', 'kind': 'member',"
		 " 'upn': 'large@home.example', 'groups': [%s], 'permissions': [%s]}]}",
		 groups, permissions);
}

Test(import, an_account_has_at_most_32_kib)
{
	import_with_permissions(27);
	expect_change("created", 1);
	import_with_permissions(28);
	cr_assert(rig_refused(&rig, "invalid-argument", "accounts[0]: is over 32 KiB"));
}

Test(import, the_largest_account_can_be_restored_under_the_longest_upn)
{
	char upn[MODEL_ADDRESS_LEN_MAX + 1];

	import_with_permissions(27);
	(void)snprintf(upn, sizeof(upn), "%0*d@home.example", MODEL_ADDRESS_LEN_MAX - 13, 0);
	change("account.remove", 1);
	rig_call(&rig, "account.restore", "{'accounts': [{'uid': 1, 'new_upn': '%s'}]}", upn);
	cr_assert(rig_is(&rig, "items.0.outcome", "ok"));
}

Test(import, a_reason_is_kept_with_each_account_and_not_in_the_ledger)
{
	rig_call(&rig, "account.import",
		 "{'accounts': [{'org': 'fabrikam', 'id': 'g-1', 'kind': 'member',"
		 " 'upn': 'g-1@home.example'}], 'reason': 'nightly', 'ref': 'T-1'}");
	rig_call(&rig, "account.explain", "{'uid': 1}");
	cr_assert(rig_is(&rig, "history.0.event", "imported"));
	cr_assert(rig_is(&rig, "history.0.reason", "nightly"));
	cr_assert(rig_is(&rig, "history.0.ref", "T-1"));
}

static int write_import(char *text, unsigned long long n)
{
	return sprintf(text,
		       "{'org':'fabrikam','id':'%llu','kind':'member','upn':'%llu@x.example'}", n,
		       n);
}

static int write_uid(char *text, unsigned long long n)
{
	return sprintf(text, "{'uid': %llu}", n);
}

/* A thousand items, one behind the other; the text is the caller's. */
static char *thousand(int (*write_item)(char *text, unsigned long long n), uint64_t first)
{
	char *text = malloc(1000 * 128), *end = text;

	cr_assert(text);
	for (uint64_t n = first; n < first + 1000; ++n) {
		end += write_item(end, n);
		*end++ = ',';
	}
	end[-1] = '\0';
	return text;
}

/* How many there was room for. */
static uint64_t fill(void)
{
	uint64_t n = 0;

	while (true) {
		cleanup(freep) char *items = thousand(write_import, n);

		rig_call(&rig, "account.import", "{'accounts': [%s], 'reason': 'filling it'}",
			 items);
		if (rig.failed) {
			return n;
		}
		n += 1000;
	}
}

Test(import, a_full_store_takes_nobody_and_still_lets_everybody_go)
{
	uint64_t n;

	rig_close(&rig);
	rig_open_map(&rig, CLOCK_MODE_SIMULATED, STORE_MAP_MIN);
	rig_set_org(&rig, "fabrikam");
	rig_unguard(&rig, "fabrikam");
	n = fill();
	cr_assert(rig_refused(&rig, "store-full", "kept for deletions"));
	cr_assert_gt(n, 0);
	for (uint64_t uid = 1; uid <= n; uid += 1000) {
		cleanup(freep) char *items = thousand(write_uid, uid);

		rig_call(&rig, "account.remove", "{'accounts': [%s]}", items);
		rig_call(&rig, "account.purge", "{'accounts': [%s]}", items);
		cr_assert(rig_is(&rig, "items.999.outcome", "ok"));
	}
	rig_idle(&rig);
	cr_assert_eq(store_counts(rig.engine->store)->n_removed, n);
}

/* As a damaged row may say: to give one more would end the daemon. */
Test(import, when_every_number_is_given_no_account_is_taken)
{
	rig.engine->store->state.next_uid = VAULT_UID_MAX + 1;
	rig_call(&rig, "account.import",
		 "{'accounts': [{'org': 'fabrikam', 'id': 'g', 'kind': 'b2b-collaboration',"
		 " 'upn': 'g@x'}]}");
	cr_assert(rig_refused(&rig, "store-full", "no number is left"));
}
