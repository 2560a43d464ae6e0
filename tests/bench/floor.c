/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/floor.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>

#include "tests/bench/directory.h"
#include "tests/bench/fail.h"
#include "tests/bench/stopwatch.h"

#define BLOCK       4096
#define FILE_BLOCKS 256
#define ENTRY_BYTES 160
#define MAP_BYTES   ((size_t)1 << 30)

static int make_file(const char *path)
{
	static const char block[BLOCK];
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0) {
		fail_errno(errno, "%s", path);
	}
	for (int i = 0; i < FILE_BLOCKS; i++) {
		if (pwrite(fd, block, BLOCK, i * BLOCK) != BLOCK) {
			fail_errno(errno, "%s", path);
		}
	}
	if (fsync(fd) < 0) {
		fail_errno(errno, "%s", path);
	}
	return fd;
}

double floor_sync_block(const char *directory, double seconds, struct spread *latencies)
{
	char block[BLOCK] = {0};
	char path[320];
	uint64_t begin;
	double ran;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/block", directory);
	directory_make(directory, NULL);
	fd = make_file(path);
	begin = stopwatch_ns();
	do {
		uint64_t at = stopwatch_ns();

		block[0]++;
		if (pwrite(fd, block, BLOCK, (off_t)(latencies->n % FILE_BLOCKS * BLOCK)) !=
			    BLOCK ||
		    fdatasync(fd) < 0) {
			fail_errno(errno, "%s", path);
		}
		spread_add(latencies, stopwatch_ns() - at);
		ran = stopwatch_seconds_since(begin);
	} while (ran < seconds);
	closep(&fd);
	directory_remove(directory);
	return ran;
}

static void must_lmdb(int error)
{
	if (error) {
		fail("LMDB: %s", mdb_strerror(error));
	}
}

static void commit_entry(MDB_env *environment, MDB_dbi table, uint64_t seq)
{
	char entry[ENTRY_BYTES] = {0};
	uint8_t number[8];
	MDB_val key = {sizeof(number), number};
	MDB_val value = {sizeof(entry), entry};
	MDB_txn *txn;

	store_be64(number, seq);
	must_lmdb(mdb_txn_begin(environment, NULL, 0, &txn));
	must_lmdb(mdb_put(txn, table, &key, &value, MDB_APPEND));
	must_lmdb(mdb_txn_commit(txn));
}

static MDB_env *open_environment(const char *directory, MDB_dbi *ret_table)
{
	MDB_env *environment;
	MDB_txn *txn;

	directory_make(directory, NULL);
	must_lmdb(mdb_env_create(&environment));
	must_lmdb(mdb_env_set_mapsize(environment, MAP_BYTES));
	must_lmdb(mdb_env_open(environment, directory, 0, 0600));
	must_lmdb(mdb_txn_begin(environment, NULL, 0, &txn));
	must_lmdb(mdb_dbi_open(txn, NULL, 0, ret_table));
	must_lmdb(mdb_txn_commit(txn));
	return environment;
}

double floor_commit_entry(const char *directory, double seconds, struct spread *latencies)
{
	MDB_dbi table;
	MDB_env *environment = open_environment(directory, &table);
	uint64_t begin = stopwatch_ns();
	double ran;

	do {
		uint64_t at = stopwatch_ns();

		commit_entry(environment, table, latencies->n + 1);
		spread_add(latencies, stopwatch_ns() - at);
		ran = stopwatch_seconds_since(begin);
	} while (ran < seconds);
	mdb_env_close(environment);
	directory_remove(directory);
	return ran;
}
