/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_STORE_KV_H
#define RETENTIOND_STORE_KV_H

#include "common/base.h"

/*
 * Ordered keys and values in tables, with transactions. This is the whole surface the store needs
 * of an engine; the files kv*.c implement it on LMDB: see kv_inside.h.
 *
 * One process, all calls but kv_copy() and kv_finish_copy() from one thread (kv_open() of the same
 * directory twice in one process is not allowed); while a transaction writes, no other is open. A
 * commit is durable in the journal beside the data file, and reaches the data file together with
 * others: see journal.h. No pointer from a get or a cursor outlives its transaction, or the next
 * write in it.
 */

enum {
	KV_E_NONE = 1, /* no such key; no further key */
	KV_E_FULL,     /* the map or the disk is full: the transaction can only be aborted */
	KV_E_CORRUPT,  /* not a store, or a damaged one */
	KV_E_JOURNAL, /* from kv_open(): its journal is missing or damaged, and so is what it had */
};

/* The numbers are on the disk, in the journal: none changes. */
enum kv_table {
	KV_META,        /* name -> what schema.h says */
	KV_ORGS,        /* org number -> settings */
	KV_LEDGER,      /* seq -> entry; appended only */
	KV_ACCOUNTS,    /* uid -> account row; a tombstone once removed */
	KV_PROFILES,    /* uid -> sealed profile */
	KV_NOTES,       /* uid, seq -> sealed reason and ref */
	KV_BY_ID,       /* org, hash of id, uid -> nothing */
	KV_BY_PERSON,   /* hash of person, uid -> nothing */
	KV_BY_UPN,      /* org, hash of UPN, uid -> nothing */
	KV_DUE,         /* instant, uid -> nothing */
	KV_OWED,        /* start of the removal, uid -> nothing */
	KV_KEEPERS,     /* number -> keeper */
	KV_TASKS,       /* keeper, uid -> task */
	KV_HOLDS,       /* uid, hash of its name -> sealed hold */
	KV_REQUESTS,    /* number -> removal request */
	KV_ANSWERS,     /* hash of actor and request id -> answer kept for a repeated request */
	KV_ANSWERS_DUE, /* instant, that hash -> whose it is, what it counts for */
	KV_GUARDS,      /* org number -> its mass guard */
	KV_STAGED,      /* org number, uid -> command held back */
	_KV_TABLE_MAX
};

#define KV_KEY_LEN_MAX 64 /* all keys here are at most 28 bytes; other engines allow 100 and more */

struct kv;
struct kv_txn;
struct kv_cursor;

/**
 * kv_create() - make an empty environment in an existing, empty directory
 *
 * Files are synced, the directory is not: the caller renames it into place (see store_open()).
 *
 * Return: 0 or a negative errno.
 */
must_check int kv_create(const char *directory, size_t map_bytes);

/**
 * kv_open() - open an environment that exists
 * @map_bytes: size of the map; raised to what the file already uses
 * @read_only: for the check before the store is used
 *
 * An empty or missing data file is refused: LMDB would silently make a new one. A file shorter
 * than its own header claims is refused: it would end in SIGBUS. Descriptors are close-on-exec;
 * files have mode 0600.
 *
 * What the journal has is done again; a check that only reads looks at the data file alone.
 *
 * Return: 0, KV_E_CORRUPT, KV_E_JOURNAL, KV_E_FULL when the map is too small for what the journal has,
 * or a negative errno.
 */
must_check int kv_open(const char *directory, size_t map_bytes, bool read_only, struct kv **ret_kv);
struct kv *kv_close(struct kv *kv);

/*
 * Brings everything that is committed into the data file: before it is copied. No transaction is
 * open. Return: as kv_commit().
 */
must_check int kv_checkpoint(struct kv *kv);

/* 0, or a negative errno. A write transaction remembers its first error: see kv_commit(). */
must_check int kv_begin(struct kv *kv, bool write, struct kv_txn **ret_txn);

/**
 * kv_commit() - make a write transaction durable
 * @txn: taken, whatever the answer
 *
 * Return: 0 once it is on disk; KV_E_FULL; KV_E_CORRUPT; or a negative errno. After anything but
 * 0 nothing of it is there, or, if the disk failed, nobody knows: the process must end.
 */
must_check int kv_commit(struct kv_txn *txn);
struct kv_txn *kv_abort(struct kv_txn *txn); /* read or write; NULL is fine */

/*
 * Reads. @ret_value points into the map. Return: 0, KV_E_NONE, KV_E_CORRUPT, or a negative errno.
 */
must_check int kv_get(struct kv_txn *txn, enum kv_table table, struct slice key,
		      struct slice *ret_value);

/*
 * Writes. The first error sticks to the transaction and is what kv_commit() answers; later writes
 * do nothing.
 */
void kv_put(struct kv_txn *txn, enum kv_table table, struct slice key, struct slice value);
void kv_append(struct kv_txn *txn, enum kv_table table, struct slice key,
	       struct slice value); /* key after all others */
void kv_delete(struct kv_txn *txn, enum kv_table table,
	       struct slice key);           /* a missing key is no error */
int kv_txn_error(const struct kv_txn *txn); /* the sticky error, or 0 */

/*
 * About how many pages of the data file have changed since it was committed, with what earlier
 * transactions brought to the journal. A transaction that is to have a short commit ends in time.
 */
uint32_t kv_changed_pages(const struct kv_txn *txn);

/**
 * kv_cursor_open() - walk a table in key order
 *
 * A cursor belongs to its transaction and is closed before it. Writes to the same table make it
 * invalid. Seek finds the first key not before @key, the very first for an empty one; last finds
 * the last key of the table. @ret_key and @ret_value may be NULL.
 *
 * Return: 0, KV_E_NONE past the last key, KV_E_CORRUPT, or a negative errno.
 */
must_check int kv_cursor_open(struct kv_txn *txn, enum kv_table table,
			      struct kv_cursor **ret_cursor);
struct kv_cursor *kv_cursor_close(struct kv_cursor *cursor);
void kv_cursor_closep(struct kv_cursor **cursor);
must_check int kv_cursor_seek(struct kv_cursor *cursor, struct slice key, struct slice *ret_key,
			      struct slice *ret_value);
must_check int kv_cursor_next(struct kv_cursor *cursor, struct slice *ret_key,
			      struct slice *ret_value);
must_check int kv_cursor_last(struct kv_cursor *cursor, struct slice *ret_key,
			      struct slice *ret_value);

/**
 * struct kv_usage - how full it is
 * @used_bytes: pages that hold tables, counted in the transaction
 * @map_bytes:  what the map allows
 * @file_bytes: the highest page ever used, free pages included
 * @own_bytes:  that the file has on disk: those behind the highest page are there to be used
 */
struct kv_usage {
	uint64_t used_bytes;
	uint64_t map_bytes;
	uint64_t file_bytes;
	uint64_t own_bytes;
};

must_check int kv_usage(struct kv_txn *txn, struct kv_usage *ret_usage);

/**
 * kv_copy() - write a compacted copy of the data file
 *
 * Of what it held at the last kv_checkpoint(), and perhaps of what came since.
 *
 * @fd: an empty file, open for writing; not synced here, and not closed before kv_copy() returns
 *
 * The one call that may be made from another thread, one at a time, while the others go on; but
 * kv_close() only after it has returned. Pages freed meanwhile are not used again until then.
 *
 * Return: 0, KV_E_FULL (where the copy goes), KV_E_CORRUPT, -ECANCELED after kv_stop_copy(), or a
 * negative errno.
 */
must_check int kv_copy(struct kv *kv, int fd);
/*
 * Makes a data file of a copy, which needs no journal; synced. From any thread. Return: as
 * kv_open().
 */
must_check int kv_finish_copy(const char *directory, size_t map_bytes);
void kv_stop_copy(struct kv *kv); /* from the thread of all other calls; for good */

#endif
