/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_IO_STREAM_H
#define RETENTIOND_IO_STREAM_H

#include "common/base.h"

#include "daemon/io/limits.h"

/*
 * The bytes of a connection, both ways. Most requests come whole, and most answers go whole, in one
 * turn: those stand in rooms that all connections share, are copied once and allocate nothing. What
 * is left over when a turn ends goes into memory of its own, in stream_keep().
 */

struct evbuffer;

/**
 * struct stream_rooms - zeroed to begin, and emptied when every stream has kept what it has left
 * @in, @out:     bytes that came, or are to be sent, in this turn
 * @n_in, @n_out: of them
 */
struct stream_rooms {
	size_t n_in;
	size_t n_out;
	char in[LIMITS_ROOM_BYTES + LIMITS_READ_BYTES_PER_TURN];
	char out[LIMITS_ROOM_BYTES];
};

/**
 * struct stream
 * @fresh:  came in this turn and stands in the room; empty unless @in is
 * @ready:  is to be sent and stands in the room; empty unless @out is
 * @in:     came and was not taken yet
 * @out:    is to be sent
 */
struct stream {
	int fd;
	struct stream_rooms *rooms;
	struct slice fresh;
	struct slice ready;
	struct evbuffer *in;
	struct evbuffer *out;
};

/* Takes @fd on 0. Return: 0 or -ENOMEM. */
must_check int stream_init(struct stream *stream, struct stream_rooms *rooms, int fd);
void stream_done(struct stream *stream); /* closes @fd; fine for one that is zeroed but for fd -1 */

/**
 * stream_read() - take in what has come, LIMITS_READ_BYTES_PER_TURN at most
 * @ret_end: set on 0: nothing came, and nothing will come any more
 *
 * Return: 0; -EAGAIN if nothing has come; or -ENOMEM, and then bytes are lost.
 */
must_check int stream_read(struct stream *stream, bool *ret_end);

/* What came and was not taken, in one piece; @data is NULL without memory for that. */
struct slice stream_bytes(struct stream *stream);
size_t stream_n_bytes(const struct stream *stream);
void stream_take(struct stream *stream, size_t n); /* the first @n of them */

/* Return: 0 or -ENOMEM. */
must_check int stream_write(struct stream *stream, const void *data, size_t len);
size_t stream_n_unsent(const struct stream *stream);

/**
 * stream_send() - send what is to be sent, as much as the peer takes
 * @ret_progress: always set: whether any byte went
 *
 * Return: 0, whether there is more or not; or a negative errno: the peer is gone, as peers may.
 */
must_check int stream_send(struct stream *stream, bool *ret_progress);

/* Before the rooms are emptied. Return: 0 or -ENOMEM. */
must_check int stream_keep(struct stream *stream);

#endif
