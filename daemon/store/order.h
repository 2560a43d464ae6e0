/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_STORE_ORDER_H
#define RETENTIOND_STORE_ORDER_H

#include "common/base.h"

/*
 * Keys in their order, each with what it leads to, in blocks of neighbours: to find one among
 * 100 000 is a search through an array of the blocks and one block, a few cache lines where a
 * binary tree has one or two at each of its 17 levels.
 */

#define ORDER_WORDS 4

/* As numbers the words of a key compare faster than its bytes. */
struct order_key {
	uint64_t words[ORDER_WORDS];
};

struct order_block;
struct order_part;

/**
 * struct order - zeros are an empty one
 * @parts:    the blocks, in their order, each with a key that its own are not before
 * @spare:    the next new block
 */
struct order {
	struct order_part *parts;
	uint32_t n_parts;
	uint32_t n_parts_room;
	struct order_block *spare;
};

void order_done(struct order *order); /* frees what it holds */

/* Makes sure that the next insertion finds memory. Return: 0 or -ENOMEM. */
must_check int order_reserve(struct order *order);

/* A key that is not there yet; after order_reserve(). @to: borrowed, not NULL. */
void order_insert(struct order *order, const struct order_key *key, void *to);
void order_remove(struct order *order, const struct order_key *key); /* one that is there */

/* What the first key behind @after leads to, or NULL. */
void *order_next(const struct order *order, const struct order_key *after);

#endif
