/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_STORE_OVERLAY_H
#define RETENTIOND_STORE_OVERLAY_H

#include "common/base.h"

#include "daemon/store/index.h"
#include "daemon/store/rows.h"
#include "daemon/store/schema.h"

/*
 * Account rows that are in the ledger but not yet in their tables. A row here hides the one of the
 * same uid there. In the orders stand only keys that the tables do not have: a key of a table
 * leads to the row here when the row has that very key, and to nothing when it has another.
 */

struct overlay;

must_check int overlay_new(struct overlay **ret_overlay); /* 0 or -ENOMEM */
struct overlay *overlay_free(struct overlay *overlay);

uint32_t overlay_n_rows(const struct overlay *overlay);

/* The ledger number of the oldest change that only the overlay holds; 0 if it is empty. */
uint64_t overlay_oldest_seq(const struct overlay *overlay);

/* NULL if the row is not here. Valid until the row is put or taken. */
const struct account *overlay_get(const struct overlay *overlay, uint64_t uid);

/**
 * overlay_put() - add a row or replace it
 * @settled: the row in the tables, or NULL; only looked at when the row is not here yet
 *
 * Return: 0 or -ENOMEM.
 */
must_check int overlay_put(struct overlay *overlay, const struct account *account,
			   const struct account *settled);

/**
 * overlay_next() - the first key behind another in one order that the tables do not have
 * @after: any key of that index
 *
 * Return: its row, or NULL after the last.
 */
const struct account *overlay_next(const struct overlay *overlay, enum index index,
				   const struct key *after, struct key *ret_key);

/**
 * overlay_take() - take rows out, in rounds; in a round in the order of their uids
 * @rows: the caller's room for @n_max
 *
 * A round is of all the rows that are here when it begins, so that every row has its turn however
 * fast others come, and rows that are close in the tables are taken together.
 *
 * Return: how many rows were taken; 0 if there are none, or -ENOMEM.
 */
must_check int overlay_take(struct overlay *overlay, struct account *rows, uint32_t n_max);

#endif
