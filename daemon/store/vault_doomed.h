/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_STORE_VAULT_DOOMED_H
#define RETENTIOND_STORE_VAULT_DOOMED_H

#include "common/base.h"

/*
 * Keys of a vault that are to be destroyed: gone for every reader at once, and overwritten in its
 * file by the next vault_sync(). Till then what is irrevocable can be put on record first.
 *
 * Sweeps go by time and imports came in order, so that neighbours often go together: each block is
 * read and written once for all of its slots.
 */

/*
 * Erased blocks that are punched out together: that takes as long as a sync, however many there are.
 * Nor are more remembered, if they lie apart: to punch them only saves space.
 */
#define VAULT_PUNCH_BLOCKS 256

/**
 * struct vault_doomed
 * @uids:   in no order, perhaps twice
 * @erased: runs of blocks that held no key any more
 * @n_blocks: in them
 */
struct vault_doomed {
	uint64_t *uids;
	size_t n;
	size_t n_max;
	struct {
		uint64_t first;
		uint64_t n;
	} erased[VAULT_PUNCH_BLOCKS];
	size_t n_erased;
	uint64_t n_blocks;
};

void vault_doomed_done(struct vault_doomed *doomed);

must_check int vault_doomed_add(struct vault_doomed *doomed, uint64_t uid); /* 0 or -ENOMEM */
void vault_doomed_remove(struct vault_doomed *doomed, uint64_t uid); /* it is given a new key */
bool vault_doomed_has(const struct vault_doomed *doomed, uint64_t uid);

/*
 * Overwrites the slots with zeros, whatever they have, but none behind the end of the file: that would
 * make it longer. Not synced. Return: 0 or a negative errno.
 */
must_check int vault_doomed_overwrite(struct vault_doomed *doomed, int fd);

/*
 * Gives the space of erased blocks back. Only after the zeros are on disk: a block that is punched
 * out before keeps the old keys on the medium. A block that got a new key since, at the end of the
 * file, stays. Any failure leaves blocks of zeros, so it is no failure.
 */
void vault_doomed_punch(struct vault_doomed *doomed, int fd);

#endif
