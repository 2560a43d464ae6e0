/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/sockets.h"

#include "daemon/io/limits.h"
#include "daemon/io/listener.h"
#include "daemon/service.h"
#include "daemon/work/log.h"

static int listen_at_path(const struct config *config, struct loop *loop)
{
	const struct listener_address address = {config->socket, config->socket_mode,
						 config->socket_gid};
	cleanup(closep) int fd = -1;
	int error;

	error = listener_bind(&address, &fd);
	if (!error) {
		error = loop_listen(loop, fd, config->socket);
	}
	if (error) {
		log_say(LOG_LEVEL_CRITICAL, "cannot listen on %s: %s", config->socket,
			strerror(-error));
		return error;
	}
	fd = -1; /* taken */
	return 0;
}

int sockets_open(const struct config *config, struct loop *loop)
{
	int fds[LIMITS_LISTENERS_MAX];
	size_t n = 0;
	int error;

	error = service_take_sockets(fds, ARRAY_LEN(fds), &n);
	for (size_t i = 0; i < n && !error; i++) {
		error = loop_listen(loop, fds[i], NULL);
	}
	if (error) {
		log_say(LOG_LEVEL_CRITICAL, "the sockets that were passed cannot be used: %s",
			strerror(-error));
		return error;
	}
	return n > 0 ? 0 : listen_at_path(config, loop);
}
