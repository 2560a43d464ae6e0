/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/guards.h"

#include <criterion/criterion.h>

#include "daemon/store/schema.h"
#include "daemon/store/staged.h"
#include "daemon/store/store.h"

#include "tests/support/storeroom.h"
#include "tests/support/temp.h"

/* Rows of mass guards that are not what was written: a start refuses them, and ends by itself. */

static struct storeroom room;
static uint32_t org;

static void set_up(void)
{
	storeroom_open(&room, STOREROOM_MAP_BYTES);
	org = storeroom_put_org(&room, "fabrikam");
	(void)storeroom_import(&room, org, "g-1", "g-1@home.example", "g-1@fabrikam.example");
	storeroom_commit(&room);
}

static void tear_down(void)
{
	storeroom_close(&room);
}

TestSuite(guards, .init = set_up, .fini = tear_down);

/* Return: what a start says to it. */
static int tamper(enum kv_table table, struct key key, const void *row, size_t len)
{
	cleanup(freep) char *place = temp_path_new(room.directory, "store");
	struct kv_txn *txn;
	struct kv *kv;

	room.store = store_close(room.store);
	cr_assert_eq(kv_open(place, room.map_bytes, false, &kv), 0);
	cr_assert_eq(kv_begin(kv, true, &txn), 0);
	kv_put(txn, table, key_slice(&key), (struct slice){row, len});
	cr_assert_eq(kv_commit(txn), 0);
	(void)kv_close(kv);
	return storeroom_try_reopen(&room);
}

static int tamper_guard(const struct guard_row *row)
{
	uint8_t bytes[ROWS_GUARD_LEN_MAX];

	return tamper(KV_GUARDS, key_org(org), bytes, rows_encode_guard(row, bytes));
}

Test(guards, a_row_of_an_entry_that_is_not_there_is_refused)
{
	struct guard_row row = *store_guard(room.store, org);

	row.seq = store_head(room.store)->seq;
	cr_assert_eq(tamper_guard(&row), 0);
	row.seq++;
	cr_expect_eq(tamper_guard(&row), STORE_E_CORRUPT);
}

Test(guards, an_entry_of_an_organization_that_is_not_there_is_not_replayed)
{
	uint64_t last = store_head(room.store)->seq;
	uint8_t bytes[ROWS_ENTRY_LEN_MAX];
	struct entry entry;

	cr_assert_eq(store_get_entry(room.store, last, &entry, NULL), 0);
	cr_assert_eq(entry.org, org);
	entry.org++;
	cr_expect_eq(tamper(KV_LEDGER, key_u64(last), bytes, rows_encode_entry(&entry, bytes)),
		     STORE_E_CORRUPT);
}
