/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/order.h"

#include <errno.h>

#define BLOCK_MAX 64 /* searched in six steps; half of it is moved in an insertion */

struct place {
	struct order_key key;
	void *to;
};

struct order_block {
	uint32_t n; /* at least 1 */
	struct place places[BLOCK_MAX];
};

/* The key of the first part is zeros: nothing is before it. */
struct order_part {
	struct order_key key;
	struct order_block *block;
};

void order_done(struct order *order)
{
	for (uint32_t i = 0; i < order->n_parts; ++i) {
		free(order->parts[i].block);
	}
	free(order->parts);
	free(order->spare);
	*order = (struct order){0};
}

int order_reserve(struct order *order)
{
	if (!order->spare) {
		order->spare = malloc(sizeof(*order->spare));
		if (!order->spare) {
			return -ENOMEM;
		}
	}
	if (order->n_parts == order->n_parts_room) {
		uint32_t n_room = MAX(2 * order->n_parts_room, UINT32_C(16));
		struct order_part *parts = reallocarray(order->parts, n_room, sizeof(*parts));

		if (!parts) {
			return -ENOMEM;
		}
		order->parts = parts;
		order->n_parts_room = n_room;
	}
	return 0;
}

static bool is_after(const struct order_key *a, const struct order_key *b)
{
	for (size_t i = 0; i < ORDER_WORDS; i++) {
		if (a->words[i] != b->words[i]) {
			return a->words[i] > b->words[i];
		}
	}
	return false;
}

/* The part in which the key stands, or would: the last that does not begin behind it. */
static uint32_t find_part(const struct order *order, const struct order_key *key)
{
	uint32_t low = 0, high = order->n_parts;

	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;

		if (is_after(&order->parts[middle].key, key)) {
			high = middle;
		} else {
			low = middle;
		}
	}
	return low;
}

/* How many keys of the block are not behind this one. */
static uint32_t find_place(const struct order_block *block, const struct order_key *key)
{
	uint32_t low = 0, high = block->n;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (is_after(&block->places[middle].key, key)) {
			high = middle;
		} else {
			low = middle + 1;
		}
	}
	return low;
}

static struct order_block *add_part(struct order *order, uint32_t at, const struct order_key *key)
{
	struct order_part *part = &order->parts[at];

	assert(order->spare);
	assert(order->n_parts < order->n_parts_room);
	memmove(part + 1, part, (order->n_parts - at) * sizeof(*part));
	order->n_parts++;
	*part = (struct order_part){*key, TAKE_PTR(order->spare)};
	part->block->n = 0;
	return part->block;
}

/* Behind all others nothing moves: keys that come in their order fill their blocks. */
static void split(struct order *order, uint32_t at, const struct order_key *key)
{
	struct order_block *block = order->parts[at].block, *next;
	uint32_t n_kept = BLOCK_MAX / 2;

	if (at == order->n_parts - 1 && find_place(block, key) == BLOCK_MAX) {
		(void)add_part(order, at + 1, key); /* empty until the key is in it */
		return;
	}
	next = add_part(order, at + 1, &block->places[n_kept].key);
	next->n = BLOCK_MAX - n_kept;
	memcpy(next->places, block->places + n_kept, next->n * sizeof(struct place));
	block->n = n_kept;
}

void order_insert(struct order *order, const struct order_key *key, void *to)
{
	struct order_block *block;
	uint32_t at;

	if (order->n_parts == 0) {
		(void)add_part(order, 0, &(struct order_key){0}); /* as in split() */
	}
	at = find_part(order, key);
	if (order->parts[at].block->n == BLOCK_MAX) {
		split(order, at, key);
		at = find_part(order, key);
	}
	block = order->parts[at].block;
	at = find_place(block, key);
	memmove(block->places + at + 1, block->places + at, (block->n - at) * sizeof(struct place));
	block->places[at] = (struct place){*key, to};
	block->n++;
}

static void drop_part(struct order *order, uint32_t at)
{
	struct order_part *part = &order->parts[at];

	free(part->block);
	order->n_parts--;
	memmove(part, part + 1, (order->n_parts - at) * sizeof(*part));
	if (at == 0 && order->n_parts > 0) {
		part->key = (struct order_key){0};
	}
}

void order_remove(struct order *order, const struct order_key *key)
{
	uint32_t part = find_part(order, key), at;
	struct order_block *block;

	assert(order->n_parts > 0);
	block = order->parts[part].block;
	at = find_place(block, key);
	assert(at > 0);
	assert(!is_after(key, &block->places[at - 1].key));
	memmove(block->places + at - 1, block->places + at, (block->n - at) * sizeof(struct place));
	if (--block->n == 0) {
		drop_part(order, part);
	}
}

void *order_next(const struct order *order, const struct order_key *after)
{
	const struct order_block *block;
	uint32_t part, at;

	if (order->n_parts == 0) {
		return NULL;
	}
	part = find_part(order, after);
	block = order->parts[part].block;
	at = find_place(block, after);
	if (at < block->n) {
		return block->places[at].to;
	}
	return part + 1 < order->n_parts ? order->parts[part + 1].block->places[0].to : NULL;
}
