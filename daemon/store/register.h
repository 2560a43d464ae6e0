/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_STORE_REGISTER_H
#define RETENTIOND_STORE_REGISTER_H

#include "common/base.h"
#include "common/instant.h"

#include "daemon/store/vault.h"

/*
 * The removal register: which removals have started for good, and which are complete. An
 * append-only file that no backup holds and no restore touches, so that what is restored can be
 * brought to what was promised meanwhile. It knows uids and instants, nothing of a person.
 *
 * A header of 64 bytes, then records of 32, numbers big-endian:
 *
 *     52 54 44 52 45 4d 4f 56    "RTDREMOV"
 *     00 00 00 00 00 00 00 01    format
 *     16 bytes                   instance: the store this register belongs to
 *     16 bytes                   serial: random, of this register
 *     8 bytes of zeros
 *     8 bytes                    check: BLAKE2b-64 of the 56 bytes before
 *
 *     01                         1 started, 2 completed
 *     00 02 5b 7f 3d 40 00       how long the removal may take, us
 *     00 00 00 00 00 00 00 09    uid
 *     00 06 4b f5 35 af 10 00    at
 *     8 bytes                    check: BLAKE2b-64 of the check before and the 24 bytes before
 *
 * Each check covers all records before it. Records are aligned so that no disk tears one: what a
 * crash leaves at the end is zeros, from some record to the end of its sector at least, and behind
 * them perhaps later sectors of the same page; or a part of a record. It is cut off. Anything else
 * that does not fit its check has been changed by somebody, and is refused.
 */

#define REGISTER_SERIAL_LEN 16
#define REGISTER_CHECK_LEN  8

enum {
	REGISTER_E_MISSING = 1, /* there is no such file */
	REGISTER_E_FOREIGN,     /* of another instance */
	REGISTER_E_SHORT,       /* records are missing that the store knows to be there */
	REGISTER_E_CORRUPT,     /* not a register, of a newer format, or changed */
};

enum register_kind {
	REGISTER_STARTED = 1,
	REGISTER_COMPLETED,
};

/**
 * struct register_record - one step of one removal
 * @removal: how long it may take from its start
 * @at:      when the removal started, or was complete
 */
struct register_record {
	enum register_kind kind;
	uint64_t uid;
	instant_t at;
	span_t removal;
};

/**
 * struct register_mark - how far a store has followed a register; kept in the store
 * @serial: zeros before the first one
 * @n:      records
 * @check:  of the last of them
 */
struct register_mark {
	uint8_t serial[REGISTER_SERIAL_LEN];
	uint64_t n;
	uint8_t check[REGISTER_CHECK_LEN];
};

struct removal_register;

/**
 * register_create() - begin a register; nothing is at @path before the first register_sync()
 *
 * Its directory is made when only that one is missing. Return: 0 or a negative errno.
 */
must_check int register_create(const char *path, const uint8_t instance[static VAULT_INSTANCE_LEN],
			       struct removal_register **ret_removals);

/**
 * register_open() - open a register and prove it: a second for 4 M records
 * @mark: of the store. Records behind it are unknown to the store: of a register with another
 *        serial, all are. They are on disk when this returns, also where their own sync failed
 *
 * Return: 0, one of the answers above, or a negative errno.
 */
must_check int register_open(const char *path, const uint8_t instance[static VAULT_INSTANCE_LEN],
			     const struct register_mark *mark,
			     struct removal_register **ret_removals);
struct removal_register *register_close(struct removal_register *removals);

/* Of all records, synced or not. */
void register_get_mark(const struct removal_register *removals, struct register_mark *ret_mark);

/* Records that were there when it was opened: number @unknown to @n - 1 were behind the mark. */
void register_bounds(const struct removal_register *removals, uint64_t *ret_unknown,
		     uint64_t *ret_n);

/* Records on the disk. */
uint64_t register_n_synced(const struct removal_register *removals);

/* Record number @i of those. Return: 0 or a negative errno. */
must_check int register_get(const struct removal_register *removals, uint64_t i,
			    struct register_record *ret_record);

/* Adds a record; on disk after the next register_sync(). Return: 0 or a negative errno. */
must_check int register_add(struct removal_register *removals,
			    const struct register_record *record);

/* Whether something was added since the last sync. */
bool register_dirty(const struct removal_register *removals);

/* Writes on disk what was added; nothing to do is fine. Return: 0 or a negative errno. */
must_check int register_sync(struct removal_register *removals);

#endif
