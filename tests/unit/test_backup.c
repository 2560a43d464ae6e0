/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/backup.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>

#include "tests/support/storeroom.h"
#include "tests/support/temp.h"

static struct storeroom room;
static uint32_t org;
static struct backup *backup;

static struct account import(const char *id)
{
	char person[64];

	(void)snprintf(person, sizeof(person), "%s@home.example", id);
	return storeroom_import(&room, org, id, person, person);
}

static void set_up(void)
{
	storeroom_open(&room, STOREROOM_MAP_BYTES);
	org = storeroom_put_org(&room, "fabrikam");
	(void)import("anna");
	storeroom_settle(&room);
	cr_assert_eq(backup_new(room.store, &(struct backup_options){0}, &backup), 0);
}

static void tear_down(void)
{
	backup = backup_free(backup);
	storeroom_close(&room);
}

TestSuite(backup, .init = set_up, .fini = tear_down);

static const struct backup_status *make(void)
{
	cr_assert_eq(backup_begin(backup, room.now), 0);
	cr_assert_eq(backup_go(backup), 0);
	while (!backup_look(backup, room.now + SPAN_MINUTE)) {
		(void)sched_yield();
	}
	return backup_status(backup);
}

static char *path_in_room(const char *name)
{
	return temp_path_new(room.directory, name);
}

/* Puts the last backup in the store's place, as an administrator does. */
static void restore(bool with_vault)
{
	cleanup(freep) char *copy = temp_path_new(backup_status(backup)->directory, "data.mdb");
	cleanup(freep) char *vault_copy_path = path_in_room("backup-vault/vault");
	cleanup(freep) char *data = storeroom_path(&room, "data.mdb");
	cleanup(freep) char *vault = storeroom_path(&room, "vault");
	struct slice bytes;

	backup = backup_free(backup);
	room.store = store_close(room.store);
	bytes = temp_file_read(copy);
	temp_file_write(data, bytes);
	free((void *)(uintptr_t)bytes.data);
	cr_assert_eq(unlink(vault), 0);
	if (with_vault) {
		bytes = temp_file_read(vault_copy_path);
		temp_file_write(vault, bytes);
		free((void *)(uintptr_t)bytes.data);
	}
}

Test(backup, is_named_by_its_instant_and_for_nobody_else_to_read)
{
	cleanup(freep) char *place = path_in_room("backup/data-20260301T120000Z");
	cleanup(freep) char *data = path_in_room("backup/data-20260301T120000Z/data.mdb");
	cleanup(freep) char *vault = path_in_room("backup-vault/vault");
	const struct backup_status *status = make();
	struct stat info;

	cr_assert_str_eq(status->error, "");
	cr_assert_str_eq(status->directory, place);
	cr_assert_not(status->running);
	cr_assert_eq(status->started_at, STOREROOM_BEGIN);
	cr_assert_eq(status->ended_at, STOREROOM_BEGIN + SPAN_MINUTE);
	cr_assert_eq(stat(place, &info), 0);
	cr_assert_eq(info.st_mode & 0777, 0700);
	cr_assert_eq(stat(data, &info), 0);
	cr_assert_eq(info.st_mode & 0777, 0600);
	cr_assert_eq((uint64_t)info.st_size, status->bytes);
	cr_assert_eq(stat(vault, &info), 0);
	cr_assert_eq(info.st_mode & 0777, 0600);
}

Test(backup, two_of_one_second_both_stay)
{
	cleanup(freep) char *first = path_in_room("backup/data-20260301T120000Z/data.mdb");
	cleanup(freep) char *second = path_in_room("backup/data-20260301T120000Z-2/data.mdb");

	(void)make();
	cr_assert_str_eq(make()->error, "");
	cr_assert_eq(access(first, F_OK), 0);
	cr_assert_eq(access(second, F_OK), 0);
}

Test(backup, holds_one_moment_while_changes_go_on)
{
	uint32_t n = 1;

	cr_assert_eq(backup_begin(backup, room.now), 0);
	cr_assert_eq(backup_go(backup), 0);
	do {
		char id[16];

		(void)snprintf(id, sizeof(id), "n%u", n++);
		(void)import(id);
		storeroom_settle(&room);
	} while (!backup_look(backup, room.now) && n < 2000);
	while (backup_status(backup)->running) {
		(void)backup_look(backup, room.now);
	}
	cr_assert_str_eq(backup_status(backup)->error, "");
	restore(true);
	cr_assert_eq(storeroom_try_reopen(&room), 0, "%s", store_fault());
	cr_assert_geq(store_counts(room.store)->n_active, 1);
	cr_assert_leq(store_counts(room.store)->n_active, n);
	for (uint64_t uid = 1; uid <= store_counts(room.store)->n_active; uid++) {
		static uint8_t buffer[MODEL_PROFILE_BYTES_MAX];
		struct profile profile;

		cr_assert_eq(store_get_profile(room.store, uid, buffer, &profile), 0);
	}
}

Test(backup, of_the_data_alone_is_refused)
{
	(void)make();
	restore(false);
	cr_assert_eq(storeroom_try_reopen(&room), STORE_E_CORRUPT);
	cr_assert_not_null(strstr(store_fault(), "vault"));
}

Test(backup, keeps_the_newest_vault_alone_and_overwrites_the_one_before)
{
	cleanup(freep) char *path = path_in_room("backup-vault/vault");
	char bytes[8192];
	int fd;

	(void)make();
	fd = open(path, O_RDONLY);
	cr_assert_geq(fd, 0);
	cr_assert_eq(pread(fd, bytes, 8, 0), 8);
	cr_assert_eq(memcmp(bytes, "RTDVAULT", 8), 0);
	cr_assert_str_eq(make()->error, "");

	memset(bytes, 1, sizeof(bytes));
	cr_assert_geq(pread(fd, bytes, sizeof(bytes), 0), 4096);
	for (size_t i = 0; i < 4096; i++) {
		cr_assert_eq(bytes[i], 0);
	}
	(void)close(fd);
}

/* A crash came after the new copy had its place, and before the old one was overwritten. */
Test(backup, overwrites_the_vault_that_a_crash_left_of_the_one_before)
{
	cleanup(freep) char *path = path_in_room("backup-vault/vault");
	cleanup(freep) char *left = path_in_room("backup-vault/vault.replaced");
	cleanup(freep) char *kept = path_in_room("kept");
	struct slice bytes;

	(void)make();
	cr_assert_eq(link(path, left), 0);
	cr_assert_eq(link(path, kept), 0);
	cr_assert_eq(unlink(path), 0);
	cr_assert_str_eq(make()->error, "");
	cr_assert_lt(access(left, F_OK), 0);
	bytes = temp_file_read(kept);
	for (size_t i = 0; i < bytes.len; i++) {
		cr_assert_eq(bytes.data[i], 0);
	}
	free((void *)(uintptr_t)bytes.data);
}

/* Or before: then what it left is another name of the newest copy. */
Test(backup, takes_a_second_name_away_without_what_it_names)
{
	cleanup(freep) char *path = path_in_room("backup-vault/vault");
	cleanup(freep) char *left = path_in_room("backup-vault/vault.replaced");
	cleanup(freep) char *new = path_in_room("backup-vault/vault.new");
	struct slice bytes;

	(void)make();
	cr_assert_eq(link(path, left), 0);
	cr_assert_eq(mkdir(new, 0700), 0); /* nothing can be copied */
	cr_assert_str_neq(make()->error, "");
	cr_assert_lt(access(left, F_OK), 0);
	bytes = temp_file_read(path);
	cr_assert_eq(memcmp(bytes.data, "RTDVAULT", 8), 0);
	free((void *)(uintptr_t)bytes.data);
}

Test(backup, says_why_it_failed_and_the_next_one_works)
{
	cleanup(freep) char *path = path_in_room("backup-vault");

	temp_file_write(path, SLICE_LITERAL("in the way"));
	cr_assert_not_null(strstr(make()->error, path), "%s", backup_status(backup)->error);
	cr_assert_not(backup_status(backup)->running);
	cr_assert_eq(unlink(path), 0);
	cr_assert_str_eq(make()->error, "");
}

Test(backup, puts_keys_and_data_never_into_one_directory)
{
	cleanup(freep) char *data = path_in_room("all");
	cleanup(freep) char *same = path_in_room("./all/");
	struct backup_options options = {data, same};

	backup = backup_free(backup);
	cr_assert_eq(backup_new(room.store, &options, &backup), 0);
	cr_assert_not_null(strstr(make()->error, "another directory"));
}

Test(backup, what_a_crash_left_of_one_is_no_hindrance)
{
	cleanup(freep) char *directory = path_in_room("backup");
	cleanup(freep) char *half = path_in_room("backup/data.new");
	cleanup(freep) char *data = path_in_room("backup/data.new/data.mdb");
	cleanup(freep) char *vaults = path_in_room("backup-vault");
	cleanup(freep) char *vault = path_in_room("backup-vault/vault.new");

	cr_assert_eq(mkdir(directory, 0700), 0);
	cr_assert_eq(mkdir(half, 0700), 0);
	cr_assert_eq(mkdir(vaults, 0700), 0);
	temp_file_write(data, SLICE_LITERAL("half"));
	temp_file_write(vault, SLICE_LITERAL("half"));
	cr_assert_str_eq(make()->error, "");
	cr_assert_lt(access(half, F_OK), 0);
	cr_assert_lt(access(vault, F_OK), 0);
}

Test(backup, one_that_runs_is_stopped_when_the_daemon_ends)
{
	for (int i = 0; i < 20; i++) {
		cr_assert_eq(backup_begin(backup, room.now + i * SPAN_SECOND), 0);
		if (i > 0) {
			cr_assert_eq(backup_go(backup), 0);
		}
		for (int k = 0; k < i; k++) {
			(void)sched_yield();
		}
		backup = backup_free(backup);
		storeroom_reopen(&room);
		cr_assert_eq(backup_new(room.store, &(struct backup_options){0}, &backup), 0);
	}
}

/* Neither the copy nor the store depends on how far the round was. */
Test(backup, of_a_round_under_way_is_as_whole_as_any_other)
{
	struct account account = import("berta");
	struct account carla;

	storeroom_step(&room, &account, LIFECYCLE_REMOVE);
	(void)import("carla");
	storeroom_settle_slice(&room, 3);
	cr_assert_gt(store_unsettled_rows(room.store), 0);
	cr_assert_str_eq(make()->error, "");
	storeroom_settle_slice(&room, 3);
	restore(true);
	storeroom_reopen(&room);
	cr_assert_eq(store_find_by_id(room.store, org, slice_of("carla"), &carla), 0);
	cr_assert_eq(storeroom_get(&room, account.uid).facts.deleted_at, room.now);
	storeroom_settle(&room);
	cr_assert_eq(store_find_by_id(room.store, org, slice_of("carla"), &carla), 0);
	cr_assert_eq(storeroom_get(&room, account.uid).facts.deleted_at, room.now);
}
