/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_STORE_VAULT_HEADER_H
#define RETENTIOND_STORE_VAULT_HEADER_H

#include "common/base.h"

#include "daemon/store/vault.h"
#include "daemon/store/vault_wrap.h"

/* The first block of a vault's file; vault.h shows it. */

#define VAULT_BLOCK_BYTES     4096
#define VAULT_SLOTS_PER_BLOCK (VAULT_BLOCK_BYTES / VAULT_KEY_LEN)

/**
 * struct vault_header - what it says, its keys in clear
 * @wrap: format 2 if on, else format 1
 */
struct vault_header {
	uint8_t instance[VAULT_INSTANCE_LEN];
	uint8_t lookup[VAULT_KEY_LEN];
	uint8_t house[VAULT_KEY_LEN];
	struct vault_wrap wrap;
};

/* New keys. @master: NULL for a vault that is not wrapped */
void vault_header_make(struct vault_header *header,
		       const uint8_t instance[static VAULT_INSTANCE_LEN], const uint8_t *master);

void vault_header_encode(const struct vault_header *header,
			 uint8_t ret_block[static VAULT_BLOCK_BYTES]);

/* Whether it is one, of a format that we know; that takes no master key. */
must_check bool vault_header_is_sound(const uint8_t block[static VAULT_BLOCK_BYTES]);

/* Return: as vault_open(); the caller wipes what was set on 0. */
must_check int vault_header_decode(const uint8_t block[static VAULT_BLOCK_BYTES],
				   const uint8_t *master, struct vault_header *ret_header);

#endif
