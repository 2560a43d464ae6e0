/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/work/replay.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/support/rig.h"
#include "tests/support/temp.h"

#define PORTAL 990

static struct rig rig;

static void set_up(void)
{
	static const struct access_grant grants[] = {{.role = ROLE_ADMIN, .subject = PORTAL}};

	rig_open(&rig, CLOCK_MODE_SIMULATED);
	rig.rules = (struct access_rules){grants, ARRAY_LEN(grants)};
	rig_set_org(&rig, "fabrikam");
	(void)rig_import(&rig, "fabrikam", "ada-lovelace");
	(void)rig_import(&rig, "fabrikam", "g-2");
}

static void tear_down(void)
{
	rig_close(&rig);
}

TestSuite(replay, .init = set_up, .fini = tear_down);

#define REMOVE                                                                                     \
	"{'accounts': [{'org': 'fabrikam', 'id': 'ada-lovelace'}, {'uid': 2},"                     \
	" {'org': 'fabrikam', 'person': 'nobody@home.example'}], 'request_id': 'r-1'}"

static void expect_same_answer(struct slice first)
{
	cr_assert_not(rig.failed);
	cr_assert(slice_equal(rig_answer_body(&rig), first));
}

/* The body of the last answer, the caller's. */
static struct slice keep_body(void)
{
	struct slice body = rig_answer_body(&rig);
	char *bytes = malloc(body.len);

	cr_assert(bytes);
	memcpy(bytes, body.data, body.len);
	return (struct slice){bytes, body.len};
}

static struct slice remove_first(void)
{
	rig_call(&rig, "account.remove", REMOVE);
	cr_assert(rig_is(&rig, "items.0.state", "soft-deleted"));
	return keep_body();
}

Test(replay, the_same_id_gets_the_same_answer_and_nothing_is_done_twice)
{
	struct slice first = remove_first();
	uint64_t head = rig_head(&rig);

	rig_call(&rig, "account.remove", REMOVE);
	expect_same_answer(first);
	cr_assert_eq(rig_head(&rig), head);
	free((void *)first.data);
}

Test(replay, the_first_answer_comes_even_when_the_account_has_moved_on)
{
	struct slice first = remove_first();

	rig_call(&rig, "account.restore", "{'accounts': [{'uid': 2}]}");
	rig_advance(&rig, SPAN_HOUR);
	rig_call(&rig, "account.remove", REMOVE);
	expect_same_answer(first);
	rig_call(&rig, "account.get", "{'uid': 2}");
	cr_assert(rig_is(&rig, "account.state", "active"));
	free((void *)first.data);
}

Test(replay, the_same_id_gets_the_same_answer_after_a_restart)
{
	struct slice first = remove_first();

	rig_restart(&rig);
	rig_call(&rig, "account.remove", REMOVE);
	expect_same_answer(first);
	rig_reopen(&rig);
	rig_call(&rig, "account.remove", REMOVE);
	expect_same_answer(first);
	free((void *)first.data);
}

Test(replay, the_same_id_in_the_same_turn_gets_the_same_answer)
{
	struct slice first;

	rig_begin(&rig);
	rig_send(&rig, "sweep.pause", "{'request_id': 'r-2'}");
	cr_assert(rig_true(&rig, "paused"));
	first = keep_body();
	pack_writer_reset(&rig.answer);
	rig_send(&rig, "sweep.pause", "{'request_id': 'r-2'}");
	rig_end(&rig);
	expect_same_answer(first);
	free((void *)first.data);
}

Test(replay, a_refusal_of_an_item_is_repeated_too)
{
	struct slice first;

	rig_call(&rig, "account.purge", "{'accounts': [{'uid': 1}], 'request_id': 'r-1'}");
	cr_assert(rig_is(&rig, "items.0.outcome", "not-soft-deleted"));
	first = keep_body();
	rig_call(&rig, "account.remove", "{'accounts': [{'uid': 1}]}");
	rig_call(&rig, "account.purge", "{'accounts': [{'uid': 1}], 'request_id': 'r-1'}");
	expect_same_answer(first);
	free((void *)first.data);
}

Test(replay, a_request_that_could_not_be_processed_keeps_no_answer)
{
	rig_call(&rig, "account.remove", "{'accounts': [{'uid': 0}], 'request_id': 'r-1'}");
	cr_assert(rig_refused(&rig, "invalid-argument", "uid"));
	rig_call(&rig, "account.remove", "{'accounts': [{'uid': 1}], 'request_id': 'r-1'}");
	cr_assert(rig_is(&rig, "items.0.outcome", "ok"));
}

Test(replay, the_answer_of_a_result_without_items_is_repeated)
{
	struct slice first;

	rig_call(&rig, "org.set", "{'org': 'contoso', 'name': 'One', 'request_id': 'r-1'}");
	first = keep_body();
	rig_call(&rig, "org.set", "{'org': 'contoso', 'name': 'Two'}");
	rig_call(&rig, "org.set", "{'org': 'contoso', 'name': 'One', 'request_id': 'r-1'}");
	expect_same_answer(first);
	rig_call(&rig, "org.get", "{'org': 'contoso'}");
	cr_assert(rig_is(&rig, "org.name", "Two"));
	free((void *)first.data);
}

Test(replay, an_import_is_repeated)
{
#define IMPORT                                                                                     \
	"{'accounts': [{'org': 'fabrikam', 'id': 'n-1', 'kind': 'member', 'upn': 'n@x.example',"   \
	" 'groups': ['a', 'b']}], 'request_id': 'r-1'}"
	struct slice first;

	rig_call(&rig, "account.import", IMPORT);
	cr_assert(rig_is(&rig, "items.0.change", "created"));
	first = keep_body();
	rig_call(&rig, "account.import", IMPORT);
	expect_same_answer(first);
	free((void *)first.data);
}

Test(replay, the_same_id_of_another_peer_is_another_request)
{
	struct slice first = remove_first();

	rig.session.peer.uid = PORTAL;
	rig_call(&rig, "account.remove", REMOVE);
	cr_assert(rig_is(&rig, "items.0.outcome", "already-left"));
	free((void *)first.data);
}

Test(replay, an_id_used_for_another_request_is_refused)
{
	struct slice first = remove_first();

	rig_call(&rig, "account.remove", "{'accounts': [{'uid': 1}], 'request_id': 'r-1'}");
	cr_assert(rig_refused(&rig, "invalid-argument",
			      "request_id: was used for another request within the last 24 h"));
	rig_call(&rig, "account.purge", REMOVE);
	cr_assert(rig_refused(&rig, "invalid-argument", "request_id"));
	rig_call(&rig, "account.remove", REMOVE);
	expect_same_answer(first);
	free((void *)first.data);
}

Test(replay, an_answer_is_kept_for_24_hours_and_then_forgotten)
{
	struct slice first = remove_first();

	rig_advance(&rig, REPLAY_KEPT_FOR - 1);
	rig_turn(&rig);
	rig_call(&rig, "account.remove", REMOVE);
	expect_same_answer(first);
	rig_advance(&rig, SPAN_MINUTE + 1);
	rig_turn(&rig);
	rig_call(&rig, "account.remove", REMOVE);
	cr_assert(rig_is(&rig, "items.0.outcome", "already-left"));
	free((void *)first.data);
}

static bool holds(struct slice bytes, const char *text)
{
	return memmem(bytes.data, bytes.len, text, strlen(text)) != NULL;
}

/* The kept bytes themselves, and the whole file they are in. */
Test(replay, what_is_kept_names_nobody)
{
	cleanup(freep) char *place = temp_path_new(rig.directory, "store");
	cleanup(freep) char *data = temp_path_new(place, "data.mdb");
	struct slice first, file;
	uint8_t key[ROWS_HASH_LEN];
	struct slice kept;

	rig_call(&rig, "account.remove",
		 "{'accounts': [{'org': 'fabrikam', 'id': 'ada-lovelace'},"
		 " {'org': 'fabrikam', 'person': 'g-2@home.example'}],"
		 " 'reason': 'a-certain-reason', 'request_id': 'a-certain-request'}");
	cr_assert(rig_is(&rig, "items.0.outcome", "ok"));
	first = keep_body();
	cr_assert(holds(first, "ada-lovelace"));

	store_answer_key(rig.engine->store, 0, slice_of("a-certain-request"), key);
	cr_assert_eq(store_get_answer(rig.engine->store, key, &kept), 0);
	cr_assert(holds(kept, "soft-deleted"));
	cr_assert_not(holds(kept, "ada-lovelace"));
	cr_assert_not(holds(kept, "g-2@home.example"));
	rig_kill(&rig);
	file = temp_file_read(data);
	cr_assert(holds(file, "soft-deleted"));
	cr_assert_not(holds(file, "ada-lovelace"));
	cr_assert_not(holds(file, "home.example"));
	cr_assert_not(holds(file, "a-certain-re"));
	free((void *)file.data);
	free((void *)first.data);
}

/* Bytes from the disk are refused, wherever they are cut. */
Test(replay, kept_bytes_that_are_damaged_are_an_error)
{
	struct slice first = remove_first(), kept;
	uint8_t key[ROWS_HASH_LEN];
	char whole[4096];
	size_t n;

	store_answer_key(rig.engine->store, 0, slice_of("r-1"), key);
	cr_assert_eq(store_get_answer(rig.engine->store, key, &kept), 0);
	cr_assert_lt(kept.len, sizeof(whole));
	memcpy(whole, kept.data, kept.len);
	n = kept.len;
	for (size_t len = 0; len < n; ++len) {
		cr_assert_eq(store_put_answer(rig.engine->store, 0, key, rig_now(&rig) + SPAN_DAY,
					      (struct slice){whole, len}),
			     0);
		rig_call(&rig, "account.remove", REMOVE);
		cr_assert(rig_refused(&rig, "damaged", "request_id"));
	}
	whole[1 + ROWS_HASH_LEN + 1] = '\xff'; /* more values than bytes could hold */
	cr_assert_eq(store_put_answer(rig.engine->store, 0, key, rig_now(&rig) + SPAN_DAY,
				      (struct slice){whole, n}),
		     0);
	rig_call(&rig, "account.remove", REMOVE);
	cr_assert(rig_refused(&rig, "damaged", "request_id"));
	whole[0] = 2; /* an unknown form */
	cr_assert_eq(store_put_answer(rig.engine->store, 0, key, rig_now(&rig) + SPAN_DAY,
				      (struct slice){whole, n}),
		     0);
	rig_call(&rig, "account.remove", REMOVE);
	cr_assert(rig_refused(&rig, "damaged", "request_id"));
	free((void *)first.data);
}

/* The rig reads each answer whole, and ends the test over one that is not. */
static void expect_whole_answers(const char *method, const char *arguments)
{
	uint8_t key[ROWS_HASH_LEN];
	struct slice kept;
	char bytes[4096];
	size_t n;

	store_answer_key(rig.engine->store, 0, slice_of("r-1"), key);
	cr_assert_eq(store_get_answer(rig.engine->store, key, &kept), 0);
	cr_assert_lt(kept.len, sizeof(bytes));
	n = kept.len;
	memcpy(bytes, kept.data, n);
	for (size_t i = 0; i < 8 * n; ++i) {
		bytes[i / 8] = (char)((uint8_t)bytes[i / 8] ^ 1U << i % 8);
		cr_assert_eq(store_put_answer(rig.engine->store, 0, key, rig_now(&rig) + SPAN_DAY,
					      (struct slice){bytes, n}),
			     0);
		rig_call(&rig, method, "%s", arguments);
		bytes[i / 8] = (char)((uint8_t)bytes[i / 8] ^ 1U << i % 8);
	}
}

Test(replay, kept_bytes_that_are_changed_break_no_message)
{
	struct slice first = remove_first();

	expect_whole_answers("account.remove", REMOVE);
	free((void *)first.data);
}

/* A daemon that tried it again in every turn would find no rest. */
Test(replay, a_sum_that_is_damaged_stops_no_forgetting)
{
	struct slice first = remove_first();

	rig_tamper(&rig, KV_ANSWERS, key_org(0), SLICE_LITERAL("?"));
	rig_advance(&rig, SPAN_DAY);
	rig_idle(&rig);
	rig_call(&rig, "account.remove", REMOVE);
	cr_assert(rig_is(&rig, "items.0.outcome", "already-left"));
	free((void *)first.data);
}

#define SET "{'org': 'fabrikam', 'name': 'Fabrikam', 'request_id': 'r-1'}"

Test(replay, a_kept_result_that_is_changed_breaks_no_message)
{
	rig_call(&rig, "org.set", SET);
	cr_assert(rig_is(&rig, "outcome", "ok"));
	expect_whole_answers("org.set", SET);
}

#define LARGE_ITEMS 1000
#define LARGE_ITEM  (RPC_FRAME_LARGE_MAX / LARGE_ITEMS) /* bytes, and what is left for the frame */

static void write_pair(struct pack_writer *item, const char *key, const char *value)
{
	pack_write_cstr(item, key);
	pack_write_cstr(item, value);
}

static void write_short_array(struct pack_writer *item, const char *key)
{
	pack_write_cstr(item, key);
	pack_write_raw(item, SLICE_LITERAL("\x9f"), 1);
	for (int i = 0; i < 15; ++i) {
		pack_write_cstr(item, "a-group-of-twenty-five-by");
	}
}

/* A map with a header of one byte, of exactly LARGE_ITEM bytes. */
static void write_large_item(struct pack_writer *writer, int i)
{
	struct pack_writer item;
	char name[LARGE_ITEM], id[16], upn[48];

	(void)snprintf(id, sizeof(id), "large-%d", i);
	(void)snprintf(upn, sizeof(upn), "large-%d@home.example", i);
	pack_writer_init(&item, 2 * LARGE_ITEM);
	pack_write_raw(&item, SLICE_LITERAL("\x87"), 1);
	write_pair(&item, "org", "fabrikam");
	write_pair(&item, "id", id);
	write_pair(&item, "kind", "member");
	write_pair(&item, "upn", upn);
	write_short_array(&item, "groups");
	write_short_array(&item, "permissions");
	pack_write_cstr(&item, "name");
	memset(name, 'n', sizeof(name));
	pack_write_text(&item, (struct slice){name, LARGE_ITEM - 2 - item.len});
	cr_assert_eq(item.len, LARGE_ITEM);
	pack_write_raw(writer, (struct slice){item.data, item.len}, 1);
	pack_writer_done(&item);
}

/* Packed anew to be told from others, a short map or array is longer than it came. */
Test(replay, the_largest_request_may_have_an_id)
{
	struct pack_writer *writer = &rig.request;

	pack_writer_reset(writer);
	rpc_write_request(writer, 9, "account.import");
	pack_write_map(writer);
	pack_put_cstr(writer, "request_id", "r-large");
	pack_put_array(writer, "accounts");
	for (int i = 0; i < LARGE_ITEMS; ++i) {
		write_large_item(writer, i);
	}
	pack_write_end(writer);
	pack_write_end(writer);
	rpc_write_request_end(writer);
	cr_assert_leq(writer->len, RPC_FRAME_LARGE_MAX);
	rig_begin(&rig);
	rig_send_bytes(&rig, (struct slice){writer->data, writer->len});
	rig_end(&rig);
	cr_assert_eq(rig_count(&rig, "items"), LARGE_ITEMS);
	cr_assert(rig_is(&rig, "items.999.change", "created"));
}
