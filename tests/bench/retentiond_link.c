/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/retentiond_link.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/commands.h"

#include "tests/bench/fail.h"
#include "tests/bench/retentiond_request.h"
#include "tests/bench/stopwatch.h"

#define BUFFER_SIZE (RPC_ANSWER_MAX + 64 * 1024)
#define UNSENT_MAX  (8 * 1024 * 1024)
#define PAGE_ROWS   100

/* How long a sweep is left alone at most, and at least. */
#define SWEEP_WAIT_MS_MAX 100
#define SWEEP_WAIT_MS_MIN 1

/**
 * struct link
 * @writer, @n_sent: requests, and how many of their bytes have gone
 * @buffer, @begin, @end: bytes that have come
 * @msgid, @answered: of the last request, and of the last answer
 * @works: what each request that is out was about; a ring, by msgid
 * @cursor: where WORK_LIST goes on; empty at an organization's beginning
 * @tokens: WORK_ERASE: what has been claimed and is to be confirmed
 */
struct link {
	int fd;
	struct sweep_goal *goal;
	struct pack_writer writer;
	size_t n_sent;
	struct rpc_parser *parser;
	char *buffer;
	size_t begin;
	size_t end;
	uint32_t msgid;
	uint32_t answered;
	enum work works[256];
	uint32_t org;
	char cursor[ARGUMENT_CURSOR_LEN_MAX];
	size_t cursor_len;
	char (*tokens)[ARGUMENT_TOKEN_LEN_MAX + 1];
	uint32_t n_tokens;
	bool confirming;
};

struct link *retentiond_connect(const char *path, struct sweep_goal *goal)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct link *link;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		fail_errno(errno, "socket");
	}
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		fail_errno(errno, "retentiond does not listen at %s", path);
	}
	link = must_alloc(sizeof(*link));
	link->fd = fd;
	link->goal = goal;
	link->buffer = must_alloc(BUFFER_SIZE);
	link->tokens = must_alloc(sizeof(*link->tokens) * CALL_ACCOUNTS_MAX);
	pack_writer_init(&link->writer, UNSENT_MAX);
	if (rpc_parser_new(&link->parser) < 0) {
		fail("out of memory");
	}
	return link;
}

void retentiond_close_link(struct link *link)
{
	closep(&link->fd);
	pack_writer_done(&link->writer);
	(void)rpc_parser_free(link->parser);
	free(link->buffer);
	free(link->tokens);
	free(link);
}

int retentiond_link_fd(const struct link *link)
{
	return link->fd;
}

/* Requests */

static void put_page(struct link *link)
{
	char org[SAMPLE_ORG_LEN + 1];

	sample_org(link->org, org);
	pack_put_cstr(&link->writer, "org", org);
	pack_put_uint(&link->writer, "limit", PAGE_ROWS);
	if (link->cursor_len > 0) {
		pack_put_text(&link->writer, "cursor",
			      (struct slice){link->cursor, link->cursor_len});
	}
}

static void put_tokens(struct link *link)
{
	pack_put_array(&link->writer, "tasks");
	for (uint32_t i = 0; i < link->n_tokens; i++) {
		pack_write_map(&link->writer);
		pack_put_cstr(&link->writer, "token", link->tokens[i]);
		pack_put_cstr(&link->writer, "result", "erased");
		pack_write_end(&link->writer);
	}
	pack_write_end(&link->writer);
}

/* Between requests: what has gone makes room. */
static void drop_sent(struct link *link)
{
	link->writer.len -= link->n_sent;
	memmove(link->writer.data, link->writer.data + link->n_sent, link->writer.len);
	link->n_sent = 0;
}

struct pack_writer *retentiond_ask(struct link *link, const char *method)
{
	if (link->n_sent > 0) {
		drop_sent(link);
	}
	rpc_write_request(&link->writer, ++link->msgid, method);
	pack_write_map(&link->writer);
	return &link->writer;
}

static void end_request(struct link *link)
{
	pack_write_end(&link->writer);
	rpc_write_request_end(&link->writer);
	if (link->writer.error) {
		fail("a request to retentiond is too large");
	}
}

/* The first call moves the clock on; the others ask how far the sweep is. */
static void write_sweep(struct link *link)
{
	if (link->goal->by_us > 0) {
		pack_put_int(retentiond_ask(link, "clock.advance"), "by_us", link->goal->by_us);
	} else {
		(void)retentiond_ask(link, link->goal->near ? "sweep.status" : "ledger.head");
	}
}

static void write_erase(struct link *link, const struct call *call)
{
	char keeper[16];

	(void)snprintf(keeper, sizeof(keeper), "k%u", call->keeper);
	link->confirming = link->n_tokens > 0;
	pack_put_cstr(retentiond_ask(link, link->confirming ? "keeper.confirm" : "keeper.claim"),
		      "keeper", keeper);
	if (link->confirming) {
		put_tokens(link);
	} else {
		pack_put_uint(&link->writer, "max", CALL_ACCOUNTS_MAX);
	}
}

void retentiond_send(struct link *link, const struct call *call)
{
	switch (call->work) {
	case WORK_EMPTY:
		(void)retentiond_ask(link, "retention.info");
		break;
	case WORK_IMPORT:
		request_put_imports(retentiond_ask(link, "account.import"), call);
		break;
	case WORK_GET:
		request_put_name(retentiond_ask(link, "account.get"), call->accounts[0]);
		break;
	case WORK_ORGANIZATIONS:
		request_put_person(retentiond_ask(link, "person.organizations"), call->accounts[0]);
		break;
	case WORK_LIST:
		(void)retentiond_ask(link, "account.list");
		put_page(link);
		break;
	case WORK_LEAVE:
		request_put_names(retentiond_ask(link, "account.leave"), call);
		break;
	case WORK_RESTORE:
		request_put_names(retentiond_ask(link, "account.restore"), call);
		break;
	case WORK_SWEEP_START:
	case WORK_SWEEP_REMOVE:
		write_sweep(link);
		break;
	case WORK_ERASE:
		write_erase(link, call);
		break;
	case WORK_BACKUP:
		(void)retentiond_ask(link, "backup.create");
		break;
	case _WORK_MAX:
		abort();
	}
	end_request(link);
	link->works[link->msgid % ARRAY_LEN(link->works)] = call->work;
}

bool retentiond_flush(struct link *link)
{
	while (link->n_sent < link->writer.len) {
		ssize_t n = send(link->fd, link->writer.data + link->n_sent,
				 link->writer.len - link->n_sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EAGAIN) {
			return false;
		}
		if (n < 0 && errno != EINTR) {
			fail_errno(errno, "retentiond closed a connection");
		}
		link->n_sent += n > 0 ? (size_t)n : 0;
	}
	pack_writer_reset(&link->writer);
	link->n_sent = 0;
	return true;
}

/* Answers */

void retentiond_fill(struct link *link)
{
	ssize_t n;

	if (link->begin > 0) {
		memmove(link->buffer, link->buffer + link->begin, link->end - link->begin);
		link->end -= link->begin;
		link->begin = 0;
	}
	n = recv(link->fd, link->buffer + link->end, BUFFER_SIZE - link->end, MSG_DONTWAIT);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		fail_errno(n == 0 ? ECONNRESET : errno, "retentiond closed a connection");
	}
	link->end += n > 0 ? (size_t)n : 0;
}

/* The daemon answers in the order of the requests. */
static bool next_message(struct link *link, struct rpc_message *ret_message)
{
	int r = rpc_parse(link->parser, link->buffer + link->begin, link->end - link->begin,
			  ret_message);

	if (r == RPC_E_MORE) {
		return false;
	}
	if (r != 0 || ret_message->type != RPC_RESPONSE ||
	    ret_message->msgid != link->answered + 1) {
		fail("retentiond sent something that is no answer to what it was asked");
	}
	if (ret_message->error.type != PACK_NIL) {
		struct pack_value text = pack_array_at(&ret_message->error, 1);

		fail("retentiond answered: %.*s", SLICE_ARG(text.text));
	}
	link->answered++;
	link->begin += ret_message->bytes;
	return true;
}

static struct pack_value field(const struct pack_value *map, const char *key)
{
	struct pack_value value = {.type = PACK_NIL};

	if (map->type != PACK_MAP || !pack_map_get(map, key, &value)) {
		value.type = PACK_NIL;
	}
	return value;
}

static uint32_t count_list(const struct pack_value *map, const char *key)
{
	struct pack_value list = field(map, key);

	if (list.type != PACK_ARRAY) {
		fail("an answer of retentiond has no %s", key);
	}
	return list.list.n;
}

static void check_outcome(const struct pack_value *item)
{
	struct pack_value outcome = field(item, "outcome");

	if (outcome.type != PACK_TEXT || !slice_is(outcome.text, "ok")) {
		fail("retentiond did not do what it was asked: %.*s",
		     SLICE_ARG(outcome.type == PACK_TEXT ? outcome.text : slice_of("no outcome")));
	}
}

static uint32_t count_items(const struct pack_value *result)
{
	uint32_t n = count_list(result, "items");
	struct pack_value items = field(result, "items");

	for (uint32_t i = 0; i < n; i++) {
		struct pack_value item = pack_array_at(&items, i);

		check_outcome(&item);
	}
	return n;
}

static uint32_t take_page(struct link *link, const struct pack_value *result)
{
	struct pack_value cursor = field(result, "cursor");

	link->cursor_len = 0;
	if (cursor.type == PACK_TEXT) {
		assert(cursor.text.len <= sizeof(link->cursor));
		memcpy(link->cursor, cursor.text.data, cursor.text.len);
		link->cursor_len = cursor.text.len;
	} else {
		link->org = (link->org + 1) % SAMPLE_ORGS;
	}
	return count_list(result, "accounts");
}

static uint64_t number(const struct pack_value *map, const char *key)
{
	struct pack_value value = field(map, key);

	if (value.type != PACK_INT || value.integer < 0) {
		fail("an answer of retentiond lacks %s", key);
	}
	return (uint64_t)value.integer;
}

/* Half the time that the rest takes if it goes on as it did. */
static uint32_t sweep_wait_ms(const struct sweep_goal *goal, uint64_t seq)
{
	double ms = stopwatch_seconds_since(goal->began_ns) * 1000;
	double n_left = seq < goal->seq ? (double)(goal->seq - seq) : 0;
	double n_done = seq > goal->first_seq ? (double)(seq - goal->first_seq) : 1;

	ms = MIN(ms * n_left / n_done / 2, SWEEP_WAIT_MS_MAX);
	return (uint32_t)MAX(ms, SWEEP_WAIT_MS_MIN);
}

static void take_sweep(struct link *link, const struct pack_value *result,
		       struct answer *ret_answer)
{
	struct sweep_goal *goal = link->goal;

	if (goal->by_us > 0) {
		goal->by_us = 0;
		goal->began_ns = stopwatch_ns();
		ret_answer->wait_ms = SWEEP_WAIT_MS_MIN;
	} else if (!goal->near) {
		goal->near = number(result, "seq") >= goal->seq;
		ret_answer->wait_ms = goal->near ? 0 : sweep_wait_ms(goal, number(result, "seq"));
	} else if (number(result, goal->key) - goal->begin >= goal->n_due) {
		ret_answer->n_done = (uint32_t)(number(result, goal->key) - goal->begin);
		ret_answer->last = true;
	} else {
		ret_answer->wait_ms = SWEEP_WAIT_MS_MIN;
	}
}

static void take_tasks(struct link *link, const struct pack_value *result,
		       struct answer *ret_answer)
{
	struct pack_value tasks = field(result, "tasks");
	uint32_t n = count_list(result, "tasks");

	assert(n <= CALL_ACCOUNTS_MAX);
	for (uint32_t i = 0; i < n; i++) {
		struct pack_value task = pack_array_at(&tasks, i);
		struct pack_value token = field(&task, "token");

		assert(token.type == PACK_TEXT && token.text.len <= ARGUMENT_TOKEN_LEN_MAX);
		memcpy(link->tokens[i], token.text.data, token.text.len);
		link->tokens[i][token.text.len] = '\0';
	}
	link->n_tokens = n;
	*ret_answer = (struct answer){.last = n == 0 && !field(result, "more").boolean};
}

/* The same call begins it, tells that it runs, and tells how it has ended. */
static void take_backup(const struct pack_value *result, struct answer *ret_answer)
{
	struct pack_value error = field(result, "error");

	if (error.type == PACK_TEXT) {
		fail("retentiond made no backup: %.*s", SLICE_ARG(error.text));
	}
	ret_answer->last = !field(result, "running").boolean;
	ret_answer->n_done = ret_answer->last;
}

static uint32_t count_organizations(const struct pack_value *result)
{
	return count_list(result, "others") + (field(result, "home").type == PACK_MAP);
}

bool retentiond_receive(struct link *link, struct answer *ret_answer)
{
	struct rpc_message message;
	struct answer answer = {0};

	if (!next_message(link, &message)) {
		return false;
	}
	switch (link->works[message.msgid % ARRAY_LEN(link->works)]) {
	case WORK_EMPTY:
		break;
	case WORK_GET:
		check_outcome(&message.result);
		answer.n_done = 1;
		break;
	case WORK_ORGANIZATIONS:
		answer.n_done = count_organizations(&message.result);
		break;
	case WORK_LIST:
		answer.n_done = take_page(link, &message.result);
		break;
	case WORK_IMPORT:
	case WORK_LEAVE:
	case WORK_RESTORE:
		answer.n_done = count_items(&message.result);
		link->goal->seq += answer.n_done;
		break;
	case WORK_SWEEP_START:
	case WORK_SWEEP_REMOVE:
		take_sweep(link, &message.result, &answer);
		break;
	case WORK_ERASE:
		if (link->confirming) {
			answer.n_done = count_items(&message.result);
			link->n_tokens = 0;
		} else {
			take_tasks(link, &message.result, &answer);
		}
		break;
	case WORK_BACKUP:
		take_backup(&message.result, &answer);
		break;
	case _WORK_MAX:
		abort();
	}
	*ret_answer = answer;
	return true;
}

/* One request at a time */

static void wait_for(const struct link *link, short events)
{
	struct pollfd fd = {.fd = link->fd, .events = events};

	if (poll(&fd, 1, -1) < 0 && errno != EINTR) {
		fail_errno(errno, "poll");
	}
}

void retentiond_hear(struct link *link, struct rpc_message *ret_message)
{
	end_request(link);
	while (!retentiond_flush(link)) {
		wait_for(link, POLLOUT);
	}
	while (!next_message(link, ret_message)) {
		wait_for(link, POLLIN);
		retentiond_fill(link);
	}
}

uint64_t retentiond_number(const struct rpc_message *message, const char *path)
{
	struct pack_value map = message->result;
	const char *key = path;
	char outer[32];

	for (const char *dot; (dot = strchr(key, '.')); key = dot + 1) {
		(void)snprintf(outer, sizeof(outer), "%.*s", (int)(dot - key), key);
		map = field(&map, outer);
	}
	return number(&map, key);
}
