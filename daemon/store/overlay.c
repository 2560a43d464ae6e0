/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/overlay.h"

#include <bsd/sys/tree.h>
#include <errno.h>
#include <sys/queue.h>

struct node;

/* A row's place in one order. */
struct link {
	RB_ENTRY(link) tree;
	struct node *node;
	uint8_t len;
	uint8_t bytes[28];
};
static_assert(4 + ROWS_HASH_LEN + 8 == 28, "the longest index key");

struct node {
	struct account account;
	uint64_t oldest_seq;
	TAILQ_ENTRY(node) queue; /* by oldest_seq: rows come in the ledger's order */
	bool linked[_INDEX_MAX];
	struct link links[_INDEX_MAX];
};

RB_HEAD(tree, link);
TAILQ_HEAD(queue, node);

struct overlay {
	struct tree trees[_INDEX_MAX];
	struct queue queue;
	uint32_t n_rows;
	uint64_t taken_uid; /* where overlay_take() stopped */
};

static int link_compare(const struct link *a, const struct link *b)
{
	int r = memcmp(a->bytes, b->bytes, MIN(a->len, b->len));

	return r != 0 ? r : (int)a->len - (int)b->len;
}

RB_GENERATE_INTERNAL(tree, link, tree, link_compare, static unused)

int overlay_new(struct overlay **ret_overlay)
{
	struct overlay *overlay = calloc(1, sizeof(*overlay));

	if (!overlay) {
		return -ENOMEM;
	}
	for (enum index i = 0; i < _INDEX_MAX; ++i) {
		RB_INIT(&overlay->trees[i]);
	}
	TAILQ_INIT(&overlay->queue);
	*ret_overlay = overlay;
	return 0;
}

struct overlay *overlay_free(struct overlay *overlay)
{
	struct node *node;

	if (!overlay) {
		return NULL;
	}
	while ((node = TAILQ_FIRST(&overlay->queue))) {
		TAILQ_REMOVE(&overlay->queue, node, queue);
		free(node);
	}
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

static void link_set_key(struct link *link, struct slice key)
{
	assert(key.len <= sizeof(link->bytes));
	memcpy(link->bytes, key.data, key.len);
	link->len = (uint8_t)key.len;
}

/* The generated functions only read the tree here, but do not say so in their types. */
static struct tree *overlay_tree(const struct overlay *overlay, enum index index)
{
	return (struct tree *)&overlay->trees[index];
}

static struct node *overlay_find(const struct overlay *overlay, uint64_t uid)
{
	struct link probe = {.len = 8};
	struct link *found;

	store_be64(probe.bytes, uid);
	found = RB_FIND(tree, overlay_tree(overlay, INDEX_UID), &probe);
	return found ? found->node : NULL;
}

const struct account *overlay_get(const struct overlay *overlay, uint64_t uid)
{
	const struct node *node = overlay_find(overlay, uid);

	return node ? &node->account : NULL;
}

static void overlay_unlink(struct overlay *overlay, struct node *node, enum index index)
{
	if (node->linked[index]) {
		(void)RB_REMOVE(tree, &overlay->trees[index],
				&node->links[index]); /* the link itself */
		node->linked[index] = false;
	}
}

/* Keys that did not change stay where they are: most changes touch one order of five. */
static void overlay_relink(struct overlay *overlay, struct node *node, enum index index)
{
	struct link *link = &node->links[index];
	struct key key;
	bool stands = index_key(index, &node->account, &key);

	if (stands && node->linked[index] &&
	    slice_equal(key_slice(&key), (struct slice){(char *)link->bytes, link->len})) {
		return;
	}
	overlay_unlink(overlay, node, index);
	if (stands) {
		link->node = node;
		link_set_key(link, key_slice(&key));
		struct link *twin = RB_INSERT(tree, &overlay->trees[index], link);
		assert(!twin); /* every key ends in the uid */
		node->linked[index] = true;
	}
}

int overlay_put(struct overlay *overlay, const struct account *account)
{
	struct node *node = overlay_find(overlay, account->uid);

	if (!node) {
		node = calloc(1, sizeof(*node));
		if (!node) {
			return -ENOMEM;
		}
		node->oldest_seq = account->last_seq;
		TAILQ_INSERT_TAIL(&overlay->queue, node, queue);
		++overlay->n_rows;
	}
	node->account = *account;
	for (enum index i = 0; i < _INDEX_MAX; ++i) {
		overlay_relink(overlay, node, i);
	}
	return 0;
}

static struct link *overlay_after(const struct overlay *overlay, enum index index,
				  struct slice after)
{
	struct tree *tree = overlay_tree(overlay, index);
	struct link probe = {0};
	struct link *link;

	if (after.len == 0) {
		return RB_MIN(tree, tree);
	}
	link_set_key(&probe, after);
	link = RB_NFIND(tree, tree, &probe);
	if (link && link_compare(link, &probe) == 0) {
		link = RB_NEXT(tree, tree, link);
	}
	return link;
}

const struct account *overlay_next(const struct overlay *overlay, enum index index,
				   struct slice after, struct slice *ret_key)
{
	const struct link *link = overlay_after(overlay, index, after);

	if (!link) {
		return NULL;
	}
	*ret_key = (struct slice){(const char *)link->bytes, link->len};
	return &link->node->account;
}

static void overlay_drop(struct overlay *overlay, struct node *node)
{
	for (enum index i = 0; i < _INDEX_MAX; ++i) {
		overlay_unlink(overlay, node, i);
	}
	TAILQ_REMOVE(&overlay->queue, node, queue);
	--overlay->n_rows;
	free(node);
}

uint32_t overlay_take(struct overlay *overlay, struct account *rows, uint32_t n_max)
{
	uint32_t n = 0;

	while (n < n_max && overlay->n_rows > 0) {
		struct key after = key_u64(overlay->taken_uid);
		struct link *link = overlay_after(overlay, INDEX_UID, key_slice(&after));

		if (!link) {
			if (n > 0) {
				break; /* the end of a round ends the slice: it stays sorted */
			}
			overlay->taken_uid = 0;
			continue;
		}
		rows[n++] = link->node->account;
		overlay->taken_uid = link->node->account.uid;
		overlay_drop(overlay, link->node);
	}
	return n;
}
