/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_CRASH_PICTURE_H
#define RETENTIOND_TESTS_CRASH_PICTURE_H

#include "common/base.h"

#include "daemon/work/engine.h"

/*
 * What a store holds, in short: equal pictures are equal stores, whatever of it is settled, in the
 * journal or in the data file.
 */

#define PICTURE_UIDS_MAX 1023
#define PICTURE_HASH_LEN 16

/**
 * struct picture
 * @now:     trusted time when it was taken
 * @whole:   of every row of every table, every account, the counts, the mass guards and the key of
 *          the receipts
 * @n_uids:  ever given
 * @rows:    of the account with that uid; zeros if there is none
 * @removing: its removal has started
 * @removed: its removal is complete
 */
struct picture {
	instant_t now;
	struct ledger_head head;
	uint8_t whole[PICTURE_HASH_LEN];
	uint64_t n_uids;
	uint8_t rows[PICTURE_UIDS_MAX + 1][PICTURE_HASH_LEN];
	bool removing[PICTURE_UIDS_MAX + 1];
	bool removed[PICTURE_UIDS_MAX + 1];
};

/* Between two turns. What fails ends the program. */
void picture_take(struct engine *engine, struct picture *ret_picture);

#endif
