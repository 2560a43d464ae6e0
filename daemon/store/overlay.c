/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/overlay.h"

#include <bsd/sys/tree.h>
#include <errno.h>
#include <sys/queue.h>

#define WORDS       4    /* of the longest index key, filled up with zeros */
#define SLOTS_BEGIN 64   /* a power of two, as every number of slots */
#define LINKS_EACH  1024 /* made at a time */

struct node;

/*
 * A key's place in one order. As numbers its words compare faster than its bytes. Links lie close
 * together, apart from their rows: most of a search is waiting for memory.
 */
struct link {
	RB_ENTRY(link) tree;
	union {
		struct node *node;
		struct link *next_free;
	};
	uint64_t words[WORDS];
};
static_assert(4 + ROWS_HASH_LEN + 8 <= WORDS * 8, "the longest index key");

/*
 * @settled: the row in the tables; its uid is 0 if there is none
 * @links:   in the orders in which the row's key is one that the tables do not have, else NULL
 */
struct node {
	struct account account;
	struct account settled;
	uint64_t oldest_seq;
	TAILQ_ENTRY(node) queue; /* by oldest_seq: rows come in the ledger's order */
	struct link *links[_INDEX_MAX];
};

struct links {
	SLIST_ENTRY(links) next;
	struct link links[LINKS_EACH];
};

RB_HEAD(tree, link);
TAILQ_HEAD(queue, node);
SLIST_HEAD(blocks, links);

/*
 * @blocks, @free: all links that were made, and those in no order; kept for the next rows
 * @slots:   by uid: a row stands in the slot of its hash, or behind it where the first empty one is
 * @round:   uids of the round, in their order; those before @round_at have been taken
 */
struct overlay {
	struct blocks blocks;
	struct link *free;
	struct node **slots;
	uint32_t n_slots;
	uint32_t n_rows;
	size_t n_links;
	size_t n_linked;
	struct tree trees[_INDEX_MAX];
	struct queue queue;
	uint64_t *round;
	uint32_t n_round;
	uint32_t round_at;
};

static int link_compare(const struct link *a, const struct link *b)
{
	for (size_t i = 0; i < WORDS; i++) {
		if (a->words[i] != b->words[i]) {
			return a->words[i] < b->words[i] ? -1 : 1;
		}
	}
	return 0;
}

RB_GENERATE_INTERNAL(tree, link, tree, link_compare, static unused)

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
	for (enum index i = 0; i < _INDEX_MAX; ++i) {
		RB_INIT(&overlay->trees[i]);
	}
	TAILQ_INIT(&overlay->queue);
	*ret_overlay = overlay;
	return 0;
}

struct overlay *overlay_free(struct overlay *overlay)
{
	struct links *links;
	struct node *node;

	if (!overlay) {
		return NULL;
	}
	while ((node = TAILQ_FIRST(&overlay->queue))) {
		TAILQ_REMOVE(&overlay->queue, node, queue);
		free(node);
	}
	while ((links = SLIST_FIRST(&overlay->blocks))) {
		SLIST_REMOVE_HEAD(&overlay->blocks, next);
		free(links);
	}
	free(overlay->slots);
	free(overlay->round);
	free(overlay);
	return NULL;
}

uint32_t overlay_n_rows(const struct overlay *overlay)
{
	return overlay->n_rows;
}

uint64_t overlay_oldest_seq(const struct overlay *overlay)
{
	const struct node *node = TAILQ_FIRST(&overlay->queue);

	return node ? node->oldest_seq : 0;
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

static void set_words(struct link *link, const struct key *key)
{
	uint8_t bytes[WORDS * 8] = {0};

	memcpy(bytes, key->bytes, key->len);
	for (size_t i = 0; i < WORDS; i++) {
		link->words[i] = load_be64(bytes + i * 8);
	}
}

/* So many that a row never lacks one. */
static int ensure_links(struct overlay *overlay)
{
	struct links *links;

	if (overlay->n_links - overlay->n_linked >= _INDEX_MAX) {
		return 0;
	}
	links = malloc(sizeof(*links));
	if (!links) {
		return -ENOMEM;
	}
	SLIST_INSERT_HEAD(&overlay->blocks, links, next);
	for (size_t i = LINKS_EACH; i-- > 0;) {
		links->links[i].next_free = overlay->free;
		overlay->free = &links->links[i];
	}
	overlay->n_links += LINKS_EACH;
	return 0;
}

static void unlink_key(struct overlay *overlay, struct node *node, enum index index)
{
	struct link *link = TAKE_PTR(node->links[index]);

	if (link) {
		(void)RB_REMOVE(tree, &overlay->trees[index], link); /* the link itself */
		link->next_free = overlay->free;
		overlay->free = link;
		overlay->n_linked--;
	}
}

static void link_key(struct overlay *overlay, struct node *node, enum index index,
		     const uint64_t words[static WORDS])
{
	struct link *link = overlay->free, *twin;

	assert(link);
	overlay->free = link->next_free;
	overlay->n_linked++;
	link->node = node;
	memcpy(link->words, words, sizeof(link->words));
	twin = RB_INSERT(tree, &overlay->trees[index], link);
	assert(!twin); /* every key ends in the uid */
	node->links[index] = link;
}

/* Whether the tables have the row's key. */
static bool is_settled(const struct node *node, enum index index, const struct key *key)
{
	struct key settled;

	return node->settled.uid != 0 && index_key(index, &node->settled, &settled) &&
	       slice_equal(key_slice(&settled), key_slice(key));
}

/* Keys that did not change stay where they are: most changes touch one order of six. */
static void relink_key(struct overlay *overlay, struct node *node, enum index index)
{
	struct link link;
	struct key key;
	bool stands = index_key(index, &node->account, &key) && !is_settled(node, index, &key);

	if (stands) {
		set_words(&link, &key);
	}
	if (stands && node->links[index] && link_compare(&link, node->links[index]) == 0) {
		return;
	}
	unlink_key(overlay, node, index);
	if (stands) {
		link_key(overlay, node, index, link.words);
	}
}

static struct node *add(struct overlay *overlay, uint64_t uid, uint64_t seq,
			const struct account *settled)
{
	struct node *node;

	if (ensure_slot(overlay) < 0) {
		return NULL;
	}
	node = calloc(1, sizeof(*node));
	if (!node) {
		return NULL;
	}
	if (settled) {
		node->settled = *settled;
	}
	node->account.uid = uid;
	node->oldest_seq = seq;
	TAILQ_INSERT_TAIL(&overlay->queue, node, queue);
	overlay->slots[find_slot(overlay, uid)] = node;
	overlay->n_rows++;
	return node;
}

int overlay_put(struct overlay *overlay, const struct account *account,
		const struct account *settled)
{
	struct node *node = find(overlay, account->uid);

	if (ensure_links(overlay) < 0) {
		return -ENOMEM;
	}
	if (!node) {
		node = add(overlay, account->uid, account->last_seq, settled);
	}
	if (!node) {
		return -ENOMEM;
	}
	node->account = *account;
	for (enum index i = 0; i < _INDEX_MAX; ++i) {
		relink_key(overlay, node, i);
	}
	return 0;
}

const struct account *overlay_next(const struct overlay *overlay, enum index index,
				   const struct key *after, struct key *ret_key)
{
	/* The generated functions only read the tree here, but do not say so in their types. */
	struct tree *tree = (struct tree *)&overlay->trees[index];
	struct link probe, *link;
	bool stands;

	set_words(&probe, after);
	link = RB_NFIND(tree, tree, &probe);
	if (link && link_compare(link, &probe) == 0) {
		link = RB_NEXT(tree, tree, link);
	}
	if (!link) {
		return NULL;
	}
	stands = index_key(index, &link->node->account, ret_key);
	assert(stands);
	return &link->node->account;
}

/* Taking */

static void drop(struct overlay *overlay, struct node *node)
{
	for (enum index i = 0; i < _INDEX_MAX; ++i) {
		unlink_key(overlay, node, i);
	}
	empty_slot(overlay, node->account.uid);
	TAILQ_REMOVE(&overlay->queue, node, queue);
	overlay->n_rows--;
	free(node);
}

static int compare_uids(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int begin_round(struct overlay *overlay)
{
	uint64_t *round = reallocarray(overlay->round, MAX(overlay->n_rows, 1u), sizeof(*round));
	const struct node *node;

	if (!round) {
		return -ENOMEM;
	}
	overlay->round = round;
	overlay->n_round = 0;
	overlay->round_at = 0;
	TAILQ_FOREACH(node, &overlay->queue, queue) {
		round[overlay->n_round++] = node->account.uid;
	}
	qsort(round, overlay->n_round, sizeof(*round), compare_uids);
	return 0;
}

int overlay_take(struct overlay *overlay, struct account *rows, uint32_t n_max)
{
	uint32_t n = 0;

	if (overlay->round_at == overlay->n_round && begin_round(overlay) < 0) {
		return -ENOMEM;
	}
	while (n < n_max && overlay->round_at < overlay->n_round) {
		struct node *node = find(overlay, overlay->round[overlay->round_at++]);

		assert(node); /* rows go in no other way */
		rows[n++] = node->account;
		drop(overlay, node);
	}
	return (int)n;
}
