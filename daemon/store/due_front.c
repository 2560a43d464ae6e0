/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/due_front.h"

static int key_compare(const struct key *a, const struct key *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)); /* behind their ends are zeros */
}

/* No key is smaller: uids begin at 1. */
void due_front_init(struct due_front *front)
{
	front->key = key_due(0, 1);
}

bool due_front_is_behind(const struct due_front *front, const struct key *key)
{
	return key_compare(key, &front->key) < 0;
}

void due_front_lower(struct due_front *front, const struct account *account)
{
	struct key key;

	if (index_key(INDEX_DUE, account, &key) && key_compare(&key, &front->key) < 0) {
		front->key = key;
	}
}

void due_front_raise(struct due_front *front, const struct overlay *overlay, const struct key *key)
{
	struct key to = key ? *key : key_due(INSTANT_MAX, UINT64_MAX);
	struct key newer, before_all = key_due(0, 0);

	if (key_compare(&to, &front->key) <= 0) {
		return;
	}
	if (overlay_next(overlay, INDEX_DUE, &before_all, &newer) && key_compare(&newer, &to) < 0) {
		to = newer;
	}
	if (key_compare(&to, &front->key) > 0) {
		front->key = to;
	}
}
