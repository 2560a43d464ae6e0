/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_STORE_BACKUP_H
#define RETENTIOND_STORE_BACKUP_H

#include <limits.h>

#include "common/base.h"
#include "common/instant.h"

#include "daemon/store/store.h"

/*
 * Backups, made by a thread of their own while commands go on:
 *
 *     DIRECTORY/data-20260301T120000Z/data.mdb     a compacted copy of one moment, without residue
 *     VAULT_DIRECTORY/vault                        the keys, apart: the data alone is unreadable
 *
 * Each directory of data is whole or not there. Of the vault only the newest copy is kept, since
 * it opens all data before it; the one it replaces is overwritten once the new one has its place, so
 * that a destroyed key lives on in no copy for longer than until the next backup that ends. The vault
 * is copied after the data: a key is given before data uses it, and what is destroyed meanwhile is in
 * the removal register.
 */

/* Where backups go; NULL for "backup" in the state directory, and for DIRECTORY-vault. */
struct backup_options {
	const char *directory;
	const char *vault_directory;
};

/**
 * struct backup_status - the backup that runs, or the last one since the start
 * @running:   it does
 * @directory: where its data is, or will be; empty before the first one
 * @started_at, @ended_at: INSTANT_NONE before
 * @bytes:     of the data's copy, so far
 * @error:     why it failed; empty if it did not
 */
struct backup_status {
	bool running;
	char directory[PATH_MAX];
	instant_t started_at;
	instant_t ended_at;
	uint64_t bytes;
	char error[256];
};

struct backup;

/* @store: borrowed; must outlive it. Return: 0 or a negative errno. */
must_check int backup_new(struct store *store, const struct backup_options *options,
			  struct backup **ret_backup);

/* Stops a backup that runs, and waits for its thread; what it left is removed by the next one. */
struct backup *backup_free(struct backup *backup);

/* Begins one; none may be running. Return: 0 or a negative errno. */
must_check int backup_begin(struct backup *backup, instant_t now);

/*
 * Lets one that was begun go: with what is committed by now. Between turns. Return: 0, also when it
 * has failed at once; or a negative errno after which the process must end.
 */
must_check int backup_go(struct backup *backup);

/**
 * backup_look() - see how it goes; never waits for long
 *
 * Return: true once for each backup: when it has ended, well or not.
 */
bool backup_look(struct backup *backup, instant_t now);

const struct backup_status *backup_status(const struct backup *backup);

#endif
