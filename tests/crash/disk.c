/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/crash/disk.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "daemon/store/files.h"

/* What an atom changed, to be taken back. */
struct undo {
	struct node *node;
	uint64_t size;
	uint64_t hash;
	uint64_t at;
	uint32_t len;
	uint32_t n_names;
	struct name *names;
	uint8_t bytes[DISK_PAGE];
};

struct disk {
	struct node *root;
	struct node *nodes; /* the newest first */
	struct undo *undo;
	size_t n_undo;
	size_t n_undo_max;
};

/* Hashes that tell images apart; nobody attacks them. */

static uint64_t mix(uint64_t a, uint64_t b)
{
	uint64_t z = (a ^ b) * UINT64_C(0x9e3779b97f4a7c15);

	z ^= z >> 32;
	z *= UINT64_C(0xd6e8feb86659fd93);
	return z ^ (z >> 29);
}

static uint64_t hash_sector(const uint8_t *bytes, uint64_t place)
{
	uint64_t hash = 0, any = 0, word;

	for (size_t i = 0; i < DISK_SECTOR; i += sizeof(word)) {
		memcpy(&word, bytes + i, sizeof(word));
		any |= word;
		hash = mix(hash + i, word);
	}
	return any ? mix(hash, place + 1) : 0;
}

static uint64_t hash_text(const char *text)
{
	uint64_t hash = 1;

	for (; *text; text++) {
		hash = mix(hash, (uint8_t)*text);
	}
	return hash;
}

static uint64_t hash_node(const struct node *node, uint64_t path)
{
	uint64_t hash = mix(path, node->hash + node->directory);

	if (!node->directory) {
		return mix(hash, node->size);
	}
	for (uint32_t i = 0; i < node->n_names; i++) {
		hash += hash_node(node->names[i].node, mix(path, hash_text(node->names[i].text)));
	}
	return hash;
}

uint64_t disk_hash(const struct disk *disk)
{
	return hash_node(disk->root, 1);
}

/* Nodes */

struct disk *disk_new(uint64_t root_inode)
{
	struct disk *disk = calloc(1, sizeof(*disk));

	assert(disk);
	disk->root = disk_add(disk, root_inode, true);
	return disk;
}

struct disk *disk_free(struct disk *disk)
{
	struct node *next;

	for (struct node *node = disk->nodes; node; node = next) {
		next = node->next;
		free(node->bytes);
		free(node);
	}
	free(disk->undo);
	free(disk);
	return NULL;
}

struct node *disk_node(struct disk *disk, uint64_t inode)
{
	for (struct node *node = disk->nodes; node; node = node->next) {
		if (node->inode == inode) {
			return node;
		}
	}
	return NULL;
}

struct node *disk_add(struct disk *disk, uint64_t inode, bool directory)
{
	struct node *node = calloc(1, sizeof(*node));

	assert(node);
	node->inode = inode;
	node->directory = directory;
	node->next = disk->nodes;
	disk->nodes = node;
	return node;
}

static struct name *find_name(struct node *directory, const char *text)
{
	for (uint32_t i = 0; i < directory->n_names; i++) {
		if (strcmp(directory->names[i].text, text) == 0) {
			return &directory->names[i];
		}
	}
	return NULL;
}

struct node *disk_find(struct disk *disk, const char *path)
{
	cleanup(freep) char *steps = strdup(path);
	struct node *node = disk->root;
	char *rest = steps, *step;

	assert(steps);
	while (node && (step = strsep(&rest, "/"))) {
		struct name *name = node->directory ? find_name(node, step) : NULL;

		node = name ? name->node : NULL;
	}
	return node;
}

static uint64_t inode_of(const char *path)
{
	struct stat st;

	assert(lstat(path, &st) == 0);
	return st.st_ino;
}

static void name_below(const char *path, const char *name, char below[static PATH_MAX])
{
	int n = snprintf(below, PATH_MAX, "%s/%s", path, name);

	assert(n > 0 && n < PATH_MAX);
}

/* One of the names before the nth that the same file has, or NULL: the daemon links in a directory. */
static const char *other_name(const struct node *directory, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (directory->names[i].node == directory->names[n].node) {
			return directory->names[i].text;
		}
	}
	return NULL;
}

static void copy_file(struct node *to, const struct node *from)
{
	to->lock = from->lock;
	to->size = from->size;
	to->end = from->end;
	to->room = from->room;
	to->hash = from->hash;
	if (from->bytes) {
		to->bytes = malloc(from->room);
		assert(to->bytes);
		memcpy(to->bytes, from->bytes, from->room);
	}
}

static void copy_directory(struct disk *disk, struct node *to, const struct node *from,
			   const char *path)
{
	char below[PATH_MAX];

	for (uint32_t i = 0; i < from->n_names; i++) {
		const struct name *name = &from->names[i];
		const char *other = other_name(from, i);
		struct node *node;

		name_below(path, name->text, below);
		node = other ? find_name(to, other)->node
			     : disk_add(disk, inode_of(below), name->node->directory);
		to->names[to->n_names] = *name;
		to->names[to->n_names++].node = node;
		if (node->directory) {
			copy_directory(disk, node, name->node, below);
		} else if (!other) {
			copy_file(node, name->node);
		}
	}
}

struct disk *disk_copy(const struct disk *disk, const char *directory)
{
	struct disk *copy = disk_new(inode_of(directory));

	copy_directory(copy, copy->root, disk->root, directory);
	return copy;
}

/* Changes */

static struct undo *add_undo(struct disk *disk, struct node *node)
{
	struct undo *undo;

	if (disk->n_undo == disk->n_undo_max) {
		disk->n_undo_max = MAX(2 * disk->n_undo_max, (size_t)64);
		disk->undo = reallocarray(disk->undo, disk->n_undo_max, sizeof(*disk->undo));
		assert(disk->undo);
	}
	undo = &disk->undo[disk->n_undo++];
	undo->node = node;
	undo->size = node->size;
	undo->hash = node->hash;
	undo->len = 0;
	undo->names = NULL;
	return undo;
}

static void make_room(struct node *node, uint64_t bytes)
{
	uint64_t room = (bytes + 16 * DISK_PAGE - 1) / DISK_PAGE * DISK_PAGE;

	if (bytes <= node->room) {
		return;
	}
	node->bytes = realloc(node->bytes, room);
	assert(node->bytes);
	memset(node->bytes + node->room, 0, room - node->room);
	node->room = room;
}

/* Bytes within a page; NULL for zeros. */
static void change_bytes(struct disk *disk, struct node *node, const uint8_t *bytes, uint64_t at,
			 uint64_t len)
{
	struct undo *undo = add_undo(disk, node);
	uint64_t first = at / DISK_SECTOR, last = (at + len - 1) / DISK_SECTOR;

	assert(len <= DISK_PAGE);
	make_room(node, (last + 1) * DISK_SECTOR);
	undo->at = at;
	undo->len = (uint32_t)len;
	memcpy(undo->bytes, node->bytes + at, len);
	for (uint64_t i = first; i <= last; i++) {
		node->hash ^= hash_sector(node->bytes + i * DISK_SECTOR, i);
	}
	if (bytes) {
		memcpy(node->bytes + at, bytes, len);
	} else {
		memset(node->bytes + at, 0, len);
	}
	for (uint64_t i = first; i <= last; i++) {
		node->hash ^= hash_sector(node->bytes + i * DISK_SECTOR, i);
	}
	node->end = MAX(node->end, at + len);
}

static void change_size(struct disk *disk, struct node *node, uint64_t size)
{
	for (uint64_t at = size; at < node->end; at += DISK_PAGE - at % DISK_PAGE) {
		change_bytes(disk, node, NULL, at, MIN(node->end - at, DISK_PAGE - at % DISK_PAGE));
	}
	(void)add_undo(disk, node); /* the size is all that changes */
	node->size = size;
}

unsigned atom_sectors(const struct atom *atom)
{
	if (atom->kind != ATOM_BYTES) {
		return 1;
	}
	return (unsigned)((atom->at + atom->len - 1) / DISK_SECTOR - atom->at / DISK_SECTOR + 1);
}

static void apply_bytes(struct disk *disk, const struct atom *atom, uint8_t mask)
{
	unsigned n = atom_sectors(atom);

	for (unsigned i = 0; i < n; i++) {
		uint64_t sector = (atom->at / DISK_SECTOR + i) * DISK_SECTOR;
		uint64_t from = MAX(sector, atom->at);
		uint64_t to = MIN(sector + DISK_SECTOR, atom->at + atom->len);

		if (!(mask & 1u << i)) {
			continue;
		}
		change_bytes(disk, atom->node, atom->bytes ? atom->bytes + (from - atom->at) : NULL,
			     from, to - from);
		if (atom->bytes) {
			atom->node->size = MAX(atom->node->size, to);
		}
	}
}

static void drop_name(struct node *directory, const char *text)
{
	struct name *name = find_name(directory, text);

	if (name) {
		*name = directory->names[--directory->n_names];
	}
}

static void give_name(struct node *directory, const char *text, struct node *node)
{
	struct name *name = find_name(directory, text);

	if (!name) {
		assert(directory->n_names < NODE_NAMES_MAX);
		name = &directory->names[directory->n_names++];
		(void)snprintf(name->text, sizeof(name->text), "%s", text);
	}
	name->node = node;
}

static void apply_name(struct disk *disk, const struct atom *atom)
{
	struct undo *undo = add_undo(disk, atom->node);
	const struct op *op = atom->op;

	undo->n_names = atom->node->n_names;
	undo->names = malloc(sizeof(atom->node->names));
	assert(undo->names);
	memcpy(undo->names, atom->node->names, sizeof(atom->node->names));
	if (op->kind == OP_CREATE) {
		give_name(atom->node, op->name, atom->named);
	} else if (op->kind == OP_LINK) {
		give_name(atom->node, op->to, atom->named);
	} else {
		drop_name(atom->node, op->name);
	}
	if (op->kind == OP_RENAME) {
		give_name(atom->node, op->to, atom->named);
	}
}

void disk_apply(struct disk *disk, const struct atom *atom, uint8_t mask)
{
	if (mask == 0) {
		return;
	}
	switch (atom->kind) {
	case ATOM_BYTES:
		apply_bytes(disk, atom, mask);
		return;
	case ATOM_SIZE:
		if (!atom->op->grow || atom->at > atom->node->size) {
			change_size(disk, atom->node, atom->at);
		}
		return;
	case ATOM_NAME:
		apply_name(disk, atom);
		return;
	}
}

void disk_take_back(struct disk *disk)
{
	while (disk->n_undo > 0) {
		struct undo *undo = &disk->undo[--disk->n_undo];
		struct node *node = undo->node;

		if (undo->len > 0) {
			memcpy(node->bytes + undo->at, undo->bytes, undo->len);
		}
		if (undo->names) {
			memcpy(node->names, undo->names, sizeof(node->names));
			node->n_names = undo->n_names;
			free(undo->names);
		}
		node->size = undo->size;
		node->hash = undo->hash;
	}
}

void disk_keep(struct disk *disk)
{
	for (; disk->n_undo > 0; disk->n_undo--) {
		free(disk->undo[disk->n_undo - 1].names);
	}
}

/* On a true disk */

static bool is_zero(const uint8_t *bytes, size_t len)
{
	return len == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, len - 1) == 0);
}

static void write_file(const struct node *node, const char *path)
{
	cleanup(closep) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	uint64_t end = MIN(node->end, node->size);

	assert(fd >= 0);
	assert(ftruncate(fd, (off_t)node->size) == 0);
	for (uint64_t at = 0; at < end; at += DISK_PAGE) {
		size_t len = (size_t)MIN(end - at, DISK_PAGE);

		if (!is_zero(node->bytes + at, len)) {
			assert(files_write_at(fd, (off_t)at, node->bytes + at, len) == 0);
		}
	}
}

static void write_directory(const struct node *directory, const char *path)
{
	char below[PATH_MAX], there[PATH_MAX];

	for (uint32_t i = 0; i < directory->n_names; i++) {
		const struct name *name = &directory->names[i];
		const char *other = other_name(directory, i);

		name_below(path, name->text, below);
		if (name->node->directory) {
			assert(mkdir(below, 0700) == 0);
			write_directory(name->node, below);
		} else if (other) {
			name_below(path, other, there);
			assert(link(there, below) == 0);
		} else {
			write_file(name->node, below);
		}
	}
}

void disk_write_out(const struct disk *disk, const char *directory)
{
	write_directory(disk->root, directory);
}
