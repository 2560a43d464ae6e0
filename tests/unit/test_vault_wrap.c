/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/vault_wrap.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "daemon/store/vault.h"

#include "tests/golden/vault/vault_1.h"
#include "tests/golden/vault/vault_2.h"
#include "tests/support/temp.h"

#define BLOCK 4096
#define TEXT  "ada@fabrikam.example"

static const uint8_t instance[VAULT_INSTANCE_LEN] = "sixteen bytes id";
static const uint8_t other_master[VAULT_MASTER_LEN] = {1};
static const uint8_t *const master = vault_2_master;
static const struct progress nobody;

static char *directory;
static char *path;
static struct vault *vault;

static void set_up(void)
{
	directory = temp_directory_new();
	path = temp_path_new(directory, "vault");
}

static void tear_down(void)
{
	vault = vault_close(vault);
	free(path);
	directory = temp_directory_free(directory);
}

TestSuite(vault_wrap, .init = set_up, .fini = tear_down);

/* Files */

struct file {
	uint8_t bytes[BLOCK + sizeof(vault_1_slots)];
};

static struct file golden(const uint8_t *header, const uint8_t *slots)
{
	struct file file = {0};

	memcpy(file.bytes, header, sizeof(vault_1_header));
	memcpy(file.bytes + BLOCK, slots, sizeof(vault_1_slots));
	return file;
}

static struct file golden_1(void)
{
	return golden(vault_1_header, vault_1_slots);
}

static struct file golden_2(void)
{
	return golden(vault_2_header, vault_2_slots);
}

static void put(const char *name, struct file file)
{
	temp_file_write(name, (struct slice){(const char *)file.bytes, sizeof(file.bytes)});
}

static bool holds(const char *name, struct file file)
{
	struct slice bytes = temp_file_read(name);
	bool equal = bytes.len == sizeof(file.bytes) &&
		     memcmp(bytes.data, file.bytes, sizeof(file.bytes)) == 0;

	free((void *)bytes.data);
	return equal;
}

static bool exists(const char *name)
{
	cleanup(freep) char *there = temp_path_new(directory, name);
	struct stat st;

	return lstat(there, &st) == 0;
}

static bool stands_alone(void)
{
	return exists("vault") && !exists("vault.wrap-new") && !exists("vault.wrap-old");
}

static int reopen(const uint8_t *key)
{
	vault = vault_close(vault);
	return vault_open(path, key, &vault);
}

/* Sealed texts */

static int unseal(uint64_t uid, enum vault_purpose purpose, const uint8_t *sealed)
{
	char plain[sizeof(TEXT) - 1];
	int r = vault_unseal(
		vault, uid, purpose,
		(struct slice){(const char *)sealed, sizeof(plain) + VAULT_SEAL_OVERHEAD}, plain);

	cr_assert(r != 0 || memcmp(plain, TEXT, sizeof(plain)) == 0);
	return r;
}

static void opens_what_the_golden_vault_opens(void)
{
	struct slice name = SLICE_LITERAL("ada");
	uint8_t hash[VAULT_HASH_LEN];
	bool has = true;

	cr_assert_eq(unseal(0, VAULT_PURPOSE_NOTE, vault_1_sealed_house), 0);
	cr_assert_eq(unseal(3, VAULT_PURPOSE_PROFILE, vault_1_sealed_3), 0);
	cr_assert_eq(vault_has_key(vault, 1, &has), 0);
	cr_assert(has);
	cr_assert_eq(vault_has_key(vault, 2, &has), 0);
	cr_assert_not(has);
	vault_hash(vault, 'p', &name, 1, hash);
	cr_assert_eq(memcmp(hash, vault_1_hash, sizeof(hash)), 0);
}

/* Formats */

Test(vault_wrap, a_vault_of_format_1_opens)
{
	put(path, golden_1());
	cr_assert_eq(reopen(NULL), 0);
	opens_what_the_golden_vault_opens();
}

Test(vault_wrap, a_wrapped_vault_opens_with_its_master_key)
{
	put(path, golden_2());
	cr_assert_eq(reopen(master), 0);
	opens_what_the_golden_vault_opens();
}

Test(vault_wrap, without_the_right_master_key_it_does_not)
{
	put(path, golden_2());
	cr_assert_eq(reopen(NULL), VAULT_E_WRAPPED);
	cr_assert_eq(reopen(other_master), VAULT_E_OTHER_MASTER);
}

Test(vault_wrap, a_vault_that_is_not_wrapped_refuses_a_master_key)
{
	put(path, golden_1());
	cr_assert_eq(reopen(master), VAULT_E_NOT_WRAPPED);
}

Test(vault_wrap, every_changed_byte_of_the_header_is_damage_and_no_wrong_key)
{
	put(path, golden_2());
	for (off_t at = 0; at < BLOCK; at += at < 160 ? 1 : 61) {
		temp_file_flip(path, at, 0x01);
		cr_assert_eq(reopen(master), VAULT_E_CORRUPT, "byte %ld", (long)at);
		cr_assert_eq(reopen(NULL), VAULT_E_CORRUPT, "byte %ld", (long)at);
		temp_file_flip(path, at, 0x01);
	}
	cr_assert_eq(reopen(master), 0);
}

Test(vault_wrap, the_format_of_tomorrow_is_refused)
{
	put(path, golden_2());
	temp_file_flip(path, 15, 0x01);
	cr_assert_eq(reopen(master), VAULT_E_CORRUPT);
}

/* A new one */

Test(vault_wrap, a_vault_made_with_a_master_key_is_wrapped_and_works)
{
	uint8_t sealed[sizeof(TEXT) - 1 + VAULT_SEAL_OVERHEAD];
	bool has = true;

	cr_assert_eq(vault_create(path, instance, master), 0);
	cr_assert_eq(reopen(NULL), VAULT_E_WRAPPED);
	cr_assert_eq(reopen(master), 0);
	cr_assert_eq(vault_new_key(vault, 1), 0);
	cr_assert_eq(vault_seal(vault, 1, VAULT_PURPOSE_PROFILE, SLICE_LITERAL(TEXT), sealed), 0);
	cr_assert_eq(unseal(1, VAULT_PURPOSE_PROFILE, sealed), 0);
	cr_assert_eq(vault_sync(vault), 0);
	cr_assert_eq(reopen(master), 0);
	cr_assert_eq(unseal(1, VAULT_PURPOSE_PROFILE, sealed), 0);

	cr_assert_eq(vault_destroy_key(vault, 1), 0);
	cr_assert_eq(vault_sync(vault), 0);
	cr_assert_eq(unseal(1, VAULT_PURPOSE_PROFILE, sealed), VAULT_E_NONE);
	cr_assert_eq(reopen(master), 0);
	cr_assert_eq(vault_has_key(vault, 1, &has), 0);
	cr_assert_not(has);
}

/* A thief who has the file writes a header of his own before the slots. */
Test(vault_wrap, the_slots_of_a_wrapped_vault_open_nothing_by_themselves)
{
	struct file stolen = golden(vault_1_header, vault_2_slots);

	put(path, stolen);
	cr_assert_eq(reopen(NULL), 0);
	cr_assert_eq(unseal(3, VAULT_PURPOSE_PROFILE, vault_1_sealed_3), VAULT_E_FORGED);
}

Test(vault_wrap, no_two_pads_are_the_same)
{
	uint8_t pads[5][VAULT_KEY_LEN];
	struct vault_wrap wrap, other;

	vault_wrap_init(&wrap, master, instance);
	vault_wrap_init(&other, master, (const uint8_t *)"another instance");
	vault_wrap_pad(&wrap, VAULT_WRAP_SLOT, 1, pads[0]);
	vault_wrap_pad(&wrap, VAULT_WRAP_SLOT, 2, pads[1]);
	vault_wrap_pad(&wrap, VAULT_WRAP_LOOKUP, 1, pads[2]);
	vault_wrap_pad(&wrap, VAULT_WRAP_HOUSE, 1, pads[3]);
	vault_wrap_pad(&other, VAULT_WRAP_SLOT, 1, pads[4]);
	for (size_t i = 0; i < ARRAY_LEN(pads); i++) {
		for (size_t j = 0; j < i; j++) {
			cr_assert_neq(memcmp(pads[i], pads[j], VAULT_KEY_LEN), 0);
		}
	}
}

Test(vault_wrap, a_copy_of_a_wrapped_vault_has_the_same_bytes)
{
	cleanup(freep) char *copy = temp_path_new(directory, "copy");

	put(path, golden_2());
	cr_assert_eq(vault_copy(path, copy), 0);
	cr_assert(holds(copy, golden_2()));
}

/* Wrapping what is there */

Test(vault_wrap, wrapping_and_unwrapping_give_the_very_bytes)
{
	struct stat st;

	put(path, golden_1());
	cr_assert_eq(vault_rewrap(path, NULL, master, &nobody), 0);
	cr_assert(holds(path, golden_2()));
	cr_assert_eq(stat(path, &st), 0);
	cr_assert_eq(st.st_mode & 07777, 0600);
	cr_assert(stands_alone());
	cr_assert_eq(vault_rewrap(path, master, NULL, &nobody), 0);
	cr_assert(holds(path, golden_1()));
	cr_assert(stands_alone());
}

Test(vault_wrap, wrapping_refuses_what_it_cannot_read)
{
	put(path, golden_1());
	cr_assert_eq(vault_rewrap(path, master, NULL, &nobody), VAULT_E_NOT_WRAPPED);
	cr_assert(holds(path, golden_1()));
	put(path, golden_2());
	cr_assert_eq(vault_rewrap(path, NULL, master, &nobody), VAULT_E_WRAPPED);
	cr_assert_eq(vault_rewrap(path, other_master, NULL, &nobody), VAULT_E_OTHER_MASTER);
	cr_assert(holds(path, golden_2()));
	temp_file_flip(path, 20, 0x01);
	cr_assert_eq(vault_rewrap(path, master, NULL, &nobody), VAULT_E_CORRUPT);
	cr_assert(stands_alone());
	cr_assert_eq(vault_rewrap("/nonexistent/vault", NULL, master, &nobody), -ENOENT);
}

Test(vault_wrap, the_old_keys_are_overwritten_when_a_vault_is_wrapped)
{
	cleanup(closep) int fd = -1;
	uint8_t slots[sizeof(vault_1_slots)], zeros[sizeof(slots)] = {0};

	put(path, golden_1());
	fd = open(path, O_RDONLY | O_CLOEXEC);
	cr_assert_eq(vault_rewrap(path, NULL, master, &nobody), 0);
	cr_assert_eq(pread(fd, slots, sizeof(slots), BLOCK), (ssize_t)sizeof(slots));
	cr_assert_eq(memcmp(slots, zeros, sizeof(slots)), 0);
}

Test(vault_wrap, on_a_full_disk_the_vault_stays_as_it_is)
{
	const struct rlimit full = {BLOCK, BLOCK};
	pid_t child;
	int status;

	put(path, golden_1());
	child = fork();
	if (child == 0) {
		(void)signal(SIGXFSZ, SIG_IGN);
		(void)setrlimit(RLIMIT_FSIZE, &full);
		_exit(-vault_rewrap(path, NULL, master, &nobody));
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert_eq(WEXITSTATUS(status), EFBIG);
	cr_assert(holds(path, golden_1()));
	cr_assert(stands_alone());
}

static void end_here(void unused *userdata, const char unused *what, const char unused *unit,
		     uint64_t unused n_done, uint64_t unused n_all)
{
	_exit(0);
}

Test(vault_wrap, a_process_that_is_killed_in_the_midst_leaves_the_old_vault)
{
	const struct progress killer = {.tell = end_here};
	pid_t child;

	put(path, golden_1());
	child = fork();
	if (child == 0) {
		_exit(vault_rewrap(path, NULL, master, &killer) + 1);
	}
	cr_assert_eq(waitpid(child, NULL, 0), child);
	cr_assert(exists("vault.wrap-new"));
	cr_assert_eq(vault_clear(path), 0);
	cr_assert(stands_alone());
	cr_assert(holds(path, golden_1()));
}

/* What each further step leaves */

Test(vault_wrap, the_second_name_of_the_vault_goes_and_the_vault_stays)
{
	cleanup(freep) char *new = temp_path_new(directory, "vault.wrap-new");
	cleanup(freep) char *old = temp_path_new(directory, "vault.wrap-old");

	put(path, golden_1());
	put(new, golden_2());
	cr_assert_eq(link(path, old), 0);
	cr_assert_eq(vault_clear(path), 0);
	cr_assert(stands_alone());
	cr_assert(holds(path, golden_1()));
}

Test(vault_wrap, the_old_vault_is_destroyed_once_the_new_one_is_in_place)
{
	cleanup(freep) char *old = temp_path_new(directory, "vault.wrap-old");
	cleanup(closep) int fd = -1;
	uint8_t slots[sizeof(vault_1_slots)], zeros[sizeof(slots)] = {0};

	put(path, golden_2());
	put(old, golden_1());
	fd = open(old, O_RDONLY | O_CLOEXEC);
	cr_assert_eq(vault_clear(path), 0);
	cr_assert(stands_alone());
	cr_assert(holds(path, golden_2()));
	cr_assert_eq(pread(fd, slots, sizeof(slots), BLOCK), (ssize_t)sizeof(slots));
	cr_assert_eq(memcmp(slots, zeros, sizeof(slots)), 0);
}

Test(vault_wrap, where_there_is_no_vault_nothing_is_touched)
{
	cleanup(freep) char *old = temp_path_new(directory, "vault.wrap-old");

	put(old, golden_1());
	cr_assert_eq(vault_clear(path), -ENOENT);
	cr_assert(holds(old, golden_1()));
}
