/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/vault_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "daemon/store/files.h"
#include "daemon/store/vault_header.h"

int vault_file_read(int fd, off_t at, uint8_t *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = pread(fd, bytes, len, at);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return -errno;
		}
		if (n == 0) {
			memset(bytes, 0, len);
			return 0;
		}
		bytes += n;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

static int overwrite(int fd)
{
	static const uint8_t zeros[VAULT_BLOCK_BYTES];
	struct stat st;
	int r = 0;

	if (fstat(fd, &st) < 0) {
		return -errno;
	}
	for (off_t at = 0; at < st.st_size && r == 0; at += VAULT_BLOCK_BYTES) {
		r = files_write_at(fd, at, zeros, (size_t)MIN(st.st_size - at, VAULT_BLOCK_BYTES));
	}
	return r == 0 && fsync(fd) < 0 ? -errno : r;
}

int vault_file_destroy(const char *path)
{
	cleanup(closep) int fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (fd < 0) {
		return errno == ENOENT ? 0 : -errno;
	}
	r = overwrite(fd);
	return r == 0 && unlink(path) < 0 ? -errno : r;
}

static int keep_second_name(const char *path, const char *old)
{
	if (link(path, old) < 0) {
		return errno == EPERM || errno == EOPNOTSUPP ? 0 : -errno;
	}
	return files_sync_parent(path);
}

/* What is overwritten here has no name on the disk any more but @old: the new one has its place. */
static int overwrite_replaced(int fd, const char *old)
{
	int r = overwrite(fd);

	if (r == 0 && unlink(old) < 0 && errno != ENOENT) {
		r = -errno;
	}
	return r == 0 ? files_sync_parent(old) : r;
}

int vault_file_replace(const char *with, const char *path, const char *old)
{
	cleanup(closep) int before = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	int r = before < 0 && errno != ENOENT ? -errno : 0;

	if (r == 0 && before >= 0) {
		r = keep_second_name(path, old);
	}
	if (r == 0 && rename(with, path) < 0) {
		r = -errno;
	}
	if (r == 0) {
		r = files_sync_parent(path);
	}
	return r == 0 && before >= 0 ? overwrite_replaced(before, old) : r;
}

/* A second name of what is in use goes without what it names. */
int vault_file_clear(const char *path, const char *old)
{
	struct stat used, left;

	if (lstat(old, &left) < 0) {
		return errno == ENOENT ? 0 : -errno;
	}
	if (stat(path, &used) == 0 && left.st_dev == used.st_dev && left.st_ino == used.st_ino) {
		return unlink(old) < 0 ? -errno : 0;
	}
	return vault_file_destroy(old);
}
