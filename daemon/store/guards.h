/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_STORE_GUARDS_H
#define RETENTIOND_STORE_GUARDS_H

#include "common/base.h"

#include "daemon/store/kv.h"
#include "daemon/store/rows.h"

/*
 * The mass guards of all organizations, in memory. Like the account rows they are a projection of the
 * ledger: each has a row, written when what is older in the ledger needs no replay any more, or with
 * the commit in which something was held back or decided.
 */

enum {
	GUARDS_E_CORRUPT = 1, /* a row cannot be read */
};

/* @row as it is; @changed: since it was written. */
struct guard_slot {
	struct guard_row row;
	bool changed;
};

/**
 * struct guards
 * @slots:   by number of the organization, the first is number 1; owned
 * @urgent:  what has changed must be written with the next commit: the ledger alone does not tell it
 */
struct guards {
	struct guard_slot *slots;
	uint32_t n;
	bool urgent;
};

/*
 * Up to the ledger's last entry @head_seq. Return: 0, GUARDS_E_CORRUPT (a row of an organization or of an
 * entry that is not there too), or a negative errno.
 */
must_check int guards_load(struct guards *guards, struct kv_txn *txn, uint32_t n_orgs,
			   uint64_t head_seq);
void guards_done(struct guards *guards);

/* Room for organizations up to a number; new ones have counted nothing. Return: 0 or -ENOMEM. */
must_check int guards_ensure(struct guards *guards, uint32_t n_orgs);

struct guard_slot *guards_slot(const struct guards *guards, uint32_t org);

/* What an entry of the ledger adds; one that the row reckons with adds nothing. */
void guards_take(struct guards *guards, const struct entry *entry);

/* Writes what has changed, as of the ledger's entry @seq. */
void guards_put(struct guards *guards, struct kv_txn *txn, uint64_t seq);

#endif
