/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/client.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/rpc.h"
#include "ctl/interrupt.h"
#include "ctl/json.h"
#include "ctl/monotonic.h"
#include "ctl/socket.h"

#define READ_SIZE (64 * 1024)

/* What a daemon may send before its answer is whole: one answer, and the beginning of what follows.
 */
#define BUFFER_MAX (RPC_ANSWER_MAX + READ_SIZE)

/*
 * Of requests that were sent whole. A few starts may follow one another; but a request that ends
 * the daemon each time must not end it until the service manager gives up.
 */
#define ASKED_AGAIN_MAX 3

#define PAUSE_FIRST (SPAN_SECOND / 50) /* a start takes some of them */
#define PAUSE_MAX   (SPAN_SECOND / 2)

/* The connection broke before an answer was there; client->lost says how. Beside the exit codes. */
#define LOST (-1)

/**
 * struct ctl_client
 * @met:        the daemon has been connected to before
 * @lost:       errno of the connection that broke, or 0 if the daemon closed it
 * @asks:       the request changes nothing
 * @repeatable: the request may be carried out twice, or is answered twice and carried out once
 * @once:       the request is not asked again
 * @n_sent:     how often it was sent whole
 */
struct ctl_client {
	const char *path;
	span_t timeout;
	int fd;
	bool met;
	int lost;
	bool asks;
	bool repeatable;
	bool once;
	unsigned n_sent;
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

/* Administrators begin backups, and keepers take tasks, without anything like a dry run. */
static bool only_asks(const char *method)
{
	const struct command *command = command_by_method(slice_of(method));

	return command && !command_changes(command) && command->role != ROLE_KEEPER &&
	       (command->role != ROLE_ADMIN || command == &command_table[COMMAND_hold_list] ||
		command == &command_table[COMMAND_request_list]);
}

/* Whether what was asked has been done is open, unless it only asks, or was never sent. */
static const char *doubt(const struct ctl_client *client)
{
	return client->n_sent == 0 || client->asks
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

/*
 * While a daemon that makes its socket itself is started anew, there is none, or one that nobody
 * may use yet.
 */
static bool may_come_back(int error)
{
	return error == ENOENT || error == ECONNREFUSED || error == EACCES;
}

static const char *lost_how(const struct ctl_client *client)
{
	return client->lost == 0             ? "closed by the daemon"
	       : may_come_back(client->lost) ? "it ended, and its start failed or takes long; see "
					       "systemctl status retentiond"
					     : strerror(client->lost);
}

static int connection_lost(const struct ctl_client *client, struct ctl_fault *fault)
{
	return ctl_fault_set(fault, CTL_EXIT_UNREACHABLE, "unreachable",
			     "the connection to retentiond broke before %s was answered (%s)%s",
			     client->method, lost_how(client), doubt(client));
}

static int lose(struct ctl_client *client, int error)
{
	client->lost = error;
	return LOST;
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
		return ctl_socket_unreachable(client->path, ENAMETOOLONG, fault);
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
			return client->met && may_come_back(error)
				       ? lose(client, error)
				       : ctl_socket_unreachable(client->path, error, fault);
		}
		if (monotonic_us() >= deadline_us) {
			return timed_out(client, fault);
		}
		(void)poll(NULL, 0, 20);
	}
	client->met = true;
	return 0;
}

struct pack_writer *ctl_client_begin(struct ctl_client *client, const char *method,
				     size_t bytes_max)
{
	(void)snprintf(client->method, sizeof(client->method), "%s", method);
	pack_writer_reset(&client->writer);
	client->writer.bytes_max = bytes_max;
	rpc_write_request(&client->writer, ++client->msgid, method);
	client->asks = only_asks(method);
	client->repeatable = client->asks;
	client->once = false;
	return &client->writer;
}

void ctl_client_only_ask(struct ctl_client *client)
{
	client->asks = true;
	client->repeatable = true;
}

void ctl_client_repeatable(struct ctl_client *client)
{
	client->repeatable = true;
}

void ctl_client_ask_once(struct ctl_client *client)
{
	client->once = true;
}

int ctl_client_put_request_id(struct ctl_client *client, struct pack_writer *writer, const char *id)
{
	uint64_t random[2];
	char text[2 * 16 + 1];

	if (!id) {
		if (getrandom(random, sizeof(random), 0) != sizeof(random)) {
			return -errno;
		}
		(void)snprintf(text, sizeof(text), "%016" PRIx64 "%016" PRIx64, random[0],
			       random[1]);
	}
	pack_put_cstr(writer, argument_table[ARGUMENT_request_id].name, id ? id : text);
	ctl_client_repeatable(client);
	return 0;
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
			return lose(client, errno);
		}
		r = wait_for(client, POLLOUT, deadline_us, fault);
		if (r != 0) {
			return r;
		}
	}
	client->n_sent++;
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
			return lose(client, 0);
		}
		if (errno != EAGAIN && errno != EINTR) {
			return lose(client, errno);
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
	return message->error.type != PACK_NIL ? ctl_fault_of_error(&message->error, fault)
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

static int attempt(struct ctl_client *client, int64_t deadline_us, json_t **ret_result,
		   struct ctl_fault *fault)
{
	int r = client->fd < 0 ? open_socket(client, deadline_us, fault) : 0;

	r = r ? r : send_all(client, deadline_us, fault);
	return r ? r : receive(client, RPC_RESPONSE, deadline_us, ret_result, fault);
}

static bool may_ask_again(const struct ctl_client *client)
{
	return client->n_sent == 0 || (client->repeatable && client->n_sent <= ASKED_AGAIN_MAX);
}

/* Nothing that is still on its way in the old connection counts any more. */
static void hang_up(struct ctl_client *client)
{
	closep(&client->fd);
	client->fd = -1;
	client->len = 0;
}

static int ask(struct ctl_client *client, int64_t deadline_us, json_t **ret_result,
	       struct ctl_fault *fault)
{
	span_t pause = 0;

	for (;;) {
		int r = attempt(client, deadline_us, ret_result, fault);
		span_t left = deadline_us - monotonic_us();

		if (r != LOST) {
			return r;
		}
		hang_up(client);
		if (client->once || !may_ask_again(client) || ctl_interrupted() || left <= 0) {
			return connection_lost(client, fault);
		}
		(void)poll(NULL, 0,
			   (int)(MIN(pause, left) / 1000)); /* may be too short after a signal */
		pause = MIN(MAX(2 * pause, PAUSE_FIRST), PAUSE_MAX);
	}
}

int ctl_client_call(struct ctl_client *client, json_t **ret_result, struct ctl_fault *fault)
{
	int64_t deadline_us = monotonic_us() + client->timeout;

	rpc_write_request_end(&client->writer);
	if (client->writer.error == PACK_E_TOO_LARGE) {
		return ctl_fault_set(fault, CTL_EXIT_FAILURE, "too-large",
				     "%s: the request is larger than %zu bytes", client->method,
				     client->writer.bytes_max);
	}
	if (client->writer.error != 0) {
		return ctl_fault_errno(fault, client->writer.error, client->method);
	}
	client->n_sent = 0;
	return ask(client, deadline_us, ret_result, fault);
}

int ctl_client_await_event(struct ctl_client *client, int64_t until_us, json_t **ret_event,
			   struct ctl_fault *fault)
{
	int r = receive(client, RPC_NOTIFICATION, until_us, ret_event, fault);

	return r == LOST ? connection_lost(client, fault) : r;
}

int ctl_client_next_event(struct ctl_client *client, json_t **ret_event, struct ctl_fault *fault)
{
	return ctl_client_await_event(client, INT64_MAX / 2, ret_event, fault);
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
