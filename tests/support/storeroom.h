/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_SUPPORT_STOREROOM_H
#define RETENTIOND_TESTS_SUPPORT_STOREROOM_H

#include "common/base.h"

#include "daemon/store/store.h"

/*
 * A store on a directory of its own, with its clock. What a test does not expect to fail ends the
 * test program when it fails.
 */

#define STOREROOM_BEGIN     (INT64_C(1772366400) * SPAN_SECOND) /* 2026-03-01T12:00:00Z */
#define STOREROOM_MAP_BYTES (UINT64_C(256) << 20)

/**
 * struct storeroom
 * @new_register: begin a removal register where it is missing
 * @progress: told while the store is opened
 * @now:   what every change is made at; the test moves it on
 * @actor: who makes every change; its @at is overwritten
 * @keepers: who owes a removal that starts in a step; settle and owe: the one keeper meant
 * @held_until: what a hold or a release leaves behind
 */
struct storeroom {
	char *directory;
	uint64_t map_bytes;
	bool new_register;
	struct progress progress;
	instant_t now;
	struct actor actor;
	uint64_t keepers;
	instant_t held_until;
	struct store *store;
};

void storeroom_open(struct storeroom *room, uint64_t map_bytes);
void storeroom_close(struct storeroom *room);

/* What store_open() answers after a close that drops what is not committed, as a crash does. */
int storeroom_try_reopen(struct storeroom *room);
void storeroom_reopen(struct storeroom *room);

void storeroom_commit(struct storeroom *room);
void storeroom_settle(struct storeroom *room); /* commits and settles every row */
void storeroom_settle_slice(struct storeroom *room, uint32_t n_steps_max); /* and commits */

/* The path of one of the store's files, the caller's: "vault", "data.mdb". */
char *storeroom_path(const struct storeroom *room, const char *name);

uint32_t storeroom_put_org(struct storeroom *room, const char *id);
uint8_t storeroom_put_keeper(struct storeroom *room, const char *name); /* of all organizations */

/* An active guest, with a mail address and groups made of its names; committed by the caller. */
struct account storeroom_import(struct storeroom *room, uint32_t org, const char *id,
				const char *person, const char *upn);
void storeroom_update(struct storeroom *room, struct account *account, const char *id,
		      const char *person, const char *upn);

/* What a lifecycle command makes of an account, stored; it must not be refused. */
void storeroom_step(struct storeroom *room, struct account *account,
		    enum lifecycle_command command);

struct account storeroom_get(struct storeroom *room, uint64_t uid);

#endif
