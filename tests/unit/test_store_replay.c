/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "daemon/store/store.h"

#include "tests/support/storeroom.h"

/* What a start finds: everything that was committed, settled or not, and nothing else. */

static struct storeroom room;
static uint32_t org;

static void set_up(void)
{
	storeroom_open(&room, STOREROOM_MAP_BYTES);
	org = storeroom_put_org(&room, "fabrikam");
	storeroom_commit(&room);
}

static void tear_down(void)
{
	storeroom_close(&room);
}

TestSuite(store_replay, .init = set_up, .fini = tear_down);

static struct account import(const char *id)
{
	char person[64];

	(void)snprintf(person, sizeof(person), "%s@home.example", id);
	return storeroom_import(&room, org, id, person, person);
}

#define ROWS_MAX 32

struct picture {
	uint32_t n;
	struct account rows[ROWS_MAX];
	struct store_counts counts;
	struct ledger_head head;
};

static struct picture take_picture(void)
{
	struct picture picture = {.counts = *store_counts(room.store),
				  .head = *store_head(room.store)};
	uint64_t uid = 0;

	while (store_next_account(room.store, &uid, &picture.rows[picture.n]) == 0) {
		cr_assert_lt(++picture.n, ROWS_MAX);
	}
	return picture;
}

static void expect_same_row(const struct account *a, const struct account *b)
{
	uint8_t row_a[ROWS_ACCOUNT_LEN], row_b[ROWS_ACCOUNT_LEN];

	cr_assert_eq(a->uid, b->uid);
	(void)rows_encode_account(a, row_a);
	(void)rows_encode_account(b, row_b);
	cr_assert_arr_eq(row_a, row_b, ROWS_ACCOUNT_LEN);
}

static void expect_same(const struct picture *before)
{
	struct picture now = take_picture();

	cr_assert_eq(now.n, before->n);
	for (uint32_t i = 0; i < now.n; ++i) {
		expect_same_row(&now.rows[i], &before->rows[i]);
	}
	cr_assert_arr_eq(&now.counts, &before->counts, sizeof(now.counts));
	cr_assert_eq(now.head.seq, before->head.seq);
	cr_assert_eq(now.head.at, before->head.at);
	cr_assert_arr_eq(now.head.hash, before->head.hash, ROWS_DIGEST_LEN);
}

/* One account in each stage of its life, and one that came back. */
static void live(void)
{
	struct account left = import("left"), back = import("back"), purged = import("purged"),
		       removed = import("removed"), renamed = import("renamed");

	(void)import("active");
	storeroom_step(&room, &left, LIFECYCLE_LEAVE);
	storeroom_step(&room, &back, LIFECYCLE_REMOVE);
	storeroom_step(&room, &back, LIFECYCLE_RESTORE);
	storeroom_step(&room, &purged, LIFECYCLE_REMOVE);
	storeroom_step(&room, &purged, LIFECYCLE_PURGE);
	storeroom_step(&room, &removed, LIFECYCLE_REMOVE);
	storeroom_step(&room, &removed, LIFECYCLE_PURGE);
	storeroom_update(&room, &renamed, "renamed", "new@home.example", "new@x.example");
	storeroom_commit(&room);
	room.now += SPAN_HOUR;
	storeroom_step(&room, &removed, LIFECYCLE_COMPLETE_REMOVAL);
	storeroom_commit(&room);
}

Test(store_replay, what_was_committed_and_not_settled_is_the_same_after_a_start)
{
	struct picture before;

	live();
	before = take_picture();
	cr_assert_eq(store_unsettled_rows(room.store), 6);
	storeroom_reopen(&room);
	expect_same(&before);
	cr_assert_eq(store_unsettled_rows(room.store), 6);
}

Test(store_replay, what_was_settled_is_the_same_after_a_start)
{
	struct picture before;

	live();
	before = take_picture();
	storeroom_settle(&room);
	expect_same(&before);
	storeroom_reopen(&room);
	expect_same(&before);
	cr_assert_eq(store_unsettled_rows(room.store), 0);
}

Test(store_replay, what_was_settled_in_part_is_the_same_after_a_start)
{
	struct picture before;

	live();
	before = take_picture();
	for (uint32_t i = 0; i < 3; ++i) {
		storeroom_settle_slice(&room, 1 + 10 * i);
		storeroom_reopen(&room);
		expect_same(&before);
	}
}

Test(store_replay, a_row_settled_before_a_later_change_of_it_is_replayed_to_the_later_one)
{
	struct account account = import("g-1");
	struct picture before;

	(void)import("g-2");
	storeroom_settle(&room);
	storeroom_step(&room, &account, LIFECYCLE_REMOVE);
	storeroom_commit(&room);
	before = take_picture();
	storeroom_reopen(&room);
	expect_same(&before);
	cr_assert_eq(store_unsettled_rows(room.store), 1);
}

Test(store_replay, what_was_not_committed_is_not_there)
{
	struct account account = import("g-1");
	struct picture before;

	storeroom_commit(&room);
	before = take_picture();
	storeroom_step(&room, &account, LIFECYCLE_REMOVE);
	(void)import("g-2");
	(void)storeroom_put_org(&room, "contoso");
	storeroom_reopen(&room);
	expect_same(&before);
	cr_assert_eq(store_n_orgs(room.store), 1);
}

Test(store_replay, a_uid_that_was_committed_is_never_given_again)
{
	struct account first = import("g-1");

	storeroom_step(&room, &first, LIFECYCLE_REMOVE);
	storeroom_step(&room, &first, LIFECYCLE_PURGE);
	storeroom_commit(&room);
	storeroom_step(&room, &first, LIFECYCLE_COMPLETE_REMOVAL);
	storeroom_commit(&room);
	storeroom_reopen(&room);
	cr_assert_eq(import("g-1").uid, first.uid + 1);
}

Test(store_replay, a_uid_that_was_not_committed_is_given_again_under_a_new_key)
{
	uint8_t buffer[MODEL_PROFILE_BYTES_MAX];
	struct profile profile;
	uint64_t uid = import("lost").uid;

	storeroom_reopen(&room);
	cr_assert_eq(import("kept").uid, uid);
	storeroom_commit(&room);
	storeroom_reopen(&room);
	cr_assert_eq(store_get_profile(room.store, uid, buffer, &profile), 0);
	cr_assert(slice_is(profile.id, "kept"));
}

Test(store_replay, a_completion_that_was_lost_has_left_the_key_and_is_done_again)
{
	uint8_t buffer[MODEL_PROFILE_BYTES_MAX];
	struct account account = import("g-1");
	struct profile profile;

	storeroom_step(&room, &account, LIFECYCLE_REMOVE);
	storeroom_step(&room, &account, LIFECYCLE_PURGE);
	storeroom_commit(&room);
	storeroom_step(&room, &account, LIFECYCLE_COMPLETE_REMOVAL);
	storeroom_reopen(&room);

	account = storeroom_get(&room, account.uid);
	cr_assert_eq(account.facts.removed_at, INSTANT_NONE);
	cr_assert_eq(store_get_profile(room.store, account.uid, buffer, &profile), 0);
	storeroom_step(&room, &account, LIFECYCLE_COMPLETE_REMOVAL);
	storeroom_commit(&room);
	storeroom_reopen(&room);
	cr_assert_eq(storeroom_get(&room, account.uid).facts.removed_at, room.now);
}

Test(store_replay, notes_and_profiles_are_there)
{
	uint8_t buffer[MODEL_PROFILE_BYTES_MAX], note_buffer[ROWS_NOTE_LEN_MAX];
	struct account account = import("g-1");
	struct profile profile;
	struct note note;

	room.actor.note.ref = slice_of("T-17");
	storeroom_step(&room, &account, LIFECYCLE_DISABLE);
	storeroom_commit(&room);
	storeroom_reopen(&room);
	cr_assert_eq(store_get_profile(room.store, account.uid, buffer, &profile), 0);
	cr_assert(slice_is(profile.id, "g-1"));
	cr_assert_eq(store_get_note(room.store, account.uid, account.last_seq, note_buffer, &note),
		     0);
	cr_assert(slice_is(note.ref, "T-17"));
}

Test(store_replay, settings_of_an_organization_are_there)
{
	struct org settings = *store_org(room.store, org);

	settings.policy.window = MODEL_WINDOW_MIN;
	room.actor.at = room.now;
	cr_assert_eq(store_put_org(room.store, &settings, &room.actor), 0);
	storeroom_commit(&room);
	storeroom_reopen(&room);
	cr_assert_eq(store_org(room.store, org)->policy.window, MODEL_WINDOW_MIN);
	cr_assert_eq(store_org(room.store, org)->last_seq, store_head(room.store)->seq);
}

Test(store_replay, a_pause_is_there_until_it_is_resumed)
{
	room.actor.at = room.now;
	cr_assert_eq(store_note_event(room.store, EVENT_SWEEP_PAUSED, &room.actor), 0);
	storeroom_commit(&room);
	storeroom_reopen(&room);
	cr_assert(store_sweep_paused(room.store));
	cr_assert_eq(store_note_event(room.store, EVENT_SWEEP_RESUMED, &room.actor), 0);
	storeroom_commit(&room);
	storeroom_reopen(&room);
	cr_assert_not(store_sweep_paused(room.store));
}

Test(store_replay, entries_that_change_no_row_are_settled_too)
{
	room.actor.at = room.now;
	storeroom_settle(&room);
	cr_assert_eq(store_note_event(room.store, EVENT_SWEEP_PAUSED, &room.actor), 0);
	storeroom_commit(&room);
	cr_assert_eq(store_unsettled_entries(room.store), 1);
	storeroom_settle_slice(&room, 100);
	cr_assert_eq(store_unsettled_entries(room.store), 0);
}

/* What a start tells of itself: how often each stage, and the last numbers of the replay. */
struct told {
	unsigned n_checks;
	unsigned n_replays;
	uint64_t n_done;
	uint64_t n_all;
};

static void take_progress(void *userdata, const char *what, const char *unit, uint64_t n_done,
			  uint64_t n_all)
{
	struct told *told = userdata;

	if (strcmp(what, "checking the store") == 0) {
		cr_assert_null(unit);
		told->n_checks++;
	} else if (strcmp(what, "replaying the ledger") == 0) {
		cr_assert_str_eq(unit, "entries");
		told->n_replays++;
		told->n_done = n_done;
		told->n_all = n_all;
	}
}

Test(store_replay, a_start_tells_how_far_it_is_each_thousand_entries)
{
	struct told told = {0};
	char id[16];

	storeroom_settle(&room);
	for (unsigned i = 0; i < 2500; i++) {
		(void)snprintf(id, sizeof(id), "i%u", i);
		(void)import(id);
	}
	storeroom_commit(&room);
	room.progress = (struct progress){take_progress, &told};
	storeroom_reopen(&room);
	cr_assert_eq(told.n_checks, 1);
	cr_assert_eq(told.n_replays, 3);
	cr_assert_eq(told.n_done, 2000);
	cr_assert_eq(told.n_all, 2500);
}

Test(store_replay, a_start_with_nothing_to_replay_tells_of_none)
{
	struct told told = {0};

	storeroom_settle(&room);
	room.progress = (struct progress){take_progress, &told};
	storeroom_reopen(&room);
	cr_assert_eq(told.n_checks, 1);
	cr_assert_eq(told.n_replays, 0);
}
