/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/datafile.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

/*
 * The first page of a data file, as LMDB 0.9 writes it on a 64-bit machine, in the machine's byte
 * order; the second page holds the same, and the one with the higher txnid counts:
 *
 *     00 00 00 00 00 00 00 00  00 00 08 00 00 00 00 00    page number, padding, flags (8: meta)
 *     de c0 ef be 01 00 00 00  00 00 00 00 00 00 00 00    magic, version, address
 *     00 00 00 04 00 00 00 00  00 10 00 00 ...            size of the map, bytes of a page
 *     ... 88 bytes: the trees of free pages and of tables ...
 *                              f2 03 00 00 00 00 00 00    number of the last page
 *     02 00 00 00 00 00 00 00                             txnid
 */
struct meta_page {
	uint64_t number;
	uint16_t padding;
	uint16_t flags;
	uint32_t bounds;
	uint32_t magic;
	uint32_t version;
	uint64_t address;
	uint64_t map_bytes;
	uint32_t page_bytes;
	uint8_t trees[92];
	uint64_t last_page;
	uint64_t txnid;
};

#define META_FLAG      0x08
#define META_MAGIC     UINT32_C(0xBEEFC0DE)
#define META_VERSION   1
#define PAGE_BYTES_MIN 512
#define PAGE_BYTES_MAX 65536

static_assert(offsetof(struct meta_page, last_page) == 136, "as LMDB lays it out");
static_assert(sizeof(struct meta_page) == 152, "as LMDB lays it out");

static int read_meta_page(int fd, off_t at, struct meta_page *ret_meta)
{
	struct meta_page meta;
	ssize_t n = pread(fd, &meta, sizeof(meta), at);

	if (n < 0) {
		return -errno;
	}
	if (n != sizeof(meta) || !(meta.flags & META_FLAG) || meta.magic != META_MAGIC ||
	    meta.version != META_VERSION) {
		return DATAFILE_E_CORRUPT;
	}
	if (meta.page_bytes < PAGE_BYTES_MIN || meta.page_bytes > PAGE_BYTES_MAX ||
	    (meta.page_bytes & (meta.page_bytes - 1)) != 0) {
		return DATAFILE_E_CORRUPT;
	}
	*ret_meta = meta;
	return 0;
}

/* A ragged end is not held against the file: a crash may leave one while it grows. */
int datafile_check(int directory_fd)
{
	cleanup(closep) int fd = openat(directory_fd, DATAFILE_NAME, O_RDONLY | O_CLOEXEC);
	struct meta_page first, second;
	struct stat st;
	int r;

	if (fd < 0) {
		return errno == ENOENT ? DATAFILE_E_CORRUPT : -errno;
	}
	if (fstat(fd, &st) < 0) {
		return -errno;
	}
	r = read_meta_page(fd, 0, &first);
	if (r == 0) {
		r = read_meta_page(fd, first.page_bytes, &second);
	}
	if (r != 0) {
		return r;
	}
	if (second.txnid > first.txnid) {
		first.last_page = second.last_page;
	}
	if (second.page_bytes != first.page_bytes ||
	    first.last_page >= (uint64_t)st.st_size / first.page_bytes) {
		return DATAFILE_E_CORRUPT;
	}
	return 0;
}
