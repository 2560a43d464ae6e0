/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/listener.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "common/limits.h"

#include "tests/support/temp.h"

static char *directory;
static char *path;
static struct event_base *base;
static int accepted = -1;
static unsigned n_accepted;
static unsigned n_turned_away;

static void begin(void)
{
	directory = temp_directory_new();
	path = temp_path_new(directory, "socket");
	base = event_base_new();
	cr_assert(base);
}

static void end(void)
{
	closep(&accepted);
	event_base_free(base);
	free(path);
	directory = temp_directory_free(directory);
}

TestSuite(listener, .init = begin, .fini = end);

static int bind_it(void)
{
	const struct listener_address address = {path, 0620, LISTENER_GID_KEEP};
	int fd = -1;

	cr_assert_eq(listener_bind(&address, &fd), 0);
	return fd;
}

static int bind_error(const char *at)
{
	const struct listener_address address = {at, 0600, LISTENER_GID_KEEP};
	int fd = -1;
	int error;

	error = listener_bind(&address, &fd);
	cr_assert_eq(fd, -1, "nothing is handed out on failure");
	return error;
}

static void connect_socket(int fd)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	cr_assert_lt(strlen(path), sizeof(address.sun_path));
	strcpy(address.sun_path, path);
	cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
}

static int connect_new(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	connect_socket(fd);
	return fd;
}

static bool is_there(void)
{
	struct stat there;

	return lstat(path, &there) == 0;
}

Test(listener, a_socket_has_its_mode_whatever_the_umask)
{
	struct stat there;
	int fd;

	umask(0777);
	fd = bind_it();
	cr_assert_eq(stat(path, &there), 0);
	cr_assert(S_ISSOCK(there.st_mode));
	cr_assert_eq(there.st_mode & 07777, 0620);
	closep(&fd);
}

Test(listener, a_socket_nobody_listens_on_is_replaced)
{
	int stale = bind_it();
	int fd;

	closep(&stale);
	cr_assert(is_there());
	fd = bind_it();
	closep(&fd);
}

Test(listener, a_socket_somebody_listens_on_stays)
{
	int theirs = bind_it();
	int fd;

	cr_assert_eq(bind_error(path), -EADDRINUSE);
	fd = connect_new();
	closep(&fd);
	closep(&theirs);
}

Test(listener, a_file_that_is_no_socket_stays)
{
	struct slice bytes;

	temp_file_write(path, SLICE_LITERAL("precious"));
	cr_assert_eq(bind_error(path), -EEXIST);
	bytes = temp_file_read(path);
	cr_assert(slice_is(bytes, "precious"));
	free((void *)bytes.data);
}

Test(listener, a_directory_that_is_not_there_is_an_error)
{
	cleanup(freep) char *nowhere = temp_path_new(directory, "missing/socket");

	cr_assert_eq(bind_error(nowhere), -ENOENT);
}

Test(listener, a_path_of_more_than_107_bytes_is_refused)
{
	char too_long[109];

	memset(too_long, 'x', sizeof(too_long));
	too_long[0] = '/';
	too_long[sizeof(too_long) - 1] = '\0';
	cr_assert_eq(bind_error(too_long), -ENAMETOOLONG);
}

static void keep(void unused *userdata, int fd)
{
	if (fd == LISTENER_TURNED_AWAY) {
		n_turned_away++;
		return;
	}
	closep(&accepted);
	accepted = fd;
	n_accepted++;
}

static struct listener *listen_on(int fd, const char *made)
{
	struct listener *listener = NULL;

	cr_assert_eq(listener_new(base, fd, made, keep, NULL, &listener), 0);
	return listener;
}

Test(listener, a_connection_is_handed_over_without_blocking_and_closed_on_exec)
{
	struct listener *listener = listen_on(bind_it(), path);
	int fd = connect_new();

	cr_assert_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	cr_assert_geq(accepted, 0);
	cr_assert(fcntl(accepted, F_GETFL) & O_NONBLOCK);
	cr_assert(fcntl(accepted, F_GETFD) & FD_CLOEXEC);
	closep(&fd);
	listener_free(listener);
}

Test(listener, one_turn_takes_a_bounded_number_of_connections)
{
	struct listener *listener = listen_on(bind_it(), path);
	int fds[LIMITS_ACCEPTS_PER_TURN + 1];

	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		fds[i] = connect_new();
	}
	cr_assert_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	cr_assert_eq(n_accepted, LIMITS_ACCEPTS_PER_TURN);
	cr_assert_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	cr_assert_eq(n_accepted, LIMITS_ACCEPTS_PER_TURN + 1);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		closep(&fds[i]);
	}
	listener_free(listener);
}

Test(listener, a_peer_that_has_gone_again_does_no_harm)
{
	struct listener *listener = listen_on(bind_it(), path);
	int fd = connect_new();

	closep(&fd);
	cr_assert_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	listener_free(listener);
}

Test(listener, the_socket_we_made_is_taken_away_at_the_end)
{
	listener_free(listen_on(bind_it(), path));
	cr_assert_not(is_there());
}

Test(listener, a_socket_that_was_passed_to_us_stays)
{
	listener_free(listen_on(bind_it(), NULL));
	cr_assert(is_there());
}

Test(listener, a_socket_that_another_one_made_since_stays)
{
	struct listener *listener = listen_on(bind_it(), path);
	int theirs;

	cr_assert_eq(unlink(path), 0);
	theirs = bind_it();
	listener_free(listener);
	cr_assert(is_there());
	closep(&theirs);
}

/* Takes every descriptor that is left, the last one as the answer. */
static int exhaust_descriptors(void)
{
	const struct rlimit few = {64, 64};
	int last = -1;

	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	for (int fd = 0; fd >= 0; fd = dup(STDIN_FILENO)) {
		last = fd;
	}
	cr_assert_eq(errno, EMFILE);
	return last;
}

Test(listener, without_descriptors_a_peer_is_turned_away_and_later_ones_wait)
{
	struct listener *listener = listen_on(bind_it(), path);
	int first = connect_new();
	int second = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int last = exhaust_descriptors();
	char byte;

	cr_assert_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	cr_assert_eq(accepted, -1);
	cr_assert_eq(n_turned_away, 1);
	cr_assert_eq(read(first, &byte, 1), 0, "it is closed");

	connect_socket(second);
	cr_assert_eq(event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK), 0);
	cr_assert_eq(recv(second, &byte, 1, MSG_DONTWAIT), -1);
	cr_assert_eq(errno, EAGAIN, "it waits");

	/* The listener's rest ends, then it takes who waits. */
	closep(&last);
	cr_assert_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	cr_assert_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	cr_assert_geq(accepted, 0);
	listener_free(listener);
}
