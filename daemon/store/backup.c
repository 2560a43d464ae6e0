/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "daemon/store/files.h"
#include "daemon/store/inside.h"

#define NAMES_MAX 100 /* backups begun in one and the same second */

/*
 * The thread has what stands above @ended for itself until it sets it; the loop's thread only reads
 * @fd's size meanwhile.
 *
 * @fd: of the data's copy; closed by the loop's thread
 */
struct backup {
	struct kv *kv;
	char directory[PATH_MAX];
	char vault_directory[PATH_MAX];
	char vault[PATH_MAX];
	char temporary[PATH_MAX]; /* DIRECTORY/data.new */
	char place[PATH_MAX];
	uint64_t map_bytes;
	int fd;
	char error[256];
	atomic_bool ended;

	bool going; /* there is a thread */
	pthread_t thread;
	struct backup_status status;
};

static int name_directories(struct backup *backup, const struct store *store,
			    const struct backup_options *options)
{
	int r = options->directory ? files_add_suffix(options->directory, "", backup->directory)
				   : store_path(store->directory, "backup", backup->directory);

	if (r == 0) {
		r = options->vault_directory ? files_add_suffix(options->vault_directory, "",
								backup->vault_directory)
					     : files_add_suffix(backup->directory, "-vault",
								backup->vault_directory);
	}
	if (r == 0) {
		r = store_path(store->directory, "store/vault", backup->vault);
	}
	return r == 0 ? store_path(backup->directory, "data.new", backup->temporary) : r;
}

int backup_new(struct store *store, const struct backup_options *options,
	       struct backup **ret_backup)
{
	struct backup *backup = calloc(1, sizeof(*backup));
	int r;

	if (!backup) {
		return -ENOMEM;
	}
	backup->kv = store->kv;
	backup->map_bytes = store->map_bytes;
	backup->fd = -1;
	backup->status.started_at = INSTANT_NONE;
	backup->status.ended_at = INSTANT_NONE;
	r = name_directories(backup, store, options);
	if (r < 0) {
		free(backup);
		return r;
	}
	*ret_backup = backup;
	return 0;
}

/*
 * The thread. Its functions return false when the backup has failed, and have said why.
 */

static bool printf_like(2, 3) fail(struct backup *backup, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(backup->error, sizeof(backup->error), format,
			arguments); /* cut if longer */
	va_end(arguments);
	return false;
}

static bool check_errno(struct backup *backup, int r, const char *path)
{
	return r == 0 || fail(backup, "%s: %s", path, strerrordesc_np(-r));
}

/*
 * Its name must be on the disk before that of any backup in it. Where the daemon may not read the
 * directory around it, it has not made it either: an administrator has, before.
 */
static bool make_directory(struct backup *backup, const char *path)
{
	int r = files_make_directory(path);

	if (!check_errno(backup, r, path)) {
		return false;
	}
	r = files_sync_parent(path);
	return check_errno(backup, r == -EACCES ? 0 : r, path);
}

static bool make_directories(struct backup *backup)
{
	struct stat data, keys;

	if (!make_directory(backup, backup->directory) ||
	    !make_directory(backup, backup->vault_directory)) {
		return false;
	}
	if (stat(backup->directory, &data) < 0 || stat(backup->vault_directory, &keys) < 0) {
		return check_errno(backup, -errno, backup->directory);
	}
	if (data.st_dev == keys.st_dev && data.st_ino == keys.st_ino) {
		return fail(backup, "%s: the vault's backup belongs into another directory",
			    backup->vault_directory);
	}
	return true;
}

/* A copy that a crash cut short is in the way; no other name is ever taken by two. */
static bool make_temporary(struct backup *backup)
{
	char path[PATH_MAX];
	int r = store_path(backup->temporary, "data.mdb", path);

	if (r == 0 && unlink(path) < 0 && errno != ENOENT) {
		r = -errno;
	}
	if (r == 0) {
		r = files_make_directory(backup->temporary);
	}
	if (r == 0) {
		backup->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		r = backup->fd < 0 ? -errno : 0;
	}
	return check_errno(backup, r, path);
}

static bool copy_data(struct backup *backup)
{
	int r = kv_copy(backup->kv, backup->fd);

	if (r == 0 && fsync(backup->fd) < 0) {
		r = -errno;
	}
	if (r == 0) {
		r = kv_finish_copy(backup->temporary, backup->map_bytes);
	}
	if (r > 0) {
		return fail(backup, "the store cannot be copied: %s",
			    r == KV_E_FULL ? "no space is left for the copy"
					   : "it is damaged; run retentionctl verify");
	}
	return check_errno(backup, r, backup->temporary) &&
	       check_errno(backup, files_sync_directory(backup->temporary), backup->temporary);
}

static bool copy_vault(struct backup *backup)
{
	char path[PATH_MAX];
	int r = store_path(backup->vault_directory, "vault", path);

	if (r == 0) {
		r = vault_copy(backup->vault, path);
	}
	if (r > 0) {
		r = -EIO; /* the daemon has it open: it was sound */
	}
	return check_errno(backup, r, backup->vault_directory) &&
	       check_errno(backup, files_sync_directory(backup->vault_directory),
			   backup->vault_directory);
}

static bool put_in_place(struct backup *backup)
{
	if (rename(backup->temporary, backup->place) < 0) {
		return check_errno(backup, -errno, backup->place);
	}
	return check_errno(backup, files_sync_directory(backup->directory), backup->directory);
}

static void *run(void *argument)
{
	struct backup *backup = argument;

	(void)(make_directories(backup) && make_temporary(backup) && copy_data(backup) &&
	       copy_vault(backup) && put_in_place(backup)); /* the first that fails has said so */
	atomic_store(&backup->ended, true);
	return NULL;
}

/*
 * The loop's side
 */

static int name_by_instant(struct backup *backup, instant_t now, unsigned n)
{
	time_t seconds = (time_t)(now / SPAN_SECOND);
	char name[64], number[16] = "";
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) ||
	    strftime(name, sizeof(name), "data-%Y%m%dT%H%M%SZ", &tm) == 0) {
		return -EOVERFLOW;
	}
	if (n > 1) {
		(void)snprintf(number, sizeof(number), "-%u", n);
		(void)strncat(name, number, sizeof(name) - strlen(name) - 1);
	}
	return store_path(backup->directory, name, backup->place);
}

static int name_place(struct backup *backup, instant_t now)
{
	for (unsigned n = 1; n <= NAMES_MAX; n++) {
		int r = name_by_instant(backup, now, n);

		if (r < 0 || access(backup->place, F_OK) < 0) {
			return r;
		}
	}
	return -EEXIST;
}

/* Signals are the loop's. */
static int make_thread(struct backup *backup)
{
	sigset_t all, before;
	int r;

	(void)sigfillset(&all); /* never fails, as below */
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&backup->thread, NULL, run, backup);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -r;
}

int backup_begin(struct backup *backup, instant_t now)
{
	int r;

	assert(!backup->status.running);
	r = name_place(backup, now);
	if (r < 0) {
		return r;
	}
	backup->error[0] = '\0';
	atomic_store(&backup->ended, false);
	backup->status = (struct backup_status){
		.running = true,
		.started_at = now,
		.ended_at = INSTANT_NONE,
	};
	memcpy(backup->status.directory, backup->place, PATH_MAX);
	return 0;
}

int backup_go(struct backup *backup)
{
	int r;

	if (!backup->status.running || backup->going) {
		return 0;
	}
	r = kv_checkpoint(backup->kv);
	if (r < 0) {
		return r;
	}
	if (r > 0) { /* nothing is lost: it is in the journal */
		(void)fail(backup, r == KV_E_FULL
					   ? "the store is full"
					   : "the store is damaged; run retentionctl verify");
		atomic_store(&backup->ended, true);
		return 0;
	}
	r = make_thread(backup);
	backup->going = r == 0;
	if (!check_errno(backup, r, "a thread for the copy")) {
		atomic_store(&backup->ended, true);
	}
	return 0;
}

static void measure(struct backup *backup)
{
	char path[PATH_MAX];
	struct stat info;

	if (store_path(backup->temporary, "data.mdb", path) == 0 && stat(path, &info) == 0) {
		backup->status.bytes = (uint64_t)info.st_size;
	}
}

static void end(struct backup *backup, instant_t now)
{
	struct backup_status *status = &backup->status;
	struct stat info;

	if (backup->going) {
		(void)pthread_join(backup->thread, NULL); /* it has ended, or is about to */
	}
	backup->going = false;
	if (backup->fd >= 0 && fstat(backup->fd, &info) == 0) {
		status->bytes = (uint64_t)info.st_size;
	}
	closep(&backup->fd);
	backup->fd = -1;
	memcpy(status->error, backup->error, sizeof(status->error));
	status->running = false;
	status->ended_at = now;
}

bool backup_look(struct backup *backup, instant_t now)
{
	if (!backup->status.running) {
		return false;
	}
	if (!atomic_load(&backup->ended)) {
		measure(backup);
		return false;
	}
	end(backup, now);
	return true;
}

const struct backup_status *backup_status(const struct backup *backup)
{
	return &backup->status;
}

struct backup *backup_free(struct backup *backup)
{
	if (!backup) {
		return NULL;
	}
	if (backup->status.running) {
		kv_stop_copy(backup->kv);
		end(backup, INSTANT_NONE);
	}
	free(backup);
	return NULL;
}
