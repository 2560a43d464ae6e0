/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_BENCH_CHILD_H
#define RETENTIOND_TESTS_BENCH_CHILD_H

#include <pwd.h>
#include <signal.h>
#include <sys/types.h>

#include "common/base.h"

/*
 * Processes that are measured. A child gets @end_signal when the program that started it ends in
 * whatever way: nothing stays behind.
 */

/**
 * struct child_options
 * @argv:  the program and its arguments; searched in $PATH
 * @log:   a file for what it says
 * @user:  root starts it as this user; NULL for itself
 * @environment: "NAME=value" to add, or NULL
 * @end_signal: see above
 */
struct child_options {
	const char *const *argv;
	const char *log;
	const char *user;
	const char *environment;
	int end_signal;
};

pid_t child_start(const struct child_options *options);

/* Runs it to its end, which must be a good one. */
void child_run(const struct child_options *options);

/* Sends a signal and waits for the end. */
void child_end(pid_t pid, int signal);

bool child_is_running(pid_t pid);

/* Ends the program because a child does not work, with what the child has said. */
_Noreturn void child_fail(const char *name, const char *log);

/**
 * child_work() - have work done by a process of its own
 *
 * It returns when that has ended, in whatever way, and everything that it started has ended too:
 * then its directories can be removed. SIGINT and SIGTERM end it.
 *
 * Return: its exit status, or 128 and the signal that ended it.
 */
int child_work(int (*work)(void *userdata), void *userdata);

/* A user whose package is installed. */
const struct passwd *child_find_user(const char *name);

#endif
