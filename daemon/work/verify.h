/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_WORK_VERIFY_H
#define RETENTIOND_WORK_VERIFY_H

#include "common/base.h"
#include "common/instant.h"

#include "daemon/store/store.h"

/*
 * Proof of a stretch of the ledger: that each entry is the one that was written, and that the rows
 * of the accounts are what their entries lead to. Whoever follows the stretches to the head has
 * proven all of it.
 */

/**
 * struct verification - what a stretch comes to
 * @seq:     the last entry proven, or the one at fault
 * @n:       entries proven
 * @n_reads: entries read for it
 * @fault:   NULL while it is whole; static
 * @hash:    of the last entry proven
 */
struct verification {
	uint64_t seq;
	uint32_t n;
	uint32_t n_reads;
	const char *fault;
	uint8_t hash[ROWS_DIGEST_LEN];
};

/**
 * verify_stretch() - prove entries from a number on
 * @from:    1 to the head's number
 * @n_max:   entries at most; fewer when their accounts have long histories, but one always
 * @now:     no entry of an account that is forgotten can be younger than a tombstone's time
 *
 * Return: 0 or a negative errno.
 */
must_check int verify_stretch(struct store *store, uint64_t from, uint32_t n_max, instant_t now,
			      struct verification *ret_verification);

#endif
