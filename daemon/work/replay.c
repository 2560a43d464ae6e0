/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/work/replay.h"

#include <errno.h>

/*
 * What is kept: form 1 | fingerprint of the request, 16 bytes | 'r' and the packed result,
 * or 'i' and for each item: number of values 1 | length 2 | packed keys and values.
 */

#define KEPT_FORM       1
#define KEPT_HEADER_LEN (1 + ROWS_HASH_LEN + 1)
#define KEPT_ITEM_LEN   3
#define KEPT_NAME       "the answer kept for this request_id"

/* Containers around what is kept: the answer and its result, then the list and the item. */
#define DEPTH_OF_ITEM   4
#define DEPTH_OF_RESULT 1

/* Method and arguments, packed anew: the bytes of the frame differ in msgid at least. */
static int replay_fingerprint(struct call *call, const struct pack_value *params, uint8_t *ret_hash)
{
	struct pack_writer *scratch = &call->engine->scratch;

	pack_writer_reset(scratch);
	pack_write_cstr(scratch, call->command->method);
	pack_write_value(scratch, params);
	if (scratch->error != 0) {
		return -ENOMEM; /* there is room for the largest frame */
	}
	store_fingerprint(call->engine->store, (struct slice){scratch->data, scratch->len},
			  ret_hash);
	return 0;
}

/*
 * Whether these are so many whole values and nothing else: a damaged row must not end in the midst
 * of a message, for the peer would take the next answer for the rest of it.
 */
static bool replay_is_whole(struct slice bytes, uint32_t n_values, uint8_t depth)
{
	const struct pack_limits limits = {RPC_ANSWER_MAX, UINT32_MAX,
					   (uint8_t)(PACK_DEPTH_MAX - depth)};
	size_t len;

	for (uint32_t i = 0; i < n_values; i++) {
		struct pack_scanner scanner = {0};

		if (pack_scan(&scanner, &limits, bytes.data, bytes.len, &len) != 0) {
			return false;
		}
		bytes = (struct slice){bytes.data + len, bytes.len - len};
	}
	return bytes.len == 0;
}

static bool replay_item(struct call *call, const struct item *item, struct slice *kept)
{
	struct slice values;
	uint32_t n_values;

	if (kept->len < KEPT_ITEM_LEN) {
		return false;
	}
	n_values = (uint8_t)kept->data[0];
	values = (struct slice){kept->data + KEPT_ITEM_LEN, load_be16(kept->data + 1)};
	if (kept->len < KEPT_ITEM_LEN + values.len || n_values % 2 != 0 ||
	    !replay_is_whole(values, n_values, DEPTH_OF_ITEM)) {
		return false;
	}
	pack_write_map(call->out);
	call_put_item_name(call->out, item);
	pack_write_raw(call->out, values, n_values);
	pack_write_end(call->out);
	*kept = (struct slice){values.data + values.len, kept->len - KEPT_ITEM_LEN - values.len};
	return true;
}

static bool replay_items(struct call *call, struct slice kept)
{
	const struct items *items = call_items(call);
	bool whole = true;

	call_begin_items(call);
	for (uint32_t i = 0; i < items->n && whole; ++i) {
		whole = replay_item(call, &items->at[i], &kept);
	}
	call_end_items(call);
	return whole && kept.len == 0;
}

/* Return: 0 or CALL_E_REFUSED. */
static int replay_kept(struct call *call, const uint8_t *fingerprint, struct slice kept)
{
	struct slice rest = {kept.data + KEPT_HEADER_LEN, kept.len - KEPT_HEADER_LEN};

	if (kept.len <= KEPT_HEADER_LEN || kept.data[0] != KEPT_FORM) {
		return call_refuse_damaged(call, KEPT_NAME);
	}
	if (memcmp(kept.data + 1, fingerprint, ROWS_HASH_LEN) != 0) {
		return call_refuse_argument(call, "request_id",
					    "was used for another request within the last 24 h");
	}
	if (kept.data[KEPT_HEADER_LEN - 1] == 'i') {
		return replay_items(call, rest) ? 0 : call_refuse_damaged(call, KEPT_NAME);
	}
	if (!replay_is_whole(rest, 1, DEPTH_OF_RESULT)) {
		return call_refuse_damaged(call, KEPT_NAME);
	}
	pack_write_raw(call->out, rest, 1);
	return 0;
}

/* Return: REPLAY_E_NONE, CALL_E_REFUSED, or a negative errno. */
static int replay_admit(struct call *call)
{
	bool may;
	int r = store_may_keep_answer(call->engine->store, call->peer->uid, &may);

	if (r != 0) {
		return r < 0 ? r : call_refuse_damaged(call, KEPT_NAME);
	}
	if (!may) {
		return call_refuse(call, ERROR_BUSY,
				   "the answers kept for uid %u take 1/%d of the store, its share; "
				   "send no request_id, or wait: each is kept for 24 h",
				   call->peer->uid, STORE_ANSWERS_SHARE_OF_UID);
	}
	return REPLAY_E_NONE;
}

int replay_answer(struct call *call, const struct pack_value *params)
{
	uint8_t fingerprint[ROWS_HASH_LEN], key[ROWS_HASH_LEN];
	struct slice kept;
	int r = replay_fingerprint(call, params, fingerprint);

	if (r < 0) {
		return r;
	}
	store_answer_key(call->engine->store, call->peer->uid, call->request->request_id, key);
	r = store_get_answer(call->engine->store, key, &kept);
	if (r == STORE_E_NONE) {
		return replay_admit(call);
	}
	if (r != 0) {
		return r < 0 ? r : call_refuse_damaged(call, KEPT_NAME);
	}
	return replay_kept(call, fingerprint, kept);
}

/*
 * The kept form of the items, or of the whole result when there are none. @kept has room: it
 * never gets longer than the answer.
 */
static size_t keep_items(const struct call *call, uint8_t *kept)
{
	size_t len = 0;

	for (uint32_t i = 0; i < call->n_spans; ++i) {
		const struct item_span *span = &call->spans[i];

		assert(span->n_values <= UINT8_MAX && span->len <= UINT16_MAX);
		kept[len] = (uint8_t)span->n_values;
		store_be16(kept + len + 1, (uint16_t)span->len);
		memcpy(kept + len + KEPT_ITEM_LEN, call->out->data + span->start, span->len);
		len += KEPT_ITEM_LEN + span->len;
	}
	return len;
}

int replay_keep(struct call *call, const struct pack_value *params, size_t start)
{
	uint8_t key[ROWS_HASH_LEN];
	size_t whole = call->out->len - start, len = KEPT_HEADER_LEN;
	bool room;
	cleanup(freep) uint8_t *kept =
		malloc(KEPT_HEADER_LEN + whole + (size_t)call->n_spans * KEPT_ITEM_LEN);
	int r;

	if (!kept) {
		return -ENOMEM;
	}
	kept[0] = KEPT_FORM;
	r = replay_fingerprint(call, params, kept + 1);
	if (r < 0) {
		return r;
	}
	kept[KEPT_HEADER_LEN - 1] = call->n_spans > 0 ? 'i' : 'r';
	if (call->n_spans > 0) {
		len += keep_items(call, kept + len);
	} else {
		memcpy(kept + len, call->out->data + start, whole);
		len += whole;
	}
	r = store_has_room(call->engine->store, len, &room);
	if (r < 0 || !room) {
		return r; /* the room that is left is for deletions: asked again, they say so */
	}
	store_answer_key(call->engine->store, call->peer->uid, call->request->request_id, key);
	return store_put_answer(call->engine->store, call->peer->uid, key,
				call->engine->now + REPLAY_KEPT_FOR,
				(struct slice){(const char *)kept, len});
}
