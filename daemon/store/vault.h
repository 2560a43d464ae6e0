/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_STORE_VAULT_H
#define RETENTIOND_STORE_VAULT_H

#include "common/base.h"

/*
 * The vault: a file of 32-byte slots, slot n at byte 32·n. Slots 0 to 127 are the header's block;
 * the key of account uid is in slot 128 + uid - 1, so that the slot number needs no bookkeeping.
 * A slot of zeros has no key: never given, or destroyed. Overwriting a slot destroys what was
 * sealed under it, in every copy of the data: the data file, its free pages, old backups.
 *
 *     bytes 0 to 7       "RTDVAULT"
 *     bytes 8 to 15      format, 1, big-endian
 *     bytes 16 to 31     instance: the store this vault belongs to
 *     bytes 32 to 63     lookup key: for the keyed hashes of names
 *     bytes 64 to 95     house key: for texts that belong to no account (uid 0)
 *     bytes 96 to 127    BLAKE2b-256 of bytes 0 to 95
 *     byte 4096 on       slots
 *
 * Keys never leave vault.c. Sealing is XChaCha20-Poly1305-IETF (libsodium) with a random nonce;
 * uid and purpose are authenticated with it, so that a sealed text cannot be moved to another
 * account.
 */

#define VAULT_KEY_LEN       32
#define VAULT_INSTANCE_LEN  16
#define VAULT_HASH_LEN      16
#define VAULT_SEAL_OVERHEAD (24 + 16) /* nonce and tag */

enum {
	VAULT_E_NONE = 1, /* no key: never given or destroyed */
	VAULT_E_FORGED, /* the sealed bytes are not what was sealed under this key for this purpose */
	VAULT_E_CORRUPT, /* not a vault, of a newer format, or damaged */
};

enum vault_purpose {
	VAULT_PURPOSE_PROFILE = 1,
	VAULT_PURPOSE_NOTE = 2,
	VAULT_PURPOSE_HOLD = 3,
	VAULT_PURPOSE_TASK = 4,
};

struct vault;

/*
 * Makes a vault with new keys at @path (must not exist), mode 0600, synced. Return: 0 or a
 * negative errno.
 */
must_check int vault_create(const char *path, const uint8_t instance[static VAULT_INSTANCE_LEN]);

/* Return: 0, VAULT_E_CORRUPT, or a negative errno. */
must_check int vault_open(const char *path, struct vault **ret_vault);
struct vault *vault_close(struct vault *vault); /* wipes the keys in memory */

const uint8_t *vault_instance(const struct vault *vault); /* VAULT_INSTANCE_LEN bytes */

/**
 * vault_new_key() - give an account a key
 * @uid: 1 to 2^40; what the slot held before is overwritten: an uncommitted uid is given again
 *
 * On disk after vault_sync(). Return: 0 or a negative errno.
 */
must_check int vault_new_key(struct vault *vault, uint64_t uid);

/**
 * vault_destroy_key() - overwrite an account's key with zeros
 *
 * Destroyed for good once vault_sync() has returned; a key already gone is fine. Whole erased
 * blocks of 4096 bytes are punched out at that sync.
 *
 * Return: 0 or a negative errno.
 */
must_check int vault_destroy_key(struct vault *vault, uint64_t uid);

/*
 * Writes on disk what was given and destroyed since the last sync; nothing to do is fine. Return:
 * 0 or a negative errno.
 */
must_check int vault_sync(struct vault *vault);

/**
 * vault_copy() - put a copy of a vault's file in place of another
 * @from: a vault; it may be in use, by another thread
 * @to:   replaced as a whole, synced but for its directory; what was there is overwritten
 *
 * Return: 0, VAULT_E_CORRUPT when @from is no vault, or a negative errno.
 */
must_check int vault_copy(const char *from, const char *to);

must_check int vault_has_key(struct vault *vault, uint64_t uid, bool *ret_has);

/**
 * vault_seal() - seal under an account's key, or the house key for uid 0
 * @plain: at most 64 KiB
 * @sealed: the caller's @plain.len + VAULT_SEAL_OVERHEAD bytes
 *
 * Return: 0, VAULT_E_NONE, or a negative errno.
 */
must_check int vault_seal(struct vault *vault, uint64_t uid, enum vault_purpose purpose,
			  struct slice plain, void *sealed);

/**
 * vault_unseal() - the reverse
 * @plain: the caller's @sealed.len - VAULT_SEAL_OVERHEAD bytes
 *
 * Return: 0, VAULT_E_NONE, VAULT_E_FORGED (also when @sealed is too short), or a negative errno.
 */
must_check int vault_unseal(struct vault *vault, uint64_t uid, enum vault_purpose purpose,
			    struct slice sealed, void *plain);

/**
 * vault_hash() - keyed BLAKE2b-128 of some texts
 * @parts: hashed with their lengths, so that ("ab", "c") and ("a", "bc") differ
 *
 * The only form in which names are looked up. Without the vault nobody can test a name against a
 * hash.
 */
void vault_hash(const struct vault *vault, char tag, const struct slice *parts, size_t n_parts,
		uint8_t ret_hash[static VAULT_HASH_LEN]);

#endif
