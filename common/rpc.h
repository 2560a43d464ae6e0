/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_COMMON_RPC_H
#define RETENTIOND_COMMON_RPC_H

#include "common/base.h"
#include "common/limits.h"
#include "common/pack.h"

/*
 * MessagePack-RPC without I/O: bytes in, messages out; messages in, bytes out.
 *
 *     request       [0, msgid, method, [args]]    94 00 01 a8 …  90 | 91 8x …
 *     response      [1, msgid, error, result]
 *     notification  [2, method, [args]]
 *
 * msgid is 0 to 2^32-1. Method is str or bin, 1 to 64 bytes. params is an array. How large any of
 * it may be stands in common/limits.h.
 */

enum {
	RPC_E_MORE = 1, /* no whole message yet */
	RPC_E_MALFORMED, /* not MessagePack-RPC: the connection must be closed, nothing after it can be trusted */
	RPC_E_TOO_LARGE, /* too deep, too many values or too many bytes: likewise */
};

enum rpc_type {
	RPC_REQUEST = 0,
	RPC_RESPONSE = 1,
	RPC_NOTIFICATION = 2,
};

/**
 * struct rpc_message - one message; points into the bytes and the parser, valid until the next
 * rpc_parse() or rpc_forget() on it
 * @msgid:  requests and responses
 * @method: requests and notifications; not terminated, may hold any byte
 * @params: requests and notifications: an array
 * @error, @result: responses
 * @bytes:  of the whole message
 */
struct rpc_message {
	enum rpc_type type;
	uint32_t msgid;
	struct slice method;
	struct pack_value params;
	struct pack_value error;
	struct pack_value result;
	size_t bytes;
};

struct rpc_parser; /* one for each connection */

must_check int rpc_parser_new(struct rpc_parser **ret_parser); /* 0 or -ENOMEM */
struct rpc_parser *rpc_parser_free(struct rpc_parser *parser);

/**
 * rpc_parse() - the next message
 * @data: unread bytes of the connection, from the first byte of a message on
 * @len:  how many there are
 * @ret_message: set on 0; the caller drops @ret_message->bytes from its buffer once it is done
 *             with it
 *
 * Bytes are walked once, however slowly they come: the caller passes the same beginning each time.
 * A value takes 24 bytes of memory, and one byte on the wire: rpc_forget() gives the memory back.
 *
 * Return: 0, RPC_E_MORE, RPC_E_MALFORMED, RPC_E_TOO_LARGE, or -ENOMEM.
 */
must_check int rpc_parse(struct rpc_parser *parser, const void *data, size_t len,
			 struct rpc_message *ret_message);
void rpc_forget(struct rpc_parser *parser); /* the caller is done with the message */

/* How bad an error is: MessagePack-RPC clients of Neovim's family show [kind, "code: text"]. */
enum rpc_error_kind {
	RPC_ERROR_FAILED = 0, /* the request was right, it could not be done */
	RPC_ERROR_WRONG = 1,  /* the request was wrong */
};

/*
 * The frame of a request up to its arguments; the caller writes one map of arguments, then
 * rpc_write_request_end().
 */
void rpc_write_request(struct pack_writer *writer, uint32_t msgid, const char *method);
void rpc_write_request_end(struct pack_writer *writer);

/*
 * The frame of an answer up to its result; the caller writes one value, then
 * rpc_write_answer_end().
 */
void rpc_write_answer(struct pack_writer *writer, uint32_t msgid);
void rpc_write_answer_end(struct pack_writer *writer);

/* A whole answer [1, msgid, [kind, "code: text"], nil]. */
void rpc_write_error(struct pack_writer *writer, uint32_t msgid, enum rpc_error_kind kind,
		     const char *code, const char *text);

/* Of a refused frame: the msgid, if so much of it came that it can be answered. */
must_check bool rpc_peek_msgid(const void *data, size_t len, uint32_t *ret_msgid);

#endif
