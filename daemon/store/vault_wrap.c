/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/vault_wrap.h"

#include <sodium.h>

static_assert(VAULT_MASTER_LEN >= crypto_generichash_KEYBYTES_MIN &&
		      VAULT_MASTER_LEN <= crypto_generichash_KEYBYTES_MAX,
	      "a master key keys BLAKE2b");

void vault_wrap_init(struct vault_wrap *wrap, const uint8_t *master,
		     const uint8_t instance[static VAULT_INSTANCE_LEN])
{
	static const char name[] = "retentiond vault";
	uint8_t text[sizeof(name) - 1 + VAULT_INSTANCE_LEN];

	*wrap = (struct vault_wrap){.on = master != NULL};
	if (!master) {
		return;
	}
	memcpy(text, name, sizeof(name) - 1);
	memcpy(text + sizeof(name) - 1, instance, VAULT_INSTANCE_LEN);
	(void)crypto_generichash(wrap->key, sizeof(wrap->key), text, sizeof(text), master,
				 VAULT_MASTER_LEN); /* fails for lengths out of range only */
}

void vault_wrap_pad(const struct vault_wrap *wrap, enum vault_wrap_tag tag, uint64_t uid,
		    uint8_t ret_pad[static VAULT_KEY_LEN])
{
	uint8_t text[1 + 8];

	assert(wrap->on);
	text[0] = (uint8_t)tag;
	store_be64(text + 1, uid);
	(void)crypto_generichash(ret_pad, VAULT_KEY_LEN, text, sizeof(text), wrap->key,
				 sizeof(wrap->key)); /* likewise */
}

void vault_wrap_turn(const struct vault_wrap *wrap, enum vault_wrap_tag tag, uint64_t uid,
		     uint8_t key[static VAULT_KEY_LEN])
{
	uint8_t pad[VAULT_KEY_LEN];

	if (!wrap->on) {
		return;
	}
	vault_wrap_pad(wrap, tag, uid, pad);
	for (size_t i = 0; i < VAULT_KEY_LEN; i++) {
		key[i] ^= pad[i];
	}
	sodium_memzero(pad, sizeof(pad));
}
