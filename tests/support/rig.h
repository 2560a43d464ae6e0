/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_SUPPORT_RIG_H
#define RETENTIOND_TESTS_SUPPORT_RIG_H

#include "common/base.h"
#include "common/rpc.h"

#include "daemon/store/schema.h"
#include "daemon/work/dispatch.h"
#include "daemon/work/engine.h"

/*
 * The daemon without its sockets, on a directory of its own: a test sends requests as JSON, with
 * single quotes for double ones, and asks the answer by path ("items.0.outcome"). Machine failures
 * end the test program.
 */

#define RIG_BEGIN     (INT64_C(1772366400) * SPAN_SECOND) /* 2026-03-01T12:00:00Z */
#define RIG_MAP_BYTES (UINT64_C(1) << 30)

/**
 * struct rig
 * @session: who sends; root at first. A test may change it
 * @rules:  who may do what; empty at first
 * @answer: bytes of the answers since the last rig_call()
 * @failed: the last answer was an error
 * @result: what the last answer holds: the result, or the error
 */
struct rig {
	struct engine_options options;
	struct clock_reading reading;
	struct session session;
	struct access_rules rules;
	struct engine *engine;
	char *directory;
	uint32_t msgid;
	struct rpc_parser *parser;
	struct pack_reader *reader;
	struct pack_writer request;
	struct pack_writer answer;
	bool failed;
	struct pack_value result;
};

void rig_open(struct rig *rig, enum clock_mode mode);
void rig_open_map(struct rig *rig, enum clock_mode mode, uint64_t map_bytes);
void rig_close(struct rig *rig);

/* On a directory that is there, which it takes; rig_start() is still to come. */
void rig_prepare(struct rig *rig, char *directory, enum clock_mode mode, uint64_t map_bytes);

void rig_reopen(struct rig *rig);  /* as a stop and a start do */
void rig_restart(struct rig *rig); /* as a kill and a start do: nothing is settled */
void rig_kill(struct rig *rig);    /* the first half of that: the files are closed */
void rig_start(struct rig *rig);   /* and the second */

/* The machine is started anew: another boot id, and a boot clock that begins again. */
void rig_reboot(struct rig *rig);

/* Moves the clock on, whichever it is; the next turn sees it. */
void rig_advance(struct rig *rig, span_t span);
instant_t rig_now(const struct rig *rig); /* of the last turn */

/* A turn without a request, and as many as it takes until there is nothing to do now. */
void rig_turn(struct rig *rig);
void rig_idle(struct rig *rig);

/* One request in a turn of its own. */
void rig_call(struct rig *rig, const char *method, const char *format, ...) printf_like(3, 4);

/* One request in the turn that rig_begin() began and rig_end() will end. */
void rig_begin(struct rig *rig);
void rig_send(struct rig *rig, const char *method, const char *format, ...) printf_like(3, 4);
void rig_end(struct rig *rig);

/* A message as it is, in the turn that is open; @bytes is what one rpc_parse() takes. */
void rig_send_bytes(struct rig *rig, struct slice bytes);

/* The bytes of the last answer behind its msgid, which differs in each. */
struct slice rig_answer_body(const struct rig *rig);

/* Values of the last answer. What is not there is false, an empty text, -1. */
bool rig_find(const struct rig *rig, const char *path, struct pack_value *ret_value);
bool rig_has(const struct rig *rig, const char *path);
bool rig_true(const struct rig *rig, const char *path);
bool rig_is(const struct rig *rig, const char *path, const char *text);
int64_t rig_number(const struct rig *rig, const char *path);
uint32_t rig_count(const struct rig *rig, const char *path); /* of a list, 0 if there is none */
char *rig_text(const struct rig *rig, const char *path);     /* the caller's */

/* The last answer is the error @code, and its text contains @part. */
bool rig_refused(const struct rig *rig, const char *code, const char *part);

/* Shorthands: an organization, an active guest in it. Return: the uid. */
void rig_set_org(struct rig *rig, const char *org);

/* Lets any number of its accounts go: what a test is about that is not about the mass guard. */
void rig_unguard(struct rig *rig, const char *org);

uint64_t rig_import(struct rig *rig, const char *org, const char *id);

/* An account's row, and whether its removal is complete. */
struct account rig_row(const struct rig *rig, uint64_t uid);
bool rig_is_removed(const struct rig *rig, uint64_t uid);

/* One account through a command that takes accounts; it must be ok. */
void rig_change(struct rig *rig, const char *method, uint64_t uid);

/* An account whose removal has started: imported, removed, purged. Return: the uid. */
uint64_t rig_purge(struct rig *rig, const char *org, const char *id);

/* A keeper of all organizations. Who may speak as it is in the rig's rules. */
void rig_set_keeper(struct rig *rig, const char *keeper);

uint64_t rig_head(const struct rig *rig); /* the ledger's last number */

/* Puts a row into a table behind the daemon's back, as damage does: kills it, and starts it again. */
void rig_put_row(struct rig *rig, enum kv_table table, struct key key, struct slice row);
void rig_tamper(struct rig *rig, enum kv_table table, struct key key, struct slice row);

#endif
