/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/kv.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "daemon/store/datafile.h"
#include "daemon/store/kv_inside.h"

#define LOCK_FILE "lock.mdb"

/* The loop's thread reads one snapshot or a few; the check before a start is another process. */
#define READERS_MAX 16

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
	[KV_GUARDS] = "guards",
	[KV_STAGED] = "staged",
};

static_assert(ARRAY_LEN(table_names) == _KV_TABLE_MAX, "every table has a name");
static_assert(sizeof(size_t) == 8, "a map of gigabytes takes addresses of 64 bits");

/* LMDB's answers are positive errnos, or negative numbers of its own. */
int kv_machine_error(int rc)
{
	return rc > 0 ? -rc : -EIO;
}

int kv_answer_of(int rc)
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
		return kv_machine_error(rc);
	}
}

/* Lack of space while an environment is opened is no full store: there is none yet. */
static int open_answer_of(int rc)
{
	int answer = rc == MDB_NOTFOUND ? KV_E_CORRUPT : kv_answer_of(rc);

	return answer == KV_E_FULL ? -ENOSPC : answer;
}

/* LMDB opens the data file without the flag; its other two descriptors have it. */
static int set_close_on_exec(MDB_env *env)
{
	int fd;
	int r = mdb_env_get_fd(env, &fd);

	if (r != 0) {
		return kv_machine_error(r);
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
		return kv_machine_error(r);
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

/*
 * LMDB's own order, so that nobody else need know of it: by bytes, then by length. Eight bytes at a
 * time and without another call, since a search compares some twenty keys, and most are numbers and
 * hashes.
 */
static int compare_keys(const MDB_val *a, const MDB_val *b)
{
	const char *left = a->mv_data, *right = b->mv_data;
	size_t n = MIN(a->mv_size, b->mv_size);
	int r;

	for (; n >= sizeof(uint64_t); n -= sizeof(uint64_t)) {
		uint64_t x = load_be64(left), y = load_be64(right);

		if (x != y) {
			return x < y ? -1 : 1;
		}
		left += sizeof(x);
		right += sizeof(y);
	}
	r = n > 0 ? memcmp(left, right, n) : 0;
	return r != 0 ? r : (a->mv_size > b->mv_size) - (a->mv_size < b->mv_size);
}

static int open_table(MDB_txn *txn, size_t table, unsigned flags, struct kv *kv)
{
	int r = mdb_dbi_open(txn, table_names[table], flags, &kv->tables[table]);

	return r == 0 ? mdb_set_compare(txn, kv->tables[table], compare_keys) : r;
}

static int open_tables(MDB_txn *txn, unsigned flags, struct kv *kv)
{
	int r = mdb_dbi_open(txn, NULL, 0, &kv->names);

	for (size_t i = 0; r == 0 && i < _KV_TABLE_MAX; i++) {
		r = open_table(txn, i, flags, kv);
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
		return kv_machine_error(r);
	}
	if (fstat(fd, &st) < 0) {
		return -errno;
	}
	kv->page_bytes = stat.ms_psize;
	kv->map_bytes = info.me_mapsize;
	kv->file_bytes = (uint64_t)st.st_size;
	return 0;
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
	if (r == 0) {
		r = kv_change_find_map(kv);
	}
	if (r == 0 && !read_only) {
		r = kv_pending_open(kv, directory_fd);
	}
	if (r != 0) {
		kv_pending_abort(
			kv);        /* what is wrong may be in the journal: nothing of it is kept */
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
	kv_drop_spares(kv, true);
	if (kv_checkpoint(kv) != 0) {
		kv_pending_abort(kv); /* the journal has it all the same */
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

MDB_val kv_base_key(void)
{
	return kv_val(SLICE_LITERAL("journal"));
}

/* A copy has no journal: it must not ask for one. */
static int copy_without_base(MDB_env *env)
{
	MDB_val key = kv_base_key();
	MDB_txn *txn;
	MDB_dbi meta;
	int r = mdb_txn_begin(env, NULL, 0, &txn);

	if (r != 0) {
		return kv_machine_error(r);
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
		r = kv_answer_of(mdb_env_copyfd2(kv->env, fd, MDB_CP_COMPACT));
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
