/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/inside.h"

#include "tests/fuzz/fuzz.h"
#include "tests/support/temp.h"

/*
 * Rows as a disk may give them back. The first byte says which kind of row the rest is.
 *
 * What a decoder accepts encodes to the same bytes again, so that a row has one form for one
 * content; and no beginning of it is accepted as a whole row. The same holds with any bit changed.
 */

#define NUMBER    9 /* of whatever the row is about */
#define MAP_BYTES (UINT64_C(1) << 20)
#define FLIPS_MAX 512 /* bytes; only profiles are longer */

static uint8_t encoded[MODEL_PROFILE_BYTES_MAX * 2];

static bool take_account(struct slice bytes, size_t *ret_len)
{
	struct account account;

	if (rows_decode_account(NUMBER, bytes, &account) != 0) {
		return false;
	}
	*ret_len = rows_encode_account(&account, encoded);
	return true;
}

static bool take_profile(struct slice bytes, size_t *ret_len)
{
	struct profile profile;

	if (rows_decode_profile(bytes, &profile) != 0) {
		return false;
	}
	*ret_len = rows_profile_len(&profile);
	assert(*ret_len <= sizeof(encoded));
	rows_encode_profile(&profile, encoded);
	return true;
}

/* Form 1 of an organization comes back as form 2, with the guard's settings in it. */
static void restore_form_1(size_t *len)
{
	size_t at = 1 + 1 + 2 * 8, settings = 4 + 1;

	encoded[0] = 1;
	memmove(encoded + at, encoded + at + settings, *len - at - settings);
	*len -= settings;
}

static bool take_org(struct slice bytes, size_t *ret_len)
{
	struct org org;

	if (rows_decode_org(NUMBER, bytes, &org) != 0) {
		return false;
	}
	*ret_len = rows_encode_org(&org, encoded);
	if (bytes.data[0] == 1) {
		restore_form_1(ret_len);
	}
	return true;
}

static bool take_entry(struct slice bytes, size_t *ret_len)
{
	struct entry entry;

	if (rows_decode_entry(NUMBER, bytes, &entry) != 0) {
		return false;
	}
	assert(event_name(entry.event) && role_name(entry.actor_role));
	*ret_len = rows_encode_entry(&entry, encoded);
	return true;
}

static bool take_keeper(struct slice bytes, size_t *ret_len)
{
	struct keeper keeper;

	if (rows_decode_keeper(NUMBER, bytes, &keeper) != 0) {
		return false;
	}
	*ret_len = rows_encode_keeper(&keeper, encoded);
	return true;
}

static bool take_task(struct slice bytes, size_t *ret_len)
{
	struct task task;

	if (rows_decode_task(bytes, &task) != 0) {
		return false;
	}
	*ret_len = rows_encode_task(&task, encoded);
	return true;
}

static bool take_hold(struct slice bytes, size_t *ret_len)
{
	struct hold hold;

	if (rows_decode_hold(bytes, &hold) != 0) {
		return false;
	}
	*ret_len = rows_encode_hold(&hold, encoded);
	return true;
}

static bool take_request(struct slice bytes, size_t *ret_len)
{
	struct removal_request request;

	if (rows_decode_request(NUMBER, bytes, &request) != 0) {
		return false;
	}
	*ret_len = rows_encode_request(&request, encoded);
	return true;
}

static bool take_note(struct slice bytes, size_t *ret_len)
{
	struct note note;

	if (rows_decode_note(bytes, &note) != 0) {
		return false;
	}
	*ret_len = rows_encode_note(&note, encoded);
	return true;
}

static bool take_guard(struct slice bytes, size_t *ret_len)
{
	struct guard_row guard;

	if (rows_decode_guard(NUMBER, bytes, &guard) != 0) {
		return false;
	}
	*ret_len = rows_encode_guard(&guard, encoded);
	return true;
}

static bool take_staged(struct slice bytes, size_t *ret_len)
{
	struct staged staged;

	if (rows_decode_staged(NUMBER, NUMBER, bytes, &staged) != 0) {
		return false;
	}
	*ret_len = rows_encode_staged(&staged, encoded);
	return true;
}

/* Rows of the meta table are read where they are. */

static struct kv_txn *begin_meta(void)
{
	static struct kv *kv;
	struct kv_txn *txn;
	int r;

	if (!kv) {
		char *directory = temp_directory_new();

		r = kv_create(directory, MAP_BYTES);
		assert(r == 0);
		r = kv_open(directory, MAP_BYTES, false, &kv);
		assert(r == 0);
		free(directory);
	}
	r = kv_begin(kv, true, &txn);
	assert(r == 0);
	return txn;
}

static void copy_meta(struct kv_txn *txn, struct slice name, size_t *ret_len)
{
	struct slice row;
	int r = kv_get(txn, KV_META, name, &row);

	assert(r == 0 && row.len <= sizeof(encoded));
	memcpy(encoded, row.data, row.len);
	*ret_len = row.len;
}

static bool take_state(struct slice bytes, size_t *ret_len)
{
	struct kv_txn *txn = begin_meta();
	struct slice name = SLICE_LITERAL("state");
	struct state state;
	bool taken;

	kv_put(txn, KV_META, name, bytes);
	taken = store_load_state(txn, &state) == 0;
	if (taken) {
		store_put_state(txn, &state, (uint8_t)bytes.data[2]);
		copy_meta(txn, name, ret_len);
	}
	(void)kv_abort(txn); /* NULL */
	return taken;
}

static bool take_identity(struct slice bytes, size_t *ret_len)
{
	struct kv_txn *txn = begin_meta();
	struct slice name = SLICE_LITERAL("identity");
	uint8_t instance[VAULT_INSTANCE_LEN];
	bool taken;

	kv_put(txn, KV_META, name, bytes);
	taken = store_load_identity(txn, instance) == 0;
	if (taken) {
		store_put_identity(txn, instance);
		copy_meta(txn, name, ret_len);
	}
	(void)kv_abort(txn); /* NULL */
	return taken;
}

static bool take_round(struct slice bytes, size_t *ret_len)
{
	struct kv_txn *txn = begin_meta();
	struct slice name = SLICE_LITERAL("round");
	uint64_t round_seq;
	bool taken;

	kv_put(txn, KV_META, name, bytes);
	taken = store_load_round(txn, &round_seq) == 0;
	if (taken) {
		store_put_round(txn, round_seq);
		copy_meta(txn, name, ret_len);
	}
	(void)kv_abort(txn); /* NULL */
	return taken;
}

static bool take_clock(struct slice bytes, size_t *ret_len)
{
	static struct store store; /* as much of one as it takes */
	struct slice name = SLICE_LITERAL("clock");
	bool taken;

	store.txn = begin_meta();
	store.writing = true;
	kv_put(store.txn, KV_META, name, bytes);
	taken = store_load_instants(&store) == 0;
	if (taken) {
		const struct clock_mark mark = *store_clock(&store);
		int r = store_put_clock(&store, &mark);

		assert(r == 0);
		copy_meta(store.txn, name, ret_len);
	}
	store.txn = kv_abort(store.txn);
	return taken;
}

/* The number is an input's first byte: rows are added behind the last only. */
static bool (*const kinds[])(struct slice bytes, size_t *ret_len) = {
	take_account,  take_profile, take_org,     take_entry, take_keeper,
	take_task,     take_hold,    take_request, take_note,  take_state,
	take_identity, take_guard,   take_staged,  take_round, take_clock,
};

/* Return: whether it was accepted; then it has encoded to the same bytes. */
static bool prove_row(bool (*take)(struct slice, size_t *), struct slice bytes)
{
	size_t len;

	if (!take(bytes, &len)) {
		return false;
	}
	assert(len == bytes.len && memcmp(encoded, bytes.data, len) == 0);
	return true;
}

/* What a disk does first of all. */
static void prove_flips(bool (*take)(struct slice, size_t *), struct slice bytes)
{
	char copy[FLIPS_MAX];
	size_t n = MIN(bytes.len, sizeof(copy));

	if (bytes.len > sizeof(copy)) {
		return;
	}
	memcpy(copy, bytes.data, n);
	for (size_t i = 0; i < 8 * n; i++) {
		copy[i / 8] = (char)((uint8_t)copy[i / 8] ^ 1U << i % 8);
		(void)prove_row(take, (struct slice){copy, n}); /* either is right */
		copy[i / 8] = bytes.data[i / 8];
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct feed feed = {data, len};
	bool (*take)(struct slice, size_t *) = kinds[feed_u8(&feed) % ARRAY_LEN(kinds)];
	struct slice bytes = feed_rest(&feed);

	if (!prove_row(take, bytes)) {
		return 0;
	}
	for (size_t i = 0; i < bytes.len; i++) {
		bool taken = prove_row(take, (struct slice){bytes.data, i});

		assert(!taken);
	}
	prove_flips(take, bytes);
	return 0;
}
