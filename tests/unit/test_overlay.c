/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/overlay.h"

#include <criterion/criterion.h>

#include "tests/support/guest_row.h"
#include "tests/support/random.h"

static struct overlay *overlay;

static void set_up(void)
{
	cr_assert_eq(overlay_new(&overlay), 0);
}

static void tear_down(void)
{
	overlay = overlay_free(overlay);
}

TestSuite(overlay, .init = set_up, .fini = tear_down);

static void put(struct account account)
{
	cr_assert_eq(overlay_put(overlay, &account, NULL), 0);
}

/* The uids of one order, as decimal digits of a number: 312 for 3, 1, 2. */
static uint64_t order_of(enum index index)
{
	const struct account *account;
	struct key key = {0};
	uint64_t order = 0;

	while ((account = overlay_next(overlay, index, &key, &key))) {
		order = 10 * order + account->uid;
	}
	return order;
}

Test(overlay, an_empty_one_has_no_rows)
{
	struct key key = {0};

	cr_assert_eq(overlay_n_rows(overlay), 0);
	cr_assert_eq(overlay_round_seq(overlay), 0);
	cr_assert_null(overlay_get(overlay, 1));
	for (enum index index = 0; index < _INDEX_MAX; ++index) {
		cr_assert_null(overlay_next(overlay, index, &key, &key));
	}
}

Test(overlay, freeing_nothing_is_fine)
{
	cr_assert_null(overlay_free(NULL));
}

Test(overlay, a_row_is_found_by_its_uid)
{
	put(guest_row(7, 1, 'a'));
	cr_assert_eq(overlay_get(overlay, 7)->hash_id[0], 'a');
	cr_assert_null(overlay_get(overlay, 8));
}

Test(overlay, rows_stand_in_each_order)
{
	put(guest_row_deleted(guest_row(1, 1, 'c'), GUEST_ROW_BEGIN + 2));
	put(guest_row_deleted(guest_row(2, 2, 'a'), GUEST_ROW_BEGIN + 3));
	put(guest_row_deleted(guest_row(3, 3, 'b'), GUEST_ROW_BEGIN + 1));
	cr_assert_eq(order_of(INDEX_UID), 123);
	cr_assert_eq(order_of(INDEX_ID), 231);
	cr_assert_eq(order_of(INDEX_PERSON), 231);
	cr_assert_eq(order_of(INDEX_UPN), 231);
	cr_assert_eq(order_of(INDEX_DUE), 312);
}

Test(overlay, rows_of_the_same_name_stand_in_the_order_of_their_uids)
{
	put(guest_row(3, 1, 'a'));
	put(guest_row(1, 2, 'a'));
	put(guest_row(2, 3, 'a'));
	cr_assert_eq(order_of(INDEX_PERSON), 123);
}

Test(overlay, a_row_put_again_replaces_the_one_before)
{
	put(guest_row(1, 1, 'a'));
	put(guest_row(1, 2, 'b'));
	cr_assert_eq(overlay_n_rows(overlay), 1);
	cr_assert_eq(overlay_get(overlay, 1)->hash_id[0], 'b');
	cr_assert_eq(order_of(INDEX_ID), 1);
}

Test(overlay, a_changed_name_moves_the_row)
{
	put(guest_row(1, 1, 'a'));
	put(guest_row(2, 2, 'b'));
	put(guest_row(1, 3, 'c'));
	cr_assert_eq(order_of(INDEX_UPN), 21);
}

Test(overlay, an_active_account_is_not_due)
{
	put(guest_row(1, 1, 'a'));
	cr_assert_eq(order_of(INDEX_DUE), 0);
}

Test(overlay, an_account_that_came_back_is_due_no_more)
{
	put(guest_row_deleted(guest_row(1, 1, 'a'), GUEST_ROW_BEGIN));
	put(guest_row(1, 2, 'a'));
	cr_assert_eq(order_of(INDEX_DUE), 0);
}

Test(overlay, a_tombstone_is_found_by_uid_and_id_alone)
{
	struct account tombstone = guest_row_deleted(guest_row(1, 1, 'a'), GUEST_ROW_BEGIN);

	put(tombstone);
	tombstone.facts.removal_started_at = GUEST_ROW_BEGIN + 1;
	tombstone.facts.removed_at = GUEST_ROW_BEGIN + 2;
	memset(tombstone.hash_upn, 0, ROWS_HASH_LEN);
	put(tombstone);
	cr_assert_eq(order_of(INDEX_UID), 1);
	cr_assert_eq(order_of(INDEX_ID), 1);
	cr_assert_eq(order_of(INDEX_PERSON), 0);
	cr_assert_eq(order_of(INDEX_UPN), 0);
	cr_assert_eq(order_of(INDEX_DUE), 0);
}

Test(overlay, next_begins_behind_a_key_that_no_row_has)
{
	struct key key = key_u64(2), found;

	put(guest_row(1, 1, 'a'));
	put(guest_row(3, 2, 'a'));
	cr_assert_eq(overlay_next(overlay, INDEX_UID, &key, &found)->uid, 3);
	cr_assert_eq(key_uid(key_slice(&found)), 3);
}

Test(overlay, keys_that_the_tables_have_stand_in_no_order)
{
	struct account settled = guest_row(1, 1, 'a');
	struct account left = guest_row_deleted(guest_row(1, 2, 'a'), GUEST_ROW_BEGIN);

	cr_assert_eq(overlay_put(overlay, &left, &settled), 0);
	cr_assert_eq(overlay_get(overlay, 1)->last_seq, 2);
	cr_assert_eq(order_of(INDEX_UID), 0);
	cr_assert_eq(order_of(INDEX_ID), 0);
	cr_assert_eq(order_of(INDEX_PERSON), 0);
	cr_assert_eq(order_of(INDEX_DUE), 1, "this one they do not have");
}

Test(overlay, a_key_that_is_again_as_in_the_tables_stands_in_no_order)
{
	struct account settled = guest_row(1, 1, 'a');
	struct account renamed = guest_row(1, 2, 'b');

	cr_assert_eq(overlay_put(overlay, &renamed, &settled), 0);
	cr_assert_eq(order_of(INDEX_UPN), 1);
	put(guest_row(1, 3, 'a'));
	cr_assert_eq(order_of(INDEX_UPN), 0);
	cr_assert_eq(overlay_n_rows(overlay), 1);
}

/* Rounds */

/* What the round made of a row; it is in its tables from now on. */
static struct account take(uint64_t uid)
{
	struct account account;
	bool is_new;

	overlay_take(overlay, uid, &account, &is_new);
	cr_assert_eq(account.uid, uid);
	return account;
}

static uint32_t n_in_round(void)
{
	const struct account *before, *after;
	const struct node *node = NULL;
	uint32_t n = 0;

	while (overlay_next_of_round(overlay, &node, &before, &after)) {
		cr_assert_neq(after->uid, 0);
		++n;
	}
	return n;
}

Test(overlay, many_rows_are_found_and_taken)
{
	for (uint64_t uid = 1; uid <= 5000; uid++) {
		put(guest_row(uid * 64, uid, 'a'));
	}
	for (uint64_t uid = 1; uid <= 5000; uid++) {
		cr_assert_eq(overlay_get(overlay, uid * 64)->last_seq, uid);
		cr_assert_null(overlay_get(overlay, uid * 64 + 1));
	}
	overlay_begin_round(overlay, 5000);
	for (uint64_t uid = 1; uid <= 5000; uid++) {
		cr_assert_eq(take(uid * 64).last_seq, uid);
		cr_assert_null(overlay_get(overlay, uid * 64));
		cr_assert(uid == 5000 || overlay_get(overlay, (uid + 1) * 64));
	}
	overlay_end_round(overlay);
	cr_assert_eq(overlay_n_rows(overlay), 0);
}

Test(overlay, a_round_is_of_the_rows_that_changed_up_to_its_number)
{
	put(guest_row(1, 5, 'a'));
	put(guest_row(2, 6, 'a'));
	overlay_begin_round(overlay, 6);
	put(guest_row(3, 7, 'a'));
	cr_assert_eq(overlay_round_seq(overlay), 6);
	cr_assert_eq(n_in_round(), 2);
	(void)take(2);
	cr_assert_eq(n_in_round(), 1);
	(void)take(1);
	cr_assert_eq(n_in_round(), 0);
	overlay_end_round(overlay);
	cr_assert_eq(overlay_n_rows(overlay), 1);
	overlay_begin_round(overlay, 7);
	cr_assert_eq(n_in_round(), 1);
}

Test(overlay, without_a_round_no_row_is_in_one)
{
	put(guest_row(1, 5, 'a'));
	cr_assert_eq(n_in_round(), 0);
	overlay_begin_round(overlay, 5);
	(void)take(1);
	overlay_end_round(overlay);
	put(guest_row(1, 6, 'a'));
	cr_assert_eq(n_in_round(), 0);
}

/* As a replay puts them, which knows the round's number before it begins. */
Test(overlay, a_row_put_into_a_round_that_reaches_further_is_of_it)
{
	overlay_begin_round(overlay, 6);
	put(guest_row(1, 5, 'a'));
	put(guest_row(1, 6, 'b'));
	put(guest_row(2, 7, 'c'));
	put(guest_row(1, 8, 'd'));
	cr_assert_eq(n_in_round(), 1);
	cr_assert_eq(take(1).hash_id[0], 'b');
	cr_assert_eq(overlay_get(overlay, 1)->hash_id[0], 'd');
	overlay_end_round(overlay);
	cr_assert_eq(overlay_n_rows(overlay), 2);
}

Test(overlay, a_row_that_was_taken_is_gone_from_every_order)
{
	put(guest_row_deleted(guest_row(1, 1, 'a'), GUEST_ROW_BEGIN));
	overlay_begin_round(overlay, 1);
	(void)take(1);
	cr_assert_eq(overlay_n_rows(overlay), 0);
	cr_assert_null(overlay_get(overlay, 1));
	for (enum index index = 0; index < _INDEX_MAX; ++index) {
		cr_assert_eq(order_of(index), 0);
	}
}

Test(overlay, a_row_that_changes_twice_in_a_round_is_taken_as_it_was_when_that_began)
{
	put(guest_row(1, 1, 'a'));
	overlay_begin_round(overlay, 1);
	put(guest_row(1, 2, 'b'));
	put(guest_row(1, 3, 'c'));
	cr_assert_eq(take(1).hash_id[0], 'a');
	cr_assert_eq(overlay_get(overlay, 1)->hash_id[0], 'c');
	overlay_end_round(overlay);
	overlay_begin_round(overlay, 3);
	cr_assert_eq(take(1).hash_id[0], 'c');
	cr_assert_eq(overlay_n_rows(overlay), 0);
}

Test(overlay, a_row_that_has_changed_in_a_round_hides_the_one_that_the_round_settled)
{
	put(guest_row(1, 1, 'a'));
	overlay_begin_round(overlay, 1);
	put(guest_row_deleted(guest_row(1, 2, 'a'), GUEST_ROW_BEGIN));
	(void)take(1);
	overlay_end_round(overlay);
	cr_assert_eq(order_of(INDEX_ID), 0, "the tables have this key now");
	cr_assert_eq(order_of(INDEX_DUE), 1, "and this one not");
}

Test(overlay, a_new_row_is_told_from_one_that_the_tables_have)
{
	struct account settled = guest_row(1, 1, 'a'), changed = guest_row(1, 2, 'b'), account;
	bool is_new;

	cr_assert_eq(overlay_put(overlay, &changed, &settled), 0);
	put(guest_row(2, 3, 'c'));
	overlay_begin_round(overlay, 3);
	put(guest_row(2, 4, 'd'));
	overlay_take(overlay, 1, &account, &is_new);
	cr_assert_not(is_new);
	overlay_take(overlay, 2, &account, &is_new);
	cr_assert(is_new);
	overlay_end_round(overlay);
	overlay_begin_round(overlay, 4);
	overlay_take(overlay, 2, &account, &is_new);
	cr_assert_not(is_new, "the round before brought it there");
}

/*
 * A round that deletes a key may have done so already: a row that comes back under it must be
 * found here.
 */
Test(overlay, a_key_that_the_round_deletes_is_not_taken_to_be_in_the_tables)
{
	struct account settled = guest_row(1, 1, 'a'), renamed = guest_row(1, 2, 'b');

	cr_assert_eq(overlay_put(overlay, &renamed, &settled), 0);
	overlay_begin_round(overlay, 2);
	put(guest_row(1, 3, 'a'));
	cr_assert_eq(order_of(INDEX_UPN), 1);
	(void)take(1);
	overlay_end_round(overlay);
	cr_assert_eq(order_of(INDEX_UPN), 1, "the tables have the other one");
	put(guest_row(1, 4, 'b'));
	cr_assert_eq(order_of(INDEX_UPN), 0);
}

Test(overlay, every_row_has_its_turn_however_fast_others_come)
{
	uint64_t seq = 1;

	put(guest_row(100, seq++, 'a'));
	for (uint64_t uid = 1; uid <= 50; ++uid) {
		put(guest_row(uid, seq++, 'a'));
	}
	overlay_begin_round(overlay, seq - 1);
	for (uint64_t uid = 1; uid <= 50; ++uid) {
		put(guest_row(uid, seq++, 'b'));
		put(guest_row(100 + uid, seq++, 'b'));
		(void)take(uid);
	}
	cr_assert_eq(n_in_round(), 1);
	cr_assert_eq(take(100).last_seq, 1);
	overlay_end_round(overlay);
	cr_assert_eq(overlay_n_rows(overlay), 100);
}

/* Against rows in an array that is searched from its begin to its end. */

#define NAIVE_UIDS 60

struct naive {
	bool there[NAIVE_UIDS + 1];
	bool is_settled[NAIVE_UIDS + 1];
	struct account settled[NAIVE_UIDS + 1];
	struct account rows[NAIVE_UIDS + 1];
	bool in_round[NAIVE_UIDS + 1];
	struct account settling[NAIVE_UIDS + 1];
};

static int compare(struct slice a, struct slice b)
{
	int r = memcmp(a.data, b.data, MIN(a.len, b.len));

	return r != 0 ? r : (int)a.len - (int)b.len;
}

static bool stands_under(const struct account *account, enum index index, const struct key *key)
{
	struct key own;

	return index_key(index, account, &own) && compare(key_slice(&own), key_slice(key)) == 0;
}

static bool naive_has_key(const struct naive *naive, enum index index, uint64_t uid,
			  struct key *ret_key)
{
	if (!naive->there[uid] || !index_key(index, &naive->rows[uid], ret_key)) {
		return false;
	}
	return !naive->is_settled[uid] || !stands_under(&naive->settled[uid], index, ret_key) ||
	       (naive->in_round[uid] && !stands_under(&naive->settling[uid], index, ret_key));
}

/* The uid of the smallest key behind @after, or 0. */
static uint64_t naive_next(const struct naive *naive, enum index index, struct slice after,
			   struct key *ret_key)
{
	uint64_t best = 0;
	struct key key;

	for (uint64_t uid = 1; uid <= NAIVE_UIDS; ++uid) {
		if (naive_has_key(naive, index, uid, &key) && compare(key_slice(&key), after) > 0 &&
		    (best == 0 || compare(key_slice(&key), key_slice(ret_key)) < 0)) {
			best = uid;
			*ret_key = key;
		}
	}
	return best;
}

static uint32_t naive_n_rows(const struct naive *naive)
{
	uint32_t n = 0;

	for (uint64_t uid = 1; uid <= NAIVE_UIDS; ++uid) {
		n += naive->there[uid];
	}
	return n;
}

static void expect_same_order(const struct naive *naive, enum index index)
{
	const struct account *account;
	struct key after = {0}, key = {0};

	do {
		struct key found;
		uint64_t uid = naive_next(naive, index, key_slice(&after), &key);

		account = overlay_next(overlay, index, &after, &found);
		cr_assert_eq(account ? account->uid : 0, uid);
		if (account) {
			cr_assert(slice_equal(key_slice(&found), key_slice(&key)));
			cr_assert_eq(account->last_seq, naive->rows[uid].last_seq);
			after = found;
		}
	} while (account);
}

static void expect_same(const struct naive *naive)
{
	cr_assert_eq(overlay_n_rows(overlay), naive_n_rows(naive));
	for (enum index index = 0; index < _INDEX_MAX; ++index) {
		expect_same_order(naive, index);
	}
}

static void put_random(struct naive *naive, uint64_t *random, uint64_t seq)
{
	uint64_t uid = 1 + random_below(random, NAIVE_UIDS);
	struct account account = guest_row(uid, seq, (uint8_t)random_below(random, 8));
	uint32_t stage = random_below(random, 4);

	if (stage > 0) {
		account = guest_row_deleted(account, GUEST_ROW_BEGIN + random_below(random, 20));
	}
	if (stage > 1) {
		account.facts.removal_started_at = GUEST_ROW_BEGIN + 20;
	}
	if (stage > 2) {
		account.facts.removed_at = GUEST_ROW_BEGIN + 21;
	}
	cr_assert_eq(overlay_put(overlay, &account,
				 naive->is_settled[uid] ? &naive->settled[uid] : NULL),
		     0);
	naive->there[uid] = true;
	naive->rows[uid] = account;
}

static void begin_round(struct naive *naive, uint64_t seq)
{
	overlay_begin_round(overlay, seq);
	memcpy(naive->in_round, naive->there, sizeof(naive->in_round));
	memcpy(naive->settling, naive->rows, sizeof(naive->settling));
}

static void take_one(struct naive *naive, uint64_t uid)
{
	struct account account;
	bool is_new;

	overlay_take(overlay, uid, &account, &is_new);
	cr_assert_eq(account.last_seq, naive->settling[uid].last_seq);
	cr_assert_eq(is_new, !naive->is_settled[uid]);
	naive->there[uid] = naive->rows[uid].last_seq != account.last_seq;
	naive->in_round[uid] = false;
	naive->is_settled[uid] = true;
	naive->settled[uid] = account;
}

/* A few rows of a round; a new one when it is at its end. */
static void take_random(struct naive *naive, uint64_t *random, uint64_t seq)
{
	if (overlay_round_seq(overlay) == 0) {
		begin_round(naive, seq);
	}
	for (uint64_t uid = 1; uid <= NAIVE_UIDS; ++uid) {
		if (naive->in_round[uid] && random_below(random, 3) == 0) {
			take_one(naive, uid);
		}
	}
	if (n_in_round() == 0) {
		overlay_end_round(overlay);
	}
}

Test(overlay, it_is_always_what_a_sorted_array_would_be)
{
	static struct naive naive;
	uint64_t random = 20260301;

	for (uint64_t seq = 1; seq <= 1500; ++seq) {
		put_random(&naive, &random, seq);
		if (random_below(&random, 6) == 0) {
			take_random(&naive, &random, seq);
		}
		if (seq % 5 == 0) {
			expect_same(&naive);
		}
	}
}
