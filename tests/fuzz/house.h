/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_FUZZ_HOUSE_H
#define RETENTIOND_TESTS_FUZZ_HOUSE_H

#include "tests/support/rig.h"

/*
 * A daemon that has lived: two organizations, keepers, and an account in every state, with holds,
 * claims, removal requests, a command that the mass guard holds back, and an answer that is kept, of
 * root's request id r-1: no table is empty. Made once; an input that changed something is undone by
 * putting the files back and starting again.
 *
 * Uids:
 *
 *     1  active guest              2  disabled guest            3  member
 *     4  soft-deleted              5  soft-deleted, on hold     6  removing, claimed by crm
 *     7  removing, owed by mail    8  removed                   9  direct connect
 *    10  active, in fabrikam, which lets nobody leave and one be removed; request 1 is open
 *    11  soft-deleted there       12  active there, its removal held back
 */

#define HOUSE_ACCOUNTS  12
#define HOUSE_MAP_BYTES (UINT64_C(64) << 20)

/* Who speaks: root, an administrator of contoso, a portal, a reader, an auditor, two keepers, nobody. */
enum house_peer {
	HOUSE_ROOT,
	HOUSE_ADMIN,
	HOUSE_PORTAL,
	HOUSE_READER,
	HOUSE_AUDITOR,
	HOUSE_CRM,
	HOUSE_MAIL,
	HOUSE_NOBODY,
	HOUSE_PEERS
};

#define HOUSE_FILES_MAX 8

/**
 * struct house_file - a file as it is put back
 * @map:   its bytes, shared with whoever writes it
 * @bytes: as they were
 * @used:  as many of them as matter: behind a data file's last page nobody reads
 */
struct house_file {
	int fd;
	char *map;
	struct slice bytes;
	size_t used;
};

/**
 * struct house
 * @sessions: one for each peer
 * @dirty:    something may have been written since the files were put back
 * @damaged:  the files are not what a daemon has written: its start is to check them
 * @token:    of crm's claim on account 6
 */
struct house {
	struct rig rig;
	struct session sessions[HOUSE_PEERS];
	bool dirty;
	bool damaged;
	char *token;
	struct house_file files[HOUSE_FILES_MAX];
	size_t n_files;
	instant_t began;
	struct clock_reading reading;
};

/*
 * The house, as it was at first, with nobody subscribed. Whoever has killed its daemon and could
 * not start it again leaves it without an engine.
 */
struct house *house_enter(void);

/*
 * A start checks its store in a child, and a fork takes longer than all the rest: files that only
 * a daemon has written to are not checked, and others without a child. The linker puts the first in
 * the place of the second.
 */
int __wrap_store_check(const char *directory, uint64_t map_bytes);
int __real_store_check(const char *directory, uint64_t map_bytes);

/* engine_work() and engine_commit(), which must go well. */
void house_commit(struct house *house);

#endif
