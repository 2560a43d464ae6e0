/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>

#include "daemon/store/bytes.h"
#include "daemon/store/files.h"

#define MAGIC        "RTDJRNL1"
#define MAGIC_LEN    8
#define RECORD_MAGIC "RTDR"
#define SECTOR       ((size_t)512)
#define LENGTH_AT    4
#define BASE_AT      8
#define NUMBER_AT    24
#define HASH_AT      32
#define HASH_LEN     16
#define BODY_AT      48

/*
 * @bytes:    the whole file; the record under way is made at its place
 * @end:      where the next record begins
 * @body_len: of the record under way; may have grown past what fits, then nothing more is stored
 */
struct journal {
	int fd;
	uint8_t base[JOURNAL_BASE_LEN];
	uint64_t number;
	size_t end;
	size_t body_len;
	uint8_t bytes[JOURNAL_BYTES];
};

static size_t sectors_of(size_t body_len)
{
	return (BODY_AT + body_len + SECTOR - 1) / SECTOR * SECTOR;
}

/* Zeros are written, not left out: a hole would have to be filled, and noted, at each first sync. */
static int fill(int fd)
{
	cleanup(freep) uint8_t *bytes = calloc(1, JOURNAL_BYTES);
	int r;

	if (!bytes) {
		return -ENOMEM;
	}
	memcpy(bytes, MAGIC, MAGIC_LEN);
	r = files_write_at(fd, 0, bytes, JOURNAL_BYTES);
	return r == 0 && fsync(fd) < 0 ? -errno : r;
}

int journal_create(int directory_fd)
{
	cleanup(closep) int fd = -1;

	if (unlinkat(directory_fd, JOURNAL_NAME, 0) < 0 && errno != ENOENT) {
		return -errno;
	}
	fd = openat(directory_fd, JOURNAL_NAME, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
		    0600);
	return fd < 0 ? -errno : fill(fd);
}

static int load(struct journal *journal)
{
	struct stat st;
	int r;

	if (fstat(journal->fd, &st) < 0) {
		return -errno;
	}
	if (!S_ISREG(st.st_mode) || st.st_size != (off_t)JOURNAL_BYTES) {
		return JOURNAL_E_CORRUPT;
	}
	r = files_read_at(journal->fd, 0, journal->bytes, JOURNAL_BYTES);
	if (r < 0) {
		return r;
	}
	return memcmp(journal->bytes, MAGIC, MAGIC_LEN) == 0 ? 0 : JOURNAL_E_CORRUPT;
}

int journal_open(int directory_fd, struct journal **ret_journal)
{
	struct journal *journal = malloc(sizeof(*journal));
	int r;

	if (!journal) {
		return -ENOMEM;
	}
	*journal = (struct journal){.end = SECTOR};
	journal->fd = openat(directory_fd, JOURNAL_NAME, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (journal->fd < 0) {
		r = errno == ENOENT || errno == ELOOP ? JOURNAL_E_CORRUPT : -errno;
	} else {
		r = load(journal);
	}
	if (r != 0) {
		(void)journal_close(journal); /* NULL */
		return r;
	}
	*ret_journal = journal;
	return 0;
}

struct journal *journal_close(struct journal *journal)
{
	if (journal) {
		closep(&journal->fd);
		free(journal);
	}
	return NULL;
}

void journal_restart(struct journal *journal, const uint8_t base[static JOURNAL_BASE_LEN])
{
	memcpy(journal->base, base, JOURNAL_BASE_LEN);
	journal->number = 0;
	journal->end = SECTOR;
	journal->body_len = 0;
}

static void hash_record(const uint8_t *record, size_t body_len, uint8_t ret_hash[static HASH_LEN])
{
	crypto_generichash_state state;

	(void)crypto_generichash_init(&state, NULL, 0, HASH_LEN); /* these three never fail */
	(void)crypto_generichash_update(&state, record, HASH_AT);
	(void)crypto_generichash_update(&state, record + BODY_AT, body_len);
	(void)crypto_generichash_final(&state, ret_hash, HASH_LEN);
}

/* Whether a whole record with this number, or a higher one, begins here. */
static bool is_record(const struct journal *journal, size_t at, uint64_t number, size_t *ret_len)
{
	const uint8_t *record = journal->bytes + at;
	uint8_t hash[HASH_LEN];
	size_t len;

	if (JOURNAL_BYTES - at < SECTOR || memcmp(record, RECORD_MAGIC, LENGTH_AT) != 0 ||
	    memcmp(record + BASE_AT, journal->base, JOURNAL_BASE_LEN) != 0 ||
	    load_be64(record + NUMBER_AT) < number) {
		return false;
	}
	len = load_be32(record + LENGTH_AT);
	if (len > JOURNAL_BODY_MAX || sectors_of(len) > JOURNAL_BYTES - at) {
		return false;
	}
	hash_record(record, len, hash);
	*ret_len = len;
	return memcmp(hash, record + HASH_AT, HASH_LEN) == 0;
}

/*
 * A record is written when the one before it is on disk. So what follows one that cannot be read
 * tells a crash, after which there is nothing, from damage.
 */
static bool is_followed(const struct journal *journal, size_t at)
{
	size_t len;

	for (; at < JOURNAL_BYTES; at += SECTOR) {
		if (is_record(journal, at, journal->number, &len)) {
			return true;
		}
	}
	return false;
}

int journal_next(struct journal *journal, size_t *at, struct slice *ret_body)
{
	size_t from = *at == 0 ? SECTOR : *at;
	size_t len;

	if (*at == 0) {
		journal->number = 0;
		journal->end = SECTOR;
	}
	if (!is_record(journal, from, journal->number, &len) ||
	    load_be64(journal->bytes + from + NUMBER_AT) != journal->number) {
		return is_followed(journal, from) ? JOURNAL_E_CORRUPT : JOURNAL_E_NONE;
	}
	*ret_body = (struct slice){(const char *)journal->bytes + from + BODY_AT, len};
	*at = from + sectors_of(len);
	journal->number++;
	journal->end = *at;
	return 0;
}

/* Each sector is what it was, or what it should be: a power cut here loses nothing. */
int journal_renew(struct journal *journal)
{
	int r;

	if (journal->end == SECTOR) {
		return 0;
	}
	r = files_write_at(journal->fd, (off_t)SECTOR, journal->bytes + SECTOR,
			   journal->end - SECTOR);
	return r == 0 && fdatasync(journal->fd) < 0 ? -errno : r;
}

static bool fits(const struct journal *journal, size_t body_len)
{
	return body_len <= JOURNAL_BODY_MAX && journal->end < JOURNAL_BYTES &&
	       sectors_of(body_len) <= JOURNAL_BYTES - journal->end;
}

void journal_add(struct journal *journal, const void *bytes, size_t len)
{
	if (len > 0 && fits(journal, journal->body_len + len)) {
		memcpy(journal->bytes + journal->end + BODY_AT + journal->body_len, bytes, len);
	}
	journal->body_len += len;
}

bool journal_has_body(const struct journal *journal)
{
	return journal->body_len > 0;
}

void journal_drop(struct journal *journal)
{
	journal->body_len = 0;
}

int journal_commit(struct journal *journal)
{
	uint8_t *record = journal->bytes + journal->end;
	size_t body_len = journal->body_len, bytes = sectors_of(body_len);
	int r;

	journal->body_len = 0;
	if (!fits(journal, body_len)) {
		return JOURNAL_E_FULL;
	}
	memcpy(record, RECORD_MAGIC, LENGTH_AT);
	store_be32(record + LENGTH_AT, (uint32_t)body_len);
	memcpy(record + BASE_AT, journal->base, JOURNAL_BASE_LEN);
	store_be64(record + NUMBER_AT, journal->number);
	hash_record(record, body_len, record + HASH_AT);
	memset(record + BODY_AT + body_len, 0, bytes - BODY_AT - body_len);
	r = files_write_at(journal->fd, (off_t)journal->end, record, bytes);
	if (r == 0 && fdatasync(journal->fd) < 0) {
		r = -errno;
	}
	if (r == 0) {
		journal->number++;
		journal->end += bytes;
	}
	return r;
}
