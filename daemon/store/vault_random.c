/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/vault_random.h"

#include <sodium.h>

void vault_random_take(struct vault_random *random, void *ret_bytes, size_t len)
{
	assert(len <= sizeof(random->bytes));
	if (random->n < len) {
		randombytes_buf(random->bytes, sizeof(random->bytes));
		random->n = sizeof(random->bytes);
	}
	random->n -= len;
	memcpy(ret_bytes, random->bytes + random->n, len);
	sodium_memzero(random->bytes + random->n, len);
}
