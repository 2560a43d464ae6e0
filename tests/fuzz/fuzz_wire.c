/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "ctl/fault.h"
#include "ctl/json.h"
#include "daemon/work/events.h"
#include "daemon/work/verify.h"

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/grammar.h"
#include "tests/fuzz/house.h"
#include "tests/fuzz/values.h"
#include "tests/support/random.h"

/*
 * Bytes as peers send them, through parser, dispatcher, engine and store. The first byte and a
 * message's number choose which of the house's peers has sent it; the second how the stream is cut
 * into pieces, each of which is a turn, and whether the daemon is started again at the end.
 *
 *   - However it is cut, the stream has the same messages, and ends in the same refusal.
 *   - What the scanner accepts, msgpack-c accepts too, at the same length.
 *   - Each request has one answer, of its number, that a client can read; nothing else has one.
 *   - The ledger and the accounts are sound afterwards.
 */

/* The second byte. */
#define CUT_MAX   0x3f /* the longest piece, in 16 bytes; 0 for one piece */
#define THEN_KILL 0x40
#define THEN_STOP 0x80

static const struct pack_limits answer_limits = {RPC_ANSWER_MAX, UINT32_MAX, PACK_DEPTH_MAX};
static const struct pack_limits frame_limits = {RPC_FRAME_LARGE_MAX, RPC_OBJECTS_MAX,
						RPC_DEPTH_MAX};

/* How a stream has been understood: equal for two ways to cut it. */
struct reading {
	size_t n_messages;
	size_t n_bytes;
	int end;
};

/* Answers and events */

static void prove_shown(const struct pack_value *value, bool failed)
{
	struct ctl_fault fault;
	json_t *json;
	int r = ctl_json_from_pack(value, &json);

	assert(r == 0);
	if (failed) {
		const char *text = json_string_value(json_array_get(json, 1));

		assert(text && strncmp(text, "hex:", 4) != 0 && strchr(text, ':'));
		r = ctl_fault_of_error(value, &fault);
		assert(r != 0 && fault.code[0] && fault.text[0]);
	}
	json_decref(json);
}

static struct pack_value read_whole(struct house *house, struct slice bytes)
{
	struct pack_scanner scanner = {0};
	struct pack_value value;
	size_t len;
	int r = pack_scan(&scanner, &answer_limits, bytes.data, bytes.len, &len);

	assert(r == 0 && len == bytes.len);
	r = pack_read(house->rig.reader, bytes.data, bytes.len, &value);
	assert(r == 0 && value.type == PACK_ARRAY);
	return value;
}

static bool is_number(const struct pack_value *array, uint32_t i, int64_t number)
{
	struct pack_value value = pack_array_at(array, i);

	return value.type == PACK_INT && value.integer == number;
}

static void prove_answer(struct house *house, size_t start, uint32_t msgid)
{
	const struct pack_writer *out = &house->rig.answer;
	struct pack_value answer, error, result;

	assert(out->error == 0 && out->len - start <= RPC_ANSWER_MAX);
	answer = read_whole(house, (struct slice){out->data + start, out->len - start});
	assert(answer.list.n == 4 && is_number(&answer, 0, RPC_RESPONSE));
	assert(is_number(&answer, 1, msgid));
	error = pack_array_at(&answer, 2);
	result = pack_array_at(&answer, 3);
	if (error.type == PACK_NIL) {
		assert(result.type == PACK_MAP);
		prove_shown(&result, false);
	} else {
		assert(error.type == PACK_ARRAY && error.list.n == 2 && result.type == PACK_NIL);
		prove_shown(&error, true);
	}
}

/* What a subscriber is told, until there is no more. */
static void push(struct house *house, struct session *session)
{
	struct pack_writer *out = &house->rig.answer;
	bool more = session->next_seq > 0;

	while (more) {
		int r;

		pack_writer_reset(out);
		more = false;
		r = events_write(house->rig.engine, session, out, &more);
		assert(r == 0 || r == SESSION_E_FORBIDDEN);
		assert(out->error == 0);
		for (size_t at = 0; at < out->len;) {
			struct pack_scanner scanner = {0};
			size_t len;

			r = pack_scan(&scanner, &answer_limits, out->data + at, out->len - at,
				      &len);
			assert(r == 0 && len <= EVENTS_BYTES_MAX);
			(void)read_whole(house, (struct slice){out->data + at, len});
			at += len;
		}
	}
}

/* Messages */

static void dispatch(struct house *house, const struct rpc_message *message, uint8_t who)
{
	struct session *session = &house->sessions[(who + message->msgid) % HOUSE_PEERS];
	struct rig *rig = &house->rig;
	int r;

	pack_writer_reset(&rig->answer);
	r = dispatch_message(rig->engine, session, message, &rig->answer);
	assert(r == 0);
	if (message->type == RPC_REQUEST) {
		prove_answer(house, 0, message->msgid);
	} else {
		assert(rig->answer.len == 0);
	}
}

static void refuse(struct house *house, int error, struct slice bytes)
{
	struct pack_writer *out = &house->rig.answer;
	uint32_t msgid;

	if (error == RPC_E_TOO_LARGE && rpc_peek_msgid(bytes.data, bytes.len, &msgid)) {
		pack_writer_reset(out);
		rpc_write_error(out, msgid, RPC_ERROR_WRONG, "too-large", "less");
		prove_answer(house, 0, msgid);
	}
}

/* @house: NULL to understand only */
static int take_message(struct house *house, struct rpc_parser *parser, struct slice bytes,
			uint8_t who, struct reading *reading)
{
	struct rpc_message message;
	int r = rpc_parse(parser, bytes.data, bytes.len, &message);

	reading->end = r;
	if (r == 0) {
		assert(message.bytes > 0 && message.bytes <= bytes.len);
		assert(message.type != RPC_NOTIFICATION || message.msgid == 0);
		reading->n_messages++;
		reading->n_bytes += message.bytes;
	}
	if (house && r == 0) {
		dispatch(house, &message, who);
	} else if (house) {
		refuse(house, r, bytes);
	}
	return r;
}

/* Every message that has come whole. */
static void take_messages(struct house *house, struct rpc_parser *parser, struct slice come,
			  uint8_t who, struct reading *reading)
{
	int r = 0;

	while (r == 0 && reading->n_bytes < come.len) {
		struct slice rest = {come.data + reading->n_bytes, come.len - reading->n_bytes};

		r = take_message(house, parser, rest, who, reading);
	}
}

static void end_turn(struct house *house)
{
	int r;

	house_commit(house);
	for (size_t i = 0; i < HOUSE_PEERS; i++) {
		push(house, &house->sessions[i]);
	}
	r = engine_settle(house->rig.engine);
	assert(r == 0);
}

static struct reading take_stream(struct house *house, struct slice stream, uint8_t who,
				  uint8_t cut)
{
	struct reading reading = {.end = RPC_E_MORE};
	struct slice come = {stream.data, 0};
	uint64_t state = cut;
	struct rpc_parser *parser;
	int r = rpc_parser_new(&parser);

	assert(r == 0);
	while (come.len < stream.len && reading.end <= RPC_E_MORE) {
		come.len += cut == 0 ? stream.len : 1 + random_below(&state, 16 * (uint32_t)cut);
		come.len = MIN(come.len, stream.len);
		if (house) {
			rig_begin(&house->rig);
		}
		take_messages(house, parser, come, who, &reading);
		if (house) {
			end_turn(house);
		}
	}
	(void)rpc_parser_free(parser); /* NULL */
	return reading;
}

/* The two decoders agree on every value that is whole, wherever it stands. */
static void compare_decoders(struct slice stream)
{
	static struct pack_reader *reader;
	struct pack_writer writer;
	size_t len, len_again;
	int r = reader ? 0 : pack_reader_new(&reader);

	assert(r == 0);
	pack_writer_init(&writer, 2 * RPC_FRAME_LARGE_MAX);
	for (size_t at = 0; at < stream.len; at += len) {
		struct pack_scanner scanner = {0};
		struct pack_value value;

		r = pack_scan(&scanner, &frame_limits, stream.data + at, stream.len - at, &len);
		if (r != 0) {
			break;
		}
		r = pack_read(reader, stream.data + at, len, &value);
		assert(r == 0);
		pack_writer_reset(&writer);
		pack_write_value(&writer, &value);
		if (writer.error == 0) {
			scanner = (struct pack_scanner){0};
			r = pack_scan(&scanner, &answer_limits, writer.data, writer.len,
				      &len_again);
			assert(r == 0 && len_again == writer.len);
		}
	}
	pack_writer_done(&writer);
}

static void prove_ledger(struct house *house)
{
	const struct store *store = house->rig.engine->store;
	struct verification verification = {0};

	for (uint64_t from = 1; from <= store_head(store)->seq; from = verification.seq + 1) {
		int r = verify_stretch(house->rig.engine->store, from, UINT32_MAX,
				       house->rig.engine->now, &verification);

		assert(r == 0);
		if (verification.fault) {
			(void)fprintf(stderr, "entry %llu: %s\n",
				      (unsigned long long)verification.seq, verification.fault);
			abort();
		}
	}
}

/*
 * What was due is done, and what was promised outlives a kill, whose tail of the ledger is retold,
 * and a stop, which leaves none.
 */
static void prove_afterwards(struct house *house, uint8_t cut)
{
	rig_idle(&house->rig);
	prove_ledger(house);
	if (cut & THEN_KILL) {
		rig_restart(&house->rig);
		rig_idle(&house->rig);
		prove_ledger(house);
	}
	if (cut & THEN_STOP) {
		rig_reopen(&house->rig);
		prove_ledger(house);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct feed feed = {data, len};
	uint8_t who = feed_u8(&feed), cut = feed_u8(&feed);
	struct slice stream = feed_rest(&feed);
	struct house *house = house_enter();
	struct reading whole = take_stream(NULL, stream, who, 0);
	struct reading cut_up = take_stream(house, stream, who, cut & CUT_MAX);

	values_prove();
	assert(whole.n_messages == cut_up.n_messages && whole.n_bytes == cut_up.n_bytes);
	assert(whole.end == cut_up.end);
	compare_decoders(stream);
	if (house->dirty) {
		prove_afterwards(house, cut);
	}
	return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t len_max, unsigned seed)
{
	return grammar_mutate(data, len, len_max, seed);
}
