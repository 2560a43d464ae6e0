/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/round.h"

#include <criterion/criterion.h>

#include "tests/support/guest_row.h"
#include "tests/support/random.h"

static struct overlay *overlay;
static struct round under_way;

static void set_up(void)
{
	cr_assert_eq(overlay_new(&overlay), 0);
	under_way = (struct round){0};
}

static void tear_down(void)
{
	round_done(&under_way);
	overlay = overlay_free(overlay);
}

TestSuite(round, .init = set_up, .fini = tear_down);

static void put(struct account account, const struct account *settled)
{
	cr_assert_eq(overlay_put(overlay, &account, settled), 0);
}

/*
 * The changes of the next table in which there are any: the uids, as decimal digits of a number,
 * of the keys that are to stand; those that are to be deleted are counted apart.
 */
struct changes {
	enum index index;
	uint64_t stand;
	uint32_t n_deleted;
};

static struct changes next(void)
{
	struct changes changes = {0};
	struct key key;
	bool stands;

	while (under_way.n == 0 && !round_is_over(&under_way)) {
		round_next_table(&under_way);
		cr_assert_eq(round_fill(&under_way, overlay, UINT32_MAX), 0);
	}
	changes.index = under_way.index;
	while (round_take(&under_way, &key, &stands)) {
		if (stands) {
			changes.stand = 10 * changes.stand + key_uid(key_slice(&key));
		} else {
			changes.n_deleted++;
		}
	}
	return changes;
}

static void expect_next(enum index index, uint64_t stand, uint32_t n_deleted)
{
	struct changes changes = next();

	cr_assert_eq(changes.index, index);
	cr_assert_eq(changes.stand, stand);
	cr_assert_eq(changes.n_deleted, n_deleted);
}

Test(round, new_rows_go_into_each_table_in_the_order_of_its_keys_and_the_rows_come_last)
{
	put(guest_row(1, 1, 'c'), NULL);
	put(guest_row_deleted(guest_row(2, 2, 'a'), GUEST_ROW_BEGIN + 9), NULL);
	put(guest_row_deleted(guest_row(3, 3, 'b'), GUEST_ROW_BEGIN), NULL);
	overlay_begin_round(overlay, 3);
	expect_next(INDEX_DUE, 32, 0);
	expect_next(INDEX_ID, 231, 0);
	expect_next(INDEX_PERSON, 231, 0);
	expect_next(INDEX_UPN, 231, 0);
	expect_next(INDEX_UID, 123, 0);
	cr_assert(round_is_over(&under_way));
}

Test(round, of_a_changed_row_only_the_keys_that_changed_are_written)
{
	struct account settled = guest_row(1, 1, 'a');

	put(guest_row_deleted(guest_row(1, 2, 'a'), GUEST_ROW_BEGIN), &settled);
	overlay_begin_round(overlay, 2);
	expect_next(INDEX_DUE, 1, 0);
	expect_next(INDEX_UID, 1, 0);
	cr_assert(round_is_over(&under_way));
}

Test(round, a_key_that_the_row_has_left_is_deleted)
{
	struct account settled = guest_row_deleted(guest_row(1, 1, 'a'), GUEST_ROW_BEGIN);

	put(guest_row(1, 2, 'b'), &settled);
	overlay_begin_round(overlay, 2);
	expect_next(INDEX_DUE, 0, 1);
	expect_next(INDEX_ID, 1, 1);
	expect_next(INDEX_PERSON, 1, 1);
	expect_next(INDEX_UPN, 1, 1);
	expect_next(INDEX_UID, 1, 0);
}

Test(round, a_tombstone_keeps_its_id)
{
	struct account settled = guest_row_deleted(guest_row(1, 1, 'a'), GUEST_ROW_BEGIN),
		       removed = settled;

	removed.last_seq = 2;
	removed.facts.removal_started_at = GUEST_ROW_BEGIN + 1;
	removed.facts.removed_at = GUEST_ROW_BEGIN + 2;
	memset(removed.hash_upn, 0, ROWS_HASH_LEN);
	put(removed, &settled);
	overlay_begin_round(overlay, 2);
	expect_next(INDEX_DUE, 0, 1);
	expect_next(INDEX_PERSON, 0, 1);
	expect_next(INDEX_UPN, 0, 1);
	expect_next(INDEX_UID, 1, 0);
}

Test(round, what_comes_meanwhile_is_not_of_it)
{
	put(guest_row(1, 1, 'a'), NULL);
	overlay_begin_round(overlay, 1);
	put(guest_row_deleted(guest_row(1, 2, 'b'), GUEST_ROW_BEGIN), NULL);
	put(guest_row(2, 3, 'c'), NULL);
	expect_next(INDEX_ID, 1, 0);
	expect_next(INDEX_PERSON, 1, 0);
	expect_next(INDEX_UPN, 1, 0);
	expect_next(INDEX_UID, 1, 0);
}

Test(round, one_of_no_rows_is_over_at_once)
{
	struct changes changes;

	overlay_begin_round(overlay, 7);
	changes = next();
	cr_assert(round_is_over(&under_way));
	cr_assert_eq(changes.stand + changes.n_deleted, 0);
}

Test(round, many_keys_come_in_their_order_and_each_once)
{
	struct key before = {0}, key;
	uint64_t random = 20260301;
	uint32_t n = 0, n_slices = 0;
	bool stands;

	for (uint64_t uid = 1; uid <= 5000; ++uid) {
		put(guest_row(uid, uid, (uint8_t)random_below(&random, 250)), NULL);
	}
	overlay_begin_round(overlay, 5000);
	while (under_way.n == 0) {
		round_next_table(&under_way);
		for (n_slices = 0; round_is_filling(&under_way); ++n_slices) {
			uint32_t n_before = under_way.n;

			cr_assert_eq(round_fill(&under_way, overlay, 100), 0);
			cr_assert_leq(under_way.n - n_before, 100);
		}
		cr_assert_eq(n_slices, 51);
	}
	for (; round_take(&under_way, &key, &stands); ++n) {
		cr_assert(stands);
		cr_assert_lt(memcmp(before.bytes, key.bytes, key.len), 0);
		before = key;
	}
	cr_assert_eq(n, 5000);
}
