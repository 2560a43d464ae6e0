/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_STORE_DATAFILE_H
#define RETENTIOND_STORE_DATAFILE_H

#include "common/base.h"

/* LMDB's data file, looked at before LMDB sees it. */

#define DATAFILE_NAME "data.mdb"

enum {
	DATAFILE_E_CORRUPT =
		1, /* missing, empty, of something else, or shorter than its header claims */
};

/**
 * datafile_check() - whether LMDB can open the data file of a directory
 *
 * LMDB would make a new store of an empty file, and die of SIGBUS in a truncated one. Only the two
 * headers are looked at, not the pages behind them.
 *
 * Return: 0, DATAFILE_E_CORRUPT, or a negative errno.
 */
must_check int datafile_check(int directory_fd);

#endif
