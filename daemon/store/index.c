/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/index.h"

#include "daemon/core/lifecycle.h"

enum kv_table index_table(enum index index)
{
	static const enum kv_table tables[] = {
		[INDEX_UID] = KV_ACCOUNTS, [INDEX_ID] = KV_BY_ID, [INDEX_PERSON] = KV_BY_PERSON,
		[INDEX_UPN] = KV_BY_UPN,   [INDEX_DUE] = KV_DUE,  [INDEX_OWED] = KV_OWED,
	};
	static_assert(ARRAY_LEN(tables) == _INDEX_MAX, "each index has its table");

	return tables[index];
}

static bool index_due_key(const struct account *account, struct key *ret_key)
{
	instant_t at;

	if (lifecycle_next(&account->facts, &at) == LIFECYCLE_ACTION_NONE) {
		return false;
	}
	*ret_key = key_due(at, account->uid);
	return true;
}

bool index_key(enum index index, const struct account *account, struct key *ret_key)
{
	bool tombstone = account->facts.removed_at != INSTANT_NONE;

	switch (index) {
	case INDEX_UID:
		*ret_key = key_u64(account->uid);
		return true;
	case INDEX_ID:
		*ret_key = key_by_org_hash(account->org, account->hash_id, account->uid);
		return true;
	case INDEX_PERSON:
		*ret_key = key_by_person(account->hash_person, account->uid);
		return !tombstone;
	case INDEX_UPN:
		*ret_key = key_by_org_hash(account->org, account->hash_upn, account->uid);
		return !tombstone;
	case INDEX_DUE:
		return index_due_key(account, ret_key);
	case INDEX_OWED:
		if (account->facts.owed == 0) {
			return false;
		}
		*ret_key = key_due(account->facts.removal_started_at, account->uid);
		return true;
	case _INDEX_MAX:
		break;
	}
	abort();
}
