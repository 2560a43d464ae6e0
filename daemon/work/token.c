/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/work/token.h"

#include "daemon/work/answer.h"

#define TOKEN_HASH_AT  13
#define TOKEN_HASH_LEN 8
#define TOKEN_LEN      (TOKEN_HASH_AT + TOKEN_HASH_LEN)

static void token_bytes(const struct store *store, const struct token *token,
			uint8_t bytes[static TOKEN_LEN])
{
	uint8_t hash[ROWS_HASH_LEN];

	store_be64(bytes, token->uid);
	bytes[8] = token->keeper;
	store_be32(bytes + 9, token->generation);
	store_fingerprint(store, (struct slice){(const char *)bytes, TOKEN_HASH_AT}, hash);
	memcpy(bytes + TOKEN_HASH_AT, hash, TOKEN_HASH_LEN);
}

void token_put(struct pack_writer *out, const char *key, const struct store *store,
	       const struct token *token)
{
	uint8_t bytes[TOKEN_LEN];

	token_bytes(store, token, bytes);
	answer_put_hex(out, key, bytes, sizeof(bytes));
}

bool token_read(const struct store *store, struct slice text, struct token *ret_token)
{
	uint8_t bytes[TOKEN_LEN], expected[TOKEN_LEN];
	struct token token;

	if (!answer_read_hex(text, bytes, sizeof(bytes))) {
		return false;
	}
	token = (struct token){load_be64(bytes), bytes[8], load_be32(bytes + 9)};
	token_bytes(store, &token, expected);
	if (memcmp(bytes, expected, sizeof(bytes)) != 0) {
		return false;
	}
	*ret_token = token;
	return true;
}
