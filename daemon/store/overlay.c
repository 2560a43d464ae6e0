/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/overlay.h"

#include <errno.h>
#include <sys/queue.h>

#include "daemon/store/order.h"

#define SLOTS_BEGIN 64 /* a power of two, as every number of slots */

static_assert(4 + ROWS_HASH_LEN + 8 <= ORDER_WORDS * 8, "the longest index key");
static_assert(_INDEX_MAX <= 8, "a bit for each order");

/*
 * @settled:    the row in the tables, or NULL
 * @settling:   what the round under way makes of that; NULL while it is @account
 * @oldest_seq: of the first change that no round has taken
 * @linked:     bit by index: in these orders the key of @account stands, since the tables may lack it
 */
struct node {
	struct account account;
	struct account *settled;
	struct account *settling;
	uint64_t oldest_seq;
	TAILQ_ENTRY(node) queue; /* those of the round first */
	uint8_t linked;
};

TAILQ_HEAD(queue, node);

/*
 * @slots:   by uid: a row stands in the slot of its hash, or behind it where the first empty one is
 */
struct overlay {
	struct node **slots;
	uint32_t n_slots;
	uint32_t n_rows;
	struct order orders[_INDEX_MAX];
	struct queue queue;
	uint64_t round_seq;
};

int overlay_new(struct overlay **ret_overlay)
{
	struct overlay *overlay = calloc(1, sizeof(*overlay));

	if (!overlay) {
		return -ENOMEM;
	}
	overlay->slots = calloc(SLOTS_BEGIN, sizeof(struct node *));
	if (!overlay->slots) {
		free(overlay);
		return -ENOMEM;
	}
	overlay->n_slots = SLOTS_BEGIN;
	TAILQ_INIT(&overlay->queue);
	*ret_overlay = overlay;
	return 0;
}

static void free_node(struct node *node)
{
	free(node->settled);
	free(node->settling);
	free(node);
}

struct overlay *overlay_free(struct overlay *overlay)
{
	struct node *node;

	if (!overlay) {
		return NULL;
	}
	while ((node = TAILQ_FIRST(&overlay->queue))) {
		TAILQ_REMOVE(&overlay->queue, node, queue);
		free_node(node);
	}
	for (enum index i = 0; i < _INDEX_MAX; ++i) {
		order_done(&overlay->orders[i]);
	}
	free(overlay->slots);
	free(overlay);
	return NULL;
}

uint32_t overlay_n_rows(const struct overlay *overlay)
{
	return overlay->n_rows;
}

/* Rows by uid */

/* Uids are dense: multiplied by 2^64 divided by the golden ratio they spread over the slots. */
static uint32_t slot_of(const struct overlay *overlay, uint64_t uid)
{
	return (uint32_t)((uid * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (overlay->n_slots - 1);
}

static uint32_t slot_after(const struct overlay *overlay, uint32_t slot)
{
	return (slot + 1) & (overlay->n_slots - 1);
}

/* The slot in which the row stands, or would. */
static uint32_t find_slot(const struct overlay *overlay, uint64_t uid)
{
	uint32_t slot = slot_of(overlay, uid);

	while (overlay->slots[slot] && overlay->slots[slot]->account.uid != uid) {
		slot = slot_after(overlay, slot);
	}
	return slot;
}

static struct node *find(const struct overlay *overlay, uint64_t uid)
{
	return overlay->slots[find_slot(overlay, uid)];
}

const struct account *overlay_get(const struct overlay *overlay, uint64_t uid)
{
	const struct node *node = find(overlay, uid);

	return node ? &node->account : NULL;
}

/* At most half of the slots are taken: so a search ends soon. */
static int ensure_slot(struct overlay *overlay)
{
	struct node **slots;
	struct node *node;

	if (overlay->n_rows < overlay->n_slots / 2) {
		return 0;
	}
	slots = calloc((size_t)overlay->n_slots * 2, sizeof(struct node *));
	if (!slots) {
		return -ENOMEM;
	}
	free(overlay->slots);
	overlay->slots = slots;
	overlay->n_slots *= 2;
	TAILQ_FOREACH(node, &overlay->queue, queue) {
		overlay->slots[find_slot(overlay, node->account.uid)] = node;
	}
	return 0;
}

/* Rows that stand behind the empty slot because this one was taken move up. */
static void empty_slot(struct overlay *overlay, uint64_t uid)
{
	uint32_t empty = find_slot(overlay, uid);
	uint32_t slot = slot_after(overlay, empty);

	overlay->slots[empty] = NULL;
	for (; overlay->slots[slot]; slot = slot_after(overlay, slot)) {
		struct node *node = TAKE_PTR(overlay->slots[slot]);

		overlay->slots[find_slot(overlay, node->account.uid)] = node;
	}
}

/* Orders */

static struct order_key order_key(const struct key *key)
{
	uint8_t bytes[ORDER_WORDS * 8] = {0};
	struct order_key words;

	memcpy(bytes, key->bytes, key->len);
	for (size_t i = 0; i < ORDER_WORDS; i++) {
		words.words[i] = load_be64(bytes + i * 8);
	}
	return words;
}

static void link_key(struct overlay *overlay, struct node *node, enum index index,
		     const struct key *key)
{
	struct order_key words = order_key(key);

	order_insert(&overlay->orders[index], &words, node);
	node->linked |= (uint8_t)(1U << index);
}

static bool is_linked(const struct node *node, enum index index)
{
	return node->linked & 1U << index;
}

/* Its key is that of @account: what the row was when it was linked. */
static void unlink_key(struct overlay *overlay, struct node *node, enum index index,
		       const struct account *account)
{
	struct order_key words;
	struct key key;
	bool stood = index_key(index, account, &key);

	assert(stood);
	words = order_key(&key);
	order_remove(&overlay->orders[index], &words);
	node->linked &= (uint8_t) ~(1U << index);
}

static bool has_key(const struct account *account, enum index index, const struct key *key)
{
	struct key own;

	return account && index_key(index, account, &own) &&
	       slice_equal(key_slice(&own), key_slice(key));
}

static bool is_in_round(const struct overlay *overlay, const struct node *node)
{
	return node->oldest_seq <= overlay->round_seq;
}

/* What the round makes of a row that is in it. */
static const struct account *settling(const struct node *node)
{
	return node->settling ? node->settling : &node->account;
}

/* Whether the tables have the key however far the round is: it neither puts nor deletes it. */
static bool is_settled(const struct overlay *overlay, const struct node *node, enum index index,
		       const struct key *key)
{
	return has_key(node->settled, index, key) &&
	       (!is_in_round(overlay, node) || has_key(settling(node), index, key));
}

/* Keys that did not change stay where they are: most changes touch one order of six. */
static void relink_key(struct overlay *overlay, struct node *node, enum index index,
		       const struct account *before)
{
	struct key key;
	bool stands =
		index_key(index, &node->account, &key) && !is_settled(overlay, node, index, &key);

	if (is_linked(node, index)) {
		if (stands && has_key(before, index, &key)) {
			return;
		}
		unlink_key(overlay, node, index, before);
	}
	if (stands) {
		link_key(overlay, node, index, &key);
	}
}

static void relink(struct overlay *overlay, struct node *node, const struct account *before)
{
	for (enum index i = 0; i < _INDEX_MAX; ++i) {
		relink_key(overlay, node, i, before);
	}
}

/* Putting */

static int copy_account(const struct account *account, struct account **ret_copy)
{
	struct account *copy = malloc(sizeof(*copy));

	if (!copy) {
		return -ENOMEM;
	}
	*copy = *account;
	*ret_copy = copy;
	return 0;
}

static int add(struct overlay *overlay, const struct account *account,
	       const struct account *settled, struct node **ret_node)
{
	struct node *node;

	if (ensure_slot(overlay) < 0) {
		return -ENOMEM;
	}
	node = calloc(1, sizeof(*node));
	if (!node) {
		return -ENOMEM;
	}
	if (settled && copy_account(settled, &node->settled) < 0) {
		free_node(node);
		return -ENOMEM;
	}
	node->account.uid = account->uid;
	node->oldest_seq = account->last_seq;
	TAILQ_INSERT_TAIL(&overlay->queue, node, queue);
	overlay->slots[find_slot(overlay, account->uid)] = node;
	overlay->n_rows++;
	*ret_node = node;
	return 0;
}

/* A round goes on with the row as it was: what comes after its ledger number is for the next. */
static int keep_settling(struct overlay *overlay, struct node *node, uint64_t seq)
{
	if (seq <= overlay->round_seq || node->settling || !is_in_round(overlay, node)) {
		return 0;
	}
	return copy_account(&node->account, &node->settling);
}

/* So that a row never lacks a place in an order. */
static int reserve(struct overlay *overlay)
{
	int r = 0;

	for (enum index i = 0; i < _INDEX_MAX && r == 0; ++i) {
		r = order_reserve(&overlay->orders[i]);
	}
	return r;
}

int overlay_put(struct overlay *overlay, const struct account *account,
		const struct account *settled)
{
	struct node *node = find(overlay, account->uid);
	struct account before;
	int r = reserve(overlay);

	if (r == 0) {
		r = node ? keep_settling(overlay, node, account->last_seq)
			 : add(overlay, account, settled, &node);
	}
	if (r < 0) {
		return r;
	}
	before = node->account;
	node->account = *account;
	relink(overlay, node, &before);
	return 0;
}

const struct account *overlay_next(const struct overlay *overlay, enum index index,
				   const struct key *after, struct key *ret_key)
{
	struct order_key words = order_key(after);
	const struct node *node = order_next(&overlay->orders[index], &words);
	bool stands;

	if (!node) {
		return NULL;
	}
	stands = index_key(index, &node->account, ret_key);
	assert(stands);
	return &node->account;
}

/* Rounds */

void overlay_begin_round(struct overlay *overlay, uint64_t seq)
{
	assert(overlay->round_seq == 0);
	overlay->round_seq = seq;
}

uint64_t overlay_round_seq(const struct overlay *overlay)
{
	return overlay->round_seq;
}

bool overlay_next_of_round(const struct overlay *overlay, const struct node **node,
			   const struct account **ret_before, const struct account **ret_after)
{
	*node = *node ? TAILQ_NEXT(*node, queue) : TAILQ_FIRST(&overlay->queue);
	if (!*node || !is_in_round(overlay, *node)) {
		*node = NULL;
		return false;
	}
	*ret_before = (*node)->settled;
	*ret_after = settling(*node);
	return true;
}

static void drop(struct overlay *overlay, struct node *node)
{
	for (enum index i = 0; i < _INDEX_MAX; ++i) {
		if (is_linked(node, i)) {
			unlink_key(overlay, node, i, &node->account);
		}
	}
	empty_slot(overlay, node->account.uid);
	TAILQ_REMOVE(&overlay->queue, node, queue);
	overlay->n_rows--;
	free_node(node);
}

/* It has changed since: the next round begins where this one has brought it. */
static void leave_for_next(struct overlay *overlay, struct node *node)
{
	free(node->settled);
	node->settled = TAKE_PTR(node->settling);
	node->oldest_seq = node->account.last_seq;
	TAILQ_REMOVE(&overlay->queue, node, queue);
	TAILQ_INSERT_TAIL(&overlay->queue, node, queue);
	relink(overlay, node, &node->account); /* the tables have more keys of it now, none less */
}

void overlay_take(struct overlay *overlay, uint64_t uid, struct account *ret_account,
		  bool *ret_is_new)
{
	struct node *node = find(overlay, uid);

	assert(node);
	assert(is_in_round(overlay, node));
	*ret_account = *settling(node);
	*ret_is_new = !node->settled;
	if (node->settling) {
		leave_for_next(overlay, node);
	} else {
		drop(overlay, node);
	}
}

void overlay_end_round(struct overlay *overlay)
{
	const struct node *first = TAILQ_FIRST(&overlay->queue);

	assert(!first || !is_in_round(overlay, first)); /* every one was taken */
	overlay->round_seq = 0;
}
