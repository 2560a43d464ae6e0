/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/guest_row.h"

struct account guest_row(uint64_t uid, uint64_t seq, uint8_t name)
{
	struct account account = {
		.uid = uid,
		.org = 1,
		.facts = {.kind = ACCOUNT_KIND_B2B_COLLABORATION,
			  .enabled = true,
			  .deleted_at = INSTANT_NONE,
			  .removal_started_at = INSTANT_NONE,
			  .removed_at = INSTANT_NONE},
		.created_at = GUEST_ROW_BEGIN,
		.last_seq = seq,
	};

	memset(account.hash_id, name, ROWS_HASH_LEN);
	memset(account.hash_person, name, ROWS_HASH_LEN);
	memset(account.hash_upn, name, ROWS_HASH_LEN);
	return account;
}

struct account guest_row_deleted(struct account account, instant_t at)
{
	account.facts.deleted_at = at;
	account.facts.window = MODEL_WINDOW_DEFAULT;
	account.facts.removal = MODEL_REMOVAL_DEFAULT;
	return account;
}
