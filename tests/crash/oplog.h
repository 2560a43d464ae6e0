/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_CRASH_OPLOG_H
#define RETENTIOND_TESTS_CRASH_OPLOG_H

#include "common/base.h"

/*
 * What a process did to the files below one directory, in order: one struct op each, and behind
 * one of OP_WRITE the bytes, with zeros up to a multiple of 8. Files are named by their inodes; a number that was given back means
 * another file from its next OP_CREATE on.
 */

#define OP_NAME_MAX 40

enum op_kind {
	OP_CREATE, /* @inode is new, and has @name in @directory; @at: 1 for a directory */
	OP_WRITE,  /* @len bytes at @at; @synced: they are on the disk when the call returns */
	OP_SIZE,   /* the file is @at bytes long; with @grow only if it was shorter */
	OP_ZERO,   /* @len bytes at @at are zeros: a hole */
	OP_SYNC,   /* a file, or a directory */
	OP_RENAME, /* @inode, from @name to @to in @directory */
	OP_LINK,   /* @inode has @name in @directory as well */
	OP_UNLINK, /* @name in @directory is gone */
	OP_ACK,    /* an answer has left; @at: which of the pictures it belongs to */
};

struct op {
	enum op_kind kind;
	bool synced;
	bool grow;
	uint64_t inode;
	uint64_t directory;
	char name[OP_NAME_MAX];
	char to[OP_NAME_MAX];
	uint64_t at;
	uint64_t len;
};

#endif
