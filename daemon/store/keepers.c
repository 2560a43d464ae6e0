/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/keepers.h"

#include "daemon/store/schema.h"

const struct keeper *keepers_get(const struct keepers *keepers, uint8_t number)
{
	return number >= 1 && number <= keepers->n ? &keepers->rows[number - 1] : NULL;
}

const struct keeper *keepers_find(const struct keepers *keepers, struct slice name)
{
	for (uint8_t i = 0; i < keepers->n; i++) {
		if (slice_is(name, keepers->rows[i].name)) {
			return &keepers->rows[i];
		}
	}
	return NULL;
}

void keepers_put(struct keepers *keepers, const struct keeper *keeper)
{
	assert(keeper->number >= 1 && keeper->number <= keepers->n + 1);
	assert(keeper->number <= MODEL_KEEPERS_MAX);
	keepers->rows[keeper->number - 1] = *keeper;
	keepers->n = MAX(keepers->n, keeper->number);
}

static bool keeper_covers(const struct keeper *keeper, uint32_t org)
{
	for (uint16_t i = 0; i < keeper->n_orgs; i++) {
		if (keeper->orgs[i] == org) {
			return true;
		}
	}
	return keeper->n_orgs == 0;
}

uint64_t keepers_of(const struct keepers *keepers, uint32_t org)
{
	uint64_t owing = 0;

	for (uint8_t i = 0; i < keepers->n; i++) {
		if (keepers->rows[i].enabled && keeper_covers(&keepers->rows[i], org)) {
			owing |= UINT64_C(1) << i;
		}
	}
	return owing;
}

static int keepers_load_row(struct keepers *keepers, struct slice key, struct slice bytes)
{
	struct keeper keeper;
	uint8_t number = keepers->n + 1;

	if (key.len != 1 || (uint8_t)key.data[0] != number || number > MODEL_KEEPERS_MAX ||
	    rows_decode_keeper(number, bytes, &keeper) != 0 ||
	    keepers_find(keepers, slice_of(keeper.name))) {
		return KEEPERS_E_CORRUPT;
	}
	keepers_put(keepers, &keeper);
	return 0;
}

int keepers_load(struct keepers *keepers, struct kv_txn *txn)
{
	cleanup(kv_cursor_closep) struct kv_cursor *cursor = NULL;
	struct slice key, bytes;
	int r = kv_cursor_open(txn, KV_KEEPERS, &cursor);

	if (r == 0) {
		r = kv_cursor_seek(cursor, (struct slice){0}, &key, &bytes);
	}
	while (r == 0) {
		r = keepers_load_row(keepers, key, bytes);
		if (r != 0) {
			return r;
		}
		r = kv_cursor_next(cursor, &key, &bytes);
	}
	if (r == KV_E_NONE) {
		return 0;
	}
	return r < 0 ? r : KEEPERS_E_CORRUPT;
}
