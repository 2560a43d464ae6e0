/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/inside.h"

/*
 * The two rows of the meta table.
 *
 *     "identity"   form 00000001 | instance, 16 bytes
 *     "state"      form 01 | paused 00 or 01 | settled 8 | next uid 8 |
 *                  active 8 | soft-deleted 8 | removing 8 | removed 8
 */

#define STATE_FORM   1
#define STATE_LEN    50
#define IDENTITY_LEN (4 + VAULT_INSTANCE_LEN)

void store_put_state(struct kv_txn *txn, const struct state *state)
{
	uint8_t bytes[STATE_LEN] = {STATE_FORM, state->paused};

	store_be64(bytes + 2, state->settled_seq);
	store_be64(bytes + 10, state->next_uid);
	store_be64(bytes + 18, state->counts.n_active);
	store_be64(bytes + 26, state->counts.n_soft_deleted);
	store_be64(bytes + 34, state->counts.n_removing);
	store_be64(bytes + 42, state->counts.n_removed);
	kv_put(txn, KV_META, SLICE_LITERAL("state"),
	       (struct slice){(const char *)bytes, sizeof(bytes)});
}

static int meta_get(struct kv_txn *txn, struct slice name, size_t len, struct slice *ret_row)
{
	int r = kv_get(txn, KV_META, name, ret_row);

	if (r != 0) {
		return r == KV_E_NONE ? STORE_E_NONE : r > 0 ? STORE_E_CORRUPT : r;
	}
	return ret_row->len == len ? 0 : STORE_E_CORRUPT;
}

int store_load_state(struct kv_txn *txn, struct state *ret_state)
{
	struct slice row;
	int r = meta_get(txn, SLICE_LITERAL("state"), STATE_LEN, &row);

	if (r != 0) {
		return r;
	}
	if (row.data[0] != STATE_FORM || (row.data[1] != 0 && row.data[1] != 1)) {
		return STORE_E_CORRUPT;
	}
	*ret_state = (struct state){
		.paused = row.data[1] == 1,
		.settled_seq = load_be64(row.data + 2),
		.next_uid = load_be64(row.data + 10),
		.counts = {load_be64(row.data + 18), load_be64(row.data + 26),
			   load_be64(row.data + 34), load_be64(row.data + 42)},
	};
	return ret_state->next_uid > 0 ? 0 : STORE_E_CORRUPT;
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
	int r = meta_get(txn, SLICE_LITERAL("identity"), IDENTITY_LEN, &row);

	if (r != 0) {
		return r;
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
