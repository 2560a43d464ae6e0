/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/register.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>

#include "daemon/store/files.h"
#include "daemon/store/register_ahead.h"
#include "daemon/store/register_record.h"

#define REGISTER_FORMAT 1

/* Where the header's parts are; register.h shows them. */
#define HEADER_FORMAT   8
#define HEADER_INSTANCE 16
#define HEADER_SERIAL   32
#define HEADER_ZEROS    48
#define HEADER_CHECK    56
#define HEADER_LEN      64

#define SECTOR_LEN   512 /* what a disk writes whole */
#define RECORD_LEN   REGISTER_RECORD_LEN
#define RECORD_CHECK REGISTER_RECORD_CHECK

/* Records read at once while they are proven. */
#define PROVE_RECORDS 1024

/* Records of a new register that wait in memory: there may be millions at once. */
#define NEW_RECORDS_MAX 4096

/*
 * Disk space kept behind the last record: a full disk must not hold removals up. 128 KiB are 4096
 * records.
 */
#define ROOM_BYTES (UINT64_C(128) << 10)

static const uint8_t magic[8] = {'R', 'T', 'D', 'R', 'E', 'M', 'O', 'V'};

static_assert(HEADER_SERIAL + REGISTER_SERIAL_LEN == HEADER_ZEROS, "the header has no gap");
static_assert(HEADER_CHECK + REGISTER_CHECK_LEN == HEADER_LEN, "the header ends in its check");

/*
 * @place:     where the file of a new register is renamed to by its first sync; else NULL
 * @gap:       while it is proven: where the records have ended; 0 before
 * @unknown:   number of the first record behind the mark
 * @n:         records when it was opened
 * @n_all:     with those added since
 * @check:     of the last of them
 * @ahead:     where many records are written first
 * @room:      end of the disk space that is allocated
 * @added:     encoded records that wait for the sync
 */
struct removal_register {
	int fd;
	char *place;
	uint8_t serial[REGISTER_SERIAL_LEN];
	uint64_t gap;
	uint64_t unknown;
	uint64_t n;
	uint64_t n_all;
	uint8_t check[REGISTER_CHECK_LEN];
	struct register_ahead ahead;
	uint64_t room;
	uint8_t *added;
	size_t n_added;
	size_t n_added_max;
};

static off_t record_offset(uint64_t i)
{
	return (off_t)(HEADER_LEN + i * RECORD_LEN);
}

static void check_of_header(const uint8_t header[static HEADER_LEN],
			    uint8_t ret_check[static REGISTER_CHECK_LEN])
{
	uint8_t hash[crypto_generichash_BYTES_MIN];

	(void)crypto_generichash(hash, sizeof(hash), header, HEADER_CHECK, NULL,
				 0); /* fails for lengths out of range only, here and below */
	memcpy(ret_check, hash, REGISTER_CHECK_LEN);
}

/* Making one */

static void make_header(const uint8_t instance[static VAULT_INSTANCE_LEN],
			uint8_t header[static HEADER_LEN])
{
	memset(header, 0, HEADER_LEN);
	memcpy(header, magic, sizeof(magic));
	store_be64(header + HEADER_FORMAT, REGISTER_FORMAT);
	memcpy(header + HEADER_INSTANCE, instance, VAULT_INSTANCE_LEN);
	randombytes_buf(header + HEADER_SERIAL, REGISTER_SERIAL_LEN);
	check_of_header(header, header + HEADER_CHECK);
}

static int new_register(const char *path, int fd, const uint8_t header[static HEADER_LEN],
			struct removal_register **ret_removals)
{
	struct removal_register *removals = calloc(1, sizeof(*removals));
	int r;

	if (!removals) {
		return -ENOMEM;
	}
	r = register_ahead_init(&removals->ahead, path);
	if (r < 0) {
		free(removals);
		return r;
	}
	removals->fd = fd;
	memcpy(removals->serial, header + HEADER_SERIAL, REGISTER_SERIAL_LEN);
	memcpy(removals->check, header + HEADER_CHECK, REGISTER_CHECK_LEN);
	*ret_removals = removals;
	return 0;
}

static int open_new(const char *path, int *ret_fd)
{
	char temporary[PATH_MAX];
	int r = files_add_suffix(path, ".new", temporary);

	if (r == 0) {
		r = files_make_parent(path);
	}
	if (r < 0) {
		return r;
	}
	*ret_fd = open(temporary, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	return *ret_fd < 0 ? -errno : 0;
}

int register_create(const char *path, const uint8_t instance[static VAULT_INSTANCE_LEN],
		    struct removal_register **ret_removals)
{
	uint8_t header[HEADER_LEN];
	struct removal_register *removals;
	int fd, r = open_new(path, &fd);

	if (r < 0) {
		return r;
	}
	make_header(instance, header);
	r = new_register(path, fd, header, &removals);
	if (r < 0) {
		closep(&fd);
		return r;
	}
	removals->place = strdup(path);
	r = removals->place ? files_write_at(fd, 0, header, sizeof(header)) : -ENOMEM;
	if (r < 0) {
		(void)register_close(removals); /* NULL */
		return r;
	}
	*ret_removals = removals;
	return 0;
}

/* Opening one */

static int read_header(int fd, const uint8_t instance[static VAULT_INSTANCE_LEN],
		       uint8_t header[static HEADER_LEN])
{
	uint8_t check[REGISTER_CHECK_LEN];
	int r = files_read_at(fd, 0, header, HEADER_LEN);

	if (r < 0) {
		return r == -ENODATA ? REGISTER_E_CORRUPT : r;
	}
	check_of_header(header, check);
	if (memcmp(header, magic, sizeof(magic)) != 0 ||
	    load_be64(header + HEADER_FORMAT) != REGISTER_FORMAT ||
	    !sodium_is_zero(header + HEADER_ZEROS, HEADER_CHECK - HEADER_ZEROS) ||
	    memcmp(header + HEADER_CHECK, check, sizeof(check)) != 0) {
		return REGISTER_E_CORRUPT;
	}
	return memcmp(header + HEADER_INSTANCE, instance, VAULT_INSTANCE_LEN) == 0
		       ? 0
		       : REGISTER_E_FOREIGN;
}

/* Takes a record that fits: false for one that does not. */
static bool prove_record(struct removal_register *removals, const uint8_t bytes[static RECORD_LEN])
{
	struct register_record record;
	uint8_t check[REGISTER_CHECK_LEN];

	register_record_decode(bytes, &record);
	register_record_check(removals->check, bytes, check);
	if (memcmp(bytes + RECORD_CHECK, check, sizeof(check)) != 0 ||
	    !register_record_is_sound(&record)) {
		return false;
	}
	memcpy(removals->check, check, sizeof(check));
	removals->n++;
	return true;
}

/*
 * Behind the first record that does not fit all must be zeros: space that a crash left unwritten. In
 * the page that was being written then, sectors behind such a one may have been written. Whoever
 * wanted to hide records so could as well cut them off.
 */
static bool is_left_by_crash(const struct removal_register *removals, uint64_t at,
			     const uint8_t record[static RECORD_LEN])
{
	uint64_t sector = (removals->gap / SECTOR_LEN + 1) * SECTOR_LEN;
	uint64_t page = (removals->gap / REGISTER_PAGE_LEN + 1) * REGISTER_PAGE_LEN;

	return (at >= sector && at < page) || sodium_is_zero(record, RECORD_LEN);
}

/* Proves records up to the first that does not fit. The mark's record must be as it was. */
static int prove_records(struct removal_register *removals, uint64_t first, const uint8_t *bytes,
			 size_t n, const struct register_mark *mark)
{
	for (size_t i = 0; i < n; i++) {
		const uint8_t *record = bytes + i * RECORD_LEN;
		uint64_t at = (uint64_t)record_offset(first + i);

		if (removals->gap == 0 && !prove_record(removals, record)) {
			removals->gap = at;
		}
		if (removals->gap != 0 && !is_left_by_crash(removals, at, record)) {
			return REGISTER_E_CORRUPT;
		}
		if (removals->gap == 0 && removals->n == removals->unknown &&
		    memcmp(removals->check, mark->check, REGISTER_CHECK_LEN) != 0) {
			return REGISTER_E_CORRUPT;
		}
	}
	return 0;
}

/* All of them, in every start: a change is found while the true register can still be found. */
static int prove_all(struct removal_register *removals, uint64_t n_whole,
		     const struct register_mark *mark)
{
	uint8_t bytes[PROVE_RECORDS * RECORD_LEN];
	int r = 0;

	for (uint64_t i = 0; i < n_whole && r == 0; i += PROVE_RECORDS) {
		size_t n = (size_t)MIN(n_whole - i, PROVE_RECORDS);

		r = files_read_at(removals->fd, record_offset(i), bytes, n * RECORD_LEN);
		if (r == 0) {
			r = prove_records(removals, i, bytes, n, mark);
		}
	}
	return r == 0 && removals->n < removals->unknown ? REGISTER_E_SHORT : r;
}

static int cut_end(const struct removal_register *removals, uint64_t size)
{
	uint64_t end = (uint64_t)record_offset(removals->n);

	if (size == end) {
		return 0;
	}
	return ftruncate(removals->fd, (off_t)end) < 0 || fsync(removals->fd) < 0 ? -errno : 0;
}

static int prove(struct removal_register *removals, const struct register_mark *mark)
{
	struct stat st;
	uint64_t n_whole;
	int r;

	if (fstat(removals->fd, &st) < 0) {
		return -errno;
	}
	n_whole = ((uint64_t)st.st_size - HEADER_LEN) / RECORD_LEN;
	if (memcmp(removals->serial, mark->serial, sizeof(mark->serial)) == 0) {
		removals->unknown = mark->n;
	}
	r = prove_all(removals, n_whole, mark);
	if (r == 0) {
		r = cut_end(removals, (uint64_t)st.st_size);
	}
	removals->n_all = removals->n;
	return r;
}

/*
 * After a sync that failed the records read as they were written, and the disk may not have them. That
 * is so of the last append alone, which is behind the mark: it goes to the disk again before anybody
 * follows it.
 */
static int write_again(struct removal_register *removals)
{
	uint64_t n = MIN(removals->n - removals->unknown, REGISTER_AHEAD_MAX / RECORD_LEN);
	off_t at = record_offset(removals->n - n);
	size_t len = n * RECORD_LEN;
	cleanup(freep) uint8_t *bytes = NULL;
	int r;

	if (len == 0) {
		return 0;
	}
	bytes = malloc(len);
	r = bytes ? files_read_at(removals->fd, at, bytes, len) : -ENOMEM;
	if (r == 0) {
		r = register_ahead_append(&removals->ahead, removals->serial, removals->fd, at,
					  bytes, len);
	}
	return r == 0 && fdatasync(removals->fd) < 0 ? -errno : r;
}

int register_open(const char *path, const uint8_t instance[static VAULT_INSTANCE_LEN],
		  const struct register_mark *mark, struct removal_register **ret_removals)
{
	uint8_t header[HEADER_LEN];
	struct removal_register *removals;
	int fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (fd < 0) {
		return errno == ENOENT ? REGISTER_E_MISSING : -errno;
	}
	r = read_header(fd, instance, header);
	if (r == 0) {
		r = new_register(path, fd, header, &removals);
	}
	if (r != 0) {
		closep(&fd);
		return r;
	}
	r = register_ahead_redo(&removals->ahead, removals->serial, fd);
	if (r == 0) {
		r = prove(removals, mark);
	}
	if (r == 0) {
		r = write_again(removals);
	}
	if (r != 0) {
		(void)register_close(removals); /* NULL */
		return r;
	}
	*ret_removals = removals;
	return 0;
}

struct removal_register *register_close(struct removal_register *removals)
{
	if (!removals) {
		return NULL;
	}
	closep(&removals->fd);
	register_ahead_done(&removals->ahead);
	free(removals->place);
	free(removals->added);
	free(removals);
	return NULL;
}

/* Reading */

void register_get_mark(const struct removal_register *removals, struct register_mark *ret_mark)
{
	memcpy(ret_mark->serial, removals->serial, REGISTER_SERIAL_LEN);
	ret_mark->n = removals->n_all;
	memcpy(ret_mark->check, removals->check, REGISTER_CHECK_LEN);
}

void register_bounds(const struct removal_register *removals, uint64_t *ret_unknown,
		     uint64_t *ret_n)
{
	*ret_unknown = removals->unknown;
	*ret_n = removals->n;
}

uint64_t register_n_synced(const struct removal_register *removals)
{
	return removals->n_all - removals->n_added;
}

int register_get(const struct removal_register *removals, uint64_t i,
		 struct register_record *ret_record)
{
	uint8_t bytes[RECORD_LEN];
	struct register_record record;
	int r;

	assert(i < register_n_synced(removals));
	r = files_read_at(removals->fd, record_offset(i), bytes, sizeof(bytes));
	if (r < 0) {
		return r;
	}
	register_record_decode(bytes, &record);
	if (!register_record_is_sound(&record)) {
		return -EIO; /* it was a moment ago */
	}
	*ret_record = record;
	return 0;
}

/* Writing */

static int make_place(struct removal_register *removals)
{
	size_t n_max = MAX(2 * removals->n_added_max, 64);
	uint8_t *added;

	if (removals->n_added < removals->n_added_max) {
		return 0;
	}
	added = reallocarray(removals->added, n_max, RECORD_LEN);
	if (!added) {
		return -ENOMEM;
	}
	removals->added = added;
	removals->n_added_max = n_max;
	return 0;
}

/* Of a new one nobody sees anything before its first sync: there is no order to keep. */
static int write_added(struct removal_register *removals)
{
	off_t at = record_offset(removals->n_all - removals->n_added);
	size_t len = removals->n_added * RECORD_LEN;

	removals->n_added = 0; /* whoever cannot write them ends */
	return removals->place ? files_write_at(removals->fd, at, removals->added, len)
			       : register_ahead_append(&removals->ahead, removals->serial,
						       removals->fd, at, removals->added, len);
}

int register_add(struct removal_register *removals, const struct register_record *record)
{
	bool full = removals->place && removals->n_added == NEW_RECORDS_MAX;
	uint8_t *bytes;
	int r = full ? write_added(removals) : make_place(removals);

	assert(register_record_is_sound(record));
	if (r < 0) {
		return r;
	}
	bytes = removals->added + RECORD_LEN * removals->n_added++;
	register_record_encode(record, bytes);
	register_record_check(removals->check, bytes, bytes + RECORD_CHECK);
	memcpy(removals->check, bytes + RECORD_CHECK, REGISTER_CHECK_LEN);
	removals->n_all++;
	return 0;
}

bool register_dirty(const struct removal_register *removals)
{
	return removals->n_added > 0 || removals->place;
}

/* That it fails is no failure: the write that needs the space says so. */
static void keep_room(struct removal_register *removals, uint64_t end)
{
	if (end + ROOM_BYTES / 2 <= removals->room) {
		return;
	}
	(void)fallocate(removals->fd, FALLOC_FL_KEEP_SIZE, (off_t)end, ROOM_BYTES);
	removals->room = end + ROOM_BYTES;
}

static int publish(struct removal_register *removals)
{
	cleanup(freep) char *place = TAKE_PTR(removals->place);
	char temporary[PATH_MAX];
	int r = files_add_suffix(place, ".new", temporary);

	if (r == 0 && rename(temporary, place) < 0) {
		r = -errno;
	}
	return r < 0 ? r : files_sync_parent(place);
}

int register_sync(struct removal_register *removals)
{
	int r;

	if (!register_dirty(removals)) {
		return 0;
	}
	r = write_added(removals);
	if (r < 0) {
		return r;
	}
	keep_room(removals, (uint64_t)record_offset(removals->n_all));
	if (fdatasync(removals->fd) < 0) {
		return -errno;
	}
	return removals->place ? publish(removals) : 0;
}
