/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>

#include "daemon/store/files.h"
#include "daemon/store/vault.h"
#include "daemon/store/vault_file.h"
#include "daemon/store/vault_header.h"

/* A copy of a vault has the same bytes: what is wrapped stays wrapped. */

/* What bears these names has been left by a copy that was stopped: it is destroyed. */
#define SUFFIX_NEW ".new"
#define SUFFIX_OLD ".replaced"

#define COPY_BYTES (16 * VAULT_BLOCK_BYTES)

/* Blocks of zeros are left out: they are holes in the vault too. */
static int copy_blocks(int from, int to, off_t size)
{
	static_assert(COPY_BYTES % VAULT_BLOCK_BYTES == 0, "whole blocks");
	uint8_t bytes[COPY_BYTES];
	int r = 0;

	for (off_t at = 0; at < size && r == 0; at += COPY_BYTES) {
		r = vault_file_read(from, at, bytes, sizeof(bytes));
		for (size_t i = 0; i < sizeof(bytes) && r == 0; i += VAULT_BLOCK_BYTES) {
			if (!sodium_is_zero(bytes + i, VAULT_BLOCK_BYTES)) {
				r = files_write_at(to, at + (off_t)i, bytes + i, VAULT_BLOCK_BYTES);
			}
		}
	}
	sodium_memzero(bytes, sizeof(bytes));
	return r;
}

/* A key that a vault gets while it is copied belongs to no data copied before. */
static int copy_file(const char *from, int to)
{
	cleanup(closep) int fd = open(from, O_RDONLY | O_CLOEXEC);
	uint8_t block[VAULT_BLOCK_BYTES];
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0) {
		return -errno;
	}
	r = vault_file_read(fd, 0, block, sizeof(block));
	if (r == 0 && !vault_header_is_sound(block)) {
		r = VAULT_E_CORRUPT;
	}
	sodium_memzero(block, sizeof(block));
	if (r == 0) {
		r = copy_blocks(fd, to, st.st_size);
	}
	if (r == 0 && (ftruncate(to, st.st_size) < 0 || fsync(to) < 0)) {
		r = -errno;
	}
	return r;
}

int vault_copy(const char *from, const char *to)
{
	cleanup(closep) int fd = -1;
	char new[PATH_MAX], old[PATH_MAX];
	int r = files_add_suffix(to, SUFFIX_NEW, new);

	if (r == 0) {
		r = files_add_suffix(to, SUFFIX_OLD, old);
	}
	if (r == 0) {
		r = vault_file_clear(to, old);
	}
	if (r == 0) {
		r = vault_file_destroy(new);
	}
	if (r < 0) {
		return r;
	}
	fd = open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0) {
		return -errno;
	}
	r = copy_file(from, fd);
	return r == 0 ? vault_file_replace(new, to, old) : r;
}
