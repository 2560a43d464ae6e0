/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/conns.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <sys/socket.h>

#include "daemon/io/limits.h"
#include "daemon/work/log.h"

/* Turns until something must have happened; far more than any test needs. */
#define TURNS_MAX 10000

#define BIG_ANSWER (512 * 1024)

#define BIG_EVENT      1024
#define EVENTS_AT_ONCE 256

static struct event_base *base;
static struct conns *conns;
static unsigned n_dispatched;
static struct access_peer last_peer;
static uint64_t head;      /* the last event that there is */
static int push_refusal;   /* what push() answers once it has told all */
static size_t event_bytes; /* how large it makes one */
static span_t push_takes;  /* and how long it takes */
static struct meters meters;
static char last_method[RPC_METHOD_LEN_MAX + 1];

/*
 * "big" is answered at length, "fail" finds a broken machine, "subscribe" subscribes from the first
 * event on; all but "fail" are answered, and all but "big" true.
 */
static int dispatch(void unused *userdata, struct session *session,
		    const struct rpc_message *message, struct pack_writer *out)
{
	static const char filler[BIG_ANSWER];

	cr_assert_eq(out->len, 0);
	n_dispatched++;
	last_peer = session->peer;
	memcpy(last_method, message->method.data, message->method.len);
	last_method[message->method.len] = '\0';
	if (slice_is(message->method, "fail")) {
		return -EIO;
	}
	if (message->type != RPC_REQUEST) {
		return 0;
	}
	if (slice_is(message->method, "subscribe")) {
		session->next_seq = 1;
	}
	rpc_write_answer(out, message->msgid);
	if (slice_is(message->method, "big")) {
		pack_write_bin(out, (struct slice){filler, sizeof(filler)});
	} else {
		pack_write_bool(out, true);
	}
	rpc_write_answer_end(out);
	return 0;
}

/* An event is its number and some filler; at most EVENTS_AT_ONCE are told at once. */
static int push(void unused *userdata, struct session *session, struct pack_writer *out,
		bool *ret_more)
{
	static const char filler[BIG_EVENT];

	cr_assert_eq(out->len, 0);
	cr_assert_gt(session->next_seq, 0);
	for (span_t until = limits_now() + push_takes; limits_now() < until;) {
	}
	for (unsigned i = 0; i < EVENTS_AT_ONCE && session->next_seq <= head; i++) {
		pack_write_array(out);
		pack_write_int(out, RPC_NOTIFICATION);
		pack_write_cstr(out, "event");
		pack_write_array(out);
		pack_write_uint(out, session->next_seq++);
		pack_write_bin(out, (struct slice){filler, event_bytes});
		pack_write_end(out);
		pack_write_end(out);
	}
	if (push_refusal != 0 && session->next_seq > head) {
		return push_refusal;
	}
	*ret_more = session->next_seq <= head;
	return 0;
}

static void begin(void)
{
	static const struct conns_handler handler = {
		.dispatch = dispatch, .push = push, .meters = &meters};

	(void)signal(SIGPIPE, SIG_IGN);
	base = event_base_new();
	cr_assert(base);
	cr_assert_eq(conns_new(base, &handler, &conns), 0);
}

static void end(void)
{
	conns_free(conns);
	event_base_free(base);
}

TestSuite(conns, .init = begin, .fini = end);

/*
 * A client
 */

struct client {
	int fd;
	struct rpc_parser *parser;
	char *data; /* bytes that came and were not looked at */
	size_t len;
	bool at_end;
};

static struct client client_new(void)
{
	struct client client = {0};
	int fds[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
	conns_accept(conns, fds[0]);
	client.fd = fds[1];
	cr_assert_eq(rpc_parser_new(&client.parser), 0);
	return client;
}

static void client_done(struct client *client)
{
	closep(&client->fd);
	rpc_parser_free(client->parser);
	free(client->data);
}

static void client_send(const struct client *client, const void *data, size_t len)
{
	cr_assert_eq(send(client->fd, data, len, 0), (ssize_t)len);
}

/* Requests with msgids from @first on; as many at once as @n. */
static void client_request(const struct client *client, const char *method, uint32_t first,
			   uint32_t n)
{
	struct pack_writer writer;

	pack_writer_init(&writer, 1 << 20);
	for (uint32_t i = 0; i < n; i++) {
		rpc_write_request(&writer, first + i, method);
		rpc_write_request_end(&writer);
	}
	cr_assert_eq(writer.error, 0);
	client_send(client, writer.data, writer.len);
	pack_writer_done(&writer);
}

static void client_receive(struct client *client)
{
	static char buffer[64 * 1024];
	ssize_t n;

	while ((n = recv(client->fd, buffer, sizeof(buffer), 0)) > 0) {
		client->data = realloc(client->data, client->len + (size_t)n);
		memcpy(client->data + client->len, buffer, (size_t)n);
		client->len += (size_t)n;
	}
	client->at_end |= n == 0 || errno == ECONNRESET;
}

static void client_drop(struct client *client, size_t n)
{
	client->len -= n;
	memmove(client->data, client->data + n, client->len);
}

/* Whether one more whole message is there. It points into what the client drops when done with it. */
static bool client_look(struct client *client, struct rpc_message *ret_message)
{
	client_receive(client);
	return client->len > 0 &&
	       rpc_parse(client->parser, client->data, client->len, ret_message) != RPC_E_MORE;
}

/* Whether one more whole answer is there; its msgid, and whether it is an error. */
static bool client_next(struct client *client, uint32_t *ret_msgid, bool *ret_error)
{
	struct rpc_message message;

	if (!client_look(client, &message)) {
		return false;
	}
	cr_assert_eq(message.type, RPC_RESPONSE);
	*ret_msgid = message.msgid;
	*ret_error = message.error.type != PACK_NIL;
	client_drop(client, message.bytes);
	return true;
}

/* The number of the next event, if one is there; 0 if none is. */
static uint64_t client_next_event(struct client *client)
{
	struct rpc_message message;
	uint64_t seq;

	if (!client_look(client, &message)) {
		return 0;
	}
	cr_assert_eq(message.type, RPC_NOTIFICATION);
	seq = (uint64_t)pack_array_at(&message.params, 0).integer;
	client_drop(client, message.bytes);
	return seq;
}

/*
 * The loop
 */

static void turn(void)
{
	cr_assert_geq(event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK), 0);
	cr_assert_eq(conns_work(conns, false), 0);
	cr_assert_eq(conns_push(conns), 0);
	conns_finish(conns);
}

/* Turns until the next answer is there. */
static uint32_t await_answer(struct client *client)
{
	uint32_t msgid;
	bool error;

	for (unsigned i = 0; i < TURNS_MAX; i++) {
		if (client_next(client, &msgid, &error)) {
			cr_assert_not(error);
			return msgid;
		}
		turn();
	}
	cr_assert_fail("no answer came");
	return 0;
}

static uint64_t await_event(struct client *client)
{
	uint64_t seq;

	for (unsigned i = 0; i < TURNS_MAX; i++) {
		seq = client_next_event(client);
		if (seq > 0) {
			return seq;
		}
		turn();
	}
	cr_assert_fail("no event came");
	return 0;
}

/* A client that has subscribed and read the answer. */
static struct client subscriber_new(void)
{
	struct client client = client_new();

	client_request(&client, "subscribe", 1, 1);
	cr_assert_eq(await_answer(&client), 1);
	return client;
}

static void await_end(struct client *client)
{
	for (unsigned i = 0; i < TURNS_MAX && !client->at_end; i++) {
		turn();
		client_receive(client);
	}
	cr_assert(client->at_end, "the connection was not closed");
}

/*
 * What is promised
 */

Test(conns, a_request_is_answered)
{
	struct client client = client_new();

	client_request(&client, "hello", 7, 1);
	cr_assert_eq(await_answer(&client), 7);
	cr_assert_str_eq(last_method, "hello");
	client_done(&client);
}

Test(conns, no_byte_of_an_answer_leaves_before_the_commit)
{
	struct client client = client_new();

	client_request(&client, "hello", 1, 3);
	cr_assert_geq(event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK), 0);
	cr_assert_eq(conns_work(conns, false), 0);
	cr_assert_gt(n_dispatched, 0);
	client_receive(&client);
	cr_assert_eq(client.len, 0);

	conns_finish(conns);
	client_receive(&client);
	cr_assert_gt(client.len, 0);
	client_done(&client);
}

Test(conns, what_waits_to_be_written_does_not_leave_before_the_commit_either)
{
	struct client client = client_new();
	size_t len;

	/* More than the socket takes: the rest waits for it to be writable. */
	client_request(&client, "big", 1, 1);
	turn();
	client_request(&client, "hello", 2, 1);
	client_receive(&client);
	len = client.len;
	cr_assert_geq(event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK), 0);
	cr_assert_eq(conns_work(conns, false), 0);
	client_receive(&client);
	cr_assert_eq(client.len, len);
	client_done(&client);
}

Test(conns, when_the_machine_fails_nothing_is_sent)
{
	struct client client = client_new();

	client_request(&client, "hello", 1, 1);
	client_request(&client, "fail", 2, 1);
	cr_assert_geq(event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK), 0);
	cr_assert_eq(conns_work(conns, false), -EIO);
	client_receive(&client);
	cr_assert_eq(client.len, 0);
	client_done(&client);
}

Test(conns, the_peer_is_who_the_kernel_says)
{
	struct client client = client_new();

	client_request(&client, "hello", 1, 1);
	(void)await_answer(&client);
	cr_assert_eq(last_peer.uid, getuid());
	cr_assert_eq(last_peer.gid, getgid());
	cr_assert_eq(last_peer.pid, getpid());
	client_done(&client);
}

Test(conns, answers_come_in_the_order_of_the_requests)
{
	struct client client = client_new();

	client_request(&client, "hello", 0, 1000);
	for (uint32_t i = 0; i < 1000; i++) {
		cr_assert_eq(await_answer(&client), i);
	}
	cr_assert_eq(n_dispatched, 1000);
	client_done(&client);
}

Test(conns, one_turn_takes_at_most_128_messages_of_a_connection)
{
	struct client client = client_new();

	client_request(&client, "hello", 0, 1000);
	turn();
	cr_assert_leq(n_dispatched, LIMITS_MESSAGES_PER_TURN);
	cr_assert_eq(conns_until_work(conns, false), 0, "the next turn comes at once");
	client_done(&client);
}

Test(conns, a_peer_that_pipelines_does_not_keep_others_waiting)
{
	struct client busy = client_new();
	struct client other = client_new();

	client_request(&busy, "hello", 0, 5000);
	client_request(&other, "hello", 7, 1);
	cr_assert_eq(await_answer(&other), 7);
	cr_assert_lt(n_dispatched, 1000);
	client_done(&busy);
	client_done(&other);
}

Test(conns, a_request_that_comes_byte_by_byte_is_dispatched_once)
{
	struct client client = client_new();
	struct pack_writer writer;

	pack_writer_init(&writer, 1024);
	rpc_write_request(&writer, 3, "hello");
	rpc_write_request_end(&writer);
	for (size_t i = 0; i < writer.len; i++) {
		cr_assert_eq(n_dispatched, 0);
		client_send(&client, writer.data + i, 1);
		turn();
	}
	cr_assert_eq(await_answer(&client), 3);
	cr_assert_eq(n_dispatched, 1);
	pack_writer_done(&writer);
	client_done(&client);
}

Test(conns, a_notification_is_not_answered)
{
	struct client client = client_new();

	client_send(&client, "\x93\x02\xa2hi\x90", 6);
	client_request(&client, "hello", 2, 1);
	cr_assert_eq(await_answer(&client), 2);
	cr_assert_eq(n_dispatched, 2);
	client_done(&client);
}

Test(conns, a_large_request_is_dispatched_whole)
{
	struct client client = client_new();
	struct pack_writer writer;
	char *filler = calloc(1, 1000 * 1000);
	size_t sent = 0;

	pack_writer_init(&writer, RPC_FRAME_LARGE_MAX);
	rpc_write_request(&writer, 9, "large");
	pack_write_bin(&writer, (struct slice){filler, 1000 * 1000});
	rpc_write_request_end(&writer);
	cr_assert_eq(writer.error, 0);
	while (sent < writer.len) {
		ssize_t n = send(client.fd, writer.data + sent, writer.len - sent, 0);

		sent += n > 0 ? (size_t)n : 0;
		turn();
	}
	cr_assert_eq(await_answer(&client), 9);
	client_request(&client, "hello", 10, 1);
	cr_assert_eq(await_answer(&client), 10);
	free(filler);
	pack_writer_done(&writer);
	client_done(&client);
}

static size_t bytes_allocated(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

/* A request whose argument is a list of nils, which take 24 bytes each once they are read. */
static size_t write_nils(char *bytes, size_t size, uint32_t n)
{
	static const char header[] = "\x94\0\x09\xa4many\x91\xdd";

	cr_assert_geq(size, sizeof(header) + 4 + n);
	memcpy(bytes, header, sizeof(header) - 1);
	for (int i = 0; i < 4; i++) {
		bytes[sizeof(header) - 1 + i] = (char)(n >> (24 - 8 * i));
	}
	memset(bytes + sizeof(header) + 3, 0xc0, n);
	return sizeof(header) + 3 + n;
}

/* @more: a byte of the next request comes with it, and keeps the bytes of this one for a while. */
static void expect_memory_back(uint32_t n_nils, bool more)
{
	struct client client = client_new();
	static char bytes[256 * 1024];
	size_t len = write_nils(bytes, sizeof(bytes) - 1, n_nils), sent = 0, before;

	bytes[len] = '\x94';
	len += more;
	client_request(&client, "hello", 1, 1);
	cr_assert_eq(await_answer(&client), 1);
	before = bytes_allocated();
	while (sent < len) {
		ssize_t n = send(client.fd, bytes + sent, len - sent, 0);

		sent += n > 0 ? (size_t)n : 0;
		turn();
	}
	cr_assert_eq(await_answer(&client), 9);
	cr_assert_leq(bytes_allocated(), before + (size_t)16 * 1024 + (more ? 2 * len : 0));
	client_done(&client);
}

Test(conns, the_memory_of_a_request_is_given_back_with_its_answer)
{
	expect_memory_back(65000, false);
	expect_memory_back(160000, false);
}

Test(conns, the_memory_of_a_request_is_given_back_though_the_next_one_has_begun)
{
	expect_memory_back(65000, true);
	expect_memory_back(160000, true);
}

Test(conns, a_peer_that_does_not_read_is_not_served_until_it_reads)
{
	struct client client = client_new();

	client_request(&client, "big", 0, 20);
	for (unsigned i = 0; i < 100; i++) {
		turn();
	}
	/* Up to 1 MiB waits here, and some more in the socket. */
	cr_assert_lt(n_dispatched, 6);
	cr_assert_neq(conns_until_work(conns, false), 0, "the loop does not spin meanwhile");
	for (uint32_t i = 0; i < 20; i++) {
		cr_assert_eq(await_answer(&client), i);
	}
	client_done(&client);
}

Test(conns, a_peer_that_does_not_read_does_not_harm_others)
{
	struct client stuck = client_new();
	struct client other = client_new();

	client_request(&stuck, "big", 0, 20);
	for (unsigned i = 0; i < 100; i++) {
		turn();
	}
	client_request(&other, "hello", 1, 1);
	cr_assert_eq(await_answer(&other), 1);
	client_done(&stuck);
	client_done(&other);
}

Test(conns, bytes_that_are_no_rpc_end_their_connection_and_no_other)
{
	struct client bad = client_new();
	struct client good = client_new();

	client_send(&bad, "GET / HTTP/1.1\r\n", 16);
	await_end(&bad);
	cr_assert_eq(bad.len, 0);
	client_request(&good, "hello", 1, 1);
	cr_assert_eq(await_answer(&good), 1);
	cr_assert_eq(conns_count(conns), 1);
	client_done(&bad);
	client_done(&good);
}

Test(conns, requests_before_the_bad_bytes_are_answered)
{
	struct client client = client_new();
	uint32_t msgid;
	bool error;

	client_request(&client, "hello", 1, 2);
	client_send(&client, "\xc1", 1);
	await_end(&client);
	cr_assert(client_next(&client, &msgid, &error));
	cr_assert_eq(msgid, 1);
	cr_assert(client_next(&client, &msgid, &error));
	cr_assert_eq(msgid, 2);
	cr_assert_eq(client.len, 0);
	client_done(&client);
}

Test(conns, a_frame_that_is_too_large_is_answered_and_closed)
{
	struct client client = client_new();
	uint32_t msgid;
	bool error;

	/* [0, 5, a map of 2^32 - 1 pairs */
	client_send(&client, "\x94\x00\x05\xdf\xff\xff\xff\xff", 8);
	await_end(&client);
	cr_assert(client_next(&client, &msgid, &error));
	cr_assert_eq(msgid, 5);
	cr_assert(error);
	cr_assert_eq(n_dispatched, 0);
	client_done(&client);
}

Test(conns, a_peer_that_stops_sending_still_gets_its_answers)
{
	struct client client = client_new();
	uint32_t msgid;
	bool error;

	client_request(&client, "big", 1, 3);
	cr_assert_eq(shutdown(client.fd, SHUT_WR), 0);
	await_end(&client);
	for (uint32_t i = 1; i <= 3; i++) {
		cr_assert(client_next(&client, &msgid, &error));
		cr_assert_eq(msgid, i);
	}
	cr_assert_eq(conns_count(conns), 0);
	client_done(&client);
}

Test(conns, a_peer_that_ends_within_a_frame_is_forgotten)
{
	struct client client = client_new();

	client_send(&client, "\x94\x00", 2);
	turn();
	client_done(&client);
	turn();
	turn();
	cr_assert_eq(conns_count(conns), 0);
	cr_assert_eq(n_dispatched, 0);
}

Test(conns, a_peer_that_goes_without_reading_is_forgotten)
{
	struct client client = client_new();

	client_request(&client, "big", 0, 10);
	turn();
	client_done(&client);
	for (unsigned i = 0; i < 10; i++) {
		turn();
	}
	cr_assert_eq(conns_count(conns), 0);
}

Test(conns, an_idle_connection_stays_and_asks_for_nothing)
{
	struct client client = client_new();

	turn();
	cr_assert_eq(conns_count(conns), 1);
	cr_assert_neq(conns_until_work(conns, false), 0);
	client_done(&client);
}

Test(conns, when_stopped_every_request_that_was_sent_whole_is_answered)
{
	struct client client = client_new();

	client_request(&client, "hello", 1, 3);
	conns_stop(conns);
	await_end(&client);
	cr_assert_eq(n_dispatched, 3);
	for (uint32_t expected = 1; expected <= 3; expected++) {
		uint32_t msgid;
		bool error;

		cr_assert(client_next(&client, &msgid, &error));
		cr_assert_eq(msgid, expected);
	}
	cr_assert_eq(conns_count(conns), 0);
	client_done(&client);
}

Test(conns, when_stopped_nothing_more_can_be_sent)
{
	struct client client = client_new();

	turn();
	conns_stop(conns);
	cr_assert_eq(send(client.fd, "x", 1, MSG_NOSIGNAL), -1);
	cr_assert_eq(errno, EPIPE);
	await_end(&client);
	client_done(&client);
}

Test(conns, when_stopped_half_a_request_holds_nobody_up)
{
	struct client client = client_new();

	cr_assert_eq(send(client.fd, "\x94\x00", 2, MSG_NOSIGNAL), 2);
	conns_stop(conns);
	await_end(&client);
	cr_assert_eq(n_dispatched, 0);
	client_done(&client);
}

Test(conns, when_stopped_answers_that_wait_are_still_sent)
{
	struct client client = client_new();
	uint32_t msgid;
	bool error;

	client_request(&client, "big", 1, 1);
	turn();
	conns_stop(conns);
	conns_finish(conns);
	cr_assert_eq(conns_count(conns), 1);
	await_end(&client);
	cr_assert(client_next(&client, &msgid, &error));
	cr_assert_eq(msgid, 1);
	client_done(&client);
}

/*
 * Events
 */

Test(conns, a_subscriber_is_told_each_event_once_and_in_order)
{
	struct client client = subscriber_new();

	for (uint64_t n = 1; n <= 3; n++) {
		head = 1000 * n;
		for (uint64_t seq = 1000 * (n - 1) + 1; seq <= head; seq++) {
			cr_assert_eq(await_event(&client), seq);
		}
		turn();
		cr_assert_eq(client_next_event(&client), 0);
		cr_assert_neq(conns_until_work(conns, false), 0,
			      "the loop does not spin meanwhile");
	}
	client_done(&client);
}

Test(conns, who_has_not_subscribed_is_told_nothing)
{
	struct client client = client_new();

	head = 10;
	client_request(&client, "hello", 1, 1);
	cr_assert_eq(await_answer(&client), 1);
	turn();
	turn();
	client_receive(&client);
	cr_assert_eq(client.len, 0);
	client_done(&client);
}

Test(conns, the_answer_to_the_subscription_comes_before_its_events)
{
	struct client client = client_new();

	head = 2;
	client_request(&client, "subscribe", 7, 1);
	cr_assert_eq(await_answer(&client), 7);
	cr_assert_eq(await_event(&client), 1);
	cr_assert_eq(await_event(&client), 2);
	client_done(&client);
}

Test(conns, no_event_leaves_with_the_work_of_a_turn)
{
	struct client client = subscriber_new();

	head = 1;
	client_request(&client, "hello", 2, 1);
	cr_assert_geq(event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK), 0);
	cr_assert_eq(conns_work(conns, false), 0);
	client_receive(&client);
	cr_assert_eq(client.len, 0);
	cr_assert_eq(conns_push(conns), 0);
	conns_finish(conns);
	cr_assert_eq(await_answer(&client), 2);
	cr_assert_eq(await_event(&client), 1);
	client_done(&client);
}

Test(conns, a_subscriber_that_is_behind_is_told_a_part_in_each_turn)
{
	struct client client = subscriber_new();

	head = 2 * EVENTS_AT_ONCE + 1;
	for (uint64_t n = 1; n <= 3; n++) {
		turn();
		cr_assert_eq(conns_until_work(conns, false) == 0, n < 3,
			     "the next turn comes at once");
		for (uint64_t i = 0; i < EVENTS_AT_ONCE && n < 3; i++) {
			cr_assert_neq(client_next_event(&client), 0);
		}
	}
	cr_assert_eq(client_next_event(&client), head);
	cr_assert_eq(client_next_event(&client), 0);
	client_done(&client);
}

Test(conns, a_subscriber_that_does_not_read_is_told_no_more_until_it_reads)
{
	struct client client = subscriber_new();

	head = 5000;
	event_bytes = BIG_EVENT;
	for (unsigned i = 0; i < 100; i++) {
		turn();
	}
	cr_assert_neq(conns_until_work(conns, false), 0, "the loop does not spin meanwhile");
	for (uint64_t seq = 1; seq <= head; seq++) {
		cr_assert_eq(await_event(&client), seq);
	}
	client_done(&client);
}

Test(conns, a_subscriber_that_does_not_read_holds_few_events)
{
	struct client client = subscriber_new();
	uint64_t n = 0;

	head = 5000;
	event_bytes = BIG_EVENT;
	for (unsigned i = 0; i < 100; i++) {
		turn();
	}
	conns_stop(conns);
	conns_finish(conns);
	await_end(&client);
	while (client_next_event(&client) > 0) {
		n++;
	}
	/* Half of what may be unread, one push more, and what the socket holds. */
	cr_assert_lt(n, 1500);
	client_done(&client);
}

Test(conns, a_subscriber_that_does_not_read_does_not_harm_another)
{
	struct client stuck = subscriber_new();
	struct client other = subscriber_new();

	head = 5000;
	event_bytes = BIG_EVENT;
	for (uint64_t seq = 1; seq <= head; seq++) {
		cr_assert_eq(await_event(&other), seq);
	}
	client_done(&stuck);
	client_done(&other);
}

Test(conns, many_subscribers_are_all_told_everything)
{
	struct client clients[32];

	for (size_t i = 0; i < ARRAY_LEN(clients); i++) {
		clients[i] = subscriber_new();
	}
	head = 1000;
	for (uint64_t seq = 1; seq <= head; seq++) {
		for (size_t i = 0; i < ARRAY_LEN(clients); i++) {
			cr_assert_eq(await_event(&clients[i]), seq);
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(clients); i++) {
		client_done(&clients[i]);
	}
}

Test(conns, whom_the_time_of_a_turn_did_not_suffice_for_is_told_in_the_next)
{
	struct client first = subscriber_new();
	struct client second = subscriber_new();

	head = 1;
	push_takes = LIMITS_PUSH_PER_TURN;
	turn();
	cr_assert_neq(client_next_event(&first), client_next_event(&second));
	cr_assert_eq(conns_until_work(conns, false), 0, "the next turn comes at once");
	turn();
	cr_assert_neq(client_next_event(&first), client_next_event(&second));
	client_done(&first);
	client_done(&second);
}

/* Two users ask in one turn: telling both subscribers would take more than is left for that. */
Test(conns, subscribers_are_told_for_less_long_while_two_users_share_a_turn)
{
	struct client first = subscriber_new();
	struct client second = subscriber_new();
	struct client asker = client_new();
	struct client other;
	bool both;

	if (getuid() != 0) {
		cr_skip_test("only root can be two users");
	}
	cr_assert_eq(seteuid(4001), 0);
	other = client_new();
	cr_assert_eq(seteuid(0), 0);
	head = 1;
	push_takes = LIMITS_PUSH_SHARED_PER_TURN;
	client_request(&asker, "hello", 2, 1);
	client_request(&other, "hello", 2, 1);
	turn();
	both = client_next_event(&first) > 0 && client_next_event(&second) > 0;
	cr_assert_not(both);
	cr_assert_eq(conns_until_work(conns, false), 0, "the next turn comes at once");
	client_done(&first);
	client_done(&second);
	client_done(&asker);
	client_done(&other);
}

/* Reads on until the answer is there, past the events before it. */
static uint64_t await_answer_among_events(struct client *client, uint32_t msgid, uint64_t seq)
{
	struct rpc_message message;

	for (unsigned i = 0; i < TURNS_MAX; i++) {
		while (client_look(client, &message)) {
			bool found = message.type == RPC_RESPONSE;

			if (found) {
				cr_assert_eq(message.msgid, msgid);
			} else {
				cr_assert_eq(pack_array_at(&message.params, 0).integer,
					     (int64_t)++seq);
			}
			client_drop(client, message.bytes);
			if (found) {
				return seq;
			}
		}
		turn();
	}
	cr_assert_fail("no answer came");
	return 0;
}

Test(conns, a_subscriber_may_go_on_asking)
{
	struct client client = subscriber_new();
	uint64_t seq = 0;

	head = 3000;
	for (uint32_t msgid = 10; msgid < 20; msgid++) {
		client_request(&client, "hello", msgid, 1);
		seq = await_answer_among_events(&client, msgid, seq);
	}
	while (seq < head) {
		cr_assert_eq(await_event(&client), ++seq);
	}
	client_done(&client);
}

Test(conns, a_subscriber_with_many_events_unread_still_gets_its_answers)
{
	struct client client = subscriber_new();
	unsigned before;

	head = 5000;
	event_bytes = BIG_EVENT;
	for (unsigned i = 0; i < 100; i++) {
		turn();
	}
	before = n_dispatched;
	client_request(&client, "hello", 2, 1);
	turn();
	cr_assert_eq(n_dispatched, before + 1);
	(void)await_answer_among_events(&client, 2, 0);
	client_done(&client);
}

Test(conns, who_may_not_be_told_any_more_gets_what_was_told_and_is_closed)
{
	struct client client = subscriber_new();

	head = 2;
	push_refusal = SESSION_E_FORBIDDEN;
	await_end(&client);
	cr_assert_eq(client_next_event(&client), 1);
	cr_assert_eq(client_next_event(&client), 2);
	cr_assert_eq(client.len, 0);
	cr_assert_eq(conns_count(conns), 0);
	client_done(&client);
}

Test(conns, when_the_machine_fails_no_event_is_sent)
{
	struct client client = subscriber_new();

	head = 1;
	push_refusal = -EIO;
	cr_assert_eq(conns_push(conns), -EIO);
	client_receive(&client);
	cr_assert_eq(client.len, 0);
	client_done(&client);
}

Test(conns, a_subscriber_that_stops_sending_has_ended)
{
	struct client client = subscriber_new();

	cr_assert_eq(shutdown(client.fd, SHUT_WR), 0);
	await_end(&client);
	cr_assert_eq(conns_count(conns), 0);
	client_done(&client);
}

Test(conns, a_subscriber_that_goes_is_forgotten)
{
	struct client client = subscriber_new();

	head = 5000;
	event_bytes = BIG_EVENT;
	turn();
	client_done(&client);
	for (unsigned i = 0; i < 10; i++) {
		turn();
	}
	cr_assert_eq(conns_count(conns), 0);
	cr_assert_eq(conns_push(conns), 0);
}

Test(conns, when_stopped_no_more_events_are_told)
{
	struct client client = subscriber_new();

	conns_stop(conns);
	turn();
	head = 1;
	await_end(&client);
	cr_assert_eq(client.len, 0);
	client_done(&client);
}

/*
 * How many connections there may be
 */

/* Root may have more than others; the test may run as either. */
static size_t connections_allowed(void)
{
	return getuid() == 0 ? LIMITS_CONNECTIONS_OF_ROOT : LIMITS_CONNECTIONS_OF_UID;
}

Test(conns, one_connection_too_many_is_closed_at_once)
{
	struct client clients[LIMITS_CONNECTIONS_OF_ROOT + 1];
	size_t n = connections_allowed();

	for (size_t i = 0; i <= n; i++) {
		clients[i] = client_new();
	}
	cr_assert_eq(conns_count(conns), n);
	cr_assert_eq(meters.n_accepted, n);
	cr_assert_eq(meters.n_refused, 1);
	client_receive(&clients[n]);
	cr_assert(clients[n].at_end);
	client_request(&clients[n - 1], "hello", 1, 1);
	cr_assert_eq(await_answer(&clients[n - 1]), 1);
	for (size_t i = 0; i <= n; i++) {
		client_done(&clients[i]);
	}
}

/*
 * What is counted
 */

Test(conns, each_request_is_timed_once_and_a_notification_never)
{
	struct client client = client_new();
	struct client other = client_new();

	client_request(&client, "hello", 1, LIMITS_MESSAGES_PER_TURN + 1);
	client_request(&other, "hello", 1, 1);
	client_send(&other, "\x93\x02\xa5hello\x90", 9);
	cr_assert_eq(await_answer(&other), 1);
	for (uint32_t i = 1; i <= LIMITS_MESSAGES_PER_TURN + 1; i++) {
		cr_assert_eq(await_answer(&client), i);
	}
	cr_assert_eq(n_dispatched, LIMITS_MESSAGES_PER_TURN + 3);
	cr_assert_eq(meters.answers.count, LIMITS_MESSAGES_PER_TURN + 2);
	client_done(&client);
	client_done(&other);
}

Test(conns, the_time_of_an_answer_goes_from_the_reading_to_the_commit)
{
	const span_t commit = 3 * SPAN_SECOND / 1000;
	struct client client = client_new();
	span_t before = limits_now();

	client_request(&client, "hello", 1, 1);
	cr_assert_geq(event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK), 0);
	cr_assert_eq(conns_work(conns, false), 0);
	for (span_t until = limits_now() + commit; limits_now() < until;) {
	}
	conns_finish(conns);
	cr_assert_eq(meters.answers.count, 1);
	cr_assert_geq(meters.answers.longest, commit);
	cr_assert_leq(meters.answers.longest, limits_now() - before);
	client_done(&client);
}

Test(conns, a_peer_that_is_ended_for_what_it_did_is_counted_and_one_that_goes_is_not)
{
	struct client bad = client_new();
	struct client gone = client_new();

	client_send(&bad, "\xc1", 1);
	client_done(&gone);
	await_end(&bad);
	turn();
	cr_assert_eq(conns_count(conns), 0);
	cr_assert_eq(meters.n_dropped, 1);
	cr_assert_eq(meters.n_refused, 0);
	client_done(&bad);
}

Test(conns, those_that_are_open_and_those_that_have_subscribed_are_counted)
{
	struct client client = client_new();
	struct client subscriber = subscriber_new();

	turn();
	cr_assert_eq(meters.n_connections, 2);
	cr_assert_eq(meters.n_subscribers, 1);
	client_done(&subscriber);
	client_done(&client);
	turn();
	turn();
	cr_assert_eq(meters.n_connections, 0);
	cr_assert_eq(meters.n_subscribers, 0);
}

static char told_fields[128];

static void note_fields(enum log_level unused level, const char unused *text,
			const struct log_field *fields, size_t n_fields)
{
	for (size_t i = 0; i < n_fields; i++) {
		(void)strcat(strcat(told_fields, fields[i].name), " ");
	}
}

Test(conns, a_line_about_a_peer_is_not_taken_for_one_about_an_account)
{
	struct client client = client_new();

	log_set_sink(note_fields);
	(void)send(client.fd, "GET /", 5, 0);
	await_end(&client);
	cr_assert_str_eq(told_fields, "RETENTIOND_PEER_UID RETENTIOND_PEER_PID ");
	client_done(&client);
}
