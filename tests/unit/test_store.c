/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/store.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/support/storeroom.h"
#include "tests/support/temp.h"

static struct storeroom room;
static uint32_t org;

static void set_up(void)
{
	storeroom_open(&room, STOREROOM_MAP_BYTES);
	org = storeroom_put_org(&room, "fabrikam");
}

static void tear_down(void)
{
	storeroom_close(&room);
}

TestSuite(store, .init = set_up, .fini = tear_down);

static struct account import(const char *id)
{
	char person[64];

	(void)snprintf(person, sizeof(person), "%s@home.example", id);
	return storeroom_import(&room, org, id, person, person);
}

/* From active to removed, each stage in a commit of its own. */
static void remove_whole(struct account *account)
{
	storeroom_step(&room, account, LIFECYCLE_REMOVE);
	storeroom_step(&room, account, LIFECYCLE_PURGE);
	storeroom_commit(&room);
	storeroom_step(&room, account, LIFECYCLE_COMPLETE_REMOVAL);
	storeroom_commit(&room);
}

static int profile_of(uint64_t uid, struct profile *ret_profile)
{
	static uint8_t buffer[MODEL_PROFILE_BYTES_MAX];

	return store_get_profile(room.store, uid, buffer, ret_profile);
}

static int note_of(uint64_t uid, uint64_t seq, struct note *ret_note)
{
	static uint8_t buffer[ROWS_NOTE_LEN_MAX];

	return store_get_note(room.store, uid, seq, buffer, ret_note);
}

static bool vault_has(uint64_t uid)
{
	cleanup(freep) char *path = storeroom_path(&room, "vault");
	struct slice bytes = temp_file_read(path);
	size_t at = 4096 + (uid - 1) * VAULT_KEY_LEN;
	bool has = false;

	for (size_t i = 0; i < VAULT_KEY_LEN && at + i < bytes.len; ++i) {
		has |= bytes.data[at + i] != 0;
	}
	free((void *)bytes.data);
	return has;
}

static void expect_counts(uint64_t active, uint64_t soft_deleted, uint64_t removing,
			  uint64_t removed)
{
	const struct store_counts *counts = store_counts(room.store);

	cr_assert_eq(counts->n_active, active);
	cr_assert_eq(counts->n_soft_deleted, soft_deleted);
	cr_assert_eq(counts->n_removing, removing);
	cr_assert_eq(counts->n_removed, removed);
}

Test(store, a_new_one_has_one_entry_and_no_account)
{
	struct account account;
	uint64_t uid = 0;

	cr_assert_eq(store_head(room.store)->seq, 2); /* and the organization's */
	cr_assert_eq(store_next_account(room.store, &uid, &account), STORE_E_NONE);
	expect_counts(0, 0, 0, 0);
	cr_assert_eq(strlen(store_instance(room.store)), 2 * VAULT_INSTANCE_LEN);
}

Test(store, an_organization_is_found_by_number_and_id)
{
	cr_assert_eq(store_n_orgs(room.store), 1);
	cr_assert_str_eq(store_org(room.store, org)->id, "fabrikam");
	cr_assert_eq(store_org_by_id(room.store, slice_of("fabrikam"))->number, org);
	cr_assert_null(store_org(room.store, org + 1));
	cr_assert_null(store_org_by_id(room.store, slice_of("contoso")));
}

Test(store, an_imported_account_has_a_new_uid_and_stems_from_its_entry)
{
	struct account first = import("g-1"), second = import("g-2");

	cr_assert_eq(first.uid, 1);
	cr_assert_eq(second.uid, 2);
	cr_assert_eq(second.last_seq, store_head(room.store)->seq);
	cr_assert_eq(second.created_at, room.now);
}

Test(store, a_row_is_read_in_the_turn_that_wrote_it)
{
	struct account account = import("g-1");

	cr_assert_eq(storeroom_get(&room, account.uid).last_seq, account.last_seq);
}

Test(store, an_account_is_durable_after_its_commit_and_not_before)
{
	struct account account = import("g-1");

	cr_assert_not(store_is_durable(room.store, &account));
	cr_assert(store_dirty(room.store));
	storeroom_commit(&room);
	cr_assert(store_is_durable(room.store, &account));
	cr_assert_not(store_dirty(room.store));
}

Test(store, an_id_names_the_newest_incarnation_a_tombstone_included)
{
	struct account first = import("g-1"), second, found;

	remove_whole(&first);
	cr_assert_eq(store_find_by_id(room.store, org, slice_of("g-1"), &found), 0);
	cr_assert_eq(found.uid, first.uid);
	second = import("g-1");
	cr_assert_eq(store_find_by_id(room.store, org, slice_of("g-1"), &found), 0);
	cr_assert_eq(found.uid, second.uid);
}

Test(store, an_id_is_told_from_another_case_and_another_organization)
{
	struct account found;

	(void)import("g-1");
	cr_assert_eq(store_find_by_id(room.store, org, slice_of("G-1"), &found), STORE_E_NONE);
	cr_assert_eq(store_find_by_id(room.store, org + 1, slice_of("g-1"), &found), STORE_E_NONE);
}

Test(store, a_person_is_found_in_any_case)
{
	struct account account = import("g-1"), found;

	cr_assert_eq(store_find_by_person(room.store, org, slice_of("G-1@HOME.example"), &found),
		     0);
	cr_assert_eq(found.uid, account.uid);
}

Test(store, of_a_persons_accounts_in_an_organization_the_active_one_is_found)
{
	struct account active =
		storeroom_import(&room, org, "a", "ada@home.example", "a@x.example");
	struct account left = storeroom_import(&room, org, "b", "ada@home.example", "b@x.example");
	struct account found;

	storeroom_step(&room, &left, LIFECYCLE_REMOVE);
	cr_assert_eq(store_find_by_person(room.store, org, slice_of("ada@home.example"), &found),
		     0);
	cr_assert_eq(found.uid, active.uid);
}

Test(store, of_a_persons_accounts_that_left_the_newest_is_found)
{
	struct account older = storeroom_import(&room, org, "a", "ada@home.example", "a@x.example");
	struct account newer = storeroom_import(&room, org, "b", "ada@home.example", "b@x.example");
	struct account found;

	storeroom_step(&room, &newer, LIFECYCLE_REMOVE);
	storeroom_step(&room, &older, LIFECYCLE_REMOVE);
	cr_assert_eq(store_find_by_person(room.store, org, slice_of("ada@home.example"), &found),
		     0);
	cr_assert_eq(found.uid, newer.uid);
}

Test(store, a_name_is_taken_by_another_active_account_only)
{
	struct account left = storeroom_import(&room, org, "a", "a@home.example", "same@x.example");
	struct account active =
		storeroom_import(&room, org, "b", "b@home.example", "SAME@x.example");
	bool taken;

	storeroom_step(&room, &left, LIFECYCLE_REMOVE);
	cr_assert_eq(store_name_taken(room.store, &left, (struct slice){0}, &taken), 0);
	cr_assert(taken);
	cr_assert_eq(store_name_taken(room.store, &active, (struct slice){0}, &taken), 0);
	cr_assert_not(taken);
	cr_assert_eq(store_name_taken(room.store, &left, slice_of("other@x.example"), &taken), 0);
	cr_assert_not(taken);
}

Test(store, a_name_is_taken_by_an_active_account_of_the_same_id_too)
{
	struct account left = storeroom_import(&room, org, "a", "a@home.example", "a@x.example");
	bool taken;

	storeroom_step(&room, &left, LIFECYCLE_REMOVE);
	(void)storeroom_import(&room, org, "a", "b@home.example", "b@x.example");
	cr_assert_eq(store_name_taken(room.store, &left, slice_of("c@x.example"), &taken), 0);
	cr_assert(taken);
}

Test(store, a_name_of_another_organization_is_not_taken)
{
	struct account left = storeroom_import(&room, org, "a", "a@home.example", "a@x.example");
	uint32_t other = storeroom_put_org(&room, "contoso");
	bool taken;

	storeroom_step(&room, &left, LIFECYCLE_REMOVE);
	(void)storeroom_import(&room, other, "a", "a@home.example", "a@x.example");
	cr_assert_eq(store_name_taken(room.store, &left, (struct slice){0}, &taken), 0);
	cr_assert_not(taken);
}

Test(store, a_profile_is_read_as_it_was_imported)
{
	struct account account = import("g-1");
	struct profile profile;
	bool equal;

	cr_assert_eq(profile_of(account.uid, &profile), 0);
	cr_assert(slice_is(profile.id, "g-1"));
	cr_assert(slice_is(profile.upn, "g-1@home.example"));
	cr_assert_eq(profile.n_groups, 1);
	cr_assert_eq(store_profile_equals(room.store, account.uid, &profile, &equal), 0);
	cr_assert(equal);
	profile.mail = slice_of("new@home.example");
	cr_assert_eq(store_profile_equals(room.store, account.uid, &profile, &equal), 0);
	cr_assert_not(equal);
}

Test(store, an_update_changes_the_names_an_account_is_found_by)
{
	struct account account = import("g-1"), found;

	storeroom_update(&room, &account, "g-1", "new@home.example", "new@x.example");
	cr_assert_eq(store_find_by_person(room.store, org, slice_of("new@home.example"), &found),
		     0);
	cr_assert_eq(found.uid, account.uid);
	cr_assert_eq(store_find_by_person(room.store, org, slice_of("g-1@home.example"), &found),
		     STORE_E_NONE);
}

Test(store, an_import_keeps_the_digest_of_the_sealed_profile)
{
	struct account account = import("g-1");
	struct entry imported, updated;

	cr_assert_eq(store_get_entry(room.store, account.last_seq, &imported, NULL), 0);
	storeroom_update(&room, &account, "g-1", "new@home.example", "new@x.example");
	cr_assert_eq(store_get_entry(room.store, account.last_seq, &updated, NULL), 0);
	cr_assert_eq(updated.event, EVENT_UPDATED);
	cr_assert_arr_neq(imported.digest, updated.digest, ROWS_DIGEST_LEN);

	/* The sealed bytes themselves, as they are in the table. */
	storeroom_commit(&room);
	room.store = store_close(room.store);
	{
		cleanup(freep) char *place = temp_path_new(room.directory, "store");
		uint8_t digest[ROWS_DIGEST_LEN], key[8];
		struct slice sealed;
		struct kv_txn *txn;
		struct kv *kv;

		store_be64(key, account.uid);
		cr_assert_eq(kv_open(place, room.map_bytes, true, &kv), 0);
		cr_assert_eq(kv_begin(kv, false, &txn), 0);
		cr_assert_eq(kv_get(txn, KV_PROFILES, (struct slice){(char *)key, 8}, &sealed), 0);
		ledger_digest(sealed, digest);
		cr_assert_arr_eq(digest, updated.digest, ROWS_DIGEST_LEN);
		(void)kv_abort(txn);
		(void)kv_close(kv);
	}
}

Test(store, a_note_is_read_with_its_entry)
{
	struct account account = import("g-1");
	struct note note;

	room.actor.note = (struct note){slice_of("contract ended"), slice_of("T-17")};
	storeroom_step(&room, &account, LIFECYCLE_REMOVE);
	cr_assert_eq(note_of(account.uid, account.last_seq, &note), 0);
	cr_assert(slice_is(note.reason, "contract ended"));
	cr_assert(slice_is(note.ref, "T-17"));
	cr_assert_eq(note_of(account.uid, account.last_seq - 1, &note), STORE_E_NONE);
}

Test(store, a_completed_removal_leaves_no_profile_no_note_and_no_key)
{
	struct account account = import("g-1");
	uint64_t noted_seq;
	struct profile profile;
	struct note note;

	room.actor.note.reason = slice_of("contract ended");
	storeroom_step(&room, &account, LIFECYCLE_REMOVE);
	noted_seq = account.last_seq;
	storeroom_step(&room, &account, LIFECYCLE_PURGE);
	room.actor.note = (struct note){0};
	storeroom_commit(&room);
	cr_assert(vault_has(account.uid));

	storeroom_step(&room, &account, LIFECYCLE_COMPLETE_REMOVAL);
	storeroom_commit(&room);
	cr_assert_eq(profile_of(account.uid, &profile), STORE_E_NONE);
	cr_assert_eq(note_of(account.uid, noted_seq, &note), STORE_E_NONE);
	cr_assert_eq(note_of(account.uid, noted_seq + 1, &note), STORE_E_NONE);
	cr_assert_not(vault_has(account.uid));
}

/* Rows of the closed store that stand under a uid: noise without the key, but rows all the same. */
static uint32_t n_rows_under(enum kv_table table, uint64_t uid)
{
	cleanup(freep) char *place = temp_path_new(room.directory, "store");
	struct kv_cursor *cursor;
	struct kv_txn *txn;
	struct slice key;
	struct kv *kv;
	uint32_t n = 0;
	int r;

	cr_assert_eq(kv_open(place, room.map_bytes, true, &kv), 0);
	cr_assert_eq(kv_begin(kv, false, &txn), 0);
	cr_assert_eq(kv_cursor_open(txn, table, &cursor), 0);
	for (r = kv_cursor_seek(cursor, (struct slice){0}, &key, NULL); r == 0;
	     r = kv_cursor_next(cursor, &key, NULL)) {
		n += load_be64(key.data) == uid;
	}
	cr_assert_eq(r, KV_E_NONE);
	(void)kv_cursor_close(cursor);
	(void)kv_abort(txn);
	(void)kv_close(kv);
	return n;
}

Test(store, a_completed_removal_deletes_the_sealed_bytes_as_well)
{
	struct account account = import("g-1");

	room.actor.note.reason = slice_of("contract ended");
	storeroom_step(&room, &account, LIFECYCLE_DISABLE);
	storeroom_step(&room, &account, LIFECYCLE_ENABLE);
	room.actor.note = (struct note){0};
	remove_whole(&account);
	room.store = store_close(room.store);
	cr_assert_eq(n_rows_under(KV_PROFILES, account.uid), 0);
	cr_assert_eq(n_rows_under(KV_NOTES, account.uid), 0);
}

Test(store, a_completed_removal_leaves_the_neighbours_alone)
{
	struct account first = import("g-1"), second = import("g-2"), third = import("g-3");
	struct profile profile;
	struct note note;

	room.actor.note.reason = slice_of("stays");
	storeroom_step(&room, &first, LIFECYCLE_DISABLE);
	storeroom_step(&room, &third, LIFECYCLE_DISABLE);
	room.actor.note = (struct note){0};
	remove_whole(&second);
	cr_assert_eq(profile_of(first.uid, &profile), 0);
	cr_assert_eq(profile_of(third.uid, &profile), 0);
	cr_assert_eq(note_of(first.uid, first.last_seq, &note), 0);
	cr_assert_eq(note_of(third.uid, third.last_seq, &note), 0);
}

Test(store, a_tombstone_keeps_dates_and_the_hashes_of_id_and_person)
{
	struct account account = import("g-1"), before = account;
	static const uint8_t zeros[ROWS_HASH_LEN];

	remove_whole(&account);
	account = storeroom_get(&room, account.uid);
	cr_assert_eq(account.facts.removed_at, room.now);
	cr_assert_arr_eq(account.hash_id, before.hash_id, ROWS_HASH_LEN);
	cr_assert_arr_eq(account.hash_person, before.hash_person, ROWS_HASH_LEN);
	cr_assert_arr_eq(account.hash_upn, zeros, ROWS_HASH_LEN);
}

Test(store, counts_follow_each_account_through_its_life)
{
	struct account account = import("g-1");

	(void)import("g-2");
	expect_counts(2, 0, 0, 0);
	storeroom_step(&room, &account, LIFECYCLE_REMOVE);
	expect_counts(1, 1, 0, 0);
	storeroom_step(&room, &account, LIFECYCLE_RESTORE);
	expect_counts(2, 0, 0, 0);
	storeroom_step(&room, &account, LIFECYCLE_REMOVE);
	storeroom_step(&room, &account, LIFECYCLE_PURGE);
	expect_counts(1, 0, 1, 0);
	storeroom_commit(&room);
	storeroom_step(&room, &account, LIFECYCLE_COMPLETE_REMOVAL);
	expect_counts(1, 0, 0, 1);
}

Test(store, the_entries_of_an_account_lead_back_to_its_import)
{
	static const enum event expected[] = {EVENT_PURGED, EVENT_DELETED, EVENT_RESTORED,
					      EVENT_LEFT, EVENT_IMPORTED};
	struct account account = import("g-1");
	struct entry entry;
	uint64_t seq;

	storeroom_step(&room, &account, LIFECYCLE_LEAVE);
	(void)import("g-2");
	storeroom_step(&room, &account, LIFECYCLE_RESTORE);
	storeroom_settle(&room);
	storeroom_step(&room, &account, LIFECYCLE_REMOVE);
	(void)import("g-3");
	storeroom_step(&room, &account, LIFECYCLE_PURGE);

	seq = account.last_seq;
	for (size_t i = 0; i < ARRAY_LEN(expected); ++i) {
		cr_assert_eq(store_get_entry(room.store, seq, &entry, NULL), 0);
		cr_assert_eq(entry.uid, account.uid);
		cr_assert_eq(entry.event, expected[i]);
		seq = entry.prev_seq;
	}
	cr_assert_eq(seq, 0);
}

Test(store, the_chain_is_whole_from_the_first_entry_to_the_head)
{
	uint8_t expected[ROWS_DIGEST_LEN] = {0}, hash[ROWS_DIGEST_LEN];
	struct account account = import("g-1");
	struct entry entry;

	storeroom_step(&room, &account, LIFECYCLE_REMOVE);
	storeroom_settle(&room);
	storeroom_step(&room, &account, LIFECYCLE_RESTORE);
	for (uint64_t seq = 1; seq <= store_head(room.store)->seq; ++seq) {
		cr_assert_eq(store_get_entry(room.store, seq, &entry, hash), 0);
		cr_assert_arr_eq(entry.prev_hash, expected, sizeof(expected));
		memcpy(expected, hash, sizeof(expected));
	}
	cr_assert_arr_eq(expected, store_head(room.store)->hash, sizeof(expected));
	cr_assert_eq(store_get_entry(room.store, store_head(room.store)->seq + 1, &entry, NULL),
		     STORE_E_NONE);
}

Test(store, an_entry_tells_who_did_it_and_when)
{
	struct account account = import("g-1");
	struct entry entry;

	room.actor.role = ROLE_SELF_SERVICE;
	room.actor.uid = 33;
	room.now += SPAN_HOUR;
	storeroom_step(&room, &account, LIFECYCLE_LEAVE);
	cr_assert_eq(store_get_entry(room.store, account.last_seq, &entry, NULL), 0);
	cr_assert_eq(entry.actor_role, ROLE_SELF_SERVICE);
	cr_assert_eq(entry.actor_uid, 33);
	cr_assert_eq(entry.at, room.now);
	cr_assert_eq(entry.org, org);
}

Test(store, settling_goes_no_further_than_asked)
{
	for (int i = 0; i < 10; ++i) {
		char id[32];

		(void)snprintf(id, sizeof(id), "g-%d", i);
		(void)import(id);
	}
	storeroom_commit(&room);
	cr_assert_eq(store_unsettled_rows(room.store), 10);
	while (store_unsettled_rows(room.store) == 10) {
		storeroom_settle_slice(&room, 1); /* the names; the rows themselves come last */
	}
	cr_assert_eq(store_unsettled_rows(room.store), 9);
	storeroom_settle_slice(&room, 3);
	cr_assert_eq(store_unsettled_rows(room.store), 6);
	cr_assert_eq(store_unsettled_entries(room.store), 11, "the organization's as well");
	storeroom_settle_slice(&room, 100);
	cr_assert_eq(store_unsettled_rows(room.store), 0);
	cr_assert_eq(store_unsettled_entries(room.store), 0);
}

/* Kept answers */

static const uint8_t key_a[ROWS_HASH_LEN] = "answer key a...", key_b[ROWS_HASH_LEN] = "b";

static void put_answer(const uint8_t *key, instant_t until, const char *text)
{
	cr_assert_eq(store_put_answer(room.store, 1000, key, until, slice_of(text)), 0);
}

static bool has_answer(const uint8_t *key, const char *text)
{
	struct slice answer;
	int r = store_get_answer(room.store, key, &answer);

	cr_assert(r == 0 || r == STORE_E_NONE);
	return r == 0 && slice_is(answer, text);
}

Test(store, an_answer_is_kept_under_its_key)
{
	put_answer(key_a, room.now, "one");
	put_answer(key_b, room.now, "two");
	cr_assert(has_answer(key_a, "one"));
	storeroom_commit(&room);
	storeroom_reopen(&room);
	cr_assert(has_answer(key_a, "one"));
	cr_assert(has_answer(key_b, "two"));
}

Test(store, answers_are_dropped_from_the_instant_until_which_they_are_kept)
{
	struct slice none;

	put_answer(key_a, room.now, "one");
	put_answer(key_b, room.now + 1, "two");
	cr_assert_eq(store_drop_answers(room.store, room.now - 1, 100), 0);
	cr_assert(has_answer(key_a, "one"));
	cr_assert_eq(store_drop_answers(room.store, room.now, 100), 0);
	cr_assert_eq(store_get_answer(room.store, key_a, &none), STORE_E_NONE);
	cr_assert(has_answer(key_b, "two"));
}

Test(store, no_more_answers_are_dropped_than_asked_the_oldest_first)
{
	struct slice none;

	put_answer(key_b, room.now + 1, "newer");
	put_answer(key_a, room.now, "older");
	cr_assert_eq(store_drop_answers(room.store, room.now + 1, 1), 0);
	cr_assert_eq(store_get_answer(room.store, key_a, &none), STORE_E_NONE);
	cr_assert(has_answer(key_b, "newer"));
}

Test(store, an_answer_is_dropped_although_there_was_none_when_it_was_looked_for)
{
	struct slice none;

	cr_assert_eq(store_drop_answers(room.store, room.now, 100), 0);
	put_answer(key_a, room.now + 2, "one");
	cr_assert_eq(store_drop_answers(room.store, room.now + 1, 100), 0);
	put_answer(key_b, room.now + 1, "two");
	cr_assert_eq(store_drop_answers(room.store, room.now + 1, 100), 0);
	cr_assert_eq(store_get_answer(room.store, key_b, &none), STORE_E_NONE);
	cr_assert(has_answer(key_a, "one"));
	cr_assert_eq(store_drop_answers(room.store, room.now + 2, 100), 0);
	cr_assert_eq(store_get_answer(room.store, key_a, &none), STORE_E_NONE);
}

Test(store, dropping_answers_that_are_not_there_is_not_a_change)
{
	storeroom_commit(&room);
	cr_assert_eq(store_drop_answers(room.store, INSTANT_MAX, 100), 0);
	cr_assert_not(store_dirty(room.store));
}

Test(store, an_answers_key_depends_on_who_asks_and_on_the_request_id)
{
	uint8_t a[ROWS_HASH_LEN], same[ROWS_HASH_LEN], b[ROWS_HASH_LEN], c[ROWS_HASH_LEN];

	store_answer_key(room.store, 1000, slice_of("r-1"), a);
	store_answer_key(room.store, 1000, slice_of("r-1"), same);
	store_answer_key(room.store, 1001, slice_of("r-1"), b);
	store_answer_key(room.store, 1000, slice_of("r-2"), c);
	cr_assert_arr_eq(a, same, sizeof(a));
	cr_assert_arr_neq(a, b, sizeof(a));
	cr_assert_arr_neq(a, c, sizeof(a));
}

Test(store, there_is_an_end_to_the_number_of_organizations)
{
	struct org one_more = {.id = "one-more", .policy = policy_default()};

	for (uint32_t n = store_n_orgs(room.store); n < STORE_ORGS_MAX; ++n) {
		char id[32];

		(void)snprintf(id, sizeof(id), "org-%u", n);
		(void)storeroom_put_org(&room, id);
	}
	room.actor.at = room.now;
	cr_assert_eq(store_put_org(room.store, &one_more, &room.actor), STORE_E_NONE);
	cr_assert_eq(store_n_orgs(room.store), STORE_ORGS_MAX);
}
