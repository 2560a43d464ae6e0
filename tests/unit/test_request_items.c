/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/support/params.h"

TestSuite(request_items, .init = params_init, .fini = params_done);

static void expect_fault(const char *method, const char *fault)
{
	cr_assert(params_refused(method, fault));
}

static void begin_items(uint32_t n)
{
	params_begin();
	pack_put_array(&params_writer, "accounts");
	for (uint32_t i = 0; i < n; ++i) {
		pack_write_map(&params_writer);
		pack_put_int(&params_writer, "uid", i + 1);
		pack_write_end(&params_writer);
	}
}

Test(request_items, items_are_1_to_1000)
{
	begin_items(0);
	pack_write_end(&params_writer);
	expect_fault("account.leave", "accounts: must be an array of 1 to 1000 maps");
	begin_items(1000);
	pack_write_end(&params_writer);
	cr_assert_eq(params_decode("account.leave"), 0);
	cr_assert_eq(params_request->accounts.n, 1000);
	cr_assert_eq(params_request->accounts.at[999].uid, 1000);
	begin_items(1001);
	pack_write_end(&params_writer);
	expect_fault("account.leave", "accounts: must be an array of 1 to 1000 maps");
}

/* The fourth item of a request, as it is written between these two. */
static void begin_fourth(void)
{
	begin_items(3);
	pack_write_map(&params_writer);
}

static void expect_item_fault(const char *method, const char *text)
{
	pack_write_end(&params_writer);
	pack_write_end(&params_writer);
	expect_fault(method, text);
}

Test(request_items, a_fault_in_an_item_tells_which_item_and_field)
{
	begin_fourth();
	pack_put_cstr(&params_writer, "org", "not an org");
	expect_item_fault("account.leave", "accounts[3].org: must be 1 to 64 of a-z 0-9 . _ -");
}

Test(request_items, an_item_that_is_no_map_is_refused)
{
	begin_items(3);
	pack_write_int(&params_writer, 4);
	pack_write_end(&params_writer);
	expect_fault("account.leave", "accounts[3]: must be a map");
}

Test(request_items, an_unknown_field_is_refused)
{
	begin_fourth();
	pack_put_int(&params_writer, "uid", 1);
	pack_put_cstr(&params_writer, "colour", "blue");
	expect_item_fault("account.leave",
			  "accounts[3]: has a field that is not known; retention.api lists them");
}

Test(request_items, a_field_of_an_import_is_unknown_where_an_account_is_named)
{
	begin_fourth();
	pack_put_int(&params_writer, "uid", 1);
	pack_put_cstr(&params_writer, "kind", "member");
	expect_item_fault("account.leave",
			  "accounts[3]: has a field that is not known; retention.api lists them");
}

Test(request_items, a_doubled_field_is_refused)
{
	begin_fourth();
	pack_put_int(&params_writer, "uid", 1);
	pack_put_int(&params_writer, "uid", 1);
	expect_item_fault("account.leave", "accounts[3].uid: is there twice");
}

#define NAMING "name the account by org and id, by org and person, or by uid"

/* A name for each bit: org, id, person, uid. */
Test(request_items, an_account_is_named_in_exactly_one_of_three_ways)
{
	for (unsigned bits = 0; bits < 16; ++bits) {
		bool right = bits == 8 || bits == 3 || bits == 5;

		params_begin();
		pack_put_array(&params_writer, "accounts");
		pack_write_map(&params_writer);
		if (bits & 1) {
			pack_put_cstr(&params_writer, "org", "fabrikam");
		}
		if (bits & 2) {
			pack_put_cstr(&params_writer, "id", "g-1");
		}
		if (bits & 4) {
			pack_put_cstr(&params_writer, "person", "ada@home.example");
		}
		if (bits & 8) {
			pack_put_int(&params_writer, "uid", 1);
		}
		pack_write_end(&params_writer);
		pack_write_end(&params_writer);
		cr_assert_eq(params_decode("account.leave"), right ? 0 : REQUEST_E_WRONG);
		cr_assert(right || strcmp(params_fault, "accounts[0]: " NAMING) == 0);
	}
}

Test(request_items, the_arguments_name_an_account_as_an_item_does)
{
	struct item item;

	params_begin();
	pack_put_cstr(&params_writer, "org", "fabrikam");
	pack_put_cstr(&params_writer, "person", "ada@home.example");
	cr_assert_eq(params_decode("account.get"), 0);
	item = request_account(params_request);
	cr_assert_null(request_account_fault(&item));
	cr_assert(slice_is(item.person, "ada@home.example"));
	cr_assert(ITEM_HAS(&item, org));
	cr_assert_not(ITEM_HAS(&item, id));

	params_begin();
	pack_put_cstr(&params_writer, "org", "fabrikam");
	cr_assert_eq(params_decode("account.get"), 0);
	item = request_account(params_request);
	cr_assert_str_eq(request_account_fault(&item), NAMING);
}

Test(request_items, an_import_misses_each_of_its_required_fields_by_name)
{
	static const char *const required[][2] = {
		{"org", "fabrikam"}, {"id", "g-1"}, {"kind", "member"}, {"upn", "ada@x.example"}};

	for (size_t missing = 0; missing < ARRAY_LEN(required); ++missing) {
		char expected[64];

		params_begin();
		pack_put_array(&params_writer, "accounts");
		pack_write_map(&params_writer);
		for (size_t i = 0; i < ARRAY_LEN(required); ++i) {
			if (i != missing) {
				pack_put_cstr(&params_writer, required[i][0], required[i][1]);
			}
		}
		(void)snprintf(expected, sizeof(expected), "accounts[0].%s: is missing",
			       required[missing][0]);
		expect_item_fault("account.import", expected);
	}
}

/* An import with @n groups of @len bytes each. */
static int decode_groups(uint32_t n, size_t len)
{
	char group[MODEL_GROUP_LEN_MAX + 1];

	memset(group, 'g', sizeof(group));
	params_begin();
	pack_put_array(&params_writer, "accounts");
	pack_write_map(&params_writer);
	pack_put_cstr(&params_writer, "org", "fabrikam");
	pack_put_cstr(&params_writer, "id", "g-1");
	pack_put_cstr(&params_writer, "kind", "member");
	pack_put_cstr(&params_writer, "upn", "ada@x.example");
	pack_put_array(&params_writer, "groups");
	for (uint32_t i = 0; i < n; ++i) {
		pack_write_text(&params_writer, (struct slice){group, len});
	}
	pack_write_end(&params_writer);
	pack_write_end(&params_writer);
	pack_write_end(&params_writer);
	return params_decode("account.import");
}

Test(request_items, groups_are_at_most_512)
{
	cr_assert_eq(decode_groups(512, 1), 0);
	cr_assert_eq(params_request->imports.at[0].groups.list.n, 512);
	cr_assert_neq(decode_groups(513, 1), 0);
	cr_assert_str_eq(params_fault, "accounts[0].groups: must have at most 512 entries");
}

Test(request_items, a_group_has_1_to_256_bytes)
{
	cr_assert_eq(decode_groups(1, 256), 0);
	cr_assert_neq(decode_groups(1, 0), 0);
	cr_assert_neq(decode_groups(1, 257), 0);
	cr_assert_str_eq(params_fault, "accounts[0].groups: must be 1 to 256 bytes long");
}

Test(request_items, texts_may_come_as_bin)
{
	params_begin();
	pack_write_bin(&params_writer, SLICE_LITERAL("org"));
	pack_write_bin(&params_writer, SLICE_LITERAL("fabrikam"));
	cr_assert_eq(params_decode("org.get"), 0);
	cr_assert(slice_is(params_request->org, "fabrikam"));
}

/* Tasks and removal requests */

static void begin_tasks(const char *list)
{
	params_begin();
	pack_put_cstr(&params_writer, "keeper", "crm");
	pack_put_array(&params_writer, list);
	pack_write_map(&params_writer);
}

static int decode_tasks(const char *method)
{
	pack_write_end(&params_writer);
	pack_write_end(&params_writer);
	return params_decode(method);
}

Test(request_items, a_confirmation_is_decoded_whole)
{
	const struct item *item;

	begin_tasks("tasks");
	pack_put_cstr(&params_writer, "token", "00ff");
	pack_put_cstr(&params_writer, "result", "retained");
	pack_put_cstr(&params_writer, "ground", "hgb-257");
	pack_put_cstr(&params_writer, "note", "two invoices");
	cr_assert_eq(decode_tasks("keeper.confirm"), 0);
	cr_assert_eq(params_request->confirmations.n, 1);
	item = &params_request->confirmations.at[0];
	cr_assert(slice_is(item->token, "00ff"));
	cr_assert_eq(item->result, TASK_RESULT_RETAINED);
	cr_assert(slice_is(item->ground, "hgb-257"));
	cr_assert(slice_is(item->note, "two invoices"));
}

Test(request_items, only_what_a_keeper_can_say_is_a_result)
{
	static const char *const wrong[] = {"waived", "deleted", "", "ERASED"};

	for (size_t i = 0; i < ARRAY_LEN(wrong); ++i) {
		begin_tasks("tasks");
		pack_put_cstr(&params_writer, "token", "00ff");
		pack_put_cstr(&params_writer, "result", wrong[i]);
		expect_item_fault("keeper.confirm",
				  "tasks[0].result: must be erased, nothing-found or retained");
	}
}

Test(request_items, a_task_needs_its_token_and_a_confirmation_its_result)
{
	begin_tasks("tasks");
	pack_put_cstr(&params_writer, "result", "erased");
	expect_item_fault("keeper.confirm", "tasks[0].token: is missing");
	begin_tasks("tasks");
	pack_put_cstr(&params_writer, "token", "00ff");
	expect_item_fault("keeper.confirm", "tasks[0].result: is missing");
	begin_tasks("tasks");
	expect_item_fault("keeper.fail", "tasks[0].token: is missing");
	begin_tasks("tasks");
	expect_item_fault("keeper.extend", "tasks[0].token: is missing");
}

Test(request_items, each_list_of_tasks_has_fields_of_its_own)
{
	static const char fault[] =
		"tasks[0]: has a field that is not known; retention.api lists them";

	begin_tasks("tasks");
	pack_put_cstr(&params_writer, "error", "no route");
	expect_item_fault("keeper.confirm", fault);
	begin_tasks("tasks");
	pack_put_cstr(&params_writer, "result", "erased");
	expect_item_fault("keeper.fail", fault);
	begin_tasks("tasks");
	pack_put_int(&params_writer, "retry_after_us", 1);
	expect_item_fault("keeper.extend", fault);
	begin_tasks("tasks");
	pack_put_int(&params_writer, "uid", 1);
	expect_item_fault("keeper.extend", fault);
}

Test(request_items, a_removal_request_is_named_by_its_number)
{
	params_begin();
	pack_put_array(&params_writer, "requests");
	pack_write_map(&params_writer);
	pack_put_int(&params_writer, "request", 7);
	cr_assert_eq(decode_tasks("request.approve"), 0);
	cr_assert_eq(params_request->requests.at[0].request, 7);
	params_begin();
	pack_put_array(&params_writer, "requests");
	pack_write_map(&params_writer);
	expect_item_fault("request.approve", "requests[0].request: is missing");
}
