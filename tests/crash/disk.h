/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_CRASH_DISK_H
#define RETENTIOND_TESTS_CRASH_DISK_H

#include "common/base.h"

#include "tests/crash/oplog.h"

/*
 * A disk, in memory: the files below one directory as they would be found after a power cut. What
 * can be on it or not is an atom; atoms are applied in the order in which they were made, and can
 * be taken back in the reverse one.
 */

#define DISK_SECTOR 512
#define DISK_PAGE   4096

#define NODE_NAMES_MAX 24

struct node;

struct name {
	char text[OP_NAME_MAX];
	struct node *node;
};

/**
 * struct node - a file or a directory
 * @lock:  a file whose bytes do not count
 * @bytes: of a file; NULL while it is all zeros
 * @end:   behind the last byte that was ever written
 * @room:  bytes that @bytes has room for; all behind @end are zeros
 * @hash:  of the sectors that are not zeros, each with its place
 */
struct node {
	uint64_t inode;
	bool directory;
	bool lock;
	uint8_t *bytes;
	uint64_t size;
	uint64_t end;
	uint64_t room;
	uint64_t hash;
	struct name names[NODE_NAMES_MAX];
	uint32_t n_names;
	struct node *next;
};

enum atom_kind {
	ATOM_BYTES, /* within a page; zeros if @bytes is NULL */
	ATOM_SIZE,
	ATOM_NAME, /* of a directory */
};

/**
 * struct atom - what a disk has or has not, whole; of bytes, sector by sector
 * @op:    what it is part of
 * @node:  that it changes
 * @bytes: in the log
 * @at, @len: of bytes; of a size, @at is that
 * @named: for ATOM_NAME, what the name leads to
 */
struct atom {
	enum atom_kind kind;
	const struct op *op;
	struct node *node;
	const uint8_t *bytes;
	uint64_t at;
	uint64_t len;
	struct node *named;
};

/* How many sectors an atom touches: 1 to 8; bit n of a mask is for the nth of them. */
unsigned atom_sectors(const struct atom *atom);

struct disk;

struct disk *disk_new(uint64_t root_inode);
struct disk *disk_free(struct disk *disk);

/* What was written out to a directory, with the inodes that its files have there. */
struct disk *disk_copy(const struct disk *disk, const char *directory);

/* The newest node of that inode, and a new one; a path is found from the root on. NULL: none. */
struct node *disk_node(struct disk *disk, uint64_t inode);
struct node *disk_add(struct disk *disk, uint64_t inode, bool directory);
struct node *disk_find(struct disk *disk, const char *path);

/* With the sectors of @mask only. It can be taken back until disk_keep(). */
void disk_apply(struct disk *disk, const struct atom *atom, uint8_t mask);
void disk_take_back(struct disk *disk); /* all since the last disk_keep() */
void disk_keep(struct disk *disk);

uint64_t disk_hash(const struct disk *disk);

/* Makes it true, in an empty directory. What fails ends the program. */
void disk_write_out(const struct disk *disk, const char *directory);

#endif
