/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/vault.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "tests/support/temp.h"
#include "tests/support/vaultroom.h"

#define BLOCK     4096
#define PER_BLOCK (BLOCK / VAULT_KEY_LEN)
#define TEXT      "ada@fabrikam.example"

static struct vaultroom room;

static void set_up(void)
{
	vaultroom_open(&room);
}

static void tear_down(void)
{
	vaultroom_close(&room);
}

TestSuite(vault, .init = set_up, .fini = tear_down);

struct sealed {
	char bytes[sizeof(TEXT) - 1 + VAULT_SEAL_OVERHEAD];
};

static struct sealed seal(uint64_t uid)
{
	struct sealed sealed;

	cr_assert_eq(vault_seal(room.vault, uid, VAULT_PURPOSE_PROFILE, SLICE_LITERAL(TEXT),
				sealed.bytes),
		     0);
	return sealed;
}

static int unseal_for(uint64_t uid, enum vault_purpose purpose, const struct sealed *sealed)
{
	char plain[sizeof(TEXT) - 1];
	int r = vault_unseal(room.vault, uid, purpose,
			     (struct slice){sealed->bytes, sizeof(sealed->bytes)}, plain);

	cr_assert(r != 0 || memcmp(plain, TEXT, sizeof(plain)) == 0);
	return r;
}

static int unseal(uint64_t uid, const struct sealed *sealed)
{
	return unseal_for(uid, VAULT_PURPOSE_PROFILE, sealed);
}

static off_t slot_at(uint64_t uid)
{
	return (off_t)(PER_BLOCK + uid - 1) * VAULT_KEY_LEN;
}

static void read_slot(uint64_t uid, uint8_t slot[static VAULT_KEY_LEN])
{
	cleanup(closep) int fd = open(room.path, O_RDONLY | O_CLOEXEC);

	memset(slot, 0, VAULT_KEY_LEN);
	cr_assert_geq(fd, 0);
	cr_assert_geq(pread(fd, slot, VAULT_KEY_LEN, slot_at(uid)), 0);
}

static bool slot_is_zero(uint64_t uid)
{
	static const uint8_t zeros[VAULT_KEY_LEN];
	uint8_t slot[VAULT_KEY_LEN];

	read_slot(uid, slot);
	return memcmp(slot, zeros, sizeof(slot)) == 0;
}

static struct stat file_stat(void)
{
	struct stat st;

	cr_assert_eq(stat(room.path, &st), 0);
	return st;
}

Test(vault, a_new_vault_belongs_to_its_instance_and_is_private)
{
	struct stat st = file_stat();

	cr_assert_eq(memcmp(vault_instance(room.vault), vaultroom_instance, VAULT_INSTANCE_LEN), 0);
	cr_assert_eq(st.st_mode & 07777, 0600);
	cr_assert_eq(st.st_size, BLOCK);
}

Test(vault, a_new_vault_is_private_whatever_the_umask)
{
	cleanup(freep) char *other = temp_path_new(room.directory, "other");
	struct stat st;

	umask(0);
	cr_assert_eq(vault_create(other, vaultroom_instance, NULL), 0);
	cr_assert_eq(stat(other, &st), 0);
	cr_assert_eq(st.st_mode & 07777, 0600);
}

Test(vault, a_vault_is_never_created_over_another)
{
	struct sealed house = seal(0);

	cr_assert_eq(vault_create(room.path, vaultroom_instance, NULL), -EEXIST);
	cr_assert_eq(vaultroom_reopen(&room), 0);
	cr_assert_eq(unseal(0, &house), 0);
}

Test(vault, a_missing_vault_is_an_error)
{
	struct vault *none = NULL;

	cr_assert_eq(vault_open("/nonexistent/vault", NULL, &none), -ENOENT);
	cr_assert_eq(vault_create("/nonexistent/vault", vaultroom_instance, NULL), -ENOENT);
	cr_assert_null(none);
}

Test(vault, no_descriptor_is_left_to_other_programs)
{
	for (int fd = 0; fd < 64; fd++) {
		struct stat st, ours = file_stat();

		if (fstat(fd, &st) == 0 && st.st_ino == ours.st_ino && st.st_dev == ours.st_dev) {
			cr_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
		}
	}
}

Test(vault, a_key_is_there_before_and_after_the_sync_and_after_reopening)
{
	struct sealed sealed;

	cr_assert_not(vaultroom_has_key(&room, 1));
	vaultroom_new_keys(&room, 1, 1);
	cr_assert(vaultroom_has_key(&room, 1));
	sealed = seal(1);
	cr_assert_eq(unseal(1, &sealed), 0);
	cr_assert_eq(vault_sync(room.vault), 0);
	cr_assert_eq(unseal(1, &sealed), 0);
	cr_assert_eq(vaultroom_reopen(&room), 0);
	cr_assert(vaultroom_has_key(&room, 1));
	cr_assert_eq(unseal(1, &sealed), 0);
	cr_assert_not(vaultroom_has_key(&room, 2));
}

Test(vault, keys_of_many_accounts_in_any_order_are_their_own)
{
	static struct sealed sealed[3000];

	for (size_t i = 0; i < ARRAY_LEN(sealed); i++) {
		uint64_t uid = i % 500 == 0 ? i + 7000 : i + 1;

		vaultroom_new_keys(&room, uid, uid);
		sealed[i] = seal(uid);
	}
	cr_assert_eq(vault_sync(room.vault), 0);
	cr_assert_eq(vaultroom_reopen(&room), 0);
	for (size_t i = 0; i < ARRAY_LEN(sealed); i++) {
		uint64_t uid = i % 500 == 0 ? i + 7000 : i + 1;

		cr_assert_eq(unseal(uid, &sealed[i]), 0);
		cr_assert_eq(unseal(uid + 1, &sealed[i]),
			     vaultroom_has_key(&room, uid + 1) ? VAULT_E_FORGED : VAULT_E_NONE);
	}
}

Test(vault, the_first_and_the_last_uid_have_slots_and_no_others)
{
	struct sealed sealed;

	vaultroom_new_keys(&room, 1, 1);
	sealed = seal(1);
	cr_assert_eq(vault_sync(room.vault), 0);
	cr_assert_not(slot_is_zero(1));
	cr_assert_eq(file_stat().st_size, slot_at(2));
	cr_assert_not(vaultroom_has_key(&room, VAULT_UID_MAX));
	cr_assert_not(vaultroom_has_key(&room, VAULT_UID_MAX + 1));
	cr_assert_not(vaultroom_has_key(&room, UINT64_MAX));
	cr_assert_not(vaultroom_has_key(&room, 0));
	cr_assert_eq(unseal(UINT64_MAX, &sealed), VAULT_E_NONE);
}

Test(vault, a_uid_that_is_given_again_has_another_key)
{
	struct sealed first, second;

	vaultroom_new_keys(&room, 5, 5);
	first = seal(5);
	vaultroom_new_keys(&room, 5, 5);
	second = seal(5);
	cr_assert_eq(unseal(5, &first), VAULT_E_FORGED);
	cr_assert_eq(vault_sync(room.vault), 0);
	cr_assert_eq(unseal(5, &second), 0);
	vaultroom_new_keys(&room, 5, 5);
	cr_assert_eq(unseal(5, &second), VAULT_E_FORGED);
}

Test(vault, a_sync_without_changes_is_fine)
{
	cr_assert_eq(vault_sync(room.vault), 0);
	cr_assert_eq(vault_sync(room.vault), 0);
	cr_assert_eq(file_stat().st_size, BLOCK);
}

Test(vault, a_key_that_was_not_synced_may_be_lost)
{
	vaultroom_new_keys(&room, 1, 1);
	cr_assert_eq(vaultroom_reopen(&room), 0);
	cr_assert_not(vaultroom_has_key(&room, 1));
}

Test(vault, a_destroyed_key_reads_nothing_and_its_slot_is_zeros)
{
	struct sealed sealed, neighbour;

	vaultroom_new_keys(&room, 1, 3);
	sealed = seal(2);
	neighbour = seal(3);
	cr_assert_eq(vault_sync(room.vault), 0);
	cr_assert_not(slot_is_zero(2));
	cr_assert_eq(vault_destroy_key(room.vault, 2), 0);
	cr_assert_eq(vault_sync(room.vault), 0);
	cr_assert(slot_is_zero(2));
	cr_assert_not(vaultroom_has_key(&room, 2));
	cr_assert_eq(unseal(2, &sealed), VAULT_E_NONE);
	cr_assert_eq(unseal(3, &neighbour), 0);
	cr_assert_eq(vaultroom_reopen(&room), 0);
	cr_assert_eq(unseal(2, &sealed), VAULT_E_NONE);
	cr_assert_eq(unseal(3, &neighbour), 0);
}

Test(vault, nothing_is_sealed_without_a_key)
{
	char sealed[4 + VAULT_SEAL_OVERHEAD];

	cr_assert_eq(vault_seal(room.vault, 1, VAULT_PURPOSE_NOTE, SLICE_LITERAL("text"), sealed),
		     VAULT_E_NONE);
}

Test(vault, a_key_destroyed_before_it_was_written_leaves_zeros)
{
	vaultroom_new_keys(&room, 1, 1);
	cr_assert_eq(vault_sync(room.vault), 0);
	vaultroom_new_keys(&room, 1, 2);
	vaultroom_destroy_keys(&room, 1, 2);
	cr_assert_not(vaultroom_has_key(&room, 1));
	cr_assert_eq(vault_sync(room.vault), 0);
	cr_assert(slot_is_zero(1));
	cr_assert(slot_is_zero(2));
}

Test(vault, a_key_already_gone_can_be_destroyed_again)
{
	vaultroom_new_keys(&room, 1, 1);
	cr_assert_eq(vault_sync(room.vault), 0);
	vaultroom_destroy_keys(&room, 1, 1);
	vaultroom_destroy_keys(&room, 1, 1);
	vaultroom_destroy_keys(&room, 1000000, 1000000);
	cr_assert_eq(vault_sync(room.vault), 0);
	cr_assert_eq(file_stat().st_size, slot_at(2));
}

Test(vault, a_new_key_after_a_destroyed_one_differs)
{
	uint8_t before[VAULT_KEY_LEN], after[VAULT_KEY_LEN];
	struct sealed sealed;

	vaultroom_new_keys(&room, 1, 1);
	sealed = seal(1);
	cr_assert_eq(vault_sync(room.vault), 0);
	read_slot(1, before);
	vaultroom_destroy_keys(&room, 1, 1);
	vaultroom_new_keys(&room, 1, 1);
	cr_assert_eq(vault_sync(room.vault), 0);
	read_slot(1, after);
	cr_assert_neq(memcmp(before, after, sizeof(before)), 0);
	cr_assert_eq(unseal(1, &sealed), VAULT_E_FORGED);
}

Test(vault, a_block_of_destroyed_keys_takes_no_space)
{
	blkcnt_t before, after;

	vaultroom_new_keys(&room, 1, 4 * PER_BLOCK);
	cr_assert_eq(vault_sync(room.vault), 0);
	before = file_stat().st_blocks;
	vaultroom_destroy_keys(&room, PER_BLOCK + 1, 2 * PER_BLOCK - 1);
	cr_assert_eq(vault_sync(room.vault), 0);
	cr_assert_eq(file_stat().st_blocks, before);
	vaultroom_destroy_keys(&room, 2 * PER_BLOCK, 2 * PER_BLOCK);
	cr_assert_eq(vault_sync(room.vault), 0);
	cr_assert_eq(vaultroom_reopen(&room), 0);
	after = file_stat().st_blocks;
	if (after == before) {
		cr_skip_test("this file system does not punch holes");
	}
	cr_assert_eq(before - after, BLOCK / 512);
	cr_assert_eq(file_stat().st_size, slot_at(4 * PER_BLOCK + 1));
	cr_assert(vaultroom_has_key(&room, PER_BLOCK));
	cr_assert_not(vaultroom_has_key(&room, PER_BLOCK + 1));
	cr_assert(vaultroom_has_key(&room, 2 * PER_BLOCK + 1));
}

Test(vault, a_mebibyte_of_destroyed_keys_takes_no_space_from_the_next_sync_on)
{
	const uint64_t n = 256 * PER_BLOCK;
	blkcnt_t before, after;

	vaultroom_new_keys(&room, 1, n);
	cr_assert_eq(vault_sync(room.vault), 0);
	before = file_stat().st_blocks;
	vaultroom_destroy_keys(&room, 1, n / 2);
	cr_assert_eq(vault_sync(room.vault), 0);
	cr_assert_eq(file_stat().st_blocks, before);
	vaultroom_destroy_keys(&room, n / 2 + 1, n);
	cr_assert_eq(vault_sync(room.vault), 0);
	after = file_stat().st_blocks;
	if (after == before) {
		cr_skip_test("this file system does not punch holes");
	}
	cr_assert_eq(before - after, 256 * (BLOCK / 512));
}

Test(vault, a_key_that_came_into_an_erased_block_before_it_was_punched_stays)
{
	struct sealed sealed;

	vaultroom_new_keys(&room, 1, PER_BLOCK + 7);
	cr_assert_eq(vault_sync(room.vault), 0);
	vaultroom_destroy_keys(&room, 1, PER_BLOCK + 7);
	cr_assert_eq(vault_sync(room.vault), 0);
	vaultroom_new_keys(&room, PER_BLOCK + 8, PER_BLOCK + 8);
	sealed = seal(PER_BLOCK + 8);
	cr_assert_eq(vault_sync(room.vault), 0);
	cr_assert_eq(vaultroom_reopen(&room), 0);
	cr_assert_eq(unseal(PER_BLOCK + 8, &sealed), 0);
}

Test(vault, a_key_in_a_punched_block_works)
{
	struct sealed sealed;

	vaultroom_new_keys(&room, 1, 2 * PER_BLOCK);
	vaultroom_destroy_keys(&room, 1, PER_BLOCK);
	cr_assert_eq(vault_sync(room.vault), 0);
	cr_assert_eq(vaultroom_reopen(&room), 0);
	vaultroom_new_keys(&room, 7, 7);
	sealed = seal(7);
	cr_assert_eq(vault_sync(room.vault), 0);
	cr_assert_eq(vaultroom_reopen(&room), 0);
	cr_assert_eq(unseal(7, &sealed), 0);
	cr_assert_not(vaultroom_has_key(&room, 8));
}

/* More blocks than one sync remembers. */
Test(vault, keys_destroyed_in_very_many_blocks_are_all_zeros)
{
	const uint64_t n_blocks = 1500;

	for (uint64_t block = 0; block < n_blocks; block++) {
		vaultroom_new_keys(&room, block * PER_BLOCK + 1, block * PER_BLOCK + 1);
	}
	cr_assert_eq(vault_sync(room.vault), 0);
	for (uint64_t block = 0; block < n_blocks; block++) {
		vaultroom_destroy_keys(&room, block * PER_BLOCK + 1, block * PER_BLOCK + 1);
	}
	cr_assert_eq(vault_sync(room.vault), 0);
	for (uint64_t block = 0; block < n_blocks; block++) {
		cr_assert(slot_is_zero(block * PER_BLOCK + 1));
	}
}

Test(vault, what_was_sealed_for_another_account_or_purpose_is_refused)
{
	struct sealed sealed;

	vaultroom_new_keys(&room, 1, 2);
	sealed = seal(1);
	cr_assert_eq(unseal(2, &sealed), VAULT_E_FORGED);
	cr_assert_eq(unseal(0, &sealed), VAULT_E_FORGED);
	cr_assert_eq(unseal_for(1, VAULT_PURPOSE_NOTE, &sealed), VAULT_E_FORGED);
	cr_assert_eq(unseal(1, &sealed), 0);
}

/* Even with the same key: the uid is authenticated, not only the key that belongs to it. */
Test(vault, a_key_copied_into_another_slot_opens_nothing)
{
	cleanup(closep) int fd = open(room.path, O_RDWR | O_CLOEXEC);
	uint8_t key[VAULT_KEY_LEN];
	struct sealed sealed;

	vaultroom_new_keys(&room, 1, 2);
	sealed = seal(1);
	cr_assert_eq(vault_sync(room.vault), 0);
	read_slot(1, key);
	cr_assert_eq(pwrite(fd, key, sizeof(key), slot_at(2)), sizeof(key));
	cr_assert_eq(unseal(2, &sealed), VAULT_E_FORGED);
	cr_assert_eq(unseal(1, &sealed), 0);
}

Test(vault, every_changed_byte_of_what_was_sealed_is_refused)
{
	struct sealed sealed;

	vaultroom_new_keys(&room, 1, 1);
	sealed = seal(1);
	for (size_t at = 0; at < sizeof(sealed.bytes); at++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			sealed.bytes[at] ^= (char)(1u << bit);
			cr_assert_eq(unseal(1, &sealed), VAULT_E_FORGED, "byte %zu", at);
			sealed.bytes[at] ^= (char)(1u << bit);
		}
	}
	cr_assert_eq(unseal(1, &sealed), 0);
}

Test(vault, every_truncation_of_what_was_sealed_is_refused)
{
	struct sealed sealed;

	vaultroom_new_keys(&room, 1, 1);
	sealed = seal(1);
	for (size_t len = 0; len < sizeof(sealed.bytes); len++) {
		cleanup(freep) char *cut = malloc(len ? len : 1);
		char plain[sizeof(TEXT)];

		memcpy(cut, sealed.bytes, len);
		cr_assert_eq(vault_unseal(room.vault, 1, VAULT_PURPOSE_PROFILE,
					  (struct slice){cut, len}, plain),
			     VAULT_E_FORGED);
	}
}

Test(vault, the_same_text_never_seals_to_the_same_bytes)
{
	struct sealed first, second;

	vaultroom_new_keys(&room, 1, 1);
	first = seal(1);
	second = seal(1);
	cr_assert_neq(memcmp(first.bytes, second.bytes, 24), 0);
	cr_assert_neq(memcmp(first.bytes + 24, second.bytes + 24, sizeof(TEXT) - 1), 0);
}

Test(vault, empty_and_large_texts_come_back)
{
	static char plain[65536], sealed[65536 + VAULT_SEAL_OVERHEAD], back[65536];
	struct slice whole = {sealed, sizeof(sealed)};

	vaultroom_new_keys(&room, 1, 1);
	memset(plain, 'x', sizeof(plain));
	cr_assert_eq(vault_seal(room.vault, 1, VAULT_PURPOSE_NOTE, (struct slice){0}, sealed), 0);
	cr_assert_eq(vault_unseal(room.vault, 1, VAULT_PURPOSE_NOTE,
				  (struct slice){sealed, VAULT_SEAL_OVERHEAD}, back),
		     0);
	cr_assert_eq(vault_seal(room.vault, 1, VAULT_PURPOSE_NOTE,
				(struct slice){plain, sizeof(plain)}, sealed),
		     0);
	cr_assert_eq(vault_unseal(room.vault, 1, VAULT_PURPOSE_NOTE, whole, back), 0);
	cr_assert_eq(memcmp(plain, back, sizeof(plain)), 0);
}

Test(vault, texts_of_no_account_are_sealed_under_the_house_key)
{
	struct sealed sealed = seal(0);

	cr_assert_eq(vaultroom_reopen(&room), 0);
	cr_assert_eq(unseal(0, &sealed), 0);
	vaultroom_new_keys(&room, 1, 1);
	cr_assert_eq(unseal(1, &sealed), VAULT_E_FORGED);
	vaultroom_destroy_keys(&room, 0, 1);
	cr_assert_eq(unseal(0, &sealed), 0);
}

Test(vault, every_changed_byte_of_the_header_is_refused)
{
	for (off_t at = 0; at < BLOCK; at += at < 128 ? 1 : 61) {
		temp_file_flip(room.path, at, 0x01);
		cr_assert_eq(vaultroom_reopen(&room), VAULT_E_CORRUPT, "byte %ld", (long)at);
		temp_file_flip(room.path, at, 0x01);
	}
	cr_assert_eq(vaultroom_reopen(&room), 0);
}

Test(vault, a_file_that_is_no_vault_is_refused)
{
	static const off_t sizes[] = {0, 1, 127, 128, BLOCK - 1};

	room.vault = vault_close(room.vault);
	for (size_t i = ARRAY_LEN(sizes); i-- > 0;) {
		cr_assert_eq(truncate(room.path, sizes[i]), 0);
		cr_assert_eq(vault_open(room.path, NULL, &room.vault), VAULT_E_CORRUPT);
	}
	cr_assert_eq(truncate(room.path, 2 * BLOCK), 0);
	cr_assert_eq(vault_open(room.path, NULL, &room.vault), VAULT_E_CORRUPT);
	cr_assert_null(room.vault);
}

Test(vault, a_slot_cut_in_half_has_another_key_or_none)
{
	struct sealed sealed;

	vaultroom_new_keys(&room, 1, 1);
	sealed = seal(1);
	cr_assert_eq(vault_sync(room.vault), 0);
	room.vault = vault_close(room.vault);
	cr_assert_eq(truncate(room.path, slot_at(1) + 16), 0);
	cr_assert_eq(vault_open(room.path, NULL, &room.vault), 0);
	cr_assert_eq(unseal(1, &sealed), VAULT_E_FORGED);
	room.vault = vault_close(room.vault);
	cr_assert_eq(truncate(room.path, slot_at(1)), 0);
	cr_assert_eq(vault_open(room.path, NULL, &room.vault), 0);
	cr_assert_eq(unseal(1, &sealed), VAULT_E_NONE);
}

Test(vault, keys_are_read_however_long_the_file_has_grown)
{
	static const uint64_t uids[] = {1, 127, 128, 1000000, 3000000, 20000000};
	struct sealed sealed[ARRAY_LEN(uids)];

	for (size_t i = 0; i < ARRAY_LEN(uids); i++) {
		vaultroom_new_keys(&room, uids[i], uids[i]);
		sealed[i] = seal(uids[i]);
		cr_assert_eq(vault_sync(room.vault), 0);
		for (size_t j = 0; j <= i; j++) {
			cr_assert_eq(unseal(uids[j], &sealed[j]), 0);
		}
		cr_assert_not(vaultroom_has_key(&room, uids[i] + 1));
	}
	vaultroom_destroy_keys(&room, uids[4], uids[4]);
	cr_assert_eq(unseal(uids[4], &sealed[4]), VAULT_E_NONE);
	cr_assert_eq(vaultroom_reopen(&room), 0);
	cr_assert_eq(unseal(uids[5], &sealed[5]), 0);
}

struct hash {
	uint8_t bytes[VAULT_HASH_LEN];
};

static struct hash hash(char tag, const char *first, const char *second)
{
	struct slice parts[] = {slice_of(first), slice_of(second)};
	struct hash hash;

	vault_hash(room.vault, tag, parts, second ? 2 : 1, hash.bytes);
	return hash;
}

static bool hashes_equal(struct hash a, struct hash b)
{
	return memcmp(a.bytes, b.bytes, VAULT_HASH_LEN) == 0;
}

Test(vault, a_name_has_the_same_hash_after_reopening)
{
	struct hash before = hash('i', "contoso", "g-1");

	cr_assert_eq(vaultroom_reopen(&room), 0);
	cr_assert(hashes_equal(before, hash('i', "contoso", "g-1")));
}

Test(vault, names_that_differ_in_any_way_hash_differently)
{
	const struct hash hashes[] = {
		hash('i', "ab", "c"), hash('i', "a", "bc"),   hash('u', "ab", "c"),
		hash('i', "abc", ""), hash('i', "abc", NULL), hash('i', "", "abc"),
		hash('i', "", ""),    hash('i', "", NULL),
	};

	for (size_t a = 0; a < ARRAY_LEN(hashes); a++) {
		for (size_t b = 0; b < a; b++) {
			cr_assert_not(hashes_equal(hashes[a], hashes[b]), "%zu and %zu", a, b);
		}
	}
}

Test(vault, another_vault_hashes_differently_and_opens_nothing)
{
	cleanup(freep) char *other = temp_path_new(room.directory, "other");
	struct hash ours = hash('i', "contoso", "g-1");
	struct sealed sealed = seal(0);

	cr_assert_eq(vault_create(other, vaultroom_instance, NULL), 0);
	room.vault = vault_close(room.vault);
	cr_assert_eq(vault_open(other, NULL, &room.vault), 0);
	cr_assert_not(hashes_equal(ours, hash('i', "contoso", "g-1")));
	cr_assert_eq(unseal(0, &sealed), VAULT_E_FORGED);
}

Test(vault, closing_nothing_is_fine)
{
	cr_assert_null(vault_close(NULL));
}
