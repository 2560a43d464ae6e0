/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_SIM_TRUTH_H
#define RETENTIOND_TESTS_SIM_TRUTH_H

#include "common/base.h"
#include "common/instant.h"
#include "common/model.h"
#include "common/outcome.h"

/*
 * What must be true of the accounts: the tables of the design written down once more, as plainly as
 * can be, and without a line of the daemon's. It is given the commands that the daemon is given and
 * says what each must come to. What the clock does by itself it does not do: it says when that may
 * happen, and is told that it has.
 *
 * Small worlds: few names, so that they meet, and few accounts, so that a copy costs nothing.
 */

#define TRUTH_ORGS     2
#define TRUTH_IDS      8
#define TRUTH_PERSONS  5
#define TRUTH_UPNS     6
#define TRUTH_NAMES    3
#define TRUTH_KEEPERS  3
#define TRUTH_HOLDS    2
#define TRUTH_ACCOUNTS 64
#define TRUTH_REQUESTS 24
#define TRUTH_HOURS    25 /* the hour that runs, and the 24 before it */

#define TRUTH_NO_UPN UINT8_MAX

enum truth_command {
	TRUTH_LEAVE,
	TRUTH_REMOVE,
	TRUTH_RESTORE,
	TRUTH_PURGE,
	TRUTH_DISABLE,
	TRUTH_ENABLE,
	_TRUTH_COMMAND_MAX
};

/* How a task was settled last. */
enum truth_settled {
	TRUTH_SETTLED_NOT,
	TRUTH_SETTLED_CONFIRMED,
	TRUTH_SETTLED_WAIVED,
};

/**
 * struct truth_task - one keeper's duty to one account
 * @generation: claims so far; a token of an older one is worth nothing
 * @settled, @settled_generation, @result: what ended it last
 */
struct truth_task {
	uint32_t generation;
	instant_t lease_until;
	instant_t next_at;
	enum truth_settled settled;
	uint32_t settled_generation;
	enum task_result result;
};

/* What the mass guard counts, each for itself: see truth_guard.c. */
enum truth_kind { TRUTH_DELETION, TRUTH_PURGE_KIND, TRUTH_REMOVAL, _TRUTH_KIND_MAX };

/* What happened in an hour, in how far it was released, and how many removals were completed. */
struct truth_hour {
	int64_t hour;
	uint32_t done[_TRUTH_KIND_MAX];
	uint32_t released[_TRUTH_KIND_MAX];
	uint32_t completed;
};

/**
 * struct truth_guard - the mass guard of an organization
 * @min, @percent: its settings
 * @newest:  the newest hour in which anything was counted; clocks may go back a little
 * @hours:   that count, in any order
 * @engaged_at: of each kind, INSTANT_NONE while nothing is held back
 * @discards: what was decided last is that what was held back then may not happen
 * @planned: what the dry run at hand lets pass
 */
struct truth_guard {
	uint32_t min;
	uint8_t percent;
	bool discards;
	int64_t newest;
	uint32_t n_hours;
	struct truth_hour hours[TRUTH_HOURS];
	instant_t engaged_at[_TRUTH_KIND_MAX];
	uint32_t planned[_TRUTH_KIND_MAX];
};

/**
 * struct truth_staged - a command on an account that is held back
 * @decided: somebody has released or discarded it
 * @request: the person's request that it was approved with, or 0
 */
struct truth_staged {
	bool stands;
	bool decided;
	uint64_t request;
	enum truth_command command;
	enum truth_kind kind;
	instant_t at;
};

/**
 * struct truth_account - one incarnation
 * @org, @id, @person, @upn, @name: numbers of names; see the functions below
 * @started_at:  recorded, INSTANT_NONE before: a window that has ended starts the removal anyway
 * @holds:       the end of each, INSTANT_NONE if it was never added or has been released
 * @held_until:  the end of the longest hold that stood when the holds changed last
 * @owed:        bit n for keeper n, from 0
 * @request:     the number of its open removal request, or 0
 * @staged:      what the mass guard holds back of it
 * @left_at:     the deletion in true time
 * @gained:      how far trusted time had gained on true time when it was deleted
 * @stamped:     it was deleted under a clock that was doubted, and has that time
 */
struct truth_account {
	uint64_t uid;
	uint8_t org, id, person, upn, name;
	enum account_kind kind;
	bool enabled;
	instant_t deleted_at;
	span_t window;
	span_t removal;
	instant_t started_at;
	instant_t removed_at;
	instant_t holds[TRUTH_HOLDS];
	instant_t held_until;
	uint32_t owed;
	bool late;
	uint64_t request;
	struct truth_task tasks[TRUTH_KEEPERS];
	struct truth_staged staged;
	instant_t left_at;
	span_t gained;
	bool stamped;
};

struct truth_org {
	bool allow_leave;
	span_t window;
	span_t removal;
	struct truth_guard guard;
};

/* @orgs: bit n for organization n; 0 for all of them. */
struct truth_keeper {
	bool enabled;
	uint8_t orgs;
};

struct truth_request {
	uint64_t number;
	uint64_t uid;
	enum request_state state;
};

/**
 * struct truth
 * @now:  trusted time of the turn
 * @true_now: what the time really is
 * @gained: see struct truth_account
 * @paused: an administrator has stopped timed work
 * @doubted: the clock guard has
 * @n_staged, @n_carried_out: commands that mass guards held back, and that were done later
 * @clocks_are_right: the wall clock, where it is asked, and those of the directories
 */
struct truth {
	instant_t now;
	instant_t true_now;
	span_t gained;
	bool paused;
	bool doubted;
	bool clocks_are_right;
	uint32_t n_accounts;
	uint32_t n_requests;
	uint32_t n_staged;
	uint32_t n_carried_out;
	struct truth_org orgs[TRUTH_ORGS];
	struct truth_keeper keepers[TRUTH_KEEPERS];
	struct truth_account accounts[TRUTH_ACCOUNTS];
	struct truth_request requests[TRUTH_REQUESTS];
};

/* What a command comes to. @account: as it is after it, or would be; uid 0 if there is none. */
struct truth_verdict {
	outcome_set_t reasons; /* 0: ok */
	struct truth_account account;
};

/*
 * The clock is moved on, and believed again: what was deleted under it while it was doubted has its
 * window moved on with it.
 */
void truth_set_clock(struct truth *truth, instant_t to, span_t gained);

/* How an account is named in a command. */
enum truth_naming { TRUTH_BY_UID, TRUTH_BY_ID, TRUTH_BY_PERSON, _TRUTH_NAMING_MAX };

struct truth_name {
	enum truth_naming by;
	uint64_t uid;
	uint8_t org, id, person;
};

/* What a directory says of an account. @deleted_at: INSTANT_NONE if it is active there. */
struct truth_import {
	uint8_t org, id, person, upn, name;
	enum account_kind kind;
	bool enabled;
	instant_t deleted_at;
	bool new_incarnation;
};

/* "created", "updated", "unchanged", or NULL when refused. */
struct truth_imported {
	const char *change;
	outcome_set_t reasons;
	struct truth_account account;
};

void truth_init(struct truth *truth);

enum account_state truth_state(const struct truth_account *account, instant_t now);
bool truth_is_held(const struct truth_account *account, instant_t now);
instant_t truth_window_ends(const struct truth_account *account); /* INSTANT_NONE: no window */

/* When the removal starts or has started, recorded or not: INSTANT_MAX under an endless hold. */
instant_t truth_start(const struct truth_account *account);
instant_t truth_due(const struct truth_account *account); /* of a removal that has started */
bool truth_is_overdue(const struct truth_account *account, instant_t now);
uint32_t truth_keepers_of(const struct truth *truth, uint8_t org);

/* Something that the clock has to do to it by @now, and has not done. */
bool truth_is_pending(const struct truth_account *account, instant_t now);
instant_t truth_pending_since(const struct truth_account *account);

/* NULL if there is none. By id: the newest; by person: an active one, else the newest not removed. */
struct truth_account *truth_find(struct truth *truth, const struct truth_name *name);
struct truth_account *truth_of_uid(struct truth *truth, uint64_t uid);
struct truth_request *truth_request_of(struct truth *truth, uint64_t number);

/*
 * Commands. @account may be NULL: unknown. Nothing is changed when @dry; the verdict says what
 * would be.
 */
struct truth_verdict truth_change(struct truth *truth, enum truth_command command,
				  struct truth_account *account, uint8_t new_upn, bool dry);
/* TRUTH_REMOVE, as a request for it is approved. */
struct truth_verdict truth_remove_for(struct truth *truth, struct truth_account *account,
				      uint64_t request, bool dry);

/* A command that was held back and is released: it is done now, if it still can be. */
void truth_change_released(struct truth *truth, enum truth_command command,
			   struct truth_account *account);
struct truth_verdict truth_hold(struct truth *truth, struct truth_account *account, uint32_t hold,
				instant_t until, bool dry);
struct truth_verdict truth_release(struct truth *truth, struct truth_account *account,
				   uint32_t hold, bool dry);
struct truth_verdict truth_waive(struct truth *truth, struct truth_account *account,
				 uint32_t keeper, bool dry);
struct truth_verdict truth_owe(struct truth *truth, struct truth_account *account, uint32_t keeper,
			       bool dry);

/* @uid: which the daemon gave it if it is new; not looked at else. */
struct truth_imported truth_import(struct truth *truth, const struct truth_import *import,
				   uint64_t uid, bool dry);

/* Deletes it at an instant that a directory tells; INSTANT_NONE is none. */
void truth_set_deleted(const struct truth *truth, struct truth_account *account, instant_t at);

/* Return: why not, or OUTCOME_OK. */
enum outcome truth_file(const struct truth *truth, const struct truth_account *account);
void truth_filed(struct truth *truth, struct truth_account *account, uint64_t number);
enum outcome truth_decide(struct truth *truth, uint64_t number, bool approve, bool dry);

/* Whether a keeper may be given a task now. */
bool truth_can_claim(const struct truth *truth, const struct truth_account *account,
		     uint32_t keeper);

/* What becomes of a confirmation (@result) or of a failure (0) with a token. */
enum outcome truth_fence(const struct truth *truth, const struct truth_account *account,
			 uint32_t keeper, uint32_t generation, enum task_result result);
void truth_settle(struct truth *truth, struct truth_account *account, uint32_t keeper,
		  enum truth_settled how, enum task_result result);

/*
 * The mass guard. What happened is counted; what goes beyond the limit, and from then on everything
 * of its kind, waits for an administrator.
 */

enum truth_kind truth_kind_of(const struct truth_account *before,
			      const struct truth_account *after);

uint64_t truth_guard_done(const struct truth *truth, uint8_t org, enum truth_kind kind);
uint64_t truth_guard_limit(const struct truth *truth, uint8_t org, enum truth_kind kind);
uint64_t truth_guard_left(const struct truth *truth, uint8_t org, enum truth_kind kind);
bool truth_guard_is_off(const struct truth *truth, uint8_t org);
bool truth_guard_is_engaged(const struct truth *truth, uint8_t org, enum truth_kind kind);
instant_t truth_guard_since(const struct truth *truth, uint8_t org);

/* Of an organization: accounts whose removal is not complete; commands that wait. */
uint32_t truth_guard_accounts(const struct truth *truth, uint8_t org);
uint32_t truth_guard_staged(const struct truth *truth, uint8_t org, enum truth_kind kind,
			    bool decided);

/* Those of them that persons asked for: leaves and approved requests, without a decision. */
uint32_t truth_guard_owed(const struct truth *truth, uint8_t org, enum truth_kind kind);

/* Removals whose time has come, and that have not started. */
uint32_t truth_guard_due(const struct truth *truth, uint8_t org);

/* Whether a removal that is due may wait, as it is held back. */
bool truth_guard_holds(const struct truth *truth, const struct truth_account *account);

/* Begins a request: what a dry run lets pass is counted from here. */
void truth_guard_begin(struct truth *truth);

/**
 * truth_guard_stops() - a command that would change an account
 * @after: what it would make of it
 * @request: the number of the request that is approved with it, or 0
 *
 * Return: whether it is held back, and then it is on record, unless @dry.
 */
bool truth_guard_stops(struct truth *truth, struct truth_account *account,
		       const struct truth_account *after, enum truth_command command,
		       uint64_t request, bool dry);

/* The same for a removal that is started by whoever releases a hold, in place of the clock. */
bool truth_guard_stops_removal(struct truth *truth, uint8_t org, bool dry);

/* Something of a kind has happened; a removal was completed at an instant. */
void truth_guard_count(struct truth *truth, uint8_t org, enum truth_kind kind);
void truth_guard_count_completed(struct truth *truth, uint8_t org, instant_t at);

/* Everything that was changed: what is held back of it may no longer fit. */
void truth_guard_outdate(struct truth *truth, struct truth_account *account);

/* An administrator decides, on @n_due removals as well, or on what @persons asked for. */
void truth_guard_release(struct truth *truth, uint8_t org, uint32_t n_due);
void truth_guard_discard(struct truth *truth, uint8_t org, bool persons);

/* What comes of that. */
void truth_guard_carry_out(struct truth *truth);

#endif
