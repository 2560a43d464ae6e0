/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_STORE_OVERLAY_H
#define RETENTIOND_STORE_OVERLAY_H

#include "common/base.h"

#include "daemon/store/index.h"
#include "daemon/store/rows.h"
#include "daemon/store/schema.h"

/*
 * Account rows that are in the ledger but not yet in their tables, in the same orders as the
 * tables have. A row here hides the one of the same uid there.
 */

struct overlay;

must_check int overlay_new(struct overlay **ret_overlay); /* 0 or -ENOMEM */
struct overlay *overlay_free(struct overlay *overlay);

uint32_t overlay_n_rows(const struct overlay *overlay);

/* The ledger number of the oldest change that only the overlay holds; 0 if it is empty. */
uint64_t overlay_oldest_seq(const struct overlay *overlay);

/* NULL if the row is not here. Valid until the row is put or taken. */
const struct account *overlay_get(const struct overlay *overlay, uint64_t uid);

/* Adds a row or replaces it. Return: 0 or -ENOMEM. */
must_check int overlay_put(struct overlay *overlay, const struct account *account);

/**
 * overlay_next() - the first row behind a key in one order
 * @after:   any key of that index; of length 0 for the very first
 * @ret_key: the row's key; valid as long as the row
 *
 * Return: the row, or NULL after the last.
 */
const struct account *overlay_next(const struct overlay *overlay, enum index index,
				   struct slice after, struct slice *ret_key);

/**
 * overlay_take() - take rows out, in the order of their uids, going round
 * @rows: the caller's room for @n_max
 *
 * Each call goes on behind the last row of the call before, so that every row has its turn
 * however fast others come, and rows that are close in the tables are taken together.
 *
 * Return: how many rows were taken.
 */
uint32_t overlay_take(struct overlay *overlay, struct account *rows, uint32_t n_max);

#endif
