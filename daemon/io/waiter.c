/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/waiter.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>

#include "daemon/io/limits.h"

static const int waited_signals[] = {SIGTERM, SIGINT, SIGHUP};

/**
 * struct waiter
 * @signals: an event for each of waited_signals
 * @sleep:   ends a wait; nothing else
 */
struct waiter {
	struct event_base *base;
	struct event *signals[ARRAY_LEN(waited_signals)];
	struct event *sleep;
	bool stop;
	bool reload;
};

static void on_signal(evutil_socket_t signal, short unused what, void *userdata)
{
	struct waiter *waiter = userdata;

	if (signal == SIGHUP) {
		waiter->reload = true;
	} else {
		waiter->stop = true;
	}
}

static void on_sleep(evutil_socket_t unused fd, short unused what, void unused *userdata)
{
}

static void unblock_signals(void)
{
	sigset_t signals;

	(void)sigemptyset(&signals);
	for (size_t i = 0; i < ARRAY_LEN(waited_signals); i++) {
		(void)sigaddset(&signals, waited_signals[i]);
	}
	(void)sigprocmask(SIG_UNBLOCK, &signals, NULL); /* these fail for wrong arguments only */
}

/* No name service, no threads, no priorities: one loop of a few hundred sockets. */
static int waiter_init(struct waiter *waiter)
{
	waiter->base = event_base_new();
	if (!waiter->base) {
		return -ENOMEM;
	}
	waiter->sleep = evtimer_new(waiter->base, on_sleep, NULL);
	if (!waiter->sleep) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < ARRAY_LEN(waited_signals); i++) {
		waiter->signals[i] =
			evsignal_new(waiter->base, waited_signals[i], on_signal, waiter);
		if (!waiter->signals[i] || event_add(waiter->signals[i], NULL) < 0) {
			return -ENOMEM;
		}
	}
	unblock_signals();
	return 0;
}

struct waiter *waiter_free(struct waiter *waiter)
{
	if (!waiter) {
		return NULL;
	}
	for (size_t i = 0; i < ARRAY_LEN(waited_signals); i++) {
		if (waiter->signals[i]) {
			event_free(waiter->signals[i]);
		}
	}
	if (waiter->sleep) {
		event_free(waiter->sleep);
	}
	if (waiter->base) {
		event_base_free(waiter->base);
	}
	free(waiter);
	return NULL;
}

int waiter_new(struct waiter **ret_waiter)
{
	struct waiter *waiter;
	int error;

	waiter = calloc(1, sizeof(*waiter));
	if (!waiter) {
		return -ENOMEM;
	}
	error = waiter_init(waiter);
	if (error) {
		waiter_free(waiter);
		return error;
	}
	*ret_waiter = waiter;
	return 0;
}

struct event_base *waiter_base(struct waiter *waiter)
{
	return waiter->base;
}

int waiter_wait(struct waiter *waiter, span_t span)
{
	struct timeval value = limits_timeval(span);
	int flags = EVLOOP_ONCE;

	if (span <= 0) {
		flags |= EVLOOP_NONBLOCK;
	} else if (evtimer_add(waiter->sleep, &value) < 0) {
		return -ENOMEM;
	}
	errno = 0;
	if (event_base_loop(waiter->base, flags) < 0) {
		return errno ? -errno : -EIO;
	}
	return 0;
}

bool waiter_stop_asked(const struct waiter *waiter)
{
	return waiter->stop;
}

bool waiter_take_reload(struct waiter *waiter)
{
	bool reload = waiter->reload;

	waiter->reload = false;
	return reload;
}
