/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/keepers.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "daemon/work/events.h"

#include "tests/support/rig.h"

/* keeper.set, list, waive, owe, watch: which keepers there are, and which removals each owes. */

#define CRM_SERVICE   990
#define FILES_SERVICE 991
#define STRANGER      992
#define READER        993
#define NARROW        994 /* an admin of contoso */

static const char *const contoso[] = {"contoso"};
static const struct access_grant grants[] = {
	{.role = ROLE_KEEPER, .subject = CRM_SERVICE, .keeper = "crm"},
	{.role = ROLE_KEEPER, .subject = FILES_SERVICE, .keeper = "files"},
	{.role = ROLE_READER, .subject = READER},
	{.role = ROLE_ADMIN, .subject = NARROW, .orgs = contoso, .n_orgs = 1},
};

static struct rig rig;

static void set_up(void)
{
	rig_open(&rig, CLOCK_MODE_SIMULATED);
	rig.rules = (struct access_rules){grants, ARRAY_LEN(grants)};
	rig_set_org(&rig, "fabrikam");
	rig_set_org(&rig, "contoso");
}

static void tear_down(void)
{
	rig_close(&rig);
}

TestSuite(keepers, .init = set_up, .fini = tear_down);

static void be(uid_t uid)
{
	rig.session.peer = (struct access_peer){.uid = uid, .gid = uid};
}

static uint64_t owed(uint64_t uid)
{
	return rig_row(&rig, uid).facts.owed;
}

static void task_change(const char *method, const char *keeper, uint64_t uid)
{
	rig_call(&rig, method,
		 "{'keeper': '%s', 'accounts': [{'uid': %llu}], 'reason': 'it is decided'}", keeper,
		 (unsigned long long)uid);
	cr_assert_not(rig.failed);
}

static bool outcome_is(const char *code)
{
	return rig_is(&rig, "items.0.outcome", code);
}

/* Set */

Test(keepers, they_are_numbered_in_the_order_in_which_they_came)
{
	rig_set_keeper(&rig, "mail");
	rig_set_keeper(&rig, "crm");
	rig_set_keeper(&rig, "mail");
	rig_call(&rig, "keeper.list", "{}");
	cr_assert_eq(rig_count(&rig, "keepers"), 2);
	cr_assert(rig_is(&rig, "keepers.0.keeper", "mail"));
	cr_assert_eq(rig_number(&rig, "keepers.0.number"), 1);
	cr_assert(rig_is(&rig, "keepers.1.keeper", "crm"));
	cr_assert_eq(rig_number(&rig, "keepers.1.number"), 2);
	cr_assert(rig_true(&rig, "keepers.1.enabled"));
	cr_assert_not(rig_has(&rig, "keepers.1.orgs"));
	cr_assert_eq(rig_number(&rig, "keepers.1.owed"), 0);
	cr_assert_not(rig_has(&rig, "keepers.1.last_seen_us"));
}

Test(keepers, what_is_not_named_stays)
{
	rig_call(&rig, "keeper.set", "{'keeper': 'crm', 'orgs': ['Contoso'], 'enabled': false}");
	cr_assert(rig_is(&rig, "keeper.orgs.0", "contoso"));
	rig_call(&rig, "keeper.set", "{'keeper': 'crm', 'enabled': true}");
	cr_assert(rig_true(&rig, "keeper.enabled"));
	cr_assert(rig_is(&rig, "keeper.orgs.0", "contoso"));
	rig_call(&rig, "keeper.set", "{'keeper': 'crm', 'orgs': []}");
	cr_assert(rig_true(&rig, "keeper.enabled"));
	cr_assert_not(rig_has(&rig, "keeper.orgs"));
}

Test(keepers, setting_what_is_set_already_leaves_no_entry)
{
	uint64_t head;

	rig_call(&rig, "keeper.set", "{'keeper': 'crm', 'orgs': ['contoso']}");
	head = rig_head(&rig);
	rig_call(&rig, "keeper.set", "{'keeper': 'crm', 'orgs': ['contoso'], 'enabled': true}");
	cr_assert_eq(rig_head(&rig), head);
	rig_call(&rig, "keeper.set", "{'keeper': 'crm', 'orgs': ['fabrikam']}");
	cr_assert_eq(rig_head(&rig), head + 1);
}

Test(keepers, they_are_there_after_a_stop_and_after_a_kill)
{
	rig_call(&rig, "keeper.set", "{'keeper': 'crm', 'orgs': ['contoso'], 'enabled': false}");
	rig_set_keeper(&rig, "files");
	for (int i = 0; i < 2; ++i) {
		i == 0 ? rig_reopen(&rig) : rig_restart(&rig);
		rig_call(&rig, "keeper.list", "{}");
		cr_assert_eq(rig_count(&rig, "keepers"), 2);
		cr_assert(rig_is(&rig, "keepers.0.keeper", "crm"));
		cr_assert(rig_is(&rig, "keepers.0.orgs.0", "contoso"));
		cr_assert_not(rig_true(&rig, "keepers.0.enabled"));
		cr_assert(rig_is(&rig, "keepers.1.keeper", "files"));
	}
}

Test(keepers, an_organization_that_is_not_known_is_refused)
{
	rig_call(&rig, "keeper.set", "{'keeper': 'crm', 'orgs': ['nowhere']}");
	cr_assert(rig_refused(&rig, "org-not-found", "no organization"));
	cr_assert_eq(store_n_keepers(rig.engine->store), 0);
}

Test(keepers, there_are_as_many_as_an_account_has_bits_for)
{
	for (int i = 0; i < MODEL_KEEPERS_MAX; ++i) {
		char name[32];

		(void)snprintf(name, sizeof(name), "k-%d", i);
		rig_set_keeper(&rig, name);
	}
	rig_call(&rig, "keeper.set", "{'keeper': 'one-more'}");
	cr_assert(rig_refused(&rig, "store-full", "64"));
	cr_assert_eq(owed(rig_purge(&rig, "fabrikam", "g-1")), UINT64_MAX);
	rig_call(&rig, "keeper.list", "{}");
	cr_assert_eq(rig_count(&rig, "keepers"), MODEL_KEEPERS_MAX);
	cr_assert_eq(rig_number(&rig, "keepers.63.owed"), 1);
}

Test(keepers, a_dry_run_shows_the_keeper_that_would_be)
{
	rig_call(&rig, "keeper.set", "{'keeper': 'crm', 'orgs': ['contoso'], 'dry_run': true}");
	cr_assert(rig_is(&rig, "keeper.keeper", "crm"));
	cr_assert(rig_true(&rig, "keeper.enabled"));
	cr_assert(rig_is(&rig, "keeper.orgs.0", "contoso"));
	cr_assert_not(rig_has(&rig, "keeper.number"));
	cr_assert_eq(store_n_keepers(rig.engine->store), 0);
}

/* Who owes what */

Test(keepers, only_enabled_keepers_of_the_organization_owe_its_removals)
{
	rig_set_keeper(&rig, "everywhere");
	rig_call(&rig, "keeper.set", "{'keeper': 'here', 'orgs': ['fabrikam']}");
	rig_call(&rig, "keeper.set", "{'keeper': 'there', 'orgs': ['contoso']}");
	rig_call(&rig, "keeper.set", "{'keeper': 'both', 'orgs': ['contoso', 'fabrikam']}");
	rig_call(&rig, "keeper.set", "{'keeper': 'off', 'enabled': false}");
	cr_assert_eq(owed(rig_purge(&rig, "fabrikam", "g-1")), 0x0b);
	cr_assert_eq(owed(rig_purge(&rig, "contoso", "g-1")), 0x0d);
}

Test(keepers, a_keeper_that_comes_later_owes_what_starts_from_then_on)
{
	uint64_t early, late;

	rig_set_keeper(&rig, "crm");
	early = rig_purge(&rig, "fabrikam", "g-1");
	rig_set_keeper(&rig, "files");
	late = rig_purge(&rig, "fabrikam", "g-2");
	cr_assert_eq(owed(early), 1);
	cr_assert_eq(owed(late), 3);
}

Test(keepers, one_that_is_disabled_goes_on_owing_what_it_owes)
{
	rig_set_keeper(&rig, "crm");
	(void)rig_purge(&rig, "fabrikam", "g-1");
	rig_call(&rig, "keeper.set", "{'keeper': 'crm', 'enabled': false}");
	cr_assert_eq(owed(1), 1);
	be(CRM_SERVICE);
	rig_call(&rig, "keeper.claim", "{'keeper': 'crm'}");
	cr_assert_eq(rig_count(&rig, "tasks"), 1);
	be(0);
	cr_assert_eq(owed(rig_purge(&rig, "fabrikam", "g-2")), 0);
}

Test(keepers, whatever_starts_a_removal_makes_them_owe_it)
{
	uint64_t purged, ended, direct, released;

	rig_set_keeper(&rig, "crm");
	purged = rig_purge(&rig, "fabrikam", "g-1");
	ended = rig_import(&rig, "fabrikam", "g-2");
	released = rig_import(&rig, "fabrikam", "g-4");
	rig_call(&rig, "account.import",
		 "{'accounts': [{'org': 'fabrikam', 'id': 'g-3', 'kind': 'b2b-direct-connect',"
		 " 'upn': 'g-3@home.example'}]}");
	direct = (uint64_t)rig_number(&rig, "items.0.uid");
	rig_change(&rig, "account.remove", ended);
	rig_change(&rig, "account.remove", direct);
	rig_change(&rig, "account.remove", released);
	rig_call(&rig, "hold.add", "{'accounts': [{'uid': %llu}], 'hold': 'case-7'}",
		 (unsigned long long)released);
	rig_advance(&rig, 30 * SPAN_DAY);
	rig_idle(&rig);
	rig_call(&rig, "hold.remove", "{'accounts': [{'uid': %llu}], 'hold': 'case-7'}",
		 (unsigned long long)released);
	cr_assert(outcome_is("ok"));
	cr_assert_eq(owed(purged), 1);
	cr_assert_eq(owed(ended), 1);
	cr_assert_eq(owed(direct), 1);
	cr_assert_eq(owed(released), 1);
	cr_assert_eq(store_counts(rig.engine->store)->n_owed[0], 4);
}

Test(keepers, an_imported_account_whose_removal_has_started_is_owed_too)
{
	rig_set_keeper(&rig, "crm");
	rig_call(&rig, "account.import",
		 "{'accounts': [{'org': 'fabrikam', 'id': 'd-1', 'kind': 'b2b-direct-connect',"
		 " 'upn': 'd-1@home.example', 'deleted_at_us': %lld}]}",
		 (long long)(RIG_BEGIN - SPAN_DAY));
	cr_assert(outcome_is("ok"));
	cr_assert_eq(owed(1), 1);
}

Test(keepers, the_list_tells_what_each_owes_and_by_when)
{
	rig_set_keeper(&rig, "crm");
	rig_set_keeper(&rig, "files");
	(void)rig_purge(&rig, "fabrikam", "g-1");
	rig_advance(&rig, SPAN_DAY);
	(void)rig_purge(&rig, "fabrikam", "g-2");
	task_change("keeper.waive", "files", 1);
	rig_call(&rig, "keeper.list", "{}");
	cr_assert_eq(rig_number(&rig, "keepers.0.owed"), 2);
	cr_assert_eq(rig_number(&rig, "keepers.0.oldest_due_us"), RIG_BEGIN + 30 * SPAN_DAY);
	cr_assert(rig_is(&rig, "keepers.0.sla", "on-track"));
	cr_assert_eq(rig_number(&rig, "keepers.1.owed"), 1);
	cr_assert_eq(rig_number(&rig, "keepers.1.oldest_due_us"), RIG_BEGIN + 31 * SPAN_DAY);
	rig_advance(&rig, 29 * SPAN_DAY);
	rig_call(&rig, "keeper.list", "{}");
	cr_assert(rig_is(&rig, "keepers.0.sla", "overdue"));
	cr_assert(rig_is(&rig, "keepers.1.sla", "due-soon"));
}

Test(keepers, the_list_tells_when_each_was_heard_of)
{
	rig_set_keeper(&rig, "crm");
	rig_advance(&rig, SPAN_HOUR);
	be(CRM_SERVICE);
	rig_call(&rig, "keeper.claim", "{'keeper': 'crm'}");
	rig_advance(&rig, SPAN_HOUR);
	be(READER);
	rig_call(&rig, "keeper.list", "{}");
	cr_assert_eq(rig_number(&rig, "keepers.0.last_seen_us"), RIG_BEGIN + SPAN_HOUR);
}

Test(keepers, an_account_tells_whom_it_waits_for)
{
	rig_set_keeper(&rig, "crm");
	rig_set_keeper(&rig, "files");
	(void)rig_purge(&rig, "fabrikam", "g-1");
	rig_call(&rig, "account.get", "{'uid': 1}");
	cr_assert_eq(rig_count(&rig, "account.pending"), 2);
	cr_assert(rig_is(&rig, "account.pending.0", "crm"));
	task_change("keeper.waive", "crm", 1);
	rig_call(&rig, "account.list", "{'state': 'removing'}");
	cr_assert_eq(rig_count(&rig, "accounts.0.pending"), 1);
	cr_assert(rig_is(&rig, "accounts.0.pending.0", "files"));
}

/* Waive and owe */

Test(keepers, a_removal_is_complete_when_its_last_keeper_is_waived)
{
	struct entry entry;
	uint64_t head;

	rig_set_keeper(&rig, "crm");
	(void)rig_purge(&rig, "fabrikam", "g-1");
	head = rig_head(&rig);
	task_change("keeper.waive", "crm", 1);
	cr_assert(outcome_is("ok"));
	cr_assert_eq(store_get_entry(rig.engine->store, head + 1, &entry, NULL), 0);
	cr_assert_eq(entry.event, EVENT_TASK_WAIVED);
	cr_assert_eq(entry.keeper, 1);
	cr_assert_eq(entry.result, TASK_RESULT_WAIVED);
	rig_idle(&rig);
	cr_assert(rig_is_removed(&rig, 1));
}

Test(keepers, only_what_is_owed_can_be_waived)
{
	uint64_t active = rig_import(&rig, "fabrikam", "g-1"), removing;

	rig_set_keeper(&rig, "crm");
	removing = rig_purge(&rig, "fabrikam", "g-2");
	rig_set_keeper(&rig, "files");
	task_change("keeper.waive", "crm", active);
	cr_assert(outcome_is("not-owed"));
	task_change("keeper.waive", "files", removing);
	cr_assert(outcome_is("not-owed"));
	task_change("keeper.waive", "crm", 999);
	cr_assert(outcome_is("not-found"));
	rig_call(&rig, "keeper.waive",
		 "{'keeper': 'nobody', 'accounts': [{'uid': 1}], 'reason': 'x'}");
	cr_assert(rig_refused(&rig, "keeper-not-found", "no keeper"));
}

Test(keepers, waiving_needs_a_reason_which_is_kept_with_the_account)
{
	rig_set_keeper(&rig, "crm");
	rig_set_keeper(&rig, "files");
	(void)rig_purge(&rig, "fabrikam", "g-1");
	rig_call(&rig, "keeper.waive", "{'keeper': 'crm', 'accounts': [{'uid': 1}]}");
	cr_assert(rig_refused(&rig, "invalid-argument", "reason"));
	task_change("keeper.waive", "crm", 1);
	rig_call(&rig, "account.explain", "{'uid': 1}");
	cr_assert(rig_is(&rig, "history.3.event", "task-waived"));
	cr_assert(rig_is(&rig, "history.3.reason", "it is decided"));
}

Test(keepers, a_late_keeper_can_be_made_to_owe_what_is_still_running)
{
	rig_set_keeper(&rig, "crm");
	(void)rig_purge(&rig, "fabrikam", "g-1");
	rig_call(&rig, "keeper.set", "{'keeper': 'files', 'enabled': false, 'orgs': ['contoso']}");
	task_change("keeper.owe", "files", 1);
	cr_assert(outcome_is("ok"));
	cr_assert_eq(owed(1), 3);
	be(FILES_SERVICE);
	rig_call(&rig, "keeper.claim", "{'keeper': 'files'}");
	cr_assert_eq(rig_count(&rig, "tasks"), 1);
}

Test(keepers, owing_twice_is_fine_and_changes_nothing)
{
	uint64_t head;

	rig_set_keeper(&rig, "crm");
	(void)rig_purge(&rig, "fabrikam", "g-1");
	head = rig_head(&rig);
	task_change("keeper.owe", "crm", 1);
	cr_assert(outcome_is("ok"));
	cr_assert_eq(rig_head(&rig), head);
}

Test(keepers, nobody_can_owe_what_has_not_started_or_is_complete)
{
	uint64_t active = rig_import(&rig, "fabrikam", "g-1"), removed;

	removed = rig_purge(&rig, "fabrikam", "g-2");
	rig_idle(&rig);
	rig_set_keeper(&rig, "crm");
	task_change("keeper.owe", "crm", active);
	cr_assert(outcome_is("not-soft-deleted"));
	task_change("keeper.owe", "crm", removed);
	cr_assert(outcome_is("not-found"));
}

Test(keepers, waive_and_owe_keep_to_the_administrators_organizations)
{
	uint64_t here, there;

	rig_set_keeper(&rig, "crm");
	here = rig_purge(&rig, "contoso", "g-1");
	there = rig_purge(&rig, "fabrikam", "g-2");
	be(NARROW);
	task_change("keeper.waive", "crm", there);
	cr_assert(outcome_is("permission-denied"));
	task_change("keeper.owe", "crm", there);
	cr_assert(outcome_is("permission-denied"));
	task_change("keeper.waive", "crm", here);
	cr_assert(outcome_is("ok"));
	rig_call(&rig, "keeper.set", "{'keeper': 'mine'}");
	cr_assert(rig_refused(&rig, "permission-denied", "all organizations"));
}

/* Who may speak as a keeper */

static void expect_only(uid_t uid, const char *method, const char *arguments)
{
	static const uid_t others[] = {0, STRANGER, READER, FILES_SERVICE};

	for (size_t i = 0; i < ARRAY_LEN(others); ++i) {
		be(others[i]);
		rig_call(&rig, method, "%s", arguments);
		cr_assert(rig_refused(&rig, "permission-denied", ""), "%s as %u", method,
			  others[i]);
	}
	be(uid);
	rig_call(&rig, method, "%s", arguments);
	cr_assert_not(rig.failed, "%s", method);
}

Test(keepers, only_who_was_granted_a_keeper_speaks_as_it)
{
	rig_set_keeper(&rig, "crm");
	rig_set_keeper(&rig, "files");
	expect_only(CRM_SERVICE, "keeper.claim", "{'keeper': 'crm'}");
	expect_only(CRM_SERVICE, "keeper.confirm",
		    "{'keeper': 'crm', 'tasks': [{'token': 'x', 'result': 'erased'}]}");
	expect_only(CRM_SERVICE, "keeper.fail", "{'keeper': 'crm', 'tasks': [{'token': 'x'}]}");
	expect_only(CRM_SERVICE, "keeper.extend", "{'keeper': 'crm', 'tasks': [{'token': 'x'}]}");
	expect_only(CRM_SERVICE, "keeper.watch", "{'keeper': 'crm'}");
}

Test(keepers, a_grant_for_a_keeper_that_does_not_exist_yet_is_told_so)
{
	be(CRM_SERVICE);
	rig_call(&rig, "keeper.claim", "{'keeper': 'crm'}");
	cr_assert(rig_refused(&rig, "keeper-not-found", "no keeper"));
}

Test(keepers, a_keeper_may_do_nothing_but_its_own_work)
{
	rig_set_keeper(&rig, "crm");
	be(CRM_SERVICE);
	for (size_t i = 0; i < _COMMAND_MAX; ++i) {
		const struct command *command = &command_table[i];

		if (command->role != ROLE_KEEPER && command->role != ROLE_ANY) {
			rig_call(&rig, command->method, "{}");
			cr_assert(rig_refused(&rig, "permission-denied", ""), "%s",
				  command->method);
		}
	}
}

/* Watch */

#define TOLD_MAX 32

static struct pack_writer out;
static uint64_t told[TOLD_MAX]; /* uids */
static uint32_t n_told;

/* The uid in the notification that begins at @at: everything told is about an account here. */
static size_t read_told(size_t at)
{
	static const struct pack_limits limits = {EVENTS_BYTES_MAX, 1000, PACK_DEPTH_MAX};
	struct pack_scanner scanner = {0};
	struct pack_value message, params, entry, uid;
	size_t len;

	cr_assert_eq(pack_scan(&scanner, &limits, out.data + at, out.len - at, &len), 0);
	cr_assert_eq(pack_read(rig.reader, out.data + at, len, &message), 0);
	params = pack_array_at(&message, 2);
	entry = pack_array_at(&params, 0);
	cr_assert(pack_map_get(&entry, "uid", &uid));
	cr_assert_lt(n_told, TOLD_MAX);
	told[n_told++] = (uint64_t)uid.integer;
	return at + len;
}

static int watch_turn(void)
{
	bool more;
	int r;

	n_told = 0;
	pack_writer_init(&out, EVENTS_PER_TURN * EVENTS_BYTES_MAX);
	r = events_write(rig.engine, &rig.session, &out, &more);
	cr_assert_eq(out.error, 0);
	for (size_t at = 0; at < out.len;) {
		at = read_told(at);
	}
	pack_writer_done(&out);
	return r;
}

static void watch(const char *arguments)
{
	rig_call(&rig, "keeper.watch", "%s", arguments);
	cr_assert_not(rig.failed);
}

Test(keepers, a_keeper_is_told_of_what_it_comes_to_owe_and_of_nothing_else)
{
	struct session crm = {0};

	rig_set_keeper(&rig, "crm");
	rig_call(&rig, "keeper.set", "{'keeper': 'files', 'orgs': ['contoso']}");
	be(FILES_SERVICE);
	watch("{'keeper': 'files'}");
	crm = rig.session;
	rig.session = (struct session){0};
	(void)rig_purge(&rig, "fabrikam", "g-1"); /* not its organization */
	(void)rig_purge(&rig, "contoso", "g-2");
	task_change("keeper.waive", "files", 2);
	task_change("keeper.owe", "crm", 2); /* owes it already */
	task_change("keeper.owe", "files", 1);
	rig_change(&rig, "account.remove", rig_import(&rig, "contoso", "g-3"));
	rig.session = crm;
	cr_assert_eq(watch_turn(), 0);
	cr_assert_eq(n_told, 2);
	cr_assert_eq(told[0], 2);
	cr_assert_eq(told[1], 1);
	rig_advance(&rig, 30 * SPAN_DAY);
	rig_idle(&rig);
	cr_assert_eq(watch_turn(), 0);
	cr_assert_eq(n_told, 1);
	cr_assert_eq(told[0], 3);
}

Test(keepers, a_keeper_is_told_of_a_removal_that_a_release_starts_and_not_of_others)
{
	rig_set_keeper(&rig, "crm");
	(void)rig_import(&rig, "fabrikam", "g-1");
	rig_call(&rig, "hold.add", "{'accounts': [{'uid': 1}], 'hold': 'a'}");
	rig_call(&rig, "hold.add", "{'accounts': [{'uid': 1}], 'hold': 'b'}");
	rig_change(&rig, "account.remove", 1);
	rig_advance(&rig, 40 * SPAN_DAY);
	rig_call(&rig, "hold.remove", "{'accounts': [{'uid': 1}], 'hold': 'a'}");
	rig_call(&rig, "hold.remove", "{'accounts': [{'uid': 1}], 'hold': 'b'}");
	be(CRM_SERVICE);
	watch("{'keeper': 'crm', 'from': 1}");
	cr_assert_eq(watch_turn(), 0);
	cr_assert_eq(n_told, 1);
}

Test(keepers, a_watch_ends_when_the_grant_is_gone)
{
	rig_set_keeper(&rig, "crm");
	be(CRM_SERVICE);
	watch("{'keeper': 'crm', 'from': 1}");
	rig.rules.n_grants = 0;
	cr_assert_eq(watch_turn(), SESSION_E_FORBIDDEN);
	cr_assert_eq(n_told, 0);
}

/* The list in memory */

static struct keeper sample(uint8_t number, const char *name)
{
	struct keeper keeper = {.number = number, .enabled = true, .last_seq = 1};

	(void)snprintf(keeper.name, sizeof(keeper.name), "%s", name);
	return keeper;
}

Test(keepers, none_is_found_in_an_empty_list)
{
	static const struct keepers empty;

	cr_assert_null(keepers_get(&empty, 0));
	cr_assert_null(keepers_get(&empty, 1));
	cr_assert_null(keepers_find(&empty, slice_of("crm")));
	cr_assert_eq(keepers_of(&empty, 1), 0);
}

Test(keepers, the_last_number_has_the_last_bit)
{
	static struct keepers keepers;

	for (int i = 1; i <= MODEL_KEEPERS_MAX; ++i) {
		char name[32];
		struct keeper keeper;

		(void)snprintf(name, sizeof(name), "k-%d", i);
		keeper = sample((uint8_t)i, name);
		keeper.n_orgs = 1;
		keeper.orgs[0] = (uint32_t)i;
		keepers_put(&keepers, &keeper);
	}
	cr_assert_eq(keepers_find(&keepers, slice_of("k-64"))->number, 64);
	cr_assert_eq(keepers_of(&keepers, 64), UINT64_C(1) << 63);
	cr_assert_eq(keepers_of(&keepers, 1), 1);
	cr_assert_eq(keepers_of(&keepers, 65), 0);
	cr_assert_null(keepers_get(&keepers, 65));
}

/* A start checks what it can: a keeper lost would be erasures never asked for. */
static int reopen_with(uint8_t number, struct slice row)
{
	struct store *store;
	int r;

	rig_set_keeper(&rig, "crm");
	rig_set_keeper(&rig, "files");
	rig_reopen(&rig);
	rig_put_row(&rig, KV_KEEPERS, key_keeper(number), row);
	r = store_open(&rig.options.store, RIG_BEGIN, &store);
	if (r == 0) {
		(void)store_close(store);
	}
	return r;
}

Test(keepers, a_keeper_that_cannot_be_read_is_not_started_with)
{
	cr_assert_eq(reopen_with(1, SLICE_LITERAL("rubbish")), STORE_E_CORRUPT);
}

Test(keepers, a_number_that_is_left_out_is_not_started_with)
{
	struct keeper keeper = sample(4, "mail");
	uint8_t bytes[ROWS_KEEPER_LEN_MAX];
	struct slice row = {(const char *)bytes, rows_encode_keeper(&keeper, bytes)};

	cr_assert_eq(reopen_with(4, row), STORE_E_CORRUPT);
}

Test(keepers, two_of_one_name_are_not_started_with)
{
	struct keeper keeper = sample(3, "crm");
	uint8_t bytes[ROWS_KEEPER_LEN_MAX];
	struct slice row = {(const char *)bytes, rows_encode_keeper(&keeper, bytes)};

	cr_assert_eq(reopen_with(3, row), STORE_E_CORRUPT);
}
