/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/service.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>

/* "info", as a line of stderr begins. */
static const char *level_word(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_CRITICAL:
		return "critical";
	case LOG_LEVEL_ERROR:
		return "error";
	case LOG_LEVEL_WARNING:
		return "warning";
	case LOG_LEVEL_NOTICE:
		return "notice";
	case LOG_LEVEL_INFO:
		return "info";
	case LOG_LEVEL_DEBUG:
		return "debug";
	}
	abort();
}

static void say_to_stderr(enum log_level level, const char *text,
			  const struct log_field unused *fields, size_t unused n_fields)
{
	/*
	 * One call, so that lines of several processes do not mix. There is nobody to tell if it
	 * fails.
	 */
	(void)dprintf(STDERR_FILENO, "retentiond: %s: %s\n", level_word(level), text);
}

/*
 * What the journal cannot be given as fields still reaches it through stderr, which reads
 * <PRIORITY>.
 */
static void say_to_journal_stream(enum log_level level, const char *text)
{
	(void)dprintf(STDERR_FILENO, "<%d>%s\n", (int)level, text);
}

static struct iovec iovec_of(char *text, int len, size_t size)
{
	assert(len >= 0);
	return (struct iovec){text, MIN((size_t)len, size - 1)};
}

static void say_to_journal(enum log_level level, const char *text, const struct log_field *fields,
			   size_t n_fields)
{
	char message[sizeof("MESSAGE=") + 1024];
	char priority[sizeof("PRIORITY=7")];
	char field[LOG_FIELDS_MAX][LOG_FIELD_SIZE];
	struct iovec vector[LOG_FIELDS_MAX + 2];
	int n = 0;

	assert(n_fields <= LOG_FIELDS_MAX);
	vector[n++] = iovec_of(message, snprintf(message, sizeof(message), "MESSAGE=%s", text),
			       sizeof(message));
	vector[n++] = iovec_of(priority, snprintf(priority, sizeof(priority), "PRIORITY=%d", level),
			       sizeof(priority));
	for (size_t i = 0; i < n_fields; i++) {
		vector[n++] = (struct iovec){field[i], log_format_field(&fields[i], field[i])};
	}
	if (sd_journal_sendv(vector, n) < 0) {
		say_to_journal_stream(level, text);
	}
}

/*
 * systemd names the stream it gave us, by device and inode; stderr may have been redirected
 * since.
 */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	uintmax_t device, inode;
	struct stat there;

	if (!stream || sscanf(stream, "%" SCNuMAX ":%" SCNuMAX, &device, &inode) != 2) {
		return false;
	}
	return fstat(STDERR_FILENO, &there) == 0 && there.st_dev == device && there.st_ino == inode;
}

log_sink_fn *service_log_sink(void)
{
	return stderr_is_journal() ? say_to_journal : say_to_stderr;
}

void service_format_line(enum log_level level, const char *text, char *line, size_t size)
{
	if (stderr_is_journal()) {
		(void)snprintf(line, size, "<%d>%s\n", (int)level, text);
	} else {
		(void)snprintf(line, size, "retentiond: %s: %s\n", level_word(level), text);
	}
}

/* systemd sets O_CLOEXEC; whether the socket blocks is up to its unit. */
static int take_socket(int fd)
{
	int flags;

	if (sd_is_socket_unix(fd, SOCK_STREAM, 1, NULL, 0) <= 0) {
		return -EPROTOTYPE;
	}
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
		return -errno;
	}
	return 0;
}

int service_take_sockets(int *fds, size_t n_max, size_t *ret_n)
{
	int n;

	n = sd_listen_fds(1);
	if (n < 0) {
		return n;
	}
	if ((size_t)n > n_max) {
		return -E2BIG;
	}
	for (int i = 0; i < n; i++) {
		int error;

		fds[i] = SD_LISTEN_FDS_START + i;
		error = take_socket(fds[i]);
		if (error) {
			return error;
		}
	}
	*ret_n = (size_t)n;
	return 0;
}

/* Results are thrown away here and below: the manager sees for itself what it was not told. */
void service_tell_reloading(span_t now)
{
	(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRId64, now);
}

void service_tell_ready(const char *status)
{
	(void)sd_notifyf(0, "READY=1\nSTATUS=%s", status);
}

void service_tell_status(const char *status)
{
	(void)sd_notifyf(0, "STATUS=%s", status);
}

void service_tell_stopping(void)
{
	(void)sd_notify(0, "STOPPING=1\nSTATUS=Sending what is left, then settling the store.");
}

span_t service_watchdog(void)
{
	uint64_t span;

	/* What cannot be read is as if nobody watched. */
	return sd_watchdog_enabled(0, &span) > 0 ? (span_t)MIN(span, (uint64_t)INT64_MAX) : 0;
}

void service_tell_alive(void)
{
	(void)sd_notify(0, "WATCHDOG=1");
}

void service_tell_progress(const char *status, span_t span)
{
	(void)sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%" PRId64 "\nWATCHDOG=1\nSTATUS=%s", span, status);
}
