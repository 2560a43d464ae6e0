/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/signer.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>

#include "daemon/store/files.h"
#include "daemon/store/inside.h"
#include "daemon/store/keyfile.h"

#define KEY_FILE "signing.key"
#define KEY_NEW  "signing.key.new"

#define SEED_HEX_LEN (2 * SIGNER_SEED_LEN)

static_assert(SIGNER_SEED_LEN == crypto_sign_SEEDBYTES, "Ed25519");
static_assert(SIGNER_SEED_LEN == KEYFILE_KEY_LEN, "a file of a key holds a seed");
static_assert(SIGNER_PUBLIC_LEN == crypto_sign_PUBLICKEYBYTES, "Ed25519");
static_assert(SIGNER_SIGNATURE_LEN == crypto_sign_BYTES, "Ed25519");

struct signer {
	uint8_t secret[crypto_sign_SECRETKEYBYTES];
	uint8_t public[SIGNER_PUBLIC_LEN];
	bool is_new;
};

static int read_seed(const char *path, uint8_t seed[static SIGNER_SEED_LEN])
{
	int r = keyfile_read(path, seed);

	return r != KEYFILE_E_MALFORMED
		       ? r
		       : store_say_fault(
				 STORE_E_CORRUPT,
				 "the signing key %s is neither 32 bytes nor 64 hexadecimal "
				 "digits; put the right one there, or take it away and a new "
				 "one is made",
				 path);
}

static int write_seed(const char *path, const uint8_t seed[static SIGNER_SEED_LEN])
{
	cleanup(closep) int fd =
		open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	char text[SEED_HEX_LEN + 1];
	int r;

	if (fd < 0 || fchmod(fd, 0600) < 0) {
		return -errno;
	}
	(void)sodium_bin2hex(text, sizeof(text), seed, SIGNER_SEED_LEN);
	text[SEED_HEX_LEN] = '\n'; /* where the text's end was */
	r = files_write_at(fd, 0, text, sizeof(text));
	sodium_memzero(text, sizeof(text));
	return r == 0 && fsync(fd) < 0 ? -errno : r;
}

static int make_seed(const char *directory, const char *path, uint8_t seed[static SIGNER_SEED_LEN])
{
	char temporary[PATH_MAX];
	int r = store_path(directory, KEY_NEW, temporary);

	if (r < 0) {
		return r;
	}
	randombytes_buf(seed, SIGNER_SEED_LEN);
	r = write_seed(temporary, seed);
	if (r == 0 && rename(temporary, path) < 0) {
		r = -errno;
	}
	return r == 0 ? files_sync_directory(directory) : r;
}

static int find_seed(const char *directory, uint8_t seed[static SIGNER_SEED_LEN], bool *ret_new)
{
	char path[PATH_MAX];
	int r = keyfile_read_credential(KEYFILE_SIGNING, seed);

	*ret_new = false;
	if (r != STORE_E_NONE) {
		return r;
	}
	r = store_path(directory, KEY_FILE, path);
	if (r == 0) {
		r = read_seed(path, seed);
	}
	*ret_new = r == -ENOENT;
	return r == -ENOENT ? make_seed(directory, path, seed) : r;
}

/* sodium_malloc() keeps the key out of core dumps and swap, and wipes it when it is freed. */
int signer_open(const char *directory, struct signer **ret_signer)
{
	uint8_t seed[SIGNER_SEED_LEN];
	struct signer *signer;
	int r;

	if (sodium_init() < 0) {
		return -ENOSYS;
	}
	signer = sodium_malloc(sizeof(*signer));
	if (!signer) {
		return -ENOMEM;
	}
	r = find_seed(directory, seed, &signer->is_new);
	if (r == 0) {
		(void)crypto_sign_seed_keypair(signer->public, signer->secret,
					       seed); /* never fails */
		*ret_signer = TAKE_PTR(signer);
	}
	sodium_memzero(seed, sizeof(seed));
	(void)signer_close(signer); /* NULL */
	return r;
}

struct signer *signer_close(struct signer *signer)
{
	sodium_free(signer);
	return NULL;
}

void signer_sign(const struct signer *signer, struct slice text,
		 uint8_t ret_signature[static SIGNER_SIGNATURE_LEN])
{
	(void)crypto_sign_detached(ret_signature, NULL, (const unsigned char *)text.data, text.len,
				   signer->secret); /* never fails */
}

const uint8_t *signer_public_key(const struct signer *signer)
{
	return signer->public;
}

bool signer_is_new(const struct signer *signer)
{
	return signer->is_new;
}
