/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "daemon/store/register.h"
#include "daemon/store/store.h"

#include "tests/support/storeroom.h"
#include "tests/support/temp.h"

/*
 * The store and its removal register. A crash and a restore are made in the same way: the store is
 * closed, and its files, or some of them, are put back as they were at an earlier moment.
 */

static struct storeroom room;
static uint32_t org;
static struct account guest;

static void set_up(void)
{
	storeroom_open(&room, STOREROOM_MAP_BYTES);
	org = storeroom_put_org(&room, "fabrikam");
	guest = storeroom_import(&room, org, "anna", "anna@home.example", "anna@fabrikam.example");
	storeroom_settle(&room);
}

static void tear_down(void)
{
	storeroom_close(&room);
}

TestSuite(removals, .init = set_up, .fini = tear_down);

struct moment {
	struct slice data;
	struct slice journal;
	struct slice vault;
};

static struct slice read_own(const char *name)
{
	cleanup(freep) char *path = storeroom_path(&room, name);

	return temp_file_read(path);
}

static void write_own(const char *name, struct slice bytes)
{
	cleanup(freep) char *path = storeroom_path(&room, name);

	temp_file_write(path, bytes);
}

static struct moment moment_now(void)
{
	return (struct moment){read_own("data.mdb"), read_own("journal"), read_own("vault")};
}

static void moment_done(struct moment *moment)
{
	free((void *)(uintptr_t)moment->data.data);
	free((void *)(uintptr_t)moment->journal.data);
	free((void *)(uintptr_t)moment->vault.data);
}

enum { DATA = 1, VAULT = 2 };

static int try_put_back(const struct moment *moment, int what)
{
	room.store = store_close(room.store);
	if (what & DATA) {
		write_own("data.mdb", moment->data);
		write_own("journal", moment->journal);
	}
	if (what & VAULT) {
		write_own("vault", moment->vault);
	}
	return storeroom_try_reopen(&room);
}

static void put_back(const struct moment *moment, int what)
{
	cr_assert_eq(try_put_back(moment, what), 0, "%s", store_fault());
}

static char *register_path(void)
{
	return temp_path_new(room.directory, "register");
}

static void remove_register(void)
{
	cleanup(freep) char *path = register_path();

	cr_assert_eq(unlink(path), 0);
}

/* Purged, and committed. */
static void start(struct account *account)
{
	storeroom_step(&room, account, LIFECYCLE_REMOVE);
	room.now += SPAN_DAY;
	storeroom_step(&room, account, LIFECYCLE_PURGE);
	storeroom_commit(&room);
}

static void complete(struct account *account)
{
	room.now += SPAN_HOUR;
	storeroom_step(&room, account, LIFECYCLE_COMPLETE_REMOVAL);
	storeroom_commit(&room);
}

/* Left before, and now removed as a sweep does it. Not committed. */
static int try_to_remove_at_once(struct account *account)
{
	struct actor actor = {.role = ROLE_DAEMON, .at = room.now};
	struct facts *facts = &account->facts, removed;

	facts->deleted_at = room.now;
	facts->removal = 30 * SPAN_DAY;
	facts->removal_started_at = room.now;
	removed = *facts;
	removed.removed_at = room.now;
	return store_remove(room.store, account, &removed, &actor);
}

static void remove_at_once(struct account *account)
{
	cr_assert_eq(try_to_remove_at_once(account), 0);
}

static bool has_key(uint64_t uid)
{
	bool has;

	cr_assert_eq(store_has_key(room.store, uid, &has), 0);
	return has;
}

static int profile_of(uint64_t uid)
{
	static uint8_t buffer[MODEL_PROFILE_BYTES_MAX];
	struct profile profile;

	return store_get_profile(room.store, uid, buffer, &profile);
}

static void expect_removed(const struct account *as)
{
	struct account account = storeroom_get(&room, as->uid);

	cr_assert_eq(account.facts.removed_at, as->facts.removed_at);
	cr_assert_eq(account.facts.removal_started_at, as->facts.removal_started_at);
	cr_assert_eq(account.facts.owed, 0);
	cr_assert_not(has_key(as->uid));
	cr_assert_eq(profile_of(as->uid), STORE_E_NONE);
}

static uint32_t events(enum event event)
{
	struct entry entry;
	uint32_t n = 0;

	for (uint64_t seq = 1; store_get_entry(room.store, seq, &entry, NULL) == 0; seq++) {
		n += entry.event == event;
	}
	return n;
}

Test(removals, nothing_is_done_again_while_register_and_store_agree)
{
	start(&guest);
	complete(&guest);
	storeroom_reopen(&room);
	cr_assert_not(store_restored(room.store)->any);
	expect_removed(&guest);
	cr_assert_eq(events(EVENT_RESTORED_FROM_BACKUP), 0);
}

/* From here: a kill between the steps of a commit: register, vault, vault's sync, data. */

Test(removals, a_kill_before_the_register_was_synced_has_destroyed_no_key)
{
	start(&guest);
	storeroom_step(&room, &guest, LIFECYCLE_COMPLETE_REMOVAL);
	cr_assert_not(has_key(guest.uid), "for whoever asks it is gone");
	storeroom_reopen(&room); /* without a commit */

	guest = storeroom_get(&room, guest.uid);
	cr_assert_eq(guest.facts.removed_at, INSTANT_NONE);
	cr_assert(has_key(guest.uid));
	complete(&guest);
	expect_removed(&guest);
}

Test(removals, a_removal_in_one_change_is_all_undone_by_a_kill_before_the_register_was_synced)
{
	remove_at_once(&guest);
	storeroom_reopen(&room);

	guest = storeroom_get(&room, guest.uid);
	cr_assert_eq(guest.facts.deleted_at, INSTANT_NONE);
	cr_assert_eq(profile_of(guest.uid), 0);
}

Test(removals, a_removal_in_one_change_is_two_entries_and_two_records)
{
	remove_at_once(&guest);
	storeroom_commit(&room);
	expect_removed(&guest);
	cr_assert_eq(events(EVENT_REMOVAL_STARTED), 1);
	cr_assert_eq(events(EVENT_REMOVAL_COMPLETED), 1);
	storeroom_reopen(&room);
	cr_assert_not(store_restored(room.store)->any);
	expect_removed(&guest);
}

Test(removals, a_removal_in_one_change_is_done_again_whatever_of_it_a_kill_kept_from_the_disk)
{
	const int lost[] = {DATA | VAULT, DATA};

	for (size_t i = 0; i < ARRAY_LEN(lost); i++) {
		struct account account =
			storeroom_import(&room, org, "x", "x@home.example", "x@fabrikam.example");
		struct moment before;

		storeroom_settle(&room);
		before = moment_now();
		remove_at_once(&account);
		storeroom_commit(&room);
		put_back(&before, lost[i]);
		cr_assert_eq(store_restored(room.store)->n_started, 1);
		cr_assert_eq(store_restored(room.store)->n_completed, 1);
		expect_removed(&account);
		moment_done(&before);
	}
}

/* So many that they do not go in one turn. */
static void note_often(struct account *account)
{
	for (unsigned i = 0; i < STORE_ERASE_MAX / 2 + 10; i++) {
		room.actor.note.reason = slice_of("because");
		storeroom_step(&room, account, LIFECYCLE_DISABLE);
		storeroom_step(&room, account, LIFECYCLE_ENABLE);
		room.actor.note = (struct note){0};
	}
	storeroom_commit(&room);
}

static uint32_t notes_of(uint64_t uid)
{
	static uint8_t buffer[ROWS_NOTE_LEN_MAX];
	uint32_t n = 0;

	for (uint64_t seq = 1; seq <= store_head(room.store)->seq; seq++) {
		struct note note;

		n += store_get_note(room.store, uid, seq, buffer, &note) == 0;
	}
	return n;
}

Test(removals, of_very_many_notes_some_go_at_a_time_and_the_key_with_the_last)
{
	struct actor daemon = {.role = ROLE_DAEMON, .at = room.now};
	struct account removed;

	note_often(&guest);
	start(&guest);
	removed = guest;
	removed.facts.removed_at = daemon.at = room.now;
	cr_assert_eq(store_change(room.store, &removed, EVENT_REMOVAL_COMPLETED, &daemon),
		     STORE_E_MORE);
	storeroom_commit(&room);
	cr_assert(has_key(guest.uid));
	cr_assert_eq(notes_of(guest.uid), 20);
	cr_assert_eq(storeroom_get(&room, guest.uid).facts.removed_at, INSTANT_NONE);
	cr_assert_eq(store_change(room.store, &removed, EVENT_REMOVAL_COMPLETED, &daemon), 0);
	storeroom_commit(&room);
	expect_removed(&removed);
}

Test(removals, a_removal_in_one_change_with_very_many_notes_has_only_started)
{
	struct account account = guest;

	note_often(&account);
	cr_assert_eq(try_to_remove_at_once(&account), STORE_E_MORE);
	storeroom_commit(&room);
	cr_assert_eq(account.facts.removed_at, INSTANT_NONE);
	cr_assert_eq(storeroom_get(&room, guest.uid).facts.removal_started_at, room.now);
	cr_assert(has_key(guest.uid));
	complete(&account);
	expect_removed(&account);
}

Test(removals, a_kill_after_the_register_was_synced_is_completed_by_the_next_start)
{
	struct moment before;

	start(&guest);
	before = moment_now();
	complete(&guest);
	put_back(&before, DATA | VAULT); /* what reached the disk is the register alone */

	expect_removed(&guest);
	cr_assert_eq(store_restored(room.store)->n_completed, 1);
	moment_done(&before);
}

Test(removals, a_kill_before_the_commit_is_completed_by_the_next_start)
{
	struct moment before;

	start(&guest);
	before = moment_now();
	complete(&guest);
	put_back(&before, DATA);

	expect_removed(&guest);
	storeroom_reopen(&room);
	cr_assert_not(store_restored(room.store)->any, "once is enough");
	expect_removed(&guest);
	moment_done(&before);
}

Test(removals, a_kill_before_the_commit_of_a_start_is_made_up_for_at_its_instant)
{
	struct moment before = moment_now();

	start(&guest);
	room.now += 3 * SPAN_DAY;
	put_back(&before, DATA);

	cr_assert_eq(storeroom_get(&room, guest.uid).facts.removal_started_at,
		     guest.facts.removal_started_at);
	cr_assert_eq(store_restored(room.store)->n_started, 1);
	moment_done(&before);
}

/* From here: restores. */

Test(removals, a_restored_backup_brings_nobody_back_who_was_removed_since)
{
	struct account other =
		storeroom_import(&room, org, "bert", "bert@home.example", "bert@fabrikam.example");
	struct moment backup;

	storeroom_settle(&room);
	backup = moment_now();
	start(&guest);
	complete(&guest);
	put_back(&backup, DATA | VAULT);

	expect_removed(&guest);
	cr_assert_eq(profile_of(other.uid), 0);
	cr_assert_eq(store_counts(room.store)->n_active, 1);
	cr_assert_eq(store_counts(room.store)->n_removed, 1);
	cr_assert_eq(events(EVENT_RESTORED_FROM_BACKUP), 1);
	cr_assert_eq(events(EVENT_REMOVAL_COMPLETED), 1);
	moment_done(&backup);
}

Test(removals, a_restored_backup_goes_on_with_what_had_started_with_the_deadline_it_had)
{
	struct moment backup = moment_now();
	struct account account;

	start(&guest);
	room.now += 40 * SPAN_DAY;
	put_back(&backup, DATA | VAULT);

	account = storeroom_get(&room, guest.uid);
	cr_assert_eq(lifecycle_state(&account.facts, room.now), ACCOUNT_STATE_REMOVING);
	cr_assert_eq(account.facts.removal_started_at, guest.facts.removal_started_at);
	cr_assert_eq(lifecycle_removal_due_at(&account.facts, room.now),
		     lifecycle_removal_due_at(&guest.facts, room.now));
	cr_assert(has_key(guest.uid), "keepers are still to be told whom to erase");
	moment_done(&backup);
}

Test(removals, a_hold_that_a_backup_knows_stops_no_removal_that_had_started)
{
	struct moment backup;
	struct account held = guest;
	struct lifecycle_context context = {.held_until = INSTANT_MAX};
	struct lifecycle_verdict verdict;

	lifecycle_step(&held.facts, LIFECYCLE_HOLD, &context, room.now, &verdict);
	held.facts = verdict.next;
	room.actor.at = room.now;
	cr_assert_eq(store_change(room.store, &held, EVENT_HOLD_ADDED, &room.actor), 0);
	storeroom_commit(&room);
	backup = moment_now();
	held.facts.held_until = INSTANT_NONE;
	start(&held);
	put_back(&backup, DATA | VAULT);

	cr_assert_eq(store_counts(room.store)->n_held, 0);
	cr_assert_eq(store_counts(room.store)->n_removing, 1);
	moment_done(&backup);
}

Test(removals, a_uid_that_the_register_knows_is_never_given_again)
{
	struct moment backup = moment_now();
	struct account later =
		storeroom_import(&room, org, "carl", "carl@home.example", "carl@fabrikam.example");
	struct account next;

	storeroom_commit(&room);
	start(&later);
	complete(&later);
	put_back(&backup, DATA | VAULT);

	cr_assert_eq(store_restored(room.store)->n_unknown, 1);
	next = storeroom_import(&room, org, "dora", "dora@home.example", "dora@fabrikam.example");
	cr_assert_eq(next.uid, later.uid + 1);
	moment_done(&backup);
}

Test(removals, time_does_not_go_back_behind_the_register)
{
	struct moment backup = moment_now();
	struct account account = guest;

	start(&account);
	complete(&account);
	room.now = STOREROOM_BEGIN;
	put_back(&backup, DATA | VAULT);
	cr_assert_eq(store_head(room.store)->at, account.facts.removed_at);
	moment_done(&backup);
}

Test(removals, many_are_done_again_in_several_commits)
{
	struct moment backup;
	struct account accounts[2500];

	for (size_t i = 0; i < ARRAY_LEN(accounts); i++) {
		char name[64];

		(void)snprintf(name, sizeof(name), "n%zu@home.example", i);
		accounts[i] = storeroom_import(&room, org, name, name, name);
	}
	storeroom_settle(&room);
	backup = moment_now();
	for (size_t i = 0; i < ARRAY_LEN(accounts); i++) {
		storeroom_step(&room, &accounts[i], LIFECYCLE_REMOVE);
		storeroom_step(&room, &accounts[i], LIFECYCLE_PURGE);
	}
	storeroom_commit(&room);
	for (size_t i = 0; i < ARRAY_LEN(accounts); i++) {
		storeroom_step(&room, &accounts[i], LIFECYCLE_COMPLETE_REMOVAL);
	}
	storeroom_commit(&room);
	put_back(&backup, DATA | VAULT);

	cr_assert_eq(store_counts(room.store)->n_removed, ARRAY_LEN(accounts));
	cr_assert_eq(store_counts(room.store)->n_active, 1);
	for (size_t i = 0; i < ARRAY_LEN(accounts); i++) {
		expect_removed(&accounts[i]);
	}
	cr_assert_eq(events(EVENT_RESTORED_FROM_BACKUP), 1);
	moment_done(&backup);
}

/* From here: a register that is not as it should be. */

static void expect_refusal(const char *part)
{
	cr_assert_eq(storeroom_try_reopen(&room), STORE_E_REGISTER);
	cr_assert_not_null(strstr(store_fault(), part), "%s", store_fault());
}

Test(removals, a_missing_register_is_refused_until_it_is_asked_for_anew)
{
	struct moment backup = moment_now();

	start(&guest);
	complete(&guest);
	remove_register();
	expect_refusal("--new-register");

	room.new_register = true;
	storeroom_reopen(&room);
	room.new_register = false;
	storeroom_reopen(&room);
	put_back(&backup, DATA | VAULT);
	expect_removed(&guest); /* the new register began with what the store knew */
	moment_done(&backup);
}

Test(removals, a_register_of_another_store_is_refused)
{
	struct storeroom other;
	cleanup(freep) char *ours = register_path();
	cleanup(freep) char *theirs = NULL;
	struct slice bytes;

	storeroom_open(&other, STOREROOM_MAP_BYTES);
	theirs = temp_path_new(other.directory, "register");
	bytes = temp_file_read(theirs);
	temp_file_write(ours, bytes);
	expect_refusal("belongs to another store");
	free((void *)(uintptr_t)bytes.data);
	storeroom_close(&other);
}

Test(removals, a_register_that_was_changed_is_refused)
{
	cleanup(freep) char *path = register_path();
	struct moment before = moment_now();

	start(&guest);
	room.store = store_close(room.store);
	temp_file_flip(path, 64 + 8 + 7, 1); /* the uid of the first record */
	expect_refusal("was changed");
	cr_assert_eq(try_put_back(&before, DATA | VAULT), STORE_E_REGISTER);
	moment_done(&before); /* nor is an older store brought to what it says */
}

Test(removals, a_register_older_than_the_store_is_refused)
{
	cleanup(freep) char *path = register_path();
	struct slice older = temp_file_read(path);

	start(&guest);
	room.store = store_close(room.store);
	temp_file_write(path, older);
	expect_refusal("older than the store");
	free((void *)(uintptr_t)older.data);
}

Test(removals, a_store_that_is_gone_is_not_begun_anew_beside_its_register)
{
	cleanup(freep) char *store = temp_path_new(room.directory, "store");
	cleanup(freep) char *moved = temp_path_new(room.directory, "moved");

	room.store = store_close(room.store);
	cr_assert_eq(rename(store, moved), 0);
	expect_refusal("there is no store");
	cr_assert_lt(access(store, F_OK), 0);
	cr_assert_eq(rename(moved, store), 0);
	storeroom_reopen(&room);
}
