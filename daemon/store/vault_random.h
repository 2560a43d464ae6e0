/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_STORE_VAULT_RANDOM_H
#define RETENTIOND_STORE_VAULT_RANDOM_H

#include "common/base.h"

/*
 * Random bytes for keys and nonces, drawn many at a time: to ask the kernel for 24 of them takes
 * almost as long as to hash a name. Each is given out once and wiped here. The stock lies where the
 * keys lie, and only the process that drew it may take from it: a child would take the same.
 */

#define VAULT_RANDOM_STOCK 1024 /* of 18 accounts; what is lost with it costs nothing */

/**
 * struct vault_random - zeros are an empty stock
 * @n: bytes that are left, from the beginning
 */
struct vault_random {
	uint8_t bytes[VAULT_RANDOM_STOCK];
	size_t n;
};

/* @len: at most VAULT_RANDOM_STOCK */
void vault_random_take(struct vault_random *random, void *ret_bytes, size_t len);

#endif
