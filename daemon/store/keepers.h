/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_STORE_KEEPERS_H
#define RETENTIOND_STORE_KEEPERS_H

#include "common/base.h"

#include "daemon/store/kv.h"
#include "daemon/store/rows.h"

/*
 * The keepers, all in memory: at most 64, and every removal that starts asks which of them owe
 * it.
 */

enum {
	KEEPERS_E_CORRUPT = 1, /* a row cannot be read, or a number is missing */
};

/* @rows: by number, the first is number 1. */
struct keepers {
	struct keeper rows[MODEL_KEEPERS_MAX];
	uint8_t n;
};

/* Return: 0, KEEPERS_E_CORRUPT, or a negative errno. */
must_check int keepers_load(struct keepers *keepers, struct kv_txn *txn);

const struct keeper *keepers_get(const struct keepers *keepers, uint8_t number);
const struct keeper *keepers_find(const struct keepers *keepers, struct slice name);

/* Adds one (number = n + 1) or replaces the one of that number. */
void keepers_put(struct keepers *keepers, const struct keeper *keeper);

/* Who owes the erasure of a removal that starts now in an organization: bit n - 1 for keeper n. */
uint64_t keepers_of(const struct keepers *keepers, uint32_t org);

#endif
