/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/vault_file.h"

#include <errno.h>
#include <fcntl.h>
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

int vault_file_overwrite(int fd)
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
	r = vault_file_overwrite(fd);
	return r == 0 && unlink(path) < 0 ? -errno : r;
}
