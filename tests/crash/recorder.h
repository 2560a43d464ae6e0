/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_CRASH_RECORDER_H
#define RETENTIOND_TESTS_CRASH_RECORDER_H

#include "common/base.h"

/*
 * Stands between this program, its libraries included, and the calls that change files: see
 * oplog.h for what it writes down. Without a log, calls pass unseen.
 */

/* A log of its own, and what it holds: an empty one has no data. */
int recorder_new_log(void);
struct slice recorder_map_log(int log_fd);
void recorder_unmap_log(struct slice log);

/**
 * recorder_begin() - write down what happens below a directory from now on
 * @log_fd: appended to; not closed
 * @root:   absolute path; must outlive the recording
 */
void recorder_begin(int log_fd, const char *root);
void recorder_end(void);

/* An answer leaves now. */
void recorder_ack(uint64_t picture);

#endif
