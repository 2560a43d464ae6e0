/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/work_child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define READ_SIZE      4096
#define READS_PER_TURN 16 /* of one stream: a command that writes without end does not hold us up */

#define PATH_DEFAULT "/usr/local/bin:/usr/bin:/bin" /* without $PATH, as posix_spawnp(3) about */

static int check_file(const char *path)
{
	struct stat status;

	if (stat(path, &status) < 0) {
		return -errno;
	}
	if (!S_ISREG(status.st_mode)) {
		return -EACCES;
	}
	return access(path, X_OK) < 0 ? -errno : 0;
}

/* The first one that can be run; else why the last one that is there cannot. */
static int search(const char *command, const char *directories)
{
	int r = -ENOENT;

	while (directories) {
		size_t len = strcspn(directories, ":");
		char path[PATH_MAX];
		int found;

		(void)snprintf(path, sizeof(path), "%.*s%s%s", (int)len, directories,
			       len ? "/" : "", command);
		found = check_file(path);
		if (found == 0) {
			return 0;
		}
		r = found == -ENOENT || found == -ENOTDIR ? r : found;
		directories = directories[len] ? directories + len + 1 : NULL;
	}
	return r;
}

int work_child_check(const char *command)
{
	const char *directories = getenv("PATH");

	if (strchr(command, '/')) {
		return check_file(command);
	}
	return *command ? search(command, directories ? directories : PATH_DEFAULT) : -ENOENT;
}

/* What a command begins with: its three streams, and signals as if nobody had changed them. */
struct start {
	int input;
	int out[2];
	int err[2];
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
};

static void close_fd(int *fd)
{
	closep(fd);
	*fd = -1;
}

/* A file in memory: the task is there whole, and nothing waits for the command to read it. */
static int make_input(struct slice input, int *ret_fd)
{
	cleanup(closep) int fd = memfd_create("task", MFD_CLOEXEC);
	size_t written = 0;

	if (fd < 0) {
		return -errno;
	}
	while (written < input.len) {
		ssize_t n = write(fd, input.data + written, input.len - written);

		if (n < 0) {
			return -errno;
		}
		written += (size_t)n;
	}
	if (lseek(fd, 0, SEEK_SET) < 0) {
		return -errno;
	}
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int make_streams(struct start *start, struct slice input)
{
	int r = make_input(input, &start->input);

	if (r < 0) {
		return r;
	}
	if (pipe2(start->out, O_CLOEXEC) < 0 || pipe2(start->err, O_CLOEXEC) < 0) {
		return -errno;
	}
	/* Our ends only: a command that met EAGAIN on its own output would take it for a fault. */
	if (fcntl(start->out[0], F_SETFL, O_NONBLOCK) < 0 ||
	    fcntl(start->err[0], F_SETFL, O_NONBLOCK) < 0) {
		return -errno;
	}
	return 0;
}

static int set_up(struct start *start)
{
	sigset_t none, all;
	int r;

	(void)sigemptyset(&none); /* neither fails for a set of our own */
	(void)sigfillset(&all);
	r = posix_spawn_file_actions_adddup2(&start->actions, start->input, STDIN_FILENO);
	r = r ? r : posix_spawn_file_actions_adddup2(&start->actions, start->out[1], STDOUT_FILENO);
	r = r ? r : posix_spawn_file_actions_adddup2(&start->actions, start->err[1], STDERR_FILENO);
	r = r ? r : posix_spawnattr_setsigmask(&start->attributes, &none);
	r = r ? r : posix_spawnattr_setsigdefault(&start->attributes, &all);
	r = r ? r : posix_spawnattr_setpgroup(&start->attributes, 0);
	r = r ? r
	      : posix_spawnattr_setflags(&start->attributes, POSIX_SPAWN_SETSIGMASK |
								     POSIX_SPAWN_SETSIGDEF |
								     POSIX_SPAWN_SETPGROUP);
	return -r;
}

static int start_init(struct start *start, struct slice input)
{
	int r;

	*start = (struct start){.input = -1, .out = {-1, -1}, .err = {-1, -1}};
	r = -posix_spawn_file_actions_init(&start->actions);
	r = r ? r : -posix_spawnattr_init(&start->attributes);
	r = r ? r : make_streams(start, input);
	return r ? r : set_up(start);
}

static void start_done(struct start *start)
{
	closep(&start->input);
	for (int i = 0; i < 2; i++) {
		closep(&start->out[i]);
		closep(&start->err[i]);
	}
	(void)posix_spawn_file_actions_destroy(&start->actions); /* frees memory */
	(void)posix_spawnattr_destroy(&start->attributes);
}

int work_child_start(char *const *argv, char *const *environment, struct slice input,
		     struct work_child *ret_child)
{
	struct start start;
	pid_t pid;
	int r = start_init(&start, input);

	if (r == 0) {
		r = -posix_spawnp(&pid, argv[0], &start.actions, &start.attributes, argv,
				  environment);
	}
	if (r == 0) {
		*ret_child = (struct work_child){
			.pid = pid,
			.out = TAKE_FD(start.out[0]),
			.err = TAKE_FD(start.err[0]),
		};
	}
	start_done(&start);
	return r;
}

static void read_stream(int *fd, struct work_line *line)
{
	char bytes[READ_SIZE];

	for (int i = 0; i < READS_PER_TURN && *fd >= 0; i++) {
		ssize_t n = read(*fd, bytes, sizeof(bytes));

		if (n > 0) {
			work_line_add(line, (struct slice){bytes, (size_t)n});
		} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
			close_fd(fd);
		} else {
			return;
		}
	}
}

void work_child_read(struct work_child *child)
{
	read_stream(&child->out, &child->out_line);
	read_stream(&child->err, &child->err_line);
}

bool work_child_reap(struct work_child *child, int *ret_status)
{
	if (waitpid(child->pid, ret_status, WNOHANG) != child->pid) {
		return false;
	}
	/* What it has started may hold the streams open: we do not wait for that. */
	work_child_read(child);
	close_fd(&child->out);
	close_fd(&child->err);
	child->pid = 0;
	return true;
}

void work_child_signal(const struct work_child *child, int signal)
{
	(void)kill(-child->pid, signal); /* it may just have ended */
}
