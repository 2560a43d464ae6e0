/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_WORK_TOKEN_H
#define RETENTIOND_WORK_TOKEN_H

#include "common/base.h"
#include "common/pack.h"

#include "daemon/store/store.h"

/*
 * Tokens of tasks: hexadecimal text of uid 8 | keeper 1 | generation 4 | keyed hash of these 8. A
 * token says which claim of which task it is; the hash tells an invented one from a stale one.
 * Nothing is kept for it.
 */

struct token {
	uint64_t uid;
	uint8_t keeper;
	uint32_t generation;
};

void token_put(struct pack_writer *out, const char *key, const struct store *store,
	       const struct token *token);

/* Return: false for what this store never gave. */
must_check bool token_read(const struct store *store, struct slice text, struct token *ret_token);

#endif
