/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_SUPPORT_VAULTROOM_H
#define RETENTIOND_TESTS_SUPPORT_VAULTROOM_H

#include "common/base.h"

#include "daemon/store/vault.h"

/*
 * A vault in a directory of its own. What a test does not expect to fail ends the test program when
 * it fails.
 */

extern const uint8_t vaultroom_instance[VAULT_INSTANCE_LEN];

struct vaultroom {
	char *directory;
	char *path;
	struct vault *vault;
};

void vaultroom_open(struct vaultroom *room); /* a new one, that is not wrapped */
void vaultroom_close(struct vaultroom *room);

/* What vault_open() answers after a close that drops what is not synced, as a kill does. */
int vaultroom_reopen(struct vaultroom *room);

/* From @first to @last; to be synced by the caller. */
void vaultroom_new_keys(struct vaultroom *room, uint64_t first, uint64_t last);
void vaultroom_destroy_keys(struct vaultroom *room, uint64_t first, uint64_t last);

bool vaultroom_has_key(const struct vaultroom *room, uint64_t uid);

#endif
