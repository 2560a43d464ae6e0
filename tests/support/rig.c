/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/rig.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>

#include "ctl/json.h"

#include "tests/support/temp.h"

#define TURNS_MAX 10000 /* a rig that is not idle after so many never will be */

void rig_start(struct rig *rig)
{
	int r = engine_open(&rig->options, &rig->reading, &rig->engine);

	assert(r == 0);
}

void rig_prepare(struct rig *rig, char *directory, enum clock_mode mode, uint64_t map_bytes)
{
	int r;

	*rig = (struct rig){
		.directory = directory,
		.reading = {.wall = RIG_BEGIN, .boot = SPAN_HOUR},
	};
	rig->options = (struct engine_options){
		.store = {.directory = rig->directory, .map_bytes = map_bytes},
		.clock_mode = mode,
		.simulated_at = RIG_BEGIN,
		.boot_id = {{1}},
		.rules = &rig->rules,
	};
	pack_writer_init(&rig->request, 4 * RPC_FRAME_LARGE_MAX);
	pack_writer_init(&rig->answer, RPC_ANSWER_MAX);
	r = rpc_parser_new(&rig->parser);
	assert(r == 0);
	r = pack_reader_new(&rig->reader);
	assert(r == 0);
}

void rig_open_map(struct rig *rig, enum clock_mode mode, uint64_t map_bytes)
{
	rig_prepare(rig, temp_directory_new(), mode, map_bytes);
	rig_start(rig);
}

void rig_open(struct rig *rig, enum clock_mode mode)
{
	rig_open_map(rig, mode, RIG_MAP_BYTES);
}

void rig_close(struct rig *rig)
{
	if (rig->engine) {
		rig_kill(rig);
	}
	pack_writer_done(&rig->request);
	pack_writer_done(&rig->answer);
	rig->parser = rpc_parser_free(rig->parser);
	rig->reader = pack_reader_free(rig->reader);
	rig->directory = temp_directory_free(rig->directory);
}

/* A simulated clock begins again where it stood, or later: the ledger may be ahead of it. */
static void keep_clock(struct rig *rig)
{
	rig->options.simulated_at = rig->engine->clock.base;
}

void rig_reopen(struct rig *rig)
{
	int r;

	keep_clock(rig);
	r = engine_close(rig->engine);
	assert(r == 0);
	rig_start(rig);
}

/* engine_close() without its settling. */
void rig_kill(struct rig *rig)
{
	struct engine *engine = TAKE_PTR(rig->engine);

	rig->options.simulated_at = engine->clock.base;
	(void)signer_close(engine->signer);
	(void)backup_free(engine->backups.backup);
	(void)store_close(engine->store);
	guarding_done(&engine->guarding);
	pack_writer_done(&engine->scratch);
	free(engine->call);
	free(engine->request);
	free(engine);
}

void rig_reboot(struct rig *rig)
{
	rig_kill(rig);
	rig->options.boot_id.bytes[0]++;
	rig->reading.boot = SPAN_MINUTE;
	rig_start(rig);
}

void rig_restart(struct rig *rig)
{
	rig_kill(rig);
	rig_start(rig);
}

void rig_advance(struct rig *rig, span_t span)
{
	rig->reading.wall += span;
	rig->reading.boot += span;
	if (rig->engine->clock.mode == CLOCK_MODE_SIMULATED) {
		bool moved = clock_advance(&rig->engine->clock, rig->engine->clock.base + span);

		assert(moved);
	}
}

instant_t rig_now(const struct rig *rig)
{
	return rig->engine->now;
}

void rig_begin(struct rig *rig)
{
	engine_begin_turn(rig->engine, &rig->reading);
	pack_writer_reset(&rig->answer);
}

void rig_end(struct rig *rig)
{
	int r = engine_work(rig->engine);

	assert(r == 0);
	r = engine_commit(rig->engine);

	assert(r == 0);
	r = engine_settle(rig->engine);
	assert(r == 0);
}

void rig_turn(struct rig *rig)
{
	rig_begin(rig);
	rig_end(rig);
}

void rig_idle(struct rig *rig)
{
	uint32_t n_turns = 0;

	do {
		rig_turn(rig);
		assert(++n_turns < TURNS_MAX);
	} while (engine_sleep(rig->engine) == 0);
}

/* The last of the answers written so far: answers begin at @start. */
static void read_answer(struct rig *rig, size_t start)
{
	static const struct pack_limits limits = {RPC_ANSWER_MAX, UINT32_MAX, PACK_DEPTH_MAX};
	struct pack_scanner scanner = {0};
	struct pack_value answer, error;
	size_t len;
	int r;

	assert(rig->answer.error == 0);
	r = pack_scan(&scanner, &limits, rig->answer.data + start, rig->answer.len - start, &len);
	assert(r == 0 && len == rig->answer.len - start);
	r = pack_read(rig->reader, rig->answer.data + start, len, &answer);
	assert(r == 0);
	error = pack_array_at(&answer, 2);
	rig->failed = error.type != PACK_NIL;
	rig->result = rig->failed ? error : pack_array_at(&answer, 3);
}

void rig_send_bytes(struct rig *rig, struct slice bytes)
{
	size_t start = rig->answer.len;
	struct rpc_message message;
	int r = rpc_parse(rig->parser, bytes.data, bytes.len, &message);

	assert(r == 0);
	r = dispatch_message(rig->engine, &rig->session, &message, &rig->answer);
	assert(r == 0);
	if (rig->answer.len > start) {
		read_answer(rig, start);
	}
}

/* The arguments' JSON, in which a test writes single quotes. */
static json_t *printf_like(1, 0) parse_json(const char *format, va_list arguments)
{
	json_error_t error;
	json_t *json;
	char *text;
	int n = vasprintf(&text, format, arguments);

	assert(n >= 0);
	for (char *at = text; (at = strchr(at, '\'')); ++at) {
		*at = '"';
	}
	json = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	if (!json) {
		(void)fprintf(stderr, "%s: %s\n", error.text, text);
		abort();
	}
	free(text);
	return json;
}

static void printf_like(3, 0)
	send_json(struct rig *rig, const char *method, const char *format, va_list arguments)
{
	json_t *json = parse_json(format, arguments);
	int r;

	pack_writer_reset(&rig->request);
	rpc_write_request(&rig->request, ++rig->msgid, method);
	r = ctl_json_to_pack(&rig->request, json);
	assert(r == 0);
	rpc_write_request_end(&rig->request);
	assert(rig->request.error == 0);
	json_decref(json);
	rig_send_bytes(rig, (struct slice){rig->request.data, rig->request.len});
}

void rig_send(struct rig *rig, const char *method, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	send_json(rig, method, format, arguments);
	va_end(arguments);
}

void rig_call(struct rig *rig, const char *method, const char *format, ...)
{
	va_list arguments;

	rig_begin(rig);
	va_start(arguments, format);
	send_json(rig, method, format, arguments);
	va_end(arguments);
	rig_end(rig);
}

/* dc 00 04, 01, then the msgid in its shortest form: 1, 2, 3 or 5 bytes. */
struct slice rig_answer_body(const struct rig *rig)
{
	uint8_t first = (uint8_t)rig->answer.data[4];
	size_t header = first < 0x80 ? 5 : first == 0xcc ? 6 : first == 0xcd ? 7 : 9;

	assert(rig->answer.len > header);
	return (struct slice){rig->answer.data + header, rig->answer.len - header};
}

/* One step of a path: an index into an array, or a key of a map. */
static bool find_step(const struct pack_value *at, const char *step, struct pack_value *ret_value)
{
	if (at->type == PACK_MAP) {
		return pack_map_get(at, step, ret_value);
	}
	if (at->type != PACK_ARRAY || strtoul(step, NULL, 10) >= at->list.n) {
		return false;
	}
	*ret_value = pack_array_at(at, (uint32_t)strtoul(step, NULL, 10));
	return true;
}

bool rig_find(const struct rig *rig, const char *path, struct pack_value *ret_value)
{
	struct pack_value at = rig->result;
	cleanup(freep) char *steps = strdup(path);
	char *rest = steps, *step;

	assert(steps);
	while ((step = strsep(&rest, "."))) {
		if (!find_step(&at, step, &at)) {
			return false;
		}
	}
	*ret_value = at;
	return true;
}

bool rig_has(const struct rig *rig, const char *path)
{
	struct pack_value value;

	return rig_find(rig, path, &value);
}

bool rig_true(const struct rig *rig, const char *path)
{
	struct pack_value value;

	return rig_find(rig, path, &value) && value.type == PACK_BOOL && value.boolean;
}

bool rig_is(const struct rig *rig, const char *path, const char *text)
{
	struct pack_value value;

	return rig_find(rig, path, &value) && value.type == PACK_TEXT && slice_is(value.text, text);
}

int64_t rig_number(const struct rig *rig, const char *path)
{
	struct pack_value value;

	return rig_find(rig, path, &value) && value.type == PACK_INT ? value.integer : -1;
}

uint32_t rig_count(const struct rig *rig, const char *path)
{
	struct pack_value value;

	return rig_find(rig, path, &value) && value.type == PACK_ARRAY ? value.list.n : 0;
}

char *rig_text(const struct rig *rig, const char *path)
{
	struct pack_value value = {.type = PACK_NIL};
	bool found = rig_find(rig, path, &value) && value.type == PACK_TEXT;
	char *text = found ? strndup(value.text.data, value.text.len) : strdup("");

	assert(text);
	return text;
}

bool rig_refused(const struct rig *rig, const char *code, const char *part)
{
	cleanup(freep) char *text = rig_text(rig, "1");
	size_t len = strlen(code);

	return rig->failed && strncmp(text, code, len) == 0 && text[len] == ':' &&
	       strstr(text + len, part);
}

void rig_set_org(struct rig *rig, const char *org)
{
	rig_call(rig, "org.set", "{'org': '%s', 'privacy_contact': 'privacy@%s.example'}", org,
		 org);
	assert(rig_is(rig, "outcome", "ok"));
}

void rig_unguard(struct rig *rig, const char *org)
{
	rig_call(rig, "org.set", "{'org': '%s', 'guard_percent': 100}", org);
	assert(rig_is(rig, "outcome", "ok"));
}

uint64_t rig_import(struct rig *rig, const char *org, const char *id)
{
	rig_call(rig, "account.import",
		 "{'accounts': [{'org': '%s', 'id': '%s', 'kind': 'b2b-collaboration',"
		 " 'upn': '%s@home.example'}]}",
		 org, id, id);
	assert(rig_is(rig, "items.0.change", "created"));
	return (uint64_t)rig_number(rig, "items.0.uid");
}

uint64_t rig_head(const struct rig *rig)
{
	return store_head(rig->engine->store)->seq;
}

struct account rig_row(const struct rig *rig, uint64_t uid)
{
	struct account account;
	int r = store_get_account(rig->engine->store, uid, &account);

	assert(r == 0);
	return account;
}

bool rig_is_removed(const struct rig *rig, uint64_t uid)
{
	return rig_row(rig, uid).facts.removed_at != INSTANT_NONE;
}

void rig_change(struct rig *rig, const char *method, uint64_t uid)
{
	rig_call(rig, method, "{'accounts': [{'uid': %llu}]}", (unsigned long long)uid);
	assert(rig_is(rig, "items.0.outcome", "ok"));
}

uint64_t rig_purge(struct rig *rig, const char *org, const char *id)
{
	uint64_t uid = rig_import(rig, org, id);

	rig_change(rig, "account.remove", uid);
	rig_change(rig, "account.purge", uid);
	return uid;
}

void rig_set_keeper(struct rig *rig, const char *keeper)
{
	rig_call(rig, "keeper.set", "{'keeper': '%s'}", keeper);
	assert(rig_is(rig, "outcome", "ok"));
}

void rig_put_row(struct rig *rig, enum kv_table table, struct key key, struct slice row)
{
	cleanup(freep) char *place = temp_path_new(rig->directory, "store");
	struct kv_txn *txn;
	struct kv *kv;
	int r;

	rig_kill(rig);
	r = kv_open(place, RIG_MAP_BYTES, false, &kv);
	assert(r == 0);
	r = kv_begin(kv, true, &txn);
	assert(r == 0);
	kv_put(txn, table, key_slice(&key), row);
	r = kv_commit(txn);
	assert(r == 0);
	(void)kv_close(kv);
}

void rig_tamper(struct rig *rig, enum kv_table table, struct key key, struct slice row)
{
	rig_put_row(rig, table, key, row);
	rig_start(rig);
}
