/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/vault.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>

/* Where the header's parts are; vault.h shows them. */
#define HEADER_FORMAT   8
#define HEADER_INSTANCE 16
#define HEADER_LOOKUP   32
#define HEADER_HOUSE    64
#define HEADER_HASH     96
#define HEADER_LEN      128

#define VAULT_FORMAT    1
#define BLOCK_BYTES     4096
#define SLOTS_PER_BLOCK (BLOCK_BYTES / VAULT_KEY_LEN)
#define UID_MAX         (UINT64_C(1) << 40)
#define PLAIN_LEN_MAX   65536
#define NONCE_LEN       crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_LEN         crypto_aead_xchacha20poly1305_ietf_ABYTES

/* New keys that wait for the next sync: those of one call that imports 1000 accounts. */
#define NEW_KEYS_MAX 1024

/* Blocks to look at in the next sync. More are not remembered: to punch them only saves space. */
#define TOUCHED_MAX 1024

static const uint8_t magic[8] = {'R', 'T', 'D', 'V', 'A', 'U', 'L', 'T'};

static_assert(VAULT_KEY_LEN == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "a slot holds a key");
static_assert(VAULT_KEY_LEN == crypto_generichash_KEYBYTES, "the lookup key keys BLAKE2b");
static_assert(VAULT_SEAL_OVERHEAD == NONCE_LEN + TAG_LEN, "what sealing adds");
static_assert(VAULT_HASH_LEN >= crypto_generichash_BYTES_MIN, "BLAKE2b can be that short");

/*
 * @dirty:     something was written that was not synced
 * @first_new: uid of new_keys[0]; the others follow without gaps, so that one write stores them all
 * @touched:   numbers of blocks in which a key was destroyed
 */
struct vault {
	int fd;
	bool dirty;
	uint8_t header[HEADER_LEN];
	uint64_t first_new;
	size_t n_new;
	uint8_t new_keys[NEW_KEYS_MAX][VAULT_KEY_LEN];
	size_t n_touched;
	uint64_t touched[TOUCHED_MAX];
};

static off_t slot_offset(uint64_t uid)
{
	assert(uid >= 1);
	assert(uid <= UID_MAX);
	return (off_t)((SLOTS_PER_BLOCK + uid - 1) * VAULT_KEY_LEN);
}

/* What lies behind the end of the file reads as zeros, as it does in its holes. */
static int read_at(int fd, off_t at, uint8_t *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = pread(fd, bytes, len, at);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return -errno;
		}
		if (n == 0) {
			memset(bytes, 0, len);
			return 0;
		}
		bytes += n;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

static int write_at(int fd, off_t at, const uint8_t *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = pwrite(fd, bytes, len, at);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			return n < 0 ? -errno : -EIO;
		}
		bytes += n;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

static void hash_header(const uint8_t header[static HEADER_LEN],
			uint8_t ret_hash[static HEADER_LEN - HEADER_HASH])
{
	(void)crypto_generichash(ret_hash, HEADER_LEN - HEADER_HASH, header, HEADER_HASH, NULL,
				 0); /* fails for lengths out of range only */
}

static void make_header(const uint8_t instance[static VAULT_INSTANCE_LEN],
			uint8_t header[static HEADER_LEN])
{
	memcpy(header, magic, sizeof(magic));
	store_be64(header + HEADER_FORMAT, VAULT_FORMAT);
	memcpy(header + HEADER_INSTANCE, instance, VAULT_INSTANCE_LEN);
	randombytes_buf(header + HEADER_LOOKUP, VAULT_KEY_LEN);
	randombytes_buf(header + HEADER_HOUSE, VAULT_KEY_LEN);
	hash_header(header, header + HEADER_HASH);
}

static int write_new(int fd, const uint8_t instance[static VAULT_INSTANCE_LEN])
{
	uint8_t block[BLOCK_BYTES] = {0};
	int r;

	make_header(instance, block);
	r = write_at(fd, 0, block, sizeof(block));
	sodium_memzero(block, sizeof(block));
	if (r < 0) {
		return r;
	}
	return fchmod(fd, 0600) < 0 || fsync(fd) < 0 ? -errno : 0;
}

int vault_create(const char *path, const uint8_t instance[static VAULT_INSTANCE_LEN])
{
	cleanup(closep) int fd = -1;
	int r;

	if (sodium_init() < 0) {
		return -ENOSYS; /* no source of randomness */
	}
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0) {
		return -errno;
	}
	r = write_new(fd, instance);
	if (r < 0) {
		(void)unlink(path); /* the error is told already */
	}
	return r;
}

/* The rest of the header's block is zeros until a format says what it holds. */
static bool header_is_sound(const uint8_t block[static BLOCK_BYTES])
{
	uint8_t hash[HEADER_LEN - HEADER_HASH];

	hash_header(block, hash);
	return memcmp(block, magic, sizeof(magic)) == 0 &&
	       load_be64(block + HEADER_FORMAT) == VAULT_FORMAT &&
	       memcmp(block + HEADER_HASH, hash, sizeof(hash)) == 0 &&
	       sodium_is_zero(block + HEADER_LEN, BLOCK_BYTES - HEADER_LEN);
}

static int read_header(struct vault *vault)
{
	uint8_t block[BLOCK_BYTES];
	struct stat st;
	int r;

	if (fstat(vault->fd, &st) < 0) {
		return -errno;
	}
	if (!S_ISREG(st.st_mode) || st.st_size < BLOCK_BYTES) {
		return VAULT_E_CORRUPT;
	}
	r = read_at(vault->fd, 0, block, sizeof(block));
	if (r == 0) {
		r = header_is_sound(block) ? 0 : VAULT_E_CORRUPT;
	}
	if (r == 0) {
		memcpy(vault->header, block, HEADER_LEN);
	}
	sodium_memzero(block, sizeof(block));
	return r;
}

/* sodium_malloc() keeps keys out of core dumps and swap, and wipes them when they are freed. */
int vault_open(const char *path, struct vault **ret_vault)
{
	struct vault *vault;
	int r;

	if (sodium_init() < 0) {
		return -ENOSYS;
	}
	vault = sodium_malloc(sizeof(*vault));
	if (!vault) {
		return -ENOMEM;
	}
	memset(vault, 0, sizeof(*vault));
	vault->fd = open(path, O_RDWR | O_CLOEXEC);
	r = vault->fd < 0 ? -errno : read_header(vault);
	if (r != 0) {
		(void)vault_close(vault); /* NULL */
		return r;
	}
	*ret_vault = vault;
	return 0;
}

struct vault *vault_close(struct vault *vault)
{
	if (vault) {
		closep(&vault->fd);
		sodium_free(vault);
	}
	return NULL;
}

const uint8_t *vault_instance(const struct vault *vault)
{
	return vault->header + HEADER_INSTANCE;
}

/* Where a key that was not written yet waits, or NULL. */
static uint8_t *find_new_key(struct vault *vault, uint64_t uid)
{
	if (uid < vault->first_new || uid - vault->first_new >= vault->n_new) {
		return NULL;
	}
	return vault->new_keys[uid - vault->first_new];
}

static int write_new_keys(struct vault *vault)
{
	size_t len = vault->n_new * VAULT_KEY_LEN;
	int r;

	if (len == 0) {
		return 0;
	}
	r = write_at(vault->fd, slot_offset(vault->first_new), vault->new_keys[0], len);
	if (r < 0) {
		return r;
	}
	sodium_memzero(vault->new_keys, len);
	vault->n_new = 0;
	vault->dirty = true;
	return 0;
}

/* A key that does not follow the others, or finds no place, makes the others be written. */
static int add_new_key(struct vault *vault, uint64_t uid, uint8_t **ret_key)
{
	bool follows = vault->n_new > 0 && uid == vault->first_new + vault->n_new;
	int r;

	if (!follows || vault->n_new == NEW_KEYS_MAX) {
		r = write_new_keys(vault);
		if (r < 0) {
			return r;
		}
		vault->first_new = uid;
	}
	*ret_key = vault->new_keys[vault->n_new++];
	return 0;
}

int vault_new_key(struct vault *vault, uint64_t uid)
{
	uint8_t *key = find_new_key(vault, uid);
	int r;

	assert(uid >= 1);
	assert(uid <= UID_MAX);
	if (!key) {
		r = add_new_key(vault, uid, &key);
		if (r < 0) {
			return r;
		}
	}
	randombytes_buf(key, VAULT_KEY_LEN);
	return 0;
}

/* Sweeps go by time and imports came in order, so that neighbours often go together. */
static void touch_block(struct vault *vault, uint64_t uid)
{
	uint64_t block = (uint64_t)slot_offset(uid) / BLOCK_BYTES;

	if (vault->n_touched > 0 && vault->touched[vault->n_touched - 1] == block) {
		return;
	}
	if (vault->n_touched < TOUCHED_MAX) {
		vault->touched[vault->n_touched++] = block;
	}
}

/* A slot that has no key is not written: behind the end of the file that would make it longer. */
int vault_destroy_key(struct vault *vault, uint64_t uid)
{
	static const uint8_t zeros[VAULT_KEY_LEN];
	uint8_t *new_key = find_new_key(vault, uid);
	bool has = false;
	int r;

	if (new_key) {
		sodium_memzero(new_key, VAULT_KEY_LEN);
		touch_block(vault, uid);
		return 0;
	}
	r = vault_has_key(vault, uid, &has);
	if (r != 0 || !has) {
		return r;
	}
	r = write_at(vault->fd, slot_offset(uid), zeros, sizeof(zeros));
	if (r == 0) {
		vault->dirty = true;
		touch_block(vault, uid);
	}
	return r;
}

/*
 * Only after the zeros are on disk: a block that is punched out before keeps the old keys on the
 * medium. Any failure leaves a block of zeros, so it is no failure.
 */
static void punch_block(struct vault *vault, uint64_t number)
{
	off_t at = (off_t)number * BLOCK_BYTES;
	uint8_t block[BLOCK_BYTES];

	if (read_at(vault->fd, at, block, sizeof(block)) == 0 &&
	    sodium_is_zero(block, sizeof(block))) {
		(void)fallocate(vault->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at,
				BLOCK_BYTES);
	}
	sodium_memzero(block, sizeof(block));
}

int vault_sync(struct vault *vault)
{
	int r = write_new_keys(vault);

	if (r < 0) {
		return r;
	}
	if (!vault->dirty) {
		return 0;
	}
	if (fdatasync(vault->fd) < 0) {
		return -errno;
	}
	vault->dirty = false;
	for (size_t i = 0; i < vault->n_touched; i++) {
		punch_block(vault, vault->touched[i]);
	}
	vault->n_touched = 0;
	return 0;
}

/* uids come from rows too, so one that cannot be has no key; the house key has no slot. */
static int load_slot(struct vault *vault, uint64_t uid, uint8_t ret_key[static VAULT_KEY_LEN])
{
	uint8_t key[VAULT_KEY_LEN] = {0};
	const uint8_t *new_key = find_new_key(vault, uid);
	int r = 0;

	if (uid == 0 || uid > UID_MAX) {
		return VAULT_E_NONE;
	}
	if (new_key) {
		memcpy(key, new_key, VAULT_KEY_LEN);
	} else {
		r = read_at(vault->fd, slot_offset(uid), key, VAULT_KEY_LEN);
	}
	if (r == 0 && sodium_is_zero(key, VAULT_KEY_LEN)) {
		r = VAULT_E_NONE;
	}
	if (r == 0) {
		memcpy(ret_key, key, VAULT_KEY_LEN);
	}
	sodium_memzero(key, VAULT_KEY_LEN);
	return r;
}

int vault_has_key(struct vault *vault, uint64_t uid, bool *ret_has)
{
	uint8_t key[VAULT_KEY_LEN];
	int r = load_slot(vault, uid, key);

	if (r < 0) {
		return r;
	}
	sodium_memzero(key, sizeof(key));
	*ret_has = r == 0;
	return 0;
}

static int load_key(struct vault *vault, uint64_t uid, uint8_t ret_key[static VAULT_KEY_LEN])
{
	if (uid == 0) {
		memcpy(ret_key, vault->header + HEADER_HOUSE, VAULT_KEY_LEN);
		return 0;
	}
	return load_slot(vault, uid, ret_key);
}

#define ASSOCIATED_LEN 9

/* Authenticated beside the text, not stored: uid, purpose. */
static void associate(uint64_t uid, enum vault_purpose purpose,
		      uint8_t ret_associated[static ASSOCIATED_LEN])
{
	store_be64(ret_associated, uid);
	ret_associated[8] = (uint8_t)purpose;
}

int vault_seal(struct vault *vault, uint64_t uid, enum vault_purpose purpose, struct slice plain,
	       void *sealed)
{
	uint8_t *nonce = sealed;
	uint8_t associated[ASSOCIATED_LEN];
	uint8_t key[VAULT_KEY_LEN];
	int r;

	assert(plain.len <= PLAIN_LEN_MAX);
	r = load_key(vault, uid, key);
	if (r != 0) {
		return r;
	}
	associate(uid, purpose, associated);
	randombytes_buf(nonce, NONCE_LEN);
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(nonce + NONCE_LEN, NULL,
							 (const unsigned char *)plain.data,
							 plain.len, associated, sizeof(associated),
							 NULL, nonce, key); /* always 0 */
	sodium_memzero(key, sizeof(key));
	return 0;
}

int vault_unseal(struct vault *vault, uint64_t uid, enum vault_purpose purpose, struct slice sealed,
		 void *plain)
{
	const uint8_t *nonce = (const uint8_t *)sealed.data;
	uint8_t associated[ASSOCIATED_LEN];
	uint8_t key[VAULT_KEY_LEN];
	int r;

	if (sealed.len < VAULT_SEAL_OVERHEAD) {
		return VAULT_E_FORGED;
	}
	r = load_key(vault, uid, key);
	if (r != 0) {
		return r;
	}
	associate(uid, purpose, associated);
	r = crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL, nonce + NONCE_LEN,
						       sealed.len - NONCE_LEN, associated,
						       sizeof(associated), nonce, key);
	sodium_memzero(key, sizeof(key));
	return r == 0 ? 0 : VAULT_E_FORGED;
}

void vault_hash(const struct vault *vault, char tag, const struct slice *parts, size_t n_parts,
		uint8_t ret_hash[static VAULT_HASH_LEN])
{
	crypto_generichash_state state;
	uint8_t len[8];

	/* None of these fails for lengths that the assertions above allow. */
	(void)crypto_generichash_init(&state, vault->header + HEADER_LOOKUP, VAULT_KEY_LEN,
				      VAULT_HASH_LEN);
	(void)crypto_generichash_update(&state, (const unsigned char *)&tag, 1);
	for (size_t i = 0; i < n_parts; i++) {
		store_be64(len, parts[i].len);
		(void)crypto_generichash_update(&state, len, sizeof(len));
		(void)crypto_generichash_update(&state, (const unsigned char *)parts[i].data,
						parts[i].len);
	}
	(void)crypto_generichash_final(&state, ret_hash, VAULT_HASH_LEN);
	sodium_memzero(&state, sizeof(state));
}

/* Copies */

#define COPY_BYTES (16 * BLOCK_BYTES)

/* Blocks of zeros are left out: they are holes in the vault too. */
static int copy_blocks(int from, int to, off_t size)
{
	static_assert(COPY_BYTES % BLOCK_BYTES == 0, "whole blocks");
	uint8_t bytes[COPY_BYTES];
	int r = 0;

	for (off_t at = 0; at < size && r == 0; at += COPY_BYTES) {
		r = read_at(from, at, bytes, sizeof(bytes));
		for (size_t i = 0; i < sizeof(bytes) && r == 0; i += BLOCK_BYTES) {
			if (!sodium_is_zero(bytes + i, BLOCK_BYTES)) {
				r = write_at(to, at + (off_t)i, bytes + i, BLOCK_BYTES);
			}
		}
	}
	sodium_memzero(bytes, sizeof(bytes));
	return r;
}

/* A key that a vault gets while it is copied belongs to no data copied before. */
static int copy_file(const char *from, int to)
{
	cleanup(closep) int fd = open(from, O_RDONLY | O_CLOEXEC);
	uint8_t block[BLOCK_BYTES];
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0) {
		return -errno;
	}
	r = read_at(fd, 0, block, sizeof(block));
	if (r == 0 && !header_is_sound(block)) {
		r = VAULT_E_CORRUPT;
	}
	sodium_memzero(block, sizeof(block));
	if (r == 0) {
		r = copy_blocks(fd, to, st.st_size);
	}
	if (r == 0 && (ftruncate(to, st.st_size) < 0 || fsync(to) < 0)) {
		r = -errno;
	}
	return r;
}

/* A file that has no name any more still has its blocks on the medium. */
static int overwrite(int fd)
{
	static const uint8_t zeros[BLOCK_BYTES];
	struct stat st;
	int r = 0;

	if (fstat(fd, &st) < 0) {
		return -errno;
	}
	for (off_t at = 0; at < st.st_size && r == 0; at += BLOCK_BYTES) {
		r = write_at(fd, at, zeros, (size_t)MIN(st.st_size - at, BLOCK_BYTES));
	}
	return r == 0 && fsync(fd) < 0 ? -errno : r;
}

static int overwrite_and_unlink(const char *path)
{
	cleanup(closep) int fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (fd < 0) {
		return errno == ENOENT ? 0 : -errno;
	}
	r = overwrite(fd);
	return r == 0 && unlink(path) < 0 ? -errno : r;
}

static int replace(const char *with, const char *path)
{
	cleanup(closep) int before = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);

	if (before < 0 && errno != ENOENT) {
		return -errno;
	}
	if (rename(with, path) < 0) {
		return -errno;
	}
	return before >= 0 ? overwrite(before) : 0;
}

int vault_copy(const char *from, const char *to)
{
	cleanup(closep) int fd = -1;
	char temporary[PATH_MAX];
	int n = snprintf(temporary, sizeof(temporary), "%s.new", to);
	int r;

	if (n < 0 || n >= PATH_MAX) {
		return -ENAMETOOLONG;
	}
	r = overwrite_and_unlink(temporary);
	if (r < 0) {
		return r;
	}
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0) {
		return -errno;
	}
	r = copy_file(from, fd);
	return r == 0 ? replace(temporary, to) : r;
}
