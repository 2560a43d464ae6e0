/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/client.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/rpc.h"
#include "ctl/json.h"
#include "ctl/monotonic.h"

#define READ_SIZE (64 * 1024)

/* What a daemon may send before its answer is whole: one answer, and the beginning of what follows.
 */
#define BUFFER_MAX (RPC_ANSWER_MAX + READ_SIZE)

struct ctl_client {
	const char *path;
	span_t timeout;
	int fd;
	uint32_t msgid;
	char method[RPC_METHOD_LEN_MAX + 1];
	struct pack_writer writer;
	struct rpc_parser *parser;
	char *buffer; /* BUFFER_MAX bytes */
	size_t len;
};

int ctl_client_new(const char *path, span_t timeout, struct ctl_client **ret_client)
{
	struct ctl_client *client = calloc(1, sizeof(*client));
	int r;

	if (!client) {
		return -ENOMEM;
	}
	client->path = path;
	client->timeout = timeout;
	client->fd = -1;
	pack_writer_init(&client->writer, RPC_FRAME_LARGE_MAX);
	r = rpc_parser_new(&client->parser);
	client->buffer = malloc(BUFFER_MAX);
	if (r < 0 || !client->buffer) {
		(void)ctl_client_free(client);
		return -ENOMEM;
	}
	*ret_client = client;
	return 0;
}

struct ctl_client *ctl_client_free(struct ctl_client *client)
{
	if (client) {
		closep(&client->fd);
		pack_writer_done(&client->writer);
		(void)rpc_parser_free(client->parser);
		free(client->buffer);
		free(client);
	}
	return NULL;
}

static int unreachable(const struct ctl_client *client, int error, struct ctl_fault *fault)
{
	if (error == EACCES || error == EPERM) {
		return ctl_fault_set(
			fault, CTL_EXIT_PERMISSION, "permission-denied",
			"you may not use %s: %s; be a member of the socket's group, or root",
			client->path, strerror(error));
	}
	return ctl_fault_set(
		fault, CTL_EXIT_UNREACHABLE, "unreachable",
		"retentiond is not reachable at %s: %s; start it with systemctl start retentiond",
		client->path, strerror(error));
}

/* Whether what was asked has been done is open, unless it only asks. */
static const char *doubt(const struct ctl_client *client)
{
	const struct command *command = command_by_method(slice_of(client->method));

	return command && !command_changes(command) && command->role != ROLE_ADMIN
		       ? ""
		       : "; what it asks for may have been done all the same";
}

static int timed_out(const struct ctl_client *client, struct ctl_fault *fault)
{
	char text[SPAN_TEXT_MAX];

	span_format(client->timeout, text);
	return ctl_fault_set(fault, CTL_EXIT_TIMEOUT, "timeout", "%s was not answered within %s%s",
			     client->method, text, doubt(client));
}

static int connection_lost(const struct ctl_client *client, int error, struct ctl_fault *fault)
{
	return ctl_fault_set(fault, CTL_EXIT_UNREACHABLE, "unreachable",
			     "the connection to retentiond broke before %s was answered (%s)%s",
			     client->method, error ? strerror(error) : "closed by the daemon",
			     doubt(client));
}

/* Waits until the socket can be read or written. */
static int wait_for(const struct ctl_client *client, short events, int64_t deadline_us,
		    struct ctl_fault *fault)
{
	struct pollfd poll_fd = {.fd = client->fd, .events = events};

	for (;;) {
		int64_t left_ms = (deadline_us - monotonic_us() + 999) / 1000;
		int r;

		if (left_ms <= 0) {
			return timed_out(client, fault);
		}
		/* A Ctrl-C that was only noted does not end the waiting: what was asked is heard
		 * out. */
		r = poll(&poll_fd, 1, (int)MIN(left_ms, INT_MAX));
		if (r > 0) {
			return 0;
		}
		if (r < 0 && errno != EINTR) {
			return ctl_fault_errno(fault, errno, "poll");
		}
	}
}

static int open_socket(struct ctl_client *client, int64_t deadline_us, struct ctl_fault *fault)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (strlen(client->path) >= sizeof(address.sun_path)) {
		return unreachable(client, ENAMETOOLONG, fault);
	}
	(void)strcpy(address.sun_path, client->path);
	client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (client->fd < 0) {
		return ctl_fault_errno(fault, errno, "socket");
	}
	/* EAGAIN: the daemon's queue of connections is full. It cannot be waited for with poll().
	 */
	while (connect(client->fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		if (errno != EAGAIN && errno != EINTR) {
			int error = errno;

			closep(&client->fd);
			client->fd = -1;
			return unreachable(client, error, fault);
		}
		if (monotonic_us() >= deadline_us) {
			return timed_out(client, fault);
		}
		(void)poll(NULL, 0, 20);
	}
	return 0;
}

struct pack_writer *ctl_client_begin(struct ctl_client *client, const char *method,
				     size_t bytes_max)
{
	(void)snprintf(client->method, sizeof(client->method), "%s", method);
	pack_writer_reset(&client->writer);
	client->writer.bytes_max = bytes_max;
	rpc_write_request(&client->writer, ++client->msgid, method);
	return &client->writer;
}

static int send_all(struct ctl_client *client, int64_t deadline_us, struct ctl_fault *fault)
{
	size_t sent = 0;

	while (sent < client->writer.len) {
		ssize_t n = send(client->fd, client->writer.data + sent, client->writer.len - sent,
				 MSG_NOSIGNAL);
		int r;

		if (n >= 0) {
			sent += (size_t)n;
			continue;
		}
		if (errno == EINTR) {
			continue;
		}
		if (errno == EPIPE) {
			return 0; /* the daemon may have said why: its answer, or the end, is read
				     next */
		}
		if (errno != EAGAIN) {
			return connection_lost(client, errno, fault);
		}
		r = wait_for(client, POLLOUT, deadline_us, fault);
		if (r != 0) {
			return r;
		}
	}
	return 0;
}

/* Takes more bytes from the socket. */
static int fill(struct ctl_client *client, int64_t deadline_us, struct ctl_fault *fault)
{
	for (;;) {
		ssize_t n =
			recv(client->fd, client->buffer + client->len, BUFFER_MAX - client->len, 0);
		int r;

		if (n > 0) {
			client->len += (size_t)n;
			return 0;
		}
		if (n == 0) {
			return connection_lost(client, 0, fault);
		}
		if (errno != EAGAIN && errno != EINTR) {
			return connection_lost(client, errno, fault);
		}
		r = wait_for(client, POLLIN, deadline_us, fault);
		if (r != 0) {
			return r;
		}
	}
}

static void drop(struct ctl_client *client, size_t bytes)
{
	assert(bytes <= client->len);
	memmove(client->buffer, client->buffer + bytes, client->len - bytes);
	client->len -= bytes;
}

static enum ctl_exit exit_of_code(const char *code)
{
	static const struct {
		const char *code;
		enum ctl_exit exit;
	} exits[] = {
		{"permission-denied", CTL_EXIT_PERMISSION},
		{"invalid-argument", CTL_EXIT_USAGE},
		{"unknown-method", CTL_EXIT_USAGE},
	};

	for (size_t i = 0; i < ARRAY_LEN(exits); i++) {
		if (strcmp(exits[i].code, code) == 0) {
			return exits[i].exit;
		}
	}
	return CTL_EXIT_FAILURE;
}

int ctl_client_fault(const struct pack_value *error, struct ctl_fault *fault)
{
	struct pack_value text = *error;
	char code[CTL_FAULT_CODE_MAX] = "failed";
	const char *colon;

	if (error->type == PACK_ARRAY && error->list.n == 2) {
		text = pack_array_at(error, 1);
	}
	if (text.type != PACK_TEXT) {
		return ctl_fault_set(fault, CTL_EXIT_FAILURE, "failed",
				     "retentiond answered with an error of no known form");
	}
	colon = memmem(text.text.data, text.text.len, ": ", 2);
	if (colon && colon - text.text.data < (ptrdiff_t)sizeof(code)) {
		(void)snprintf(code, sizeof(code), "%.*s", (int)(colon - text.text.data),
			       text.text.data);
		text.text.len -= (size_t)(colon + 2 - text.text.data);
		text.text.data = colon + 2;
	}
	return ctl_fault_set(fault, exit_of_code(code), code, "%.*s", SLICE_ARG(text.text));
}

static int take_value(const struct pack_value *value, json_t **ret_json, struct ctl_fault *fault)
{
	int r = ctl_json_from_pack(value, ret_json);

	if (r < 0) {
		return ctl_fault_errno(fault, r, "an answer");
	}
	if (r > 0) {
		return ctl_fault_set(fault, CTL_EXIT_FAILURE, "malformed",
				     "retentiond's answer has a key that is no text");
	}
	return 0;
}

static int take_answer(const struct rpc_message *message, json_t **ret_result,
		       struct ctl_fault *fault)
{
	return message->error.type != PACK_NIL ? ctl_client_fault(&message->error, fault)
					       : take_value(&message->result, ret_result, fault);
}

static int take_event(const struct rpc_message *message, json_t **ret_event,
		      struct ctl_fault *fault)
{
	struct pack_value event = {.type = PACK_NIL};

	if (message->params.list.n > 0) {
		event = pack_array_at(&message->params, 0);
	}
	return take_value(&event, ret_event, fault);
}

static bool is_wanted(const struct ctl_client *client, const struct rpc_message *message,
		      enum rpc_type type)
{
	return message->type == type &&
	       (type == RPC_NOTIFICATION || message->msgid == client->msgid);
}

/*
 * The answer to the request that is out, or the next event; the other, and answers to requests that
 * timed out, are passed over.
 */
static int receive(struct ctl_client *client, enum rpc_type type, int64_t deadline_us,
		   json_t **ret_result, struct ctl_fault *fault)
{
	for (;;) {
		struct rpc_message message;
		int r = rpc_parse(client->parser, client->buffer, client->len, &message);

		if (r == 0) {
			bool wanted = is_wanted(client, &message, type);

			if (wanted) {
				r = type == RPC_RESPONSE ? take_answer(&message, ret_result, fault)
							 : take_event(&message, ret_result, fault);
			}
			drop(client, message.bytes);
			if (wanted) {
				return r;
			}
		} else if (r == RPC_E_MORE && client->len < BUFFER_MAX) {
			r = fill(client, deadline_us, fault);
			if (r != 0) {
				return r;
			}
		} else if (r < 0) {
			return ctl_fault_errno(fault, r, "an answer");
		} else {
			return ctl_fault_set(
				fault, CTL_EXIT_FAILURE, "malformed",
				"what answers at %s does not speak retentiond's protocol",
				client->path);
		}
	}
}

int ctl_client_call(struct ctl_client *client, json_t **ret_result, struct ctl_fault *fault)
{
	int64_t deadline_us = monotonic_us() + client->timeout;
	int r;

	rpc_write_request_end(&client->writer);
	if (client->writer.error == PACK_E_TOO_LARGE) {
		return ctl_fault_set(fault, CTL_EXIT_FAILURE, "too-large",
				     "%s: the request is larger than %zu bytes", client->method,
				     client->writer.bytes_max);
	}
	if (client->writer.error != 0) {
		return ctl_fault_errno(fault, client->writer.error, client->method);
	}
	r = client->fd < 0 ? open_socket(client, deadline_us, fault) : 0;
	r = r ? r : send_all(client, deadline_us, fault);
	return r ? r : receive(client, RPC_RESPONSE, deadline_us, ret_result, fault);
}

int ctl_client_next_event(struct ctl_client *client, json_t **ret_event, struct ctl_fault *fault)
{
	return receive(client, RPC_NOTIFICATION, INT64_MAX / 2, ret_event, fault);
}

int ctl_client_ask(struct ctl_client *client, enum command_symbol command, json_t **ret_result,
		   struct ctl_fault *fault)
{
	struct pack_writer *writer =
		ctl_client_begin(client, command_table[command].method, RPC_FRAME_SMALL_MAX);

	pack_write_map(writer);
	pack_write_end(writer);
	return ctl_client_call(client, ret_result, fault);
}
