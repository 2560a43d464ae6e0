/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/crash/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "tests/crash/oplog.h"

/*
 * A function of the C library that the program itself defines is the one that every library calls,
 * LMDB too. Both names of those with 64-bit offsets are defined: which one a library was built with
 * is its own affair.
 */

#define FDS_MAX 1024

static int log_fd = -1;
static const char *root;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* a backup is made in a thread */

/* Of each descriptor of a file below the root: its inode, else 0; and whether O_DSYNC was given. */
static uint64_t inodes[FDS_MAX];
static bool synced[FDS_MAX];

int recorder_new_log(void)
{
	int fd = memfd_create("log", MFD_CLOEXEC);

	assert(fd >= 0);
	return fd;
}

struct slice recorder_map_log(int fd)
{
	struct stat st;
	void *bytes;

	assert(fstat(fd, &st) == 0);
	if (st.st_size == 0) {
		return (struct slice){0};
	}
	bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	assert(bytes != MAP_FAILED);
	return (struct slice){bytes, (size_t)st.st_size};
}

void recorder_unmap_log(struct slice log)
{
	if (log.len > 0) {
		(void)munmap((void *)(uintptr_t)log.data, log.len);
	}
}

void recorder_begin(int fd, const char *directory)
{
	memset(inodes, 0, sizeof(inodes));
	root = directory;
	log_fd = fd;
}

void recorder_end(void)
{
	log_fd = -1;
}

/* Everything below is called with the lock held. */

static void put(const void *bytes, size_t len)
{
	const char *from = bytes;

	while (len > 0) {
		ssize_t n = syscall(SYS_write, log_fd, from, len);

		assert(n > 0);
		from += n;
		len -= (size_t)n;
	}
}

static bool is_below_root(const char *path)
{
	size_t len = log_fd >= 0 ? strlen(root) : 0;

	return len > 0 && strncmp(path, root, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

static void resolve(int directory_fd, const char *name, char path[static PATH_MAX])
{
	char link[64];
	ssize_t n = 0;

	path[0] = '\0';
	if (directory_fd != AT_FDCWD && name[0] != '/') {
		(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", directory_fd);
		n = readlink(link, path, PATH_MAX - 1);
		assert(n >= 0);
		path[n++] = '/';
	}
	(void)snprintf(path + n, (size_t)(PATH_MAX - n), "%s", name);
}

static uint64_t inode_of(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 ? st.st_ino : 0;
}

static void name_in_directory(const char *path, struct op *op, char name[static OP_NAME_MAX])
{
	char copy[PATH_MAX], again[PATH_MAX];

	(void)snprintf(copy, sizeof(copy), "%s", path);
	(void)snprintf(again, sizeof(again), "%s", path);
	op->directory = inode_of(dirname(copy));
	assert(strlen(basename(again)) < OP_NAME_MAX);
	(void)snprintf(again, sizeof(again), "%s", path);
	(void)snprintf(name, OP_NAME_MAX, "%s", basename(again));
}

static void put_created(const char *path, bool directory)
{
	struct op op = {.kind = OP_CREATE, .inode = inode_of(path), .at = directory};

	name_in_directory(path, &op, op.name);
	put(&op, sizeof(op));
}

static void put_simple(enum op_kind kind, uint64_t inode, uint64_t at, uint64_t len, bool grow)
{
	struct op op = {.kind = kind, .inode = inode, .at = at, .len = len, .grow = grow};

	put(&op, sizeof(op));
}

static uint64_t inode_of_fd(int fd)
{
	return log_fd >= 0 && fd >= 0 && fd < FDS_MAX ? inodes[fd] : 0;
}

static void put_written(int fd, const void *bytes, ssize_t len, off_t at)
{
	static const uint8_t zeros[8];
	struct op op = {.kind = OP_WRITE, .inode = inode_of_fd(fd), .at = (uint64_t)at};

	if (op.inode == 0 || len <= 0) {
		return;
	}
	op.len = (uint64_t)len;
	op.synced = synced[fd];
	put(&op, sizeof(op));
	put(bytes, op.len);
	put(zeros, (8 - op.len % 8) % 8);
}

static void put_vector(int fd, const struct iovec *vector, int n, ssize_t len, off_t at)
{
	for (int i = 0; i < n && len > 0; i++) {
		ssize_t part = MIN(len, (ssize_t)vector[i].iov_len);

		put_written(fd, vector[i].iov_base, part, at);
		at += part;
		len -= part;
	}
}

static void remember(int fd, const char *path, int flags, bool existed)
{
	struct stat st;

	if (fd >= FDS_MAX || fstat(fd, &st) < 0) {
		abort();
	}
	inodes[fd] = st.st_ino;
	synced[fd] = (flags & O_DSYNC) != 0;
	if (!existed) {
		put_created(path, false);
	} else if (flags & O_TRUNC) {
		put_simple(OP_SIZE, st.st_ino, 0, 0, false);
	}
}

/* Each call below is made and written down in one step, so that the log has the order of both. */

static int open_at(int directory_fd, const char *name, int flags, mode_t mode)
{
	char path[PATH_MAX];
	bool existed;
	int fd;

	(void)pthread_mutex_lock(&lock);
	resolve(directory_fd, name, path);
	existed = !is_below_root(path) || inode_of(path) != 0;
	fd = (int)syscall(SYS_openat, directory_fd, name, flags, mode);
	if (fd >= 0 && is_below_root(path)) {
		remember(fd, path, flags, existed);
	}
	(void)pthread_mutex_unlock(&lock);
	return fd;
}

int open(const char *path, int flags, ...)
{
	va_list arguments;
	mode_t mode;

	va_start(arguments, flags);
	mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
	va_end(arguments);
	return open_at(AT_FDCWD, path, flags, mode);
}

int openat(int directory_fd, const char *path, int flags, ...)
{
	va_list arguments;
	mode_t mode;

	va_start(arguments, flags);
	mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
	va_end(arguments);
	return open_at(directory_fd, path, flags, mode);
}

int close(int fd)
{
	int r;

	(void)pthread_mutex_lock(&lock);
	if (fd >= 0 && fd < FDS_MAX) {
		inodes[fd] = 0;
	}
	r = (int)syscall(SYS_close, fd);
	(void)pthread_mutex_unlock(&lock);
	return r;
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
	ssize_t n;

	(void)pthread_mutex_lock(&lock);
	n = syscall(SYS_pwrite64, fd, bytes, len, at);
	put_written(fd, bytes, n, at);
	(void)pthread_mutex_unlock(&lock);
	return n;
}

ssize_t pwritev(int fd, const struct iovec *vector, int n, off_t at)
{
	ssize_t len;

	(void)pthread_mutex_lock(&lock);
	len = syscall(SYS_pwritev, fd, vector, n, at, 0);
	put_vector(fd, vector, n, len, at);
	(void)pthread_mutex_unlock(&lock);
	return len;
}

ssize_t write(int fd, const void *bytes, size_t len)
{
	off_t at;
	ssize_t n;

	(void)pthread_mutex_lock(&lock);
	at = inode_of_fd(fd) != 0 ? lseek(fd, 0, SEEK_CUR) : 0;
	n = syscall(SYS_write, fd, bytes, len);
	put_written(fd, bytes, n, at);
	(void)pthread_mutex_unlock(&lock);
	return n;
}

ssize_t writev(int fd, const struct iovec *vector, int n)
{
	off_t at;
	ssize_t len;

	(void)pthread_mutex_lock(&lock);
	at = inode_of_fd(fd) != 0 ? lseek(fd, 0, SEEK_CUR) : 0;
	len = syscall(SYS_writev, fd, vector, n);
	put_vector(fd, vector, n, len, at);
	(void)pthread_mutex_unlock(&lock);
	return len;
}

static int sync_file(long call, int fd)
{
	int r;

	(void)pthread_mutex_lock(&lock);
	r = (int)syscall(call, fd);
	if (r == 0 && inode_of_fd(fd) != 0) {
		put_simple(OP_SYNC, inodes[fd], 0, 0, false);
	}
	(void)pthread_mutex_unlock(&lock);
	return r;
}

int fsync(int fd)
{
	return sync_file(SYS_fsync, fd);
}

int fdatasync(int fd)
{
	return sync_file(SYS_fdatasync, fd);
}

int ftruncate(int fd, off_t size)
{
	int r;

	(void)pthread_mutex_lock(&lock);
	r = (int)syscall(SYS_ftruncate, fd, size);
	if (r == 0 && inode_of_fd(fd) != 0) {
		put_simple(OP_SIZE, inodes[fd], (uint64_t)size, 0, false);
	}
	(void)pthread_mutex_unlock(&lock);
	return r;
}

/* What is allocated behind the end reads as nothing, and is not written down. */
int fallocate(int fd, int mode, off_t at, off_t len)
{
	int r;

	(void)pthread_mutex_lock(&lock);
	r = (int)syscall(SYS_fallocate, fd, mode, at, len);
	if (r == 0 && inode_of_fd(fd) != 0 && mode == 0) {
		put_simple(OP_SIZE, inodes[fd], (uint64_t)(at + len), 0, true);
	} else if (r == 0 && inode_of_fd(fd) != 0 && (mode & FALLOC_FL_PUNCH_HOLE)) {
		put_simple(OP_ZERO, inodes[fd], (uint64_t)at, (uint64_t)len, false);
	}
	(void)pthread_mutex_unlock(&lock);
	return r;
}

static int make_directory(int directory_fd, const char *name, mode_t mode)
{
	char path[PATH_MAX];
	int r;

	(void)pthread_mutex_lock(&lock);
	resolve(directory_fd, name, path);
	r = (int)syscall(SYS_mkdirat, directory_fd, name, mode);
	if (r == 0 && is_below_root(path)) {
		put_created(path, true);
	}
	(void)pthread_mutex_unlock(&lock);
	return r;
}

int mkdir(const char *path, mode_t mode)
{
	return make_directory(AT_FDCWD, path, mode);
}

int mkdirat(int directory_fd, const char *path, mode_t mode)
{
	return make_directory(directory_fd, path, mode);
}

static int unlink_at(int directory_fd, const char *name, int flags)
{
	char path[PATH_MAX];
	struct op op = {.kind = OP_UNLINK};
	int r;

	(void)pthread_mutex_lock(&lock);
	resolve(directory_fd, name, path);
	r = (int)syscall(SYS_unlinkat, directory_fd, name, flags);
	if (r == 0 && is_below_root(path)) {
		name_in_directory(path, &op, op.name);
		put(&op, sizeof(op));
	}
	(void)pthread_mutex_unlock(&lock);
	return r;
}

int unlink(const char *path)
{
	return unlink_at(AT_FDCWD, path, 0);
}

int unlinkat(int directory_fd, const char *path, int flags)
{
	return unlink_at(directory_fd, path, flags);
}

int rmdir(const char *path)
{
	return unlink_at(AT_FDCWD, path, AT_REMOVEDIR);
}

/* The daemon renames and links within a directory only. */
static int give_name(long call, enum op_kind kind, const char *from, const char *to)
{
	struct op op = {.kind = kind}, there = {0};
	int r;

	(void)pthread_mutex_lock(&lock);
	r = (int)(call == SYS_rename ? syscall(call, from, to)
				     : syscall(call, AT_FDCWD, from, AT_FDCWD, to, 0));
	if (r == 0 && is_below_root(to)) {
		name_in_directory(from, &op, op.name);
		name_in_directory(to, &there, op.to);
		assert(op.directory == there.directory);
		op.inode = inode_of(to);
		put(&op, sizeof(op));
	}
	(void)pthread_mutex_unlock(&lock);
	return r;
}

int rename(const char *from, const char *to)
{
	return give_name(SYS_rename, OP_RENAME, from, to);
}

int link(const char *from, const char *to)
{
	return give_name(SYS_linkat, OP_LINK, from, to);
}

int open64(const char *path, int flags, ...) __attribute__((alias("open")));
int openat64(int directory_fd, const char *path, int flags, ...) __attribute__((alias("openat")));
ssize_t pwrite64(int fd, const void *bytes, size_t len, off_t at) __attribute__((alias("pwrite")));
ssize_t pwritev64(int fd, const struct iovec *vector, int n, off_t at)
	__attribute__((alias("pwritev")));
int ftruncate64(int fd, off_t size) __attribute__((alias("ftruncate")));
int fallocate64(int fd, int mode, off_t at, off_t len) __attribute__((alias("fallocate")));

void recorder_ack(uint64_t picture)
{
	(void)pthread_mutex_lock(&lock);
	put_simple(OP_ACK, 0, picture, 0, false);
	(void)pthread_mutex_unlock(&lock);
}
