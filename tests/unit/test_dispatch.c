/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/work/dispatch.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/support/rig.h"

#define PORTAL   990
#define STRANGER 991
#define BOTH     992 /* a portal over fabrikam that administers contoso */

static struct rig rig;

static void set_up(void)
{
	static const char *const orgs[] = {"fabrikam"}, *const contoso[] = {"contoso"};
	static const struct access_grant grants[] = {
		{.role = ROLE_SELF_SERVICE, .subject = PORTAL, .orgs = orgs, .n_orgs = 1},
		{.role = ROLE_READER, .subject = PORTAL, .orgs = orgs, .n_orgs = 1},
		{.role = ROLE_SELF_SERVICE, .subject = BOTH, .orgs = orgs, .n_orgs = 1},
		{.role = ROLE_ADMIN, .subject = BOTH, .orgs = contoso, .n_orgs = 1},
	};

	rig_open(&rig, CLOCK_MODE_SIMULATED);
	rig.rules = (struct access_rules){grants, ARRAY_LEN(grants)};
	rig_set_org(&rig, "fabrikam");
	rig_set_org(&rig, "contoso");
	(void)rig_import(&rig, "fabrikam", "g-1");
	(void)rig_import(&rig, "contoso", "g-2");
}

static void tear_down(void)
{
	rig_close(&rig);
}

TestSuite(dispatch, .init = set_up, .fini = tear_down);

static void be(uid_t uid)
{
	rig.session.peer = (struct access_peer){.uid = uid, .gid = uid};
}

/* A message written value by value, in a turn of its own. */
static void call_written(struct pack_writer *writer)
{
	cr_assert_eq(writer->error, 0);
	rig_begin(&rig);
	rig_send_bytes(&rig, (struct slice){writer->data, writer->len});
	rig_end(&rig);
	pack_writer_done(writer);
}

static void call_method(struct slice method)
{
	struct pack_writer writer;

	pack_writer_init(&writer, 4096);
	pack_write_array(&writer);
	pack_write_int(&writer, RPC_REQUEST);
	pack_write_int(&writer, 7);
	pack_write_text(&writer, method);
	pack_write_array(&writer);
	pack_write_end(&writer);
	pack_write_end(&writer);
	call_written(&writer);
}

/* The funnel */

Test(dispatch, an_unknown_method_is_refused_by_its_name)
{
	rig_call(&rig, "account.fly", "{}");
	cr_assert(rig_refused(&rig, "unknown-method", "there is no method \"account.fly\""));
	cr_assert_eq(rig_number(&rig, "0"), RPC_ERROR_WRONG);
}

Test(dispatch, a_method_with_a_nul_in_it_is_another_method)
{
	call_method(SLICE_LITERAL("retention.info\0"));
	cr_assert(rig_refused(&rig, "unknown-method", "\"retention.info?\""));
}

Test(dispatch, a_method_that_no_terminal_should_see_is_shown_harmless)
{
	call_method(SLICE_LITERAL("\x1b[31m"));
	cr_assert(rig_refused(&rig, "unknown-method", "\"?[31m\""));
}

Test(dispatch, a_method_may_come_as_bin)
{
	struct pack_writer writer;

	pack_writer_init(&writer, 4096);
	pack_write_array(&writer);
	pack_write_int(&writer, RPC_REQUEST);
	pack_write_int(&writer, 7);
	pack_write_bin(&writer, SLICE_LITERAL("retention.info"));
	pack_write_array(&writer);
	pack_write_end(&writer);
	pack_write_end(&writer);
	call_written(&writer);
	cr_assert(rig_is(&rig, "product", "retentiond"));
}

Test(dispatch, anybody_may_ask_who_they_are)
{
	be(STRANGER);
	rig_call(&rig, "retention.info", "{}");
	cr_assert_eq(rig_number(&rig, "you.uid"), STRANGER);
	cr_assert_eq(rig_count(&rig, "you.roles"), 0);
}

Test(dispatch, a_peer_without_the_role_is_refused_and_told_which_it_needs)
{
	be(STRANGER);
	rig_call(&rig, "account.remove", "{'accounts': [{'uid': 1}]}");
	cr_assert(rig_refused(&rig, "permission-denied", "account.remove needs the role admin"));
	cr_assert_eq(rig_number(&rig, "0"), RPC_ERROR_FAILED);
}

Test(dispatch, a_peer_without_the_role_learns_nothing_of_its_arguments)
{
	be(STRANGER);
	rig_call(&rig, "account.remove", "{'colour': 'blue'}");
	cr_assert(rig_refused(&rig, "permission-denied", "admin"));
}

Test(dispatch, a_role_over_one_organization_is_not_enough_for_all)
{
	be(PORTAL);
	rig_call(&rig, "stats.get", "{}");
	cr_assert(rig_refused(&rig, "permission-denied", "over all organizations"));
}

Test(dispatch, an_item_outside_the_role_is_refused_beside_one_inside)
{
	be(PORTAL);
	rig_call(&rig, "account.leave",
		 "{'accounts': [{'org': 'contoso', 'id': 'g-2'}, {'org': 'Fabrikam', 'id': 'g-1'},"
		 " {'uid': 2}, {'org': 'nowhere', 'id': 'g-1'}]}");
	cr_assert(rig_is(&rig, "items.0.outcome", "permission-denied"));
	cr_assert(rig_is(&rig, "items.1.outcome", "ok"));
	cr_assert(rig_is(&rig, "items.2.outcome", "permission-denied"));
	cr_assert(rig_is(&rig, "items.3.outcome", "permission-denied"));
	cr_assert_not(rig_has(&rig, "items.0.state"));
}

Test(dispatch, an_account_outside_the_role_is_left_out_of_lists)
{
	be(PORTAL);
	rig_call(&rig, "account.list", "{}");
	cr_assert_eq(rig_count(&rig, "accounts"), 1);
	cr_assert(rig_is(&rig, "accounts.0.org", "fabrikam"));
}

Test(dispatch, a_wrong_argument_is_refused_with_its_place)
{
	rig_call(&rig, "account.remove", "{'accounts': [{'uid': 1}, {'uid': 0}]}");
	cr_assert(rig_refused(&rig, "invalid-argument", " accounts[1].uid: must be an integer"));
	cr_assert_eq(rig_number(&rig, "0"), RPC_ERROR_WRONG);
}

/* org.get with an argument it does not know, so that the frame is as long as the test likes. */
static void call_long(const char *method, size_t len)
{
	cleanup(freep) char *text = calloc(1, len);
	struct pack_writer writer;

	cr_assert(text);
	pack_writer_init(&writer, 2 * RPC_FRAME_LARGE_MAX);
	rpc_write_request(&writer, 7, method);
	pack_write_map(&writer);
	pack_put_text(&writer, "long", (struct slice){text, len});
	pack_write_end(&writer);
	rpc_write_request_end(&writer);
	call_written(&writer);
}

Test(dispatch, a_frame_over_64_kib_is_too_large_but_for_commands_on_many_accounts)
{
	call_long("org.get", 60 * 1024);
	cr_assert(rig_refused(&rig, "invalid-argument", "long"));
	call_long("org.get", 64 * 1024);
	cr_assert(rig_refused(&rig, "too-large", "a request of org.get has at most 65536 bytes"));
	call_long("account.import", 64 * 1024);
	cr_assert(rig_refused(&rig, "invalid-argument", "long"));
}

static enum role last_role_of(uint64_t uid)
{
	struct account account = rig_row(&rig, uid);
	struct entry entry;

	cr_assert_eq(store_get_entry(rig.engine->store, account.last_seq, &entry, NULL), 0);
	return entry.actor_role;
}

Test(dispatch, each_account_is_changed_in_the_role_that_covers_its_organization)
{
	be(BOTH);
	rig_call(&rig, "account.leave", "{'accounts': [{'uid': 1}, {'uid': 2}]}");
	cr_assert(rig_is(&rig, "items.0.outcome", "ok"));
	cr_assert(rig_is(&rig, "items.1.outcome", "ok"));
	cr_expect_eq(last_role_of(1), ROLE_SELF_SERVICE);
	cr_expect_eq(last_role_of(2), ROLE_ADMIN);
}

/* No single request asks for so much any more: the answers of one turn of the rig add up here. */
Test(dispatch, an_answer_of_more_than_a_mebibyte_is_refused_whole)
{
	size_t before = 0;

	rig_begin(&rig);
	do {
		before = rig.answer.len;
		rig_send(&rig, "retention.api", "{}");
	} while (!rig.failed);
	rig_end(&rig);
	cr_assert(rig_refused(&rig, "too-large", "more than 1048576 bytes; ask for less"));
	cr_assert_gt(before, RPC_ANSWER_MAX / 2);
	cr_assert_lt(rig.answer.len - before, 256);
}

/* Messages that are no requests */

Test(dispatch, a_notification_does_nothing_and_is_not_answered)
{
	uint64_t head = rig_head(&rig);
	struct pack_writer writer;

	pack_writer_init(&writer, 4096);
	pack_write_array(&writer);
	pack_write_int(&writer, RPC_NOTIFICATION);
	pack_write_cstr(&writer, "sweep.pause");
	pack_write_array(&writer);
	pack_write_end(&writer);
	pack_write_end(&writer);
	call_written(&writer);
	cr_assert_eq(rig.answer.len, 0);
	cr_assert_eq(rig_head(&rig), head);
	cr_assert_eq(rig.engine->meters.n_notifications, 1);
}

Test(dispatch, a_response_does_nothing_and_is_not_answered)
{
	struct pack_writer writer;

	pack_writer_init(&writer, 4096);
	rpc_write_answer(&writer, 7);
	pack_write_nil(&writer);
	rpc_write_answer_end(&writer);
	call_written(&writer);
	cr_assert_eq(rig.answer.len, 0);
}

/* Answers */

/* What the bytes of the last turn hold: answers one behind the other. */
static uint32_t answer_ids(uint32_t *ids, bool *failed, uint32_t n_max)
{
	struct rpc_parser *parser;
	struct rpc_message message;
	size_t at = 0;
	uint32_t n = 0;

	cr_assert_eq(rpc_parser_new(&parser), 0);
	while (at < rig.answer.len) {
		cr_assert_lt(n, n_max);
		cr_assert_eq(rpc_parse(parser, rig.answer.data + at, rig.answer.len - at, &message),
			     0);
		cr_assert_eq(message.type, RPC_RESPONSE);
		ids[n] = message.msgid;
		failed[n++] = message.error.type != PACK_NIL;
		at += message.bytes;
	}
	(void)rpc_parser_free(parser);
	return n;
}

Test(dispatch, requests_of_one_turn_are_answered_in_their_order)
{
	uint32_t first = rig.msgid + 1, ids[4];
	bool failed[4];

	rig_begin(&rig);
	rig_send(&rig, "ledger.head", "{}");
	rig_send(&rig, "account.fly", "{}");
	rig_send(&rig, "account.leave", "{'accounts': [{'uid': 1}]}");
	rig_send(&rig, "org.get", "{}");
	rig_end(&rig);
	cr_assert_eq(answer_ids(ids, failed, 4), 4);
	for (uint32_t i = 0; i < 4; ++i) {
		cr_assert_eq(ids[i], first + i);
		cr_assert_eq(failed[i], i % 2 == 1);
	}
}

Test(dispatch, a_request_sees_what_the_one_before_it_in_the_turn_did)
{
	rig_begin(&rig);
	rig_send(&rig, "account.remove", "{'accounts': [{'uid': 1}]}");
	rig_send(&rig, "account.get", "{'uid': 1}");
	cr_assert(rig_is(&rig, "account.state", "soft-deleted"));
	rig_end(&rig);
}

Test(dispatch, an_answer_that_does_not_fit_becomes_an_error)
{
	struct pack_writer small;
	struct rpc_message message;

	pack_writer_reset(&rig.request);
	rpc_write_request(&rig.request, 9, "retention.api");
	pack_write_map(&rig.request);
	pack_write_end(&rig.request);
	rpc_write_request_end(&rig.request);
	cr_assert_eq(rpc_parse(rig.parser, rig.request.data, rig.request.len, &message), 0);

	pack_writer_init(&small, 512);
	rig_begin(&rig);
	cr_assert_eq(dispatch_message(rig.engine, &rig.session, &message, &small), 0);
	rig_end(&rig);
	cr_assert_eq(small.error, 0);
	pack_writer_reset(&rig.answer);
	pack_write_raw(&rig.answer, (struct slice){small.data, small.len}, 1);
	pack_writer_done(&small);
	{
		uint32_t id;
		bool failed;

		cr_assert_eq(answer_ids(&id, &failed, 1), 1);
		cr_assert_eq(id, 9);
		cr_assert(failed);
	}
}

Test(dispatch, an_error_leaves_the_answers_before_it_whole)
{
	uint32_t ids[2];
	bool failed[2];

	rig_begin(&rig);
	rig_send(&rig, "retention.info", "{}");
	rig_send(&rig, "account.list", "{'cursor': 'nonsense'}");
	rig_end(&rig);
	cr_assert(rig_refused(&rig, "invalid-argument", "cursor"));
	cr_assert_eq(answer_ids(ids, failed, 2), 2);
	cr_assert_not(failed[0]);
}

/* The largest answer there is: a thousand refusals, each with whom to ask. */
Test(dispatch, what_became_of_a_thousand_accounts_is_always_told)
{
	cleanup(freep) char *items = malloc(1000 * 64);
	char contact[513], privacy[513];
	size_t len = 0;

	memset(contact, 'a', sizeof(contact) - 1);
	memcpy(contact, "https://a.example/", 18);
	contact[512] = '\0';
	(void)memcpy(privacy, contact, sizeof(privacy));
	rig_call(&rig, "org.set",
		 "{'org': 'fabrikam', 'admin_contact': '%s', 'privacy_contact': '%s',"
		 " 'privacy_url': '%s', 'allow_leave': false}",
		 contact, privacy, privacy);
	cr_assert(rig_is(&rig, "outcome", "ok"));
	cr_assert(items);
	for (int i = 0; i < 1000; ++i) {
		len += (size_t)sprintf(items + len, "%s{'org':'fabrikam','id':'g-1'}",
				       i ? "," : "");
	}
	rig_call(&rig, "account.leave", "{'accounts': [%s]}", items);
	cr_assert_not(rig.failed);
	cr_assert_eq(rig_count(&rig, "items"), 1000);
	cr_assert(rig_is(&rig, "items.999.outcome", "leave-not-allowed"));
	cr_assert(rig_has(&rig, "items.0.contact.privacy_url"));
}

/* Refusals change nothing */

Test(dispatch, a_refused_command_changes_nothing)
{
	static const struct {
		const char *method;
		const char *arguments;
	} refused[] = {
		{"account.purge", "{'accounts': [{'uid': 1}]}"},
		{"account.restore", "{'accounts': [{'uid': 1}]}"},
		{"account.leave", "{'accounts': [{'uid': 77}]}"},
		{"account.remove", "{'accounts': [{'org': 'nowhere', 'id': 'g-1'}]}"},
		{"account.enable", "{'accounts': [{'uid': 1}]}"},
		{"org.set", "{'org': 'northwind', 'allow_leave': false}"},
		{"org.set", "{'org': 'fabrikam', 'window_us': 1}"},
		{"sweep.resume", "{}"},
		{"clock.advance", "{'to_us': 0}"},
		{"clock.advance", "{}"},
		{"account.import",
		 "{'accounts': [{'org': 'nowhere', 'id': 'a', 'kind': 'member', 'upn': 'a@x.y'}]}"},
	};

	for (size_t i = 0; i < ARRAY_LEN(refused); ++i) {
		uint64_t head = rig_head(&rig);

		rig_call(&rig, refused[i].method, "%s", refused[i].arguments);
		cr_assert_eq(rig_head(&rig), head, "%s", refused[i].method);
	}
	cr_assert_eq(store_n_orgs(rig.engine->store), 2);
}

Test(dispatch, a_command_that_finds_things_as_it_wants_them_changes_nothing)
{
	uint64_t head = rig_head(&rig);

	rig_set_org(&rig, "fabrikam");
	rig_call(&rig, "account.enable", "{'accounts': [{'uid': 1}]}");
	cr_assert(rig_is(&rig, "items.0.outcome", "ok"));
	cr_assert_eq(rig_head(&rig), head);
}

Test(dispatch, the_ledger_knows_in_which_role_a_peer_acted)
{
	struct entry entry;

	be(PORTAL);
	rig_call(&rig, "account.leave", "{'accounts': [{'org': 'fabrikam', 'id': 'g-1'}]}");
	cr_assert_eq(store_get_entry(rig.engine->store, rig_head(&rig), &entry, NULL), 0);
	cr_assert_eq(entry.actor_role, ROLE_SELF_SERVICE);
	cr_assert_eq(entry.actor_uid, PORTAL);
	cr_assert_eq(entry.event, EVENT_LEFT);
}
