/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_STORE_SIGNER_H
#define RETENTIOND_STORE_SIGNER_H

#include "common/base.h"

/*
 * The key that receipts are signed with: Ed25519 (RFC 8032). It is given as a systemd credential,
 * or made at the first start and kept in the state directory. Whoever has the public key can check
 * a receipt without the daemon.
 *
 * The credential is $CREDENTIALS_DIRECTORY/signing-key, the file STATE/signing.key; both hold the
 * seed of 32 bytes, as they are or as 64 hexadecimal digits:
 *
 *     9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60
 */

#define SIGNER_SEED_LEN      32
#define SIGNER_PUBLIC_LEN    32
#define SIGNER_SIGNATURE_LEN 64

struct signer;

/**
 * signer_open() - take the key from the credential, else from the state directory, else make one
 * @directory:  the state directory; its lock is held
 * @ret_signer: set on 0
 *
 * A new key is written beside its place, mode 0600, synced and renamed, so that a crash leaves none
 * or a whole one.
 *
 * Return: 0; STORE_E_CORRUPT if what is there is no key: store_fault() says so; or a negative
 * errno.
 */
must_check int signer_open(const char *directory, struct signer **ret_signer);
struct signer *signer_close(struct signer *signer); /* wipes the key; NULL is fine */

/* The same text always has the same signature. */
void signer_sign(const struct signer *signer, struct slice text,
		 uint8_t ret_signature[static SIGNER_SIGNATURE_LEN]);

/* Whether the key was made by this signer_open(): nobody knows its public key yet. */
bool signer_is_new(const struct signer *signer);

const uint8_t *signer_public_key(const struct signer *signer); /* SIGNER_PUBLIC_LEN bytes */

#endif
