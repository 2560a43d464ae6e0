/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_STORE_VAULT_WRAP_H
#define RETENTIOND_STORE_VAULT_WRAP_H

#include "common/base.h"

#include "daemon/store/vault.h"

/*
 * Wrapping: each key of a vault is stored XORed with a pad of its own, which is made of the master
 * key, the vault's instance, and the place that the key has:
 *
 *     wrapping key = BLAKE2b-256, keyed with the master key, of "retentiond vault" and the instance
 *     pad          = BLAKE2b-256, keyed with the wrapping key, of a byte for what it is and the uid
 *
 * A key has 256 random bits, as many as its pad, so that XOR is a one-time pad over it: whoever has
 * the file and not the master key learns nothing of any key, nor whether two are related, though
 * pads are no more than a keyed hash. A pad meets a second key only when an uncommitted uid is
 * given again; then the XOR of two random keys shows, and neither of them. That a stored key can be
 * changed unseen is as in a vault that is not wrapped: what was sealed does not open then.
 *
 * Zeros stay the mark of a key that is not there, so that destroying one needs no master key, and
 * destroys it for whoever has the master key as well. What is stored for a key is drawn anew if it
 * is zeros.
 */

/**
 * struct vault_wrap - what wraps a vault
 * @on:  false: the keys stand as they are
 * @key: the wrapping key
 */
struct vault_wrap {
	bool on;
	uint8_t key[VAULT_KEY_LEN];
};

/* What a pad is for. */
enum vault_wrap_tag {
	VAULT_WRAP_SLOT = 's', /* of the account with that uid */
	VAULT_WRAP_LOOKUP = 'l',
	VAULT_WRAP_HOUSE = 'h',
	VAULT_WRAP_CHECK = 'c', /* not a pad: stored, to tell a wrong master key from damage */
};

/* @master: NULL for a vault that is not wrapped */
void vault_wrap_init(struct vault_wrap *wrap, const uint8_t *master,
		     const uint8_t instance[static VAULT_INSTANCE_LEN]);

/* Turns a stored key into the key, or the key into a stored one. @uid is 0 but for slots. */
void vault_wrap_turn(const struct vault_wrap *wrap, enum vault_wrap_tag tag, uint64_t uid,
		     uint8_t key[static VAULT_KEY_LEN]);

/* The pad itself, and the check value; @wrap is on. */
void vault_wrap_pad(const struct vault_wrap *wrap, enum vault_wrap_tag tag, uint64_t uid,
		    uint8_t ret_pad[static VAULT_KEY_LEN]);

#endif
