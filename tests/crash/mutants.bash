# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What is broken on purpose: mutant NAME SOURCE EXPRESSION...

# What is not synced

mutant journal-is-not-synced daemon/store/journal.c \
	's/if \(r == 0 && fdatasync\(journal->fd\) < 0\) \{/if (0) {/'
mutant data-file-is-not-synced daemon/store/kv.c \
	's/MDB_NOTLS \| MDB_NORDAHEAD \| flags/MDB_NOTLS | MDB_NORDAHEAD | MDB_NOSYNC | flags/'
mutant vault-is-not-synced daemon/store/vault.c \
	's/if \(fdatasync\(vault->fd\) < 0\) \{/if (0) {/'
mutant register-is-not-synced daemon/store/register.c \
	's/if \(fdatasync\(removals->fd\) < 0\) \{/if (0) {/'
mutant new-vault-is-not-synced daemon/store/vault.c \
	's/fchmod\(fd, 0600\) < 0 \|\| fsync\(fd\) < 0/fchmod(fd, 0600) < 0/'
mutant new-journal-is-not-synced daemon/store/journal.c \
	's/return r == 0 && fsync\(fd\) < 0 \? -errno : r;/return r;/'
mutant signing-key-is-not-synced daemon/store/signer.c \
	's/return r == 0 && fsync\(fd\) < 0 \? -errno : r;/return r;/'

# Directories

mutant new-store-is-in-its-place-too-soon daemon/store/create.c \
	's/r = files_sync_directory\(temporary\);/r = 0;/'
mutant place-of-the-store-is-not-synced daemon/store/create.c \
	's/return r == 0 \? files_sync_directory\(directory\) : r;/return r;/'
mutant place-of-the-register-is-not-synced daemon/store/files.c \
	's/return r < 0 \? r : files_sync_directory\(parent\);/return r;/'
mutant place-of-the-signing-key-is-not-synced daemon/store/signer.c \
	's/return r == 0 \? files_sync_directory\(directory\) : r;/return r;/'

# The order of what is written

mutant answer-before-the-commit daemon/store/kv_pending.c \
	's/r = journal_commit\(kv->journal\);/journal_drop(kv->journal);\n\t\tr = 0;/'
mutant keys-after-the-data daemon/store/store.c \
	's/r = vault_sync\(store->vault\);/r = 0;/' \
	's/^(\t\tstore->durable_seq = store->head.seq;)/\tif (vault_sync(store->vault) < 0) {\n\t\treturn -EIO;\n\t}\n\1/'

mutant register-after-the-data daemon/store/store.c \
	's/r = store_sync_removals\(store\);/r = 0;/' \
	's/^(\t\tstore->durable_seq = store->head.seq;)/\tif (store->removals \&\& register_sync(store->removals) < 0) {\n\t\treturn -EIO;\n\t}\n\1/'
mutant keys-before-the-register daemon/store/store.c \
	's/r = store_sync_removals\(store\);/r = vault_sync (store->vault);/' \
	's/r = vault_sync\(store->vault\);/r = store_sync_removals(store);/'
mutant ahead-is-not-synced daemon/store/register_ahead.c \
	's/return r == 0 && fdatasync\(ahead->fd\) < 0 \? -errno : r;/return r;/'
mutant ahead-is-not-done-again daemon/store/register.c \
	's/r = register_ahead_redo\(.*\);/r = 0;/'

# What a start does

mutant torn-record-is-taken-for-a-whole-one daemon/store/journal.c \
	's/return memcmp\(hash, record \+ HASH_AT, HASH_LEN\) == 0;/return true;/'
mutant records-of-another-base-count daemon/store/journal.c \
	's/memcmp\(record \+ BASE_AT, journal->base, JOURNAL_BASE_LEN\) != 0/0/'
mutant torn-record-is-refused daemon/store/journal.c \
	's/return is_followed\(journal, from\) \? JOURNAL_E_CORRUPT : JOURNAL_E_NONE;/return JOURNAL_E_CORRUPT;/'
mutant journal-is-not-done-again daemon/store/kv_pending.c \
	's/r = kv->has_base \? redo\(kv\) : 0;/r = 0;/'
mutant tail-is-not-replayed daemon/store/open.c \
	's/seq <= store->head.seq && r == 0/seq < store->head.seq \&\& r == 0/'
mutant register-is-not-carried-out daemon/store/removals.c \
	's/if \(r == 0 && !followed\) \{/if (0) {/'
mutant register-is-followed-before-it-is-carried-out daemon/store/removals.c \
	's/^(\tstore->replaying = true;)/\tif (r == 0) {\n\t\tr = follow(store);\n\t}\n\1/'
mutant end-of-the-register-is-not-cut daemon/store/register.c \
	's/r = cut_end\(removals, \(uint64_t\)st.st_size\);/r = 0;/'
mutant torn-page-of-the-register-is-refused daemon/store/register.c \
	's/return \(at >= sector && at < page\) \|\|/return/'
mutant leftover-of-a-store-is-in-the-way daemon/store/create.c \
	's/r = create_remove_leftover\(temporary\);/r = 0;/'

# Keys

mutant key-is-not-destroyed daemon/store/erase.c \
	's/int r = vault_destroy_key\(store->vault, uid\);/int r = 0;/'

# The mass guard

mutant counts-of-the-guard-are-lost-in-a-crash daemon/store/settle.c \
	's/^\tstore->guards.urgent = true;.*$//'
mutant counts-of-the-guard-are-doubled-by-a-start daemon/store/guards.c \
	's/if \(entry->seq <= slot->row.seq\) \{/if (0) {/'
mutant staged-command-is-forgotten-by-the-guard daemon/store/staged.c \
	's/^(\tslot->changed = true;)$/\1\n\treturn;/'

# Backups

mutant backup-is-finished-without-a-sync daemon/store/kv.c \
	's/environment_open\(directory, map_bytes, MDB_NOLOCK, &env\)/environment_open(directory, map_bytes, MDB_NOLOCK | MDB_NOSYNC, \&env)/'
mutant backup-is-in-its-place-too-soon daemon/store/backup.c \
	's/check_errno\(backup, files_sync_directory\(backup->temporary\), backup->temporary\)/true/'
mutant place-of-the-backups-is-not-synced daemon/store/backup.c \
	's/r = files_sync_parent\(path\);/r = 0;/'
mutant vault-of-a-backup-is-not-synced daemon/store/vault_copy.c \
	's/ftruncate\(to, st.st_size\) < 0 \|\| fsync\(to\) < 0/ftruncate(to, st.st_size) < 0/'
mutant vault-before-is-overwritten-too-soon daemon/store/vault_file.c \
	's/r = files_sync_parent\(path\);/r = 0;/'

# A vault that is wrapped

mutant wrapped-vault-is-not-synced daemon/store/vault_rewrap.c \
	's/ftruncate\(rewrap->to_fd, st.st_size\) < 0 \|\| fsync\(rewrap->to_fd\) < 0/ftruncate(rewrap->to_fd, st.st_size) < 0/'
mutant second-name-of-the-vault-is-destroyed daemon/store/vault_file.c \
	's/if \(stat\(path, &used\) == 0 && left.st_dev == used.st_dev && left.st_ino == used.st_ino\) \{/if (0) {/'
