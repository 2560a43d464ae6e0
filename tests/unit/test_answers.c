/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "daemon/store/store.h"

#include "tests/support/storeroom.h"

/* One user's answers take no more than its share of the store, and nobody else's. */

#define SHARE  (STORE_MAP_MIN / STORE_ANSWERS_SHARE_OF_UID)
#define PORTAL 990
#define OTHER  991

static struct storeroom room;
static uint64_t n_put;

static void set_up(void)
{
	n_put = 0;
	storeroom_open(&room, STORE_MAP_MIN);
}

static void tear_down(void)
{
	storeroom_close(&room);
}

TestSuite(answers, .init = set_up, .fini = tear_down);

static bool may_keep(uint32_t uid)
{
	bool may;

	cr_assert_eq(store_may_keep_answer(room.store, uid, &may), 0);
	return may;
}

static void put(uint32_t uid, instant_t until, size_t len)
{
	static const char bytes[SHARE];
	uint8_t key[ROWS_HASH_LEN] = {0};

	store_be64(key, ++n_put);
	cr_assert_leq(len, sizeof(bytes));
	cr_assert_eq(store_put_answer(room.store, uid, key, until, (struct slice){bytes, len}), 0);
}

/* As many as may be, of a kilobyte each. */
static uint64_t fill(uint32_t uid, instant_t until)
{
	uint64_t n = 0;

	while (may_keep(uid)) {
		put(uid, until, 1024);
		n++;
	}
	return n;
}

Test(answers, a_users_answers_take_a_sixteenth_of_the_store_at_most)
{
	uint64_t n = fill(PORTAL, room.now);

	cr_assert_leq((n - 1) * 1024, SHARE, "one more than fits is the last");
	cr_assert_geq(n * (1024 + 256), SHARE, "what an answer takes beside its bytes is little");
}

Test(answers, even_empty_ones_count)
{
	uint64_t n = 0;

	for (; may_keep(PORTAL); n++) {
		put(PORTAL, room.now, 0);
	}
	cr_assert_gt(n, 1000);
	cr_assert_lt(n * 64, SHARE);
}

Test(answers, one_users_answers_do_not_count_against_another)
{
	(void)fill(PORTAL, room.now);
	cr_assert_not(may_keep(PORTAL));
	cr_assert(may_keep(OTHER));
}

Test(answers, what_is_forgotten_makes_room_again_for_its_owner_alone)
{
	uint64_t n = fill(PORTAL, room.now);

	(void)fill(OTHER, room.now + 1);
	cr_assert_eq(store_drop_answers(room.store, room.now, 1), 0);
	cr_assert(may_keep(PORTAL));
	cr_assert_not(may_keep(OTHER));
	cr_assert_eq(store_drop_answers(room.store, room.now, (uint32_t)n), 0);
	cr_assert_eq(fill(PORTAL, room.now), n, "none of the first ones counts any more");
}

Test(answers, what_they_take_is_known_after_a_restart)
{
	(void)fill(PORTAL, room.now);
	storeroom_commit(&room);
	storeroom_reopen(&room);
	cr_assert_not(may_keep(PORTAL));
	cr_assert(may_keep(OTHER));
}
