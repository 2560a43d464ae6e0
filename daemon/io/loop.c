/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "daemon/io/conns.h"
#include "daemon/io/limits.h"
#include "daemon/io/listener.h"
#include "daemon/io/waiter.h"
#include "daemon/io/wallwatch.h"
#include "daemon/work/dispatch.h"
#include "daemon/work/events.h"

#define BOOT_ID_FILE "/proc/sys/kernel/random/boot_id"

struct loop {
	struct engine *engine;
	struct waiter *waiter;
	struct wallwatch *wallwatch;
	struct conns *conns;
	struct listener *listeners[LIMITS_LISTENERS_MAX];
	size_t n_listeners;
	struct loop_hooks hooks;
};

static int64_t read_clock(clockid_t clock)
{
	struct timespec now;
	int error;

	error = clock_gettime(clock, &now);
	assert(error == 0);
	return now.tv_sec * SPAN_SECOND + now.tv_nsec / 1000;
}

void loop_read_boot_id(struct clock_boot_id *id)
{
	cleanup(closep) int fd = open(BOOT_ID_FILE, O_RDONLY | O_CLOEXEC);
	char text[64];
	ssize_t len = fd >= 0 ? read(fd, text, sizeof(text)) : -1;

	while (len > 0 && text[len - 1] == '\n') {
		len--;
	}
	/* One that is unknown is never the same one: then the wall clock is asked at each start. */
	(void)(len > 0 && clock_parse_boot_id((struct slice){text, (size_t)len}, id));
}

void loop_read_clocks(struct clock_reading *ret_reading)
{
	*ret_reading = (struct clock_reading){
		.wall = read_clock(CLOCK_REALTIME),
		.boot = read_clock(CLOCK_BOOTTIME),
	};
}

static int on_message(void *userdata, struct session *session, const struct rpc_message *message,
		      struct pack_writer *out)
{
	struct loop *loop = userdata;

	return dispatch_message(loop->engine, session, message, out);
}

static_assert(EVENTS_PER_TURN * EVENTS_BYTES_MAX <= LIMITS_UNREAD_BYTES_OF_EVENTS,
	      "events leave room for answers");

static int on_push(void *userdata, struct session *session, struct pack_writer *out, bool *ret_more)
{
	struct loop *loop = userdata;

	return events_write(loop->engine, session, out, ret_more);
}

int loop_new(struct engine *engine, const struct loop_hooks *hooks, struct loop **ret_loop)
{
	struct conns_handler handler = {
		.dispatch = on_message, .push = on_push, .meters = &engine->meters};
	struct loop *loop;
	int error;

	loop = calloc(1, sizeof(*loop));
	if (!loop) {
		return -ENOMEM;
	}
	loop->engine = engine;
	loop->hooks = *hooks;
	error = waiter_new(&loop->waiter);
	if (!error) {
		error = wallwatch_new(waiter_base(loop->waiter), &loop->wallwatch);
	}
	if (!error) {
		handler.userdata = loop;
		error = conns_new(waiter_base(loop->waiter), &handler, &loop->conns);
	}
	if (error) {
		loop_free(loop);
		return error;
	}
	*ret_loop = loop;
	return 0;
}

static void loop_close_listeners(struct loop *loop)
{
	while (loop->n_listeners > 0) {
		listener_free(loop->listeners[--loop->n_listeners]);
	}
}

struct loop *loop_free(struct loop *loop)
{
	if (loop) {
		loop_close_listeners(loop);
		conns_free(loop->conns);
		wallwatch_free(loop->wallwatch);
		waiter_free(loop->waiter);
		free(loop);
	}
	return NULL;
}

static void on_accept(void *userdata, int fd)
{
	struct loop *loop = userdata;

	if (fd == LISTENER_TURNED_AWAY) {
		loop->engine->meters.n_refused++;
	} else {
		conns_accept(loop->conns, fd);
	}
}

int loop_listen(struct loop *loop, int fd, const char *path)
{
	struct listener *listener;
	int error;

	if (loop->n_listeners == LIMITS_LISTENERS_MAX) {
		return -E2BIG;
	}
	error = listener_new(waiter_base(loop->waiter), fd, path, on_accept, loop, &listener);
	if (error) {
		return error;
	}
	loop->listeners[loop->n_listeners++] = listener;
	return 0;
}

static int loop_serve(struct loop *loop)
{
	int error;

	error = conns_work(loop->conns, engine_is_behind(loop->engine));
	if (conns_served_light(loop->conns)) {
		engine_note_light(loop->engine);
	}
	return error;
}

static int loop_work(struct loop *loop, span_t *ret_took)
{
	span_t began = limits_now();
	int error;

	error = engine_work(loop->engine);
	*ret_took = limits_now() - began;
	return error;
}

static int loop_commit(struct loop *loop, span_t *ret_took)
{
	struct meters *meters = &loop->engine->meters;
	uint64_t n_before = meters->n_commits;
	span_t began = limits_now();
	int error;

	error = engine_commit(loop->engine);
	*ret_took = limits_now() - began;
	if (meters->n_commits != n_before) {
		histogram_add(&meters->commits, *ret_took, 1);
	}
	return error;
}

static int loop_settle(struct loop *loop, span_t *ret_took)
{
	span_t began = limits_now();
	int error;

	error = engine_settle(loop->engine);
	*ret_took = limits_now() - began;
	return error;
}

/* A turn is counted from where it stops waiting. */
static void loop_count_turn(struct meters *meters, span_t took)
{
	meters->n_turns++;
	meters->n_turns_long += took > METERS_TURN_LONG;
	meters->longest_turn = MAX(meters->longest_turn, took);
}

/*
 * The order is the promise: everything that this turn changed is on disk before the first byte
 * about it leaves. The clocks are read when all that the turn works on has come in.
 */
static int loop_turn(struct loop *loop, span_t sleep)
{
	bool behind = engine_is_behind(loop->engine);
	struct clock_reading reading;
	struct engine_spans spans;
	span_t began;
	int error;

	error = waiter_wait(loop->waiter, MIN(sleep, conns_until_work(loop->conns, behind)));
	if (error) {
		return error;
	}
	began = limits_now();
	loop_read_clocks(&reading);
	engine_begin_turn(loop->engine, &reading);
	error = loop_serve(loop);
	if (error) {
		return error;
	}
	error = loop_work(loop, &spans.worked);
	if (error) {
		return error;
	}
	error = loop_commit(loop, &spans.committed);
	if (error) {
		return error;
	}
	error = conns_push(loop->conns);
	if (error) {
		return error;
	}
	conns_finish(loop->conns);
	error = loop_settle(loop, &spans.settled);
	spans.turn = limits_now() - began;
	loop_count_turn(&loop->engine->meters, spans.turn);
	engine_end_turn(loop->engine, &spans);
	return error;
}

static void loop_call_hooks(struct loop *loop)
{
	const struct loop_hooks *hooks = &loop->hooks;

	if (waiter_take_reload(loop->waiter) && hooks->reload) {
		hooks->reload(hooks->userdata);
	}
	if (hooks->turned) {
		hooks->turned(hooks->userdata, limits_now());
	}
}

static span_t loop_sleep(const struct loop *loop)
{
	span_t sleep = engine_sleep(loop->engine);

	return loop->hooks.turn_every > 0 ? MIN(sleep, loop->hooks.turn_every) : sleep;
}

int loop_run(struct loop *loop)
{
	while (!waiter_stop_asked(loop->waiter)) {
		int error;

		error = loop_turn(loop, loop_sleep(loop));
		if (error) {
			return error;
		}
		loop_call_hooks(loop);
	}
	return 0;
}

int loop_drain(struct loop *loop)
{
	span_t until = limits_now() + LIMITS_STOP_SPAN;
	int error = 0;

	loop_close_listeners(loop);
	conns_stop(loop->conns);
	while (!error && conns_count(loop->conns) > 0 && limits_now() < until) {
		error = loop_turn(loop, MIN(loop_sleep(loop), until - limits_now()));
	}
	return error;
}
