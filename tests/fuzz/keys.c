/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/keys.h"

#include <ctype.h>
#include <sodium.h>
#include <unistd.h>

#include "daemon/store/keyfile.h"
#include "daemon/store/signer.h"
#include "daemon/store/store.h"
#include "daemon/store/vault_header.h"

#include "tests/support/temp.h"

#define ACCOUNTS_MAX 200 /* of a vault */
#define TEXT_LEN     16

static const uint8_t instance[VAULT_INSTANCE_LEN] = "instance-of-ours";
static const uint8_t master[VAULT_KEY_LEN] = "a master key of the tests";

/* The vault's header */

void keys_try_header(struct feed *feed)
{
	const uint8_t *given = feed_u8(feed) % 2 ? master : NULL;
	uint8_t block[VAULT_BLOCK_BYTES], before[VAULT_BLOCK_BYTES];
	struct vault_header header, read;
	bool changed;
	int r;

	vault_header_make(&header, instance, given);
	vault_header_encode(&header, before);
	memcpy(block, before, sizeof(block));
	(void)fuzz_damage(feed, block, sizeof(block), sizeof(block)); /* it keeps its length */
	changed = memcmp(block, before, sizeof(block)) != 0;
	assert(vault_header_is_sound(block) == !changed);
	r = vault_header_decode(block, given, &read);
	assert((r == 0) == !changed);
	if (r == 0) {
		vault_header_encode(&read, block);
		assert(memcmp(block, before, sizeof(block)) == 0);
	}
	r = vault_header_decode(block, given ? NULL : master, &read);
	assert(r > 0);
}

/* The vault's slots */

/**
 * struct account_key - what is known of the key of account uid, number uid - 1
 * @sealed: its uid, in TEXT_LEN bytes
 */
struct account_key {
	bool destroyed;
	uint8_t sealed[TEXT_LEN + VAULT_SEAL_OVERHEAD];
};

struct account_keys {
	struct account_key of[ACCOUNTS_MAX];
	uint64_t n;
};

static void write_text(uint64_t uid, uint8_t text[static TEXT_LEN])
{
	memset(text, 'x', TEXT_LEN);
	store_be64(text, uid);
}

static void give_keys(struct vault *vault, struct account_keys *keys)
{
	int r = 0;

	for (uint64_t uid = 1; r == 0 && uid <= keys->n; uid++) {
		r = vault_new_key(vault, uid);
	}
	assert(r == 0);
	r = vault_sync(vault);
	for (uint64_t uid = 1; r == 0 && uid <= keys->n; uid++) {
		uint8_t text[TEXT_LEN];

		write_text(uid, text);
		r = vault_seal(vault, uid, VAULT_PURPOSE_NOTE,
			       (struct slice){(const char *)text, sizeof(text)},
			       keys->of[uid - 1].sealed);
	}
	assert(r == 0);
}

static void destroy_keys(struct feed *feed, struct vault *vault, struct account_keys *keys)
{
	uint8_t n = feed_u8(feed);
	int r = 0;

	for (uint8_t i = 0; r == 0 && i < n && keys->n > 0; i++) {
		uint64_t uid = 1 + feed_u8(feed) % keys->n;

		keys->of[uid - 1].destroyed = true;
		r = vault_destroy_key(vault, uid);
	}
	if (r == 0) {
		r = vault_sync(vault);
	}
	assert(r == 0);
}

static void make_vault(struct feed *feed, const char *path, const uint8_t *given,
		       struct account_keys *keys)
{
	struct vault *vault;
	int r;

	(void)unlink(path); /* of the input before */
	r = vault_create(path, instance, given);
	assert(r == 0);
	r = vault_open(path, given, &vault);
	assert(r == 0);
	give_keys(vault, keys);
	destroy_keys(feed, vault, keys);
	(void)vault_close(vault); /* NULL */
}

/* What lies behind the end of the file reads as zeros. */
static void read_slot(struct slice file, uint64_t uid, uint8_t slot[static VAULT_KEY_LEN])
{
	size_t at = (VAULT_SLOTS_PER_BLOCK + uid - 1) * VAULT_KEY_LEN;

	memset(slot, 0, VAULT_KEY_LEN);
	if (at < file.len) {
		memcpy(slot, file.data + at, MIN(file.len - at, (size_t)VAULT_KEY_LEN));
	}
}

static bool is_same_slot(struct slice before, struct slice now, uint64_t uid)
{
	uint8_t slot_before[VAULT_KEY_LEN], slot_now[VAULT_KEY_LEN];

	read_slot(before, uid, slot_before);
	read_slot(now, uid, slot_now);
	return memcmp(slot_before, slot_now, VAULT_KEY_LEN) == 0;
}

static void prove_key(struct vault *vault, uint64_t uid, const struct account_key *key, bool same)
{
	uint8_t text[TEXT_LEN], read[TEXT_LEN];
	bool has;
	int r = vault_has_key(vault, uid, &has);

	assert(r == 0 && (!same || has == !key->destroyed));
	r = vault_unseal(vault, uid, VAULT_PURPOSE_NOTE,
			 (struct slice){(const char *)key->sealed, sizeof(key->sealed)}, read);
	assert(r >= 0 && (r == 0) == (same && !key->destroyed));
	write_text(uid, text);
	assert(r != 0 || memcmp(read, text, sizeof(text)) == 0);
}

void keys_try_slots(struct feed *feed)
{
	static const char *path;
	const uint8_t *given = feed_u8(feed) % 2 ? master : NULL;
	struct account_keys keys = {.n = feed_u8(feed) % (ACCOUNTS_MAX + 1)};
	struct slice before, now;
	struct vault *vault;
	bool changed;
	int r;

	path = path ? path : fuzz_file("vault");
	make_vault(feed, path, given, &keys);
	before = temp_file_read(path);
	changed = fuzz_damage_file(feed, path);
	now = temp_file_read(path);
	r = vault_open(path, given, &vault);
	assert(r == 0 || (r > 0 && changed));
	for (uint64_t uid = 1; r == 0 && uid <= keys.n; uid++) {
		prove_key(vault, uid, &keys.of[uid - 1], is_same_slot(before, now, uid));
	}
	if (r == 0) {
		(void)vault_close(vault); /* NULL */
	}
	free((char *)before.data);
	free((char *)now.data);
}

/* Key files */

static bool is_key(struct slice bytes)
{
	bool is_hex = bytes.len >= 2 * KEYFILE_KEY_LEN;

	for (size_t i = 0; is_hex && i < 2 * KEYFILE_KEY_LEN; i++) {
		is_hex = isxdigit((uint8_t)bytes.data[i]);
	}
	return is_hex || bytes.len == KEYFILE_KEY_LEN;
}

void keys_try_file(struct feed *feed)
{
	static const char *path;
	struct slice bytes = feed_rest(feed);
	uint8_t key[KEYFILE_KEY_LEN];
	int r;

	path = path ? path : fuzz_file("key");
	fuzz_file_write(path, bytes);
	r = keyfile_read(path, key);
	assert(r == 0 || r == KEYFILE_E_MALFORMED);
	assert(bytes.len != KEYFILE_KEY_LEN || (r == 0 && memcmp(key, bytes.data, bytes.len) == 0));
	assert(r != 0 || is_key(bytes));
}

/* One that is no key is not quietly replaced by a new one: receipts would be signed with that. */
void keys_try_signer(struct feed *feed)
{
	static char *directory, *path;
	struct slice bytes = feed_rest(feed), text = SLICE_LITERAL("a receipt");
	uint8_t signature[SIGNER_SIGNATURE_LEN];
	struct signer *signer;
	int r;

	directory = directory ? directory : temp_directory_new();
	path = path ? path : temp_path_new(directory, "signing.key");
	fuzz_file_write(path, bytes);
	r = signer_open(directory, &signer);
	assert(r == 0 || (r == STORE_E_CORRUPT && store_fault()[0]));
	assert(r != 0 || is_key(bytes));
	if (r != 0) {
		return;
	}
	assert(!signer_is_new(signer));
	signer_sign(signer, text, signature);
	r = crypto_sign_verify_detached(signature, (const uint8_t *)text.data, text.len,
					signer_public_key(signer));
	assert(r == 0);
	(void)signer_close(signer); /* NULL */
}
