/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "tests/bench/fail.h"

#define EXIT_NO_PROGRAM 127
#define EXIT_SIGNALLED  128 /* and the signal's number, as shells have it */

const struct passwd *child_find_user(const char *name)
{
	const struct passwd *user = getpwnam(name);

	if (!user) {
		fail("there is no user %s; its package makes it", name);
	}
	return user;
}

static void become(const char *name)
{
	const struct passwd *user = child_find_user(name);

	if (initgroups(name, user->pw_gid) < 0 || setgid(user->pw_gid) < 0 ||
	    setuid(user->pw_uid) < 0) {
		fail_errno(errno, "become %s", name);
	}
}

static void open_streams(const char *log)
{
	int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	if (in < 0 || out < 0 || dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
	    dup2(out, STDERR_FILENO) < 0) {
		fail_errno(errno, "%s", log);
	}
}

static _Noreturn void be_child(const struct child_options *options)
{
	open_streams(options->log);
	if (options->user && getuid() == 0) {
		become(options->user);
	}
	if (options->environment) {
		(void)putenv((char *)options->environment);
	}
	/* Behind setuid(), which clears it. */
	(void)prctl(PR_SET_PDEATHSIG, options->end_signal);
	(void)execvp(options->argv[0], (char *const *)options->argv);
	(void)fprintf(stderr, "%s: %s\n", options->argv[0], strerror(errno));
	_exit(EXIT_NO_PROGRAM);
}

pid_t child_start(const struct child_options *options)
{
	pid_t pid = fork();

	if (pid < 0) {
		fail_errno(errno, "fork");
	}
	if (pid == 0) {
		be_child(options);
	}
	return pid;
}

static int await(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR) {
			fail_errno(errno, "waitpid");
		}
	}
	return status;
}

void child_fail(const char *name, const char *log)
{
	FILE *file = fopen(log, "re");
	char line[512];

	while (file && fgets(line, sizeof(line), file)) {
		(void)fputs(line, stderr);
	}
	if (file) {
		(void)fclose(file);
	}
	fail("%s does not work; what it said stands above", name);
}

void child_run(const struct child_options *options)
{
	int status = await(child_start(options));

	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		child_fail(options->argv[0], options->log);
	}
}

void child_end(pid_t pid, int signal)
{
	(void)kill(pid, signal);
	(void)await(pid); /* a server that is asked to end may say so with any code */
}

bool child_is_running(pid_t pid)
{
	return waitpid(pid, NULL, WNOHANG) == 0;
}

/* For the handler; there is one worker in a program's life. */
static pid_t worker;

static void on_signal(int signal unused)
{
	(void)kill(worker, SIGKILL);
}

static void catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	if (sigaction(SIGINT, &action, NULL) < 0 || sigaction(SIGTERM, &action, NULL) < 0) {
		fail_errno(errno, "sigaction");
	}
}

int child_work(int (*work)(void *userdata), void *userdata)
{
	int status;

	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0) {
		fail_errno(errno, "prctl");
	}
	(void)fflush(stdout);
	worker = fork();
	if (worker < 0) {
		fail_errno(errno, "fork");
	}
	if (worker == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		exit(work(userdata));
	}
	catch_signals();
	status = await(worker);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR) {
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_SIGNALLED + WTERMSIG(status);
}
