/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/kv.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <sodium.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "daemon/store/datafile.h"
#include "daemon/store/journal.h"

#define LOCK_FILE "lock.mdb"

/*
 * A commit goes to the journal, and LMDB's own transaction stays open: it holds what the journal
 * has. What is too much for a record, and what would make that transaction large, is committed to
 * the data file, and then the journal begins anew. Each change takes a page or two: so the pages
 * of LMDB_CHANGES_MAX are written in a few milliseconds.
 */
#define LMDB_CHANGES_MAX 1024

/*
 * The row of the meta table that says which records of the journal follow: form 01 | base. Without
 * it none do, as in a copy.
 */
#define BASE_ROW  "journal"
#define BASE_FORM 1

/* In a record: what is done | table | length of the key | length of the value, 4 | key | value. */
#define CHANGE_PUT        1
#define CHANGE_APPEND     2
#define CHANGE_DELETE     3
#define CHANGE_HEADER_LEN 7

/* The loop's thread reads one snapshot or a few; the check before a start is another process. */
#define READERS_MAX 16

/*
 * Disk space that is allocated behind the last page before a write transaction begins. It serves
 * two ends:
 *
 *   - A full disk is noticed while nothing has been written. LMDB would meet it in the middle of a
 *     commit and report a short write as EIO, which cannot be told from a dying disk.
 *   - The file is never shorter than its header claims. LMDB counts but does not write a page that
 *     was taken from behind the end and given back in the same transaction (one of about 3000 small
 *     random transactions ends so). Only thus may datafile_check() call a short file truncated.
 *
 * ROOM_LOW is what a commit's memory budget of 32 MiB, and the changes that the journal has, can
 * fill: with less the file grows, to ROOM_HIGH. On a full disk it cannot, and transactions go on until ROOM_MIN: by then the store
 * lets only removals through, which take a few pages each and reuse free ones first.
 */
#define ROOM_MIN  (UINT64_C(4) << 20)
#define ROOM_LOW  (UINT64_C(48) << 20)
#define ROOM_HIGH (UINT64_C(96) << 20)

static const char *const table_names[] = {
	[KV_META] = "meta",
	[KV_ORGS] = "orgs",
	[KV_LEDGER] = "ledger",
	[KV_ACCOUNTS] = "accounts",
	[KV_PROFILES] = "profiles",
	[KV_NOTES] = "notes",
	[KV_BY_ID] = "by-id",
	[KV_BY_PERSON] = "by-person",
	[KV_BY_UPN] = "by-upn",
	[KV_DUE] = "due",
	[KV_OWED] = "owed",
	[KV_KEEPERS] = "keepers",
	[KV_TASKS] = "tasks",
	[KV_HOLDS] = "holds",
	[KV_REQUESTS] = "requests",
	[KV_ANSWERS] = "answers",
	[KV_ANSWERS_DUE] = "answers-due",
};

static_assert(ARRAY_LEN(table_names) == _KV_TABLE_MAX, "every table has a name");
static_assert(sizeof(size_t) == 8, "a map of gigabytes takes addresses of 64 bits");

/*
 * @journal:    NULL if only read from
 * @has_base:   the data file says which records follow it
 * @pending:    LMDB's transaction of what the journal has and the data file has not; or NULL
 * @n_changes:  made in it
 * @has_room:   the file has room for it
 * @broken:     why what the journal has could not be done again: nothing can be done any more
 * @file_bytes: of the data file; what lies behind the last page is allocated and unused
 * @copying:    descriptor that kv_copy() writes to, or -1
 * @stopped:    kv_stop_copy() was called
 * @idle:       a read transaction that was reset: to renew it costs no system call and no memory
 */
struct kv {
	MDB_env *env;
	MDB_dbi tables[_KV_TABLE_MAX];
	MDB_dbi names; /* LMDB's own table of the tables */
	struct journal *journal;
	bool has_base;
	MDB_txn *pending;
	unsigned n_changes;
	bool has_room;
	int broken;
	uint64_t page_bytes;
	uint64_t map_bytes;
	uint64_t file_bytes;
	atomic_int copying;
	atomic_bool stopped;
	struct kv_txn *idle;
	unsigned n_txns;
	bool writing;
};

struct kv_txn {
	struct kv *kv;
	MDB_txn *txn;
	bool write;
	int error;
};

struct kv_cursor {
	struct kv_txn *txn;
	MDB_cursor *cursor;
	bool at_end; /* LMDB would begin again at the first key */
};

/* LMDB's answers are positive errnos, or negative numbers of its own. */
static int machine_error(int rc)
{
	return rc > 0 ? -rc : -EIO;
}

static int answer_of(int rc)
{
	switch (rc) {
	case 0:
		return 0;
	case MDB_NOTFOUND:
		return KV_E_NONE;
	case MDB_MAP_FULL:
	case MDB_TXN_FULL:
	case ENOSPC:
	case EDQUOT:
		return KV_E_FULL;
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_INVALID:
	case MDB_VERSION_MISMATCH:
	case MDB_INCOMPATIBLE:
	case MDB_KEYEXIST: /* a key appended before the last one: the table is not what we think */
		return KV_E_CORRUPT;
	default:
		return machine_error(rc);
	}
}

/* Lack of space while an environment is opened is no full store: there is none yet. */
static int open_answer_of(int rc)
{
	int answer = rc == MDB_NOTFOUND ? KV_E_CORRUPT : answer_of(rc);

	return answer == KV_E_FULL ? -ENOSPC : answer;
}

static MDB_val value_of(struct slice slice)
{
	return (MDB_val){slice.len, (void *)(uintptr_t)slice.data};
}

static MDB_val key_of(struct slice key)
{
	assert(key.len > 0);
	assert(key.len <= KV_KEY_LEN_MAX);
	return value_of(key);
}

static struct slice slice_from(MDB_val value)
{
	return (struct slice){value.mv_data, value.mv_size};
}

/* LMDB opens the data file without the flag; its other two descriptors have it. */
static int set_close_on_exec(MDB_env *env)
{
	int fd;
	int r = mdb_env_get_fd(env, &fd);

	if (r != 0) {
		return machine_error(r);
	}
	return fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ? -errno : 0;
}

/* LMDB's files have what the umask leaves, and those restored by hand whatever they were given. */
static int restrict_modes(int directory_fd)
{
	if (fchmodat(directory_fd, DATAFILE_NAME, 0600, 0) < 0 ||
	    fchmodat(directory_fd, LOCK_FILE, 0600, 0) < 0) {
		return -errno;
	}
	return 0;
}

/*
 * MDB_NOTLS        a read transaction belongs to us, not to the thread: it may be kept and renewed.
 * MDB_NORDAHEAD    a hash's neighbours are not wanted next: read ahead, they push wanted pages out
 *                  once the store is larger than memory.
 * MDB_NOMEMINIT    is not set: pages would carry to the disk what was in memory before them.
 */
static int environment_open(const char *directory, size_t map_bytes, unsigned flags,
			    MDB_env **ret_env)
{
	MDB_env *env;
	int r = mdb_env_create(&env);

	if (r != 0) {
		return machine_error(r);
	}
	r = mdb_env_set_mapsize(env, map_bytes);
	if (r == 0) {
		r = mdb_env_set_maxdbs(env, _KV_TABLE_MAX);
	}
	if (r == 0) {
		r = mdb_env_set_maxreaders(env, READERS_MAX);
	}
	if (r == 0) {
		r = mdb_env_open(env, directory, MDB_NOTLS | MDB_NORDAHEAD | flags, 0600);
	}
	r = r != 0 ? open_answer_of(r) : set_close_on_exec(env);
	if (r != 0) {
		mdb_env_close(env);
		return r;
	}
	*ret_env = env;
	return 0;
}

static int open_tables(MDB_txn *txn, unsigned flags, struct kv *kv)
{
	int r = mdb_dbi_open(txn, NULL, 0, &kv->names);

	for (size_t i = 0; r == 0 && i < _KV_TABLE_MAX; i++) {
		r = mdb_dbi_open(txn, table_names[i], flags, &kv->tables[i]);
	}
	return r;
}

/* Handles outlive their transaction only if it is committed, also when it only reads. */
static int environment_open_tables(MDB_env *env, bool create, struct kv *kv)
{
	MDB_txn *txn;
	int r = mdb_txn_begin(env, NULL, create ? 0 : MDB_RDONLY, &txn);

	if (r != 0) {
		return open_answer_of(r);
	}
	r = open_tables(txn, create ? MDB_CREATE : 0, kv);
	if (r != 0) {
		mdb_txn_abort(txn);
		return open_answer_of(r);
	}
	return open_answer_of(mdb_txn_commit(txn));
}

/* The commit has synced the data file already. */
static int fill_new(const char *directory, size_t map_bytes)
{
	struct kv kv;
	MDB_env *env;
	int r = environment_open(directory, map_bytes, 0, &env);

	if (r != 0) {
		return r;
	}
	r = environment_open_tables(env, true, &kv);
	mdb_env_close(env);
	return r;
}

int kv_create(const char *directory, size_t map_bytes)
{
	cleanup(closep) int directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (directory_fd < 0) {
		return -errno;
	}
	if (faccessat(directory_fd, DATAFILE_NAME, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		return -EEXIST;
	}
	r = fill_new(directory, map_bytes);
	if (r > 0) {
		return -EIO; /* what was made a moment ago is no store: the disk lies */
	}
	if (r == 0) {
		r = restrict_modes(directory_fd);
	}
	return r < 0 ? r : journal_create(directory_fd);
}

static int measure(struct kv *kv)
{
	MDB_envinfo info;
	struct stat st;
	MDB_stat stat;
	int fd;
	int r = mdb_env_info(kv->env, &info);

	if (r == 0) {
		r = mdb_env_stat(kv->env, &stat);
	}
	if (r == 0) {
		r = mdb_env_get_fd(kv->env, &fd);
	}
	if (r != 0) {
		return machine_error(r);
	}
	if (fstat(fd, &st) < 0) {
		return -errno;
	}
	kv->page_bytes = stat.ms_psize;
	kv->map_bytes = info.me_mapsize;
	kv->file_bytes = (uint64_t)st.st_size;
	return 0;
}

/* Room in the file */

static int last_page_end(struct kv *kv, uint64_t *ret_bytes)
{
	MDB_envinfo info;
	int r = mdb_env_info(kv->env, &info);

	if (r != 0) {
		return machine_error(r);
	}
	*ret_bytes = (info.me_last_pgno + 1) * kv->page_bytes;
	return 0;
}

/* An allocation that fails for lack of space may keep all that was left: it is not tried then. */
static int allocate(int fd, uint64_t from, uint64_t to)
{
	struct statvfs fs;
	int r;

	if (fstatvfs(fd, &fs) < 0) {
		return -errno;
	}
	if ((uint64_t)fs.f_bavail * fs.f_frsize < to - from) {
		return KV_E_FULL;
	}
	do {
		r = fallocate(fd, 0, (off_t)from, (off_t)(to - from));
	} while (r < 0 && errno == EINTR);
	if (r < 0 && (errno == EOPNOTSUPP || errno == ENOSYS)) {
		r = ftruncate(fd, (off_t)to); /* long enough at least */
	}
	return r < 0 ? answer_of(errno) : 0;
}

static int grow_file(struct kv *kv, uint64_t bytes)
{
	int fd;
	int r = mdb_env_get_fd(kv->env, &fd);

	if (r != 0) {
		return machine_error(r);
	}
	r = allocate(fd, kv->file_bytes, bytes);
	if (r == 0) {
		kv->file_bytes = bytes;
	}
	return r;
}

static int ensure_room(struct kv *kv)
{
	uint64_t used_bytes, least_bytes;
	int r = last_page_end(kv, &used_bytes);

	if (r != 0) {
		return r;
	}
	if (kv->file_bytes >= MIN(used_bytes + ROOM_LOW, kv->map_bytes)) {
		return 0;
	}
	r = grow_file(kv, MIN(used_bytes + ROOM_HIGH, kv->map_bytes));
	if (r != KV_E_FULL) {
		return r;
	}
	least_bytes = MIN(used_bytes + ROOM_MIN, kv->map_bytes);
	return kv->file_bytes >= least_bytes ? 0 : grow_file(kv, least_bytes);
}

/* Pending changes: in LMDB's open transaction, and in the journal once they are committed */

static int pending_begin(struct kv *kv)
{
	int r = mdb_txn_begin(kv->env, NULL, 0, &kv->pending);

	if (r != 0) {
		kv->pending = NULL;
		return machine_error(r);
	}
	kv->n_changes = 0;
	kv->has_room = false;
	return 0;
}

static void pending_abort(struct kv *kv)
{
	if (kv->pending) {
		mdb_txn_abort(kv->pending);
		kv->pending = NULL;
	}
}

static int pending_change(struct kv *kv, uint8_t what, enum kv_table table, MDB_val key,
			  MDB_val value)
{
	int r;

	kv->n_changes++;
	if (what == CHANGE_DELETE) {
		r = mdb_del(kv->pending, kv->tables[table], &key, NULL);
		return r == MDB_NOTFOUND ? 0 : answer_of(r);
	}
	return answer_of(mdb_put(kv->pending, kv->tables[table], &key, &value,
				 what == CHANGE_APPEND ? MDB_APPEND : 0));
}

/* One change of a record; *@body is moved behind it. */
static int redo_change(struct kv *kv, struct slice *body)
{
	const uint8_t *at = (const uint8_t *)body->data;
	size_t key_len, value_len;

	if (body->len < CHANGE_HEADER_LEN) {
		return KV_E_CORRUPT;
	}
	key_len = at[2];
	value_len = load_be32(at + 3);
	if (at[0] < CHANGE_PUT || at[0] > CHANGE_DELETE || at[1] >= _KV_TABLE_MAX || key_len == 0 ||
	    key_len > KV_KEY_LEN_MAX || value_len > body->len ||
	    key_len + value_len > body->len - CHANGE_HEADER_LEN) {
		return KV_E_CORRUPT;
	}
	body->data += CHANGE_HEADER_LEN + key_len + value_len;
	body->len -= CHANGE_HEADER_LEN + key_len + value_len;
	at += CHANGE_HEADER_LEN;
	return pending_change(kv, at[-CHANGE_HEADER_LEN], (enum kv_table)at[1 - CHANGE_HEADER_LEN],
			      value_of((struct slice){(const char *)at, key_len}),
			      value_of((struct slice){(const char *)at + key_len, value_len}));
}

/* What the journal has, done again in a transaction of LMDB that has nothing yet. */
static int redo(struct kv *kv)
{
	struct slice body;
	size_t at = 0;
	int r = 0, found;

	while ((found = journal_next(kv->journal, &at, &body)) == 0) {
		if (!kv->pending) {
			r = pending_begin(kv);
		}
		while (r == 0 && body.len > 0) {
			r = redo_change(kv, &body);
		}
		if (r != 0) {
			return r;
		}
	}
	return found == JOURNAL_E_CORRUPT ? KV_E_JOURNAL : 0;
}

/* Back to what is committed. */
static void pending_roll_back(struct kv *kv)
{
	int r = 0;

	pending_abort(kv);
	if (kv->journal) {
		journal_drop(kv->journal);
	}
	if (kv->has_base) {
		r = redo(kv);
	}
	kv->broken = r > 0 ? -EIO : r;
}

/* LMDB begins no more transactions once it could not write the page that makes a commit valid. */
static bool is_broken(struct kv *kv)
{
	MDB_txn *probe;

	if (mdb_txn_begin(kv->env, NULL, 0, &probe) != 0) {
		return true;
	}
	mdb_txn_abort(probe);
	return false;
}

static MDB_val base_key(void)
{
	return value_of(slice_of(BASE_ROW));
}

/* Everything goes to the data file, and the journal begins anew. */
static int pending_settle(struct kv *kv)
{
	uint8_t row[1 + JOURNAL_BASE_LEN] = {BASE_FORM};
	MDB_val value = {sizeof(row), row};
	int r;

	randombytes_buf(row + 1, JOURNAL_BASE_LEN);
	r = pending_change(kv, CHANGE_PUT, KV_META, base_key(), value);
	if (r == 0) {
		r = answer_of(mdb_txn_commit(kv->pending));
		kv->pending = NULL;
	}
	if (r == KV_E_FULL && !kv->pending && is_broken(kv)) {
		return -EIO; /* "full" says that nothing of it is there */
	}
	if (r != 0) {
		return r;
	}
	journal_restart(kv->journal, row + 1);
	kv->has_base = true;
	return 0;
}

int kv_checkpoint(struct kv *kv)
{
	int r;

	assert(kv->n_txns == 0);
	if (!kv->pending) {
		return 0;
	}
	r = pending_settle(kv);
	if (r != 0) {
		pending_roll_back(kv);
	}
	return r;
}

/* Opening and closing */

/* A journal is made anew only where the data file says that nothing follows it. */
static int open_journal(struct kv *kv, int directory_fd)
{
	int r = journal_open(directory_fd, &kv->journal);

	if (r == JOURNAL_E_CORRUPT && !kv->has_base) {
		r = journal_create(directory_fd);
		if (r == 0 && fsync(directory_fd) < 0) {
			r = -errno;
		}
		if (r == 0) {
			r = journal_open(directory_fd, &kv->journal);
		}
	}
	return r > 0 ? KV_E_JOURNAL : r;
}

static int read_base(struct kv *kv, uint8_t ret_base[static JOURNAL_BASE_LEN])
{
	MDB_val key = base_key(), row;
	MDB_txn *txn;
	int r = mdb_txn_begin(kv->env, NULL, MDB_RDONLY, &txn);

	if (r != 0) {
		return machine_error(r);
	}
	r = answer_of(mdb_get(txn, kv->tables[KV_META], &key, &row));
	if (r == 0 &&
	    (row.mv_size != 1 + JOURNAL_BASE_LEN || *(uint8_t *)row.mv_data != BASE_FORM)) {
		r = KV_E_CORRUPT;
	}
	if (r == 0) {
		memcpy(ret_base, (uint8_t *)row.mv_data + 1, JOURNAL_BASE_LEN);
		kv->has_base = true;
	}
	mdb_txn_abort(txn);
	return r == KV_E_NONE ? 0 : r;
}

static int open_pending(struct kv *kv, int directory_fd)
{
	uint8_t base[JOURNAL_BASE_LEN] = {0};
	int r = read_base(kv, base);

	if (r == 0) {
		r = open_journal(kv, directory_fd);
	}
	if (r != 0) {
		return r;
	}
	journal_restart(kv->journal, base);
	return kv->has_base ? redo(kv) : 0;
}

int kv_open(const char *directory, size_t map_bytes, bool read_only, struct kv **ret_kv)
{
	cleanup(closep) int directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct kv *kv;
	int r;

	if (directory_fd < 0) {
		return -errno;
	}
	r = datafile_check(directory_fd);
	if (r != 0) {
		return r < 0 ? r : KV_E_CORRUPT;
	}
	kv = calloc(1, sizeof(*kv));
	if (!kv) {
		return -ENOMEM;
	}
	atomic_init(&kv->copying, -1);
	r = environment_open(directory, map_bytes, read_only ? MDB_RDONLY : 0, &kv->env);
	if (r == 0 && !read_only) {
		r = restrict_modes(directory_fd);
	}
	if (r == 0) {
		r = environment_open_tables(kv->env, false, kv);
	}
	if (r == 0) {
		r = measure(kv);
	}
	if (r == 0 && !read_only) {
		r = open_pending(kv, directory_fd);
	}
	if (r != 0) {
		pending_abort(kv);  /* what is wrong may be in the journal: nothing of it is kept */
		(void)kv_close(kv); /* NULL */
		return r;
	}
	*ret_kv = kv;
	return 0;
}

struct kv *kv_close(struct kv *kv)
{
	if (!kv) {
		return NULL;
	}
	assert(kv->n_txns == 0);
	if (kv_checkpoint(kv) != 0) {
		pending_abort(kv); /* the journal has it all the same */
	}
	if (kv->idle) {
		mdb_txn_abort(kv->idle->txn);
		free(kv->idle);
	}
	(void)journal_close(kv->journal); /* NULL */
	if (kv->env) {
		mdb_env_close(kv->env);
	}
	free(kv);
	return NULL;
}

/* Transactions */

static int begin_txn(struct kv *kv, MDB_txn *lmdb, struct kv_txn **ret_txn)
{
	struct kv_txn *txn = calloc(1, sizeof(*txn));

	if (!txn) {
		return -ENOMEM;
	}
	txn->kv = kv;
	txn->txn = lmdb;
	kv->n_txns++;
	*ret_txn = txn;
	return 0;
}

/* A transaction that could end in a short write begins with its error: it can only be read. */
static int begin_write(struct kv *kv, struct kv_txn **ret_txn)
{
	int r = kv->pending ? 0 : pending_begin(kv);
	int error = r == 0 && !kv->has_room ? ensure_room(kv) : 0;

	if (r == 0 && error < 0) {
		r = error;
	}
	if (r == 0) {
		r = begin_txn(kv, kv->pending, ret_txn);
	}
	if (r < 0) {
		pending_roll_back(kv);
		return r;
	}
	kv->has_room = error == 0;
	kv->writing = true;
	(*ret_txn)->write = true;
	(*ret_txn)->error = error;
	return 0;
}

static int begin_snapshot(struct kv *kv, struct kv_txn **ret_txn)
{
	MDB_txn *lmdb;
	int r = mdb_txn_begin(kv->env, NULL, MDB_RDONLY, &lmdb);

	if (r != 0) {
		return machine_error(r);
	}
	r = begin_txn(kv, lmdb, ret_txn);
	if (r < 0) {
		mdb_txn_abort(lmdb);
	}
	return r;
}

/* What is pending is committed: it is read where it is. */
static int begin_read(struct kv *kv, struct kv_txn **ret_txn)
{
	int r;

	if (kv->pending) {
		return begin_txn(kv, kv->pending, ret_txn);
	}
	if (!kv->idle) {
		return begin_snapshot(kv, ret_txn);
	}
	r = mdb_txn_renew(kv->idle->txn);
	if (r != 0) {
		return machine_error(r);
	}
	kv->n_txns++;
	*ret_txn = TAKE_PTR(kv->idle);
	return 0;
}

int kv_begin(struct kv *kv, bool write, struct kv_txn **ret_txn)
{
	assert(!kv->writing);
	assert(!write || kv->n_txns == 0);
	if (kv->broken) {
		return kv->broken;
	}
	return write ? begin_write(kv, ret_txn) : begin_read(kv, ret_txn);
}

static void forget(struct kv_txn *txn)
{
	if (txn->write) {
		txn->kv->writing = false;
	}
	txn->kv->n_txns--;
	free(txn);
}

struct kv_txn *kv_abort(struct kv_txn *txn)
{
	struct kv *kv = txn ? txn->kv : NULL;

	if (!txn) {
		return NULL;
	}
	if (txn->write) {
		forget(txn);
		pending_roll_back(kv);
	} else if (txn->txn == kv->pending) {
		forget(txn);
	} else if (!kv->idle) {
		kv->n_txns--;
		mdb_txn_reset(txn->txn);
		kv->idle = txn;
	} else {
		mdb_txn_abort(txn->txn);
		forget(txn);
	}
	return NULL;
}

static int commit(struct kv *kv)
{
	int r = JOURNAL_E_FULL;

	if (kv->has_base && kv->n_changes <= LMDB_CHANGES_MAX) {
		r = journal_commit(kv->journal);
	} else {
		journal_drop(kv->journal);
	}
	return r == JOURNAL_E_FULL ? pending_settle(kv) : r;
}

int kv_commit(struct kv_txn *txn)
{
	struct kv *kv = txn->kv;
	int r = txn->error;

	assert(txn->write);
	if (r == 0 && journal_has_body(kv->journal)) {
		r = commit(kv);
		if (r == 0) {
			forget(txn);
			return 0;
		}
	}
	(void)kv_abort(txn); /* NULL */
	return r;
}

int kv_txn_error(const struct kv_txn *txn)
{
	return txn->error;
}

/* After a failed write LMDB refuses reads in its transaction: they answer why the write failed. */
static int read_answer_of(const struct kv_txn *txn, int rc)
{
	if (rc == MDB_BAD_TXN && txn->error) {
		return txn->error == KV_E_FULL ? -ENOSPC : txn->error;
	}
	return answer_of(rc);
}

int kv_get(struct kv_txn *txn, enum kv_table table, struct slice key, struct slice *ret_value)
{
	MDB_val k = key_of(key);
	MDB_val value;
	int r;

	r = read_answer_of(txn, mdb_get(txn->txn, txn->kv->tables[table], &k, &value));
	if (r == 0) {
		*ret_value = slice_from(value);
	}
	return r;
}

/* The same for LMDB and for the journal. */
static void change(struct kv_txn *txn, uint8_t what, enum kv_table table, struct slice key,
		   struct slice value)
{
	uint8_t header[CHANGE_HEADER_LEN] = {what, (uint8_t)table, (uint8_t)key.len};
	struct journal *journal = txn->kv->journal;

	assert(txn->write);
	if (txn->error) {
		return;
	}
	txn->error = pending_change(txn->kv, what, table, key_of(key), value_of(value));
	store_be32(header + 3, (uint32_t)value.len);
	journal_add(journal, header, sizeof(header));
	journal_add(journal, key.data, key.len);
	journal_add(journal, value.data, value.len);
}

void kv_put(struct kv_txn *txn, enum kv_table table, struct slice key, struct slice value)
{
	change(txn, CHANGE_PUT, table, key, value);
}

void kv_append(struct kv_txn *txn, enum kv_table table, struct slice key, struct slice value)
{
	change(txn, CHANGE_APPEND, table, key, value);
}

void kv_delete(struct kv_txn *txn, enum kv_table table, struct slice key)
{
	change(txn, CHANGE_DELETE, table, key, (struct slice){0});
}

int kv_cursor_open(struct kv_txn *txn, enum kv_table table, struct kv_cursor **ret_cursor)
{
	struct kv_cursor *cursor = calloc(1, sizeof(*cursor));
	int r;

	if (!cursor) {
		return -ENOMEM;
	}
	r = mdb_cursor_open(txn->txn, txn->kv->tables[table], &cursor->cursor);
	if (r != 0) {
		free(cursor);
		return read_answer_of(txn, r);
	}
	cursor->txn = txn;
	*ret_cursor = cursor;
	return 0;
}

struct kv_cursor *kv_cursor_close(struct kv_cursor *cursor)
{
	if (cursor) {
		mdb_cursor_close(cursor->cursor);
		free(cursor);
	}
	return NULL;
}

void kv_cursor_closep(struct kv_cursor **cursor)
{
	*cursor = kv_cursor_close(*cursor);
}

static int move(struct kv_cursor *cursor, MDB_cursor_op op, MDB_val key, struct slice *ret_key,
		struct slice *ret_value)
{
	MDB_val value;
	int r = read_answer_of(cursor->txn, mdb_cursor_get(cursor->cursor, &key, &value, op));

	cursor->at_end = r == KV_E_NONE;
	if (r != 0) {
		return r;
	}
	if (ret_key) {
		*ret_key = slice_from(key);
	}
	if (ret_value) {
		*ret_value = slice_from(value);
	}
	return 0;
}

/* LMDB searches for no empty key. */
int kv_cursor_seek(struct kv_cursor *cursor, struct slice key, struct slice *ret_key,
		   struct slice *ret_value)
{
	if (key.len == 0) {
		return move(cursor, MDB_FIRST, (MDB_val){0}, ret_key, ret_value);
	}
	return move(cursor, MDB_SET_RANGE, key_of(key), ret_key, ret_value);
}

int kv_cursor_next(struct kv_cursor *cursor, struct slice *ret_key, struct slice *ret_value)
{
	if (cursor->at_end) {
		return KV_E_NONE;
	}
	return move(cursor, MDB_NEXT, (MDB_val){0}, ret_key, ret_value);
}

int kv_cursor_last(struct kv_cursor *cursor, struct slice *ret_key, struct slice *ret_value)
{
	return move(cursor, MDB_LAST, (MDB_val){0}, ret_key, ret_value);
}

static int count_pages(struct kv_txn *txn, MDB_dbi table, uint64_t *pages)
{
	MDB_stat stat;
	int r = mdb_stat(txn->txn, table, &stat);

	if (r == 0) {
		*pages += stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages;
	}
	return read_answer_of(txn, r);
}

int kv_usage(struct kv_txn *txn, struct kv_usage *ret_usage)
{
	struct kv *kv = txn->kv;
	struct kv_usage usage = {.map_bytes = kv->map_bytes};
	uint64_t pages = 0;
	int r = count_pages(txn, kv->names, &pages);

	for (size_t i = 0; r == 0 && i < _KV_TABLE_MAX; i++) {
		r = count_pages(txn, kv->tables[i], &pages);
	}
	if (r == 0) {
		r = last_page_end(kv, &usage.file_bytes);
	}
	if (r != 0) {
		return r;
	}
	usage.used_bytes = pages * kv->page_bytes;
	*ret_usage = usage;
	return 0;
}

/* A copy has no journal: it must not ask for one. */
static int copy_without_base(MDB_env *env)
{
	MDB_val key = base_key();
	MDB_txn *txn;
	MDB_dbi meta;
	int r = mdb_txn_begin(env, NULL, 0, &txn);

	if (r != 0) {
		return machine_error(r);
	}
	r = mdb_dbi_open(txn, table_names[KV_META], 0, &meta);
	if (r == 0) {
		r = mdb_del(txn, meta, &key, NULL);
	}
	if (r != 0) {
		mdb_txn_abort(txn);
		return r == MDB_NOTFOUND ? 0 : open_answer_of(r);
	}
	return open_answer_of(mdb_txn_commit(txn));
}

int kv_finish_copy(const char *directory, size_t map_bytes)
{
	MDB_env *env;
	int r = environment_open(directory, map_bytes, MDB_NOLOCK, &env);

	if (r == 0) {
		r = copy_without_base(env);
		mdb_env_close(env);
	}
	return r;
}

/* The walk through the pages is LMDB's, in a read transaction of its own. */
int kv_copy(struct kv *kv, int fd)
{
	int r = -ECANCELED;

	atomic_store(&kv->copying, fd);
	if (!atomic_load(&kv->stopped)) {
		r = answer_of(mdb_env_copyfd2(kv->env, fd, MDB_CP_COMPACT));
	}
	atomic_store(&kv->copying, -1);
	return r != 0 && atomic_load(&kv->stopped) ? -ECANCELED : r;
}

/* LMDB asks nobody whether to go on, but stops at a descriptor that cannot be written to. */
void kv_stop_copy(struct kv *kv)
{
	cleanup(closep) int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int fd;

	atomic_store(&kv->stopped, true);
	fd = atomic_load(&kv->copying);
	if (fd >= 0 && null >= 0) {
		(void)dup3(null, fd, O_CLOEXEC); /* the copy then takes its time: no harm is done */
	}
}
