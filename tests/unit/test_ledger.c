/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/ledger.h"

#include <criterion/criterion.h>

#include "daemon/store/schema.h"

#include "tests/support/temp.h"

#define MAP_BYTES ((size_t)64 << 20)
#define AT        (INT64_C(1772366400) * SPAN_SECOND)

static char *directory;
static struct kv *kv;
static struct kv_txn *txn;

static void begin(void)
{
	cr_assert_eq(kv_begin(kv, true, &txn), 0);
}

static void set_up(void)
{
	directory = temp_directory_new();
	cr_assert_eq(kv_create(directory, MAP_BYTES), 0);
	cr_assert_eq(kv_open(directory, MAP_BYTES, false, &kv), 0);
	begin();
}

static void tear_down(void)
{
	txn = kv_abort(txn);
	kv = kv_close(kv);
	directory = temp_directory_free(directory);
}

TestSuite(ledger, .init = set_up, .fini = tear_down);

static struct ledger_head empty(void)
{
	return (struct ledger_head){.at = INSTANT_NONE};
}

static struct entry append(struct ledger_head *head, enum event event, instant_t at)
{
	struct entry entry = {.event = event, .actor_role = ROLE_DAEMON, .at = at};

	ledger_append(txn, head, &entry);
	cr_assert_eq(kv_txn_error(txn), 0);
	return entry;
}

static struct slice stored_bytes(uint64_t seq)
{
	struct key key = key_u64(seq);
	struct slice bytes;

	cr_assert_eq(kv_get(txn, KV_LEDGER, key_slice(&key), &bytes), 0);
	return bytes;
}

static void overwrite(uint64_t seq, struct slice bytes)
{
	struct key key = key_u64(seq);

	kv_put(txn, KV_LEDGER, key_slice(&key), bytes);
	cr_assert_eq(kv_txn_error(txn), 0);
}

Test(ledger, an_empty_one_has_a_head_of_zeros)
{
	static const uint8_t zeros[ROWS_DIGEST_LEN];
	struct ledger_head head;

	cr_assert_eq(ledger_load_head(txn, &head), 0);
	cr_assert_eq(head.seq, 0);
	cr_assert_eq(head.at, INSTANT_NONE);
	cr_assert_arr_eq(head.hash, zeros, sizeof(zeros));
}

Test(ledger, numbers_run_from_1_without_a_gap)
{
	struct ledger_head head = empty();

	for (uint64_t seq = 1; seq <= 5; ++seq) {
		cr_assert_eq(append(&head, EVENT_SWEEP_PAUSED, AT).seq, seq);
		cr_assert_eq(head.seq, seq);
	}
}

Test(ledger, the_first_entry_carries_a_hash_of_zeros)
{
	static const uint8_t zeros[ROWS_DIGEST_LEN];
	struct ledger_head head = empty();
	struct entry first = append(&head, EVENT_STORE_CREATED, AT);

	cr_assert_arr_eq(first.prev_hash, zeros, sizeof(zeros));
}

Test(ledger, each_entry_carries_the_hash_of_the_bytes_stored_before_it)
{
	struct ledger_head head = empty();
	uint8_t digest[ROWS_DIGEST_LEN];
	struct entry second;

	(void)append(&head, EVENT_STORE_CREATED, AT);
	ledger_digest(stored_bytes(1), digest);
	cr_assert_arr_eq(head.hash, digest, sizeof(digest));
	second = append(&head, EVENT_SWEEP_PAUSED, AT + 1);
	cr_assert_arr_eq(second.prev_hash, digest, sizeof(digest));
}

Test(ledger, the_head_is_the_last_entry)
{
	struct ledger_head head = empty(), loaded;

	(void)append(&head, EVENT_STORE_CREATED, AT);
	(void)append(&head, EVENT_SWEEP_PAUSED, AT + 7);
	cr_assert_eq(ledger_load_head(txn, &loaded), 0);
	cr_assert_eq(loaded.seq, 2);
	cr_assert_eq(loaded.at, AT + 7);
	cr_assert_arr_eq(loaded.hash, head.hash, sizeof(head.hash));
}

Test(ledger, an_entry_is_read_as_it_was_appended)
{
	struct ledger_head head = empty();
	struct entry written = {
		.event = EVENT_LEFT,
		.actor_role = ROLE_SELF_SERVICE,
		.actor_uid = 990,
		.at = AT,
		.org = 3,
		.uid = 12,
		.facts = {.kind = ACCOUNT_KIND_B2B_COLLABORATION,
			  .enabled = true,
			  .deleted_at = AT,
			  .window = MODEL_WINDOW_DEFAULT,
			  .removal = MODEL_REMOVAL_DEFAULT,
			  .removal_started_at = INSTANT_NONE,
			  .removed_at = INSTANT_NONE},
	};
	uint8_t hash[ROWS_DIGEST_LEN];
	struct entry read;

	ledger_append(txn, &head, &written);
	cr_assert_eq(ledger_get(txn, 1, &read, hash), 0);
	cr_assert_eq(read.seq, 1);
	cr_assert_eq(read.event, EVENT_LEFT);
	cr_assert_eq(read.actor_role, ROLE_SELF_SERVICE);
	cr_assert_eq(read.actor_uid, 990);
	cr_assert_eq(read.org, 3);
	cr_assert_eq(read.uid, 12);
	cr_assert_eq(read.facts.deleted_at, AT);
	cr_assert_arr_eq(hash, head.hash, sizeof(hash));
}

Test(ledger, a_number_that_was_never_given_has_no_entry)
{
	struct ledger_head head = empty();
	uint8_t hash[ROWS_DIGEST_LEN];
	struct entry entry;

	(void)append(&head, EVENT_STORE_CREATED, AT);
	cr_assert_eq(ledger_get(txn, 0, &entry, hash), LEDGER_E_NONE);
	cr_assert_eq(ledger_get(txn, 2, &entry, hash), LEDGER_E_NONE);
}

Test(ledger, bytes_that_are_no_entry_are_refused)
{
	struct ledger_head head = empty(), loaded;
	uint8_t hash[ROWS_DIGEST_LEN];
	struct entry entry;

	(void)append(&head, EVENT_STORE_CREATED, AT);
	overwrite(1, SLICE_LITERAL("no entry"));
	cr_assert_eq(ledger_get(txn, 1, &entry, hash), LEDGER_E_CORRUPT);
	cr_assert_eq(ledger_load_head(txn, &loaded), LEDGER_E_CORRUPT);
}

Test(ledger, a_key_that_is_no_number_is_refused)
{
	struct ledger_head head;

	kv_put(txn, KV_LEDGER, SLICE_LITERAL("\xff"), SLICE_LITERAL("x"));
	cr_assert_eq(ledger_load_head(txn, &head), LEDGER_E_CORRUPT);
}

Test(ledger, a_changed_entry_has_another_hash)
{
	struct ledger_head head = empty();
	uint8_t before[ROWS_DIGEST_LEN], after[ROWS_DIGEST_LEN];
	struct entry entry = append(&head, EVENT_STORE_CREATED, AT);
	uint8_t bytes[ROWS_ENTRY_LEN_MAX];

	cr_assert_eq(ledger_get(txn, 1, &entry, before), 0);
	entry.at += 1;
	overwrite(1, (struct slice){(const char *)bytes, rows_encode_entry(&entry, bytes)});
	cr_assert_eq(ledger_get(txn, 1, &entry, after), 0);
	cr_assert_arr_neq(before, after, sizeof(before));
}

Test(ledger, an_aborted_append_leaves_no_entry)
{
	struct ledger_head head = empty(), loaded;

	(void)append(&head, EVENT_STORE_CREATED, AT);
	txn = kv_abort(txn);
	begin();
	cr_assert_eq(ledger_load_head(txn, &loaded), 0);
	cr_assert_eq(loaded.seq, 0);
}
