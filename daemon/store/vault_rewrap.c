/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>

#include "daemon/store/files.h"
#include "daemon/store/vault.h"
#include "daemon/store/vault_file.h"
#include "daemon/store/vault_header.h"

/*
 * The steps, and what is there when it is stopped after each:
 *
 *     vault.wrap-new is written and synced     vault is the old one; the new one is to be destroyed
 *     vault.wrap-old becomes a second name     likewise; and the second name is to be taken away
 *     of vault
 *     vault.wrap-new is renamed to vault       vault is the new one; the old one is to be destroyed
 *     vault.wrap-old is overwritten, unlinked  done
 *
 * The second name is there so that the old keys can still be found and overwritten after a crash.
 */

/* Names that nobody gives to a copy of his own: what bears them is destroyed. */
#define SUFFIX_NEW ".wrap-new"
#define SUFFIX_OLD ".wrap-old"

#define PIECE_BYTES (16 * VAULT_BLOCK_BYTES)

struct rewrap {
	int from_fd;
	int to_fd;
	struct vault_header header;
	struct vault_wrap from;
	const struct progress *progress;
};

/* A key that its pad would turn into zeros would be lost. No hash does that by chance. */
static int turn_slot(const struct rewrap *rewrap, uint64_t uid, uint8_t slot[static VAULT_KEY_LEN])
{
	if (sodium_is_zero(slot, VAULT_KEY_LEN)) {
		return 0;
	}
	vault_wrap_turn(&rewrap->from, VAULT_WRAP_SLOT, uid, slot);
	vault_wrap_turn(&rewrap->header.wrap, VAULT_WRAP_SLOT, uid, slot);
	return sodium_is_zero(slot, VAULT_KEY_LEN) ? VAULT_E_CORRUPT : 0;
}

static int turn_block(const struct rewrap *rewrap, off_t at, uint8_t *block)
{
	uint64_t uid = (uint64_t)(at - VAULT_BLOCK_BYTES) / VAULT_KEY_LEN + 1;
	int r = 0;

	if (sodium_is_zero(block, VAULT_BLOCK_BYTES)) {
		return 0; /* a hole stays one */
	}
	for (size_t i = 0; i < VAULT_SLOTS_PER_BLOCK && r == 0; i++) {
		r = turn_slot(rewrap, uid + i, block + i * VAULT_KEY_LEN);
	}
	return r == 0 ? files_write_at(rewrap->to_fd, at, block, VAULT_BLOCK_BYTES) : r;
}

static int turn_slots(const struct rewrap *rewrap, off_t size)
{
	uint8_t piece[PIECE_BYTES];
	int r = 0;

	for (off_t at = VAULT_BLOCK_BYTES; at < size && r == 0; at += PIECE_BYTES) {
		progress_tell(rewrap->progress, "writing the vault anew", "slots",
			      (uint64_t)at / VAULT_KEY_LEN, (uint64_t)size / VAULT_KEY_LEN);
		r = vault_file_read(rewrap->from_fd, at, piece, sizeof(piece));
		for (size_t i = 0; i < sizeof(piece) && r == 0; i += VAULT_BLOCK_BYTES) {
			r = turn_block(rewrap, at + (off_t)i, piece + i);
		}
	}
	sodium_memzero(piece, sizeof(piece));
	return r;
}

/* It belongs to whom the old one belonged to, whoever does this. */
static int write_new(const struct rewrap *rewrap)
{
	uint8_t block[VAULT_BLOCK_BYTES];
	struct stat st;
	int r;

	if (fstat(rewrap->from_fd, &st) < 0 || fchown(rewrap->to_fd, st.st_uid, st.st_gid) < 0) {
		return -errno;
	}
	vault_header_encode(&rewrap->header, block);
	r = files_write_at(rewrap->to_fd, 0, block, sizeof(block));
	sodium_memzero(block, sizeof(block));
	if (r == 0) {
		r = turn_slots(rewrap, st.st_size);
	}
	if (r == 0 && (ftruncate(rewrap->to_fd, st.st_size) < 0 || fsync(rewrap->to_fd) < 0)) {
		r = -errno;
	}
	return r;
}

static int read_old(struct rewrap *rewrap, const uint8_t *from, const uint8_t *to)
{
	uint8_t block[VAULT_BLOCK_BYTES];
	int r = vault_file_read(rewrap->from_fd, 0, block, sizeof(block));

	if (r == 0) {
		r = vault_header_decode(block, from, &rewrap->header);
	}
	sodium_memzero(block, sizeof(block));
	if (r == 0) {
		rewrap->from = rewrap->header.wrap;
		vault_wrap_init(&rewrap->header.wrap, to, rewrap->header.instance);
	}
	return r;
}

static int rewrap_as(struct rewrap *rewrap, const char *path)
{
	char new[PATH_MAX], old[PATH_MAX];
	int r = files_add_suffix(path, SUFFIX_NEW, new);

	if (r == 0) {
		r = files_add_suffix(path, SUFFIX_OLD, old);
	}
	if (r < 0) {
		return r;
	}
	rewrap->to_fd = open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (rewrap->to_fd < 0) {
		return -errno;
	}
	r = write_new(rewrap);
	return r == 0 ? vault_file_replace(new, path, old) : r;
}

int vault_rewrap(const char *path, const uint8_t *from, const uint8_t *to,
		 const struct progress *progress)
{
	struct rewrap rewrap = {.from_fd = -1, .to_fd = -1, .progress = progress};
	int r, cleared;

	if (sodium_init() < 0) {
		return -ENOSYS;
	}
	r = vault_clear(path);
	if (r < 0) {
		return r;
	}
	rewrap.from_fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	r = rewrap.from_fd < 0 ? -errno : read_old(&rewrap, from, to);
	if (r == 0) {
		r = rewrap_as(&rewrap, path);
		cleared = vault_clear(path);
		r = r == 0 ? cleared : r;
	}
	closep(&rewrap.to_fd);
	closep(&rewrap.from_fd);
	sodium_memzero(&rewrap, sizeof(rewrap));
	return r;
}

int vault_clear(const char *path)
{
	char new[PATH_MAX], old[PATH_MAX];
	int r = files_add_suffix(path, SUFFIX_NEW, new);

	if (r == 0) {
		r = files_add_suffix(path, SUFFIX_OLD, old);
	}
	if (r == 0 && access(path, F_OK) < 0) {
		r = -errno;
	}
	if (r == 0) {
		r = vault_file_destroy(new);
	}
	return r == 0 ? vault_file_clear(path, old) : r;
}
