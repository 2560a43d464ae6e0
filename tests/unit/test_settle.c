/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "daemon/store/inside.h"

#include "tests/support/storeroom.h"

/*
 * Rounds of settling, cut short anywhere: nothing is lost, and in the end each table has the keys
 * of its rows and no other.
 */

static struct storeroom room;
static uint32_t org;

static void set_up(void)
{
	storeroom_open(&room, STOREROOM_MAP_BYTES);
	org = storeroom_put_org(&room, "fabrikam");
	(void)storeroom_put_keeper(&room, "mail");
	storeroom_settle(&room);
}

static void tear_down(void)
{
	storeroom_close(&room);
}

TestSuite(settle, .init = set_up, .fini = tear_down);

static struct account import(const char *id)
{
	char person[64];

	(void)snprintf(person, sizeof(person), "%s@home.example", id);
	return storeroom_import(&room, org, id, person, person);
}

static bool is_under_way(void)
{
	return overlay_round_seq(room.store->overlay) != 0;
}

/* So far that a table has had a change. */
static void settle_until(enum index index)
{
	while (room.store->round.n_tables == 0 || room.store->round.index != index) {
		storeroom_settle_slice(&room, 1);
		cr_assert(is_under_way());
	}
}

static void settle_rest(void)
{
	while (is_under_way()) {
		storeroom_settle_slice(&room, 1);
	}
}

/* What the store tells of its accounts, by every way to them. */

#define ROWS_MAX 16

struct picture {
	uint32_t n;
	struct account rows[ROWS_MAX];
	struct store_counts counts;
};

static struct picture take_picture(void)
{
	struct picture picture = {.counts = *store_counts(room.store)};
	uint64_t uid = 0;

	while (store_next_account(room.store, &uid, &picture.rows[picture.n]) == 0) {
		cr_assert_lt(++picture.n, ROWS_MAX);
	}
	return picture;
}

static uint32_t n_by_time(int (*next)(struct store *, struct due_position *, struct account *))
{
	struct due_position position = {0};
	struct account account;
	uint32_t n = 0;

	while (next(room.store, &position, &account) == 0) {
		n++;
	}
	return n;
}

static uint32_t n_standing(const struct picture *picture, enum index index)
{
	struct key key;
	uint32_t n = 0;

	for (uint32_t i = 0; i < picture->n; ++i) {
		n += index_key(index, &picture->rows[i], &key);
	}
	return n;
}

static void expect_ways(const struct picture *picture)
{
	struct org_position position = {0};
	struct account account;
	uint32_t n = 0;

	cr_assert_eq(n_by_time(store_next_due), n_standing(picture, INDEX_DUE));
	cr_assert_eq(n_by_time(store_next_owed), n_standing(picture, INDEX_OWED));
	while (store_next_of_org(room.store, org, &position, &account) == 0) {
		n++;
	}
	cr_assert_eq(n, picture->n);
	for (uint32_t i = 0; i < picture->n; ++i) {
		struct key key = key_by_org_hash(org, picture->rows[i].hash_id, 0);

		cr_assert(index_key(INDEX_ID, &picture->rows[i], &key));
		cr_assert_eq(storeroom_get(&room, picture->rows[i].uid).last_seq,
			     picture->rows[i].last_seq);
	}
}

static void expect_same(const struct picture *before)
{
	struct picture now = take_picture();

	cr_assert_eq(now.n, before->n);
	for (uint32_t i = 0; i < now.n; ++i) {
		uint8_t a[ROWS_ACCOUNT_LEN], b[ROWS_ACCOUNT_LEN];

		(void)rows_encode_account(&now.rows[i], a);
		(void)rows_encode_account(&before->rows[i], b);
		cr_assert_arr_eq(a, b, ROWS_ACCOUNT_LEN);
	}
	cr_assert_arr_eq(&now.counts, &before->counts, sizeof(now.counts));
	expect_ways(&now);
	storeroom_commit(&room); /* ends the reading */
}

static uint32_t n_keys(enum kv_table table)
{
	cleanup(kv_cursor_closep) struct kv_cursor *cursor = NULL;
	struct kv_txn *txn;
	uint32_t n = 0;
	int r;

	cr_assert_eq(store_reading(room.store, &txn), 0);
	cr_assert_eq(kv_cursor_open(txn, table, &cursor), 0);
	for (r = kv_cursor_seek(cursor, (struct slice){0}, NULL, NULL); r == 0;
	     r = kv_cursor_next(cursor, NULL, NULL)) {
		n++;
	}
	return n;
}

static void expect_key(enum kv_table table, const struct key *key)
{
	struct slice value;
	struct kv_txn *txn;

	cr_assert_eq(store_reading(room.store, &txn), 0);
	cr_assert_eq(kv_get(txn, table, key_slice(key), &value), 0);
}

/* With all settled, the tables have every key of every row, and no other. */
static void expect_exact_tables(void)
{
	struct picture picture;
	struct key key;

	storeroom_settle(&room);
	cr_assert_eq(store_unsettled_rows(room.store), 0);
	picture = take_picture();
	for (enum index index = 0; index < _INDEX_MAX; ++index) {
		for (uint32_t i = 0; i < picture.n; ++i) {
			if (index_key(index, &picture.rows[i], &key)) {
				expect_key(index_table(index), &key);
			}
		}
		cr_assert_eq(n_keys(index_table(index)), n_standing(&picture, index));
	}
	storeroom_commit(&room);
}

/* Accounts whose rows are settled, in stages of their lives. */
struct cast {
	struct account active, left, back, purged, renamed, removed;
};

static struct cast begin_cast(void)
{
	struct cast cast = {import("active"), import("left"),    import("back"),
			    import("purged"), import("renamed"), import("removed")};

	storeroom_step(&room, &cast.back, LIFECYCLE_REMOVE);
	storeroom_step(&room, &cast.purged, LIFECYCLE_REMOVE);
	storeroom_step(&room, &cast.removed, LIFECYCLE_REMOVE);
	storeroom_step(&room, &cast.removed, LIFECYCLE_PURGE);
	storeroom_settle(&room);
	return cast;
}

/* What happens to them next: some keys go, others come. */
static void go_on(struct cast *cast)
{
	room.now += SPAN_HOUR;
	room.keepers = 0;
	storeroom_step(&room, &cast->left, LIFECYCLE_LEAVE);
	storeroom_step(&room, &cast->back, LIFECYCLE_RESTORE);
	storeroom_step(&room, &cast->removed, LIFECYCLE_COMPLETE_REMOVAL);
	room.keepers = 1;
	storeroom_step(&room, &cast->purged, LIFECYCLE_PURGE);
	storeroom_update(&room, &cast->renamed, "renamed", "new@home.example", "new@x.example");
	(void)import("new-1");
	(void)import("new-2");
	storeroom_commit(&room);
}

/* And what happens while the round is under way, twice to some of them. */
static void go_on_meanwhile(struct cast *cast)
{
	room.now += SPAN_HOUR;
	storeroom_step(&room, &cast->left, LIFECYCLE_RESTORE);
	storeroom_step(&room, &cast->left, LIFECYCLE_REMOVE);
	storeroom_step(&room, &cast->back, LIFECYCLE_LEAVE);
	storeroom_step(&room, &cast->active, LIFECYCLE_DISABLE);
	storeroom_update(&room, &cast->renamed, "renamed", "renamed@home.example",
			 "renamed@home.example");
	(void)import("new-3");
	storeroom_commit(&room);
}

static void settle_steps(uint32_t n)
{
	for (uint32_t i = 0; i < n; ++i) {
		storeroom_settle_slice(&room, 1);
	}
}

#define STEPS_MAX 64 /* more than a round of the cast has */

Test(settle, a_kill_after_any_slice_of_a_round_loses_nothing_and_leaves_no_key_behind)
{
	bool ended = false;

	for (uint32_t n = 1; n < STEPS_MAX && !ended; ++n) {
		struct picture before;
		struct cast cast = begin_cast();

		go_on(&cast);
		before = take_picture();
		storeroom_commit(&room);
		settle_steps(n);
		ended = !is_under_way();
		expect_same(&before);
		storeroom_reopen(&room);
		cr_assert_eq(is_under_way(), !ended);
		expect_same(&before);
		expect_exact_tables();
		expect_same(&before);
		tear_down();
		set_up();
	}
	cr_assert(ended);
}

Test(settle, rows_that_change_while_a_round_is_under_way_survive_a_kill_in_it)
{
	bool ended = false;

	for (uint32_t n = 1; n < STEPS_MAX && !ended; ++n) {
		struct picture before;
		struct cast cast = begin_cast();

		go_on(&cast);
		settle_steps(n);
		ended = !is_under_way();
		go_on_meanwhile(&cast);
		before = take_picture();
		expect_same(&before);
		storeroom_reopen(&room);
		expect_same(&before);
		settle_steps(n / 2);
		expect_same(&before);
		storeroom_reopen(&room);
		expect_same(&before);
		expect_exact_tables();
		expect_same(&before);
		tear_down();
		set_up();
	}
	cr_assert(ended);
}

Test(settle, a_row_that_changes_at_any_slice_is_found_by_every_way_until_all_is_settled)
{
	bool ended = false;

	for (uint32_t n = 1; n < STEPS_MAX && !ended; ++n) {
		struct picture before;
		struct cast cast = begin_cast();

		go_on(&cast);
		settle_steps(n);
		ended = !is_under_way();
		go_on_meanwhile(&cast);
		before = take_picture();
		while (store_unsettled_entries(room.store) > 0) {
			storeroom_settle_slice(&room, 1);
			expect_same(&before);
		}
		expect_exact_tables();
		tear_down();
		set_up();
	}
	cr_assert(ended);
}

Test(settle, a_row_that_comes_back_under_a_key_that_the_round_has_deleted_is_found)
{
	struct account account = import("g-1"), found;
	struct due_position position = {0};

	storeroom_step(&room, &account, LIFECYCLE_REMOVE);
	storeroom_settle(&room);
	storeroom_step(&room, &account, LIFECYCLE_RESTORE);
	storeroom_commit(&room);
	settle_until(INDEX_DUE); /* the key of its window's end is gone */
	storeroom_step(&room, &account, LIFECYCLE_REMOVE);
	storeroom_commit(&room);
	cr_assert_eq(store_next_due(room.store, &position, &found), 0);
	storeroom_reopen(&room);
	position = (struct due_position){0};
	cr_assert_eq(store_next_due(room.store, &position, &found), 0);
	cr_assert_eq(found.uid, account.uid);
	expect_exact_tables();
}

Test(settle, an_account_removed_for_good_in_the_middle_of_a_round_is_gone)
{
	uint8_t buffer[MODEL_PROFILE_BYTES_MAX];
	struct account account = import("g-1"), found;
	struct person_position position;
	struct profile profile;

	storeroom_step(&room, &account, LIFECYCLE_REMOVE);
	storeroom_step(&room, &account, LIFECYCLE_PURGE);
	storeroom_commit(&room);
	settle_until(INDEX_PERSON);
	storeroom_step(&room, &account, LIFECYCLE_COMPLETE_REMOVAL);
	storeroom_commit(&room);
	for (int i = 0; i < 2; ++i) {
		cr_assert_eq(store_get_profile(room.store, account.uid, buffer, &profile),
			     STORE_E_NONE);
		position = store_begin_person(room.store, slice_of("g-1@home.example"));
		cr_assert_eq(store_next_of_person(room.store, &position, &found), STORE_E_NONE);
		cr_assert_neq(storeroom_get(&room, account.uid).facts.removed_at, INSTANT_NONE);
		storeroom_reopen(&room);
	}
	expect_exact_tables();
	cr_assert_eq(n_keys(KV_BY_PERSON), 0);
}

Test(settle, a_tombstone_that_a_round_has_still_to_settle_is_not_dropped)
{
	struct account account = import("g-1");

	storeroom_step(&room, &account, LIFECYCLE_REMOVE);
	storeroom_step(&room, &account, LIFECYCLE_PURGE);
	storeroom_commit(&room);
	settle_until(INDEX_ID);
	storeroom_step(&room, &account, LIFECYCLE_COMPLETE_REMOVAL);
	storeroom_commit(&room);
	settle_rest();
	account = storeroom_get(&room, account.uid);
	cr_assert_eq(store_drop_tombstone(room.store, &account), STORE_E_NONE);
	storeroom_settle(&room);
	cr_assert_eq(store_drop_tombstone(room.store, &account), 0);
	storeroom_commit(&room);
	expect_exact_tables();
	cr_assert_eq(n_keys(KV_ACCOUNTS), 0);
}

Test(settle, the_tail_ends_with_the_last_whole_round)
{
	(void)import("g-1");
	storeroom_commit(&room);
	settle_until(INDEX_UPN);
	(void)import("g-2");
	storeroom_commit(&room);
	cr_assert_eq(store_unsettled_entries(room.store), 2);
	cr_assert_eq(store_unsettled_rows(room.store), 2);
	settle_rest();
	cr_assert_eq(store_unsettled_entries(room.store), 1);
	cr_assert_eq(store_unsettled_rows(room.store), 1);
}

Test(settle, a_slice_is_as_durable_as_the_turn_it_is_part_of)
{
	(void)import("g-1");
	cr_assert_eq(store_settle(room.store, 1), 0);
	storeroom_reopen(&room);
	cr_assert_not(is_under_way());
	cr_assert_eq(take_picture().n, 0);
}

Test(settle, little_that_waits_need_not_be_settled_under_load)
{
	(void)import("g-1");
	storeroom_commit(&room);
	cr_assert_not(store_steps_due(room.store));
}

Test(settle, so_many_rows_that_memory_must_be_bounded_are_settled_under_load)
{
	struct account account = import("g-1");

	account.last_seq = room.store->head.seq;
	for (uint64_t uid = 2; uid <= STORE_OVERLAY_MAX; ++uid) {
		account.uid = uid;
		cr_assert_eq(overlay_put(room.store->overlay, &account, NULL), 0);
	}
	cr_assert_not(store_steps_due(room.store));
	account.uid = STORE_OVERLAY_MAX + 1;
	cr_assert_eq(overlay_put(room.store->overlay, &account, NULL), 0);
	cr_assert(store_steps_due(room.store));
	while (store_steps_due(room.store)) {
		cr_assert_eq(store_settle(room.store, STORE_SETTLE_SLICE), 0);
	}
	cr_assert(is_under_way(), "no more than a slice is due before others come");
	storeroom_settle(&room);
	cr_assert_eq(n_keys(KV_ACCOUNTS), STORE_OVERLAY_MAX + 1);
	storeroom_commit(&room);
}

Test(settle, a_round_under_way_goes_on_as_fast_as_entries_come)
{
	(void)import("g-1");
	(void)import("g-2");
	storeroom_commit(&room);
	storeroom_settle_slice(&room, 1);
	cr_assert_not(store_steps_due(room.store), "nothing has come since");
	(void)import("g-3");
	cr_assert(store_steps_due(room.store));
	while (is_under_way() && store_steps_due(room.store)) {
		cr_assert_eq(store_settle(room.store, 1), 0);
	}
	storeroom_commit(&room);
	cr_assert_geq(room.store->round.n_steps, 6);
	cr_assert_not(store_steps_due(room.store));
}

Test(settle, a_round_begun_again_after_a_kill_does_not_make_up_for_what_came_before)
{
	(void)import("g-1");
	storeroom_commit(&room);
	storeroom_settle_slice(&room, 1);
	for (int i = 0; i < 50; ++i) {
		struct account account = storeroom_get(&room, 1);

		storeroom_step(&room, &account, i % 2 ? LIFECYCLE_ENABLE : LIFECYCLE_DISABLE);
	}
	storeroom_commit(&room);
	storeroom_reopen(&room);
	cr_assert(is_under_way());
	cr_assert_not(store_steps_due(room.store));
}

static void tamper_round(uint64_t round_seq)
{
	struct kv_txn *txn;

	cr_assert_eq(store_writing(room.store, &txn), 0);
	store_put_round(txn, round_seq);
	storeroom_commit(&room);
}

Test(settle, a_round_that_reaches_beyond_the_ledger_is_refused)
{
	(void)import("g-1");
	tamper_round(room.store->head.seq + 1);
	cr_assert_eq(storeroom_try_reopen(&room), STORE_E_CORRUPT);
}

Test(settle, a_round_of_what_is_settled_is_refused)
{
	tamper_round(room.store->state.settled_seq);
	cr_assert_eq(storeroom_try_reopen(&room), STORE_E_CORRUPT);
}

/* Slices: what one may change is counted, and never depends on how long anything takes. */

static uint32_t n_changed(void)
{
	struct kv_txn *txn;

	cr_assert_eq(store_reading(room.store, &txn), 0);
	return kv_changed_pages(txn);
}

/* Rows of accounts that jump about in the tables: on pages of their own, as in a large store. */
static void leave_far_apart(uint32_t n_accounts, uint32_t every)
{
	for (uint32_t i = 0; i < n_accounts; ++i) {
		char id[32];

		(void)snprintf(id, sizeof(id), "g-%u", i);
		(void)import(id);
	}
	storeroom_settle(&room);
	for (uint32_t uid = 1; uid <= n_accounts; uid += every) {
		struct account account = storeroom_get(&room, uid);

		storeroom_step(&room, &account, LIFECYCLE_DISABLE);
	}
	storeroom_commit(&room);
	cr_assert_eq(kv_checkpoint(room.store->kv), 0);
}

Test(settle, a_slice_never_changes_more_pages_than_its_steps_pay_for)
{
	uint32_t n_slices = 0;

	leave_far_apart(3000, 30);
	while (store_unsettled_rows(room.store) > 0) {
		uint32_t n_before = n_changed();

		cr_assert_eq(store_settle(room.store, 50), 0);
		cr_assert_leq(n_changed() - n_before, 50 / 4 + 1);
		storeroom_commit(&room);
		n_slices++;
	}
	cr_assert_geq(n_slices, 75 * 5 / 50, "hardly two rows were on a page");
}

Test(settle, rows_that_share_pages_are_settled_in_few_slices)
{
	uint32_t n_slices = 0;

	leave_far_apart(100, 1);
	for (; store_unsettled_rows(room.store) > 0; ++n_slices) {
		storeroom_settle_slice(&room, 100);
	}
	cr_assert_leq(n_slices, 3);
}
