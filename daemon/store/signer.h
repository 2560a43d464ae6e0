/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_STORE_SIGNER_H
#define RETENTIOND_STORE_SIGNER_H

#include "common/base.h"

/*
 * The key that receipts are signed with: Ed25519 (RFC 8032). It is given as the credential
 * signing-key, or made at the first start and kept as STATE/signing.key; both hold the seed, as
 * keyfile.h has it. Whoever has the public key can check a receipt without the daemon. Each receipt
 * carries the public key that it was signed with, so that those before a change of keys still
 * verify, by the key that was given out at their time.
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
 * Return: 0; STORE_E_CREDENTIAL; STORE_E_CORRUPT if what is in the state directory is no key; after
 * both store_fault() says why; or a negative errno.
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
