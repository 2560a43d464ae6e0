/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/bytes.h"
#include "daemon/store/inside.h"

/*
 * Rows of the meta table.
 *
 *     "identity"   form 00000001 | instance, 16 bytes
 *     "state"      form 01 | paused 00 or 01 | number of keepers counted 1 | settled 8 |
 *                  next uid 8 | next request 8 | active 8 | soft-deleted 8 | removing 8 |
 *                  removed 8 | overdue 8 | held 8 | open requests 8 | tasks owed 8 for each keeper
 *     "head"       number of the ledger's last entry 8 | its hash 32; stores of before lack it
 *     "round"      ledger number that the round under way reaches, 8 bytes; 0 if there is none
 *     "backup"     instant of the last backup, 8 bytes
 *     "clock"      form 01 | trusted time 8 | wall clock 8 | boot clock 8 | boot 16 |
 *                  guard engaged since 8 | lag accepted 8; the ledger may have seen more
 */

#define STATE_FORM           1
#define STATE_NUMBERS        10
#define STATE_LEN(n_keepers) (3 + 8 * (STATE_NUMBERS + (size_t)(n_keepers)))
#define IDENTITY_LEN         (4 + VAULT_INSTANCE_LEN)
#define HEAD_LEN             (8 + ROWS_DIGEST_LEN)
#define CLOCK_FORM           1
#define CLOCK_LEN            (1 + 5 * 8 + CLOCK_BOOT_ID_LEN)

void store_put_state(struct kv_txn *txn, const struct state *state, uint8_t n_keepers)
{
	uint8_t bytes[STATE_LEN(MODEL_KEEPERS_MAX)];
	const struct store_counts *counts = &state->counts;
	uint8_t *at = put_u8(put_u8(put_u8(bytes, STATE_FORM), state->paused), n_keepers);

	at = put_u64(at, state->settled_seq);
	at = put_u64(at, state->next_uid);
	at = put_u64(at, state->next_request);
	at = put_u64(at, counts->n_active);
	at = put_u64(at, counts->n_soft_deleted);
	at = put_u64(at, counts->n_removing);
	at = put_u64(at, counts->n_removed);
	at = put_u64(at, counts->n_overdue);
	at = put_u64(at, counts->n_held);
	at = put_u64(at, counts->n_requests_open);
	for (uint8_t i = 0; i < n_keepers; i++) {
		at = put_u64(at, counts->n_owed[i]);
	}
	assert(at == bytes + STATE_LEN(n_keepers));
	kv_put(txn, KV_META, SLICE_LITERAL("state"),
	       (struct slice){(const char *)bytes, (size_t)(at - bytes)});
}

static int meta_get(struct kv_txn *txn, struct slice name, struct slice *ret_row)
{
	return store_answer(kv_get(txn, KV_META, name, ret_row));
}

static int state_decode(struct slice row, struct state *ret_state)
{
	struct reader reader = reader_of(row);
	struct state state = {0};
	struct store_counts *counts = &state.counts;
	uint8_t paused, n_keepers;

	reader_require(&reader, get_u8(&reader) == STATE_FORM);
	paused = get_u8(&reader);
	n_keepers = get_u8(&reader);
	reader_require(&reader, paused <= 1 && n_keepers <= MODEL_KEEPERS_MAX);
	state.paused = paused == 1;
	state.settled_seq = get_u64(&reader);
	state.next_uid = get_u64(&reader);
	state.next_request = get_u64(&reader);
	counts->n_active = get_u64(&reader);
	counts->n_soft_deleted = get_u64(&reader);
	counts->n_removing = get_u64(&reader);
	counts->n_removed = get_u64(&reader);
	counts->n_overdue = get_u64(&reader);
	counts->n_held = get_u64(&reader);
	counts->n_requests_open = get_u64(&reader);
	for (uint8_t i = 0; i < n_keepers && !reader.faulty; i++) {
		counts->n_owed[i] = get_u64(&reader);
	}
	reader_require(&reader, state.next_uid >= 1 && state.next_uid <= VAULT_UID_MAX + 1);
	reader_require(&reader, state.next_request >= 1);
	if (!reader_is_done(&reader)) {
		return STORE_E_CORRUPT;
	}
	*ret_state = state;
	return 0;
}

int store_load_state(struct kv_txn *txn, struct state *ret_state)
{
	struct slice row;
	int r = meta_get(txn, SLICE_LITERAL("state"), &row);

	return r != 0 ? r : state_decode(row, ret_state);
}

void store_put_head(struct kv_txn *txn, const struct ledger_head *head)
{
	uint8_t bytes[HEAD_LEN];

	store_be64(bytes, head->seq);
	memcpy(bytes + 8, head->hash, ROWS_DIGEST_LEN);
	kv_put(txn, KV_META, SLICE_LITERAL("head"),
	       (struct slice){(const char *)bytes, sizeof(bytes)});
}

int store_match_head(struct kv_txn *txn, const struct ledger_head *found)
{
	struct slice row;
	int r = meta_get(txn, SLICE_LITERAL("head"), &row);

	if (r != 0) {
		return r == STORE_E_NONE ? 0 : r;
	}
	return row.len == HEAD_LEN && load_be64(row.data) == found->seq &&
			       memcmp(row.data + 8, found->hash, ROWS_DIGEST_LEN) == 0
		       ? 0
		       : STORE_E_CORRUPT;
}

void store_put_round(struct kv_txn *txn, uint64_t round_seq)
{
	uint8_t bytes[8];

	store_be64(bytes, round_seq);
	kv_put(txn, KV_META, SLICE_LITERAL("round"),
	       (struct slice){(const char *)bytes, sizeof(bytes)});
}

int store_load_round(struct kv_txn *txn, uint64_t *ret_round_seq)
{
	struct slice row;
	int r = meta_get(txn, SLICE_LITERAL("round"), &row);

	if (r == STORE_E_NONE) {
		*ret_round_seq = 0;
		return 0;
	}
	if (r != 0 || row.len != 8) {
		return r < 0 ? r : STORE_E_CORRUPT;
	}
	*ret_round_seq = load_be64(row.data);
	return 0;
}

void store_put_identity(struct kv_txn *txn, const uint8_t instance[static VAULT_INSTANCE_LEN])
{
	uint8_t bytes[IDENTITY_LEN];

	store_be32(bytes, STORE_FORMAT);
	memcpy(bytes + 4, instance, VAULT_INSTANCE_LEN);
	kv_put(txn, KV_META, SLICE_LITERAL("identity"),
	       (struct slice){(const char *)bytes, sizeof(bytes)});
}

int store_load_identity(struct kv_txn *txn, uint8_t ret_instance[static VAULT_INSTANCE_LEN])
{
	struct slice row;
	int r = meta_get(txn, SLICE_LITERAL("identity"), &row);

	if (r != 0) {
		return r;
	}
	if (row.len != IDENTITY_LEN) {
		return STORE_E_CORRUPT;
	}
	if (load_be32(row.data) > STORE_FORMAT) {
		return STORE_E_NEWER;
	}
	if (load_be32(row.data) != STORE_FORMAT) {
		return STORE_E_CORRUPT;
	}
	memcpy(ret_instance, row.data + 4, VAULT_INSTANCE_LEN);
	return 0;
}

static void put_instant(struct kv_txn *txn, struct slice name, instant_t at)
{
	uint8_t bytes[8];

	(void)put_i64(bytes, at); /* nothing follows */
	kv_put(txn, KV_META, name, (struct slice){(const char *)bytes, sizeof(bytes)});
}

/* INSTANT_NONE if there is none. */
static int load_instant(struct kv_txn *txn, struct slice name, instant_t *ret_at)
{
	struct slice row;
	int r = meta_get(txn, name, &row);

	if (r == STORE_E_NONE) {
		*ret_at = INSTANT_NONE;
		return 0;
	}
	if (r != 0 || row.len != 8) {
		return r < 0 ? r : STORE_E_CORRUPT;
	}
	*ret_at = (instant_t)load_be64(row.data);
	return 0;
}

int store_note_backup(struct store *store, const struct actor *actor)
{
	int r = store_note_event(store, EVENT_BACKUP_CREATED, actor);

	if (r < 0) {
		return r;
	}
	put_instant(store->txn, SLICE_LITERAL("backup"), actor->at);
	store->last_backup_at = actor->at;
	return 0;
}

static int clock_decode(struct slice row, struct clock_mark *ret_mark)
{
	struct reader reader = reader_of(row);
	struct clock_mark mark = {0};

	reader_require(&reader, get_u8(&reader) == CLOCK_FORM);
	mark.at = get_i64(&reader);
	mark.reading.wall = get_i64(&reader);
	mark.reading.boot = get_i64(&reader);
	get_bytes(&reader, mark.boot_id.bytes, CLOCK_BOOT_ID_LEN);
	mark.doubted_since = get_i64(&reader);
	mark.lag_accepted = get_i64(&reader);
	reader_require(&reader, mark.at >= 0 && mark.at < INSTANT_MAX);
	reader_require(&reader, mark.doubted_since == INSTANT_NONE ||
					(mark.doubted_since >= 0 && mark.doubted_since <= mark.at));
	reader_require(&reader, mark.reading.boot >= 0 && mark.lag_accepted >= 0 &&
					mark.lag_accepted < INSTANT_MAX);
	if (!reader_is_done(&reader)) {
		return STORE_E_CORRUPT;
	}
	*ret_mark = mark;
	return 0;
}

static int load_clock(struct kv_txn *txn, struct clock_mark *ret_mark)
{
	struct slice row;
	int r = meta_get(txn, SLICE_LITERAL("clock"), &row);

	if (r == STORE_E_NONE) {
		*ret_mark = CLOCK_MARK_NONE;
		return 0;
	}
	return r != 0 ? r : clock_decode(row, ret_mark);
}

int store_load_instants(struct store *store)
{
	int r = load_instant(store->txn, SLICE_LITERAL("backup"), &store->last_backup_at);

	return r == 0 ? load_clock(store->txn, &store->clock_mark) : r;
}

int store_put_clock(struct store *store, const struct clock_mark *mark)
{
	uint8_t bytes[CLOCK_LEN];
	struct kv_txn *txn;
	uint8_t *at;
	int r = store_writing(store, &txn);

	if (r < 0) {
		return r;
	}
	at = put_i64(put_u8(bytes, CLOCK_FORM), mark->at);
	at = put_i64(put_i64(at, mark->reading.wall), mark->reading.boot);
	at = put_bytes(at, mark->boot_id.bytes, CLOCK_BOOT_ID_LEN);
	at = put_i64(put_i64(at, mark->doubted_since), mark->lag_accepted);
	assert(at == bytes + CLOCK_LEN);
	kv_put(txn, KV_META, SLICE_LITERAL("clock"),
	       (struct slice){(const char *)bytes, sizeof(bytes)});
	store->clock_mark = *mark;
	return 0;
}

const struct clock_mark *store_clock(const struct store *store)
{
	return &store->clock_mark;
}

instant_t store_last_backup_at(const struct store *store)
{
	return store->last_backup_at;
}
