/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/stream.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <sys/socket.h>

static struct stream_rooms rooms;
static struct stream stream;
static int peer;

static int connect_stream(struct stream *to)
{
	int fds[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
	cr_assert_eq(stream_init(to, &rooms, fds[0]), 0);
	return fds[1];
}

static void begin(void)
{
	(void)signal(SIGPIPE, SIG_IGN);
	rooms.n_in = rooms.n_out = 0;
	peer = connect_stream(&stream);
}

static void end(void)
{
	stream_done(&stream);
	closep(&peer);
}

TestSuite(stream, .init = begin, .fini = end);

static void come(const char *text)
{
	bool at_end = true;

	cr_assert_eq(send(peer, text, strlen(text), 0), (ssize_t)strlen(text));
	cr_assert_eq(stream_read(&stream, &at_end), 0);
	cr_assert_not(at_end);
}

static void expect_bytes(const char *text)
{
	cr_assert(slice_is(stream_bytes(&stream), text), "%s", text);
	cr_assert_eq(stream_n_bytes(&stream), strlen(text));
}

/* What a turn ends with. */
static void turn(void)
{
	cr_assert_eq(stream_keep(&stream), 0);
	memset(rooms.in, '?', sizeof(rooms.in));
	memset(rooms.out, '?', sizeof(rooms.out));
	rooms.n_in = rooms.n_out = 0;
}

static void write_text(const char *text)
{
	cr_assert_eq(stream_write(&stream, text, strlen(text)), 0);
}

static void expect_sent(const char *text)
{
	static char got[4 * LIMITS_ROOM_BYTES];
	ssize_t n;

	n = recv(peer, got, sizeof(got), 0);
	cr_assert_eq(n, (ssize_t)strlen(text));
	cr_assert_eq(memcmp(got, text, (size_t)n), 0);
}

Test(stream, what_came_is_there_until_it_is_taken)
{
	come("abcdef");
	expect_bytes("abcdef");
	stream_take(&stream, 2);
	expect_bytes("cdef");
	turn();
	expect_bytes("cdef");
	stream_take(&stream, 1);
	expect_bytes("def");
	stream_take(&stream, 3);
	expect_bytes("");
}

Test(stream, one_reading_has_an_end)
{
	static char bytes[2 * LIMITS_READ_BYTES_PER_TURN];
	ssize_t sent = send(peer, bytes, sizeof(bytes), 0);
	bool at_end;

	cr_assert_gt(sent, LIMITS_READ_BYTES_PER_TURN);
	cr_assert_eq(stream_read(&stream, &at_end), 0);
	cr_assert_eq(stream_n_bytes(&stream), LIMITS_READ_BYTES_PER_TURN);
	cr_assert_eq(stream_read(&stream, &at_end), 0);
	cr_assert_eq(stream_n_bytes(&stream),
		     MIN((size_t)sent, (size_t)2 * LIMITS_READ_BYTES_PER_TURN));
}

Test(stream, what_comes_goes_behind_what_came)
{
	come("ab");
	come("cd");
	turn();
	come("ef");
	stream_take(&stream, 3);
	expect_bytes("def");
	turn();
	come("gh");
	expect_bytes("defgh");
}

Test(stream, connections_do_not_meet_in_the_rooms)
{
	struct stream other;
	int other_peer = connect_stream(&other);
	bool at_end;

	come("ours");
	cr_assert_eq(send(other_peer, "theirs", 6, 0), 6);
	cr_assert_eq(stream_read(&other, &at_end), 0);
	come(" too");
	expect_bytes("ours too");
	cr_assert(slice_is(stream_bytes(&other), "theirs"));
	write_text("one ");
	cr_assert_eq(stream_write(&other, "other", 5), 0);
	write_text("two");
	cr_assert_eq(stream_send(&stream, &at_end), 0);
	expect_sent("one two");
	stream_done(&other);
	closep(&other_peer);
}

Test(stream, a_room_that_is_full_changes_nothing)
{
	rooms.n_in = LIMITS_ROOM_BYTES - 3;
	come("abc");
	come("d");
	expect_bytes("abcd");
	stream_take(&stream, 4);
	come("efgh");
	expect_bytes("efgh");
	cr_assert_leq(rooms.n_in, LIMITS_ROOM_BYTES);
	rooms.n_out = LIMITS_ROOM_BYTES - 3;
	write_text("12");
	write_text("34");
	write_text("5");
	turn();
	write_text("67");
	cr_assert_eq(stream_n_unsent(&stream), 7);
	for (bool progress = true; progress;) {
		cr_assert_eq(stream_send(&stream, &progress), 0);
	}
	expect_sent("1234567");
}

Test(stream, what_the_peer_does_not_take_waits_in_order)
{
	static char large[LIMITS_ROOM_BYTES / 2];
	static char got[sizeof(large)];
	size_t n_got = 0, n_sent = 0;
	bool progress;

	for (size_t i = 0; i < sizeof(large); i++) {
		large[i] = (char)('a' + i % 23);
	}
	while (stream_n_unsent(&stream) == 0) {
		cr_assert_eq(stream_write(&stream, large, sizeof(large)), 0);
		cr_assert_eq(stream_send(&stream, &progress), 0);
		cr_assert(progress);
		n_sent += sizeof(large);
	}
	turn();
	while (n_got < n_sent) {
		ssize_t n = recv(peer, got, sizeof(got), 0);

		cr_assert_gt(n, 0);
		for (ssize_t i = 0; i < n; i++, n_got++) {
			cr_assert_eq(got[i], large[n_got % sizeof(large)], "%zu", n_got);
		}
		cr_assert_eq(stream_send(&stream, &progress), 0);
	}
	cr_assert_eq(stream_n_unsent(&stream), 0);
}

Test(stream, nothing_is_not_the_end)
{
	bool at_end = false;

	cr_assert_eq(stream_read(&stream, &at_end), -EAGAIN);
	come("last");
	closep(&peer);
	peer = -1;
	cr_assert_eq(stream_read(&stream, &at_end), 0);
	cr_assert(at_end);
	expect_bytes("last");
}

Test(stream, a_peer_that_is_gone_is_told)
{
	bool progress = true;

	closep(&peer);
	peer = -1;
	write_text("answer");
	cr_assert_eq(stream_send(&stream, &progress), -EPIPE);
	cr_assert_not(progress);
}
