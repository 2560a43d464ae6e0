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
 * @settled:    the row in the tables, or NULL
 * @settling:   what the round under way makes of that; NULL while it is @account
 * @oldest_seq: of the first change that no round has taken
 * @links:      in the orders in which the row's key is one that the tables may lack, else NULL
 */
struct node {
	struct account account;
	struct account *settled;
	struct account *settling;
	uint64_t oldest_seq;
	TAILQ_ENTRY(node) queue; /* those of the round first */
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
	uint64_t round_seq;
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

static void free_node(struct node *node)
{
	free(node->settled);
	free(node->settling);
	free(node);
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
		free_node(node);
	}
	while ((links = SLIST_FIRST(&overlay->blocks))) {
		SLIST_REMOVE_HEAD(&overlay->blocks, next);
		free(links);
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
static void relink_key(struct overlay *overlay, struct node *node, enum index index)
{
	struct link link;
	struct key key;
	bool stands =
		index_key(index, &node->account, &key) && !is_settled(overlay, node, index, &key);

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

static void relink(struct overlay *overlay, struct node *node)
{
	for (enum index i = 0; i < _INDEX_MAX; ++i) {
		relink_key(overlay, node, i);
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

int overlay_put(struct overlay *overlay, const struct account *account,
		const struct account *settled)
{
	struct node *node = find(overlay, account->uid);
	int r = ensure_links(overlay);

	if (r == 0) {
		r = node ? keep_settling(overlay, node, account->last_seq)
			 : add(overlay, account, settled, &node);
	}
	if (r < 0) {
		return r;
	}
	node->account = *account;
	relink(overlay, node);
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

int overlay_walk_round(const struct overlay *overlay, overlay_round_fn *take, void *userdata)
{
	const struct node *node;
	int r = 0;

	TAILQ_FOREACH(node, &overlay->queue, queue) {
		if (!is_in_round(overlay, node) || r < 0) {
			break;
		}
		r = take(userdata, node->settled, settling(node));
	}
	return r;
}

static void drop(struct overlay *overlay, struct node *node)
{
	for (enum index i = 0; i < _INDEX_MAX; ++i) {
		unlink_key(overlay, node, i);
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
	relink(overlay, node);
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
