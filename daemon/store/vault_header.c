/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/vault_header.h"

#include <sodium.h>

/* Where the parts are. */
#define HEADER_FORMAT   8
#define HEADER_INSTANCE 16
#define HEADER_LOOKUP   32
#define HEADER_HOUSE    64
#define HEADER_HASH     96
#define HEADER_CHECK    128 /* in format 2; zeros in format 1 */
#define HEADER_LEN      160

#define HASH_LEN (HEADER_CHECK - HEADER_HASH)

#define FORMAT_CLEAR   1
#define FORMAT_WRAPPED 2

static const uint8_t magic[8] = {'R', 'T', 'D', 'V', 'A', 'U', 'L', 'T'};

/* What stands before the hash, and in format 2 what stands behind it. None of this fails. */
static void hash_header(const uint8_t *block, uint8_t ret_hash[static HASH_LEN])
{
	crypto_generichash_state state;

	(void)crypto_generichash_init(&state, NULL, 0, HASH_LEN);
	(void)crypto_generichash_update(&state, block, HEADER_HASH);
	if (load_be64(block + HEADER_FORMAT) == FORMAT_WRAPPED) {
		(void)crypto_generichash_update(&state, block + HEADER_CHECK,
						HEADER_LEN - HEADER_CHECK);
	}
	(void)crypto_generichash_final(&state, ret_hash, HASH_LEN);
}

void vault_header_make(struct vault_header *header,
		       const uint8_t instance[static VAULT_INSTANCE_LEN], const uint8_t *master)
{
	memcpy(header->instance, instance, VAULT_INSTANCE_LEN);
	randombytes_buf(header->lookup, sizeof(header->lookup));
	randombytes_buf(header->house, sizeof(header->house));
	vault_wrap_init(&header->wrap, master, instance);
}

void vault_header_encode(const struct vault_header *header,
			 uint8_t ret_block[static VAULT_BLOCK_BYTES])
{
	const struct vault_wrap *wrap = &header->wrap;

	memset(ret_block, 0, VAULT_BLOCK_BYTES);
	memcpy(ret_block, magic, sizeof(magic));
	store_be64(ret_block + HEADER_FORMAT, wrap->on ? FORMAT_WRAPPED : FORMAT_CLEAR);
	memcpy(ret_block + HEADER_INSTANCE, header->instance, VAULT_INSTANCE_LEN);
	memcpy(ret_block + HEADER_LOOKUP, header->lookup, VAULT_KEY_LEN);
	memcpy(ret_block + HEADER_HOUSE, header->house, VAULT_KEY_LEN);
	vault_wrap_turn(wrap, VAULT_WRAP_LOOKUP, 0, ret_block + HEADER_LOOKUP);
	vault_wrap_turn(wrap, VAULT_WRAP_HOUSE, 0, ret_block + HEADER_HOUSE);
	if (wrap->on) {
		vault_wrap_pad(wrap, VAULT_WRAP_CHECK, 0, ret_block + HEADER_CHECK);
	}
	hash_header(ret_block, ret_block + HEADER_HASH);
}

/* The rest of the block is zeros until a format says what it holds. */
bool vault_header_is_sound(const uint8_t block[static VAULT_BLOCK_BYTES])
{
	uint64_t format = load_be64(block + HEADER_FORMAT);
	size_t len = format == FORMAT_CLEAR ? HEADER_CHECK : HEADER_LEN;
	uint8_t hash[HASH_LEN];

	hash_header(block, hash);
	return memcmp(block, magic, sizeof(magic)) == 0 &&
	       (format == FORMAT_CLEAR || format == FORMAT_WRAPPED) &&
	       memcmp(block + HEADER_HASH, hash, sizeof(hash)) == 0 &&
	       sodium_is_zero(block + len, VAULT_BLOCK_BYTES - len);
}

/* Whether the master key is the one, if there is to be one. */
static int check_master(const uint8_t *block, const struct vault_wrap *wrap)
{
	uint8_t check[VAULT_KEY_LEN];

	if (load_be64(block + HEADER_FORMAT) == FORMAT_CLEAR) {
		return wrap->on ? VAULT_E_NOT_WRAPPED : 0;
	}
	if (!wrap->on) {
		return VAULT_E_WRAPPED;
	}
	vault_wrap_pad(wrap, VAULT_WRAP_CHECK, 0, check);
	return sodium_memcmp(check, block + HEADER_CHECK, sizeof(check)) == 0
		       ? 0
		       : VAULT_E_OTHER_MASTER;
}

int vault_header_decode(const uint8_t block[static VAULT_BLOCK_BYTES], const uint8_t *master,
			struct vault_header *ret_header)
{
	struct vault_header header;
	int r;

	if (!vault_header_is_sound(block)) {
		return VAULT_E_CORRUPT;
	}
	vault_wrap_init(&header.wrap, master, block + HEADER_INSTANCE);
	r = check_master(block, &header.wrap);
	if (r == 0) {
		memcpy(header.instance, block + HEADER_INSTANCE, VAULT_INSTANCE_LEN);
		memcpy(header.lookup, block + HEADER_LOOKUP, VAULT_KEY_LEN);
		memcpy(header.house, block + HEADER_HOUSE, VAULT_KEY_LEN);
		vault_wrap_turn(&header.wrap, VAULT_WRAP_LOOKUP, 0, header.lookup);
		vault_wrap_turn(&header.wrap, VAULT_WRAP_HOUSE, 0, header.house);
		*ret_header = header;
	}
	sodium_memzero(&header, sizeof(header));
	return r;
}
