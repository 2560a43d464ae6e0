/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_STORE_INDEX_H
#define RETENTIOND_STORE_INDEX_H

#include "common/base.h"

#include "daemon/store/kv.h"
#include "daemon/store/rows.h"
#include "daemon/store/schema.h"

/*
 * The orders in which account rows are found. Each is a table whose keys follow from the row
 * alone and end in the uid, so that the tables and the overlay in memory are kept by the same
 * function.
 */
enum index {
	INDEX_UID,    /* KV_ACCOUNTS itself: every row */
	INDEX_ID,     /* every row, tombstones too: a receipt is found by the old name */
	INDEX_PERSON, /* all but tombstones */
	INDEX_UPN,    /* all but tombstones */
	INDEX_DUE,    /* rows that the clock will do something to */
	INDEX_OWED,   /* rows whose removal has started and waits for keepers */
	_INDEX_MAX
};

#define INDEX_KEY_LEN_MAX (4 + ROWS_HASH_LEN + 8)

enum kv_table index_table(enum index index);

/* The row's key in an index; false if it does not stand in it. */
bool index_key(enum index index, const struct account *account, struct key *ret_key);

#endif
