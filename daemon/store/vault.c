/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/vault.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>

#include "daemon/store/files.h"
#include "daemon/store/vault_doomed.h"
#include "daemon/store/vault_file.h"
#include "daemon/store/vault_header.h"
#include "daemon/store/vault_map.h"
#include "daemon/store/vault_random.h"

#define PLAIN_LEN_MAX 65536
#define NONCE_LEN     crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_LEN       crypto_aead_xchacha20poly1305_ietf_ABYTES

/* New keys that wait for the next sync: those of one call that imports 1000 accounts. */
#define NEW_KEYS_MAX 1024

static_assert(VAULT_KEY_LEN == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "a slot holds a key");
static_assert(VAULT_KEY_LEN == crypto_generichash_KEYBYTES, "the lookup key keys BLAKE2b");
static_assert(VAULT_SEAL_OVERHEAD == NONCE_LEN + TAG_LEN, "what sealing adds");
static_assert(VAULT_HASH_LEN >= crypto_generichash_BYTES_MIN, "BLAKE2b can be that short");

/*
 * @map:       the file, to read from
 * @dirty:     something was written that was not synced
 * @locked:    it cannot be swapped out
 * @first_new: uid of new_slots[0]; the others follow without gaps, so that one write stores them all
 * @doomed:    keys that the next sync destroys
 */
struct vault {
	int fd;
	struct vault_map map;
	bool dirty;
	bool locked;
	struct vault_header header;
	uint64_t first_new;
	size_t n_new;
	uint8_t new_slots[NEW_KEYS_MAX][VAULT_KEY_LEN];
	struct vault_doomed doomed;
	struct vault_random random;
};

static off_t slot_offset(uint64_t uid)
{
	assert(uid >= 1);
	assert(uid <= VAULT_UID_MAX);
	return (off_t)((VAULT_SLOTS_PER_BLOCK + uid - 1) * VAULT_KEY_LEN);
}

static int write_new(int fd, const uint8_t instance[static VAULT_INSTANCE_LEN],
		     const uint8_t *master)
{
	uint8_t block[VAULT_BLOCK_BYTES];
	struct vault_header header;
	int r;

	vault_header_make(&header, instance, master);
	vault_header_encode(&header, block);
	sodium_memzero(&header, sizeof(header));
	r = files_write_at(fd, 0, block, sizeof(block));
	sodium_memzero(block, sizeof(block));
	if (r < 0) {
		return r;
	}
	return fchmod(fd, 0600) < 0 || fsync(fd) < 0 ? -errno : 0;
}

int vault_create(const char *path, const uint8_t instance[static VAULT_INSTANCE_LEN],
		 const uint8_t *master)
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
	r = write_new(fd, instance, master);
	if (r < 0) {
		(void)unlink(path); /* the error is told already */
	}
	return r;
}

static int read_header(struct vault *vault, const uint8_t *master)
{
	uint8_t block[VAULT_BLOCK_BYTES];
	struct stat st;
	int r;

	if (fstat(vault->fd, &st) < 0) {
		return -errno;
	}
	if (!S_ISREG(st.st_mode) || st.st_size < VAULT_BLOCK_BYTES) {
		return VAULT_E_CORRUPT;
	}
	r = vault_file_read(vault->fd, 0, block, sizeof(block));
	if (r == 0) {
		r = vault_header_decode(block, master, &vault->header);
	}
	sodium_memzero(block, sizeof(block));
	return r != 0 ? r : vault_map_extend(&vault->map, vault->fd, st.st_size);
}

/*
 * sodium_malloc() keeps keys out of core dumps, and wipes them when they are freed. It locks them
 * into memory as well, but does not tell when it may not; so it is asked for once more.
 */
int vault_open(const char *path, const uint8_t *master, struct vault **ret_vault)
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
	vault->locked = sodium_mlock(vault, sizeof(*vault)) == 0;
	vault->fd = open(path, O_RDWR | O_CLOEXEC);
	r = vault->fd < 0 ? -errno : read_header(vault, master);
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
		if (!vault->dirty) {
			vault_doomed_punch(&vault->doomed, vault->fd);
		}
		vault_map_done(&vault->map);
		closep(&vault->fd);
		vault_doomed_done(&vault->doomed);
		sodium_free(vault);
	}
	return NULL;
}

const uint8_t *vault_instance(const struct vault *vault)
{
	return vault->header.instance;
}

bool vault_is_locked(const struct vault *vault)
{
	return vault->locked;
}

/* Where a slot that was not written yet waits, or NULL. */
static uint8_t *find_new_slot(struct vault *vault, uint64_t uid)
{
	if (uid < vault->first_new || uid - vault->first_new >= vault->n_new) {
		return NULL;
	}
	return vault->new_slots[uid - vault->first_new];
}

static int write_new_keys(struct vault *vault)
{
	size_t len = vault->n_new * VAULT_KEY_LEN;
	off_t at;
	int r;

	if (len == 0) {
		return 0;
	}
	at = slot_offset(vault->first_new);
	r = files_write_at(vault->fd, at, vault->new_slots[0], len);
	if (r == 0) {
		r = vault_map_extend(&vault->map, vault->fd, at + (off_t)len);
	}
	if (r < 0) {
		return r;
	}
	sodium_memzero(vault->new_slots, len);
	vault->n_new = 0;
	vault->dirty = true;
	return 0;
}

/* A key that does not follow the others, or finds no place, makes the others be written. */
static int add_new_slot(struct vault *vault, uint64_t uid, uint8_t **ret_slot)
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
	*ret_slot = vault->new_slots[vault->n_new++];
	return 0;
}

/* That a slot has no key is no secret, so it may be told as fast as it can be. */
static bool has_no_key(const uint8_t slot[static VAULT_KEY_LEN])
{
	static const uint8_t zeros[VAULT_KEY_LEN];

	return memcmp(slot, zeros, sizeof(zeros)) == 0;
}

/* Of a wrapped vault as well it is the slot that is drawn: the key is what its pad makes of it. */
int vault_new_key(struct vault *vault, uint64_t uid)
{
	uint8_t *slot = find_new_slot(vault, uid);
	int r;

	assert(uid >= 1);
	assert(uid <= VAULT_UID_MAX);
	vault_doomed_remove(&vault->doomed, uid);
	if (!slot) {
		r = add_new_slot(vault, uid, &slot);
		if (r < 0) {
			return r;
		}
	}
	do {
		vault_random_take(&vault->random, slot, VAULT_KEY_LEN);
	} while (has_no_key(slot));
	return 0;
}

/* A key that was not written yet never will be. */
int vault_destroy_key(struct vault *vault, uint64_t uid)
{
	uint8_t *new_slot = find_new_slot(vault, uid);

	if (uid == 0 || uid > VAULT_UID_MAX) {
		return 0; /* it has no slot */
	}
	if (new_slot) {
		sodium_memzero(new_slot, VAULT_KEY_LEN);
	}
	return vault_doomed_add(&vault->doomed, uid);
}

/*
 * A slot that is overwritten already may not be so on disk: whoever did it may have been killed
 * before the sync.
 */
int vault_sync(struct vault *vault)
{
	int r = write_new_keys(vault);

	if (r == 0 && vault->doomed.n > 0) {
		vault->dirty = true;
		r = vault_doomed_overwrite(&vault->doomed, vault->fd);
	}
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
	if (vault->doomed.n_blocks >= VAULT_PUNCH_BLOCKS) {
		vault_doomed_punch(&vault->doomed, vault->fd);
	}
	return 0;
}

/* uids come from rows too, so one that cannot be has no key; the house key has no slot. */
static int load_slot(struct vault *vault, uint64_t uid, uint8_t ret_key[static VAULT_KEY_LEN])
{
	const uint8_t *slot;

	if (uid == 0 || uid > VAULT_UID_MAX || vault_doomed_has(&vault->doomed, uid)) {
		return VAULT_E_NONE;
	}
	slot = find_new_slot(vault, uid);
	if (!slot) {
		slot = vault_map_slot(&vault->map, slot_offset(uid));
	}
	if (!slot || has_no_key(slot)) {
		return VAULT_E_NONE;
	}
	memcpy(ret_key, slot, VAULT_KEY_LEN);
	vault_wrap_turn(&vault->header.wrap, VAULT_WRAP_SLOT, uid, ret_key);
	return 0;
}

int vault_has_key(struct vault *vault, uint64_t uid, bool *ret_has)
{
	uint8_t key[VAULT_KEY_LEN] = {0};

	*ret_has = load_slot(vault, uid, key) == 0;
	sodium_memzero(key, sizeof(key));
	return 0;
}

static int load_key(struct vault *vault, uint64_t uid, uint8_t ret_key[static VAULT_KEY_LEN])
{
	if (uid == 0) {
		memcpy(ret_key, vault->header.house, VAULT_KEY_LEN);
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
	vault_random_take(&vault->random, nonce, NONCE_LEN);
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
	(void)crypto_generichash_init(&state, vault->header.lookup, VAULT_KEY_LEN, VAULT_HASH_LEN);
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
