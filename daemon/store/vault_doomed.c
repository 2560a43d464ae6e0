/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/vault_doomed.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>

#include "daemon/store/files.h"
#include "daemon/store/vault.h"
#include "daemon/store/vault_file.h"
#include "daemon/store/vault_header.h"

void vault_doomed_done(struct vault_doomed *doomed)
{
	free(doomed->uids);
	*doomed = (struct vault_doomed){0};
}

int vault_doomed_add(struct vault_doomed *doomed, uint64_t uid)
{
	if (doomed->n == doomed->n_max) {
		size_t n_max = MAX(2 * doomed->n_max, 64);
		uint64_t *uids = reallocarray(doomed->uids, n_max, sizeof(*uids));

		if (!uids) {
			return -ENOMEM;
		}
		doomed->uids = uids;
		doomed->n_max = n_max;
	}
	doomed->uids[doomed->n++] = uid;
	return 0;
}

void vault_doomed_remove(struct vault_doomed *doomed, uint64_t uid)
{
	size_t n = 0;

	for (size_t i = 0; i < doomed->n; i++) {
		if (doomed->uids[i] != uid) {
			doomed->uids[n++] = doomed->uids[i];
		}
	}
	doomed->n = n;
}

bool vault_doomed_has(const struct vault_doomed *doomed, uint64_t uid)
{
	for (size_t i = 0; i < doomed->n; i++) {
		if (doomed->uids[i] == uid) {
			return true;
		}
	}
	return false;
}

static int compare_uids(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static uint64_t block_of(uint64_t uid)
{
	return (VAULT_SLOTS_PER_BLOCK + uid - 1) / VAULT_SLOTS_PER_BLOCK;
}

/* That there is no key is no secret, so it may be told as fast as it can be. */
static bool is_zeros(const uint8_t *bytes, size_t len)
{
	static const uint8_t zeros[VAULT_BLOCK_BYTES];

	return memcmp(bytes, zeros, len) == 0;
}

static void note_erased(struct vault_doomed *doomed, uint64_t number)
{
	size_t n = doomed->n_erased;

	if (n > 0 && doomed->erased[n - 1].first + doomed->erased[n - 1].n == number) {
		doomed->erased[n - 1].n++;
		doomed->n_blocks++;
	} else if (n < ARRAY_LEN(doomed->erased)) {
		doomed->erased[n].first = number;
		doomed->erased[n].n = 1;
		doomed->n_erased++;
		doomed->n_blocks++;
	}
}

static size_t place_of(uint64_t uid)
{
	return (uid - 1) % VAULT_SLOTS_PER_BLOCK * VAULT_KEY_LEN;
}

/*
 * From the first slot to the last one, those that read as zeros as well: after a sync that failed the
 * file reads as it was written, and the disk may still have the keys.
 */
static int overwrite_slots(int fd, off_t block_at, size_t len, uint8_t *block, const uint64_t *uids,
			   size_t n)
{
	size_t from = place_of(uids[0]);
	size_t to = MIN(place_of(uids[n - 1]) + VAULT_KEY_LEN, len);

	for (size_t i = 0; i < n; i++) {
		sodium_memzero(block + place_of(uids[i]), VAULT_KEY_LEN);
	}
	return from < to ? files_write_at(fd, block_at + (off_t)from, block + from, to - from) : 0;
}

/* @uids: grow; all of one block */
static int overwrite_block(struct vault_doomed *doomed, int fd, off_t size, const uint64_t *uids,
			   size_t n)
{
	uint64_t number = block_of(uids[0]);
	off_t at = (off_t)(number * VAULT_BLOCK_BYTES);
	size_t len = (size_t)MIN(MAX(size - at, 0), VAULT_BLOCK_BYTES);
	uint8_t block[VAULT_BLOCK_BYTES];
	int r = vault_file_read(fd, at, block, sizeof(block));

	if (r == 0) {
		r = overwrite_slots(fd, at, len, block, uids, n);
	}
	if (r == 0 && is_zeros(block, sizeof(block))) {
		note_erased(doomed, number);
	}
	sodium_memzero(block, sizeof(block));
	return r;
}

/* As those are whose windows end at one instant. */
static bool is_sorted(const struct vault_doomed *doomed)
{
	for (size_t i = 1; i < doomed->n; i++) {
		if (doomed->uids[i - 1] > doomed->uids[i]) {
			return false;
		}
	}
	return true;
}

int vault_doomed_overwrite(struct vault_doomed *doomed, int fd)
{
	struct stat st;
	size_t n;
	int r = 0;

	if (fstat(fd, &st) < 0) {
		return -errno;
	}
	if (!is_sorted(doomed)) {
		qsort(doomed->uids, doomed->n, sizeof(*doomed->uids), compare_uids);
	}
	for (size_t i = 0; i < doomed->n && r == 0; i += n) {
		uint64_t number = block_of(doomed->uids[i]);

		for (n = 1; i + n < doomed->n && block_of(doomed->uids[i + n]) == number;) {
			n++;
		}
		r = overwrite_block(doomed, fd, st.st_size, doomed->uids + i, n);
	}
	doomed->n = r == 0 ? 0 : doomed->n;
	return r;
}

static bool is_still_erased(int fd, uint64_t number)
{
	uint8_t block[VAULT_BLOCK_BYTES];
	bool erased = vault_file_read(fd, (off_t)(number * VAULT_BLOCK_BYTES), block,
				      sizeof(block)) == 0 &&
		      is_zeros(block, sizeof(block));

	sodium_memzero(block, sizeof(block));
	return erased;
}

static void punch(int fd, uint64_t first, uint64_t n)
{
	if (n > 0) {
		(void)fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				(off_t)(first * VAULT_BLOCK_BYTES), (off_t)(n * VAULT_BLOCK_BYTES));
	}
}

/* Whatever is in the run that is not to be punched. */
static void punch_run(int fd, uint64_t first, uint64_t end)
{
	uint64_t from = first;

	for (uint64_t number = first; number < end; number++) {
		if (!is_still_erased(fd, number)) {
			punch(fd, from, number - from);
			from = number + 1;
		}
	}
	punch(fd, from, end - from);
}

void vault_doomed_punch(struct vault_doomed *doomed, int fd)
{
	for (size_t i = 0; i < doomed->n_erased; i++) {
		uint64_t first = doomed->erased[i].first;

		punch_run(fd, first, first + doomed->erased[i].n);
	}
	doomed->n_erased = 0;
	doomed->n_blocks = 0;
}
