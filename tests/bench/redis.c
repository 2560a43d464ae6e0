/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/redis.h"

#include <poll.h>
#include <stdio.h>

#include "tests/bench/child.h"
#include "tests/bench/directory.h"
#include "tests/bench/fail.h"
#include "tests/bench/load.h"
#include "tests/bench/redis_link.h"

#define READY_LOOK_MS 20
#define READY_LOOKS   500

struct redis {
	pid_t pid;
	redisContext *control;
	struct redis_scripts scripts;
	char socket[128];
	char log[320];
};

/* An account's hash stays in its compact form; the log is not rewritten while it is measured. */
static pid_t run_server(const struct redis *redis, const char *directory)
{
	/* clang-format off */
	const char *const argv[] = {
		"redis-server",
		"--port", "0",
		"--unixsocket", redis->socket,
		"--dir", directory,
		"--save", "",
		"--appendonly", "yes",
		"--appendfsync", "always",
		"--auto-aof-rewrite-percentage", "0",
		"--hash-max-listpack-value", "256",
		"--io-threads", "1",
		"--daemonize", "no",
		"--supervised", "no",
		NULL,
	};
	/* clang-format on */
	const struct child_options options = {
		.argv = argv, .log = redis->log, .end_signal = SIGKILL};

	return child_start(&options);
}

static redisContext *connect_when_ready(const struct redis *redis)
{
	for (uint32_t i = 0; i < READY_LOOKS; i++) {
		redisContext *context = redisConnectUnix(redis->socket);

		if (context && !context->err) {
			return context;
		}
		redisFree(context);
		if (!child_is_running(redis->pid)) {
			break;
		}
		(void)poll(NULL, 0, READY_LOOK_MS);
	}
	child_fail("Redis", redis->log);
}

/* INFO has lines; one is redis_version:7.0.15. */
static void take_version(const struct redis *redis, struct target *target)
{
	redisReply *reply = redis_execute(redis->control, "INFO server");
	const char *version = strstr(reply->str, "redis_version:");

	if (version) {
		version += strlen("redis_version:");
		(void)snprintf(target->version, sizeof(target->version), "%.*s",
			       (int)strcspn(version, "\r\n"), version);
	}
	freeReplyObject(reply);
}

static void redis_start(struct target *target)
{
	struct redis *redis = must_alloc(sizeof(*redis));

	target->state = redis;
	(void)snprintf(redis->socket, sizeof(redis->socket), "%s/redis", target->sockets);
	(void)snprintf(redis->log, sizeof(redis->log), "%s/log", target->directory);
	directory_make(target->directory, NULL);
	directory_make(target->sockets, NULL);
	redis->pid = run_server(redis, target->directory);
	redis->control = connect_when_ready(redis);
	redis_load_scripts(redis->control, &redis->scripts);
	take_version(redis, target);
}

static void redis_stop(struct target *target)
{
	struct redis *redis = target->state;

	redisFree(redis->control);
	child_end(redis->pid, SIGTERM);
	free(redis);
	target->state = NULL;
}

/* It puts nothing off. */
static void redis_quiesce(struct target *target unused)
{
}

static struct link *open_link(struct target *target)
{
	struct redis *redis = target->state;

	return redis_open_link(redis->socket, &redis->scripts);
}

const struct target_class redis_class = {
	.name = "Redis",
	.depth_max = DEPTH_MAX,
	.start = redis_start,
	.stop = redis_stop,
	.quiesce = redis_quiesce,
	.open_link = open_link,
	.close_link = redis_close_link,
	.link_fd = redis_link_fd,
	.send = redis_send,
	.flush = redis_flush,
	.fill = redis_fill,
	.receive = redis_receive,
};
