/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_BENCH_REDIS_LINK_H
#define RETENTIOND_TESTS_BENCH_REDIS_LINK_H

#include <hiredis/hiredis.h>

#include "tests/bench/target.h"

/* A connection to Redis, and how each work is asked for: as a script that Redis keeps. */

#define REDIS_SHA_LEN 40

/* By work: the script's name to call it by; empty for works that are plain commands. */
struct redis_scripts {
	char shas[_WORK_MAX][REDIS_SHA_LEN + 1];
};

/* Hands Redis the scripts. */
void redis_load_scripts(redisContext *context, struct redis_scripts *ret_scripts);

/* A reply that is no error; the caller frees it. */
redisReply *redis_execute(redisContext *context, const char *command);

struct link *redis_open_link(const char *socket, const struct redis_scripts *scripts);
void redis_close_link(struct link *link);
int redis_link_fd(const struct link *link);
void redis_send(struct link *link, const struct call *call);
bool redis_flush(struct link *link);
void redis_fill(struct link *link);
bool redis_receive(struct link *link, struct answer *ret_answer);

#endif
