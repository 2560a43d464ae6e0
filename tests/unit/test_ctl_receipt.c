/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/receipt.h"

#include <criterion/criterion.h>
#include <sodium.h>
#include <stdio.h>

#include "tests/golden/receipt/receipt_1.h"
#include "tests/support/temp.h"

static uint8_t secret[crypto_sign_SECRETKEYBYTES];
static uint8_t public[CTL_RECEIPT_KEY_LEN];
static char file[sizeof(receipt_1) + 256]; /* the golden receipt as a file holds it */
static size_t file_len;
static struct ctl_fault fault;

/* Signs a text, and puts it into @file as the client does. */
static void sign(const char *text)
{
	uint8_t signature[crypto_sign_BYTES];
	char signature_hex[2 * sizeof(signature) + 1], key_hex[2 * sizeof(public) + 1];

	(void)crypto_sign_detached(signature, NULL, (const unsigned char *)text, strlen(text),
				   secret);
	(void)sodium_bin2hex(signature_hex, sizeof(signature_hex), signature, sizeof(signature));
	(void)sodium_bin2hex(key_hex, sizeof(key_hex), public, sizeof(public));
	file_len = (size_t)snprintf(file, sizeof(file), "%ssignature: %s\npublic-key: %s\n", text,
				    signature_hex, key_hex);
	cr_assert_lt(file_len, sizeof(file));
}

static void set_up(void)
{
	uint8_t seed[crypto_sign_SEEDBYTES] = "the seed of these tests' key";

	cr_assert_geq(sodium_init(), 0);
	(void)crypto_sign_seed_keypair(public, secret, seed);
	fault = (struct ctl_fault){0};
	sign(receipt_1);
}

TestSuite(ctl_receipt, .init = set_up);

static int check(const uint8_t *key)
{
	uint8_t found[CTL_RECEIPT_KEY_LEN];
	int r = ctl_receipt_check((struct slice){file, file_len}, key, found, &fault);

	if (r == 0) {
		cr_assert_arr_eq(found, public, sizeof(public));
	}
	return r;
}

static void is_refused(const uint8_t *key, const char *code)
{
	cr_assert_eq(check(key), CTL_EXIT_VERIFICATION);
	cr_assert_str_eq(fault.code, code);
}

Test(ctl_receipt, a_receipt_as_it_was_signed_is_good)
{
	cr_assert_eq(check(public), 0);
	cr_assert_eq(check(NULL), 0);
}

/* Each bit of the text, the signature, the key and of what stands between them. */
Test(ctl_receipt, every_flipped_bit_is_refused)
{
	for (size_t at = 0; at < file_len; at++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			file[at] = (char)(file[at] ^ (1 << bit));
			cr_assert_eq(check(public), CTL_EXIT_VERIFICATION, "byte %zu bit %u", at,
				     bit);
			cr_assert_eq(check(NULL), CTL_EXIT_VERIFICATION, "byte %zu bit %u", at,
				     bit);
			file[at] = (char)(file[at] ^ (1 << bit));
		}
	}
}

Test(ctl_receipt, every_truncation_is_refused)
{
	for (size_t len = file_len; len-- > 0;) {
		file_len = len;
		cr_assert_eq(check(public), CTL_EXIT_VERIFICATION, "%zu bytes", len);
	}
}

Test(ctl_receipt, bytes_before_and_behind_are_refused)
{
	file[file_len++] = '\n';
	is_refused(public, "truncated");
	memmove(file + 1, file, --file_len);
	file[0] = '\n';
	is_refused(public, "not-a-receipt");
}

Test(ctl_receipt, a_good_signature_of_another_key_is_refused_when_a_key_is_given)
{
	uint8_t other[CTL_RECEIPT_KEY_LEN];

	memcpy(other, public, sizeof(other));
	other[31] ^= 1;
	is_refused(other, "other-key");
}

/* Whoever alters the text and signs it anew is found by the key alone. */
Test(ctl_receipt, one_that_was_signed_anew_passes_only_without_the_key)
{
	uint8_t right[CTL_RECEIPT_KEY_LEN], seed[crypto_sign_SEEDBYTES] = "the forger's";

	memcpy(right, public, sizeof(right));
	(void)crypto_sign_seed_keypair(public, secret, seed);
	sign("retentiond receipt 1\nsla: on time\n");
	cr_assert_eq(check(NULL), 0);
	is_refused(right, "other-key");
}

Test(ctl_receipt, says_what_is_wrong)
{
	file[strlen("retentiond receipt 1\ninstance: ")] ^= 1;
	is_refused(public, "tampered");
	sign(receipt_1);
	file_len -= 100;
	is_refused(public, "truncated");
	sign("retentiond receipt 2\n");
	is_refused(public, "not-a-receipt");
	cr_assert(strstr(fault.text, "a form that this client does not know"));
	sign("Dear Sir or Madam\n");
	is_refused(public, "not-a-receipt");
	file_len = 0;
	is_refused(public, "not-a-receipt");
}

/* The verb */

static char *directory;
static struct ctl ctl;
static char *shown;
static size_t shown_len;

static void set_up_verb(void)
{
	set_up();
	directory = temp_directory_new();
	ctl = (struct ctl){.show = {.out = open_memstream(&shown, &shown_len)}};
}

static void tear_down_verb(void)
{
	(void)fclose(ctl.show.out);
	free(shown);
	directory = temp_directory_free(directory);
}

TestSuite(ctl_receipt_verb, .init = set_up_verb, .fini = tear_down_verb);

static char *write_new(const char *name, struct slice bytes)
{
	char *path = temp_path_new(directory, name);

	temp_file_write(path, bytes);
	return path;
}

/* "receipt verify PATH --key=KEY", without a daemon. */
static int verify(const char *path, const char *key)
{
	char *words[] = {(char *)"retentionctl",
			 (char *)"receipt",
			 (char *)"verify",
			 (char *)path,
			 NULL,
			 NULL};
	char option[PATH_MAX];

	if (key) {
		(void)snprintf(option, sizeof(option), "--key=%s", key);
		words[4] = option;
	}
	ctl.fault = (struct ctl_fault){0};
	cr_assert_eq(ctl_args_parse(key ? 5 : 4, words, &ctl.args, &ctl.fault), 0);
	cr_assert(ctl_receipt_is_verify(&ctl.args));
	return ctl_receipt_verify(&ctl);
}

Test(ctl_receipt_verb, the_key_is_given_as_digits_or_in_a_file)
{
	cleanup(freep) char *path = write_new("receipt", (struct slice){file, file_len});
	cleanup(freep) char *key_path = NULL;
	char hex[2 * sizeof(public) + 2];

	(void)sodium_bin2hex(hex, sizeof(hex) - 1, public, sizeof(public));
	cr_assert_eq(verify(path, hex), 0);
	hex[64] = '\n';
	key_path = write_new("key", (struct slice){hex, 65});
	cr_assert_eq(verify(path, key_path), 0);
	hex[0] ^= 1;
	hex[64] = '\0';
	cr_assert_eq(verify(path, hex), CTL_EXIT_VERIFICATION);
	cr_assert_eq(verify(path, path), CTL_EXIT_USAGE);
	cr_assert_eq(verify(path, directory), CTL_EXIT_FAILURE);
}

Test(ctl_receipt_verb, says_which_key)
{
	cleanup(freep) char *path = write_new("receipt", (struct slice){file, file_len});
	char hex[2 * sizeof(public) + 1];

	(void)sodium_bin2hex(hex, sizeof(hex), public, sizeof(public));
	cr_assert_eq(verify(path, hex), 0);
	(void)fflush(ctl.show.out);
	cr_assert(strstr(shown, "good signature by key"));
	cr_assert(strstr(shown, hex));
}

Test(ctl_receipt_verb, a_file_that_is_not_there_or_too_long_is_told)
{
	cleanup(freep) char *none = temp_path_new(directory, "none");
	cleanup(freep) char *bytes = calloc(1, CTL_RECEIPT_BYTES_MAX);
	cleanup(freep) char *path = write_new("long", (struct slice){bytes, CTL_RECEIPT_BYTES_MAX});

	cr_assert_eq(verify(none, NULL), CTL_EXIT_FAILURE);
	cr_assert(strstr(ctl.fault.text, none));
	cr_assert_eq(verify(path, NULL), CTL_EXIT_FAILURE);
}

Test(ctl_receipt_verb, an_account_is_not_taken_for_verify)
{
	char *words[] = {(char *)"retentionctl", (char *)"receipt", (char *)"verify/verify", NULL};

	cr_assert_eq(ctl_args_parse(3, words, &ctl.args, &ctl.fault), 0);
	cr_assert_not(ctl_receipt_is_verify(&ctl.args));
}
