/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/redis_link.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "tests/bench/fail.h"
#include "tests/bench/load.h"

#define PAGE_ROWS     100
#define IMPORT_FIELDS 8
#define ARGUMENTS_MAX (4 + CALL_ACCOUNTS_MAX * (1 + IMPORT_FIELDS))
#define KEY_LEN_MAX   128
#define WINDOW        (30 * 86400) /* seconds */
#define AHEAD         (31 * 86400)

/*
 * An account is the hash a:ORG:ID, a person the set p:PERSON of such keys, an organization the
 * sorted set o:ORG of ids. "due" is a sorted set by time; "audit" is a stream. A script is atomic,
 * and its answer waits for the disk (appendfsync always), so one call is one durable transaction.
 * Each answers how many accounts it has changed.
 */
static const char *const scripts[_WORK_MAX] = {
	[WORK_IMPORT] = "for i, key in ipairs(KEYS) do\n"
			"  local at = (i - 1) * 8\n"
			"  local org, id, person = ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]\n"
			"  local uid = redis.call('INCR', 'uid')\n"
			"  redis.call('HSET', key, 'uid', uid, 'org', org, 'id', id, 'kind', 2,\n"
			"    'person', person, 'upn', ARGV[at + 5], 'mail', ARGV[at + 6],\n"
			"    'name', ARGV[at + 7], 'enabled', 1, 'groups', ARGV[at + 8],\n"
			"    'permissions', ARGV[at + 9], 'created_at', ARGV[1])\n"
			"  redis.call('SADD', 'p:' .. person, key)\n"
			"  redis.call('ZADD', 'o:' .. org, 0, id)\n"
			"  redis.call('XADD', 'audit', '*', 'uid', uid, 'event', 1, 'actor', 0)\n"
			"end\n"
			"return #KEYS",
	[WORK_ORGANIZATIONS] =
		"local found = {}\n"
		"for i, key in ipairs(redis.call('SMEMBERS', KEYS[1])) do\n"
		"  found[i] = redis.call('HMGET', key, 'org', 'id', 'uid', 'kind', 'enabled',\n"
		"    'deleted_at', 'due_at')\n"
		"end\n"
		"return found",
	[WORK_LIST] =
		"local rows = {}\n"
		"local ids = redis.call('ZRANGE', 'o:' .. ARGV[1], ARGV[2], '+', 'BYLEX',\n"
		"  'LIMIT', 0, ARGV[3])\n"
		"for i, id in ipairs(ids) do\n"
		"  rows[i] = redis.call('HMGET', 'a:' .. ARGV[1] .. ':' .. id, 'id', 'uid', 'kind',\n"
		"    'person', 'upn', 'name', 'enabled', 'deleted_at', 'due_at', 'removing_since')\n"
		"end\n"
		"return rows",
	[WORK_LEAVE] =
		"local n = 0\n"
		"for _, key in ipairs(KEYS) do\n"
		"  local is = redis.call('HMGET', key, 'uid', 'enabled', 'kind', 'deleted_at')\n"
		"  if is[1] and is[2] == '1' and is[3] ~= '1' and not is[4] then\n"
		"    redis.call('HSET', key, 'deleted_at', ARGV[1], 'due_at', ARGV[2])\n"
		"    redis.call('ZADD', 'due', ARGV[2], key)\n"
		"    redis.call('XADD', 'audit', '*', 'uid', is[1], 'event', 2, 'actor', 0)\n"
		"    n = n + 1\n"
		"  end\n"
		"end\n"
		"return n",
	[WORK_RESTORE] =
		"local n = 0\n"
		"for _, key in ipairs(KEYS) do\n"
		"  local is = redis.call('HMGET', key, 'uid', 'due_at', 'removing_since')\n"
		"  if is[1] and is[2] and not is[3] and tonumber(is[2]) > tonumber(ARGV[1]) then\n"
		"    redis.call('HDEL', key, 'deleted_at', 'due_at')\n"
		"    redis.call('ZREM', 'due', key)\n"
		"    redis.call('XADD', 'audit', '*', 'uid', is[1], 'event', 3, 'actor', 0)\n"
		"    n = n + 1\n"
		"  end\n"
		"end\n"
		"return n",
	/* ARGV: the sweep's now, and the removal's deadline. */
	[WORK_SWEEP_START] =
		"local keys = redis.call('ZRANGE', 'due', '-inf', ARGV[1], 'BYSCORE',\n"
		"  'LIMIT', 0, 1000)\n"
		"for _, key in ipairs(keys) do\n"
		"  local uid = redis.call('HGET', key, 'uid')\n"
		"  redis.call('HSET', key, 'removing_since', ARGV[1], 'due_at', ARGV[2], 'owed', 1)\n"
		"  redis.call('ZADD', 'due', ARGV[2], key)\n"
		"  redis.call('XADD', 'audit', '*', 'uid', uid, 'event', 4, 'actor', 0)\n"
		"end\n"
		"return #keys",
	[WORK_SWEEP_REMOVE] =
		"local keys = redis.call('ZRANGE', 'due', '-inf', ARGV[1], 'BYSCORE',\n"
		"  'LIMIT', 0, 1000)\n"
		"for _, key in ipairs(keys) do\n"
		"  local is = redis.call('HMGET', key, 'uid', 'org', 'id', 'person')\n"
		"  redis.call('DEL', key)\n"
		"  redis.call('SREM', 'p:' .. is[4], key)\n"
		"  redis.call('ZREM', 'o:' .. is[2], is[3])\n"
		"  redis.call('ZREM', 'due', key)\n"
		"  redis.call('XADD', 'audit', '*', 'uid', is[1], 'event', 5, 'actor', 0)\n"
		"end\n"
		"return #keys",
};

/**
 * struct link
 * @calls: what each call that is out is about; a ring
 * @values, @lengths, @n: the command that is being written
 * @room, @room_used: where its texts are
 * @org, @after: where WORK_LIST goes on
 */
struct link {
	redisContext *context;
	const struct redis_scripts *scripts;
	struct {
		enum work work;
		uint32_t n;
	} calls[DEPTH_MAX];
	uint32_t sent;
	uint32_t answered;
	const char **values;
	size_t *lengths;
	uint32_t n;
	char *room;
	size_t room_used;
	uint32_t org;
	char after[SAMPLE_ID_LEN + 2];
};

#define ROOM_BYTES (CALL_ACCOUNTS_MAX * (KEY_LEN_MAX + 512) + 4096)

static _Noreturn void fail_redis(const redisContext *context)
{
	fail("Redis: %s", context && context->err ? context->errstr : "no connection");
}

static redisReply *checked(redisContext *context, void *answer)
{
	redisReply *reply = answer;

	if (!reply) {
		fail_redis(context);
	}
	if (reply->type == REDIS_REPLY_ERROR) {
		fail("Redis answered: %s", reply->str);
	}
	return reply;
}

redisReply *redis_execute(redisContext *context, const char *command)
{
	return checked(context, redisCommand(context, command));
}

void redis_load_scripts(redisContext *context, struct redis_scripts *ret_scripts)
{
	for (enum work work = 0; work < _WORK_MAX; work++) {
		redisReply *reply;

		ret_scripts->shas[work][0] = '\0';
		if (!scripts[work]) {
			continue;
		}
		reply = checked(context, redisCommand(context, "SCRIPT LOAD %s", scripts[work]));
		(void)snprintf(ret_scripts->shas[work], sizeof(ret_scripts->shas[work]), "%s",
			       reply->str);
		freeReplyObject(reply);
	}
}

struct link *redis_open_link(const char *socket, const struct redis_scripts *loaded)
{
	struct link *link = must_alloc(sizeof(*link));

	link->context = redisConnectUnixNonBlock(socket);
	if (!link->context || link->context->err) {
		fail_redis(link->context);
	}
	link->scripts = loaded;
	link->values = must_alloc(ARGUMENTS_MAX * sizeof(*link->values));
	link->lengths = must_alloc(ARGUMENTS_MAX * sizeof(*link->lengths));
	link->room = must_alloc(ROOM_BYTES);
	return link;
}

void redis_close_link(struct link *link)
{
	redisFree(link->context);
	free(link->values);
	free(link->lengths);
	free(link->room);
	free(link);
}

int redis_link_fd(const struct link *link)
{
	return link->context->fd;
}

/* Commands */

/* @text stays where it is until the command is sent. */
static void add(struct link *link, const char *text)
{
	assert(link->n < ARGUMENTS_MAX);
	link->lengths[link->n] = strlen(text);
	link->values[link->n++] = text;
}

/* Keeps a copy of the parts, one behind the other; they end with NULL. */
static void add_parts(struct link *link, const char *const *parts)
{
	char *begin = link->room + link->room_used;
	char *end = begin;

	for (; *parts; parts++) {
		assert(link->room_used + strlen(*parts) + 1 < ROOM_BYTES);
		end = stpcpy(end, *parts);
		link->room_used = (size_t)(end - link->room) + 1;
	}
	add(link, begin);
}

#define add_copy(link, ...) add_parts(link, (const char *const[]){__VA_ARGS__, NULL})

static void add_number(struct link *link, long long number)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%lld", number);
	add_copy(link, text);
}

static void begin_script(struct link *link, enum work work, uint32_t n_keys)
{
	add(link, "EVALSHA");
	add(link, link->scripts->shas[work]);
	add_number(link, n_keys);
}

static void add_account_key(struct link *link, uint32_t account)
{
	struct sample sample;

	sample_name(account, &sample);
	add_copy(link, "a:", sample.org, ":", sample.id);
}

static void add_account(struct link *link, uint32_t account)
{
	struct sample sample;

	static_assert(SAMPLE_GROUPS == 3 && SAMPLE_PERMISSIONS == 2, "as many are named here");
	sample_fill(account, &sample);
	add_copy(link, sample.org);
	add_copy(link, sample.id);
	add_copy(link, sample.person);
	add_copy(link, sample.upn);
	add_copy(link, sample.mail);
	add_copy(link, sample.name);
	add_copy(link, sample.groups[0], ",", sample.groups[1], ",", sample.groups[2]);
	add_copy(link, sample.permissions[0], ",", sample.permissions[1]);
}

static void write_change(struct link *link, const struct call *call)
{
	long long now = (long long)time(NULL);

	begin_script(link, call->work, call->n);
	for (uint32_t i = 0; i < call->n; i++) {
		add_account_key(link, call->accounts[i]);
	}
	add_number(link, now);
	if (call->work == WORK_LEAVE) {
		add_number(link, now + WINDOW);
	}
	for (uint32_t i = 0; call->work == WORK_IMPORT && i < call->n; i++) {
		add_account(link, call->accounts[i]);
	}
}

static void write_organizations(struct link *link, const struct call *call)
{
	struct sample sample;

	sample_person(call->accounts[0], &sample);
	begin_script(link, WORK_ORGANIZATIONS, 1);
	add_copy(link, "p:", sample.person);
}

static void write_page(struct link *link)
{
	char org[SAMPLE_ORG_LEN + 1];

	sample_org(link->org, org);
	begin_script(link, WORK_LIST, 0);
	add_copy(link, org);
	add_copy(link, link->after[0] ? "(" : "-", link->after);
	add_number(link, PAGE_ROWS);
}

/* The sweep's now is 31 days from now. */
static void write_sweep(struct link *link, const struct call *call)
{
	long long now = (long long)time(NULL) + AHEAD;

	begin_script(link, call->work, 0);
	add_number(link, now);
	if (call->work == WORK_SWEEP_START) {
		add_number(link, now + WINDOW);
	}
}

static void write_command(struct link *link, const struct call *call)
{
	switch (call->work) {
	case WORK_EMPTY:
		add(link, "PING");
		return;
	case WORK_GET:
		add(link, "HGETALL");
		add_account_key(link, call->accounts[0]);
		return;
	case WORK_ORGANIZATIONS:
		write_organizations(link, call);
		return;
	case WORK_LIST:
		write_page(link);
		return;
	case WORK_IMPORT:
	case WORK_LEAVE:
	case WORK_RESTORE:
		write_change(link, call);
		return;
	case WORK_SWEEP_START:
	case WORK_SWEEP_REMOVE:
		write_sweep(link, call);
		return;
	case WORK_ERASE:
	case WORK_BACKUP:
	case _WORK_MAX:
		break;
	}
	abort();
}

void redis_send(struct link *link, const struct call *call)
{
	uint32_t slot = link->sent++ % DEPTH_MAX;

	link->calls[slot].work = call->work;
	link->calls[slot].n = call->n;
	link->n = 0;
	link->room_used = 0;
	write_command(link, call);
	if (redisAppendCommandArgv(link->context, (int)link->n, link->values, link->lengths) !=
	    REDIS_OK) {
		fail_redis(link->context);
	}
}

bool redis_flush(struct link *link)
{
	int done = 0;

	if (redisBufferWrite(link->context, &done) != REDIS_OK) {
		fail_redis(link->context);
	}
	return done;
}

/* Answers */

void redis_fill(struct link *link)
{
	if (redisBufferRead(link->context) != REDIS_OK) {
		fail_redis(link->context);
	}
}

static uint32_t take_page(struct link *link, const redisReply *reply)
{
	const redisReply *last;

	link->after[0] = '\0';
	if (reply->elements < PAGE_ROWS) {
		link->org = (link->org + 1) % SAMPLE_ORGS;
		return (uint32_t)reply->elements;
	}
	last = reply->element[reply->elements - 1];
	(void)snprintf(link->after, sizeof(link->after), "%s", last->element[0]->str);
	return (uint32_t)reply->elements;
}

static void take_reply(struct link *link, enum work work, uint32_t n, const redisReply *reply,
		       struct answer *ret_answer)
{
	switch (work) {
	case WORK_EMPTY:
		return;
	case WORK_GET:
		if (reply->elements == 0) {
			fail("Redis does not find an account");
		}
		ret_answer->n_done = 1;
		return;
	case WORK_ORGANIZATIONS:
		ret_answer->n_done = (uint32_t)reply->elements;
		return;
	case WORK_LIST:
		ret_answer->n_done = take_page(link, reply);
		return;
	case WORK_IMPORT:
	case WORK_LEAVE:
	case WORK_RESTORE:
		ret_answer->n_done = (uint32_t)reply->integer;
		if (reply->integer != n) {
			fail("Redis changed %lld accounts instead of %u", reply->integer, n);
		}
		return;
	case WORK_SWEEP_START:
	case WORK_SWEEP_REMOVE:
		ret_answer->n_done = (uint32_t)reply->integer;
		ret_answer->last = reply->integer == 0;
		return;
	case WORK_ERASE:
	case WORK_BACKUP:
	case _WORK_MAX:
		break;
	}
	abort();
}

bool redis_receive(struct link *link, struct answer *ret_answer)
{
	uint32_t slot = link->answered % DEPTH_MAX;
	void *answer = NULL;
	redisReply *reply;

	if (redisGetReplyFromReader(link->context, &answer) != REDIS_OK) {
		fail_redis(link->context);
	}
	if (!answer) {
		return false;
	}
	reply = checked(link->context, answer);
	*ret_answer = (struct answer){0};
	take_reply(link, link->calls[slot].work, link->calls[slot].n, reply, ret_answer);
	link->answered++;
	freeReplyObject(reply);
	return true;
}
