/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/crash/moments.h"

#include "tests/support/random.h"

#define BITS_ALL     10 /* so many sectors, names and sizes: every subset of them is tried */
#define CHANCES      48 /* subsets by chance, where there are more */
#define TORN_MAX     48 /* torn pages, where there are many */
#define PAGE_SECTORS (DISK_PAGE / DISK_SECTOR)

/*
 * @atoms: not on the disk for good yet
 * @masks: which of their sectors the image has
 * @images: of this moment so far
 */
struct walk {
	struct disk *disk;
	const struct image *of;
	moments_fn *take;
	void *userdata;
	uint64_t seed;
	struct atom *atoms;
	uint8_t *masks;
	size_t n;
	size_t n_max;
	uint64_t op;
	uint32_t n_images;
	int64_t acked;
	bool ended;
};

static uint8_t whole(const struct atom *atom)
{
	return (uint8_t)((1u << atom_sectors(atom)) - 1);
}

/* Images of a moment */

static void emit(struct walk *walk)
{
	struct image image = {walk->op, walk->n_images++, walk->acked, walk->disk, walk->of};

	if (walk->ended) {
		return;
	}
	for (size_t i = 0; i < walk->n; i++) {
		disk_apply(walk->disk, &walk->atoms[i], walk->masks[i]);
	}
	walk->ended = !walk->take(walk->userdata, &image);
	disk_take_back(walk->disk);
}

static void set_all(struct walk *walk, size_t from, size_t to, bool there)
{
	for (size_t i = from; i < to; i++) {
		walk->masks[i] = there ? whole(&walk->atoms[i]) : 0;
	}
}

static unsigned count_bits(const struct walk *walk)
{
	unsigned n = 0;

	for (size_t i = 0; i < walk->n && n <= BITS_ALL; i++) {
		n += atom_sectors(&walk->atoms[i]);
	}
	return n;
}

static void emit_all_subsets(struct walk *walk, unsigned n_bits)
{
	for (uint32_t subset = 0; subset < UINT32_C(1) << n_bits; subset++) {
		uint32_t rest = subset;

		for (size_t i = 0; i < walk->n; i++) {
			walk->masks[i] = (uint8_t)(rest & whole(&walk->atoms[i]));
			rest >>= atom_sectors(&walk->atoms[i]);
		}
		emit(walk);
	}
}

/* Where all sectors are too many, but all atoms are not. */
static void emit_whole_subsets(struct walk *walk)
{
	for (uint32_t subset = 0; subset < UINT32_C(1) << walk->n; subset++) {
		for (size_t i = 0; i < walk->n; i++) {
			walk->masks[i] = subset >> i & 1 ? whole(&walk->atoms[i]) : 0;
		}
		emit(walk);
	}
}

/* All up to one, all but one, one alone. */
static void emit_telling_subsets(struct walk *walk)
{
	for (size_t i = 0; i <= walk->n; i++) {
		set_all(walk, 0, i, true);
		set_all(walk, i, walk->n, false);
		emit(walk);
	}
	for (size_t i = 0; i < walk->n; i++) {
		set_all(walk, 0, walk->n, true);
		walk->masks[i] = 0;
		emit(walk);
		set_all(walk, 0, walk->n, false);
		walk->masks[i] = whole(&walk->atoms[i]);
		emit(walk);
	}
}

/* One page torn after @n_sectors of it or before, while the others are there or not. */
static void emit_torn(struct walk *walk, size_t torn, unsigned n_sectors)
{
	uint8_t all = whole(&walk->atoms[torn]);
	uint8_t begin = (uint8_t)((1u << n_sectors) - 1);

	for (int others = 0; others < 3; others++) {
		set_all(walk, 0, torn, others != 0);
		set_all(walk, torn, walk->n, others == 1);
		walk->masks[torn] = begin;
		emit(walk);
		walk->masks[torn] = (uint8_t)(all & ~begin);
		emit(walk);
	}
}

static void emit_torn_pages(struct walk *walk, uint64_t *chance)
{
	unsigned n_torn = 0;

	for (size_t i = 0; i < walk->n && n_torn < TORN_MAX; i++) {
		unsigned n = atom_sectors(&walk->atoms[i]);

		if (n < 2 || (walk->n > TORN_MAX && random_below(chance, 4) != 0)) {
			continue;
		}
		n_torn++;
		if (walk->n > BITS_ALL) {
			emit_torn(walk, i, 1 + random_below(chance, n - 1));
			continue;
		}
		for (unsigned sectors = 1; sectors < n; sectors++) {
			emit_torn(walk, i, sectors);
		}
	}
}

static void emit_by_chance(struct walk *walk, uint64_t *chance)
{
	for (int round = 0; round < CHANCES; round++) {
		uint32_t often = 1 + random_below(chance, 7); /* of 8 */

		for (size_t i = 0; i < walk->n; i++) {
			bool there = random_below(chance, 8) < often;

			walk->masks[i] = there ? whole(&walk->atoms[i]) : 0;
			if (random_below(chance, 16) == 0) {
				walk->masks[i] &= (uint8_t)random_next(chance);
			}
		}
		emit(walk);
	}
}

static void emit_moment(struct walk *walk)
{
	uint64_t chance = walk->seed ^ walk->op * UINT64_C(0x9e3779b97f4a7c15);
	unsigned n_bits = count_bits(walk);

	walk->n_images = 0;
	if (walk->ended) {
		return;
	}
	if (n_bits <= BITS_ALL) {
		emit_all_subsets(walk, n_bits);
		return;
	}
	if (walk->n <= BITS_ALL) {
		emit_whole_subsets(walk);
	} else {
		emit_telling_subsets(walk);
	}
	emit_torn_pages(walk, &chance);
	emit_by_chance(walk, &chance);
}

/* From operations to atoms */

static void add(struct walk *walk, struct atom atom)
{
	if (walk->n == walk->n_max) {
		walk->n_max = MAX(2 * walk->n_max, (size_t)256);
		walk->atoms = reallocarray(walk->atoms, walk->n_max, sizeof(*walk->atoms));
		walk->masks = reallocarray(walk->masks, walk->n_max, sizeof(*walk->masks));
		assert(walk->atoms && walk->masks);
	}
	walk->atoms[walk->n++] = atom;
}

/* What the file has, the open atoms included. */
static uint64_t open_size(const struct walk *walk, const struct node *node)
{
	uint64_t size = node->size;

	for (size_t i = 0; i < walk->n; i++) {
		const struct atom *atom = &walk->atoms[i];

		if (atom->node != node) {
			continue;
		}
		if (atom->kind == ATOM_SIZE) {
			size = atom->at;
		} else if (atom->kind == ATOM_BYTES && atom->bytes) {
			size = MAX(size, atom->at + atom->len);
		}
	}
	return size;
}

/* A file that grew may be found long already, with zeros where the bytes belong. */
static void add_written(struct walk *walk, const struct op *op, struct node *node)
{
	const uint8_t *bytes = (const uint8_t *)(op + 1);
	uint64_t end = op->at + op->len;

	if (end > open_size(walk, node)) {
		add(walk, (struct atom){.kind = ATOM_SIZE, .op = op, .node = node, .at = end});
	}
	for (uint64_t at = op->at, len; at < end; at += len) {
		len = MIN(end - at, DISK_PAGE - at % DISK_PAGE);
		add(walk, (struct atom){.kind = ATOM_BYTES,
					.op = op,
					.node = node,
					.bytes = bytes + (at - op->at),
					.at = at,
					.len = len});
	}
}

static bool reads_as_zeros(const struct node *node, uint64_t at, uint64_t len)
{
	for (uint64_t i = at; i < MIN(at + len, node->end); i++) {
		if (node->bytes[i] != 0) {
			return false;
		}
	}
	return true;
}

static void add_hole(struct walk *walk, const struct op *op, struct node *node)
{
	uint64_t end = MIN(op->at + op->len, node->size);

	for (uint64_t at = op->at, len; at < end; at += len) {
		len = MIN(end - at, DISK_PAGE - at % DISK_PAGE);
		if (!reads_as_zeros(node, at, len)) {
			add(walk, (struct atom){.kind = ATOM_BYTES,
						.op = op,
						.node = node,
						.at = at,
						.len = len});
		}
	}
}

/* What a file holds that processes lock says nothing after a power cut. */
static bool is_lock(const char *name)
{
	return strcmp(name, "lock") == 0 || strcmp(name, "lock.mdb") == 0;
}

static void add_name(struct walk *walk, const struct op *op)
{
	struct node *named = disk_node(walk->disk, op->inode);

	if (op->kind == OP_CREATE) {
		named = disk_add(walk->disk, op->inode, op->at == 1);
		named->lock = is_lock(op->name);
	}
	add(walk, (struct atom){.kind = ATOM_NAME,
				.op = op,
				.node = disk_node(walk->disk, op->directory),
				.named = named});
}

/* A write that is on the disk at once has under it what was written there before. */
static bool belongs_to(const struct atom *atom, const struct op *op)
{
	return atom->op == op || (atom->kind == ATOM_BYTES && atom->at < op->at + op->len &&
				  op->at < atom->at + atom->len);
}

/* Brings to the disk for good what is open of a node, or only what belongs to one write. */
static void settle(struct walk *walk, const struct node *node, const struct op *only)
{
	size_t kept = 0;

	for (size_t i = 0; i < walk->n; i++) {
		const struct atom *atom = &walk->atoms[i];

		if (atom->node == node && (!only || belongs_to(atom, only))) {
			disk_apply(walk->disk, atom, whole(atom));
		} else {
			walk->atoms[kept++] = *atom;
		}
	}
	walk->n = kept;
	disk_keep(walk->disk);
}

static bool has_open(const struct walk *walk, const struct node *node)
{
	for (size_t i = 0; i < walk->n; i++) {
		if (walk->atoms[i].node == node) {
			return true;
		}
	}
	return false;
}

static void take_bytes(struct walk *walk, const struct op *op, struct node *node)
{
	assert(node && !node->directory);
	if (node->lock) {
		return;
	}
	if (op->kind == OP_WRITE) {
		add_written(walk, op, node);
	} else if (op->kind == OP_ZERO) {
		add_hole(walk, op, node);
	} else {
		add(walk, (struct atom){.kind = ATOM_SIZE, .op = op, .node = node, .at = op->at});
	}
	if (op->synced) {
		emit_moment(walk);
		settle(walk, node, op);
	}
}

static void take_op(struct walk *walk, const struct op *op)
{
	struct node *node = disk_node(walk->disk, op->inode);

	switch (op->kind) {
	case OP_CREATE:
	case OP_RENAME:
	case OP_LINK:
	case OP_UNLINK:
		add_name(walk, op);
		return;
	case OP_WRITE:
	case OP_SIZE:
	case OP_ZERO:
		take_bytes(walk, op, node);
		return;
	case OP_SYNC:
		if (has_open(walk, node)) {
			emit_moment(walk);
			settle(walk, node, NULL);
		}
		return;
	case OP_ACK:
		walk->acked = (int64_t)op->at;
		return;
	}
}

void moments_walk(struct disk *disk, const struct image *of, const uint8_t *log, size_t len,
		  uint64_t seed, moments_fn *take, void *userdata)
{
	struct walk walk = {
		.disk = disk,
		.of = of,
		.take = take,
		.userdata = userdata,
		.seed = seed,
		.acked = of ? of->acked : -1,
	};

	for (size_t at = 0; at < len && !walk.ended; walk.op++) {
		const struct op *op = (const struct op *)(log + at);

		take_op(&walk, op);
		at += sizeof(*op) + (op->kind == OP_WRITE ? (op->len + 7) / 8 * 8 : 0);
	}
	emit_moment(&walk);
	walk.disk = disk_free(walk.disk);
	free(walk.atoms);
	free(walk.masks);
}
