/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "daemon/store/inside.h"

/*
 * The check before a store is used. It runs in a child, because LMDB trusts its file: a damaged
 * page ends whoever reads it with SIGBUS, SIGSEGV or SIGABRT, and then it is the child that ends.
 * The child reads what every start depends on: identity and state, the first and last row of
 * every table, the last stretch of the chain, and the newest account rows and profile. Where it is, it notes in
 * memory that it shares with its parent, so that whoever restores a backup knows what for.
 *
 * The whole chain is proven by ledger.verify, on a running daemon.
 */

#define CHECK_ENTRIES 1000
#define CHECK_ROWS    1000

/* The child's exit codes: STORE_E_ answers, or one of these. */
enum {
	CHECK_EXIT_SOUND = 0,
	CHECK_EXIT_ERRNO = 100, /* the machine failed; the errno is added */
};

/* What the child reads; in words that end with a number, if @number is not 0. */
struct check_spot {
	const char *what;
	uint64_t number;
};

static const struct check_spot spot_begin = {.what = "its head"};

static void check_note(struct check_spot *spot, const char *what, uint64_t number)
{
	*spot = (struct check_spot){what, number};
}

/* Backwards from the last entry. What is not settled is replayed, so that all of it is proven. */
static int check_chain(struct kv_txn *txn, uint64_t settled_seq, struct check_spot *spot)
{
	struct ledger_head head;
	struct entry entry;
	uint8_t expected[ROWS_DIGEST_LEN], hash[ROWS_DIGEST_LEN];
	int r;

	check_note(spot, "the last entry of the ledger", 0);
	r = ledger_load_head(txn, &head);
	if (r != 0 || head.seq == 0) {
		return r < 0 ? r : STORE_E_CORRUPT;
	}
	r = store_match_head(txn, &head);
	if (r != 0) {
		return r;
	}
	memcpy(expected, head.hash, sizeof(expected));
	for (uint64_t seq = head.seq;
	     seq > 0 && (head.seq - seq < CHECK_ENTRIES || seq > settled_seq); --seq) {
		check_note(spot, "ledger entry ", seq);
		r = ledger_get(txn, seq, &entry, hash);
		if (r != 0 || memcmp(hash, expected, sizeof(hash)) != 0) {
			return r < 0 ? r : STORE_E_CORRUPT;
		}
		memcpy(expected, entry.prev_hash, sizeof(expected));
	}
	return 0;
}

static int check_table(struct kv_txn *txn, enum kv_table table)
{
	cleanup(kv_cursor_closep) struct kv_cursor *cursor = NULL;
	int r = kv_cursor_open(txn, table, &cursor);

	if (r == 0) {
		r = kv_cursor_seek(cursor, (struct slice){0}, NULL, NULL);
	}
	if (r == 0) {
		r = kv_cursor_last(cursor, NULL, NULL);
	}
	return r < 0 ? r : r == 0 || r == KV_E_NONE ? 0 : STORE_E_CORRUPT;
}

static int check_newest_rows(struct kv_txn *txn, uint64_t next_uid, struct check_spot *spot)
{
	cleanup(kv_cursor_closep) struct kv_cursor *cursor = NULL;
	struct key first = key_u64(next_uid > CHECK_ROWS ? next_uid - CHECK_ROWS : 0);
	struct slice key, row;
	struct account account;
	int r = kv_cursor_open(txn, KV_ACCOUNTS, &cursor);

	if (r == 0) {
		r = kv_cursor_seek(cursor, key_slice(&first), &key, &row);
	}
	while (r == 0) {
		if (key.len == 8) {
			check_note(spot, "the row of account uid ", load_be64(key.data));
		}
		if (key.len != 8 || load_be64(key.data) >= next_uid ||
		    rows_decode_account(load_be64(key.data), row, &account) != 0) {
			return STORE_E_CORRUPT;
		}
		r = kv_cursor_next(cursor, &key, &row);
	}
	return r < 0 ? r : r == KV_E_NONE ? 0 : STORE_E_CORRUPT;
}

/* New profiles are put behind the last one, so nothing may stand where they will. */
static int check_last_profile(struct kv_txn *txn, uint64_t next_uid, struct check_spot *spot)
{
	cleanup(kv_cursor_closep) struct kv_cursor *cursor = NULL;
	struct slice key;
	int r = kv_cursor_open(txn, KV_PROFILES, &cursor);

	check_note(spot, "the newest profile", 0);
	if (r == 0) {
		r = kv_cursor_last(cursor, &key, NULL);
	}
	if (r == 0 && (key.len != 8 || load_be64(key.data) >= next_uid)) {
		return STORE_E_CORRUPT;
	}
	return r < 0 ? r : r == 0 || r == KV_E_NONE ? 0 : STORE_E_CORRUPT;
}

static int check_data(struct kv_txn *txn, struct check_spot *spot)
{
	uint8_t instance[VAULT_INSTANCE_LEN];
	struct state state;
	int r = store_load_identity(txn, instance);

	if (r == 0) {
		r = store_load_state(txn, &state);
	}
	if (r == 0) {
		r = check_chain(txn, state.settled_seq, spot);
	}
	if (r == 0) {
		check_note(spot, "the beginning or end of a table", 0);
	}
	for (enum kv_table table = 0; r == 0 && table < _KV_TABLE_MAX; ++table) {
		r = check_table(txn, table);
	}
	if (r == 0) {
		check_note(spot, "the newest rows of accounts", 0);
		r = check_newest_rows(txn, state.next_uid, spot);
	}
	if (r == 0) {
		r = check_last_profile(txn, state.next_uid, spot);
	}
	return r == STORE_E_NONE ? STORE_E_CORRUPT : r;
}

static int check_place(const char *place, uint64_t map_bytes, struct check_spot *spot)
{
	struct kv *kv;
	struct kv_txn *txn;
	int r = kv_open(place, map_bytes, true, &kv);

	if (r != 0) {
		return r < 0 ? r : STORE_E_CORRUPT;
	}
	r = kv_begin(kv, false, &txn);
	if (r == 0) {
		r = check_data(txn, spot);
		(void)kv_abort(txn);
	}
	(void)kv_close(kv);
	return r;
}

int store_check_rows(const char *directory, uint64_t map_bytes)
{
	struct check_spot spot = spot_begin;
	char place[PATH_MAX];
	int r = store_path(directory, "store", place);

	return r < 0 ? r : check_place(place, map_bytes, &spot);
}

static _Noreturn void check_child(const char *place, uint64_t map_bytes, struct check_spot *spot)
{
	struct rlimit none = {0, 0};
	int r;

	(void)setrlimit(RLIMIT_CORE,
			&none); /* a damaged page is an answer here, not a crash to be examined */
	(void)signal(SIGBUS, SIG_DFL);
	(void)signal(SIGSEGV, SIG_DFL);
	(void)signal(SIGABRT, SIG_DFL);
	r = check_place(place, map_bytes, spot);
	_exit(r < 0 ? CHECK_EXIT_ERRNO - r : r);
}

static int say_damaged(const char *place, const struct check_spot *spot, const char *how)
{
	char number[24] = "";

	if (spot->number != 0) {
		(void)snprintf(number, sizeof(number), "%llu", (unsigned long long)spot->number);
	}
	return store_say_fault(
		STORE_E_CORRUPT,
		"the store in %s is damaged: %s%s %s; restore a backup, and what was removed since "
		"is removed again",
		place, spot->what, number, how);
}

static int check_answer(const char *place, int status, const struct check_spot *spot)
{
	char how[64];

	if (WIFSIGNALED(status)) {
		(void)snprintf(how, sizeof(how), "was read, and that ended with %s",
			       strsignal(WTERMSIG(status)));
		return say_damaged(place, spot, how);
	}
	if (WEXITSTATUS(status) > CHECK_EXIT_ERRNO) {
		return CHECK_EXIT_ERRNO - WEXITSTATUS(status);
	}
	switch (WEXITSTATUS(status)) {
	case CHECK_EXIT_SOUND:
		return 0;
	case STORE_E_NEWER:
		return store_say_fault(
			STORE_E_NEWER,
			"the store in %s was written by a newer retentiond; install that version",
			place);
	}
	if (spot->what != spot_begin.what) {
		return say_damaged(place, spot, "cannot be read, or is not what was written");
	}
	return store_say_fault(
		STORE_E_CORRUPT,
		"the store in %s is damaged or is not a store of retentiond; restore "
		"a backup, or move it away to begin anew",
		place);
}

/* Return: the child's status in @ret_status and 0, or a negative errno. */
static int run_child(const char *place, uint64_t map_bytes, struct check_spot *spot,
		     int *ret_status)
{
	pid_t child = fork();

	if (child < 0) {
		return -errno;
	}
	if (child == 0) {
		check_child(place, map_bytes, spot);
	}
	while (waitpid(child, ret_status, 0) < 0) {
		if (errno != EINTR) {
			return -errno;
		}
	}
	return 0;
}

int store_check(const char *directory, uint64_t map_bytes)
{
	struct check_spot *spot;
	char place[PATH_MAX];
	int status, r = store_path(directory, "store", place);

	if (r < 0) {
		return r;
	}
	spot = mmap(NULL, sizeof(*spot), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (spot == MAP_FAILED) {
		return -errno;
	}
	*spot = spot_begin;
	r = run_child(place, map_bytes, spot, &status);
	if (r == 0) {
		r = check_answer(place, status, spot);
	}
	(void)munmap(spot, sizeof(*spot));
	return r;
}
