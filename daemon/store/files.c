/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

int files_read_at(int fd, off_t at, void *bytes, size_t len)
{
	uint8_t *to = bytes;

	while (len > 0) {
		ssize_t n = pread(fd, to, len, at);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			return n < 0 ? -errno : -ENODATA;
		}
		to += n;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

int files_write_at(int fd, off_t at, const void *bytes, size_t len)
{
	const uint8_t *from = bytes;

	while (len > 0) {
		ssize_t n = pwrite(fd, from, len, at);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			return n < 0 ? -errno : -EIO;
		}
		from += n;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

int files_add_suffix(const char *path, const char *suffix, char ret_path[static PATH_MAX])
{
	int n = snprintf(ret_path, PATH_MAX, "%s%s", path, suffix);

	return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

int files_make_directory(const char *path)
{
	return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

static int parent_of(const char *path, char ret_parent[static PATH_MAX])
{
	const char *end = strrchr(path, '/');
	int r = files_add_suffix(end ? path : ".", "", ret_parent);

	if (r == 0 && end) {
		ret_parent[MAX(end - path, 1)] = '\0';
	}
	return r;
}

int files_make_parent(const char *path)
{
	char parent[PATH_MAX];
	int r = parent_of(path, parent);

	return r < 0 ? r : files_make_directory(parent);
}

int files_sync_directory(const char *path)
{
	cleanup(closep) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

int files_sync_parent(const char *path)
{
	char parent[PATH_MAX];
	int r = parent_of(path, parent);

	return r < 0 ? r : files_sync_directory(parent);
}
