/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/prove.h"
#include "daemon/work/answer.h"
#include "daemon/work/cmd.h"

/*
 * store.verify goes through all parts of the store; whoever follows its cursor to the end has had
 * all of it looked at. As a cursor: part 1 | index 1 | length of the key 1 | key, with zeros behind.
 */

#define KEY_LEN    32
#define CURSOR_LEN (3 + KEY_LEN)

static void put_cursor(struct pack_writer *out, const struct store_place *place)
{
	uint8_t bytes[CURSOR_LEN] = {(uint8_t)place->part, place->index, place->key.len};

	assert(place->key.len <= KEY_LEN);
	memcpy(bytes + 3, place->key.bytes, place->key.len);
	answer_put_hex(out, "cursor", bytes, sizeof(bytes));
}

static bool read_cursor(struct slice text, struct store_place *ret_place)
{
	uint8_t bytes[CURSOR_LEN];

	if (!answer_read_hex(text, bytes, sizeof(bytes)) || bytes[0] >= _STORE_PART_MAX ||
	    bytes[2] > KEY_LEN ||
	    (bytes[0] != STORE_PART_INDEXES && bytes[2] != 0 && bytes[2] != 8)) {
		return false;
	}
	*ret_place = (struct store_place){.part = (enum store_part)bytes[0], .index = bytes[1]};
	key_add_bytes(&ret_place->key, bytes + 3, bytes[2]);
	return true;
}

static void put_fault(struct pack_writer *out, const struct store_proof *proof)
{
	pack_put_map(out, "fault");
	pack_put_cstr(out, "what", proof->fault);
	if (proof->uid != 0) {
		pack_put_uint(out, "uid", proof->uid);
	}
	pack_write_end(out);
}

int cmd_store_verify(struct call *call)
{
	const struct request *request = call->request;
	struct store_place place = {0};
	struct store_proof proof;
	enum store_part part;
	int r;

	if (REQUEST_HAS(request, cursor) && !read_cursor(request->cursor, &place)) {
		return call_refuse_argument(call, "cursor", "is not one of this request's");
	}
	part = place.part;
	r = store_prove(call->engine->store, &place, request->limit, &proof);
	if (r < 0) {
		return r;
	}
	pack_write_map(call->out);
	pack_put_cstr(call->out, "part", store_part_name(part));
	pack_put_uint(call->out, "checked", proof.n);
	pack_put_bool(call->out, "ok", !proof.fault);
	if (proof.fault) {
		put_fault(call->out, &proof);
	}
	pack_put_uint(call->out, "started", proof.n_started);
	pack_put_uint(call->out, "completed", proof.n_completed);
	if (proof.more && !proof.fault) {
		put_cursor(call->out, &place);
	}
	pack_write_end(call->out);
	return 0;
}
