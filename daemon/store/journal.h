/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_STORE_JOURNAL_H
#define RETENTIOND_STORE_JOURNAL_H

#include "common/base.h"

/*
 * The redo journal of kv_pending.c: what was committed since the data file was. One record is one
 * commit, and makes it durable with one sync of a file that never grows; a commit of the data file
 * takes two, and copies pages. On a quiet disk that is 9000 commits a second against 2800.
 *
 *     bytes 0 to 7       "RTDJRNL1"
 *     byte 512 on        records, each at a multiple of 512, so that no sector is part of two:
 *
 *     00    "RTDR"
 *     04    length of the body, 4 bytes, big-endian
 *     08    base, 16 bytes: the commit of the data file that the record follows
 *     24    number, 8 bytes, big-endian: 0 for the first record after its base
 *     32    BLAKE2b-128 of bytes 0 to 31 and of the body
 *     48    body, then zeros to the end of the sector
 *
 * Each commit of the data file has a new random base, and records begin again behind the header:
 * those of another base count no more. Records hold what the data file holds: nothing that names a
 * person but sealed.
 */

#define JOURNAL_NAME     "journal"
#define JOURNAL_BYTES    ((size_t)1 << 20)
#define JOURNAL_BASE_LEN 16
#define JOURNAL_BODY_MAX (JOURNAL_BYTES / 4) /* more is better committed to the data file at once */

enum {
	JOURNAL_E_NONE = 1, /* no further record */
	JOURNAL_E_FULL,     /* the record does not fit: commit the data file */
	JOURNAL_E_CORRUPT,  /* missing, no journal, or a record is damaged that others follow */
};

struct journal;

/*
 * Makes the file, mode 0600, whole and synced, but for its directory; one that is there is
 * replaced. Return: 0 or a negative errno.
 */
must_check int journal_create(int directory_fd);

/* Return: 0, JOURNAL_E_CORRUPT, or a negative errno. */
must_check int journal_open(int directory_fd, struct journal **ret_journal);
struct journal *journal_close(struct journal *journal);

/*
 * The data file has been committed as @base: what is appended from now on follows it. To be called
 * before everything else; what the file has of that base is then read by journal_next().
 */
void journal_restart(struct journal *journal, const uint8_t base[static JOURNAL_BASE_LEN]);

/**
 * journal_next() - the records that follow the base, in their order
 * @at:       0 to begin; moved on
 * @ret_body: valid until the next journal_restart()
 *
 * The last record may have been cut short by a crash: then it was not acknowledged, and is passed
 * over. After JOURNAL_E_NONE the next record is appended behind those that were read.
 *
 * Return: 0, JOURNAL_E_NONE or JOURNAL_E_CORRUPT.
 */
must_check int journal_next(struct journal *journal, size_t *at, struct slice *ret_body);

/*
 * Writes on disk once more what was read. After a sync that failed, or a kill before it, a record
 * reads as it was written and may be on no disk: so this comes before anybody is told of it. It takes
 * no room. Return: 0 or a negative errno.
 */
must_check int journal_renew(struct journal *journal);

/*
 * The record under way: bytes are added to it, and then it is written and synced, or dropped. What
 * does not fit is noticed at its end.
 */
void journal_add(struct journal *journal, const void *bytes, size_t len);
bool journal_has_body(const struct journal *journal);
void journal_drop(struct journal *journal);

/*
 * Return: 0 once it is on disk; JOURNAL_E_FULL, and it is dropped; or a negative errno, after which
 * nobody knows whether it is.
 */
must_check int journal_commit(struct journal *journal);

#endif
