/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "tests/bench/child.h"
#include "tests/bench/fail.h"

#define WALK_FDS 16

void directory_make(const char *path, const char *user)
{
	if (mkdir(path, 0700) < 0) {
		fail_errno(errno, "%s", path);
	}
	if (user && getuid() == 0) {
		const struct passwd *owner = child_find_user(user);

		if (chown(path, owner->pw_uid, owner->pw_gid) < 0) {
			fail_errno(errno, "%s", path);
		}
	}
}

static int remove_one(const char *path, const struct stat *info unused, int type unused,
		      struct FTW *where unused)
{
	return remove(path) < 0 && errno != ENOENT ? -1 : 0;
}

void directory_remove(const char *path)
{
	if (nftw(path, remove_one, WALK_FDS, FTW_DEPTH | FTW_PHYS) < 0 && errno != ENOENT) {
		fail_errno(errno, "%s cannot be removed", path);
	}
}

/* nftw() hands nothing through to what it calls. */
static uint64_t walked_bytes;
static char part[1 << 20];

static int add_one(const char *path unused, const struct stat *info, int type unused,
		   struct FTW *where unused)
{
	walked_bytes += (uint64_t)info->st_blocks * 512;
	return 0;
}

uint64_t directory_bytes(const char *path)
{
	walked_bytes = 0;
	if (nftw(path, add_one, WALK_FDS, FTW_PHYS) < 0) {
		fail_errno(errno, "%s", path);
	}
	return walked_bytes;
}

uint64_t directory_free_bytes(const char *path)
{
	struct statvfs info;

	if (statvfs(path, &info) < 0) {
		fail_errno(errno, "%s", path);
	}
	return (uint64_t)info.f_bavail * info.f_frsize;
}

void directory_sync(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || syncfs(fd) < 0) {
		fail_errno(errno, "%s", path);
	}
	closep(&fd);
}

static int read_one(const char *path, const struct stat *info unused, int type,
		    struct FTW *where unused)
{
	int fd = type == FTW_F ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	ssize_t n = fd < 0 ? 0 : 1;

	while (n > 0) {
		n = read(fd, part, sizeof(part));
	}
	closep(&fd);
	return n < 0 ? -1 : 0;
}

void directory_read(const char *path)
{
	if (nftw(path, read_one, WALK_FDS, FTW_PHYS) < 0) {
		fail_errno(errno, "%s", path);
	}
}

/* Advice: whether it is taken makes no difference that could be told here. */
static int uncache_one(const char *path, const struct stat *info unused, int type,
		       struct FTW *where unused)
{
	int fd = type == FTW_F ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	if (fd >= 0) {
		(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		closep(&fd);
	}
	return 0;
}

void directory_copy(const char *from, const char *to, const char *log)
{
	const char *const argv[] = {"cp", "--archive", "--reflink=auto", "--", from, to, NULL};
	const struct child_options options = {
		.argv = argv,
		.log = log,
		.end_signal = SIGKILL,
	};

	child_run(&options);
	directory_sync(to);
	if (nftw(from, uncache_one, WALK_FDS, FTW_PHYS) < 0) {
		fail_errno(errno, "%s", from);
	}
}
