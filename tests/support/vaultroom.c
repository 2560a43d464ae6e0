/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/vaultroom.h"

#include "tests/support/temp.h"

const uint8_t vaultroom_instance[VAULT_INSTANCE_LEN] = "sixteen bytes id";

void vaultroom_open(struct vaultroom *room)
{
	room->directory = temp_directory_new();
	room->path = temp_path_new(room->directory, "vault");
	assert(vault_create(room->path, vaultroom_instance, NULL) == 0);
	assert(vault_open(room->path, NULL, &room->vault) == 0);
}

void vaultroom_close(struct vaultroom *room)
{
	room->vault = vault_close(room->vault);
	free(room->path);
	room->directory = temp_directory_free(room->directory);
}

int vaultroom_reopen(struct vaultroom *room)
{
	room->vault = vault_close(room->vault);
	return vault_open(room->path, NULL, &room->vault);
}

void vaultroom_new_keys(struct vaultroom *room, uint64_t first, uint64_t last)
{
	for (uint64_t uid = first; uid <= last; uid++) {
		assert(vault_new_key(room->vault, uid) == 0);
	}
}

void vaultroom_destroy_keys(struct vaultroom *room, uint64_t first, uint64_t last)
{
	for (uint64_t uid = first; uid <= last; uid++) {
		assert(vault_destroy_key(room->vault, uid) == 0);
	}
}

bool vaultroom_has_key(const struct vaultroom *room, uint64_t uid)
{
	bool has;

	assert(vault_has_key(room->vault, uid, &has) == 0);
	return has;
}
