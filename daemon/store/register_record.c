/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/register_record.h"

#include <sodium.h>

#include "common/model.h"

#include "daemon/store/bytes.h"

static_assert(REGISTER_RECORD_CHECK + REGISTER_CHECK_LEN == REGISTER_RECORD_LEN,
	      "a record ends in its check");

bool register_record_is_sound(const struct register_record *record)
{
	return (record->kind == REGISTER_STARTED || record->kind == REGISTER_COMPLETED) &&
	       record->uid >= 1 && record->uid <= VAULT_UID_MAX && record->at >= 0 &&
	       record->at <= INSTANT_MAX && record->removal >= 0 &&
	       record->removal <= MODEL_REMOVAL_MAX;
}

void register_record_encode(const struct register_record *record,
			    uint8_t bytes[static REGISTER_RECORD_CHECK])
{
	uint8_t *at = put_u64(bytes, (uint64_t)record->kind << 56 | (uint64_t)record->removal);

	static_assert(MODEL_REMOVAL_MAX < INT64_C(1) << 56,
		      "a removal's time fits beside the kind");
	(void)put_i64(put_u64(at, record->uid), record->at); /* where the check goes */
}

void register_record_decode(const uint8_t bytes[static REGISTER_RECORD_CHECK],
			    struct register_record *ret_record)
{
	uint64_t first = load_be64(bytes);

	*ret_record = (struct register_record){
		.kind = (enum register_kind)(first >> 56),
		.removal = (span_t)(first & ((UINT64_C(1) << 56) - 1)),
		.uid = load_be64(bytes + 8),
		.at = (instant_t)load_be64(bytes + 16),
	};
}

void register_record_check(const uint8_t before[static REGISTER_CHECK_LEN],
			   const uint8_t bytes[static REGISTER_RECORD_CHECK],
			   uint8_t ret_check[static REGISTER_CHECK_LEN])
{
	uint8_t both[REGISTER_CHECK_LEN + REGISTER_RECORD_CHECK];
	uint8_t hash[crypto_generichash_BYTES_MIN];

	memcpy(both, before, REGISTER_CHECK_LEN);
	memcpy(both + REGISTER_CHECK_LEN, bytes, REGISTER_RECORD_CHECK);
	(void)crypto_generichash(hash, sizeof(hash), both, sizeof(both), NULL,
				 0); /* fails for lengths out of range only */
	memcpy(ret_check, hash, REGISTER_CHECK_LEN);
}
