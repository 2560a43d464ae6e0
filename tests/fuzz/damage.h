/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_FUZZ_DAMAGE_H
#define RETENTIOND_TESTS_FUZZ_DAMAGE_H

#include "daemon/store/kv.h"

#include "tests/fuzz/fuzz.h"

/**
 * damage_rows() - change, cut off, replace, delete and add rows of tables
 * @txn: a write transaction; its sticky error tells of a change that it did not take
 *
 * Each edit is, in the feed, the number of a table, of a row in it, what is done, and what with. They
 * end with the feed, or after enough.
 *
 * Return: whether anything was done to the meta table.
 */
bool damage_rows(struct kv_txn *txn, struct feed *feed);

#endif
