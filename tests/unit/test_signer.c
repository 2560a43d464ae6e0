/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/signer.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>

#include "daemon/store/store.h"

#include "tests/support/temp.h"

/* RFC 8032, 7.1, tests 1 and 2. */
#define SEED_1   "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
#define PUBLIC_1 "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
#define SEED_2   "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"
#define PUBLIC_2 "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
#define SIGNATURE_2                                                                                \
	"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613" \
	"d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"

static char *directory;   /* the state directory */
static char *credentials; /* $CREDENTIALS_DIRECTORY */
static struct signer *signer;

static void set_up(void)
{
	directory = temp_directory_new();
	credentials = temp_directory_new();
	(void)unsetenv("CREDENTIALS_DIRECTORY");
	(void)umask(0077);
}

static void tear_down(void)
{
	signer = signer_close(signer);
	directory = temp_directory_free(directory);
	credentials = temp_directory_free(credentials);
}

TestSuite(signer, .init = set_up, .fini = tear_down);

static void write_in(const char *where, const char *name, struct slice bytes)
{
	cleanup(freep) char *path = temp_path_new(where, name);

	temp_file_write(path, bytes);
}

static int try_open(void)
{
	signer = signer_close(signer);
	return signer_open(directory, &signer);
}

static void is_public(const char *hex)
{
	char text[2 * SIGNER_PUBLIC_LEN + 1];

	(void)sodium_bin2hex(text, sizeof(text), signer_public_key(signer), SIGNER_PUBLIC_LEN);
	cr_assert_str_eq(text, hex);
}

static void give_credential(struct slice bytes)
{
	write_in(credentials, "signing-key", bytes);
	(void)setenv("CREDENTIALS_DIRECTORY", credentials, 1);
}

Test(signer, the_first_start_makes_a_key_that_nobody_else_may_read)
{
	cleanup(freep) char *path = temp_path_new(directory, "signing.key");
	struct stat info;

	(void)umask(0);
	cr_assert_eq(try_open(), 0);
	cr_assert_eq(stat(path, &info), 0);
	cr_assert_eq(info.st_mode & 07777, 0600);
	cr_assert_eq(info.st_size, 65);
}

Test(signer, the_key_stays_the_same_over_a_restart)
{
	uint8_t before[SIGNER_PUBLIC_LEN];

	cr_assert_eq(try_open(), 0);
	memcpy(before, signer_public_key(signer), sizeof(before));
	cr_assert_eq(try_open(), 0);
	cr_assert_arr_eq(signer_public_key(signer), before, sizeof(before));
}

Test(signer, two_first_starts_make_different_keys)
{
	uint8_t before[SIGNER_PUBLIC_LEN];
	cleanup(freep) char *path = temp_path_new(directory, "signing.key");

	cr_assert_eq(try_open(), 0);
	memcpy(before, signer_public_key(signer), sizeof(before));
	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(try_open(), 0);
	cr_assert_neq(memcmp(signer_public_key(signer), before, sizeof(before)), 0);
}

Test(signer, what_a_crash_left_half_written_is_written_anew)
{
	cleanup(freep) char *path = temp_path_new(directory, "signing.key.new");

	write_in(directory, "signing.key.new", SLICE_LITERAL("9d61b1"));
	cr_assert_eq(try_open(), 0);
	cr_assert_eq(access(path, F_OK), -1);
	cr_assert_eq(errno, ENOENT);
	cr_assert_eq(try_open(), 0);
}

Test(signer, a_credential_counts_before_the_key_in_the_state_directory)
{
	write_in(directory, "signing.key", SLICE_LITERAL(SEED_1 "\n"));
	cr_assert_eq(try_open(), 0);
	is_public(PUBLIC_1);
	give_credential(SLICE_LITERAL(SEED_2));
	cr_assert_eq(try_open(), 0);
	is_public(PUBLIC_2);
}

Test(signer, a_credential_is_32_bytes_or_64_digits)
{
	uint8_t seed[SIGNER_SEED_LEN];

	cr_assert_eq(sodium_hex2bin(seed, sizeof(seed), SEED_2, 64, NULL, NULL, NULL), 0);
	give_credential((struct slice){(const char *)seed, sizeof(seed)});
	cr_assert_eq(try_open(), 0);
	is_public(PUBLIC_2);
	give_credential(SLICE_LITERAL(SEED_1 "\n"));
	cr_assert_eq(try_open(), 0);
	is_public(PUBLIC_1);
}

Test(signer, other_credentials_than_the_key_leave_the_state_directory_s)
{
	write_in(directory, "signing.key", SLICE_LITERAL(SEED_1 "\n"));
	(void)setenv("CREDENTIALS_DIRECTORY", credentials, 1);
	cr_assert_eq(try_open(), 0);
	is_public(PUBLIC_1);
}

Test(signer, what_is_no_key_is_refused_and_left_alone)
{
	static const struct slice wrong[] = {
		SLICE_LITERAL(""),
		SLICE_LITERAL("\n"),
		SLICE_LITERAL("9d61"),
		SLICE_LITERAL(SEED_1 "0"),
		SLICE_LITERAL(SEED_1 "\n\n"),
		SLICE_LITERAL(" " SEED_1),
		SLICE_LITERAL("x" SEED_1),
		SLICE_LITERAL("thirty-three bytes, one too many."),
	};

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		cleanup(freep) char *path = temp_path_new(directory, "signing.key");
		struct slice after;

		temp_file_write(path, wrong[i]);
		cr_assert_eq(try_open(), STORE_E_CORRUPT, "%zu", i);
		cr_assert(strstr(store_fault(), path), "%s", store_fault());
		after = temp_file_read(path);
		cr_assert(slice_equal(after, wrong[i]), "%zu", i);
		free((void *)(uintptr_t)after.data);
	}
}

Test(signer, a_credential_that_is_no_key_is_refused_though_there_is_one_in_the_state_directory)
{
	write_in(directory, "signing.key", SLICE_LITERAL(SEED_1 "\n"));
	give_credential(SLICE_LITERAL("rubbish"));
	cr_assert_eq(try_open(), STORE_E_CREDENTIAL);
	cr_assert_not_null(strstr(store_fault(), "64 hexadecimal digits"));
}

Test(signer, a_credential_that_others_may_read_is_refused)
{
	cleanup(freep) char *path = temp_path_new(credentials, "signing-key");

	give_credential(SLICE_LITERAL(SEED_1 "\n"));
	for (mode_t bit = 01; bit <= 04; bit <<= 1) {
		cr_assert_eq(chmod(path, 0400 | bit), 0);
		cr_assert_eq(try_open(), STORE_E_CREDENTIAL);
		cr_assert_not_null(strstr(store_fault(), "chmod 0400"));
	}
	cr_assert_eq(chmod(path, 0440), 0); /* as an ACL for the daemon's user looks */
	cr_assert_eq(try_open(), 0);
	is_public(PUBLIC_1);
}

Test(signer, signatures_are_those_of_rfc_8032)
{
	char text[2 * SIGNER_SIGNATURE_LEN + 1];
	uint8_t signature[SIGNER_SIGNATURE_LEN];

	give_credential(SLICE_LITERAL(SEED_2));
	cr_assert_eq(try_open(), 0);
	signer_sign(signer, SLICE_LITERAL("\x72"), signature);
	(void)sodium_bin2hex(text, sizeof(text), signature, sizeof(signature));
	cr_assert_str_eq(text, SIGNATURE_2);
}

Test(signer, a_key_is_new_once)
{
	cr_assert_eq(try_open(), 0);
	cr_assert(signer_is_new(signer));
	cr_assert_eq(try_open(), 0);
	cr_assert(!signer_is_new(signer));
}
