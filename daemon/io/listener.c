/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/listener.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "daemon/io/limits.h"
#include "daemon/work/log.h"

/**
 * struct listener - one socket
 * @path, @made: the socket file and which one it was when we made it
 * @spare_fd:    given up for a moment when there are no descriptors, so that a connection can be
 *             taken and closed: a peer that is told goes away, one that is left in the backlog
 *             waits
 */
struct listener {
	int fd;
	int spare_fd;
	char *path;
	struct stat made;
	listener_accept_fn *accept;
	void *userdata;
	struct event *acceptable;
	struct event *rested;
	struct limits_notice exhausted;
};

/*
 * Making a socket
 */

static int address_init(struct sockaddr_un *address, const char *path)
{
	size_t len = strlen(path);

	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (len >= sizeof(address->sun_path)) {
		return -ENAMETOOLONG;
	}
	memcpy(address->sun_path, path, len + 1);
	return 0;
}

/* The kernel refuses connections to what is not a socket as well, so that has to be asked first. */
static int remove_stale(const struct sockaddr_un *address)
{
	cleanup(closep) int fd = -1;
	struct stat there;

	if (lstat(address->sun_path, &there) < 0) {
		return errno == ENOENT ? 0 : -errno;
	}
	if (!S_ISSOCK(there.st_mode)) {
		return -EEXIST;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		return -errno;
	}
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
	    errno == EAGAIN) {
		return -EADDRINUSE;
	}
	if (errno != ECONNREFUSED) {
		return -errno;
	}
	return unlink(address->sun_path) < 0 ? -errno : 0;
}

/*
 * Connections are refused until listen(), so nobody gets in while mode and group are still
 * others.
 */
static int open_to_peers(int fd, const struct listener_address *address)
{
	if (address->gid != LISTENER_GID_KEEP &&
	    lchown(address->path, (uid_t)-1, address->gid) < 0) {
		return -errno;
	}
	if (chmod(address->path, address->mode) < 0) {
		return -errno;
	}
	return listen(fd, SOMAXCONN) < 0 ? -errno : 0;
}

int listener_bind(const struct listener_address *address, int *ret_fd)
{
	cleanup(closep) int fd = -1;
	struct sockaddr_un name;
	int error;

	error = address_init(&name, address->path);
	if (error) {
		return error;
	}
	error = remove_stale(&name);
	if (error) {
		return error;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&name, sizeof(name)) < 0) {
		return -errno;
	}
	error = open_to_peers(fd, address);
	if (error) {
		(void)unlink(address->path); /* the failure before it is the one to tell */
		return error;
	}
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/*
 * Taking connections
 */

static int spare_open(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* Turns one peer away, with the descriptor that was kept for it. */
static void turn_away(struct listener *listener)
{
	int fd;

	closep(&listener->spare_fd);
	fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd >= 0) {
		listener->accept(listener->userdata, LISTENER_TURNED_AWAY);
	}
	closep(&fd);
	listener->spare_fd = spare_open();
}

static void rest(struct listener *listener, int error)
{
	struct timeval pause = limits_timeval(LIMITS_ACCEPT_PAUSE);
	uint64_t n_untold;

	if (limits_notice_due(&listener->exhausted, limits_now(), &n_untold)) {
		log_say(LOG_LEVEL_ERROR,
			"no connection can be taken: %s (%" PRIu64
			" times more since it was said last)",
			strerror(error), n_untold);
	}
	if (error == EMFILE || error == ENFILE) {
		turn_away(listener);
	}
	/*
	 * Should the timer fail for want of memory, a listener that spins is better than one that
	 * is deaf.
	 */
	if (evtimer_add(listener->rested, &pause) == 0) {
		(void)event_del(
			listener->acceptable); /* fails only for an event that was never made */
	}
}

/* A peer may be gone before it is taken; that is no failure of ours. */
static bool accept_failed(int error)
{
	return error != EAGAIN && error != ECONNABORTED && error != EINTR;
}

static void on_acceptable(evutil_socket_t fd, short unused what, void *userdata)
{
	struct listener *listener = userdata;

	for (unsigned i = 0; i < LIMITS_ACCEPTS_PER_TURN; i++) {
		int peer;

		peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (peer < 0) {
			if (accept_failed(errno)) {
				rest(listener, errno);
			}
			return;
		}
		listener->accept(listener->userdata, peer);
	}
}

static void on_rested(evutil_socket_t unused fd, short unused what, void *userdata)
{
	struct listener *listener = userdata;

	if (event_add(listener->acceptable, NULL) < 0) {
		rest(listener, ENOMEM);
	}
}

static int listener_init(struct listener *listener, struct event_base *base, const char *path)
{
	if (path) {
		listener->path = strdup(path);
		if (!listener->path) {
			return -ENOMEM;
		}
		if (lstat(path, &listener->made) < 0) {
			return -errno;
		}
	}
	listener->spare_fd = spare_open();
	if (listener->spare_fd < 0) {
		return -errno;
	}
	listener->acceptable =
		event_new(base, listener->fd, EV_READ | EV_PERSIST, on_acceptable, listener);
	listener->rested = evtimer_new(base, on_rested, listener);
	if (!listener->acceptable || !listener->rested) {
		return -ENOMEM;
	}
	return event_add(listener->acceptable, NULL) < 0 ? -ENOMEM : 0;
}

/* By now another daemon's socket may be at the path. */
static void remove_made(const struct listener *listener)
{
	struct stat there;

	if (lstat(listener->path, &there) == 0 && there.st_dev == listener->made.st_dev &&
	    there.st_ino == listener->made.st_ino) {
		(void)unlink(listener->path); /* what stays is found stale by the next start */
	}
}

struct listener *listener_free(struct listener *listener)
{
	if (!listener) {
		return NULL;
	}
	if (listener->path) {
		remove_made(listener);
	}
	if (listener->acceptable) {
		event_free(listener->acceptable);
	}
	if (listener->rested) {
		event_free(listener->rested);
	}
	closep(&listener->spare_fd);
	closep(&listener->fd);
	free(listener->path);
	free(listener);
	return NULL;
}

int listener_new(struct event_base *base, int fd, const char *path, listener_accept_fn *accept,
		 void *userdata, struct listener **ret_listener)
{
	struct listener *listener;
	int error;

	listener = calloc(1, sizeof(*listener));
	if (!listener) {
		return -ENOMEM;
	}
	*listener = (struct listener){
		.fd = fd,
		.spare_fd = -1,
		.accept = accept,
		.userdata = userdata,
	};
	error = listener_init(listener, base, path);
	if (error) {
		listener->fd = -1; /* not taken */
		listener_free(listener);
		return error;
	}
	*ret_listener = listener;
	return 0;
}
