/* SPDX-License-Identifier: Apache-2.0 */
#include "common/model.h"

#include <criterion/criterion.h>

typedef const char *fault_fn(struct slice text);

/* @len bytes of 'a' with @start before and @end behind them; valid until the next call. */
static struct slice long_text(const char *start, size_t len, const char *end)
{
	static char text[4096];
	size_t start_len = strlen(start);
	size_t end_len = strlen(end);

	cr_assert_lt(start_len + len + end_len, sizeof(text));
	memcpy(text, start, start_len);
	memset(text + start_len, 'a', len);
	memcpy(text + start_len + len, end, end_len);
	return (struct slice){text, start_len + len + end_len};
}

static void expect_right(fault_fn *fault, struct slice text)
{
	cr_assert_null(fault(text), "'%.*s': %s", SLICE_ARG(text), fault(text));
}

static void expect_fault(fault_fn *fault, struct slice text, const char *part)
{
	const char *said = fault(text);

	cr_assert_not_null(said, "'%.*s' was accepted", SLICE_ARG(text));
	cr_assert_not_null(strstr(said, part), "'%.*s': %s", SLICE_ARG(text), said);
}

Test(model, every_name_leads_back_to_its_value)
{
	for (int i = ACCOUNT_KIND_MEMBER; i < _ACCOUNT_KIND_MAX; i++) {
		enum account_kind kind;

		cr_assert(account_kind_from_name(slice_of(account_kind_name((enum account_kind)i)),
						 &kind));
		cr_assert_eq((int)kind, i);
	}
	for (int i = 0; i < _ACCOUNT_STATE_MAX; i++) {
		enum account_state state;

		cr_assert(account_state_from_name(
			slice_of(account_state_name((enum account_state)i)), &state));
		cr_assert_eq((int)state, i);
	}
	for (int i = TASK_RESULT_ERASED; i < _TASK_RESULT_MAX; i++) {
		enum task_result result;

		cr_assert(task_result_from_name(slice_of(task_result_name((enum task_result)i)),
						&result));
		cr_assert_eq((int)result, i);
	}
	for (int i = REQUEST_STATE_OPEN; i < _REQUEST_STATE_MAX; i++) {
		enum request_state state;

		cr_assert(request_state_from_name(
			slice_of(request_state_name((enum request_state)i)), &state));
		cr_assert_eq((int)state, i);
	}
	for (int i = 0; i < _ROLE_MAX; i++) {
		enum role role;

		cr_assert(role_from_name(slice_of(role_name((enum role)i)), &role));
		cr_assert_eq((int)role, i);
	}
}

Test(model, names_stay_as_they_are)
{
	cr_assert_str_eq(account_kind_name(ACCOUNT_KIND_MEMBER), "member");
	cr_assert_str_eq(account_kind_name(ACCOUNT_KIND_B2B_COLLABORATION), "b2b-collaboration");
	cr_assert_str_eq(account_kind_name(ACCOUNT_KIND_B2B_DIRECT_CONNECT), "b2b-direct-connect");
	cr_assert_str_eq(account_state_name(ACCOUNT_STATE_ACTIVE), "active");
	cr_assert_str_eq(account_state_name(ACCOUNT_STATE_SOFT_DELETED), "soft-deleted");
	cr_assert_str_eq(account_state_name(ACCOUNT_STATE_REMOVING), "removing");
	cr_assert_str_eq(account_state_name(ACCOUNT_STATE_REMOVED), "removed");
	cr_assert_str_eq(account_sla_name(ACCOUNT_SLA_NONE), "none");
	cr_assert_str_eq(account_sla_name(ACCOUNT_SLA_ON_TRACK), "on-track");
	cr_assert_str_eq(account_sla_name(ACCOUNT_SLA_DUE_SOON), "due-soon");
	cr_assert_str_eq(account_sla_name(ACCOUNT_SLA_OVERDUE), "overdue");
	cr_assert_str_eq(guard_name(GUARD_CLOCK), "clock");
	cr_assert_str_eq(guard_name(GUARD_MASS), "mass");
	cr_assert_str_eq(task_result_name(TASK_RESULT_ERASED), "erased");
	cr_assert_str_eq(task_result_name(TASK_RESULT_NOTHING_FOUND), "nothing-found");
	cr_assert_str_eq(task_result_name(TASK_RESULT_RETAINED), "retained");
	cr_assert_str_eq(task_result_name(TASK_RESULT_WAIVED), "waived");
	cr_assert_str_eq(request_state_name(REQUEST_STATE_OPEN), "open");
	cr_assert_str_eq(request_state_name(REQUEST_STATE_APPROVED), "approved");
	cr_assert_str_eq(request_state_name(REQUEST_STATE_DENIED), "denied");
	cr_assert_str_eq(request_state_name(REQUEST_STATE_FULFILLED), "fulfilled");
	cr_assert_str_eq(role_name(ROLE_ANY), "any");
	cr_assert_str_eq(role_name(ROLE_READER), "reader");
	cr_assert_str_eq(role_name(ROLE_AUDITOR), "auditor");
	cr_assert_str_eq(role_name(ROLE_SELF_SERVICE), "self-service");
	cr_assert_str_eq(role_name(ROLE_ADMIN), "admin");
	cr_assert_str_eq(role_name(ROLE_KEEPER), "keeper");
	cr_assert_str_eq(role_name(ROLE_DAEMON), "daemon");
}

Test(model, numbers_on_disk_stay_as_they_are)
{
	cr_assert_eq(ACCOUNT_KIND_MEMBER, 1);
	cr_assert_eq(ACCOUNT_KIND_B2B_COLLABORATION, 2);
	cr_assert_eq(ACCOUNT_KIND_B2B_DIRECT_CONNECT, 3);
	cr_assert_eq(ROLE_ANY, 0);
	cr_assert_eq(ROLE_READER, 1);
	cr_assert_eq(ROLE_AUDITOR, 2);
	cr_assert_eq(ROLE_SELF_SERVICE, 3);
	cr_assert_eq(ROLE_ADMIN, 4);
	cr_assert_eq(ROLE_KEEPER, 5);
	cr_assert_eq(ROLE_DAEMON, 6);
	cr_assert_eq(TASK_RESULT_ERASED, 1);
	cr_assert_eq(TASK_RESULT_NOTHING_FOUND, 2);
	cr_assert_eq(TASK_RESULT_RETAINED, 3);
	cr_assert_eq(TASK_RESULT_WAIVED, 4);
	cr_assert_eq(REQUEST_STATE_OPEN, 1);
	cr_assert_eq(REQUEST_STATE_APPROVED, 2);
	cr_assert_eq(REQUEST_STATE_DENIED, 3);
}

Test(model, unknown_names_are_refused_and_set_nothing)
{
	static const struct slice unknown[] = {
		{NULL, 0},
		SLICE_LITERAL(""),
		SLICE_LITERAL("membe"),
		SLICE_LITERAL("members"),
		SLICE_LITERAL("Active"),
		SLICE_LITERAL("active\0"),
		SLICE_LITERAL("admin "),
		SLICE_LITERAL("erase"),
		SLICE_LITERAL("opened"),
	};

	for (size_t i = 0; i < ARRAY_LEN(unknown); i++) {
		enum account_kind kind = ACCOUNT_KIND_MEMBER;
		enum account_state state = ACCOUNT_STATE_REMOVED;
		enum task_result result = TASK_RESULT_WAIVED;
		enum request_state request = REQUEST_STATE_DENIED;
		enum role role = ROLE_READER;

		cr_assert_not(account_kind_from_name(unknown[i], &kind));
		cr_assert_not(account_state_from_name(unknown[i], &state));
		cr_assert_not(task_result_from_name(unknown[i], &result));
		cr_assert_not(request_state_from_name(unknown[i], &request));
		cr_assert_not(role_from_name(unknown[i], &role));
		cr_assert_eq(kind, ACCOUNT_KIND_MEMBER);
		cr_assert_eq(state, ACCOUNT_STATE_REMOVED);
		cr_assert_eq(result, TASK_RESULT_WAIVED);
		cr_assert_eq(request, REQUEST_STATE_DENIED);
		cr_assert_eq(role, ROLE_READER);
	}
}

Test(model, an_organization_is_1_to_64_of_its_letters)
{
	expect_right(model_org_fault, slice_of("a"));
	expect_right(model_org_fault, slice_of("contoso.example_1-x"));
	expect_right(model_org_fault, slice_of("Contoso"));
	expect_right(model_org_fault, long_text("", 64, ""));
	expect_fault(model_org_fault, long_text("", 65, ""), "1 to 64");
	expect_fault(model_org_fault, slice_of(""), "1 to 64");
	expect_fault(model_org_fault, slice_of("a b"), "a-z");
	expect_fault(model_org_fault, slice_of("a/b"), "a-z");
	expect_fault(model_org_fault, slice_of("m\xc3\xbcller"), "a-z");
	expect_fault(model_org_fault, SLICE_LITERAL("a\0b"), "a-z");
}

Test(model, a_keeper_is_1_to_64_of_its_letters_and_has_no_capitals)
{
	expect_right(model_keeper_fault, slice_of("a"));
	expect_right(model_keeper_fault, slice_of("mail.archive_1-x"));
	expect_right(model_keeper_fault, slice_of("az09"));
	expect_right(model_keeper_fault, long_text("", 64, ""));
	expect_fault(model_keeper_fault, long_text("", 65, ""), "1 to 64");
	expect_fault(model_keeper_fault, slice_of(""), "1 to 64");
	expect_fault(model_keeper_fault, (struct slice){NULL, 0}, "1 to 64");
	expect_fault(model_keeper_fault, slice_of("Mail"), "a-z");
	expect_fault(model_keeper_fault, slice_of("a b"), "a-z");
	expect_fault(model_keeper_fault, slice_of("a/b"), "a-z");
	expect_fault(model_keeper_fault, slice_of("m\xc3\xbcller"), "a-z");
	expect_fault(model_keeper_fault, SLICE_LITERAL("a\0b"), "a-z");
}

Test(model, ids_and_grounds_are_1_to_64_printable_ascii_bytes_without_blanks)
{
	fault_fn *const faults[] = {model_id_fault, model_request_id_fault, model_ground_fault};

	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		expect_right(faults[i], slice_of("1b4e28ba-2fa1-11d2-883f-0016d3cca427"));
		expect_right(faults[i], slice_of("!~"));
		expect_right(faults[i], long_text("", 64, ""));
		expect_fault(faults[i], long_text("", 65, ""), "1 to 64");
		expect_fault(faults[i], slice_of(""), "1 to 64");
		expect_fault(faults[i], slice_of("a b"), "printable");
		expect_fault(faults[i], slice_of("a\tb"), "printable");
		expect_fault(faults[i], slice_of("a\x7f"), "printable");
		expect_fault(faults[i], slice_of("\xc3\xa9"), "printable");
	}
}

Test(model, an_address_is_something_at_something)
{
	expect_right(model_address_fault, slice_of("a@b"));
	expect_right(model_address_fault,
		     slice_of("alice_contoso.com#EXT#@fabrikam.onmicrosoft.com"));
	expect_right(model_address_fault, slice_of("j\xc3\xbcrgen@example.com"));
	expect_right(model_address_fault, long_text("a@", 318, ""));
	expect_fault(model_address_fault, long_text("a@", 319, ""), "1 to 320");
	expect_fault(model_address_fault, slice_of(""), "1 to 320");
	expect_fault(model_address_fault, slice_of("alice"), "somebody@example.com");
	expect_fault(model_address_fault, slice_of("@"), "somebody@example.com");
	expect_fault(model_address_fault, slice_of("@b"), "somebody@example.com");
	expect_fault(model_address_fault, slice_of("a@"), "somebody@example.com");
	expect_fault(model_address_fault, slice_of("a@b@c"), "somebody@example.com");
	expect_fault(model_address_fault, slice_of("a @b"), "blanks");
	expect_fault(model_address_fault, slice_of("a@b\n"), "control");
	expect_fault(model_address_fault, slice_of("\xff@b"), "UTF-8");
}

Test(model, texts_have_a_length_and_no_control_characters)
{
	static const struct {
		fault_fn *fault;
		size_t max;
	} texts[] = {
		{model_name_fault, 256},    {model_group_fault, 256}, {model_ref_fault, 256},
		{model_reason_fault, 1024}, {model_hold_fault, 64},   {model_note_fault, 1024},
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		expect_right(texts[i].fault, slice_of("a"));
		expect_right(texts[i].fault, slice_of("Ren\xc3\xa9 \xe6\x9d\x8e \xf0\x9f\x99\x82"));
		expect_right(texts[i].fault, long_text("", texts[i].max, ""));
		expect_fault(texts[i].fault, long_text("", texts[i].max + 1, ""), "bytes long");
		expect_fault(texts[i].fault, slice_of(""), "bytes long");
		expect_fault(texts[i].fault, (struct slice){NULL, 0}, "bytes long");
		expect_fault(texts[i].fault, SLICE_LITERAL("a\0b"), "control");
		expect_fault(texts[i].fault, slice_of("a\nb"), "control");
		expect_fault(texts[i].fault, slice_of("a\x1b[2J"), "control");
		expect_fault(texts[i].fault, slice_of("a\x7f"), "control");
		expect_fault(texts[i].fault, slice_of("a\xc2\x80"), "control");
		expect_fault(texts[i].fault, slice_of("a\xc2\x9f"), "control");
		expect_fault(texts[i].fault, slice_of("a\xff"), "UTF-8");
	}
}

Test(model, utf8_is_accepted_at_the_ends_of_every_length)
{
	expect_right(model_name_fault, slice_of("\x20"));
	expect_right(model_name_fault, slice_of("\x7e"));
	expect_right(model_name_fault, slice_of("\xc2\xa0"));     /* U+00A0, the first after C1 */
	expect_right(model_name_fault, slice_of("\xdf\xbf"));     /* U+07FF */
	expect_right(model_name_fault, slice_of("\xe0\xa0\x80")); /* U+0800 */
	expect_right(model_name_fault, slice_of("\xed\x9f\xbf")); /* U+D7FF */
	expect_right(model_name_fault, slice_of("\xee\x80\x80")); /* U+E000 */
	expect_right(model_name_fault, slice_of("\xef\xbf\xbf")); /* U+FFFF */
	expect_right(model_name_fault, slice_of("\xf0\x90\x80\x80")); /* U+10000 */
	expect_right(model_name_fault, slice_of("\xf4\x8f\xbf\xbf")); /* U+10FFFF */
}

Test(model, utf8_is_read_strictly)
{
	expect_fault(model_name_fault, slice_of("\x80"), "UTF-8");         /* continuation alone */
	expect_fault(model_name_fault, slice_of("\xc0\xaf"), "UTF-8");     /* overlong */
	expect_fault(model_name_fault, slice_of("\xc1\xbf"), "UTF-8");     /* overlong */
	expect_fault(model_name_fault, slice_of("\xe0\x9f\xbf"), "UTF-8"); /* overlong */
	expect_fault(model_name_fault, slice_of("\xf0\x8f\xbf\xbf"), "UTF-8"); /* overlong */
	expect_fault(model_name_fault, slice_of("\xed\xa0\x80"), "UTF-8");     /* surrogate */
	expect_fault(model_name_fault, slice_of("\xed\xbf\xbf"), "UTF-8");     /* surrogate */
	expect_fault(model_name_fault, slice_of("\xf4\x90\x80\x80"), "UTF-8"); /* U+110000 */
	expect_fault(model_name_fault, slice_of("\xf5\x80\x80\x80"), "UTF-8");
	expect_fault(model_name_fault, slice_of("\xfe"), "UTF-8");
	expect_fault(model_name_fault, slice_of("\xc2\x41"), "UTF-8"); /* no continuation */
	expect_fault(model_name_fault, slice_of("\xe2\x82\x41"), "UTF-8");
}

Test(model, utf8_that_is_cut_within_a_character_is_refused)
{
	static const char *const wholes[] = {"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x99\x82"};

	for (size_t i = 0; i < ARRAY_LEN(wholes); i++) {
		for (size_t len = 1; len < strlen(wholes[i]); len++) {
			expect_fault(model_name_fault, (struct slice){wholes[i], len}, "UTF-8");
		}
	}
}

Test(model, a_url_has_a_scheme_and_a_host)
{
	expect_right(model_url_fault, slice_of("https://example.com/privacy?lang=en#top"));
	expect_right(model_url_fault, slice_of("http://h"));
	expect_right(model_url_fault, slice_of("HTTPS://Example.com"));
	expect_right(model_url_fault, slice_of("https://[2001:db8::1]/"));
	expect_right(model_url_fault, long_text("https://", 504, ""));
	expect_fault(model_url_fault, long_text("https://", 505, ""), "1 to 512");
	expect_fault(model_url_fault, slice_of(""), "1 to 512");
	expect_fault(model_url_fault, slice_of("h"), "http://");
	expect_fault(model_url_fault, slice_of("example.com"), "http://");
	expect_fault(model_url_fault, slice_of("javascript:alert(1)"), "http://");
	expect_fault(model_url_fault, slice_of("ftp://example.com"), "http://");
	expect_fault(model_url_fault, slice_of("https:/example.com"), "http://");
	expect_fault(model_url_fault, slice_of("https://"), "host");
	expect_fault(model_url_fault, slice_of("https:///privacy"), "host");
	expect_fault(model_url_fault, slice_of("https://?x"), "host");
	expect_fault(model_url_fault, slice_of("https://:80"), "host");
	expect_fault(model_url_fault, SLICE_LITERAL("https://\0"), "host");
	expect_fault(model_url_fault, slice_of("https://a b"), "blanks");
	expect_fault(model_url_fault, slice_of("https://a\n"), "control");
}

Test(model, a_contact_is_an_address_or_a_url)
{
	expect_right(model_contact_fault, slice_of("privacy@example.com"));
	expect_right(model_contact_fault, slice_of("https://example.com/privacy"));
	expect_fault(model_contact_fault, slice_of(""), "e-mail address or a URL");
	expect_fault(model_contact_fault, slice_of("the help desk"), "e-mail address or a URL");
	expect_fault(model_contact_fault, slice_of("tel:123"), "e-mail address or a URL");
}

Test(model, a_window_is_1_to_180_days_and_a_removal_1_to_30)
{
	cr_assert_null(model_window_fault(SPAN_DAY));
	cr_assert_null(model_window_fault(MODEL_WINDOW_DEFAULT));
	cr_assert_null(model_window_fault(180 * SPAN_DAY));
	cr_assert_not_null(model_window_fault(SPAN_DAY - 1));
	cr_assert_not_null(model_window_fault(180 * SPAN_DAY + 1));
	cr_assert_not_null(model_window_fault(0));
	cr_assert_not_null(model_window_fault(INT64_MIN));
	cr_assert_not_null(model_window_fault(INT64_MAX));

	cr_assert_null(model_removal_fault(SPAN_DAY));
	cr_assert_null(model_removal_fault(MODEL_REMOVAL_DEFAULT));
	cr_assert_not_null(model_removal_fault(SPAN_DAY - 1));
	cr_assert_not_null(model_removal_fault(30 * SPAN_DAY + 1));
	cr_assert_not_null(model_removal_fault(-SPAN_DAY));
}

Test(model, an_instant_lies_between_1970_and_9999)
{
	cr_assert_null(model_instant_fault(0));
	cr_assert_null(model_instant_fault(INSTANT_MAX));
	cr_assert_not_null(model_instant_fault(-1));
	cr_assert_not_null(model_instant_fault(INSTANT_MAX + 1));
	cr_assert_not_null(model_instant_fault(INSTANT_NONE));
}

Test(model, lower_case_is_of_ascii_letters_only)
{
	char text[32];
	struct slice lower;

	lower = model_lower(slice_of("AZaz09@[`{\xc3\x84"), text, sizeof(text));
	cr_assert(slice_is(lower, "azaz09@[`{\xc3\x84"));
	cr_assert_eq(lower.data[lower.len], '\0');

	lower = model_lower((struct slice){NULL, 0}, text, sizeof(text));
	cr_assert_eq(lower.len, 0);
	cr_assert_eq(text[0], '\0');

	lower = model_lower(slice_of("ABC"), text, 4);
	cr_assert_str_eq(text, "abc");
}
