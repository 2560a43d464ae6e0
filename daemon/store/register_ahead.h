/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_STORE_REGISTER_AHEAD_H
#define RETENTIOND_STORE_REGISTER_AHEAD_H

#include <sys/types.h>

#include "common/base.h"

#include "daemon/store/register.h"

/*
 * What is about to be appended to a removal register, in a file beside it: PATH.ahead. A disk
 * writes the pages of a register in any order, and a gap in it must not be taken for a change by
 * somebody. So either each page is synced before the next is begun, or, which costs two syncs for
 * any number of pages, all of them are here first, and are written once more where a crash tore
 * them.
 *
 *     00    "RTDAHEAD"
 *     08    serial of the register, 16 bytes
 *     24    where in it the bytes belong, 8 bytes, big-endian
 *     32    how many they are, 8 bytes, big-endian
 *     40    the check before them, 8 bytes: of the record, or the header, that they follow
 *     48    BLAKE2b-128 of bytes 0 to 47 and of what follows
 *     64    the bytes
 *
 * Only the last one written matters, and only until the register is synced. To a register that has
 * gone another way since, as after an older one was put in its place, it does not belong.
 */

/*
 * What of the register is written at once, where it is not written ahead: it is on disk before the
 * next is begun. A power cut in between leaves any of its sectors.
 */
#define REGISTER_PAGE_LEN 4096

/* More than the daemon ever appends at once: what claims to be longer is none. */
#define REGISTER_AHEAD_MAX ((uint64_t)64 << 20)

struct register_ahead {
	char *path;
	int fd; /* -1 before the first write */
};

must_check int register_ahead_init(struct register_ahead *ahead, const char *register_path);
void register_ahead_done(struct register_ahead *ahead);

/*
 * Writes bytes to the end of the register @fd, which the caller syncs, so that what reaches the
 * disk after a power cut is a beginning of them, or can be redone. Return: 0 or a negative errno.
 */
must_check int register_ahead_append(struct register_ahead *ahead,
				     const uint8_t serial[static REGISTER_SERIAL_LEN], int fd,
				     off_t at, const uint8_t *bytes, size_t len);

/*
 * Writes into the register @fd what is whole here and belongs to its end, unless it is there. What
 * is not whole was never begun there. Return: 0 or a negative errno.
 */
must_check int register_ahead_redo(const struct register_ahead *ahead,
				   const uint8_t serial[static REGISTER_SERIAL_LEN], int fd);

#endif
