/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/wallwatch.h"

#include <errno.h>
#include <event2/event.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "common/instant.h"

/*
 * struct wallwatch
 * @fd: a timer of the wall clock that ends with the year 9999, and is cancelled by whoever sets it
 */
struct wallwatch {
	int fd;
	struct event *event;
};

static int wallwatch_arm(const struct wallwatch *watch)
{
	static const struct itimerspec never = {
		.it_value.tv_sec = INSTANT_MAX / SPAN_SECOND,
	};
	int flags = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET;

	/* It says so, too, that the clock was set since it was armed last; it is armed then. */
	return timerfd_settime(watch->fd, flags, &never, NULL) < 0 && errno != ECANCELED ? -errno
											 : 0;
}

/* Reading takes the cancellation; being called is all that the turn needs. */
static void on_set(evutil_socket_t fd, short unused what, void *userdata)
{
	uint64_t n_ended;

	if (read(fd, &n_ended, sizeof(n_ended)) < 0 && errno == ECANCELED) {
		(void)wallwatch_arm(userdata); /* else it is noticed by the next turn's readings */
	}
}

static int wallwatch_init(struct wallwatch *watch, struct event_base *base)
{
	int r;

	watch->fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	if (watch->fd < 0) {
		return -errno;
	}
	r = wallwatch_arm(watch);
	if (r < 0) {
		return r;
	}
	watch->event = event_new(base, watch->fd, EV_READ | EV_PERSIST, on_set, watch);
	return watch->event && event_add(watch->event, NULL) == 0 ? 0 : -ENOMEM;
}

int wallwatch_new(struct event_base *base, struct wallwatch **ret_watch)
{
	struct wallwatch *watch = calloc(1, sizeof(*watch));
	int r;

	if (!watch) {
		return -ENOMEM;
	}
	watch->fd = -1;
	r = wallwatch_init(watch, base);
	if (r < 0) {
		(void)wallwatch_free(watch);
		return r;
	}
	*ret_watch = watch;
	return 0;
}

struct wallwatch *wallwatch_free(struct wallwatch *watch)
{
	if (watch) {
		if (watch->event) {
			event_free(watch->event);
		}
		closep(&watch->fd);
		free(watch);
	}
	return NULL;
}
