/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "common/rpc.h"
#include "ctl/import_file.h"
#include "ctl/import_graph.h"
#include "ctl/import_report.h"
#include "ctl/import_send.h"
#include "ctl/json.h"

/* A file that has been read, and its rows as the daemon would see them. */
struct read {
	struct import_set set;
	bool incomplete;
	char *text;
	char *faults;
};

static void read_text(struct read *read, enum import_format format, const char *org,
		      const char *text)
{
	FILE *out;
	size_t len;

	memset(read, 0, sizeof(*read));
	import_set_init(&read->set);
	read->set.default_org = slice_of(org);
	read->text = strdup(text);
	cr_assert_eq(import_text_read(&read->set, "f", format, read->text, strlen(text),
				      &read->incomplete),
		     0);
	out = open_memstream(&read->faults, &len);
	import_faults_print(&read->set.faults, out);
	(void)fclose(out);
}

static void read_done(struct read *read)
{
	import_set_done(&read->set);
	free(read->text);
	free(read->faults);
}

static void assert_faults(enum import_format format, const char *org, const char *text,
			  const char *faults)
{
	struct read read;

	read_text(&read, format, org, text);
	cr_assert_str_eq(read.faults, faults);
	read_done(&read);
}

static void assert_row(const struct read *read, size_t i, const char *expected)
{
	struct pack_limits limits = {
		.bytes_max = 65536, .objects_max = 4096, .depth_max = RPC_DEPTH_MAX};
	const struct import_entry *entry = &read->set.entries[i];
	const char *bytes = read->set.packed.data + entry->offset;
	struct pack_scanner scanner = {0};
	struct pack_reader *reader;
	struct pack_value value;
	json_t *json;
	size_t len;
	char *text;

	cr_assert_str_eq(read->faults, "");
	cr_assert_lt(i, read->set.n);
	cr_assert_eq(pack_scan(&scanner, &limits, bytes, entry->len, &len), 0);
	cr_assert_eq(len, entry->len);
	cr_assert_eq(scanner.n_objects, entry->n_values);
	cr_assert_eq(pack_reader_new(&reader), 0);
	cr_assert_eq(pack_read(reader, bytes, len, &value), 0);
	cr_assert_eq(ctl_json_from_pack(&value, &json), 0);
	text = json_dumps(json, JSON_COMPACT);
	cr_assert_str_eq(text, expected);
	free(text);
	json_decref(json);
	(void)pack_reader_free(reader);
}

#define HEADER  "org,id,kind,upn\n"
#define ROW(id) "{\"org\":\"acme\",\"id\":\"" id "\",\"kind\":\"member\",\"upn\":\"u@a.example\"}"

Test(ctl_import_csv, every_field_is_read)
{
	struct read read;

	read_text(
		&read, IMPORT_FORMAT_AUTO, NULL,
		"id,org,kind,person,upn,mail,name,enabled,groups,permissions,deleted_at\n"
		"1,acme,b2b-collaboration,p@h.example,u@a.example,m@h.example,Jane,no,a;b,p,2026-01-01T00:00:00Z\n");
	assert_row(
		&read, 0,
		"{\"org\":\"acme\",\"id\":\"1\",\"person\":\"p@h.example\",\"kind\":\"b2b-collaboration\",\"upn\":"
		"\"u@a.example\",\"mail\":\"m@h.example\",\"name\":\"Jane\",\"enabled\":false,\"groups\":[\"a\","
		"\"b\"],\"permissions\":[\"p\"],\"deleted_at_us\":1767225600000000}");
	cr_assert_eq(read.set.entries[0].where.line, 2);
	read_done(&read);
}

Test(ctl_import_csv, an_empty_field_is_one_that_is_not_there)
{
	struct read read;

	read_text(&read, IMPORT_FORMAT_AUTO, NULL,
		  "org,id,kind,upn,mail,groups\nacme,1,member,u@a.example,,\n");
	assert_row(&read, 0, ROW("1"));
	read_done(&read);
}

Test(ctl_import_csv, quotes_hold_commas_line_ends_and_quotes)
{
	struct read read;

	read_text(
		&read, IMPORT_FORMAT_AUTO, NULL,
		"org,id,kind,upn,groups\n\"acme\",\"1\",member,u@a.example,\"Doe, \"\"Jane\"\"\"\nacme,2,member,u@a.example,x\n");
	assert_row(
		&read, 0,
		"{\"org\":\"acme\",\"id\":\"1\",\"kind\":\"member\",\"upn\":\"u@a.example\",\"groups\":[\"Doe, \\\"Jane\\\"\"]}");
	read_done(&read);
	/* The line of a row after one that goes over two lines is counted in the file. */
	assert_faults(IMPORT_FORMAT_AUTO, NULL,
		      HEADER "acme,1,member,\"u@a\n.example\"\nacme,2,nokind,u@a.example\n",
		      "f:2: upn: must not hold control characters, such as tabs or line breaks\n"
		      "f:4: kind: must be member, b2b-collaboration or b2b-direct-connect\n");
}

Test(ctl_import_csv, byte_order_mark_crlf_and_a_missing_last_line_end_are_fine)
{
	struct read read;

	read_text(&read, IMPORT_FORMAT_AUTO, NULL,
		  "\xef\xbb\xbf"
		  "org,id,kind,upn\r\nacme,1,member,u@a.example\r\n\r\nacme,2,member,u@a.example");
	assert_row(&read, 0, ROW("1"));
	assert_row(&read, 1, ROW("2"));
	read_done(&read);
}

Test(ctl_import_csv, an_unknown_or_doubled_column_is_named)
{
	assert_faults(IMPORT_FORMAT_CSV, NULL,
		      "org,id,kind,upn,colour,new_upn,id\na,1,member,u@a.example,x,y,1\n",
		      "f:1: there is no field \"colour\" (column 5); commas separate the fields, "
		      "which are org, id, person, kind, upn, mail, name, enabled, groups, "
		      "permissions, deleted_at_us\n"
		      "f:1: there is no field \"new_upn\" (column 6)\n"
		      "f:1: id: is there twice (columns 2 and 7)\n");
}

Test(ctl_import_csv, each_fault_is_told_with_line_and_field)
{
	assert_faults(IMPORT_FORMAT_CSV, NULL,
		      "org,id,kind,upn,enabled,deleted_at\n"
		      "acme,1,member,u@a.example,maybe,\n"
		      "acme,2,member,u@a.example,,+3d\n"
		      "acme,3,member\n"
		      "acme,,,u@a.example,,\n",
		      "f:2: enabled: must be yes or no\n"
		      "f:3: deleted_at_us: must not be relative: write 2026-03-01T12:00:00Z\n"
		      "f:4: has 3 fields where the header has 6\n"
		      "f:5: id: is missing\n"
		      "f:5: kind: is missing; --kind=… gives it to rows that have none\n");
}

Test(ctl_import_csv, a_quote_without_end_and_one_in_the_middle_are_told)
{
	assert_faults(IMPORT_FORMAT_CSV, NULL,
		      HEADER "acme,\"1,member,u@a.example\nacme,2,member,u@a.example\n",
		      "f:2: a quoted field that begins in this row has no end\n");
	assert_faults(IMPORT_FORMAT_CSV, NULL,
		      HEADER "acme,\"1\"x,member,u@a.example\nacme,2,nokind,u@a.example\n",
		      "f:2: a quote ends inside field 2: write \"\" for a quote in a field\n"
		      "f:3: kind: must be member, b2b-collaboration or b2b-direct-connect\n");
}

Test(ctl_import_csv, the_same_account_twice_is_told_with_both_places)
{
	assert_faults(IMPORT_FORMAT_CSV, NULL,
		      HEADER "acme,1,member,u@a.example\nACME,1,member,v@a.example\n",
		      "f:3: id: this account is in the import already, at f:2\n");
}

Test(ctl_import_json, the_same_account_twice_in_one_line_is_told_with_its_place)
{
	assert_faults(IMPORT_FORMAT_GRAPH, NULL, "[" ROW("1") "," ROW("2") "," ROW("1") "]",
		      "f:1: [2].id: this account is in the import already, at f:1: [0]\n");
}

Test(ctl_import_csv, no_more_than_twenty_faults_are_shown)
{
	cleanup(freep) char *text = calloc(1, 4096);
	struct read read;

	strcat(text, "org,id,kind,upn\n");
	for (int i = 0; i < 25; i++) {
		strcat(text, "acme,1,nokind,u@a.example\n");
	}
	read_text(&read, IMPORT_FORMAT_CSV, NULL, text);
	cr_assert_eq(read.set.faults.n, 25);
	cr_assert(strstr(read.faults, "f:21: kind"));
	cr_assert(!strstr(read.faults, "f:22: kind"));
	cr_assert(strstr(read.faults, "and 5 more\n"));
	read_done(&read);
}

Test(ctl_import_json, lines_have_the_fields_of_the_wire)
{
	struct read read;

	read_text(
		&read, IMPORT_FORMAT_AUTO, NULL,
		"{\"org\":\"acme\",\"id\":\"1\",\"kind\":\"member\",\"upn\":\"u@a.example\",\"enabled\":true,\"groups\":"
		"[\"a;b\"],\"mail\":null,\"deleted_at\":\"2026-01-01\"}\r\n\n" ROW("2") "\n");
	assert_row(
		&read, 0,
		"{\"org\":\"acme\",\"id\":\"1\",\"kind\":\"member\",\"upn\":\"u@a.example\",\"enabled\":true,\"groups\":"
		"[\"a;b\"],\"deleted_at_us\":1767225600000000}");
	assert_row(&read, 1, ROW("2"));
	cr_assert_eq(read.set.entries[1].where.line, 3);
	read_done(&read);
}

Test(ctl_import_json, each_faulty_line_is_told)
{
	assert_faults(
		IMPORT_FORMAT_JSONL, NULL,
		"{\"org\":\"acme\",\"id\":1,\"kind\":\"member\",\"upn\":\"u@a.example\"}\n"
		"{\"org\":\"acme\"\n"
		"[1]\n"
		"{\"org\":\"acme\",\"id\":\"2\",\"kind\":\"member\",\"upn\":\"u@a.example\",\"colour\":\"x\",\"size\":1}\n"
		"{\"org\":\"acme\",\"id\":\"3\",\"kind\":\"member\",\"upn\":\"u@a.example\",\"groups\":[1]}\n"
		"{\"org\":\"acme\",\"id\":\"4\",\"kind\":\"member\",\"upn\":\"u@a.example\",\"mail\":{}}\n",
		"f:1: id: must not be a number\n"
		"f:2: is no JSON: '}' expected near end of file\n"
		"f:3: must be an object\n"
		"f:4: colour: there is no such field; there are org, id, person, kind, upn, mail, "
		"name, enabled, groups, permissions, deleted_at_us\n"
		"f:4: size: there is no such field\n"
		"f:5: groups: must be a list of texts\n"
		"f:6: mail: has a value of a kind that no field has\n");
}

Test(ctl_import_json, a_bare_array_is_read_as_well)
{
	struct read read;

	read_text(&read, IMPORT_FORMAT_AUTO, NULL, "[\n" ROW("1") ",\n" ROW("2") "\n]\n");
	assert_row(&read, 0, ROW("1"));
	assert_row(&read, 1, ROW("2"));
	cr_assert_eq(read.set.entries[1].where.line, 3);
	read_done(&read);
}

Test(ctl_import_json, a_document_that_is_cut_or_goes_on_is_told)
{
	assert_faults(IMPORT_FORMAT_GRAPH, NULL, "[" ROW("1") "\n",
		      "f:2: is no JSON: a comma or ] is missing\n");
	assert_faults(IMPORT_FORMAT_GRAPH, NULL, "[" ROW("1") "] x",
		      "f:1: is no JSON: more follows behind its end\n");
	assert_faults(IMPORT_FORMAT_GRAPH, NULL, "{\"a\":1}",
		      "f:1: value: the list of users is missing\n");
	assert_faults(IMPORT_FORMAT_GRAPH, NULL, "{\"a\" 1}",
		      "f:1: is no JSON: a member's name and a colon are missing\n");
	assert_faults(IMPORT_FORMAT_GRAPH, NULL, "",
		      "f:1: is no JSON: a list or an object is missing\n");
}

Test(ctl_import_format, is_found_by_the_content)
{
	static const struct {
		const char *text;
		enum import_format format;
	} cases[] = {
		{"org,id\n", IMPORT_FORMAT_CSV},
		{"", IMPORT_FORMAT_CSV},
		{" [", IMPORT_FORMAT_GRAPH},
		{"{\"@odata.context\": \"x\",\n \"value\": [", IMPORT_FORMAT_GRAPH},
		{"{\"id\": \"1\"}\n{\"id\": \"2\"}", IMPORT_FORMAT_JSONL},
		{"{\"value\": \"x\"}", IMPORT_FORMAT_JSONL},
		{"{", IMPORT_FORMAT_JSONL},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cr_assert_eq(import_format_of(cases[i].text, strlen(cases[i].text)),
			     cases[i].format, "%s", cases[i].text);
	}
}

#define GUEST                                                                                                   \
	"{\"id\":\"0a1b2c3d-0000-1111-2222-333344445555\",\"displayName\":\"Jane Doe\",\"userType\":\"Guest\"," \
	"\"accountEnabled\":true,\"externalUserState\":\"Accepted\",\"identities\":[],\"userPrincipalName\":"

Test(ctl_import_graph, a_guest_is_known_by_the_mail_address)
{
	struct read read;

	read_text(
		&read, IMPORT_FORMAT_AUTO, "acme",
		"{\"@odata.context\":\"x\",\"value\":[" GUEST
		"\"jane_d_home.example#EXT#@acme.example\",\"mail\":\"jane@home.example\",\"deletedDateTime\":null}]}");
	assert_row(
		&read, 0,
		"{\"org\":\"acme\",\"id\":\"0a1b2c3d-0000-1111-2222-333344445555\",\"person\":\"jane@home.example\","
		"\"kind\":\"b2b-collaboration\",\"upn\":\"jane_d_home.example#EXT#@acme.example\",\"mail\":"
		"\"jane@home.example\",\"name\":\"Jane Doe\",\"enabled\":true}");
	cr_assert(!read.incomplete);
	read_done(&read);
}

Test(ctl_import_graph, a_guest_without_mail_is_known_by_what_the_upn_was_made_of)
{
	char text[MODEL_ADDRESS_LEN_MAX];

	cr_assert(slice_is(import_graph_home(SLICE_LITERAL("jane_d_home.example#EXT#@acme.example"),
					     text),
			   "jane_d@home.example"));
	cr_assert(slice_is(import_graph_home(SLICE_LITERAL("jane@acme.example"), text),
			   "jane@acme.example"));
	cr_assert(slice_is(import_graph_home(SLICE_LITERAL("jane#EXT#@acme.example"), text),
			   "jane#EXT#@acme.example"));
	cr_assert(slice_is(import_graph_home(SLICE_LITERAL("#EXT#@acme.example"), text),
			   "#EXT#@acme.example"));
}

Test(ctl_import_graph, a_deleted_item_keeps_its_clock_and_gets_its_upn_back)
{
	struct read read;

	read_text(
		&read, IMPORT_FORMAT_AUTO, "acme",
		"{\"value\":[\n" GUEST
		"\"0a1b2c3d000011112222333344445555jane_home.example#EXT#@acme.example\",\"mail\":null,"
		"\"deletedDateTime\":\"2026-01-01T00:00:00Z\"}\n],\"@odata.nextLink\":\"https://x\"}");
	assert_row(
		&read, 0,
		"{\"org\":\"acme\",\"id\":\"0a1b2c3d-0000-1111-2222-333344445555\",\"person\":\"jane@home.example\","
		"\"kind\":\"b2b-collaboration\",\"upn\":\"jane_home.example#EXT#@acme.example\",\"name\":\"Jane Doe\","
		"\"enabled\":true,\"deleted_at_us\":1767225600000000}");
	cr_assert(read.incomplete);
	cr_assert_eq(read.set.entries[0].where.line, 2);
	read_done(&read);
}

Test(ctl_import_graph, kinds_come_from_an_own_field_or_the_user_type)
{
	struct read read;

	read_text(
		&read, IMPORT_FORMAT_AUTO, "acme",
		"[{\"id\":\"1\",\"userPrincipalName\":\"u@a.example\",\"userType\":null},"
		"{\"id\":\"2\",\"userPrincipalName\":\"u@a.example\",\"userType\":\"Member\",\"kind\":\"b2b-direct-connect\"}]");
	assert_row(&read, 0, ROW("1"));
	assert_row(
		&read, 1,
		"{\"org\":\"acme\",\"id\":\"2\",\"person\":\"u@a.example\",\"kind\":\"b2b-direct-connect\",\"upn\":"
		"\"u@a.example\"}");
	read_done(&read);
}

Test(ctl_import_graph, groups_and_roles_are_taken_along)
{
	struct read read;

	read_text(
		&read, IMPORT_FORMAT_AUTO, "acme",
		"[{\"id\":\"1\",\"userPrincipalName\":\"u@a.example\",\"memberOf\":[{\"displayName\":\"Sales;EU\"},{\"id\":"
		"\"g2\"}],\"groups\":[\"g3\"],\"appRoleAssignments\":[{\"appRoleId\":\"r1\",\"resourceDisplayName\":\"App\"}],"
		"\"permissions\":[\"p\"]}]");
	assert_row(
		&read, 0,
		"{\"org\":\"acme\",\"id\":\"1\",\"kind\":\"member\",\"upn\":\"u@a.example\",\"groups\":[\"Sales;EU\",\"g2\","
		"\"g3\"],\"permissions\":[\"r1\",\"p\"]}");
	read_done(&read);
}

Test(ctl_import_graph, each_fault_is_told_with_its_place_in_the_list)
{
	assert_faults(
		IMPORT_FORMAT_GRAPH, NULL,
		"{\"value\":[\n{\"id\":\"1\",\"userPrincipalName\":\"u@a.example\"},\n"
		"{\"id\":\"b d\",\"userPrincipalName\":\"u\",\"userType\":\"Robot\",\"memberOf\":[{}],"
		"\"deletedDateTime\":\"soon\"}\n]}",
		"f:2: value[0].org: is missing; --org=… gives it to rows that have none\n"
		"f:3: value[1].id: must be 1 to 64 printable ASCII characters without blanks\n"
		"f:3: value[1].deletedDateTime: is no instant: write 2026-03-01T12:00:00Z\n"
		"f:3: value[1].userPrincipalName: must look like somebody@example.com\n"
		"f:3: value[1].userType: must be Guest or Member\n"
		"f:3: value[1].memberOf: has an entry without a name or id\n");
}

Test(ctl_import_graph, what_is_no_json_is_told_with_its_line)
{
	assert_faults(
		IMPORT_FORMAT_GRAPH, "acme",
		"{\"value\":[\n{\"id\":\"1\",\"userPrincipalName\":\"u@a.example\"},\n{\"id\":\n tru}]}",
		"f:4: value[1]: is no JSON: invalid token near 'tru'\n");
}

Test(ctl_import_send, a_call_holds_a_thousand_rows_at_most)
{
	struct import_set set = {.n = 2500};

	set.entries = calloc(set.n, sizeof(*set.entries));
	cr_assert_eq(import_batch_end(&set, 0), 1000);
	cr_assert_eq(import_batch_end(&set, 2000), 2500);
	for (size_t i = 0; i < set.n; i++) {
		set.entries[i].len = 30000;
	}
	cr_assert_eq(import_batch_end(&set, 0), 30);
	for (size_t i = 0; i < set.n; i++) {
		set.entries[i].len = 2048;
		set.entries[i].n_values = 1000;
	}
	cr_assert_leq(import_batch_end(&set, 0) * 1000, RPC_OBJECTS_MAX);
	free(set.entries);
}

/* What the report of some items says to people. */
struct reported {
	struct ctl ctl;
	struct import_report report;
	char *text;
	size_t len;
};

static void reported_begin(struct reported *reported)
{
	memset(reported, 0, sizeof(*reported));
	import_report_init(&reported->report);
	reported->ctl.show = (struct show){.now = 0,
					   .utc = true,
					   .legend = true,
					   .out = open_memstream(&reported->text, &reported->len)};
}

static void report_item(struct reported *reported, const char *outcome, const char *list,
			size_t index)
{
	struct import_where where = {.file = "f", .line = 1, .list = list, .index = index};
	json_t *item = json_pack("{s:s, s:s, s:s, s:s, s:s}", "org", "acme", "id", "1", "outcome",
				 outcome, "change", "created", "state", "active");

	cr_assert_eq(import_report_add(&reported->report, item, &where, reported->ctl.args.all), 0);
	json_decref(item);
}

static void reported_is(struct reported *reported, const char *text)
{
	cr_assert_eq(import_report_print(&reported->ctl, &reported->report,
					 reported->report.tally.n),
		     0);
	(void)fclose(reported->ctl.show.out);
	cr_assert_str_eq(reported->text, text);
	free(reported->text);
	import_report_done(&reported->report);
}

Test(ctl_import_report, a_refused_row_is_told_with_its_place_in_the_list)
{
	struct reported reported;

	reported_begin(&reported);
	report_item(&reported, "ok", "value", 6);
	report_item(&reported, "irrevocable", "value", 7);
	reported_is(
		&reported,
		"f:1: value[7]: acme/1: refused: permanent deletion has begun and nobody can stop "
		"it; who comes back gets a new account\n"
		"2 rows: 1 created, 0 updated, 0 unchanged, 1 refused: 1 irrevocable\n"
		"irrevocable: permanent deletion has begun and nobody can stop it; who comes back gets a new account\n");
}

Test(ctl_import_report, all_tells_the_rows_that_went_well_too)
{
	struct reported reported;

	reported_begin(&reported);
	reported.ctl.args.all = true;
	report_item(&reported, "ok", NULL, 0);
	reported_is(&reported, "f:1: acme/1: created; active\n"
			       "1 row: 1 created, 0 updated, 0 unchanged\n");
}

Test(ctl_import_report, items_keep_their_place_for_json)
{
	struct reported reported;
	const json_t *item;

	reported_begin(&reported);
	report_item(&reported, "damaged", "value", 7);
	item = json_array_get(reported.report.items, 0);
	cr_assert_str_eq(ctl_json_text(item, "file"), "f");
	cr_assert_str_eq(ctl_json_text(item, "place"), "value[7]");
	(void)fclose(reported.ctl.show.out);
	free(reported.text);
	import_report_done(&reported.report);
}

Test(ctl_import_report, twenty_refused_rows_are_shown_and_the_most_frequent_refusal_is_explained)
{
	struct reported reported;

	reported_begin(&reported);
	report_item(&reported, "damaged", NULL, 0);
	for (int i = 0; i < 30; i++) {
		report_item(&reported, "already-left", NULL, 0);
	}
	cr_assert_eq(import_report_print(&reported.ctl, &reported.report, 40), 0);
	(void)fclose(reported.ctl.show.out);
	cr_assert(
		strstr(reported.text,
		       "\nand 11 more; --json tells all\n"
		       "40 rows: 0 created, 0 updated, 0 unchanged, 31 refused: 30 already-left, 1 "
		       "damaged\n"
		       "already-left: the account has left already; its clock runs on and is not "
		       "restarted, and retentionctl explain says whether it can be restored\n"));
	free(reported.text);
	import_report_done(&reported.report);
}
