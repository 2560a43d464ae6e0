/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/stream.h"

#include <errno.h>
#include <event2/buffer.h>
#include <sys/socket.h>

int stream_init(struct stream *stream, struct stream_rooms *rooms, int fd)
{
	*stream = (struct stream){.fd = -1, .rooms = rooms};
	stream->in = evbuffer_new();
	stream->out = evbuffer_new();
	if (!stream->in || !stream->out) {
		stream_done(stream);
		return -ENOMEM;
	}
	stream->fd = fd;
	return 0;
}

void stream_done(struct stream *stream)
{
	if (stream->in) {
		evbuffer_free(stream->in);
	}
	if (stream->out) {
		evbuffer_free(stream->out);
	}
	closep(&stream->fd);
	*stream = (struct stream){.fd = -1};
}

/* Moves bytes of a room into memory of their own. */
static int keep(struct evbuffer *buffer, struct slice *bytes)
{
	if (bytes->len > 0 && evbuffer_add(buffer, bytes->data, bytes->len) < 0) {
		return -ENOMEM;
	}
	*bytes = (struct slice){0};
	return 0;
}

int stream_keep(struct stream *stream)
{
	int r = keep(stream->in, &stream->fresh);

	return r < 0 ? r : keep(stream->out, &stream->ready);
}

/*
 * Bytes that came, and stand where the room's free part begins. They stay there if they are all
 * that the stream has, and leave room for another reading.
 */
static int take_in(struct stream *stream, size_t n)
{
	struct stream_rooms *rooms = stream->rooms;
	struct slice bytes = {rooms->in + rooms->n_in, n};
	int r;

	if (stream_n_bytes(stream) == 0 && rooms->n_in + n <= LIMITS_ROOM_BYTES) {
		stream->fresh = bytes;
		rooms->n_in += n;
		return 0;
	}
	r = keep(stream->in, &stream->fresh);
	return r < 0 ? r : keep(stream->in, &bytes);
}

/* A reset comes after everything that was sent has been read: it is an end like the other. */
int stream_read(struct stream *stream, bool *ret_end)
{
	struct stream_rooms *rooms = stream->rooms;
	ssize_t n;

	n = recv(stream->fd, rooms->in + rooms->n_in, LIMITS_READ_BYTES_PER_TURN, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		return -EAGAIN;
	}
	*ret_end = n <= 0;
	return n > 0 ? take_in(stream, (size_t)n) : 0;
}

size_t stream_n_bytes(const struct stream *stream)
{
	return stream->fresh.len + evbuffer_get_length(stream->in);
}

/*
 * libevent copies only when a piece is full and doubles it then, so a frame that comes byte by byte
 * is copied a few times, not once for each.
 */
struct slice stream_bytes(struct stream *stream)
{
	struct slice bytes = stream->fresh;

	if (bytes.len == 0) {
		bytes.len = evbuffer_get_length(stream->in);
		bytes.data = (const char *)evbuffer_pullup(stream->in, -1);
	}
	return bytes;
}

void stream_take(struct stream *stream, size_t n)
{
	int r;

	if (stream->fresh.len > 0) {
		assert(n <= stream->fresh.len);
		stream->fresh.data += n;
		stream->fresh.len -= n;
		return;
	}
	r = evbuffer_drain(stream->in, n);
	assert(r == 0);
}

/* Behind what is ready, if that ends where the room's free part begins. */
static bool make_ready(struct stream *stream, const void *data, size_t len)
{
	struct stream_rooms *rooms = stream->rooms;
	char *at = rooms->out + rooms->n_out;
	bool follows = stream->ready.len == 0 || stream->ready.data + stream->ready.len == at;

	if (!follows || evbuffer_get_length(stream->out) > 0 ||
	    len > LIMITS_ROOM_BYTES - rooms->n_out) {
		return false;
	}
	memcpy(at, data, len);
	rooms->n_out += len;
	stream->ready = (struct slice){stream->ready.len > 0 ? stream->ready.data : at,
				       stream->ready.len + len};
	return true;
}

int stream_write(struct stream *stream, const void *data, size_t len)
{
	struct slice bytes = {data, len};
	int r;

	if (len == 0 || make_ready(stream, data, len)) {
		return 0;
	}
	r = keep(stream->out, &stream->ready);
	return r < 0 ? r : keep(stream->out, &bytes);
}

size_t stream_n_unsent(const struct stream *stream)
{
	return stream->ready.len + evbuffer_get_length(stream->out);
}

/* Return: bytes that went, or a negative errno. */
static ssize_t send_once(struct stream *stream)
{
	ssize_t n;

	if (stream->ready.len == 0) {
		n = evbuffer_write(stream->out, stream->fd);
		return n < 0 ? -errno : n;
	}
	n = send(stream->fd, stream->ready.data, stream->ready.len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0) {
		return -errno;
	}
	stream->ready.data += n;
	stream->ready.len -= (size_t)n;
	return n;
}

int stream_send(struct stream *stream, bool *ret_progress)
{
	*ret_progress = false;
	while (stream_n_unsent(stream) > 0) {
		ssize_t n = send_once(stream);

		if (n <= 0) {
			return n == -EAGAIN || n == -EINTR ? 0 : (int)n;
		}
		*ret_progress = true;
	}
	return 0;
}
