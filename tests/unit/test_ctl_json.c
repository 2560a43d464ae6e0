/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/json.h"

#include <criterion/criterion.h>

#include "common/rpc.h"
#include "ctl/client.h"
#include "ctl/text.h"

/* JSON to MessagePack and back. */
static char *round_trip(const char *text)
{
	struct pack_limits limits = {
		.bytes_max = 4096, .objects_max = 1000, .depth_max = RPC_DEPTH_MAX};
	struct pack_scanner scanner = {0};
	struct pack_reader *reader;
	struct pack_writer writer;
	struct pack_value value;
	json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
	json_t *back;
	size_t len;
	char *dump;

	cr_assert_not_null(json, "%s", text);
	pack_writer_init(&writer, 4096);
	cr_assert_eq(ctl_json_to_pack(&writer, json), 0);
	cr_assert_eq(writer.error, 0);
	json_decref(json);
	cr_assert_eq(pack_scan(&scanner, &limits, writer.data, writer.len, &len), 0);
	cr_assert_eq(len, writer.len);
	cr_assert_eq(pack_reader_new(&reader), 0);
	cr_assert_eq(pack_read(reader, writer.data, writer.len, &value), 0);
	cr_assert_eq(ctl_json_from_pack(&value, &back), 0);
	dump = json_dumps(back, JSON_ENCODE_ANY | JSON_COMPACT);
	json_decref(back);
	(void)pack_reader_free(reader);
	pack_writer_done(&writer);
	return dump;
}

Test(ctl_json, comes_back_from_the_wire_as_it_went)
{
	static const char *const texts[] = {
		"null",
		"true",
		"false",
		"0",
		"-1",
		"9223372036854775807",
		"-9223372036854775808",
		"1.5",
		"\"\"",
		"\"Zo\xc3\xab\"",
		"[]",
		"{}",
		"[1,[2,[3]]]",
		"{\"b\":1,\"a\":[{\"z\":null,\"c\":\"x\"}]}",
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		char *back = round_trip(texts[i]);

		cr_assert_str_eq(back, texts[i]);
		free(back);
	}
}

Test(ctl_json, deeper_than_the_wire_is_refused)
{
	struct pack_writer writer;
	json_t *fits = json_loads("[[[[[[1]]]]]]", 0, NULL);
	json_t *too_deep = json_loads("[[[[[[[1]]]]]]]", 0, NULL);
	json_t *objects =
		json_loads("{\"a\":{\"b\":[{\"c\":{\"d\":{\"e\":{}}},\"f\":1}]}}", 0, NULL);

	pack_writer_init(&writer, 4096);
	cr_assert_eq(ctl_json_to_pack(&writer, fits), 0);
	cr_assert_eq(ctl_json_to_pack(&writer, too_deep), CTL_JSON_E_TOO_DEEP);
	cr_assert_eq(ctl_json_to_pack(&writer, objects), CTL_JSON_E_TOO_DEEP);
	json_decref(fits);
	json_decref(too_deep);
	json_decref(objects);
	pack_writer_done(&writer);
}

Test(ctl_json, bytes_that_are_no_text_become_hex)
{
	struct pack_value value = {.type = PACK_TEXT, .text = SLICE_LITERAL("\xff\x00\x10")};
	json_t *json;

	cr_assert_eq(ctl_json_from_pack(&value, &json), 0);
	cr_assert_str_eq(json_string_value(json), "hex:ff0010");
	json_decref(json);
}

Test(ctl_json, what_json_cannot_say_becomes_text_or_null)
{
	struct pack_value huge = {.type = PACK_UINT, .uinteger = UINT64_MAX};
	struct pack_value ext = {.type = PACK_EXT};
	struct pack_value nan = {.type = PACK_FLOAT, .real = __builtin_nan("")};
	json_t *json;

	cr_assert_eq(ctl_json_from_pack(&huge, &json), 0);
	cr_assert_str_eq(json_string_value(json), "18446744073709551615");
	json_decref(json);
	cr_assert_eq(ctl_json_from_pack(&ext, &json), 0);
	cr_assert(json_is_null(json));
	json_decref(json);
	cr_assert_eq(ctl_json_from_pack(&nan, &json), 0);
	cr_assert(json_is_null(json));
	json_decref(json);
}

static char *escaped(struct slice text)
{
	char *shown = NULL;
	size_t len;
	FILE *out = open_memstream(&shown, &len);

	ctl_text_put(out, text);
	(void)fclose(out);
	return shown;
}

Test(ctl_text, controls_never_reach_the_terminal)
{
	static const struct {
		struct slice text;
		const char *shown;
	} cases[] = {
		{SLICE_LITERAL("plain Zo\xc3\xab \xe4\xbd\xa0"), "plain Zo\xc3\xab \xe4\xbd\xa0"},
		{SLICE_LITERAL("\033[31mred\a\n"), "\\x1b[31mred\\x07\\x0a"},
		{SLICE_LITERAL("\x7f"), "\\x7f"},
		{SLICE_LITERAL("\xc2\x9b"
			       "31m"),
		 "\\xc2\\x9b31m"}, /* C1: the 8-bit escape */
		{SLICE_LITERAL("a\xe2\x80\xae"
			       "b"),
		 "a\\xe2\\x80\\xaeb"}, /* turns the direction of writing */
		{SLICE_LITERAL("\xff\xc0\x80\xed\xa0\x80"),
		 "\\xff\\xc0\\x80\\xed\\xa0\\x80"},        /* no UTF-8 */
		{SLICE_LITERAL("\xe4\xbd"), "\\xe4\\xbd"}, /* cut in half */
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *shown = escaped(cases[i].text);

		cr_assert_str_eq(shown, cases[i].shown);
		free(shown);
	}
}

static enum ctl_exit exit_of(const char *text, struct ctl_fault *fault)
{
	struct pack_value error = {.type = PACK_TEXT, .text = slice_of(text)};

	return (enum ctl_exit)ctl_fault_of_error(&error, fault);
}

Test(ctl_client, errors_of_the_daemon_have_exit_codes)
{
	struct ctl_fault fault;

	cr_assert_eq(exit_of("permission-denied: your role does not", &fault), CTL_EXIT_PERMISSION);
	cr_assert_str_eq(fault.code, "permission-denied");
	cr_assert_str_eq(fault.text, "your role does not");
	cr_assert_eq(exit_of("invalid-argument: limit", &fault), CTL_EXIT_USAGE);
	cr_assert_eq(exit_of("unknown-method: no.such", &fault), CTL_EXIT_USAGE);
	cr_assert_eq(exit_of("busy: later", &fault), CTL_EXIT_FAILURE);
	cr_assert_str_eq(fault.code, "busy");
	cr_assert_eq(exit_of("no colon", &fault), CTL_EXIT_FAILURE);
	cr_assert_str_eq(fault.code, "failed");
}

Test(ctl_client, an_error_of_no_known_form_is_a_failure)
{
	struct pack_value error = {.type = PACK_INT, .integer = 7};
	struct ctl_fault fault;

	cr_assert_eq(ctl_fault_of_error(&error, &fault), CTL_EXIT_FAILURE);
}

Test(ctl_client, a_socket_that_is_not_there_is_unreachable)
{
	struct ctl_client *client;
	struct ctl_fault fault;
	json_t *result;

	cr_assert_eq(ctl_client_new("/nonexistent/retentiond.sock", SPAN_SECOND, &client), 0);
	cr_assert_eq(ctl_client_ask(client, COMMAND_retention_info, &result, &fault),
		     CTL_EXIT_UNREACHABLE);
	cr_assert(strstr(fault.text, "/nonexistent/retentiond.sock"));
	cr_assert(strstr(fault.text, "systemctl start retentiond"));
	(void)ctl_client_free(client);
}
