/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "daemon/store/store.h"

#include "tests/support/storeroom.h"
#include "tests/support/temp.h"

/* A store that is full of accounts takes no more of them, and can still remove every one. */

#define TINY_MAP_BYTES STORE_MAP_MIN
#define ACCOUNTS_MAX   20000
#define TURN_ACCOUNTS  100
#define ACCOUNT_BYTES  4096 /* more than one of these costs in pages */

static struct storeroom room;
static uint32_t org;

static void set_up(void)
{
	storeroom_open(&room, TINY_MAP_BYTES);
	org = storeroom_put_org(&room, "fabrikam");
	storeroom_commit(&room);
}

static void tear_down(void)
{
	storeroom_close(&room);
}

TestSuite(store_room, .init = set_up, .fini = tear_down);

static bool has_room(uint64_t bytes)
{
	bool is_room;

	cr_assert_eq(store_has_room(room.store, bytes, &is_room), 0);
	return is_room;
}

static uint64_t reserve_bytes(void)
{
	struct kv_usage usage;
	uint64_t reserve;

	cr_assert_eq(store_usage(room.store, &usage, &reserve), 0);
	return reserve;
}

static void import(uint32_t i)
{
	char id[32], person[64];

	(void)snprintf(id, sizeof(id), "id-%u", i);
	(void)snprintf(person, sizeof(person), "person-%u@home.example", i);
	(void)storeroom_import(&room, org, id, person, person);
}

/* Settled after each turn: nothing waits, so that the tables are as large as they get. */
static uint64_t fill(void)
{
	uint32_t n = 0;

	while (has_room(TURN_ACCOUNTS * ACCOUNT_BYTES)) {
		for (uint32_t i = 0; i < TURN_ACCOUNTS; ++i) {
			import(n++);
		}
		storeroom_settle(&room);
		cr_assert_lt(n, ACCOUNTS_MAX);
	}
	cr_assert_gt(n, TURN_ACCOUNTS);
	return n;
}

static void step_all(uint64_t n, enum lifecycle_command command)
{
	for (uint64_t uid = 1; uid <= n; ++uid) {
		struct account account = storeroom_get(&room, uid);

		storeroom_step(&room, &account, command);
		if (uid % TURN_ACCOUNTS == 0) {
			storeroom_settle(&room);
		}
	}
	storeroom_settle(&room);
}

Test(store_room, an_empty_store_has_room)
{
	cr_assert(has_room(1 << 20));
}

Test(store_room, no_store_has_room_for_more_than_its_map)
{
	cr_assert_not(has_room(TINY_MAP_BYTES));
}

Test(store_room, whoever_asks_in_the_same_turn_shares_the_room)
{
	uint32_t n = 0;

	while (has_room(65536)) {
		cr_assert_lt(++n, TINY_MAP_BYTES / 65536);
	}
	cr_assert_gt(n, TINY_MAP_BYTES / 65536 / 2);
	storeroom_commit(&room);
	cr_assert(has_room(65536), "what was asked for and not written is there again");
}

Test(store_room, room_counts_entries_without_a_profile_too)
{
	uint32_t n = 0;

	while (has_room(0)) {
		room.actor.at = room.now;
		cr_assert_eq(store_note_event(room.store, EVENT_CLOCK_ADVANCED, &room.actor), 0);
		cr_assert_lt(++n, ACCOUNTS_MAX);
	}
}

Test(store_room, a_reserve_is_kept_from_growth_that_grows_with_the_accounts)
{
	struct kv_usage usage;
	uint64_t reserve, n = fill();

	cr_assert_eq(store_usage(room.store, &usage, &reserve), 0);
	cr_assert_eq(reserve, TINY_MAP_BYTES / 8 + n * STORE_RESERVE_EACH);
	cr_assert_leq(usage.used_bytes, usage.map_bytes - reserve);
	cr_assert_gt(usage.used_bytes + reserve, usage.map_bytes * 9 / 10);
}

Test(store_room, rows_that_wait_to_be_settled_are_counted_as_well)
{
	uint32_t n = 0;

	while (has_room(TURN_ACCOUNTS * ACCOUNT_BYTES)) {
		for (uint32_t i = 0; i < TURN_ACCOUNTS; ++i) {
			import(n++);
		}
		storeroom_commit(&room);
	}
	cr_assert_eq(store_unsettled_rows(room.store), n);
	cr_assert_eq(reserve_bytes(),
		     TINY_MAP_BYTES / 8 + n * (STORE_RESERVE_EACH + STORE_RESERVE_ROW));
	storeroom_commit(&room);
	step_all(n, LIFECYCLE_REMOVE);
	step_all(n, LIFECYCLE_PURGE);
	step_all(n, LIFECYCLE_COMPLETE_REMOVAL);
	cr_assert_eq(store_unsettled_rows(room.store), 0);
}

Test(store_room, every_account_of_a_full_store_can_be_removed_for_good)
{
	uint64_t n = fill();

	cr_assert_not(has_room(TURN_ACCOUNTS * ACCOUNT_BYTES));
	step_all(n, LIFECYCLE_REMOVE);
	step_all(n, LIFECYCLE_PURGE);
	step_all(n, LIFECYCLE_COMPLETE_REMOVAL);
	cr_assert_eq(store_counts(room.store)->n_removed, n);
}

Test(store_room, a_full_store_opens)
{
	uint64_t n = fill();

	storeroom_reopen(&room);
	cr_assert_eq(store_counts(room.store)->n_active, n);
	cr_assert_not(has_room(TURN_ACCOUNTS * ACCOUNT_BYTES));
}

/* Answers of a MiB each, until the turn's transaction takes no more. */
static void fill_turn(void)
{
	cleanup(freep) char *bytes = calloc(1, STORE_ANSWER_MAX);
	struct slice answer = {bytes, STORE_ANSWER_MAX};
	uint8_t key[ROWS_HASH_LEN] = {0};
	int r = 0;

	cr_assert(bytes);
	for (key[0] = 1; r == 0; key[0]++) {
		cr_assert_leq(key[0], TINY_MAP_BYTES / STORE_ANSWER_MAX + 1);
		r = store_put_answer(room.store, 1000, key, room.now, answer);
	}
	cr_assert_eq(r, -ENOSPC);
}

static off_t register_bytes(void)
{
	cleanup(freep) char *path = temp_path_new(room.directory, "register");
	struct stat st;

	cr_assert_eq(stat(path, &st), 0);
	return st.st_size;
}

static bool has_key(uint64_t uid)
{
	bool has;

	cr_assert_eq(store_has_key(room.store, uid, &has), 0);
	return has;
}

Test(store_room, a_purge_that_could_not_be_recorded_has_not_happened)
{
	struct account account = storeroom_import(&room, org, "a", "a@x.example", "a@x.example");
	off_t before;

	storeroom_step(&room, &account, LIFECYCLE_REMOVE);
	storeroom_commit(&room);
	before = register_bytes();
	storeroom_step(&room, &account, LIFECYCLE_PURGE);
	fill_turn();
	cr_assert_eq(store_commit(room.store), -ENOSPC);
	cr_assert_eq(register_bytes(), before);

	storeroom_reopen(&room);
	cr_assert_not(store_restored(room.store)->any);
	account = storeroom_get(&room, account.uid);
	cr_assert_eq(account.facts.removal_started_at, INSTANT_NONE);
}

Test(store_room, a_completion_that_could_not_be_recorded_has_destroyed_no_key)
{
	struct account account = storeroom_import(&room, org, "a", "a@x.example", "a@x.example");

	storeroom_step(&room, &account, LIFECYCLE_REMOVE);
	storeroom_step(&room, &account, LIFECYCLE_PURGE);
	storeroom_commit(&room);
	storeroom_step(&room, &account, LIFECYCLE_COMPLETE_REMOVAL);
	fill_turn();
	cr_assert_eq(store_commit(room.store), -ENOSPC);

	storeroom_reopen(&room);
	cr_assert_not(store_restored(room.store)->any);
	cr_assert(has_key(account.uid));
}
