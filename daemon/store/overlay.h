/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_STORE_OVERLAY_H
#define RETENTIOND_STORE_OVERLAY_H

#include "common/base.h"

#include "daemon/store/index.h"
#include "daemon/store/rows.h"
#include "daemon/store/schema.h"

/*
 * Account rows that are in the ledger but not yet in their tables. A row here hides the one of the
 * same uid there: a key of a table leads to the row here when the row has that very key, and to
 * nothing when it has another. In the orders stand the keys that the tables lack, or may lack
 * while a round is under way.
 *
 * Rows leave in rounds. A round is of all rows that have changed up to a ledger number, as they
 * were then: however fast others come, each has its turn, and whoever replays the ledger up to
 * that number finds the same round. What happens to its rows meanwhile is for the next one.
 */

struct overlay;

must_check int overlay_new(struct overlay **ret_overlay); /* 0 or -ENOMEM */
struct overlay *overlay_free(struct overlay *overlay);

uint32_t overlay_n_rows(const struct overlay *overlay);

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
 * overlay_next() - the first key behind another in one order that the tables may lack
 * @after: any key of that index
 *
 * Return: its row, or NULL after the last.
 */
const struct account *overlay_next(const struct overlay *overlay, enum index index,
				   const struct key *after, struct key *ret_key);

/*
 * A round of the rows that have changed up to @seq, those included that are put later: by a replay.
 * One at a time. overlay_round_seq() is 0 while there is none.
 */
void overlay_begin_round(struct overlay *overlay, uint64_t seq);
uint64_t overlay_round_seq(const struct overlay *overlay);

/**
 * overlay_next_of_round() - the rows of the round, one after another in no order
 * @node:       where the walk is: NULL to begin and at the end. It goes on in a later turn as well, as
 *              long as no row of the round has been taken
 * @ret_before: the row that the tables have, or NULL; valid until rows are put or taken
 * @ret_after:  what the round makes of it; likewise
 *
 * Return: whether there was a further one.
 */
struct node;

must_check bool overlay_next_of_round(const struct overlay *overlay, const struct node **node,
				      const struct account **ret_before,
				      const struct account **ret_after);

/**
 * overlay_take() - a row of the round stands in its tables from now on, under all of its keys
 * @ret_account: what the round made of it
 * @ret_is_new:  the tables had no row of it before
 *
 * It is here no more, unless it has changed since.
 */
void overlay_take(struct overlay *overlay, uint64_t uid, struct account *ret_account,
		  bool *ret_is_new);

void overlay_end_round(struct overlay *overlay); /* every row of it has been taken */

#endif
