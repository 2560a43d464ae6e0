/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/support/rig.h"

/*
 * Every command that changes something can be asked what it would do. The accounts: uid 1 is
 * active, uid 2 soft-deleted, uid 3 disabled and held, with a removal request; the removal of uid 4
 * is owed by crm and not by files, who came later.
 */

static struct rig rig;

static void set_up(void)
{
	rig_open(&rig, CLOCK_MODE_SIMULATED);
	rig_set_org(&rig, "fabrikam");
	for (int i = 1; i <= 3; ++i) {
		char id[32];

		(void)snprintf(id, sizeof(id), "g-%d", i);
		cr_assert_eq(rig_import(&rig, "fabrikam", id), (uint64_t)i);
	}
	rig_call(&rig, "account.remove", "{'accounts': [{'uid': 2}]}");
	rig_call(&rig, "account.disable", "{'accounts': [{'uid': 3}]}");
	rig_call(&rig, "hold.add", "{'accounts': [{'uid': 3}], 'hold': 'case-7'}");
	rig_call(&rig, "request.file", "{'accounts': [{'uid': 3}]}");
	rig_set_keeper(&rig, "crm");
	cr_assert_eq(rig_purge(&rig, "fabrikam", "g-4"), 4);
	rig_set_keeper(&rig, "files");
}

static void tear_down(void)
{
	rig_close(&rig);
}

TestSuite(dry_run, .init = set_up, .fini = tear_down);

/* What each would change; @paused: only while timed work is paused. */
struct dry_case {
	const char *arguments;
	const char *path;
	const char *text; /* at @path in the answer, NULL for true */
	bool paused;
};

/* clang-format off */
static const struct dry_case cases[_COMMAND_MAX] = {
	[COMMAND_org_set] = {"'org': 'contoso', 'name': 'Contoso'", "org.name", "Contoso", false},
	[COMMAND_account_import] = {
		"'accounts': [{'org': 'fabrikam', 'id': 'g-9', 'kind': 'member', 'upn': 'a@x.example'}]",
		"items.0.change", "created", false},
	[COMMAND_account_leave] = {"'accounts': [{'uid': 1}]", "items.0.state", "soft-deleted", false},
	[COMMAND_account_remove] = {"'accounts': [{'uid': 1}]", "items.0.state", "soft-deleted", false},
	[COMMAND_account_restore] = {
		"'accounts': [{'uid': 2, 'new_upn': 'new@x.example'}]", "items.0.state", "active", false},
	[COMMAND_account_purge] = {"'accounts': [{'uid': 2}]", "items.0.state", "removing", false},
	[COMMAND_account_disable] = {"'accounts': [{'uid': 1}]", "items.0.outcome", "ok", false},
	[COMMAND_account_enable] = {"'accounts': [{'uid': 3}]", "items.0.outcome", "ok", false},
	[COMMAND_keeper_set] = {
		"'keeper': 'mail', 'enabled': false", "keeper.keeper", "mail", false},
	[COMMAND_keeper_waive] = {
		"'keeper': 'crm', 'accounts': [{'uid': 4}], 'reason': 'gone'",
		"items.0.outcome", "ok", false},
	[COMMAND_keeper_owe] = {
		"'keeper': 'files', 'accounts': [{'uid': 4}]", "items.0.outcome", "ok", false},
	[COMMAND_hold_add] = {
		"'accounts': [{'uid': 1}], 'hold': 'case-8'", "items.0.outcome", "ok", false},
	[COMMAND_hold_remove] = {
		"'accounts': [{'uid': 3}], 'hold': 'case-7'", "items.0.outcome", "ok", false},
	[COMMAND_request_file] = {"'accounts': [{'uid': 1}]", "items.0.outcome", "ok", false},
	[COMMAND_request_approve] = {
		"'requests': [{'request': 1}]", "items.0.state", "soft-deleted", false},
	[COMMAND_request_deny] = {
		"'requests': [{'request': 1}], 'reason': 'no'", "items.0.outcome", "ok", false},
	[COMMAND_sweep_pause] = {"", "paused", NULL, false},
	[COMMAND_sweep_resume] = {"", "paused", "", true},
	[COMMAND_guard_release] = {"'guard': 'clock'", "released", NULL, false},
};
/* clang-format on */

static void call(size_t symbol, bool dry_run)
{
	const char *arguments = cases[symbol].arguments;

	rig_call(&rig, command_table[symbol].method, "{%s%s'dry_run': %s}", arguments,
		 arguments[0] ? ", " : "", dry_run ? "true" : "false");
	cr_assert_not(rig.failed, "%s", command_table[symbol].method);
}

static void expect_answer(const struct dry_case *expected)
{
	if (!expected->text) {
		cr_assert(rig_true(&rig, expected->path));
	} else if (expected->text[0]) {
		cr_assert(rig_is(&rig, expected->path, expected->text));
	} else {
		cr_assert(rig_has(&rig, expected->path) && !rig_true(&rig, expected->path));
	}
}

static void set_paused(bool paused)
{
	rig_call(&rig, paused ? "sweep.pause" : "sweep.resume", "{}");
	cr_assert_eq(store_sweep_paused(rig.engine->store), paused);
}

/* What a start under a wall clock far ahead leaves; a simulated clock is never doubted. */
static void set_doubted(bool doubted)
{
	struct engine *engine = rig.engine;

	engine->clock.doubt = doubted ? CLOCK_DOUBT_AHEAD : CLOCK_DOUBT_NONE;
	engine->clock.doubted_since = doubted ? engine->now : INSTANT_NONE;
	rig.reading.wall = engine->now + (doubted ? 40 * SPAN_DAY : 0);
}

/* As each case wants it. */
static void prepare(size_t symbol)
{
	set_doubted(false);
	set_paused(cases[symbol].paused);
	set_doubted(symbol == COMMAND_guard_release);
}

Test(dry_run, every_changing_command_has_a_case_here)
{
	for (size_t i = 0; i < _COMMAND_MAX; ++i) {
		cr_assert_eq(command_changes(&command_table[i]), cases[i].arguments != NULL, "%s",
			     command_table[i].method);
	}
}

Test(dry_run, no_command_changes_anything_when_asked_what_it_would_do)
{
	for (size_t i = 0; i < _COMMAND_MAX; ++i) {
		uint64_t head;

		if (!cases[i].arguments) {
			continue;
		}
		prepare(i);
		head = rig_head(&rig);
		call(i, true);
		expect_answer(&cases[i]);
		cr_assert_eq(rig_head(&rig), head, "%s", command_table[i].method);
	}
	cr_assert_eq(store_n_orgs(rig.engine->store), 1);
	cr_assert_eq(store_n_keepers(rig.engine->store), 2);
	cr_assert_eq(rig_row(&rig, 4).facts.owed, 1);
	rig_call(&rig, "hold.list", "{'uid': 1}");
	cr_assert_eq(rig_count(&rig, "holds"), 0);
	rig_call(&rig, "request.list", "{'open': true}");
	cr_assert_eq(rig_count(&rig, "requests"), 1);
}

/* Else a case that is refused would pass for one that changes nothing. */
Test(dry_run, each_case_here_is_a_change_when_it_is_carried_out)
{
	for (size_t i = 0; i < _COMMAND_MAX; ++i) {
		uint64_t head;

		if (!cases[i].arguments) {
			continue;
		}
		rig_close(&rig);
		set_up();
		prepare(i);
		head = rig_head(&rig);
		call(i, false);
		expect_answer(&cases[i]);
		cr_assert_gt(rig_head(&rig), head, "%s", command_table[i].method);
	}
}

Test(dry_run, a_refusal_is_told_as_it_would_come)
{
	rig_call(&rig, "account.leave", "{'accounts': [{'uid': 3}], 'dry_run': true}");
	cr_assert(rig_is(&rig, "items.0.outcome", "account-disabled"));
	cr_assert(rig_is(&rig, "items.0.contact.privacy_contact", "privacy@fabrikam.example"));
}

Test(dry_run, a_request_number_is_not_used_up)
{
	rig_call(&rig, "request.file", "{'accounts': [{'uid': 1}], 'dry_run': true}");
	cr_assert_not(rig_has(&rig, "items.0.request"));
	cr_assert(rig_has(&rig, "items.0.due_us"));
	rig_call(&rig, "request.file", "{'accounts': [{'uid': 1}]}");
	cr_assert_eq(rig_number(&rig, "items.0.request"), 2);
}

Test(dry_run, a_dry_run_keeps_no_answer_for_its_request_id)
{
	rig_call(&rig, "account.remove",
		 "{'accounts': [{'uid': 1}], 'dry_run': true, 'request_id': 'r-1'}");
	rig_call(&rig, "account.remove", "{'accounts': [{'uid': 1}], 'request_id': 'r-1'}");
	cr_assert(rig_is(&rig, "items.0.state", "soft-deleted"));
	cr_assert(rig_is(&rig, "items.0.outcome", "ok"));
	rig_call(&rig, "account.get", "{'uid': 1}");
	cr_assert(rig_is(&rig, "account.state", "soft-deleted"));
}

Test(dry_run, what_it_tells_can_be_done_only_while_the_account_is_as_it_was)
{
	int64_t seq;

	rig_call(&rig, "account.purge", "{'accounts': [{'uid': 2}], 'dry_run': true}");
	seq = rig_number(&rig, "items.0.seq");
	rig_call(&rig, "hold.add", "{'accounts': [{'uid': 2}], 'hold': 'a'}");
	rig_call(&rig, "hold.remove", "{'accounts': [{'uid': 2}], 'hold': 'a'}");
	rig_call(&rig, "account.purge", "{'accounts': [{'uid': 2, 'seq': %lld}]}", (long long)seq);
	cr_assert(rig_is(&rig, "items.0.outcome", "changed"));
	rig_call(&rig, "account.get", "{'uid': 2}");
	cr_assert(rig_is(&rig, "account.state", "soft-deleted"));
	rig_call(&rig, "account.purge", "{'accounts': [{'uid': 2}], 'dry_run': true}");
	seq = rig_number(&rig, "items.0.seq");
	rig_call(&rig, "account.purge", "{'accounts': [{'uid': 2, 'seq': %lld}]}", (long long)seq);
	cr_assert(rig_is(&rig, "items.0.outcome", "ok"));
}
