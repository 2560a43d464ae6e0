/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/register_ahead.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <sys/stat.h>

#include "daemon/store/bytes.h"
#include "daemon/store/files.h"

#define MAGIC      "RTDAHEAD"
#define SERIAL_AT  8
#define AT_AT      24
#define LEN_AT     32
#define CHECK_AT   40
#define HASH_AT    48
#define HASH_LEN   16
#define HEADER_LEN 64

#define IN_ORDER_MAX (2 * REGISTER_PAGE_LEN) /* up to here it takes no more syncs */

static_assert(SERIAL_AT + REGISTER_SERIAL_LEN == AT_AT, "the header has no gap");
static_assert(CHECK_AT + REGISTER_CHECK_LEN == HASH_AT, "nor has it one there");
static_assert(HASH_AT + HASH_LEN == HEADER_LEN, "the header ends in its hash");

int register_ahead_init(struct register_ahead *ahead, const char *register_path)
{
	char path[PATH_MAX];
	int r = files_add_suffix(register_path, ".ahead", path);

	if (r < 0) {
		return r;
	}
	ahead->fd = -1;
	ahead->path = strdup(path);
	return ahead->path ? 0 : -ENOMEM;
}

void register_ahead_done(struct register_ahead *ahead)
{
	closep(&ahead->fd);
	free(ahead->path);
	ahead->path = NULL;
}

static void hash_of(const uint8_t header[static HEADER_LEN], const uint8_t *bytes, size_t len,
		    uint8_t ret_hash[static HASH_LEN])
{
	crypto_generichash_state state;

	(void)crypto_generichash_init(&state, NULL, 0, HASH_LEN); /* these three never fail */
	(void)crypto_generichash_update(&state, header, HASH_AT);
	(void)crypto_generichash_update(&state, bytes, len);
	(void)crypto_generichash_final(&state, ret_hash, HASH_LEN);
}

/* A new one is in its directory for good before anything relies on it. */
static int ensure_open(struct register_ahead *ahead)
{
	int r;

	if (ahead->fd >= 0) {
		return 0;
	}
	ahead->fd = open(ahead->path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	r = ahead->fd < 0 ? -errno : files_sync_parent(ahead->path);
	if (r < 0) {
		closep(&ahead->fd);
		ahead->fd = -1;
	}
	return r;
}

/* Records and the header end in their check. */
static int read_check_before(int fd, off_t at, uint8_t ret_check[static REGISTER_CHECK_LEN])
{
	return files_read_at(fd, at - REGISTER_CHECK_LEN, ret_check, REGISTER_CHECK_LEN);
}

/* On disk when it returns 0. After a negative errno nothing is promised, and nothing is lost. */
static int write_ahead(struct register_ahead *ahead,
		       const uint8_t serial[static REGISTER_SERIAL_LEN], int fd, off_t at,
		       const uint8_t *bytes, size_t len)
{
	uint8_t header[HEADER_LEN] = MAGIC;
	int r = ensure_open(ahead);

	memcpy(header + SERIAL_AT, serial, REGISTER_SERIAL_LEN);
	store_be64(header + AT_AT, (uint64_t)at);
	store_be64(header + LEN_AT, len);
	if (r == 0) {
		r = read_check_before(fd, at, header + CHECK_AT);
	}
	if (r < 0) {
		return r;
	}
	hash_of(header, bytes, len, header + HASH_AT);
	r = files_write_at(ahead->fd, HEADER_LEN, bytes, len);
	if (r == 0) {
		r = files_write_at(ahead->fd, 0, header, sizeof(header));
	}
	return r == 0 && fdatasync(ahead->fd) < 0 ? -errno : r;
}

/* Each page is on disk before the next is begun. */
static int write_in_order(int fd, off_t at, const uint8_t *bytes, size_t len)
{
	while (len > 0) {
		size_t part = MIN(len, REGISTER_PAGE_LEN - (size_t)at % REGISTER_PAGE_LEN);
		int r = files_write_at(fd, at, bytes, part);

		if (r < 0) {
			return r;
		}
		at += (off_t)part;
		bytes += part;
		len -= part;
		if (len > 0 && fdatasync(fd) < 0) {
			return -errno;
		}
	}
	return 0;
}

/* Where what is long cannot be here first, as on a full disk, it goes in order. */
int register_ahead_append(struct register_ahead *ahead,
			  const uint8_t serial[static REGISTER_SERIAL_LEN], int fd, off_t at,
			  const uint8_t *bytes, size_t len)
{
	if (len > IN_ORDER_MAX && write_ahead(ahead, serial, fd, at, bytes, len) == 0) {
		return files_write_at(fd, at, bytes, len);
	}
	return write_in_order(fd, at, bytes, len);
}

struct found {
	off_t at;
	uint8_t check[REGISTER_CHECK_LEN];
	size_t len;
	uint8_t *bytes;
};

static void found_done(struct found *found)
{
	free(found->bytes);
}

/* Return: 0; -ENODATA if nothing whole is there, of this register; or another negative errno. */
static int read_whole(int fd, const uint8_t serial[static REGISTER_SERIAL_LEN], struct found *found)
{
	uint8_t header[HEADER_LEN], hash[HASH_LEN];
	uint64_t at, len;
	int r = files_read_at(fd, 0, header, sizeof(header));

	if (r < 0) {
		return r;
	}
	at = load_be64(header + AT_AT);
	len = load_be64(header + LEN_AT);
	if (memcmp(header, MAGIC, SERIAL_AT) != 0 || len == 0 || len > REGISTER_AHEAD_MAX ||
	    at < HEADER_LEN || at > INT64_MAX - REGISTER_AHEAD_MAX ||
	    memcmp(header + SERIAL_AT, serial, REGISTER_SERIAL_LEN) != 0) {
		return -ENODATA;
	}
	found->at = (off_t)at;
	found->len = len;
	found->bytes = malloc(len);
	memcpy(found->check, header + CHECK_AT, REGISTER_CHECK_LEN);
	r = found->bytes ? files_read_at(fd, HEADER_LEN, found->bytes, len) : -ENOMEM;
	if (r < 0) {
		return r;
	}
	hash_of(header, found->bytes, len, hash);
	return memcmp(hash, header + HASH_AT, HASH_LEN) == 0 ? 0 : -ENODATA;
}

/* What has more behind it was whole when that was written. */
static bool belongs_to_end(const struct found *found, int fd, off_t size)
{
	uint8_t check[REGISTER_CHECK_LEN];

	return found->at <= size && found->at + (off_t)found->len >= size &&
	       read_check_before(fd, found->at, check) == 0 &&
	       memcmp(check, found->check, sizeof(check)) == 0;
}

static bool is_there(const struct found *found, int fd)
{
	cleanup(freep) uint8_t *bytes = malloc(found->len);

	return bytes && files_read_at(fd, found->at, bytes, found->len) == 0 &&
	       memcmp(bytes, found->bytes, found->len) == 0;
}

static int redo(const struct found *found, int fd)
{
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0) {
		return -errno;
	}
	if (!belongs_to_end(found, fd, st.st_size) || is_there(found, fd)) {
		return 0;
	}
	r = files_write_at(fd, found->at, found->bytes, found->len);
	return r == 0 && fdatasync(fd) < 0 ? -errno : r;
}

int register_ahead_redo(const struct register_ahead *ahead,
			const uint8_t serial[static REGISTER_SERIAL_LEN], int fd)
{
	cleanup(closep) int ahead_fd = open(ahead->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	cleanup(found_done) struct found found = {0};
	int r;

	if (ahead_fd < 0) {
		return errno == ENOENT || errno == ELOOP ? 0 : -errno;
	}
	r = read_whole(ahead_fd, serial, &found);
	if (r < 0) {
		return r == -ENODATA ? 0 : r;
	}
	return redo(&found, fd);
}
