/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_STORE_ORGS_H
#define RETENTIOND_STORE_ORGS_H

#include "common/base.h"

#include "daemon/store/kv.h"
#include "daemon/store/rows.h"

/* The organizations, all in memory: there are few, and every command needs one. */

enum {
	ORGS_E_CORRUPT = 1, /* a row cannot be read, or a number is missing */
};

/**
 * struct orgs
 * @rows:  by number, the first is number 1; owned
 * @by_id: numbers in the order of their ids; owned
 */
struct orgs {
	struct org *rows;
	uint32_t *by_id;
	uint32_t n;
};

/* Return: 0, ORGS_E_CORRUPT, or a negative errno. */
must_check int orgs_load(struct orgs *orgs, struct kv_txn *txn);
void orgs_done(struct orgs *orgs);

const struct org *orgs_get(const struct orgs *orgs, uint32_t number);
const struct org *orgs_find(const struct orgs *orgs, struct slice id);

/* Adds one (number = n + 1) or replaces the one of that number. Return: 0 or -ENOMEM. */
must_check int orgs_put(struct orgs *orgs, const struct org *org);

#endif
