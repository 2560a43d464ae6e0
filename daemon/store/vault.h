/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_STORE_VAULT_H
#define RETENTIOND_STORE_VAULT_H

#include "common/base.h"

#include "daemon/store/progress.h"

/*
 * The vault: a file of 32-byte slots, slot n at byte 32·n. Slots 0 to 127 are the header's block;
 * the key of account uid is in slot 128 + uid - 1, so that the slot number needs no bookkeeping.
 * A slot of zeros has no key: never given, or destroyed. Overwriting a slot destroys what was
 * sealed under it, in every copy of the data: the data file, its free pages, old backups.
 *
 *     bytes 0 to 7       "RTDVAULT"
 *     bytes 8 to 15      format, big-endian: 1, or 2 if the vault is wrapped
 *     bytes 16 to 31     instance: the store this vault belongs to
 *     bytes 32 to 63     lookup key: for the keyed hashes of names
 *     bytes 64 to 95     house key: for texts that belong to no account (uid 0)
 *     bytes 96 to 127    BLAKE2b-256 of bytes 0 to 95, in format 2 of bytes 128 to 159 behind them
 *     bytes 128 to 159   in format 2: tells a wrong master key from damage
 *     byte 4096 on       slots
 *
 * A wrapped vault opens nothing without a master key that is kept elsewhere: lookup key, house key
 * and slots are XORed with pads that are made of it. See vault_wrap.h.
 *
 * Keys of accounts never leave vault.c, and vault_rewrap.c, which turns them. Sealing is
 * XChaCha20-Poly1305-IETF (libsodium) with a random nonce; uid and purpose are authenticated with
 * it, so that a sealed text cannot be moved to another account.
 */

#define VAULT_KEY_LEN       32
#define VAULT_MASTER_LEN    32
#define VAULT_INSTANCE_LEN  16
#define VAULT_HASH_LEN      16
#define VAULT_SEAL_OVERHEAD (24 + 16) /* nonce and tag */
#define VAULT_UID_MAX       (UINT64_C(1) << 40)

enum {
	VAULT_E_NONE = 1, /* no key: never given or destroyed */
	VAULT_E_FORGED, /* the sealed bytes are not what was sealed under this key for this purpose */
	VAULT_E_CORRUPT,      /* not a vault, of a newer format, or damaged */
	VAULT_E_WRAPPED,      /* it is wrapped, and there is no master key */
	VAULT_E_NOT_WRAPPED,  /* there is a master key, and it is not wrapped */
	VAULT_E_OTHER_MASTER, /* it is wrapped with another master key */
};

enum vault_purpose {
	VAULT_PURPOSE_PROFILE = 1,
	VAULT_PURPOSE_NOTE = 2,
	VAULT_PURPOSE_HOLD = 3,
	VAULT_PURPOSE_TASK = 4,
};

struct vault;

/**
 * vault_create() - make a vault with new keys, mode 0600, synced
 * @path:   must not exist
 * @master: VAULT_MASTER_LEN bytes to wrap it with, or NULL. It is not kept, here and below
 *
 * Return: 0 or a negative errno.
 */
must_check int vault_create(const char *path, const uint8_t instance[static VAULT_INSTANCE_LEN],
			    const uint8_t *master);

/*
 * Return: 0, VAULT_E_CORRUPT, VAULT_E_WRAPPED, VAULT_E_NOT_WRAPPED, VAULT_E_OTHER_MASTER, or a
 * negative errno.
 */
must_check int vault_open(const char *path, const uint8_t *master, struct vault **ret_vault);
struct vault *vault_close(struct vault *vault); /* wipes the keys in memory */

const uint8_t *vault_instance(const struct vault *vault); /* VAULT_INSTANCE_LEN bytes */

/* Whether the keys in memory cannot be swapped out; RLIMIT_MEMLOCK may forbid it. */
bool vault_is_locked(const struct vault *vault);

/**
 * vault_new_key() - give an account a key
 * @uid: 1 to VAULT_UID_MAX; what the slot held before is overwritten: an uncommitted uid is given again
 *
 * On disk after vault_sync(). Return: 0 or a negative errno.
 */
must_check int vault_new_key(struct vault *vault, uint64_t uid);

/**
 * vault_destroy_key() - overwrite an account's key with zeros
 *
 * It is gone for every reader at once, but still in the file until vault_sync(): so what is to be
 * on record before it is destroyed can be. Destroyed for good once vault_sync() has returned; a key
 * already gone is fine. Whole erased blocks of 4096 bytes are punched out, a MiB of
 * them together and the others when the vault is closed.
 *
 * Return: 0 or -ENOMEM.
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
 * @to:   replaced as a whole, synced; then what was there is overwritten, or by the next copy where
 *        this one was stopped before. Nothing is lost of it until the new one is in its place
 *
 * Return: 0, VAULT_E_CORRUPT when @from is no vault, or a negative errno.
 */
must_check int vault_copy(const char *from, const char *to);

/**
 * vault_rewrap() - wrap a vault that nobody has open, or unwrap it
 * @from: the master key that it is wrapped with, or NULL
 * @to:   the one that it is to be wrapped with, or NULL
 *
 * A whole new file takes the place of the old one, which is overwritten. Stopped at any point it
 * leaves a vault that opens, the old one or the new one; what else it leaves, vault_clear() takes
 * away. Needs room for a second vault.
 *
 * Return: as vault_open().
 */
must_check int vault_rewrap(const char *path, const uint8_t *from, const uint8_t *to,
			    const struct progress *progress);

/*
 * Destroys what a vault_rewrap() that was stopped has left beside a vault. Return: 0, or a negative
 * errno: -ENOENT where there is no vault, and then nothing is touched.
 */
must_check int vault_clear(const char *path);

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
