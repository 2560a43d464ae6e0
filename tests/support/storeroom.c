/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/storeroom.h"

#include <stdio.h>

#include "tests/support/temp.h"

void storeroom_open(struct storeroom *room, uint64_t map_bytes)
{
	int r;

	*room = (struct storeroom){
		.directory = temp_directory_new(),
		.map_bytes = map_bytes,
		.now = STOREROOM_BEGIN,
		.actor = {.role = ROLE_ADMIN, .uid = 1000},
		.held_until = INSTANT_NONE,
	};
	r = storeroom_try_reopen(room);
	assert(r == 0);
}

void storeroom_close(struct storeroom *room)
{
	room->store = store_close(room->store);
	room->directory = temp_directory_free(room->directory);
}

int storeroom_try_reopen(struct storeroom *room)
{
	struct store_options options = {
		.directory = room->directory,
		.map_bytes = room->map_bytes,
		.new_register = room->new_register,
		.progress = room->progress,
	};

	room->store = store_close(room->store);
	return store_open(&options, room->now, &room->store);
}

void storeroom_reopen(struct storeroom *room)
{
	int r = storeroom_try_reopen(room);

	assert(r == 0);
}

void storeroom_commit(struct storeroom *room)
{
	int r = store_commit(room->store);

	assert(r == 0);
}

void storeroom_settle_slice(struct storeroom *room, uint32_t n_steps_max)
{
	int r = store_settle(room->store, n_steps_max);

	assert(r == 0);
	storeroom_commit(room);
}

void storeroom_settle(struct storeroom *room)
{
	storeroom_commit(room);
	while (store_unsettled_entries(room->store) > 0) {
		storeroom_settle_slice(room, STORE_SETTLE_SLICE);
	}
}

char *storeroom_path(const struct storeroom *room, const char *name)
{
	char *store = temp_path_new(room->directory, "store");
	char *path = temp_path_new(store, name);

	free(store);
	return path;
}

static const struct actor *actor_now(struct storeroom *room)
{
	room->actor.at = room->now;
	return &room->actor;
}

uint32_t storeroom_put_org(struct storeroom *room, const char *id)
{
	struct org org = {.policy = policy_default()};
	int r;

	assert(strlen(id) < sizeof(org.id));
	(void)strcpy(org.id, id);
	r = store_put_org(room->store, &org, actor_now(room));
	assert(r == 0);
	return org.number;
}

uint8_t storeroom_put_keeper(struct storeroom *room, const char *name)
{
	struct keeper keeper = {.enabled = true};
	int r;

	assert(strlen(name) < sizeof(keeper.name));
	(void)strcpy(keeper.name, name);
	r = store_put_keeper(room->store, &keeper, actor_now(room));
	assert(r == 0);
	return keeper.number;
}

static void put_profile(struct storeroom *room, struct account *account, enum event event,
			const char *id, const char *person, const char *upn)
{
	struct profile profile = {
		.id = slice_of(id),
		.person = slice_of(person),
		.upn = slice_of(upn),
		.mail = slice_of(person),
		.name = slice_of(id),
		.n_groups = 1,
		.groups = {slice_of(upn)},
	};
	struct names names;
	int r;

	store_hash_id(room->store, account->org, profile.id, names.id);
	store_hash_person(room->store, profile.person, names.person);
	r = store_import(room->store, account, &names, &profile, event, actor_now(room));
	assert(r == 0);
}

struct account storeroom_import(struct storeroom *room, uint32_t org, const char *id,
				const char *person, const char *upn)
{
	struct lifecycle_context context = {0};
	struct account account = {
		.org = org,
		.facts = lifecycle_import(ACCOUNT_KIND_B2B_COLLABORATION, true, INSTANT_NONE,
					  &context),
	};

	put_profile(room, &account, EVENT_IMPORTED, id, person, upn);
	return account;
}

void storeroom_update(struct storeroom *room, struct account *account, const char *id,
		      const char *person, const char *upn)
{
	put_profile(room, account, EVENT_UPDATED, id, person, upn);
}

void storeroom_step(struct storeroom *room, struct account *account, enum lifecycle_command command)
{
	static const enum event events[_LIFECYCLE_COMMAND_MAX] = {
		[LIFECYCLE_LEAVE] = EVENT_LEFT,
		[LIFECYCLE_REMOVE] = EVENT_DELETED,
		[LIFECYCLE_RESTORE] = EVENT_RESTORED,
		[LIFECYCLE_PURGE] = EVENT_PURGED,
		[LIFECYCLE_DISABLE] = EVENT_DISABLED,
		[LIFECYCLE_ENABLE] = EVENT_ENABLED,
		[LIFECYCLE_HOLD] = EVENT_HOLD_ADDED,
		[LIFECYCLE_RELEASE] = EVENT_HOLD_REMOVED,
		[LIFECYCLE_SETTLE] = EVENT_TASK_CONFIRMED,
		[LIFECYCLE_OWE] = EVENT_TASK_OWED,
		[LIFECYCLE_START_REMOVAL] = EVENT_REMOVAL_STARTED,
		[LIFECYCLE_MARK_OVERDUE] = EVENT_OVERDUE,
		[LIFECYCLE_COMPLETE_REMOVAL] = EVENT_REMOVAL_COMPLETED,
	};
	struct policy policy = policy_default();
	struct lifecycle_context context = {
		.policy = &policy,
		.held_until = room->held_until,
		.keepers = room->keepers,
		.keeper = room->keepers,
	};
	struct particulars particulars = {0};
	struct lifecycle_verdict verdict;
	int r;

	lifecycle_step(&account->facts, command, &context, room->now, &verdict);
	assert(verdict.changed);
	account->facts = verdict.next;
	if (command == LIFECYCLE_SETTLE || command == LIFECYCLE_OWE) {
		particulars.keeper = (uint8_t)(__builtin_ctzll(room->keepers) + 1);
	}
	if (command == LIFECYCLE_SETTLE) {
		particulars.result = TASK_RESULT_ERASED;
		particulars.generation = 1;
	}
	r = store_change_with(room->store, account, events[command], &particulars, actor_now(room));
	assert(r == 0);
}

struct account storeroom_get(struct storeroom *room, uint64_t uid)
{
	struct account account;
	int r = store_get_account(room->store, uid, &account);

	assert(r == 0);
	return account;
}
