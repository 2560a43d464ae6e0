/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_WORK_CHILD_H
#define RETENTIOND_CTL_WORK_CHILD_H

#include <sys/types.h>

#include "ctl/work_line.h"

/**
 * struct work_child - a command that runs for a task, in a process group of its own
 * @pid: 0 when none runs
 * @out, @err: ours of its standard output and error; -1 once it has closed them
 */
struct work_child {
	pid_t pid;
	int out;
	int err;
	struct work_line out_line;
	struct work_line err_line;
};

/**
 * work_child_check() - whether a command can be run at all
 * @command: looked for in PATH as work_child_start() does
 *
 * Return: 0 or a negative errno.
 */
must_check int work_child_check(const char *command);

/**
 * work_child_start() - run a command
 * @argv:        of the command; looked for in PATH
 * @environment: all of it
 * @input:       what it reads on its standard input; copied
 * @ret_child:   set on 0
 *
 * Return: 0 or a negative errno, also that of execve().
 */
must_check int work_child_start(char *const *argv, char *const *environment, struct slice input,
				struct work_child *ret_child);

/* Takes what it has written, without waiting. */
void work_child_read(struct work_child *child);

/* Whether it has ended, with what waitpid(2) says; then nothing of it is left open. */
must_check bool work_child_reap(struct work_child *child, int *ret_status);

/* To the command and to what it has started. */
void work_child_signal(const struct work_child *child, int signal);

#endif
