/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_PROCESS_H
#define RETENTIOND_PROCESS_H

/**
 * process_harden() - make of the process what a daemon with secrets should be
 *
 * SIGHUP waits until waiter_new() takes it over; descriptors 0 to 2 are open; files are made for the
 * owner alone; a peer that goes away raises no signal; memory is neither dumped nor shown to other
 * processes of the user. What the system does not grant is said, and is no failure.
 */
void process_harden(void);

/**
 * process_set_last_words() - what is written to stderr when the disk fails to give a page of a file
 * that is read as memory, in place of a silent death by SIGBUS
 * @line: with its line break; the caller's, as long as the process lives
 *
 * The process then ends as after every other failure of the disk: without an answer.
 */
void process_set_last_words(const char *line);

/* The end has begun and is finished in order: a second request to stop does not cut it short. */
void process_hold_signals(void);

#endif
