/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/disk.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum disk_state {
	DISK_WHOLE,
	DISK_COUNTS,        /* is cut off soon */
	DISK_COUNTS_TO_END, /* and then the process ends */
	DISK_CUT,
};

static enum disk_state state;
static uint32_t calls_left;

static void cut(enum disk_state how, uint32_t n_calls)
{
	state = how;
	calls_left = n_calls;
}

void disk_cut(uint32_t n_calls)
{
	cut(DISK_COUNTS, n_calls);
}

void disk_cut_and_end(uint32_t n_calls)
{
	cut(DISK_COUNTS_TO_END, n_calls);
}

void disk_mend(void)
{
	state = DISK_WHOLE;
}

/* Whether this call reaches the disk. */
static bool reaches(void)
{
	if (state == DISK_WHOLE) {
		return true;
	}
	if (state != DISK_CUT && calls_left > 0) {
		calls_left--;
		return true;
	}
	if (state == DISK_COUNTS_TO_END) {
		_exit(0);
	}
	state = DISK_CUT;
	return false;
}

/* To the data itself a sync makes no difference here: what is written is there. */
static int sync_nothing(void)
{
	(void)reaches(); /* it is a place to be killed at */
	return 0;
}

int fdatasync(unused int fd)
{
	return sync_nothing();
}

int fsync(unused int fd)
{
	return sync_nothing();
}

int msync(unused void *at, unused size_t len, unused int flags)
{
	return sync_nothing();
}

ssize_t write(int fd, const void *bytes, size_t len)
{
	bool is_a_stream = fd <= STDERR_FILENO;

	return is_a_stream || reaches() ? syscall(SYS_write, fd, bytes, len) : (ssize_t)len;
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
	return reaches() ? syscall(SYS_pwrite64, fd, bytes, len, at) : (ssize_t)len;
}

ssize_t writev(int fd, const struct iovec *parts, int n_parts)
{
	size_t len = 0;

	for (int i = 0; i < n_parts; i++) {
		len += parts[i].iov_len;
	}
	return reaches() ? syscall(SYS_writev, fd, parts, n_parts) : (ssize_t)len;
}

ssize_t pwritev(int fd, const struct iovec *parts, int n_parts, off_t at)
{
	size_t len = 0;

	for (int i = 0; i < n_parts; i++) {
		len += parts[i].iov_len;
	}
	/* The offset goes in two halves; a machine with 64 bits takes all of it from the first. */
	return reaches() ? syscall(SYS_pwritev, fd, parts, n_parts, at, 0) : (ssize_t)len;
}

int ftruncate(int fd, off_t len)
{
	return reaches() ? (int)syscall(SYS_ftruncate, fd, len) : 0;
}

int fallocate(int fd, int mode, off_t at, off_t len)
{
	return reaches() ? (int)syscall(SYS_fallocate, fd, mode, at, len) : 0;
}

int rename(const char *from, const char *to)
{
	return reaches() ? (int)syscall(SYS_rename, from, to) : 0;
}

int unlink(const char *path)
{
	return reaches() ? (int)syscall(SYS_unlink, path) : 0;
}
