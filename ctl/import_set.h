/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_IMPORT_SET_H
#define RETENTIOND_CTL_IMPORT_SET_H

#include "ctl/import_fault.h"
#include "ctl/import_row.h"

/**
 * struct import_entry - a row that has been accepted
 * @where:    in which file, and where there
 * @offset, @len: its bytes in the set's writer: an item of account.import
 * @n_values: in those bytes
 * @key:      its organization and id in the set's keys
 */
struct import_entry {
	struct import_where where;
	size_t offset;
	size_t key;
	uint32_t len;
	uint32_t n_values;
};

/**
 * struct import_set - every row of every file, packed; about 400 bytes for a user
 * @default_org, @default_kind: for rows that have none; empty if rows must have them
 * @faults: what is wrong so far
 */
struct import_set {
	struct slice default_org;
	struct slice default_kind;
	struct import_faults faults;
	struct pack_writer packed;
	struct import_entry *entries;
	size_t n;
	size_t size;
	char *keys; /* "org\0id\0" of each row, to find the same account twice */
	size_t keys_len;
	size_t keys_size;
	uint32_t *places; /* open hash table of entry numbers plus one */
	size_t n_places;
};

void import_set_init(struct import_set *set);
void import_set_done(struct import_set *set);

/**
 * import_set_add() - take a row that a reader has filled
 * @row:   gets the defaults
 * @where: kept; the file's name is borrowed
 *
 * What is wrong with it is added to the set's faults.
 *
 * Return: 0 or -ENOMEM.
 */
must_check int import_set_add(struct import_set *set, struct import_row *row,
			      const struct import_where *where);

#endif
