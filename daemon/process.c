/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "common/base.h"

#include "daemon/options.h"
#include "daemon/work/log.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#define SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define SANITIZED 0
#endif

/* A store that gets descriptor 2 would have our complaints written into it. */
static void open_standard_streams(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	closep(&fd);
}

static const char *last_words;

/* Only what signal-safety(7) allows: any code may have been interrupted. */
static void on_bus_error(int unused signal)
{
	ssize_t unused n = write(STDERR_FILENO, last_words, strlen(last_words));

	_exit(DAEMON_EXIT_FAILURE);
}

void process_set_last_words(const char *line)
{
	const struct sigaction action = {.sa_handler = on_bus_error};

	last_words = line;
	(void)sigaction(SIGBUS, &action, NULL); /* fails for wrong arguments only */
}

void process_hold_signals(void)
{
	sigset_t stops;

	(void)sigemptyset(&stops);
	(void)sigaddset(&stops, SIGTERM);
	(void)sigaddset(&stops, SIGINT);
	(void)sigaddset(&stops, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &stops, NULL); /* these calls fail for wrong arguments only */
}

/*
 * Until there is a loop to reload in, it would end the process. One that comes meanwhile stays
 * pending.
 */
static void hold_reload(void)
{
	sigset_t reload;

	(void)sigemptyset(&reload);
	(void)sigaddset(&reload, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &reload, NULL);
}

void process_harden(void)
{
	const struct rlimit none = {0, 0};

	hold_reload();
	open_standard_streams();
	(void)umask(0077); /* never fails */
	(void)signal(SIGPIPE, SIG_IGN);
	if (SANITIZED) {
		return; /* the leak check looks into the process from outside */
	}
	if (prctl(PR_SET_DUMPABLE, 0) < 0 || setrlimit(RLIMIT_CORE, &none) < 0) {
		log_say(LOG_LEVEL_WARNING, "core files cannot be turned off: %s", strerror(errno));
	}
}
