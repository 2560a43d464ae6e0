/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/load.h"

#include <errno.h>
#include <poll.h>

#include "tests/bench/fail.h"
#include "tests/bench/stopwatch.h"

/* A system that answers nothing for so long does not work. */
#define SILENCE_MS_MAX (120 * 1000)

#define WARM_SHARE 20

/**
 * struct lane - one link and the calls that are out on it
 * @sent_ns: when each was sent; a ring, the oldest at @oldest
 * @last:    the system said that there is no more
 * @wait_until_ns: it sends nothing before
 */
struct lane {
	struct stream *stream;
	struct link *link;
	uint32_t number;
	uint32_t n_out;
	uint32_t oldest;
	uint64_t sent_ns[DEPTH_MAX];
	bool unsent;
	bool last;
	uint64_t wait_until_ns;
};

struct load {
	struct target *target;
	const struct target_class *class;
	uint64_t begin_ns;
	uint64_t now_ns; /* of this round */
	struct lane lanes[LINKS_MAX];
	struct pollfd polls[LINKS_MAX];
	uint32_t n_lanes;
	struct call call;
};

static bool stream_is_over(const struct stream *stream, double elapsed)
{
	return (stream->seconds > 0 && elapsed >= stream->seconds) ||
	       (stream->ends_with && stream->ends_with->ended);
}

static bool work_names_accounts(enum work work)
{
	return work != WORK_EMPTY && work != WORK_LIST && work != WORK_SWEEP_START &&
	       work != WORK_SWEEP_REMOVE && work != WORK_ERASE && work != WORK_BACKUP;
}

static uint64_t stream_take_place(struct stream *stream)
{
	uint64_t place = stream->next++;

	return stream->around ? place % stream->range.n : place;
}

/* The accounts of the next call. Return: false when there are none left. */
static bool stream_next_call(struct stream *stream, struct call *ret_call)
{
	ret_call->work = stream->work;
	ret_call->n = 0;
	if (!work_names_accounts(stream->work)) {
		return true;
	}
	while (ret_call->n < stream->batch && (stream->around || stream->next < stream->to)) {
		uint64_t place = stream_take_place(stream);

		ret_call->accounts[ret_call->n++] = stream->work == WORK_IMPORT
							    ? stream->range.base + (uint32_t)place
							    : range_at(&stream->range, place);
	}
	return ret_call->n > 0;
}

static bool lane_is_waiting(const struct load *load, const struct lane *lane)
{
	return !lane->last && lane->wait_until_ns > load->now_ns;
}

static void lane_send(struct load *load, struct lane *lane)
{
	struct stream *stream = lane->stream;

	while (!lane->last && !lane_is_waiting(load, lane) && lane->n_out < stream->depth &&
	       !stream_is_over(stream, stopwatch_seconds_since(load->begin_ns)) &&
	       stream_next_call(stream, &load->call)) {
		load->call.keeper = lane->number + 1;
		lane->sent_ns[(lane->oldest + lane->n_out) % DEPTH_MAX] = stopwatch_ns();
		lane->n_out++;
		stream->n_out++;
		load->class->send(lane->link, &load->call);
		lane->unsent = true;
	}
	if (lane->unsent) {
		lane->unsent = !load->class->flush(lane->link);
	}
}

static bool stream_is_warming(const struct stream *stream, double elapsed)
{
	return elapsed < stream->warm_seconds &&
	       (stream->around || stream->n_done < (stream->to - stream->from) / WARM_SHARE);
}

static void lane_count(const struct load *load, struct lane *lane, const struct answer *answer)
{
	struct stream *stream = lane->stream;
	uint64_t now = stopwatch_ns();

	stream->n_done += answer->n_done;
	if (stream_is_warming(stream, (double)(now - load->begin_ns) / NS_PER_SECOND)) {
		stream->measured_from_ns = now;
		return;
	}
	stream->n_calls++;
	stream->n_items += answer->n_done;
	stream->ran_seconds = (double)(now - stream->measured_from_ns) / NS_PER_SECOND;
	spread_add(&stream->latencies, now - lane->sent_ns[lane->oldest]);
}

static void lane_receive(struct load *load, struct lane *lane)
{
	struct answer answer;

	while (lane->n_out > 0 && load->class->receive(lane->link, &answer)) {
		lane_count(load, lane, &answer);
		lane->last = lane->last || answer.last;
		lane->wait_until_ns = stopwatch_ns() + answer.wait_ms * (NS_PER_SECOND / 1000);
		lane->oldest = (lane->oldest + 1) % DEPTH_MAX;
		lane->n_out--;
		lane->stream->n_out--;
	}
}

static void open_lanes(struct load *load, struct stream *streams, uint32_t n_streams)
{
	for (uint32_t i = 0; i < n_streams; i++) {
		for (uint32_t n = 0; n < streams[i].n_links; n++) {
			struct lane *lane = &load->lanes[load->n_lanes];

			assert(load->n_lanes < LINKS_MAX);
			*lane = (struct lane){
				.stream = &streams[i],
				.number = n,
				.link = load->class->open_link(load->target),
			};
			load->polls[load->n_lanes++].fd = load->class->link_fd(lane->link);
		}
	}
}

static void close_lanes(struct load *load)
{
	for (uint32_t i = 0; i < load->n_lanes; i++) {
		load->class->close_link(load->lanes[i].link);
	}
}

/* Return: whether anything is out, or will be. */
static bool send_all(struct load *load, struct stream *streams, uint32_t n_streams)
{
	uint32_t n_out = 0;

	load->now_ns = stopwatch_ns();
	for (uint32_t i = 0; i < load->n_lanes; i++) {
		struct lane *lane = &load->lanes[i];

		lane_send(load, lane);
		load->polls[i].events = (short)(POLLIN | (lane->unsent ? POLLOUT : 0));
	}
	for (uint32_t i = 0; i < n_streams; i++) {
		streams[i].ended = streams[i].n_out == 0;
		n_out += streams[i].n_out;
	}
	for (uint32_t i = 0; i < load->n_lanes; i++) {
		if (lane_is_waiting(load, &load->lanes[i])) {
			load->lanes[i].stream->ended = false;
			n_out++;
		}
	}
	return n_out > 0;
}

/* How long there is nothing to send, at most. */
static int wait_ms(const struct load *load)
{
	int ms = SILENCE_MS_MAX;

	for (uint32_t i = 0; i < load->n_lanes; i++) {
		const struct lane *lane = &load->lanes[i];

		if (lane_is_waiting(load, lane)) {
			uint64_t ns = lane->wait_until_ns - load->now_ns;

			ms = MIN(ms, (int)(ns / (NS_PER_SECOND / 1000)) + 1);
		}
	}
	return ms;
}

static void wait_for_answers(struct load *load)
{
	int ms = wait_ms(load), r;

	do {
		r = poll(load->polls, load->n_lanes, ms);
	} while (r < 0 && errno == EINTR);
	if (r < 0) {
		fail_errno(errno, "poll");
	}
	if (r == 0 && ms == SILENCE_MS_MAX) {
		fail("%s does not answer", load->class->name);
	}
	for (uint32_t i = 0; i < load->n_lanes; i++) {
		if (load->polls[i].revents & (POLLIN | POLLHUP | POLLERR)) {
			load->class->fill(load->lanes[i].link);
			lane_receive(load, &load->lanes[i]);
		}
	}
}

static void reset_stream(const struct target_class *class, struct stream *stream)
{
	assert(stream->batch <= CALL_ACCOUNTS_MAX && stream->depth <= DEPTH_MAX);
	stream->depth = MIN(stream->depth, class->depth_max);
	stream->next = stream->from;
	stream->n_done = stream->n_calls = stream->n_items = 0;
	stream->ran_seconds = 0;
	stream->n_out = 0;
	stream->ended = false;
	spread_reset(&stream->latencies);
}

void load_run(struct target *target, struct stream *streams, uint32_t n_streams)
{
	struct load *load = must_alloc(sizeof(*load));

	load->target = target;
	load->class = target->class;
	for (uint32_t i = 0; i < n_streams; i++) {
		reset_stream(load->class, &streams[i]);
	}
	open_lanes(load, streams, n_streams);
	load->begin_ns = stopwatch_ns();
	for (uint32_t i = 0; i < n_streams; i++) {
		streams[i].measured_from_ns = load->begin_ns;
	}
	while (send_all(load, streams, n_streams)) {
		wait_for_answers(load);
	}
	close_lanes(load);
	free(load);
}
