/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/vault_doomed.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "daemon/store/vault.h"

#include "tests/support/temp.h"
#include "tests/support/vaultroom.h"

#define BLOCK     4096
#define PER_BLOCK (BLOCK / VAULT_KEY_LEN)

static struct vaultroom room;

static void set_up(void)
{
	vaultroom_open(&room);
}

static void tear_down(void)
{
	vaultroom_close(&room);
}

TestSuite(vault_doomed, .init = set_up, .fini = tear_down);

static void give_keys(uint64_t first, uint64_t last)
{
	vaultroom_new_keys(&room, first, last);
	cr_assert_eq(vault_sync(room.vault), 0);
}

static void destroy(uint64_t uid)
{
	cr_assert_eq(vault_destroy_key(room.vault, uid), 0);
}

/* Whether the file has zeros in the slot. */
static bool is_overwritten(uint64_t uid)
{
	static const uint8_t zeros[VAULT_KEY_LEN];
	struct slice whole = temp_file_read(room.path);
	const char *slot = whole.data + BLOCK + (uid - 1) * VAULT_KEY_LEN;
	bool overwritten = memcmp(slot, zeros, sizeof(zeros)) == 0;

	free((void *)(uintptr_t)whole.data);
	return overwritten;
}

Test(vault_doomed, a_key_is_gone_at_once_and_in_the_file_only_from_the_next_sync_on)
{
	give_keys(1, 3);
	destroy(2);
	cr_assert_not(vaultroom_has_key(&room, 2));
	cr_assert_not(is_overwritten(2));
	cr_assert_eq(vault_sync(room.vault), 0);
	cr_assert_not(vaultroom_has_key(&room, 2));
	cr_assert(is_overwritten(2));
}

Test(vault_doomed, a_key_that_was_not_synced_is_back_after_a_kill)
{
	give_keys(1, 1);
	destroy(1);
	cr_assert_eq(vaultroom_reopen(&room), 0);
	cr_assert(vaultroom_has_key(&room, 1));
}

Test(vault_doomed, a_new_key_for_the_same_account_stays)
{
	give_keys(1, 3);
	destroy(2);
	give_keys(2, 2);
	cr_assert(vaultroom_has_key(&room, 2));
	cr_assert_not(is_overwritten(2));
}

Test(vault_doomed, a_key_that_was_never_written_is_not)
{
	give_keys(1, 1);
	cr_assert_eq(vault_new_key(room.vault, 2), 0);
	cr_assert_eq(vault_new_key(room.vault, 3), 0);
	destroy(2);
	cr_assert_not(vaultroom_has_key(&room, 2));
	cr_assert_eq(vault_sync(room.vault), 0);
	cr_assert(is_overwritten(2));
	cr_assert(vaultroom_has_key(&room, 3));
}

/* In any order, twice, alone in a block, and all of one; neighbours stay. */
Test(vault_doomed, only_what_was_destroyed_is_overwritten)
{
	const uint64_t last = 4 * PER_BLOCK;

	give_keys(1, last);
	destroy(last);
	for (uint64_t uid = 2 * PER_BLOCK; uid > PER_BLOCK; uid--) {
		destroy(uid);
		destroy(uid);
	}
	destroy(1);
	destroy(7);
	cr_assert_eq(vault_sync(room.vault), 0);
	for (uint64_t uid = 1; uid <= last; uid++) {
		bool destroyed = uid == 1 || uid == 7 || uid == last ||
				 (uid > PER_BLOCK && uid <= 2 * PER_BLOCK);

		cr_assert_eq(is_overwritten(uid), destroyed, "uid %llu", (unsigned long long)uid);
		cr_assert_eq(vaultroom_has_key(&room, uid), !destroyed);
	}
}

Test(vault_doomed, whoever_never_had_a_key_costs_nothing)
{
	struct stat before, after;

	give_keys(1, 1);
	cr_assert_eq(stat(room.path, &before), 0);
	destroy(2);
	destroy(PER_BLOCK + 1);
	destroy(UINT64_C(1) << 30);
	destroy(0);
	destroy(UINT64_MAX);
	cr_assert_eq(vault_sync(room.vault), 0);
	cr_assert_eq(stat(room.path, &after), 0);
	cr_assert_eq(before.st_size, after.st_size);
}
