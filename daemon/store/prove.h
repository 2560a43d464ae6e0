/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_STORE_PROVE_H
#define RETENTIOND_STORE_PROVE_H

#include "common/base.h"

#include "daemon/store/schema.h"
#include "daemon/store/store.h"

/*
 * Whether the parts of a store say the same, on a running daemon and a slice at a time: accounts,
 * keys, profiles, indexes in both directions, the removal register. That the accounts are what the
 * ledger says is proven by work/verify.c.
 */

enum store_part { STORE_PART_ACCOUNTS, STORE_PART_INDEXES, STORE_PART_REGISTER, _STORE_PART_MAX };

const char *store_part_name(enum store_part part); /* "accounts"; static */

/**
 * struct store_place - how far a proof has come; zeros to begin
 * @index: of the indexes
 * @key:   the last one looked at; of the accounts their uid, of the register a number
 */
struct store_place {
	enum store_part part;
	uint8_t index;
	struct key key;
};

/**
 * struct store_proof - what a slice comes to
 * @n:     accounts, keys or records looked at
 * @fault: NULL while all is well; static
 * @uid:   whom it is about
 * @n_started, @n_completed: removals that accounts have, or that the register has of accounts that
 *         are known
 * @more:  there is something behind the place
 */
struct store_proof {
	uint32_t n;
	const char *fault;
	uint64_t uid;
	uint64_t n_started;
	uint64_t n_completed;
	bool more;
};

/**
 * store_prove() - the next slice, of one part; ends at a fault
 * @place: moved on, to the next part at the end of one
 *
 * Return: 0 or a negative errno.
 */
must_check int store_prove(struct store *store, struct store_place *place, uint32_t n_max,
			   struct store_proof *ret_proof);

#endif
